"""Short rates that are a curve's forwards plus one or two mean-reverting normal factors.

One factor is Hull and White's model (1990), two are G2++ (Brigo and Mercurio, Interest Rate Models, 2nd edition,
chapter 4): r = x + y + what fits today's curve, dx = -a x dt + sigma dW, dy = -b y dt + eta dZ, dW dZ = rho dt.
Everything needed is normal and in closed form: bonds, swaptions, and steps of any length without error of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from poolhouse.valuation.wrong import Floats, WrongInput, numbers, require

SLOWEST, FASTEST = 1e-4, 10.0
"""Mean reversions a year. Below, the closed forms lose digits, and the model is Ho and Lee's."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)


@dataclass(frozen=True)
class Gaussian:
    """reversion: a year, one for each factor; volatility: percent a year; correlation of the two factors."""

    reversion: tuple[float, ...]
    volatility: tuple[float, ...]
    correlation: float = 0.0

    def __post_init__(self) -> None:
        if len(self.reversion) != len(self.volatility) or not 1 <= len(self.reversion) <= 2:
            raise WrongInput("a model has one or two factors, each with its reversion and volatility")
        numbers("reversion", self.reversion, SLOWEST, FASTEST)
        numbers("volatility", self.volatility, 0, 100)
        rho = numbers("correlation", self.correlation, -1, 1)
        require("correlation", rho, np.abs(rho) < 1, "must lie between -1 and 1: else there is one factor only")

    @property
    def factors(self) -> int:
        """One or two."""
        return len(self.reversion)

    @cached_property
    def covariance(self) -> Floats:
        """Of the factors' shocks, a year."""
        sigma = np.array(self.volatility) / 100
        mixed = np.full((self.factors, self.factors), self.correlation)
        np.fill_diagonal(mixed, 1.0)
        return np.asarray(mixed * sigma[:, None] * sigma[None, :])

    def loading(self, years: Floats | float) -> Floats:
        """B: how the logarithm of a bond falls with each factor; factors first, then the shape of `years`."""
        return np.stack([_decayed(a, years) for a in self.reversion])

    def bond_variance(self, years: Floats | float) -> Floats:
        """Variance of the factors' integral over so many years from now, factors at 0 now."""
        at = np.asarray(years, dtype=np.float64)
        total = np.zeros(at.shape)
        for i, a in enumerate(self.reversion):
            for j, b in enumerate(self.reversion):
                total += self.covariance[i, j] * _product_integral(a, b, at)
        return total

    def state_covariance(self, years: float) -> Floats:
        """Of the factors after so many years."""
        a = np.array(self.reversion)
        return np.asarray(self.covariance * _decayed_matrix(a[:, None] + a[None, :], years))

    def state_integral_covariance(self, years: float) -> Floats:
        """Of each factor's end with the integral of all, over a step, from 0."""
        nodes, weights = (_NODES + 1) / 2 * years, _WEIGHTS / 2 * years
        decay = np.exp(-np.outer(self.reversion, nodes))
        return np.asarray(np.einsum("ij,in,jn,n->i", self.covariance, decay, self.loading(nodes), weights))

    def bond_shift(self, start: Floats | float, years: Floats | float) -> Floats:
        """ln P(t, t+n) - ln P(0, t+n)/P(0, t) with the factors at 0: the convexity a bond has ahead."""
        begin = np.asarray(start, dtype=np.float64)
        ahead, whole, sofar = (self.bond_variance(n) for n in (np.asarray(years), begin + years, begin))
        return np.asarray((ahead - whole + sofar) / 2)


def hull_white(reversion: float, volatility: float) -> Gaussian:
    """One factor: mean reversion a year, volatility in percent a year (0.9 is 90 basis points)."""
    return Gaussian((reversion,), (volatility,))


def gaussian2(reversion: tuple[float, float], volatility: tuple[float, float], correlation: float) -> Gaussian:
    """Two factors, G2++."""
    return Gaussian(reversion, volatility, correlation)


def _decayed(speed: float, years: Floats | float) -> Floats:
    """(1 - exp(-speed n)) / speed."""
    return np.asarray(-np.expm1(-speed * np.asarray(years)) / speed)


def _decayed_matrix(speed: Floats, years: float) -> Floats:
    return np.asarray(-np.expm1(-speed * years) / speed)


def _product_integral(a: float, b: float, years: Floats) -> Floats:
    """Integral of B_a(s) B_b(s) from 0 to n. Over short times the closed form is a difference of near equals, and
    Gauss's rule is exact to the last digits."""
    nodes = (_NODES + 1) / 2 * years[..., None]
    short = (_decayed(a, nodes) * _decayed(b, nodes) * _WEIGHTS).sum(axis=-1) * years / 2
    long = (years - _decayed(a, years) - _decayed(b, years) + _decayed(a + b, years)) / (a * b)
    return np.asarray(np.where(max(a, b) * years < 2, short, long))
