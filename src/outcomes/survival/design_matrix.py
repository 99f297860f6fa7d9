"""From a formula to the columns of a regression: names, missing values, columns that say nothing."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DesignMatrix", "check_columns", "dependent_columns", "design_matrix"]


@dataclass(frozen=True)
class DesignMatrix:
    """Columns of a regression; N rows, p columns.

    Attributes
    ----------
    values : ndarray, shape (N, p)
        Without the intercept.
    columns : tuple of str
        Names: numeric columns keep theirs, a level is ``C(band)[high]`` or ``arm[bespoke]``.
    terms : tuple of str
        Term of the formula each column belongs to.
    needed : tuple of str
        Columns of the frame the formula asks for.
    spec : formulaic.ModelSpec
        The formula with the levels and means it was read with.
    """

    values: Array
    columns: tuple[str, ...]
    terms: tuple[str, ...]
    needed: tuple[str, ...]
    spec: Any

    def of(self, frame: pd.DataFrame, what: str) -> Array:
        """Return the same columns of other people, shape (n, p): their levels are those of the fit."""
        from formulaic.errors import FormulaicError

        matrix, problem = None, ""
        with warnings.catch_warnings():
            warnings.simplefilter(
                "error"
            )  # a level that was not there would become missing with no more than a warning
            try:
                matrix = self.spec.get_model_matrix(frame[list(self.needed)], na_action="ignore")
            except (FormulaicError, TypeError, ValueError, KeyError, Warning):
                problem = f"{what}: the frame does not fit the formula: a level that was not in the data, or text for a number."
        if problem or matrix is None:
            raise EstimationError(problem)
        keep = [i for i, name in enumerate(matrix.columns) if str(name) != "Intercept"]
        values = np.asarray(matrix, dtype=np.float64)[:, keep]
        if not np.isfinite(values).all():
            raise EstimationError(
                f"{what}: {int((~np.isfinite(values)).any(axis=1).sum()):,} rows are infinite or fit no level."
            )
        return values


def design_matrix(
    formula: str,
    frame: pd.DataFrame,
    *,
    arm: tuple[str | None, Array, tuple[str, ...]] | None,
    what: str,
) -> DesignMatrix:
    """Return the columns of `formula` (right-hand side) on `frame`, checked.

    Parameters
    ----------
    formula : str
        Such as ``"arm + age + C(risk_band)"``.
    frame : pandas.DataFrame
        One row per row of the data.
    arm : tuple or None
        Original name of the arm's column, code of each row and names of the arms, the reference first; None where the
        formula must not speak of the arm.
    what : str
        Who asks, for messages.

    Raises
    ------
    EstimationError
        Unknown columns, missing values (counted by column), constant, infinite or collinear columns.
    """
    import pandas as pd
    from formulaic import Formula
    from formulaic.errors import FormulaicError

    table = frame
    if arm is not None:
        original, codes, arms = arm
        factor = pd.Categorical.from_codes(np.asarray(codes, dtype=np.int64).tolist(), categories=pd.Index(arms))
        table = table.assign(arm=factor)
        if original is not None and original != "arm" and not pd.api.types.is_numeric_dtype(frame[original]):
            table = table.assign(**{original: factor})
    problem = ""
    try:
        parsed = Formula(f"1 + {formula}")
        needed = sorted(str(name) for name in parsed.required_variables)
    except (FormulaicError, SyntaxError, ValueError):
        problem = (
            f"{what}: the formula {formula!r} cannot be read. Expected terms joined by +, such as 'age + C(risk_band)'."
        )
    if problem:
        raise EstimationError(problem)
    for name in needed:
        if name not in table.columns:
            raise EstimationError(
                f"{what}: the data have no column {name!r}. {did_you_mean(name, map(str, table.columns))}"
            )
    if arm is not None and len(arm[2]) == 1 and (alone := [name for name in needed if name in ("arm", arm[0])]):
        hint = " Exposure, which changes with time, is the column exposure." if "exposure" in table.columns else ""
        raise EstimationError(f"{what}: there is only one arm, so {alone[0]} says nothing. Leave it out.{hint}")
    missing = {name: int(table[name].isna().sum()) for name in needed if table[name].isna().any()}
    if missing:
        listed = ", ".join(f"{name} ({count:,})" for name, count in missing.items())
        raise EstimationError(
            f"{what}: covariates are missing: {listed} of {len(table):,} rows. Complete them at source, or leave the column out."
        )
    matrix = None
    try:
        matrix = parsed.get_model_matrix(table[needed], na_action="ignore") if needed else None
    except (FormulaicError, TypeError, ValueError, KeyError):
        problem = f"{what}: the formula {formula!r} does not fit the data: check that numbers are numbers and factors are in C(…)."
    if problem:
        raise EstimationError(problem)
    if matrix is None:
        raise EstimationError(f"{what}: the formula {formula!r} names no column.")
    names = [str(name) for name in matrix.columns]
    owner = {index: str(term) for term, indices in matrix.model_spec.term_indices.items() for index in indices}
    keep = [i for i, name in enumerate(names) if name != "Intercept"]
    values = np.asarray(matrix, dtype=np.float64)[:, keep]
    if not keep:
        raise EstimationError(
            f"{what}: the formula {formula!r} has no column that differs between people (only one arm or level)."
        )
    columns = tuple(names[i].replace("[T.", "[") for i in keep)
    check_columns(values, columns, what)
    return DesignMatrix(values, columns, tuple(owner[i] for i in keep), tuple(needed), matrix.model_spec)


def check_columns(values: Array, columns: tuple[str, ...], what: str) -> None:
    """Raise where a column is infinite, the same for everyone, or follows from those before it."""
    infinite = [name for name, column in zip(columns, values.T, strict=True) if not np.isfinite(column).all()]
    if infinite:
        raise EstimationError(f"{what}: infinite values in {', '.join(infinite)}.")
    constant = [name for name, column in zip(columns, values.T, strict=True) if np.ptp(column) == 0]
    if constant:
        raise EstimationError(f"{what}: {', '.join(constant)} is the same for everyone and says nothing. Leave it out.")
    centred = values - values.mean(axis=0)
    dependent = [columns[j] for j in dependent_columns(centred.T @ centred)]
    if dependent:
        raise EstimationError(
            f"{what}: follows exactly from the other columns (collinear), leave out: {', '.join(dependent)}."
        )


def dependent_columns(moment: Array, floor: float = 0.0) -> list[int]:
    """Return the columns of a matrix of moments (p, p) that are 0 (not above `floor`) or follow from those before them."""
    diagonal = np.diag(moment)
    size = np.sqrt(np.where(diagonal > floor, diagonal, 0.0))
    scaled = moment / np.outer(np.where(size > 0, size, 1.0), np.where(size > 0, size, 1.0))
    dependent, basis = [], list[int]()
    for j in range(len(moment)):
        # what is left is 1 - R² of the column on those before it
        left = float(size[j] > 0)
        if basis and left:
            cross = scaled[basis, j]
            left -= float(cross @ np.linalg.solve(scaled[np.ix_(basis, basis)], cross))
        if left < 1e-10:
            dependent.append(j)
        else:
            basis.append(j)
    return dependent
