"""Commitments and trades: worked by hand, and against every number of loans that could be delivered."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from poolhouse.findings import Refused
from poolhouse.sale.choice.allocation import good, lots
from poolhouse.tables.codes import FHLMC
from sale.choice.choice_kit import cash, chosen, loans, offers, places

MILLION = 1_000_000_00
TRADE = """
[[trade]]
id = "T"
program = "fnma"
coupon = 6.0
amount = {amount}
price = {price}
pair_off = {pair_off}
"""


def millions(count: int, price_e6: int = 101_000_000, other_e6: int = 101_500_000) -> tuple[Any, Any]:
    """So many loans of a million, each at Fannie Mae 6.0 or for cash."""
    rows: list[dict[str, Any]] = []
    for i in range(count):
        rows += [{"loan_id": i, "balance_cents": MILLION, "all_in_e6": price_e6},
                 cash(i, other_e6 + i, balance_cents=MILLION)]  # fmt: skip
    return loans(*[{} for _ in range(count)]), offers(*rows)


def test_a_trade_above_the_sheet_draws_loans_that_cash_would_pay_more_for() -> None:
    choice = chosen(*millions(4), TRADE.format(amount=2_000_000, price=102, pair_off=0.25))
    spots = places(choice)
    assert sorted(i for i, pool in spots.items() if pool == "fnma 30y 6.0") == [0, 1]
    (line,) = choice.promised
    # The sheet pays 101, the trade 102: a point on two millions. The variance's 200 dollars more aren't there.
    assert (line["delivered_cents"], line["gain_cents"]) == (2 * MILLION, 2 * 1_000_000)
    assert (line["short_cents"], line["pair_off_cents"]) == (0, 0)
    assert choice.proceeds_cents == 2 * 101_000_000 + 2 * 101_500_000 + 5 + 2 * 1_000_000 == choice.bound_cents


def test_a_trade_below_the_sheet_is_filled_only_while_that_costs_less_than_pairing_off() -> None:
    # Delivering at 100 what the sheet pays 101 for costs what the market's move does in a pair-off: the fee decides.
    dear = chosen(*millions(2), TRADE.format(amount=2_000_000, price=100, pair_off=0.6))
    assert set(places(dear).values()) == {"fnma 30y 6.0"}
    assert dear.proceeds_cents == 2 * 101_000_000 - 1_999_800_00 // 100
    cheap = chosen(*millions(2), TRADE.format(amount=2_000_000, price=100, pair_off=0.4))
    assert set(places(cheap).values()) == {"fnma cash 30y 6.625"}
    (line,) = cheap.promised
    assert line["short_cents"] == 1_999_800_00
    assert line["pair_off_cents"] == 1_999_800_00 * 4 // 1_000
    assert cheap.proceeds_cents == 2 * 101_500_000 + 1 - 1_999_800_00 // 100 - line["pair_off_cents"]


@pytest.mark.parametrize("price", [99, 100.5, 101, 101.7, 103])
@pytest.mark.parametrize("fee", [0, 0.3, 0.9])
def test_no_number_of_loans_delivered_brings_more(price: float, fee: float) -> None:
    about, offered = millions(5)
    choice = chosen(about, offered, TRADE.format(amount=3_000_000, price=price, pair_off=fee))

    def worth(delivered: int) -> Fraction:
        """The offers, then the trade by its own words: its price on what it takes, fee and market on the rest."""
        total = Fraction(delivered * 101_000_000)
        total += sum(sorted((101_500_000 + i for i in range(5)), reverse=True)[: 5 - delivered])
        over = Fraction(str(price)) - 101
        most, least = Fraction("3000300"), Fraction("2999700")
        aim = most if over > 0 else least
        face = Fraction(delivered * 1_000_000)
        total += over * min(face, aim)
        total -= max(least - face, 0) * Fraction(str(fee))
        total += min(over, 0) * max(aim - face, 0)
        return total

    best = max(worth(n) for n in range(6))
    assert abs(choice.proceeds_cents - best) <= 1
    assert choice.proceeds_cents <= choice.bound_cents <= choice.proceeds_cents + 1


def test_two_trades_for_the_same_loans_fill_the_dearer_one_first() -> None:
    text = TRADE.format(amount=1_000_000, price=102, pair_off=0) + TRADE.format(
        amount=1_000_000, price=103, pair_off=0
    ).replace('"T"', '"U"')
    choice = chosen(*millions(1), text)
    assert [(line["id"], line["delivered_cents"]) for line in choice.promised] == [("T", 0), ("U", MILLION)]
    assert choice.proceeds_cents == 101_000_000 + 2_000_000


def test_a_mandatory_commitment_to_the_cash_window() -> None:
    text = '[[mandatory]]\nid = "M"\nprogram = "fnma"\ncoupon = 6.625\namount = 2_000_000\npair_off = 0.5'
    about, offered = millions(3, price_e6=102_000_000)
    choice = chosen(about, offered, text)
    # Swapping brings half a point more than cash; a point short costs as much: two loans lose less than the fee.
    spots = places(choice)
    assert sorted(i for i in spots if spots[i] == "fnma cash 30y 6.625") == [1, 2]
    assert choice.promised[0]["price_e6"] is None


def test_what_overlaps_is_refused_with_both_names() -> None:
    both = 'program = ["fnma", "fhlmc"]'
    text = TRADE.format(amount=1_000_000, price=102, pair_off=0) + TRADE.format(
        amount=1_000_000, price=102, pair_off=0
    ).replace('"T"', '"U"').replace('program = "fnma"', both)
    about, offered = millions(2)
    other = offers(*({"loan_id": i, "balance_cents": MILLION, "program": FHLMC} for i in range(2)))
    with pytest.raises(Refused, match="T and U could be filled with some of the same loans"):
        chosen(about, offered.vstack(other).sort("loan_id", "program", "execution"), text)


def test_a_price_for_programs_that_the_sheet_pays_differently_is_refused() -> None:
    about, offered = millions(2)
    other = offers(
        *({"loan_id": i, "balance_cents": MILLION, "program": FHLMC, "all_in_e6": 100_000_000} for i in (0, 1))
    )
    text = TRADE.format(amount=1_000_000, price=102, pair_off=0).replace('"fnma"', '["fnma", "fhlmc"]')
    with pytest.raises(Refused, match="name one program"):
        chosen(about, offered.vstack(other).sort("loan_id", "program", "execution"), text)


def test_a_trade_that_the_tape_has_nothing_for_is_paired_off_whole() -> None:
    text = TRADE.format(amount=1_000_000, price=102, pair_off=0.25).replace("coupon = 6.0", "coupon = 3.5")
    choice = chosen(*millions(1), text)
    (line,) = choice.promised
    assert (line["delivered_cents"], line["short_cents"], line["pair_off_cents"]) == (0, 999_900_00, 2_499_75)
    assert line["sheet_price_e6"] is None


def test_good_delivery_of_each_million() -> None:
    # SIFMA Uniform Practices ch. 8: each million within 100 dollars, however near the sum is.
    from poolhouse.sale.choice.allocation import Piece

    fits = [Piece(1, "A", 999_945_55), Piece(2, "B", 1_000_098_59)]
    assert good(fits, 2 * MILLION, 100, 3) == (2, 1)
    misses = [Piece(1, "A", 949_487_53), Piece(2, "B", 1_050_524_24)]
    assert good(misses, 2 * MILLION, 100, 3) == (0, 1)
    many = [Piece(1, name, 250_000_00) for name in "ABCD"]
    assert good(many, MILLION, 100, 3) == (0, 4)
    assert good(many, MILLION, 100, 5) == (1, 4)


def test_pools_are_cut_into_whole_dollars_the_largest_first() -> None:
    pieces = lots([("small", 400_000_99), ("large", 1_700_000_50)], 2 * MILLION, 2 * MILLION)
    assert [(p.lot, p.pool, p.face_cents) for p in pieces] == [
        (1, "large", MILLION), (2, "large", 700_000_00), (2, "small", 300_000_00),
    ]  # fmt: skip
    assert good(pieces, 2 * MILLION, 100, 3) == (2, 2)
    more = lots([("large", 3 * MILLION)], 2_500_000_00, 2_500_250_00)
    assert [p.face_cents for p in more] == [1_000_100_00, 1_000_100_00, 500_050_00]
    assert good(more, 2_500_000_00, 100, 3) == (3, 1)
