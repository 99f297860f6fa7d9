"""A difference over the share of events that are recorded: the table, where it tips, and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from outcomes.comparison.sentences import sentence
from outcomes.results import Note, Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DetectionSensitivity", "Tipping"]

_NO_TEST = ("statistic", "df", "p_value")


@dataclass(frozen=True)
class Tipping:
    """Where, from everything recorded downwards, a difference first vanishes and its verdict first changes.

    Attributes
    ----------
    vanishes, verdict_changes : float
        Shares; missing where that happens at none of those looked at.
    verdict : str
        That from there on; empty where there is none.
    """

    vanishes: float
    verdict_changes: float
    verdict: str


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class DetectionSensitivity(Result):
    """What a difference in risk is for every share of some people's events that is recorded.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row a share, from 1 downwards; columns of `compare`, with ``value_reference`` and ``value_arm`` (the risks) beside.
    tipping : Tipping
        The share at which the difference vanishes, and that at which the verdict changes.
    whom : str
        Who is recorded in part, in words.
    people, events : mapping of arm to int
        How many of them there are, and their recorded events by the time.
    """

    frame: pd.DataFrame
    tipping: Tipping
    whom: str
    people: Mapping[str, int]
    events: Mapping[str, int]
    conf_level: float
    margin: float | None
    labels: Mapping[str, str]
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "detection"
    title: ClassVar[str] = "The difference by how much is recorded"

    @classmethod
    def build(cls, rows: list[dict[str, Any]], **rest: Any) -> Self:
        """Return the result of finished rows."""
        import pandas as pd

        return cls(frame=pd.DataFrame(rows).drop(columns=list(_NO_TEST)), **rest)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a share of events that is recorded, from 1 downwards.

        Columns: share, outcome, population, estimand, scale, arm, reference, cause, time, measure, risk_reference, risk_arm, estimate,
        std_error, conf_low, conf_high, n, n_events (as recorded), verdict.
        """
        found = self.frame.rename(columns={"value_reference": "risk_reference", "value_arm": "risk_arm"})
        risks = ["risk_reference", "risk_arm"]
        rest = [str(name) for name in found.columns if name not in risks]
        place = rest.index("measure") + 1
        return found[[*rest[:place], *risks, *rest[place:]]].copy()

    def summary(self) -> pd.DataFrame:
        """Return share, risk_reference, risk_arm, estimate, conf_low, conf_high, verdict."""
        names = ["share", "risk_reference", "risk_arm", "estimate", "conf_low", "conf_high", "verdict"]
        return self.to_frame()[names]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The difference as recorded, at the smallest share, and where it tips."""
        first, last = (self.frame.iloc[at].to_dict() for at in (0, -1))
        counts = ", ".join(self._counted(arm) for arm in (first["arm"], first["reference"]))
        recorded = f"As recorded: {sentence(first, self.labels, self.conf_level, None, self.margin)}"
        who = f"Less detected are {self.whom}: {counts}."
        if not sum(self.events.values()):
            return recorded, f"{who} Without any on record, no share changes the answer."
        return recorded, who, self._were_only(last), *self._tips(first, last)

    def describe(self) -> str:
        """Return the sentences together."""
        return " ".join(self.sentences)

    def _counted(self, arm: str) -> str:
        people, events = self.people[arm], self.events[arm]
        if not people:
            return f"nobody in {arm}"
        return f"{people:,} in {arm} with {events:,} recorded event{'' if events == 1 else 's'}"

    def _were_only(self, row: Mapping[Any, Any]) -> str:
        limits = (
            f" ({100 * self.conf_level:g} % interval {_points(row['conf_low'])} to {_points(row['conf_high'])})"
            if np.isfinite(row["conf_low"])
            else " (no interval can be given)"
        )
        return (
            f"Were only {_of_100(row['share'])} of their events recorded, {100 * row['value_arm']:.1f} of 100 people in {row['arm']} and "
            f"{100 * row['value_reference']:.1f} in {row['reference']} would have had one: {_points(row['estimate'])} per 100{limits}. "
            f"Verdict then: {self._said(row['verdict'])}."
        )

    def _tips(self, first: Mapping[Any, Any], last: Mapping[Any, Any]) -> tuple[str, str]:
        looked = f"between {_of_100(last['share'])} and all"
        if first["estimate"] == 0:
            gone = "As recorded there is no difference at all."
        elif np.isnan(self.tipping.vanishes):
            gone = f"The estimate does not change its direction at any share {looked}."
        else:
            gone = f"The difference would vanish were {_of_100(self.tipping.vanishes)} recorded."
        if np.isnan(self.tipping.verdict_changes):
            return gone, f"The verdict is the same at every share {looked}."
        share = _of_100(self.tipping.verdict_changes)
        return gone, f"The verdict would change at {share}, to: {self._said(self.tipping.verdict)}."

    def _said(self, verdict: str) -> str:
        if verdict.startswith("no difference") and self.margin is not None:
            return f"no difference larger than {self.margin:g} per 100"
        return verdict


def _points(difference: float) -> str:
    return f"{abs(100 * difference):.1f} {'fewer' if difference < 0 else 'more'}"


def _of_100(share: float) -> str:
    """Return a share as people say it.

    Examples
    --------
    >>> _of_100(0.2), _of_100(0.436)
    ('20 of 100', '43.6 of 100')
    """
    return f"{round(100 * share, 1):g} of 100"
