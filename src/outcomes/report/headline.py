"""The answer, absolute first: raw, adjusted and (where data are invented) true, with what it would take to doubt it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.comparison.comparing import Comparison
from outcomes.comparison.contrasts import compare
from outcomes.comparison.sentences import when
from outcomes.design.study import Study
from outcomes.report.analysis import Analysis, OutcomeAnalysis
from outcomes.results import Note, Result
from outcomes.survival.cox_model import cox
from outcomes.survival.restricted_mean import rmst

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HeadlineResults", "headline_results", "true_row"]

_TRUE_OF = {
    ("both", "ato"): "both_overlap",
    ("both", "ate"): "both",
    ("own", "att"): "own_{arm}",
    ("own", "atc"): "own_{reference}",
}
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
    at, margin = headline.horizon, headline.margin
    raw = compare(one.raw, measure="risk_difference", at=at, margin=margin)
    found = [("unadjusted", raw)]
    if one.adjusted is not None:
        found = [("adjusted", compare(one.adjusted, measure="risk_difference", at=at, margin=margin)), *found]
    label, best = found[0]
    ratio = compare(one.best, measure="risk_ratio", at=at)
    mean = compare(rmst(one.data, horizon=at, weights=one.weights), measure="rmst_difference")
    hazard = _hazard_ratio(one)
    found += [(label, ratio), (label, mean), (label, hazard)]
    frame = pd.concat([made.frame.assign(analysis=name) for name, made in found], ignore_index=True)
    frame = frame[["analysis", *[name for name in frame.columns if name != "analysis"]]]
    true = true_row(analysis.truth, study, outcome, at)
    sentences = [best.describe()]
    if label == "adjusted":
        sentences.append(f"Unadjusted: {raw.describe()}")
    sentences += [mean.describe(), hazard.describe(), _proportional(one, study), *_could_be_explained(ratio)]
    if true is not None:
        frame = pd.concat([frame, _true_rows(frame, true)], ignore_index=True)
        sentences.append(_truth_in_words(true, found))
    return HeadlineResults(
        frame=frame.drop(columns=["p_holm", "p_bh"], errors="ignore"),
        sentences=tuple(sentences),
        notes=tuple(dict.fromkeys(note for _, made in found for note in made.notes)),
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
    said = "no sign that hazards of the arms are not proportional"
    if p < 0.05:
        said = "hazards of the arms are not proportional: the hazard ratio is an average over time"
    return (
        f"Test of proportional hazards for the arm, in the unweighted model with the covariates: p = {p:.3f} ({said})."
    )


def _could_be_explained(ratio: Comparison) -> list[str]:
    """Return what an unmeasured confounder would have to be like, where there is a ratio to explain."""
    row = ratio.frame.iloc[0]
    if row["estimand"] == "none" or not np.isfinite(row["conf_low"]):
        return []
    found = ratio.e_value()[0]
    lead = f"E-value of the risk ratio {row['estimate']:.2f}: {found.estimate:.2f}"
    if found.limit == 1:
        return [f"{lead}; the interval holds no difference, so nothing is left to explain away."]
    return [
        f"{lead}, and {found.limit:.2f} for the limit nearer to no difference. "
        f"Something that was not measured and was tied to both arm and reoffending by risk ratios of {found.limit:.2f} each could make "
        "the interval hold no difference; something weaker could not."
    ]


def true_row(truth: Mapping[str, Any] | None, study: Study, outcome: str, horizon: float) -> dict[str, Any] | None:
    """Return the row of the truth that answers the question of the headline; None where there is none.

    The truth speaks of bespoke and manualised, of the outcomes it names as proven within its own times, at its own horizons.
    """
    if truth is None or set(study.arms.names) != {"bespoke", "manualised"}:
        return None
    spec = study.outcomes[outcome]
    name = f"{outcome}_before_recall" if "recall" in spec.competing else outcome
    within = truth["proven_within_days"].get(name)
    when_ = {days: label for label, days in truth["horizons_days"].items()}.get(horizon)
    estimand = "ate" if study.adjust is None else study.adjust.estimand
    reference = study.arms.reference
    arm = next(a for a in study.arms.names if a != reference)
    population = _TRUE_OF.get((study.eligibility.population, estimand), "").format(arm=arm, reference=reference)
    if within != spec.proving_period or when_ is None or not population:
        return None
    wanted = {
        "population": population,
        "outcome": name,
        "version": "proven",
        "horizon": when_,
        "scale": study.follow_up.scale,
    }
    for row in truth["results"]:
        if all(row.get(key) == value for key, value in wanted.items()):
            sides = {"reference": reference, "arm": arm}
            values = {f"{side}_{k}": row[f"{k}_{who}"] for k in ("risk", "rmst") for side, who in sides.items()}
            return {**wanted, **values, "n": row["n"]}
    return None


def _true_rows(frame: pd.DataFrame, true: Mapping[str, Any]) -> pd.DataFrame:
    """Return the truth on the scales it is known on, as rows beside the estimates."""
    import pandas as pd

    rows = []
    for measure, kind in (("risk_difference", "risk"), ("risk_ratio", "risk"), ("rmst_difference", "rmst")):
        like = frame[frame["measure"] == measure].iloc[0]
        reference, arm = true[f"reference_{kind}"], true[f"arm_{kind}"]
        rows.append(
            {
                "analysis": "truth",
                **{name: like[name] for name in ("outcome", "population", "estimand", "scale", "arm", "reference", "cause", "time")},
                "measure": measure,
                "estimate": arm / reference if measure == "risk_ratio" else arm - reference,
                "value_reference": reference,
                "value_arm": arm,
                "n": like["n"],
                "verdict": "",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _truth_in_words(true: Mapping[str, Any], found: list[tuple[str, Comparison]]) -> str:
    """Return the truth, and which of the intervals of the risk difference hold it."""
    difference = true["arm_risk"] - true["reference_risk"]
    held = []
    for name, made in found:
        row = made.frame.iloc[0]
        if row["measure"] == "risk_difference":
            inside = row["conf_low"] <= difference <= row["conf_high"]
            held.append(f"the {name} interval {'contains' if inside else 'does not contain'} it")
    first = found[0][1].frame.iloc[0]
    time = when(first.to_dict(), found[0][1].labels)
    way = "fewer" if difference < 0 else "more"
    return (
        f"The data are invented, so the truth is known: by {time}, {100 * true['arm_risk']:.1f} of 100 people under {first['arm']} and "
        f"{100 * true['reference_risk']:.1f} under {first['reference']}, {100 * abs(difference):.1f} {way} per 100; {' and '.join(held)}."
    )
