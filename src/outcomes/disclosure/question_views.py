"""Answers to a study's questions as points with intervals: one line a population, programme, way of looking or step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.comparison.answers import best_of
from outcomes.comparison.completers_result import StartersAndCompleters
from outcomes.comparison.immortal_result import METHODS, ImmortalTime
from outcomes.comparison.populations_result import Populations
from outcomes.comparison.programmes_result import Programmes
from outcomes.comparison.roll_out_result import RollOut
from outcomes.comparison.shut_out_result import ALL, ShutOut
from outcomes.disclosure.interval_lines import level_of, lines_of, within_bounds
from outcomes.durations import in_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["QUESTION_LINES"]


def _populations(result: Populations) -> tuple[pd.DataFrame, dict[str, Any]]:
    frame = result.frame
    raw = frame[frame["adjustment"] == "raw"].set_index(["whom", "arm", "reference"])["estimate"]
    shown = frame[best_of(frame)]
    adjusted = bool((shown["adjustment"] == "adjusted").any())
    keys = list(zip(shown["whom"], shown["arm"], shown["reference"], strict=True))
    drawn = shown.assign(
        pair=shown["arm"] + " against " + shown["reference"],
        expected=[
            100 * raw[key] if found and how == "adjusted" else np.nan
            for key, found, how in zip(keys, shown["identified"], shown["adjustment"], strict=True)
        ],
        beside=["" if row["identified"] else _limits_in_short(row) for row in shown.to_dict("records")],
        estimate=100 * shown["estimate"],
        conf_low=100 * shown["conf_low"].fillna(shown["bound_conf_low"]),
        conf_high=100 * shown["conf_high"].fillna(shown["bound_conf_high"]),
    )
    row = frame.iloc[0]
    limits = "; dotted: no answer, between limits" if shown["bound_low"].notna().any() else ""
    return lines_of(drawn, "whom", "pair"), {
        "axis": "difference in risk, per 100 people (below 0: fewer)",
        "digits": 1,
        "none": 0.0,
        "first": "adjusted",
        "second": "as it was" if adjusted else "",
        "said": f"{row['cause']} by {in_words(row['time'])}; {level_of(result.conf_level)}{limits}",
    }


def _limits_in_short(row: Mapping[Any, Any]) -> str:
    """Return between what a difference without an answer lies, and the interval for it."""
    if np.isnan(row["bound_low"]):
        return "no answer"
    low, high, least, most = (f"{100 * row[f'bound_{name}']:.1f}" for name in ("low", "high", "conf_low", "conf_high"))
    return f"from {low} to {high} ({least} to {most})".replace("-", "−")


def _programmes(result: Programmes) -> tuple[pd.DataFrame, dict[str, Any]]:
    frame = result.frame
    last = frame[~frame["programme"].duplicated(keep="last")]
    raw = frame[frame["adjustment"] == "raw"].set_index("programme")["estimate"]
    adjusted = last["adjustment"] == "adjusted"
    few = ["" if tested or why else f"only {n:,.0f} people" for tested, why, n in
           zip(last["tested"], last["why"], last["n_programme"], strict=True)]  # fmt: skip
    drawn = last.assign(
        programme=[
            f"{str(name).replace('_', ' ')}{f' ({said})' if said else ''}"
            for name, said in zip(last["programme"], few, strict=True)
        ],
        expected=np.where(adjusted & (last["why"] == ""), 100 * last["programme"].map(raw), np.nan),
        beside=np.where(last["why"] == "", "", "no answer"),
        **{name: 100 * last[name] for name in ("estimate", "conf_low", "conf_high")},
    )
    row = frame[frame["why"] == ""].iloc[0]
    return lines_of(drawn, "programme"), {
        "axis": "difference in risk against nothing, per 100 people (below 0: fewer)",
        "digits": 1,
        "none": 0.0,
        "first": "adjusted",
        "second": "as it was" if adjusted.any() else "",
        "said": f"{row['cause']} within {in_words(row['time'])} of {in_words(result.grace)} after release or sentence; "
        f"{level_of(result.conf_level)}",
    }


_WHEN = {
    "before": "before the change, against earlier years",
    "after": "after the change",
    "overall": "all years after",
}


def _roll_out(result: RollOut) -> tuple[pd.DataFrame, dict[str, Any]]:
    frame = result.frame
    label = [
        "" if np.isnan(year) else f"{abs(year):g} {'years' if abs(year) != 1 else 'year'}" for year in frame["year"]
    ]
    drawn = frame.assign(
        when=frame["when"].map(_WHEN),
        label=[name or "together" for name in label],
        **{name: 100 * frame[name] for name in ("estimate", "conf_low", "conf_high")},
    )
    return lines_of(drawn, "label", "when"), {
        "axis": f"difference in risk, {result.new} minus {result.old}, per 100 people",
        "digits": 1,
        "none": 0.0,
        "said": f"{result.outcome} by {in_words(result.horizon)}; {level_of(result.conf_level)}, by area",
    }


def _completers(result: StartersAndCompleters) -> tuple[pd.DataFrame, dict[str, Any]]:
    frame = result.frame
    keys = ["people", "against", "arm", "reference"]
    last = frame[~frame.duplicated(keys, keep="last")]
    raw = frame[frame["adjustment"] == "raw"].set_index(keys)["estimate"]
    adjusted = (last["adjustment"] == "adjusted") & (last["why"] == "")
    before = raw.loc[list(last[keys].itertuples(index=False, name=None))].to_numpy()
    drawn = last.assign(
        pair=last["arm"] + " against " + last["reference"],
        line=[
            f"{people} against {against}{' (selection, not effect)' if selected else ''}"
            for people, against, selected in zip(last["people"], last["against"], last["selected"], strict=True)
        ],
        expected=np.where(adjusted, 100 * before, np.nan),
        beside=np.where(last["why"] == "", "", "no answer"),
        **{name: 100 * last[name] for name in ("estimate", "conf_low", "conf_high")},
    )
    row, left = frame.iloc[0], result.ends[result.ends["end"] == "dropped_out"]
    lost = ", ".join(f"{100 * share:.0f} % of {arm}" for arm, share in zip(left["arm"], left["share"], strict=True))
    return lines_of(drawn, "line", "pair"), {
        "axis": "difference in risk, per 100 people (below 0: fewer)",
        "digits": 1,
        "none": 0.0,
        "first": "adjusted",
        "second": "as it was" if adjusted.any() else "",
        "said": f"{row['cause']} by {in_words(row['time'])}; dropped out: {lost}; {level_of(result.conf_level)}",
    }


def _immortal(result: ImmortalTime) -> tuple[pd.DataFrame, dict[str, Any]]:
    frame = result.frame[result.frame["measure"] == "hazard_ratio"]
    drawn = frame.assign(
        way=[METHODS[method].removeprefix("Wrong: ") for method in frame["method"]],
        time=np.where(frame["wrong"], "counts time wrongly", "count time rightly"),
        beside=np.where(frame["why"] == "", "", "no answer"),
    )
    return lines_of(within_bounds(drawn), "way", "time"), {
        "axis": f"hazard ratio, {result.arm} against nothing (below 1: later)",
        "none": 1.0,
        "log": True,
        "said": f"{result.labels['outcome']}, people eligible for {result.arm}; grace {in_words(result.grace)}; "
        f"{level_of(result.conf_level)}",
    }


def _shut_out(result: ShutOut) -> tuple[pd.DataFrame, dict[str, Any]]:
    frame = result.frame
    keys = ["programme", "closed", "reason"]
    adjusted = bool((frame["adjustment"] == "adjusted").any())
    raw = frame[frame["adjustment"] == "raw"].set_index(keys)["estimate"].to_dict()
    shown = frame[frame["adjustment"] == ("adjusted" if adjusted else "raw")]
    expected = [100 * raw.get(key, np.nan) for key in shown[keys].itertuples(index=False, name=None)]
    columns = [shown[name].tolist() for name in ("reason", "n_programme", "n_nothing")]
    drawn = shown.assign(
        pair=shown["programme"] + ", shut out by " + shown["closed"],
        who=[f"{_reason(reason)} ({n:,} and {none:,})" for reason, n, none in zip(*columns, strict=True)],
        expected=np.where(shown["identified"] & adjusted, expected, np.nan),
        beside=np.where(shown["identified"], "", "no answer"),
        **{name: 100 * shown[name] for name in ("estimate", "conf_low", "conf_high")},
    )
    row = frame.iloc[0]
    return lines_of(drawn, "who", "pair"), {
        "axis": f"difference in risk against {result.nothing}, per 100 (below 0: fewer)",
        "digits": 1,
        "none": 0.0,
        "first": "adjusted",
        "second": "as it was" if adjusted else "",
        "said": f"{row['cause']} by {in_words(row['time'])}; in brackets people in the programme and in {result.nothing}; "
        f"{level_of(result.conf_level)}",
    }


def _reason(reason: str) -> str:
    return "all of them" if reason == ALL else reason.replace("_", " ")


QUESTION_LINES: Mapping[Any, Any] = {
    Populations: _populations,
    Programmes: _programmes,
    RollOut: _roll_out,
    StartersAndCompleters: _completers,
    ImmortalTime: _immortal,
    ShutOut: _shut_out,
}
