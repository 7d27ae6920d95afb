"""The rules one month needs, looked up once from the rulebook: an array per program."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from poolhouse.dates import first_day, on_or_before
from poolhouse.rules import Rulebook, system_parties
from poolhouse.servicing.advances import NEVER
from poolhouse.servicing.state import Ints
from poolhouse.tables.codes import BOOK_PROGRAMS


@dataclass(frozen=True)
class MonthRules:
    """Per program code: draft day of the month, instalments advanced before the stop, missed
    instalments at buyout, and the party that buys out. Then single numbers."""

    draft_days: Ints
    stop_after: Ints
    buyout_after: Ints
    buyers: Ints
    portfolio_stop: int
    foreclosure_after: int
    most_ahead: int
    trusts: int


def month_rules(rulebook: Rulebook, month: int) -> MonthRules:
    """Parameters in force on the 1st of the month (their basis is the reporting month)."""
    day = first_day(month)
    parties = system_parties()

    def each(name: str) -> Ints:
        return np.array([int(rulebook.get(name, day, program=p)) for p in BOOK_PROGRAMS], dtype=np.int64)

    drafts = [on_or_before(day.replace(day=int(d))).day for d in each("servicing.draft_day")]
    stop = each("servicing.stop_advance_instalments")
    buyout = each("servicing.buyout_missed_instalments")
    return MonthRules(
        np.array(drafts, dtype=np.int64),
        np.where(stop == 0, NEVER, stop),
        np.where(buyout == 0, NEVER, buyout),
        np.array([parties.get(p, {"party_id": 0})["party_id"] for p in BOOK_PROGRAMS], dtype=np.int64),
        int(rulebook.get("servicing.portfolio_stop_instalments", day)),
        int(rulebook.get("servicing.foreclosure_missed_instalments", day)),
        int(rulebook.get("servicing.most_instalments_ahead", day)),
        int(parties["trusts"]["party_id"]),
    )
