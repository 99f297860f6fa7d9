"""What a part of a course goes with as points with intervals: hazard ratios by analysis, the absolute difference said beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.comparison.course_effect import CourseEffect
from outcomes.disclosure.interval_lines import level_of, lines_of, within_bounds
from outcomes.durations import in_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COURSE_LINES"]

_GROUPS = {"time_varying": "exposure that changes with time", "landmark": "from the landmark on"}


def _effects(result: CourseEffect) -> tuple[pd.DataFrame, dict[str, Any]]:
    answers = result.answers()
    ratios = answers[answers["measure"] == "hazard_ratio"]
    keys = ["analysis", "arm", "reference"]
    raw = result.frame[(result.frame["measure"] == "hazard_ratio") & (result.frame["adjustment"] == "raw")]
    found = raw.set_index(keys)["estimate"]
    adjusted = (ratios["adjustment"] == "adjusted").to_numpy()
    drawn = ratios.assign(
        group=ratios["analysis"].map(_GROUPS),
        label=[_contrast(row) for row in ratios.to_dict("records")],
        expected=[
            found.get(key, np.nan) if other else np.nan
            for key, other in zip(ratios[keys].itertuples(index=False, name=None), adjusted, strict=True)
        ],
        beside=np.where(ratios["why"] == "", "", "no answer"),
    )
    return lines_of(within_bounds(drawn), "label", "group"), {
        "axis": "hazard ratio (below 1: later)",
        "none": 1.0,
        "log": True,
        "first": "adjusted",
        "second": "as it was" if adjusted.any() else "",
        "said": f"Outcome: {result.labels['outcome']}{_absolute(answers)}; {level_of(result.conf_level)}",
    }


def _contrast(row: Mapping[Any, Any]) -> str:
    return f"{row['arm']} against {row['reference']}".replace("_", " ")


def _absolute(answers: pd.DataFrame) -> str:
    """Return the risk difference in words, where there is one."""
    rows = answers[(answers["measure"] == "risk_difference") & (answers["why"] == "")].to_dict("records")
    if not rows:
        return ""
    row = rows[0]
    limits = ""
    if np.isfinite(row["conf_low"]):
        limits = f" ({_more(row['conf_low'])} to {_more(row['conf_high'])})"
    return (
        f"; within {in_words(row['time'])} of the landmark {_more(row['estimate'])} of 100 people in {row['arm']} than in "
        f"{row['reference']}{limits}"
    )


def _more(difference: float) -> str:
    return f"{abs(100 * difference):.1f} {'fewer' if difference < 0 else 'more'}"


COURSE_LINES: Mapping[Any, Any] = {CourseEffect: _effects}
