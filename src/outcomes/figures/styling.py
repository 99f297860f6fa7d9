"""The one style sheet: colours and lines of the arms, and the look of every figure.

Colours are the Government Analysis Function's for two and more groups. Two of them are the same grey and too pale for text, so
line style and marker carry the difference too, and every label is written in dark grey beside its line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

__all__ = ["COLOURS", "GREY", "INK", "LINES", "PALE", "RC", "arm_style", "percent", "shade", "signed", "style"]

INK = "#3D3D3D"
GREY = "#6F6F6F"
PALE = "#D9D9D9"
COLOURS = ("#12436D", "#F46A25", "#801650", "#28A197")
_SHADE = 0.13  # of a band, and of how many arms it may be
_BANDS = 3
LINES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.6)), (0, (7, 2, 1, 2)))

RC: Mapping[str, Any] = MappingProxyType(
    {
        "font.family": "DejaVu Sans",
        "font.size": 10.5,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": INK,
        "axes.titlesize": 12.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 14,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "grid.color": PALE,
        "grid.linewidth": 0.8,
        "xtick.color": INK,
        "ytick.color": INK,
        "ytick.left": False,
        "figure.facecolor": "white",
        "axes.facecolor": "white",
        "lines.linewidth": 2.2,
        "svg.hashsalt": "outcomes",
        "svg.fonttype": "path",
        "path.simplify": False,
    }
)


@contextmanager
def style() -> Iterator[None]:
    """Draw in the house style inside this block; nothing global stays changed."""
    import matplotlib as mpl

    machine = ("backend", "backend_fallback", "interactive", "toolbar", "timezone")
    plain = {key: value for key, value in mpl.rcParamsDefault.items() if key not in machine}
    changed: Any = {**plain, **RC}  # nothing of a user's own settings
    with mpl.rc_context(changed):
        yield


def arm_style(index: int) -> dict[str, Any]:
    """Return colour and line style of the arm at `index` (the reference is 0); after the fourth arm the two pair up anew."""
    shift = index // len(COLOURS)
    return {"color": COLOURS[index % len(COLOURS)], "linestyle": LINES[(index + shift) % len(LINES)]}


def shade(arms: int) -> float:
    """Return how dark the band of each of so many arms is: paler where many lie on each other."""
    return _SHADE * min(1.0, _BANDS / max(arms, 1))


def percent(share: float, _: Any = None) -> str:
    """Return a share as a reader says it: 0.25 as 25 %, 0.025 as 2.5 %."""
    return f"{round(100 * share, 2):g} %"


def signed(value: float, digits: int) -> str:
    """Return a number with a minus sign as printers write it, and no negative zero.

    Examples
    --------
    >>> signed(-1.26, 1), signed(-0.01, 1)
    ('−1.3', '0.0')
    """
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "−")
