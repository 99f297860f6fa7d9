"""One arm's people at its sites, modelled by themselves; and the arms' difference, each arm's sites varying as its own model says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from outcomes.comparison.random_intercepts import RandomIntercepts, at_ratio, random_intercepts
from outcomes.results import Array, IntArray

__all__ = ["ArmModel", "Difference", "differences", "nothing_left", "site_model"]

_NOTHING = 1e-10  # variance of pseudo-values about a line, below which nobody differs from anybody
_UNTOLD = ("no_events", "all_events", "no_residual")  # arms in which nothing varies: they bear no model


@dataclass(frozen=True)
class ArmModel:
    """The model of one arm.

    Attributes
    ----------
    fit : RandomIntercepts or None
        Its first coefficient is the risk at the mean case mix.
    why : {"", "one_unit", "too_few", "no_events", "all_events", "no_residual"}
        Why there is none.
    """

    fit: RandomIntercepts | None
    why: str = ""

    @property
    def varies(self) -> bool:
        """Whether anybody in the arm differs from anybody else, given the case mix."""
        return self.why not in _UNTOLD


@dataclass(frozen=True)
class Difference:
    """Difference in risk; standard error and degrees of freedom are missing where no interval can be given."""

    estimate: float = float("nan")
    std_error: float = float("nan")
    df: float = float("nan")


def site_model(y: Array, x: Array, unit: IntArray, conf_level: float) -> ArmModel:
    """Fit one arm's people, whose units vary.

    Parameters
    ----------
    y : ndarray, shape (N,)
        Pseudo-values of a risk.
    x : ndarray, shape (N, p)
        Case mix about the mean of all arms, without the intercept; columns that say nothing in this arm are left out.
    unit : ndarray of int, shape (N,)
    conf_level : float
        Of the limits of the ICC.
    """
    columns = _independent(np.column_stack([np.ones(len(y)), x]))
    units = len(np.unique(unit))
    if float(np.ptp(y)) ** 2 < _NOTHING:
        return ArmModel(None, "no_events" if y.mean() < 0.5 else "all_events")
    if units < 2:
        return ArmModel(None, "one_unit")
    if len(y) <= columns.shape[1] + units:
        return ArmModel(None, "too_few")
    if nothing_left(y, columns):
        return ArmModel(None, "no_residual")
    return ArmModel(random_intercepts(y, columns, unit, conf_level))


def differences(
    y: Array, x: Array, arm: IntArray, unit: IntArray, models: Sequence[ArmModel]
) -> list[tuple[Difference, Difference]]:
    """Return each arm's difference with the first, people independent and units varying.

    Case mix has the same slopes in all arms. People independent: least squares. Units varying: generalised least squares with each arm's
    own variances between and within units, taken from its own model; on t with the degrees of freedom of Satterthwaite, to which an arm
    brings one less than its units. Arms in which nothing varies have no difference; with one unit in an arm it has no standard error.

    Parameters
    ----------
    y, x, arm, unit
        As `People` has them.
    models : sequence of ArmModel
        Of each arm.

    References
    ----------
    Satterthwaite (1946), Biometrics Bulletin 2:110; Welch (1947), Biometrika 34:28.
    """
    told = [k for k, model in enumerate(models) if model.varies]
    none = [(Difference(), Difference()) for _ in models[1:]]
    kept = np.isin(arm, told)
    if 0 not in told or len(told) < 2:
        return none
    of_arm = arm[kept]
    columns = _independent(np.column_stack([*(of_arm == k for k in told), x[kept]]).astype(np.float64))
    if len(of_arm) <= columns.shape[1] or nothing_left(y[kept], columns):
        return none
    alone = at_ratio(y[kept], columns, unit[kept], 0.0)
    shares, beta = _own_variances(y[kept], columns, unit[kept], [of_arm == k for k in told], models, told, alone)
    free = np.array([len(np.unique(unit[arm == k])) - 1.0 for k in told])
    found = none
    for place, k in enumerate(told[1:], start=1):
        gap = np.zeros(columns.shape[1])
        gap[0], gap[place] = -1.0, 1.0
        known = models[0].fit is not None and models[k].fit is not None
        own = np.einsum("p,kpq,q->k", gap, shares, gap)
        two = _difference(float(gap @ beta), float(own.sum()), _satterthwaite(own, free), known)
        one = _difference(float(gap @ alone.beta), float(gap @ alone.covariance @ gap), np.inf, known)
        found[k - 1] = (one, two)
    return found


def _difference(estimate: float, variance: float, df: float, known: bool) -> Difference:
    return Difference(estimate, float(np.sqrt(variance)), df) if known else Difference(estimate)


def _satterthwaite(own: Array, free: Array) -> float:
    """Return the degrees of freedom of a sum of variances, each with its own; those that add nothing do not count."""
    some = own > 1e-12 * own.sum()
    return float(own.sum() ** 2 / (own[some] ** 2 / np.maximum(free[some], 1.0)).sum())


def _own_variances(
    y: Array,
    columns: Array,
    unit: IntArray,
    arms: list[Array],
    models: Sequence[ArmModel],
    told: list[int],
    alone: RandomIntercepts,
) -> tuple[Array, Array]:
    """Return the arms' shares of the covariance of the coefficients, shape (A, p, p), and the coefficients.

    An arm without a model of its own has the variance of independent people.
    """
    information, right = [], np.zeros(columns.shape[1])
    for mine, k in zip(arms, told, strict=True):
        fit = models[k].fit
        between, within = (0.0, alone.within) if fit is None else (fit.between, fit.within)
        weighed = _weighed(columns[mine], unit[mine], between, within)
        information.append(columns[mine].T @ weighed)
        right += weighed.T @ y[mine]
    inverse = np.linalg.inv(np.sum(information, axis=0))
    return np.array([inverse @ one @ inverse for one in information]), inverse @ right


def _weighed(values: Array, unit: IntArray, between: float, within: float) -> Array:
    """Return the inverse covariance of people in units, times `values` (N, k)."""
    code = np.unique(unit, return_inverse=True)[1]
    size = np.bincount(code)
    mean = np.stack([np.bincount(code, weights=column) for column in values.T], axis=1) / size[:, None]
    kept = between * size / (within + between * size)
    found: Array = (values - (kept[:, None] * mean)[code]) / within
    return found


def nothing_left(y: Array, x: Array) -> bool:
    """Whether the columns say all there is to say of y."""
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return bool(residual @ residual / len(y) < _NOTHING)


def _independent(x: Array) -> Array:
    """Return the columns that are no sum of those before them: levels that nobody in one arm has say nothing there."""
    kept: list[Array] = []
    for column in x.T:
        base = np.column_stack([*kept, column])
        if np.linalg.matrix_rank(base) == base.shape[1]:
            kept.append(column)
    return np.column_stack(kept)
