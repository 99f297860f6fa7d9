"""Which columns the models of a caseload stand on: chosen once, and laid out as numbers for as many fits as are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from outcomes.adjust.case_mix import models_by_cause
from outcomes.design.data import SurvivalData
from outcomes.survival.design_matrix import design_matrix
from outcomes.survival.formula_text import terms_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ELIGIBLE", "REGIME", "TARGET", "RegimeModels", "exposure_to", "laid_out"]

REGIME, TARGET, ELIGIBLE = "_regime", "_target", "_eligible_"
"""Columns of the baseline: what was on offer, who is averaged over, and who may start a programme (with the arm's name after it)."""
_EXPOSED = "_exposed_"


@dataclass(frozen=True)
class RegimeModels:
    """What is modelled on what.

    Attributes
    ----------
    arms : tuple of str
        The reference's and the arm's.
    cause : str
    horizon : float
    outcome : mapping of cause to tuple of str, or None
        Columns of rows the hazard of each cause stands on, besides exposure; None: the same hazard for everybody, exposed or not.
    starting : tuple of str
        Columns of people that who starts, and when, stand on.
    """

    arms: tuple[str, str]
    cause: str
    horizon: float
    outcome: Mapping[str, tuple[str, ...] | None]
    starting: tuple[str, ...]

    @property
    def exposures(self) -> tuple[str, str]:
        """Columns of rows that say whether a programme of each arm was started last."""
        return exposure_to(self.arms[0]), exposure_to(self.arms[1])


def exposure_to(arm: str) -> str:
    """Return the column of rows that says whether a programme of an arm was started last."""
    return f"{_EXPOSED}{arm}"


def laid_out(
    data: SurvivalData, arms: tuple[str, str], formula: str, starting: str, cause: str, horizon: float
) -> tuple[SurvivalData, RegimeModels]:
    """Return data whose columns are numbers the models can take as they are, and which model takes which.

    Parameters
    ----------
    data : SurvivalData
        Rows cut where exposure changes, from release or sentence; the baseline with `REGIME`, `TARGET` and `ELIGIBLE`.
    arms : tuple of str
        Levels of ``exposure`` and of `REGIME`.
    formula, starting : str
        Covariates at time zero that decide about the outcome, and about who starts and when; empty where none does.
    """
    import pandas as pd

    columns: dict[str, pd.Series[float]] = {}

    def added(text: str) -> tuple[str, ...]:
        if not text:
            return ()
        matrix, first = design_matrix(text, data.baseline, arm=None, what="caseload"), len(columns)
        names = tuple(f"_x{first + k}" for k in range(matrix.values.shape[1]))
        columns.update(zip(names, map(pd.Series, matrix.values.T), strict=True))
        return names

    chosen, _ = models_by_cause(data, cause, formula, of="exposure")
    without = {
        None if text is None else " + ".join(t for t in terms_of(text) if t != "exposure") for text in chosen.values()
    }
    of_text = {text: added(text) for text in sorted(text for text in without if text is not None)}
    outcome = {
        name: None if text is None else of_text[" + ".join(t for t in terms_of(text) if t != "exposure")]
        for name, text in chosen.items()
    }
    models = RegimeModels(arms, cause, horizon, outcome, added(starting))
    kept = [REGIME, TARGET, *(f"{ELIGIBLE}{arm}" for arm in arms), *([data.cluster] if data.cluster else [])]
    baseline = pd.concat([data.baseline[kept], pd.DataFrame(columns)], axis=1)
    exposure = data.frame["exposure"].astype(str).to_numpy()
    exposed = {name: (exposure == arm).astype(np.float64) for name, arm in zip(models.exposures, arms, strict=True)}
    frame = pd.DataFrame({**exposed, **{name: value.to_numpy()[data.person] for name, value in columns.items()}})
    if data.cluster:
        frame[data.cluster] = data.baseline[data.cluster].to_numpy()[data.person]
    return replace(data, baseline=baseline, frame=frame, varying=models.exposures), models
