"""Adjusted risks of one arm as sums over people, and how they move with every jump and coefficient of the models behind them.

With F(t), S(s) and G(s) a person's modelled incidence, share free of every event and chance of being in view in the arm, w the weight
that asks for the estimand and v who is averaged over, a person adds

    w y(t) / G(T-)  +  (v - w) F(t)  +  w (F(t) E(t) - EF(t)),    E(t) = sum of dM / (S G), EF(t) = sum of F dM / (S G) up to t,

where y(t) is 1 if the event was seen by t and M the martingale of censoring: the doubly robust sum; weighting alone is its first
term, the g-formula v F(t). Every derivative by a jump of a hazard at s is a number of s plus F(t) times a number of s, so that all
times together cost a product of matrices, and people are taken in blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from outcomes.results import Array, IntArray

__all__ = ["Baselines", "CurveSums", "People", "curve_sums"]

_CELLS = 400_000  # people x times of a block, so that its arrays stay near the processor


@dataclass(frozen=True)
class Baselines:
    """Jumps of all hazards on one grid of M times; K causes.

    Attributes
    ----------
    grid : ndarray, shape (M,)
    causes : ndarray, shape (K, M)
        Jumps of each cause's baseline; K = 0 where the outcome is not modelled.
    censoring : ndarray, shape (M,), or None
        None where nobody was censored or censoring is not modelled.
    any_cause : bool
        Whether the incidence asked about is that of any cause; else of the first.
    """

    grid: Array
    causes: Array
    censoring: Array | None
    any_cause: bool = False


@dataclass(frozen=True)
class People:
    """What the sums need of P people had they been in the arm.

    Attributes
    ----------
    exit : ndarray, shape (P,)
    hit, censored : ndarray, shape (P,)
        1 if they ended with what is asked about; if they were censored.
    weight, target : ndarray, shape (P,)
        w, 0 outside the arm, and v.
    gradient : ndarray, shape (P, K)
        Derivative of `weight` by the parameters of the score.
    relative, x : tuple of ndarray, shape (P,), (P, p)
        Relative hazard and covariates by cause.
    relative_censoring, x_censoring : ndarray, shape (P,), (P, q)
    """

    exit: Array
    hit: Array
    censored: Array
    weight: Array
    target: Array
    gradient: Array
    relative: tuple[Array, ...]
    x: tuple[Array, ...]
    relative_censoring: Array
    x_censoring: Array

    @property
    def in_arm(self) -> IntArray:
        """Who carries weight, shape (n,)."""
        return np.flatnonzero(self.weight != 0)

    @property
    def others(self) -> IntArray:
        """Who is averaged over and carries none, shape (n,)."""
        return np.flatnonzero((self.weight == 0) & (self.target != 0))


@dataclass(frozen=True)
class CurveSums:
    """Sums over people at T times, and their derivatives; M grid times, K causes.

    Attributes
    ----------
    own : ndarray, shape (P, T)
        What each person adds.
    by_score : ndarray, shape (parameters, T)
    by_jump : tuple of ndarray, shape (M, T)
        One a cause.
    by_coefficient : tuple of ndarray, shape (p, T)
    by_jump_censoring : ndarray, shape (M, T)
    by_coefficient_censoring : ndarray, shape (q, T)
    """

    own: Array
    by_score: Array
    by_jump: tuple[Array, ...]
    by_coefficient: tuple[Array, ...]
    by_jump_censoring: Array
    by_coefficient_censoring: Array


def curve_sums(people: People, baselines: Baselines, times: Array, *, weighted: bool) -> CurveSums:
    """Return the sums of one arm at `times`; `weighted`: people's own outcomes are in them, weighted."""
    grid, passed = baselines.grid, np.searchsorted(baselines.grid, times, side="right")
    size, causes = len(grid), range(len(baselines.causes))
    found = CurveSums(
        own=np.zeros((len(people.exit), len(times))),
        by_score=np.zeros((people.gradient.shape[1], len(times))),
        by_jump=tuple(np.zeros((size, len(times))) for _ in causes),
        by_coefficient=tuple(np.zeros((people.x[k].shape[1], len(times))) for k in causes),
        by_jump_censoring=np.zeros((size, len(times))),
        by_coefficient_censoring=np.zeros((people.x_censoring.shape[1], len(times))),
    )
    if weighted:
        _add_outcomes(found, people, baselines, times)
    if len(baselines.causes):
        groups = [(people.in_arm, weighted), (people.others, False)]
        for mine, seen in groups:
            for part in _blocks(mine, size):
                _add_block(found, people, baselines, part, passed, seen=seen)
    until = np.arange(size)[:, None] < passed
    for total in (*found.by_jump, found.by_jump_censoring):
        total *= until
    return found


def _blocks(mine: IntArray, size: int) -> Iterator[IntArray]:
    step = max(1, _CELLS // (size + 1))
    for start in range(0, len(mine), step):
        yield mine[start : start + step]


def _add_outcomes(found: CurveSums, people: People, baselines: Baselines, times: Array) -> None:
    """Add w y(t) / G(T-) and its derivatives."""
    mine = np.flatnonzero((people.weight != 0) & (people.hit > 0) & (people.exit <= times.max()))
    exit, relative = people.exit[mine], people.relative_censoring[mine]
    before = np.searchsorted(baselines.grid, exit, side="left")
    spent = np.zeros(len(mine))
    if baselines.censoring is not None:
        spent = relative * _from_zero(baselines.censoring)[before]
    inverse = _inverse_chance(spent)
    each = people.weight[mine] * inverse
    by = exit[:, None] <= times
    found.own[mine] += each[:, None] * by
    found.by_score[:] += (people.gradient[mine] * inverse[:, None]).T @ by
    if baselines.censoring is None:
        return
    load = each * relative
    so_far = np.append(0.0, np.cumsum(np.bincount(before, weights=load, minlength=len(baselines.grid) + 1)))
    found.by_jump_censoring[:] += (load @ by) - so_far[1 : len(baselines.grid) + 1, None]
    found.by_coefficient_censoring[:] += (people.x_censoring[mine] * (each * spent)[:, None]).T @ by


def _add_block(
    found: CurveSums, people: People, baselines: Baselines, mine: IntArray, passed: IntArray, *, seen: bool
) -> None:
    """Add the terms of the outcome model of some people; `seen`: their censoring is part of them."""
    hazards = [people.relative[k][mine][:, None] * jump for k, jump in enumerate(baselines.causes)]
    total = hazards[0] if len(hazards) == 1 else np.sum(hazards, axis=0)
    spent = np.cumsum(total, axis=1)
    free = np.exp(-spent)
    start = np.ones_like(free)
    start[:, 1:] = free[:, :-1]
    risk, slopes = _incidence(hazards, total, free, start, any_cause=baselines.any_cause)
    at = risk[:, passed]
    weight, target = people.weight[mine], people.target[mine]
    share = np.repeat((target - weight)[:, None] if seen else target[:, None], free.shape[1], axis=1)
    found.own[mine] += share[:, [0]] * at if free.shape[1] else 0.0
    if seen:
        share += _add_censoring(found, people, baselines, mine, passed, spent, risk, at)
    for k, jump in enumerate(baselines.causes):
        relative = people.relative[k][mine]
        level = (slopes[k] + risk[:, 1:]) * share
        found.by_jump[k][:] += (relative @ level)[:, None] - (share * relative[:, None]).T @ at
        pulled = relative[:, None] * (_from_zero(level * jump)[:, passed] - at * _from_zero(share * jump)[:, passed])
        found.by_coefficient[k][:] += people.x[k][mine].T @ pulled


def _incidence(
    hazards: list[Array], total: Array, free: Array, start: Array, *, any_cause: bool
) -> tuple[Array, list[Array]]:
    """Return the incidence of the first cause (or of any) after 0, 1, … grid times, shape (B, M + 1), and its slopes.

    Slopes are how each step of it moves with the jump of each cause's hazard in that step, shape (B, M) each.

    Within a step the causes share what happens in proportion to their jumps, so that incidences and the free share add up to 1.
    """
    lost = start - free
    if any_cause or len(hazards) == 1:
        return _from_zero(lost), [free] * len(hazards)
    some = total > 0
    part = np.divide(hazards[0], total, out=np.zeros_like(total), where=some)
    each = np.divide(lost, total, out=start.copy(), where=some)
    slopes = [free * part + each * ((k == 0) - part) for k in range(len(hazards))]
    return _from_zero(lost * part), slopes


def _add_censoring(
    found: CurveSums,
    people: People,
    baselines: Baselines,
    mine: IntArray,
    passed: IntArray,
    spent_free: Array,
    risk: Array,
    at: Array,
) -> Array:
    """Add what makes up for those censored, and the derivatives by the score and by censoring; return w E before each time, (B, M)."""
    weight, gradient = people.weight[mine], people.gradient[mine]
    if baselines.censoring is None:
        found.by_score[:] -= gradient.T @ at
        return np.zeros_like(spent_free)
    relative, jump, last = people.relative_censoring[mine], baselines.censoring, people.exit[mine]
    hazard = relative[:, None] * jump
    within = baselines.grid <= last[:, None]
    per = _inverse_chance(np.where(within, np.cumsum(hazard, axis=1) + spent_free, 0.0))  # 1 / (S G)
    moved = np.where(within, -hazard, 0.0)
    ends = np.searchsorted(baselines.grid, last, side="left")
    gone = np.flatnonzero((people.censored[mine] > 0) & (ends < len(baselines.grid)))
    gone = gone[baselines.grid[ends[gone]] == last[gone]]
    moved[gone, ends[gone]] += 1.0
    moved *= per
    spent, spent_risk = _from_zero(moved), _from_zero(moved * risk[:, 1:])
    made_up = at * spent[:, passed] - spent_risk[:, passed]
    found.own[mine] += weight[:, None] * made_up
    found.by_score[:] += gradient.T @ (made_up - at)
    level = np.where(within, per, 0.0)
    slope = level + spent[:, :-1]
    level = level * risk[:, 1:] + spent_risk[:, :-1]
    load = weight * relative
    found.by_jump_censoring[:] += load @ made_up + (load @ level)[:, None] - (slope * load[:, None]).T @ at
    pulled = _from_zero(level * jump)[:, passed] - at * _from_zero(slope * jump)[:, passed]
    pulled += made_up * _from_zero(jump)[passed]
    found.by_coefficient_censoring[:] += (people.x_censoring[mine] * load[:, None]).T @ pulled
    return weight[:, None] * spent[:, :-1]


def _inverse_chance(spent: Array) -> Array:
    """Return one over exp(-spent), as large as a number can be where that chance is none."""
    return np.asarray(np.exp(np.minimum(spent, 300.0)))


def _from_zero(values: Array) -> Array:
    """Return running sums along the last axis with a leading 0."""
    total = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values, axis=-1, out=total[..., 1:])
    return total
