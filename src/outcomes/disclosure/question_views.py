"""Answers to a study's questions as points with intervals: one line a population, programme, way of looking or step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.comparison.populations_result import Populations
from outcomes.comparison.programmes_result import Programmes
from outcomes.comparison.shut_out_result import ALL, ShutOut
from outcomes.disclosure.interval_lines import level_of, lines_of
from outcomes.durations import in_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["QUESTION_LINES"]


def _populations(result: Populations) -> tuple[pd.DataFrame, dict[str, Any]]:
    frame = result.frame
    raw = frame[frame["adjustment"] == "raw"].set_index(["whom", "arm", "reference"])["estimate"]
    adjusted = bool((frame["adjustment"] == "adjusted").any())
    shown = frame[frame["adjustment"] == ("adjusted" if adjusted else "raw")]
    keys = list(zip(shown["whom"], shown["arm"], shown["reference"], strict=True))
    drawn = shown.assign(
        pair=shown["arm"] + " against " + shown["reference"],
        expected=[
            100 * raw[key] if adjusted and found else np.nan
            for key, found in zip(keys, shown["identified"], strict=True)
        ],
        beside=np.where(shown["identified"], "", "no answer"),
        **{name: 100 * shown[name] for name in ("estimate", "conf_low", "conf_high")},
    )
    row = frame.iloc[0]
    return lines_of(drawn, "whom", "pair"), {
        "axis": "difference in risk, per 100 people (below 0: fewer)",
        "none": 0.0,
        "first": "adjusted",
        "second": "as it was" if adjusted else "",
        "said": f"{row['cause']} by {in_words(row['time'])}; {level_of(result.conf_level)}",
    }


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
        "none": 0.0,
        "first": "adjusted",
        "second": "as it was" if adjusted.any() else "",
        "said": f"{row['cause']} within {in_words(row['time'])} of {in_words(result.grace)} after release or sentence; "
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
    ShutOut: _shut_out,
}
