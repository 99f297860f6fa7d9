"""The answer, absolute first: raw, adjusted and (where data are invented) true, with what it would take to doubt it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.comparison.comparing import Comparison
from outcomes.comparison.contrasts import compare
from outcomes.design.study import Study
from outcomes.report.analysis import Analysis, OutcomeAnalysis
from outcomes.report.truth import true_answer, true_rows, truth_in_words
from outcomes.results import Note, Result, p_in_words
from outcomes.survival.cox_model import cox
from outcomes.survival.restricted_mean import rmst

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HeadlineResults", "headline_results"]

_SHOWN = (
    "analysis", "measure", "value_reference", "value_arm", "estimate", "conf_low", "conf_high", "p_value", "verdict",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class HeadlineResults(Result):
    """The headline on every scale, unadjusted and adjusted, and the truth where it is known.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row a measure and analysis: analysis (adjusted, unadjusted, truth), and the columns of `compare` with value_reference and
        value_arm.
    sentences : tuple of str
        What a reader takes home, in order.
    """

    frame: pd.DataFrame
    sentences: tuple[str, ...]
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Headline results"
    tabled: ClassVar[bool] = True

    def to_frame(self) -> pd.DataFrame:
        """Return one row a measure and analysis."""
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return analysis, measure, value_reference, value_arm, estimate, conf_low, conf_high, p_value, verdict."""
        return self.frame[list(_SHOWN)].copy()

    def describe(self) -> str:
        """Return the sentences together."""
        return " ".join(self.sentences)


def headline_results(analysis: Analysis, outcome: str) -> HeadlineResults:
    """Return the results of one outcome at the headline's horizon."""
    import pandas as pd

    one, headline, study = analysis.outcomes[outcome], analysis.headline, analysis.study
    at = headline.horizon
    margin = headline.margin if outcome == headline.outcome else None  # named for that outcome alone
    raw = compare(one.raw, measure="risk_difference", at=at, margin=margin)
    found = [("unadjusted", raw)]
    if one.adjusted is not None:
        found = [("adjusted", compare(one.adjusted, measure="risk_difference", at=at, margin=margin)), *found]
    label, best = found[0]
    ratio = compare(one.best, measure="risk_ratio", at=at)
    mean = compare(rmst(one.data, horizon=at, weights=one.weights), measure="rmst_difference")
    hazard = _hazard_ratio(one)
    found += [(label, ratio), (label, mean), (label, hazard)]
    controls = _negative_controls(analysis, at) if outcome == headline.outcome else []
    every = [*found, *controls]
    frame = pd.concat([made.frame.assign(analysis=name) for name, made in every], ignore_index=True)
    frame = frame[["analysis", *[name for name in frame.columns if name != "analysis"]]]
    people = dict(zip(one.data.arms, map(int, one.data.people_by_arm()), strict=True))
    true = true_answer(analysis.truth, study, outcome, at, people=people, tables=analysis.tables.hashes)
    sentences = [note.text for note in analysis.cohort.notes if note.code == "far_data_cut"]  # before any number
    sentences.append(best.describe())
    if label == "adjusted":
        sentences.append(f"Unadjusted: {raw.describe()}")
    sentences += [mean.describe(), hazard.describe(), _proportional(one, study), *_could_be_explained(ratio)]
    sentences += [_control_in_words(name, made) for name, made in controls]
    if true is not None:
        frame = pd.concat([frame, true_rows(frame, true)], ignore_index=True)
        sentences.append(truth_in_words(true, found))
    return HeadlineResults(
        frame=frame.drop(columns=["p_holm", "p_bh"], errors="ignore"),
        sentences=tuple(sentences),
        notes=tuple(dict.fromkeys(note for _, made in every for note in made.notes)),
    )


def _hazard_ratio(one: OutcomeAnalysis) -> Comparison:
    return compare(cox(one.data, "arm", cause=one.name, weights=one.weights), measure="hazard_ratio")


def _proportional(one: OutcomeAnalysis, study: Study) -> str:
    """Return the test of proportional hazards, from the unweighted model with the covariates of the score."""
    formula = "arm" if study.adjust is None else f"arm + {study.adjust.formula}"
    model = cox(one.data, formula, cause=one.name, robust=False)
    row = model.proportional_hazards().to_frame()
    term = row[row["term"].str.startswith("arm")].iloc[0]
    p = float(term["p_value"])
    beside = "" if study.adjust is None else " with the covariates of the score"
    said = "no sign that hazards of the arms are not proportional"
    if p < 0.05:
        said = "hazards of the arms are not proportional: the hazard ratio is an average over time"
    return f"Test of proportional hazards for the arm, in the unweighted model{beside}: {p_in_words(p)} ({said})."


def _negative_controls(analysis: Analysis, at: float) -> list[tuple[str, Comparison]]:
    """Return the same contrast for outcomes that no programme can change, where the study names some."""
    return [
        (f"negative control: {name}", compare(one.best, measure="risk_difference", at=at))
        for name, one in analysis.outcomes.items()
        if analysis.study.outcomes[name].negative_control
    ]


def _control_in_words(name: str, made: Comparison) -> str:
    """Return what a negative control says of the adjustment."""
    row = made.frame.iloc[0]
    if not np.isfinite(row["conf_low"]):
        return f"{name.capitalize()}: no interval, so it tells nothing."
    says = "the adjustment has left something between the arms that the headline may share"
    if row["conf_low"] <= 0 <= row["conf_high"]:
        says = "no sign of anything left between the arms, within this interval"
    return (
        f"{name.capitalize()}, which no programme can change: {100 * row['estimate']:+.1f} per 100 people "
        f"({100 * row['conf_low']:+.1f} to {100 * row['conf_high']:+.1f}): {says}."
    ).replace("-", "−")


def _could_be_explained(ratio: Comparison) -> list[str]:
    """Return what an unmeasured confounder would have to be like, where there is a ratio to explain."""
    row = ratio.frame.iloc[0]
    if row["estimand"] == "none" or not np.isfinite(row["conf_low"]):
        return []
    found = ratio.e_value()[0]
    lead = f"E-value of the risk ratio {row['estimate']:.2f}: {found.estimate:.2f}"
    if found.limit == 1:
        return [
            f"{lead}. The interval holds no difference already, with or without something unmeasured, which may also hide one."
        ]
    return [
        f"{lead}, and {found.limit:.2f} for the limit nearer to no difference. "
        f"Something that was not measured and was tied to both arm and reoffending by risk ratios of {found.limit:.2f} each could make "
        "the interval hold no difference; where one of the two is weaker, the other would have to be stronger."
    ]
