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
        _tried(answer["out_of_sample"]),
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
            "" if row["low"] is None else f"{row['low']:.3g} to {row['high']:.3g}", f"{row['assumed']:g}",
        ]
        for row in answer["parameters"]
    ]  # fmt: skip
    for name, meaning in (("curtailment", "extra principal, % a year"), ("buyout", "bought out of pools, % a year")):
        found = answer[name]
        if found["estimate"] is not None:
            rows.append([name, meaning, f"{found['estimate']:.4g}", f"{found['standard_error']:.2g}", "", ""])
    heads = ["Parameter", "", "Estimate", "Standard error", "95%", "Assumed"]
    return Group(heading("Estimates", "on all months"), table(heads, rows, right=(2, 3, 4, 5), spare=(5,)))


def _tried(found: Row) -> RenderableType:
    off = f"{found['deviations']:+.2f} standard errors apart"
    return figures(
        [
            ("Prepaid", f"{found['actual']:,}", f"of {found['loan_months']:,} loan-months"),
            ("Predicted", f"{found['predicted']:,.1f}", f"standard error {found['standard_error']:,.1f}"),
            ("Actual over predicted", f"{found['actual_over_predicted']:.3f}", off),
        ]
    )


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
