"""Pseudo-values: what each person adds to the risk of their arm by a horizon, censored or not; an outcome for models of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from outcomes.errors import NotSupportedError
from outcomes.results import Array, Note

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData
    from outcomes.survival.curves import CumulativeIncidence

__all__ = ["censored_early", "pseudo_values"]


def pseudo_values(curves: CumulativeIncidence, horizon: float, cause: str, *, what: str = "pseudo_values") -> Array:
    """Return people's pseudo-values of the incidence of a cause by a horizon, within their own arm, shape (P,).

    Notes
    -----
    The risk of the arm plus n times the person's influence on it: the infinitesimal jackknife, which differs from leaving people out
    one by one by terms of order 1/n. Their mean in an arm is its risk. Without censoring they are 1 for who had the event by then,
    else 0. Censoring must not depend on covariates within an arm.

    References
    ----------
    Andersen, Klein & Rosthøj (2003), Biometrika 90:15; Parner, Andersen & Overgaard (2023), Lifetime Data Analysis 29:654.
    """
    data = curves.data
    late = int((np.asarray(data.entry) > 0).sum())
    if data.frequency is not None or data.multi_row or data.drawn_again or late:
        raise NotSupportedError(
            f"{what}: pseudo-values are of people with one row each from time zero, neither counted nor drawn again; here "
            f"{late:,} of {len(data.baseline):,} people enter late."
        )
    found = curves.influence([horizon], cause=cause, variance="robust")
    size = np.bincount(data.arm, minlength=len(data.arms))
    own = found.values[np.arange(len(data.arm)), data.arm, 0]
    return np.asarray(found.estimate[data.arm, 0] + size[data.arm] * own)


def censored_early(data: SurvivalData, horizon: float, kept: npt.NDArray[Any], taken: str) -> tuple[Note, ...]:
    """Return what must be said where people are censored before the horizon of their pseudo-values.

    Parameters
    ----------
    data : SurvivalData
        One row a person.
    horizon : float
    kept : ndarray
        Index, or mask, of the people who are modelled.
    taken : str
        What censoring is taken not to hang on, as a sentence has it.
    """
    seen_to = ((np.asarray(data.event) > 0) | (np.asarray(data.exit) >= horizon))[kept]
    count = int((~seen_to).sum())
    if not count:
        return ()
    text = (
        f"{count:,} of {len(seen_to):,} people {'was' if count == 1 else 'were'} censored before then. Pseudo-values take it that who was "
        f"censored did not hang on {taken}."
    )
    return (Note("censored_early", text),)
