"""Answers to a study's questions as points with intervals: one line a population, programme, way of looking or step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.comparison.populations_result import Populations
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


QUESTION_LINES: Mapping[Any, Any] = {
    Populations: _populations,
}
