"""The loans of Ally Auto Receivables Trust 2017-3 as its exhibit of September 17, 2018 sums them up: balance, APR,
remaining months, age (seven of its fifty pools are empty). Form 8-K, exhibit 99.4 (EDGAR 0001193125-18-274846); its
text is in github.com/bizarc/cfdl (benchmarks/credit/auto_abs_tranches)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poolhouse import deals
from poolhouse.deals.deal import Deal
from poolhouse.valuation import speeds

POOLS = """
5616021.32 0 18 42;2616054.82 0 28 35;4635948.89 0 45 27;2205909.75 0 51 21;147440.15 0.915 14 40
216238.15 0.992 30 41;354043.75 0.907 46 26;342126.24 0.905 51 21;610459.31 1.906 17 41;1144291.74 1.951 31 32
699535.89 1.949 41 23;201897.47 1.869 51 21;13918351.08 2.594 17 40;26181002.53 2.626 31 31;28740527.64 2.684 41 24
9735143.46 2.794 51 21;14533243.98 3.678 17 40;26195374.46 3.667 31 32;37348352.52 3.671 42 26;19509631.08 3.673 52 20
12183065.19 4.661 17 42;20323443.61 4.674 31 33;32071657.98 4.690 42 27;20332473.43 4.674 52 20;6428613.14 5.572 17 43
16325861.98 5.566 32 35;34020451.15 5.608 43 28;22175932.04 5.615 52 20;4214767.90 6.583 18 44;10197295.25 6.567 32 35
28511150.24 6.580 43 28;21518975.29 6.583 52 21;210992.57 6.671 64 9;2314366.62 7.537 17 45;6049009.56 7.527 31 35
17752272.88 7.538 43 28;17560641.20 7.526 53 20;133227.13 7.709 64 8;4089106.53 9.923 17 43;9761650.69 9.773 31 35
26285138.49 9.619 44 26;29949234.04 9.622 53 20;279866.82 9.836 62 11
"""


LOANS = np.array([[float(x) for x in pool.split()] for pool in POOLS.strip().replace("\n", ";").split(";")])
SIZES = {"A-2": 112_026_644, "A-3": 271_370_000, "A-4": 86_010_000, "B": 22_220_000, "C": 18_510_000, "D": 13_750_000}
"""A-2 has been paid down to this by then (the trust's Form 10-D); A-1 is gone."""


def speeds_at(abs_speed: float) -> dict[str, npt.NDArray[np.float64]]:
    """SMM of each pool and month. ABS counts from the loans' origination; when all are prepaid, the SMM is 100."""
    months = LOANS[:, 3][:, None] + np.arange(1, 65)
    lasting = abs_speed * months < 100
    return {"smm": np.where(lasting, speeds.abs_to_smm(abs_speed, np.where(lasting, months, 1)), 100.0)}


def deal() -> Deal:
    """Principal in order. What the pool is above the notes is a class without interest, and interest that no note is
    due goes to a residual, as fees would: the exhibit shows principal only."""
    columns = {"balance": LOANS[:, 0], "wac": LOANS[:, 1], "coupon": LOANS[:, 1], "wam": LOANS[:, 2].astype(int)}
    text = '[deal]\nname = "Ally 2017-3"\n[collateral]\n'
    text += "".join(f"{name} = {column.tolist()}\n" for name, column in columns.items())
    above = round(100 * LOANS[:, 0].sum()) - 100 * sum(SIZES.values())
    rates = {"A-2": 1.53, "A-3": 1.74, "A-4": 2.01, "B": 2.24, "C": 2.37, "D": 2.91}
    for name, size in [*SIZES.items(), ("above", above / 100)]:
        text += f'[[class]]\nname = "{name}"\nbalance = {size}\ncoupon = {rates.get(name, 0)}\n'
    listed = ", ".join(f'"{name}"' for name in SIZES)
    text += '[[class]]\nname = "R"\nresidual = true\n'
    text += f'[[pay]]\nrule = "interest"\nclasses = [{listed}]\n'
    return deals.parse(text + f'[[pay]]\nrule = "sequential"\nclasses = [{listed}, "above"]\n', "ally.toml")
