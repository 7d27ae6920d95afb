"""The two large examples over their whole lives against plain loops in floats that share no code with the rules."""

from __future__ import annotations

import numpy as np
import pytest

from deals.deal_samples import at, example
from poolhouse import cashflows

SUBORDINATES = {"B1": 9e6, "B2": 5e6, "B3": 3e6, "B4": 2e6, "B5": 1.5e6, "B6": 1.5e6}
SPEEDS = [{"cpr": 15}, {"cpr": 15, "cdr": 0.3, "severity": 30}, {"cpr": 25, "cdr": 2, "severity": 40}, {"psa": 300}]
HAIR = 1e-9


def share_of_subordinates(month: int, senior: float, junior: float, lost: float, late: float, held: float) -> float:
    """Of their percentage, what seniors take of unscheduled principal; `held` is the last one allowed."""
    if junior / (senior + junior) < 22e6 / 400e6 * (1 - HAIR):
        return 1.0
    share = held
    if junior / (senior + junior) >= 2 * 22e6 / 400e6 and late <= 0.5 * junior:
        if month <= 36 and lost <= 0.2 * 22e6:
            share = min(share, 0.5)
        if month > 36 and lost <= 0.3 * 22e6:
            share = 0.0
    return share


def shifting_by_hand(speeds: dict[str, float]) -> list[dict[str, float]]:
    frame = cashflows(400e6, 7.25, 7.0, 357, **speeds)
    left, held, lost, lates, months = {"A": 378e6, **SUBORDINATES}, 1.0, 0.0, [], []
    defaults = frame["default"].to_list()
    for month, row in enumerate(frame.iter_rows(named=True), 1):
        unscheduled, scheduled = row["prepayment"] + row["recovery"], row["scheduled_principal"]
        called = row["ending_balance"] <= 0.05 * 400e6
        if called:
            unscheduled += row["ending_balance"]
        lost += row["loss"]
        lates.append(sum(defaults[max(month - 12, 0) : month]))
        late = float(np.mean(lates[-6:]))
        senior, junior = left["A"], sum(left.values()) - left["A"]
        table = [(61, 0.7, 0.3), (73, 0.6, 0.35), (85, 0.4, 0.4), (97, 0.2, 0.45), (109, 0.0, 0.5)]
        worse = junior / (senior + junior) < 22e6 / 400e6 * (1 - HAIR)
        reached = [(p, most) for start, p, most in table if start <= month]
        if reached and not worse and reached[-1][0] < held and late <= 0.5 * junior and lost <= reached[-1][1] * 22e6:
            held = reached[-1][0]
        share = share_of_subordinates(month, senior, junior, lost, late, held)
        percent = senior / (senior + junior)
        to_senior = min(scheduled * percent + unscheduled * (percent + share * (1 - percent)), senior)
        if junior < 0.005:
            to_senior = min(scheduled + unscheduled, senior)
        pot = scheduled + unscheduled - to_senior
        paid = {"A": to_senior}
        names, deal = list(SUBORDINATES), senior + junior
        open_to = [
            name for i, name in enumerate(names)
            if i == 0 or sum(left[n] for n in names[i:]) / deal >= sum(SUBORDINATES[n] for n in names[i:]) / 4e8 - HAIR
        ]  # fmt: skip
        whole = sum(left[name] for name in open_to)
        for name in names:
            paid[name] = min(pot, whole) * left[name] / whole if name in open_to and whole else 0.0
        rest = pot - sum(paid[name] for name in names)
        for name in names:
            more = min(rest, left[name] - paid[name])
            paid[name] += more
            rest -= more
        for name in left:
            left[name] -= paid[name]
        over = sum(left.values()) - (0.0 if called else row["ending_balance"])
        for name in (*reversed(names), "A"):
            cut = min(max(over, 0.0), left[name])
            left[name] -= cut
            over -= cut
        months.append(dict(left))
        if called:
            break
    return months


@pytest.mark.parametrize("speeds", SPEEDS, ids=str)
def test_shifting_interest(speeds: dict[str, float]) -> None:
    run, by_hand = at(example("shifting.toml"), **speeds), shifting_by_hand(speeds)
    assert len(run.received) == len(by_hand)
    for name, life in run.classes.items():
        gaps = [abs(cents / 100 - month[name]) for cents, month in zip(life.ending, by_hand, strict=True)]
        assert max(gaps) < 0.25, (name, gaps.index(max(gaps)), max(gaps))


def overcollateralised_by_hand(speeds: dict[str, float]) -> list[dict[str, float]]:
    frame = cashflows([300e6, 100e6], [8.5, 9.25], [8.0, 8.75], [356, 350], **speeds)
    rates, sizes = {"A": 5.4, "M1": 6.3, "M2": 8.8}, {"A": 332e6, "M1": 36e6, "M2": 24e6}
    left, carried, reserve, lost, months = dict(sizes), dict.fromkeys(sizes, 0.0), 0.0, 0.0, []
    unpaid, lates, defaults = dict.fromkeys(sizes, 0.0), [], frame["default"].to_list()
    for month, row in enumerate(frame.iter_rows(named=True), 1):
        pool, after = row["balance"], row["ending_balance"]
        pot, principal = row["net_interest"] - 0.0003 / 12 * pool, row["principal"]
        called = after <= 0.1 * 400e6
        if called:
            principal, after = principal + after, 0.0
        lost += row["loss"]
        lates.append(sum(defaults[max(month - 12, 0) : month]))
        enhancement = pool - left["A"]
        limit = [most for start, most in ((37, 0.025), (49, 0.035), (61, 0.045)) if start <= month]
        released = (
            month >= 37 and enhancement / pool >= 2 * 68e6 / 400e6 and lost <= limit[-1] * 400e6
            and np.mean(lates[-6:]) <= 0.4 * enhancement
        )  # fmt: skip
        net = pot / pool
        for name in left:
            due = left[name] * min(rates[name] / 1200, net)
            carried[name] += left[name] * rates[name] / 1200 - due + carried[name] * rates[name] / 1200
            unpaid[name] += due
        for name in left:
            paid = min(unpaid[name], pot)
            unpaid[name] -= paid
            pot -= paid
        target = max(0.08 * after if released else 0.04 * 400e6, 0.005 * 400e6)
        target = min(target, after)
        owed = sum(left.values()) - principal
        short = target - (after - owed)
        moved = max(min(pot, short, owed), 0.0) if short > 0 else -min(-short, principal)
        pot, principal = pot - moved, principal + moved
        for name in left:  # the reserve
            paid = min(unpaid[name], reserve)
            unpaid[name] -= paid
            reserve -= paid
        drawn = max(min(sum(left.values()) - principal - after, reserve), 0.0)
        reserve, principal = reserve - drawn, principal + drawn
        whole = sum(left.values())
        for name in left:
            size = left[name]
            part = min(principal, whole) * size / whole if released and whole else min(principal, size)
            left[name] = max(size - part, 0.0)
            principal -= 0.0 if released else part
        for name in left:
            paid = min(carried[name], pot)
            carried[name] -= paid
            pot -= paid
        reserve += max(min(0.005 * 400e6 - reserve, pot), 0.0)
        over = sum(left.values()) - after
        for name in ("M2", "M1", "A"):
            cut = min(max(over, 0.0), left[name])
            left[name] -= cut
            over -= cut
        months.append(left | {"reserve": 0.0 if called else reserve})
        if called:
            break
    return months


@pytest.mark.parametrize("speeds", [*SPEEDS, {"cpr": 6, "cdr": 6, "severity": 60}], ids=str)
def test_overcollateralisation(speeds: dict[str, float]) -> None:
    run, by_hand = at(example("overcollateralised.toml"), **speeds), overcollateralised_by_hand(speeds)
    assert len(run.received) == len(by_hand)
    for name in ("A", "M1", "M2"):
        endings = run.classes[name].ending
        gaps = [abs(cents / 100 - month[name]) for cents, month in zip(endings, by_hand, strict=True)]
        assert max(gaps) < 0.5, (name, gaps.index(max(gaps)), max(gaps))
    gaps = [abs(cents / 100 - month["reserve"]) for cents, month in zip(run.reserve, by_hand, strict=True)]
    assert max(gaps) < 0.5, (gaps.index(max(gaps)), max(gaps))


def test_a_guarantor_pays_late_loans_interest() -> None:
    """Classes of a guaranteed pool are never short, whatever servicers do."""
    deal = example("strips.toml")
    run = at(deal, cpr=6, cdr=20, severity=100, advance=False)
    assert run.classes["IO"].unpaid[-1] < 100  # a few cents of rounding
    assert run.classes["IO"].interest == at(deal, cpr=6, cdr=20, severity=100).classes["IO"].interest
