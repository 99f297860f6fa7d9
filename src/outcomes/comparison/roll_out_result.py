"""What changed when one programme replaced the other, area by area: year by year, overall, and whether it had begun before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

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
        return cls(frame=pd.concat([before, frame[~last], frame[last]], ignore_index=True), **rest)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a year, and one of all years after the change together.

        Columns: when (before, after, overall), year (whole years since the new programme opened in the area), estimate, std_error,
        statistic, df, p_value, conf_low, conf_high, n, verdict. Differences in risk, new minus old; those before the change are against
        earlier years.
        """
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return when, year, n, estimate, conf_low, conf_high, verdict."""
        return self.frame[["when", "year", "n", "estimate", "conf_low", "conf_high", "verdict"]].copy()

    @property
    def sentences(self) -> tuple[str, ...]:
        """The difference over all years after the change, and what the years before it say of its foundation."""
        row = self.frame[self.frame["when"] == "overall"].iloc[0]
        points = 100 * row[["estimate", "conf_low", "conf_high"]].astype(float)
        way = "fewer" if points["estimate"] < 0 else "more"
        first = (
            f"In {self.areas:,} areas {self.new} replaced {self.old}, not everywhere at once. By {in_words(self.horizon)} "
            f"{abs(points['estimate']):.1f} {way} of 100 people ({100 * self.conf_level:g} % interval {_more(points['conf_low'])} to "
            f"{_more(points['conf_high'])}) had the event '{self.outcome}' under the regime that offers {self.new} than areas and years "
            f"without it would lead one to expect ({int(row['n']):,} people under it). Verdict: {row['verdict']}."
        )
        return (first, self._before_in_words())

    def _before_in_words(self) -> str:
        p = self.test[1]
        if not np.isfinite(p):
            return (
                "There are too few areas, or years before the change, to see whether areas were on their way already."
            )
        if p < 0.05:
            return (
                f"Before the change areas differed already from what areas and years have in common ({p_in_words(p)}): the difference "
                "above cannot be put down to the programme."
            )
        return (
            f"The years before the change give no sign that areas were on their way already ({p_in_words(p)}), which does not show that "
            "they were not."
        )

    def describe(self) -> str:
        """Return the sentences together."""
        return " ".join(self.sentences)


def _more(points: float) -> str:
    return f"{abs(points):.1f} {'fewer' if points < 0 else 'more'}"
