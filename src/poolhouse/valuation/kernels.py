"""The machine code of valuation: totals by month over any number of loans, for one thread.

Numba lives here and in `kernels_gpu`, imported on first use only: it takes half a second. Compiled once and kept:
the folder's name holds this file's hash, so a new version never meets an old one's code; where no folder can be
written, it is compiled each time. The kernels release the interpreter and keep nothing, so callers run them on plain
threads: no threading layer of Numba is ever started, and a fork or a second caller finds nothing locked.

A block of 256 loans of like term stays in the first-level cache from its first month to its last. Each month's loop
over the block has no branch and no dependence between loans, so that it becomes vector instructions; sums may be
taken in any order (reassoc), and a product and sum may be fused (contract), which is all the freedom given.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import float64, int32, int64, types

BLOCK = 256
LANES = 8  # doubles in the widest vector register there is
_FREE = {"reassoc", "contract", "nsz"}
_BITS = 11  # a term has at most so many

_doubles, _terms, _places = (types.Array(kind, 1, "C", readonly=True) for kind in (float64, int32, int64))
_order, _out, _ring = types.Array(int32, 1, "C"), types.Array(float64, 2, "C"), types.Array(float64, 2, "C")
_LOANS = (_doubles, _doubles, _doubles, _terms, _order)
_STRIP = (_doubles, _places, int64, int64)


def _compiled(signature: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Compiled for these types, kept on disk where that can be."""

    def wrap(function: Callable[..., None]) -> Callable[..., None]:
        options: dict[str, Any] = {"nogil": True, "fastmath": _FREE, "error_model": "numpy"}
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = _cache_folder(before)
        try:
            return numba.njit(signature, cache=True, **options)(function)  # type: ignore[no-any-return]  # Numba has no types
        except (RuntimeError, OSError):  # no folder to keep it in
            return numba.njit(signature, **options)(function)  # type: ignore[no-any-return]  # Numba has no types
        finally:
            numba.config.CACHE_DIR = before

    return wrap


def _cache_folder(chosen: str) -> str:
    """The user's choice, else beside this file, else Numba's own; named by this file's hash."""
    here = Path(__file__)
    name = f"kernels-{hashlib.sha256(here.read_bytes()).hexdigest()[:16]}"
    if chosen:
        return str(Path(chosen) / name)
    beside = here.parent / "__pycache__"
    return str(beside / name) if os.access(beside if beside.is_dir() else here.parent, os.W_OK) else ""


@numba.njit(nogil=True, fastmath=_FREE, error_model="numpy")  # type: ignore[untyped-decorator]  # Numba has no types
def _load(
    balance: Any, wac: Any, coupon: Any, wam: Any, order: Any, low: Any, size: Any, owed: Any, gross: Any, net: Any,
    growth: Any, due: Any,
) -> None:  # fmt: skip
    """A block's loans into its own columns; the block's rest repeats its last loan, with no balance.

    due: the first scheduled principal, balance x rate / ((1 + rate)^term - 1), or balance / term without interest. The
    power less 1 by doubling, all loans of the block a step at a time: all its parts are positive, so no digit is lost.
    """
    terms, grown = np.empty(BLOCK, np.int64), np.zeros(BLOCK)
    for j in range(BLOCK):
        k = order[low + min(j, size - 1)]
        owed[j] = balance[k] if j < size else 0.0
        gross[j] = wac[k] / 1200.0
        net[j] = coupon[k] / 1200.0
        growth[j] = 1.0 + gross[j]
        terms[j] = wam[k]
    for bit in range(_BITS - 1, -1, -1):
        for j in range(BLOCK):
            twice = grown[j] * (2.0 + grown[j])
            grown[j] = twice * growth[j] + gross[j] if (terms[j] >> bit) & 1 else twice
    for j in range(BLOCK):
        due[j] = owed[j] * gross[j] / grown[j] if grown[j] > 0.0 else owed[j] / terms[j]


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]  # Numba has no types
def _first_ending(wam: Any, order: Any, low: Any, active: Any, month: Any) -> Any:
    """Where in a block, longest first, the loans begin whose last month this is."""
    ending = active
    while ending > 0 and wam[order[low + ending - 1]] == month + 1:
        ending -= 1
    return ending


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]  # Numba has no types
def _add(out: Any, month: Any, sums: Any) -> None:
    """A month's sums; an array of them, or a slice below, would cost as much as the month itself."""
    for n in range(len(sums)):
        out[month, n] += sums[n]


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]  # Numba has no types
def _places_of(start: Any, order: Any, low: Any, size: Any, at: Any, least: Any) -> Any:
    """Each loan's place in the strip of rates; the least of them, or what is given."""
    for j in range(BLOCK):
        place = start[order[low + min(j, size - 1)]]
        at[j] = place
        least = min(least, place)
    return least


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]  # Numba has no types
def _look_up(column: Any, rates: Any, at: Any, wide: Any) -> None:
    """In a loop of its own: within the arithmetic it would keep that from becoming vector instructions."""
    for j in range(wide):
        column[j] = rates[at[j]]


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]  # Numba has no types
def _copy(to: Any, source: Any, low: Any, high: Any) -> None:
    for j in range(low, high):
        to[j] = source[j]


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]  # Numba has no types
def _clear(columns: Any, low: Any, high: Any) -> None:
    for column in columns:
        for j in range(low, high):
            column[j] = 0.0


@_compiled(types.void(_terms, _order))
def order_by_term(wam: Any, order: Any) -> None:
    """Rows from the longest term to the shortest, by counting; equal terms stay in order."""
    longest = 0
    for k in range(wam.shape[0]):
        longest = max(longest, wam[k])
    place = np.zeros(longest + 2, np.int64)
    for k in range(wam.shape[0]):
        place[longest - wam[k] + 1] += 1
    for n in range(longest + 1):
        place[n + 1] += place[n]
    for k in range(wam.shape[0]):
        n = longest - wam[k]
        order[place[n]] = k
        place[n] += 1


@_compiled(types.void(*_LOANS, *_STRIP, _out))
def prepaying(
    balance: Any, wac: Any, coupon: Any, wam: Any, order: Any, smm: Any, start: Any, step: Any, flat: Any,
    out: Any,
) -> None:  # fmt: skip
    """Adds to out[month] balance, gross and net interest, scheduled principal and prepayment of loans that only prepay.

    The scheduled principal grows by 1 + rate a month, so it needs no annuity; in the last month it is the balance.
    Speeds are looked up until all loans of a block are where the strip is `flat`: 30 months of 360 at a PSA.
    """
    count = balance.shape[0]
    owed, due, growth = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    gross, net, speed = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    at = np.empty(BLOCK, np.uint64)
    for low in range(0, count, BLOCK):
        size = min(BLOCK, count - low)
        _load(balance, wac, coupon, wam, order, low, size, owed, gross, net, growth, due)
        youngest = _places_of(start, order, low, size, at, flat)
        active = size
        for month in range(wam[order[low]]):
            ending = _first_ending(wam, order, low, active, month)
            _copy(owed, due, ending, active)
            wide = (active + LANES - 1) // LANES * LANES
            if month == 0 or youngest + (month - 1) * step < flat:
                _look_up(speed, smm[month * step :], at, wide)
            s0 = s1 = s2 = s3 = s4 = 0.0
            for j in range(wide):
                s0 += owed[j]
                s1 += owed[j] * gross[j]
                s2 += owed[j] * net[j]
                s3 += due[j]
                rest = owed[j] - due[j]
                prepaid = rest * speed[j]
                s4 += prepaid
                owed[j] = rest - prepaid
                due[j] = due[j] * growth[j] * (1.0 - speed[j])
            _add(out, month, (s0, s1, s2, s3, s4))
            _clear((owed, due), ending, active)
            active = ending


@_compiled(types.void(*_LOANS, *_STRIP, *_STRIP, _doubles, int64, types.boolean, _ring, _ring, _out))
def defaulting(
    balance: Any, wac: Any, coupon: Any, wam: Any, order: Any, smm: Any, smm_start: Any, smm_step: Any,
    smm_flat: Any, mdr: Any, mdr_start: Any, mdr_step: Any, mdr_flat: Any, severity: Any, lag: Any, advance: Any,
    shares: Any, dollars: Any, out: Any,
) -> None:  # fmt: skip
    """The same with defaults: adds also new defaults, recovery and loss. See `schedule` for the formulas and names.

    `shares`, `dollars`: room for the last `lag` months' new defaults of a block, lag x 256 (at least one row).
    """
    count = balance.shape[0]
    left, due, growth, gross, net = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    alive, waiting, speed, fails = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    old_share, old_dollar, last = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK, np.int64)
    at, at_default = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    prepays, defaults = np.empty(BLOCK), np.empty(BLOCK)
    for low in range(0, count, BLOCK):
        size = min(BLOCK, count - low)
        shares[:, :], dollars[:, :] = 0.0, 0.0
        _load(balance, wac, coupon, wam, order, low, size, left, gross, net, growth, due)
        youngest = _places_of(smm_start, order, low, size, at, smm_flat)
        youngest_default = _places_of(mdr_start, order, low, size, at_default, mdr_flat)
        for j in range(BLOCK):
            alive[j], waiting[j], last[j] = 1.0, 0.0, wam[order[low + min(j, size - 1)]] - lag
        active = size
        for month in range(wam[order[low]]):
            ending = _first_ending(wam, order, low, active, month)
            _copy(left, due, ending, active)
            wide = (active + LANES - 1) // LANES * LANES
            if month == 0 or youngest + (month - 1) * smm_step < smm_flat:
                _look_up(prepays, smm[month * smm_step :], at, wide)
            if month == 0 or youngest_default + (month - 1) * mdr_step < mdr_flat:
                _look_up(defaults, mdr[month * mdr_step :], at_default, wide)
            slot = month % lag if lag > 0 else 0
            for j in range(wide):
                fails[j] = defaults[j] if month < last[j] else 0.0
                speed[j] = min(prepays[j], 1.0 - fails[j])
                old_share[j] = shares[slot, j] if lag > 0 else alive[j] * fails[j]
                old_dollar[j] = dollars[slot, j] if lag > 0 else alive[j] * fails[j] * left[j]
            s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
            for j in range(wide):
                new = alive[j] * fails[j]
                failed = left[j] * new
                if advance:
                    in_foreclosure = max(waiting[j] + new - old_share[j], 0.0)
                    owed = left[j] * (alive[j] + waiting[j])
                    scheduled = due[j] * (alive[j] - new + in_foreclosure)
                    liquidated, bearing = left[j] * old_share[j], owed
                else:
                    in_foreclosure = max(waiting[j] + failed - old_dollar[j], 0.0)
                    owed = left[j] * alive[j] + waiting[j]
                    scheduled = due[j] * (alive[j] - new)
                    liquidated, bearing = old_dollar[j], left[j] * (alive[j] - new)
                lost = min(old_dollar[j] * severity[month], liquidated)
                after = left[j] - due[j]
                s0 += owed
                s1 += bearing * gross[j]
                s2 += bearing * net[j]
                s3 += scheduled
                s4 += after * alive[j] * speed[j]
                s5 += failed
                s6 += liquidated - lost
                s7 += lost
                shares[slot, j], dollars[slot, j] = new, failed
                waiting[j] = in_foreclosure
                alive[j] = max(alive[j] * (1.0 - fails[j] - speed[j]), 0.0)
                left[j], due[j] = after, due[j] * growth[j]
            _add(out, month, (s0, s1, s2, s3, s4, s5, s6, s7))
            _clear((left, due, alive, waiting), ending, active)
            active = ending


# --- Paths of rates: one pool, many paths. Columns are paths, so that each month's loop over them is vector code.

_matrix, _row, _fixed = _out, types.Array(float64, 1, "C"), types.Array(float64, 2, "C", readonly=True)


@_compiled(types.void(_fixed, int64, _fixed, _doubles, _doubles, _matrix, _row))
def path_flows(smm: Any, low: Any, discount: Any, kept: Any, prepaid: Any, worth: Any, alive: Any) -> None:
    """Adds to worth[month, path] the discounted payment of the paths from `low` on.

    A month pays kept + prepaid x SMM, of what is alive (no loan prepaid yet: 1) at its beginning. smm: months x some
    paths; discount, worth: months x all paths; alive: room for one month of the chunk's paths, left at the last.
    """
    width = smm.shape[1]
    for j in range(width):
        alive[j] = 1.0
    for month in range(smm.shape[0]):
        speeds, factors, out = smm[month], discount[month, low : low + width], worth[month, low : low + width]
        for j in range(width):
            out[j] += alive[j] * (kept[month] + prepaid[month] * speeds[j]) * factors[j]
            alive[j] *= 1.0 - speeds[j]


@_compiled(types.void(_fixed, int64, _fixed, _fixed, _doubles, int64, types.boolean, _matrix, _matrix, _matrix))
def path_losses(
    smm: Any, low: Any, discount: Any, terms: Any, mdr: Any, lag: Any, advance: Any, worth: Any, state: Any,
    recent: Any,
) -> None:  # fmt: skip
    """The same with defaults, of which the holders bear the loss; see `schedule` for the formulas and names.

    terms: dollars a month by the share of all loans that bears interest, is due its scheduled principal, prepays, and
    is liquidated. state: room for one month of the chunk's paths, twice; recent: for `lag` months of them (at least
    one). mdr: 0 in the last `lag` months.
    """
    width, months = smm.shape[1], smm.shape[0]
    alive, waiting = state[0], state[1]
    recent[:, :] = 0.0
    for j in range(width):
        alive[j], waiting[j] = 1.0, 0.0
    for month in range(months):
        speeds, factors, out = smm[month], discount[month, low : low + width], worth[month, low : low + width]
        fails, past = mdr[month], recent[month % lag if lag > 0 else 0]
        for j in range(width):
            speed = min(speeds[j], 1.0 - fails)
            new = alive[j] * fails
            old = past[j] if lag > 0 else new
            performing = alive[j] - new
            bearing = performing
            if advance:
                bearing = alive[j] + waiting[j]
                waiting[j] = max(waiting[j] + new - old, 0.0)
                performing += waiting[j]
            paid = terms[0, month] * bearing + terms[1, month] * performing + terms[2, month] * alive[j] * speed
            out[j] += (paid + terms[3, month] * old) * factors[j]
            past[j] = new
            alive[j] = max(alive[j] * (1.0 - fails - speed), 0.0)


@_compiled(types.void(_fixed, int64, _fixed, _fixed, _fixed, _matrix, _matrix, _row))
def path_servicing(
    smm: Any, low: Any, discount: Any, short: Any, terms: Any, worth: Any, sums: Any, alive: Any
) -> None:
    """The same for servicing, which also earns the month's short rate: a month pays terms[0] + terms[1] x SMM +
    rate x (terms[2] + terms[3] x SMM). Adds to sums[month] what each of the four multiplies, discounted."""
    width = smm.shape[1]
    for j in range(width):
        alive[j] = 1.0
    for month in range(smm.shape[0]):
        speeds, factors, out = smm[month], discount[month, low : low + width], worth[month, low : low + width]
        rates = short[month, low : low + width]
        s0 = s1 = s2 = s3 = 0.0
        for j in range(width):
            present = alive[j] * factors[j]
            prepaying = present * speeds[j]
            out[j] += (
                present * terms[0, month] + prepaying * terms[1, month]
                + rates[j] * (present * terms[2, month] + prepaying * terms[3, month])
            )  # fmt: skip
            s0 += present
            s1 += prepaying
            s2 += present * rates[j]
            s3 += prepaying * rates[j]
            alive[j] *= 1.0 - speeds[j]
        _add(sums, month, (s0, s1, s2, s3))


@numba.njit(nogil=True, fastmath=_FREE, error_model="numpy")  # type: ignore[untyped-decorator]  # Numba has no types
def _looked_up(table: Any, low: Any, per_unit: Any, at: Any) -> Any:
    """A table's value between its points, straight; the end ones outside."""
    place = min(max((at - low) * per_unit, 0.0), table.shape[0] - 1.000001)
    whole = np.uint64(np.int64(place))  # no sign: an index that might be negative is no vector code
    return table[whole] + (place - whole) * (table[whole + np.uint64(1)] - table[whole])


_TABLE = (_doubles, float64, float64)


@_compiled(types.void(
    _fixed, int64, float64, _doubles, _doubles, _doubles, _doubles, _doubles, *_TABLE, *_TABLE, *_TABLE, float64,
    float64, _matrix, _row, _row,
))  # fmt: skip
def path_speeds(
    rates: Any, low: Any, wac: Any, lag: Any, past: Any, turnover: Any, refinance: Any, kept: Any, stays: Any,
    stays_low: Any, stays_per: Any, takes: Any, takes_low: Any, takes_per: Any, burn: Any, burn_low: Any,
    burn_per: Any, burn_from: Any, exposure: Any, out: Any, gain: Any, passed: Any,
) -> None:  # fmt: skip
    """SMM of the paths from `low` on into out[month, path]; see `quick_speeds` for the formula and the names.

    rates: months x all paths; past: rates before them, the newest last, one fewer than the lag at least, or none: then
    they were the first month's. gain, passed: room for one month of the chunk's paths.
    """
    width = out.shape[1]
    for j in range(width):
        passed[j] = exposure
    for month in range(out.shape[0]):
        for j in range(width):
            gain[j] = wac
        for back in range(lag.shape[0]):
            if back <= month or past.shape[0] == 0:
                row = rates[max(month - back, 0), low : low + width]
                for j in range(width):
                    gain[j] -= lag[back] * row[j]
            else:
                before = lag[back] * past[past.shape[0] + month - back]
                for j in range(width):
                    gain[j] -= before
        speeds = out[month]
        for j in range(width):
            moving = turnover[month] * _looked_up(stays, stays_low, stays_per, gain[j])
            saving = refinance[month] * _looked_up(takes, takes_low, takes_per, gain[j])
            both = moving + saving * _looked_up(burn, burn_low, burn_per, passed[j])
            speeds[j] = 1.0 - (1.0 - min(max(both, 0.0), 1.0)) * kept[month]
            passed[j] += max(gain[j] - burn_from, 0.0) / 12.0
