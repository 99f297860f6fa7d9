"""Differences and ratios between arms, with the doubt about them: the function people call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.comparison.comparing import Comparison
from outcomes.errors import EstimationError, NotSupportedError, one_of
from outcomes.results import Array, IntArray, Note
from outcomes.survival.cox_model import Cox
from outcomes.survival.curves import CumulativeIncidence, Curves, KaplanMeier
from outcomes.survival.estimates import ArmEstimates
from outcomes.survival.inputs import Asked
from outcomes.survival.restricted_mean import Rmst

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData

__all__ = ["MEASURES", "compare"]

MEASURES = (
    "risk_difference",
    "risk_ratio",
    "odds_ratio",
    "nnt",
    "rmst_difference",
    "rmst_ratio",
    "hazard_ratio",
)
_RATIOS = ("risk_ratio", "odds_ratio", "rmst_ratio", "hazard_ratio")


@dataclass(frozen=True)
class _Contrast:
    """One arm against the reference on the scale where its interval is made."""

    estimate: float
    std_error: float
    df: float


def compare(
    result: KaplanMeier | CumulativeIncidence | Rmst | Cox,
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
    result : KaplanMeier, CumulativeIncidence, Rmst or Cox
    measure : str
        ``risk_difference``, ``risk_ratio``, ``odds_ratio``, ``nnt`` (curves); ``rmst_difference``, ``rmst_ratio`` (restricted means);
        ``hazard_ratio`` (Cox with ``arm`` in its formula).
    at : time or list of times
        Required for curves: 730, ``"2y"``, or several.
    cause : str, optional
        Which cause's risk; default the outcome.
    variance : {"greenwood", "robust", "stacked"}, optional
        Default: stacked (weights as estimated) where the weights came from `weight`; otherwise as in the result.
    conf_level : float
    margin : float, optional
        Difference that would not matter, in percentage points (risks) or in the unit of time (restricted means); allows the
        verdict "no difference larger than the margin".
    cluster_df : float, optional
        Degrees of freedom of clustered intervals; default clusters - 2 where every cluster's people are in one arm or in
        either, as arms were given to areas.

    Returns
    -------
    Comparison
        One row an arm other than the reference and time: outcome, population, estimand, scale, arm, reference, cause, time, measure,
        estimate, std_error, statistic, df, p_value, conf_low, conf_high, n, n_events, verdict (and p_holm, p_bh where
        there are several rows). Risks are proportions; std_error of ratios is on the log scale.

    Raises
    ------
    EstimationError
        One arm, no time, a time beyond the follow-up of an arm (named with its last usable time), a measure that the result
        does not hold.

    Notes
    -----
    Variances come from people's influences, summed by cluster, with both arms together; clustered ones are multiplied by
    G/(G-1) and read on t. Without events in an arm the risk difference has Newcombe's interval and ratios are not given.

    References
    ----------
    Lunceford & Davidian (2004), Statistics in Medicine 23:2937; Newcombe (1998), Statistics in Medicine 17:873.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    >>> oc.compare(oc.kaplan_meier(data), measure="risk_difference", at=52).to_frame()["estimate"].round(4).tolist()
    [-0.0833]
    """
    one_of(measure, MEASURES, what="compare: measure")
    data = result.data if isinstance(result, (Curves, Cox)) else result.curves.data
    if len(data.arms) < 2:
        raise EstimationError(
            "compare: there is only one arm; name an arm and a reference in survival_data or the study."
        )
    chosen = variance or _default_variance(result)
    if isinstance(result, Cox):
        return _hazard_ratios(result, measure, chosen, conf_level, cluster_df)
    if isinstance(result, Rmst):
        if measure not in ("rmst_difference", "rmst_ratio"):
            raise EstimationError(
                f"compare: {measure} needs curves or a Cox model; a restricted mean gives rmst_difference or rmst_ratio."
            )
        found, label = result.arm_estimates(variance=chosen), "event_free"
    else:
        if measure.startswith("rmst") or measure == "hazard_ratio":
            raise EstimationError(
                f"compare: {measure} does not come from curves; use {'rmst' if measure.startswith('rmst') else 'cox'}()."
            )
        if at is None:
            raise EstimationError("compare: say at which time (at=730, at='2y').")
        times = [at] if isinstance(at, (str, int, float)) else list(at)
        found, label = result.arm_estimates(times, cause=cause, variance=chosen), cause or result.causes[0]
    return _assemble(data, found, measure, label, conf_level, margin, cluster_df, result.notes, _asked(result))


def _asked(result: KaplanMeier | CumulativeIncidence | Rmst | Cox) -> Asked:
    return result.curves.asked if isinstance(result, Rmst) else result.asked


def _default_variance(result: KaplanMeier | CumulativeIncidence | Rmst | Cox) -> str | None:
    source = _asked(result).source
    return "stacked" if source is not None and source.influence is not None and source.gradient is not None else None


def _assemble(
    data: SurvivalData,
    found: ArmEstimates,
    measure: str,
    cause: str,
    conf_level: float,
    margin: float | None,
    cluster_df: float | None,
    notes: tuple[Note, ...],
    asked: Asked,
) -> Comparison:
    factor, df, more = _clusters(found, cluster_df)
    rows, extra = [], list(more)
    for t, time in enumerate(found.times):
        for a in range(1, len(found.arms)):
            pair = found.estimate[t][[0, a]]
            covariance = found.covariance[t][np.ix_([0, a], [0, a])] * factor
            events = found.n_events[t][[0, a]]
            contrast, note = _contrast(measure, pair, covariance, df, events)
            if note is not None and note not in extra:
                extra.append(note)
            row = _row(data, asked, found, measure, cause, float(time), a, contrast, conf_level, t)
            if contrast.std_error == 0 and measure == "risk_difference":
                row |= _newcombe(pair, found.n[[0, a]], conf_level)
            rows.append(row)
    kept = tuple(n for n in notes if n.code != "weights_as_known")
    return Comparison.build(
        rows,
        measure=measure,
        conf_level=conf_level,
        margin=margin,
        variance=found.variance,
        unit=data.unit,
        notes=(*kept, *extra),
    )


def _clusters(found: ArmEstimates, cluster_df: float | None) -> tuple[float, float, tuple[Note, ...]]:
    """Return the small-sample factor, the degrees of freedom, and what to say about few clusters."""
    if found.n_clusters is None or found.clusters is None:
        return 1.0, float("inf"), ()
    groups = found.n_clusters
    notes = []
    alone = [arm for arm, count in zip(found.arms, found.clusters, strict=True) if count < 2]
    if alone or groups < 3:
        notes.append(
            Note(
                "one_cluster",
                f"Arm {', '.join(alone) or found.arms[0]} has one cluster only: arm and cluster cannot be told apart; no interval.",
            )
        )
        return float("nan"), float("nan"), tuple(notes)
    if min(found.clusters) < 10:
        notes.append(
            Note(
                "few_clusters",
                f"Arms have {', '.join(f'{c} clusters ({a})' for a, c in zip(found.arms, found.clusters, strict=True))}: with fewer than "
                "10 the interval may be too narrow even on t; read it with a randomisation test.",
            )
        )
    return groups / (groups - 1), groups - 2 if cluster_df is None else cluster_df, tuple(notes)


def _contrast(measure: str, pair: Array, covariance: Array, df: float, events: Array) -> tuple[_Contrast, Note | None]:
    """Return one contrast on its own scale; `pair` is reference, arm."""
    reference, arm = pair
    if measure in ("risk_difference", "rmst_difference", "nnt"):
        slope, value = np.array([-1.0, 1.0]), arm - reference
    elif (pair <= 0).any() or (measure == "odds_ratio" and (pair >= 1).any()):
        note = Note(
            "no_events",
            "An arm has no events (or nothing but events): no finite ratio exists. Read the difference in risk.",
        )
        return _Contrast(float("nan"), float("nan"), df), note
    elif measure == "odds_ratio":
        slope = np.array([-1 / (reference * (1 - reference)), 1 / (arm * (1 - arm))])
        value = np.log(arm / (1 - arm)) - np.log(reference / (1 - reference))
    else:
        slope, value = np.array([-1 / reference, 1 / arm]), np.log(arm / reference)
    error = float(np.sqrt(max(slope @ covariance @ slope, 0.0))) if np.isfinite(covariance).all() else float("nan")
    if measure == "risk_difference" and (np.asarray(events) == 0).any():
        note = Note(
            "no_events",
            "An arm has no events: the interval is Newcombe's where no variance exists, and ratios are not given.",
        )
    return _Contrast(float(value), error, df), note


def _row(
    data: SurvivalData,
    asked: Asked,
    found: ArmEstimates,
    measure: str,
    cause: str,
    time: float,
    a: int,
    contrast: _Contrast,
    conf_level: float,
    t: int,
) -> dict[str, Any]:
    critical = _quantile(conf_level, contrast.df)
    low, high = contrast.estimate - critical * contrast.std_error, contrast.estimate + critical * contrast.std_error
    statistic = contrast.estimate / contrast.std_error if contrast.std_error > 0 else float("nan")
    estimate = contrast.estimate
    if measure in _RATIOS:
        estimate, low, high = float(np.exp(estimate)), float(np.exp(low)), float(np.exp(high))
    elif measure == "nnt":
        clear = low > 0 or high < 0
        estimate = 1 / abs(estimate) if estimate != 0 else float("inf")
        low, high = (
            (1 / max(abs(low), abs(high)), 1 / min(abs(low), abs(high))) if clear else (float("nan"), float("nan"))
        )
    return {
        "outcome": data.labels.get("outcome", ""),
        "population": data.labels.get("population", ""),
        "estimand": asked.source.estimand if asked.source else ("weighted" if asked.weighted else "none"),
        "scale": data.labels.get("scale", ""),
        "arm": found.arms[a],
        "reference": found.arms[0],
        "cause": cause,
        "time": time,
        "measure": measure,
        "estimate": estimate,
        "std_error": contrast.std_error,
        "statistic": statistic,
        "df": contrast.df,
        "p_value": _p_value(statistic, contrast.df),
        "conf_low": low,
        "conf_high": high,
        "n": int(found.n[0] + found.n[a]),
        "n_events": int(found.n_events[t][0] + found.n_events[t][a]),
        "risk_reference": float(found.estimate[t][0]),
        "risk_arm": float(found.estimate[t][a]),
    }


def _quantile(conf_level: float, df: float) -> float:
    from scipy.special import ndtri, stdtrit

    if not 0 < conf_level < 1:
        raise EstimationError(f"conf_level must lie between 0 and 1; got {conf_level}.")
    level = 0.5 + conf_level / 2
    return float(ndtri(level)) if np.isinf(df) else float(stdtrit(df, level))


def _p_value(statistic: float, df: float) -> float:
    from scipy.special import ndtr, stdtr

    if not np.isfinite(statistic):
        return float("nan")
    return float(2 * ndtr(-abs(statistic))) if np.isinf(df) else float(2 * stdtr(df, -abs(statistic)))


def _newcombe(pair: Array, n: IntArray, conf_level: float) -> dict[str, float]:
    """Return Newcombe's hybrid score interval of arm minus reference."""
    z = _quantile(conf_level, float("inf"))
    centre = (pair + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z * np.sqrt(pair * (1 - pair) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    low, high = centre - reach, centre + reach
    gap = float(pair[1] - pair[0])
    return {
        "conf_low": gap - float(np.hypot(pair[1] - low[1], high[0] - pair[0])),
        "conf_high": gap + float(np.hypot(high[1] - pair[1], pair[0] - low[0])),
    }


def _hazard_ratios(
    result: Cox, measure: str, variance: str | None, conf_level: float, cluster_df: float | None
) -> Comparison:
    if measure != "hazard_ratio":
        raise EstimationError(f"compare: a Cox model gives hazard_ratio, not {measure}.")
    data = result.data
    index = {arm: _arm_term(result, arm) for arm in data.arms[1:]}
    influence = result.influence(variance=variance) if variance or result.asked.variance != "model" else None
    if influence is None:
        covariance = np.asarray(result.covariance)
    else:
        groups = result.asked.groups
        summed = np.zeros((int(groups.max()) + 1, influence.shape[1]))
        np.add.at(summed, groups, influence)
        covariance = summed.T @ summed
    clusters = (
        None
        if result.asked.cluster is None
        else tuple(len(np.unique(result.asked.cluster[data.arm == a])) for a in range(len(data.arms)))
    )
    total = None if result.asked.cluster is None else len(np.unique(result.asked.cluster))
    rows, notes = [], result.notes
    for a, arm in enumerate(data.arms):
        if a == 0:
            continue
        j = index[arm]
        found = ArmEstimates(
            arms=data.arms,
            times=np.array([float("nan")]),
            estimate=np.full((1, len(data.arms)), np.nan),
            covariance=np.zeros((1, 2, 2)),
            n=data.people_by_arm(),
            n_events=data.events_by_arm(result.cause)[None],
            variance=variance or result.asked.variance,
            clusters=clusters,
            n_clusters=total,
        )
        factor, df, more = _clusters(found, cluster_df)
        contrast = _Contrast(float(result.coefficients[j]), float(np.sqrt(covariance[j, j] * factor)), df)
        rows.append(
            _row(data, result.asked, found, "hazard_ratio", result.cause, float("nan"), a, contrast, conf_level, 0)
        )
        notes = (*result.notes, *more)
    return Comparison.build(
        rows,
        measure=measure,
        conf_level=conf_level,
        margin=None,
        variance=variance or result.asked.variance,
        unit=data.unit,
        notes=(
            *notes,
            Note(
                "hazard_ratio",
                "A hazard ratio needs its test of proportional hazards and an absolute difference beside it.",
            ),
        ),
    )


def _arm_term(result: Cox, arm: str) -> int:
    wanted = [f"arm[{arm}]"]
    if result.data.arm_column is not None:
        wanted += [f"{result.data.arm_column}[{arm}]", f"C({result.data.arm_column})[{arm}]", result.data.arm_column]
    for name in wanted:
        if name in result.terms:
            return result.terms.index(name)
    raise NotSupportedError("compare: the Cox model has no term for the arm; put arm into its formula.")
