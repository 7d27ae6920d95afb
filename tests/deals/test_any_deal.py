"""Whatever the deal and the speed: each month what the classes get is what the collateral brought, to the cent."""

from __future__ import annotations

import itertools
import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deals.deal_samples import NAMES, at, example, text_of
from poolhouse import deals
from poolhouse.deals.deal import Deal, Run
from poolhouse.findings import Refused

DEALS = {name: example(name) for name in NAMES}


@st.composite
def speeds(draw: Any) -> dict[str, Any]:
    found: dict[str, Any] = {draw(st.sampled_from(["psa", "cpr"])): draw(st.sampled_from([0, 3, 15, 60, 100]))}
    if draw(st.booleans()):
        found |= {"cdr": draw(st.sampled_from([0.5, 3, 12, 100])), "severity": draw(st.sampled_from([0, 35, 100]))}
        found |= {"lag": draw(st.sampled_from([0, 6, 12])), "advance": draw(st.booleans())}
    return found


@st.composite
def texts(draw: Any) -> str:
    """A deal of two to six classes with any of the principal rules, and a residual for what coupons leave."""
    names = [f"C{i}" for i in range(draw(st.integers(2, 6)))]
    sizes = [draw(st.integers(1, 40_000_000)) for _ in names]
    cents = [f"{size // 100}.{size % 100:02d}" for size in sizes]
    total = sum(sizes)
    losses = draw(st.booleans())
    coupons = [draw(st.sampled_from(["0", "1.5", "6.125", "7.5", '"net_wac"'])) for _ in names]
    accruing = draw(st.booleans()) and coupons[-1] not in ("0",)
    every = ", ".join(f'"{name}"' for name in names)
    head = f"losses = [{', '.join(reversed(every.split(', ')))}]\n" if losses else ""
    head += f"fee = {draw(st.sampled_from(['0', '0.05']))}\ncall = {draw(st.sampled_from([0, 10]))}\n"
    lines = [
        f'[deal]\nname = "any"\n{head}[collateral]\nbalance = {total // 100}.{total % 100:02d}\nwac = 9\ncoupon = 7.5'
    ]
    lines += [f"wam = {draw(st.sampled_from([1, 13, 90]))}", f"guaranteed = {str(not losses).lower()}"]
    for name, size, coupon in zip(names, cents, coupons, strict=True):
        lines += [f'[[class]]\nname = "{name}"\nbalance = {size}\ncoupon = {coupon}']
        if accruing and name == names[-1]:
            lines.append(f"accrual_until = [{', '.join(every.split(', ')[:-1])}]")
    lines.append('[[class]]\nname = "R"\nresidual = true')
    due = ", ".join(f'"{n}"' for n, coupon in zip(names, coupons, strict=True) if coupon != "0")
    if due:
        lines.append(f'[[pay]]\nrule = "interest"\nclasses = [{draw(st.sampled_from([f"[{due}]", due]))}]')
    if accruing:
        lines.append(f'[[pay]]\nrule = "accretion"\nof = "{names[-1]}"\nclasses = ["{names[0]}"]')
    some = draw(st.lists(st.sampled_from(names), unique=True, max_size=2))
    if some:
        named = ", ".join(f'"{name}"' for name in some)
        rule = draw(st.sampled_from(["pro_rata", "sequential", "scheduled"]))
        more = f"\nbalances = [{sum(sizes) // 200}, {sum(sizes) // 400}, 0]" if rule == "scheduled" else ""
        lines.append(f'[[pay]]\nrule = "{rule}"\nclasses = [{named}]{more}')
    lines.append(f'[[pay]]\nrule = "{draw(st.sampled_from(["sequential", "pro_rata"]))}"\nclasses = [{every}]')
    return "\n".join(lines)


def holds(run: Run) -> None:
    """From the outside: columns of the classes against those of the collateral."""
    deal = run.deal
    residual = [name for name, c in deal.classes.items() if c.residual]
    sized = [name for name, c in deal.classes.items() if c.balance]
    built = any(step.name == "overcollateralisation" for step in deal.steps)
    before = deal.reserve
    for i, month in enumerate(run.received):
        interest = sum(life.interest[i] for life in run.classes.values())
        principal = sum(life.principal[i] for life in run.classes.values())
        rest = 0 if residual else run.rest[i]
        kept = run.reserve[i] - before
        before = run.reserve[i]
        paid_in = month.principal if deal.reference else month.interest - run.shortfall[i] + month.principal
        assert interest * (not deal.reference) + principal + rest + run.fees[i] + kept == paid_in, i
        ending = sum(run.classes[name].ending[i] for name in sized)
        assert ending <= month.after if built else ending == month.after, i
        for name in sized:
            life = run.classes[name]
            assert min(life.interest[i], life.principal[i], life.loss[i], life.ending[i]) >= 0
            assert life.ending[i] == life.balance[i] + life.accrued[i] - life.principal[i] - life.loss[i]
    assert sum(run.classes[name].ending[-1] for name in sized) == 0


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=texts(), speed=speeds())
def test_any_deal_at_any_speed(text: str, speed: dict[str, Any]) -> None:
    try:
        deal = deals.parse(text, "any.toml")
    except Refused as error:  # coupons above the collateral's, or a Z whose money has no taker
        assert "interest" in str(error)
        return
    holds(at(deal, **speed))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(NAMES), speed=speeds(), call=st.booleans())
def test_the_examples_at_any_speed(name: str, speed: dict[str, Any], call: bool) -> None:
    deal: Deal = DEALS[name]
    holds(at(deal, call, **speed))


def _sized(draw: Any, text: str) -> str:
    """The same collateral in classes of any other sizes, one cent at least."""
    sizes = [int(size.replace("_", "")) for size in re.findall(r'name = "[^"]+"\nbalance = ([\d_]+)', text)]
    whole, count = sum(sizes) * 100, len(sizes) - 1
    cuts = draw(st.lists(st.integers(1, whole - 1), min_size=count, max_size=count, unique=True))
    edges = [0, *sorted(cuts), whole]
    fresh = iter(later - before for before, later in itertools.pairwise(edges))

    def one(found: re.Match[str]) -> str:
        cents = next(fresh)
        return f"{found[1]}balance = {cents // 100}.{cents % 100:02d}"

    return re.sub(r'(name = "[^"]+"\n)balance = [\d_]+', one, text)


@st.composite
def enhanced(draw: Any) -> str:
    """The deals that bear losses with other sizes, rates, tests and targets."""
    percent = st.sampled_from([0, 0.5, 3, 20, 50, 100])
    text = _sized(
        draw, text_of(draw(st.sampled_from(["shifting.toml", "overcollateralised.toml", "credit_risk.toml"])))
    )
    for key in ("target", "floor", "released", "required", "delinquency", "call", "fee"):
        text = re.sub(rf"^{key} = [\d.]+", f"{key} = {draw(percent)}", text, flags=re.MULTILINE)
    text = re.sub(r"margin = [\d.]+", lambda _: f"margin = {draw(st.sampled_from([-2, 0, 1.5, 6]))}", text)
    text = text.replace("[61, 70], [73, 60]", f"[1, {draw(percent)}], [40, {draw(percent)}]")
    if draw(st.booleans()):
        text = text.replace("fee =", "reserve = 1_000_000.01\nfee =").replace("doubled = true\n", "")
    if draw(st.booleans()):
        text = re.sub(r"required = [\d.]+", "required = 2\nscheduled_too = true", text)
    return text


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=enhanced(), speed=speeds(), call=st.booleans())
def test_deals_that_bear_losses_with_any_terms(text: str, speed: dict[str, Any], call: bool) -> None:
    try:
        deal = deals.parse(text, "any.toml")
    except Refused as error:  # a fee above what the collateral pays
        assert "interest" in str(error)
        return
    holds(at(deal, call, **speed))
