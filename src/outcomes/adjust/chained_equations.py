"""Chained equations: each incomplete column in turn drawn from its regression on all the others, until the draws have settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.adjust.drawn_levels import drawn_levels, fit_levels, with_added_rows
from outcomes.adjust.mean_matching import matched_values
from outcomes.results import Array, sealed

__all__ = ["Chain", "Column", "run_chain"]


@dataclass(frozen=True)
class Column:
    """One column of P people, for imputing.

    Attributes
    ----------
    values : ndarray, shape (P,)
        Numbers; of a factor the index of the level. What stands where it is missing is not looked at.
    missing : ndarray of bool, shape (P,)
    levels : int
        Number of levels; 0 for a number.
    """

    values: Array
    missing: npt.NDArray[np.bool_]
    levels: int

    @property
    def width(self) -> int:
        """Number of columns it has in a regression."""
        return self.levels - 1 if self.levels else 1


@dataclass(frozen=True)
class Chain:
    """What one chain ended with, and how it came there; C incomplete columns, I iterations.

    Attributes
    ----------
    drawn : tuple of ndarray
        For each incomplete column the values of those who miss it, in their order.
    means, spreads : tuple of ndarray, shape (I, width)
        Mean and standard deviation of the imputed numbers, shares of the levels but the first, after each iteration.
    """

    drawn: tuple[Array, ...]
    means: tuple[Array, ...]
    spreads: tuple[Array, ...]


def run_chain(
    fixed: Array, columns: Sequence[Column], *, iterations: int, donors: int, seed: np.random.SeedSequence
) -> Chain:
    """Run one chain.

    Parameters
    ----------
    fixed : ndarray, shape (P, f)
        What is complete and no column of its own: arm and outcome. Without intercept.
    columns : sequence of Column
        Complete ones too; each incomplete one has someone who misses it, and someone who does not.
    iterations : int
    donors : int
    seed : numpy.random.SeedSequence
        Of this chain alone, so that a chain does not depend on those beside it.

    Returns
    -------
    Chain
        Of the incomplete columns, in the order given.

    Notes
    -----
    Those with the fewest missing come first. The first values are drawn from the observed ones.

    References
    ----------
    van Buuren (2007), Statistical Methods in Medical Research 16:219.
    """
    rng = np.random.default_rng(seed)
    values = [np.where(column.missing, 0.0, column.values) for column in columns]
    for value, column in zip(values, columns, strict=True):
        if column.missing.any():
            value[column.missing] = rng.choice(column.values[~column.missing], size=int(column.missing.sum()))
    table, places = _table(fixed, columns, values)
    incomplete = [j for j, column in enumerate(columns) if column.missing.any()]
    means = {j: np.empty((iterations, columns[j].width)) for j in incomplete}
    spreads = {j: np.empty((iterations, columns[j].width)) for j in incomplete}
    started: dict[int, Array] = {}
    for iteration in range(iterations):
        for j in sorted(incomplete, key=lambda j: (int(columns[j].missing.sum()), j)):
            column = columns[j]
            others = np.delete(np.arange(table.shape[1]), places[j])
            x = table[:, others]
            seen, missing = x[~column.missing], x[column.missing]
            if column.levels:
                level = column.values[~column.missing].astype(np.int64)
                rows = with_added_rows(seen, level, column.levels, x)
                fit = fit_levels(rows[0], rows[1], column.levels, rows[2], started.get(j))
                started[j] = fit.coefficients
                values[j][column.missing] = drawn_levels(fit, missing, rng)
            else:
                values[j][column.missing] = matched_values(seen, column.values[~column.missing], missing, rng, donors)
            table[:, places[j]] = _block(column, values[j])
            now = _reported(column, values[j][column.missing])
            means[j][iteration], spreads[j][iteration] = now.mean(axis=0), now.std(axis=0)
    return Chain(
        drawn=tuple(sealed(values[j][columns[j].missing]) for j in incomplete),
        means=tuple(sealed(means[j]) for j in incomplete),
        spreads=tuple(sealed(spreads[j]) for j in incomplete),
    )


def _table(fixed: Array, columns: Sequence[Column], values: Sequence[Array]) -> tuple[Array, list[slice]]:
    """Return the columns of every regression, the intercept first, and where each column stands."""
    blocks, places, at = [np.ones((len(fixed), 1)), _standardised(fixed)], list[slice](), 1 + fixed.shape[1]
    for column, value in zip(columns, values, strict=True):
        blocks.append(_block(column, value))
        places.append(slice(at, at + column.width))
        at += column.width
    return np.concatenate(blocks, axis=1), places


def _standardised(values: Array) -> Array:
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def _block(column: Column, values: Array) -> Array:
    """Return a column as it stands in a regression, shape (P, width): numbers in observed standard deviations, or a 0/1 a level."""
    if column.levels:
        return _reported(column, values)
    seen = column.values[~column.missing]
    return np.asarray(((values - seen.mean()) / (seen.std() or 1.0))[:, None])


def _reported(column: Column, values: Array) -> Array:
    """Return a column as its means are taken, shape (k, width): numbers as they are, a 0/1 a level but the first."""
    if column.levels:
        return np.asarray(values[:, None] == np.arange(1, column.levels), dtype=np.float64)
    return values[:, None]
