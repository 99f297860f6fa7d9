"""Effects with their intervals, one line each: everybody unadjusted and adjusted, then by subgroup."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.comparison.measures import DIFFERENCES, RATIOS
from outcomes.disclosure.releasing import Released
from outcomes.durations import in_words
from outcomes.errors import NotSupportedError
from outcomes.figures.fitting import fit_rows, headed, letters_of_a_label, number_ticks
from outcomes.figures.styling import COLOURS, GREY, INK, signed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["forest_data", "forest_in_words", "paint_forest", "size"]

_NAMES = {
    "risk_difference": "difference in risk per 100 people",
    "rmst_difference": "difference in mean {unit} free of events",
    "risk_ratio": "risk ratio",
    "odds_ratio": "odds ratio",
    "hazard_ratio": "hazard ratio",
    "rmst_ratio": "ratio of mean time free of events",
    "count_difference": "difference in mean events a person",
    "count_ratio": "ratio of mean events a person",
    "nnt": "people for one event fewer or more",
}
_OF_RISKS = ("risk_ratio", "odds_ratio", "hazard_ratio")
_FINE = (*RATIOS, "count_difference")  # two digits
_HEAD = 64.0  # points that go to the title and what is said under it
_COLUMNS = ("label", "adjustment", "level", "estimate", "conf_low", "conf_high", "n", "n_events")


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    return 9.6, 2.3 + 0.38 * max(len(forest_data(released)), 2)


def forest_data(released: Released) -> pd.DataFrame:
    """Return one row a line, from the top: label, adjustment, level, estimate, conf_low, conf_high, n, n_events.

    Differences in risk are per 100 people. Level is 0 for everybody, 1 for a subgroup's name (no numbers), 2 for its levels.
    """
    import pandas as pd

    frame, facts = released.frame, released.facts
    times = 100.0 if facts["measure"] == "risk_difference" else 1.0
    whole = frame[frame["subgroup"] == ""]
    varying = [name for name in ("arm", "time", "adjustment") if len(whole[name].unique()) > 1]
    rows: list[dict[str, Any]] = []
    group = ""
    for row in frame.to_dict("records"):
        if row["subgroup"] != group:
            group = row["subgroup"]
            rows.append({"label": group.replace("_", " "), "adjustment": "", "level": 1})
        label = str(row["level"]).replace("_", " ") if group else _everybody(row, facts, varying)
        values = {name: times * row[name] for name in ("estimate", "conf_low", "conf_high")}
        base = {"n": row["n"], "n_events": row["n_events"]}
        rows.append({"label": label, "adjustment": row["adjustment"], "level": 2 if group else 0, **values, **base})
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _everybody(row: Mapping[Any, Any], facts: Mapping[str, Any], varying: list[str]) -> str:
    """Return what tells one line of everybody from the others: arm, time, whether adjusted."""
    how = "unadjusted" if row["adjustment"] == "raw" else "adjusted"
    told = {
        "arm": str(row["arm"]),
        "time": f"by {in_words(row['time'], facts['unit'])}" if np.isfinite(row["time"]) else "",
    }
    said = " ".join(told[name] for name in varying if told.get(name))
    if not said:
        return f"everybody, {how}"
    return f"{said}, {how}" if "adjustment" in varying else said


def paint_forest(released: Released, axes: list[Axes]) -> None:
    """Draw one line an effect: a marker, its interval, and the numbers beside it.

    Raises
    ------
    NotSupportedError
        Numbers needed to treat: no effect lies at infinity, where no axis ends.
    """
    if released.facts["measure"] == "nnt":
        raise NotSupportedError(
            "plot: a number needed to treat has no effect at infinity, which no axis shows. Draw measure='risk_difference' and print this."
        )

    ax, frame, measure = axes[0], forest_data(released), released.facts["measure"]
    heights = -np.arange(len(frame), dtype=float)
    for height, row in zip(heights, frame.to_dict("records"), strict=True):
        if row["level"] != 1:
            _effect(ax, height, row, 2 if measure in _FINE else 1)
    none = 1.0 if measure in RATIOS else 0.0
    ax.axvline(none, color=INK, linewidth=1.2, zorder=1)
    margin = released.facts["margin"]
    if margin and measure in DIFFERENCES:
        ax.axvspan(-margin, margin, color="#EEEEEE", zorder=0, linewidth=0)
        said = f"shaded: differences within the margin of {margin:g}"
        ax.annotate(said, (0, 0), (0, -46), xycoords="axes fraction", textcoords="offset points", size=8.5, color=GREY)
    if measure in RATIOS:
        ax.set_xscale("log")
    letters = letters_of_a_label(ax)
    ax.set_yticks(heights, ["\n".join(textwrap.wrap(label, letters)) for label in frame["label"]])
    for tick, level in zip(ax.get_yticklabels(), frame["level"], strict=True):
        tick.set_fontweight("bold" if level == 1 else "normal")
    ax.set_ylim(-len(frame) + 0.4, 0.8)
    _sides(ax, released, none)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.set_xlabel(_NAMES[measure].format(unit=released.facts["unit"]), loc="left")
    fit_rows(ax, head=_HEAD)
    free = headed(ax, released.title, _what_is_compared(released), above=18.0)
    number_ticks(ax, free, log=measure in RATIOS)


def _effect(ax: Axes, height: float, row: Mapping[Any, Any], digits: int) -> None:
    adjusted = row["adjustment"] == "adjusted"
    colour = COLOURS[0] if adjusted else COLOURS[1]
    line = "-" if adjusted else (0, (5, 2))
    ax.plot([row["conf_low"], row["conf_high"]], [height, height], color=colour, linewidth=2.2, linestyle=line)
    ax.plot(
        row["estimate"], height, marker="o" if adjusted else "s", markersize=8, color=colour,
        markerfacecolor=colour if adjusted else "white", markeredgewidth=1.8, linestyle="none",
    )  # fmt: skip
    base = f"{int(row['n']):,} people, {int(row['n_events']):,} events" if np.isfinite(row["n"]) else ""
    for text, right in ((_numbers(row, digits), 12), (base, 138)):
        ax.annotate(
            text, (1, height), (right, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
            size=9.5, color=INK, annotation_clip=False, gid="beside",
        )  # fmt: skip


def _numbers(row: Mapping[Any, Any], digits: int) -> str:
    if not np.isfinite(row["estimate"]):
        return "no estimate"
    if not np.isfinite(row["conf_low"]):
        return f"{signed(row['estimate'], digits)} (no interval)"
    low, high = signed(row["conf_low"], digits), signed(row["conf_high"], digits)
    return f"{signed(row['estimate'], digits)} ({low} to {high})"


def _sides(ax: Axes, released: Released, none: float) -> None:
    """Say over the axis on which side which arm has more."""
    arms = released.frame["arm"].unique()
    arm = arms[0] if len(arms) == 1 else "the arm named"
    measure = released.facts["measure"]
    more, less = (
        ("longer", "shorter")
        if measure.startswith("rmst")
        else ("higher", "lower")
        if measure in _OF_RISKS
        else ("more", "fewer")
    )
    for text, side, shift in ((f"← {less} in {arm}", "right", -6), (f"{more} in {arm} →", "left", 6)):
        ax.annotate(
            text, (none, 1), (shift, 6), xycoords=("data", "axes fraction"), textcoords="offset points", ha=side, va="bottom",
            size=9.5, color=INK, annotation_clip=False,
        )  # fmt: skip


def _what_is_compared(released: Released) -> str:
    """Return whose events, by when, and which arms are contrasted."""
    frame = released.frame
    arms, others, times = (frame[name].dropna().unique() for name in ("arm", "reference", "time"))
    arm = arms[0] if len(arms) == 1 else "each arm"
    cause = str(frame["cause"].iloc[0]).replace("_", " ")
    when = f" by {in_words(times[0], released.facts['unit'])}" if len(times) == 1 else ""
    whole = frame.loc[frame["subgroup"] == "", "adjustment"].unique()
    how = (
        {("raw",): ", unadjusted", ("adjusted",): ", adjusted"}.get(tuple(whole), "")
        if len(arms) > 1 or len(times) > 1
        else ""
    )
    return f"{cause[:1].upper()}{cause[1:]}{when}: {arm} against {' or '.join(map(str, others))}{how}"


def forest_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    measure, parts, group = released.facts["measure"], [], ""
    for row in forest_data(released).to_dict("records"):
        if row["level"] == 1:
            group = f"{row['label']} "
        else:
            parts.append(f"{group}{row['label']}: {_numbers(row, 2 if measure in _FINE else 1)}")
    named = _NAMES[measure].format(unit=released.facts["unit"])
    return f"Forest plot of the {named}. {_what_is_compared(released)}. {'; '.join(parts)}."
