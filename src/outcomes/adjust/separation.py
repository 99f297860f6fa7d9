"""Which columns say something, and which people's arm the columns tell exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.results import Array

__all__ = ["Separated", "independent", "rows_told", "separated"]

_ROUNDING = 1e-6
_FAR = 1e4  # bound of the combination's coefficients, in standard deviations
_STEPS = 20  # log odds of people who can be told are near 20 then: far from rounding, and the others have settled
_SETTLED = 1e-4


@dataclass(frozen=True)
class Separated:
    """People whose arm some combination of the columns tells exactly.

    Attributes
    ----------
    people : ndarray of bool, shape (P,)
    columns : tuple of int
        Columns that tell it: those that do so alone, where there are any.
    """

    people: npt.NDArray[np.bool_]
    columns: tuple[int, ...]


def separated(columns: Array, treated: Array) -> Separated:
    """Find a combination of the columns that never errs about the arm, and the people it speaks of.

    Parameters
    ----------
    columns : ndarray, shape (P, K)
        Without intercept, none constant.
    treated : ndarray, shape (P,)

    References
    ----------
    Albert & Anderson (1984), Biometrika 71:1; by linear programming: Konis (2007), DPhil thesis, University of Oxford.
    """
    scaled = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    signed = np.where(treated == 1, 1.0, -1.0)[:, None] * np.column_stack([np.ones(len(columns)), scaled])
    found = rows_told(signed)
    if found is None:
        return Separated(np.zeros(len(columns), dtype=bool), ())
    told, combination = found
    together = tuple(j for j, b in enumerate(combination[1:]) if abs(b) > _ROUNDING * np.abs(combination).max())
    alone = tuple(j for j in together if _tells(columns[:, j], treated))
    return Separated(told, alone or together)


def rows_told(signed: Array) -> tuple[npt.NDArray[np.bool_], Array] | None:
    """Return the rows that some combination of their numbers puts above 0 while it puts none below, and the combination.

    Parameters
    ----------
    signed : ndarray, shape (rows, parameters)
        By how much each parameter speaks for what happened against what did not.
    """
    found = _by_divergence(signed)
    return _by_programming(signed) if found is None else found


def _by_divergence(signed: Array) -> tuple[npt.NDArray[np.bool_], Array] | None:
    """Return the people and the combination from how the likelihood runs away: fast, and silent where it is not sure.

    Once the others have settled, each Newton step adds 1 to the log odds of people whose arm can be told and nothing to those of
    the others, so the step is a combination that never errs.
    """
    beta: Array = np.zeros(signed.shape[1])
    step: Array = np.zeros(signed.shape[1])
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            wrong = 1 / (1 + np.exp(signed @ beta))  # the chance given to the arm a person is not in
            information = signed.T @ ((wrong * (1 - wrong))[:, None] * signed)
            try:
                step = np.asarray(np.linalg.solve(information, signed.T @ wrong), dtype=np.float64)
            except np.linalg.LinAlgError:
                return None
            beta = beta + step
        gain = signed @ step
    told = np.asarray(gain > 0.5, dtype=bool)
    sure = bool(np.isfinite(gain).all() and told.any() and np.abs(gain[~told]).max(initial=0.0) < _SETTLED)
    return (told, np.where(np.abs(step) > _SETTLED, step, 0.0)) if sure else None


def _by_programming(signed: Array) -> tuple[npt.NDArray[np.bool_], Array] | None:
    """Return the most people some combination puts on their own side by a margin while it puts nobody on the other."""
    from scipy.optimize import linprog
    from scipy.sparse import eye_array, hstack

    people, count = signed.shape
    found = linprog(
        np.r_[np.zeros(count), -np.ones(people)],
        A_ub=hstack([-signed, eye_array(people)], format="csr"),
        b_ub=np.zeros(people),
        bounds=[(-_FAR, _FAR)] * count + [(0, 1)] * people,
        method="highs",
    )
    if found.status != 0 or -found.fun <= 0.5:
        return None
    return np.asarray(found.x[count:] > 0.5, dtype=bool), np.asarray(found.x[:count])


def _tells(column: Array, treated: Array) -> bool:
    """Return whether a value of a 0/1 column, or a side of a column's range, belongs to one arm."""
    if set(np.unique(column)) <= {0.0, 1.0}:
        return any(len(np.unique(treated[column == value])) == 1 for value in (0.0, 1.0))
    a, b = column[treated == 1], column[treated == 0]
    return bool(a.min() >= b.max() or b.min() >= a.max())


def independent(columns: Array) -> list[int]:
    """Return the columns that vary and do not follow from the intercept and those before them."""
    basis: list[Array] = []
    found = []
    centred = columns - columns.mean(axis=0)
    for j, column in enumerate(centred.T):
        size = float(np.linalg.norm(column))
        if size <= 1e-12 * (1.0 + float(np.abs(columns[:, j]).max())) * np.sqrt(len(column)):
            continue
        left = column / size
        for _ in range(2):  # twice: once leaves rounding behind
            for direction in basis:
                left = left - (direction @ left) * direction
        if np.linalg.norm(left) > 1e-5:
            basis.append(left / np.linalg.norm(left))
            found.append(j)
    return found
