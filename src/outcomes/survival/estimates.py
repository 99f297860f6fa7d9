"""Estimates by arm with their joint covariance: what every contrast is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.results import Array, IntArray
from outcomes.survival.inputs import Asked

__all__ = ["ArmEstimates", "by_person", "covariance_of", "stack"]


@dataclass(frozen=True)
class ArmEstimates:
    """One number an arm and time, and how they vary together.

    Attributes
    ----------
    arms : tuple of str
        The reference first.
    times : ndarray, shape (T,)
    estimate : ndarray, shape (T, A)
    covariance : ndarray, shape (T, A, A)
    n, n_events : ndarray of int, shape (A,), (T, A)
        People, and events by each time.
    variance : str
        ``model``, ``robust`` or ``stacked``.
    clusters : tuple of int or None
        Number of clusters in each arm.
    n_clusters : int or None
        Number of clusters in all.
    """

    arms: tuple[str, ...]
    times: Array
    estimate: Array
    covariance: Array
    n: IntArray
    n_events: IntArray
    variance: str
    clusters: tuple[int, ...] | None
    n_clusters: int | None


def by_person(rows: Array, person: IntArray, people: int) -> Array:
    """Sum row-level influences (N, ...) to people (P, ...)."""
    total = np.zeros((people, *rows.shape[1:]))
    np.add.at(total, person, rows)
    return total


def stack(asked: Asked, derivative: Array) -> Array:
    """Return each person's total influence, shape (P, M), from the derivative by each person's weight.

    With ``variance="stacked"`` the weights move with the score's parameters b, so a person also acts through them:
    w_j D_j + (sum_i D_i dw_i/db) IF_j(b). Lunceford & Davidian (2004), Statistics in Medicine 23:2937.
    """
    total: Array = asked.weight[:, None] * derivative
    if asked.variance == "stacked" and asked.source is not None:
        gradient, influence = asked.source.gradient, asked.source.influence
        if gradient is not None and influence is not None:
            total = total + influence @ (gradient.T @ derivative)
    return total


def covariance_of(asked: Asked, influence: Array) -> Array:
    """Return the covariance (M, M) of M estimates from people's influences (P, M), summed by cluster."""
    groups = asked.groups
    summed = by_person(influence, groups, int(groups.max()) + 1)
    covariance: Array = summed.T @ summed
    return covariance
