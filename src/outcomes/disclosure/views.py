"""Which numbers of each kind of result can be shown at all, and the facts beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.adjust.adjusted_results import AdjustedCurves
from outcomes.adjust.balancing import BANDS, Balance
from outcomes.adjust.imputing import Imputed
from outcomes.adjust.overlapping import Overlap
from outcomes.comparison.benefits_result import Benefits, headed
from outcomes.comparison.caseload_result import Caseload
from outcomes.comparison.comparing import Comparison
from outcomes.comparison.completers_result import StartersAndCompleters
from outcomes.comparison.detection_result import DetectionSensitivity
from outcomes.comparison.pooled_results import Pooled
from outcomes.comparison.states_of_courses import CourseStates
from outcomes.comparison.subgroups import SubgroupEffects
from outcomes.comparison.tipping import TippingPoints
from outcomes.design.flow import Flow
from outcomes.disclosure.delivery_views import shown_of_delivery
from outcomes.disclosure.detection_views import shown_over_shares
from outcomes.disclosure.interval_views import shown_with_intervals
from outcomes.disclosure.prediction_views import shown_as_curves
from outcomes.durations import DAYS_PER_YEAR, in_words
from outcomes.errors import NotSupportedError
from outcomes.results import Array, Result
from outcomes.survival.curves import Curves, kaplan_meier
from outcomes.survival.mean_counts import MeanCount
from outcomes.survival.parametric_results import Parametric
from outcomes.survival.proportionality import ProportionalHazards
from outcomes.survival.state_occupation import StateProbabilities

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["View", "marks", "view_of"]


@dataclass(frozen=True, eq=False)
class View:
    """Frames by name, the main one first, and facts, as `Released` has them."""

    kind: str
    frames: Mapping[str, pd.DataFrame]
    facts: Mapping[str, Any]


def view_of(result: Result, horizon: float | None) -> View:
    """Return the numbers of a result that a policy decides about."""
    if isinstance(result, Pooled) and result.drawing is None:
        return View("table", {"table": result.to_frame(), "summary": result.summary()}, {})
    if isinstance(result, Imputed):
        return _imputed(result)
    if isinstance(result, Curves):
        return _curves(result, horizon)
    if isinstance(result, StateProbabilities):
        return _states(result, horizon)
    curves = shown_as_curves(result, horizon)
    if curves is not None:
        steps, last, facts = curves
        frames = {"predictions": steps, "summary": last}
        if isinstance(result, AdjustedCurves):
            frames["positivity"] = result.positivity()
        return View("predictions", frames, {**facts, "marks": marks(facts["horizon"], facts["unit"])})
    if isinstance(result, (Comparison, SubgroupEffects)):
        return _effects(result)
    if isinstance(result, Benefits):
        return _benefits(result)
    if isinstance(result, Parametric):
        return _parametric(result, horizon)
    of_design = _of_design(result)
    if of_design is not None:
        return of_design
    if isinstance(result, Caseload):
        return _waterfall(result)
    if isinstance(result, DetectionSensitivity):
        return View(*shown_over_shares(result))
    delivery = shown_of_delivery(result)
    if delivery is not None:
        return View(*delivery)
    lines = shown_with_intervals(result)
    if lines is not None:
        frames = {"lines": lines[0], "table": result.to_frame(), "summary": result.summary()}
        if isinstance(result, StartersAndCompleters):
            frames["drop_out"] = result.drop_out()
        return View("intervals", frames, lines[1])
    if result.tabled:
        return View("table", {"table": result.to_frame(), "summary": result.summary()}, {})
    raise NotSupportedError(
        f"release: a {type(result).__name__} speaks of single people or of too many things at once to be released."
    )


def _of_design(result: Result) -> View | None:
    """Return who is compared and how alike they are, and what a model or an interval rests on; None of any other result."""
    if isinstance(result, TippingPoints):
        facts = {"measure": result.measure, "estimate": result.estimate, "limit": result.limit}
        return View("tipping", {"tipping": result.to_frame()}, facts)
    if isinstance(result, Flow):
        in_arms = () if result.arms == ("all",) else result.arms
        return View("flow", {"flow": result.to_frame()}, {"arms": in_arms})
    if isinstance(result, Balance):
        facts = {
            "arms": result.arms,
            "estimand": result.estimand,
            "bands": BANDS,
            "denominator": result.denominator,
            "done": result.done,
        }
        return View("balance", {"balance": result.to_frame()}, facts)
    if isinstance(result, Overlap):
        facts = {"arms": result.arms, "estimand": result.estimand, "scores": result.scores, "ranges": result.ranges}
        return View("overlap", {"bins": result.to_frame(), "arms": result.summary()}, facts)
    if isinstance(result, ProportionalHazards):
        facts = {"unit": result.model.data.unit, "conf_level": result.model.conf_level, "cause": result.model.cause}
        frames = {
            "paths": result.paths(),
            "table": result.to_frame(),
            "constant": result.model.to_frame()[["term", "estimate"]],
        }
        return View("paths", frames, facts)
    return None


def _waterfall(result: Caseload) -> View:
    """Return the bars of the caseload's difference, and the steps of each regime."""
    bars = result.bars()
    facts = {
        "axis": f"people of 100 with a reoffence ({result.outcome}) by {in_words(result.horizon)}",
        "parts": tuple(bars["label"].iloc[1:-1]),
        "said": "Route B. Orange: what the difference between the regimes is made of",
    }
    return View("waterfall", {"bars": bars, "steps": result.steps(), "table": result.to_frame()}, facts)


def _curves(result: Curves, horizon: float | None) -> View:
    """Return the steps up to the horizon, carried to it, and counts at round times."""
    import pandas as pd

    last = min(result.last_times)
    end = last if horizon is None else min(float(horizon), last)
    steps = result.to_frame()
    drawn = pd.concat([steps[steps["time"] < end], result.at(end)], ignore_index=True)
    order = [(drawn["arm"] == arm) & (drawn["cause"] == cause) for arm in result.arms for cause in result.causes]
    curve = pd.concat([drawn[rows].sort_values("time", kind="stable") for rows in order], ignore_index=True)
    labels = result.data.labels
    return View(
        "counts" if isinstance(result, MeanCount) else "curves",
        {"curve": curve, "marks": result.at(marks(end, result.data.unit))},
        {
            "arms": result.arms,
            "causes": result.causes,
            "rising": result.rising,
            "censored": _censored(result),
            "unit": result.data.unit,
            "horizon": end,
            "conf_level": result.conf_level,
            "estimand": result.asked.estimand,
            "while_present": isinstance(result, MeanCount) and result.while_present,
            **{key: labels.get(key, "") for key in ("outcome", "population", "scale", "proven_within")},
        },
    )


def _states(result: StateProbabilities, horizon: float | None) -> View:
    """Return the share in each state at every move up to the horizon, carried to it, and counts at round times."""
    import pandas as pd

    last = min(result.last_times)
    end = last if horizon is None else min(float(horizon), last)
    steps, ending = result.shares(), result.at(end)
    drawn = pd.concat([steps[steps["time"] < end], ending[steps.columns]], ignore_index=True)
    order = [(drawn["arm"] == arm) & (drawn["state"] == state) for arm in result.arms for state in result.states]
    curve = pd.concat([drawn[rows].sort_values("time", kind="stable") for rows in order], ignore_index=True)
    labels = result.data.labels
    frames = {"curve": curve, "marks": result.at(marks(end, result.data.unit))}
    if isinstance(result, CourseStates):
        frames["transitions"] = result.transitions()
    return View(
        "states",
        frames,
        {
            "arms": result.arms,
            "states": result.states,
            "unit": result.data.unit,
            "horizon": end,
            "conf_level": result.conf_level,
            "estimand": result.asked.estimand,
            **{key: labels.get(key, "") for key in ("outcome", "population", "scale")},
        },
    )


def _parametric(result: Parametric, horizon: float | None) -> View:
    """Return risks by arm up to the horizon (default: half as long again as anybody was at risk), and the coefficients."""
    end = 1.5 * max(result.last_times) if horizon is None else float(horizon)
    times = np.union1d(np.linspace(0.0, end, 61), [last for last in result.last_times if last < end])
    facts = {
        "arms": result.data.arms,
        "cause": result.cause,
        "distribution": result.distribution,
        "unit": result.data.unit,
        "horizon": end,
        "marks": tuple(map(float, marks(end, result.data.unit))),
        "last_times": result.last_times,
        "conf_level": result.conf_level,
        "estimand": result.asked.estimand,
        **{key: result.data.labels.get(key, "") for key in ("outcome", "population", "scale", "proven_within")},
    }
    frames = {
        "curve": result.at(times, measure="risk"),
        "table": result.to_frame(),
        "summary": result.summary(),
        "observed": _observed(result, end),
    }
    return View("parametric", frames, facts)


def _observed(result: Parametric, end: float) -> pd.DataFrame:
    """Return the risk in each arm as observed, other causes taken for censoring as the model takes them: arm, time, estimate."""
    data = result.data
    cause = result.cause if result.cause in data.causes else "any"
    steps = kaplan_meier(data, cause=cause, weights=result.asked.source).to_frame()
    steps = steps[steps["time"] <= end]
    return steps.assign(estimate=1 - steps["estimate"])[["arm", "time", "estimate"]]


def _imputed(result: Imputed) -> View:
    """Return the distributions of observed and imputed values and the means of the chains, and how much is missing."""
    share = result.summary().sort_values("share_missing", ascending=False, kind="stable")
    facts = {"missing": dict(zip(share["column"], share["share_missing"], strict=True)), "m": result.m}
    frames = {"distribution": result.distribution(), "chains": result.chains(), "table": result.to_frame()}
    return View("imputed", frames, facts)


def _censored(result: Curves) -> tuple[str, ...]:
    """Return the causes a curve of one cause takes for censoring: none where all of them are one event."""
    if result.rising or not set(result.causes) <= set(result.data.causes):
        return ()
    return tuple(cause for cause in result.data.causes if cause not in result.causes)


def marks(end: float, unit: str) -> Array:
    """Return round times from 0 to `end` at which people at risk are counted: at most nine, whole years or halves in days.

    Examples
    --------
    >>> marks(1826.0, "days").tolist(), marks(52.0, "weeks").tolist()
    ([0.0, 365.0, 730.0, 1095.0, 1461.0, 1826.0], [0.0, 10.0, 20.0, 30.0, 40.0, 50.0])
    """
    if unit == "days" and end >= DAYS_PER_YEAR:
        step = next(s for s in (0.5, 1.0, 2.0, 5.0, 10.0, 50.0) if end / DAYS_PER_YEAR / s < 8)
        count = int((end + 1) // (step * DAYS_PER_YEAR))
        return np.asarray(np.minimum(np.floor(np.arange(count + 1) * step * DAYS_PER_YEAR), end))
    rough = end / 6
    size = 10.0 ** np.floor(np.log10(rough))
    step = next(s * size for s in (1, 2, 5, 10) if s * size >= rough)
    return np.asarray(np.arange(int(end // step) + 1) * step)


def _effects(result: Comparison | SubgroupEffects) -> View:
    """Return one row an effect, with the risk in each arm beside, and the tests that effects are the same."""
    frame = result.frame
    if isinstance(result, Comparison):
        frame = frame.assign(subgroup="", level="", adjustment="raw" if _raw(frame) else "adjusted")
    frames = {"effects": frame}
    if isinstance(result, SubgroupEffects):
        frames["tests"] = result.tests
    facts = {
        "measure": result.measure,
        "margin": result.margin,
        "conf_level": result.conf_level,
        "unit": result.labels.get("unit", "days"),
        **{key: result.labels.get(key, "") for key in ("outcome", "population", "scale", "proven_within")},
    }
    return View("effects", frames, facts)


def _benefits(result: Benefits) -> View:
    """Return the risk difference of everyone and of each level, headed by whether it was named in advance; tests and ratios beside."""
    frame = result.frame[result.frame["measure"] == "risk_difference"].reset_index(drop=True)
    heads = [headed(name, named) if name else "" for name, named in zip(frame["subgroup"], frame["named"], strict=True)]
    facts = {
        "measure": "risk_difference",
        "margin": result.margin,
        "conf_level": result.conf_level,
        "unit": result.labels.get("unit", "days"),
        **{key: result.labels.get(key, "") for key in ("outcome", "population", "scale", "proven_within")},
    }
    frames = {
        "effects": frame.assign(subgroup=heads),
        "tests": result.interaction(),
        "table": result.to_frame(),
        "summary": result.summary(),
    }
    return View("effects", frames, facts)


def _raw(frame: pd.DataFrame) -> bool:
    return bool((frame["estimand"] == "none").all())
