"""The data of some of the people only, in the arms they had or in others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from outcomes.design.data import SurvivalData
from outcomes.results import IntArray, read_only

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["in_arms", "some_people"]


def some_people(data: SurvivalData, kept: IntArray, arm: IntArray, arms: tuple[str, ...]) -> SurvivalData:
    """Return the data of some people, in arms that are given; without the notes, which spoke of everybody.

    Parameters
    ----------
    kept : ndarray of int, shape (K,)
        Rows of ``data.baseline``, in order.
    arm : ndarray of int, shape (K,)
        Index into `arms` of each.
    arms : tuple of str
        The reference first.
    """
    number = np.full(len(data.baseline), -1)
    number[kept] = np.arange(len(kept))
    rows = np.flatnonzero(number[data.person] >= 0)
    baseline = _without_empty_levels(data.baseline.iloc[kept].reset_index(drop=True))
    one_row = data.row_a_person
    return replace(
        data,
        entry=read_only(data.entry[rows]),
        exit=read_only(data.exit[rows]),
        event=read_only(data.event[rows], np.int64),
        person=read_only(number[data.person[rows]], np.int64),
        arm=read_only(arm, np.int64),
        arms=arms,
        frequency=None if data.frequency is None else read_only(data.frequency[rows]),
        state=None if data.state is None else read_only(data.state[rows], np.int64),
        clones=None,
        frame=baseline if one_row else _without_empty_levels(data.frame.iloc[rows].reset_index(drop=True)),
        baseline=baseline,
        notes=(),
    )


def in_arms(data: SurvivalData, *names: str) -> SurvivalData:
    """Return the people of some arms only; the first that is named is the reference."""
    places = np.full(len(data.arms), -1)
    for place, name in enumerate(names):
        places[data.arms.index(name)] = place
    kept = np.flatnonzero(places[data.arm] >= 0)
    return some_people(data, kept, places[data.arm[kept]], names)


def _without_empty_levels(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame whose categories are those that somebody has: a level of nobody would be a column of zeros in a model."""
    import pandas as pd

    used = {
        str(name): column.cat.remove_unused_categories()
        for name, column in frame.items()
        if isinstance(column.dtype, pd.CategoricalDtype)
    }
    return frame.assign(**used) if used else frame
