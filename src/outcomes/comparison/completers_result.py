"""Starters with completers beside: one table, drop-out by arm, and sentences that never give completers alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from outcomes.comparison.answers import whole_counts
from outcomes.comparison.comparing import COLUMNS
from outcomes.comparison.sentences import in_short, sentence
from outcomes.results import Note, Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ENDS", "StartersAndCompleters"]

ENDS = ("completed", "dropped_out", "ended", "ongoing")
"""Completed; dropped out or removed; ended with the order, on recall or by transfer; not ended yet."""

_SELECTION = (
    "Completers are classed by how their courses went, which nobody knew when they began: they differ from drop-outs before any programme "
    "does anything, and courses that run after time zero are completed only by those who are neither recalled nor taken into custody "
    "meanwhile. Their rows are selection mixed with effect, and determine no effect."
)
_SAID = {"completed": "completed", "dropped_out": "dropped out or were removed",
         "ended": "had it end with the order, on recall or by transfer", "ongoing": "still attend"}  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class StartersAndCompleters(Result):
    """The study's comparison of starters, and beside it that of people who completed.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `to_frame` gives it, with ``value_reference`` and ``value_arm`` (the risk in each group) beside.
    ends : pandas.DataFrame
        As `drop_out` gives it.
    conf_level : float
    margin : float or None
        In percentage points.
    """

    frame: pd.DataFrame
    ends: pd.DataFrame
    labels: Mapping[str, str]
    conf_level: float
    margin: float | None
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "intervals"
    title: ClassVar[str] = "Starters, and completers beside them"

    @classmethod
    def build(cls, rows: list[dict[str, Any]], *, named: bool, notes: tuple[Note, ...], **rest: Any) -> Self:
        """Return the result of finished rows; those classed by how courses went keep no test and no verdict."""
        import pandas as pd

        frame = pd.DataFrame(rows).drop(columns=["p_holm", "p_bh"], errors="ignore")
        like = frame.iloc[0]
        for name in ("outcome", "population", "scale", "cause", "time", "measure"):
            frame[name] = like[name]
        frame["would_say"] = frame["verdict"]
        frame.loc[frame["selected"], ["statistic", "p_value"]] = np.nan
        frame.loc[frame["selected"], "verdict"] = "not determined"
        best = ~frame.duplicated(["people", "against", "arm", "reference"], keep="last")
        first = frame["arm"] == like["arm"]
        frame["named"] = named & best & first & ~frame["selected"]
        return cls(frame=frame, notes=(Note("selection", _SELECTION), *notes), **rest)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a contrast and adjustment, starters first.

        Columns: people and against (starters, completers, non-starters: who of the arm, and of the reference), selected (classed by how
        courses went: not an effect), named (in advance), adjustment, those of `compare`, would_say (what the interval would say if it
        were one of an effect), why (there is no number).
        """
        return self.frame[["people", "against", "selected", "named", "adjustment", *COLUMNS, "would_say", "why"]].copy()

    def summary(self) -> pd.DataFrame:
        """Return people, against, arm, reference, adjustment, n, estimate, conf_low, conf_high, verdict, would_say."""
        names = [
            "people",
            "against",
            "arm",
            "reference",
            "adjustment",
            "n",
            "estimate",
            "conf_low",
            "conf_high",
            "verdict",
            "would_say",
        ]
        return self.frame[names].copy()

    def drop_out(self) -> pd.DataFrame:
        """Return how the courses of starters ended, whenever that was: arm, end, n, share.

        Ends: completed, dropped_out (or removed), ended (with the order, on recall, by transfer), ongoing.
        """
        return self.ends.copy()

    @property
    def sentences(self) -> tuple[str, ...]:
        """Starters first, then completers for what they are, then drop-out by arm, in plain sentences."""
        best = self.frame[~self.frame.duplicated(["people", "against", "arm", "reference"], keep="last")]
        parts = []
        for row in map(whole_counts, best.to_dict("records")):
            lead = f"{row['people'][:1].upper()}{row['people'][1:]} of {row['arm']} against {row['against']} of {row['reference']}"
            if row["why"]:
                parts.append(f"{lead}: no answer; {row['why'].rstrip('.')}.")
            elif row["selected"]:
                parts.append(f"{lead} (selection, not effect): {in_short(row, self.conf_level, designed=False)}")
            else:
                parts.append(f"{lead}: {sentence(row, self.labels, self.conf_level, None, self.margin)}")
        selected = (_SELECTION,) if (best["selected"] & (best["why"] == "")).any() else ()
        return (*parts, *selected, self._how_courses_ended())

    def describe(self) -> str:
        """Return the sentences together."""
        return " ".join(self.sentences)

    def _how_courses_ended(self) -> str:
        parts = []
        for arm, frame in self.ends.groupby("arm", sort=False):
            said = ", ".join(
                f"{row['n']:,} ({100 * row['share']:.0f} %) {_SAID[row['end']]}"
                for row in frame.to_dict("records")
                if row["n"]
            )
            parts.append(f"of {int(frame['n'].sum()):,} starters of {arm} {said}")
        text = "; ".join(parts)
        return f"{text[:1].upper()}{text[1:]}."
