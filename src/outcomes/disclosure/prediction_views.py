"""Curves that are shown a profile, row or arm at a time: what is drawn of each, up to where somebody was observed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.adjust.adjusted_results import AdjustedCurves
from outcomes.results import Result
from outcomes.survival.cox_curves import CoxCurves
from outcomes.survival.cox_standardised import StandardisedCurves
from outcomes.survival.hazards import NelsonAalen
from outcomes.survival.incidence_predictions import PredictedIncidence

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["shown_as_curves"]


def shown_as_curves(result: Result, horizon: float | None) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]] | None:
    """Return the steps, the last values and the facts of a result that is shown so; None of any other.

    Steps have ``profile``, time, estimate, conf_low, conf_high. Facts: ``profiles``, ``unit``, ``horizon``, ``conf_level``, ``share``
    (whether the axis is a share of people) and ``said`` (what is drawn).
    """
    for kind, read in _READ.items():
        if isinstance(result, kind):
            steps, last, facts = read(result)
            end = last if horizon is None else min(float(horizon), last)
            at_end = _renamed(result.at(end), facts)
            drawn = _joined(_renamed(steps, facts), at_end, end, facts["profiles"])
            return drawn, at_end, {**facts, "horizon": end}
    return None


def _joined(steps: pd.DataFrame, at_end: pd.DataFrame, end: float, profiles: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    drawn = pd.concat([steps[steps["time"] < end], at_end[steps.columns]], ignore_index=True)
    order = [drawn[drawn["profile"] == name].sort_values("time", kind="stable") for name in profiles]
    return pd.concat(order, ignore_index=True)


def _renamed(frame: pd.DataFrame, facts: Mapping[str, Any]) -> pd.DataFrame:
    """Return the frame with profiles by name, and shares free of the event as shares that had it."""
    found = frame.rename(columns={facts["by"]: "profile"})
    found["profile"] = found["profile"].astype(str)
    if facts["free"]:
        found = found.assign(
            estimate=1 - found["estimate"], conf_low=1 - found["conf_high"], conf_high=1 - found["conf_low"]
        )
    return found[["profile", "time", "estimate", "conf_low", "conf_high"]]


def _incidence(result: PredictedIncidence) -> tuple[pd.DataFrame, float, dict[str, Any]]:
    model = result.model
    said = f"Share predicted to have had the event {_called(model.cause)}, with the competing events as they were"
    facts = _facts(result.profiles, "profile", model.data, model.conf_level, said, free=False)
    return result.to_frame(), result.last_time, facts


def _predicted(result: CoxCurves) -> tuple[pd.DataFrame, float, dict[str, Any]]:
    model, frame = result.model, result.to_frame()
    known = frame[frame["estimate"].notna()]
    rows = tuple(map(str, result.new.index))
    alone = " as if nobody left by another cause" if len(model.data.causes) > 1 else ""
    said = f"Share predicted to have had the event {_called(model.cause)}{alone}, by row of the new data"
    return known, float(known["time"].max()), _facts(rows, "profile", model.data, result.conf_level, said, free=True)


def _standardised(result: StandardisedCurves) -> tuple[pd.DataFrame, float, dict[str, Any]]:
    frame = result.to_frame()
    known = frame[frame["estimate"].notna()]
    whom = "everybody" if result.over is None else f"the people of {result.over}"
    alone = " as if nobody left by another cause" if len(result.data.causes) > 1 else ""
    said = f"Share with the event {_called(result.model.cause)}{alone}, had {whom} been in each arm"
    return (
        known,
        float(known["time"].max()),
        _facts(result.arms, "arm", result.data, result.conf_level, said, free=True),
    )


def _adjusted(result: AdjustedCurves) -> tuple[pd.DataFrame, float, dict[str, Any]]:
    said = f"Share with the event {_called(result.cause)}, had {result.whom} been in each arm, {result.adjusted_by}"
    facts = _facts(result.arms, "arm", result.data, result.conf_level, said, free=False)
    return result.to_frame(), min(result.last_times), {**facts, "estimand": result.estimand}


def _hazard(result: NelsonAalen) -> tuple[pd.DataFrame, float, dict[str, Any]]:
    import pandas as pd

    frame = result.to_frame()
    arms = tuple(dict.fromkeys(frame["arm"]))
    start = pd.DataFrame({"arm": arms, "time": 0.0, "estimate": 0.0, "conf_low": np.nan, "conf_high": np.nan})
    last = float(frame.groupby("arm", sort=False)["time"].max().min())
    facts = {
        "profiles": arms,
        "by": "arm",
        "unit": result.unit,
        "conf_level": result.conf_level,
        "free": False,
        "share": False,
    }
    said = "Cumulative hazard: events expected of one person always at risk"
    return pd.concat([start, frame[start.columns]], ignore_index=True), last, {**facts, "said": said}


def _called(cause: str) -> str:
    return f"'{cause.replace('_', ' ')}'"


def _facts(
    profiles: tuple[str, ...], by: str, data: Any, conf_level: float, said: str, *, free: bool
) -> dict[str, Any]:
    labels = {key: data.labels.get(key, "") for key in ("outcome", "population", "scale", "proven_within")}
    own = {"profiles": tuple(map(str, profiles)), "by": by, "unit": data.unit, "conf_level": conf_level}
    return {**own, "said": said, "free": free, "share": True, **labels}


_READ: Mapping[Any, Any] = {
    PredictedIncidence: _incidence,
    CoxCurves: _predicted,
    StandardisedCurves: _standardised,
    AdjustedCurves: _adjusted,
    NelsonAalen: _hazard,
}
