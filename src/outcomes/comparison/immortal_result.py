"""Ways of counting time before a start, side by side: the wrong one marked as wrong, the right ones with what each is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from outcomes.comparison.comparing import COLUMNS
from outcomes.comparison.hazard_ratios import proportional_in_words
from outcomes.comparison.sentences import in_short
from outcomes.durations import in_words
from outcomes.results import Note, Result, in_capitals

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["METHODS", "ImmortalTime", "TimeBefore"]

METHODS = MappingProxyType(
    {
        "ever_started": "Wrong: ever started, counted from release or sentence",
        "landmark": "Landmark",
        "time_varying": "Exposure that changes with time",
        "clone_censor_weight": "Clones, censored and weighted",
    }
)
"""Ways of counting, as a reader is told them; the first is wrong."""

_DIFFERENT = (
    "The ways that count time rightly answer different questions, and need agree only where the programme does nothing; all of them assume "
    "that who starts, and when, is chance given the covariates."
)


@dataclass(frozen=True)
class TimeBefore:
    """Time before their start of people who ever started: what the wrong analysis gives to the programme.

    Attributes
    ----------
    people, late : int
        Who started while followed, and how many of them after their first day.
    days, of : float
        Person-days before their start, and all of theirs.
    """

    people: int
    late: int
    days: float
    of: float

    def describe(self) -> str:
        """Return it in a sentence."""
        if not self.people:
            return "Nobody started while followed."
        share = f", {100 * self.days / self.of:.0f} of 100 of their days" if self.of > 0 else ""
        return (
            f"Of {self.people:,} people who started, {self.late:,} did so after their first day at risk. Counted so, the programme "
            f"is given the {self.days:,.0f} person-days before their starts{share}, on which nothing could happen to those who "
            "were to start, while events that came before any start all count for the others."
        )


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ImmortalTime(Result):
    """One programme against nothing, counted in four ways.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `to_frame` gives it, with ``value_reference`` and ``value_arm`` (risks) beside.
    before : TimeBefore
    arm : str
    grace, horizon : float
        Days.
    """

    frame: pd.DataFrame
    before: TimeBefore
    arm: str
    labels: Mapping[str, str]
    grace: float
    horizon: float
    conf_level: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "intervals"
    title: ClassVar[str] = "Time before a start, counted wrongly and rightly"

    @classmethod
    def build(cls, rows: list[dict[str, Any]], *, estimand: str, notes: tuple[Note, ...], **rest: Any) -> Self:
        """Return the result of finished rows; the wrong ones lose their test and verdict, and keep what they would say."""
        import pandas as pd

        frame = pd.DataFrame(rows).drop(columns=["p_holm", "p_bh"], errors="ignore")
        frame["wrong"] = frame["method"] == "ever_started"
        frame["population"] = f"eligible for {rest['arm']}"
        frame["would_say"] = frame["verdict"]
        frame.loc[frame["wrong"], ["statistic", "p_value", "p_proportional"]] = np.nan
        frame.loc[frame["wrong"], "verdict"] = "not determined"
        frame["days_before"] = np.where(frame["wrong"], rest["before"].days, np.nan)
        frame["whose"] = frame["method"].map(_whose(rest["arm"], in_words(rest["grace"]), estimand))
        return cls(frame=frame, notes=notes, **rest)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a method and measure, the wrong method first.

        Columns: method (ever_started, landmark, time_varying, clone_censor_weight), wrong, whose (what the method is about), those of
        `compare` (hazard_ratio; risk_difference where the method gives one), p_proportional (of the test of proportional hazards, beside
        every hazard ratio but the wrong one), would_say (what the interval would say if the method were
        right), days_before (of the wrong one: person-days before starts that it gives to the programme), why (there is no number).
        """
        return self.frame[
            ["method", "wrong", "whose", *COLUMNS, "p_proportional", "would_say", "days_before", "why"]
        ].copy()

    def summary(self) -> pd.DataFrame:
        """Return method, wrong, measure, estimate, conf_low, conf_high, n, n_events, verdict, would_say."""
        names = [
            "method",
            "wrong",
            "measure",
            "estimate",
            "conf_low",
            "conf_high",
            "n",
            "n_events",
            "verdict",
            "would_say",
        ]
        return self.frame[names].copy()

    @property
    def sentences(self) -> tuple[str, ...]:
        """Each method in plain sentences with what it is about, the wrong one with what makes it so."""
        parts = [
            f"{self.arm} against nothing, among people eligible for {self.arm}: {self.labels['outcome']}; risk differences by "
            f"{in_words(self.horizon)}."
        ]
        for method, rows in self.frame.groupby("method", sort=False):
            parts.append(f"{METHODS[str(method)]} ({rows['whose'].iloc[0]}). {self._numbers(rows)}")
            if method == "ever_started":
                parts[-1] += f" {self.before.describe()} It determines nothing about the programme."
        return (*parts, _DIFFERENT)

    def describe(self) -> str:
        """Return the sentences together."""
        return " ".join(self.sentences)

    def _numbers(self, rows: pd.DataFrame) -> str:
        """Return the numbers of one method; a reason they share is said once."""
        why = rows["why"].iloc[0]
        if why and (rows["why"] == why).all():
            return f"No answer: {why.rstrip('.')}."
        return " ".join(self._number(row) for row in rows.to_dict("records"))

    def _number(self, row: Mapping[Any, Any]) -> str:
        name = row["measure"].replace("_", " ").capitalize()
        if row["why"]:
            return f"{name}: no answer; {row['why'].rstrip('.')}."
        counted = "clones" if row["method"] == "clone_censor_weight" else "people"
        said = in_short({**row, "verdict": row["would_say"]}, self.conf_level, counted=counted, designed=False)
        if row["wrong"]:
            said = said.replace("Verdict:", "It would say:")
        if row["measure"] != "hazard_ratio":
            return f"{name}: {said}"
        beside = "" if row["wrong"] else f" {_capital(proportional_in_words(row['p_proportional']))}."
        return f"{_capital(said)}{beside}"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _whose(arm: str, grace: str, estimand: str) -> dict[str, str]:
    """Return what each method is about, in words."""
    weighted = f"weighted ({in_capitals(estimand)})" if estimand else "unweighted"
    return {
        "ever_started": f"nobody's effect: people are classed by a start that was yet to come; {weighted}",
        "landmark": f"people still followed {grace} after release or sentence, by what they had started by then, from then on; {weighted}",
        "time_varying": f"days after a start of {arm} against days before any start, given the covariates"
        if estimand
        else f"days after a start of {arm} against days before any start",
        "clone_censor_weight": f"everyone: start {arm} within {grace}, against start nothing within {grace}; weighted to everybody (ATE)",
    }
