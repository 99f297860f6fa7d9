"""How likely the largest of several normal numbers is as large as one seen, for any correlation between them."""

from __future__ import annotations

import numpy as np

from outcomes.results import Array

__all__ = ["chance_of_larger"]

_POINTS = 1 << 16
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)


def chance_of_larger(value: float, correlation: Array) -> float:
    """Return P(max_k |Z_k| > value) for Z normal with mean 0 and this correlation, shape (K, K), which may be singular.

    Z = L x with x standard normal in r dimensions. Given its direction u, max |Z| is the length of x times m(u) = max |L u|, and
    the length squared is chi-squared with r degrees of freedom: only directions are left to average over. They are those of a
    fixed set of points spread evenly, so that the answer is the same each time (error about 1e-3 of the answer at most for K to 6).
    """
    from scipy.special import chdtrc, ndtri

    size, vector = np.linalg.eigh(correlation)
    kept = size > 1e-10 * size.max()
    root = vector[:, kept] * np.sqrt(size[kept])
    rank = root.shape[1]
    if rank == 1:
        return float(chdtrc(1, (value / np.abs(root).max()) ** 2))
    if rank > len(_PRIMES):
        raise ValueError(f"at most {len(_PRIMES)} numbers that are not determined by the others; got {rank}")
    index = np.arange(1, _POINTS + 1)[:, None]
    points = (index * np.sqrt(_PRIMES[:rank]) + 0.5) % 1.0
    direction = ndtri(points)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    most = np.abs(direction @ root.T).max(axis=1)
    return float(chdtrc(rank, (value / most) ** 2).mean())
