"""A class of a deal and the rate it pays: fixed, floating, inverse, the collateral's own, or none.

Rates are whole numbers of 1e-7 (7.5% = 750_000), amounts whole cents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from poolhouse import money
from poolhouse.deals.collateral import Received


@dataclass(frozen=True)
class Fixed:
    """One rate for life; 0 for principal only."""

    rate_e7: int

    def rate(self, index_e7: int) -> int:
        return self.rate_e7


@dataclass(frozen=True)
class Floater:
    """Index + margin, not above the cap nor below the floor."""

    margin_e7: int
    cap_e7: int | None
    floor_e7: int

    def rate(self, index_e7: int) -> int:
        return _within(index_e7 + self.margin_e7, self.floor_e7, self.cap_e7)


@dataclass(frozen=True)
class Inverse:
    """Constant - multiple x index, not above the cap nor below the floor."""

    constant_e7: int
    multiple: Fraction
    cap_e7: int | None
    floor_e7: int

    def rate(self, index_e7: int) -> int:
        fall = money.half_up_div(self.multiple.numerator * index_e7, self.multiple.denominator)
        return _within(self.constant_e7 - fall, self.floor_e7, self.cap_e7)


@dataclass(frozen=True)
class NetWac:
    """Its share of what the collateral pays after servicing."""


def _share(base: int, received: Received) -> int:
    """Of what the collateral pays, that of this balance."""
    return money.half_up_div(base * received.interest, received.balance) if received.balance else 0


def _within(rate: int, floor: int, cap: int | None) -> int:
    return max(rate if cap is None else min(rate, cap), floor)


Coupon = Fixed | Floater | Inverse | NetWac


@dataclass(frozen=True)
class Class:
    """One class: its size at closing in cents, what it pays, and what makes it special.

    notional: the classes whose balance it earns interest on (interest only: it has none of its own), and the share of
    it; accrues_until: an accrual class adds its interest to its balance until these are retired; capped: pays no more
    than the collateral's rate, and carries over what that cuts; residual: gets what is left.
    """

    name: str
    balance: int
    coupon: Coupon
    notional: tuple[str, ...] = ()
    notional_e7: int = money.RATE_ONE
    accrues_until: tuple[str, ...] = ()
    capped: bool = False
    residual: bool = False
    delay_days: int = 0

    @cached_property
    def bears_interest(self) -> bool:
        return not self.residual and self.coupon != Fixed(0)

    def base(self, balance: Mapping[str, int]) -> int:
        """What it earns interest on: its own balance, or its share of others'."""
        if not self.notional:
            return balance[self.name]
        return money.half_up_div(sum(balance[name] for name in self.notional) * self.notional_e7, money.RATE_ONE)

    def interest(self, base: int, index_e7: int, received: Received) -> tuple[int, int]:
        """A month's interest, and what the net-WAC cap cut of it. 30/360, half up to the cent."""
        if isinstance(self.coupon, NetWac):
            return _share(base, received), 0
        whole = money.monthly_interest(base, self.coupon.rate(index_e7))
        due = min(whole, _share(base, received)) if self.capped else whole
        return due, whole - due

    def interest_on(self, amount: int, index_e7: int) -> int:
        """A month's interest at its own rate on an amount carried over."""
        return 0 if isinstance(self.coupon, NetWac) else money.monthly_interest(amount, self.coupon.rate(index_e7))
