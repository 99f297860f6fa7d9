"""Effects by subgroup: each level as if it were all there is, tested jointly, and honest about levels that cannot be had."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.comparison.subgroups import subgroup_effects

NUMBERS = ["estimate", "std_error", "conf_low", "conf_high"]


def people(n: int = 1200, *, effect_in_high: float = 0.0, seed: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    band, x = rng.choice(["low", "medium", "high"], n), rng.normal(size=n)
    high = band == "high"
    arm = rng.random(n) < 1 / (1 + np.exp(-(0.9 * np.where(high, x, -x))))
    risk = 1 / (1 + np.exp(-(-0.5 + 0.7 * x + effect_in_high * high * arm)))
    hit = rng.random(n) < risk
    area = rng.integers(0, 30, n)
    return pd.DataFrame(
        {
            "t": np.where(hit, rng.integers(1, 11, n), 10), "e": hit.astype(int), "arm": np.where(arm, "b", "a"), "x": x,
            "band": pd.Categorical(band, ["low", "medium", "high"]), "area": area, "all_alike": "one",
        }
    )  # fmt: skip


def data_of(frame: pd.DataFrame, **asked: object) -> oc.SurvivalData:
    return oc.survival_data(frame, duration="t", event="e", arm="arm", reference="a", **asked)  # type: ignore[arg-type]


def test_rows_are_everyone_raw_and_adjusted_then_each_level_in_order() -> None:
    data = data_of(people())
    found = subgroup_effects(data, "band", at=10, weights=oc.weight(data, "x + C(band)", estimand="ate")).to_frame()
    assert list(zip(found["subgroup"], found["level"], found["adjustment"], strict=True)) == [
        ("", "", "raw"), ("", "", "adjusted"), ("band", "low", "adjusted"), ("band", "medium", "adjusted"), ("band", "high", "adjusted"),
    ]  # fmt: skip
    assert list(found["n"]) == [1200, 1200, *people()["band"].value_counts(sort=False)]
    assert found["n_events"].iloc[2:].sum() == found["n_events"].iloc[0]
    assert found["p_holm"].notna().tolist() == [False, False, True, True, True]


@pytest.mark.parametrize("clusters", [None, "area"])
def test_a_raw_level_is_what_comparing_its_people_alone_gives(clusters: str | None) -> None:
    frame = people()
    found = subgroup_effects(data_of(frame, cluster=clusters), "band", at=10).to_frame().set_index("level")
    for level in ("low", "medium", "high"):
        alone = data_of(frame[frame["band"] == level], cluster=clusters)
        expected = oc.compare(oc.kaplan_meier(alone), measure="risk_difference", at=10).to_frame().iloc[0]
        np.testing.assert_allclose(found.loc[level, NUMBERS].astype(float), expected[NUMBERS].astype(float), rtol=1e-9)
        assert found.loc[level, "df"] == expected["df"]


@pytest.mark.parametrize("estimand", ["ate", "ato"])
def test_an_adjusted_level_is_what_weighting_its_people_alone_gives(estimand: str) -> None:
    frame = people()
    data = data_of(frame)
    found = (
        subgroup_effects(data, "band", at=10, weights=oc.weight(data, "x + C(band)", estimand=estimand))
        .to_frame()
        .set_index("level")
    )
    for level in ("low", "medium", "high"):
        alone = data_of(frame[frame["band"] == level])
        weights = oc.weight(alone, "x", estimand=estimand)
        expected = (
            oc.compare(oc.kaplan_meier(alone, weights=weights), measure="risk_difference", at=10).to_frame().iloc[0]
        )
        np.testing.assert_allclose(found.loc[level, NUMBERS].astype(float), expected[NUMBERS].astype(float), rtol=1e-7)
        assert found.loc[level, "estimand"] == estimand


def test_refitting_within_levels_removes_differences_that_everyones_score_leaves_there() -> None:
    """In `high` the arm goes with x, elsewhere against it; there is no effect of the arm in any level."""
    data = data_of(people(6000))
    found = (
        subgroup_effects(data, "band", at=10, weights=oc.weight(data, "x + C(band)", estimand="ato"))
        .to_frame()
        .set_index("level")
    )
    raw = subgroup_effects(data, "band", at=10).to_frame().set_index("level")
    for level in ("low", "medium", "high"):
        assert abs(found.loc[level, "estimate"]) < 2.6 * found.loc[level, "std_error"]
        assert abs(raw.loc[level, "estimate"]) > 3 * raw.loc[level, "std_error"]


def test_the_test_of_one_effect_for_all_is_wald_on_independent_levels() -> None:
    found = subgroup_effects(data_of(people(effect_in_high=1.5)), "band", at=10)
    rows = found.to_frame().iloc[1:]
    w = 1 / rows["std_error"] ** 2
    mean = np.average(rows["estimate"], weights=w)
    test = found.interaction().iloc[0]
    assert test["statistic"] == pytest.approx((w * (rows["estimate"] - mean) ** 2).sum(), rel=1e-9)
    assert (test["df"], test["n_levels"]) == (2, 3)
    assert np.isinf(test["df_residual"])
    assert test["p_value"] < 0.001
    assert "Levels of band: they differ more than chance would" in found.describe()


def test_the_test_agrees_with_the_interaction_of_a_regression() -> None:
    """Everybody is followed to week 52: the difference of differences is a regression's interaction, clustered by area."""
    import statsmodels.formula.api as smf

    frame = load_rossi().assign(area=np.arange(432) * 7 % 25)
    data = oc.survival_data(
        frame, duration="week", event="arrest", arm="fin", reference=0, cluster="area", unit="weeks"
    )
    test = subgroup_effects(data, "wexp", at=52).interaction().iloc[0]
    fit = smf.ols("arrest ~ fin * wexp", frame).fit(
        cov_type="cluster", cov_kwds={"groups": frame["area"], "use_correction": False}
    )
    assert test["statistic"] == pytest.approx(fit.tvalues["fin:wexp"] ** 2 * 24 / 25, rel=1e-6)
    assert test["df_residual"] == 24


def test_with_few_clusters_the_test_keeps_its_size() -> None:
    """Nothing acts; 12 areas that differ, 4 levels: Wald's statistic on F with 11 degrees of freedom rejects in 9 % of samples."""
    rejected = []
    for seed in range(250):
        rng = np.random.default_rng(seed)
        area, band, arm = np.repeat(np.arange(12), 60), rng.integers(0, 4, 720), rng.integers(0, 2, 720)
        differ = rng.normal(0, 0.15, (12, 4, 2))
        hit = rng.random(720) < np.clip(0.4 + differ[area, band, arm], 0, 1)
        frame = pd.DataFrame({"t": np.where(hit, 5, 10), "e": hit.astype(int), "arm": arm, "band": band, "area": area})
        data = oc.survival_data(frame, duration="t", event="e", arm="arm", reference=0, cluster="area")
        rejected.append(subgroup_effects(data, "band", at=10).interaction()["p_value"].iloc[0] < 0.05)
    assert 0.01 <= np.mean(rejected) <= 0.08


def test_the_test_of_several_levels_is_hotellings() -> None:
    from scipy.stats import f

    test = subgroup_effects(data_of(people(), cluster="area"), "band", at=10).interaction().iloc[0]
    assert (test["df"], test["df_residual"]) == (2, 28)
    assert test["p_value"] == pytest.approx(f.sf(test["statistic"] * 28 / (2 * 29), 2, 28))


def test_no_more_clusters_than_levels_bear_no_test_and_that_is_said() -> None:
    frame = people().assign(area=lambda d: np.arange(len(d)) % 4, level=lambda d: np.arange(len(d)) // 4 % 5)
    found = subgroup_effects(data_of(frame, cluster="area"), "level", at=10)
    test = found.interaction().iloc[0]
    assert np.isnan(test["p_value"])
    assert "Whether levels of level differ cannot be tested: there are too few clusters" in found.describe()


@pytest.mark.parametrize("measure", ["risk_ratio", "odds_ratio"])
def test_ratios_are_tested_on_the_log_scale(measure: str) -> None:
    found = subgroup_effects(data_of(people()), "band", at=10, measure=measure)
    rows = found.to_frame().iloc[1:]
    w, value = 1 / rows["std_error"] ** 2, np.log(rows["estimate"])
    assert found.interaction()["statistic"].iloc[0] == pytest.approx(
        (w * (value - np.average(value, weights=w)) ** 2).sum(), rel=1e-9
    )


def test_several_columns_are_each_tested_and_the_tests_counted() -> None:
    frame = people().assign(old=lambda d: d["x"] > 0)
    tests = subgroup_effects(data_of(frame), ["band", "old"], at=10).interaction()
    assert list(tests["subgroup"]) == ["band", "old"]
    assert (tests["p_holm"] >= tests["p_value"]).all()


def test_competing_causes_keep_their_place() -> None:
    rng = np.random.default_rng(9)
    frame = people().assign(e=lambda d: np.where((d["e"] == 0) & (rng.random(len(d)) < 0.2), 2, d["e"]))
    data = data_of(frame, causes={1: "sexual", 2: "death"})
    found = subgroup_effects(data, "band", at=8, cause="death").to_frame().set_index("level")
    alone = data_of(frame[frame["band"] == "low"], causes={1: "sexual", 2: "death"})
    expected = (
        oc.compare(oc.cumulative_incidence(alone), measure="risk_difference", at=8, cause="death").to_frame().iloc[0]
    )
    np.testing.assert_allclose(found.loc["low", NUMBERS].astype(float), expected[NUMBERS].astype(float), rtol=1e-9)
    assert set(found["cause"]) == {"death"}


def test_people_without_the_column_are_counted_and_left_out_of_its_levels() -> None:
    frame = people()
    frame.loc[frame.index[:50], "band"] = None
    found = subgroup_effects(data_of(frame), "band", at=10)
    assert found.to_frame()["n"].iloc[1:].sum() == 1150
    assert {n.code: n.text for n in found.notes}["missing_subgroup"].startswith("50 of 1,200 people")


def test_a_level_where_an_arm_had_no_event_is_said_not_to_be_in_the_test() -> None:
    frame = people()
    spared = (frame["band"] == "low") & (frame["arm"] == "b")
    found = subgroup_effects(data_of(frame.assign(e=frame["e"].where(~spared, 0))), "band", at=10)
    assert np.isfinite(found.to_frame().set_index("level").loc["low", "estimate"])
    test = found.interaction().iloc[0]
    assert (test["n_levels"], test["levels"], test["df"]) == (2, "medium, high", 1)
    assert "(in the test: medium, high; elsewhere" in found.describe()


def test_a_level_without_two_people_in_an_arm_has_counts_a_note_and_no_estimate() -> None:
    frame = people().astype({"band": object})
    low = frame.index[frame["band"] == "low"]
    frame.loc[low, "arm"] = "a"
    frame.loc[low[0], "arm"] = "b"
    found = subgroup_effects(data_of(frame), "band", at=10)
    row = found.to_frame().set_index("level").loc["low"]
    assert row["n"] == len(low)
    assert np.isnan(row["estimate"])
    assert row["verdict"] == "not determined"
    assert "1 in b" in {n.code: n.text for n in found.notes}["thin_level"]
    assert found.interaction()["n_levels"].iloc[0] == 2
    assert "no estimate" in found.describe()


def test_a_level_followed_too_short_is_named_with_its_last_usable_time() -> None:
    frame = people()
    late = (frame["band"] == "medium") & (frame["arm"] == "b")
    frame.loc[late, "t"] = frame.loc[late, "t"].clip(upper=6)
    frame.loc[late, "e"] = 0
    found = subgroup_effects(data_of(frame), "band", at=8)
    assert "last usable time 6" in {n.code: n.text for n in found.notes}["short_level"]
    assert np.isnan(found.to_frame().set_index("level").loc["medium", "estimate"])


def test_a_level_whose_own_score_cannot_be_fitted_keeps_everyones_weights_and_says_so() -> None:
    frame = people()
    arm_b = frame["arm"] == "b"
    frame["early"] = np.where(frame["band"] == "high", arm_b.astype(int), np.arange(len(frame)) % 2)
    data = data_of(frame)
    weights = oc.weight(data, "x + early", estimand="ate")
    found = subgroup_effects(data, "band", at=10, weights=weights)
    note = {n.code: n.text for n in found.notes}["kept_overall_weights"]
    assert note.startswith("band high keeps the weights of everyone's score")
    high = frame["band"] == "high"
    as_known = oc.kaplan_meier(data_of(frame[high]), weights=weights.values[high.to_numpy()])
    expected = oc.compare(as_known, measure="risk_difference", at=10).to_frame().iloc[0]
    row = found.to_frame().set_index("level").loc["high"]
    np.testing.assert_allclose(row[NUMBERS].astype(float), expected[NUMBERS].astype(float), rtol=1e-7)


def test_a_level_in_which_entropy_cannot_reach_the_means_says_that_and_not_that_the_arms_are_told_apart() -> None:
    frame = people()
    high = frame["band"] == "high"
    frame["far"] = np.where(high & (frame["arm"] == "b"), 10.0, 0.0) + np.random.default_rng(2).normal(size=len(frame))
    data = data_of(frame)
    weights = oc.weight(data, "far", estimand="atc", method="entropy")
    notes = [n.text for n in subgroup_effects(data, "band", at=10, weights=weights).notes]
    said = [text for text in notes if "band high keeps" in text]
    assert len(said) == 1
    assert "tell some people's arm" not in said[0]


def test_few_people_a_column_keep_everyones_weights() -> None:
    frame = people(90)
    for i in range(6):
        frame[f"z{i}"] = np.random.default_rng(i).normal(size=90)
    data = data_of(frame)
    weights = oc.weight(data, " + ".join(f"z{i}" for i in range(6)), estimand="ato")
    found = subgroup_effects(data, "band", at=10, weights=weights)
    assert sum(n.code == "kept_overall_weights" for n in found.notes) == 3
    assert any("too few for 6 columns" in n.text for n in found.notes)


def test_weights_that_came_from_elsewhere_are_used_as_they_are() -> None:
    data = data_of(people())
    given = oc.Weights(values=np.linspace(0.5, 2, 1200), estimand="ate", arm=data.arm, arms=data.arms)
    found = subgroup_effects(data, "band", at=10, weights=given)
    assert "weights_as_given" in {n.code for n in found.notes}
    assert set(found.to_frame()["estimand"].iloc[1:]) == {"ate"}


def test_without_events_in_an_arm_of_a_level_the_interval_is_newcombes_and_the_level_leaves_the_test() -> None:
    frame = people()
    quiet = (frame["band"] == "low") & (frame["arm"] == "b")
    frame.loc[quiet, ["e", "t"]] = [0, 10]
    found = subgroup_effects(data_of(frame), "band", at=10)
    row = found.to_frame().set_index("level").loc["low"]
    assert np.isfinite(row["conf_low"])
    assert np.isnan(row["p_value"])
    assert found.interaction()["n_levels"].iloc[0] == 2
    assert "Arm band low, b has no events" in {n.code: n.text for n in found.notes}["no_events"]


def test_columns_that_are_no_subgroups_are_refused() -> None:
    data = data_of(people())
    for by, message in [
        ("bnd", r"no column 'bnd'\. Did you mean 'band'"),
        ("all_alike", "has 1 levels"),
        ("x", "has 1200 levels"),
    ]:
        with pytest.raises(oc.EstimationError, match=message):
            subgroup_effects(data, by, at=10)
    with pytest.raises(oc.EstimationError, match="measure must be one of"):
        subgroup_effects(data, "band", at=10, measure="hazard_ratio")
    with pytest.raises(oc.EstimationError, match="no cause 'death'"):
        subgroup_effects(data, "band", at=10, cause="death")
    three = oc.survival_data(people(), duration="t", event="e", arm="band", reference="low")
    with pytest.raises(oc.NotSupportedError, match="two arms are needed; these data have 3"):
        subgroup_effects(three, "arm", at=10)


def test_levels_that_are_clusters_themselves_have_no_interval_and_no_test() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "days": rng.integers(1, 1000, 600),
            "event": rng.integers(0, 2, 600),
            "arm": rng.choice(["b", "m"], 600),
            "area": rng.choice(list("pqrstu"), 600),
        }
    )
    data = oc.survival_data(frame, duration="days", event="event", arm="arm", reference="m", cluster="area")
    found = oc.subgroup_effects(data, "area", at=700)
    levels = found.to_frame().query("subgroup == 'area'")
    assert levels["conf_low"].isna().all()
    test = found.interaction().iloc[0]
    assert np.isnan(test["p_value"])
    assert "fewer than two levels have an estimate with an interval" in test["why"]
