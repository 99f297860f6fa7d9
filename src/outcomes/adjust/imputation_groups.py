"""Groups of people that are imputed by themselves: what each chain is run on, and the chains of all groups joined again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from outcomes.adjust.chained_equations import Chain, Column
from outcomes.adjust.imputation_columns import Variable
from outcomes.adjust.outcome_terms import outcome_terms
from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array, IntArray, sealed

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData

__all__ = ["Group", "groups_of", "joined"]

_MOST_GROUPS = 20


@dataclass(frozen=True)
class Group:
    """People imputed together; those of one group never give values to another.

    Attributes
    ----------
    people : ndarray of int, shape (G,)
    fixed : ndarray, shape (G, f)
        Arm and outcome, as far as they differ within the group.
    terms : tuple of str
        Names of these columns.
    columns : tuple of Column
        Of these people; levels are those that occur among them.
    which : tuple of int
        Variable each column is of.
    levels : tuple of ndarray of int
        Index among all levels of each level of a column; empty for numbers.
    """

    people: IntArray
    fixed: Array
    terms: tuple[str, ...]
    columns: tuple[Column, ...]
    which: tuple[int, ...]
    levels: tuple[IntArray, ...]


def groups_of(data: SurvivalData, variables: Sequence[Variable], by: str | None) -> tuple[Group, ...]:
    """Return the groups that are imputed by themselves; everybody is one where `by` is None.

    Raises
    ------
    EstimationError
        No such column, one that is incomplete or has too many levels, a group in which a column that is missing for some has no two
        values.
    """
    codes = _codes(data, by)
    return tuple(
        _group(data, variables, np.flatnonzero(codes == code), by, people=len(codes)) for code in np.unique(codes)
    )


def joined(chains: Sequence[Chain], groups: Sequence[Group], variables: Sequence[Variable]) -> Chain:
    """Return one chain of everybody from those of the groups: values in the order of people, means over all who miss a column."""
    if len(groups) == 1:
        return chains[0]
    drawn, means, spreads = list[Array](), list[Array](), list[Array]()
    for j, variable in enumerate(variables):
        if not variable.n_missing:
            continue
        whole, parts = np.full(len(variable.column.missing), np.nan), list[tuple[int, Array, Array]]()
        for chain, group in zip(chains, groups, strict=True):
            place = next((i for i, w in enumerate(group.which) if w == j), None)
            if place is None or not group.columns[place].missing.any():
                continue
            column, levels = group.columns[place], group.levels[place]
            mine = sum(bool(group.columns[i].missing.any()) for i in range(place))  # which of the chain's columns
            values = chain.drawn[mine]
            whole[group.people[column.missing]] = levels[values.astype(np.int64)] if column.levels else values
            first: Array = chain.means[mine]
            second: Array = chain.spreads[mine] ** 2 + first**2
            if column.levels:
                first = second = _shares(first, levels, len(variable.levels))
            parts.append((int(column.missing.sum()), first, second))
        count = sum(n for n, _, _ in parts)
        mean = np.sum([n * first for n, first, _ in parts], axis=0) / count
        square = np.sum([n * second for n, _, second in parts], axis=0) / count
        drawn.append(sealed(whole[variable.column.missing]))
        means.append(sealed(mean))
        spreads.append(sealed(np.sqrt(np.maximum(square - mean**2, 0.0))))
    return Chain(tuple(drawn), tuple(means), tuple(spreads))


def _codes(data: SurvivalData, by: str | None) -> IntArray:
    """Return the group of each person."""
    import pandas as pd

    if by is None:
        return np.zeros(len(data.baseline), dtype=np.int64)
    if by in ("arm", data.arm_column):
        return data.arm
    if by not in data.baseline.columns:
        raise EstimationError(f"impute: by: no column {by!r}. {did_you_mean(by, map(str, data.baseline.columns))}")
    codes, levels = pd.factorize(data.baseline[by], sort=True)
    if (codes < 0).any():
        raise EstimationError(
            f"impute: by: column {by!r} is missing for some; people are imputed in groups that are known."
        )
    if len(levels) > _MOST_GROUPS:
        raise EstimationError(f"impute: by: column {by!r} has {len(levels):,} levels, more than {_MOST_GROUPS}.")
    return np.asarray(codes, dtype=np.int64)


def _group(data: SurvivalData, variables: Sequence[Variable], mine: IntArray, by: str | None, *, people: int) -> Group:
    outcome, names = outcome_terms(data, None if len(mine) == people else mine)
    arms = (data.arm[mine, None] == np.arange(1, len(data.arms))).astype(np.float64)
    fixed, terms = np.column_stack([arms, outcome]), (*(f"arm: {arm}" for arm in data.arms[1:]), *names)
    varies = fixed.std(axis=0) > 0
    columns, which, levels = list[Column](), list[int](), list[IntArray]()
    for j, variable in enumerate(variables):
        values, missing = variable.column.values[mine], variable.column.missing[mine]
        present = np.unique(values[~missing])
        if len(present) < 2 and missing.any():
            raise EstimationError(
                f"impute: in a group of {by!r} column {variable.name!r} is missing for some and has no two values to draw from. Leave it "
                "out of columns=, or impute without by=."
            )
        if len(present) < 2:
            continue
        if variable.levels:
            values = np.where(missing, np.nan, np.searchsorted(present, np.where(missing, present[0], values)))
        columns.append(Column(values, missing, len(present) if variable.levels else 0))
        which.append(j)
        levels.append(present.astype(np.int64) if variable.levels else np.empty(0, dtype=np.int64))
    kept = tuple(term for term, kept in zip(terms, varies, strict=True) if kept)
    return Group(mine, fixed[:, varies], kept, tuple(columns), tuple(which), tuple(levels))


def _shares(shares: Array, levels: IntArray, count: int) -> Array:
    """Return shares of all `count` levels but the first from those of a group's levels but its first, shape (iterations, count - 1)."""
    every = np.zeros((len(shares), count))
    every[:, levels] = np.column_stack([1 - shares.sum(axis=1), shares])
    return every[:, 1:]
