"""Covariates that are missing for some: refused by column and count, or taken as they are with an indicator of who misses them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.adjust.separation import independent
from outcomes.errors import EstimationError, one_of
from outcomes.results import Array, Note
from outcomes.survival.design_matrix import DesignMatrix, design_matrix
from outcomes.survival.formula_text import names_in

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MISSING", "Completed", "completed_design"]

MISSING = ("error", "indicator")
_LEVEL = "missing"


@dataclass(frozen=True)
class Completed:
    """The design of a formula without gaps; P people.

    Attributes
    ----------
    values : ndarray, shape (P, number of columns)
    columns, terms : tuple of str
        Indicators are called ``age[missing]`` and belong to the term of their column.
    notes : tuple of Note
    """

    values: Array
    columns: tuple[str, ...]
    terms: tuple[str, ...]
    notes: tuple[Note, ...]


def completed_design(formula: str, baseline: pd.DataFrame, missing: str, what: str) -> Completed:
    """Return the columns of a formula at time zero, with what is missing refused or marked.

    Parameters
    ----------
    formula : str
    baseline : pandas.DataFrame
        One row a person.
    missing : {"error", "indicator"}
    what : str
        Who asks, for messages.

    Raises
    ------
    EstimationError
        Covariates are missing (counted by column) and no indicator was asked for; a column missing for everybody; what `design_matrix`
        refuses.

    Notes
    -----
    With indicators a missing number is replaced by the mean of those who have one, and a 0/1 column says who misses it; a missing level
    of a factor is a level of its own. Indicators that say what other columns say already are left out.

    References
    ----------
    Rosenbaum & Rubin (1984), JASA 79:516; Blake et al. (2020), Statistics in Medicine 39:408, on when it is valid.
    """
    one_of(missing, MISSING, what=f"{what}: missing")
    gaps = _gaps(formula, baseline)
    if not gaps:
        return _as_it_is(design_matrix(formula, baseline, arm=None, what=what))
    counted = ", ".join(f"{name} ({count:,})" for name, count in gaps.items())
    if missing == "error":
        raise EstimationError(
            f"{what}: covariates are missing: {counted} of {len(baseline):,} people. Complete them at source, leave the column out, "
            "impute them (impute(data)), or, where who misses them mattered to the choice of arm and what they miss did not, take "
            "missing='indicator'."
        )
    empty = [name for name, count in gaps.items() if count == len(baseline)]
    if empty:
        raise EstimationError(f"{what}: {', '.join(empty)} is missing for everybody. Leave it out.")
    filled, marks = _filled(baseline, formula, list(gaps))
    matrix = design_matrix(formula, filled, arm=None, what=what)
    values = np.column_stack([matrix.values, *marks.values()])
    kept = independent(values)
    columns = (*matrix.columns, *(f"{name}[{_LEVEL}]" for name in marks))
    terms = (*matrix.terms, *marks)
    text = (
        f"Covariates are missing: {counted} of {len(baseline):,} people. Who misses them is part of the score, so that the arms are made "
        "alike in that, and in the values of those who have them; not in what those who miss them would have had."
    )
    return Completed(
        np.asfortranarray(values[:, kept]),
        tuple(columns[j] for j in kept),
        tuple(terms[j] for j in kept),
        (Note("missing_indicators", text),),
    )


def _gaps(formula: str, baseline: pd.DataFrame) -> dict[str, int]:
    """Return the columns of a formula that are missing for some, and for how many; nothing where the formula cannot be read."""
    count = baseline.isna().sum()
    incomplete = {str(name): int(n) for name, n in count.items() if n}
    if not incomplete:
        return {}
    named: tuple[str, ...] = ()
    try:
        named = names_in(formula)
    except Exception:  # whatever the parser raises, design_matrix asks it again and says it in words
        return {}
    return {name: incomplete[name] for name in named if name in incomplete}


def _as_it_is(matrix: DesignMatrix) -> Completed:
    return Completed(matrix.values, matrix.columns, matrix.terms, ())


def _filled(baseline: pd.DataFrame, formula: str, names: list[str]) -> tuple[pd.DataFrame, dict[str, Array]]:
    """Return the people without gaps in the columns named, and the indicators of numbers, by column."""
    import pandas as pd

    filled: dict[str, Any] = {}
    marks: dict[str, Array] = {}
    for name in names:
        column = baseline[name]
        number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        if number and not re.search(rf"\bC\(\s*{re.escape(name)}\b", formula):
            values = column.to_numpy(dtype=np.float64, na_value=np.nan)
            gone = np.isnan(values)
            filled[name] = np.where(gone, values[~gone].mean(), values)
            marks[name] = gone.astype(np.float64)
        else:
            filled[name] = _with_a_level(column)
    return baseline.assign(**filled), marks


def _with_a_level(column: pd.Series) -> pd.Categorical:
    """Return a factor with a last level of those who have none."""
    import pandas as pd

    known = column.dropna()
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = list(column.cat.categories)
    else:
        levels = sorted(known.unique(), key=lambda value: (isinstance(value, str), value))
    written = [str(int(v)) if isinstance(v, float) and v.is_integer() else str(v) for v in levels]
    codes = pd.Categorical(column, categories=levels).codes
    return pd.Categorical.from_codes(
        np.where(codes < 0, len(levels), codes).tolist(), categories=pd.Index([*written, _LEVEL])
    )
