"""Mean number of events a person: by hand, by brute force, and what it does where data are thin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import outcomes as oc
from outcomes.survival import influence_paths

close = np.testing.assert_allclose


def _take(frame: pd.DataFrame, *, arm: bool = False, cluster: str | None = None) -> oc.SurvivalData:
    return oc.survival_data(
        frame, entry="start", exit="stop", event="e", censored=0, causes={1: "arrest", 2: "death"}, id="id", repeated=True,
        arm="arm" if arm else None, reference="x" if arm else None, cluster=cluster, unit="weeks",
    )  # fmt: skip


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return 40 people with ties, late entry, gaps, deaths, weights and clusters."""
    rng = np.random.default_rng(3)
    rows = []
    for person in range(40):
        at = int(rng.integers(0, 3))
        for _ in range(int(rng.integers(1, 6))):
            stop = at + int(rng.integers(1, 5))
            rows.append((person, at, stop, int(rng.random() < 0.6)))
            at = stop + int(rng.random() < 0.2)
        if rng.random() < 0.4:
            rows[-1] = (*rows[-1][:3], 2)
    found = pd.DataFrame(rows, columns=["id", "start", "stop", "e"]).astype({"start": float, "stop": float})
    number = found["id"]
    return found.assign(arm=np.where(number % 2, "x", "y"), w=0.5 + number % 7, area=number % 9)


@pytest.fixture(scope="module")
def data(frame: pd.DataFrame) -> oc.SurvivalData:
    return _take(frame, arm=True)


def _by_hand(frame: pd.DataFrame, upto: float, *, ending: bool = True) -> float:
    """Return the sum over times of S(t-) dN / Y."""
    left = total = 0.0
    left = 1.0
    for time in sorted(frame["stop"].unique()):
        if time > upto:
            break
        at_risk = frame.loc[(frame["start"] < time) & (frame["stop"] >= time), "w"].sum()
        now = frame[frame["stop"] == time]
        total += left * now.loc[now["e"] == 1, "w"].sum() / at_risk
        left *= 1 - now.loc[now["e"] == 2, "w"].sum() / at_risk if ending else 1.0
    return total


def test_without_censoring_it_is_the_average_count() -> None:
    rows = [(1, 0, 2, 1), (1, 2, 5, 1), (1, 5, 9, 2), (2, 0, 4, 2), (3, 0, 3, 1), (3, 3, 9, 2)]
    frame = pd.DataFrame(rows, columns=["id", "start", "stop", "e"])
    found = oc.mean_count(_take(frame)).at([1, 3, 9])
    close(found["estimate"], [0, 2 / 3, 1.0])
    counts = np.array([2, 0, 1])
    close(found["std_error"].iloc[-1], np.sqrt(((counts - 1) ** 2).sum()) / 3)


@pytest.mark.parametrize("method", ["ghosh-lin", "nelson"])
def test_weighted_with_ties_and_late_entry_it_is_the_sum_by_hand(
    frame: pd.DataFrame, data: oc.SurvivalData, method: str
) -> None:
    found = oc.mean_count(data, weights="w", method=method).at(12)
    expected = [_by_hand(frame[frame["arm"] == arm], 12, ending=method == "ghosh-lin") for arm in ("x", "y")]
    close(found["estimate"], expected, rtol=1e-12)


@pytest.fixture(scope="module")
def moved(data: oc.SurvivalData) -> np.ndarray:
    """Return how each person's weight moves the mean count of arm x at 9."""
    weight, step = data.baseline["w"].to_numpy(), 1e-5
    moved = np.zeros(len(weight))
    for person in range(len(weight)):
        up, down = weight.copy(), weight.copy()
        up[person] += step
        down[person] -= step
        ends = [oc.mean_count(data, weights=w).at(9)["estimate"].iloc[0] for w in (up, down)]
        moved[person] = weight[person] * (ends[0] - ends[1]) / (2 * step)
    return moved


@pytest.mark.parametrize("area", [False, True])
def test_the_standard_error_is_that_of_moving_each_weight(data: oc.SurvivalData, moved: np.ndarray, area: bool) -> None:
    group = data.baseline["area"].to_numpy() if area else np.arange(len(moved))
    expected = np.sqrt((np.bincount(group, weights=moved) ** 2).sum())
    found = oc.mean_count(data, weights="w", cluster="area" if area else None)
    close(found.at(9)["std_error"].iloc[0], expected, rtol=1e-6)


def test_the_pass_over_people_agrees_with_the_sum_person_by_person(
    data: oc.SurvivalData, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = oc.mean_count(data, weights="w").to_frame()
    monkeypatch.setattr(influence_paths, "_SMALL", 0)
    close(oc.mean_count(data, weights="w").to_frame()["std_error"], one["std_error"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: oc.mean_count(data, weights=1000 * data.baseline["w"].to_numpy()),
        lambda data: oc.mean_count(
            data, weights=data.baseline["w"].to_numpy()[data.person]
        ),  # one a row, the same all along
    ],
    ids=["scale", "by row"],
)
def test_the_scale_of_weights_says_nothing(
    data: oc.SurvivalData, change: Callable[[oc.SurvivalData], oc.MeanCount]
) -> None:
    names = ["estimate", "std_error", "conf_low", "conf_high"]
    close(change(data).to_frame()[names], oc.mean_count(data, weights="w").to_frame()[names], rtol=1e-9)


def test_a_split_row_is_the_whole_row(frame: pd.DataFrame) -> None:
    wide = frame[frame["stop"] - frame["start"] > 1]
    cut = pd.concat(
        [frame.drop(wide.index), wide.assign(stop=wide["start"] + 1, e=0), wide.assign(start=wide["start"] + 1)]
    )
    times = [3, 8, 12]
    close(
        oc.mean_count(_take(cut)).at(times)["std_error"], oc.mean_count(_take(frame)).at(times)["std_error"], rtol=1e-9
    )


def test_the_rate_while_present_is_higher_where_people_leave_for_good_and_says_so(data: oc.SurvivalData) -> None:
    mean, present = oc.mean_count(data), oc.mean_count(data, method="nelson")
    assert (present.at(12)["estimate"] > mean.at(12)["estimate"]).all()
    assert [note.code for note in present.notes] == ["competing_censored"]
    assert "a person while present by" in present.describe()


def test_counts_are_compared_with_the_arms_own_influences(data: oc.SurvivalData) -> None:
    found = oc.mean_count(data)
    difference = oc.compare(found, measure="count_difference", at=9).to_frame().iloc[0]
    at = found.at(9)
    close(difference["estimate"], at["estimate"].iloc[1] - at["estimate"].iloc[0])
    close(difference["std_error"], np.hypot(*at["std_error"]))
    ratio = oc.compare(found, measure="count_ratio", at=9)
    close(ratio.to_frame()["estimate"], at["estimate"].iloc[1] / at["estimate"].iloc[0])
    assert "ratio of mean counts" in ratio.describe()
    with pytest.raises(oc.EstimationError, match="a mean count gives count_difference, count_ratio"):
        oc.compare(found, measure="risk_difference", at=9)


def test_an_arm_without_events_has_a_count_of_0_and_no_ratio() -> None:
    rows = [(1, 0, 5, 0, "x"), (2, 0, 3, 1, "y"), (2, 3, 5, 0, "y"), (3, 0, 5, 0, "y")]
    data = _take(pd.DataFrame(rows, columns=["id", "start", "stop", "e", "arm"]), arm=True)
    found = oc.mean_count(data)
    assert found.at(5)[["estimate", "conf_high"]].iloc[0].tolist() == [0, 0]
    assert [note.code for note in found.notes] == ["no_events_in_arm"]
    one = oc.compare(found, measure="count_difference", at=5)
    assert one.to_frame()[["estimate", "verdict"]].values.tolist() == [[0.5, "not determined"]]
    assert np.isnan(oc.compare(found, measure="count_ratio", at=5).to_frame()["estimate"].iloc[0])
    assert "no_events" in [note.code for note in one.notes]


def test_where_all_have_left_for_good_the_count_stays_and_later_entrants_are_noted() -> None:
    rows = [(1, 0, 2, 1), (1, 2, 3, 2), (2, 4, 6, 1)]
    found = oc.mean_count(_take(pd.DataFrame(rows, columns=["id", "start", "stop", "e"])))
    assert found.at([2, 6, 99])["estimate"].tolist() == [1, 1, 1]
    assert [note.code for note in found.notes] == ["risk_set_emptied"]


def test_beyond_the_last_observation_nothing_is_known(data: oc.SurvivalData) -> None:
    arm_x, arm_y = oc.mean_count(data).at(999)["estimate"]
    assert np.isfinite(arm_x), "everybody in x had left for good"
    assert np.isnan(arm_y)


def test_what_is_said_of_probabilities_is_not_said_of_counts(data: oc.SurvivalData) -> None:
    found = oc.mean_count(data)
    with pytest.raises(oc.NotSupportedError, match=r"quantile: a mean count is no share of people.*take kaplan_meier"):
        found.quantile()
    with pytest.raises(oc.NotSupportedError, match=r"bands: a mean count is no share of people.*Take at\(\)"):
        found.bands()


def test_first_events_and_impossible_variances_are_refused(frame: pd.DataFrame, data: oc.SurvivalData) -> None:
    first = oc.survival_data(pd.DataFrame({"t": [3, 4], "e": [1, 0]}), duration="t", event="e")
    with pytest.raises(oc.NotSupportedError, match="needs every event of a person"):
        oc.mean_count(first)
    with pytest.raises(oc.NotSupportedError, match="no Poisson variance"):
        oc.mean_count(data, variance="model")
    with pytest.raises(oc.EstimationError, match="model-based variance takes weights for counts"):
        oc.mean_count(data, method="nelson", variance="model", weights="w")
    with pytest.raises(oc.EstimationError, match="every weight in arm 'x' is 0"):
        oc.mean_count(data, weights=np.where(data.baseline["arm"] == "x", 0.0, 1.0))
