"""Tipping points: putting the confounder back in gives the result that it explains away."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc


@pytest.mark.parametrize(("estimate", "low", "high"), [(0.7, 0.55, 0.89), (1.6, 1.2, 2.1), (0.9, 0.7, 1.2)])
def test_the_bias_of_the_confounder_is_the_ratio(estimate: float, low: float, high: float) -> None:
    frame = oc.tipping_points(estimate, low, high).to_frame()
    limit = np.nan if low <= 1 <= high else (low if estimate > 1 else high)
    for column, target in (("for_estimate", estimate), ("for_limit", limit)):
        known = frame.dropna(subset=[column])
        g = known[column]
        bias = (1 + known["share_arm"] * (g - 1)) / (1 + known["share_reference"] * (g - 1))
        assert bias.to_numpy() == pytest.approx(target)
        assert (g > 0).all()
        assert len(known) == 0 if np.isnan(target) else len(known) > 3


def test_a_population_made_with_the_confounder_shows_the_ratio_without_any_effect() -> None:
    row = oc.tipping_points(0.70, 0.55, 0.89).to_frame().query("share_arm == 0.1 and share_reference == 0.5").iloc[0]
    risk = 0.1  # of people without it, in both arms
    arm = 0.9 * risk + 0.1 * risk * row["for_estimate"]
    reference = 0.5 * risk + 0.5 * risk * row["for_estimate"]
    assert arm / reference == pytest.approx(0.70)


def test_on_the_scale_of_differences_it_adds_to_the_risk() -> None:
    frame = oc.tipping_points(-0.08, -0.12, -0.04, measure="risk_difference").to_frame().dropna()
    apart = frame["share_arm"] - frame["share_reference"]
    assert (frame["for_estimate"] * apart).to_numpy() == pytest.approx(-0.08)
    assert (frame["for_limit"] * apart).to_numpy() == pytest.approx(-0.04)
    assert (frame["for_estimate"].abs() <= 1).all()


def test_alike_in_both_arms_nothing_can_explain_it() -> None:
    frame = oc.tipping_points(0.7, 0.5, 0.9).to_frame()
    assert frame.loc[frame["share_arm"] == frame["share_reference"], "for_estimate"].isna().all()


def test_hazard_and_odds_ratios_are_risk_ratios_first() -> None:
    hazard = oc.tipping_points(0.56, 0.46, 0.69, measure="hazard_ratio")
    assert hazard.estimate == pytest.approx(0.670084, abs=1e-6)
    assert oc.tipping_points(0.81, 0.64, 0.9025, measure="odds_ratio").estimate == pytest.approx(0.9)


def test_a_comparison_is_asked_row_by_row_and_draws() -> None:
    data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    for measure in ("risk_difference", "risk_ratio"):
        found = oc.compare(oc.kaplan_meier(data), measure=measure, at=[26, 52])
        points = found.tipping_points()
        assert [p.estimate for p in points] == pytest.approx(found.to_frame()["estimate"].tolist())
        assert points[1].plot() is not None
    with pytest.raises(oc.EstimationError, match="risk difference or a risk ratio"):
        oc.compare(oc.rmst(data, horizon=50), measure="rmst_difference").tipping_points()


def test_the_sentence_names_the_mildest_confounder_looked_at() -> None:
    said = oc.tipping_points(0.70, 0.55, 0.89).describe()
    assert said.startswith(
        "Something unmeasured that 10 % of people in the arm and 90 % in the reference have would explain the estimate away if it went "
        "with 1.57 times the risk, and 1.16 times the risk for the limit."
    )
    assert "nothing to explain away" in oc.tipping_points(1.0, 0.8, 1.2).describe()
    assert "Nothing that is present or not" in oc.tipping_points(0.2, 0.1, 0.4, shares=[0.4, 0.5]).describe()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((0.0, 0.0, 1.0), "above 0"),
        ((0.5, 0.6, 0.9), "between its limits"),
    ],
)
def test_what_is_no_interval_of_a_ratio_is_refused(given: tuple[float, float, float], said: str) -> None:
    with pytest.raises(oc.EstimationError, match=said):
        oc.tipping_points(*given)


def test_differences_in_points_and_shares_beyond_one_are_refused() -> None:
    with pytest.raises(oc.EstimationError, match=r"such as -0\.08"):
        oc.tipping_points(-8, -12, -4, measure="risk_difference")
    with pytest.raises(oc.EstimationError, match="between 0 and 1"):
        oc.tipping_points(0.7, 0.5, 0.9, shares=[10, 20])


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((0.8, 0.7, 0.9), "For the limit nearer to no difference 1.46 each would do"),
        ((0.9, 0.7, 1.2), "holds no difference already"),
        ((float("nan"),) * 3, "no estimate"),
    ],
)
def test_an_e_value_says_what_it_means(numbers: tuple[float, float, float], said: str) -> None:
    assert said in oc.e_value(*numbers).describe()
