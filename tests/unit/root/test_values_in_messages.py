"""A column taken for an arm, a cause or a factor by mistake: messages and notes count its values and do not list them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import outcomes as oc

MARK = "CANARY-7731"
PEOPLE = 240


def _frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    number = np.arange(PEOPLE)
    return pd.DataFrame(
        {
            "week": rng.integers(1, 50, PEOPLE).astype(float), "arrest": (number % 8 != 0).astype(int),
            "fin": np.where(number % 3, "y", "x"), "person": [f"{MARK}-{i}" for i in number],
            "town": [f"{MARK}-{i}" for i in number % 8], "again": [f"{MARK}-{i}" for i in number % 8],
        }
    )  # fmt: skip


FRAME = _frame()
FEW = FRAME.iloc[:6]


@pytest.mark.parametrize(
    ("frame", "reference", "said"),
    [
        (FRAME, None, "240 different values"),
        (FRAME, f"{MARK}-0000", "240 different values"),
        (FEW, None, "6 different values"),
    ],
)
def test_an_arm_that_could_be_a_person_is_counted(frame: pd.DataFrame, reference: str | None, said: str) -> None:
    with pytest.raises(oc.DataError, match=said) as caught:
        oc.survival_data(frame, duration="week", event="arrest", arm="person", reference=reference)
    assert str(caught.value).replace(repr(reference), "").count(MARK) == 0


def test_few_arms_of_many_people_are_named() -> None:
    with pytest.raises(oc.DataError, match=r"reference=\)\. Valid: 'x', 'y'\."):
        oc.survival_data(FRAME, duration="week", event="arrest", arm="fin")


def test_rows_of_one_person_do_not_make_an_arm_of_many() -> None:
    rows = pd.DataFrame({"id": [MARK] * 9 + ["b"] * 9, "start": [*range(9)] * 2, "stop": [*range(1, 10)] * 2, "e": 0})
    with pytest.raises(oc.DataError, match="2 different values") as caught:
        oc.survival_data(rows, entry="start", exit="stop", event="e", id="id", arm="id")
    assert MARK not in str(caught.value)


def test_free_text_does_not_become_causes() -> None:
    with pytest.raises(oc.DataError, match="239 different texts") as caught:
        oc.survival_data(FRAME, duration="week", event="person", censored=FRAME["person"].iloc[0])
    assert MARK not in str(caught.value)
    declared = dict.fromkeys(FRAME["person"], "arrest")
    assert oc.survival_data(FRAME, duration="week", event="person", censored="none", causes=declared).n == PEOPLE


def test_twenty_causes_are_taken_and_one_more_is_not() -> None:
    frame = pd.DataFrame({"week": np.arange(1.0, 23), "why": ["none", *(f"cause {i}" for i in range(21))]})
    assert len(oc.survival_data(frame.iloc[:21], duration="week", event="why", censored="none").causes) == 20
    with pytest.raises(oc.DataError, match="21 different texts"):
        oc.survival_data(frame, duration="week", event="why", censored="none")


MODELS: dict[str, Callable[[oc.SurvivalData, str], Any]] = {
    "cox": oc.cox,
    "fine_gray": oc.fine_gray,
    "parametric": lambda data, formula: oc.parametric(data, formula, distribution="exponential"),
    "rate_model": oc.rate_model,
}


@pytest.mark.parametrize("name", MODELS)
def test_many_levels_that_follow_from_others_are_counted(name: str) -> None:
    data = oc.survival_data(FRAME, duration="week", event="arrest")
    with pytest.raises(oc.EstimationError, match=r"collinear.*C\(again\) \(7 levels\)") as caught:
        MODELS[name](data, "C(town) + C(again)")
    assert str(caught.value).startswith(f"{name}: ")
    assert MARK not in str(caught.value)


@pytest.mark.parametrize("name", ["cox", "fine_gray", "rate_model"])
def test_many_levels_without_a_finite_maximum_are_counted(name: str) -> None:
    frame = FRAME.assign(arrest=(FRAME["town"] == FRAME["town"].iloc[0]).astype(int))
    fit = MODELS[name](oc.survival_data(frame, duration="week", event="arrest"), "C(town)")
    said = {note.code: note.text for note in fit.notes}["separation"]
    assert "C(town) (7 levels)" in said
    assert MARK not in "".join(note.text for note in fit.notes)


def test_many_levels_that_run_away_are_counted() -> None:
    frame = FRAME.assign(arrest=(FRAME["town"] == FRAME["town"].iloc[0]).astype(int))
    with pytest.raises(oc.EstimationError, match=r"running away: .*C\(town\) \(7 levels\)") as caught:
        MODELS["parametric"](oc.survival_data(frame, duration="week", event="arrest"), "C(town)")
    assert MARK not in str(caught.value)


def test_many_levels_that_tell_the_arm_are_counted() -> None:
    frame = FRAME.assign(aid=np.where(FRAME.index % 8 < 1, "a", "b"))
    data = oc.survival_data(frame, duration="week", event="arrest", arm="aid", reference="a")
    with pytest.raises(oc.EstimationError, match="separation") as caught:
        oc.weight(data, "C(town)", estimand="ate")
    assert "C(town) (7 levels)" in str(caught.value)
    assert MARK not in str(caught.value)


def test_the_time_of_a_risk_set_that_emptied_is_said_and_a_number_of_few_is_not() -> None:
    alone = pd.DataFrame({"start": [0.0, 3, 3, 4], "stop": [2.0, 6, 7, 8], "e": [1, 1, 1, 0]})
    fit = oc.kaplan_meier(oc.survival_data(alone, entry="start", exit="stop", event="e"))
    assert "everybody at risk at time 2 (fewer than 5) had an event" in fit.notes[0].text
    five = pd.concat([*[alone.iloc[:1]] * 5, alone.iloc[1:]])
    fit = oc.kaplan_meier(oc.survival_data(five, entry="start", exit="stop", event="e"))
    assert "everybody at risk at time 2 (5) had an event" in fit.notes[0].text


def test_the_number_who_left_for_good_is_not_said_where_they_are_few() -> None:
    rows = [(1, 0, 2, 1), (1, 2, 3, 2), (2, 4, 6, 1)]
    data = oc.survival_data(
        pd.DataFrame(rows, columns=["id", "start", "stop", "e"]), entry="start", exit="stop", event="e", id="id",
        causes={1: "arrest", 2: "death"}, repeated=True,
    )  # fmt: skip
    assert "everybody at risk at time 3 (fewer than 5) left for good" in oc.mean_count(data).notes[0].text


COX_BY_OTHER_NAMES: dict[str, Callable[..., Any]] = {
    "andersen_gill": oc.andersen_gill,
    "pwp": oc.pwp,
    "cause_specific": oc.cause_specific,
}


@pytest.mark.parametrize("name", COX_BY_OTHER_NAMES)
@pytest.mark.parametrize(
    "asked", [{"formula": "agee"}, {"formula": "frailty(id)"}, {"ties": "none"}, {"strata": "agee"}, {"weights": "w"}]
)
def test_who_was_asked_is_who_answers(name: str, asked: dict[str, str]) -> None:
    rows = pd.DataFrame({"id": [1, 1, 2], "start": [0, 2, 0], "stop": [2, 5, 4], "e": [1, 0, 1], "age": [30, 30, 40]})
    data = oc.survival_data(rows, entry="start", exit="stop", event="e", id="id", repeated=True)
    with pytest.raises(oc.EstimationError, match=f"^{name}: "):
        COX_BY_OTHER_NAMES[name](data, **({"formula": "age"} | asked))


def test_predictions_name_the_call_that_refused_new_strata() -> None:
    model = oc.cox(
        oc.survival_data(FRAME.assign(age=FRAME.index % 7), duration="week", event="arrest"), "age", strata="town"
    )
    with pytest.raises(oc.EstimationError, match=r"^predict: 1 of 1 new rows are of a stratum"):
        model.predict(pd.DataFrame({"age": [3], "town": ["elsewhere"]}))
