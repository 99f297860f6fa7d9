"""Time at risk as arrays: what every estimator takes, whether it came from a cohort or from any tidy frame.

`survival_data` is the side door for other analyses; `build_cohort` comes through the same one.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from outcomes.design.arm_codes import name_arms, read_arms
from outcomes.design.event_codes import count_columns, read_causes
from outcomes.design.frame_columns import as_table, people_of, row_counts, start_and_stop
from outcomes.design.row_order import check_ends, check_moves, check_overlap
from outcomes.design.states import read_states
from outcomes.errors import DataError, DisclosureError, EstimationError, did_you_mean, must_be
from outcomes.results import Array, IntArray, Note, html_table, read_only, sealed

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.cloning import Clones

__all__ = ["SurvivalData", "must_be_data", "must_name_cause", "survival_data"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SurvivalData:
    """People at risk, from when, until when, and what ended it. Rows are intervals (entry, exit]; most people have one.

    Attributes
    ----------
    entry, exit : ndarray, shape (N,)
        Start and end of each row in `unit`s since time zero; ``entry < exit``.
    event : ndarray of int, shape (N,)
        0 = censored (or the person goes on in another row); k = ``causes[k - 1]`` at `exit`.
    person : ndarray of int, shape (N,)
        Row of `baseline` each row belongs to. Rows of a person are in order of time.
    arm : ndarray of int, shape (P,)
        Index into `arms` for each row of `baseline`.
    causes : tuple of str
        Causes of ending; the outcome first, competing events after it.
    arms : tuple of str
        Arms, the reference first. ``("all",)`` where there is none.
    frequency : ndarray, shape (N,), or None
        Number of identical people each row stands for.
    frame : pandas.DataFrame
        Covariates by row (N rows, RangeIndex).
    baseline : pandas.DataFrame
        Covariates by person at time zero (P rows, RangeIndex), in order of first appearance.
    arm_column, cluster : str or None
        Original name of the arm's column; column of `baseline` that clusters people (area, site), if any.
    repeated : bool
        Events of the first cause do not end the time at risk: a person may have several.
    state : ndarray of int, shape (N,), or None
        Index into `states` of the state each row is spent in; `causes` are then the states moved into.
    states : tuple of str
        States people are in and move between; empty where there are none.
    clones : Clones or None
        Where each row of `baseline` is a clone of a person, who stands in several arms: when it complied with its arm's strategy or
        departed from it. `censoring_weights` undoes the censoring of those who departed.
    varying : tuple of str
        Columns of `frame` that change within a person: exposure, and what goes with it. Arms are then ``("all",)``.
    time_columns : tuple of str
        Columns of `frame` that are the same for everybody at risk at a time, made by `split_follow_up`.
    apart : tuple of str
        Columns of `baseline` that are no covariates: days, places and how a programme ended. Nothing is imputed from them unless asked.
    outcome_named : bool
        Somebody said which cause is the outcome of interest; else it is the first by the alphabet, and answers about one cause ask.
    drawn_again : bool
        These are people of other data drawn with replacement, as a bootstrap does.
    labels : mapping
        ``outcome, population, scale, unit`` and what else a result should print.
    """

    entry: Array
    exit: Array
    event: IntArray
    person: IntArray
    arm: IntArray
    causes: tuple[str, ...]
    arms: tuple[str, ...]
    frequency: Array | None = None
    frame: pd.DataFrame
    baseline: pd.DataFrame
    arm_column: str | None = None
    cluster: str | None = None
    unit: str = "days"
    repeated: bool = False
    state: IntArray | None = None
    states: tuple[str, ...] = ()
    clones: Clones | None = None
    varying: tuple[str, ...] = ()
    time_columns: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    outcome_named: bool = True
    drawn_again: bool = False
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[Note, ...] = ()

    def __reduce__(self) -> NoReturn:
        raise DisclosureError("Time at risk is rows about people and does not pickle; make it again from its source.")

    @property
    def reference(self) -> str:
        """The arm every contrast is against."""
        return self.arms[0]

    @property
    def n(self) -> int:
        """Number of people (counting frequencies)."""
        return int(self.people_by_arm().sum())

    @property
    def instead_of_arms(self) -> str:
        """What to do in place of comparing arms, where there are none because exposure changes with time; empty elsewhere."""
        if "exposure" not in self.varying:
            return ""
        return (
            " Exposure changes with time here: risks and curves by it would class people by what came later. Take "
            "cox(data, 'exposure + …', cause=…)."
        )

    def with_cluster(self, column: str | None) -> SurvivalData:
        """Return the same people, whose clusters are in another column of `baseline`; None: people are independent.

        Raises
        ------
        DataError
            There is no such column.
        """
        if column is not None and column not in self.baseline.columns:
            raise DataError(
                f"with_cluster: no column {column!r}. {did_you_mean(column, map(str, self.baseline.columns))}"
            )
        return replace(self, cluster=column)

    @property
    def row_arm(self) -> IntArray:
        """Index into `arms` for each row, shape (N,)."""
        return self.arm if self.row_a_person else self.arm[self.person]

    @property
    def multi_row(self) -> bool:
        """Whether some person has more than one row."""
        return len(self.person) > len(self.baseline)

    @cached_property
    def row_a_person(self) -> bool:
        """Whether rows are people, in the same order."""
        return not self.multi_row and bool((self.person == np.arange(len(self.person))).all())

    def people_by_arm(self) -> IntArray:
        """Return the number of people in each arm, shape (A,)."""
        counts = np.ones(len(self.baseline))
        if self.frequency is not None:
            first = np.unique(self.person, return_index=True)[1]
            counts = self.frequency[first]
        return np.bincount(self.arm, weights=counts, minlength=len(self.arms)).astype(np.int64)

    def events_by_arm(self, cause: str | None = None) -> IntArray:
        """Return the number of events in each arm, of one cause or of all, shape (A,)."""
        hit = self.event > 0 if cause is None else self.event == 1 + self.causes.index(cause)
        counts = np.ones(len(self.event)) if self.frequency is None else self.frequency
        return np.bincount(self.row_arm[hit], weights=counts[hit], minlength=len(self.arms)).astype(np.int64)

    def summary(self) -> pd.DataFrame:
        """Return one row an arm: n, time at risk, events of each cause, censored. Counts only."""
        import pandas as pd

        count = np.ones(len(self.exit)) if self.frequency is None else self.frequency
        at_risk = np.bincount(self.row_arm, weights=(self.exit - self.entry) * count, minlength=len(self.arms))
        people = self.people_by_arm()
        rows: dict[str, Any] = {"arm": self.arms, "n": people, f"{self.unit}_at_risk": at_risk}
        ended = np.zeros(len(self.arms), dtype=np.int64)
        for cause, name in zip(self.causes, count_columns(self.causes, ["censored"]), strict=True):
            rows[f"n_{name}"] = self.events_by_arm(cause)
            if not (self.repeated and cause == self.causes[0]):
                ended = ended + rows[f"n_{name}"]
        if self.states:
            ended = self._moved_last()
        rows["n_censored"] = people - ended
        return pd.DataFrame(rows)

    def _moved_last(self) -> IntArray:
        """Return the number of people in each arm whose last row ends with a move, shape (A,)."""
        moved = np.append(self.person[1:] != self.person[:-1], True) & (self.event > 0)
        count = np.ones(len(self.event)) if self.frequency is None else self.frequency
        return np.bincount(self.row_arm[moved], weights=count[moved], minlength=len(self.arms)).astype(np.int64)

    def __repr__(self) -> str:
        return f"SurvivalData: {self._said()}\n{self.summary().to_string(index=False)}"

    def _repr_html_(self) -> str:
        return html_table(self.summary(), caption=self._said())

    def _said(self) -> str:
        return f"{self.n:,} {self.labels.get('counted', 'people')}, time in {self.unit}"


def must_be_data(value: Any, what: str) -> None:
    """Raise EstimationError unless an estimator was handed time at risk; `what` is its call, such as ``cox(data, formula)``."""
    must_be(
        value, SurvivalData, what=f"{what}: data", expected="SurvivalData, from cohort.outcome(…) or survival_data(…)"
    )


def must_name_cause(data: SurvivalData, cause: str | None, what: str) -> None:
    """Raise where an answer about one of several causes is asked and nobody ever said which is the outcome of interest."""
    if cause is None and len(data.causes) > 1 and not data.outcome_named:
        raise EstimationError(
            f"{what}: nobody said which of {', '.join(data.causes)} is the outcome of interest. Give cause=, or causes=[…] to "
            "survival_data, the outcome first."
        )


def survival_data(
    frame: pd.DataFrame,
    *,
    duration: str | None = None,
    entry: str | None = None,
    exit: str | None = None,
    event: str,
    censored: Hashable = None,
    causes: Mapping[Any, str] | Sequence[str] | None = None,
    arm: str | None = None,
    reference: Hashable = None,
    arms: Mapping[Hashable, str] | None = None,
    id: str | None = None,
    cluster: str | None = None,
    frequency: str | None = None,
    repeated: bool = False,
    from_state: str | None = None,
    unit: str = "days",
    labels: Mapping[str, str] | None = None,
) -> SurvivalData:
    """Take any tidy frame of durations and events into the library.

    Use it for data that are already one row per person (`duration`, or `entry` and `exit` for delayed entry) or
    start-stop rows (`entry`, `exit`, `id`).

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per person, or several per person with `id`. Not changed. Polars and pyarrow frames are converted.
    duration : str
        Column of the time from zero to the event or to censoring. Give this, or `exit` (with or without `entry`).
    entry, exit : str
        Columns of the start and end of each row; a person is at risk on (entry, exit].
    event : str
        Column of what happened at the end: 0/1 or False/True for one cause; otherwise declare `censored` or `causes`.
    censored : hashable
        The value of `event` that means "nothing happened" (default 0 or False).
    causes : mapping or sequence of str
        Value of `event` -> name of the cause, the outcome of interest first; or, for text values, their order.
        Required where `event` has more than one code besides `censored`, unless the codes are text.
    arm : str
        Column of the arm. None: everybody is in one arm, ``"all"``.
    reference : hashable
        The value of `arm` every contrast is against; required where there are two arms or more.
    arms : mapping of value to str, optional
        What the arms are called, here and in the column of `arm`: ``{0: "usual supervision", 1: "programme"}``.
    id, cluster, frequency : str
        Columns of the person, of the cluster (one value a person), and of row counts (whole, positive numbers).
    repeated : bool
        The rows of a person hold every event of the first cause, which does not end the time at risk; other causes do. Needs `id`.
    from_state : str
        Column of the state a person is in on (entry, exit]; `event` then says which state they move into at the end, and
        `censored` that they stay. A code that `causes` names is the state of that name.
    unit : str
        Unit of time, for labels.
    labels : mapping, optional
        What sentences say beside the numbers: ``outcome``, ``population``, ``scale``, ``proven_within``, ``counted``.

    Returns
    -------
    SurvivalData

    Raises
    ------
    DataError
        Missing column, missing or non-finite time, ``entry >= exit``, a time of 0 or less, undeclared event code or too many of them, rows
        of one person that overlap, an event before a person's last row (with `repeated`: of another cause than the first), an arm
        that changes within a person; with `from_state`, moves into the same state and rows that do not follow from one another.

    Examples
    --------
    >>> import pandas as pd
    >>> import outcomes as oc
    >>> frame = pd.DataFrame({"week": [5, 8, 9, 12], "arrest": [1, 0, 1, 0], "fin": [0, 0, 1, 1]})
    >>> oc.survival_data(frame, duration="week", event="arrest", arm="fin", reference=0, unit="weeks").arms
    ('0', '1')
    """
    if (duration is None) == (exit is None):
        raise DataError("survival_data: give either duration= or exit= (with entry= where people enter late).")
    if repeated and (id is None or from_state is not None):
        raise DataError("survival_data: repeated= needs id= (whose events they are), and goes without from_state=.")
    table = as_table(frame, (duration, entry, exit, event, arm, id, cluster, frequency, from_state))
    table, reference = name_arms(table, arm, reference, arms)
    start, stop = start_and_stop(table, entry, exit if exit is not None else str(duration))
    codes, names = read_causes(table[event], event, censored, causes)
    person, order = people_of(table, id, start, stop)
    if id is not None:
        table, start, stop, codes = table.iloc[order].reset_index(drop=True), start[order], stop[order], codes[order]
        person = person[order]
        check_overlap(person, start, stop)
    state: IntArray | None = None
    states: tuple[str, ...] = ()
    if from_state is None and id is not None:
        check_ends(person, codes, repeated=repeated)
    if from_state is not None:
        state, states = read_states(table[from_state], from_state, causes, names)
        check_moves(person, start, stop, state, np.where(codes > 0, codes - 1 + len(states) - len(names), -1))

    first = person if id is None else np.flatnonzero(np.r_[True, person[1:] != person[:-1]])
    baseline = table if len(first) == len(table) else table.iloc[first].reset_index(drop=True)
    arm_codes, names_of_arms = read_arms(table, person, first, arm, reference)
    unclustered = 0 if cluster is None else int(baseline[cluster].isna().sum())
    if unclustered:
        raise DataError(f"survival_data: column {cluster!r} (cluster) is missing for {unclustered:,} people.")
    named = causes is not None or from_state is not None or len(names) < 2
    return SurvivalData(
        entry=sealed(start) if entry is None else read_only(start),
        exit=read_only(stop),
        event=sealed(codes),
        person=sealed(person),
        arm=sealed(arm_codes),
        causes=names,
        arms=names_of_arms,
        frequency=row_counts(table, frequency),
        frame=table,
        baseline=baseline,
        arm_column=arm,
        cluster=cluster,
        unit=unit,
        repeated=repeated,
        state=None if state is None else read_only(state, np.int64),
        states=states,
        labels=MappingProxyType({"outcome": "state" if states else names[0], "unit": unit, **(labels or {})}),
        outcome_named=named,
        notes=() if named else _by_alphabet(names),
    )


def _by_alphabet(names: tuple[str, ...]) -> tuple[Note, ...]:
    """Return what must be said where nobody said which cause is the outcome of interest."""
    text = (
        f"Nobody said which cause is the outcome of interest: the first by the alphabet, {names[0]}, is taken for it. "
        "Give causes=[…], the outcome first."
    )
    return (Note("causes_by_alphabet", text),)
