"""How balance is judged: rows, yardstick, statistics, and what missing values do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.results import read_only

FORMULA = "age + race + mar + paro + prio"

# R 4.2, cobalt::bal.tab(s.d.denom = "pooled"), sample variances
BEFORE = {"age": 0.77329275, "race": -0.07809271, "mar": 0.55212399, "paro": 0.10362008, "prio": -0.52639342}
AFTER_ATE = {"age": -0.1675809, "race": -0.1246570, "mar": 0.1316436, "paro": -0.0958786, "prio": 0.0456060}
KS = {"age": 0.3666484, "prio": 0.2315133}
VARIANCE_RATIO = {"age": 2.0746364, "prio": 0.3940626}


def weights(estimand: str = "ate", formula: str = FORMULA, **changes: object) -> oc.PropensityWeights:
    frame = load_rossi().assign(**changes)
    data = oc.survival_data(frame, duration="week", event="arrest", arm="wexp", reference=0, unit="weeks")
    return oc.weight(data, formula, estimand=estimand)


def test_differences_of_the_rossi_data_before_and_after_weighting() -> None:
    frame = weights().balance().to_frame().set_index("term")
    for expected, column in ((BEFORE, "smd_before"), (AFTER_ATE, "smd_after"), (KS, "ks_before")):
        for term, value in expected.items():
            assert frame.loc[term, column] == pytest.approx(value, abs=2e-7)
    for term, value in VARIANCE_RATIO.items():
        assert frame.loc[term, "variance_ratio_before"] == pytest.approx(value, abs=6e-8)


def test_overlap_weights_balance_the_means_of_the_formula_exactly() -> None:
    frame = weights("ato").balance().to_frame()
    assert frame.query("term != 'propensity score'")["smd_after"].abs().max() < 1e-10


def test_the_yardstick_follows_the_estimand_and_is_named() -> None:
    frame = load_rossi()
    by_arm = frame.groupby("wexp")["age"]
    gap = by_arm.mean()[1] - by_arm.mean()[0]
    scales = {
        "att": (by_arm.std()[1], "standard deviation of 1"),
        "atc": (by_arm.std()[0], "standard deviation of 0"),
        "ato": (np.sqrt(by_arm.var().mean()), "pooled standard deviation"),
    }
    for estimand, (scale, name) in scales.items():
        row = weights(estimand).balance().to_frame().set_index("term").loc["age"]
        assert row["smd_before"] == pytest.approx(gap / scale)
        assert row["denominator"] == name


def test_the_yardstick_does_not_move_with_the_weights() -> None:
    made = weights()
    heavy = replace(made, values=read_only(made.values * np.where(made.baseline["age"] > 30, 9.0, 1.0)))
    frame = heavy.balance().to_frame().set_index("term")
    row, before = frame.loc["age"], made.balance().to_frame().set_index("term").loc["age"]
    assert row["smd_before"] == before["smd_before"]
    assert row["smd_after"] / row["difference_after"] == pytest.approx(before["smd_after"] / before["difference_after"])


def test_levels_of_a_factor_are_rows_of_shares_the_reference_level_included() -> None:
    band = np.array(["low", "medium", "high"])[np.arange(432) % 3]
    banded = pd.Categorical(band, categories=["low", "medium", "high"])
    frame = weights(formula="age + C(band)", band=banded).balance().to_frame()
    rows = frame[frame["term"] == "band"]
    assert list(rows["level"]) == ["low", "medium", "high"]
    arm = load_rossi()["wexp"].to_numpy()
    assert list(rows["mean_arm"]) == pytest.approx([(band[arm == 1] == v).mean() for v in rows["level"]])
    assert list(rows["n_arm"]) == [(band[arm == 1] == v).sum() for v in rows["level"]]
    assert rows["variance_ratio_before"].isna().all()
    np.testing.assert_allclose(rows["ks_before"], rows["difference_before"].abs(), rtol=1e-9)


def test_any_column_can_be_judged_and_missing_is_a_level() -> None:
    income = load_rossi()["age"].astype(float).where(load_rossi().index % 5 > 0)
    made = weights(income=income)
    frame = made.balance(["income", "fin"]).to_frame()
    assert list(zip(frame["term"], frame["level"], strict=True)) == [("income", ""), ("income", "missing"), ("fin", "")]
    known = income.notna().to_numpy() & (made.arm == 1)
    assert frame.loc[0, "mean_arm"] == pytest.approx(income[known].mean())
    assert frame.loc[0, "mean_arm_weighted"] == pytest.approx(np.average(income[known], weights=made.values[known]))
    assert frame.loc[1, "n_arm"] + frame.loc[1, "n_reference"] == int(income.isna().sum())


def test_interactions_and_transformations_are_judged_as_the_score_saw_them() -> None:
    terms = list(weights(formula="np.log(age) + mar:prio").balance().to_frame()["term"])
    assert terms == ["np.log(age)", "mar:prio", "propensity score"]


def test_a_column_without_spread_in_the_yardstick_has_no_standardised_difference() -> None:
    arm = load_rossi()["wexp"]
    flat = np.where(arm == 1, 0.5, np.arange(432) % 2)
    row = weights("att", flat=flat).balance(["flat"]).to_frame().iloc[0]
    assert row["difference_before"] != 0
    assert np.isnan(row["smd_before"])


def test_binary_columns_can_be_scaled_as_matchit_does() -> None:
    mar = load_rossi().groupby("wexp")["mar"].mean()
    row = weights("att").balance(binary="population").to_frame().set_index("term").loc["mar"]
    assert row["smd_before"] == pytest.approx((mar[1] - mar[0]) / np.sqrt(mar[1] * (1 - mar[1])))


def test_the_kolmogorov_smirnov_distance_is_that_of_scipy() -> None:
    from scipy.stats import ks_2samp

    frame = load_rossi()
    found = weights().balance().to_frame().set_index("term")["ks_before"]
    for term in ("age", "prio"):
        a, b = (frame.loc[frame["wexp"] == arm, term] for arm in (0, 1))
        assert found[term] == pytest.approx(ks_2samp(a, b).statistic)


def test_the_sentence_counts_covariates_beyond_both_bands() -> None:
    text = weights().balance().describe()
    assert "Largest standardised difference 0.77 before and 0.17 after" in text
    assert "above 0.10: 4 before, 3 after; above 0.05: 5 before, 4 after" in text
    assert "89 in 0, 161 in 1" in text


def test_unknown_columns_and_yardsticks_are_refused() -> None:
    with pytest.raises(oc.EstimationError, match=r"no column 'agee'\. Did you mean 'age'"):
        weights().balance(["agee"])
    with pytest.raises(oc.EstimationError, match="denominator must be one of"):
        weights().balance(denominator="treated")
