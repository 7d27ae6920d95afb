"""The standard's cash flows in exact fractions, step by step as SF-18 and SF-19 write them: the tests' own route."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise


def exact_flows(
    balance: float, wac: float, coupon: float, wam: int, smm: list[float], mdr: list[float], severity: float = 0.0,
    lag: int = 12, advance: bool = True,
) -> list[dict[str, Fraction]]:  # fmt: skip
    """A dictionary a month; rates a month are percent and taken as the doubles they are."""
    rate, net = Fraction(wac) / 1200, Fraction(coupon) / 1200
    schedule = [Fraction(1)]
    payment = rate / (1 - (1 + rate) ** -wam) if rate else Fraction(1, wam)
    for _ in range(wam):
        schedule.append(schedule[-1] * (1 + rate) - payment)
    assert schedule[-1] == 0
    performing, foreclosed, defaults, months = Fraction(balance), Fraction(0), [], []
    for i, (before, after) in enumerate(pairwise(schedule)):
        am = 1 - after / before
        default = performing * Fraction(mdr[i]) / 100 if i < wam - lag else Fraction(0)
        defaults.append(default)
        old = defaults[i - lag] if i >= lag else Fraction(0)
        liquidated = old * before / schedule[i - lag] if advance and i >= lag else old
        paid = (performing - default) * am
        prepaid = min(performing * (1 - am) * Fraction(smm[i]) / 100, performing - default - paid)
        waiting = default + foreclosed - liquidated
        advanced = waiting * am if advance else Fraction(0)
        bearing = performing + foreclosed if advance else performing - default
        loss = min(old * Fraction(severity) / 100, liquidated)
        opening = performing + foreclosed
        performing, foreclosed = performing - default - prepaid - paid, waiting - advanced
        principal = paid + advanced + prepaid + liquidated - loss
        months.append({
            "balance": opening, "scheduled_payment": bearing * rate + paid + advanced, "gross_interest": bearing * rate,
            "net_interest": bearing * net, "scheduled_principal": paid + advanced, "prepayment": prepaid,
            "default": default, "recovery": liquidated - loss, "loss": loss, "principal": principal,
            "cash_flow": bearing * net + principal, "ending_balance": performing + foreclosed,
        })  # fmt: skip
    return months
