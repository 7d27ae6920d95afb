"""price: a tape's loans, or one loan, at every outlet, outside any book or from one."""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from poolhouse import loans, servicing
from poolhouse.dates import first_day, month_name, month_of
from poolhouse.findings import Refused
from poolhouse.loans.closing import as_loans
from poolhouse.market.desk import Desk
from poolhouse.market.find import find_loan
from poolhouse.market.standards import chosen, day_of, text_of
from poolhouse.rules import Rulebook
from poolhouse.rules.mortgage_rate import known_months
from poolhouse.sale import pricing
from poolhouse.sale.pricing import Sheet, llpa
from poolhouse.sale.pricing.menu import tba_of
from poolhouse.sale.pricing.waterfall import thirty_seconds, waterfall
from poolhouse.standards import evaluate, explain
from poolhouse.tables import LOANS
from poolhouse.tables.codes import ANSWERS, ASSUMED, FHLMC, FNMA, PROGRAMS, UNDETERMINED

FORMATS = (".csv", ".parquet", ".json")
Answer = dict[str, Any]


def price_tape(
    tape: str | Path, mapping: str | Path | None = None, *, as_of: str | date | None = None,
    edition: str | None = None, sheet: str | Path | None = None, what_if: Sequence[str] = (),
    hold: bool = True, out: str | Path | None = None,
) -> Answer:  # fmt: skip
    """Prices every loan of a tape at every outlet that its standards open to it.

    `as_of`: the day of pricing; left out the sheet's own, else the 1st of the month after the tape's last note.
    `sheet`: a price sheet (docs/pricing.md); left out the model's. `what_if`: changes to it, key=value. `out`: all
    offers as .csv, .parquet or .json. Keys: tape, as_of, edition, sheet, what_if, loans, rejected, offers,
    priced (loans with an outlet besides holding), unpriced (why not), best (a row for each outlet and execution that
    is some loan's best: loans, balance, proceeds, average price), totals, notes, assumptions, out, seconds.
    """
    began = time.perf_counter()
    refuse_form(out)
    standards = chosen((), (), edition)
    read = loans.read_tape(tape, text_of(mapping, "mapping") if mapping is not None else None)
    asked = as_loans(read.tape)
    day, prices = prices_of(as_of, sheet, what_if, standards.rulebook, asked)
    started = time.perf_counter()
    checks = evaluate(asked, day, standards.rulebook, standards.programs)
    judged = time.perf_counter()
    offered = pricing.offers(asked, checks, prices, day, standards.rulebook, hold=hold)
    priced = time.perf_counter()
    best = best_offers(offered)
    answer = {
        "tape": str(tape), **heading(day, standards.rulebook, prices, what_if),
        "loans": asked.height, "rejected": read.rows - asked.height, "offers": offered.height,
        "priced": offered.filter(pl.col("program") != 0)["loan_id"].n_unique(),
        "unpriced": unpriced(asked, checks, offered, prices, standards.rulebook),
        "best": _by_outlet(best), "totals": _totals(best),
        **ground(day, standards.rulebook, prices),
    }  # fmt: skip
    if out is not None:
        write(named(offered, asked), Path(out))
        answer["out"] = str(out)
    seconds = {"read": started - began, "check": judged - started, "price": priced - judged,
               "all": time.perf_counter() - began}  # fmt: skip
    return answer | {"seconds": {name: round(value, 3) for name, value in seconds.items()}}


def price_loan(
    tape: str | Path | None = None, mapping: str | Path | None = None, *, loan: str | None = None,
    facts: Mapping[str, str] | None = None, book: Desk | None = None, as_of: str | date | None = None,
    edition: str | None = None, sheet: str | Path | None = None, what_if: Sequence[str] = (),
    any_outlet: bool = False,
    hold: bool = True,
) -> Answer:  # fmt: skip
    """Prices one loan line by line: number `loan` of a tape or of a book, or the loan that `facts` describe (canonical
    columns of a tape, as text). `any_outlet`: the best is chosen among outlets that refuse the loan too.

    Keys: loan, as_of, edition, sheet, what_if, offers (`waterfall`, each with `open` and `why`), refused, unpriced,
    best and second (the best of another execution or coupon) as positions in offers, ahead_e6 between them, notes,
    assumptions. Refused for a loan that isn't there, or facts that are no loan.
    """
    standards = chosen((), (), edition if book is None else str(book.meta["edition"]))
    if book is not None:
        asked = _of_book(book, str(loan))
        as_of = as_of or book.today
    elif facts is not None:
        asked = described(facts)
    else:
        read = loans.read_tape(str(tape), text_of(mapping, "mapping") if mapping is not None else None)
        asked = as_loans(read.tape.filter(pl.col("loan_number") == str(loan)))
        if asked.is_empty():
            raise Refused(f"loan {loan!r} is not on {tape}: give its loan number as it stands there")
    day, prices = prices_of(as_of, sheet, what_if, standards.rulebook, asked)
    checks = evaluate(asked, day, standards.rulebook, standards.programs)
    found = waterfall(asked, prices, standards.rulebook, hold=hold)
    reasons = _reasons(checks, asked, standards.rulebook, standards.programs)
    offers = [{**offer, **reasons[offer["program"]]} for offer in found["offers"]]
    candidates = [i for i, offer in enumerate(offers) if offer["open"] or any_outlet]
    best = candidates[0] if candidates else None
    others = [i for i in candidates[1:] if best is not None and _choice(offers[i]) != _choice(offers[best])]
    ahead = offers[best]["all_in_e6"] - offers[others[0]]["all_in_e6"] if best is not None and others else None
    return {
        "loan": _facts(asked), **heading(day, standards.rulebook, prices, what_if),
        "offers": offers, "refused": found["refused"], "unpriced": found["unpriced"],
        "closed": [{"program": p, **r} for p, r in reasons.items() if not r["open"]],
        "best": best, "second": others[0] if others else None, "ahead_e6": ahead,
        **ground(day, standards.rulebook, prices),
    }  # fmt: skip


def _of_book(book: Desk, loan: str) -> pl.DataFrame:
    """A loan of a book with `scheduled_upb_cents`, the balance it would be sold at in the open month."""
    asked = pl.DataFrame([find_loan(book, loan)], schema=LOANS.schema)
    opening = book.opening(book.month, columns=servicing.OPENING_COLUMNS)
    stand = servicing.scheduled_after(opening.filter(pl.col("loan_id") == asked["loan_id"][0]), book.month)
    if not stand["scheduled_upb_cents"].sum():
        raise Refused(f"loan {loan}: it has ended in the book: nothing of it is left to sell")
    return asked.join(stand.select("loan_id", "scheduled_upb_cents"), on="loan_id")


def best_offers(offered: pl.DataFrame) -> pl.DataFrame:
    """Of each loan the offer with the highest price; the first in the table's order among equals."""
    top = offered.filter(pl.col("all_in_e6") == pl.col("all_in_e6").max().over("loan_id"))
    return top.unique("loan_id", keep="first", maintain_order=True)


def prices_of(
    as_of: str | date | None, sheet: str | Path | None, what_if: Sequence[str], rulebook: Rulebook, asked: pl.DataFrame
) -> tuple[date, Sheet]:
    """The day of pricing and its sheet."""
    text = text_of(sheet, "sheet") if sheet is not None else ""
    name = Path(sheet).name if sheet is not None else ""
    own = pricing.sheet_day(text, name) if sheet is not None else None
    noted = max(asked["note_date"].unique().to_list())
    day = day_of(as_of) if as_of else own or first_day(month_of(noted) + 1)
    prices = pricing.read_sheet(text, name, day, rulebook) if sheet is not None else pricing.model_sheet(day, rulebook)
    return day, pricing.with_changes(prices, what_if)


def described(facts: Mapping[str, str]) -> pl.DataFrame:
    """A loan from its facts, through the tape's reader: the same checks, the same messages."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "loan.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(facts)
            writer.writerow(facts.values())
        try:
            return as_loans(loans.read_tape(path).tape)
        except Refused as error:
            what = str(error).replace(str(path), "the loan").replace("none of 1 rows can be used; row 1: ", "")
            raise Refused(what) from error


def _facts(asked: pl.DataFrame) -> Answer:
    names = (
        "loan_number", "kind", "note_amount_cents", "note_rate_e7", "term_months", "note_date", "purpose", "occupancy",
        "units", "property_type", "state", "county_fips", "ltv_e4", "score", "dti_e4", "mi_pct",
    )  # fmt: skip
    return asked.select(names).row(0, named=True)


def _choice(offer: Answer) -> tuple[str, int | None]:
    """What a desk chooses between: Fannie Mae and Freddie Mac at one price are one choice."""
    return offer["execution"], offer["coupon_rate_e7"]


def _reasons(checks: pl.DataFrame, asked: pl.DataFrame, rulebook: Rulebook, programs: Any) -> dict[str, Answer]:
    """By program: is it open to the loan (eligible or under named assumptions), its answer, and why not."""
    said = explain(checks.filter(pl.col("answer") > ASSUMED), asked, rulebook, programs)
    found: dict[str, Answer] = {"": {"open": True, "answer": "held", "why": []}}
    for row in checks.filter(pl.col("program") < len(PROGRAMS)).to_dicts():
        name = PROGRAMS[row["program"]]
        why = said.filter((pl.col("program") == name) & (pl.col("outcome") != "assumed"))["message"].to_list()
        found[name] = {"open": row["answer"] <= ASSUMED, "answer": ANSWERS[row["answer"]], "why": why}
    return found


_RULES_OF_A_PRICE = ("standards.", "pricing.", "pooling.", "sale.", "fha.", "va.")


def heading(day: date, rulebook: Rulebook, prices: Sheet, what_if: Sequence[str]) -> Answer:
    return {
        "as_of": day, "edition": rulebook.edition, "overrides": [
            o for o in rulebook.overrides(day, day) if o["name"].startswith(_RULES_OF_A_PRICE)
        ],
        "sheet": prices.name, "what_if": list(what_if),
        "settlement_date": tba_of(prices, rulebook)["settlement_date"].min(),
    }  # fmt: skip


def ground(day: date, rulebook: Rulebook, prices: Sheet) -> Answer:
    """What the prices rest on: versions that are only the nearest, and what is assumed, not the sheet's."""
    notes = [f"loan-level price adjustments: {llpa.citation(day, rulebook)}"]
    if not _has_counties(day):
        notes.append(
            f"no table of county limits for {day.year}: a first-time buyer's income is waived up to 100% of the area's "
            "median everywhere, not 120% in high-cost areas"
        )
    notes.append("Duty to Serve waivers are not applied: no tape column says so")
    if prices.tba.height and tba_of(prices, rulebook).is_empty():
        notes.append(f"no swap has a price: every settlement date of the sheet comes too soon after {day}")
    _, last = known_months()
    if month_of(day) > last and not {"tba", "carry.market_rate"} <= prices.given:
        notes.append(
            f"the mortgage rate of {month_name(month_of(day))} is not known: the model's prices stand on that of "
            f"{month_name(last)}, the last known"
        )
    tables = [name for name in ("tba", "cash", "conduit", "payup") if name not in prices.given]
    sections = [part for section in prices.values for part in _assumed_of(section, prices)]
    assumed = [
        a for a in rulebook.assumptions()
        if a["name"].startswith(("pricing.", "sale.slope", "sale.program_basis", "sale.current_coupon"))
    ]  # fmt: skip
    return {"notes": notes, "from_model": {"tables": tables, "sections": sections}, "assumptions": assumed}


def _assumed_of(section: str, prices: Sheet) -> list[str]:
    """The section where all of it is the model's, else those of its names that are."""
    names = [name for name, value in prices.values[section].items() if value is not None]
    left = [f"{section}.{name}" for name in names if f"{section}.{name}" not in prices.given]
    return [section] if left and len(left) == len(names) else left


def _has_counties(day: date) -> bool:
    """Whether the county limits of the day's year are known."""
    from poolhouse.rules.counties import known_years

    return day.year in known_years()


def unpriced(
    asked: pl.DataFrame, checks: pl.DataFrame, offered: pl.DataFrame, prices: Sheet, rulebook: Rulebook
) -> list[Answer]:
    """Why loans have no outlet besides holding: reason and loans."""
    left = asked.join(offered.filter(pl.col("program") != 0), on="loan_id", how="anti")
    answers = checks.filter(pl.col("program") < len(PROGRAMS)).join(left, on="loan_id", how="semi")
    least = answers.group_by("loan_id").agg(pl.col("answer").min())["answer"]
    good = answers.filter(pl.col("answer") <= ASSUMED)
    free = left.join(good, on="loan_id", how="semi")
    bought = left.join(good.filter(pl.col("program").is_in([FNMA, FHLMC])), on="loan_id", how="semi")
    unknown = int(llpa.charges(bought, prices.as_of, rulebook, prices.values["llpa"]).minimum_mi.sum())
    counts = {
        "no program's standards are met": int((least > UNDETERMINED).sum()),
        "a field that the standards ask for is missing: `poolhouse check` names it": int((least == UNDETERMINED).sum()),
        "adjustment for the minimum mortgage insurance option is not known": unknown,
        "no price on the sheet within the limits": free.height - unknown,
    }
    return [{"reason": reason, "loans": count} for reason, count in counts.items() if count]


def _by_outlet(best: pl.DataFrame) -> list[Answer]:
    rows = best.group_by("program", "execution", "servicing").agg(
        pl.len().alias("loans"), pl.col("balance_cents").sum(), pl.col("proceeds_cents").sum()
    )
    outlets = rows.sort("program", "execution", "servicing").to_dicts()
    return [{**row, "program": PROGRAMS[row["program"]], **average(row)} for row in outlets]


def _totals(best: pl.DataFrame) -> Answer:
    row = {"loans": best.height, "balance_cents": int(best["balance_cents"].sum()),
           "proceeds_cents": int(best["proceeds_cents"].sum())}  # fmt: skip
    return {**row, **average(row)}


def average(row: Answer) -> Answer:
    """Average price of some balance, half-up."""
    balance = row["balance_cents"]
    price = (2 * row["proceeds_cents"] * 10**8 + balance) // (2 * balance) if balance else 0
    return {"all_in_e6": price, "all_in_32nds": thirty_seconds(price)}


def named(offered: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """Offers for a file: the tape's loan number first, programs by name."""
    names = asked.select("loan_id", "loan_number")
    rows = offered.join(names, on="loan_id", how="left", maintain_order="left")
    program = pl.col("program").replace_strict(dict(enumerate(PROGRAMS)), return_dtype=pl.String)
    return rows.select("loan_number", program, pl.exclude("loan_number", "program", "loan_id"))


def refuse_form(out: str | Path | None) -> None:
    if out is None:
        return
    if Path(out).suffix.lower() not in FORMATS:
        raise Refused(f"{out}: offers are written as {', '.join(FORMATS)}: name the file so")
    if not Path(out).parent.is_dir():
        raise Refused(f"{out}: there is no folder {Path(out).parent}")


def write(rows: pl.DataFrame, path: Path) -> None:
    form = path.suffix.lower()
    if form == ".csv":
        rows.write_csv(path)
    elif form == ".parquet":
        rows.write_parquet(path)
    else:
        rows.write_json(path)


def sheet_day_of(sheet: str | Path | None) -> str | None:
    """The day that a sheet's file says it is of, as text."""
    if sheet is None:
        return None
    day = pricing.sheet_day(text_of(sheet, "sheet"), Path(sheet).name)
    return day.isoformat() if day else None
