"""Estimates by arm with each person's influence on them: what every contrast is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from outcomes.overlapping_sets import OverlappingSets
from outcomes.results import Array, IntArray
from outcomes.survival.influence_paths import InfluencePath
from outcomes.survival.inputs import Asked

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData

__all__ = ["ArmEstimates", "Influence", "by_cluster", "by_person", "covariance_of", "stack", "variance_over_time"]

_CELLS = 4_000_000  # person x time cells held at once


@dataclass(frozen=True)
class Influence:
    """Each person's influence on one number an arm and time; P people, A arms, T times.

    Attributes
    ----------
    estimate : ndarray, shape (A, T)
        Risk (one minus Kaplan–Meier, or a cumulative incidence), or restricted mean with T = 1.
    values : ndarray, shape (P, A, T)
        Summed by cluster (or person), their squares are the variance. A row of `data.baseline` that stands for f people
        counts f times.
    cluster : ndarray of int, shape (P,), or None
    overlapping : OverlappingSets or None
        Matched sets that share people: values are summed by them in place of `cluster`.
    arms : tuple of str
    n_clusters : int or None
    """

    estimate: Array
    values: Array
    cluster: IntArray | None
    arms: tuple[str, ...]
    n_clusters: int | None
    overlapping: OverlappingSets | None = None

    @property
    def covariance(self) -> Array:
        """Covariance between arms at each time, shape (T, A, A)."""
        values = _summed(self.values, self.cluster, self.overlapping)
        found: Array = np.einsum("pat,pbt->tab", values, values)
        return found


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
        People with a weight above 0, and events by each time.
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
    """Sum row-level influences (N, ...) to people (P, ...); where rows are people, in their order, these are they."""
    if len(rows) == people and bool((person == np.arange(people)).all()):
        return rows
    flat = rows.reshape(len(rows), int(np.prod(rows.shape[1:])))
    total = np.empty((people, flat.shape[1]))
    for j in range(flat.shape[1]):
        total[:, j] = np.bincount(person, weights=flat[:, j], minlength=people)
    return total.reshape(people, *rows.shape[1:])


def by_cluster(asked: Asked, influence: Array) -> Array:
    """Return people's influences (P, …) in sums whose squares are the variance: by cluster, by overlapping sets, or as they are."""
    return _summed(influence, asked.cluster, asked.overlapping)


def _summed(values: Array, cluster: IntArray | None, overlapping: OverlappingSets | None) -> Array:
    if overlapping is not None:
        return overlapping.summed(values)
    return values if cluster is None else by_person(values, cluster, int(cluster.max()) + 1)


def stack(asked: Asked, derivative: Array) -> Array:
    """Return each person's total influence, shape (P, M), from the derivative by each person's weight.

    With ``variance="stacked"`` the weights move with the score's parameters b, so a person also acts through them:
    w_j D_j + (sum_i D_i dw_i/db) IF_j(b). Lunceford & Davidian (2004), Statistics in Medicine 23:2937.
    """
    total: Array = asked.weight[:, None] * derivative
    score = asked.score
    if score is not None:
        gradient, influence = score
        total = total + influence @ (gradient.T @ (asked.count[:, None] * derivative))
    # f identical people are f independent ones, or f members of one cluster
    times = np.sqrt(asked.count) if asked.cluster is None else asked.count
    return total * times[:, None]


def covariance_of(asked: Asked, influence: Array) -> Array:
    """Return the covariance (M, M) of M estimates from people's influences (P, M), summed by cluster."""
    influence = by_cluster(asked, influence)
    covariance: Array = influence.T @ influence
    return covariance


def variance_over_time(asked: Asked, path: InfluencePath, data: SurvivalData, rows: IntArray) -> Array:
    """Return the variance of a curve after each number of times passed, shape (T + 1,).

    Parameters
    ----------
    path : InfluencePath
        Of one arm's rows.
    data : SurvivalData
    rows : ndarray of int, shape (N,)
        Which rows of the data they are.
    """
    person = data.person[rows]
    weight, count = asked.by_row(data, rows), asked.count[person]
    moved, score = None, asked.score
    if score is not None:
        gradient, influence = score
        moved = path.totals((count * asked.beside(rows))[:, None] * gradient[person])  # (K, T + 1)
    if asked.cluster is None:
        each = weight * np.sqrt(count)
        variance = path.squares_by_person(each, person) if data.multi_row else path.sum_of_squares(each)
        if score is not None and moved is not None:
            cross = path.totals((count * weight)[:, None] * influence[person])
            spread = (asked.count[:, None] * influence).T @ influence
            variance = variance + 2 * (moved * cross).sum(axis=0) + (moved * (spread @ moved)).sum(axis=0)
        return np.maximum(variance, 0.0)
    if asked.overlapping is not None:
        return _over_sets(asked, asked.overlapping, path, data, rows)
    shift = None
    if score is not None and moved is not None:
        shift = by_person(asked.count[:, None] * influence, asked.cluster, int(asked.cluster.max()) + 1) @ moved
    return path.squared_totals(weight * count, asked.cluster[person], shift)


def _over_sets(
    asked: Asked, overlapping: OverlappingSets, path: InfluencePath, data: SurvivalData, rows: IntArray
) -> Array:
    """Return the variance over time where matched sets share people, shape (T + 1,); few times are held at once."""
    weight = (asked.by_row(data, rows) * asked.count[data.person[rows]])[:, None]
    variance = np.empty(len(path.f))
    step = max(1, _CELLS // (len(asked.weight) + len(overlapping.listed)))
    for start in range(0, len(variance), step):
        passed = np.arange(start, min(start + step, len(variance)))
        each = by_person(weight * path.at(passed), data.person[rows], len(asked.weight))
        variance[passed] = (overlapping.summed(each) ** 2).sum(axis=0)
    return variance
