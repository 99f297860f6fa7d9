"""Arms without events, and people who come in clusters: what interval there is, and what is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi
from scipy.stats import t as student

import outcomes as oc
from outcomes.comparison.rare_events import newcombe


def no_events_in_b(n: int = 40, *, censored_at: float | None = None) -> oc.SurvivalData:
    """10 of n people in `a` have the event by 10; none of n in `b`."""
    times = [5.0] * 10 + [20.0] * (n - 10) + [20.0] * n
    if censored_at is not None:
        times[n : n + n // 2] = [censored_at] * (n // 2)
    frame = pd.DataFrame({"t": times, "e": [1] * 10 + [0] * (2 * n - 10), "arm": ["a"] * n + ["b"] * n})
    return oc.survival_data(frame, duration="t", event="e", arm="arm", reference="a")


def clustered(*, nested: bool, areas: int = 24) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    frame = load_rossi()
    area = rng.integers(0, areas, len(frame))
    arm = (area % 2 == 0) if nested else frame["fin"] == 1
    return frame.assign(area=area, arm=np.where(arm, "b", "a"))


def data_of(frame: pd.DataFrame) -> oc.SurvivalData:
    return oc.survival_data(
        frame, duration="week", event="arrest", arm="arm", reference="a", cluster="area", unit="weeks"
    )


def difference(data: oc.SurvivalData, at: float, **asked: object) -> tuple[pd.Series, dict[str, str]]:
    found = oc.compare(oc.kaplan_meier(data), measure="risk_difference", at=at, **asked)  # type: ignore[arg-type]
    return found.to_frame().iloc[0], {note.code: note.text for note in found.notes}


def test_newcombe_gives_his_published_intervals() -> None:
    """Newcombe 1998, table II, method 10: 56/70 - 48/80 and 10/10 - 0/10 ... and 0/20 - 0/10."""
    for (a, m, b, n), limits in {
        (56, 70, 48, 80): (0.0524, 0.3339),
        (9, 10, 3, 10): (0.1705, 0.8090),
        (5, 56, 0, 29): (-0.0381, 0.1926),
        (0, 10, 0, 20): (-0.1611, 0.2775),
        (10, 10, 0, 20): (0.6791, 1.0),
    }.items():
        found = newcombe(np.array([b / n, a / m]), np.array([n, m], dtype=float), 0.95)
        assert found == pytest.approx(limits, abs=6e-5)


def test_no_events_in_an_arm_gives_newcombes_interval_a_note_and_no_test() -> None:
    row, notes = difference(no_events_in_b(), 10)
    limits = newcombe(np.array([0.25, 0.0]), np.array([40.0, 40.0]), 0.95)
    assert row["estimate"] == pytest.approx(-0.25)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(limits)
    assert np.isnan(row["p_value"])
    assert row["verdict"] == "lower"
    assert "Arm b has no events" in notes["no_events"]


def test_no_events_in_either_arm_has_an_interval_too() -> None:
    row, _ = difference(no_events_in_b(), 2)
    assert row["estimate"] == 0
    limits = newcombe(np.zeros(2), np.array([40.0, 40.0]), 0.95)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(limits)
    assert row["verdict"] == "not determined"


def test_people_lost_before_the_time_do_not_count_for_an_arm_without_events() -> None:
    row, _ = difference(no_events_in_b(censored_at=3.0), 10)
    limits = newcombe(np.array([0.25, 0.0]), np.array([40.0, 20.0]), 0.95)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(limits)


def test_people_who_died_count_for_an_arm_without_the_outcome() -> None:
    frame = pd.DataFrame(
        {
            "t": [5.0] * 10 + [20.0] * 30 + [4.0] * 15 + [20.0] * 25,
            "e": [1] * 10 + [0] * 30 + [2] * 15 + [0] * 25,
            "arm": ["a"] * 40 + ["b"] * 40,
        }
    )
    data = oc.survival_data(frame, duration="t", event="e", causes={1: "sexual", 2: "death"}, arm="arm", reference="a")
    row = oc.compare(oc.cumulative_incidence(data), measure="risk_difference", at=10).to_frame().iloc[0]
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(
        newcombe(np.array([0.25, 0.0]), np.array([40.0, 40.0]), 0.95)
    )


def test_weighted_people_count_by_their_effective_number() -> None:
    data = no_events_in_b()
    w = np.where(np.arange(80) % 2 == 0, 3.0, 1.0)
    found = oc.compare(oc.kaplan_meier(data, weights=w), measure="risk_difference", at=10).to_frame().iloc[0]
    kish = w[40:].sum() ** 2 / (w[40:] ** 2).sum()
    error = found["std_error"]
    sizes = np.array([0.25 * 0.75 / error**2, kish])
    assert (found["conf_low"], found["conf_high"]) == pytest.approx(newcombe(np.array([0.25, 0.0]), sizes, 0.95))


@pytest.mark.parametrize("measure", ["risk_ratio", "odds_ratio"])
def test_ratios_do_not_exist_without_events(measure: str) -> None:
    found = oc.compare(oc.kaplan_meier(no_events_in_b()), measure=measure, at=10)
    assert found.to_frame()[["estimate", "std_error", "p_value", "conf_low", "conf_high"]].isna().all(axis=None)
    assert "no ratio exists" in found.notes[-1].text
    assert "not defined" in found.describe()


def test_the_number_needed_takes_newcombes_limits_where_an_arm_has_no_events() -> None:
    curve = oc.kaplan_meier(no_events_in_b())
    gap, number = (oc.compare(curve, measure=m, at=10).to_frame().iloc[0] for m in ("risk_difference", "nnt"))
    assert number["estimate"] == pytest.approx(-4)
    assert (number["conf_low"], number["conf_high"]) == pytest.approx((1 / gap["conf_high"], 1 / gap["conf_low"]))


def test_rows_without_a_test_are_not_counted_among_the_tests() -> None:
    found = oc.compare(oc.kaplan_meier(no_events_in_b()), measure="risk_difference", at=[2, 10]).to_frame()
    assert found[["p_value", "p_holm", "p_bh"]].isna().all(axis=None)


@pytest.mark.parametrize("nested", [True, False])
def test_clustered_intervals_are_cr1_on_t(nested: bool) -> None:
    """Everybody is followed to week 52: the difference is a regression's, and statsmodels' clustered error an oracle."""
    import statsmodels.api as sm

    frame = clustered(nested=nested)
    treated = (frame["arm"] == "b").astype(float)
    fit = sm.OLS(frame["arrest"], sm.add_constant(treated)).fit(
        cov_type="cluster", cov_kwds={"groups": frame["area"], "use_correction": False}
    )
    error = fit.bse["arm"] * np.sqrt(24 / 23)
    row, notes = difference(data_of(frame), 52)
    assert row["std_error"] == pytest.approx(error, rel=1e-9)
    df = 22 if nested else 23
    assert row["df"] == df
    reach = student.ppf(0.975, df) * error
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((row["estimate"] - reach, row["estimate"] + reach))
    assert row["p_value"] == pytest.approx(2 * student.sf(abs(row["estimate"] / error), df))
    assert ("nested_clusters" in notes) == nested
    assert "few_clusters" not in notes


def test_degrees_of_freedom_can_be_named() -> None:
    row, _ = difference(data_of(clustered(nested=False)), 52, cluster_df=5)
    assert row["df"] == 5
    with pytest.raises(oc.EstimationError, match="cluster_df must be above 0"):
        difference(data_of(clustered(nested=False)), 52, cluster_df=0)


def test_few_clusters_are_said() -> None:
    row, notes = difference(data_of(clustered(nested=True, areas=8)), 52)
    assert np.isfinite(row["conf_low"])
    assert "4 in a and 4 in b" in notes["few_clusters"]


def test_one_cluster_in_an_arm_has_no_interval() -> None:
    frame = clustered(nested=False)
    frame["area"] = np.where(frame["arm"] == "b", 99, frame["area"])
    found = oc.compare(oc.kaplan_meier(data_of(frame)), measure="risk_difference", at=52)
    row = found.to_frame().iloc[0]
    assert np.isfinite(row["estimate"])
    assert row[["std_error", "p_value", "conf_low", "conf_high"]].isna().all()
    assert row["verdict"] == "not determined"
    assert "one cluster, arm b" in {n.code: n.text for n in found.notes}["one_cluster"]
    assert "no interval can be given" in found.describe()


def test_clusters_of_other_arms_do_not_count_for_a_pair() -> None:
    frame = clustered(nested=False)
    frame["arm"] = np.array(["a", "b", "c"])[np.arange(432) % 3]
    frame["area"] = np.where(frame["arm"] == "c", 100 + frame["area"], frame["area"])
    rows = oc.compare(oc.kaplan_meier(data_of(frame)), measure="risk_difference", at=52).to_frame().set_index("arm")
    pair = frame[frame["arm"] != "c"]
    alone, _ = difference(data_of(pair), 52)
    assert rows.loc["b", "df"] == alone["df"] == pair["area"].nunique() - 1
    assert rows.loc["b", "std_error"] == pytest.approx(alone["std_error"], rel=1e-9)


def test_people_without_weight_bring_no_clusters() -> None:
    frame = clustered(nested=False)
    w = np.where(frame["area"] < 12, 1.0, 0.0)
    found = oc.compare(oc.kaplan_meier(data_of(frame), weights=w), measure="risk_difference", at=52).to_frame().iloc[0]
    kept, _ = difference(data_of(frame[frame["area"] < 12]), 52)
    assert found["df"] == kept["df"] == 11
    assert found["std_error"] == pytest.approx(kept["std_error"], rel=1e-9)


def test_a_clustered_hazard_ratio_has_the_same_factor_and_t() -> None:
    data = data_of(clustered(nested=False))
    model = oc.cox(data, "arm")
    row = oc.compare(model, measure="hazard_ratio").to_frame().iloc[0]
    assert row["std_error"] == pytest.approx(model.to_frame()["std_error"].iloc[0] * np.sqrt(24 / 23))
    assert row["df"] == 23
