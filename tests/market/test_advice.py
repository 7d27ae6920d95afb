"""Purchase advices: each is the sum of its loans, and each lender's wire of a day is the ledger's, to the cent."""

from __future__ import annotations

import polars as pl
import pytest

from poolhouse.dates import month_name
from poolhouse.findings import Refused
from poolhouse.market.market import Market


def test_every_wire_of_a_real_sample_is_the_ledgers(queried: Market) -> None:
    sales = queried.book.segment("sales")
    seen, loans = 0, 0
    for month in queried.book.months("sales"):
        answer = queried.advice(month=month_name(month))
        assert all(w["difference_cents"] == 0 for w in answer["wires"])
        assert sum(w["net_wire_cents"] for w in answer["wires"]) == answer["net_wire_cents"]
        seen, loans = seen + len(answer["wires"]), loans + answer["loans"]
    assert loans == sales.height and seen == sales.select("seller_id", "settlement_date").n_unique()


def test_an_advice_by_hand(queried: Market) -> None:
    """From the sales' own columns: price and interest in, the line out; a loan its lender issues has no price."""
    top = max(queried.lenders()["lenders"], key=lambda r: (r["sold"], r["code"]))
    answer = queried.advice(top["code"])
    party = queried.book.records("parties").filter(pl.col("code") == top["code"])["party_id"][0]
    sales = queried.book.segment("sales").filter(pl.col("seller_id") == party)
    priced = sales.filter(pl.col("buyer_id") != party)
    assert answer["gross_cents"] == priced["proceeds_cents"].sum() + priced["accrued_cents"].sum()
    assert answer["line_payoff_cents"] == sales["line_principal_cents"].sum() + sales["line_interest_cents"].sum()
    assert answer["net_wire_cents"] == answer["gross_cents"] - answer["line_payoff_cents"]
    assert len(answer["lines"]) == top["sold"] == sum(a["loans"] for a in answer["advices"])
    for name in ("principal_cents", "gross_cents", "line_payoff_cents", "net_wire_cents"):
        assert sum(a[name] for a in answer["advices"]) == sum(line[name] for line in answer["lines"]) == answer[name]


def test_issuers_of_their_own_loans_are_there_and_move_no_price(queried: Market) -> None:
    own = queried.book.segment("sales").filter(pl.col("seller_id") == pl.col("buyer_id"))
    assert own.height
    every = [a for m in queried.book.months("sales") for a in queried.advice(month=month_name(m))["advices"]]
    mine = [a for a in every if a["lender"] == a["buyer"]]
    assert sum(a["loans"] for a in mine) == own.height and not any(a["gross_cents"] for a in mine)


def test_no_sale_no_advice(queried: Market) -> None:
    with pytest.raises(Refused, match="no sale in 1999-01"):
        queried.advice(month="1999-01")
