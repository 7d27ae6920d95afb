"""What the models of borrowers look at in a valuation's loans, as columns, and what stands in where it is unknown.

A loan whose score or loan to value nobody knows is taken as the model's usual one; each such stand-in is counted, so
that an answer can say by name what it assumed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from poolhouse.dates import first_day, month_name
from poolhouse.rules import Rulebook, house_prices
from poolhouse.tables.codes import IMPUTED
from poolhouse.valuation import marked_ltv
from poolhouse.valuation.defaults import DefaultModel
from poolhouse.valuation.prepayment import PrepaymentModel

Answer = dict[str, Any]
_KINDS = ("conventional", "fha", "va", "usda")
_SCHEMA: dict[str, Any] = {
    "size": pl.Float64, "score": pl.Float64, "ltv": pl.Float64, "mi_pct": pl.Float64, "kind": pl.String,
    "state": pl.String, "note_month": pl.Int32, "mi_unknown": pl.Boolean, "as_of": pl.Int32, "behind": pl.Int32,
    "known": pl.Int32, "received": pl.Boolean,
}  # fmt: skip
FACTS = tuple(_SCHEMA)
"""size: dollars at closing; score; ltv: percent at closing; mi_pct: coverage; note_month, as_of: month indexes, the
note's and the balance's; behind: instalments unpaid then; known: 1 where what borrowers did in the first month is known
already and stands in rows of its own, `received`."""


def of_loans() -> list[pl.Expr]:
    """The facts that a LOANS row has by itself."""
    note = pl.col("note_date")
    return [
        (pl.col("note_amount_cents") / 100).alias("size"), pl.col("score_mid").cast(pl.Float64).alias("score"),
        (pl.col("ltv_e4") / 100).alias("ltv"), pl.col("mi_pct").cast(pl.Float64), pl.col("kind"), pl.col("state"),
        (note.dt.year() * 12 + note.dt.month() - 1).cast(pl.Int32).alias("note_month"),
        ((pl.col("imputed_flags") & IMPUTED["mi_assumed"]) > 0).alias("mi_unknown"),
    ]  # fmt: skip


def unknown(loans: pl.DataFrame) -> pl.DataFrame:
    """Loans of whom nothing but balance, rates and term is known."""
    said: Answer = {"kind": "conventional", "state": "", "mi_unknown": True, "behind": 0, "known": 0, "received": False}
    return loans.with_columns(pl.lit(said.get(name), kind).alias(name) for name, kind in _SCHEMA.items())


def default_facts(loans: pl.DataFrame, model: DefaultModel, book: Rulebook) -> Answer:
    """What `DefaultModel.vectors` takes of the loans: the loan to value marked to today, what insurers pay, and so on.

    The loan to value at closing is amortised and moved with the house prices of the loan's state; prices before the
    index's start are taken as its first.
    """
    noted = loans["note_month"]
    marked = np.full(loans.height, np.nan)
    if noted.null_count() == 0:
        first = house_prices.known_months()[0]
        months = [np.maximum(loans[name].to_numpy(), first) for name in ("note_month", "as_of")]
        left = (loans["balance"] / loans["size"]).to_numpy()
        marked = loans["ltv"].cast(pl.Float64).fill_null(float("nan")).to_numpy() * (
            marked_ltv(1.0, loans["state"], *months, left=left)
        )
    return {
        "ltv": np.where(np.isnan(marked), model.usual_ltv, marked), "score": _filled(loans["score"]),
        "behind": loans["behind"].to_numpy(), "known": int(loans["known"][0]), **_insured(loans, book),
    }  # fmt: skip


def prepayment_facts(loans: pl.DataFrame) -> Answer:
    """What `PrepaymentModel.smm` takes of the loans, NaN where unknown; size and loan to value at closing, as in its
    fit."""
    return {theirs: _filled(loans[ours]) for theirs, ours in (("balance", "size"), ("score", "score"), ("ltv", "ltv"))}


def _filled(column: pl.Series) -> Any:
    return column.fill_null(float("nan")).to_numpy()


def _insured(loans: pl.DataFrame, book: Rulebook) -> Answer:
    """Coverage of the debt and share of the loss that insurers pay, percent: MI, or FHA, VA and USDA by their rules."""
    month = loans["as_of"].max()
    if not isinstance(month, int):
        return {"mi_pct": loans["mi_pct"].fill_null(0.0).to_numpy()}
    day = first_day(month)
    share = {kind: book.get("servicing.claim_share_e4", day, kind=kind) / 100 for kind in _KINDS}
    cap = {kind: book.get("servicing.claim_cap_e4", day, kind=kind) / 100 for kind in _KINDS[1:]}
    kind = pl.col("kind")
    own = pl.when(kind == "conventional").then("mi_pct")
    found = loans.select(
        mi_pct=own.otherwise(kind.replace_strict(cap, default=0.0, return_dtype=pl.Float64)),
        claim_pct=kind.replace_strict(share, return_dtype=pl.Float64),
    )
    return {name: found[name].to_numpy() for name in found.columns}


def stand_ins(
    loans: pl.DataFrame, prepayment: PrepaymentModel | None, defaults: DefaultModel | None
) -> list[Answer]:  # fmt: skip
    """A row for each fact that is unknown of some loans: field, model, loans, stands_in (what is taken instead)."""
    known = loans.filter(~pl.col("received"))
    rows: list[Answer] = []

    def say(field: str, model: str, count: int, instead: Any) -> None:
        if count:
            rows.append({"field": field, "model": model, "loans": count, "stands_in": instead})

    if prepayment is not None:
        for name, column in (("score", "score"), ("ltv", "ltv"), ("balance", "size")):
            say(name, "prepayment", known[column].null_count(), getattr(prepayment, f"usual_{name}"))
    if defaults is None:
        return rows
    for name in ("score", "ltv"):
        say(name, "defaults", known[name].null_count(), getattr(defaults, f"usual_{name}"))
    own = known["kind"] == "conventional"  # others are insured by their kind
    say("mi_pct", "defaults", int((known["mi_unknown"] & own).sum()), 0)
    dated = known.filter((pl.col("as_of") > pl.col("note_month")) & pl.col("ltv").is_not_null())
    say("state", "defaults", int((dated["state"] == "").sum()), "the nation's house prices")
    last = house_prices.known_months()[1]
    late = int((dated["as_of"] > last).sum())
    say("house_prices", "defaults", late, f"those of {month_name(last)}")
    return rows
