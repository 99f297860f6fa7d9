"""From a result, or what was released of it, to a picture: the registry of drawings and how they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from outcomes.disclosure.releasing import INTERNAL, Released, release
from outcomes.errors import DisclosureError, did_you_mean
from outcomes.figures import (
    caterpillar_plot,
    count_plot,
    curve_plot,
    fidelity_plot,
    flow_chart,
    forest_plot,
    imputed_plot,
    interval_plot,
    love_plot,
    overlap_plot,
    parametric_plot,
    path_plot,
    prediction_plot,
    sensitivity_plot,
    state_plot,
    tipping_plot,
    waterfall_plot,
)
from outcomes.figures.styling import GREY, style
from outcomes.results import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FIGURES", "Drawing", "draw", "figure_of", "style"]


_FOOT = 13.0  # points under a figure for what is marked there


def _one(figure: Figure, released: Released) -> list[Axes]:
    return [figure.add_subplot()]


@dataclass(frozen=True)
class Drawing:
    """One kind of figure.

    Attributes
    ----------
    kind : str
        The kind of released result it draws.
    size : callable
        Width and height in inches for a released result.
    data : callable
        The frame that is drawn, number for number.
    paint : callable
        Draws on Axes; does no arithmetic beyond placing labels.
    alternative : callable
        The figure in words, from the same frame.
    axes : callable
        Makes the Axes of a figure of its own.
    """

    kind: str
    size: Callable[[Released], tuple[float, float]]
    data: Callable[[Released], pd.DataFrame]
    paint: Callable[[Released, list[Axes]], None]
    alternative: Callable[[Released], str]
    axes: Callable[[Figure, Released], list[Axes]] = _one


_FLOW = (flow_chart.size, flow_chart.flow_data, flow_chart.paint_flow, flow_chart.flow_in_words)
_OVERLAP = (overlap_plot.size, overlap_plot.overlap_data, overlap_plot.paint_overlap, overlap_plot.overlap_in_words)
_LOVE = (love_plot.size, love_plot.love_data, love_plot.paint_love, love_plot.love_in_words)
_CURVES = (curve_plot.size, curve_plot.curve_data, curve_plot.paint_curves, curve_plot.curves_in_words)
_COUNTS = (count_plot.size, count_plot.count_data, count_plot.paint_counts, count_plot.counts_in_words)
_STATES = (state_plot.size, state_plot.state_data, state_plot.paint_states, state_plot.states_in_words)
_FOREST = (forest_plot.size, forest_plot.forest_data, forest_plot.paint_forest, forest_plot.forest_in_words)
_INTERVALS = (
    interval_plot.size,
    interval_plot.interval_data,
    interval_plot.paint_intervals,
    interval_plot.intervals_in_words,
)
_IMPUTED = (imputed_plot.size, imputed_plot.imputed_data, imputed_plot.paint_imputed, imputed_plot.imputed_in_words)
_PARAMETRIC = (
    parametric_plot.size,
    parametric_plot.parametric_data,
    parametric_plot.paint_parametric,
    parametric_plot.parametric_in_words,
)
_TIPPING = (tipping_plot.size, tipping_plot.tipping_data, tipping_plot.paint_tipping, tipping_plot.tipping_in_words)
_WATERFALL = (
    waterfall_plot.size,
    waterfall_plot.waterfall_data,
    waterfall_plot.paint_waterfall,
    waterfall_plot.waterfall_in_words,
)
_FIDELITY = (
    fidelity_plot.size,
    fidelity_plot.fidelity_data,
    fidelity_plot.paint_fidelity,
    fidelity_plot.fidelity_in_words,
)
_CATERPILLAR = (
    caterpillar_plot.size,
    caterpillar_plot.caterpillar_data,
    caterpillar_plot.paint_caterpillar,
    caterpillar_plot.caterpillar_in_words,
)
_DETECTION = (
    sensitivity_plot.size,
    sensitivity_plot.sensitivity_data,
    sensitivity_plot.paint_sensitivity,
    sensitivity_plot.sensitivity_in_words,
)
_PATHS = (path_plot.size, path_plot.path_data, path_plot.paint_paths, path_plot.paths_in_words)
_PREDICTIONS = (
    prediction_plot.size,
    prediction_plot.prediction_data,
    prediction_plot.paint_predictions,
    prediction_plot.predictions_in_words,
)

FIGURES: Mapping[str, Drawing] = MappingProxyType(
    {
        "flow": Drawing("flow", *_FLOW),
        "overlap": Drawing("overlap", *_OVERLAP, axes=overlap_plot.overlap_axes),
        "love_plot": Drawing("balance", *_LOVE),
        "kaplan_meier": Drawing("curves", *_CURVES),
        "cumulative_incidence": Drawing("curves", *_CURVES, axes=curve_plot.curve_axes),
        "mean_count": Drawing("counts", *_COUNTS),
        "state_probabilities": Drawing("states", *_STATES, axes=state_plot.state_axes),
        "predicted_curves": Drawing("predictions", *_PREDICTIONS),
        "tipping_points": Drawing("tipping", *_TIPPING),
        "forest": Drawing("effects", *_FOREST),
        "coefficient_paths": Drawing("paths", *_PATHS, axes=path_plot.path_axes),
        "intervals": Drawing("intervals", *_INTERVALS),
        "imputed": Drawing("imputed", *_IMPUTED, axes=imputed_plot.imputed_axes),
        "parametric": Drawing("parametric", *_PARAMETRIC),
        "waterfall": Drawing("waterfall", *_WATERFALL, axes=waterfall_plot.waterfall_axes),
        "fidelity": Drawing("fidelity", *_FIDELITY, axes=fidelity_plot.fidelity_axes),
        "detection": Drawing("detection", *_DETECTION),
        "caterpillar": Drawing("sites", *_CATERPILLAR, axes=caterpillar_plot.caterpillar_axes),
    }
)


def draw(name: str, result: Result | Released, *, ax: Axes | None = None, **facts: Any) -> Axes:
    """Draw a result on `ax` and return the Axes.

    Parameters
    ----------
    name : str
        A registered figure.
    result : Result or Released
        A result that was not released is drawn exactly and marked internal.
    ax : Axes, optional
        Where to draw; a figure without a layout is given matplotlib's constrained one, so that what is written beside an Axes has room.
        Default: a new figure, which for curves of several causes has one panel a cause; the first is returned.
    facts
        Passed to `release`: ``horizon=``.

    Raises
    ------
    DisclosureError
        There is no such figure, or it draws another kind of result.
    """
    drawing = _drawing(name)
    released = result if isinstance(result, Released) else release(result, INTERNAL, **facts)
    _check(name, drawing, released)
    if ax is not None:
        theirs: Any = ax.get_figure(root=True)
        if theirs.get_layout_engine() is None:
            theirs.set_layout_engine("constrained")
        with style():
            drawing.paint(released, [ax])
            _mark(theirs, released)
        return ax
    return max(figure_of(name, released, pyplot=True).axes, key=_area)


def figure_of(name: str, released: Released, *, pyplot: bool = False) -> Figure:
    """Return a figure of its own of something released.

    Parameters
    ----------
    name : str
        A registered figure.
    released : Released
    pyplot : bool
        Whether pyplot manages the figure, so that a notebook shows it.
    """
    from matplotlib.figure import Figure

    drawing = _drawing(name)
    _check(name, drawing, released)
    if pyplot:
        from matplotlib import pyplot as plt

        plt.draw_if_interactive()  # type: ignore[no-untyped-call] # loads the backend: loaded inside `style` a notebook's would be forgotten with the style
    with style():
        if pyplot:
            figure = plt.figure(figsize=drawing.size(released), layout="constrained")
        else:
            figure = Figure(figsize=drawing.size(released), layout="constrained")
        if _mark(figure, released):
            engine: Any = figure.get_layout_engine()
            foot = _FOOT / (72 * figure.get_figheight())
            engine.set(rect=(0, foot, 1, 1 - foot))
        drawing.paint(released, drawing.axes(figure, released))
    return figure


def _mark(figure: Any, released: Released) -> bool:
    """Write on a figure of exact numbers that it is one, and return whether it is."""
    internal = released.policy == INTERNAL.name
    if internal and not any(text.get_gid() == "internal" for text in figure.texts):
        figure.text(
            0.995,
            0.004,
            "exact numbers, not for release",
            ha="right",
            va="bottom",
            size=7.5,
            color=GREY,
            gid="internal",
        )
    return internal


def _area(ax: Axes) -> float:
    place = ax.get_position()
    return float(place.width * place.height)


def _drawing(name: str) -> Drawing:
    if name not in FIGURES:
        raise DisclosureError(f"There is no figure {name!r}. {did_you_mean(name, FIGURES)}")
    return FIGURES[name]


def _check(name: str, drawing: Drawing, released: Released) -> None:
    if drawing.kind != released.kind:
        raise DisclosureError(f"The figure {name!r} draws {drawing.kind}; what was released is {released.kind}.")
