"""The first borrower model: who pays what on which day of a month. It only makes payment rows.

The month that applies them can't tell these rows from a file's. Each loan does one thing: its home
is sold in foreclosure, it is paid off, or its borrower pays none, one, two or all instalments due,
and then perhaps extra principal. What is assumed stands in `rules/assumptions/borrowers.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from poolhouse import chance, money
from poolhouse.dates import first_day, last_day
from poolhouse.models.behaviour import STATES, Behaviour, behaviour
from poolhouse.money import Int64s
from poolhouse.payoff import payoff_amounts
from poolhouse.rules.rulebook import Rulebook
from poolhouse.tables import PAYMENTS
from poolhouse.tables.codes import ACTIVE, FORECLOSURE, PAYMENT_KINDS

_EPOCH = date(1970, 1, 1)
_NONE, _ONE, _TWO, _ALL = range(4)


@dataclass(frozen=True)
class Loans:
    """The columns the model reads, as arrays. Months are indexes; `keys` are the draw keys."""

    loan_id: Int64s
    keys: chance.Uint64s
    servicer_id: Int64s
    actual: Int64s
    payment: Int64s
    rate: Int64s
    value: Int64s
    suspense: Int64s
    first_due: Int64s
    maturity: Int64s
    last_paid: Int64s
    closed: Int64s
    score: Int64s
    ltv: Int64s
    foreclosure: npt.NDArray[np.bool_]

    def take(self, rows: Int64s) -> Loans:
        """The loans at these positions."""
        return Loans(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def unpaid(self, month: int) -> Int64s:
        """Instalments due on or before the 1st of a month and not paid."""
        due = np.clip(np.minimum(month, self.maturity) - self.last_paid, 0, None)
        return np.where(month < self.first_due, 0, due)


def payments(state: pl.DataFrame, month: int, mortgage_rate_e7: int, seed: int, rulebook: Rulebook) -> pl.DataFrame:
    """PAYMENTS rows of `month` for the loans that live at the end of the month before.

    state: loan_id i32, draw_key u64, servicer_id i32, end_code i8, workout i8, amounts i64 in cents
    (payment_cents, actual_cents = owed at the end of the month before, suspense_cents, prepaid_cents,
    value_cents nullable), note_rate_e7 i32, dates (first_due_date, maturity_date, last_paid_due_date: a
    month before the first when none is paid, note_date), score_mid i16 and ltv_e4 i32 nullable. Other
    columns are ignored. `mortgage_rate_e7` is the market's rate that borrowers compare theirs with.
    References are unique: M, year and month, loan, kind's letter. A loan paid ahead pays nothing.
    A null in any other column is a ValueError.
    """
    rules = behaviour(rulebook, first_day(month))
    loans = _read(state.lazy().filter((pl.col("end_code") == ACTIVE) & (pl.col("actual_cents") > 0)), month, rules)
    behind = loans.unpaid(month - 1)
    classes = rules.borrower_class(np.minimum(behind, STATES - 1), loans.score, loans.ltv)

    sold = np.zeros(len(behind), dtype=bool)
    late = np.flatnonzero(behind >= rules.liquidation_after)
    sold[late] = chance.draws(seed, loans.keys[late], month, "liquidation") < rules.liquidates
    freed = _prepays(loans, month, mortgage_rate_e7, seed, rules, classes) & ~sold
    instalments = _instalments(loans, month, seed, rules, classes)
    instalments[sold | freed] = 0
    rows = [
        _liquidations(loans.take(np.flatnonzero(sold)), month, seed, rules),
        _payoffs(loans.take(np.flatnonzero(freed)), month, seed),
        *_regular(loans, instalments, month, seed, rules),
    ]
    return _table(rows, month)


def _read(state: pl.LazyFrame, month: int, rules: Behaviour) -> Loans:
    """Arrays of the loans that are not paid ahead."""

    def months(column: str) -> pl.Expr:
        return pl.col(column).dt.year().cast(pl.Int64) * 12 + pl.col(column).dt.month() - 1

    def cents(column: str) -> pl.Expr:
        return pl.col(column).cast(pl.Int64)

    columns = {
        "loan_id": cents("loan_id"), "keys": pl.col("draw_key"), "servicer_id": cents("servicer_id"),
        "actual": cents("actual_cents"), "payment": cents("payment_cents"), "rate": cents("note_rate_e7"),
        "suspense": cents("suspense_cents"), "ltv": cents("ltv_e4").fill_null(rules.ltv_unknown),
        "score": cents("score_mid").fill_null(rules.score_unknown),
        "first_due": months("first_due_date"), "maturity": months("maturity_date"),
        "last_paid": months("last_paid_due_date"), "closed": months("note_date"),
        "foreclosure": pl.col("workout") == FORECLOSURE,
    }  # fmt: skip
    # A home of unknown value is worth what the balance says at the loan to value that is assumed.
    unknown = pl.col("actual") * 10_000 // pl.col("ltv")
    frame = (
        state.select(value=cents("value_cents"), prepaid="prepaid_cents", **columns)
        .filter((pl.col("prepaid") <= 0) & ((pl.col("last_paid") < month) | (pl.col("first_due") > month)))
        .with_columns(pl.col("value").fill_null(unknown))
        .collect()
    )
    empty = [name for name in frame.columns if frame[name].null_count()]
    if empty:
        raise ValueError(
            f"borrower model: nulls in {', '.join(empty)}; only score_mid, ltv_e4, value_cents may be null"
        )
    return Loans(**{f.name: frame[f.name].to_numpy() for f in fields(Loans)})


def _prepays(
    loans: Loans, month: int, mortgage_rate_e7: int, seed: int, rules: Behaviour, classes: Int64s
) -> npt.NDArray[np.bool_]:
    """Who pays off: wants to (incentive and age) and can (credit, equity, current)."""
    wish = rules.prepay[rules.prepay_class(loans.rate - mortgage_rate_e7, month - loans.closed)]
    prepays = chance.draws(seed, loans.keys, month, "prepay") < wish
    wishing = np.flatnonzero(prepays)
    able = chance.draws(seed, loans.keys[wishing], month, "prepay-able") < rules.able[classes[wishing]]
    prepays[wishing] = able
    return prepays


def _instalments(loans: Loans, month: int, seed: int, rules: Behaviour, classes: Int64s) -> Int64s:
    """How many instalments each borrower pays: none, one, two or all that are due."""
    draw = chance.draws(seed, loans.keys, month, "instalments")
    step = len(rules.pays) // 3
    choice = sum((draw >= rules.pays[k * step + classes]).astype(np.int64) for k in range(3))
    due = loans.unpaid(month)
    paid = np.where(choice == _ALL, due, np.minimum(choice, due))
    # Once foreclosure has begun, only the whole arrears are taken.
    return np.where(loans.foreclosure & (choice < _ALL), _NONE, paid)


def _instalment_amounts(loans: Loans, count: Int64s) -> Int64s:
    """Money for the oldest `count` instalments; the last one of a loan clears its balance."""
    amounts = count * loans.payment
    short = np.flatnonzero((loans.last_paid + count >= loans.maturity) | (loans.actual <= amounts))
    ending, left = loans.take(short), count[short]
    balance, total = ending.actual.copy(), np.zeros(len(short), dtype=np.int64)
    for k in range(int(left.max(initial=0))):
        whole = balance + money.monthly_interest(balance, ending.rate)
        last = ending.last_paid + k + 1 >= ending.maturity
        instalment = np.where(last, whole, np.minimum(ending.payment, whole))
        instalment = np.where(k < left, instalment, 0)
        total += instalment
        balance = np.where(k < left, whole - instalment, balance)
    amounts[short] = total
    return amounts


def _regular(loans: Loans, count: Int64s, month: int, seed: int, rules: Behaviour) -> list[Rows]:
    """Instalments, and extra principal sent along with them by some who start the month current."""
    paying = np.flatnonzero(count > 0)
    loans, count = loans.take(paying), count[paying]
    draw = chance.draws(seed, loans.keys, month, "payment-day")
    day = np.searchsorted(rules.payment_day_ends[:-1], draw, side="right") + 1
    instalments = _rows(loans, month, day, _instalment_amounts(loans, count) - loans.suspense, "instalment")

    current = loans.last_paid >= month - 1  # who catches up has nothing to spare
    extra = chance.draws(seed, loans.keys, month, "curtailment") < rules.curtails
    some = np.flatnonzero(current & extra)
    chosen = loans.take(some)
    size = chance.below(chance.draws(seed, chosen.keys, month, "curtailment-size"), len(rules.curtailment_shares_e4))
    amount = money.half_up_div(chosen.payment * rules.curtailment_shares_e4[size], 10_000)
    stays = chosen.actual - count[some] * chosen.payment - amount >= rules.curtailment_leaves * chosen.payment
    return [instalments, _rows(chosen, month, day[some], np.where(stays, amount, 0), "curtailment")]


def _any_day(loans: Loans, month: int, seed: int, purpose: str) -> Int64s:
    return chance.below(chance.draws(seed, loans.keys, month, purpose), last_day(month).day) + 1


def _payoffs(loans: Loans, month: int, seed: int) -> Rows:
    """The exact payoff amount on a day of the month."""
    day = _any_day(loans, month, seed, "payoff-day")
    none_ahead = np.zeros(len(day), dtype=np.int64)
    amount = payoff_amounts(loans.actual, loans.rate, loans.unpaid(month), day - 1, loans.suspense, none_ahead)
    return _rows(loans, month, day, amount, "payoff")


def _liquidations(loans: Loans, month: int, seed: int, rules: Behaviour) -> Rows:
    """Net proceeds of the home's sale, at most balance and unpaid months; a worthless home still brings a cent."""
    day = _any_day(loans, month, seed, "liquidation-day")
    sale = chance.below(chance.draws(seed, loans.keys, month, "sale-price"), len(rules.proceeds_e6))
    proceeds = money.half_up_div(loans.value * rules.proceeds_e6[sale], 1_000_000)
    none = np.zeros(len(day), dtype=np.int64)
    owed = payoff_amounts(loans.actual, loans.rate, loans.unpaid(month), none, none, none)
    return _rows(loans, month, day, np.maximum(np.minimum(proceeds, owed), 1), "liquidation")


@dataclass(frozen=True)
class Rows:
    """Payments as arrays. kind: a position in PAYMENT_KINDS."""

    loan_id: Int64s
    servicer_id: Int64s
    day: Int64s
    amount: Int64s
    kind: Int64s


_LETTERS = [kind[0].upper() for kind in PAYMENT_KINDS]
_RANK = np.argsort(np.argsort(_LETTERS))
"""References of one loan and month sort by their last letter."""


def _rows(loans: Loans, month: int, day: Int64s, amount: Int64s, kind: str) -> Rows:
    """Payments of one kind; amounts of zero or less are no payments."""
    some = np.flatnonzero(amount > 0)
    day = np.minimum(day[some], last_day(month).day)
    kinds = np.full(len(some), list(PAYMENT_KINDS).index(kind), dtype=np.int64)
    return Rows(loans.loan_id[some], loans.servicer_id[some], day, amount[some], kinds)


def _table(parts: list[Rows], month: int) -> pl.DataFrame:
    """PAYMENTS rows, put in their order by numbers before the texts are made: a loan's payments share their day."""
    rows = Rows(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Rows)})
    order = np.argsort(rows.loan_id * len(_RANK) + _RANK[rows.kind], kind="stable")
    first = first_day(month)
    days = (first - _EPOCH).days - 1 + rows.day[order]
    kind = pl.Series(rows.kind[order].astype(np.uint32))
    loan_id = pl.Series("loan_id", rows.loan_id[order].astype(np.int32))
    columns = {
        "loan_id": loan_id,
        "received_date": pl.Series(days.astype(np.int32)).cast(pl.Date),
        "amount_cents": pl.Series(rows.amount[order]),
        "kind": pl.Series(list(PAYMENT_KINDS)).gather(kind),
        "servicer_id": pl.Series(rows.servicer_id[order].astype(np.int32)),
        "letter": pl.Series(_LETTERS).gather(kind),
    }
    reference = pl.concat_str(pl.lit(f"M{first:%Y%m}-"), pl.col("loan_id"), pl.lit("-"), pl.col("letter"))
    frame = pl.DataFrame(columns).select(
        "loan_id", "received_date", "amount_cents", "kind", reference.alias("reference"), "servicer_id",
        pl.lit("applied").alias("disposition"),
    )  # fmt: skip
    return PAYMENTS.conform(frame)
