"""Lines of a picture of points with intervals: what each has, and how its level is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.comparison.sentences import runs_away

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["level_of", "lines_of", "within_bounds"]


def lines_of(frame: pd.DataFrame, label: str, group: str | None = None) -> pd.DataFrame:
    """Return the lines of a frame with estimate and limits; missing columns are empty."""
    import pandas as pd

    limits = {name: frame.get(name, np.nan) for name in ("conf_low", "conf_high")}
    found = pd.DataFrame(
        {
            "group": "" if group is None else frame[group].astype(str),
            "label": frame[label].astype(str),
            "estimate": frame["estimate"],
            **limits,
            "expected": frame.get("expected", np.nan),
            "beside": frame.get("beside", ""),
        }
    )
    groups = list(dict.fromkeys(found["group"]))  # those of a group together, in the order they come
    return found.sort_values("group", key=lambda names: names.map(groups.index), kind="stable", ignore_index=True)


def within_bounds(frame: pd.DataFrame) -> pd.DataFrame:
    """Return lines of ratios, without the numbers of those that have left all bounds."""
    away = np.array([runs_away(row) for row in frame.to_dict("records")], dtype=bool)
    numbers = {name: frame[name].mask(away) for name in ("estimate", "conf_low", "conf_high")}
    return frame.assign(**numbers, beside=frame["beside"].mask(away, "no number"))


def level_of(conf_level: float) -> str:
    """Return what the intervals are, in words."""
    return f"{100 * conf_level:g} % intervals"
