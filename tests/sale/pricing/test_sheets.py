"""Users' price sheets: what they say is what is priced, what they get wrong is told with its place, what-ifs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from poolhouse.findings import Refused
from poolhouse.sale import pricing
from poolhouse.sale.pricing.curves import Curve
from poolhouse.sale.pricing.settings import SETTINGS
from poolhouse.sale.pricing.waterfall import thirty_seconds
from sale.pricing.pricing_kit import BOOK, DAY, ROOT, WORKED, loan, offer, priced, read

TBA = '[[tba]]\nprogram = "fnma"\nprices = {"6.0" = 101.5}\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nonsense", "not TOML"),
        ("[multiple]\nbuy_up = 4\n", "multiple is unknown: use"),
        ("[multiples]\nbuyup = 4\n", "multiples: buyup is unknown: use buy_down, buy_up, excess"),
        ('[multiples]\nbuy_up = "four"\n', "multiples.buy_up: 'four' is not what stands here: write years of fee"),
        ("[multiples]\nbuy_up = 4.12345\n", "more decimals than can be meant"),
        ("[multiples]\nbuy_up = 7\nbuy_down = 5\n", "buy_down is below buy_up"),
        ("[guaranty_fee]\nfnma = -1\n", "guaranty_fee.fnma: -1 is not what stands here: write basis points"),
        ("[guaranty_fee]\nfnma = true\n", "guaranty_fee.fnma: True is not what stands here"),
        ("[servicing.kept]\nsize_tops = [100000]\nby_size = [1]\n", "by_size has one value more than size_tops"),
        ("[servicing.kept]\nslow_states = 5\n", "write a list in [brackets]"),
        ("[servicing.held]\nfha = 4\n", "servicing: held is unknown: use kept, released"),
        ("servicing = 4\n", "servicing is a table"),
        ("[hold.loss]\ngrid = [[1]]\n", "grid needs a row for each of score_floors"),
        ("[conduit_adjustments.private]\ngrid = [[1, 2]]\nscore_floors = [1]\nltv_tops = [80]\n", "descend to 0"),
        ("tba = 5\n", "write each tba under a line [[tba]]"),
        ('[[tba]]\nprogram = "private"\nprices = {"6.0" = 100}\n', "tba 1: program 'private' is unknown here"),
        ('[[tba]]\nterm = 25\nprices = {"6.0" = 100}\n', "term 25 years is not priced: use 10, 15, 20, 30"),
        ("[[tba]]\nterm = 30\n", "tba 1: prices is a table of rate and price"),
        ('[[tba]]\nprices = {"six" = 100}\n', "tba 1: prices: 'six' is not what stands here: write a rate in percent"),
        ('[[tba]]\nprices = {"6.0" = "101-33"}\n', "is no price: write 101.5, '101-16', '101-16+' or '101-165'"),
        ('[[tba]]\nsettle = "soon"\nprices = {"6.0" = 100}\n', "settle 'soon' is no date"),
        (TBA + TBA, "fnma 30 years at 6% has two prices"),
        ('[[payup]]\nmost = 85000\n', "payup 1: points"),
        ('[[ratio]]\nprogram = "fnma"\nbuy_up = 5\nbuy_down = 4\n', "ratio 1: buy_down is below buy_up"),
        ('[[ratio]]\nprogram = "fnma"\nbuy_up = 4\nbuy_down = 5\n' * 2, "ratio 2: stands above already"),
        ('[[tba]]\nprogram = []\nprices = {"6.0" = 100}\n', "program '' is unknown here"),
        ('[[tba]]\nprices = {"6.0" = 1e400}\n', "1E+400 is above 1000: write a price per 100"),
        ('[[tba]]\nprices = {"6.0" = "101-²"}\n', "is no price: write 101.5"),
        ('[[tba]]\nprices = {"6.0" = "101-16++"}\n', "is no price: write 101.5"),
        ('[[tba]]\nprices = {"600000" = 100}\n', "tba 1: prices: '600000' is above 100: write a rate in percent"),
        ("[multiples]\nbuy_up = 4500\n", "multiples.buy_up: 4500 is above 1,000: write years of fee"),
        ("[hold]\nprepaid_most = 150\n", "hold.prepaid_most is above 100"),
        ("[costs.cash]\ndays = 20261214\n", "costs.cash.days: 20261214 is above 3,650"),
        ('date = "2026-11-23"\n', "is no date: write date = 2026-11-23, without quotes"),
        ("date = 2026-11-24\n", "the sheet is of 2026-11-24, not of 2026-11-23: give --as-of 2026-11-24"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text: str, told: str) -> None:
    with pytest.raises(Refused) as refused:
        read(text)
    assert str(refused.value).startswith("sheet.toml")
    assert told in str(refused.value)


def test_an_empty_sheet_is_the_models() -> None:
    model, empty = pricing.model_sheet(DAY, BOOK), read("")
    assert empty.values == model.values and empty.tba.equals(model.tba) and empty.payups == model.payups
    assert empty.given == frozenset()


def test_a_section_leaves_no_adjustment_of_the_models() -> None:
    kept = read("[servicing.kept]\nconventional = 5.0\n")
    assert kept.values["servicing.kept"]["slow_state"] == 0 and kept.values["servicing.kept"]["by_size"] == []
    assert kept.values["servicing.kept"]["fha"] == pricing.model_sheet(DAY, BOOK).values["servicing.kept"]["fha"]
    assert "servicing.kept.slow_state" in kept.given and "servicing.kept.fha" not in kept.given


def test_prices_in_32nds_and_the_first_settlement_that_can_be_met() -> None:
    text = (
        'cash = []\nconduit = []\n[[tba]]\nsettle = 2026-11-24\nprices = {"6.0" = 105}\n'
        '[[tba]]\nsettle = 2026-12-14\nprices = {"6.0" = "101-16+"}\n'
        '[[tba]]\nsettle = 2027-01-14\nprices = {"6.0" = "101-08"}\n'
    )
    sheet = read(text)
    offered = pricing.offers(loan(), None, sheet, DAY, BOOK, hold=False)
    assert set(offered["base_e6"]) == {101_515_625} and set(offered["settlement_date"]) == {date(2026, 12, 14)}


def test_settlement_by_class() -> None:
    """30-year UMBS, shorter UMBS and Ginnie Mae settle in successive weeks; a day too near is left to the next."""
    for day, a, b, c in (
        (date(2026, 12, 1), date(2026, 12, 11), date(2026, 12, 16), date(2026, 12, 18)),
        (date(2026, 12, 8), date(2026, 12, 11), date(2026, 12, 16), date(2026, 12, 18)),
        (date(2026, 12, 9), date(2027, 1, 14), date(2026, 12, 16), date(2026, 12, 18)),
    ):
        text = '[[tba]]\nprices = {"6.0" = 101}\n[[tba]]\nterm = 15\nprices = {"6.0" = 101}\n'
        for sheet in (pricing.model_sheet(day, BOOK), read(text, day)):
            settles = {row[:2]: row[2] for row in sheet.tba.select("program", "term_bucket", "settlement_date").rows()}
            assert [settles[key] for key in ((1, 360), (2, 360), (1, 180), (2, 180), (3, 360), (3, 180))] == [
                a, a, b, b, c, c
            ]  # fmt: skip


def test_ginnie_loans_of_twenty_years_go_to_thirty_year_pools() -> None:
    """Its pools are of 15 and 30 years; a payup for 30-year pools is theirs too."""
    text = (
        'payup = [{points = 0.25, program = "gnma", term = 30}]\n[[tba]]\nterm = 15\nprices = {"6.0" = 102}\n'
        '[[tba]]\nterm = 20\nprices = {"6.0" = 101}\n[[tba]]\nterm = 30\nprices = {"6.0" = 100}\n'
    )
    for kind, term, bucket, base, payup in (
        ("fha", "120", 180, 102, 0), ("fha", "180", 180, 102, 0), ("va", "181", 360, 100, 250_000),
        ("usda", "360", 360, 100, 250_000), ("conventional", "240", 240, 101, 0),
    ):  # fmt: skip
        facts = {"kind": kind, "term_months": term, "note_rate_e7": "650000"}
        offered = pricing.offers(loan(facts), None, read(text), DAY, BOOK, hold=False)
        rows = (
            offered.filter(pl.col("execution") == "swap").select("term_bucket", "base_e6", "payup_e6").unique().rows()
        )
        assert rows == [(bucket, base * 10**6, payup)], (kind, term)
    with pytest.raises(Refused, match="gnma has no pools of 20 years"):
        read('[[tba]]\nprogram = "gnma"\nterm = 20\nprices = {"6.0" = 100}\n')


def test_a_coupon_quoted_for_a_later_month_only_is_offered_then() -> None:
    text = (
        'cash = []\nconduit = []\n[[tba]]\nprogram = "fnma"\nsettle = 2026-12-14\nprices = {"6.0" = 101}\n'
        '[[tba]]\nprogram = "fnma"\nsettle = 2027-01-14\nprices = {"6.0" = 100, "6.5" = 103}\n'
    )
    offered = pricing.offers(loan(), None, read(text), DAY, BOOK, hold=False)
    assert set(offered.select("coupon_rate_e7", "base_e6", "settlement_date").rows()) == {
        (600_000, 101_000_000, date(2026, 12, 14)), (650_000, 103_000_000, date(2027, 1, 14)),
    }  # fmt: skip


def test_a_changed_multiple_reaches_coupons_with_a_ratio_of_their_own(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.toml"
    own = '[[ratio]]\nprogram = "fnma"\ncoupon = 6.0\nbuy_up = 5\nbuy_down = 6.75\n'
    sheet.write_text(WORKED.read_text(encoding="utf-8") + own, encoding="utf-8")
    lines = offer(priced(sheet=sheet, what_if=["buy_up=4"]), "fnma", "swap", 600_000)["lines"]
    assert {line["label"]: line["points_e6"] for line in lines}["guaranty fee bought up"] == 660_000
    with pytest.raises(Refused, match="a ratio of the sheet would have its buy_down below its buy_up"):
        priced(sheet=sheet, what_if=["buy_down=4.75"])


def test_what_ifs_are_judged_together() -> None:
    both = priced(what_if=["buy_up=7", "buy_down=8"])
    assert offer(both, "fnma", "swap", 600_000)["all_in_e6"] == 102_617_500 + 16_500 * 25
    assert priced(what_if=["buy_down=8", "buy_up=7"])["offers"] == both["offers"]
    assert priced(what_if=["gfee=40", "gfee=46"])["offers"] == priced()["offers"]


def test_ratios_by_program_and_coupon() -> None:
    text = WORKED.read_text(encoding="utf-8") + (
        '[[ratio]]\nprogram = "fnma"\nbuy_up = 4\nbuy_down = 7\n'
        '[[ratio]]\nprogram = "fnma"\ncoupon = 6.0\nbuy_up = 5\nbuy_down = 6\n'
    )
    sheet = read(text)
    offered = pricing.offers(loan(), None, sheet, DAY, BOOK, hold=False)
    bought = offered.select("program", "coupon_rate_e7", "buy_up_e6", "buy_down_e6")
    rows = {(p, c): (u, d) for p, c, u, d in bought.rows()}
    assert rows[1, 600_000] == (825_000, 0)
    assert rows[1, 650_000] == (0, -2_345_000)
    assert rows[2, 600_000] == (742_500, 0)


def test_payups_take_the_best_that_fits() -> None:
    text = WORKED.read_text(encoding="utf-8").replace("payup = []\n", "") + (
        "[[payup]]\nmost = 85000\npoints = 1\n[[payup]]\nmost = 400000\npoints = 0.25\n"
        '[[payup]]\nstates = ["NY"]\npoints = 0.5\nprogram = "fnma"\ncoupon = 6.0\n'
    )
    for facts, fannie, freddie in (({}, 250_000, 250_000), ({"state": "NY"}, 500_000, 250_000),
                                   ({"note_amount_cents": "40000001"}, 0, 0),
                                   ({"note_amount_cents": "8500000"}, 1_000_000, 1_000_000)):  # fmt: skip
        offered = pricing.offers(loan(facts), None, read(text), DAY, BOOK, hold=False)
        at_six = offered.filter((offered["coupon_rate_e7"] == 600_000) & (offered["execution"] == "swap"))
        assert at_six.filter(at_six["program"] == 1)["payup_e6"][0] == fannie
        assert at_six.filter(at_six["program"] == 2)["payup_e6"][0] == freddie


def test_cash_window_prices_by_pass_through_and_delivery_days() -> None:
    text = (
        "date = 2026-11-23\ntba = []\nconduit = []\n"
        '[[cash]]\nprogram = "fnma"\ndays = 10\nprices = {"6.5" = 102, "6.75" = 102.5}\n'
        '[[cash]]\nprogram = "fnma"\ndays = 60\nprices = {"6.5" = 101, "6.75" = 101.5}\n'
        "[costs.cash]\ndays = {DAYS}\n[servicing.kept]\nabove = 1\n[servicing.released]\nabove = 1\n"
    )
    for days, base in (("5", 102_250_000), ("11", 101_250_000), ("61", None)):
        offered = pricing.offers(loan(), None, read(text.replace("{DAYS}", days)), DAY, BOOK, hold=False)
        assert set(offered["base_e6"]) == (set() if base is None else {base})
        assert set(offered["coupon_rate_e7"]) <= {662_500}


@pytest.mark.parametrize(
    ("prices", "above", "passed"),
    [
        ('"6.375" = 101, "6.5" = 101.5, "6.625" = 102', 3.5, 662_500),  # 4 years of pass-through rate beat 3.5 of fee
        ('"6.375" = 101, "6.5" = 101.5, "6.625" = 101.75', 3.5, 650_000),  # from 6.5 on it pays 2 only
        ('"6.375" = 101, "6.5" = 101.25, "6.625" = 101.5', 3.5, 637_500),
        ('"6.375" = 101, "6.5" = 101.4375, "6.625" = 101.875', 3.5, 662_500),  # the same: the least fee
        ('"6.0" = 100, "6.375" = 101', 3.5, 637_500),  # nothing listed for the least fee
        ('"6.25" = 100, "6.5" = 101, "7" = 101', 3.5, 650_000),
        ('"6.7" = 100', 3.5, None),
    ],
)
def test_the_cash_window_leaves_the_servicing_fee_that_pays_most(prices: str, above: float, passed: int | None) -> None:
    """Note 6.875%: pass-through rates of 6.375 to 6.625 leave 50 to 25 bp."""
    text = (
        f'tba = []\nconduit = []\n[[cash]]\nprogram = "fnma"\nprices = {{{prices}}}\n'
        f"[servicing.kept]\nconventional = 5.0\nabove = {above}\n[costs.cash]\n"
    )
    offered = pricing.offers(loan(), None, read(text), DAY, BOOK, hold=False).filter(pl.col("servicing") == "kept")
    assert offered["coupon_rate_e7"].to_list() == ([] if passed is None else [passed])
    if passed is not None:
        fee = 687_500 - passed
        assert offered["servicing_fee_rate_e7"][0] == fee
        assert offered["servicing_e6"][0] == 1_250_000 + (fee - 25_000) * 35


def test_what_ifs_change_what_they_name() -> None:
    base = offer(priced(), "fnma", "swap", 600_000)
    for change, less in (
        ("gfee=47", 45_000), ("guaranty_fee.fnma=47", 45_000), ("buy_up=4", 82_500), ("msr=4.9", 25_000),
        ("tba.6.0=101.25", 250_000), ("tba.fnma.30y.6.0=101-08", 250_000), ("costs.swap.hedge=0.03125", 31_250),
    ):  # fmt: skip
        assert offer(priced(what_if=[change]), "fnma", "swap", 600_000)["all_in_e6"] == base["all_in_e6"] - less, change
    assert offer(priced(what_if=["guaranty_fee.fnma=47"]), "fhlmc", "swap", 600_000)["all_in_e6"] == base["all_in_e6"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("gfee", "write key=value"), ("gfees=4", "is unknown: use gfee, buy_up"), ("tba.5.75=100", "has no such price"),
        ("tba.6.0=dear", "'dear'"), ("buy_up=9", "buy_down is below buy_up"), ("gfee=x", "write basis points"),
        ("tba.mars.6.0=100", "program 'mars' is unknown"),
    ],
)  # fmt: skip
def test_what_ifs_that_cannot_be(change: str, told: str) -> None:
    with pytest.raises(Refused, match="--what-if") as refused:
        priced(what_if=[change])
    assert told in str(refused.value)


def test_a_curve_is_straight_between_its_rates_and_nothing_beyond() -> None:
    curve = Curve(np.array([600_000, 650_000, 725_000]), np.array([101_000_000, 103_000_001, 105_000_000]))
    price, known = curve.at(np.array([599_999, 600_000, 612_500, 650_000, 700_000, 725_000, 725_001]))
    assert known.tolist() == [False, True, True, True, False, True, False]
    assert price[[1, 2, 3, 5]].tolist() == [101_000_000, 101_500_000, 103_000_001, 105_000_000]


def test_prices_in_32nds_are_shown_to_the_hundredth() -> None:
    shown = {102_617_500: "102-19.76", 100_000_000: "100-00.00", 99_999_999: "100-00.00", 101_515_625: "101-16.50",
             -250_000: "-0-08.00"}  # fmt: skip
    assert {price: thirty_seconds(price) for price in shown} == shown


def test_every_setting_is_in_the_guide() -> None:
    guide = (ROOT / "docs" / "pricing.md").read_text(encoding="utf-8")
    for section, names in SETTINGS.items():
        assert f"`{section}`" in guide, section
        assert not [n for n in names if f"`{n}`" not in guide], section
