"""Difference in differences where a programme is replaced area by area: what the old regime would have given, imputed and compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from outcomes.comparison.bias_reduced import BiasReduced, bias_reduced
from outcomes.results import Array, IntArray

__all__ = ["FEWEST", "Imputed", "impute_untreated", "leads"]

FEWEST = 3
"""Areas without which nothing is said of a year: with one of them left out there must be something left."""


@dataclass(frozen=True)
class Imputed:
    """Averages of observed less imputed outcomes over K groups of people, G areas.

    Attributes
    ----------
    estimate, std_error : ndarray, shape (K,)
    n : ndarray of int, shape (K,)
    """

    estimate: Array
    std_error: Array
    n: IntArray


def impute_untreated(y: Array, columns: Array, treated: Any, area: IntArray, groups: list[Any]) -> Imputed:
    """Return the mean of y less what the untreated say it would have been, in groups of treated people.

    Parameters
    ----------
    y : ndarray, shape (P,)
    columns : ndarray, shape (P, k)
        Of area, period and covariates; all that the untreated identify.
    treated : ndarray of bool, shape (P,)
    area : ndarray of int, shape (P,)
        Clusters, numbered from 0.
    groups : list of ndarray of bool, shape (P,)
        Treated people each.

    Notes
    -----
    Standard errors are the jackknife's over areas: a sandwich would take a year that one area carries for a year known exactly. A group
    with people of fewer than three areas has none. Imputation: Borusyak, Jaravel & Spiess (2024).
    """
    clusters = int(area.max()) + 1
    estimate = _gaps(y, columns, treated, groups)
    left_out = np.full((clusters, len(groups)), np.nan)
    for one in range(clusters):
        kept = area != one
        left_out[one] = _gaps(y[kept], columns[kept], treated[kept], [group[kept] for group in groups])
    error = np.sqrt((clusters - 1) / clusters * np.square(left_out - left_out.mean(axis=0)).sum(axis=0))
    several = np.array([len(np.unique(area[group])) >= FEWEST for group in groups])
    return Imputed(
        estimate, np.where(several, error, np.nan), np.array([int(group.sum()) for group in groups], dtype=np.int64)
    )


def _gaps(y: Array, columns: Array, treated: Any, groups: list[Any]) -> Array:
    """Return the mean of y less what the untreated say it would have been, in each group; missing where there is nobody."""
    plain = ~treated
    slope = np.linalg.pinv(columns[plain].T @ columns[plain]) @ (columns[plain].T @ y[plain])
    gap = y - columns @ slope
    return np.array([gap[group].mean() if group.any() else np.nan for group in groups])


def leads(y: Array, columns: Array, ahead: Array, area: IntArray) -> BiasReduced:
    """Return by how much the untreated differ in the years before their area's change, and whether they all do not.

    Parameters
    ----------
    y, columns
        Of the untreated, shapes (U,) and (U, k).
    ahead : ndarray, shape (U, L)
        Whether each is one of the last years before the change; earlier years are what they are compared with.
    area : ndarray of int, shape (U,)

    Notes
    -----
    By area, with variances and degrees of freedom for few and unequal areas (`bias_reduced`): areas that changed early have few people
    under the old regime, and each of the last years is known from some areas only. Years with people of fewer than three areas have no
    standard error and are not in the test.
    """
    told = np.array([len(np.unique(area[year > 0])) >= FEWEST for year in ahead.T])
    found = bias_reduced(y, np.column_stack([ahead, columns]), area, ahead.shape[1], told)
    return replace(found, std_error=np.where(told & np.isfinite(found.df), found.std_error, np.nan))
