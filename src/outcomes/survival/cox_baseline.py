"""The baseline hazard of a Cox model, and how it moves with each person's weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from outcomes.errors import EstimationError
from outcomes.results import Array, IntArray
from outcomes.survival.cox_kernel import RiskSums
from outcomes.survival.cox_rows import CoxRows
from outcomes.survival.design_matrix import check_numbers
from outcomes.survival.estimates import by_person
from outcomes.survival.new_covariates import new_columns, new_strata

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.survival.cox_result import Cox

__all__ = ["Baseline", "baseline_of", "encode", "hazard_derivative", "jumps_derivative", "log_relative", "stratum_of"]


@dataclass(frozen=True)
class Baseline:
    """Cumulative sums over event times at covariates 0 of the sorted rows; G groups, S strata, p terms.

    Attributes
    ----------
    time : ndarray, shape (G,)
    first, end : ndarray of int, shape (S,)
        Groups of each stratum: first..end-1; none where nobody of the stratum had an event.
    last : ndarray, shape (S,)
        Last time anybody of the stratum was observed.
    hazard, square : ndarray, shape (G + 1,)
        Sums of the hazard, and of its variance by independent events.
    mean : ndarray, shape (p, G + 1)
        Sums of the hazard times the mean covariates of those at risk.
    """

    time: Array
    first: IntArray
    end: IntArray
    last: Array
    hazard: Array
    square: Array
    mean: Array

    def passed(self, stratum: int, times: Array) -> IntArray:
        """Return the group after the last one at or before each time, in the stratum."""
        own = slice(self.first[stratum], self.end[stratum])
        return np.asarray(self.first[stratum] + np.searchsorted(self.time[own], times, side="right"))

    def at(self, stratum: int, times: Array) -> tuple[Array, Array, Array]:
        """Return hazard (T,), its variance (T,) and the hazard times mean covariates (p, T), cumulated up to each time."""
        upto, start = self.passed(stratum, times), self.first[stratum]
        return (
            self.hazard[upto] - self.hazard[start],
            self.square[upto] - self.square[start],
            self.mean[:, upto] - self.mean[:, [start]],
        )


def baseline_of(model: Cox) -> Baseline:
    """Return the baseline of every stratum (Breslow's, or Efron's where that is how ties were taken)."""
    rows, sums = model.rows, model.sums
    size = 1 if model.strata_levels is None else len(model.strata_levels)
    codes = np.arange(size)
    last = np.zeros(size)
    np.maximum.at(last, _row_strata(model), model.data.exit)
    return Baseline(
        time=rows.time,
        first=np.searchsorted(rows.stratum, codes, side="left"),
        end=np.searchsorted(rows.stratum, codes, side="right"),
        last=last,
        hazard=_prefix(sums.hazard),
        square=_prefix(sums.square),
        mean=_prefix(sums.s1 * sums.square - sums.d1 * sums.square_f),
    )


def _row_strata(model: Cox) -> IntArray:
    if model.strata_levels is None:
        return np.zeros(len(model.data.exit), dtype=np.int64)
    return stratum_of(model, model.data.frame, what="cox")


def _prefix(values: Array) -> Array:
    total = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values, axis=-1, out=total[..., 1:])
    return total


def stratum_of(model: Cox, frame: pd.DataFrame, *, what: str) -> IntArray:
    """Return the code of each row's stratum, shape (M,)."""
    return new_strata(model.strata_levels, frame, what=what)


def encode(model: Cox, frame: pd.DataFrame, codes: IntArray | None, *, what: str) -> Array:
    """Return the covariates of other rows as the sorted rows have them, shape (M, p).

    `codes` are the arms of the rows; None: they are read from a column ``arm`` or the arm's own, by name.
    """
    values = new_columns(model.data, model.design, frame, codes, what=what)
    return np.asarray((values - model.centre) / model.scale)


def log_relative(model: Cox, frame: pd.DataFrame, x: Array, *, what: str) -> Array:
    """Return the log hazard ratio of rows against covariates 0 of the sorted rows, offset included, shape (M,)."""
    found: Array = x @ model.scaled
    if model.offset is None:
        return found
    if model.offset not in frame.columns:
        raise EstimationError(f"{what}: the new rows have no column {model.offset!r} (offset).")
    check_numbers((model.offset,), frame, what)
    return np.asarray(found + frame[model.offset].to_numpy(dtype=np.float64))


def hazard_derivative(model: Cox, baseline: Baseline, stratum: int, times: Array) -> Array:
    """Return how a stratum's cumulative baseline hazard moves with each person's weight, coefficients fixed, shape (P, T)."""
    rows, data = model.rows, model.data
    first, end = int(baseline.first[stratum]), int(baseline.end[stratum])
    mine = np.flatnonzero((rows.low >= first) & (rows.low < end))
    load = np.zeros((len(rows.time), len(times)))
    load[first:end] = np.arange(first, end)[:, None] < baseline.passed(stratum, times)
    each = jumps_derivative(rows, model.sums, load, mine) * np.reshape(model.asked.beside(rows.order[mine]), (-1, 1))
    return by_person(each, data.person[rows.order[mine]], len(data.baseline))


def jumps_derivative(rows: CoxRows, sums: RiskSums, load: Array, mine: IntArray) -> Array:
    """Return how sums of the baseline hazard's jumps move with the weight of each of the rows `mine`, coefficients fixed.

    `load` (G, T) is what each group's jump counts in each of T sums; the result has shape (len(mine), T).
    """
    spent = np.zeros((len(load) + 1, load.shape[1]))
    np.cumsum(load * sums.square[:, None], axis=0, out=spent[1:])
    through = spent[rows.high[mine]] - spent[rows.low[mine]]
    group = np.full(len(rows.order), -1)
    group[rows.event] = rows.own
    died = np.flatnonzero(group[mine] >= 0)
    own = group[mine[died]]
    through[died] -= load[own] * sums.square_f[own, None]
    found = -sums.relative[mine, None] * through
    found[died] += load[own] * (sums.hazard / (rows.mean_weight * rows.deaths))[own, None]
    return np.asarray(found)
