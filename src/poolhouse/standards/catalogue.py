"""Programs and their rules. A rule's bit is stored in books: append to its program, never renumber, never reuse.

Rules that are one test stand as data in `rules/` (see `vocabulary`); what needs more is a short function here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import polars as pl

from poolhouse.rules import load
from poolhouse.standards import common, conduit, conventional, government, qualified, veterans
from poolhouse.standards.facts import FHA_PREMIUM
from poolhouse.standards.verdict import Rule
from poolhouse.standards.vocabulary import spec
from poolhouse.standards.written import rule_of
from poolhouse.tables import codes
from poolhouse.tables.codes import FHLMC, FNMA, GNMA, MARKET_PROGRAMS, NONQM, PRIVATE

QM = 64
"""No outlet but a question asked of a loan: is it a general qualified mortgage? Never stored in a book."""
FIRST_OWN = 100
"""Codes of users' own programs start here."""
_MARKET = (FNMA, FHLMC, GNMA, PRIVATE)
_ALL = (*_MARKET, NONQM, QM)
_GSE = (FNMA, FHLMC)
_GNMA = (GNMA,)
_PRIVATE = (PRIVATE,)
_COUNTY = "find the county's loan limit of that year"
_LTV = "find the base loan amount and the property value"
_COVERED = "find the property value and the mortgage insurance's coverage"
_SCORE = "get the lowest borrower's exact score"
_DTI = "get the ratio of all debt payments to income"


def _p(*names: str) -> tuple[str, ...]:
    return tuple(name if "." in name else f"standards.{name}" for name in names)


_FUNCTIONS: tuple[Rule, ...] = (
    Rule(0, "loan_type", _ALL, "kind", "kind of loan", common.loan_type),
    Rule(1, "first_lien", _ALL, "lien_position", "first lien", common.first_lien),
    Rule(2, "amortising_fixed", (*_MARKET, NONQM), "rate_type", "rate type", common.amortising_fixed),
    Rule(4, "refinance_purpose", (*_MARKET, NONQM), "purpose", "purpose", common.refinance_purpose),
    Rule(5, "conforming_limit", _GSE, "note_amount_cents", "conforming limit", conventional.conforming_limit, _COUNTY,
         _p("conforming_limit_cents", "high_cost_ceiling_cents", "statutory_area_states", "statutory_area_share_e4")),
    Rule(6, "max_ltv", _GSE, "ltv_e4", "loan to value", conventional.max_ltv, _LTV, _p("max_ltv_e4")),
    Rule(7, "manufactured_ltv", _GSE, "ltv_e4", "loan to value, manufactured home", conventional.manufactured_ltv, _LTV,
         _p("manufactured_max_ltv_e4")),
    Rule(8, "mortgage_insurance", _GSE, "mi_pct", "mortgage insurance coverage", conventional.mortgage_insurance,
         _COVERED, _p("mi_coverage_pct", "mi_above_ltv_e4", "mi_ltv_bands_e4", "mi_short_term_months")),
    Rule(12, "fha_limit", _GNMA, "note_amount_cents", "FHA loan limit", government.fha_limit, _COUNTY,
         _p("fha_floor_cents", "fha_ceiling_cents", "statutory_area_states")),
    Rule(13, "fha_ltv", _GNMA, "ltv_e4", "loan to value, FHA", government.fha_ltv, _LTV,
         _p("fha_base_ltv_e4", "fha_low_score_max_ltv_e4", "fha_full_financing_score", FHA_PREMIUM)),
    Rule(14, "va_ltv", _GNMA, "ltv_e4", "loan to value, VA", government.va_ltv, _LTV,
         _p("va_base_ltv_e4", "va_largest_funding_fee_e4")),
    Rule(15, "usda_ltv", _GNMA, "ltv_e4", "loan to value, USDA", government.usda_ltv, _LTV,
         _p("usda_base_ltv_e4", "usda_max_ltv_e4")),
    Rule(16, "fha_score", _GNMA, "score", "credit score, FHA", government.fha_score, _SCORE,
         _p("fha_min_score", "fha_full_financing_score")),
    Rule(17, "debt_ratio", _GNMA, "dti_e4", "debt ratio", government.debt_ratio, _DTI,
         _p("government_max_dti_e4", "government_review_dti_e4")),
    Rule(18, "streamline", _GNMA, "streamline", "streamline refinance", government.streamline),
    Rule(19, "jumbo_only", _PRIVATE, "note_amount_cents", "larger than the conforming limit", conduit.jumbo_only,
         parameters=_p("conforming_limit_cents")),
    Rule(21, "conduit_ltv", _PRIVATE, "ltv_e4", "loan to value, conduit", conduit.max_ltv, _LTV,
         _p("conduit_max_ltv_e4")),
    Rule(26, "max_cltv", _GSE, "cltv_e4", "combined loan to value", conventional.max_cltv,
         "find the balances of all liens", _p("max_ltv_e4", "community_second_max_cltv_e4")),
    Rule(27, "high_balance_ltv", _GSE, "ltv_e4", "loan to value, high-balance", conventional.high_balance_ltv, _LTV,
         _p("high_balance_max_ltv_e4", "conforming_limit_cents", "statutory_area_states", "statutory_area_share_e4")),
    Rule(37, "qm_price", (*_GSE, QM), "apr_e7", "price of a qualified mortgage", qualified.price,
         parameters=_p("qm_spreads_e7", "qm_tiers_cents", "qm_in_force")),
    Rule(38, "qm_points_and_fees", (*_GSE, QM), "points_and_fees_cents", "points and fees of a qualified mortgage",
         qualified.points_and_fees, parameters=_p("qm_points_and_fees", "qm_tiers_cents", "qm_in_force")),
    Rule(41, "va_entitlement", _GNMA, "va_entitlement_cents", "guaranty, cash and equity, VA", veterans.entitlement,
         "find the property's value", _p("va_covered_e4")),
    Rule(42, "va_residual_income", _GNMA, "residual_income_cents", "residual income a month, VA",
         veterans.residual_income, "find the property's state",
         _p("va_residual_cents", "va_residual_each_more_cents", "va_residual_large_loan_cents", "va_residual_more_e4",
            "va_residual_most_persons", "va_regions", "government_review_dti_e4")),
)  # fmt: skip

MASKS = {"fails": "reasons", "undetermined": "undetermined", "assumed": "assumptions"}
"""Outcome of a rule -> the bitmask column of `checks` that holds it."""
LAST_BIT = 62


@dataclass(frozen=True)
class Program:
    """Who takes loans under which rules. `kinds`: of loan; `rules`: in the order of their bits."""

    code: int
    name: str
    title: str
    kinds: tuple[str, ...]
    rules: tuple[Rule, ...]

    def takes(self) -> pl.Expr:
        """Whether the program takes the loan's kind at all."""
        return pl.any_horizontal(pl.col("kind") == kind for kind in self.kinds)


_TITLES = {
    FNMA: ("Fannie Mae", ("conventional",)),
    FHLMC: ("Freddie Mac", ("conventional",)),
    GNMA: ("Ginnie Mae issuers (FHA, VA, USDA)", ("fha", "va", "usda")),
    PRIVATE: ("Private jumbo conduit (invented)", ("conventional",)),
    NONQM: ("Non-QM conduit (invented)", ("conventional",)),
    QM: ("General qualified mortgage, 12 CFR 1026.43(e)(2)", ("conventional",)),
}
_NAMES = {code: codes.PROGRAMS[code] for code in (*MARKET_PROGRAMS, NONQM)} | {QM: "qm"}
CODES = {name: code for code, name in _NAMES.items()}
"""Built-in programs by name."""


@lru_cache(maxsize=1)
def _rules() -> tuple[Rule, ...]:
    """Functions and rules written as data. The same in every edition: only their values differ."""
    renamed = {"max_term_months": "term"}
    written = [
        replace(
            rule_of(spec(raw, "rules", builtin=True), int(raw["bit"]), tuple(CODES[name] for name in raw["programs"])),
            name=renamed.get(raw["name"], raw["name"]),
        )
        for raw in load().rules
    ]
    return tuple(sorted([*_FUNCTIONS, *written], key=lambda rule: (rule.bit, rule.programs)))


RULES: tuple[Rule, ...] = _rules()
"""Every built-in rule by bit. A bit is a program's own."""


@lru_cache(maxsize=16)
def program(code: int) -> Program:
    """A built-in program by its code. KeyError for another."""
    title, kinds = _TITLES[code]
    return Program(code, _NAMES[code], title, kinds, rules_of(code))


def rules_of(code: int) -> tuple[Rule, ...]:
    """The rules a built-in program applies, by bit."""
    return tuple(rule for rule in RULES if code in rule.programs)


def programs(asked: tuple[int | Program, ...]) -> tuple[Program, ...]:
    """Programs from codes or as they are, ascending by code."""
    found = [one if isinstance(one, Program) else program(one) for one in asked]
    return tuple(sorted(found, key=lambda one: one.code))
