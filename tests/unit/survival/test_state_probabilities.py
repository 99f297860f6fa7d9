"""Shares of people in each state: by hand, against survfit, by brute force, and what they do where data are thin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import outcomes as oc

close = np.testing.assert_allclose
CAUSES = ["free", "custody", "abroad", "dead"]


def _take(frame: pd.DataFrame, **more: Any) -> oc.SurvivalData:
    given = {"entry": "start", "exit": "stop", "event": "then", "censored": "on", "id": "id", "from_state": "was"}
    return oc.survival_data(
        frame, **given, **({"causes": CAUSES, "arm": "arm", "reference": "x", "unit": "weeks"} | more)
    )


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return 60 people made by a formula, in R as here: ties, late entry, mixed states at the start, weights, clusters.

    Person i = 1..60 enters at 2 where i is a multiple of 4, in state i mod 3. Its k-th row (k = 1..6) lasts 1 + (i k + k) mod 5; then, by
    (3 i + 5 k + i k) mod 11: 0 dead, 1 to 6 the next state of free, custody, abroad, 7 and 8 the state after, 9 and 10 no move.
    """
    rows = []
    for i in range(1, 61):
        at, state = 2.0 * (i % 4 == 0), i % 3
        for k in range(1, 7):
            stop, draw = at + 1 + (i * k + k) % 5, (3 * i + 5 * k + i * k) % 11
            goes = 3 if draw == 0 else (state + 1) % 3 if draw <= 6 else (state + 2) % 3 if draw <= 8 else -1
            rows.append((i, at, stop, CAUSES[state], CAUSES[goes] if goes >= 0 else "on", 0.5 + i % 7, i % 9))
            at, state = stop, goes if goes >= 0 else state
            if goes == 3:
                break
    found = pd.DataFrame(rows, columns=["id", "start", "stop", "was", "then", "w", "area"])
    return found.assign(arm=np.where(found["id"] % 2, "x", "y"))


@pytest.fixture(scope="module")
def data(frame: pd.DataFrame) -> oc.SurvivalData:
    return _take(frame)


def test_by_hand() -> None:
    rows = [
        ("a", 0, 2, "free", "custody"),
        ("a", 2, 4, "custody", "free"),
        ("b", 0, 4, "free", "dead"),
        ("c", 0, 3, "free", "on"),
    ]
    data = _take(pd.DataFrame(rows, columns=["id", "start", "stop", "was", "then"]).assign(arm="x"))
    found = oc.state_probabilities(data)
    at = found.at([0, 2, 4])["estimate"].to_numpy().reshape(4, 3).T  # by time, states in order
    # at 2 one of three moves to custody; at 4 everybody in custody goes free and everybody free dies, at once
    close(at, [[1, 0, 0, 0], [2 / 3, 1 / 3, 0, 0], [1 / 3, 0, 0, 2 / 3]])
    moved = found.transitions()
    assert moved[["from_state", "state", "n_moves", "time_in_state"]].values.tolist() == [
        ["free", "custody", 1, 9.0], ["free", "dead", 1, 9.0], ["custody", "free", 1, 2.0],
    ]  # fmt: skip


# survfit(Surv(start, stop, then) ~ arm, id = id, istate = was, weights = w, influence = TRUE), survival 3.5-3: by arm, state, time
SURVFIT = {
    "estimate": [
        0.422330097087379, 0.237943145614952, 0.233009708737864, 0.262372748452132,
        0.271844660194175, 0.250179287824443, 0.0728155339805825, 0.249504818108473,
        0.351151412462162, 0.233353273396749, 0.243804763808822, 0.333517465435415,
        0.354933434830985, 0.157465714136161, 0.0501103888980308, 0.275663547031676,
    ],
    "std_error": [
        0.104361985776075, 0.0891752141313039, 0.0891030882321481, 0.102645708977379,
        0.0962836460385713, 0.0993565069056579, 0.0382460976200504, 0.088075643515908,
        0.103418388366925, 0.0883945506359574, 0.100506679405483, 0.10211017338793,
        0.0968466370884297, 0.0714899133014238, 0.0415163448066573, 0.10211610278411,
    ],
}  # fmt: skip


def test_survfit_gives_the_same(data: oc.SurvivalData) -> None:
    found = oc.state_probabilities(data, weights="w").at([4, 9])
    close(found["estimate"], SURVFIT["estimate"], rtol=1e-9)
    close(found["std_error"], SURVFIT["std_error"], rtol=1e-9)


def _of(data: oc.SurvivalData, weight: np.ndarray, at: float) -> np.ndarray:
    return oc.state_probabilities(data, weights=weight).at(at)["estimate"].to_numpy()


@pytest.fixture(scope="module")
def moved(data: oc.SurvivalData) -> np.ndarray:
    """Return how each person's weight moves the probabilities at 8, by arm and state."""
    weight, step = data.baseline["w"].to_numpy(), 1e-5
    moved = np.zeros((len(weight), 8))
    for person in range(len(weight)):
        up, down = weight.copy(), weight.copy()
        up[person] += step
        down[person] -= step
        moved[person] = weight[person] * (_of(data, up, 8) - _of(data, down, 8)) / (2 * step)
    return moved


@pytest.mark.parametrize("area", [False, True])
def test_the_standard_error_is_that_of_moving_each_weight(data: oc.SurvivalData, moved: np.ndarray, area: bool) -> None:
    found = oc.state_probabilities(data, weights="w", cluster="area" if area else None)
    group = data.baseline["area"].to_numpy() if area else np.arange(len(moved))
    sums = pd.DataFrame(moved).groupby(group).sum().to_numpy()
    close(found.at(8)["std_error"], np.sqrt((sums**2).sum(axis=0)), rtol=1e-6)
    influence = oc.state_probabilities(data, weights="w").influence(8, state="custody")
    close(influence.values[:, :, 0], moved[:, [1, 5]], atol=1e-8)


def test_errors_do_not_depend_on_the_times_asked_for(data: oc.SurvivalData) -> None:
    found = oc.state_probabilities(data)
    whole = found.to_frame()
    names = ["estimate", "std_error", "n_at_risk", "n_entered"]
    at = whole[(whole["time"] == 9) & (whole["arm"] == "x")]
    alone = found.at([12, 9, 9.5])
    close(alone[(alone["time"] == 9) & (alone["arm"] == "x")][names], at[names], rtol=1e-10)
    close(whole.groupby(["arm", "time"])["estimate"].sum(), 1)


def test_the_scale_of_weights_says_nothing(data: oc.SurvivalData) -> None:
    weight = data.baseline["w"].to_numpy()
    one = oc.state_probabilities(data, weights=weight).at([4, 9])
    for other in (20 * weight, weight[data.person]):
        again = oc.state_probabilities(data, weights=other).at([4, 9])
        close(again[["estimate", "std_error"]], one[["estimate", "std_error"]], rtol=1e-9)


def test_first_events_are_moves_out_of_one_state() -> None:
    rows = pd.DataFrame(
        {
            "t": [1, 2, 2, 3, 4, 5.0],
            "e": ["arrest", "death", "arrest", "none", "arrest", "none"],
            "start": [0, 0, 0, 1, 2, 0.0],
        }
    )
    data = oc.survival_data(rows, entry="start", exit="t", event="e", censored="none", causes=["arrest", "death"])
    found, plain = oc.state_probabilities(data), oc.cumulative_incidence(data)
    assert found.states == ("event_free", "arrest", "death")
    ours, theirs = found.at([2, 4]), plain.at([2, 4])
    close(ours[ours["state"] != "event_free"]["std_error"], theirs["std_error"])
    close(ours[ours["state"] == "event_free"]["conf_low"], plain.event_free([2, 4])["conf_low"])


def test_a_split_row_is_the_whole_row(frame: pd.DataFrame, data: oc.SurvivalData) -> None:
    wide = frame[frame["stop"] - frame["start"] > 1]
    cut = pd.concat(
        [frame.drop(wide.index), wide.assign(stop=wide["start"] + 1, then="on"), wide.assign(start=wide["start"] + 1)]
    )
    one, other = (oc.state_probabilities(d).at([5, 9]) for d in (_take(cut), data))
    close(one[["estimate", "std_error"]], other[["estimate", "std_error"]], rtol=1e-9)


def test_rows_that_stand_for_several_people_are_those_people(frame: pd.DataFrame) -> None:
    few = frame.assign(many=1 + frame["id"] % 3)
    written = few.loc[few.index.repeat(few["many"])]
    written = written.assign(id=written["id"] * 10 + written.groupby(level=0).cumcount())
    one, other = (oc.state_probabilities(d).at([5, 9]) for d in (_take(few, frequency="many"), _take(written)))
    pd.testing.assert_frame_equal(one, other)


def test_nobody_moves_and_beyond_the_last_observation() -> None:
    rows = pd.DataFrame(
        {"id": [1, 2], "start": [0, 0.0], "stop": [5, 6.0], "was": "free", "then": ["on", "on"], "arm": "x"}
    )
    found = oc.state_probabilities(_take(rows))
    assert [note.code for note in found.notes] == ["no_moves_in_arm"]
    assert found.at(6)["estimate"].tolist() == [1, 0, 0, 0]
    assert found.at(7)["estimate"].isna().all()
    with pytest.raises(oc.EstimationError, match="beyond the follow-up of arm 'x', whose last usable time is 6"):
        found.influence(7, state="free")


def test_a_state_nobody_is_seen_in_for_a_time_is_said() -> None:
    rows = [
        (1, 0, 2, "free", "custody"),
        (1, 2, 3, "custody", "on"),
        (2, 0, 4, "free", "dead"),
        (3, 0, 6, "free", "on"),
    ]
    found = oc.state_probabilities(
        _take(pd.DataFrame(rows, columns=["id", "start", "stop", "was", "then"]).assign(arm="x"))
    )
    assert "nobody was observed in custody" in found.notes[0].text


def test_what_cannot_be_is_refused(data: oc.SurvivalData, frame: pd.DataFrame) -> None:
    with pytest.raises(oc.EstimationError, match="Did you mean 'custody'"):
        oc.state_probabilities(data).influence(5, state="custdy")
    with pytest.raises(oc.EstimationError, match="variance must be 'robust' or 'stacked'"):
        oc.state_probabilities(data, variance="model")
    with pytest.raises(oc.EstimationError, match="every weight in arm 'x' is 0"):
        oc.state_probabilities(data, weights=np.where(data.baseline["arm"] == "x", 0.0, 1.0))
    text = oc.state_probabilities(data).describe()
    assert text.startswith("x at ")
    assert "% custody" in text
