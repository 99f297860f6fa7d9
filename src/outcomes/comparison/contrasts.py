"""Differences and ratios between arms, with the doubt about them: the function people call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.adjust.adjusted_mean_time import AdjustedRmst
from outcomes.adjust.adjusted_results import AdjustedCurves
from outcomes.adjust.entry_rules import must_have_comparison_people
from outcomes.comparison.clustering import Clustered, clustered
from outcomes.comparison.comparing import Comparison, about_weights, row_of
from outcomes.comparison.hazard_ratios import compare_hazards
from outcomes.comparison.measures import DIFFERENCES, MEASURES, Contrast, contrast, no_contrast
from outcomes.comparison.rare_events import newcombe, sizes_behind
from outcomes.design.data import must_name_cause
from outcomes.errors import EstimationError, must_be, one_of
from outcomes.results import Note
from outcomes.survival.cox_result import Cox
from outcomes.survival.cox_standardised import StandardisedCurves
from outcomes.survival.curves import CumulativeIncidence, KaplanMeier
from outcomes.survival.estimates import ArmEstimates
from outcomes.survival.few_clusters import CLUSTER_NOTES
from outcomes.survival.mean_counts import MeanCount
from outcomes.survival.restricted_mean import Rmst

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData
    from outcomes.survival.inputs import Asked

__all__ = ["MEASURES", "arm_contrast", "compare", "curve_row"]

_OF_CURVES = ("risk_difference", "risk_ratio", "odds_ratio", "nnt")
_OF_MEANS = ("rmst_difference", "rmst_ratio")
_OF_COUNTS = ("count_difference", "count_ratio")


def compare(
    result: KaplanMeier
    | CumulativeIncidence
    | MeanCount
    | StandardisedCurves
    | AdjustedCurves
    | AdjustedRmst
    | Rmst
    | Cox,
    *,
    measure: str,
    at: float | str | Iterable[float | str] | None = None,
    cause: str | None = None,
    variance: str | None = None,
    conf_level: float = 0.95,
    margin: float | None = None,
    cluster_df: float | None = None,
) -> Comparison:
    """Compare each arm with the reference: arm minus reference, or arm over reference.

    Use it for the answer: an absolute difference first (`risk_difference`, `rmst_difference`), a ratio beside it.

    Parameters
    ----------
    result : KaplanMeier, CumulativeIncidence, MeanCount, StandardisedCurves, AdjustedCurves, AdjustedRmst, Rmst or Cox
    measure : str
        ``risk_difference``, ``risk_ratio``, ``odds_ratio``, ``nnt`` (curves); ``rmst_difference``, ``rmst_ratio`` (restricted means);
        ``count_difference``, ``count_ratio`` (mean counts); ``hazard_ratio`` (Cox with ``arm`` in its formula).
    at : time or list of times
        Required for curves: 730, ``"2y"``, or several.
    cause : str, optional
        Which cause's risk (cumulative incidence); default the outcome.
    variance : {"greenwood", "robust", "stacked"}, optional
        Default: stacked (weights as estimated) where the weights came from `weight`; otherwise as in the result.
    conf_level : float
    margin : float, optional
        Difference that would not matter, in percentage points (risks), in the unit of time (restricted means) or in events a
        person (mean counts); allows the verdict "no difference larger than the margin".
    cluster_df : float, optional
        Degrees of freedom of clustered intervals; default clusters - 2 where whole clusters are in one arm (as where arms
        were given to areas), clusters - 1 where clusters hold people of both arms.

    Returns
    -------
    Comparison
        One row an arm other than the reference and time: outcome, population, estimand, scale, arm, reference, cause, time, measure,
        estimate, std_error, statistic, df, p_value, conf_low, conf_high, n, n_events, verdict (and p_holm, p_bh where
        there are several rows). Risks are proportions. std_error and statistic of ratios are on the log scale, those of the number
        needed (1 / risk difference, negative where the arm has fewer events) on the risk difference's.

    Raises
    ------
    EstimationError
        One arm, no time, a time beyond the follow-up of an arm (named with its last usable time), a measure that the result
        does not hold, an argument the measure has no use for.

    Notes
    -----
    Variances come from people's influences, summed by cluster, with both arms together; clustered ones are multiplied by
    G/(G-1) and read on t. Where an arm has no events (or nothing but events) the risk difference has Newcombe's interval, from
    effective numbers of people where there are weights or censoring, and no test; ratios then do not exist. The verdict is
    *lower* or *higher* where the interval excludes no difference, *no difference larger than the margin* where it lies
    inside the margin, else *not determined*.

    References
    ----------
    Lunceford & Davidian (2004), Statistics in Medicine 23:2937; Newcombe (1998), Statistics in Medicine 17:873; Cameron &
    Miller (2015), Journal of Human Resources 50:317.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    >>> oc.compare(oc.kaplan_meier(data), measure="risk_difference", at=52).to_frame()["estimate"].round(4).tolist()
    [-0.0833]
    """
    must_be(
        result, (Cox, Rmst, KaplanMeier, CumulativeIncidence, MeanCount, StandardisedCurves, AdjustedCurves, AdjustedRmst),
        what="compare(result): result",
        expected="what kaplan_meier(…), cumulative_incidence(…), mean_count(…), adjusted_curves(…), rmst(…), cox(…) or its "
        "standardised() gives",
    )  # fmt: skip
    one_of(measure, MEASURES, what="compare: measure")
    _check_arguments(result, measure, at, cause, margin)
    if isinstance(result, Cox):
        chosen = variance if variance is not None else _default_variance(result.data, result.asked)
        return compare_hazards(result, variance=chosen, conf_level=conf_level, cluster_df=cluster_df)
    curves = result.curves if isinstance(result, (Rmst, AdjustedRmst)) else result
    chosen = variance if variance is not None else _default_variance(curves.data, curves.asked)
    if isinstance(result, (Rmst, AdjustedRmst)):
        found, label = result.arm_estimates(variance=chosen), "event-free time"
    else:
        found = result.arm_estimates(_times(at), cause=cause, variance=chosen)
        label = cause if cause is not None else result.causes[0]
    if isinstance(curves, StandardisedCurves):
        whose = {None: "ate", curves.arms[0]: "atc"}.get(curves.over, "att")
        must_have_comparison_people(curves.data, whose, "compare, standardised")
    asked = curves.asked_as(chosen)
    people = np.where(asked.used, curves.data.arm, -1)
    rows, notes = [], [note for note in result.notes if note.code not in ("weights_as_known", *CLUSTER_NOTES)]
    notes += about_weights(asked)
    for arm in range(1, len(found.arms)):
        groups = clustered(asked.cluster, people, found.arms, (0, arm), cluster_df)
        notes += groups.notes
        for t in range(len(found.times)):
            one, more = arm_contrast(result, found, measure, label, t, (0, arm), groups, conf_level)
            notes += more
            row = curve_row(curves.data, asked, found, measure, label, t, (0, arm), one)
            if isinstance(curves, (StandardisedCurves, AdjustedCurves)):
                row["estimand"] = curves.estimand
            rows.append(row)
    notes += _control(curves.data)
    rows.sort(key=lambda row: float(row["time"]))  # stable: arms stay in order
    return Comparison.build(
        rows,
        measure=measure,
        conf_level=conf_level,
        margin=margin,
        variance=found.variance,
        labels={**curves.data.labels, "unit": curves.data.unit, **_how_adjusted(curves, asked)},
        notes=tuple(notes),
        weights=asked.source,
    )


def _control(data: SurvivalData) -> tuple[Note, ...]:
    """Return what a contrast of a negative control says, which is nothing of the programme."""
    if "negative_control" not in data.labels:
        return ()
    text = (
        f"{data.labels['outcome']} is a negative control, which no programme can change: a difference here is what the adjustment has left "
        "between the arms, and the headline may share it."
    )
    return (Note("negative_control", text),)


def _how_adjusted(curves: Any, asked: Asked) -> dict[str, str]:
    """Return how the arms were made alike, where that is not by weights."""
    if isinstance(curves, AdjustedCurves):
        several = {"focal": ""} if len(curves.arms) > 2 else {}
        return {"adjusted_by": curves.adjusted_by, **several}
    plain = isinstance(curves, StandardisedCurves) and not asked.weighted
    return {"adjusted_by": "standardised"} if plain else {}


def _check_arguments(
    result: Any, measure: str, at: float | str | Iterable[float | str] | None, cause: str | None, margin: float | None
) -> None:
    holds: tuple[str, ...]
    if isinstance(result, Cox):
        holds, what, other = ("hazard_ratio",), "a Cox model", {"at": at, "cause": cause}
    elif isinstance(result, (Rmst, AdjustedRmst)):
        holds, what, other = _OF_MEANS, "a restricted mean", {"at": at, "cause": cause}
    elif isinstance(result, MeanCount):
        holds, what, other = _OF_COUNTS, "a mean count", {"cause": cause}
    else:
        holds, what, other = _OF_CURVES, "a curve", {}
        if len(result.causes) > 1:
            must_name_cause(result.data, cause, "compare")
    if measure not in holds:
        source = (
            "cox()"
            if measure == "hazard_ratio"
            else "rmst()"
            if measure in _OF_MEANS
            else "mean_count()"
            if measure in _OF_COUNTS
            else "kaplan_meier() or cumulative_incidence()"
        )
        raise EstimationError(f"compare: {what} gives {', '.join(holds)}; for {measure} take {source}.")
    for name, value in other.items():
        if value is not None:
            raise EstimationError(
                f"compare: {what} was made for one {'horizon' if name == 'at' else 'cause'}; leave {name}= out here."
            )
    if measure in (*_OF_CURVES, *_OF_COUNTS) and not _times(at):
        raise EstimationError("compare: say at which time (at=730, at='2y').")
    if margin is not None and measure not in DIFFERENCES:
        raise EstimationError(f"compare: a margin is for {' and '.join(DIFFERENCES)}, not for {measure}.")
    if margin is not None and not margin > 0:
        raise EstimationError(f"compare: margin must be above 0; got {margin}.")


def _times(at: float | str | Iterable[float | str] | None) -> list[float | str]:
    if isinstance(at, str) or not isinstance(at, Iterable):
        return [] if at is None else [at]
    return list(at)


def _default_variance(data: SurvivalData, asked: Asked) -> str | None:
    if len(data.arms) < 2:
        raise EstimationError(
            "compare: there is only one arm; name an arm and a reference in survival_data or the study."
            + data.instead_of_arms
        )
    source = asked.source
    return "stacked" if source is not None and source.influence is not None and source.gradient is not None else None


def arm_contrast(
    result: KaplanMeier | CumulativeIncidence | MeanCount | StandardisedCurves | AdjustedCurves | AdjustedRmst | Rmst,
    found: ArmEstimates,
    measure: str,
    cause: str,
    t: int,
    pair: tuple[int, int],
    groups: Clustered,
    conf_level: float,
) -> tuple[Contrast, tuple[Note, ...]]:
    """Return the contrast of two arms at one time, and what must be said where an arm has no events."""
    index = list(pair)
    values = found.estimate[t][index]
    covariance = found.covariance[t][np.ix_(index, index)] * groups.factor
    if measure in _OF_MEANS:
        return contrast(measure, values, covariance, df=groups.df, conf_level=conf_level), ()
    whole = np.inf if measure in _OF_COUNTS else 1.0
    flat = [i for i, value in zip(index, values, strict=True) if not 0 < value < whole]
    if not flat:
        return contrast(measure, values, covariance, df=groups.df, conf_level=conf_level), ()
    named = " and ".join(found.arms[i] for i in flat)
    if isinstance(result, AdjustedCurves) and values.min() < 0:
        text = (
            f"The doubly robust risk of {cause} by {found.times[t]:g} is a little below 0 in arm {named}: there are too few events yet for "
            "a ratio."
        )
        difference = measure in ("risk_difference", "nnt")
        one = (
            contrast(measure, values, covariance, df=groups.df, conf_level=conf_level)
            if difference
            else no_contrast(groups.df)
        )
        return one, (Note("below_zero", text),)
    if measure in _OF_COUNTS:
        text = f"Arm {named} has no events by {found.times[t]:g}: there is no interval, and no ratio."
        none = no_contrast(groups.df)
        one = none if measure == "count_ratio" else replace(none, estimate=float(values[1] - values[0]))
        return one, (Note("no_events", text),)
    if measure not in ("risk_difference", "nnt"):
        text = f"Arm {named} has no events, or nothing but events, by {found.times[t]:g}: no ratio exists. Read the difference in risk."
        return no_contrast(groups.df), (Note("no_events", text),)
    limits = None
    if np.isfinite(groups.factor) and isinstance(result, (KaplanMeier, CumulativeIncidence)):
        sizes = sizes_behind(result, cause, float(found.times[t]), pair, values, np.diag(covariance))
        limits = newcombe(values, sizes, conf_level)
    text = (
        f"Arm {named} has no events, or nothing but events, by {found.times[t]:g}: the interval is Newcombe's"
        f"{', people there taken as independent' if np.isfinite(groups.df) else ''}; there is no test."
    )
    return contrast(measure, values, covariance, df=groups.df, conf_level=conf_level, limits=limits), (
        Note("no_events", text),
    )


def curve_row(
    data: SurvivalData,
    asked: Asked,
    found: ArmEstimates,
    measure: str,
    cause: str,
    t: int,
    pair: tuple[int, int],
    one: Contrast,
) -> dict[str, Any]:
    """Return the row of two arms at one time."""
    reference, arm = pair
    return row_of(
        data,
        one,
        measure=measure,
        estimand=asked.estimand,
        arms=(found.arms[reference], found.arms[arm]),
        cause=cause,
        time=float(found.times[t]),
        n=int(found.n[reference] + found.n[arm]),
        n_events=int(found.n_events[t][reference] + found.n_events[t][arm]),
        values=(float(found.estimate[t][reference]), float(found.estimate[t][arm])),
    )
