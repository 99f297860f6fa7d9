"""The Cox partial likelihood over sorted rows: Newton–Raphson, information, score residuals.

One evaluation costs a few passes over the covariates, whatever the ties: second moments over risk sets are never formed group by
group, because the sum over groups of a weighted second moment is one weighted moment of the rows, with the cumulative hazard each
row was exposed to as its weight.

With l = 0..d-1 over the d tied events of a group, f = l/d (Efron) or 0 (Breslow), s0, s1 the sums of risk and risk x over the risk
set and d0, d1 over the tied, the l-th term has denominator s0 - f d0 and mean (s1 - f d1) / (s0 - f d0).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from outcomes.results import Array
from outcomes.survival.cox_rows import CoxRows
from outcomes.survival.design_matrix import dependent_columns

__all__ = [
    "FLAT",
    "CoxFit",
    "RiskSums",
    "combined",
    "dot",
    "exposure_of",
    "group_scores",
    "information",
    "moment",
    "newton",
    "paired",
    "residual_moment",
    "risk_sums",
    "score_residuals",
]

FLAT = 1e-10  # information of a scaled column, per unit of the events' weight, that is what rounding leaves of none
_CHUNK = 4_096  # rows of a moment held in cache, and few enough for the product to stay on one thread
_CELLS = 9_000  # cells of a product of a matrix and a vector, for the same reason
_CUBE = 250_000  # multiplications of a product of two matrices, for the same reason
_FAR = 8.0  # per standard deviation: no coefficient of people who differ is as large
_CHEAP = 1_000_000  # cells of x below which the last digits cost little


@dataclass(frozen=True)
class RiskSums:
    """Sums over risk sets at one value of the coefficients; R rows, G groups, p terms.

    Attributes
    ----------
    relative : ndarray, shape (R,)
        exp(beta x + offset).
    loglik : float
    s0, d0 : ndarray, shape (G,)
    s1, d1 : ndarray, shape (p, G)
        Weighted sums of exp(beta x), and of exp(beta x) x, over risk sets and over the tied (0 where nothing is corrected for).
    hazard, hazard_f : ndarray, shape (G,)
        Sum over l of 1 / denominator and of f / denominator, times the mean weight.
    square, square_f, square_ff : ndarray, shape (G,)
        Sum over l of 1, f and f² over the squared denominator, times the mean weight.
    """

    relative: Array
    loglik: float
    s0: Array
    s1: Array
    d0: Array
    d1: Array
    hazard: Array
    hazard_f: Array
    square: Array
    square_f: Array
    square_ff: Array

    @property
    def expected(self) -> Array:
        """Weighted sum over each group's events of their mean covariates, shape (p, G)."""
        mean = self.s1 * self.hazard
        return mean - self.d1 * self.hazard_f if self.hazard_f.any() else mean


@dataclass(frozen=True)
class CoxFit:
    """A converged (or stopped) fit; p terms, on the scale of the sorted rows.

    Attributes
    ----------
    beta : ndarray, shape (p,)
    information, information_null : ndarray, shape (p, p)
        At `beta` and at 0.
    loglik, loglik_null : float
    score_statistic : float
        Score test of all terms at 0.
    iterations : int
    converged : bool
    """

    beta: Array
    information: Array
    information_null: Array
    loglik: float
    loglik_null: float
    score_statistic: float
    iterations: int
    converged: bool


def risk_sums(rows: CoxRows, beta: Array) -> RiskSums:
    """Return the sums over risk sets at `beta`."""
    eta = combined(beta, rows.x)
    if rows.offset is not None:
        eta += rows.offset
    size, weight = len(rows.time), rows.mean_weight
    gained = dot(beta, rows.event_sum)
    if rows.offset is not None:
        gained += dot(rows.weight[rows.event], rows.offset[rows.event])
    relative = np.exp(eta, out=eta)
    risk = rows.weight * relative
    s0 = rows.over_risk_sets(risk)
    if rows.group is None or rows.fraction is None:
        s1 = rows.x_over_risk_sets(risk)
        hazard = weight * rows.deaths / s0
        none = np.zeros(size)
        loglik = gained - dot(weight * rows.deaths, np.log(s0))
        return RiskSums(
            relative, loglik, s0, s1, none, np.broadcast_to(0.0, s1.shape), hazard, none, hazard / s0, none, none
        )
    (s1, d1), f = rows.x_sums(risk), rows.fraction
    d0 = rows.over_events(risk[rows.event])
    denominator = s0[rows.group] - f * d0[rows.group]
    loglik = gained - dot(weight, rows.by_group(np.log(denominator)))
    one = np.divide(1.0, denominator, out=denominator)
    share = f * one
    parts = (rows.by_group(part) for part in (one, share, one * one, share * one, share * share))
    return RiskSums(relative, loglik, s0, s1, d0, d1, *(weight * part for part in parts))


def group_scores(rows: CoxRows, sums: RiskSums) -> Array:
    """Return observed less expected covariates of each group, shape (p, G)."""
    return rows.x_over_events(rows.weight[rows.event]) - sums.expected


def information(rows: CoxRows, sums: RiskSums, by_group: Array | None = None) -> Array:
    """Return the information, shape (p, p); with `by_group` (G,) each group's part is multiplied by its value."""
    times = np.ones(len(rows.time)) if by_group is None else by_group
    load = exposure_of(rows, sums, times)
    load *= rows.weight * sums.relative
    whole = moment(rows.x, load)
    means = paired(sums.s1 * (sums.square * times), sums.s1)
    if rows.group is None:
        return whole - means
    cross = paired(sums.s1 * (sums.square_f * times), sums.d1)
    return whole - means + cross + cross.T - paired(sums.d1 * (sums.square_ff * times), sums.d1)


def moment(x: Array, load: Array) -> Array:
    """Return x diag(load) x' of x (p, R), shape (p, p)."""
    total, held = np.zeros((len(x), len(x))), np.empty((len(x), min(_CHUNK, x.shape[1])))
    for start in range(0, x.shape[1], _CHUNK):
        part = x[:, start : start + _CHUNK]
        loaded = np.multiply(part, load[start : start + _CHUNK], out=held[:, : part.shape[1]])
        total += loaded @ part.T
    return total


def paired(left: Array, right: Array) -> Array:
    """Return left right' of left (p, R) and right (q, R), shape (p, q), in pieces a single thread takes."""
    total = np.zeros((len(left), len(right)))
    step = max(1, _CUBE // total.size)
    for start in range(0, left.shape[1], step):
        total += left[:, start : start + step] @ right[:, start : start + step].T
    return total


def dot(a: Array, b: Array) -> float:
    """Return the sum of products of two vectors, on one thread."""
    return float(np.einsum("i,i->", a, b))


def combined(beta: Array, x: Array) -> Array:
    """Return beta x of x (p, R), shape (R,), in pieces a single thread takes."""
    found = np.empty(x.shape[1])
    step = max(1, _CELLS // max(1, len(x)))
    for start in range(0, len(found), step):
        np.matmul(beta, x[:, start : start + step], out=found[start : start + step])
    return found


def newton(rows: CoxRows, *, ridge: Array | float = 0.0, steps: int = 50) -> CoxFit:
    """Maximise the partial likelihood from 0, halving steps that do not climb.

    It ends when the gain a further step promises (the Newton decrement, per unit of weight) is nothing; that step is still taken, so
    the coefficients are within about 1e-12 of their standard errors, and the information, taken before it, within 1e-6; where an
    evaluation costs little the information is taken after it. `ridge` times half the squared coefficients
    is taken from the log likelihood; it is in neither `information` nor `loglik`. Where columns say nothing at 0 it does not begin.
    """
    beta = np.zeros(len(rows.x))
    sums = risk_sums(rows, beta)
    shrink = ridge * np.eye(len(beta))
    weight = float(rows.mean_weight @ rows.deaths)
    per_unit = weight / float(rows.deaths.sum())
    null, statistic, step, last_digits = sums.loglik, 0.0, 0, rows.x.size > _CHEAP
    while True:
        score, matrix = rows.event_sum - sums.expected.sum(axis=1) - shrink @ beta, information(rows, sums)
        move = _solve(matrix + shrink, score)
        decrement = float(score @ move)
        if step == 0:
            statistic, at_zero = decrement, matrix
            if dependent_columns(matrix, floor=FLAT * weight):  # there is no one top to climb
                return CoxFit(beta, matrix, matrix, null, null, statistic, 0, False)
        converged = decrement <= 1e-12 * per_unit
        if (converged and (last_digits or np.abs(beta).max() > _FAR)) or step == steps:
            last = beta + move if converged and _within_reach(rows, beta + move) else beta
            gain = 0.5 * float(decrement + last @ shrink @ last - beta @ shrink @ beta) if converged else 0.0
            return CoxFit(last, matrix, at_zero, sums.loglik + gain, null, statistic, step, converged)
        before = beta
        beta, sums = _climb(rows, beta, move, sums, shrink)
        step, last_digits = step + 1, last_digits or converged
        if beta is before:  # no step along the move climbs
            steps = step


def _climb(rows: CoxRows, beta: Array, move: Array, sums: RiskSums, shrink: Array) -> tuple[Array, RiskSums]:
    share, held = 1.0, sums.loglik - 0.5 * float(beta @ shrink @ beta)
    while True:
        there = beta + share * move
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            trial = risk_sums(rows, there)
            reached = trial.loglik - 0.5 * float(there @ shrink @ there)
        sound = _are_numbers(trial)
        if sound and reached >= held - 1e-10 * abs(sums.loglik):
            return there, trial
        if share < 1e-6:
            return (there, trial) if sound and np.isfinite(reached) else (beta, sums)
        share /= 2


def _within_reach(rows: CoxRows, beta: Array) -> bool:
    """Return whether sums at `beta` are numbers, which only coefficients that run away may not leave."""
    if np.abs(beta).max() <= _FAR:
        return True
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _are_numbers(risk_sums(rows, beta))


def _are_numbers(sums: RiskSums) -> bool:
    return bool(np.isfinite(sums.square).all() and np.isfinite(sums.s1).all())


def _solve(matrix: Array, score: Array) -> Array:
    singular = False
    try:
        return np.asarray(np.linalg.solve(matrix, score))
    except np.linalg.LinAlgError:
        singular = True
    return np.asarray(np.linalg.lstsq(matrix, score, rcond=None)[0]) if singular else score


def score_residuals(rows: CoxRows, sums: RiskSums, by_group: Array | None = None) -> Array:
    """Return each row's contribution to the score per unit of its weight, shape (p, R); weighted they sum to 0 at the estimate.

    With `by_group` (G,) each group's part is multiplied by its value.
    """
    times = np.ones(len(rows.time)) if by_group is None else by_group
    residual = rows.over_range((sums.s1 * sums.square - sums.d1 * sums.square_f) * times)
    residual[:, rows.event] -= _taken(sums, times)[:, rows.own]
    finish = _finishing(rows, sums, times)
    for start in range(0, residual.shape[1], _CHUNK):
        finish(residual[:, start : start + _CHUNK], start)
    return residual


def residual_moment(rows: CoxRows, sums: RiskSums, load: Array) -> Array:
    """Return the sum over rows of `load` (R,) times the square of the score residual, shape (p, p); a few rows are held at once."""
    times = np.ones(len(rows.time))
    prefix = rows.prefix(sums.s1 * sums.square - sums.d1 * sums.square_f)
    passed = rows.by_kind(prefix[:, 1:] - _taken(sums, times), prefix[:, 1:])
    finish, total = _finishing(rows, sums, times), np.zeros((len(rows.x), len(rows.x)))
    for start in range(0, len(load), _CHUNK):
        part = slice(start, start + _CHUNK)
        residual = np.take(passed, rows.kind[part], axis=1)
        if rows.some_enter_late:
            residual -= np.take(prefix, rows.low[part], axis=1)
        finish(residual, start)
        total += (residual * load[part]) @ residual.T
    return total


def _taken(sums: RiskSums, times: Array) -> Array:
    """Return what Efron's correction takes from each group's own events, shape (p, G)."""
    taken: Array = (sums.s1 * sums.square_f - sums.d1 * sums.square_ff) * times
    return taken


def _finishing(rows: CoxRows, sums: RiskSums, times: Array) -> Callable[[Array, int], None]:
    """Return what makes score residuals (p, M) of rows from `start` on, in place, from what those at risk with them were like."""
    pull = exposure_of(rows, sums, times)
    pull *= sums.relative
    pull[rows.event] -= times[rows.own]
    mean = sums.expected / (rows.mean_weight * rows.deaths) * times
    at_event = rows.by_kind(mean, np.broadcast_to(0.0, mean.shape))

    def finish(residual: Array, start: int) -> None:
        part = slice(start, start + residual.shape[1])
        residual *= sums.relative[part]
        residual -= rows.x[:, part] * pull[part]
        residual -= np.take(at_event, rows.kind[part], axis=1)

    return finish


def exposure_of(rows: CoxRows, sums: RiskSums, times: Array | float = 1.0) -> Array:
    """Return the cumulative hazard each row was exposed to at covariates of the sorted rows' 0, shape (R,)."""
    exposure = rows.over_range(sums.hazard * times)
    exposure[rows.event] -= (sums.hazard_f * times)[rows.own]
    return exposure
