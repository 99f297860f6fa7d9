"""What a part of a course goes with, asked in two ways side by side: the table, the sentences, and what remains in doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.comparison.comparing import COLUMNS
from outcomes.comparison.sentences import sentence
from outcomes.results import Note, Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CourseEffect", "no_answer"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CourseEffect(Result):
    """Hazard ratios by exposure that changes with time, and hazard ratio and risk difference from a landmark on.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `to_frame` gives it, with ``value_reference`` and ``value_arm`` (risks, where there are any) beside.
    time_spent : pandas.DataFrame
        As `counts` gives it.
    labels : mapping
    lead, caveat : str
        Sentences before and after the answers: who was followed, and why none of them need be an effect.
    conf_level : float
    margin : float or None
        In percentage points.
    """

    frame: pd.DataFrame
    time_spent: pd.DataFrame
    labels: Mapping[str, str]
    lead: str
    caveat: str
    conf_level: float
    margin: float | None = None
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "intervals"
    title: ClassVar[str] = "Effect of a part of the course"

    def to_frame(self) -> pd.DataFrame:
        """Return one row an analysis, adjustment and contrast.

        Columns: analysis (``time_varying``, ``landmark``), adjustment (raw, adjusted), those of `compare`, why (there is no answer).
        Hazard ratios are ratios; their std_error and statistic are on the log scale.
        """
        return self.frame[["analysis", "adjustment", *COLUMNS, "why"]].copy()

    def summary(self) -> pd.DataFrame:
        """Return analysis, adjustment, measure, arm, reference, estimate, conf_low, conf_high, n, n_events, verdict."""
        names = ["analysis", "adjustment", "measure", "arm", "reference", "estimate", "conf_low", "conf_high"]
        return self.frame[[*names, "n", "n_events", "verdict"]].copy()

    def counts(self) -> pd.DataFrame:
        """Return what was observed in each stretch of exposure.

        Columns: exposure, n_people (who were in it), person_years, n_events, per_100_person_years (missing where there was no time).
        """
        return self.time_spent.copy()

    @property
    def sentences(self) -> tuple[str, ...]:
        """Who was followed, each answer (the adjusted one where there is one), and what remains in doubt."""
        parts = [self.lead]
        for row in self.answers().to_dict("records"):
            if row["why"]:
                parts.append(f"{row['said']}: no answer; {row['why'].rstrip('.')}.")
            else:
                parts.append(f"{row['said']}: {sentence(row, self.labels, self.conf_level, None, self.margin)}")
        return (*parts, self.caveat)

    def answers(self) -> pd.DataFrame:
        """Return of each contrast the adjusted row, or the raw one where nothing is adjusted."""
        keys = ["analysis", "measure", "arm", "reference"]
        return self.frame[~self.frame.duplicated(keys, keep="last")]

    def describe(self) -> str:
        """Return the sentences together."""
        return " ".join(self.sentences)


def no_answer(measure: str, arm: str, reference: str, why: str, **more: Any) -> dict[str, Any]:
    """Return the row of a contrast that these data cannot give, with why."""
    numbers = (
        "time", "estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "value_reference", "value_arm",
    )  # fmt: skip
    texts = dict.fromkeys(("outcome", "population", "scale", "cause"), "")
    same = {"estimand": "none", "n": 0, "n_events": 0, "verdict": "not determined"}
    return {
        **texts, **dict.fromkeys(numbers, np.nan), **same, **more, "measure": measure, "arm": arm, "reference": reference, "why": why
    }  # fmt: skip
