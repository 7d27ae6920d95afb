"""How a valuation looks: the measures, the table across speeds, the first and last months."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType

from poolhouse.cli.grids import MOST_ROWS, figures, heading, plain, table
from poolhouse.web import words

Row = dict[str, Any]

_MONTH = (("month", "Month"), ("balance", "Balance"), ("net_interest", "Net interest"),
          ("scheduled_principal", "Scheduled"), ("prepayment", "Prepaid"), ("recovery", "Recovered"), ("loss", "Lost"),
          ("cash_flow", "Cash flow"))  # fmt: skip
_CLASS_MONTH = (("month", "Month"), ("balance", "Balance"), ("net_interest", "Interest"), ("principal", "Principal"),
                ("loss", "Lost"), ("cash_flow", "Cash flow"))  # fmt: skip
_SPEED = (("wal", "WAL", 2), ("bond_equivalent_yield", "Yield at the price", 4),
          ("modified_duration", "Modified duration", 3), ("price_at_yield", "Price at the yield", 4))  # fmt: skip
_WORLD = (("mortgage_rate", "mortgage rate"), ("unemployment", "unemployment"))


def value(answer: Row) -> RenderableType:
    """One pool's value."""
    pool, speeds = answer["pool"], answer["speeds"]
    named = _name(pool)
    rates = f"WAC {pool['wac']:.6g}%, coupon {pool['coupon']:.6g}%"
    terms = f"${pool['balance']:,.2f}, {rates}, {pool['wam']} months, age {pool['age']}"
    said = asked_for(speeds, bool(pool.get("guaranteed")))
    days = f"{answer['delay_days']:g} days of delay, settled {answer['settle_days']} days after the 1st"
    parts: list[RenderableType] = [
        plain(f"{named}: {terms}", "bold"),
        plain(f"{said}; {days}", "dim"),
        _measures(answer),
    ]
    if "borrowers" in answer:
        parts += models(answer["borrowers"])
    if answer["by_speed"]:
        parts += _by_speed(answer["by_speed"])
    if "oas" in answer:
        parts += _oas(answer["oas"])
    if "cashflows" in answer:
        parts += _months(answer["cashflows"])
    if "plot" in answer:
        parts.append(plain(f"\n  Figures: {answer['plot']}"))
    return Group(*parts)


def asked_for(speeds: Row, guaranteed: bool = False) -> str:
    """Speeds and models as asked for."""
    asked = [
        f"{words.speed(speeds[name])} {name.upper()}" for name in ("psa", "cpr", "smm", "cdr", "sda") if name in speeds
    ]
    asked += [f"{name} by {speeds[name]}" for name in ("prepayment", "defaults") if name in speeds]
    said = ", ".join(asked) or "no prepayment, no default"
    if not any(name in speeds for name in ("cdr", "sda", "defaults")):
        return said
    severity = f"severity {words.speed(speeds['severity'])}%, " if "severity" in speeds and not guaranteed else ""
    paid = "paid by the guarantor" if guaranteed else "advanced" if speeds["advance"] else "not advanced"
    return f"{said}; {severity}{speeds['lag']} months to liquidation, {paid}"


def models(found: Row) -> list[RenderableType]:
    """What the models looked at, and what stands in for what is unknown."""
    world = [f"{label} {words.speed(found[key])}%" for key, label in _WORLD if found.get(key) is not None]
    if "house_prices" in found:
        still = found["house_prices"] == 1
        world.append("house prices stay" if still else f"house prices {words.speed(found['house_prices'])} of today's")
    since = f"from {found['as_of']}" if found["as_of"] else ""
    cells = [
        [
            row["field"],
            row["model"],
            "all" if row["loans"] is None else words.count(row["loans"]),
            str(row["stands_in"]),
        ]
        for row in found["stands_in"]
    ]
    said: list[RenderableType] = [
        heading("Models of borrowers", since),
        plain(f"  {', '.join(world)}; parameters are assumed or a file's", "dim"),
    ]
    return [*said, table(["Unknown", "To the model of", "Loans", "Stands in"], cells, right=(2,))] if cells else said


def _name(pool: Row) -> str:
    if "class_name" in pool:
        return f"Class {pool['class_name']}, {pool['cusip']}, of pool {pool['pool_number']}, {pool['loans']:,} loans"
    if "cusip" in pool:
        named = f"Security {pool['cusip']}, pool" if pool["cusip"] else "Loans of pool"
        return f"{named} {pool['pool_number']}, {pool['loans']:,} loans"
    return f"{pool['tape']}, {pool['loans']:,} loans" if "tape" in pool else "Pool"


def _measures(answer: Row) -> RenderableType:
    months = f"month {answer['first_month']} to {answer['last_month']}"
    lines = [
        ("Price", answer["price"], "{:.6f}", answer.get("price_32nds", "")),
        ("Accrued interest", answer["accrued"], "{:.6f}", "per 100"),
        ("Bond-equivalent yield", answer["bond_equivalent_yield"], "{:.5f}%", ""),
        ("Mortgage yield", answer["mortgage_yield"], "{:.5f}%", "compounded monthly"),
        ("Average life", answer["wal"], "{:.5f}", "years from settlement"),
        ("Macaulay duration", answer["macaulay_duration"], "{:.5f}", "years"),
        ("Modified duration", answer["modified_duration"], "{:.5f}", "years; cash flows fixed"),
        ("Convexity", answer["convexity"], "{:.4f}", "years squared; cash flows fixed"),
        ("Principal paid", answer["totals"]["principal"], "${:,.2f}", months),
        ("Net interest paid", answer["totals"]["net_interest"], "${:,.2f}", ""),
        ("Defaulted", answer["totals"].get("default") or None, "${:,.2f}", ""),
        ("Lost", answer["totals"]["loss"] or None, "${:,.2f}", ""),
    ]  # fmt: skip
    shown = [(name, form.format(amount), note) for name, amount, form, note in lines if amount is not None]
    return figures(shown)


def _oas(found: Row) -> list[RenderableType]:
    """The spread, what it is made of, and durations."""
    lines = [
        ("Option-adjusted spread", f"{found['oas_bp']:.1f} bp", f"+- {found['standard_error_bp']:.1f} by chance"),
        ("Z-spread", f"{found['z_spread_bp']:.1f} bp", "on the one path where forwards come true"),
        ("Option cost", f"{found['option_cost_bp']:.1f} bp", "the difference"),
        *(
            [("Credit cost", f"{found['credit_cost_bp']:.1f} bp", "how much higher it would be if nothing were lost")]
            if "credit_cost_bp" in found
            else []
        ),
        ("Effective duration", f"{found['effective_duration']:.3f}", "percent for 100 bp of rates, the OAS kept"),
        ("Effective convexity", f"{found['effective_convexity']:.1f}", "years squared"),
        ("Spread duration", f"{found['spread_duration']:.3f}", "for the OAS, payments kept"),
        ("Mortgage spread duration", f"{found['mortgage_spread_duration']:.3f}", "for the mortgage rate alone"),
        ("Prepayment duration", f"{found['prepayment_duration']:.3f}", "for speeds faster by 1% of themselves"),
        ("Volatility duration", f"{found['volatility_duration']:.3f}", "for vols higher by 1% of themselves"),
    ]  # fmt: skip
    keys = found["key_rate_durations"]
    groups = f"{words.count(found['groups'])} groups of loans" if found["groups"] > 1 else "one group of loans"
    fitted = f"mortgage rate {found['mortgage_rate']:g}%, vols fitted to {found['worst_fit_bp']:.1f} bp"
    note = f"{words.count(found['paths'])} paths, {groups}, {fitted}"
    return [
        heading("On paths of rates", note),
        figures(lines),
        heading("Key-rate durations", "by years"),
        table([f"{float(y):g}" for y in keys], [[f"{v:.3f}" for v in keys.values()]], right=range(len(keys))),
        plain(
            "  Borrowers answer by assumed parameters (rules/assumptions/valuation.toml), or the file's.",
            "dim",
        ),
    ]


def _by_speed(rows: list[Row]) -> list[RenderableType]:
    speed = next(iter(rows[0]))
    kept = [(key, head, places) for key, head, places in _SPEED if key in rows[0]]
    cells = [[f"{row[speed]:g}", *(f"{row[key]:.{places}f}" for key, _, places in kept)] for row in rows]
    heads = [speed.upper(), *(head for _, head, _ in kept)]
    return [heading("By speed"), table(heads, cells, right=range(len(heads)))]


def _months(rows: list[Row]) -> list[RenderableType]:
    columns = _MONTH if "scheduled_principal" in rows[0] else _CLASS_MONTH  # a class's principal is of no source
    kept = [(key, head) for key, head in columns if key in ("month", "balance") or any(row[key] for row in rows)]
    shown = rows if len(rows) <= MOST_ROWS else [*rows[: MOST_ROWS - 1], rows[-1]]
    cells = [[f"{row[key]:,.0f}" for key, _ in kept] for row in shown]
    note = "" if len(rows) == len(shown) else f"the first {len(shown) - 1} and the last of {len(rows)}: --json has all"
    heads = [head for _, head in kept]
    spare = [heads.index(head) for head in ("Scheduled", "Recovered", "Net interest") if head in heads]
    return [heading("Months, dollars", note), table(heads, cells, right=range(len(heads)), spare=spare)]
