"""From a fitted partial likelihood to its inverse information, and what must be said of columns that say nothing or run away."""

from __future__ import annotations

import numpy as np

from outcomes.errors import EstimationError
from outcomes.results import Array, Note
from outcomes.survival.cox_kernel import CoxFit
from outcomes.survival.design_matrix import dependent_columns

__all__ = ["inverse_information"]


def inverse_information(
    fit: CoxFit, columns: tuple[str, ...], events: int, weight: float, *, what: str
) -> tuple[Array, tuple[Note, ...]]:
    """Return the inverse information on the scaled columns, and what must be said about the fit.

    `weight` is the events' total: a scaled column that differs among those at risk together has information of this order, and one
    that does not has what rounding leaves.
    """
    notes: list[Note] = []
    flat = dependent_columns(fit.information_null, floor=1e-10 * weight)
    if flat:
        raise EstimationError(
            f"{what}: {', '.join(columns[j] for j in flat)} says nothing beyond the other columns among those at risk together "
            "(the same for all of a stratum, or different only where nobody had the event). Leave it out."
        )
    inverse = np.linalg.pinv(fit.information, hermitian=True)
    runaway = [name for name, b, v in zip(columns, fit.beta, np.diag(inverse), strict=True) if abs(b) > 8 or v > 1e4]
    if runaway:
        notes.append(
            Note(
                "separation",
                f"The coefficient of {', '.join(runaway)} has no finite maximum (all or no events on one side); it and its "
                "interval mean nothing. Firth's penalised likelihood would give an answer.",
            )
        )
    elif not fit.converged:
        notes.append(Note("not_converged", f"The fit stopped after {fit.iterations} steps without converging."))
    if events < 10 * len(columns):
        notes.append(
            Note(
                "few_events",
                f"Fewer than 10 events a term (events: {events:,}; terms: {len(columns)}). Estimates are unstable and biased away from 0.",
            )
        )
    return np.asarray(inverse, dtype=np.float64), tuple(notes)
