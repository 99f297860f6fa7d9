"""Product-limit and Aalen–Johansen curves of one arm, and how they move with each row's weight.

Everything stands on one table of distinct exit times, sorted once. The influence of row i on a curve is its derivative by the
row's weight; all of them are differences of prefix sums over the table, so no loop runs over people or times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.results import Array, IntArray

__all__ = ["ArmCurve", "fit_arm", "influence_on_cif", "influence_on_survival", "summed"]


@dataclass(frozen=True)
class ArmCurve:
    """One arm's risk table and curves; T distinct exit times, K causes, N rows.

    Attributes
    ----------
    times : ndarray, shape (T,)
        Distinct exit times, increasing.
    at_risk, ended, censored : ndarray, shape (T,)
        Weighted number at risk on (entry, exit]; ended by any cause; censored.
    events : ndarray, shape (K, T)
        Weighted events by cause.
    n_at_risk, n_events, n_censored : ndarray, shape (T,), (K, T), (T,)
        The same as counts of people (frequencies counted).
    survival : ndarray, shape (T,)
        Product limit over all causes.
    cif : ndarray, shape (K, T)
        Aalen–Johansen cumulative incidence by cause.
    entry, exit, weight : ndarray, shape (N,)
    event : ndarray of int, shape (N,)
    last : ndarray of int, shape (N,)
        Index of each row's exit in `times`.
    first : ndarray of int, shape (N,)
        Number of distinct times at or before each row's entry.
    """

    times: Array
    at_risk: Array
    events: Array
    censored: Array
    n_at_risk: Array
    n_events: Array
    n_censored: Array
    survival: Array
    cif: Array
    entry: Array
    exit: Array
    weight: Array
    event: IntArray
    last: IntArray
    first: IntArray

    @property
    def ended(self) -> Array:
        """Weighted events of any cause, shape (T,)."""
        total: Array = self.events.sum(axis=0)
        return total

    @property
    def survival_before(self) -> Array:
        """Survival just before each time, shape (T,)."""
        return np.concatenate(([1.0], self.survival[:-1]))


def fit_arm(entry: Array, exit: Array, event: IntArray, weight: Array, count: Array, n_causes: int) -> ArmCurve:
    """Fit the curves of one arm.

    Parameters
    ----------
    entry, exit : ndarray, shape (N,)
        At risk on (entry, exit].
    event : ndarray of int, shape (N,)
        0 = censored, k = cause k.
    weight, count : ndarray, shape (N,)
        Weight of the row (frequency included) and number of people it stands for.
    n_causes : int
        K.
    """
    times, last = np.unique(exit, return_inverse=True)
    first = np.searchsorted(times, entry, side="right")
    size = len(times)

    def table(values: Array) -> tuple[Array, Array, Array]:
        leaving = summed(last, values, size)
        joining = summed(first, values, size + 1)[:size]
        at_risk = np.cumsum(joining) - np.concatenate(([0.0], np.cumsum(leaving)[:-1]))
        events = np.zeros((n_causes, size))
        for cause in range(1, n_causes + 1):
            hit = event == cause
            events[cause - 1] = summed(last[hit], values[hit], size)
        lost = event == 0
        return at_risk, events, summed(last[lost], values[lost], size)

    at_risk, events, censored = table(weight)
    n_at_risk, n_events, n_censored = table(count)
    ended = events.sum(axis=0)
    everyone = (n_events.sum(axis=0) >= n_at_risk) & (n_at_risk > 0)
    at_risk = np.where(n_at_risk > 0, at_risk, 0.0)
    share = np.divide(ended, at_risk, out=np.zeros(size), where=at_risk > 0)
    survival = np.asarray(np.cumprod(np.where(everyone, 0.0, 1.0 - share)), dtype=np.float64)
    before = np.concatenate(([1.0], survival[:-1]))
    cif = np.cumsum(before * np.divide(events, at_risk, out=np.zeros_like(events), where=at_risk > 0), axis=1)
    return ArmCurve(
        times=times, at_risk=at_risk, events=events, censored=censored, n_at_risk=n_at_risk, n_events=n_events,
        n_censored=n_censored, survival=survival, cif=cif, entry=entry, exit=exit, weight=weight, event=event,
        last=last.astype(np.int64), first=first.astype(np.int64),
    )  # fmt: skip


def summed(index: IntArray, values: Array, size: int) -> Array:
    """Return the sum of `values` at each index 0..size-1."""
    return np.asarray(np.bincount(index, weights=values, minlength=size), dtype=np.float64)


def _prefix(values: Array) -> Array:
    """Return prefix sums with a leading zero, so that ``p[b] - p[a]`` is the sum over indices a..b-1."""
    return np.concatenate(([0.0], np.cumsum(values)))


def _left(arm: ArmCurve) -> Array:
    """Return 1 / (at risk - ended), 0 where nobody is left."""
    left = arm.at_risk - arm.ended
    someone = (arm.n_at_risk - arm.n_events.sum(axis=0)) > 0
    return np.divide(1.0, left, out=np.zeros(len(left)), where=someone)


def influence_on_survival(arm: ArmCurve, times: Array) -> Array:
    """Return the derivative of S(t) by each row's weight, shape (N, len(times))."""
    upto = np.searchsorted(arm.times, times, side="right")
    left = _left(arm)
    hazard = np.divide(arm.ended, arm.at_risk, out=np.zeros(len(left)), where=arm.at_risk > 0)
    spent = _prefix(hazard * left)
    exposed = np.minimum(upto[None, :], arm.last[:, None] + 1)
    exposed = np.maximum(exposed, arm.first[:, None])
    martingale = -(spent[exposed] - spent[arm.first][:, None])
    jumped = (arm.event > 0)[:, None] & (upto[None, :] > arm.last[:, None])
    martingale = martingale + jumped * left[arm.last][:, None]
    survival = np.concatenate(([1.0], arm.survival))[upto]
    change: Array = -survival[None, :] * martingale
    return change


def influence_on_cif(arm: ArmCurve, cause: int, times: Array) -> Array:
    """Return the derivative of the cumulative incidence of cause (1..K) by each row's weight, shape (N, len(times))."""
    upto = np.searchsorted(arm.times, times, side="right")
    size = len(arm.times)
    left = _left(arm)
    per = np.divide(1.0, arm.at_risk, out=np.zeros(size), where=arm.at_risk > 0)
    before = arm.survival_before
    steps = before * arm.events[cause - 1] * per
    spent = _prefix(arm.ended * per * left)
    own = _prefix(steps * per)
    incidence = _prefix(steps)
    carried = _prefix(steps * spent[:-1])
    exposed = np.maximum(np.minimum(upto[None, :], arm.last[:, None] + 1), arm.first[:, None])
    start = arm.first[:, None]
    out = upto[None, :] > arm.last[:, None]
    # own term: S(s-) (dN_ki - Y_i dLambda_k) / Y
    jump = (arm.event == cause) * (before * per)[arm.last]
    influence = out * jump[:, None] - (own[exposed] - own[start])
    # carried term: - dF_k(s) Z_i(s-), Z_i = integral of (dN_i - Y_i dLambda) / (Y - dN)
    influence += (carried[exposed] - carried[start]) - spent[start] * (incidence[exposed] - incidence[start])
    after = (arm.event > 0) * left[arm.last] - (spent[arm.last + 1] - spent[arm.first])
    influence -= (
        out
        * after[:, None]
        * (incidence[np.maximum(upto[None, :], arm.last[:, None] + 1)] - incidence[arm.last + 1][:, None])
    )
    result: Array = np.asarray(influence, dtype=np.float64)
    return result
