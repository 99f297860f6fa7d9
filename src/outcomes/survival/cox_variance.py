"""How the coefficients of a Cox model move with each person's weight, and the robust covariance made of it (Lin & Wei 1989)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array
from outcomes.survival.cox_kernel import RiskSums, moment, residual_moment, score_residuals
from outcomes.survival.estimates import by_cluster, by_person, stack
from outcomes.survival.inputs import ask_again
from outcomes.survival.risk_table import summed

if TYPE_CHECKING:
    from outcomes.survival.cox_result import Cox

__all__ = ["coefficient_derivative", "influence_of", "meat", "robust_covariance", "score_by_person"]


def score_by_person(model: Cox, by_group: Array | None = None, sums: RiskSums | None = None) -> Array:
    """Return each person's score residual by term, per unit of the person's weight, shape (P, p), on the scaled columns.

    With `sums` they are those at other coefficients than the estimate.
    """
    rows, person = model.rows, model.data.person[model.rows.order]
    residual = score_residuals(rows, model.sums if sums is None else sums, by_group) * model.asked.beside(rows.order)
    return by_person(residual.T, person, len(model.data.baseline))


def coefficient_derivative(model: Cox) -> Array:
    """Return the derivative of the coefficients by each person's weight, shape (P, p)."""
    found: Array = score_by_person(model) @ (model.model_covariance * model.scale[:, None])
    return found


def influence_of(model: Cox, terms: str | Sequence[str] | None, variance: str | None) -> Array:
    """Return each person's influence on some or all of the coefficients."""
    model.refuse("influence", exact=True)
    asked = ask_again(model.data, model.asked, variance, what="cox")
    names = model.terms if terms is None else (terms,) if isinstance(terms, str) else tuple(terms)
    for name in names:
        if name not in model.terms:
            raise EstimationError(f"cox: no term {name!r}. {did_you_mean(name, model.terms)}")
    return stack(asked, model.slopes[:, [model.terms.index(name) for name in names]])


def robust_covariance(model: Cox) -> Array:
    """Return the covariance from score residuals summed by person or cluster, weights taken as known, shape (p, p)."""
    inverse, asked, rows = model.model_covariance * model.scale, model.asked, model.rows
    if asked.cluster is None and not model.data.multi_row:
        load = asked.by_row(model.data, rows.order) ** 2 * asked.count[model.data.person[rows.order]]
        middle = residual_moment(rows, model.sums, load)
    else:
        middle = meat(model, score_residuals(rows, model.sums))
    return np.asarray(inverse @ middle @ inverse.T)


def meat(model: Cox, residual: Array) -> Array:
    """Return the sum over people or clusters of the squares of their summed residuals (p, R), shape (p, p)."""
    asked, rows = model.asked, model.rows
    person = model.data.person[rows.order]
    weight, count = asked.by_row(model.data, rows.order), asked.count[person]
    if asked.cluster is None and not model.data.multi_row:
        return moment(residual, weight**2 * count)
    if asked.overlapping is not None:
        people = by_person((residual * (weight * count)).T, person, len(asked.weight))
        sums = by_cluster(asked, people)
        return np.asarray(sums.T @ sums)
    group = person if asked.cluster is None else asked.cluster[person]
    each = weight * (np.sqrt(count) if asked.cluster is None else count)
    total = np.stack([summed(group, row * each, int(group.max()) + 1) for row in residual])
    middle: Array = total @ total.T
    return middle
