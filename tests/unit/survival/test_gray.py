"""Gray's test: what it does with what it is given, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import outcomes as oc


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Eighty people in three arms, tied times, two causes, two areas, some of them entering late."""
    rng = np.random.default_rng(11)
    stop = rng.integers(2, 15, 80).astype(float)
    return pd.DataFrame(
        {
            "start": np.where(rng.random(80) < 0.3, 1.0, 0.0),
            "stop": stop,
            "end": rng.choice(["none", "sexual", "death"], 80, p=[0.3, 0.45, 0.25]),
            "arm": rng.choice(["a", "b", "c"], 80),
            "area": rng.choice(["x", "y"], 80),
        }
    )


def take(frame: pd.DataFrame, **more: Any) -> oc.SurvivalData:
    asked = {"exit": "stop", "event": "end", "censored": "none", "causes": ["sexual", "death"], "arm": "arm"}
    return oc.survival_data(frame, **{**asked, "reference": "a", **more})


def numbers(found: oc.Gray) -> list[float]:
    return [found.statistic, found.df, *found.score]


def test_ten_people_as_in_cmprsk() -> None:
    """R, cmprsk 2.2-11: cuminc(c(1,2,2,3,4,5,5,6,7,8), c(1,2,1,0,1,1,2,1,0,1), rep(c("a", "b"), 5))$Tests."""
    t = [1, 2, 2, 3, 4, 5, 5, 6, 7, 8]
    small = pd.DataFrame({"stop": t, "end": [1, 2, 1, 0, 1, 1, 2, 1, 0, 1], "arm": ["a", "b"] * 5})
    data = take(small, censored=0, causes={1: "sexual", 2: "death"})
    found = oc.gray_test(data, cause="sexual")
    assert [found.statistic, found.p_value] == pytest.approx([0.58821085121, 0.4431118066], rel=1e-9)
    assert found.n_events == (3, 3)
    assert oc.gray_test(data, cause="death").statistic == pytest.approx(0.03022363518, rel=1e-9)


def test_the_scores_add_to_nothing_and_the_table_has_one_row(frame: pd.DataFrame) -> None:
    found = oc.gray_test(take(frame), cause="sexual")
    assert found.score.sum() == pytest.approx(0, abs=1e-12)
    assert found.df == 2
    assert found.to_frame().columns.tolist() == ["cause", "rho", "statistic", "df", "p_value"]
    assert found.by_arm()["n"].sum() == 80
    assert found.describe().startswith("Gray's test of equal cumulative incidence of sexual: chi-squared")


@pytest.mark.parametrize("entry", [None, "start"])
def test_order_unit_and_reference_do_not_matter(frame: pd.DataFrame, entry: str | None) -> None:
    found = oc.gray_test(take(frame, entry=entry), cause="sexual", strata="area")
    mixed = frame.sample(frac=1, random_state=3).assign(stop=lambda f: f["stop"] * 7, start=lambda f: f["start"] * 7)
    again = oc.gray_test(take(mixed, entry=entry, reference="c"), cause="sexual", strata="area")
    assert again.statistic == pytest.approx(found.statistic, rel=1e-10)


def test_a_split_spell_is_the_whole_spell_and_a_frequency_is_that_many_rows(frame: pd.DataFrame) -> None:
    whole = frame.assign(person=np.arange(80))
    early = whole.assign(stop=whole["stop"].clip(upper=5), end=whole["end"].where(whole["stop"] <= 5, "none"))
    split = pd.concat([early, whole[whole["stop"] > 5].assign(start=5.0)], ignore_index=True)
    expected = numbers(oc.gray_test(take(whole, entry="start"), cause="sexual"))
    assert numbers(oc.gray_test(take(split, entry="start", id="person"), cause="sexual")) == pytest.approx(expected)
    counted = oc.count_rows(frame, ["start", "stop", "end", "arm"])
    alike = take(counted, entry="start", frequency="people")
    assert numbers(oc.gray_test(alike, cause="sexual")) == pytest.approx(expected)


def test_with_one_cause_and_no_censoring_it_is_nearly_the_logrank_test() -> None:
    rng = np.random.default_rng(2)
    alone = pd.DataFrame({"stop": rng.exponential(1, 600), "end": 1, "arm": rng.integers(0, 2, 600)})
    data = take(alone, censored=0, causes=None, reference=0)
    assert oc.gray_test(data).statistic == pytest.approx(oc.logrank_test(data).statistic, rel=0.02, abs=0.02)


def test_an_arm_without_the_cause_is_tested_and_one_where_all_had_it(frame: pd.DataFrame) -> None:
    none = frame.assign(end=frame["end"].where((frame["arm"] != "b") | (frame["end"] != "sexual"), "none"))
    every = frame.assign(end=frame["end"].where(frame["arm"] != "b", "sexual"))
    for changed in (none, every):
        found = oc.gray_test(take(changed), cause="sexual")
        assert np.isfinite(found.statistic)
        assert found.p_value < 0.05


def test_one_event_is_enough_and_everybody_may_have_one(frame: pd.DataFrame) -> None:
    single = frame.assign(end=np.where(np.arange(80) == 7, "sexual", "none"))
    assert np.isfinite(oc.gray_test(take(single), cause="sexual").statistic)
    assert np.isfinite(oc.gray_test(take(frame.assign(end="sexual")), cause="sexual").statistic)


@pytest.mark.parametrize(
    ("changed", "asked", "kind", "message"),
    [
        ({}, {"cause": None}, oc.EstimationError, r"2 causes compete \(sexual, death\)"),
        ({}, {"cause": "sexal"}, oc.EstimationError, "Did you mean 'sexual'"),
        ({}, {"cause": "sexual", "strata": "aera"}, oc.EstimationError, "no column 'aera'"),
        ({}, {"cause": "sexual", "weights": np.ones(80)}, oc.NotSupportedError, "weights are not supported"),
        ({"cluster": "area"}, {"cause": "sexual"}, oc.NotSupportedError, "clusters are not supported"),
        ({"arm": None, "reference": None}, {"cause": "sexual"}, oc.EstimationError, "only one arm"),
    ],
)
def test_what_has_no_right_answer_is_an_error(
    frame: pd.DataFrame, changed: dict[str, Any], asked: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        oc.gray_test(take(frame, **changed), **asked)


def test_a_cluster_of_the_data_can_be_left_out(frame: pd.DataFrame) -> None:
    clustered = take(frame, cluster="area")
    alone = oc.gray_test(clustered.with_cluster(None), cause="sexual")
    assert alone.statistic == oc.gray_test(take(frame), cause="sexual").statistic
    with pytest.raises(oc.DataError, match="no column 'aera'"):
        clustered.with_cluster("aera")


def test_nobody_with_the_cause_cannot_be_tested(frame: pd.DataFrame) -> None:
    with pytest.raises(oc.EstimationError, match="nobody had the event 'sexual'"):
        oc.gray_test(take(frame.assign(end=frame["end"].replace("sexual", "none"))), cause="sexual")
