"""The rules of deals that bear losses: shifting interest, enhancement, overcollateralisation, carry-over, reserve.

Every percentage is the deal's own and stands in its file: shares are whole numbers of 1e-7, as rates are.
"""

from __future__ import annotations

from dataclasses import dataclass

from poolhouse.deals.trust import INTEREST, PRINCIPAL, Groups, Trust, flat, percentage
from poolhouse.money import RATE_ONE, half_up_div

SENIOR, SUBORDINATE = "senior", "subordinate"
Steps = tuple[tuple[int, int], ...]
"""(month from which, share) in order."""


def from_month(steps: Steps, month: int, before: int) -> int:
    """The share that holds in a month: of the last step reached, or `before`."""
    reached = [share for start, share in steps if start <= month]
    return reached[-1] if reached else before


def late_over(trust: Trust, base: int, most_e7: int) -> bool:
    """Collateral 60 days late, the mean of some months, is more than this share of `base`."""
    return sum(trust.late) * RATE_ONE > most_e7 * base * len(trust.late)


def lost_over(trust: Trust, base: int, most_e7: int) -> bool:
    """Losses so far are more than this share of `base`."""
    return trust.lost * RATE_ONE > most_e7 * base


@dataclass(frozen=True)
class Interest:
    """Interest due and interest unpaid from before, to the classes in order; within a group by what is due."""

    groups: Groups

    def pay(self, trust: Trust) -> None:
        for group in self.groups:
            trust.pay_interest(group, INTEREST)


@dataclass(frozen=True)
class TwoTimes:
    """Once the subordinate share has doubled and losses are few: another share before and after a month."""

    month: int
    losses_before_e7: int
    share_before_e7: int
    losses_after_e7: int
    share_after_e7: int


@dataclass(frozen=True)
class Shifting:
    """Shifting interest. Scheduled principal goes to senior and subordinate by balance; of what is unscheduled seniors
    get their percentage + a share of the subordinate percentage, 100% first and then falling by year.

    shares: the share from each month on. It falls only while lateness is within `late_e7` of the subordinate balance
    and losses within `losses` (from each month on) of that at closing; else it stays. Seniors above their percentage
    at closing: all of it. The parts go to the pots `senior` and `subordinate`.
    """

    senior: Groups
    subordinate: Groups
    shares: Steps
    late_e7: int
    losses: Steps
    two_times: TwoTimes | None = None

    def pay(self, trust: Trust) -> None:
        ours, all_of_it = trust.before(self.senior), trust.before(self.senior) + trust.before(self.subordinate)
        pot = trust.pots.get(PRINCIPAL, 0)
        if not all_of_it:
            return
        if not trust.before(self.subordinate):
            trust.move(pot, PRINCIPAL, SENIOR)
            return
        unscheduled = min(trust.received.unscheduled, pot)
        share = self.share(trust)
        theirs = trust.before(self.subordinate)
        to_senior = half_up_div((pot - unscheduled) * ours, all_of_it)
        to_senior += half_up_div(unscheduled * (ours * RATE_ONE + theirs * share), all_of_it * RATE_ONE)
        trust.move(to_senior, PRINCIPAL, SENIOR)
        trust.move(pot - to_senior, PRINCIPAL, SUBORDINATE)

    def share(self, trust: Trust) -> int:
        """Of the subordinate percentage, that seniors take of unscheduled principal this month."""
        ours, theirs = trust.before(self.senior), trust.before(self.subordinate)
        first_ours, first_theirs = trust.at_closing(self.senior), trust.at_closing(self.subordinate)
        if percentage(ours, ours + theirs) > percentage(first_ours, first_ours + first_theirs):
            return RATE_ONE  # and the step-down's memory stays as it was
        allowed = from_month(self.shares, trust.month, RATE_ONE)
        held = RATE_ONE if trust.held_share is None else trust.held_share
        if allowed < held and self._passes(trust, theirs, first_theirs):
            held = trust.held_share = allowed
        return min(held, self._doubled(trust, (theirs, ours), (first_theirs, first_ours)))

    def _passes(self, trust: Trust, theirs: int, first_theirs: int) -> bool:
        most = from_month(self.losses, trust.month, 0)
        return not late_over(trust, theirs, self.late_e7) and not lost_over(trust, first_theirs, most)

    def _doubled(self, trust: Trust, now: tuple[int, int], first: tuple[int, int]) -> int:
        test = self.two_times
        if test is None or now[0] * sum(first) < 2 * first[0] * sum(now) or late_over(trust, now[0], self.late_e7):
            return RATE_ONE
        early = trust.month <= test.month
        most = test.losses_before_e7 if early else test.losses_after_e7
        if lost_over(trust, first[0], most):
            return RATE_ONE
        return test.share_before_e7 if early else test.share_after_e7


@dataclass(frozen=True)
class Enhancement:
    """Credit-risk transfer. Principal goes to senior and subordinate by balance while the subordinate share of the
    reference pool is at least `required_e7` and lateness within `late_e7` of the subordinate balance; else the senior
    class gets all that is unscheduled, and with `scheduled_too` all. What liquidations recover is always the senior
    class's. To the pots `senior` and `subordinate`.
    """

    senior: Groups
    subordinate: Groups
    required_e7: int
    late_e7: int
    scheduled_too: bool = False

    def pay(self, trust: Trust) -> None:
        pot, ours, theirs = trust.pots.get(PRINCIPAL, 0), trust.before(self.senior), trust.before(self.subordinate)
        if not ours + theirs:
            return
        enhanced = percentage(theirs, ours + theirs) >= self.required_e7
        passes = enhanced and not late_over(trust, theirs, self.late_e7)
        kept = trust.received.recovered if passes else pot if self.scheduled_too else trust.received.unscheduled
        shared = max(pot - kept, 0)
        to_subordinate = half_up_div(shared * theirs, ours + theirs)
        trust.move(to_subordinate, PRINCIPAL, SUBORDINATE)
        trust.move(pot - to_subordinate, PRINCIPAL, SENIOR)


@dataclass(frozen=True)
class Overcollateralisation:
    """Excess interest becomes principal until the collateral exceeds the classes by the target; what is above the
    target is released from principal to interest.

    target_e7 of the closing collateral; once the step-down is reached and passed, `released_e7` of the current one less
    `less_e7` of the closing one (what a reserve holds); never less than `floor_e7` of the closing one. So losses, which
    lower the collateral, are made good first.
    """

    target_e7: int
    floor_e7: int
    released_e7: int | None = None
    less_e7: int = 0

    def pay(self, trust: Trust) -> None:
        pot = trust.pots.get(PRINCIPAL, 0)
        owed = trust.outstanding - pot
        short = self.target(trust) - (trust.received.after - owed)
        if short > 0:
            trust.move(max(min(trust.pots[INTEREST], short, owed), 0), INTEREST, PRINCIPAL)
        else:
            trust.move(min(-short, pot), PRINCIPAL, INTEREST)

    def target(self, trust: Trust) -> int:
        least = half_up_div(trust.closing * self.floor_e7, RATE_ONE)
        if trust.released and self.released_e7 is not None:
            wanted = half_up_div(trust.received.after * self.released_e7 - trust.closing * self.less_e7, RATE_ONE)
        else:
            wanted = half_up_div(trust.closing * self.target_e7, RATE_ONE)
        return min(max(wanted, least), trust.received.after)


@dataclass(frozen=True)
class CarryOver:
    """What the net-WAC cap cut in this and earlier months, with interest on it, out of excess interest in order."""

    groups: Groups

    def pay(self, trust: Trust) -> None:
        for name in flat(self.groups):
            part = min(trust.carried[name], trust.pots[INTEREST])
            trust.carried[name] -= part
            trust.paid[name].interest += part
            trust.pots[INTEREST] -= part


@dataclass(frozen=True)
class ReserveDraw:
    """The reserve fund pays interest that is due and unpaid, in order, then the classes' principal that losses would
    leave uncovered."""

    groups: Groups

    def pay(self, trust: Trust) -> None:
        pot = "reserve"
        trust.pots[pot] = trust.reserve
        for group in self.groups:
            trust.pay_interest(group, pot)
        uncovered = trust.outstanding - trust.pots.get(PRINCIPAL, 0) - trust.received.after
        trust.move(max(min(uncovered, trust.pots[pot]), 0), pot, PRINCIPAL)
        trust.reserve = trust.pots.pop(pot)


@dataclass(frozen=True)
class ReserveFund:
    """Excess interest fills the reserve fund to its target, a share of the closing collateral."""

    target_e7: int

    def pay(self, trust: Trust) -> None:
        target = half_up_div(trust.closing * self.target_e7, RATE_ONE)
        part = max(min(target - trust.reserve, trust.pots[INTEREST]), 0)
        trust.pots[INTEREST] -= part
        trust.reserve += part


CreditRule = Interest | Shifting | Enhancement | Overcollateralisation | CarryOver | ReserveDraw | ReserveFund


@dataclass(frozen=True)
class StepDown:
    """When a deal may release: from a month, with the enhancement of its senior classes at twice that at closing if
    `doubled`, lateness within `late_e7` of that enhancement and losses within `losses` of the closing collateral."""

    month: int
    senior: Groups
    late_e7: int
    losses: Steps
    doubled: bool = False

    def reached(self, trust: Trust) -> bool:
        """Before the month's payments."""
        enhancement = max(trust.received.balance - trust.before(self.senior), 0)
        first = trust.closing - trust.at_closing(self.senior)
        if trust.month < self.month:
            return False
        if self.doubled and enhancement * trust.closing < 2 * first * trust.received.balance:
            return False
        most = from_month(self.losses, trust.month, RATE_ONE)
        return not late_over(trust, enhancement, self.late_e7) and not lost_over(trust, trust.closing, most)
