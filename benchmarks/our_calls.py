"""What is timed of ours: public calls, from a frame to a table of results."""

from __future__ import annotations

import numpy as np
import pandas as pd

import outcomes as oc
from invented_people import CAUSES, FORMULA

__all__ = ["TIMES", "aalen_johansen", "cox", "fine_gray", "kaplan_meier", "numbers"]

TIMES = (180, 365, 730)  # days at which curves are compared


def cox(frame: pd.DataFrame, *, robust: bool = False, weighted: bool = False) -> pd.DataFrame:
    """Return the coefficients of a Cox model of 11 covariates, Efron's ties."""
    data = oc.survival_data(frame, duration="days", event="event")
    return oc.cox(data, FORMULA, robust=robust, weights="weight" if weighted else None).to_frame()


def fine_gray(frame: pd.DataFrame, *, weighted: bool = False) -> pd.DataFrame:
    """Return the coefficients of a Fine–Gray model of 11 covariates; `weighted`: with weights, and a baseline for each area."""
    data = oc.survival_data(frame, duration="days", event="end", causes=CAUSES)
    more = {"weights": "weight", "strata": "area"} if weighted else {}
    return oc.fine_gray(data, FORMULA, cause=CAUSES[1], **more).to_frame()


def aalen_johansen(frame: pd.DataFrame) -> pd.DataFrame:
    """Return weighted cumulative incidences of both causes in two arms at every time, with jackknife errors."""
    data = oc.survival_data(frame, duration="days", event="end", causes=CAUSES, arm="arm", reference=0)
    return oc.cumulative_incidence(data, weights="weight").to_frame()


def kaplan_meier(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the Kaplan–Meier curve of everybody at every time, with Greenwood's errors."""
    return oc.kaplan_meier(oc.survival_data(frame, duration="days", event="event")).to_frame()


def numbers(result: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates and standard errors, of curves at `TIMES` and by arm, cause and time."""
    if "term" not in result:
        curves = [curve for _, curve in result.groupby(["arm", "cause"], sort=False)]
        result = pd.concat([curve.iloc[np.searchsorted(curve["time"], TIMES, side="right") - 1] for curve in curves])
    return result["estimate"].to_numpy(), result["std_error"].to_numpy()
