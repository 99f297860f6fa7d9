"""How likely the largest of several normal numbers is as large as one seen, for any correlation between them."""

from __future__ import annotations

import numpy as np

from outcomes.results import Array

__all__ = ["chance_of_larger", "value_exceeded"]

_POINTS = 1 << 16
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)


def chance_of_larger(value: float, correlation: Array) -> float:
    """Return P(max_k |Z_k| > value) for Z normal with mean 0 and this correlation, shape (K, K), which may be singular.

    Z = L x with x standard normal in r dimensions. Given its direction u, max |Z| is the length of x times m(u) = max |L u|, and
    the length squared is chi-squared with r degrees of freedom: only directions are left to average over. They are those of a
    fixed set of points spread evenly, so that the answer is the same each time (error about 1e-3 of the answer at most for K to 6).
    """
    rank, most = _along_directions(correlation)
    return _chance(value, rank, most)


def value_exceeded(chance: float, correlation: Array) -> float:
    """Return the value that max_k |Z_k| exceeds with this probability; the inverse of `chance_of_larger`."""
    from scipy.optimize import brentq
    from scipy.special import ndtri

    rank, most = _along_directions(correlation)
    low, high = -ndtri(chance / 2), -ndtri(chance / (2 * len(correlation)))  # were all the same, and Bonferroni's
    return float(brentq(lambda value: _chance(value, rank, most) - chance, 0.9 * low, 1.1 * high))


def _chance(value: float, rank: int, most: Array) -> float:
    from scipy.special import chdtrc

    return float(np.mean(chdtrc(rank, (value / most) ** 2)))


def _along_directions(correlation: Array) -> tuple[int, Array]:
    """Return r, and the largest |L u| for directions u spread evenly over r dimensions."""
    from scipy.special import ndtri

    size, vector = np.linalg.eigh(correlation)
    kept = size > 1e-10 * size.max()
    root = vector[:, kept] * np.sqrt(size[kept])
    rank = root.shape[1]
    if rank == 1:
        return 1, np.array([np.abs(root).max()])
    if rank > len(_PRIMES):
        raise ValueError(f"at most {len(_PRIMES)} numbers that are not determined by the others; got {rank}")
    index = np.arange(1, _POINTS + 1)[:, None]
    points = (index * np.sqrt(_PRIMES[:rank]) + 0.5) % 1.0
    direction = ndtri(points)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return rank, np.asarray(np.abs(direction @ root.T).max(axis=1))
