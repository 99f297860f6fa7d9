"""What every result shares: notes, provenance, tables, pictures, sentences; and the data class of weights."""

from __future__ import annotations

import html
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np
import numpy.typing as npt

from outcomes.errors import DisclosureError, NotSupportedError
from outcomes.overlapping_sets import OverlappingSets

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = [
    "KEYS",
    "Array",
    "IntArray",
    "Note",
    "Result",
    "Weights",
    "in_capitals",
    "p_in_words",
    "read_only",
    "sealed",
    "significant",
]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

KEYS = (
    "outcome", "population", "estimand", "scale", "adjustment", "subgroup", "level", "arm", "reference", "state", "distribution",
    "parameter", "term", "cause", "profile", "share", "time", "measure", "rho", "gamma", "quantity",
)  # fmt: skip
"""Columns of tidy tables that say what a row is, and are no estimate of it."""

_REPR_LINES = 12
_REPR_NOTES = 5  # of these lines at most; what a reader must know comes before the last rows of a table
_NOTHING = 1e-12  # rounding, shown as 0


@dataclass(frozen=True)
class Note:
    """Something a reader must know beside the number.

    Attributes
    ----------
    code : str
        Short stable name, such as ``"few_clusters"``.
    text : str
        One plain sentence, in counts.
    """

    code: str
    text: str


def read_only(values: npt.ArrayLike, dtype: Any = np.float64) -> npt.NDArray[Any]:
    """Return a read-only copy, so that what a frozen result holds stays what it was."""
    array: npt.NDArray[Any] = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


def sealed(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array that nobody else holds, itself made read-only."""
    values.flags.writeable = False
    return values


def in_capitals(estimand: str) -> str:
    """Return an estimand as a reader is told it.

    Examples
    --------
    >>> in_capitals("att"), in_capitals("matched_att")
    ('ATT', 'ATT of the matched')
    """
    whole, _, rest = estimand.partition("matched_")
    return f"{rest.upper()} of the matched" if rest else whole.upper()


def significant(value: float, digits: int = 6) -> float:
    """Return `value` rounded to significant digits: the one formatter of everything that is written.

    Examples
    --------
    >>> significant(0.123456789), significant(1234567.0)
    (0.123457, 1234570.0)
    """
    return float(f"{value:.{digits}g}") if np.isfinite(value) else float(value)


def p_in_words(p: float) -> str:
    """Return a p-value as a report says it.

    Examples
    --------
    >>> p_in_words(0.0312), p_in_words(1e-9), p_in_words(float("nan"))
    ('p = 0.031', 'p < 0.001', 'no p-value')
    """
    if np.isnan(p):
        return "no p-value"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


class Result:
    """Mixin of all results: a table, a picture, a sentence; shown well in a terminal and in Jupyter.

    A subclass is a frozen dataclass (``eq=False, repr=False, kw_only=True``) with `notes` and `provenance`, and defines
    `to_frame`, `summary` and `describe`. `drawing` names the function of `outcomes.figures` that draws it; `tabled` says that its
    frame and summary may be released as tables as they are.
    """

    drawing: ClassVar[str | None] = None
    tabled: ClassVar[bool] = False
    instead: ClassVar[str] = ""  # what can be drawn where the result itself cannot
    title: ClassVar[str] = "Result"
    notes: tuple[Note, ...]
    provenance: Mapping[str, Any]

    @property
    def heading(self) -> str:
        """What stands above the result where it is shown."""
        return self.title

    def to_frame(self) -> pd.DataFrame:
        """Return the whole result as a long, tidy frame."""
        raise NotImplementedError(f"{type(self).__name__}.to_frame")

    def summary(self) -> pd.DataFrame:
        """Return a short frame: one row per arm or term."""
        return self.to_frame()

    def describe(self) -> str:
        """Return the result in plain sentences, with units and n."""
        raise NotImplementedError(f"{type(self).__name__}.describe")

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the result on `ax` (a new figure where None) and return the Axes.

        A figure of your own without a layout is given matplotlib's constrained one.
        """
        if self.drawing is None:
            raise NotSupportedError(
                f"{type(self).__name__} has no picture; use .to_frame() or .summary(). {self.instead}".strip()
            )
        figures = importlib.import_module("outcomes.figures")
        return figures.draw(self.drawing, self, ax=ax)  # type: ignore[no-any-return]

    def __reduce__(self) -> NoReturn:
        raise DisclosureError(
            f"{type(self).__name__} holds person-level arrays and does not pickle; save .to_frame() or the report."
        )

    def __repr__(self) -> str:
        table = self.summary().to_string(index=False).splitlines()
        notes = _shortened([f"note: {note.text}" for note in self.notes], _REPR_NOTES, "notes (.notes)")
        return "\n".join([self.heading, *_shortened(table, _REPR_LINES - 1 - len(notes), "rows (.summary())"), *notes])

    def _repr_html_(self) -> str:
        table = html_table(self.summary(), caption=self.heading)
        notes = "".join(f"<li>{html.escape(note.text)}</li>" for note in self.notes)
        return f"<div><p>{html.escape(self.describe())}</p>{table}{f'<ul>{notes}</ul>' if notes else ''}</div>"


def _number(value: float) -> str:
    """Return a number as a table on a page shows it."""
    if value != value:
        return "–"
    if abs(value) < _NOTHING:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1e4 and np.isfinite(value) else f"{value:.4g}"


def _shortened(lines: list[str], most: int, what: str) -> list[str]:
    """Return at most so many lines, the last saying how many were left out."""
    return lines if len(lines) <= most else [*lines[: most - 1], f"… {len(lines) - most + 1} more {what}"]


def html_table(frame: pd.DataFrame, *, caption: str, rows: int = 15) -> str:
    """Return `frame` as a small HTML table with a caption and scoped headings, numbers to 4 significant digits."""

    def cell(value: Any) -> str:
        if isinstance(value, float):
            return _number(value)
        return html.escape(str(value))

    head = "".join(f'<th scope="col">{html.escape(str(name))}</th>' for name in frame.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{cell(value)}</td>" for value in row) + "</tr>"
        for row in frame.head(rows).itertuples(index=False)
    )
    more = f"<p>… {len(frame) - rows} more rows</p>" if len(frame) > rows else ""
    title = html.escape(caption)
    return f"<table><caption>{title}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Weights(Result):
    """One weight a person, with what is needed to carry the doubt of having estimated them.

    Attributes
    ----------
    values : ndarray, shape (P,)
        Weights in the order of ``data.baseline``; 0 for people who were trimmed.
    estimand : str
        ``"ate"``, ``"att"``, ``"atc"``, ``"ato"`` or ``"atm"``; with ``matched_`` before it where some of those asked about have no
        counterpart.
    arm : ndarray of int, shape (P,)
        Index into `arms`.
    arms : tuple of str
        The arms, the reference first.
    influence : ndarray, shape (P, K), or None
        Influence function of the K score parameters, one row a person; None where the weights are taken as known.
    gradient : ndarray, shape (P, K), or None
        Derivative of each person's weight by the score parameters.
    within : ndarray, shape (N,), or None
        What each row of the data weighs beside its person's weight, where weights change over time; taken as known.
    sets : ndarray of int, shape (P,), or None
        Matched set of each person, where nobody is in several; people in none have a number of their own. Those of a set are not
        independent.
    overlapping : OverlappingSets, or None
        Matched sets that share people, in place of `sets`: variances are by set and by person.
    """

    values: Array
    estimand: str
    arm: IntArray
    arms: tuple[str, ...]
    influence: Array | None = None
    gradient: Array | None = None
    within: Array | None = None
    sets: IntArray | None = None
    overlapping: OverlappingSets | None = None
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Weights"
    instead: ClassVar[str] = "Fitted weights draw what they do: .balance().plot() and .overlap().plot()."

    @property
    def effective_sample_size(self) -> dict[str, float]:
        """Kish's effective sample size by arm: (sum w)^2 / sum w^2."""
        sizes: dict[str, float] = {}
        for index, name in enumerate(self.arms):
            w = self.values[self.arm == index]
            sizes[name] = float(w.sum() ** 2 / (w**2).sum()) if (w > 0).any() else 0.0
        return sizes

    def summary(self) -> pd.DataFrame:
        """Return one row per arm: arm, estimand, n, effective_sample_size, sum_of_weights, largest_weight, n_trimmed."""
        import pandas as pd

        sizes = self.effective_sample_size
        rows = []
        for index, name in enumerate(self.arms):
            w = self.values[self.arm == index]
            rows.append(
                {
                    "arm": name,
                    "estimand": self.estimand,
                    "n": len(w),
                    "effective_sample_size": sizes[name],
                    "sum_of_weights": float(w.sum()),
                    "largest_weight": float(w.max()) if len(w) else float("nan"),
                    "n_trimmed": int((w == 0).sum()),
                }
            )
        return pd.DataFrame(rows)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per arm; the weights themselves are one value a person and stay in `values`."""
        return self.summary()

    def describe(self) -> str:
        """Return the estimand and the effective sample size in a sentence."""
        sizes = self.effective_sample_size
        counts = {name: int((self.arm == i).sum()) for i, name in enumerate(self.arms)}
        parts = ", ".join(f"{name}: {counts[name]:,} people count as {sizes[name]:,.0f}" for name in self.arms)
        return f"Weights for the estimand {in_capitals(self.estimand)}. {parts}."
