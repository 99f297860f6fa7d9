"""In which state people are over time, by arm: the function people call and the result they get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.durations import in_words, moments_of
from outcomes.errors import EstimationError, did_you_mean, one_of
from outcomes.results import Array, IntArray, Note, Result
from outcomes.survival.estimates import Influence, covariance_of, stack
from outcomes.survival.few_clusters import about_clusters_of_arms, reach_of_arm
from outcomes.survival.inputs import Asked, ClusterLike, WeightsLike, ask_again, known_weights, normal_quantile, resolve
from outcomes.survival.intervals import CONF_TYPES, probability_limits
from outcomes.survival.state_kernel import ArmStates, fit_states, state_influences

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["StateProbabilities", "state_probabilities"]

_FREE = "event_free"


def state_probabilities(
    data: SurvivalData,
    *,
    weights: WeightsLike = None,
    conf_type: str = "log-log",
    conf_level: float = 0.95,
    cluster: ClusterLike = None,
    variance: str | None = None,
) -> StateProbabilities:
    """Estimate the share of people in each state over time, by arm.

    Use it where people move between states and may come back: in the community, in custody on recall, reoffended, dead.

    Parameters
    ----------
    data : SurvivalData
        From ``survival_data(from_state=…)``. Data of first events are taken as moves from ``event_free`` to each cause.
    weights : Weights, str or array of shape (P,) or (N,), optional
        Sampling weights, one a person, or one a row where they change over time.
    conf_type : {"log-log", "log", "plain", "logit", "arcsine"}
    conf_level : float
    cluster : str or array of shape (P,), optional
        Column of ``data.baseline`` (or codes) whose groups vary together. Default: the cluster of the data.
    variance : {"robust", "stacked"}, optional
        Infinitesimal jackknife by person or cluster; stacked: with the weights as estimated.

    Returns
    -------
    StateProbabilities
        ``to_frame()`` and ``at(times)`` have columns outcome, estimand, arm, state, time, estimate, std_error, conf_low, conf_high, n,
        n_at_risk (in the state just before the time), n_entered (moves into it by the time). `transitions` counts the moves.

    Raises
    ------
    NotSupportedError
        The data hold every event of a person without saying between which states they move.
    EstimationError
        An arm without people; weights that are negative or all 0.

    Notes
    -----
    The distribution at the start, that of people at risk just before the arm's first move, times the product of I + dA(u): all moves at
    a tied time come from the same risk sets. Rows are (entry, exit]. It is right for any process where censoring is independent of it
    (Datta & Satten 2001); with late entry, if what comes depends on the state alone (Markov). Probabilities of all states add to 1.

    References
    ----------
    Aalen & Johansen (1978), Scandinavian Journal of Statistics 5:141; Datta & Satten (2001), Statistics & Probability Letters 55:403.

    Examples
    --------
    >>> import pandas as pd, outcomes as oc
    >>> frame = pd.DataFrame({"id": [1, 1, 2], "start": [0, 3, 0], "stop": [3, 9, 9], "was": ["free", "custody", "free"]})
    >>> frame["then"] = ["custody", "free", "stays"]
    >>> data = oc.survival_data(
    ...     frame, entry="start", exit="stop", event="then", censored="stays", causes=["free", "custody"], id="id", from_state="was"
    ... )
    >>> oc.state_probabilities(data).at(5)[["state", "estimate"]].values.tolist()
    [['free', 0.5], ['custody', 0.5]]
    """
    must_be_data(data, "state_probabilities(data)")
    one_of(conf_type, CONF_TYPES, what="state_probabilities: conf_type")
    normal_quantile(conf_level)
    asked = resolve(data, weights, cluster, "robust" if variance is None else variance, what="state_probabilities")
    if asked.variance == "model":
        raise EstimationError("state_probabilities: variance must be 'robust' or 'stacked'; robust is the default.")
    states = data.states if data.states else (_FREE, *data.causes)
    state = np.zeros(len(data.exit), dtype=np.int64) if data.state is None else np.asarray(data.state)
    moved_to = np.where(data.event > 0, data.event - 1 + len(states) - len(data.causes), -1)
    by_row, notes = asked.by_row(data), list[Note]()
    fits, rows = [], []
    for index, arm in enumerate(data.arms):
        inside = np.flatnonzero((data.row_arm == index) & (by_row > 0))
        if len(inside) == 0:
            raise EstimationError(f"state_probabilities: arm {arm!r} has nobody at risk.")
        count = asked.count[data.person[inside]]
        fit = fit_states(
            data.entry[inside], data.exit[inside], state[inside], moved_to[inside], by_row[inside] * count, count, len(states)
        )  # fmt: skip
        fits.append(fit)
        rows.append(inside)
        notes += _about_arm(arm, fit, states)
    notes += (*about_clusters_of_arms(data, asked), *known_weights(asked))
    return StateProbabilities(
        data=data, asked=asked, fits=tuple(fits), rows=tuple(rows), states=states, conf_type=conf_type, conf_level=conf_level,
        notes=(*data.notes, *notes),
    )  # fmt: skip


def _about_arm(arm: str, fit: ArmStates, states: tuple[str, ...]) -> list[Note]:
    if not len(fit.times):
        return [Note("no_moves_in_arm", f"Arm {arm}: nobody moved; an interval without width is not certainty.")]
    left = np.unique(fit.state)
    unseen = (fit.share[:-1] > 1e-12) & (fit.at_risk == 0)
    names = [states[j] for j in left if unseen[:, j].any()]
    if not names:
        return []
    listed = ", ".join(names)
    text = f"Arm {arm}: for a time nobody was observed in {listed}, where some are estimated to be; they are taken to have stayed."
    return [Note("state_unobserved", text)]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class StateProbabilities(Result):
    """Share of people in each state over time, by arm.

    Attributes
    ----------
    data : SurvivalData
    asked : Asked
        Weights, clusters and variance.
    fits : tuple of ArmStates
        One an arm, the reference first.
    rows : tuple of ndarray
        Rows of the data in each arm.
    states : tuple of str
    conf_type, conf_level
        How limits were made.
    """

    data: SurvivalData
    asked: Asked
    fits: tuple[ArmStates, ...]
    rows: tuple[IntArray, ...]
    states: tuple[str, ...]
    conf_type: str
    conf_level: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "state_probabilities"
    title: ClassVar[str] = "State probabilities"

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms, the reference first."""
        return self.data.arms

    @property
    def last_times(self) -> tuple[float, ...]:
        """Last time anybody was observed in each arm."""
        return tuple(fit.last for fit in self.fits)

    def at(self, times: float | str | Iterable[float | str]) -> pd.DataFrame:
        """Return the probabilities at chosen times: one row an arm, state and time, columns as `state_probabilities` says.

        Estimates are missing beyond an arm's last observation, unless everybody is in a state that nobody leaves.
        """
        import pandas as pd

        moments = moments_of(times, self.data.unit)
        return pd.concat([self._rows_at(arm, moments) for arm in range(len(self.arms))], ignore_index=True)

    def shares(self) -> pd.DataFrame:
        """Return arm, state, time, estimate at every time somebody moved, from time 0: at once, where `to_frame` takes its time."""
        import pandas as pd

        frames = []
        for arm, fit in zip(self.arms, self.fits, strict=True):
            times, size = np.append(0.0, fit.times), len(self.states)
            columns = {"arm": arm, "state": np.repeat(self.states, len(times)), "time": np.tile(times, size)}
            frames.append(pd.DataFrame({**columns, "estimate": fit.share.T.ravel()}))
        return pd.concat(frames, ignore_index=True)

    def to_frame(self) -> pd.DataFrame:
        """Return the probabilities at every time somebody moved, from time 0; columns as in `at`."""
        import pandas as pd

        frames = [self._rows_at(a, np.append(0.0, fit.times)) for a, fit in enumerate(self.fits)]
        return pd.concat(frames, ignore_index=True)

    def _rows_at(self, arm: int, times: Array) -> pd.DataFrame:
        import pandas as pd

        fit, size = self.fits[arm], len(times)
        passed = fit.passed(times)
        estimate = fit.share[passed]
        error = self._std_errors(arm, passed)
        low, high = probability_limits(
            estimate, error, reach_of_arm(self.data, self.asked, arm, self.conf_level), self.conf_type
        )
        certain = (estimate == 0) & (error == 0)
        unknown = ((times > fit.last) & fit.ends_open)[:, None]
        known = {
            name: np.where(unknown, np.nan, values).T.ravel()
            for name, values in (
                ("estimate", estimate),
                ("std_error", error),
                ("conf_low", np.where(certain, 0.0, low)),
                ("conf_high", np.where(certain, 0.0, high)),
            )
        }
        entered = np.concatenate((np.zeros((1, len(self.states))), np.cumsum(fit.moves.sum(axis=1), axis=0)))[passed]
        return pd.DataFrame(
            {
                "outcome": self.data.labels.get("outcome", ""),
                "estimand": self.asked.estimand,
                "arm": self.arms[arm],
                "state": np.repeat(self.states, size),
                "time": np.tile(times, len(self.states)),
                **known,
                "n": int(self.asked.people_by_arm(self.data)[arm]),
                "n_at_risk": np.concatenate([_at_risk(fit, times, j) for j in range(len(self.states))]),
                "n_entered": entered.T.ravel().astype(np.int64),
            }
        )

    def _std_errors(self, arm: int, passed: IntArray) -> Array:
        """Return the standard error of each state, shape (M, K); few times are held at once."""
        wanted, place = np.unique(passed, return_inverse=True)
        error = np.zeros((len(wanted), len(self.states)))
        for one, each in enumerate(self._influences(arm, wanted, self.asked)):
            error[one] = np.sqrt(np.diag(covariance_of(self.asked, each)))
        return error[place]

    def _influences(self, arm: int, passed: IntArray, asked: Asked) -> Iterable[Array]:
        """Yield people's total influences on one arm's probabilities at each number of times passed, shape (P, K)."""
        rows, people = self.rows[arm], len(self.data.baseline)
        beside = np.broadcast_to(asked.beside(rows), rows.shape)
        for each in state_influences(self.fits[arm], passed, self.data.person[rows], beside, people):
            yield stack(asked, each)

    def influence(
        self, times: float | str | Iterable[float | str], *, state: str, variance: str | None = None
    ) -> Influence:
        """Return each person's influence on each arm's probability of one state.

        Parameters
        ----------
        times : time or list of times
            Inside the follow-up of every arm.
        state : str
            One of `states`.
        variance : {"robust", "stacked"}, optional
            Whether weights count as known or as estimated; default as in the result.

        Raises
        ------
        EstimationError
            A time beyond the follow-up of an arm (named, with its last usable time), an unknown state.
        """
        moments = moments_of(times, self.data.unit)
        if state not in self.states:
            raise EstimationError(f"state_probabilities: no state {state!r}. {did_you_mean(state, self.states)}")
        k = self.states.index(state)
        asked = ask_again(self.data, self.asked, variance, what="compare")
        estimate, values = [], []
        for a, fit in enumerate(self.fits):
            if moments.max() > fit.last and fit.ends_open:
                raise EstimationError(
                    f"Time {moments.max():g} lies beyond the follow-up of arm {self.arms[a]!r}, whose last usable time is {fit.last:g}."
                )
            wanted, place = np.unique(fit.passed(moments), return_inverse=True)
            each = np.stack([one[:, k] for one in self._influences(a, wanted, asked)], axis=1)
            values.append(each[:, place])
            estimate.append(fit.share[fit.passed(moments), k])
        return Influence(
            estimate=np.stack(estimate), values=np.stack(values, axis=1), cluster=asked.cluster, arms=self.arms,
            n_clusters=asked.n_clusters, overlapping=asked.overlapping,
        )  # fmt: skip

    def transitions(self) -> pd.DataFrame:
        """Return one row an arm and move that occurred: arm, from_state, state, n_moves, time_in_state, rate (moves over time there).

        Counts and times are of people, never of weights.
        """
        import pandas as pd

        rows = []
        for arm, fit in zip(self.arms, self.fits, strict=True):
            width = np.bincount(fit.state, weights=(fit.exit - fit.entry) * fit.count, minlength=len(self.states))
            total = fit.moves.sum(axis=0)
            for j, k in zip(*np.nonzero(total), strict=True):
                spent, n = float(width[j]), int(total[j, k])
                rows.append((arm, self.states[j], self.states[k], n, spent, n / spent))
        return pd.DataFrame(rows, columns=["arm", "from_state", "state", "n_moves", "time_in_state", "rate"])

    def summary(self) -> pd.DataFrame:
        """Return one row an arm and state at the last time every arm was observed."""
        return self.at(min(self.last_times))

    def describe(self) -> str:
        """Return the probabilities at the last common time in plain sentences."""
        moment = min(self.last_times)
        when = in_words(moment, self.data.unit)
        frame = self.at(moment)
        sentences = []
        for arm in self.arms:
            rows = frame[frame["arm"] == arm].to_dict("records")
            parts = [
                f"{100 * r['estimate']:.1f} % {r['state']} ({100 * r['conf_low']:.1f} to {100 * r['conf_high']:.1f} %)"
                for r in rows
            ]
            sentences.append(f"{arm} at {when} ({rows[0]['n']:,} people): an estimated {', '.join(parts)}.")
        return " ".join(sentences)


def _at_risk(fit: ArmStates, times: Array, state: int) -> IntArray:
    """Return the number of people in a state just before each time: entry < t <= exit (at 0, those who start there)."""
    mine = fit.state == state
    entry, exit, count = fit.entry[mine], fit.exit[mine], fit.count[mine]
    entered, left = np.argsort(entry), np.argsort(exit)
    joined, gone = (np.concatenate(([0.0], np.cumsum(count[order]))) for order in (entered, left))
    before = np.searchsorted(entry[entered], times, side="left")
    there = np.where(times == 0, np.searchsorted(entry[entered], times, side="right"), before)
    return (joined[there] - gone[np.searchsorted(exit[left], times, side="left")]).astype(np.int64)
