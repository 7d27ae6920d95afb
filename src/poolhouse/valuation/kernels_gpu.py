"""The totals by month on a graphics card (CUDA), for those who have one: extra `gpu`. Same formulas as `kernels`.

A thread takes a loan from its first month to its last. Four months' sums of a block's 128 loans are laid side by side
in the block's shared memory and added there; each block keeps totals of its own, which the host adds in order. So there
is no atomic addition, and the answer is the same every time. Loans come longest first: a block's threads end together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda, float64

from poolhouse.findings import Refused
from poolhouse.valuation import kernels, schedule
from poolhouse.valuation.terms import Pools, Speeds
from poolhouse.valuation.wrong import Floats

THREADS, MONTHS, SUMS = 128, 4, 8
COLUMNS, PARTS = MONTHS * SUMS, 4
"""Sums in shared memory, each added by so many threads."""
BLOCKS = 1_024
RUN, WIDE_RUN = 1_048_576, 65_536
"""Loans on the card at a time; fewer when each has speeds of its own."""
_BITS = 11
_PAD = THREADS + 1  # a row more, so that threads reading down a column meet in no bank


@cuda.jit(device=True)  # type: ignore[untyped-decorator]
def _first_share(rate: Any, term: Any) -> Any:
    """The first scheduled principal as a share of the balance, by doubling: see `kernels._load`."""
    grown = 0.0
    for step in range(_BITS):
        grown = grown * (2.0 + grown)
        if (term >> (_BITS - 1 - step)) & 1:
            grown = grown * (1.0 + rate) + rate
    return rate / grown if grown > 0.0 else 1.0 / term


@cuda.jit(device=True)  # type: ignore[untyped-decorator]
def _add(tile: Any, part: Any, out: Any, first: Any, longest: Any) -> None:
    """The block's loans of four months, added into its totals: 32 sums, each by four threads, then by one."""
    thread, block = cuda.threadIdx.x, cuda.blockIdx.x
    cuda.syncthreads()
    column, share = thread // PARTS, thread % PARTS
    total = 0.0
    for k in range(share * (THREADS // PARTS), (share + 1) * (THREADS // PARTS)):
        total += tile[column, k]
    part[column, share] = total
    cuda.syncthreads()
    if thread < COLUMNS and first + thread // SUMS < longest:
        whole = part[thread, 0] + part[thread, 1] + part[thread, 2] + part[thread, 3]
        out[block, first + thread // SUMS, thread % SUMS] += whole
    cuda.syncthreads()


@cuda.jit  # type: ignore[untyped-decorator]
def _totals(
    balance: Any, wac: Any, coupon: Any, wam: Any, order: Any, smm: Any, smm_start: Any, smm_step: Any, mdr: Any,
    mdr_start: Any, mdr_step: Any, severity: Any, lag: Any, advance: Any, shares: Any, dollars: Any, out: Any,
) -> None:  # fmt: skip
    """As `kernels.defaulting`; without defaults mdr and lag are 0. shares, dollars: lag x threads of the grid."""
    tile = cuda.shared.array((COLUMNS, _PAD), float64)
    part = cuda.shared.array((COLUMNS, PARTS), float64)
    thread = cuda.threadIdx.x
    own = cuda.blockIdx.x * THREADS + thread
    for low in range(cuda.blockIdx.x * THREADS, len(order), cuda.gridDim.x * THREADS):
        longest = wam[order[low]]
        loan = order[low + thread] if low + thread < len(order) else -1
        term = wam[loan] if loan >= 0 else 0
        gross = wac[loan] / 1200.0 if loan >= 0 else 0.0
        net = coupon[loan] / 1200.0 if loan >= 0 else 0.0
        left = balance[loan] if loan >= 0 else 0.0
        due = left * _first_share(gross, term) if loan >= 0 else 0.0
        alive, waiting = 1.0, 0.0
        for slot in range(lag):
            shares[slot, own] = 0.0
            dollars[slot, own] = 0.0
        for first in range(0, longest, MONTHS):
            for ahead in range(MONTHS):
                month = first + ahead
                if month >= term:
                    for n in range(SUMS):
                        tile[ahead * SUMS + n, thread] = 0.0
                    continue
                fails = mdr[mdr_start[loan] + month * mdr_step] if month < term - lag else 0.0
                prepays = min(smm[smm_start[loan] + month * smm_step], 1.0 - fails)
                new = alive * fails
                failed = left * new
                slot = month % lag if lag > 0 else 0
                old_share, old_dollar = new, failed
                if lag > 0:
                    old_share, old_dollar = shares[slot, own], dollars[slot, own]
                    shares[slot, own], dollars[slot, own] = new, failed
                if month == term - 1:
                    due = left
                if advance:
                    in_foreclosure = max(waiting + new - old_share, 0.0)
                    owed = left * (alive + waiting)
                    scheduled = due * (alive - new + in_foreclosure)
                    liquidated, bearing = left * old_share, owed
                else:
                    in_foreclosure = max(waiting + failed - old_dollar, 0.0)
                    owed = left * alive + waiting
                    scheduled = due * (alive - new)
                    liquidated, bearing = old_dollar, left * (alive - new)
                lost = min(old_dollar * severity[month], liquidated)
                at = ahead * SUMS
                tile[at, thread] = owed
                tile[at + 1, thread] = bearing * gross
                tile[at + 2, thread] = bearing * net
                tile[at + 3, thread] = scheduled
                tile[at + 4, thread] = (left - due) * alive * prepays
                tile[at + 5, thread] = failed
                tile[at + 6, thread] = liquidated - lost
                tile[at + 7, thread] = lost
                waiting = in_foreclosure
                alive = max(alive * (1.0 - fails - prepays), 0.0)
                left -= due
                due *= 1.0 + gross
            _add(tile, part, out, first, longest)


def sums(given: Pools, speeds: Speeds) -> Floats:
    """`schedule.SUMS` by month, months x 8. Refused where no card is found."""
    if not cuda.is_available():
        raise Refused(
            "device 'gpu': no CUDA device is found here; leave device out, or install poolhouse[gpu] and a driver"
        )
    months, run = given.months, WIDE_RUN if speeds.wide else RUN
    total = np.zeros((months, len(schedule.SUMS)))
    for first in range(0, len(given), run):
        rows = slice(first, first + run)
        total += _run(given.part(rows), speeds, rows, months)
    return total


def _run(part: Pools, speeds: Speeds, rows: slice, months: int) -> Floats:
    order = np.empty(len(part), dtype=np.int32)
    kernels.order_by_term(part.wam, order)
    prepay, default = speeds.strips(part, rows, months)
    lag = 0 if default.none else speeds.lag
    blocks = min(-(-len(part) // THREADS), BLOCKS)
    out = cuda.to_device(np.zeros((blocks, months, SUMS)))
    room = cuda.device_array((2, max(lag, 1), blocks * THREADS), dtype=np.float64)
    columns = [np.ascontiguousarray(c) for c in (part.balance, part.wac, part.coupon, part.wam, order)]
    strips = (prepay.rates, prepay.start, prepay.step, default.rates, default.start, default.step)
    on_card = [cuda.to_device(given) if isinstance(given, np.ndarray) else given for given in (*columns, *strips)]
    severity = cuda.to_device(np.ascontiguousarray(speeds.severities(months)))
    _totals[blocks, THREADS](*on_card, severity, lag, speeds.advance, room[0], room[1], out)
    return np.asarray(out.copy_to_host().sum(axis=0))
