"""The Cox partial likelihood over sorted arrays: Newton-Raphson, score residuals, baseline hazard.

A row is at risk at the event times of its stratum in (entry, exit]: a range of groups. Sums over risk sets are differences of
prefix sums over groups, so one evaluation costs O(N p + D p) for N rows and D events, whatever the ties. Efron's correction is
carried by expanding each group into its d events with fractions 0, 1/d, ..., (d-1)/d; Breslow sets all fractions to 0.
Weighted ties follow Therneau & Grambsch (2000, section 3.3): the mean weight of the group's events stands before each term.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.results import Array, IntArray
from outcomes.survival.risk_table import summed

__all__ = ["CoxFit", "RiskGroups", "by_group_moments", "evaluate", "group_events", "newton", "score_residuals"]


@dataclass(frozen=True)
class RiskGroups:
    """Event times by stratum; N rows, G groups, D events (frequencies counted).

    Attributes
    ----------
    low, high : ndarray of int, shape (N,)
        A row is at risk at groups low..high-1.
    own : ndarray of int, shape (N,)
        Group of the row's own event, -1 where it has none.
    time : ndarray, shape (G,)
    stratum : ndarray of int, shape (G,)
    deaths : ndarray of int, shape (G,)
        Number of events.
    mean_weight : ndarray, shape (G,)
        Mean sampling weight of the events.
    group, fraction : ndarray, shape (D,)
        Expansion of groups into their events, with Efron's fraction of each.
    """

    low: IntArray
    high: IntArray
    own: IntArray
    time: Array
    stratum: IntArray
    deaths: IntArray
    mean_weight: Array
    group: IntArray
    fraction: Array


@dataclass(frozen=True)
class CoxFit:
    """A converged (or stopped) fit; p terms.

    Attributes
    ----------
    beta : ndarray, shape (p,)
    loglik : float
    score : ndarray, shape (p,)
    information : ndarray, shape (p, p)
    iterations : int
    converged : bool
    """

    beta: Array
    loglik: float
    score: Array
    information: Array
    iterations: int
    converged: bool


def group_events(
    entry: Array, exit: Array, died: Array, stratum: IntArray, weight: Array, count: Array, *, efron: bool
) -> RiskGroups:
    """Return the groups of tied events of each stratum, and each row's range of groups."""
    # one ordered key for (stratum, time): rank of the time plus an offset per stratum
    values, rank = np.unique(np.concatenate((entry, exit)), return_inverse=True)
    span = len(values) + 1
    start, stop = stratum * span + rank[: len(entry)], stratum * span + rank[len(entry) :]
    keys, group_of = np.unique(stop[died], return_inverse=True)
    deaths = np.bincount(group_of, weights=count[died], minlength=len(keys)).astype(np.int64)
    total = np.bincount(group_of, weights=(weight * count)[died], minlength=len(keys))
    own = np.full(len(entry), -1, dtype=np.int64)
    own[died] = group_of
    group = np.repeat(np.arange(len(keys)), deaths)
    order = np.arange(len(group)) - np.repeat(np.cumsum(deaths) - deaths, deaths)
    fraction = order / deaths[group] if efron else np.zeros(len(group))
    return RiskGroups(
        low=np.searchsorted(keys, start, side="right"),
        high=np.searchsorted(keys, stop, side="right"),
        own=own,
        time=values[keys % span],
        stratum=keys // span,
        deaths=deaths,
        mean_weight=total / np.maximum(deaths, 1),
        group=group,
        fraction=fraction,
    )


def _over_risk_sets(groups: RiskGroups, values: Array) -> Array:
    """Return the sum of `values` (N,) over each group's risk set, shape (G,)."""
    size = len(groups.time)
    joining = summed(groups.low, values, size + 1)
    leaving = summed(groups.high, values, size + 1)
    # from the far end, so that small late risk sets are not differences of large numbers
    total: Array = (np.cumsum(leaving[::-1])[::-1] - np.cumsum(joining[::-1])[::-1])[1:]
    return total


def _over_events(groups: RiskGroups, values: Array) -> Array:
    """Return the sum of `values` (N,) over each group's events, shape (G,)."""
    hit = groups.own >= 0
    return summed(groups.own[hit], values[hit], len(groups.time))


@dataclass(frozen=True)
class _State:
    risk: Array  # (N,) weight * count * exp(eta)
    denominator: Array  # (D,)
    mean: Array  # (D, p) weighted mean covariate of each term


def _state(groups: RiskGroups, x: Array, eta: Array, weight: Array) -> _State:
    risk = weight * np.exp(eta)
    s0, d0 = _over_risk_sets(groups, risk), _over_events(groups, risk)
    denominator = s0[groups.group] - groups.fraction * d0[groups.group]
    mean = np.empty((len(groups.group), x.shape[1]))
    for j in range(x.shape[1]):
        s1, d1 = _over_risk_sets(groups, risk * x[:, j]), _over_events(groups, risk * x[:, j])
        mean[:, j] = (s1[groups.group] - groups.fraction * d1[groups.group]) / denominator
    return _State(risk, denominator, mean)


def evaluate(
    groups: RiskGroups, x: Array, beta: Array, weight: Array, offset: Array
) -> tuple[float, Array, Array, _State]:
    """Return log likelihood, score (p,), information (p, p) and the state at `beta`; `weight` includes frequencies."""
    eta = x @ beta + offset
    state = _state(groups, x, eta, weight)
    size = len(groups.time)
    hit = groups.own >= 0
    each = groups.mean_weight[groups.group]
    loglik = float(weight[hit] @ eta[hit] - each @ np.log(state.denominator))
    score = weight[hit] @ x[hit] - each @ state.mean
    hazard = each / state.denominator
    at_risk = np.concatenate(([0.0], np.cumsum(summed(groups.group, hazard, size))))
    tied = summed(groups.group, hazard * groups.fraction, size)
    load = state.risk * (at_risk[groups.high] - at_risk[groups.low])
    load[hit] -= state.risk[hit] * tied[groups.own[hit]]
    information = x.T @ (load[:, None] * x) - state.mean.T @ (each[:, None] * state.mean)
    return loglik, score, information, state


def newton(
    groups: RiskGroups,
    x: Array,
    weight: Array,
    offset: Array,
    *,
    start: Array | None = None,
    steps: int = 50,
    tolerance: float = 1e-11,
) -> tuple[CoxFit, float]:
    """Maximise the partial likelihood; return the fit and the log likelihood at the start."""
    beta = np.zeros(x.shape[1]) if start is None else start.copy()
    loglik, score, information, _ = evaluate(groups, x, beta, weight, offset)
    null = loglik
    for step in range(1, steps + 1):
        move = np.linalg.solve(information, score)
        shrink = 1.0
        while True:
            trial = evaluate(groups, x, beta + shrink * move, weight, offset)
            if trial[0] >= loglik - 1e-10 * abs(loglik) or shrink < 1e-6:
                break
            shrink /= 2
        beta = beta + shrink * move
        done = abs(trial[0] - loglik) <= tolerance * (abs(loglik) + 1e-3) and float(
            score @ move
        ) < 1e-9 + tolerance * abs(loglik)
        loglik, score, information = trial[:3]
        if done:
            # one more full step costs little and polishes the last digits
            beta = beta + np.linalg.solve(information, score)
            loglik, score, information, _ = evaluate(groups, x, beta, weight, offset)
            return CoxFit(beta, loglik, score, information, step, True), null
    return CoxFit(beta, loglik, score, information, steps, False), null


def score_residuals(groups: RiskGroups, x: Array, beta: Array, weight: Array, offset: Array) -> Array:
    """Return each row's contribution to the score per unit of its weight, shape (N, p); weighted they sum to 0."""
    eta = x @ beta + offset
    state = _state(groups, x, eta, weight)
    size, terms = len(groups.time), x.shape[1]
    hazard = groups.mean_weight[groups.group] / state.denominator
    hit = groups.own >= 0
    own = groups.own[hit]

    def by_group(values: Array) -> Array:
        return summed(groups.group, values, size)

    def over_range(values: Array) -> Array:
        prefix = np.concatenate(([0.0], np.cumsum(values)))
        return prefix[groups.high] - prefix[groups.low]

    exposure = over_range(by_group(hazard))
    exposure[hit] -= by_group(hazard * groups.fraction)[own]
    residual = -x * (np.exp(eta) * exposure)[:, None]
    for j in range(terms):
        pull = over_range(by_group(hazard * state.mean[:, j]))
        pull[hit] -= by_group(hazard * groups.fraction * state.mean[:, j])[own]
        residual[:, j] += np.exp(eta) * pull
        residual[hit, j] += x[hit, j] - (by_group(state.mean[:, j]) / groups.deaths)[own]
    return residual


def by_group_moments(groups: RiskGroups, x: Array, beta: Array, weight: Array) -> tuple[Array, Array]:
    """Return observed minus expected covariates (G, p) and the information (G, p, p) of each group of tied events."""
    centred = x - np.average(x, axis=0, weights=weight)
    eta = centred @ beta
    state = _state(groups, centred, eta, weight)
    size, terms = len(groups.time), x.shape[1]
    each = groups.mean_weight[groups.group]
    hit = groups.own >= 0
    score, moment = np.empty((size, terms)), np.empty((size, terms, terms))
    for j in range(terms):
        score[:, j] = summed(groups.own[hit], (weight * centred[:, j])[hit], size) - summed(
            groups.group, each * state.mean[:, j], size
        )
        for k in range(j + 1):
            both = state.risk * centred[:, j] * centred[:, k]
            second = (
                _over_risk_sets(groups, both)[groups.group] - groups.fraction * _over_events(groups, both)[groups.group]
            )
            spread = second / state.denominator - state.mean[:, j] * state.mean[:, k]
            moment[:, j, k] = moment[:, k, j] = summed(groups.group, each * spread, size)
    return score, moment
