"""The trial one would have wished for, beside what was done instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from outcomes.adjust.estimands import ESTIMANDS
from outcomes.design.study import Study
from outcomes.durations import in_words
from outcomes.report.analysis import Analysis
from outcomes.results import Note, Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TargetTrial", "target_trial"]

_POPULATION = {
    "both": "and the entry rules of every programme compared admit them",
    "own": "as each programme took them",
}
_WORDS = {
    "==": "", "!=": "not ", "<": "below ", "<=": "at most ", ">": "above ", ">=": "at least ", "in": "one of ", "not in": "none of ",
}  # fmt: skip
_ZERO = {
    "auto": "release, or the start of the programme where that is in the community",
    "sentence": "the sentence",
    "release": "release (custody) or sentence (community)",
    "start": "the start of the programme",
    "referral": "the referral",
}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class TargetTrial(Result):
    """A study as the trial it tries to be."""

    frame: pd.DataFrame
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Target trial"
    tabled: ClassVar[bool] = True

    def to_frame(self) -> pd.DataFrame:
        """Return one row an element: element, target_trial, this_study."""
        return self.frame.copy()

    def describe(self) -> str:
        """Return the study's side in sentences."""
        return " ".join(f"{row['element']}: {row['this_study']}." for row in self.frame.to_dict("records"))


def target_trial(analysis: Analysis) -> TargetTrial:
    """Return the elements of the trial a study emulates.

    References
    ----------
    Hernán & Robins (2016), American Journal of Epidemiology 183:758.
    """
    import pandas as pd

    study, headline = analysis.study, analysis.headline
    outcome = study.outcomes[headline.outcome]
    arms = " or ".join(reversed(study.arms.names))
    competing = f"; competing: {', '.join(outcome.competing)}" if outcome.competing else ""
    what = f"first reoffence ({headline.outcome}), committed and proven within {in_words(outcome.proving_period)}{competing}"
    entry = _entry(study)
    rows = [
        ("Eligibility", entry, f"{entry}; judged from records at time zero"),
        ("Programmes compared", arms, f"{arms}, as started; later switches and drop-out are ignored"),
        ("Assignment", "by lot, open to staff and clients", _assignment(study)),
        ("Time zero", "the day of the lot", _ZERO[study.time_zero.event]),
        ("Outcome", what, f"{what}; found in records of convictions"),
        ("Follow-up", f"{in_words(study.follow_up.horizon)} for everybody", _follow_up(study, outcome.proving_period)),
        ("Question answered", "the effect of being sent to one or the other", _estimand(study)),
        ("Headline", "named in advance", _named(analysis)),
    ]
    return TargetTrial(frame=pd.DataFrame(rows, columns=["element", "target_trial", "this_study"]))


def _entry(study: Study) -> str:
    conditions = [
        f"{c.column.replace('_', ' ')} {_WORDS[c.operator]}{_shown(c.value)}" for c in study.eligibility.include
    ]
    who = f"people with {', '.join(conditions)}" if conditions else "everybody in the extract"
    return f"{who}, {_POPULATION.get(study.eligibility.population, study.eligibility.population)}"


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _assignment(study: Study) -> str:
    if study.adjust is None:
        return "as it happened; nothing was adjusted for"
    return f"as it happened; made alike by a propensity score in {study.adjust.formula}"


def _follow_up(study: Study, proving: float) -> str:
    return (
        f"up to {in_words(study.follow_up.horizon)}, {study.follow_up.scale} time, ending {in_words(proving)} before the data cut; people "
        "lost from sight are censored"
    )


def _estimand(study: Study) -> str:
    if study.adjust is None:
        return "a description of who reoffended, not an effect"
    return (
        f"the effect of starting one or the other ({study.adjust.estimand.upper()}: {ESTIMANDS[study.adjust.estimand]})"
    )


def _named(analysis: Analysis) -> str:
    if not analysis.named:
        return "none was named in the study file: everything here is exploratory"
    headline = analysis.headline
    margin = f", margin {headline.margin:g} points" if headline.margin else ""
    return f"{headline.outcome} reoffence within {in_words(headline.horizon)}{margin}; everything else is exploratory"
