"""Pooling's view of the rulebook: one place that knows which rule belongs to which program.

Private pools have no guide, so each of their numbers stands in the assumptions under the same name
with `.private` behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from poolhouse.dates import first_day
from poolhouse.rules import Rulebook
from poolhouse.tables.codes import FHLMC, FNMA, GNMA, PRIVATE, PROGRAMS

UMBS, GINNIE_1, GINNIE_2, PRIVATE_SERIES = "umbs", "ginnie1", "ginnie2", "private"
SERIES = {FNMA: UMBS, FHLMC: UMBS, GNMA: GINNIE_2, PRIVATE: PRIVATE_SERIES}
"""Program -> the series its loans go to by default; Ginnie I is the exception within gnma."""

_STRIPS = {FNMA: "umbs", FHLMC: "umbs", GNMA: "ginnie2", PRIVATE: "private"}
_INVENTED_PREFIX = (FHLMC, PRIVATE)


@dataclass(frozen=True)
class Strip:
    """Limits between note rate and coupon, e7 a year. Source: Selling Guide C3-3-03; Ginnie MBS Guide ch. 24."""

    base_fee: int
    servicing_max: int
    buy_up_max: int
    spread_min: int
    spread_max: int


@dataclass(frozen=True)
class Limits:
    """The rules of one issue month."""

    rulebook: Rulebook
    month: int

    @property
    def issue_date(self) -> date:
        return first_day(self.month)

    def program(self, name: str, program: int, **dims: Any) -> Any:
        """pooling.<name> for a program code."""
        suffix = ".private" if program == PRIVATE else ""
        return self.rulebook.get(f"pooling.{name}{suffix}", self.issue_date, program=PROGRAMS[program], **dims)

    def plain(self, name: str) -> Any:
        """pooling.<name>, the same for all programs."""
        return self.rulebook.get(f"pooling.{name}", self.issue_date)

    def prefix(self, program: int, series: str, term_bucket: int, high_balance: bool) -> str:
        """Pool prefix or type; those that we invented stand among the assumptions."""
        name = "pooling.prefix.invented" if program in _INVENTED_PREFIX else "pooling.prefix"
        code = PROGRAMS[program]
        dims = {"program": code, "series": series, "term_bucket": term_bucket, "high_balance": high_balance}
        return str(self.rulebook.get(name, self.issue_date, **dims))

    def number_letter(self, program: int) -> str:
        """First letter of a program's pool numbers."""
        return str(self.rulebook.get("pooling.number_letter", self.issue_date, program=PROGRAMS[program]))

    def guarantee(self, program: int) -> str:
        """explicit | implied | none."""
        return str(self.rulebook.get("pooling.guarantee", self.issue_date, program=PROGRAMS[program]))

    def strip(self, program: int) -> Strip:
        """The strip that the sale divided the note rate by."""
        name = _STRIPS[program]
        rule = self.rulebook.get(f"sale.strip.{name}", self.issue_date)
        fee = self.rulebook.get("sale.guaranty_fee_rate_e7", self.issue_date, strip=name)
        return Strip(fee, rule["servicing_max"], rule["buy_up_max"], rule["spread_min"], rule["spread_max"])

    @property
    def coupon_step(self) -> int:
        """Coupons are multiples of it, e7."""
        return int(self.rulebook.get("sale.coupon_step_e7", self.issue_date))
