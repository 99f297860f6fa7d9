"""What every estimator is asked with: weights, clusters and the kind of variance, resolved once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from outcomes.errors import EstimationError, did_you_mean, one_of
from outcomes.results import Array, IntArray, Note, Weights, read_only

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData

__all__ = ["Asked", "WeightsLike", "normal_quantile", "resolve"]

WeightsLike = Weights | str | npt.ArrayLike | None


@dataclass(frozen=True)
class Asked:
    """Weights, clusters and variance of one estimate; P people.

    Attributes
    ----------
    weight : ndarray, shape (P,)
        Sampling weight of each person; ones where there are none.
    weighted : bool
    source : Weights or None
        The fitted weights, where the person's own score can carry its doubt.
    cluster : ndarray of int or None, shape (P,)
        Cluster of each person.
    variance : str
        ``"model"`` (Greenwood, inverse information), ``"robust"`` (infinitesimal jackknife by person or cluster, weights
        taken as known) or ``"stacked"`` (the same, weights as estimated).
    """

    weight: Array
    weighted: bool
    source: Weights | None
    cluster: IntArray | None
    variance: str

    @property
    def groups(self) -> IntArray:
        """Cluster of each person; the person where there are none, shape (P,)."""
        return self.cluster if self.cluster is not None else np.arange(len(self.weight))


def resolve(data: SurvivalData, weights: WeightsLike, cluster: str | None, variance: str | None, *, what: str) -> Asked:
    """Return the weights, clusters and variance of an estimate of `data`, checked."""
    values, source = _weights(data, weights, what)
    name = cluster if cluster is not None else data.cluster
    codes = _clusters(data, name, what)
    chosen = _variance(
        data, variance, weighted=values is not None, clustered=codes is not None, source=source, what=what
    )
    return Asked(
        weight=read_only(values if values is not None else np.ones(len(data.baseline))),
        weighted=values is not None,
        source=source,
        cluster=None if chosen == "model" else codes,
        variance=chosen,
    )


def _weights(data: SurvivalData, weights: WeightsLike, what: str) -> tuple[Array | None, Weights | None]:
    people = len(data.baseline)
    if weights is None:
        return None, None
    source = weights if isinstance(weights, Weights) else None
    if isinstance(weights, Weights):
        values = np.asarray(weights.values, dtype=np.float64)
        same = values.shape == (people,) and weights.arms == data.arms and bool((weights.arm == data.arm).all())
        if not same:
            raise EstimationError(
                f"{what}: these weights were made for other people or arms. Make them from the same data."
            )
    elif isinstance(weights, str):
        if weights not in data.baseline.columns:
            raise EstimationError(
                f"{what}: no column {weights!r} (weights). {did_you_mean(weights, map(str, data.baseline.columns))}"
            )
        values = data.baseline[weights].to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        values = np.asarray(weights, dtype=np.float64)
    if values.shape != (people,):
        raise EstimationError(f"{what}: weights must be one number a person ({people:,}); got shape {values.shape}.")
    bad = int((~np.isfinite(values) | (values < 0)).sum())
    if bad:
        raise EstimationError(f"{what}: {bad:,} of {people:,} weights are missing, infinite or negative.")
    for index, arm in enumerate(data.arms):
        if not (values[data.arm == index] > 0).any():
            raise EstimationError(f"{what}: every weight in arm {arm!r} is 0; nobody is left to estimate from.")
    return values, source


def _clusters(data: SurvivalData, name: str | None, what: str) -> IntArray | None:
    if name is None:
        return None
    if name not in data.baseline.columns:
        raise EstimationError(
            f"{what}: no column {name!r} (cluster). {did_you_mean(name, map(str, data.baseline.columns))}"
        )
    import pandas as pd

    missing = int(data.baseline[name].isna().sum())
    if missing:
        raise EstimationError(f"{what}: column {name!r} (cluster) is missing for {missing:,} people.")
    return pd.factorize(data.baseline[name], sort=True)[0].astype(np.int64)


def _variance(
    data: SurvivalData, variance: str | None, *, weighted: bool, clustered: bool, source: Weights | None, what: str
) -> str:
    needs_robust = weighted or clustered or data.multi_row
    if variance is None:
        return "robust" if needs_robust else "model"
    chosen = (
        "model"
        if variance == "greenwood"
        else one_of(variance, ("greenwood", "model", "robust", "stacked"), what=f"{what}: variance")
    )
    if chosen == "model" and weighted:
        raise EstimationError(
            f"{what}: the model-based variance takes weights for counts of people and shrinks as they grow. Use variance='robust', "
            "or frequency= in survival_data where the weights are counts."
        )
    if chosen == "stacked" and (source is None or source.influence is None or source.gradient is None):
        raise EstimationError(
            f"{what}: variance='stacked' needs weights made by weight(), which carry the score they came from."
        )
    return chosen


def normal_quantile(conf_level: float) -> float:
    """Return the two-sided normal quantile of a confidence level between 0 and 1."""
    if not 0 < conf_level < 1:
        raise EstimationError(f"conf_level must lie between 0 and 1; got {conf_level}.")
    from scipy.special import ndtri

    return float(ndtri(0.5 + conf_level / 2))


def stacked_note() -> Note:
    """Return the note that goes with weights taken as known."""
    return Note(
        "weights_as_known",
        "The intervals take the weights as known; compare() accounts for their having been estimated.",
    )
