"""What is placed once it is known how much room there is: lines of text, ticks, names at the ends of curves, rows of labels."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.figures.styling import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

__all__ = [
    "LETTERS", "Room", "end_labels", "fit_rows", "headed", "letters_of_a_label", "number_ticks", "room", "settle_ends",
    "spread", "thinned", "wrapped",
]  # fmt: skip

_WIDTH = 0.56  # of a letter, in its size
_LINE = 13.0  # points from line to line, under a title
_END = 9.5  # size of what stands at the end of a curve
_KEY = 26.0  # points of line beside a name
_TICK = 10.5
_SMALLEST, _ROW = 5.5, 1.4  # size of a label of a row, and its height in that size
_IN_LINES = 6.5  # size below which a label takes fewer lines instead
LETTERS, _FEWEST = 34, 14  # of a label on one line, and how few there may be
_SHARE = 0.32  # of the room of an Axes that may go to labels on its left
_PER_DECADE = (
    (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 7, 8, 9),
    (1, 1.5, 2, 3, 4, 5, 6, 8),
    (1, 2, 3, 5),
    (1, 2, 5),
    (1, 3),
    (1,),
)


@dataclass(frozen=True)
class Room:
    """Points that an Axes is wide and high, and from its left side to what stands on its right."""

    width: float
    height: float
    right: float


def room(ax: Axes, *, laid_out: bool = False, across: Sequence[Axes] = ()) -> Room:
    """Return how much room an Axes has when its figure is laid out as it stands; those `across` do not end it."""
    figure: Any = ax.get_figure(root=True)
    if not laid_out:
        figure.draw_without_rendering()
    box = ax.get_window_extent()
    beside = [
        found.x0
        for other in figure.axes
        if other is not ax
        and other not in across
        and _on_the_right(other.get_window_extent(), box)
        and (found := other.get_tightbbox()) is not None
    ]
    points = 72.0 / figure.dpi
    right = min([*beside, figure.bbox.x1])
    return Room(box.width * points, box.height * points, (right - box.x0) * points)


def _on_the_right(other: Any, box: Any) -> bool:
    return bool(other.x0 >= box.x1 and other.y1 > box.y0 and other.y0 < box.y1)


def wrapped(text: str, points: float, size: float, *, fewest: int = 24) -> str:
    """Return text in lines that are not wider than so many points.

    Examples
    --------
    >>> wrapped("one two three four five six seven", 150.0, 10.0)
    'one two three four five\\nsix seven'
    """
    return "\n".join(textwrap.wrap(text.replace(" %", "\u00a0%"), max(fewest, int(points / (_WIDTH * size)))))


def headed(ax: Axes, title: str, text: str, *, above: float = 0.0, across: Sequence[Axes] = ()) -> Room:
    """Write a title and under it what is drawn, in as many lines as it takes, `above` points over the Axes; return the room left.

    It may run over the Axes `across` on the right.
    """
    ax.set_title(title, pad=17.0 + _LINE + above)
    free = room(ax, across=across)
    said = wrapped(text, free.right - 4, 9.5)
    more = _LINE * said.count("\n")
    ax.set_title(wrapped(title, free.right, 1.2 * 12.5), pad=17.0 + _LINE + more + above)
    place: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
    written = ax.annotate(said, (0, 1), (0, 8 + above), va="bottom", size=9.5, color=INK, **place)
    written.set_in_layout(False)
    return Room(free.width, max(free.height - more, 1.0), free.right)


def spread(wanted: Sequence[float], gap: float, low: float, high: float = np.inf) -> list[float]:
    """Return heights at least `gap` apart between `low` and `high`, as near as may be to those wanted, in the same order.

    Where they are too many for that they end at `high`.

    Examples
    --------
    >>> spread([0.5, 0.5], 0.1, 0.0), spread([0.01, 0.02], 0.1, 0.05), spread([0.98, 0.99], 0.1, 0.0, 1.0)
    ([0.45, 0.55], [0.05, 0.15], [0.9, 1.0])
    """
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    placed = [wanted[i] for i in order]
    for _ in range(50):
        for k in range(1, len(placed)):
            short = max(gap - (placed[k] - placed[k - 1]), 0.0)
            placed[k - 1], placed[k] = placed[k - 1] - short / 2, placed[k] + short / 2
    placed[0] = max(placed[0], low)
    for k in range(1, len(placed)):
        placed[k] = max(placed[k], placed[k - 1] + gap)
    placed[-1] = min(placed[-1], high)
    for k in range(len(placed) - 1, 0, -1):
        placed[k - 1] = min(placed[k - 1], placed[k] - gap)
    return [round(placed[order.index(i)], 10) for i in range(len(wanted))]


def end_labels(
    ax: Axes, values: Sequence[float], said: Sequence[str], looks: Sequence[Mapping[str, Any]] = ()
) -> list[Annotation]:
    """Write what is said of each curve beside its end, in dark grey, after a piece of its line; `settle_ends` keeps them apart."""
    away = _KEY + 5 if looks else 8.0
    place: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"),
        "textcoords": "offset points",
        "annotation_clip": False,
    }
    return [
        ax.annotate(text, (1, value), (away, 0), va="center", size=_END, color=INK, **place)
        for value, text in zip(values, said, strict=True)
    ]


def settle_ends(ax: Axes, labels: Sequence[Annotation], free: Room, looks: Sequence[Mapping[str, Any]] = ()) -> None:
    """Move labels apart that would stand on each other in this room, and draw a piece of its line beside each."""
    from matplotlib.transforms import ScaledTranslation, blended_transform_factory

    bottom, top = ax.get_ylim()
    apart = min(1.3 * _END, max(free.height / len(labels), 1.2 * _SMALLEST))
    gap = apart * (top - bottom) / free.height
    heights = spread([label.xy[1] for label in labels], gap, bottom + gap / 2, top)
    beside = blended_transform_factory(ax.transAxes, ax.transData)
    for index, (label, height) in enumerate(zip(labels, heights, strict=True)):
        label.xy = (1.0, height)
        label.set_fontsize(min(_END, apart / 1.2))
        if not looks:
            continue
        look = dict(looks[index])
        marker = look.pop("marker", None)
        line: dict[str, Any] = {"arrowstyle": "-", "linewidth": 2.2, "shrinkA": 0, "shrinkB": 3, **look}
        place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
        ax.annotate("", (1, height), (_KEY, 0), arrowprops=line, annotation_clip=False, **place)
        if marker is not None:
            shift = ScaledTranslation((_KEY + 3) / 144, 0, ax.get_figure(root=True).dpi_scale_trans)  # type: ignore[union-attr]
            ax.plot(
                [1],
                [height],
                marker=marker,
                markersize=6,
                color=look["color"],
                transform=beside + shift,
                clip_on=False,
                gid="key",
            )


def thinned(count: int, width: float, letters: int, *, size: float = _TICK) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return which of so many evenly spaced labels can stand beside each other, the first always: every one, every second, ….

    Examples
    --------
    >>> thinned(6, 400.0, 9).tolist(), thinned(6, 150.0, 9).tolist(), thinned(6, 60.0, 9).tolist()
    ([0, 1, 2, 3, 4, 5], [0, 3], [0])
    """
    needed = (letters + 1.5) * _WIDTH * size
    step = 1 if count < 2 else max(1, int(np.ceil(needed / (width / (count - 1)))))
    kept = np.arange(0, count, step)
    return np.array([0, count - 1]) if len(kept) == 1 and count > 1 and width >= 2 * needed else kept


def number_ticks(ax: Axes, free: Room, *, log: bool) -> None:
    """Mark as many round numbers along the horizontal axis as can be read; ratios at numbers people think in."""
    from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

    low, high = ax.get_xlim()
    ticks: Any = np.array([low])
    for most in range(8, 1, -1):
        ticks = _round_ratios(low, high, most) if log else MaxNLocator(most - 1).tick_values(low, high)
        ticks = ticks[(ticks >= low - 1e-12) & (ticks <= high + 1e-12)]
        if len(ticks) < 2 or _fits(ticks, _said(ticks), low, high, free.width, log=log):
            break
    ax.xaxis.set_major_locator(FixedLocator(list(ticks)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(ticks, _said(ticks))


def _round_ratios(low: float, high: float, most: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return at most so many round numbers between two, evenly spread over their logarithm as may be."""
    from matplotlib.ticker import MaxNLocator

    decades = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for parts in _PER_DECADE:
        ticks = np.unique(np.round(np.outer(10.0**decades, parts).ravel(), 12))
        ticks = ticks[(ticks >= low) & (ticks <= high)]
        if 3 <= len(ticks) <= most:
            return ticks
    if len(decades) > 3:
        every = int(np.ceil(len(decades) / most))
        return np.asarray(10.0 ** decades[(decades % every) == 0])
    found = np.asarray(MaxNLocator(most, steps=[1, 2, 5, 10]).tick_values(low, high))
    return found[found > 0]


def _said(ticks: Any) -> list[str]:
    return [f"{round(value, 10) + 0.0:g}".replace("-", "\u2212") for value in ticks]


def _fits(ticks: Any, said: list[str], low: float, high: float, width: float, *, log: bool) -> bool:
    scale = np.log if log else np.asarray
    at = (scale(ticks) - scale(low)) / (scale(high) - scale(low)) * width
    half = np.array([len(text) * _WIDTH * _TICK / 2 for text in said])
    return bool((np.diff(at) >= half[1:] + half[:-1] + 6).all())


def letters_of_a_label(ax: Axes) -> int:
    """Return how many letters of a label go on one line: fewer where an Axes shares its figure with others."""
    figure: Any = ax.get_figure(root=True)
    place = ax.get_subplotspec()
    share = ax.get_position().width if place is None else len(place.colspan) / place.get_gridspec().ncols
    return int(np.clip(_SHARE * 72 * figure.get_figwidth() * share / (_WIDTH * _TICK), _FEWEST, LETTERS))


def fit_rows(ax: Axes, *, head: float) -> None:
    """Write the labels of rows, and what stands beside them, no larger than the rows are when `head` points go to the title."""
    bottom, top = ax.get_ylim()
    row = max(room(ax).height - head, 1.0) / abs(top - bottom)
    most = max(1, int(row / (_ROW * _IN_LINES)))
    ticks = ax.get_yticks()
    labels = [_in_lines(text.get_text(), most) for text in ax.get_yticklabels()]
    bold = [text.get_fontweight() for text in ax.get_yticklabels()]
    ax.set_yticks(ticks, labels)
    for text, weight in zip(ax.get_yticklabels(), bold, strict=True):
        text.set_fontweight(weight)
    for text in (*ax.get_yticklabels(), *(t for t in ax.texts if t.get_gid() == "beside")):
        lines = text.get_text().count("\n") + 1
        text.set_fontsize(max(_SMALLEST, min(float(text.get_fontsize()), row / (_ROW * lines))))


def _in_lines(text: str, most: int) -> str:
    """Return a label in no more than so many lines."""
    if text.count("\n") < most:
        return text
    words = text.replace("\n", " ")
    return next(
        said
        for letters in range(max(1, len(words) // most), len(words) + 1)
        if (said := "\n".join(textwrap.wrap(words, letters))).count("\n") < most
    )
