"""The side door: a tidy frame in, time at risk out; what contradicts itself is refused in counts."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import outcomes as oc


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {"week": [5, 8, 9, 12], "arrest": [1, 0, 1, 0], "fin": [0, 0, 1, 1], "age": [20.0, 30.0, 40.0, 50.0]}
    )


def test_one_row_a_person_with_two_arms(frame: pd.DataFrame) -> None:
    data = oc.survival_data(frame, duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    assert (data.n, data.arms, data.reference, data.causes) == (4, ("0", "1"), "0", ("arrest",))
    np.testing.assert_array_equal(data.exit, [5, 8, 9, 12])
    np.testing.assert_array_equal(data.events_by_arm(), [1, 1])


def test_the_reference_is_named_never_taken_from_the_alphabet(frame: pd.DataFrame) -> None:
    with pytest.raises(oc.DataError, match="reference="):
        oc.survival_data(frame, duration="week", event="arrest", arm="fin")
    assert oc.survival_data(frame, duration="week", event="arrest", arm="fin", reference=1).arms == ("1", "0")


def test_without_an_arm_everybody_is_in_one(frame: pd.DataFrame) -> None:
    assert oc.survival_data(frame, duration="week", event="arrest").arms == ("all",)


def test_rows_of_a_person_are_put_in_order_of_time() -> None:
    rows = pd.DataFrame({"p": ["b", "a", "b"], "start": [3, 0, 0], "stop": [5, 4, 3], "e": [1, 0, 0]})
    data = oc.survival_data(rows, entry="start", exit="stop", event="e", id="p")
    np.testing.assert_array_equal(data.person, [0, 0, 1])
    np.testing.assert_array_equal(data.entry, [0, 3, 0])
    assert data.multi_row
    assert data.n == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"week": [5, 8, 9, np.nan]}, "missing or infinite in 1 of 4"),
        ({"week": [5, 8, 9, -2]}, "1 of 4 rows end at or before they start"),
        ({"week": [0, 8, 9, 2]}, "half a day"),
        ({"week": ["5", "8", "9", "2"]}, "must hold numbers"),
        ({"arrest": [1, 0, 2, 0]}, "Declare causes"),
        ({"arrest": [1, 0, np.nan, 0]}, "missing in 1 of 4"),
        ({"fin": [0, 0, None, 1]}, "missing for 1"),
    ],
)
def test_what_contradicts_itself_is_refused_in_counts(
    frame: pd.DataFrame, change: dict[str, object], message: str
) -> None:
    with pytest.raises(oc.DataError, match=message):
        oc.survival_data(frame.assign(**change), duration="week", event="arrest", arm="fin", reference=0)


def test_an_unknown_column_is_met_with_the_nearest_name(frame: pd.DataFrame) -> None:
    with pytest.raises(oc.DataError, match="Did you mean 'arrest'"):
        oc.survival_data(frame, duration="week", event="arrests")


def test_competing_causes_keep_the_order_they_are_declared_in() -> None:
    rows = pd.DataFrame({"t": [1, 2, 3], "e": ["death", "none", "sexual"]})
    data = oc.survival_data(rows, duration="t", event="e", censored="none", causes=["sexual", "death"])
    assert data.causes == ("sexual", "death")
    np.testing.assert_array_equal(data.event, [2, 0, 1])


def test_an_event_code_nobody_declared_is_refused() -> None:
    rows = pd.DataFrame({"t": [1, 2, 3], "e": [0, 1, 3]})
    with pytest.raises(oc.DataError, match="1 rows of column 'e'"):
        oc.survival_data(rows, duration="t", event="e", causes={1: "sexual", 2: "death"})


def test_rows_that_overlap_or_follow_an_event_are_refused() -> None:
    overlap = pd.DataFrame({"p": [1, 1], "a": [0, 2], "b": [3, 5], "e": [0, 1]})
    with pytest.raises(oc.DataError, match="start before the same person's row"):
        oc.survival_data(overlap, entry="a", exit="b", event="e", id="p")
    after = pd.DataFrame({"p": [1, 1], "a": [0, 3], "b": [3, 5], "e": [1, 0]})
    with pytest.raises(oc.DataError, match="follow an event"):
        oc.survival_data(after, entry="a", exit="b", event="e", id="p")


def test_frequencies_count_people(frame: pd.DataFrame) -> None:
    data = oc.survival_data(
        frame.assign(k=[2, 1, 1, 3]), duration="week", event="arrest", arm="fin", reference=0, frequency="k"
    )
    assert data.n == 7
    np.testing.assert_array_equal(data.people_by_arm(), [3, 4])
    with pytest.raises(oc.DataError, match="whole numbers"):
        oc.survival_data(frame.assign(k=[0.5, 1, 1, 3]), duration="week", event="arrest", frequency="k")


def test_arrays_are_read_only_and_the_input_stays_as_it_was(frame: pd.DataFrame) -> None:
    before = frame.copy()
    data = oc.survival_data(frame, duration="week", event="arrest")
    with pytest.raises(ValueError, match="read-only"):
        data.exit[0] = 1
    pd.testing.assert_frame_equal(frame, before)


def test_polars_frames_are_taken_as_they_are(frame: pd.DataFrame) -> None:
    polars = pytest.importorskip("polars")
    assert oc.survival_data(polars.from_pandas(frame), duration="week", event="arrest").n == 4


def test_weights_do_not_pickle() -> None:
    weights = oc.Weights(values=np.ones(2), estimand="ate", arm=np.array([0, 1]), arms=("a", "b"))
    with pytest.raises(oc.DisclosureError, match="does not pickle"):
        pickle.dumps(weights)


def test_where_nobody_said_which_cause_is_the_outcome_a_note_says_which_was_taken_for_it() -> None:
    frame = pd.DataFrame({"t": [1, 2, 3, 4], "why": ["reoffence", "death", "in view", "reoffence"]})
    taken = oc.survival_data(frame, duration="t", event="why", censored="in view")
    assert [note.text for note in taken.notes] == [
        "Nobody said which cause is the outcome of interest: the first by the alphabet, death, is taken for it. "
        "Give causes=[…], the outcome first."
    ]
    said = oc.survival_data(frame, duration="t", event="why", censored="in view", causes=["reoffence", "death"])
    assert said.notes == ()


def test_an_answer_about_one_of_several_causes_needs_its_name_where_nobody_said_which_is_the_outcome() -> None:
    frame = pd.DataFrame(
        {"t": [1, 2, 3, 4], "why": ["reoffence", "death", "in view", "reoffence"], "arm": [0, 0, 1, 1]}
    )
    given = {"duration": "t", "event": "why", "censored": "in view", "arm": "arm", "reference": 0}
    risks = oc.cumulative_incidence(oc.survival_data(frame, **given))
    with pytest.raises(oc.EstimationError, match="which of death, reoffence is the outcome of interest"):
        oc.compare(risks, measure="risk_difference", at=2)
    named = oc.compare(risks, measure="risk_difference", at=2, cause="reoffence").to_frame()
    said = oc.cumulative_incidence(oc.survival_data(frame, **given, causes=["reoffence", "death"]))
    assert (
        named["estimate"].tolist() == oc.compare(said, measure="risk_difference", at=2).to_frame()["estimate"].tolist()
    )


def test_a_value_given_as_censored_that_no_row_holds_is_a_slip_of_the_pen() -> None:
    frame = pd.DataFrame({"t": [1, 2, 3], "why": ["back", "out", "out"]})
    with pytest.raises(
        oc.DataError, match=r"no row of column 'why' holds the value given as censored=\. Did you mean 'out'\?"
    ):
        oc.survival_data(frame, duration="t", event="why", censored="outt")
    everybody = oc.survival_data(frame, duration="t", event="why", censored="lost", causes=["back", "out"])
    assert everybody.causes == ("back", "out")


def test_codes_that_nothing_names_are_counted_and_names_no_row_holds_are_told() -> None:
    frame = pd.DataFrame({"t": [1, 2, 3], "why": ["back", "out", "back"]})
    with pytest.raises(
        oc.DataError, match=r"2 rows of column 'why' hold a code .* No row holds 'Back', which they name"
    ):
        oc.survival_data(frame, duration="t", event="why", censored="out", causes={"Back": "reoffence"})


def test_arms_are_called_what_the_call_says() -> None:
    frame = pd.DataFrame({"t": [1, 2, 3, 4], "e": [1, 0, 1, 1], "fin": [0, 0, 1, 1]})
    names = {0: "usual supervision", 1: "programme"}
    by_value = oc.survival_data(frame, duration="t", event="e", arm="fin", reference=0, arms=names)
    by_name = oc.survival_data(frame, duration="t", event="e", arm="fin", reference="usual supervision", arms=names)
    assert by_value.arms == by_name.arms == ("usual supervision", "programme")
    assert by_value.arm.tolist() == by_name.arm.tolist() == [0, 0, 1, 1]
    given = {"duration": "t", "event": "e", "arm": "fin", "reference": 0}
    with pytest.raises(oc.DataError, match="arms= names '2', which no row of 'fin' has"):
        oc.survival_data(frame, **given, arms={2: "other"})
    with pytest.raises(oc.DataError, match="two values of the arm one name"):
        oc.survival_data(frame, **given, arms={0: "all", 1: "all"})
    with pytest.raises(oc.DataError, match="names the values of a column"):
        oc.survival_data(frame, duration="t", event="e", arms=names)


def test_who_the_outcome_is_hangs_on_no_note_and_adjusted_curves_ask_too() -> None:
    frame = pd.DataFrame(
        {"t": [1, 2, 3, 4], "why": ["reoffence", "death", "in view", "reoffence"], "arm": [0, 0, 1, 1]}
    )
    data = oc.survival_data(frame, duration="t", event="why", censored="in view", arm="arm", reference=0)
    silent = replace(data, notes=())
    with pytest.raises(oc.EstimationError, match="which of death, reoffence"):
        oc.compare(oc.cumulative_incidence(silent), measure="risk_difference", at=2)
    with pytest.raises(oc.EstimationError, match="adjusted_curves: nobody said which of death, reoffence"):
        oc.adjusted_curves(data, outcome="arm", estimand="ate", method="g-formula")
