"""What an estimate's error is where observations of one cluster (a calendar month) share a shock.

The covariance is a sandwich: how the estimate moves when one cluster is left out, to first order, summed over clusters
(the jackknife, "CV3" of MacKinnon, Nielsen and Webb, "Cluster-robust inference: a guide to empirical practice", Journal
of Econometrics 232, 2023). The plain sandwich of summed scores is too small where clusters are few; this one rather
errs to the other side. Clusters are taken as independent of each other.
"""

from __future__ import annotations

import numpy as np

from poolhouse.valuation.wrong import Floats

_ALONE = 1e-6
"""Share of what is known of a direction that stays without one cluster, below which that cluster alone tells it."""
_Z = 1.959963984540054


def clustered_covariance(scores: Floats, informations: Floats) -> Floats | None:
    """Covariance of the estimate, from clusters' scores (clusters x parameters) and informations (x parameters).

    None where there are fewer than two clusters, or one alone tells a parameter: then nobody knows its error.
    """
    count = len(scores)
    if count < 2:
        return None
    whole = informations.sum(axis=0)
    size = np.sqrt(whole.diagonal())
    rest = (whole - informations) / np.outer(size, size)  # on one scale, so that eigenvalues compare
    least = np.linalg.eigvalsh(whole / np.outer(size, size))[0]
    if np.linalg.eigvalsh(rest)[:, 0].min() < _ALONE * least:
        return None
    moved = np.linalg.solve(rest, (scores / size)[:, :, None])[:, :, 0] / size
    return np.asarray((count - 1) / count * moved.T @ moved)


def t_95(freedom: int) -> float:
    """Student's two-sided 95% point, by Fisher's expansion about the normal one; within 0.2% from 3 degrees on.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
    """
    terms = (
        (_Z**3 + _Z) / 4,
        (5 * _Z**5 + 16 * _Z**3 + 3 * _Z) / 96,
        (3 * _Z**7 + 19 * _Z**5 + 17 * _Z**3 - 15 * _Z) / 384,
        (79 * _Z**9 + 776 * _Z**7 + 1482 * _Z**5 - 1920 * _Z**3 - 945 * _Z) / 92160,
    )
    return _Z + sum(term / float(freedom) ** power for power, term in enumerate(terms, 1))
