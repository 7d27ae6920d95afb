"""The rules in order. A rule's bit is stored in books: append, never renumber, never reuse."""

from __future__ import annotations

from poolhouse.standards import common, conduit, conventional, government
from poolhouse.standards.verdict import Rule
from poolhouse.tables.codes import FHLMC, FNMA, GNMA, PRIVATE

PROGRAMS = (FNMA, FHLMC, GNMA, PRIVATE)
_GSE = (FNMA, FHLMC)
_GNMA = (GNMA,)
_PRIVATE = (PRIVATE,)
_COUNTY = "find the county's loan limit of that year"
_LTV = "find the base loan amount and the property value"
_SCORE = "get the lowest borrower's exact score"
_DTI = "get the ratio of all debt payments to income"

RULES: tuple[Rule, ...] = (
    Rule(0, "loan_type", PROGRAMS, "kind", "kind of loan", common.loan_type),
    Rule(1, "first_lien", PROGRAMS, "imputed_flags", "first lien", common.first_lien),
    Rule(2, "amortising_fixed", PROGRAMS, "rate_type", "rate type", common.amortising_fixed),
    Rule(3, "term", PROGRAMS, "term_months", "term in months", common.term),
    Rule(4, "refinance_purpose", PROGRAMS, "purpose", "purpose", common.refinance_purpose),
    Rule(5, "conforming_limit", _GSE, "note_amount_cents", "conforming limit", conventional.conforming_limit, _COUNTY),
    Rule(6, "max_ltv", _GSE, "ltv_e4", "loan to value", conventional.max_ltv, _LTV),
    Rule(
        7, "manufactured_ltv", _GSE, "ltv_e4", "loan to value, manufactured home", conventional.manufactured_ltv, _LTV
    ),
    Rule(8, "mortgage_insurance", _GSE, "mi_pct", "mortgage insurance coverage", conventional.mortgage_insurance, _LTV),
    Rule(9, "min_score", _GSE, "score", "credit score", conventional.min_score, _SCORE),
    Rule(10, "max_dti", _GSE, "dti_e4", "debt ratio", conventional.max_dti, _DTI),
    Rule(11, "occupancy", _GNMA, "occupancy", "occupancy", government.occupancy),
    Rule(12, "fha_limit", _GNMA, "note_amount_cents", "FHA loan limit", government.fha_limit, _COUNTY),
    Rule(13, "fha_ltv", _GNMA, "ltv_e4", "loan to value, FHA", government.fha_ltv, _LTV),
    Rule(14, "va_ltv", _GNMA, "ltv_e4", "loan to value, VA", government.va_ltv, _LTV),
    Rule(15, "usda_ltv", _GNMA, "ltv_e4", "loan to value, USDA", government.usda_ltv, _LTV),
    Rule(16, "fha_score", _GNMA, "score", "credit score, FHA", government.fha_score, _SCORE),
    Rule(17, "debt_ratio", _GNMA, "dti_e4", "debt ratio", government.debt_ratio, _DTI),
    Rule(18, "streamline", _GNMA, "streamline", "streamline refinance", government.streamline),
    Rule(19, "jumbo_only", _PRIVATE, "note_amount_cents", "larger than the conforming limit", conduit.jumbo_only),
    Rule(20, "conduit_amount", _PRIVATE, "note_amount_cents", "largest loan of the conduit", conduit.max_amount),
    Rule(21, "conduit_ltv", _PRIVATE, "ltv_e4", "loan to value, conduit", conduit.max_ltv, _LTV),
    Rule(22, "conduit_score", _PRIVATE, "score", "credit score, conduit", conduit.min_score, _SCORE),
    Rule(23, "conduit_dti", _PRIVATE, "dti_e4", "debt ratio, conduit", conduit.max_dti, _DTI),
    Rule(24, "property_type", _PRIVATE, "property_type", "property type", conduit.property_type),
)
"""Every rule of the book, by bit."""

MASKS = {"fails": "reasons", "undetermined": "undetermined", "assumed": "assumptions"}
"""Outcome of a rule -> the bitmask column of `checks` that holds it."""


def rules_of(program: int) -> tuple[Rule, ...]:
    """The rules a program applies."""
    return tuple(rule for rule in RULES if program in rule.programs)
