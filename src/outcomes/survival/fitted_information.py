"""What a fitted partial likelihood says of its columns: those that say nothing, and those whose coefficients run away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outcomes.errors import EstimationError
from outcomes.results import Array
from outcomes.survival.cox_kernel import FLAT, CoxFit
from outcomes.survival.design_matrix import dependent_columns, in_few_words

__all__ = ["held_wide", "inverse_information", "refuse_flat", "runaway"]


def refuse_flat(fit: CoxFit, columns: tuple[str, ...], weight: float, *, what: str) -> None:
    """Raise where columns say nothing among those at risk together.

    `weight` is the events' total: a scaled column that differs among those at risk together has information of this order, and one
    that does not has what rounding leaves.
    """
    flat = dependent_columns(fit.information_null, floor=FLAT * weight)
    if flat:
        raise EstimationError(
            f"{what}: {in_few_words(columns[j] for j in flat)} says nothing beyond the other columns among those at risk together "
            "(the same for all of a stratum, or different only where nobody had the event). Leave it out."
        )


def inverse_information(fit: CoxFit, ridge: float = 0.0) -> Array:
    """Return the inverse information on the scaled columns, shape (p, p).

    Where coefficients run away rounding leaves curvature around 0, even below; it is taken for as little as it can be told from 0,
    so that variances are large there and never negative.
    """
    values, vectors = np.linalg.eigh(fit.information + ridge * np.eye(len(fit.beta)))
    least = 1e-15 * float(np.abs(np.diag(fit.information_null)).max())
    return np.asarray((vectors / np.maximum(values, least)) @ vectors.T, dtype=np.float64)


def runaway(fit: CoxFit, inverse: Array, columns: tuple[str, ...]) -> list[str]:
    """Return the columns whose coefficient has no finite maximum, by its size or variance per standard deviation."""
    return [name for name, b, v in zip(columns, fit.beta, np.diag(inverse), strict=True) if abs(b) > 8 or v > 1e4]


def held_wide(covariance: Array, model: Array, away: Sequence[bool]) -> Array:
    """Return a robust covariance (p, p) in which coefficients that run away are as uncertain as the likelihood has them.

    Where a maximum lies at infinity people's own influence on the coefficient dies out, and what they vary by hangs on where the
    iteration stopped: small, for an estimate that means nothing. The model's variance grows without end there, as it should.
    """
    far = np.asarray(away, dtype=bool)
    if not far.any():
        return covariance
    apart = far[:, None] != far
    return np.where(far[:, None] & far, model, np.where(apart, 0.0, covariance))
