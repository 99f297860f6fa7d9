"""The same score fitted again within each level of a column, so that the arms are alike within each level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.adjust.separation import independent
from outcomes.adjust.weight_fit import FittedWeights, fit_weights
from outcomes.adjust.weighting import PropensityWeights
from outcomes.errors import EstimationError
from outcomes.results import Array, IntArray

__all__ = ["Refit", "refit_within"]

_PEOPLE_A_COLUMN = 5


@dataclass(frozen=True)
class Refit:
    """Weights made level by level; P people, M parameters of all levels' scores together.

    Attributes
    ----------
    values : ndarray, shape (P,)
        0 for people outside every level.
    influence, gradient : ndarray, shape (P, M)
        A level's people have numbers in their own level's columns only.
    kept_overall : dict of int to str
        Levels that keep the weights of everyone's score, and why. These are taken as known.
    """

    values: Array
    influence: Array
    gradient: Array
    kept_overall: dict[int, str]


def refit_within(weights: PropensityWeights, level: IntArray, levels: int) -> Refit:
    """Return the weights refitted within each level.

    Parameters
    ----------
    weights : PropensityWeights
        Of everyone; its columns, estimand, trimming and stabilising are used again.
    level : ndarray of int, shape (P,)
        0 to levels - 1; -1 for people who are left out.
    levels : int

    Notes
    -----
    Weights that balance everyone need not balance a level: a score with the same columns but without interactions with the
    level leaves each level with its own differences. Columns that do not vary within a level, or follow from others there,
    are left out. A level with fewer than five people a column in its smaller arm, or whose score separates, keeps the
    weights of everyone's score.
    """
    people = len(weights.values)
    values = np.zeros(people)
    influences: list[Array] = []
    gradients: list[Array] = []
    kept: dict[int, str] = {}
    for index in range(levels):
        mine = np.flatnonzero(level == index)
        found = _refit(weights, mine)
        if isinstance(found, str):
            kept[index] = found
            values[mine] = weights.values[mine]
            continue
        values[mine] = found.values
        for blocks, part in ((influences, found.influence), (gradients, found.gradient)):
            if part is None:
                continue
            block = np.zeros((people, part.shape[1]))
            block[mine] = part
            blocks.append(block)
    none = np.zeros((people, 0))
    return Refit(values, np.hstack([none, *influences]), np.hstack([none, *gradients]), kept)


def _refit(weights: PropensityWeights, mine: IntArray) -> FittedWeights | str:
    """Return the weights of one level's people, or why there are none."""
    if weights.influence is None:
        return "its scores were given"
    arm = weights.arm[mine]
    columns = np.asarray(weights.design)[mine]
    inside = independent(columns)
    smaller = int(np.bincount(arm, minlength=2).min())
    if smaller < _PEOPLE_A_COLUMN * max(len(inside), 1):
        return f"{smaller:,} people in the smaller arm are too few for {len(inside)} columns"
    names = tuple(weights.columns[j] for j in inside)
    problem = ""
    try:
        return fit_weights(
            columns[:, inside],
            arm,
            names,
            estimand=weights.estimand,
            trim=weights.trim,
            stabilise=weights.stabilise,
            method=weights.method,
            sampling=None if weights.sampling is None else weights.sampling[mine],
        )
    except EstimationError as error:
        problem = str(error).removeprefix("weight: ").rstrip(".")
    return problem
