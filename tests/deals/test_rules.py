"""Each rule on a month or two that can be done in the head. The collateral pays 12%, 1% a month."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from deals.deal_samples import at, dollars, example, months, small
from poolhouse import deals
from poolhouse.deals.deal import Deal, Run
from poolhouse.findings import Refused


def pay(*steps: str) -> str:
    return "".join(f"[[pay]]\n{step}\n" for step in steps)


def interest(*names: str) -> str:
    return 'rule = "interest"\nclasses = [' + ", ".join(f'"{name}"' for name in names) + "]"


def sequential(*names: str, more: str = "") -> str:
    return 'rule = "sequential"\nclasses = [' + ", ".join(f'"{name}"' for name in names) + f"]\n{more}"


def got(run: Run, name: str, column: str = "principal") -> list[float]:
    return dollars(getattr(run.classes[name], column))


RESIDUAL = ("R", 0, "residual = true")


def built(target: str) -> Deal:
    steps = pay(interest("A"), f'rule = "overcollateralisation"\n{target}', sequential("A"))
    return small([("A", 180, "coupon = 6"), RESIDUAL], steps, head='losses = ["A"]', pool="balance = 200")


def test_excess_interest_makes_losses_good() -> None:
    """200 of collateral, 180 of A at 6%: 2.00 of interest, 0.90 due. A loss of 5 leaves 15 of the target's 20."""
    run = deals.run(built("target = 10"), months(200, (0, 0, 5), (0, 0, 0)))
    assert got(run, "A") == [1.10, 1.06] and got(run, "R", "interest") == [0, 0]  # 1.95 - half-up(178.90 x 0.5%)
    assert got(run, "A", "loss") == [0, 0]


def test_what_is_above_the_target_is_released() -> None:
    """20 are there and 10 wanted: the month's 6 of principal go to the residual, with the excess interest."""
    run = deals.run(built("target = 5"), months(200, (6, 0, 0)))
    assert got(run, "A") == [0] and got(run, "R", "interest") == [7.10]


def test_a_loss_larger_than_all_that_stands_before_a_class() -> None:
    """20 in excess and 1.10 of interest: of a loss of 25 A bears 3.90."""
    run = deals.run(built("target = 10"), months(200, (0, 0, 25)))
    assert got(run, "A", "loss") == [3.90] and got(run, "A", "ending") == [175]


def capped(*more: str) -> Run:
    """A: 60 at 14%, capped at its 0.60 of the collateral's 1.00; B: 40 at 6%; 0.20 is left."""
    classes = [("A", 60, "coupon = 14\nnet_wac_cap = true"), ("B", 40, "coupon = 6"), RESIDUAL]
    deal = small(classes, pay(interest("A", "B"), sequential("A", "B"), *more))
    return deals.run(deal, months(100, (0, 0, 0), (0, 0, 0)))


def test_the_net_wac_cap_and_what_it_carries_over() -> None:
    assert got(capped(), "A", "interest") == [0.60, 0.60]
    run = capped('rule = "carry_over"\nclasses = ["A"]')
    assert got(run, "A", "interest") == [0.70, 0.70] and got(run, "R", "interest") == [0.10, 0.10]


def test_carry_over_bears_interest() -> None:
    """B takes all that A's cap leaves: A is cut by 10 a month, and the 10 of the first month earn 14% / 12."""
    classes = [("A", 6000, "coupon = 14\nnet_wac_cap = true"), ("B", 4000, "coupon = 12"), RESIDUAL]
    carry = 'rule = "carry_over"\nclasses = ["A"]'
    deal = small(classes, pay(interest("A", "B"), sequential("A", "B"), carry))
    rich = [replace(month, interest=10_000) for month in months(10_000, (0, 0, 0), (0, 0, 0))]
    rich[1] = replace(rich[1], interest=14_012)  # A's share is above its 14%: no cut, and 70.12 are left
    run = deals.run(deal, rich)
    assert got(run, "A", "interest") == [60.00, 70.00 + 10.12]  # 10.00 + half-up(10.00 x 14% / 12)


def test_the_reserve_fund_pays_interest_then_losses_and_fills_up() -> None:
    draw = 'rule = "reserve_draw"\nclasses = ["A"]'
    steps = pay(interest("A"), draw, sequential("A"))
    deal = small([("A", 100, "")], steps, head='reserve = 2\nlosses = ["A"]')
    short = [replace(months(100, (0, 0, 1))[0], interest=40)]
    run = deals.run(deal, short)
    assert got(run, "A", "interest") == [1.00] and got(run, "A") == [1.00] and got(run, "A", "loss") == [0]
    assert dollars(run.reserve) == [0.40]
    steps = pay(interest("A"), sequential("A"), 'rule = "reserve_fund"\ntarget = 0.8')
    deal = small([("A", 100, "coupon = 6"), RESIDUAL], steps)
    run = deals.run(deal, months(100, (0, 0, 0), (0, 0, 0), (100, 0, 0)))
    assert dollars(run.reserve) == [0.50, 0.80, 0]
    assert got(run, "R", "interest") == [0, 0.20, 1.30]  # the fund comes back when the class is retired


def test_compensating_interest() -> None:
    """20 prepaid at 12% with 15 days lost: 0.10; the servicer makes 0.12% a year of 100 good, 0.01."""
    deal = small(
        [("A", 100, "")], pay(interest("A"), sequential("A")), pool="payoff_days_lost = 15\ncompensating = 0.12"
    )
    run = deals.run(deal, months(100, (0, 20, 0)))
    assert got(run, "A", "interest") == [0.91] and dollars(run.shortfall) == [0.09]
    assert run.classes["A"].unpaid == [0]  # gone, not owed


def test_the_clean_up_call() -> None:
    deal = small([("A", 100, "")], pay(interest("A"), sequential("A")), head="call = 10")
    given = months(100, (80, 0, 0), (10, 0, 0), (8, 0, 0), (2, 0, 0))
    assert got(deals.run(deal, given), "A") == [80, 20] and deals.run(deal, given).called == 2
    assert got(deals.run(deal, given, call=False), "A") == [80, 10, 8, 2]
    paid_off = months(100, (80, 0, 0), (20, 0, 0))
    assert deals.run(deal, paid_off).called is None


STEP_DOWN = '[step_down]\nmonth = 2\nsenior = ["A"]\n'


@pytest.mark.parametrize(
    ("tests", "late", "lost", "shared"),
    [
        ("", 0, 0, True),
        ("delinquency = 20", 100, 0, True),  # mean of two months: 1.00 of an enhancement of 10, 20% of it is 2.00
        ("delinquency = 20", 201, 0, False),
        ("losses = [[2, 1]]", 0, 1, True),  # 1% of 100 is what is lost
        ("losses = [[2, 0.5]]", 0, 1, False),
        ("doubled = true", 0, 0, False),  # 10 of 90, and twice 10% would be 18
    ],
)
def test_the_step_down_and_its_triggers(tests: str, late: int, lost: int, shared: bool) -> None:
    """Sequential while locked; by balance from month 2 if the tests pass."""
    together = 'rule = "pro_rata"\nclasses = ["A", "B"]\nwhen = "released"'
    steps = pay(interest("A", "B"), sequential("A", "B", more='when = "locked"'), together)
    deal = small([("A", 90, ""), ("B", 10, "")], steps, head='losses = ["B", "A"]', other=STEP_DOWN + tests)
    given = [replace(month, late=late) for month in months(100, (10, 0, lost), (9, 0, 0))]
    paid = [got(deals.run(deal, given), name)[1] for name in ("A", "B")]
    if not shared:
        assert paid == [9, 0]
    elif lost:
        assert paid == pytest.approx([9 * 80 / 89, 9 * 9 / 89], abs=0.0051)
    else:
        assert paid == [8, 1]


def test_a_subordinate_class_without_its_support_is_passed_over() -> None:
    """B2 falls from 4 of 100 to 2 of 98: the month's principal of the subordinates is B1's alone."""
    steps = pay(interest("A", "B1", "B2"), 'rule = "subordinate"\nclasses = ["B1", "B2"]', sequential("A"))
    deal = small([("A", 90, ""), ("B1", 6, ""), ("B2", 4, "")], steps, head='losses = ["B2", "B1", "A"]')
    run = deals.run(deal, months(100, (0, 0, 2), (3, 0, 0)))
    assert [got(run, name)[1] for name in ("A", "B1", "B2")] == [0, 3, 0]
    run = deals.run(deal, months(100, (0, 0, 0), (5, 0, 0)))
    assert [got(run, name)[1] for name in ("A", "B1", "B2")] == [0, 3, 2]


@pytest.mark.parametrize(
    ("terms", "late", "to_b"),
    [
        ("required = 5", 0, 0.55),
        ("required = 6", 0, 0.05),
        ("required = 6\nscheduled_too = true", 0, 0),
        ("required = 5\ndelinquency = 50", 251, 0.05),
    ],
)
def test_credit_risk_enhancement(terms: str, late: int, to_b: float) -> None:
    """95 and 5; 1 scheduled, 10 not. B has its twentieth of what is shared."""
    steps = pay(
        interest("A", "B"),
        f'rule = "enhancement"\nsenior = ["A"]\nsubordinate = ["B"]\n{terms}',
        sequential("A", "B", more='from = "senior"'),
        sequential("B", "A", more='from = "subordinate"'),
    )
    deal = small([("A", 95, ""), ("B", 5, "")], steps, head='losses = ["B", "A"]')
    run = deals.run(deal, [replace(months(100, (1, 10, 0))[0], late=late)])
    assert got(run, "B") == [to_b] and got(run, "A") == [pytest.approx(11 - to_b)]


@pytest.mark.parametrize(("less", "to_a"), [("", 10.0), ("less = 2", 6.0), ("less = 20", 0.0)])
def test_what_a_reserve_holds_is_taken_off_the_target(less: str, to_a: float) -> None:
    """200 of collateral pays 20 and 180 are left: 20% of them is 36, so A falls to 144 and the other 10 are released;
    with 2% of 200 less it falls to 148 only, and with 20% less the floor of 1 lets it keep all."""
    steps = pay(interest("A"), f'rule = "overcollateralisation"\ntarget = 0\nfloor = 0.5\nreleased = 20\n{less}',
                sequential("A"))  # fmt: skip
    head = 'losses = ["A"]\n[step_down]\nmonth = 1\nsenior = ["A"]'
    deal = small([("A", 154, "coupon = 12"), RESIDUAL], steps, head=head, pool="balance = 200")
    run = deals.run(deal, months(200, (20, 0, 0)))
    assert got(run, "A") == [to_a]


def test_less_needs_released() -> None:
    steps = pay(interest("A"), 'rule = "overcollateralisation"\ntarget = 1\nless = 1', sequential("A"))
    with pytest.raises(Refused, match="less is taken off released"):
        small([("A", 154, "coupon = 12"), RESIDUAL], steps, pool="balance = 200")


@pytest.mark.parametrize(("terms", "to_b"), [("required = 5", 0.35), ("required = 6", 0.05)])
def test_credit_risk_recoveries_are_the_seniors(terms: str, to_b: float) -> None:
    """95 and 5; 1 scheduled, 10 not, of which 4 are of liquidated loans: B has its twentieth of 7, or of 1."""
    steps = pay(
        interest("A", "B"),
        f'rule = "enhancement"\nsenior = ["A"]\nsubordinate = ["B"]\n{terms}',
        sequential("A", "B", more='from = "senior"'),
        sequential("B", "A", more='from = "subordinate"'),
    )
    deal = small([("A", 95, ""), ("B", 5, "")], steps, head='losses = ["B", "A"]')
    run = deals.run(deal, [replace(months(100, (1, 10, 0))[0], prepaid=600, recovered=400)])
    assert got(run, "B") == [to_b] and got(run, "A") == [pytest.approx(11 - to_b)]


def shifting(more: str, *rows: tuple[int, int, int], late: int = 0) -> Run:
    split = f'rule = "shifting"\nsenior = ["A"]\nsubordinate = ["B"]\ndelinquency = 50\n{more}'
    steps = pay(
        interest("A", "B"), split, sequential("A", "B", more='from = "senior"'),
        sequential("B", "A", more='from = "subordinate"'),
    )  # fmt: skip
    deal = small([("A", 900, ""), ("B", 100, "")], steps, head='losses = ["B", "A"]')
    return deals.run(deal, [replace(month, late=late) for month in months(1000, *rows)])


def test_shifting_interest_waits_for_its_tests() -> None:
    """70% would hold from month 2; with half of B late it stays at 100%."""
    more = "shares = [[2, 70]]\nlosses = [[1, 20]]"
    assert got(shifting(more, (0, 0, 0), (0, 100, 0)), "B")[1] == 3  # 30% of its tenth
    assert got(shifting(more, (0, 0, 0), (0, 100, 0), late=50_01), "B")[1] == 0


def test_shifting_interest_ends_when_seniors_stand_worse_than_at_closing() -> None:
    """After a loss of 10 seniors are 900 of 990, above their 90%: all that is prepaid is theirs."""
    assert got(shifting("shares = [[2, 0]]\nlosses = [[1, 20]]", (0, 0, 10), (0, 99, 0)), "B")[1] == 0


def test_the_two_times_test() -> None:
    """Seniors are prepaid to 300 of 400: 25%, more than twice 10%. Before the month half, after it nothing shifts."""
    more = (
        "shares = [[100, 0]]\nlosses = [[1, 20]]\n"
        "two_times = {month = 2, losses_before = 20, share_before = 50, losses_after = 30, share_after = 0}"
    )
    run = shifting(more, (0, 600, 0), (0, 40, 0), (0, 36, 0))
    assert got(run, "B")[:2] == [0, 5]  # half of its quarter of 40
    assert got(run, "B")[2] == round(36 * 95 / 360, 2)


def test_interest_goes_to_the_first_groups_when_there_is_too_little() -> None:
    deal = small(
        [("A", 50, ""), ("B", 25, ""), ("C", 25, "")], pay(interest("A"), interest("B", "C"), sequential("A", "B", "C"))
    )
    poor = [replace(months(100, (0, 0, 0))[0], interest=60), replace(months(100, (0, 0, 0))[0], interest=140)]
    run = deals.run(deal, poor)
    assert got(run, "A", "interest") == [0.50, 0.50] and got(run, "B", "interest") == [0.10, 0.40]
    assert got(run, "C", "unpaid") == [0.25, 0]


@pytest.mark.parametrize("index", [0, 3.75, 9.5, 12])
def test_floater_and_inverse_are_the_class_they_were_cut_from(index: float) -> None:
    """Three to one: 3/4 (index + 0.5) + 1/4 (28.5 - 3 index) = 7.5; the cap of one is met by the floor of the other."""
    deal = example("floater.toml")
    run = deals.run(deal, deals.months_of(deal, {"psa": 165}), index_e7=[round(index * 100_000)])
    pair = [sum(run.classes[name].interest) for name in ("FL", "IFL")]
    whole = sum(at(example("accrual.toml"), psa=165).classes["C"].interest)
    assert abs(sum(pair) - whole) <= len(run.received)  # half a cent for each of two, each month
    assert run.classes["FL"].principal[80] == pytest.approx(3 * run.classes["IFL"].principal[80], abs=2)
    assert deal.classes["FL"].coupon.rate(round(index * 100_000)) == min(max(index + 0.5, 0.5), 10) * 100_000  # type: ignore[union-attr]


def test_a_class_of_another_deal_as_collateral() -> None:
    deal = example("resecuritised.toml")
    run, under = at(deal, psa=250), at(example("planned.toml"), psa=250).classes["S"]
    for column in ("principal", "interest"):
        ours = [sum(month) for month in zip(*(getattr(life, column) for life in run.classes.values()), strict=True)]
        rest = run.rest if column == "interest" else [0] * len(ours)
        assert [a + b for a, b in zip(ours, rest, strict=True)] == getattr(under, column)


def test_losses_of_a_class_are_losses_of_the_deal_upon_it() -> None:
    """B1 of the shifting deal in two: the lower half loses what B1 loses."""
    from deals.deal_samples import text_of

    upon = text_of("resecuritised.toml").replace("planned.toml", "shifting.toml").replace('class = "S"', 'class = "B1"')
    upon = (
        upon.replace("100_000_000", "6_000_000")
        .replace("56_200_000", "3_000_000")
        .replace("coupon = 7.5", 'coupon = "net_wac"')
    )
    upon = upon.replace('name = "Re-securitised support"', 'name = "upon B1"\nlosses = ["SB", "SA"]')
    speed = {"cpr": 15, "cdr": 2, "severity": 40}
    run = at(deals.parse(upon, "upon.toml", read=text_of), **speed)
    lost = sum(at(example("shifting.toml"), **speed).classes["B1"].loss)
    assert lost > 0 and sum(run.classes["SB"].loss) + sum(run.classes["SA"].loss) == lost


def test_planned_layers_hold_inside_their_collars() -> None:
    """PAC I the same from 90 to 300 PSA, PAC II from 100 to 225, the targeted class at its own speed."""
    deal = example("layers.toml")
    runs = {psa: at(deal, psa=psa).classes for psa in (90, 100, 165, 225, 300, 350)}
    assert len({tuple(runs[psa]["P1"].principal) for psa in (90, 100, 165, 225, 300)}) == 1
    for psa in (100, 225):
        assert _near(runs[psa]["P2"].principal, runs[165]["P2"].principal), psa
    assert not _near(runs[350]["P1"].principal, runs[165]["P1"].principal)
    assert not _near(runs[300]["P2"].principal, runs[165]["P2"].principal)


def _near(these: list[int], those: list[int]) -> bool:
    return all(abs(a - b) <= 3 for a, b in zip(these, those, strict=True))


@pytest.mark.parametrize("split", ["shares = [[1, 0]]\nlosses = [[1, 20]]"])
def test_rounding_to_cents_fails_no_test(split: str) -> None:
    """Paid by balance for years, seniors and subordinates keep their shares but for cents; nothing shifts for that."""
    run = shifting(split, *[(3, 7, 0)] * 60)
    assert all(abs(part - 1.00) <= 0.01 for part in got(run, "B"))
    steps = pay(interest("A", "B1", "B2"), 'rule = "shifting"\nsenior = ["A"]\nsubordinate = ["B1", "B2"]\n'
                f'delinquency = 50\n{split}', sequential("A", "B1", "B2", more='from = "senior"'),
                'rule = "subordinate"\nfrom = "subordinate"\nclasses = ["B1", "B2"]',
                sequential("A", more='from = "subordinate"'))  # fmt: skip
    classes = [("A", 900_001, ""), ("B1", 70_003, ""), ("B2", 29_996, "")]
    deal = small(classes, steps, head='losses = ["B2", "B1", "A"]')
    paid = got(deals.run(deal, months(1_000_000, *[(3001, 7003, 0)] * 60)), "B2")
    assert all(part == pytest.approx(10_004 * 0.029996, abs=0.02) for part in paid)


def test_a_loss_on_the_last_date_spares_who_stands_above() -> None:
    """All is paid or lost at once: B bears the 50, though by balance A would get nine tenths of 950, 45 too little."""
    run = shifting("shares = [[1, 0]]\nlosses = [[1, 100]]", (0, 950, 50))
    assert got(run, "A") == [900] and got(run, "B") == [50] and got(run, "B", "loss") == [50]
    deal = example("credit_risk.toml")
    lost = at(deal, psa=100, sda=150, severity=35).classes
    assert sum(lost["A-H"].loss) == 0 and 0 < sum(lost["M-2"].loss) < deal.classes["M-2"].balance


def test_shares_of_the_collateral_are_whole_dollars_and_leave_nothing() -> None:
    steps = pay(interest("A", "B", "C"), sequential("A", "B", "C"))
    thirds = [("A", 0, "share = 33.33333\ncoupon = 12"), ("B", 0, "share = 33.33333\ncoupon = 12")]
    deal = small([*thirds, ("C", 0, "share = 33.33334\ncoupon = 12")], steps, pool="balance = 1_000.07")
    assert [c.balance for c in deal.classes.values()] == [33_307, 33_300, 33_400]


@pytest.mark.parametrize(
    ("shares", "refused"),
    [
        (("share = 60", "share = 40.5"), "more than the collateral, by 0.5 percent"),
        (("share = 60", "balance = 40"), "class 2 (B): gives a balance and other classes a share"),
        (("share = 60", "share = 39"), "must be the collateral's"),
        (("share = 99.99999", "share = 0.00001"), "class 2 (B): its share of $100.00 is less than a dollar"),
        (("share = 100", "share = 0"), "class 2 (B): share must be above 0"),
        (("share = 100", "share = 5\nbalance = 5"), "class 2 (B): give a balance or a share"),
    ],
)
def test_shares_that_cannot_be_meant_are_refused(shares: tuple[str, str], refused: str) -> None:
    steps = pay(interest("A", "B"), sequential("A", "B"))
    classes = [(name, 0, f"{share}\ncoupon = 12") for name, share in zip("AB", shares, strict=True)]
    with pytest.raises(Refused, match=re.escape(refused)):
        small(classes, steps, pool="balance = 100")


def test_a_life_cut_in_two_is_the_same_life() -> None:
    """A run that starts where another stopped pays what one run would have."""
    deal = example("shifting.toml")
    months = deals.months_of(deal, {"cpr": 12, "cdr": 3, "severity": 0.5, "lag": 6})
    whole = deals.run(deal, months)
    state = deals.opened(deal)
    for received in months[:70]:
        state = deals.step(deal, state, received).after
    rest = deals.run(deal, months[70:], start=state)
    for name, life in whole.classes.items():
        assert rest.classes[name].principal == life.principal[70:]
        assert rest.classes[name].interest == life.interest[70:]
        assert rest.classes[name].loss == life.loss[70:]
