"""Rows of a Fine–Gray model: those of a Cox model, and people who had a competing event and stay in the risk set.

A person with a competing event at T counts at a later time t by the chance of being in view at t over that at T. With V the chance,
a risk set's sum is that of the people at risk plus V(t) times the sum of values / V(T) over competing events before t: one running
sum from each end of time, whatever the weights. Where strata have their own baseline, or their own censoring, there is one such pair
of sums a cell (baseline stratum by censoring stratum).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from outcomes.errors import EstimationError
from outcomes.results import Array, IntArray
from outcomes.survival.cox_rows import CoxRows
from outcomes.survival.observation_chances import Observation

__all__ = ["Cell", "CompetingRows", "with_rivals"]


@dataclass(frozen=True)
class Cell:
    """Competing events of one baseline stratum and one censoring stratum, and the groups of events they are at risk at.

    Attributes
    ----------
    code : int
        The censoring stratum.
    rivals : slice
        Of `rival`: the cell's competing events in order of time.
    groups : slice
        The groups of the baseline stratum.
    time : ndarray
        Of the competing events.
    chance, chance_then : ndarray
        Of being in view just before each competing event, and just before each group.
    before : ndarray of int
        Number of competing events before each group.
    after : ndarray of int
        First group after each competing event, counted within the stratum.
    """

    code: int
    rivals: slice
    groups: slice
    time: Array
    chance: Array
    chance_then: Array
    before: IntArray
    after: IntArray


@dataclass(frozen=True)
class CompetingRows(CoxRows):
    """Rows of a Cox model with competing events; rows that are at risk only after theirs stand first, before any group's.

    Attributes
    ----------
    rival : ndarray of int
        Rows with a competing event, cell by cell in order of time.
    cells : tuple of Cell
    """

    rival: IntArray
    cells: tuple[Cell, ...]

    @cached_property
    def x_rival(self) -> Array:
        """Covariates of the rows with a competing event."""
        return np.take(self.x, self.rival, axis=1)

    def over_risk_sets(self, values: Array) -> Array:
        """Return the sum of `values` (..., R) over each group's risk set, shape (..., G)."""
        return self._joined_by(np.take(values, self.rival, axis=-1), super().over_risk_sets(values))

    def _x_through(self, own: Array, load: Array) -> Array:
        """Return the sums of `load` times x over risk sets from those over the rows whose range ends with each group, shape (p, G)."""
        return self._joined_by(self.x_rival * load[self.rival], super()._x_through(own, load))

    def _joined_by(self, stayed: Array, total: Array) -> Array:
        """Return sums over those at risk (..., G) with those who stay after a competing event added."""
        for cell in self.cells:
            earlier = running(stayed[..., cell.rivals] / cell.chance)
            total[..., cell.groups] += cell.chance_then * np.take(earlier, cell.before, axis=-1)
        return total

    def over_range(self, values: Array) -> Array:
        """Return the sum of `values` (..., G) over the groups each row is at risk at, as it counts there, shape (..., R)."""
        through = super().over_range(values)
        for cell in self.cells:
            later = remaining(values[..., cell.groups] * cell.chance_then)
            through[..., self.rival[cell.rivals]] += np.take(later, cell.after, axis=-1) / cell.chance
        return through


def running(values: Array) -> Array:
    """Return sums of the first 0, 1, … of `values` (..., n), shape (..., n + 1)."""
    total = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values, axis=-1, out=total[..., 1:])
    return total


def remaining(values: Array) -> Array:
    """Return sums of `values` (..., n) from each index to the end, with a trailing 0, shape (..., n + 1)."""
    total = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values[..., ::-1], axis=-1, out=total[..., -2::-1])
    return total


def with_rivals(
    rows: CoxRows,
    exit: Array,
    rival: npt.NDArray[np.bool_],
    stratum: IntArray | None,
    code: IntArray,
    observation: Observation,
    data: tuple[Array, Array, Array, Array],
) -> CompetingRows:
    """Return the rows with those added who stay after a competing event.

    Parameters
    ----------
    rows : CoxRows
        Of the event of interest, competing events taken as censoring.
    exit : ndarray, shape (N,)
    rival : ndarray of bool, shape (N,)
        Whether the row ends with a competing event and has a weight.
    stratum, code : ndarray of int, shape (N,)
        Baseline stratum (None: one) and censoring stratum.
    observation : Observation
    data : tuple of ndarray
        Weight with frequency (N,), covariates (N, p), and what was taken from and divided out of them (p,).
    """
    weight, values, centre, scale = data
    place = np.full(len(exit), -1, dtype=np.int64)
    place[rows.order] = 0
    added = np.flatnonzero(rival & (place < 0))
    first = len(added)
    place[rows.order] = first + np.arange(len(rows.order))
    place[added] = np.arange(first)
    nothing = np.zeros(first, dtype=np.int64)
    own = {field.name: getattr(rows, field.name) for field in fields(CoxRows)} | {
        "order": np.concatenate((added, rows.order)),
        "x": np.concatenate((((values[added] - centre) / scale).T, rows.x), axis=1) if first else rows.x,
        "weight": np.concatenate((weight[added], rows.weight)),
        "low": np.concatenate((nothing, rows.low)),
        "high": np.concatenate((nothing, rows.high)),
        "late": rows.late + first,
        "begin": rows.begin + first,
        "event": rows.event + first,
    }
    which = np.flatnonzero(rival)
    layer = np.zeros(len(exit), dtype=np.int64) if stratum is None else stratum
    which = which[np.lexsort((exit[which], code[which], layer[which]))]
    cells = _cells(rows.time, rows.stratum, exit[which], layer[which], code[which], observation)
    return CompetingRows(**own, rival=place[which], cells=cells)


def _cells(
    time: Array, of_group: IntArray, exit: Array, layer: IntArray, code: IntArray, observation: Observation
) -> tuple[Cell, ...]:
    """Return the cells of competing events sorted by baseline stratum, censoring stratum and time."""
    cells = []
    fresh = np.append(True, (layer[1:] != layer[:-1]) | (code[1:] != code[:-1])) if len(exit) else np.empty(0, bool)
    bounds = np.append(np.flatnonzero(fresh), len(exit))
    for first, last in pairwise(bounds.tolist()):
        begin, end = np.searchsorted(of_group, (layer[first], layer[first] + 1))
        if begin == end:  # nobody of the stratum had the event of interest
            continue
        moments, ends, k = time[begin:end], exit[first:last], int(code[first])
        chance = observation.before(k, ends)
        lost = int((chance <= 0).sum())
        if lost:
            raise EstimationError(
                f"fine_gray: before {lost:,} competing events a time came at which everybody then in view had been censored, or had "
                "only just entered, so their chance of still being in view cannot be told. Begin later, where more people are in view."
            )
        cells.append(
            Cell(
                code=k,
                rivals=slice(first, last),
                groups=slice(int(begin), int(end)),
                time=ends,
                chance=chance,
                chance_then=observation.before(k, moments),
                before=np.searchsorted(ends, moments, side="left"),
                after=np.searchsorted(moments, ends, side="right"),
            )
        )
    return tuple(cells)
