"""Hazard ratios of arms from a Cox model."""

from __future__ import annotations

import re

import numpy as np

from outcomes.comparison.clustering import Clustered, clustered
from outcomes.comparison.comparing import Comparison, about_weights, row_of
from outcomes.comparison.measures import contrast
from outcomes.errors import NotSupportedError
from outcomes.results import Array, Note, p_in_words
from outcomes.survival.cox_result import Cox
from outcomes.survival.estimates import by_cluster
from outcomes.survival.few_clusters import CLUSTER_NOTES, few_clusters

__all__ = ["arm_term", "compare_hazards", "p_proportional", "proportional_in_words"]


def compare_hazards(result: Cox, *, variance: str | None, conf_level: float, cluster_df: float | None) -> Comparison:
    """Return the hazard ratio of each arm against the reference, with a word on whether one ratio can say it."""
    data, asked = result.data, result.asked
    covariance, kind = _covariance(result, variance)
    cluster = None if kind == "model" else asked.cluster
    counted = np.where(asked.used, data.arm, -1)
    rows, notes = [], [note for note in result.notes if note.code not in ("weights_as_known", *CLUSTER_NOTES)]
    notes += about_weights(asked)
    alone = asked.weighted or len(result.terms) == len(data.arms) - 1
    estimand = asked.estimand if alone else "conditional"  # on the model's other terms
    p = p_proportional(result)
    people, events = asked.people_by_arm(data), asked.events_by_arm(data, result.cause)
    for arm in range(1, len(data.arms)):
        position, unit = arm_term(result, arm)
        groups = _of_the_model(
            result, position, clustered(cluster, counted, data.arms, (0, arm), cluster_df), cluster_df
        )
        notes += groups.notes
        value, spread = unit * float(result.coefficients[position]), unit**2 * float(covariance[position, position])
        pair, square = np.array([0.0, value]), np.array([[0.0, 0.0], [0.0, spread * groups.factor]])
        one = contrast("hazard_ratio", pair, square, df=groups.df, conf_level=conf_level)
        rows.append(
            {"p_proportional": p}
            | row_of(
                data,
                one,
                measure="hazard_ratio",
                estimand=estimand,
                arms=(data.arms[0], data.arms[arm]),
                cause=result.cause,
                time=float("nan"),
                n=int(people[0] + people[arm]),
                n_events=int(events[0] + events[arm]),
            )
        )
    return Comparison.build(
        rows,
        measure="hazard_ratio",
        conf_level=conf_level,
        margin=None,
        variance=kind,
        labels={**data.labels, "unit": data.unit},
        notes=(*notes, _on_proportionality(result, p)),
        weights=asked.source,
    )


def _covariance(result: Cox, variance: str | None) -> tuple[Array, str]:
    """Return the covariance of the coefficients, and of what kind it is."""
    if variance is None or variance == result.asked.variance:
        return np.asarray(result.covariance), result.asked.variance
    if variance in ("greenwood", "model"):
        if result.asked.weighted:
            raise NotSupportedError(
                "compare: the model-based variance takes weights for counts of people. Use variance='robust'."
            )
        return np.asarray(result.model_covariance), "model"
    summed = by_cluster(result.asked, result.influence(variance=variance))
    return result.wide_where_away(summed.T @ summed), variance


def _of_the_model(result: Cox, position: int, pair: Clustered, cluster_df: float | None) -> Clustered:
    """Return the correction of a term as the model's own table has it, with what must be said of the two arms' clusters."""
    if not np.isfinite(pair.factor) or np.isinf(pair.df):
        return pair
    few = few_clusters(result.data, result.asked, result.owners)
    df = float(few.df[position]) if cluster_df is None else pair.df
    return Clustered(float(few.factor[position]), df, pair.notes)


def arm_term(result: Cox, arm: int) -> tuple[int, float]:
    """Return the position of an arm's coefficient, and how many units of its column lie between it and the reference."""
    data = result.data
    names = ["arm", *([data.arm_column] if data.arm_column else [])]
    touching = [term for term in result.terms if set(re.findall(r"\w+", term)) & set(names)]
    if any(":" in term for term in touching):
        raise NotSupportedError(
            "compare: the Cox model lets the arm's hazard ratio vary with a covariate; there is no one ratio. See to_frame()."
        )
    for name in names:
        for written in (f"{name}[{data.arms[arm]}]", f"C({name})[{data.arms[arm]}]"):
            if written in result.terms:
                return result.terms.index(written), 1.0
        if name in result.terms and len(data.arms) == 2:  # a numeric column
            return result.terms.index(name), float(data.arms[arm]) - float(data.arms[0])
    raise NotSupportedError(
        "compare: the Cox model has no term for each arm against the reference; put arm into its formula."
    )


def p_proportional(model: Cox, owner: str | None = None) -> float:
    """Return the p-value of the model's own test of proportional hazards; missing where it cannot be had.

    Parameters
    ----------
    model : Cox
    owner : str, optional
        The term of the formula that is tested; default: all terms at once.
    """
    if model.ties == "exact" or model.penalty is not None:
        return float("nan")
    test = model.proportional_hazards().to_frame()
    row = test.iloc[-1:] if owner is None else test[test["term"] == owner]
    return float(row["p_value"].iloc[0]) if len(row) else float("nan")


def proportional_in_words(p: float) -> str:
    """Return what stands beside a hazard ratio of whether one ratio can say it.

    Examples
    --------
    >>> proportional_in_words(0.2)
    'test of proportional hazards, p = 0.200'
    >>> proportional_in_words(float("nan"))
    'no test of proportional hazards can be had'
    """
    return (
        "no test of proportional hazards can be had"
        if np.isnan(p)
        else f"test of proportional hazards, {p_in_words(p)}"
    )


def _on_proportionality(result: Cox, p: float) -> Note:
    beside = "Read an absolute difference beside a hazard ratio."
    if result.ties == "exact" or result.penalty is not None:
        wald = (
            " The limits are Wald's; those of the profile are in the model's to_frame()."
            if result.penalty == "firth"
            else ""
        )
        return Note(
            "hazard_ratio",
            f"Whether hazards are proportional is not tested for exact ties or penalised fits.{wald} {beside}",
        )
    if np.isnan(p):
        return Note("hazard_ratio", f"Too few clusters for a test of proportional hazards. {beside}")
    return Note("hazard_ratio", f"Test of proportional hazards (all terms): {p_in_words(p)}. {beside}")
