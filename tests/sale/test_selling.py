"""Sales worked by hand, to the cent, and every way of not being sold."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import polars as pl
import pytest

from poolhouse import rules, sale
from poolhouse.dates import days_30_360, is_business_day, parse_month
from poolhouse.findings import Refused
from poolhouse.tables import Outcome
from sale.market_frames import balances, candidates, checks, lender, lenders, party

MONTH = parse_month("2009-02")
FNMA, FHLMC, GNMA, PRIVATE = 1, 2, 3, 4
BOOK = rules.load()
SHEET = sale.opening_sheet(MONTH, BOOK)


def sell(
    offered: pl.DataFrame,
    answers: dict[int, dict[int, int]],
    *who: dict[str, object],
    stopped: set[int] | None = None,
    kept_out: list[int] | None = None,
    prices: pl.DataFrame = SHEET,
) -> Outcome:
    outside = pl.Series("loan_id", kept_out or [], dtype=pl.Int32)
    known = lenders(*(who or (lender(),)))
    return sale.sell(offered, checks(answers), known, stopped or set(), prices, MONTH, BOOK, outside)


def reprice(program: int, price_e6: int) -> pl.DataFrame:
    here = pl.col("program") == program
    return SHEET.with_columns(pl.when(here).then(price_e6).otherwise("price_e6").cast(pl.Int64).alias("price_e6"))


def half_up(amount: Fraction) -> int:
    return int((amount + Fraction(1, 2)) // 1)


def sheet_price(program: int, coupon: int) -> int:
    row = SHEET.filter(
        (pl.col("program") == program) & (pl.col("coupon_rate_e7") == coupon) & (pl.col("term_bucket") == 360)
    )
    return int(row["price_e6"][0])


def test_a_sale_to_an_enterprise_to_the_cent() -> None:
    upb = 199_876_54
    outcome = sell(candidates({"scheduled_upb_cents": upb}), {0: {FNMA: 0, FHLMC: 3}}, lender(kind="nonbank"))
    row = outcome.tables["sales"].row(0, named=True)
    # 4.875%: coupon 4.0, 50 bp servicing, 37.5 bp guaranty fee of which 15.5 bought up at 3 times.
    assert (row["coupon_rate_e7"], row["servicing_fee_rate_e7"], row["guaranty_fee_rate_e7"]) == (
        400_000,
        50_000,
        37_500,
    )
    price = sheet_price(FNMA, 400_000) + 465_000
    settled = row["settlement_date"]
    assert row["price_e6"] == price
    proceeds = half_up(Fraction(upb * price, 100_000_000))
    accrued = half_up(Fraction(upb * 4, 100) * days_30_360(date(2009, 2, 1), settled) / 360)
    right = half_up(Fraction(upb * 5, 1_000) * 4)
    interest = half_up(Fraction(180_000_00 * 4, 100) * (settled - date(2009, 1, 14)).days / 360)
    assert (row["proceeds_cents"], row["accrued_cents"]) == (proceeds, accrued)
    assert (row["servicing_right_cents"], row["line_interest_cents"]) == (right, interest)
    assert row["gain_cents"] == proceeds - upb + right
    posted = balances(outcome)
    assert posted[1000, "cash"] == proceeds + accrued - 180_000_00 - interest
    assert posted[1000, "loans_held"] == -upb
    assert posted[1000, "gain_on_sale"] == -(proceeds - upb + right)
    assert posted[1000, "servicing_rights"] == right
    assert posted[1000, "line_payable"] == 180_000_00
    assert posted[1000, "interest_expense"] == interest
    assert posted[party("warehouse"), "line_loans"] == -180_000_00
    assert posted[party("fnma"), "cash"] == -(proceeds + accrued)
    assert posted[party("fnma"), "loans_held"] == upb
    assert posted[party("fnma"), "interest_income"] == accrued
    assert sum(cents for (_, account), cents in posted.items() if account == "cash") == 0


def test_owner_and_pledge_change_at_settlement() -> None:
    outcome = sell(candidates({}), {0: {FNMA: 1}}, lender(kind="nonbank"))
    sold = outcome.tables["sales"].row(0, named=True)
    assert is_business_day(sold["settlement_date"])
    assert date(2009, 2, 11) <= sold["settlement_date"] <= date(2009, 2, 23)  # business days 8 to 15
    rows = {r["role"]: r for r in outcome.tables["assignments"].to_dicts()}
    assert set(rows) == {"owner", "pledge"}
    owner, pledge = rows["owner"], rows["pledge"]
    assert (owner["from_id"], owner["to_id"]) == (1000, party("fnma"))
    assert (owner["consideration_cents"], owner["accrued_cents"]) == (sold["proceeds_cents"], sold["accrued_cents"])
    assert (pledge["from_id"], pledge["to_id"]) == (party("warehouse"), 0)
    assert owner["effective_date"] == pledge["effective_date"] == sold["settlement_date"]


def test_government_loans_of_a_lender_that_is_no_issuer_go_servicing_released() -> None:
    outcome = sell(candidates({"kind": "fha"}), {0: {GNMA: 0}})
    row = outcome.tables["sales"].row(0, named=True)
    assert row["buyer_id"] in (party("issuer:ginnie-a"), party("issuer:ginnie-b"))
    assert row["servicing_released"]
    assert row["servicing_right_cents"] == 0
    # 4.875% less 37.5 bp to 4.5: 31.5 bp of servicing, paid three times over.
    assert row["price_e6"] == sheet_price(GNMA, 450_000) + 31_500 * 30
    servicer = outcome.tables["assignments"].filter(pl.col("role") == "servicer").row(0, named=True)
    assert servicer["effective_date"] == date(2009, 4, 1)
    assert servicer["to_id"] == row["buyer_id"]
    assert balances(outcome)[row["buyer_id"], "servicing_rights"] == half_up(Fraction(200_000_00 * 315, 100_000) * 4)


def test_an_approved_issuer_keeps_its_loan_and_pays_off_its_line() -> None:
    outcome = sell(candidates({"kind": "va"}), {0: {GNMA: 0}}, lender(gnma=True, kind="nonbank"))
    row = outcome.tables["sales"].row(0, named=True)
    assert (row["buyer_id"], row["price_e6"], row["accrued_cents"]) == (1000, 100_000_000, 0)
    assert row["gain_cents"] == row["servicing_right_cents"] > 0
    assert outcome.tables["assignments"]["role"].to_list() == ["pledge"]
    posted = balances(outcome)
    assert posted[1000, "cash"] == -180_000_00 - row["line_interest_cents"]
    assert (1000, "loans_held") not in posted


def test_the_best_paying_outlet_wins_whatever_its_number() -> None:
    answers = {0: {FNMA: 0, FHLMC: 0}}
    dear = sheet_price(FHLMC, 400_000) + 465_000  # every coupon of it, so that the choice is this one's
    assert sell(candidates({}), answers, prices=reprice(FHLMC, dear)).tables["sales"]["program"].to_list() == [FHLMC]
    # The lower-priced one wins when the better one isn't open to the lender: no tie, no approvals.
    row = sell(candidates({}), answers, lender(fhlmc=False), prices=reprice(FHLMC, dear)).tables["sales"]
    assert row.select("program", "tie").rows() == [(FNMA, "")]


def test_the_servicing_right_kept_counts() -> None:
    # 4.875% at the conduit: 4.5 with 37.5 bp kept; at the enterprise 4.0 with 50 bp and buy-up.
    enterprise = sheet_price(FNMA, 400_000) + 465_000 + 50_000 * 40
    just_above, just_below = (enterprise - 37_500 * 40 + d for d in (1, -1))
    answers = {0: {FNMA: 0, PRIVATE: 0}}
    big = candidates({"scheduled_upb_cents": 1_000_000_00})
    assert sell(big, answers, prices=reprice(PRIVATE, just_above)).tables["sales"]["program"].to_list() == [PRIVATE]
    assert sell(big, answers, prices=reprice(PRIVATE, just_below)).tables["sales"]["program"].to_list() == [FNMA]


def test_ties_go_by_approvals_then_by_hash() -> None:
    answers = {i: {FNMA: 0, FHLMC: 0} for i in range(40)}
    offered = candidates(*[{}] * 40)
    both = sell(offered, answers).tables["sales"]
    assert set(both["tie"]) == {"hash"}
    assert set(both["program"]) == {FNMA, FHLMC}
    again = sell(offered.reverse(), answers).tables["sales"]
    assert both.equals(again), "no order of rows decides"
    one = sell(offered, answers, lender(fnma=False)).tables["sales"]
    assert set(one.select("program", "tie").rows()) == {(FHLMC, "approvals")}


def test_many_loans_are_a_package_at_a_concession() -> None:
    answers = {i: {FNMA: 0} for i in range(50)}
    bulk = sell(candidates(*[{}] * 50), answers).tables["sales"]
    flow = sell(candidates(*[{}] * 49), {i: answers[i] for i in range(49)}).tables["sales"]
    assert (set(bulk["method"]), set(flow["method"])) == ({"bulk"}, {"flow"})
    assert flow["price_e6"][0] - bulk["price_e6"][0] == 31_250


def test_each_refusal_says_why() -> None:
    odd = {"note_rate_e7": 24_000}
    dear = {"note_rate_e7": 1_900_000}
    offered = candidates(
        {"current": False}, {}, {}, {}, odd, dear, {"originator_party_id": 1001}, {"originator_party_id": 1002}, {}
    )
    answers = {
        0: {FNMA: 0},
        1: {FNMA: 3, FHLMC: 3},
        2: {FNMA: 2, FHLMC: 2, PRIVATE: 3},
        4: {FNMA: 0},
        5: {FNMA: 0},
        6: {FNMA: 0},
        7: {FNMA: 0},
        8: {FNMA: 1, GNMA: 2},
    }
    outcome = sell(offered, answers, lender(), lender(1001, fnma=False), lender(1002), stopped={1002})
    refused = {r["loan_id"]: (r["program"], r["reason"]) for r in outcome.tables["refusals"].to_dicts()}
    assert outcome.tables["sales"]["loan_id"].to_list() == [8]
    assert set(refused) == set(range(8))
    assert refused[0] == (0, "not current: an instalment is past due")
    assert refused[1] == (0, "not eligible under any program")
    assert refused[2] == (0, "undetermined: a field is missing, for fnma, fhlmc")
    assert refused[3] == (0, "not checked")
    assert refused[4][0] == FNMA
    assert refused[4][1].startswith("no permitted coupon of fnma")
    assert refused[5][1].startswith("no price on the sheet of fnma")
    assert refused[6] == (FNMA, "lender not approved by fnma")
    assert refused[7][1].startswith("lender stopped: ")
    assert outcome.events[0].body["refused"] == 8


def test_a_loan_outside_its_lenders_overlay_is_refused_and_told_why() -> None:
    outcome = sell(candidates({}, {}), {0: {FNMA: 0}, 1: {FNMA: 0}}, kept_out=[0])
    assert outcome.tables["sales"]["loan_id"].to_list() == [1]
    assert outcome.tables["refusals"].select("loan_id", "program").rows() == [(0, 0)]
    assert outcome.tables["refusals"]["reason"][0].startswith("lender under overlay: ")


def test_without_a_sheet_for_the_month_nothing_is_sold() -> None:
    with pytest.raises(Refused, match="2009-02"):
        sell(candidates({}), {0: {FNMA: 0}}, prices=SHEET.with_columns(pl.lit(MONTH - 1, pl.Int32).alias("month")))


def test_a_loan_cannot_settle_before_its_note() -> None:
    with pytest.raises(ValueError, match="before their note dates"):
        sell(candidates({"note_date": date(2009, 3, 2)}), {0: {FNMA: 0}})


def test_no_candidates_no_event() -> None:
    outcome = sell(candidates({}).clear(), {0: {FNMA: 0}})
    assert not outcome.events
    assert not outcome.tables["sales"].height


def test_retained_loans_leave_the_line_at_the_lenders_cost() -> None:
    offered = candidates({}, {"line_principal_cents": 0})
    outcome = sale.retain(offered, lenders(lender(kind="nonbank")), date(2009, 2, 27), BOOK)
    interest = half_up(Fraction(180_000_00 * 4, 100) * 44 / 360)
    posted = balances(outcome)
    assert posted == {
        (1000, "cash"): -180_000_00 - interest,
        (1000, "line_payable"): 180_000_00,
        (1000, "interest_expense"): interest,
        (party("warehouse"), "cash"): 180_000_00 + interest,
        (party("warehouse"), "line_loans"): -180_000_00,
        (party("warehouse"), "interest_income"): -interest,
    }
    ends = outcome.tables["assignments"].select("loan_id", "role", "from_id", "to_id", "effective_date").rows()
    assert ends == [(0, "pledge", party("warehouse"), 0, date(2009, 2, 27))]


def test_approvals_hang_on_the_lenders_code_alone() -> None:
    many = pl.DataFrame(
        {
            "party_id": range(1000, 3000),
            "code": [f"originator:{i}" for i in range(2000)],
            "type": ["depository", "nonbank"] * 1000,
        }
    )
    given = sale.approvals(many, BOOK)
    assert given.equals(sale.approvals(many.reverse(), BOOK))
    assert (given["fnma"] | given["fhlmc"]).all()
    shares = given.with_columns(many["type"]).group_by("type").agg(pl.col("gnma").mean()).sort("type")
    assert shares["gnma"].to_list() == pytest.approx([0.10, 0.50], abs=0.05)
    assert (~given["fnma"]).mean() == pytest.approx(0.15, abs=0.03)
    assert (~given["fhlmc"]).mean() == pytest.approx(0.15, abs=0.03)
