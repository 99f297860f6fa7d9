"""What every estimator is asked with: weights, clusters and the kind of variance, resolved once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from outcomes.errors import EstimationError, NotSupportedError, did_you_mean, one_of
from outcomes.overlapping_sets import OverlappingSets
from outcomes.results import Array, IntArray, Note, Weights, read_only, sealed

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData

__all__ = ["Asked", "ClusterLike", "WeightsLike", "ask_again", "known_weights", "normal_quantile", "resolve"]

WeightsLike = Weights | str | npt.ArrayLike | None
ClusterLike = str | npt.ArrayLike | None

_LARGEST = 1e100  # squares of weights must stay numbers
_OF_EVERY_EVENT = (
    "cox", "cause_specific", "andersen_gill", "pwp", "mean_count", "event_rate", "rate_model", "compare",
)  # fmt: skip
_OF_STATES = ("state_probabilities", "compare")


@dataclass(frozen=True)
class Asked:
    """Weights, clusters and variance of one estimate; P people.

    Attributes
    ----------
    weight : ndarray, shape (P,)
        Sampling weight of each person; ones where there are none.
    within : ndarray, shape (N,), or None
        What each row of the data weighs beside its person's weight: weights that change over time. None: 1.
    used : ndarray of bool, shape (P,)
        People with a weight above 0 in some row.
    count : ndarray, shape (P,)
        Number of identical people each one stands for (`frequency` of the data); ones where there is none.
    weighted : bool
    source : Weights or None
        The fitted weights, where the person's own score can carry its doubt.
    cluster : ndarray of int or None, shape (P,)
        Cluster of each person; where sets overlap, one set of each, to count them by.
    overlapping : OverlappingSets or None
        Matched sets that share people: influences are summed by them and not by `cluster`.
    variance : str
        ``"model"`` (Greenwood, inverse information), ``"robust"`` (infinitesimal jackknife by person or cluster, weights
        taken as known) or ``"stacked"`` (the same, weights as estimated).
    """

    weight: Array
    within: Array | None
    used: npt.NDArray[np.bool_]
    count: Array
    weighted: bool
    source: Weights | None
    cluster: IntArray | None
    variance: str
    overlapping: OverlappingSets | None = None

    def by_row(self, data: SurvivalData, rows: IntArray | slice = slice(None)) -> Array:
        """Return the weight of rows of the data, shape (N,): its person's, times its own."""
        weight = self.weight[rows] if data.row_a_person else self.weight[data.person[rows]]
        return weight if self.within is None else weight * self.within[rows]

    def beside(self, rows: IntArray | slice = slice(None)) -> Array | float:
        """Return what rows of the data weigh beside their person's weight."""
        return 1.0 if self.within is None else self.within[rows]

    def at_start(self, data: SurvivalData) -> Array:
        """Return what each person counts for in an average over people, shape (P,): the weight of the first row times `count`."""
        return self.by_row(data, np.unique(data.person, return_index=True)[1]) * self.count

    @property
    def groups(self) -> IntArray:
        """Cluster of each person; the person where there are none, shape (P,)."""
        return self.cluster if self.cluster is not None else np.arange(len(self.weight))

    @property
    def given(self) -> WeightsLike:
        """The weights as they can be asked with again."""
        if self.source is not None or not self.weighted:
            return self.source
        return self.weight if self.within is None else self.within

    @property
    def score(self) -> tuple[Array, Array] | None:
        """Gradient of the weights and influence of the score's parameters, (P, K) each, where the variance is stacked."""
        if self.variance != "stacked" or self.source is None:
            return None
        gradient, influence = self.source.gradient, self.source.influence
        return None if gradient is None or influence is None else (gradient, influence)

    @property
    def estimand(self) -> str:
        """Estimand of the weights; ``weighted`` where they came as numbers, ``none`` where there are none."""
        if self.source is not None:
            return self.source.estimand
        return "weighted" if self.weighted else "none"

    @property
    def n_clusters(self) -> int | None:
        """Number of clusters with people in them; None where people are not clustered."""
        return None if self.cluster is None else len(np.unique(self.cluster[self.used]))

    def people_by_arm(self, data: SurvivalData) -> IntArray:
        """Return the number of people with a weight above 0 in each arm, shape (A,)."""
        if len(data.arms) == 1:
            return np.array([self.count.sum(where=self.used)], dtype=np.int64)
        return np.bincount(data.arm, weights=self.count * self.used, minlength=len(data.arms)).astype(np.int64)

    def events_by_arm(self, data: SurvivalData, cause: str | None = None) -> IntArray:
        """Return the number of events, of one cause or of all, of people with a weight above 0 then, in each arm, shape (A,)."""
        hit = data.event > 0 if cause is None else data.event == 1 + data.causes.index(cause)
        hit = np.flatnonzero(hit & (self.by_row(data) > 0))
        return np.bincount(data.row_arm[hit], weights=self.count[data.person[hit]], minlength=len(data.arms)).astype(
            np.int64
        )

    def clusters_by_arm(self, data: SurvivalData) -> tuple[int, ...] | None:
        """Return the number of clusters with people of each arm; None where people are not clustered."""
        if self.cluster is None:
            return None
        return tuple(len(np.unique(self.cluster[self.used & (data.arm == arm)])) for arm in range(len(data.arms)))


def resolve(
    data: SurvivalData, weights: WeightsLike, cluster: ClusterLike, variance: str | None, *, what: str
) -> Asked:
    """Return the weights, clusters and variance of an estimate of `data`, checked."""
    if data.repeated and what not in _OF_EVERY_EVENT:
        raise NotSupportedError(
            f"{what}: these data hold every event of a person (cohort.every_event), and {what} is about the first. Take cohort.outcome(…); "
            "mean_count, andersen_gill, pwp and event_rate take every event."
        )
    if data.states and what not in _OF_STATES:
        raise NotSupportedError(
            f"{what}: these data hold moves between states (from_state=), and {what} knows one state. Take state_probabilities; or give "
            "survival_data the rows of one state, without from_state=."
        )
    values, within, source = _weights(data, weights, what)
    codes = _clusters(data, cluster if cluster is not None else data.cluster, what)
    overlapping = source.overlapping if codes is None and source is not None else None
    if codes is None and source is not None:
        codes = source.sets if overlapping is None else overlapping.label
    chosen = _variance(
        data, variance, weighted=values is not None, clustered=codes is not None, source=source, what=what
    )
    if codes is not None and len(np.unique(codes)) == len(codes):
        codes, overlapping = None, None  # every person their own cluster: people
    return Asked(
        weight=read_only(values) if values is not None else sealed(np.ones(len(data.baseline))),
        within=within,
        used=sealed(_used(data, values, within)),
        count=sealed(_counts(data, what)),
        weighted=values is not None,
        source=source,
        cluster=None if chosen == "model" else codes,
        variance=chosen,
        overlapping=None if chosen == "model" else overlapping,
    )


def ask_again(data: SurvivalData, asked: Asked, variance: str | None, *, what: str) -> Asked:
    """Return what was asked, with another kind of variance where one is named."""
    if variance is None or variance == asked.variance:
        return asked
    again = resolve(data, asked.given, None, variance, what=what)
    if again.variance == "model":
        return replace(again, cluster=None, overlapping=None)
    return replace(again, cluster=asked.cluster, overlapping=asked.overlapping)


def _weights(data: SurvivalData, weights: WeightsLike, what: str) -> tuple[Array | None, Array | None, Weights | None]:
    """Return the weights of people (P,) and of rows beside them (N,), and the result they came from."""
    people, rows = len(data.baseline), len(data.exit)
    if weights is None:
        return None, None, None
    source, within = weights if isinstance(weights, Weights) else None, None
    if isinstance(weights, Weights):
        values = np.asarray(weights.values, dtype=np.float64)
        within = weights.within
        same = values.shape == (people,) and weights.arms == data.arms and bool((weights.arm == data.arm).all())
        same = same and (within is None or within.shape == (rows,))
        if not same:
            raise EstimationError(
                f"{what}: these weights were made for other people or arms. Make them from the same data."
            )
    elif isinstance(weights, str):
        if weights not in data.baseline.columns:
            raise EstimationError(
                f"{what}: no column {weights!r} (weights). {did_you_mean(weights, map(str, data.baseline.columns))}"
            )
        import pandas as pd

        if not pd.api.types.is_numeric_dtype(data.baseline[weights]):
            raise EstimationError(f"{what}: column {weights!r} (weights) must hold numbers.")
        values = data.baseline[weights].to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        values = np.asarray(weights, dtype=np.float64)
    if values.shape == (rows,) != (people,):
        values, within = np.ones(people), read_only(values)
    if values.shape != (people,):
        each = f"one number a person ({people:,})" + (f" or a row ({rows:,})" if rows != people else "")
        raise EstimationError(f"{what}: weights must be {each}; got shape {values.shape}.")
    rows_too = (
        () if data.row_a_person and within is None else (values[data.person] * (1.0 if within is None else within),)
    )
    by_row = rows_too[0] if rows_too else values
    for given in (values, *rows_too):
        if bad := int((~np.isfinite(given) | (given < 0)).sum()):
            raise EstimationError(f"{what}: {bad:,} of {len(given):,} weights are missing, infinite or negative.")
    if bad := int(((by_row > 0) & ((by_row < 1 / _LARGEST) | (by_row > _LARGEST))).sum()):
        raise EstimationError(
            f"{what}: {bad:,} of {len(by_row):,} weights are above {_LARGEST:g} or, being above 0, below {1 / _LARGEST:g}. Only their "
            "proportions matter: divide by the largest, and leave out who weighs nothing."
        )
    for index, arm in enumerate(data.arms):
        if not (by_row[data.row_arm == index] > 0).any():
            raise EstimationError(f"{what}: every weight in arm {arm!r} is 0; nobody is left to estimate from.")
    return values, within, source


def _used(data: SurvivalData, values: Array | None, within: Array | None) -> npt.NDArray[np.bool_]:
    """Return who has a weight above 0, shape (P,)."""
    someone = np.ones(len(data.baseline), dtype=bool) if values is None else values > 0
    return someone if within is None else someone & (np.bincount(data.person, weights=within > 0) > 0)


def _counts(data: SurvivalData, what: str) -> Array:
    """Return how many people each one stands for, shape (P,)."""
    if data.frequency is None:
        return np.ones(len(data.baseline))
    count = np.zeros(len(data.baseline))
    count[data.person] = data.frequency
    differ = int((count[data.person] != data.frequency).sum())
    if differ:
        raise EstimationError(
            f"{what}: in {differ:,} rows the frequency differs from that of the same person's other rows."
        )
    return count


def _clusters(data: SurvivalData, cluster: ClusterLike, what: str) -> IntArray | None:
    import pandas as pd

    if cluster is None:
        return None
    if isinstance(cluster, str):
        if cluster not in data.baseline.columns:
            hint = did_you_mean(cluster, map(str, data.baseline.columns))
            raise EstimationError(f"{what}: no column {cluster!r} (cluster). {hint}")
        values, where = data.baseline[cluster], f"column {cluster!r} (cluster)"
    else:
        values, where = pd.Series(np.asarray(cluster)), "the cluster"
    if len(values) != len(data.baseline):
        raise EstimationError(
            f"{what}: cluster must be one value a person ({len(data.baseline):,}); got {len(values):,}."
        )
    missing = int(values.isna().sum())
    if missing:
        raise EstimationError(f"{what}: {where} is missing for {missing:,} people.")
    return pd.factorize(values)[0].astype(np.int64)


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


def known_weights(asked: Asked) -> tuple[Note, ...]:
    """Return the note that goes with fitted weights that are taken as known; none where they are not."""
    if asked.source is None or asked.variance != "robust":
        return ()
    text = "The intervals take the weights as known"
    carried = asked.source.influence is not None and asked.source.gradient is not None
    return (
        Note(
            "weights_as_known",
            f"{text}; compare() accounts for their having been estimated." if carried else f"{text}.",
        ),
    )
