"""Step 4: investors buy the securities, trade them, and are paid by factor; and who owns what in the end."""

from __future__ import annotations

from poolhouse.investing.capital import FUND_SHARES_SCHEMA, endow, fund_shares
from poolhouse.investing.class_bids import Trust
from poolhouse.investing.look_through import loan_shares, lookthrough
from poolhouse.investing.paying import holder_interest, holder_principal, pay_holders
from poolhouse.investing.placing import place, placement_date
from poolhouse.investing.positions import OFFERED_SCHEMA, POSITIONS_SCHEMA, offers, positions
from poolhouse.investing.quotes import Trusts
from poolhouse.investing.tickets import TICKETS_SCHEMA, read_tickets
from poolhouse.investing.trading import trade

__all__ = [
    "FUND_SHARES_SCHEMA", "OFFERED_SCHEMA", "POSITIONS_SCHEMA", "TICKETS_SCHEMA", "Trust", "Trusts", "endow",
    "fund_shares",
    "holder_interest", "holder_principal", "loan_shares", "lookthrough", "offers", "pay_holders", "place",
    "placement_date", "positions", "read_tickets", "trade",
]  # fmt: skip
