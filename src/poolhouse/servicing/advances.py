"""The draft date: what is missing of the instalment due on 1 M is put in by someone.

The servicer advances principal, investor interest and guaranty fee from its own funds until the
stop-advance month; then the guarantor pays principal and interest and
its own fee waits. A Ginnie issuer and a private servicer never stop.
Source: Fannie Mae Servicing Guide, stop delinquency advance (servicing.md 5.4).
"""

from __future__ import annotations

import numpy as np

from poolhouse.servicing.payments import Books
from poolhouse.servicing.state import Ints, Mask
from poolhouse.tables.codes import LIQUIDATED

NEVER = 10_000
"""A stop month that is never reached."""


def advance(books: Books, stop_after: Ints) -> None:
    """Cover every uncovered instalment; `stop_after` is the number of instalments advanced, per loan."""
    state, flows, due = books.state, books.flows, books.due
    missing = due.live & ~due.covered
    stopped: Mask = missing & (books.month - state.last_paid > stop_after)
    by_guarantor = np.where(stopped, due.principal + due.investor, 0)
    by_servicer = np.where(missing & ~stopped, due.principal + due.investor + due.guaranty, 0)
    flows.guaranty_relief += np.where(stopped, due.guaranty, 0)
    flows.advanced += by_servicer
    flows.guarantor_advanced += by_guarantor
    state.advances = state.advances + by_servicer
    state.guarantor_advances = state.guarantor_advances + by_guarantor + flows.guaranty_relief
    due.drafted[:] = True


def settle_current(books: Books) -> None:
    """A current loan has no advance outstanding, nor has one whose property is sold: what a change of rates left over,
    or a sale that brought less than a private servicer's advances, is repaid from its fees and its own funds."""
    state, flows = books.state, books.flows
    over = (state.last_paid >= books.month) | (state.end_code == LIQUIDATED)
    rest = np.where(over, state.advances, 0)
    flows.recovered += rest
    state.advances = state.advances - rest
    from_fee = np.minimum(flows.servicer_kept, rest)
    flows.servicer_kept -= from_fee
    flows.shortfall += rest - from_fee
