"""Repeated events and moves between states at the side door; what contradicts itself is refused in counts."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import outcomes as oc

SECRET = "marker_7f3a"


def _rows(text: str) -> pd.DataFrame:
    """Return rows from lines of ``id start stop was then``."""
    rows = [line.split() for line in text.strip().splitlines()]
    frame = pd.DataFrame(rows, columns=["id", "start", "stop", "was", "then"])
    return frame.astype({"start": float, "stop": float})


def _repeated(frame: pd.DataFrame, **more: Any) -> oc.SurvivalData:
    given = {
        "entry": "start",
        "exit": "stop",
        "event": "then",
        "censored": "on",
        "causes": ["arrest", "death"],
        "id": "id",
    }
    return oc.survival_data(frame, **given, repeated=True, **more)


def _states(frame: pd.DataFrame, **more: Any) -> oc.SurvivalData:
    given = {"entry": "start", "exit": "stop", "event": "then", "id": "id", "from_state": "was"}
    return oc.survival_data(frame, **given, **({"causes": ["free", "custody", "dead"], "censored": "on"} | more))


def test_a_person_may_have_several_events_of_the_first_cause() -> None:
    data = _repeated(_rows("a 0 3 - arrest\na 3 5 - arrest\na 5 9 - death\nb 0 4 - on"))
    assert data.repeated
    assert data.summary()[["n", "n_arrest", "n_death", "n_censored"]].values.tolist() == [[2, 2, 1, 1]]


def test_other_causes_still_end_the_time_at_risk() -> None:
    with pytest.raises(oc.DataError, match=r"1 rows follow an event .*other causes than the first end"):
        _repeated(_rows("a 0 3 - death\na 3 5 - on"))


def test_several_events_without_saying_so_are_refused_with_the_remedy() -> None:
    frame = _rows("a 0 3 - arrest\na 3 5 - on").assign(e=[1, 0])
    with pytest.raises(oc.DataError, match=r"say repeated=True"):
        oc.survival_data(frame, entry="start", exit="stop", event="e", id="id")


def test_repeated_events_need_to_know_whose_they_are() -> None:
    with pytest.raises(oc.DataError, match=r"repeated= needs id="):
        oc.survival_data(pd.DataFrame({"t": [3.0], "e": [1]}), duration="t", event="e", repeated=True)


def test_states_are_those_never_moved_into_and_then_those_that_are() -> None:
    data = _states(_rows("a 0 3 new free\na 3 5 free custody\nb 0 4 free on"))
    assert data.states == ("new", "free", "custody", "dead")
    assert [data.states[code] for code in data.state] == ["new", "free", "free"]
    assert data.summary()["n_censored"].tolist() == [1]


def test_a_code_is_the_state_that_causes_name() -> None:
    frame = _rows("a 0 3 0 1\na 3 5 1 2").astype({"was": int, "then": int})
    data = _states(frame, causes={1: "custody", 2: "dead"}, censored=9)
    assert data.states == ("0", "custody", "dead")
    assert data.state.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a 0 3 free free", "1 rows move into the state they are already in"),
        ("a 0 3 free custody\na 3 5 free dead", "1 rows begin in another state"),
        ("a 0 3 free on\na 3 5 custody dead", "1 rows begin in another state"),
        ("a 0 3 free custody\na 2 5 custody dead", "1 rows start before"),
    ],
)
def test_rows_that_do_not_follow_from_each_other_are_refused(rows: str, message: str) -> None:
    with pytest.raises(oc.DataError, match=message) as caught:
        _states(_rows(rows.replace("a ", f"{SECRET} ")))
    assert SECRET not in str(caught.value)


def test_a_person_may_have_moved_unseen_in_a_gap() -> None:
    assert _states(_rows("a 0 3 free on\na 4 5 custody dead")).n == 1


def test_a_missing_state_is_counted() -> None:
    with pytest.raises(oc.DataError, match=r"'was' \(from_state\) is missing in 1 of 1"):
        _states(_rows("a 0 3 free on").assign(was=None))


def test_what_knows_one_state_refuses_states() -> None:
    with pytest.raises(oc.NotSupportedError, match=r"moves between states .*Take state_probabilities"):
        oc.cumulative_incidence(_states(_rows("a 0 3 free custody\nb 0 4 free on")))
