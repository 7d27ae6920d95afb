"""How a fitted prepayment model looks: estimates beside what was assumed, and actual against predicted."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType

from poolhouse.cli.grids import figures, heading, plain, table

Row = dict[str, Any]


def prepayment(answer: Row) -> RenderableType:
    """Estimates, the test on the part held out, and actual against predicted by month and incentive."""
    first, last = answer["months"]
    seen = f"{answer['loan_months']:,} loan-months of {answer['loans']:,} loans, {answer['prepayments']:,} prepaid"
    late = answer["left_out"]["delinquent_loan_months"]
    lag = {0: "the month's own rate", 1: "the rate of a month before"}.get(
        answer["lag_months"], f"the rate {answer['lag_months']} months before"
    )
    said = "the last months" if answer["split"] == "time" else "loans drawn by number"
    parts: list[RenderableType] = [
        plain(f"Prepayment, {first} to {last}: {seen}", "bold"),
        plain(f"{late:,} loan-months of borrowers behind are left out; borrowers look at {lag}", "dim"),
        _estimates(answer),
        heading("Out of sample", f"fitted on the rest, tried on {said}"),
        _tried(answer["out_of_sample"], answer["month_shock"]),
        heading("By month", "CPR, %; * not seen by the fit"),
        _against(answer["by_month"], "month", "Month"),
        heading("By incentive", "CPR, %, where the fit has not looked"),
        _against([row for row in answer["by_incentive"] if row["tried"]], "incentive", "Incentive, %"),
    ]
    parts += [plain(f"\n  {note}") for note in answer["notes"]]
    if "plot" in answer:
        parts.append(plain(f"\n  Figures: {answer['plot']}"))
    return Group(*parts)


def _estimates(answer: Row) -> RenderableType:
    rows = [
        [
            row["name"], row["meaning"], f"{row['estimate']:.4g}",
            "held" if row["standard_error"] is None else f"{row['standard_error']:.2g}",
            _error(row["clustered_error"]),
            "" if row["clustered_low"] is None else f"{row['clustered_low']:.3g} to {row['clustered_high']:.3g}",
            f"{row['assumed']:g}",
        ]
        for row in answer["parameters"]
    ]  # fmt: skip
    for name, meaning in (("curtailment", "extra principal, % a year"), ("buyout", "bought out of pools, % a year")):
        found = answer[name]
        if found["estimate"] is not None:
            rows.append([name, meaning, f"{found['estimate']:.4g}", f"{found['standard_error']:.2g}",
                         _error(found["clustered_error"]), "", ""])  # fmt: skip
    heads = ["Parameter", "", "Estimate", "Error, independent", "Error, by month", "95%, by month", "Assumed"]
    said = "on all months; by month: a month's loans may share a shock"
    return Group(heading("Estimates", said), table(heads, rows, right=(2, 3, 4, 5, 6), spare=(6,)))


def _error(error: float | None) -> str:
    return "" if error is None else f"{error:.2g}"


def _tried(found: Row, shock: float) -> RenderableType:
    off = f"{found['deviations']:+.2f} standard errors apart, were loans independent"
    lines = [
        ("Prepaid", f"{found['actual']:,}", f"of {found['loan_months']:,} loan-months"),
        ("Predicted", f"{found['predicted']:,.1f}", f"standard error {found['standard_error']:,.1f}"),
        ("Actual over predicted", f"{found['actual_over_predicted']:.3f}", off),
    ]
    if found["clustered_error"] is not None:
        apart = f"{found['clustered_deviations']:+.2f} of them apart"
        lines.append(("Error, by month", f"{found['clustered_error']:,.1f}", apart))
    lines.append(("Shock to a month", f"{100 * shock:.1f}%", "of its prepayments, beyond chance"))
    return figures(lines)


def _against(rows: list[Row], key: str, head: str) -> RenderableType:
    cells = [
        [
            f"{row[key]}{'*' if row['tried'] else ''}" if key == "month" else f"{row[key]:+.3f}",
            f"{row['loan_months']:,}", f"{row['actual']:,}", f"{row['predicted']:,.1f}", f"{row['actual_cpr']:.2f}",
            f"{row['predicted_cpr']:.2f}",
        ]
        for row in rows
    ]  # fmt: skip
    heads = [head, "Loan-months", "Prepaid", "Predicted", "Actual CPR", "Predicted CPR"]
    return table(heads, cells, right=range(1, 6))
