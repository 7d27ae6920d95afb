"""Fannie Mae's loan performance file: a loan's many months become one loan.

Terms are those of its last row (they never change); lateness comes from its months. Status n of a
month: n instalments due up to that month are unpaid at its end. Source: file layout of the
Single-Family Loan Performance data (data/fannie.toml).
"""

from __future__ import annotations

import polars as pl

from poolhouse.loans.mapping import Layout
from poolhouse.loans.notes import Notes, count, drawn_days, flagged, limited_assumed

_MONTHS = 24
_UNKNOWN = 999
_STEP = 1_000
"""A month and its status in one number: month x 1,000 + status."""


def _packed(layout: Layout) -> pl.Expr:
    """Month and status of each row."""
    at = {f.name: str(f.position) for f in layout.fields}
    stated = pl.col(at["late_now"]).str.strip_chars()
    status = pl.when(stated.str.contains(r"^\d{1,2}$")).then(stated.cast(pl.Int64, strict=False)).otherwise(_UNKNOWN)
    return _index(pl.col(at["period"]).str.strip_chars()) * _STEP + pl.when(stated != "").then(status)


def _index(period: pl.Expr) -> pl.Expr:
    """MMYYYY as a month index; null when it is none."""
    month = period.str.slice(0, 2).cast(pl.Int64, strict=False)
    return pl.when(period.str.contains(r"^(0[1-9]|1[0-2])\d{4}$")).then(
        period.str.slice(2).cast(pl.Int64, strict=False) * 12 + month - 1
    )


def fold(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """One row per loan, its last by month, with `months`: its last 24 months as sorted packed numbers.

    Rows without a loan number stay as they are. Folding twice, block by block, gives the same.
    """
    at = {f.name: str(f.position) for f in layout.fields}
    if "months" not in frame.columns:
        frame = frame.with_columns(pl.concat_list(_packed(layout)).list.drop_nulls().alias("months"))
    key, period = pl.col(at["loan_number"]).str.strip_chars(), _index(pl.col(at["period"]).str.strip_chars())
    frame = frame.with_columns(key.alias("key"), period.alias("month"))
    loose = frame.filter((pl.col("key").fill_null("") == "") | pl.col("month").is_null())
    whole = frame.join(loose, on="tape_row", how="anti").sort("key", "month", "tape_row")
    folded = whole.group_by("key", maintain_order=True).agg(
        pl.all().exclude("key", "months").last(), pl.col("months").list.explode().unique().sort().tail(_MONTHS)
    )
    both = pl.concat([folded.select(frame.columns), loose]).sort("tape_row")
    return both.drop("key", "month")


def convert(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Canonical columns (as far as the layout has them) from the usable rows of the working frame."""
    work = work.with_columns(pl.lit(0, pl.Int64).alias("imputed_flags"))
    for step in (_note_day, _scores, _insurance, _lateness):
        work = step(work, notes)
    return limited_assumed(work, notes, ("U",))


def _note_day(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """The month of the note is known, its day is drawn."""
    note, day = pl.col("note_date"), pl.lit(pl.Series(drawn_days(work)))
    notes.add("note_day", "note_date", work.height, "note day drawn: the tape has the month only")
    work = work.with_columns(pl.date(note.dt.year(), note.dt.month(), day).alias("note_date"))
    return work.with_columns(flagged(pl.lit(True), "note_day"))


def _scores(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """The lower of the two borrowers' scores; the classic score where those are empty."""
    if "classic_score" not in work.columns:
        work = work.with_columns(pl.lit(None, pl.Int64).alias("classic_score"))
    score = pl.coalesce(pl.min_horizontal("own_score", "co_score"), "classic_score")
    lower = pl.col("co_score") < pl.col("own_score")
    notes.add("score_co_borrower", "score", count(work, lower), "score of the co-borrower, who has the lower one")
    notes.add("score_unknown", "score", count(work, score.is_null()), "no score", "warning")
    return work.with_columns(score.alias("score"))


def _insurance(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Empty is none. Coverage in whole percent; a part of a percent is not counted."""
    part = pl.col("mi_e4") % 100 != 0
    notes.add("mi_cut_off", "mi_pct", count(work, part), "insurance coverage cut to the whole percent")
    return work.with_columns((pl.col("mi_e4").fill_null(0) // 100).alias("mi_pct"), flagged(part, "other"))


def _lateness(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """What was paid by the loan's last month, and how often it was late before it.

    A count is known when every month of its span since the first instalment is: from the payment history
    of the last row, else from the loan's rows. A loan that has left keeps its terms; what it owes is not asked.
    """
    last, due = _month(pl.col("period")), _month(pl.col("first_due_date"))
    gone = pl.col("removal_code").is_not_null()
    work = work.with_columns(
        last.alias("last"), (last - due + 1).clip(0, _MONTHS).fill_null(_MONTHS).alias("age"), gone.alias("gone")
    ).with_columns(_ago(k).alias(f"ago_{k}") for k in range(_MONTHS))
    now = pl.col("ago_0")
    behind = pl.when(~pl.col("gone") & (now > 0)).then(now)
    stated = pl.when(behind.is_not_null()).then(("01" + pl.col("last_paid")).str.to_date("%d%m%Y", strict=False))
    paid_to = pl.coalesce(stated, pl.col("period").dt.offset_by(pl.format("-{}mo", behind)))
    left = count(work, pl.col("gone"))
    notes.add("left_later", "paid_to_date", left, "paid off or removed by its last month, read as it was made")
    unknown = now.is_null() & ~pl.col("gone")
    notes.add("lateness_unknown", "paid_to_date", count(work, unknown), "status of the last month unknown", "warning")
    notes.add("behind", "paid_to_date", count(work, behind.is_not_null()), "instalments unpaid in its last month")
    return work.with_columns(
        paid_to.alias("paid_to_date"), _times(1, 12).alias("late_30_12m"), _times(2, 24).alias("late_60_24m")
    )


def _month(day: pl.Expr) -> pl.Expr:
    return day.dt.year().cast(pl.Int64) * 12 + day.dt.month().cast(pl.Int64) - 1


def _ago(k: int) -> pl.Expr:
    """Instalments unpaid at the end of the month `k` before the last; null unknown."""
    packed = pl.col("months").list.eval(pl.element().filter(pl.element() // _STEP == pl.element().max() // _STEP - k))
    row = packed.list.max() % _STEP
    history = pl.col("late_before").str.slice(2 * (_MONTHS - 1 - k), 2)
    stated = pl.when(pl.col("late_before").str.len_bytes() == 2 * _MONTHS).then(history.cast(pl.Int64, strict=False))
    return pl.coalesce(stated, pl.when(row != _UNKNOWN).then(row))


def _times(status: int, span: int) -> pl.Expr:
    """Months of the last `span` with at least that status; null when one since the first instalment is unknown."""
    months = [pl.when(pl.col("age") > k).then(pl.col(f"ago_{k}")).otherwise(0) for k in range(span)]
    known = pl.all_horizontal(m.is_not_null() for m in months)
    late = pl.sum_horizontal((m >= status).cast(pl.Int64) for m in months)
    return pl.when(known & ~pl.col("gone")).then(late)
