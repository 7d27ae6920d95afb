"""Every offer for every loan: the menu of its note rate, what its own risk and servicing are worth, and the sum.

Works on columns, part by part of a tape on as many threads as there are processors: NumPy lets go of the
interpreter's lock.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from poolhouse.loans import balances_after
from poolhouse.models.holding import lasting_balance, margin_value_e6
from poolhouse.money import PRICE_PAR_E6, at_price, half_up_div
from poolhouse.rules import Rulebook
from poolhouse.sale.execution import with_term_bucket
from poolhouse.sale.pricing import llpa
from poolhouse.sale.pricing.conduits import adjustments_e6
from poolhouse.sale.pricing.menu import EXECUTIONS, HOLD, SERVICING, SWAP, menu
from poolhouse.sale.pricing.servicing_value import multiples_e3
from poolhouse.sale.pricing.sheets import CONDUITS, ENTERPRISES, Payup, Sheet
from poolhouse.tables import OFFERS
from poolhouse.tables.codes import ASSUMED, FHLMC, FNMA, GNMA, NO_PROGRAM, PROGRAMS
from poolhouse.tables.offers import PARTS

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

PART_ROWS = 16_384
"""Loans priced at a time: their offers stay within a processor's cache."""
_POINT_E7 = 100_000
_E3_TO_E6 = 100
"""rate_e7 x multiple_e3 over this is a price in e6."""


def offers(
    loans: pl.DataFrame,
    checks: pl.DataFrame | None,
    sheet: Sheet,
    as_of: date,
    rulebook: Rulebook,
    *,
    hold: bool = True,
    threads: int = 2,
) -> pl.DataFrame:
    """OFFERS rows: every outlet, execution, coupon and kind of servicing that pays for a loan on `as_of`.

    loans: LOANS columns, sorted by loan_id; with `scheduled_upb_cents` that is the balance sold, else the note's
    schedule gives it, all instalments paid. checks: CHECKS of the same day; an outlet is open to a loan that is
    eligible or eligible under named assumptions. None: open to every loan of its kind. `hold`: with the
    portfolio as an outlet. ValueError where the sheet is of another day.
    """
    if sheet.as_of != as_of:
        raise ValueError(f"the sheet is of {sheet.as_of}, not of {as_of}")
    loans = with_term_bucket(loans, as_of, rulebook)
    cells = loans.select("term_bucket", "note_rate_e7").unique().sort("term_bucket", "note_rate_e7")
    listed = menu(cells, sheet, rulebook, hold=hold)
    numbered = cells.with_row_index("cell")
    loans = loans.join(numbered, on=["term_bucket", "note_rate_e7"], how="left", maintain_order="left")
    counts = np.bincount(listed["cell"].to_numpy(), minlength=cells.height)
    whole = _Menu(listed, counts, np.concatenate(([0], np.cumsum(counts)[:-1])))
    open_to = _open(loans, checks)
    parts = [
        (loans[start : start + PART_ROWS], open_to[start : start + PART_ROWS])
        for start in range(0, loans.height, PART_ROWS)
    ]
    if not parts:
        return OFFERS.empty()
    with ThreadPoolExecutor(threads) as pool:
        frames = list(pool.map(lambda p: _priced(p[0], p[1], whole, sheet, rulebook), parts))
    return pl.concat(frames, rechunk=False)


@dataclass(frozen=True)
class _Menu:
    """The menu, and of each cell how many rows it has and where they begin."""

    rows: pl.DataFrame
    counts: Int64s
    first: Int64s


def _open(loans: pl.DataFrame, checks: pl.DataFrame | None) -> Bools:
    """By loan and program: may it be sold there? Program 0, the portfolio, always."""
    government = (loans["kind"] != "conventional").to_numpy()
    allowed = np.zeros((loans.height, len(PROGRAMS)), dtype=bool)
    if checks is None:
        allowed[~government] = True
        allowed[:, GNMA] = government
    else:
        good = checks.filter((pl.col("answer") <= ASSUMED) & (pl.col("program") < len(PROGRAMS)))
        ids = loans["loan_id"].to_numpy()
        asked = good["loan_id"].to_numpy()
        row = np.minimum(np.searchsorted(ids, asked), max(len(ids) - 1, 0))
        same = ids[row] == asked if len(ids) else np.zeros(0, dtype=bool)
        allowed[row[same], good["program"].to_numpy()[same]] = True
    allowed[:, NO_PROGRAM] = True
    return allowed


def _priced(loans: pl.DataFrame, open_to: Bools, whole: _Menu, sheet: Sheet, rulebook: Rulebook) -> pl.DataFrame:
    """Offers of some loans."""
    charged = _charged(loans, sheet, rulebook)
    open_to = open_to.copy()
    for program in ENTERPRISES:
        open_to[:, program] &= charged[program].priced
    cell = loans["cell"].to_numpy()
    count = whole.counts[cell]
    loan = np.repeat(np.arange(loans.height), count)
    start = np.repeat(whole.first[cell] - (np.cumsum(count) - count), count)
    row = start + np.arange(len(loan))
    fits = open_to.ravel()[loan * open_to.shape[1] + whole.rows["program"].to_numpy()[row]]
    loan, row = loan[fits], row[fits]
    taken = whole.rows[row]
    parts = _loan_parts(loans, loan, taken, {p: c.total for p, c in charged.items()}, sheet)
    all_in = np.zeros(len(loan), dtype=np.int64)
    for part in parts.values():
        all_in += part
    balance = _balances(loans, sheet.as_of)[loan]
    frame = taken.with_columns(
        pl.Series("loan_id", loans["loan_id"].to_numpy()[loan]),
        _words("execution", EXECUTIONS, taken),
        _words("servicing", SERVICING, taken),
        *(pl.Series(name, part) for name, part in parts.items()),
        pl.Series("all_in_e6", all_in),
        pl.Series("balance_cents", balance),
        pl.Series("proceeds_cents", at_price(balance, all_in)),
    )
    ready: pl.DataFrame = frame.select(list(OFFERS.schema))
    return ready


def _charged(loans: pl.DataFrame, sheet: Sheet, rulebook: Rulebook) -> dict[int, llpa.Charges]:
    """Loan-level adjustments by enterprise: alike, unless the sheet asks for Freddie Mac's alternate column."""
    terms = sheet.values["llpa"]
    alike = llpa.charges(loans, sheet.as_of, rulebook, terms)
    own = terms["freddie_alternate"]
    return {FNMA: alike, FHLMC: llpa.charges(loans, sheet.as_of, rulebook, terms, freddie=True) if own else alike}


def _words(name: str, words: tuple[str, ...], rows: pl.DataFrame) -> pl.Series:
    return pl.Series(name, words, pl.String).gather(rows[name])


def _loan_parts(
    loans: pl.DataFrame, loan: Int64s, rows: pl.DataFrame, charged: dict[int, Int64s], sheet: Sheet
) -> dict[str, Int64s]:
    """PARTS by offer. `loan`: which of the loans each row of the menu is for."""
    values = sheet.values
    parts = {name: rows[name].to_numpy() for name in PARTS if name in rows.columns}
    execution, program = rows["execution"].to_numpy(), rows["program"].to_numpy()
    market = values["carry"]["market_rate"]
    worth = np.stack([multiples_e3(loans, values[f"servicing.{name}"], market) for name in SERVICING])
    multiple = worth.ravel()[rows["servicing"].to_numpy().astype(np.int64) * loans.height + loan]
    parts["servicing_e6"] = half_up_div(
        rows["base_fee_e7"].to_numpy() * multiple + rows["above_e3"].to_numpy(), _E3_TO_E6
    )
    costs = np.zeros((len(PROGRAMS), loans.height), dtype=np.int64)
    for enterprise in ENTERPRISES:
        costs[enterprise] = -charged[enterprise]
    for conduit in CONDUITS:
        if (program == conduit).any():
            costs[conduit] = -adjustments_e6(loans, values[f"conduit_adjustments.{PROGRAMS[conduit]}"])
    parts["llpa_e6"] = costs.ravel()[program.astype(np.int64) * loans.height + loan]
    insured = (loans["mi_payer"] == "lender").fill_null(False).to_numpy()
    premium = np.where(insured, loans["mi_pct"].to_numpy().astype(np.int64) * values["mi"]["lender_paid"], 0)
    parts["mi_e6"] = np.where(execution == HOLD, 0, -premium[loan]) if insured.any() else np.zeros_like(loan)
    parts["payup_e6"] = _payups(loans, loan, rows, execution == SWAP, sheet.payups)
    parts["credit_e6"] = np.zeros_like(loan)
    held = np.flatnonzero(execution == HOLD)
    if len(held):
        for name, part in _held(loans, sheet).items():
            column = parts[name] if parts[name].flags.writeable else parts[name].copy()
            column[held] = part[loan[held]]
            parts[name] = column
    return {name: parts[name] for name in PARTS}


def _payups(loans: pl.DataFrame, loan: Int64s, rows: pl.DataFrame, swap: Bools, payups: tuple[Payup, ...]) -> Int64s:
    """The best payup that fits each swap."""
    best = np.zeros(len(loan), dtype=np.int64)
    amount = loans["note_amount_cents"].to_numpy()
    pools: dict[tuple[int | None, int | None, int | None], Int64s] = {}
    for payup in payups:
        fits = np.ones(loans.height, dtype=bool) if payup.most_cents is None else amount <= payup.most_cents
        if payup.states:
            fits &= loans["state"].is_in(payup.states).to_numpy()
        key = (payup.program, payup.coupon_rate_e7, payup.term_bucket)
        value = np.where(fits, payup.e6, 0)
        pools[key] = np.maximum(pools[key], value) if key in pools else value
    for (program, coupon, bucket), value in pools.items():
        where = swap
        if program is not None:
            where = where & (rows["program"].to_numpy() == program)
        if coupon is not None:
            where = where & (rows["coupon_rate_e7"] == coupon).fill_null(False).to_numpy()
        if bucket is not None:
            where = where & (rows["term_bucket"] == bucket).to_numpy()
        best = np.maximum(best, np.where(where, value[loan], 0))
    return best


def _held(loans: pl.DataFrame, sheet: Sheet) -> dict[str, Int64s]:
    """What keeping each loan is worth, part by part."""
    terms = sheet.values["hold"]
    note = loans["note_rate_e7"].to_numpy().astype(np.int64)
    months = loans["term_months"].to_numpy().astype(np.int64) - instalments(loans, sheet.as_of)
    lasting = lasting_balance(note, np.maximum(months, 1), terms["yield"], _prepaid_e4(note, sheet))
    return {
        "base_e6": PRICE_PAR_E6 + margin_value_e6(lasting, note - terms["yield"]),
        "servicing_e6": -margin_value_e6(lasting, terms["servicing_cost"]),
        "carry_e6": -margin_value_e6(lasting, terms["capital"]),
        "credit_e6": -margin_value_e6(lasting, _losses_e7(loans, sheet)),
    }


def _prepaid_e4(note_rate_e7: Int64s, sheet: Sheet) -> Int64s:
    """Share of the balance prepaid a year: more the further the note rate is above the market's."""
    terms, market = sheet.values["hold"], sheet.values["carry"]["market_rate"]
    more = half_up_div(np.maximum(note_rate_e7 - market, 0) * terms["prepaid_per_point"], _POINT_E7)
    prepaid: Int64s = np.minimum(terms["prepaid"] + more, terms["prepaid_most"])
    return prepaid


def _losses_e7(loans: pl.DataFrame, sheet: Sheet) -> Int64s:
    """Expected loss a year by loan."""
    table = sheet.values["hold.loss"]
    grid = np.array(table["grid"], dtype=np.int64)
    score = loans["score_mid"].fill_null(0).to_numpy().astype(np.int64)
    ltv = loans["ltv_e4"]
    column = llpa.band_of(ltv.fill_null(0).to_numpy().astype(np.int64), table["ltv_tops"])
    column[ltv.is_null().to_numpy()] = grid.shape[1] - 1
    loss: Int64s = grid[llpa.row_of(score, table["score_floors"]), column]
    expected: Int64s = np.where((loans["kind"] != "conventional").to_numpy(), table["government"], loss)
    return expected


def instalments(loans: pl.DataFrame, as_of: date) -> Int64s:
    """Instalments that fell due until `as_of`."""
    due = loans["first_due_date"]
    gone = as_of.year * 12 + as_of.month - due.dt.year().cast(pl.Int64) * 12 - due.dt.month().cast(pl.Int64) + 1
    count: Int64s = np.clip(gone.to_numpy(), 0, loans["term_months"].to_numpy().astype(np.int64))
    return count


def _balances(loans: pl.DataFrame, as_of: date) -> Int64s:
    """Balance sold: what the frame says, or the note's after the instalments due."""
    if "scheduled_upb_cents" in loans.columns:
        given: Int64s = loans["scheduled_upb_cents"].to_numpy()
        return given
    amount, payment = loans["note_amount_cents"].to_numpy(), loans["payment_cents"].to_numpy()
    rate, term = (loans[name].to_numpy().astype(np.int64) for name in ("note_rate_e7", "term_months"))
    balance = balances_after(amount, rate, payment, term, instalments(loans, as_of))
    left: Int64s = np.maximum(balance - loans["curtailment_cents"].to_numpy(), 0)
    return left
