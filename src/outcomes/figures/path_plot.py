"""Coefficients over time, one panel a term: whether an effect stays what a model says it is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from outcomes.disclosure.releasing import Released
from outcomes.figures.fitting import headed, room, wrapped
from outcomes.figures.styling import COLOURS, GREY, INK
from outcomes.results import p_in_words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["paint_paths", "path_axes", "path_data", "paths_in_words", "size"]

_ACROSS = 3


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    return 9.0, 0.9 + 2.3 * math.ceil(len(_terms(released)) / _ACROSS)


def path_axes(figure: Figure, released: Released) -> list[Axes]:
    """Return an Axes a term, three in a row."""
    terms = len(_terms(released))
    down = math.ceil(terms / _ACROSS)
    return [figure.add_subplot(down, min(terms, _ACROSS), place + 1) for place in range(terms)]


def path_data(released: Released) -> pd.DataFrame:
    """Return what is drawn: term, time, estimate, conf_low, conf_high."""
    return released.frame


def _terms(released: Released) -> list[str]:
    return list(dict.fromkeys(released.frame["term"]))


def paint_paths(released: Released, axes: list[Axes]) -> None:
    """Draw each term's path with its band, the constant the model fitted (dashed) and no effect (line at 0)."""
    frame, constant = path_data(released), released.frames["constant"].set_index("term")["estimate"]
    tests = released.frames["table"].set_index("term")["p_value"]
    said: list[str] = []
    for ax, term in zip(axes, _terms(released), strict=False):
        mine = frame[frame["term"] == term]
        ax.fill_between(mine["time"], mine["conf_low"], mine["conf_high"], color=COLOURS[0], alpha=0.13, linewidth=0)
        ax.plot(mine["time"], mine["estimate"], color=COLOURS[0])
        ax.axhline(0.0, color=INK, linewidth=1.0)
        ax.axhline(float(constant[term]), color=COLOURS[1], linewidth=1.6, linestyle=(0, (5, 2)))
        owner = term if term in tests else next((name for name in tests.index if term.startswith(str(name))), None)
        said.append(term if owner is None else f"{term} ({p_in_words(tests[owner])})")
        ax.margins(x=0)
    axes[0].set_ylabel("log hazard ratio")
    for ax in axes[-_ACROSS:]:
        ax.set_xlabel(f"{released.facts['unit']} since time zero", loc="left")
    _above(released, axes, said)


def _above(released: Released, axes: list[Axes], said: list[str]) -> None:
    drawn = f"Solid: smoothed over time, with {100 * released.facts['conf_level']:g} % limits. Dashed: the constant of the model."
    figure = axes[0].get_figure(root=True)
    if figure is None or len(axes) < len(_terms(released)) or len(figure.axes) != len(axes):
        count = len(_terms(released))  # the rest of the figure is somebody else's
        headed(axes[0], released.title, f"{said[0]}{f', the first of {count} terms' if count > 1 else ''}. {drawn}")
        return
    for ax in axes:
        ax.set_title("p", size=9.5, weight="normal", pad=6)
    for index, (ax, text) in enumerate(zip(axes, said, strict=True)):
        ax.set_title(
            wrapped(text, room(ax, laid_out=index > 0).width, 9.5, fewest=12), size=9.5, weight="normal", pad=6
        )
    figure.suptitle(released.title, x=0.01, ha="left", weight="bold", size=12.5)
    figure.supxlabel(drawn, x=0.01, ha="left", size=9, color=GREY)


def paths_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    frame, constant = path_data(released), released.frames["constant"].set_index("term")["estimate"]
    parts = []
    for term in _terms(released):
        mine = frame[frame["term"] == term]
        parts.append(
            f"{term}: {mine['estimate'].iloc[0]:.2f} at first, {mine['estimate'].iloc[-1]:.2f} at last, {constant[term]:.2f} in the model"
        )
    return f"Log hazard ratios for {released.facts['cause']} smoothed over time, a panel a term. {'; '.join(parts)}. {released.text}"
