"""Covariates as a reader judges them: numbers as they are, factors level by level, what is missing as a level of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.adjust.scored_weights import ScoredWeights

__all__ = ["Covariate", "columns_of", "covariates_of", "products_of"]

_MISSING = "missing"
_FACTOR = re.compile(r"C\(\s*([^,()]+?)\s*[,)]")


@dataclass(frozen=True)
class Covariate:
    """One row of a balance table; P people.

    Attributes
    ----------
    term, level : str
        Name, and level where it is one of a factor.
    values : ndarray, shape (P,)
        Numbers; 0/1 for a level. Not a number where missing.
    known : ndarray of bool, shape (P,)
    binary : bool
        Only 0 and 1 occur.
    """

    term: str
    level: str
    values: Array
    known: npt.NDArray[np.bool_]
    binary: bool


def covariates_of(weights: ScoredWeights, terms: Sequence[str] | None) -> list[Covariate]:
    """Return the covariates of a score's formula, or the columns of the baseline named in `terms`."""
    baseline = weights.baseline
    if terms is not None:
        return columns_of(baseline, terms)
    found: list[Covariate] = []
    for owner in dict.fromkeys(weights.terms):
        factor = _FACTOR.fullmatch(owner) or _FACTOR.match(owner)
        if owner in baseline.columns:
            found += _column(baseline[owner], owner, factor=False)
        elif factor is not None and factor[1] in baseline.columns and ":" not in owner:
            found += _column(baseline[factor[1]], factor[1], factor=True)
        else:  # interactions and transformations, as the score saw them
            for name, term, column in zip(weights.columns, weights.terms, weights.design.T, strict=True):
                if term == owner:
                    found.append(_numbers(name, "", np.asarray(column)))
    return found


def products_of(found: Sequence[Covariate], *, squares: bool, interactions: bool) -> list[Covariate]:
    """Return squares of numbers, called ``age**2``, and products of every two covariates of different terms, called ``age:prior``."""
    known = [c for c in found if c.level != _MISSING]
    made = [_numbers(f"{c.term}**2", "", c.values**2) for c in known if squares and not c.binary and not c.level]
    if interactions:
        made += [
            _numbers(f"{_called(a)}:{_called(b)}", "", a.values * b.values)
            for a, b in combinations(known, 2)
            if a.term != b.term
        ]
    return made


def _called(covariate: Covariate) -> str:
    return f"{covariate.term}[{covariate.level}]" if covariate.level else covariate.term


def columns_of(baseline: pd.DataFrame, terms: Sequence[str]) -> list[Covariate]:
    """Return columns of the baseline as covariates: numbers as one, anything else level by level."""
    found: list[Covariate] = []
    for name in terms:
        if name not in baseline.columns:
            raise EstimationError(f"balance: no column {name!r}. {did_you_mean(name, map(str, baseline.columns))}")
        found += _column(baseline[name], name, factor=False)
    return found


def _numbers(term: str, level: str, values: Array) -> Covariate:
    known = np.isfinite(values)
    return Covariate(term, level, values, known, set(np.unique(values[known])) <= {0.0, 1.0})


def _column(column: pd.Series, term: str, *, factor: bool) -> Iterator[Covariate]:
    """Yield one covariate of a numeric column, one a level of a factor, and one for what is missing."""
    import pandas as pd

    missing = column.isna().to_numpy()
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column) and not factor:
        yield _numbers(term, "", column.to_numpy(dtype=np.float64, na_value=np.nan))
    else:
        for level in _levels(column):
            is_it = (column == level).fillna(False).to_numpy(dtype=bool)
            yield _numbers(term, _written(level), is_it.astype(np.float64))
    if missing.any():
        yield _numbers(term, _MISSING, missing.astype(np.float64))


def _levels(column: pd.Series) -> list[object]:
    """Return the levels that occur: in the order of the categories where there are any, else sorted."""
    import pandas as pd

    present = set(column.dropna().unique())
    if isinstance(column.dtype, pd.CategoricalDtype):
        return [level for level in column.cat.categories if level in present]
    return sorted(present, key=lambda level: (isinstance(level, str), level))


def _written(level: object) -> str:
    return str(int(level)) if isinstance(level, float) and level.is_integer() else str(level)
