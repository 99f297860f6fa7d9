"""What changed when one programme replaced the other, area by area: year by year, overall, and whether it had begun before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from outcomes.comparison.planning import plan_of
from outcomes.durations import in_words
from outcomes.results import Note, Result, p_in_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RollOut"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class RollOut(Result):
    """Difference in differences of a staggered replacement.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `to_frame` gives it.
    test : tuple of float
        Statistic and p-value of the test that no year before the change differs; missing where there are too few.
    new, old : str
        The programme that came, and the one it replaced.
    areas : int
        Areas that changed and have a counterpart.
    """

    frame: pd.DataFrame
    test: tuple[float, float]
    new: str
    old: str
    areas: int
    outcome: str
    horizon: float
    conf_level: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "intervals"
    title: ClassVar[str] = "One programme replaced by the other, area by area"

    @classmethod
    def build(cls, frame: pd.DataFrame, before: pd.DataFrame, **rest: Any) -> Self:
        """Return the result: years before the change, then those after it, then all of these together."""
        import pandas as pd

        last = frame["when"] == "overall"
        found = pd.concat([before, frame[~last], frame[last]], ignore_index=True)
        found.insert(2, "arm", rest["new"])
        found.insert(3, "reference", rest["old"])
        return cls(frame=found, **rest)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a year, and one of all years after the change together.

        Columns: when (before, after, overall), year (whole years since the new programme opened in the area), arm (the new programme),
        reference (the old), estimate, std_error, statistic, df, p_value, conf_low, conf_high, n, verdict. Differences in risk, new minus
        old whatever the study's reference is; those before the change are against earlier years.
        """
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return when, year, n, estimate, conf_low, conf_high, verdict."""
        return self.frame[["when", "year", "n", "estimate", "conf_low", "conf_high", "verdict"]].copy()

    @property
    def sentences(self) -> tuple[str, ...]:
        """The difference over all years after the change, and what the years before it say of its foundation."""
        row: Mapping[Any, Any] = self.frame[self.frame["when"] == "overall"].iloc[0].to_dict()
        first = (
            f"In {self.areas:,} {'area' if self.areas == 1 else 'areas'} {self.new} replaced {self.old}, not everywhere at once. By "
            f"{in_words(self.horizon)} {_more(row['estimate'])} of 100 people ({self._limits(row)}) had the event '{self.outcome}' under "
            f"the regime that offers {self.new} than areas and years without it would lead one to expect ({int(row['n']):,} people under "
            f"it). {self._verdict(row)}"
        )
        return (first, self._before_in_words())

    def _limits(self, row: Mapping[Any, Any]) -> str:
        if not np.isfinite(row["conf_low"]):
            return "no interval can be given"
        return f"{100 * self.conf_level:g} % interval {_more(row['conf_low'])} to {_more(row['conf_high'])}"

    def _verdict(self, row: Mapping[Any, Any]) -> str:
        least = plan_of(row, self.conf_level)["detectable"]
        if row["verdict"] != "not determined" or not least > 0:
            return f"Verdict: {row['verdict']}."
        return f"Verdict: not determined. This design could have found a difference of {least:.1f} per 100 or more with 80 % power."

    def _before_in_words(self) -> str:
        p = self.test[1]
        if not np.isfinite(p):
            return (
                "There are too few areas, or years before the change, to see whether areas were on their way already."
            )
        before = self.frame[self.frame["when"] == "before"]
        each = ", ".join(
            f"{_more(row['estimate'])} {abs(row['year']):g} {'year' if abs(row['year']) == 1 else 'years'} before"
            for row in before.to_dict("records")
        )
        if p < 1 - self.conf_level:
            return (
                f"Before the change areas differed already from what areas and years have in common ({each}; {p_in_words(p)}): the "
                "difference above cannot be put down to the programme."
            )
        return (
            f"The years before the change give no sign beyond chance that areas were on their way already ({each}; {p_in_words(p)}), "
            "which does not show that they were not."
        )

    def describe(self) -> str:
        """Return the sentences together."""
        return " ".join(self.sentences)


def _more(difference: float) -> str:
    return f"{100 * abs(difference):.1f} {'fewer' if difference < 0 else 'more'}"
