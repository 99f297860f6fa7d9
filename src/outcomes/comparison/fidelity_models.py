"""Models of an outcome on the score of people's groups: by standard deviation, by third, and as a smooth curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.adjust.adjusting_curves import adjusted_curves
from outcomes.adjust.case_mix import models_by_cause
from outcomes.comparison.contrasts import compare
from outcomes.comparison.hazard_ratios import p_proportional
from outcomes.comparison.measures import quantile, two_sided
from outcomes.comparison.wild_testing import wild_score_test
from outcomes.errors import EstimationError, NotSupportedError
from outcomes.results import Array, Note, p_in_words, read_only
from outcomes.survival.cox_model import fit_cox
from outcomes.survival.few_clusters import FEW
from outcomes.survival.new_covariates import new_columns

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData
    from outcomes.survival.cox_result import Cox

__all__ = ["SCORE", "THIRDS", "Line", "by_standard_deviation", "by_third", "over_scores"]

SCORE = "_score"
"""Column of the score, in standard deviations of the groups from their mean."""
THIRDS = ("lowest third", "middle third", "highest third")
_HALF = ("-0.5", "0.5")  # a standard deviation apart, about the mean
_POINTS = 41
_MANY = 50  # clusters, from which on t is enough
_WILD = 3  # clusters, below which there are too few signs to give them
_OF_CLUSTERS = ("few_clusters", "one_cluster", "nested_clusters")  # what these say of intervals is said here once
_WHAT = "fidelity_effect"
Row = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """The hazard ratio over S scores against the mean score; `smooth`: a spline, else a straight line of the log."""

    score: Array
    ratio: Array
    low: Array
    high: Array
    smooth: bool


def by_standard_deviation(
    data: SurvivalData, score: Array, groups: Array, cause: str, horizon: float, formula: str, conf_level: float
) -> tuple[list[Row], tuple[Note, ...]]:
    """Return what a standard deviation of the groups' scores does to hazard and risk.

    Parameters
    ----------
    data : SurvivalData
        People of one arm, clustered.
    score : ndarray, shape (N,)
        Of each person's group.
    groups : ndarray, shape (G,)
        Of each group, once.
    cause : str
    horizon : float
    formula : str
        Case mix; empty where nothing is adjusted.
    """
    named = _with_score(data, score, groups)
    model = _cox(named, cause, _and(SCORE, formula), conf_level)
    clusters = _clusters(data)
    rows = [{"measure": "hazard_ratio", **_ratio(model, clusters, conf_level)}]
    worlds = _as_worlds(named)
    risk, notes = _difference(worlds, cause, horizon, SCORE, formula, conf_level, clusters)
    same = {
        "analysis": "per_sd",
        "arm": "half a standard deviation above",
        "reference": "half a standard deviation below",
    }
    notes = (
        *_few(clusters, rows[0]["p_wild"]),
        *notes,
        *(note for note in model.notes if note.code not in _OF_CLUSTERS),
    )
    return [{**row, **same} for row in [*rows, *risk[:1]]], notes


def by_third(
    data: SurvivalData, score: Array, groups: Array, cause: str, horizon: float, formula: str, conf_level: float
) -> tuple[list[Row], tuple[Note, ...]]:
    """Return hazard ratio and risk difference of the middle and the highest third of groups against the lowest."""
    cuts = np.quantile(groups, [1 / 3, 2 / 3])
    third = np.searchsorted(cuts, score, side="left")
    if len(np.unique(np.searchsorted(cuts, groups, side="left"))) < len(THIRDS):
        return [], (Note("no_thirds", "The groups' scores are too much alike to be cut into thirds."),)
    apart = replace(data, arm=read_only(third, np.int64), arms=THIRDS, arm_column=None)
    counts = apart.events_by_arm(cause)
    if counts.min() == 0:
        without = " and the ".join(name for name, count in zip(THIRDS, counts, strict=True) if count == 0)
        return [], (Note("no_thirds", f"Nobody in the {without} of groups had {cause}: thirds are not compared."),)
    clusters = _clusters(data)
    model = _cox(apart, cause, _and("arm", formula), conf_level)
    rows = [
        {
            "measure": "hazard_ratio",
            "arm": name,
            "reference": THIRDS[0],
            **_ratio(model, clusters, conf_level, f"arm[{name}]"),
        }
        for name in THIRDS[1:]
    ]
    risks, notes = _difference(apart, cause, horizon, "arm", formula, conf_level, clusters)
    return [{"analysis": "tertile", **row} for row in [*rows, *risks]], notes


def over_scores(
    data: SurvivalData, score: Array, groups: Array, cause: str, formula: str, conf_level: float
) -> tuple[Line, tuple[Note, ...]]:
    """Return the hazard ratio over the groups' scores against their mean: a natural spline, or a line where there are few groups."""
    clusters = _clusters(data)
    smooth = min(len(groups), clusters) >= FEW and len(np.unique(groups)) >= FEW
    named = _with_score(data, score, groups)
    term, notes = SCORE, tuple[Note, ...]()
    if smooth:
        term = f"cr({SCORE}, df=3, constraints='center')"
    try:
        model = _cox(named, cause, _and(term, formula), conf_level)
    except EstimationError:
        if not smooth:
            raise
        smooth, notes = (
            False,
            (Note("no_curve", "The scores do not bear a spline; the curve is a straight line of the log."),),
        )
        model = _cox(named, cause, _and(SCORE, formula), conf_level)
    at = np.linspace(groups.min(), groups.max(), _POINTS)
    spread = float(groups.std(ddof=1))
    moved = _columns(model, (at - groups.mean()) / spread) - _columns(model, np.zeros(1))
    log_ratio = moved @ model.coefficients
    error = np.sqrt(np.maximum(np.einsum("sp,pq,sq->s", moved, model.covariance, moved), 0.0))
    reach = _reach(clusters, conf_level) * error
    with np.errstate(over="ignore"):
        ratio, low, high = (np.exp(log_ratio + side * reach) for side in (0.0, -1.0, 1.0))
    return Line(at, ratio, low, high, smooth), notes


def _columns(model: Cox, values: Array) -> Array:
    """Return the columns of the model at some scores, everything else as in its first row."""
    rows = model.data.frame.iloc[np.zeros(len(values), dtype=np.int64)].reset_index(drop=True).assign(**{SCORE: values})
    return new_columns(model.data, model.design, rows, None, what=_WHAT)


def _with_score(data: SurvivalData, score: Array, groups: Array) -> SurvivalData:
    """Return the data with the score in standard deviations of the groups."""
    spread = float(groups.std(ddof=1))
    if not spread > 1e-12:
        raise EstimationError(f"{_WHAT}: all {len(groups):,} monitored groups have one score; nothing goes with it.")
    frame = data.baseline.assign(**{SCORE: (score - groups.mean()) / spread})
    return replace(data, frame=frame, baseline=frame)


def _as_worlds(data: SurvivalData) -> SurvivalData:
    """Return the data whose arms are two scores: what everybody is standardised to. In which arm people stand is not looked at."""
    every_other = np.arange(len(data.baseline)) % 2
    return replace(data, arm=read_only(every_other, np.int64), arms=_HALF, arm_column=SCORE)


def _and(term: str, formula: str) -> str:
    return f"{term} + {formula}" if formula else term


def _cox(data: SurvivalData, cause: str, formula: str, conf_level: float) -> Cox:
    return fit_cox(
        data, formula, cause=cause, weights=None, strata=None, cluster=None, ties="efron", robust=True, conf_level=conf_level, what=_WHAT
    )  # fmt: skip


def _clusters(data: SurvivalData) -> int:
    return int(data.baseline[data.cluster].nunique())


def _reach(clusters: int, conf_level: float) -> float:
    """Return what a standard error is multiplied by: t on one less than the clusters; missing where these are too few."""
    if clusters < FEW:
        return float("nan")
    return quantile(conf_level, clusters - 1.0) * float(np.sqrt(clusters / (clusters - 1)))


def _ratio(model: Cox, clusters: int, conf_level: float, term: str = SCORE) -> Row:
    """Return the hazard ratio of a term, on t by clusters, with a wild score test beside it; with few of them that test alone."""
    place = list(model.terms).index(term)
    estimate = float(model.coefficients[place])
    error = float(np.sqrt(model.covariance[place, place]))
    reach = _reach(clusters, conf_level) * error
    corrected = error * np.sqrt(clusters / (clusters - 1)) if clusters > 1 else np.nan
    wild = _wild(model, term) if clusters < _MANY else np.nan
    p_value = two_sided(estimate / corrected, clusters - 1.0) if clusters >= FEW and error > 0 else wild
    with np.errstate(over="ignore"):  # a coefficient that runs away has limits beyond all numbers
        ratio, low, high = np.exp([estimate, estimate - reach, estimate + reach]).tolist()
    return {
        "p_proportional": p_proportional(model, term.partition("[")[0]),
        "estimate": ratio,
        "std_error": corrected if clusters >= FEW else np.nan,
        "df": clusters - 1.0 if clusters >= FEW else np.nan,
        "p_value": p_value,
        "p_wild": wild,
        "conf_low": low,
        "conf_high": high,
    }


def _wild(model: Cox, term: str) -> float:
    """Return the p-value of a wild score test of one term; missing where it cannot be had."""
    if _clusters(model.data) < _WILD:
        return float("nan")
    try:
        return float(wild_score_test(model, term=term).to_frame()["p_value"].iloc[0])
    except EstimationError:
        return float("nan")


def _difference(
    data: SurvivalData, cause: str, horizon: float, term: str, formula: str, conf_level: float, clusters: int
) -> tuple[list[Row], tuple[Note, ...]]:
    """Return the differences in risk of the arms, and then the risks, standardised over everybody, causes competing."""
    models, notes = models_by_cause(data, cause, formula)
    named: Mapping[str, str | None] = {
        name: None if model is None else model.replace("arm", term, 1) for name, model in models.items()
    }
    try:
        curves = adjusted_curves(
            data, outcome=named, estimand="ate", method="g-formula", cause=cause, conf_level=conf_level
        )
        found = compare(
            curves, measure="risk_difference", at=horizon, cause=cause if len(data.causes) > 1 else None, conf_level=conf_level,
            cluster_df=max(clusters - 1.0, 1.0),
        )  # fmt: skip
    except NotSupportedError as error:
        return [], (Note("no_risks", f"Risks could not be standardised: {error}"),)
    except EstimationError as error:
        text = f"Risks could not be standardised; these people may not bear the case mix, for which formula= takes another. {error}"
        return [], (Note("no_risks", text),)
    wanted = (
        "measure",
        "arm",
        "reference",
        "estimate",
        "std_error",
        "df",
        "p_value",
        "conf_low",
        "conf_high",
        "value_arm",
        "value_reference",
    )
    rows: list[Row] = [{name: row[name] for name in wanted} for row in found.frame.to_dict("records")]
    rows += [
        {
            "measure": "risk",
            "arm": row["arm"],
            **{name: row[name] for name in ("estimate", "std_error", "conf_low", "conf_high")},
        }
        for row in curves.at([horizon]).to_dict("records")
        if row["cause"] == cause
    ]
    if clusters < FEW:
        unknown = dict.fromkeys(("std_error", "df", "p_value", "conf_low", "conf_high"), np.nan)
        rows = [{**row, **unknown} for row in rows]
    return rows, notes


def _few(clusters: int, wild: float) -> tuple[Note, ...]:
    if clusters >= _MANY:
        return ()
    if clusters >= FEW:
        text = (
            f"{clusters:,} clusters: limits on t may be too narrow where the groups of a cluster have like scores. "
            f"Wild score test of no slope: {p_in_words(wild)} (p_wild)."
        )
        return (Note("few_clusters", text),)
    counted = f"{clusters:,} {'cluster' if clusters == 1 else 'clusters'}: with fewer than {FEW} no interval is given"
    test = "P-values of hazard ratios are those of a wild score test."
    text = f"{counted}, and with fewer than {_WILD} no p-value." if clusters < _WILD else f"{counted}. {test}"
    return (Note("few_clusters", text),)
