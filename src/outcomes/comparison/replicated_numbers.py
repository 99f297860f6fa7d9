"""The numbers of an analysis that is repeated: what each is called, and the same ones again from another sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.errors import EstimationError
from outcomes.results import KEYS, Array, Note, Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Numbers", "numbers_of"]


@dataclass(frozen=True)
class Numbers:
    """K numbers and what each is.

    Attributes
    ----------
    labels : pandas.DataFrame
        One row a number: what it is (arm, cause, time, term, …).
    values : ndarray, shape (K,)
    notes : tuple of Note
        Of the result they came from.
    errors : ndarray, shape (K,), or None
        Standard errors that came with them.
    what : str
        Who asks, for what is said where something is refused.
    column : str
        Column of a table in which the numbers stand.
    """

    labels: pd.DataFrame
    values: Array
    notes: tuple[Note, ...] = ()
    errors: Array | None = None
    what: str = "bootstrap"
    column: str = "estimate"

    def again(self, found: Any, *, errors: bool = False) -> Array:
        """Return the same numbers of another sample, shape (K,); with `errors` their standard errors after them, shape (2 K,).

        Raises
        ------
        EstimationError
            It has other rows than these.
        """
        other = numbers_of(found, what=self.what, column=self.column)
        if len(other.values) != len(self.values) or not other.labels.equals(self.labels):
            raise EstimationError(
                f"{self.what}: the statistic gives other rows in another sample. Ask it for fixed ones, such as curve.at(['1y', '2y'])."
            )
        return other.values if not errors or other.errors is None else np.concatenate((other.values, other.errors))


def numbers_of(found: Any, *, what: str = "bootstrap", column: str = "estimate") -> Numbers:
    """Return the numbers of what a statistic gave.

    Raises
    ------
    EstimationError
        It is no number, array, Series, table with that column, or result that has one.
    """
    import pandas as pd

    notes = found.notes if isinstance(found, Result) else ()
    if isinstance(found, Result):
        found = found.to_frame()
    if isinstance(found, pd.DataFrame):
        if column not in found.columns:
            raise EstimationError(
                f"{what}: the statistic's table has no column {column!r}. Return a column of it, a Series or a number."
            )
        kept = [name for name in KEYS if name in found.columns]
        labels = found[kept].reset_index(drop=True)
        if not kept:
            labels = pd.DataFrame({"quantity": [str(k) for k in range(len(found))]})
        errors = found["std_error"].to_numpy(dtype=np.float64) if "std_error" in found.columns else None
        return Numbers(labels, found[column].to_numpy(dtype=np.float64), notes, errors, what, column)
    if isinstance(found, pd.Series):
        labels = pd.DataFrame({"quantity": [str(name) for name in found.index]})
        return Numbers(labels, found.to_numpy(dtype=np.float64), (), None, what, column)
    values = np.asarray(found)
    if values.dtype.kind not in "biuf" or values.ndim > 1:
        raise EstimationError(
            f"{what}: the statistic must give a number, a vector, a Series or a result of this library; it gave {type(found).__name__}."
        )
    values = np.atleast_1d(values).astype(np.float64)
    return Numbers(pd.DataFrame({"quantity": [str(k) for k in range(len(values))]}), values, (), None, what, column)
