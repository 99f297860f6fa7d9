"""From a formula to the columns of a regression: names, missing values, columns that say nothing; and the same columns of new rows."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.errors import EstimationError, did_you_mean, must_be
from outcomes.results import Array
from outcomes.survival.formula_text import must_be_one_side, names_in, parsed, required_by

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "DesignMatrix",
    "check_columns",
    "check_numbers",
    "columns_of",
    "dependent_columns",
    "design_matrix",
    "in_few_words",
    "spread",
]

_PLAIN = re.compile(r"\s*[^\W\d]\w*(\s*\+\s*[^\W\d]\w*)*\s*")
_CHUNK = 4_096
_LARGEST = 1e100  # squares must stay numbers
_MANY_LEVELS = 12  # from here on text is asked whether it is a factor at all
_MOST_LEVELS = 5  # a text column taken for a factor by mistake has a level a person

ArmCodes = tuple[str | None, Array, tuple[str, ...]]


@dataclass(frozen=True)
class DesignMatrix:
    """Columns of a regression; N rows, p columns.

    Attributes
    ----------
    values : ndarray, shape (N, p)
        Without the intercept; each column lies in one piece.
    columns : tuple of str
        Names: numeric columns keep theirs, a level is ``C(band)[high]`` or ``arm[bespoke]``.
    terms : tuple of str
        Term of the formula each column belongs to.
    needed : tuple of str
        Columns of the frame the formula speaks of.
    spec : formulaic.ModelSpec or None
        What remembers levels and codings; None where every term is a numeric column.
    """

    values: Array
    columns: tuple[str, ...]
    terms: tuple[str, ...]
    needed: tuple[str, ...]
    spec: Any


def in_few_words(columns: Iterable[str]) -> str:
    """Return columns as a message names them; many levels of one factor by its name and their number.

    Examples
    --------
    >>> in_few_words(["age", "C(band)[low]", "C(band)[high]"])
    'age, C(band)[low], C(band)[high]'
    >>> in_few_words([f"C(town)[{town}]" for town in "abcdef"])
    'C(town) (6 levels)'
    """
    meant: dict[str, list[str]] = {}
    for column in columns:
        meant.setdefault(column.partition("[")[0], []).append(column)
    return ", ".join(
        f"{factor} ({len(found):,} levels)" if len(found) > _MOST_LEVELS else ", ".join(found)
        for factor, found in meant.items()
    )


def design_matrix(
    formula: str, frame: pd.DataFrame, *, arm: ArmCodes | None, what: str, unsaid: tuple[str, ...] = ()
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
    unsaid : tuple of str
        Columns whose terms are left out where they stand alone, with each other: what a baseline hazard says already.

    Raises
    ------
    EstimationError
        A formula that is not text, unknown columns, missing values (counted by column), constant, infinite or collinear columns.
    """
    must_be(formula, str, what=f"{what}: formula", expected="text such as 'arm + age'")
    must_be_one_side(formula, what)
    if arm is not None and arm[0] not in (None, "arm") and "arm" in frame.columns and "arm" in names_in(formula):
        raise EstimationError(
            f"{what}: arm in the formula could be the arm of the data ({arm[0]!r}) or the frame's own column 'arm'. Rename that column."
        )
    plain = _plain_columns(formula, frame, arm, unsaid)
    if plain is not None:
        values = _numbers(frame, plain)
        if np.isnan(values).any():
            _check_present(plain, frame, what)
        matrix = DesignMatrix(values, plain, plain, plain, None)
    else:
        matrix = _by_formulaic(formula, frame if arm is None else _with_arm(frame, arm), arm, what, unsaid)
    check_columns(matrix.values, matrix.columns, what)
    return matrix


def columns_of(matrix: DesignMatrix, frame: pd.DataFrame, *, arm: ArmCodes | None, what: str) -> Array:
    """Return the same columns of other rows, shape (M, p).

    Raises
    ------
    EstimationError
        A column that is not there, missing values (counted), a level the model does not know (counted by column).
    """
    table = frame if arm is None else _with_arm(frame, arm)
    _check_present(matrix.needed, table, what)
    if matrix.spec is None:
        check_numbers(matrix.needed, table, what)
        return _numbers(table, matrix.needed)
    from formulaic.errors import DataMismatchWarning, FormulaicError

    found, problem = None, ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DataMismatchWarning)
            found = matrix.spec.get_model_matrix(table[list(matrix.needed)], na_action="ignore")
    except (DataMismatchWarning, FormulaicError, TypeError, ValueError, KeyError):
        odd_ones = _misfits(matrix, table) or matrix.needed
        problem = (
            f"{what}: {', '.join(odd_ones)} of the new rows do not fit the model: they hold a level it was not fitted to, or no number "
            "where one is needed."
        )
    if found is None:
        raise EstimationError(problem)
    names = [str(name) for name in found.columns]
    keep = [i for i, name in enumerate(names) if name.replace("[T.", "[") in matrix.columns]
    values = np.asarray(found, dtype=np.float64)[:, keep]
    if odd := int((~np.isfinite(values)).any(axis=1).sum()):
        raise EstimationError(f"{what}: {odd:,} of {len(values):,} new rows are infinite or fit no level.")
    return values


def _misfits(matrix: DesignMatrix, table: pd.DataFrame) -> list[str]:
    """Return the columns of new rows that hold a level the model does not know."""
    found = []
    for factor, (_, state) in matrix.spec.encoder_state.items():
        levels = state.get("categories", ())
        for name in names_in(str(factor)):
            if len(levels) and name in table and not table[name].isin(levels).all():
                found.append(name)
    return found


def _plain_columns(
    formula: str, frame: pd.DataFrame, arm: ArmCodes | None, unsaid: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Return the columns of a formula that only adds numeric columns; None for every other formula."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if not _PLAIN.fullmatch(formula):
        return None
    names = tuple(dict.fromkeys(part.strip() for part in formula.split("+")))
    types = dict(zip(frame.columns, frame.dtypes.to_numpy(), strict=True))
    special = {*unsaid, "arm"} if arm is not None else {*unsaid}
    for name in names:
        if name in special or name not in types:
            return None
        if not is_numeric_dtype(types[name]) or is_bool_dtype(types[name]):
            return None
    return names


def _numbers(frame: pd.DataFrame, names: tuple[str, ...]) -> Array:
    values = np.empty((len(names), len(frame)))
    for j, name in enumerate(names):
        column = frame[name]
        plain = isinstance(column.dtype, np.dtype)
        values[j] = column.to_numpy() if plain else column.to_numpy(dtype=np.float64, na_value=np.nan)
    return values.T


def _with_arm(frame: pd.DataFrame, arm: ArmCodes) -> pd.DataFrame:
    """Return the frame with the arm as a factor, the reference first, under its own name and (unless numeric) the column's."""
    import pandas as pd

    original, codes, arms = arm
    factor = pd.Categorical.from_codes(np.asarray(codes, dtype=np.int64).tolist(), categories=pd.Index(arms))
    named = {"arm": factor}
    if original not in (None, "arm") and not (
        original in frame.columns and pd.api.types.is_numeric_dtype(frame[original])
    ):
        named[str(original)] = factor
    return frame.assign(**named)


def _check_present(needed: tuple[str, ...], table: pd.DataFrame, what: str) -> None:
    """Raise where a column is not there, or not filled everywhere."""
    for name in needed:
        if name not in table.columns:
            raise EstimationError(
                f"{what}: the data have no column {name!r}. {did_you_mean(name, map(str, table.columns))}"
            )
    missing = {name: int(table[name].isna().sum()) for name in needed if table[name].isna().any()}
    if missing:
        listed = ", ".join(f"{name} ({count:,})" for name, count in missing.items())
        raise EstimationError(
            f"{what}: covariates are missing: {listed} of {len(table):,} rows. Complete them "
            "at source, leave the column out, or see impute(data)."
        )


def check_numbers(names: tuple[str, ...], table: pd.DataFrame, what: str) -> None:
    """Raise where a column that must hold numbers holds something else, or nothing in some rows."""
    from pandas.api.types import is_numeric_dtype

    wrong = [name for name in names if not is_numeric_dtype(table[name])]
    if wrong:
        raise EstimationError(f"{what}: {', '.join(wrong)} must hold numbers in the new rows.")
    _check_present(names, table, what)


def _refuse_texts(needed: tuple[str, ...], table: pd.DataFrame, what: str) -> None:
    """Raise where a column of text is no factor: numbers read as text, or something of nearly everybody's own."""
    import pandas as pd

    for name in needed:
        column = table[name]
        if pd.api.types.is_numeric_dtype(column) or not (levels := column.nunique()) > _MANY_LEVELS:
            continue
        if pd.to_numeric(pd.Series(column.dropna().unique()).astype(str), errors="coerce").notna().all():
            raise EstimationError(
                f"{what}: column {name!r} holds numbers as text ({levels:,} of them). Make it numeric."
            )
        if levels > len(table) / 2:
            raise EstimationError(
                f"{what}: column {name!r} is text with {levels:,} values in {len(table):,} rows: no factor. Group it, or leave it out."
            )


def _check_arm(needed: tuple[str, ...], table: pd.DataFrame, arm: ArmCodes | None, what: str) -> None:
    """Raise where the formula names the arm and everybody is in one."""
    if arm is not None and len(arm[2]) == 1 and (alone := [name for name in needed if name in ("arm", arm[0])]):
        hint = " Exposure, which changes with time, is the column exposure." if "exposure" in table.columns else ""
        raise EstimationError(f"{what}: there is only one arm, so {alone[0]} says nothing. Leave it out.{hint}")


def _by_formulaic(
    formula: str, table: pd.DataFrame, arm: ArmCodes | None, what: str, unsaid: tuple[str, ...]
) -> DesignMatrix:
    from formulaic.errors import FormulaicError

    problem = ""
    try:
        read = parsed(f"1 + {formula}")
        needed = required_by(read, formula)
    except (FormulaicError, SyntaxError, ValueError):
        problem = (
            f"{what}: the formula {formula!r} cannot be read. Expected terms joined by +, such as 'age + C(risk_band)'."
        )
    if problem:
        raise EstimationError(problem)
    _check_present(needed, table, what)
    _check_arm(needed, table, arm, what)
    _refuse_texts(needed, table, what)
    matrix = None
    try:
        matrix = read.get_model_matrix(table[list(needed)], na_action="ignore") if needed else None
    except (FormulaicError, TypeError, ValueError, KeyError):
        problem = f"{what}: the formula {formula!r} does not fit the data: check that numbers are numbers and factors are in C(…)."
    if problem:
        raise EstimationError(problem)
    if matrix is None:
        raise EstimationError(f"{what}: the formula {formula!r} names no column.")
    names = [str(name) for name in matrix.columns]
    owner = {index: str(term) for term, indices in matrix.model_spec.term_indices.items() for index in indices}
    empty = [
        str(t) for t, indices in matrix.model_spec.term_indices.items() if not indices and str(t) not in ("1", "0")
    ]
    if empty:
        raise EstimationError(f"{what}: {', '.join(empty)} is the same for everyone and says nothing. Leave it out.")
    silent = {term for term in owner.values() if set(re.findall(r"\w+", term)) & set(needed) <= set(unsaid)}
    keep = [i for i, name in enumerate(names) if name != "Intercept" and owner[i] not in silent]
    if not keep:
        raise EstimationError(
            f"{what}: the formula {formula!r} has no column that differs between people (only one arm or level)."
        )
    values = np.asfortranarray(np.asarray(matrix, dtype=np.float64)[:, keep])
    columns = tuple(names[i].replace("[T.", "[") for i in keep)
    return DesignMatrix(values, columns, tuple(owner[i] for i in keep), needed, matrix.model_spec)


def check_columns(values: Array, columns: tuple[str, ...], what: str) -> None:
    """Raise where a column is infinite, the same for everyone, or follows from those before it."""
    ends = [(float(column.min()), float(column.max())) for column in values.T]
    infinite = [name for name, pair in zip(columns, ends, strict=True) if not np.isfinite(pair).all()]
    if infinite:
        raise EstimationError(f"{what}: infinite values in {in_few_words(infinite)}.")
    beyond = [name for name, pair in zip(columns, ends, strict=True) if np.abs(pair).max() > _LARGEST]
    if beyond:
        raise EstimationError(
            f"{what}: values beyond {_LARGEST:g} in {in_few_words(beyond)}. Give them in a larger unit."
        )
    constant = [name for name, (low, high) in zip(columns, ends, strict=True) if low == high]
    if constant:
        raise EstimationError(
            f"{what}: {in_few_words(constant)} is the same for everyone and says nothing. Leave it out."
        )
    dependent = [columns[j] for j in dependent_columns(spread(values, values.mean(axis=0)))]
    if dependent:
        raise EstimationError(
            f"{what}: follows exactly from the other columns (collinear), leave out: {in_few_words(dependent)}."
        )


def spread(values: Array, centre: Array) -> Array:
    """Return the sums of products of the columns of `values` (N, p) about `centre` (p,), shape (p, p)."""
    total = np.zeros((len(centre), len(centre)))
    for start in range(0, len(values), _CHUNK):
        part = values[start : start + _CHUNK].T - centre[:, None]
        total += part @ part.T
    return total


def dependent_columns(moment: Array, floor: float = 0.0) -> list[int]:
    """Return the columns of a matrix of moments (p, p) that are 0 (not above `floor`) or follow from those before them."""
    diagonal = np.diag(moment)
    size = np.sqrt(np.where(diagonal > floor, diagonal, 0.0))
    scaled = moment / np.outer(np.where(size > 0, size, 1.0), np.where(size > 0, size, 1.0))
    if bool((size > 0).all()) and _independent(scaled):
        return []
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


def _independent(scaled: Array) -> bool:
    """Return whether every column is well away from following from those before it: 1 - R² is the square of Cholesky's diagonal."""
    try:
        return bool(np.diag(np.linalg.cholesky(scaled)).min() ** 2 > 1e-9)
    except np.linalg.LinAlgError:
        return False
