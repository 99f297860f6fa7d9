"""Regression of the rate of repeated events: Andersen–Gill and Prentice–Williams–Peterson, as Cox models of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import ClassVar, TypeVar

import numpy as np

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, one_of
from outcomes.results import Array, IntArray, Note, read_only
from outcomes.survival.cox_model import Cox, fit_cox
from outcomes.survival.inputs import ClusterLike, WeightsLike
from outcomes.survival.mean_counts import needs_every_event

__all__ = ["EVENT_NUMBER", "AndersenGill", "PrenticeWilliamsPeterson", "andersen_gill", "pwp"]

EVENT_NUMBER = "event_number"
_FEW = 10


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class AndersenGill(Cox):
    """A Cox model of every event; attributes and methods are those of `Cox`."""

    title: ClassVar[str] = "Andersen–Gill regression"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PrenticeWilliamsPeterson(Cox):
    """A Cox model of the next event given the number so far; attributes and methods are those of `Cox`."""

    title: ClassVar[str] = "Prentice–Williams–Peterson regression"


_Model = TypeVar("_Model", bound=Cox)


def andersen_gill(
    data: SurvivalData,
    formula: str,
    *,
    weights: WeightsLike = None,
    strata: str | Sequence[str] | None = None,
    cluster: ClusterLike = None,
    ties: str = "efron",
    conf_level: float = 0.95,
) -> AndersenGill:
    """Fit a proportional model of the rate of repeated events (Andersen–Gill).

    Use it for a relative answer over all events, beside the mean counts. A ratio of rates says nothing about who has them: one
    person's tenth event counts as another's first.

    Parameters
    ----------
    data : SurvivalData
        With every event of a person: ``cohort.every_event(…)``, or ``survival_data(repeated=True)``.
    formula : str
        As in `cox`; columns may change from row to row.
    weights : Weights, str or array of shape (P,) or (N,), optional
        Sampling weights, one a person, or one a row where they change over time.
    strata : str or list of str, optional
        Columns of ``data.frame``; each combination has its own baseline rate.
    cluster : str or array of shape (P,), optional
        Column of ``data.baseline`` whose groups vary together. Default: the cluster of the data, else the person.
    ties : {"efron", "breslow"}
    conf_level : float

    Returns
    -------
    AndersenGill
        As `cox` gives it: log rate ratios under the measure ``log_hazard_ratio``, with ``compare(…, measure="hazard_ratio")``.

    Raises
    ------
    NotSupportedError
        The data hold first events only.
    EstimationError
        As in `cox`.

    Notes
    -----
    It is the Cox model of all rows (entry, exit], with the variance by person or cluster: then the rate ratio is right whether or not
    a person's events depend on each other (Lin and others 2000). Other causes end the time at risk and count as censoring: the rate is
    that while present.

    References
    ----------
    Andersen & Gill (1982), Annals of Statistics 10:1100; Lin, Wei, Yang & Ying (2000), JRSS B 62:711.

    Examples
    --------
    >>> import pandas as pd, outcomes as oc
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 3, 4], "start": [0, 3, 0, 0, 0], "stop": [3, 9, 9, 5, 9], "arrest": [1, 1, 0, 1, 0]})
    >>> frame["age"] = [20, 20, 40, 30, 25]
    >>> data = oc.survival_data(frame, entry="start", exit="stop", event="arrest", id="id", repeated=True)
    >>> oc.andersen_gill(data, "age").to_frame()["estimate"].round(3).tolist()
    [-0.128]
    """
    must_be_data(data, "andersen_gill(data, formula)")
    needs_every_event(data, "andersen_gill")
    model = fit_cox(
        data, formula, cause=data.causes[0], weights=weights, strata=strata, cluster=cluster, ties=ties, robust=True,
        conf_level=conf_level, what="andersen_gill",
    )  # fmt: skip
    return _as(AndersenGill, model, (*model.notes, _every_event(data)))


def pwp(
    data: SurvivalData,
    formula: str,
    *,
    clock: str = "total",
    max_event: int | None = None,
    weights: WeightsLike = None,
    strata: str | Sequence[str] | None = None,
    cluster: ClusterLike = None,
    ties: str = "efron",
    conf_level: float = 0.95,
) -> PrenticeWilliamsPeterson:
    """Fit a proportional model of the next event given the number so far (Prentice–Williams–Peterson).

    Use it where the rate changes with each event. People are at risk of a second event only after their first, so that arms are
    no longer alike in later strata: this describes, and is not the effect of an arm as assigned.

    Parameters
    ----------
    data : SurvivalData
        With every event of a person: ``cohort.every_event(…)``, or ``survival_data(repeated=True)``.
    formula : str
        As in `cox`.
    clock : {"total", "gap"}
        Time since time zero, or time since the person's last event (before the first: since time zero).
    max_event : int, optional
        Events of this number and later ones share a baseline. Default: each number has its own.
    weights, strata, cluster, ties, conf_level
        As in `andersen_gill`; `strata` are crossed with the event number.

    Returns
    -------
    PrenticeWilliamsPeterson
        As `cox` gives it. Its data have the column ``event_number`` and, with the gap clock, times since the last event.

    Raises
    ------
    NotSupportedError
        The data hold first events only.
    EstimationError
        ``max_event`` below 1; a column named ``event_number`` in the data; as in `cox`.

    Notes
    -----
    A Cox model with one stratum an event number, variance by person or cluster. Late entry stays late entry: who comes into view at
    time 5 is at risk of the first event from 5 on.

    References
    ----------
    Prentice, Williams & Peterson (1981), Biometrika 68:373; Therneau & Grambsch (2000), Modeling Survival Data, chapter 8.

    Examples
    --------
    >>> import pandas as pd, outcomes as oc
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 3, 4], "start": [0, 3, 0, 0, 0], "stop": [3, 9, 9, 5, 9], "arrest": [1, 1, 0, 1, 0]})
    >>> frame["age"] = [20, 20, 40, 30, 25]
    >>> data = oc.survival_data(frame, entry="start", exit="stop", event="arrest", id="id", repeated=True)
    >>> oc.pwp(data, "age").to_frame()["estimate"].round(3).tolist()
    [-0.17]
    """
    must_be_data(data, "pwp(data, formula)")
    one_of(clock, ("total", "gap"), what="pwp: clock")
    needs_every_event(data, "pwp")
    if max_event is not None and (max_event < 1 or max_event != int(max_event)):
        raise EstimationError(f"pwp: max_event must be a whole number of 1 or more; got {max_event}.")
    if EVENT_NUMBER in data.frame.columns:
        raise EstimationError(f"pwp: the data have a column {EVENT_NUMBER!r} of their own. Rename it.")
    number, since = _so_far(np.asarray(data.person), np.asarray(data.exit), data.event == 1)
    pooled = number if max_event is None else np.minimum(number, int(max_event))
    shift = since if clock == "gap" else np.zeros(len(since))
    ordered = replace(
        data,
        entry=read_only(data.entry - shift),
        exit=read_only(data.exit - shift),
        frame=data.frame.assign(**{EVENT_NUMBER: pooled}),
    )
    others = [] if strata is None else [strata] if isinstance(strata, str) else list(strata)
    model = fit_cox(
        ordered, formula, cause=data.causes[0], weights=weights, strata=[*others, EVENT_NUMBER], cluster=cluster, ties=ties,
        robust=True, conf_level=conf_level, what="pwp",
    )  # fmt: skip
    notes = (*model.notes, _every_event(data), *_about_strata(ordered, pooled, max_event))
    return _as(PrenticeWilliamsPeterson, model, notes)


def _as(kind: type[_Model], model: Cox, notes: tuple[Note, ...]) -> _Model:
    return kind(**{f.name: getattr(model, f.name) for f in fields(model) if f.name != "notes"}, notes=notes)


def _so_far(person: IntArray, exit: Array, happened: Array) -> tuple[IntArray, Array]:
    """Return each row's number of the next event (1 before the first), and the time of the event before it (0 before the first).

    Rows are in order of person and time.
    """
    first = np.append(True, person[1:] != person[:-1])
    before = np.append(0, np.cumsum(happened)[:-1])
    start = np.maximum.accumulate(np.where(first, np.arange(len(person)), 0))
    number = before - before[start] + 1
    row = np.maximum.accumulate(np.append(-1, np.where(happened, np.arange(len(person)), -1)[:-1]))
    return number.astype(np.int64), np.where(number > 1, exit[row], 0.0)


def _every_event(data: SurvivalData) -> Note:
    ends = f" Ends of follow-up by {', '.join(data.causes[1:])} count as censored." if len(data.causes) > 1 else ""
    text = f"Every event '{data.causes[0]}' counts; ratios are of rates while present, with the variance by person or cluster.{ends}"
    return Note("every_event", text)


def _about_strata(data: SurvivalData, number: IntArray, max_event: int | None) -> list[Note]:
    """Return how event numbers were pooled, and from which on few people are left."""
    notes = []
    if max_event is not None and int(number.max()) == max_event:
        notes.append(Note("pooled_events", f"Events of number {max_event} and later ones share one baseline."))
    people = np.bincount(number[np.append(True, (data.person[1:] != data.person[:-1]) | (number[1:] != number[:-1]))])
    few = np.flatnonzero(people[1:] < _FEW) + 1
    if len(few):
        text = (
            f"From event number {few[0]} on, fewer than {_FEW} people are at risk of the next; such strata say little. "
            "max_event= pools them."
        )
        notes.append(Note("sparse_strata", text))
    return notes
