"""Predictive mean matching: a missing number is given by a person whose prediction is near, on a draw of the coefficients."""

from __future__ import annotations

import numpy as np

from outcomes.results import Array, IntArray
from outcomes.survival.design_matrix import dependent_columns

__all__ = ["draw_line", "matched_values", "nearest_donors"]

_RIDGE = 1e-5  # of each column's own moment: keeps columns that say almost the same from running away


def draw_line(x: Array, y: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the least-squares coefficients of `y` on `x`, and a draw from their posterior under flat priors.

    Parameters
    ----------
    x : ndarray, shape (n, q)
        With the intercept.
    y : ndarray, shape (n,)
    rng : numpy.random.Generator

    Returns
    -------
    estimate, drawn : ndarray, shape (q,)
        0 for columns that follow from those before them: of them these people say nothing.

    References
    ----------
    Rubin (1987), Multiple Imputation for Nonresponse in Surveys, section 5.3.
    """
    moment, columns = x.T @ x, x.shape[1]
    kept = np.setdiff1d(np.arange(columns), dependent_columns(moment))
    x, moment = x[:, kept], moment[np.ix_(kept, kept)]
    moment[np.diag_indices_from(moment)] *= 1 + _RIDGE
    root = np.linalg.cholesky(moment)
    line = np.linalg.solve(root.T, np.linalg.solve(root, x.T @ y))
    rest = y - x @ line
    scale = np.sqrt(rest @ rest / rng.chisquare(max(len(y) - len(kept), 1)))
    estimate, drawn = np.zeros(columns), np.zeros(columns)
    estimate[kept], drawn[kept] = line, line + scale * np.linalg.solve(root.T, rng.standard_normal(len(kept)))
    return estimate, drawn


def matched_values(x: Array, y: Array, x_missing: Array, rng: np.random.Generator, donors: int) -> Array:
    """Return a value for each row of `x_missing`, shape (k,): that of a donor drawn from the nearest among those observed.

    Predictions of the observed are at the estimate, those of the missing at a draw of the coefficients (matching of type 1).

    Parameters
    ----------
    x, y : ndarray, shape (n, q), (n,)
        The observed.
    x_missing : ndarray, shape (k, q)
    rng : numpy.random.Generator
    donors : int
        Number of nearest to draw from.

    References
    ----------
    Little (1988), Journal of Business & Economic Statistics 6:287; type 1: van Buuren (2018), Flexible Imputation of Missing Data,
    section 3.4; five donors: Morris, White & Royston (2014), BMC Medical Research Methodology 14:75.
    """
    estimate, drawn = draw_line(x, y - y.mean(), rng)  # so that the ridge does not pull at where zero happens to be
    return np.asarray(y[nearest_donors(x @ estimate, x_missing @ drawn, rng, donors)])


def nearest_donors(observed: Array, wanted: Array, rng: np.random.Generator, donors: int) -> IntArray:
    """Return for each of `wanted` (k,) the index of one of the `donors` nearest of `observed` (n,), drawn at random.

    Among donors that are equally near, all have the same chance.
    """
    count = min(donors, len(observed))
    order = np.argsort(observed, kind="stable")
    line = observed[order]
    low, high = np.searchsorted(line, wanted, side="left"), np.searchsorted(line, wanted, side="right")
    place = low + (rng.random(len(wanted)) * (high - low + 1)).astype(np.int64)  # anywhere among those who are equal
    window = place[:, None] + np.arange(-count, count)
    outside = (window < 0) | (window >= len(line))
    inside = np.clip(window, 0, len(line) - 1)
    distance = np.where(outside, np.inf, np.abs(line[inside] - wanted[:, None]))
    # the nearest first, those who are equally near in random order
    rank = np.lexsort((rng.random(distance.shape), distance), axis=1)
    chosen = np.take_along_axis(rank, rng.integers(0, count, size=(len(wanted), 1)), axis=1)
    return order[_among_equals(line, np.take_along_axis(inside, chosen, axis=1)[:, 0], rng)]


def _among_equals(line: Array, place: IntArray, rng: np.random.Generator) -> IntArray:
    """Return a random place among those with the same value in the sorted `line`."""
    value = line[place]
    low, high = np.searchsorted(line, value, side="left"), np.searchsorted(line, value, side="right")
    return low + (rng.random(len(place)) * (high - low)).astype(np.int64)
