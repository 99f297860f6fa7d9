"""Courses through programmes as states, from release or sentence on: the function people call and the result they get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.comparison.study_questions import asked_of
from outcomes.design.cohort import build_cohort
from outcomes.design.course_rows import rows_by_state
from outcomes.design.course_study import BY, asked_of_everyone
from outcomes.durations import DAYS_PER_YEAR, in_words
from outcomes.errors import DesignError, one_of
from outcomes.results import Note
from outcomes.survival.state_occupation import StateProbabilities, state_probabilities

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.study import Study
    from outcomes.loading.tables import Tables

__all__ = ["CourseStates", "course_states"]

_IN_MAINTENANCE = ("maintenance", "maintenance_voluntary")


def course_states(
    tables: Tables, study: Study, *, outcome: str | None = None, by: str = "all", conf_level: float = 0.95
) -> CourseStates:
    """Follow everyone a study admits from release or sentence through the states of a course, to what came of it.

    Use it to see strands and sequences: who is referred, starts, finishes, goes on to maintenance, and when. It describes; what a
    state does to the outcome is another question (`maintenance_effect`).

    Parameters
    ----------
    tables : Tables
    study : Study
        Its conditions, population, data cut, horizon and outcomes count; who is in which arm does not.
    outcome : str, optional
        What ends a course: an outcome of the study. Default: that of the headline, or the only one.
    by : {"all", "offered"}
        Everyone together, or by the arm whose programme was on offer where and when people came. Groups by what people
        started are refused: they are not known at time zero.
    conf_level : float

    Returns
    -------
    CourseStates
        ``at(times)``, ``to_frame()`` and ``summary()`` as those of `state_probabilities`; ``transitions()`` counts the moves;
        ``data`` has the rows, with ``from_state``.

    Raises
    ------
    DesignError
        The study has no such outcome; groups that are not known at time zero; and what `build_cohort` refuses.
    DataError
        The tables break a rule that the study does not list in [checks] drop.

    Notes
    -----
    States, in this order: ``not_referred``; ``referred`` (and not started, whatever was decided); ``in_programme`` (attends a
    programme of any strand but maintenance); attending none, how the last one ended: ``completed``, ``dropped_out`` (or removed),
    ``ended`` (with the order, on recall, transferred); ``maintenance`` under the order, ``maintenance_voluntary``,
    ``maintenance_over``; ``recalled`` until the recall ends (for good where recall competes with the outcome); ``reoffended`` (the
    outcome) and ``died_or_left`` (what else competes) for good. States that nobody is in are left out. Circles and partner programmes
    go on beside a course. The clock is the calendar whatever the study's scale, and time zero is release or sentence.

    Where nobody is censored the share in ``reoffended`` is the cumulative incidence of the outcome; else those censored in a state are
    taken to go on as those who stay in it, and the two differ a little.

    References
    ----------
    Aalen & Johansen (1978), Scandinavian Journal of Statistics 5:141; Datta & Satten (2001), Statistics & Probability Letters 55:403.

    Examples
    --------
    >>> import outcomes as oc
    >>> tables, study = oc.load_tables("data/synthetic"), oc.read_study("notebooks/study.toml")  # doctest: +SKIP
    >>> oc.course_states(tables, study).transitions()  # doctest: +SKIP
    """
    name, _ = asked_of(tables, study, outcome, None, "course_states")
    if by in study.arms.names:
        raise DesignError(
            f"course_states: by={by!r}: people are in an arm once they have started, and not at time zero. Take by='offered', or by='all'."
        )
    one_of(by, BY, what="course_states: by", error=DesignError)
    cohort = build_cohort(tables, asked_of_everyone(study, name, by=by, scale="calendar"))
    found = state_probabilities(rows_by_state(cohort, name), conf_level=conf_level)
    held = {field.name: getattr(found, field.name) for field in fields(found)}
    kept = tuple(
        note for note in found.notes if note.code != "time_varying_confounding"
    )  # of hazard ratios; there are none here
    return CourseStates(**held | {"notes": (*kept, *_notes(study, by))}, by=by)


def _notes(study: Study, by: str) -> list[Note]:
    notes = [
        Note(
            "states_describe",
            "Who moves on is not chosen by lot: rates of moving from two states do not show what either state does.",
        )
    ]
    if by == "offered":
        text = "Groups are by what was on offer where and when people came, attended or not, and are not adjusted for who they are."
        notes.append(Note("by_what_was_offered", text))
    if study.follow_up.scale != "calendar":
        text = f"The study's scale is {study.follow_up.scale}; states are on the calendar, since recall is one of them."
        notes.append(Note("states_on_the_calendar", text))
    return notes


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CourseStates(StateProbabilities):
    """Share of people in each state of a course over time, and the moves between states.

    Attributes
    ----------
    by : str
        What the groups are: ``all`` or ``offered``.
    """

    by: str

    title: ClassVar[str] = "States of courses"

    def transitions(self) -> pd.DataFrame:
        """Return one row a group and move that occurred, in the order of the states.

        Columns: arm, from_state, state (moved into), n_moves, n_people (who made it at least once), person_years (in `from_state`),
        per_100_person_years.
        """
        import pandas as pd

        found = super().transitions()
        years = found.pop("time_in_state") / DAYS_PER_YEAR
        moved = np.flatnonzero(self.data.event > 0)
        to = self.data.event[moved] - 1 + len(self.states) - len(self.data.causes)
        was = np.zeros(0, dtype=np.int64) if self.data.state is None else self.data.state[moved]
        each = pd.DataFrame(
            {
                "arm": np.array(self.arms)[self.data.row_arm[moved]],
                "from_state": np.array(self.states)[was],
                "state": np.array(self.states)[to],
                "person": self.data.person[moved],
            }
        )
        keys = ["arm", "from_state", "state"]
        people = each.groupby(keys)["person"].nunique().rename("n_people").reset_index()
        found = found.drop(columns="rate").merge(people, on=keys, how="left", validate="one_to_one")
        return found.assign(person_years=years, per_100_person_years=100 * found["n_moves"] / years)

    def describe(self) -> str:
        """Return who was followed, where they stood by the last common time, and how many went on to maintenance."""
        moment = min(self.last_times)
        frame, moves = self.at(moment), self.transitions()
        people = self.data.people_by_arm()
        parts = []
        for index, arm in enumerate(self.arms):
            rows = frame[(frame["arm"] == arm) & (frame["estimate"] >= 0.0005)].to_dict("records")
            shares = ", ".join(
                f"{row['state'].replace('_', ' ')} {100 * row['estimate']:.1f} %{self._limits(row)}" for row in rows
            )
            who = f"Where {arm} was on offer: of" if self.by == "offered" else "Of"
            parts.append(
                f"{who} {people[index]:,} people followed from release or sentence, estimated shares at {in_words(moment)}: {shares}."
            )
            parts.append(self._went_on(moves[moves["arm"] == arm]))
        parts.append(f"Reoffended: {self.data.labels['outcome']}." if "reoffended" in self.states else "")
        return " ".join(part for part in parts if part)

    def _limits(self, row: Mapping[Any, Any]) -> str:
        if not np.isfinite(row["conf_low"]):
            return ""
        return f" ({100 * row['conf_low']:.1f} to {100 * row['conf_high']:.1f} %)"

    def _went_on(self, moves: pd.DataFrame) -> str:
        """Return how many completed a programme while followed, and how many moves there were into maintenance."""
        done = int(moves.loc[moves["state"] == "completed", "n_moves"].sum())
        began = moves["state"].isin(_IN_MAINTENANCE) & ~moves["from_state"].isin(_IN_MAINTENANCE)
        into = moves[began]
        n, free = int(into["n_moves"].sum()), int(into.loc[into["state"] == _IN_MAINTENANCE[1], "n_moves"].sum())
        if not n:
            return f"Moves while followed: {done:,} into completed, none into maintenance."
        return f"Moves while followed: {done:,} into completed, {n:,} into maintenance ({free:,} of them voluntary)."
