"""Results that are shown as points with intervals: one line a term, arm or cause, and what the axis says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.adjust.adjusted_mean_time import AdjustedRmst
from outcomes.comparison.bootstrapping import Bootstrap
from outcomes.comparison.pairwise import PairwiseLogRank
from outcomes.disclosure.course_views import COURSE_LINES
from outcomes.disclosure.interval_lines import level_of, lines_of
from outcomes.disclosure.question_views import QUESTION_LINES
from outcomes.durations import in_words
from outcomes.results import Result, p_in_words
from outcomes.survival.cause_specific_hazards import CauseSpecific
from outcomes.survival.cox_result import Cox
from outcomes.survival.event_rates import EventRate
from outcomes.survival.fine_gray_result import FineGray
from outcomes.survival.gray import Gray
from outcomes.survival.logrank import LogRank
from outcomes.survival.max_combo import MaxCombo
from outcomes.survival.mean_time_regression import RmstRegression
from outcomes.survival.rate_models import RateModel
from outcomes.survival.restricted_mean import Rmst

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["shown_with_intervals"]

_SMALLEST = 1e-4  # p-value that is drawn at its place
_RATIO: Mapping[str, Any] = {"none": 1.0, "log": True}


def shown_with_intervals(result: Result) -> tuple[pd.DataFrame, dict[str, Any]] | None:
    """Return the lines and the facts of a result that is shown so; None of any other.

    Lines have ``group`` (empty where there is one), ``label``, ``estimate``, ``conf_low``, ``conf_high``, ``expected`` (a second point,
    missing where there is none) and ``beside`` (what is written there, empty where the numbers are). Facts: ``axis``, ``none`` (where
    nothing differs, None where there is no such place), ``log``, ``from_zero``, ``within`` (how far from 0 chance reaches, None where
    that is not said), ``digits`` (decimals, None: as many as show three figures), ``first`` and ``second`` (what the points are where
    there are two) and ``said`` (what is drawn).
    """
    for kind, lines in (*_LINES.items(), *QUESTION_LINES.items(), *COURSE_LINES.items()):
        if isinstance(result, kind):
            frame, facts = lines(result)
            return frame, {
                "none": None,
                "log": False,
                "from_zero": facts.get("none") is None,
                "within": None,
                "digits": None,
                "first": "observed",
                "second": "",
                **facts,
            }
    return None


def _means(result: Rmst) -> tuple[pd.DataFrame, dict[str, Any]]:
    data, frame = result.curves.data, result.to_frame()
    frame = frame[frame["measure"] != "rmtl"]
    said = {"rmst": "free of every event" if len(data.causes) > 1 else f"free of {data.causes[0]}"}
    frame = frame.assign(measure=[said.get(m, f"lost to {m.removeprefix('rmtl: ')}") for m in frame["measure"]])
    when = in_words(result.horizon, data.unit)
    return lines_of(frame, "arm", "measure"), {
        "axis": f"mean {data.unit} within {when}",
        "said": f"Mean {data.unit} free of events, and lost to each cause, within {when}; {level_of(result.conf_level)}",
    }


def _rates(result: EventRate) -> tuple[pd.DataFrame, dict[str, Any]]:
    frame = result.to_frame()
    per = f"{result.unit.removesuffix('s')}" if result.per == 1 else f"{result.per:g} {result.unit}"
    several = len(frame["cause"].unique()) > 1
    return lines_of(frame, "arm", "cause" if several else None), {
        "axis": f"events per person and {per} at risk",
        "said": f"Events per time at risk: {'by cause' if several else frame['cause'].iloc[0]}; {level_of(result.conf_level)}",
    }


def _hazards(result: Cox) -> tuple[pd.DataFrame, dict[str, Any]]:
    frame = result.to_frame(exponentiate=True)
    return lines_of(frame, "term"), {
        "axis": "rate ratio" if result.data.repeated else "hazard ratio",
        "said": f"What each term does to the {'rate' if result.data.repeated else 'hazard'} of {result.cause}, the others held; "
        f"{level_of(result.conf_level)}",
        **_RATIO,
    }


def _subdistribution(result: FineGray) -> tuple[pd.DataFrame, dict[str, Any]]:
    return lines_of(result.to_frame(exponentiate=True), "term"), {
        "axis": "subdistribution hazard ratio",
        "said": f"What each term does to the cumulative incidence of {result.cause}, the others held; {level_of(result.conf_level)}",
        **_RATIO,
    }


def _of_every_cause(result: CauseSpecific) -> tuple[pd.DataFrame, dict[str, Any]]:
    level = next(iter(result.models.values())).conf_level
    return lines_of(result.to_frame(exponentiate=True), "term", "cause"), {
        "axis": "hazard ratio",
        "said": f"What each term does to the hazard of each cause, the others held; {level_of(level)}",
        **_RATIO,
    }


def _counts(result: RateModel) -> tuple[pd.DataFrame, dict[str, Any]]:
    frame = result.to_frame(exponentiate=True).iloc[1:]
    said = f"What each term does to the rate of {result.cause}, the others held; {level_of(result.conf_level)}"
    return lines_of(frame, "term"), {"axis": "rate ratio", "said": said, **_RATIO}


def _mean_times(result: RmstRegression) -> tuple[pd.DataFrame, dict[str, Any]]:
    ratio = result.measure != "difference"
    frame = result.to_frame(exponentiate=ratio)
    when = in_words(result.horizon, result.unit)
    of = "lost to" if result.measure == "lost_ratio" else "free of"
    axis = f"ratio of mean time {of} the event" if ratio else f"difference in mean {result.unit} free of the event"
    said = f"Adjusted for one another, within {when}; {level_of(result.conf_level)}"
    return lines_of(frame[frame["term"] != "intercept"], "term"), {
        "axis": axis,
        "said": said,
        **(_RATIO if ratio else {"none": 0.0}),
    }


def _observed(result: LogRank | Gray) -> tuple[pd.DataFrame, dict[str, Any]]:
    frame = result.by_arm()
    if isinstance(result, Gray):
        frame = frame.assign(observed=frame["n_events"], expected=frame["n_events"] - frame["score"])
    alike = "incidence" if isinstance(result, Gray) else "hazards"
    beside = [
        f"{seen:,.6g}, {due:,.1f} expected" for seen, due in zip(frame["observed"], frame["expected"], strict=True)
    ]
    return lines_of(frame.assign(estimate=frame["observed"].astype(np.float64), beside=beside), "arm"), {
        "axis": "events",
        "second": f"expected, were the arms' {alike} the same",
        "said": result.describe().split(" Events:")[0],
    }


def _weightings(result: MaxCombo) -> tuple[pd.DataFrame, dict[str, Any]]:
    frame = result.by_weighting()
    early = {(0.0, 0.0): "even", (1.0, 0.0): "early", (0.0, 1.0): "late", (1.0, 1.0): "middle"}
    within = result.critical_value()
    shaded = (
        "; shaded: where chance alone leaves the largest |z| in 95 of 100 such tests" if np.isfinite(within) else ""
    )
    labels = [
        f"{early.get((r, g), '')} (rho = {r:g}, gamma = {g:g})".strip()
        for r, g in zip(frame["rho"], frame["gamma"], strict=True)
    ]
    return lines_of(frame.assign(label=labels, estimate=frame["z"]), "label"), {
        "axis": f"z (above 0: more events in {result.arms[1]} than were the hazards equal)",
        "none": 0.0,
        "within": within if np.isfinite(within) else None,
        "said": f"{result.describe().rstrip('.')}{shaded}",
    }


def _pairs(result: PairwiseLogRank) -> tuple[pd.DataFrame, dict[str, Any]]:
    frame = result.to_frame()
    alone, paid = frame["p_value"], frame["p_holm"]
    said = [
        f"{p_in_words(p)} (alone {p_in_words(q)})" if np.isfinite(p) else "no events"
        for p, q in zip(paid, alone, strict=True)
    ]
    frame = frame.assign(
        pair=frame["arm"] + " and " + frame["reference"],
        estimate=paid.clip(lower=_SMALLEST),
        expected=alone.clip(lower=_SMALLEST),
        beside=said,
    )
    return lines_of(frame, "pair"), {
        "axis": "p-value (line: 0.05)",
        "none": 0.05,
        "log": True,
        "second": "of the pair alone",
        "said": f"Log-rank tests of every two arms, p-values by Holm's method; below {_SMALLEST:g} drawn there",
        "first": "by Holm's method",
    }


def _adjusted_means(result: AdjustedRmst) -> tuple[pd.DataFrame, dict[str, Any]]:
    unit, when = result.curves.data.unit, in_words(result.horizon, result.curves.data.unit)
    said = f"Mean {unit} free of every event within {when}, had {result.curves.whom} been in each arm, {result.curves.adjusted_by}"
    return lines_of(result.to_frame(), "arm"), {
        "axis": f"mean {unit} within {when}",
        "said": f"{said}; {level_of(result.curves.conf_level)}",
    }


def _drawn_again(result: Bootstrap) -> tuple[pd.DataFrame, dict[str, Any]]:
    frame = result.to_frame()
    numbers = ("estimate", "bias", "std_error", "conf_low", "conf_high", "n_replicates")
    named = frame[[name for name in frame.columns if name not in numbers]]
    varying = [name for name in named.columns if len(named[name].unique()) > 1] or list(named.columns[-1:])
    labels = [
        ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in row)
        for row in named[varying].to_numpy(dtype=object).tolist()
    ]
    said = f"{level_of(result.conf_level)} ({result.kind}) from {len(result.replicates):,} bootstrap replicates by {result.by}"
    return lines_of(frame.assign(number=labels), "number"), {"axis": "estimate", "from_zero": False, "said": said}


_LINES: Mapping[Any, Any] = {
    Rmst: _means,
    EventRate: _rates,
    Cox: _hazards,
    FineGray: _subdistribution,
    CauseSpecific: _of_every_cause,
    RateModel: _counts,
    RmstRegression: _mean_times,
    LogRank: _observed,
    Gray: _observed,
    MaxCombo: _weightings,
    PairwiseLogRank: _pairs,
    AdjustedRmst: _adjusted_means,
    Bootstrap: _drawn_again,
}
