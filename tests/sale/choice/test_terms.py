"""A desk's terms: what they may say, and what is said to those that say something else."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from poolhouse.findings import Refused
from poolhouse.sale.terms import price_of, read_terms

FULL = """
[desk]
approvals = ["fnma", "gnma"]
hold_limit = 2_000_000
line_limit = "25,000,000"

[caps]
fnma = 10_000_000.50

[[mandatory]]
id = "cash"
program = "fnma"
coupon = 6.625
term = 30
amount = 3_000_000
pair_off = 0.125
tolerance_pct = 2.5

[[trade]]
program = ["fnma", "fhlmc"]
coupon = 6.5
amount = 5_000_000
price = "101-16+"
settle = 2026-12-14

[[conduit]]
id = "block"
amount = 4_000_000
most = 6_000_000
min_average_score = 740
max_average_ltv = 72.5
max_state_share = {CA = 40}
"""


def test_everything_that_can_be_said() -> None:
    terms = read_terms(FULL, "desk.toml", 100)
    assert terms.approvals == ("fnma", "gnma")
    assert (terms.hold_limit_cents, terms.line_limit_cents) == (2_000_000_00, 25_000_000_00)
    assert terms.caps_cents == {"fnma": 10_000_000_50}
    cash, trade = terms.commitments
    assert (cash.name, cash.kind, cash.execution, cash.term_bucket) == ("cash", "mandatory", "cash", 360)
    assert (cash.coupon_rate_e7, cash.amount_cents, cash.short_e6, cash.variance_e6) == (
        662_500,
        3_000_000_00,
        125_000,
        25_000,
    )
    assert cash.price_e6 is None
    assert (trade.name, trade.programs, trade.execution) == ("trade-2", ("fnma", "fhlmc"), "swap")
    assert (trade.variance_e6, trade.price_e6, trade.settlement_date) == (100, 101_515_625, date(2026, 12, 14))
    (block,) = terms.forwards
    assert (block.min_average_score, block.max_average_ltv_e4, block.max_state_share) == (
        740,
        7_250,
        {"CA": Decimal("0.4")},
    )
    assert (block.amount_cents, block.most_cents, block.program) == (4_000_000_00, 6_000_000_00, "private")


def test_no_terms_promise_nothing() -> None:
    terms = read_terms("", "desk.toml")
    assert terms.approvals == ("fnma", "fhlmc", "gnma", "private", "nonqm")
    assert (terms.commitments, terms.forwards, terms.caps_cents) == ((), (), {})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[desk", "not TOML"),
        ("[desks]", "desks is unknown: use"),
        ("[desk]\nholdlimit = 1", "holdlimit is unknown"),
        ("[desk]\napprovals = 'fnma'", "list of programs"),
        ("[desk]\napprovals = ['fanny']", "'fanny' is unknown: use fnma"),
        ("[caps]\nfnma = -1", "no number of 0 or more"),
        ("[caps]\nfnma = nan", "no number of 0 or more"),
        ("[caps]\nfnma = true", "no number of 0 or more"),
        ("[caps]\nfnma = 0.001", "more decimals"),
        ("desk = 3", "desk is a table"),
        ("[trade]\nid = 'x'", r"write each trade under a line \[\[trade\]\]"),
        ("[[trade]]\nprogram = 'fnma'\namount = 1", "names its coupon"),
        ("[[trade]]\nprogram = 'fnma'\ncoupon = 6\namount = 1\nexecution = 'barter'", "use cash or swap"),
        ("[[trade]]\nprogram = 'fnma'\ncoupon = 6\namount = 1\nsettle = '2026-12-14'", "without quotes"),
        ("[[trade]]\nprogram = 'fnma'\ncoupon = 6\namount = 1\nprice = '101-33'", "no price"),
        ("[[mandatory]]\nprogram = 'fnma'", "None' is no number|None is no number"),
        (
            "[[mandatory]]\nid='a'\nprogram='fnma'\namount=1\n[[mandatory]]\nid='a'\nprogram='fnma'\namount=1",
            "a stands twice",
        ),
        ("[[conduit]]\nmax_state_share = 40", "is a table such as"),
    ],
)
def test_anything_else_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(Refused, match=says) as refused:
        read_terms(text, "desk.toml")
    assert str(refused.value).startswith("desk.toml")


QUOTED = {
    "101-16": 101_500_000, "101-00+": 101_015_625, "99-31": 99_968_750, "101-164": 101_515_625,
    101.25: 101_250_000, 101: 101_000_000,
}  # fmt: skip


@pytest.mark.parametrize("text", QUOTED)
def test_prices_in_32nds_and_in_decimals(text: object) -> None:
    assert price_of("price", text) == QUOTED[text]  # type: ignore[index]
