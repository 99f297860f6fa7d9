"""Mean number of events a person over time, with numbers at risk and events so far under the axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.disclosure.releasing import Released
from outcomes.durations import in_words
from outcomes.figures.curve_plot import counts_under, named_under, names_too_long, time_axis, time_ticks, weighted_how
from outcomes.figures.curve_plot import size as curve_size
from outcomes.figures.fitting import end_labels, headed, settle_ends
from outcomes.figures.styling import arm_style, shade

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["count_data", "counts_in_words", "paint_counts", "size"]

_ROUND = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    return curve_size(released)


def count_data(released: Released) -> pd.DataFrame:
    """Return the steps that are drawn: arm, cause, time, estimate, conf_low, conf_high."""
    return released.frame[["arm", "cause", "time", "estimate", "conf_low", "conf_high"]]


def paint_counts(released: Released, axes: list[Axes]) -> None:
    """Draw the mean counts of the arms on the first Axes."""
    ax, frame = axes[0], count_data(released)
    top = _top(frame)
    for index, arm in enumerate(released.facts["arms"]):
        mine, look = frame[frame["arm"] == arm], arm_style(index)
        ax.step(mine["time"], mine["estimate"], where="post", label=arm, **look)
        ax.fill_between(
            mine["time"], mine["conf_low"], mine["conf_high"], step="post", color=look["color"], linewidth=0,
            alpha=shade(len(released.facts["arms"])),
        )  # fmt: skip
    ax.set_ylim(0, top)
    ax.set_ylabel("events a person")
    time_axis(ax, released, small=False)
    arms, short = released.facts["arms"], names_too_long(ax, released)
    last = [float(frame.loc[frame["arm"] == arm, "estimate"].iloc[-1]) for arm in arms]
    said = [f"{'' if short else f'{arm} '}{value:.2f}" for arm, value in zip(arms, last, strict=True)]
    looks = [arm_style(index) for index in range(len(arms))]
    labels = end_labels(ax, last, said, looks)
    named_under(ax, released, keyed=short)
    free = headed(ax, released.title, _what_is_drawn(released))
    counts_under(ax, released, released.facts["causes"][0], free)
    settle_ends(ax, labels, free, looks)
    time_ticks(ax, released, free)


def _top(frame: pd.DataFrame) -> float:
    """Return a round number above all that is drawn."""
    highest = float(np.nanmax(frame[["estimate", "conf_high"]].to_numpy()))
    if highest <= 0:
        return 1.0
    unit = 10.0 ** np.floor(np.log10(highest))
    return float(next(part * unit for part in _ROUND if highest <= part * unit))


def _what_is_drawn(released: Released) -> str:
    facts = released.facts
    outcome = facts["causes"][0].replace("_", " ")
    event = (
        f"{outcome} reoffences proven within {facts['proven_within']}"
        if facts["proven_within"]
        else f"events '{outcome}'"
    )
    present = " while present" if facts["while_present"] else ""
    level = f"bands: {100 * facts['conf_level']:g} % intervals"
    return f"Estimated mean number of {event} a person{present}, {weighted_how(released)}; {level}"


def counts_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    facts, frame = released.facts, count_data(released)
    end = frame[frame["time"] == frame["time"].max()]
    when = in_words(facts["horizon"]) if facts["unit"] == "days" else f"{facts['horizon']:g} {facts['unit']}"
    level = f"{100 * facts['conf_level']:g} % interval"
    parts = [
        f"{row['arm']}: {row['estimate']:.2f} ({level} {row['conf_low']:.2f} to {row['conf_high']:.2f})"
        for row in end.to_dict("records")
    ]
    return f"Step curves over {when}, by arm. {_what_is_drawn(released)}. By the end: {'; '.join(parts)}."
