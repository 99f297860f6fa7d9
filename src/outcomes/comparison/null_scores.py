"""Each person's part of the score of a hypothesis of no difference: of a coefficient of a Cox model, of two arms' curves or means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array, IntArray
from outcomes.survival.cox_kernel import RiskSums, risk_sums
from outcomes.survival.cox_penalty import climb
from outcomes.survival.cox_result import Cox
from outcomes.survival.cox_variance import score_by_person
from outcomes.survival.estimates import Influence, by_person, stack
from outcomes.survival.inputs import Asked, ask_again

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData

__all__ = ["NullScore", "as_estimated", "of_coefficient", "of_difference"]


_MANY = 200  # clusters, above which what they say of each other is lost in their number


@dataclass(frozen=True)
class NullScore:
    """The score of one hypothesis; G clusters.

    Attributes
    ----------
    estimate : float
        What was estimated without the hypothesis.
    parts : ndarray, shape (G,)
        Each cluster's part of the score; were the hypothesis true their mean would be 0.
    answer : ndarray, shape (G, G), or None
        By how much a cluster's part (row) falls with that of another (column), through what is estimated under the hypothesis; rows
        and columns add to 0. None where there are too many clusters for it to matter.
    """

    estimate: float
    parts: Array
    answer: Array | None


def of_coefficient(model: Cox, term: str) -> NullScore:
    """Return the score of one coefficient at 0, with the others estimated anew.

    Notes
    -----
    A person's part is the score residual of the term less what the residuals of the other terms say of it, so that it does not matter
    that those were estimated; weights count as estimated where they carry their score.
    """
    if term not in model.terms:
        raise EstimationError(f"wild_score_test: no term {term!r}. {did_you_mean(term, model.terms)}")
    tested = model.terms.index(term)
    free = np.arange(len(model.terms)) != tested
    held = climb(model.rows, np.zeros(len(free)), free, firth=False)
    sums = risk_sums(model.rows, held.beta)
    residual = score_by_person(model, sums=sums)
    known = held.information[np.ix_(free, free)]
    taken = np.linalg.lstsq(known, held.information[free, tested], rcond=None)[0]
    each = residual[:, tested] - residual[:, free] @ taken
    asked = as_estimated(model.data, model.asked)
    parts = _by_cluster(asked, stack(asked, each[:, None]))[:, 0]
    answer = None
    if len(parts) <= _MANY:
        others = _by_cluster(asked, stack(asked, residual[:, free]))
        rest = np.asarray(np.linalg.lstsq(known, others.T, rcond=None)[0], dtype=np.float64)
        answer = _answer_of_model(model, asked, sums, tested, free, taken, rest)
    return NullScore(float(model.coefficients[tested]), parts, answer)


def _answer_of_model(
    model: Cox, asked: Asked, sums: RiskSums, tested: int, free: npt.NDArray[np.bool_], taken: Array, rest: Array
) -> Array:
    """Return how the clusters' parts answer one another through the baseline hazard and the other coefficients, shape (G, G).

    Parameters
    ----------
    taken : ndarray, shape (p - 1,)
        What the other terms say of the one that is tested.
    rest : ndarray, shape (p - 1, G)
        By how much the other coefficients move with each cluster's part of their scores.
    """
    assert asked.cluster is not None
    rows = model.rows
    load, cluster = rows.weight * sums.relative, asked.cluster[model.data.person[rows.order]]
    others, own = rows.x[free], rows.x[tested] - taken @ rows.x[free]
    every = np.concatenate((np.ones((1, len(load))), own[None], others)) * load
    whole = rows.over_risk_sets(every)
    at_risk, mean = whole[0], whole[1:] / whole[0]
    hazard = rows.over_events(rows.weight[rows.event]) / at_risk
    exposure = rows.over_range(hazard)
    size = int(asked.cluster.max()) + 1
    apart, surplus = np.zeros((2, size, len(hazard)))
    shared = np.zeros((size, len(others)))
    for group in range(size):
        mine = cluster == group
        part = rows.over_risk_sets(every * mine)
        apart[group] = part[1] - mean[0] * part[0]
        surplus[group] = rows.over_events((rows.weight * mine)[rows.event]) - part[0] * hazard
        between = mean[0] * part[2:] + mean[1:] * part[1] - mean[0] * mean[1:] * part[0]
        shared[group] = (others * (own * load * exposure * mine)).sum(axis=1) - between @ hazard
    found: Array = (apart / at_risk) @ surplus.T + shared @ rest
    return found


def of_difference(
    influence: Influence, weight: Array, member: IntArray, asked: Asked, pair: tuple[int, int], t: int
) -> NullScore:
    """Return the score of the difference of two arms at 0.

    Parameters
    ----------
    influence : Influence
        On each arm's number.
    weight : ndarray, shape (P,)
        What each person counts for.
    member : ndarray of int, shape (P,)
        Each person's arm.
    pair : (int, int)
        Reference and arm.
    t : int
        Which time.

    Notes
    -----
    Influences are parts of the score at the estimates. With pseudo-values, whose mean within an arm is its estimate, those under the
    hypothesis are the same from the arms' common value, the mean of both by weight: each person's is moved by a share of the
    difference, and they then add up to it.
    """
    values = influence.estimate[list(pair), t]
    inside = np.stack([weight * (member == arm) for arm in pair])
    total, moved = inside.sum(axis=1), influence.values[:, list(pair), t]
    common = float(total @ values / total.sum())
    surplus = moved.T * total[:, None] + inside * (values - common)[:, None]  # by arm and person
    sign = np.array([-1.0, 1.0]) / total
    parts = _by_cluster(asked, sign @ surplus)
    answer = None
    if len(parts) <= _MANY:
        answer = np.outer(_by_cluster(asked, sign @ inside), _by_cluster(asked, surplus.sum(axis=0)) / total.sum())
    return NullScore(float(values[1] - values[0]), parts, answer)


def as_estimated(data: SurvivalData, asked: Asked) -> Asked:
    """Return what was asked, with weights counted as estimated where they carry the score they came from."""
    source = asked.source
    carried = source is not None and source.influence is not None and source.gradient is not None
    return ask_again(data, asked, "stacked" if carried else None, what="wild_score_test")


def _by_cluster(asked: Asked, each: Array) -> Array:
    """Return the sums over clusters, shape (G, ...)."""
    assert asked.cluster is not None
    return by_person(each, asked.cluster, int(asked.cluster.max()) + 1)
