"""The chance that a clone keeps to its strategy through the grace period, given what was known at time zero.

Departing is a hazard, the same within a month (piecewise exponential): who is censored, or has the event, in the middle of a month was
asked for half of it. Who has not started a programme by the end of the grace period departs there, all at once: what counts then is the
hazard of starting in the last month.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.adjust.propensity import fit_propensity
from outcomes.adjust.separation import independent
from outcomes.design.cloning import Clones
from outcomes.errors import EstimationError
from outcomes.results import Array, IntArray

__all__ = ["Kept", "weights_of_arm"]

_FEW = 5  # departures below which covariates are not asked
_ITERATIONS = 100


@dataclass(frozen=True)
class Kept:
    """How one arm's clones kept to their strategy; C clones, K months of the grace period.

    Attributes
    ----------
    weight : ndarray, shape (C, K + 1)
        One over the chance of having kept to it by the start of each month, and by the end of the grace period.
    inside : ndarray, shape (C, K + 1)
        What a clone weighs in the middle of the month against its start; 1 in the last column.
    departed : ndarray of int, shape (K + 1,)
        Clones not made because the person had started something else by time zero, and clones that departed, by month.
    plain : tuple of str
        What was fitted without covariates, because too few departed.
    """

    weight: Array
    inside: Array
    departed: IntArray
    plain: tuple[str, ...]


@dataclass(frozen=True)
class _Asked:
    """Clone-months in which a clone could depart, M of them: which clone and month, days of it, and whether it departed or started."""

    clone: IntArray
    month: IntArray
    days: Array
    departs: npt.NDArray[np.bool_]
    starts: npt.NDArray[np.bool_]


def weights_of_arm(
    clones: Clones, mine: IntArray, columns: Array, names: tuple[str, ...], *, treated: bool, arm: str
) -> Kept:
    """Return what the clones of one arm weigh.

    Parameters
    ----------
    clones : Clones
    mine : ndarray of int, shape (C,)
        Which of them are the arm's.
    columns : ndarray, shape (P, number of columns)
        Covariates at time zero of all of them.
    treated : bool
        The strategy is to start a programme.
    arm : str
        Its name, for messages.

    Raises
    ------
    EstimationError
        Nobody started in the last month of the grace period; the covariates tell exactly who had started something else by time zero.
    """
    edges, x, plain = clones.edges, columns[mine], list[str]()
    asked = _asked(clones, mine, treated=treated)
    rate = _rates(x, asked, asked.departs, f"leaving {arm}", plain)
    months = len(edges) - 1
    hazard = np.zeros((len(mine), months))
    inside = np.ones((len(mine), months + 1))
    length = np.diff(edges)[asked.month]
    hazard[asked.clone, asked.month] = rate * np.minimum(_until(clones, mine, asked), length)
    inside[asked.clone, asked.month] = np.exp(0.5 * rate * length)
    weight = np.ones((len(mine), months + 1))
    weight[:, 1:] = np.exp(np.cumsum(hazard, axis=1))
    if treated:
        weight[:, -1] *= _for_the_rest(x, asked, months, float(edges[-1] - edges[-2]), arm, plain)
    before, missing = _at_time_zero(clones, mine, columns, names, treated=treated, arm=arm, plain=plain)
    left = clones.departed[mine]
    by_month = np.searchsorted(edges, left[np.isfinite(left)], side="left")
    return Kept(
        weight=weight * before[:, None],
        inside=inside,
        departed=np.bincount(by_month, minlength=months + 1) + np.r_[missing, np.zeros(months, dtype=np.int64)],
        plain=tuple(plain),
    )


def _asked(clones: Clones, mine: IntArray, *, treated: bool) -> _Asked:
    """Return the clone-months; what happens on the day of an event comes after it."""
    edges, last, left = clones.edges, clones.last[mine], clones.departed[mine]
    complied = np.where(clones.complied[mine] < last, clones.complied[mine], np.inf)
    end = np.minimum(np.minimum(complied, left), last)
    clone, month = np.nonzero(end[:, None] > edges[:-1])
    until = np.minimum(end[clone], edges[month + 1])
    here = until == end[clone]
    departs = here & (left[clone] == until)
    if treated:  # at the end of the grace period nobody leaves: those who are left never came
        departs &= left[clone] < edges[-1]
    return _Asked(clone, month, until - edges[month], departs, here & (complied[clone] == until))


def _until(clones: Clones, mine: IntArray, asked: _Asked) -> Array:
    """Return the days of each clone-month in which a clone that goes on could depart: until it complied."""
    return np.asarray(clones.complied[mine][asked.clone] - clones.edges[asked.month])


def _for_the_rest(x: Array, asked: _Asked, months: int, length: float, arm: str, plain: list[str]) -> Array:
    """Return what those who started in the last month weigh more from its end on: they stand for all who had not started by then."""
    last = asked.month == months - 1
    final = _Asked(asked.clone[last], asked.month[last], asked.days[last], asked.departs[last], asked.starts[last])
    if len(final.clone) and not final.starts.any():
        raise EstimationError(
            f"censoring_weights: of {len(final.clone):,} clones of arm {arm!r} that had not started before the last month of the grace "
            "period nobody started in it, so nobody can stand for them. Choose another grace period."
        )
    more = np.ones(len(x))
    rate = _rates(x, final, final.starts, f"starting {arm} in the last month", plain)
    more[final.clone] = -1.0 / np.expm1(-rate * length)
    return more


def _at_time_zero(
    clones: Clones,
    mine: IntArray,
    columns: Array,
    names: tuple[str, ...],
    *,
    treated: bool,
    arm: str,
    plain: list[str],
) -> tuple[Array, int]:
    """Return one over the chance of not having started anything else by time zero, by clone, and how many people had."""
    people, first = np.unique(clones.person, return_index=True)
    begun = clones.begun[first]
    own = np.isin(people, clones.person[mine])  # whoever had begun something and still has a clone here had begun this
    there = (begun == -1) | ((begun == -2) & treated) | ((begun >= 0) & own)
    gone = int((~there).sum())
    if gone < _FEW:
        if gone:
            plain.append(f"having started something other than {arm} by time zero")
        return np.full(len(mine), len(people) / (len(people) - gone)), gone
    sides = f"those who had started something other than {arm} by time zero and the others"
    fit = fit_propensity(columns[first], there.astype(np.float64), names, what="censoring_weights", sides=sides)
    return 1.0 / fit.score[np.searchsorted(people, clones.person[mine])], gone


def _rates(x: Array, asked: _Asked, happens: npt.NDArray[np.bool_], what: str, plain: list[str]) -> Array:
    """Return the hazard a day of each clone-month, by month and covariates (Poisson regression with log days as offset)."""
    counts = np.bincount(asked.month, weights=happens)
    rate = np.zeros(len(happens))
    used = np.flatnonzero(
        counts[asked.month] > 0
    )  # a month in which it never happens has hazard 0, and no say in the rest
    if counts.sum() < _FEW:
        days = np.bincount(asked.month, weights=asked.days)
        rate[used] = (counts[asked.month] / days[asked.month])[used]
        if len(used):
            plain.append(what)
        return rate
    months = np.unique(asked.month[used])
    varying = x[asked.clone[used]]
    kept = independent(varying)
    scaled = (varying[:, kept] - varying[:, kept].mean(axis=0)) / varying[:, kept].std(axis=0)
    dummies = (asked.month[used][:, None] == months).astype(np.float64)
    rate[used] = _poisson(np.hstack([dummies, scaled]), happens[used].astype(np.float64), asked.days[used], what)
    return rate


def _poisson(columns: Array, happens: Array, days: Array, what: str) -> Array:
    """Return fitted rates a day."""
    import statsmodels.api as sm

    rate, converged = np.zeros(len(days)), False
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # whether it converged is judged below, and said
        try:
            model = sm.GLM(happens, columns, family=sm.families.Poisson(), offset=np.log(days))
            fit = model.fit(maxiter=_ITERATIONS, tol=1e-10)
            rate, converged = np.asarray(fit.fittedvalues) / days, bool(fit.converged)
        except Exception:  # statsmodels lets its own and numpy's errors through
            converged = False
    if not converged or not np.isfinite(rate).all():
        raise EstimationError(
            f"censoring_weights: the model of {what} ({columns.shape[1]} columns, {len(days):,} clone-months) did not converge. Leave out "
            "columns that say almost the same, or that vary for very few people."
        )
    return rate
