"""What the standards promise beyond single answers: stable bits, words for every bit, versions by date, overrides."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from standards_factory import PLAIN, loans

from poolhouse.rules import load
from poolhouse.standards import CODES, RULES, evaluate, explain, rules_of, summary
from poolhouse.standards.facts import Facts, stretches
from poolhouse.standards.frame import DERIVED, prepare
from poolhouse.standards.words import dollars, percent_e4
from poolhouse.tables import CHECKS, LOANS
from poolhouse.tables.codes import ASSUMED, FHLMC, FNMA, IMPUTED, INELIGIBLE, PROGRAMS, UNDETERMINED

COMMON = {"loan_type": 0, "first_lien": 1, "amortising_fixed": 2, "term": 3, "refinance_purpose": 4}
GSE = {
    "conforming_limit": 5, "max_ltv": 6, "manufactured_ltv": 7, "mortgage_insurance": 8, "min_score": 9, "max_dti": 10,
    "amortization": 25, "max_cltv": 26, "high_balance_ltv": 27, "manual_score": 28, "manual_dti": 29,
    "first_time_buyer": 30, "affordable_income": 31, "loan_age": 32, "current": 33, "late_payments": 34,
    "contributions": 35, "title": 36, "qm_price": 37, "qm_points_and_fees": 38,
}  # fmt: skip
GOVERNMENT = {
    "occupancy": 11, "fha_limit": 12, "fha_ltv": 13, "va_ltv": 14, "usda_ltv": 15, "fha_score": 16, "debt_ratio": 17,
    "streamline": 18, "amortization": 25, "current": 33, "fha_manual_ratio": 39, "fha_manual_factors": 40,
    "va_entitlement": 41, "va_residual_income": 42, "usda_income": 43, "usda_rural": 44, "usda_manual_ratio": 45,
    "upfront_fee": 46,
}  # fmt: skip
CONDUIT = {
    "jumbo_only": 19, "conduit_amount": 20, "conduit_ltv": 21, "conduit_score": 22, "conduit_dti": 23,
    "property_type": 24, "conduit_reserves": 25, "conduit_late_payments": 26,
}  # fmt: skip
BITS = {"fnma": COMMON | GSE, "fhlmc": COMMON | GSE, "gnma": COMMON | GOVERNMENT, "private": COMMON | CONDUIT}
"""The bits that stored books rely on, by program: a new rule gets a new one."""


def random_loans(count: int) -> pl.DataFrame:
    """Loans whose every judged field takes odd values, missing ones included, by a fixed arithmetic pattern."""
    i = np.arange(count)

    def pick(values: list[object], step: int) -> list[object]:
        return [values[k] for k in (i * step // 7) % len(values)]

    start = date(2008, 10, 1)
    return pl.DataFrame(
        {k: [PLAIN.get(k)] * count for k in LOANS.schema}
        | {
            "loan_id": (i + 1).tolist(),
            "loan_number": [str(k) for k in i],
            "note_date": [start + timedelta(days=int(d)) for d in (i * 37) % 10 * 660],
            "kind": pick(["conventional", "fha", "va", "usda"], 11),
            "purpose": pick(["purchase", "limited_cash_out", "cash_out"], 13),
            "occupancy": pick(["principal", "second_home", "investment"], 5),
            "units": pick([1, 2, 3, 4], 3),
            "note_amount_cents": (10_000_000 + (i * 7_919_333) % 140_000_000).tolist(),
            "ltv_e4": pick([None, 6000, 8000, 8001, 9000, 9500, 9700, 9900, 10200, 10400], 17),
            "score": pick([None, 300, 499, 560, 620, 699, 700, 760], 19),
            "score_mid": pick([None, 460, 640, 700], 23),
            "dti_e4": pick([None, 3000, 4100, 4301, 5000, 5001, 5691], 29),
            "mi_pct": pick([0, 6, 12, 18, 25, 35], 31),
            "term_months": pick([120, 180, 240, 360, 480], 37),
            "property_type": pick(["detached", "manufactured", "coop", "unknown"], 41),
            "streamline": pick([False, False, True], 43),
            "imputed_flags": pick([0, IMPUTED["score_band"], IMPUTED["lien_assumed_first"], (1 << 16) - 1], 47),
        },
        schema=LOANS.schema,
    )


def test_bits_are_never_renumbered() -> None:
    for name, bits in BITS.items():
        assert {rule.name: rule.bit for rule in rules_of(CODES[name])} == bits
    for code in CODES.values():
        bits = [rule.bit for rule in rules_of(code)]
        assert len(set(bits)) == len(bits) and max(bits) < 63
    assert all(rule.field in LOANS.schema or rule.field in DERIVED for rule in RULES)


def test_every_loan_has_one_row_per_program_and_the_answer_follows_its_masks() -> None:
    tape = random_loans(3_000)
    checks = evaluate(tape, date(2026, 12, 1), load())
    assert checks.schema == CHECKS.schema
    assert checks.select("loan_id", "program").rows() == [(n, p) for n in range(1, 3_001) for p in (1, 2, 3, 4)]
    for row in checks.iter_rows(named=True):
        masks = (row["reasons"], row["undetermined"], row["assumptions"])
        expected = next((answer for answer, mask in zip((3, 2, 1), masks, strict=True) if mask), 0)
        assert row["answer"] == expected
        assert not masks[0] & masks[1] and not masks[1] & masks[2] and not masks[0] & masks[2]
    assert {0, ASSUMED, UNDETERMINED, INELIGIBLE} == set(checks["answer"].unique())


def test_every_bit_has_its_words() -> None:
    """As many rows as bits set; each with limit, value, source and a message."""
    tape = random_loans(2_000)
    book = load()
    checks = evaluate(tape, date(2009, 12, 1), book)
    said = explain(checks, tape, book)
    bits = sum(int(m).bit_count() for name in ("reasons", "undetermined", "assumptions") for m in checks[name])
    assert said.height == bits
    assert said.null_count().sum_horizontal().item() == 0
    for column in ("limit", "value", "source", "message"):
        assert (said[column].str.len_chars() > 0).all()
    one = explain(checks.filter(pl.col("loan_id") == 7), tape, book)
    assert one.equals(said.filter(pl.col("loan_id") == 7))


def test_an_explanation_reads() -> None:
    book = load()
    tape = loans({"dti_e4": 5_212, "ltv_e4": 9_200, "mi_pct": 25})
    checks = evaluate(tape, date(2026, 12, 1), book).filter(pl.col("program") == FNMA)
    rows = explain(checks, tape, book).rows(named=True)
    failed = next(row for row in rows if row["outcome"] == "fails")
    assert (failed["rule"], failed["field"], failed["limit"], failed["value"]) == ("max_dti", "dti_e4", "50%", "52.12%")
    assert "Selling Guide" in failed["source"]
    assumed = next(row for row in rows if row["outcome"] == "assumed")
    assert assumed["limit"] == "30%" and "minimum mortgage insurance option" in assumed["message"]
    assert failed["answer"] == assumed["answer"] == "not eligible"


def test_numbers_in_words() -> None:
    cents = pl.DataFrame({"c": [0, 99, 100_00, 41_700_000, 100_000_050, 123_456_789_00]}).select(dollars(pl.col("c")))
    assert cents["c"].to_list() == ["$0", "$0.99", "$100", "$417,000", "$1,000,000.50", "$123,456,789"]
    ratios = pl.DataFrame({"r": [9_650, 8_000, 10_204, 5, 10_000]}).select(percent_e4(pl.col("r")))
    assert ratios["r"].to_list() == ["96.5%", "80%", "102.04%", "0.05%", "100%"]


def test_the_note_date_picks_casefile_rules_to_the_day() -> None:
    """Fannie Mae's minimum score ends with notes of 16 November 2025; Freddie Mac's doesn't."""
    last, first = {"note_date": date(2025, 11, 15)}, {"note_date": date(2025, 11, 16)}
    low = {"score": 600, "score_mid": 600}
    checks = evaluate(loans(last | low, first | low), date(2026, 1, 15), load())
    bit = 1 << GSE["min_score"]
    fails = [(row["loan_id"], row["program"]) for row in checks.iter_rows(named=True) if row["reasons"] & bit]
    assert fails == [(1, FNMA), (1, FHLMC), (2, FHLMC)]


def test_the_delivery_date_picks_loan_limits() -> None:
    """A note of 2025 above that year's baseline is within the next year's when delivered then."""
    tape = loans({"note_amount_cents": 83_275_000, "note_date": date(2025, 12, 10)})
    bit = 1 << GSE["conforming_limit"]
    late, next_year = (
        evaluate(tape, day, load())["reasons"][0] & bit for day in (date(2025, 12, 31), date(2026, 1, 2))
    )
    assert late and not next_year


def test_stretches_answer_as_a_lookup_for_each_date_would() -> None:
    """Cutting at change dates gives each loan the versions of its own application and note date."""
    book, delivered = load(), date(2026, 12, 1)
    applied = pl.Series([date(2025, 11, 15), date(2025, 11, 16), None, date(2009, 12, 1)] * 125, dtype=pl.Date)
    tape = prepare(random_loans(500).with_columns(application_date=applied), delivered, book)
    names = [name for name in book.parameters if name.startswith("standards.")]
    seen = 0
    for (cased, noted), part in stretches(tape, book):
        seen += part.height
        facts = Facts(book, delivered, cased, noted)
        for own_case, own_note in part.select("case_date", "note_date").unique().iter_rows():
            own = Facts(book, delivered, own_case, own_note)
            for name in names:
                assert facts.lines(name) == own.lines(name), (name, own_case, own_note)
    assert seen == tape.height


def test_an_override_is_followed_and_cited() -> None:
    override = {"name": "standards.max_dti_e4", "value": 2_500, "until": date(2027, 1, 1), "why": "a stricter year"}
    book = load()
    strict = replace(book, override_rows=(*book.override_rows, override))
    tape = loans({})
    checks = evaluate(tape, date(2026, 12, 1), strict)
    assert checks["answer"].to_list()[:2] == [INELIGIBLE, INELIGIBLE]
    assert "a stricter year" in explain(checks, tape, strict)["source"][0]
    assert evaluate(tape, date(2026, 12, 1), book)["answer"].to_list()[0] == 0


def test_no_loans_give_no_checks() -> None:
    checks = evaluate(LOANS.empty(), date(2026, 12, 1), load())
    assert checks.height == 0 and checks.schema == CHECKS.schema
    assert explain(checks, LOANS.empty(), load()).height == 0
    assert summary(checks, LOANS.empty())["loans"]["offered"] == 0


def test_rules_of_a_program_keep_their_order() -> None:
    for program in (1, 2, 3, 4):
        assert [r.bit for r in rules_of(program)] == sorted(BITS[PROGRAMS[program]].values())


def test_the_guide_names_every_rule_with_its_bit() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "standards.md").read_text(encoding="utf-8")
    for rule in RULES:
        assert f"| {rule.bit} | `{rule.name}` |" in guide
