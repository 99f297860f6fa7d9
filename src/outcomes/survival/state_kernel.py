"""State-occupation probabilities of one arm: the Aalen–Johansen product of transition matrices, and how it moves with each row's weight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.results import Array, IntArray
from outcomes.survival.risk_table import summed

__all__ = ["ArmStates", "fit_states", "state_influences"]


@dataclass(frozen=True)
class ArmStates:
    """One arm's moves; N rows, K states, T distinct times at which somebody moves, index u = number of times passed.

    Attributes
    ----------
    entry, exit, count : ndarray, shape (N,)
        Row at risk on (entry, exit]; number of people it stands for.
    state, moved_to : ndarray of int, shape (N,)
        State the row is spent in; the one entered at its end, -1 where the person stays.
    low, high : ndarray of int, shape (N,)
        At risk at times low..high-1.
    begins : ndarray of bool, shape (N,)
        Whether the row is at risk just before the first move: these rows make the distribution at the start.
    start_weight : float
        Their total weight.
    times : ndarray, shape (T,)
    at_risk : ndarray, shape (T, K)
        Weighted number in each state just before each time.
    step : ndarray, shape (T, K, K)
        Transition matrix at each time; rows add to 1.
    share : ndarray, shape (T + 1, K)
        Probability of each state after each number of times passed.
    moves : ndarray of int, shape (T, K, K)
        People who moved, frequencies counted.
    """

    entry: Array
    exit: Array
    count: Array
    state: IntArray
    moved_to: IntArray
    low: IntArray
    high: IntArray
    begins: npt.NDArray[np.bool_]
    start_weight: float
    times: Array
    at_risk: Array
    step: Array
    share: Array
    moves: IntArray

    @property
    def last(self) -> float:
        """Last time anybody was observed."""
        return float(self.exit.max())

    @property
    def ends_open(self) -> bool:
        """Whether somebody may be in a state that is left, when observation ends: what comes after is then unknown."""
        return bool(self.share[-1, np.unique(self.state)].sum() > 0)

    def passed(self, times: Array) -> IntArray:
        """Return the number of moments of a move at or before each of `times`."""
        return np.searchsorted(self.times, times, side="right")


def fit_states(
    entry: Array, exit: Array, state: IntArray, moved_to: IntArray, weight: Array, count: Array, n_states: int
) -> ArmStates:
    """Fit the states of one arm.

    Parameters
    ----------
    entry, exit, weight, count : ndarray, shape (N,)
        `weight` holds the count.
    state, moved_to : ndarray of int, shape (N,)
    n_states : int
        K.
    """
    moved = moved_to >= 0
    times = np.unique(exit[moved])
    low, high = np.searchsorted(times, entry, side="right"), np.searchsorted(times, exit, side="right")
    size, cells = len(times), n_states * n_states
    first = times[0] if size else exit.max()
    begins = (entry < first) & (exit >= first)
    beginning = summed(state[begins], weight[begins], n_states)

    def moving(values: Array) -> Array:
        cell = ((high - 1) * n_states + state) * n_states + moved_to
        return summed(cell[moved], values[moved], size * cells).reshape(size, n_states, n_states)

    n_at_risk = _at_risk(low, high, state, count, size, n_states)
    at_risk = np.where(n_at_risk > 0, _at_risk(low, high, state, weight, size, n_states), 0.0)
    moves = moving(count)
    step = np.divide(
        moving(weight), at_risk[:, :, None], out=np.zeros((size, n_states, n_states)), where=at_risk[:, :, None] > 0
    )
    everybody = (moves.sum(axis=2) >= n_at_risk) & (n_at_risk > 0)
    stay = np.where(everybody, 0.0, 1.0 - step.sum(axis=2))
    step[:, np.arange(n_states), np.arange(n_states)] = stay
    share = np.empty((size + 1, n_states))
    share[0] = beginning / beginning.sum()
    for u in range(size):
        share[u + 1] = share[u] @ step[u]
    return ArmStates(
        entry=entry, exit=exit, count=count, state=state, moved_to=moved_to, low=low, high=high, begins=begins,
        start_weight=float(beginning.sum()), times=times, at_risk=at_risk, step=step, share=share, moves=moves.astype(np.int64),
    )  # fmt: skip


def _at_risk(low: IntArray, high: IntArray, state: IntArray, values: Array, size: int, n_states: int) -> Array:
    """Return the sum of `values` over rows at risk in each state at each time, shape (T, K)."""
    some = high > low
    low, high, state, values = low[some], high[some], state[some], values[some]
    joining = summed(low * n_states + state, values, size * n_states).reshape(size, n_states)
    leaving = summed((high - 1) * n_states + state, values, size * n_states).reshape(size, n_states)
    later = np.vstack((joining[1:], np.zeros((min(size, 1), n_states))))
    # from the far end, so that small late risk sets are not differences of large sums
    return np.asarray(np.cumsum((leaving - later)[::-1], axis=0)[::-1])


def state_influences(fit: ArmStates, passed: IntArray, person: IntArray, beside: Array, people: int) -> Iterator[Array]:
    """Yield the derivative of the probabilities by each person's weight, shape (P, K), for each of `passed`.

    From one asked time to the next the derivative of what was is carried by the transition matrices, and each row adds what it moved
    at the times between: U(b) = U(a) P(a, b) + sum over u of p(u-) dA_i(u) P(u, b).

    Parameters
    ----------
    passed : ndarray of int, shape (M,)
        Numbers of times passed, increasing.
    person : ndarray of int, shape (N,)
        Row of the baseline of each row.
    beside : ndarray, shape (N,)
        Weight of each row beside its person's.
    people : int
        P.
    """
    start = (fit.state[:, None] == np.arange(fit.share.shape[1])) - fit.share[0]
    now = _by_person(start * (beside * fit.begins / fit.start_weight)[:, None], person, people)
    at = 0
    for upto in passed.tolist():
        if upto > at:
            now, at = _carried(fit, at, upto, now, person, beside), upto
        yield now


def _carried(fit: ArmStates, a: int, b: int, now: Array, person: IntArray, beside: Array) -> Array:
    """Return the derivative where b times have passed, from that where a have; shape (P, K)."""
    n_states = fit.share.shape[1]
    onward = np.empty((b - a, n_states, n_states))  # from just after each time to b
    onward[-1] = np.eye(n_states)
    for u in range(b - a - 1, 0, -1):
        onward[u - 1] = fit.step[a + u] @ onward[u]
    through = fit.step[a] @ onward[0]
    at_risk = fit.at_risk[a:b]
    each = np.divide(fit.share[a:b], at_risk, out=np.zeros_like(at_risk), where=at_risk > 0)  # p(u-) / Y(u)
    stays = each[:, :, None] * ((np.eye(n_states) - fit.step[a:b]) @ onward)
    spent = np.concatenate((np.zeros((1, n_states, n_states)), np.cumsum(stays, axis=0)))
    rows = np.flatnonzero((fit.low < b) & (fit.high > a) & (fit.high > fit.low))
    state, end = fit.state[rows], fit.high[rows] - 1 - a
    moved = spent[np.minimum(end + 1, b - a), state] - spent[np.maximum(fit.low[rows] - a, 0), state]
    jumps = np.flatnonzero((fit.moved_to[rows] >= 0) & (end < b - a))
    when, left, entered = end[jumps], state[jumps], fit.moved_to[rows][jumps]
    moved[jumps] += each[when, left][:, None] * (onward[when, entered] - onward[when, left])
    carried: Array = now @ through
    return carried + _by_person(moved * beside[rows, None], person[rows], len(now))


def _by_person(values: Array, person: IntArray, people: int) -> Array:
    """Return the sums of rows (N, K) by person, shape (P, K)."""
    return np.stack([summed(person, column, people) for column in values.T], axis=1)
