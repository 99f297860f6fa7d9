"""Rows of time at risk cut on days of each person's own: where something about them changes."""

from __future__ import annotations

from typing import Any

import numpy as np

from outcomes.results import Array, IntArray

__all__ = ["cut_rows", "goes_on"]


def cut_rows(
    person: IntArray, entry: Array, exit_: Array, whose: IntArray, days: Array
) -> tuple[IntArray, Array, Array, Array]:
    """Return the pieces of rows (entry, exit] cut on days: their row, begin, end, and the moment just after which they begin.

    Parameters
    ----------
    person, entry, exit_ : ndarray, shape (N,)
        Rows in the order of person and entry; they do not overlap.
    whose, days : ndarray, shape (D,)
        Day on which something changes for a person, since time zero; those outside the person's rows cut nothing.

    Returns
    -------
    row, begin, end, after : ndarray, shape (M,)

    Notes
    -----
    A row that lasts half a day holds an event on the day it begins on: which came first cannot be known, and here too the event came
    before the change, except on the day of time zero.
    """
    ahead = (days > 0) & (days < exit_.max(initial=0))
    whose, days = whose[ahead], days[ahead]
    far = 1 + exit_.max(initial=0)
    inside = np.searchsorted(person * far + entry, whose * far + days, side="right") - 1
    met = (inside >= 0) & (person[inside] == whose) & (days > entry[inside]) & (days < exit_[inside])
    row = np.r_[np.arange(len(person)), inside[met]]
    begin = np.r_[entry, days[met]]
    order = np.lexsort((begin, row))
    row, begin = row[order], begin[order]
    end = np.where(goes_on(row), np.r_[begin[1:], 0.0], exit_[row])
    on_its_day = (begin > 0) & (begin % 1 == 0) & (end % 1 > 0)
    return row, begin, end, np.where(on_its_day, begin - 0.5, begin)


def goes_on(row: IntArray) -> Any:
    """Return which places are followed by one of the same row."""
    return np.r_[row[1:] == row[:-1], False] if len(row) else np.empty(0, dtype=bool)
