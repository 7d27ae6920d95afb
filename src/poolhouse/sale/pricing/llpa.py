"""Loan-level price adjustments: what Fannie Mae and Freddie Mac charge for a loan's risk, in points.

The base grid by purpose, score and loan to value, then an adder for each attribute; waived for
affordable programs and first-time buyers of modest income. All charges add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from poolhouse.rules import Rulebook, county_limits

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

PURPOSES = ("purchase", "limited_cash_out", "cash_out")
PREFIX = "pricing.llpa."
LABELS = {
    "grid": "score and loan to value",
    "condo": "attached condominium",
    "investment": "investment property",
    "second_home": "second home",
    "manufactured": "manufactured home",
    "two_to_four": "two to four units",
    "high_balance": "high balance",
    "subordinate": "subordinate financing",
    "minimum_mi": "minimum mortgage insurance",
    "freddie_alternate": "Freddie Mac alternate",
    "waived": "waived",
}
"""Parts of the adjustment, in the order they are shown."""


@dataclass(frozen=True)
class Charges:
    """`parts`: name of LABELS -> points in e6 by loan, all >= 0 except "waived"; `total`: their sum;
    `priced`: False where the matrix has no cell (no loan to value; a cash-out's loan to value, or combined with a
    second lien, above its last column) or a charge is not known; `minimum_mi`: True where that is the one for the
    minimum mortgage insurance option."""

    parts: dict[str, Int64s]
    total: Int64s
    priced: Bools
    minimum_mi: Bools


def band_of(values: Int64s, tops: list[int]) -> Int64s:
    """Position of the first top that is not below the value: tops are included."""
    return np.searchsorted(np.array(tops, dtype=np.int64), values, side="left").astype(np.int64)


def row_of(scores: Int64s, floors: list[int]) -> Int64s:
    """Position of the first floor (descending) that the score reaches; the last takes the rest."""
    row = np.full(len(scores), len(floors) - 1, dtype=np.int64)
    for i in range(len(floors) - 2, -1, -1):
        row = np.where(scores >= floors[i], i, row)
    return row


def charges(
    loans: pl.DataFrame, as_of: date, rulebook: Rulebook, terms: Mapping[str, Any], *, freddie: bool = False
) -> Charges:
    """Adjustments of conventional loans delivered on `as_of`.

    loans: LOANS columns. terms: a sheet's section `llpa`: `minimum_mi`, points in e6 for the minimum mortgage
    insurance option, None unknown: such a loan is then not priced; `freddie_alternate`: whether Freddie Mac's
    alternate column, whose meaning is not confirmed, is charged (`freddie`). Source: Fannie Mae LLPA matrix;
    Freddie Mac Exhibit 19.
    """
    matrix = _Matrix(rulebook, as_of)
    facts = _Facts(loans, as_of, rulebook, matrix)
    parts = {"grid": matrix.grid(facts)}
    for name, where in facts.attributes().items():
        parts[name] = np.where(where, matrix.adder(name, facts), 0)
    minimum = facts.minimum_mi(rulebook, as_of)
    parts["minimum_mi"] = np.where(minimum, terms["minimum_mi"] or 0, 0)
    if freddie and terms["freddie_alternate"]:
        parts["freddie_alternate"] = np.where(facts.long, matrix.adder("freddie_alternate", facts), 0)
    gross: Int64s = np.sum(list(parts.values()), axis=0)
    parts["waived"] = np.where(facts.waived(rulebook, as_of), -gross, 0)
    unknown = minimum if terms["minimum_mi"] is None else np.zeros_like(minimum)
    # a second lien's charge is read by combined loan to value: beyond the last column there is no cell either
    furthest = np.where(facts.cltv > facts.ltv, np.maximum(facts.column, facts.combined), facts.column)
    within = furthest < matrix.columns(facts.purpose)
    return Charges(parts, gross + parts["waived"], facts.known & within & ~unknown, unknown)


def citation(as_of: date, rulebook: Rulebook) -> str:
    """Who says the charges: source, first day, confidence, and whether that is only the nearest known version."""
    value = rulebook.lookup(f"{PREFIX}grid.purchase", as_of)
    only = f"; not known for {as_of}, the nearest" if value.nearest else ""
    return f"{value.source.partition(';')[0]} (from {value.effective}, {value.confidence}{only})"


class _Matrix:
    """The grids as arrays: purpose x row x column, missing cells padded with 0 and never priced."""

    def __init__(self, rulebook: Rulebook, as_of: date) -> None:
        self.rulebook, self.as_of = rulebook, as_of
        self.floors: list[int] = self.get("score_floors")
        self.tops: list[int] = self.get("ltv_tops_e4")
        self.min_term: int = self.get("grid_min_term_months")
        width = len(self.tops) + 1
        grids = [self.get(f"grid.{p}") for p in PURPOSES]
        self._width = np.array([len(g[0]) for g in grids])
        self._grid = np.array([[row + [0] * (width - len(row)) for row in g] for g in grids], dtype=np.int64)

    def get(self, name: str, **dims: Any) -> Any:
        return self.rulebook.get(PREFIX + name, self.as_of, **dims)

    def columns(self, purpose: Int64s) -> Int64s:
        """How many columns the purpose's grid has: beyond them nothing is bought."""
        counts: Int64s = self._width[purpose]
        return counts

    def grid(self, facts: _Facts) -> Int64s:
        base = self._grid[facts.purpose, row_of(facts.score, self.floors), facts.column]
        return np.where(facts.long, base, 0)

    def adder(self, name: str, facts: _Facts) -> Int64s:
        width = len(self.tops) + 1
        rows = [self.get(f"adder.{name}", purpose=p) for p in PURPOSES]
        table = np.array([r + [0] * (width - len(r)) for r in rows], dtype=np.int64)
        column = facts.combined if name == "subordinate" else facts.column
        cells: Int64s = table[facts.purpose, column]
        return cells


class _Facts:
    """The loans' facts that the matrix reads, as arrays."""

    def __init__(self, loans: pl.DataFrame, as_of: date, rulebook: Rulebook, matrix: _Matrix) -> None:
        ltv = loans["ltv_e4"]
        self.loans = loans
        self.known = ltv.is_not_null().to_numpy()
        self.ltv = ltv.fill_null(0).to_numpy().astype(np.int64)
        self.cltv = loans["cltv_e4"].fill_null(0).to_numpy().astype(np.int64)
        self.column = band_of(self.ltv, matrix.tops)
        self.combined = band_of(self.cltv, matrix.tops)
        self.score = loans["score_mid"].fill_null(0).to_numpy().astype(np.int64)
        self.long = (loans["term_months"] > matrix.min_term).to_numpy()
        self.conventional = (loans["kind"] == "conventional").to_numpy()
        self.purpose = code_of(loans["purpose"], PURPOSES)
        self.high_balance = loans["note_amount_cents"].to_numpy() > general_limit(loans, as_of, rulebook)

    def attributes(self) -> dict[str, Bools]:
        """Which adders each loan pays."""
        kind, lives = self.loans["property_type"], self.loans["occupancy"]
        return {
            "condo": (kind == "condo").to_numpy() & self.long,
            "investment": (lives == "investment").to_numpy(),
            "second_home": (lives == "second_home").to_numpy(),
            "manufactured": (kind == "manufactured").to_numpy(),
            "two_to_four": (self.loans["units"] > 1).to_numpy(),
            "high_balance": self.high_balance,
            "subordinate": self.cltv > self.ltv,
        }

    def minimum_mi(self, rulebook: Rulebook, as_of: date) -> Bools:
        """Whether the loan is insured for less than the standard coverage of its band, term and affordable program."""
        bands = rulebook.get("standards.mi_ltv_bands_e4", as_of)
        column = np.minimum(band_of(self.ltv, bands), len(bands) - 1)

        def coverage(option: str) -> Int64s:
            cells = np.array(rulebook.get("standards.mi_coverage_pct", as_of, option=option), dtype=np.int64)
            found: Int64s = cells[column]
            return found

        short = (self.loans["term_months"] <= rulebook.get("standards.mi_short_term_months", as_of)).to_numpy()
        kind = self.loans["affordable"]
        standard = np.select(
            [kind.is_in(["homeready", "home_possible"]).to_numpy(), (kind == "hfa").to_numpy()],
            [np.where(short, coverage("affordable_short"), coverage("affordable_long")), coverage("hfa")],
            np.where(short, coverage("standard_short"), coverage("standard_long")),
        )
        insured = (self.ltv > rulebook.get("standards.mi_above_ltv_e4", as_of)) & self.conventional
        less: Bools = insured & (self.loans["mi_pct"].to_numpy() < standard)
        return less

    def waived(self, rulebook: Rulebook, as_of: date) -> Bools:
        """Affordable programs, and first-time buyers of a home to live in within the income limit. An
        income whose share of the area's median is not on the tape waives nothing."""
        programs = rulebook.get(PREFIX + "waived_programs", as_of)
        normal = rulebook.get(PREFIX + "waived_first_time_ami_e4", as_of, high_cost=False)
        high = rulebook.get(PREFIX + "waived_first_time_ami_e4", as_of, high_cost=True)
        limits = county_limits(as_of.year).select("county_fips", "units", "county_limit_cents")
        home = self.loans.select("county_fips", "units").join(
            limits, on=["county_fips", "units"], how="left", maintain_order="left"
        )
        county = home["county_limit_cents"].fill_null(0).to_numpy()
        high_cost = county > general_limit(self.loans, as_of, rulebook)
        income = self.loans["ami_ratio_e4"]
        modest = income.is_not_null().to_numpy() & (income.fill_null(0).to_numpy() <= np.where(high_cost, high, normal))
        first = self.loans["first_time_buyer"].fill_null(False).to_numpy()
        lived = (self.loans["occupancy"] == "principal").to_numpy()
        bought = (self.loans["purpose"] == "purchase").to_numpy()
        affordable = self.loans["affordable"].is_in(programs).to_numpy()
        waived: Bools = affordable | (first & modest & lived & bought)
        return waived


def general_limit(loans: pl.DataFrame, as_of: date, rulebook: Rulebook) -> Int64s:
    """The limit above which a loan is high balance: the nation's baseline, or the one that a statute sets for a
    whole state."""
    units = loans["units"].to_numpy().astype(np.int64) - 1
    national = np.array(rulebook.get("standards.conforming_limit_cents", as_of), dtype=np.int64)[units]
    above = np.array(rulebook.get("standards.high_cost_ceiling_cents", as_of), dtype=np.int64)[units]
    statutory = loans["state"].is_in(rulebook.get("standards.statutory_area_states", as_of)).to_numpy()
    limit: Int64s = np.where(statutory, above, national)
    return limit


def code_of(column: pl.Series, words: tuple[str, ...]) -> Int64s:
    """Position of each word; 0 for any other."""
    codes = column.replace_strict(list(words), list(range(len(words))), default=0, return_dtype=pl.Int64)
    return codes.to_numpy()
