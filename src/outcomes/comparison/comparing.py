"""The result of a comparison: its table, its verdict, its sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.comparison.evalue import EValue, e_value
from outcomes.durations import in_words
from outcomes.errors import EstimationError
from outcomes.results import Array, Note, Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison"]

_NONE = {"risk_ratio": 1.0, "odds_ratio": 1.0, "rmst_ratio": 1.0, "hazard_ratio": 1.0}
_WORDS = {
    "risk_ratio": "Risk ratio",
    "odds_ratio": "Odds ratio",
    "rmst_ratio": "Ratio of event-free time",
    "hazard_ratio": "Hazard ratio",
    "nnt": "Number of people for one fewer (or one more) event",
}
_POWER = 1.959963984540054 + 0.8416212335729143  # two-sided 5 %, power 80 %


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Comparison(Result):
    """Contrasts of arms with the reference, with verdict and sentence.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `to_frame` gives it, with ``risk_reference`` and ``risk_arm`` beside.
    """

    frame: pd.DataFrame
    measure: str
    conf_level: float
    margin: float | None
    variance: str
    unit: str
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "forest"
    title: ClassVar[str] = "Comparison"

    @classmethod
    def build(
        cls,
        rows: list[dict[str, Any]],
        *,
        measure: str,
        conf_level: float,
        margin: float | None,
        variance: str,
        unit: str,
        notes: tuple[Note, ...],
    ) -> Comparison:
        """Return the comparison of finished rows: adds verdicts and, where there are several rows, adjusted p-values."""
        import pandas as pd

        limit = None if margin is None else margin / 100 if measure == "risk_difference" else margin
        frame = pd.DataFrame([{**row, "verdict": _verdict(row, measure, limit)} for row in rows])
        if len(frame) > 1:
            p = frame["p_value"].to_numpy(dtype=np.float64)
            frame["p_holm"], frame["p_bh"] = _holm(p), _benjamini_hochberg(p)
        return cls(
            frame=frame,
            measure=measure,
            conf_level=conf_level,
            margin=margin,
            variance=variance,
            unit=unit,
            notes=tuple(dict.fromkeys(notes)),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row an arm and time, columns as `compare` says."""
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return arm, reference, time, measure, estimate, conf_low, conf_high, p_value, verdict."""
        names = ["arm", "reference", "time", "measure", "estimate", "conf_low", "conf_high", "p_value", "verdict"]
        return self.frame[names].copy()

    @property
    def detectable(self) -> Array:
        """Difference (log ratio for ratios) this design could have found with 80 % power at 5 %, by row."""
        return np.asarray(_POWER * self.frame["std_error"].to_numpy(dtype=np.float64))

    def e_value(self) -> list[EValue]:
        """Return the E-value of each row; for risk ratios.

        Raises
        ------
        EstimationError
            The measure is not a risk ratio.
        """
        if self.measure != "risk_ratio":
            raise EstimationError("e_value: ask it of a risk ratio, compare(..., measure='risk_ratio').")
        return [e_value(r["estimate"], r["conf_low"], r["conf_high"]) for r in self.frame.to_dict("records")]

    def describe(self) -> str:
        """Return each contrast in plain sentences: absolute first, with people, events, interval, population, estimand."""
        return " ".join(self._sentence(row, index) for index, row in enumerate(self.frame.to_dict("records")))

    def _sentence(self, row: Mapping[Any, Any], index: int) -> str:
        who = f"({row['n']:,} people, {row['n_events']:,} events; {self._basis(row)})"
        level = f"{100 * self.conf_level:g} % interval"
        if self.measure == "risk_difference":
            return self._risk_sentence(row, who, level, index)
        if self.measure == "rmst_difference":
            more = "more" if row["estimate"] >= 0 else "fewer"
            return (
                f"Within {self._when(row)}, {row['arm']} had {abs(row['estimate']):.1f} {more} {self.unit} free of events a person than "
                f"{row['reference']} ({level} {row['conf_low']:.1f} to {row['conf_high']:.1f}) {who}. {_VERDICTS_TIME[row['verdict']]}"
            )
        if not np.isfinite(row["conf_low"]):
            return f"{_WORDS[self.measure]}, {row['arm']} against {row['reference']}: not defined {who}."
        return (
            f"{_WORDS[self.measure]}, {row['arm']} against {row['reference']}"
            f"{'' if np.isnan(row['time']) else ' by ' + self._when(row)}: {row['estimate']:.2f} "
            f"({level} {row['conf_low']:.2f} to {row['conf_high']:.2f}) {who}."
        )

    def _risk_sentence(self, row: Mapping[Any, Any], who: str, level: str, index: int) -> str:
        gap = 100 * row["estimate"]
        fewer = "fewer" if gap < 0 else "more"
        base = (
            f"By {self._when(row)}, {100 * row['risk_arm']:.1f} of 100 people in {row['arm']} and "
            f"{100 * row['risk_reference']:.1f} of 100 in {row['reference']} had {row['cause']}: {abs(gap):.1f} {fewer} per 100 "
        )
        if not np.isfinite(row["conf_low"]):
            return base + f"{who}. No interval can be given."
        base += f"({level} {_signed(100 * row['conf_low'])} to {_signed(100 * row['conf_high'])}) {who}."
        if row["verdict"] != "not determined":
            margin = f" ({self.margin:g} per 100)" if row["verdict"].startswith("no difference") else ""
            return f"{base} Verdict: {row['verdict']}{margin}."
        found = 100 * self.detectable[index]
        return (
            f"{base} Verdict: not determined. This design could have found a difference of {found:.1f} per 100 or more with 80 % power; "
            f"{self._needed(row, index)}"
        )

    def _needed(self, row: Mapping[Any, Any], index: int) -> str:
        """Return how many people like these would be needed for the margin, or for a difference of 3 per 100."""
        target = (self.margin if self.margin is not None else 3.0) / 100
        needed = row["n"] * (float(self.detectable[index]) / target) ** 2
        return f"about {_round_up(needed):,} people would be needed to find one of {100 * target:g}."

    def _when(self, row: Mapping[Any, Any]) -> str:
        return in_words(row["time"]) if self.unit == "days" else f"{row['time']:g} {self.unit}"

    def _basis(self, row: Mapping[Any, Any]) -> str:
        parts = [f"population: {row['population']}"] if row["population"] else []
        parts.append("unadjusted" if row["estimand"] == "none" else f"estimand: {str(row['estimand']).upper()}")
        return "; ".join(parts)


_VERDICTS_TIME = {
    "higher": "Verdict: longer.",
    "lower": "Verdict: shorter.",
    "not determined": "Verdict: not determined.",
    "no difference larger than the margin": "Verdict: no difference larger than the margin.",
}


def _verdict(row: dict[str, Any], measure: str, limit: float | None) -> str:
    none = _NONE.get(measure, 0.0)
    low, high = row["conf_low"], row["conf_high"]
    if measure == "nnt" or not (np.isfinite(low) and np.isfinite(high)):
        return "not determined"
    if high < none:
        return "lower"
    if low > none:
        return "higher"
    if limit is not None and measure.endswith("difference") and -limit < low and high < limit:
        return "no difference larger than the margin"
    return "not determined"


def _signed(value: float) -> str:
    return f"{abs(value):.1f} {'fewer' if value < 0 else 'more'}"


def _round_up(value: float) -> int:
    """Return a count rounded up to two significant digits."""
    size = 10 ** max(int(np.floor(np.log10(max(value, 1.0)))) - 1, 0)
    return int(np.ceil(value / size) * size)


def _holm(p: Array) -> Array:
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _benjamini_hochberg(p: Array) -> Array:
    order = np.argsort(p, kind="stable")[::-1]
    stepped = np.minimum.accumulate(p[order] * len(p) / (len(p) - np.arange(len(p))))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
