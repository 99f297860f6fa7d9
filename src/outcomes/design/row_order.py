"""Rows of one person must follow from each other: no overlap, nothing after the end, no state out of nowhere."""

from __future__ import annotations

import numpy as np

from outcomes.errors import DataError
from outcomes.results import Array, IntArray

__all__ = ["check_ends", "check_moves", "check_overlap"]


def check_overlap(person: IntArray, start: Array, stop: Array) -> None:
    """Raise where a row starts before the same person's row before it has ended."""
    overlap = int(((person[1:] == person[:-1]) & (start[1:] < stop[:-1])).sum())
    if overlap:
        raise DataError(f"survival_data: {overlap:,} rows start before the same person's row before them has ended.")


def check_ends(person: IntArray, codes: IntArray, *, repeated: bool) -> None:
    """Raise where rows follow an event that ends the time at risk: any, or (`repeated`) any but the first cause."""
    early = int(((person[1:] == person[:-1]) & (codes[:-1] > int(repeated))).sum())
    if early:
        ends = "events of other causes than the first end" if repeated else "the first event ends"
        hint = "" if repeated else " If the rows hold every event, say repeated=True."
        raise DataError(
            f"survival_data: {early:,} rows follow an event of the same person; {ends} the time at risk.{hint}"
        )


def check_moves(person: IntArray, start: Array, stop: Array, state: IntArray, moved_to: IntArray) -> None:
    """Raise where rows, in order of person and time, contradict each other.

    Parameters
    ----------
    person, start, stop, state : ndarray, shape (N,)
    moved_to : ndarray of int, shape (N,)
        State entered at `stop`; -1 where the person stays.

    Raises
    ------
    DataError
        A move into the state a person is already in; a row that begins where the one before it ended, in another state than
        that one led to.
    """
    stayed = int((moved_to == state).sum())
    if stayed:
        raise DataError(
            f"survival_data: {stayed:,} rows move into the state they are already in. Mark them as censored: nothing changed."
        )
    touching = (person[1:] == person[:-1]) & (start[1:] == stop[:-1])
    expected = np.where(moved_to[:-1] >= 0, moved_to[:-1], state[:-1])
    jumped = int((touching & (state[1:] != expected)).sum())
    if jumped:
        raise DataError(
            f"survival_data: {jumped:,} rows begin in another state than the one the same person's row before them led to."
        )
