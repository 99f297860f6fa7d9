"""Mean number of events a person by each time, by arm: the function people call and the result they get."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.durations import in_words
from outcomes.errors import NotSupportedError, one_of
from outcomes.results import Array, Note
from outcomes.survival.arm_curves import head_count
from outcomes.survival.curve_kernel import ArmCurve
from outcomes.survival.curve_results import Curves, fit_arms
from outcomes.survival.few_clusters import about_clusters_of_arms
from outcomes.survival.influence_paths import InfluencePath, path_of_count
from outcomes.survival.inputs import ClusterLike, WeightsLike, known_weights, normal_quantile, resolve

if TYPE_CHECKING:
    pass

__all__ = ["MeanCount", "mean_count", "needs_every_event"]

_METHODS = ("ghosh-lin", "nelson")


def mean_count(
    data: SurvivalData,
    *,
    method: str = "ghosh-lin",
    weights: WeightsLike = None,
    conf_type: str = "log",
    conf_level: float = 0.95,
    cluster: ClusterLike = None,
    variance: str | None = None,
) -> MeanCount:
    """Estimate the mean number of events a person has had by each time, by arm.

    Use it for how often, not only whether: it is the average of everybody's count, and what ends follow-up for good (death,
    deportation) ends a person's count.

    Parameters
    ----------
    data : SurvivalData
        With every event of a person: ``cohort.every_event(…)``, or ``survival_data(repeated=True)``. The first cause is counted; the
        others end the count.
    method : {"ghosh-lin", "nelson"}
        ``ghosh-lin``: the mean count of all who started, where those who left by a competing event have no more. ``nelson``: the
        cumulative rate while present, in which leaving counts as censoring; higher, and the same where nothing competes.
    weights : Weights, str or array of shape (P,) or (N,), optional
        Sampling weights, one a person, or one a row where they change over time.
    conf_type : {"log", "plain"}
    conf_level : float
    cluster : str or array of shape (P,), optional
        Column of ``data.baseline`` (or codes) whose groups vary together. Default: the cluster of the data.
    variance : {"robust", "stacked", "model"}, optional
        Default: the infinitesimal jackknife by person or cluster; stacked: with the weights as estimated; model: of a Poisson process
        (``nelson`` without weights only), too small where some people have more events than others.

    Returns
    -------
    MeanCount
        ``to_frame()`` and ``at(times)`` have columns outcome, estimand, arm, cause, time, estimate (events a person), std_error,
        conf_low, conf_high, n, n_at_risk, n_events, n_censored.

    Raises
    ------
    NotSupportedError
        The data hold first events only; the Poisson variance with weights or with ``ghosh-lin``.
    EstimationError
        An arm without people; weights that are negative or all 0.

    Notes
    -----
    The mean count is the integral of S(t-) dN(t) / Y(t), with S the product limit of the competing events. All events at a tied time
    come from the same risk set; at a tie an event comes before what ends the count. Risk sets are (entry, exit]: late entry and gaps
    are time not at risk. The number of earlier events may matter for later ones: no independence within a person is assumed.

    References
    ----------
    Ghosh & Lin (2000), Biometrics 56:554; Nelson (1988), Journal of Quality Technology 20:24; Lawless & Nadeau (1995),
    Technometrics 37:158.

    Examples
    --------
    >>> import pandas as pd, outcomes as oc
    >>> frame = pd.DataFrame({"id": [1, 1, 2], "start": [0, 3, 0], "stop": [3, 9, 9], "arrest": [1, 1, 0]})
    >>> data = oc.survival_data(frame, entry="start", exit="stop", event="arrest", id="id", repeated=True)
    >>> oc.mean_count(data).at(9)["estimate"].tolist()
    [1.0]
    """
    must_be_data(data, "mean_count(data)")
    one_of(method, _METHODS, what="mean_count: method")
    one_of(conf_type, ("log", "plain"), what="mean_count: conf_type")
    normal_quantile(conf_level)
    needs_every_event(data, "mean_count")
    asked = resolve(data, weights, cluster, "robust" if variance is None else variance, what="mean_count")
    if asked.variance == "model" and method != "nelson" and len(data.causes) > 1:
        raise NotSupportedError(
            "mean_count: there is no Poisson variance where other events end the count; use variance='robust', or method='nelson'."
        )
    event = np.asarray(data.event) if method == "ghosh-lin" else (data.event == 1).astype(np.int64)
    whole, rows, _ = fit_arms(data, asked, event, len(data.causes) if method == "ghosh-lin" else 1, "mean_count")
    fits = tuple(_counted(fit) for fit in whole)
    notes = [note for arm, fit in zip(data.arms, fits, strict=True) for note in _about_arm(arm, fit)]
    if method == "nelson" and len(data.causes) > 1:
        notes.append(_while_present(data))
    notes += (*about_clusters_of_arms(data, asked), *known_weights(asked))
    return MeanCount(
        data=data, asked=asked, fits=fits, rows=rows, causes=data.causes[:1], method=method, conf_type=conf_type,
        conf_level=conf_level, notes=(*data.notes, *notes),
    )  # fmt: skip


def needs_every_event(data: SurvivalData, what: str) -> None:
    """Raise where the data hold first events only."""
    if not data.repeated:
        raise NotSupportedError(
            f"{what}: these data hold first events; {what} needs every event of a person. Take cohort.every_event(…), or say "
            "repeated=True in survival_data."
        )


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class MeanCount(Curves):
    """Mean number of events a person by each time, by arm.

    Attributes
    ----------
    method : str
        ``"ghosh-lin"`` or ``"nelson"``.
    """

    method: str

    drawing: ClassVar[str | None] = "mean_count"
    title: ClassVar[str] = "Mean number of events"
    no_share: ClassVar[str] = (
        "a mean count is no share of people. Take at() for counts by a time, with their limits; for a share of people take kaplan_meier "
        "or cumulative_incidence of first events."
    )

    @property
    def while_present(self) -> bool:
        """Whether leaving counts as censoring though it may be told apart."""
        return self.method == "nelson" and len(self.data.causes) > 1

    def steps(self, arm: int, cause: int) -> Array:
        """Return the mean count after each number of times passed, shape (T + 1,)."""
        return np.concatenate(([0.0], self.fits[arm].cif[0]))

    def path(self, arm: int, cause: int) -> InfluencePath:
        """Return how the mean count moves with each row's weight."""
        fit = self.fits[arm]
        return path_of_count(fit.table, fit.event, fit.survival)

    def _model_variance(self, arm: int, cause: int) -> Array:
        table = self.fits[arm].table
        return np.concatenate(([0.0], np.cumsum(table.per_at_risk(table.per_at_risk(table.events[0])))))

    def _limits(self, estimate: Array, error: Array, reach: float | Array) -> tuple[Array, Array]:
        apart = reach * error
        if self.conf_type == "plain":
            return np.maximum(estimate - apart, 0.0), estimate + apart
        share = np.divide(apart, estimate, out=np.zeros_like(apart), where=estimate > 0)
        return estimate * np.exp(-share), estimate * np.exp(share)

    def describe(self) -> str:
        """Return the mean counts at the last common time in plain sentences."""
        moment = self._common_time()
        when = in_words(moment, self.data.unit)
        present = " while present" if self.while_present else ""
        return " ".join(
            f"{row['arm']}, {row['cause']}: an estimated {row['estimate']:.2f} events a person{present} by {when} "
            f"({row['conf_low']:.2f} to {row['conf_high']:.2f}; people: {row['n']:,}, events: {row['n_events']:,})."
            for row in self.at(moment).to_dict("records")
        )


def _counted(fit: ArmCurve) -> ArmCurve:
    """Return the arm's curve with the share the competing events leave, and the mean count of cause 1 in place of incidences."""
    table = fit.table
    ended, n_ended = table.events[1:].sum(axis=0), table.n_events[1:].sum(axis=0)
    everyone = (n_ended >= table.n_at_risk) & (n_ended > 0)
    survival = np.asarray(np.cumprod(np.where(everyone, 0.0, 1.0 - table.per_at_risk(ended))), dtype=np.float64)
    before = np.concatenate(([1.0], survival[:-1]))
    return replace(fit, survival=survival, cif=np.cumsum(before * table.per_at_risk(table.events[0]))[None, :])


def _about_arm(arm: str, fit: ArmCurve) -> list[Note]:
    table = fit.table
    if not table.n_events[0].any():
        text = f"Arm {arm}: nobody had an event; an interval without width is not certainty."
        return [Note("no_events_in_arm", text)]
    gone = np.flatnonzero((fit.survival[:-1] == 0) & (table.n_at_risk[1:] > 0))
    if len(gone):
        people = head_count(table.n_at_risk[gone[0]])
        text = (
            f"Arm {arm}: everybody at risk at time {fit.times[gone[0]]:g} ({people}) left for good, so the mean "
            "count stays where it is although others enter later. Begin later, where enough people are at risk."
        )
        return [Note("risk_set_emptied", text)]
    if ((table.n_left[:-1] == 0) & ~np.isin(fit.times[:-1], fit.entry)).any():
        text = (
            f"Arm {arm}: for a time nobody was at risk; the count is carried across, as if nothing had happened then."
        )
        return [Note("risk_set_gap", text)]
    return []


def _while_present(data: SurvivalData) -> Note:
    text = (
        f"Ends of follow-up by {', '.join(data.causes[1:])} count as censored: this is the count of somebody who stayed throughout, not "
        "the mean of all. For that, see method='ghosh-lin'."
    )
    return Note("competing_censored", text)
