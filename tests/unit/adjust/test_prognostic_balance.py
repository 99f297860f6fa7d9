"""Balance in what covariates say about the outcome, and in their squares and products."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc

FORMULA = "age + race + mar + paro + prio"


def rossi(arm: str = "wexp", **changes: object) -> oc.SurvivalData:
    frame = load_rossi()
    frame = frame.assign(group=frame["paro"] + frame["wexp"], **changes)
    return oc.survival_data(frame, duration="week", event="arrest", arm=arm, reference=0, unit="weeks")


def score_by_lifelines(columns: list[str], arm: str = "wexp") -> np.ndarray:
    from lifelines import CoxPHFitter

    frame = load_rossi()
    frame = frame.assign(group=frame["paro"] + frame["wexp"])
    model = CoxPHFitter().fit(
        frame.loc[frame[arm] == 0, ["week", "arrest", *columns]], "week", "arrest", fit_options={"precision": 1e-10}
    )
    return np.asarray(frame[columns].to_numpy(dtype=float) @ model.params_.to_numpy())


def test_the_score_is_the_log_hazard_of_a_cox_model_of_the_reference_arm() -> None:
    data = rossi()
    weights = oc.weight(data, "age + race", estimand="ate")
    row = oc.prognostic_balance(data, weights, "age + prio").to_frame().iloc[0]
    score, arm = score_by_lifelines(["age", "prio"]), data.arm
    spread = np.sqrt((score[arm == 0].var(ddof=1) + score[arm == 1].var(ddof=1)) / 2)
    assert row["term"] == "prognostic score"
    assert row["smd_before"] == pytest.approx((score[arm == 1].mean() - score[arm == 0].mean()) / spread, rel=1e-6)
    after = [np.average(score[arm == a], weights=weights.values[arm == a]) for a in (0, 1)]
    assert row["smd_after"] == pytest.approx((after[1] - after[0]) / spread, rel=1e-6)


def test_what_happened_to_the_other_arm_does_not_matter() -> None:
    frame = load_rossi()
    other = frame["wexp"] == 1
    changed = rossi(
        arrest=np.where(other, 1 - frame["arrest"], frame["arrest"]),
        week=np.where(other, 1 + frame.index % 50, frame["week"]),
    )
    one, two = (oc.prognostic_balance(d, oc.weight(d, FORMULA, estimand="att")).to_frame() for d in (rossi(), changed))
    pd.testing.assert_frame_equal(one, two)


def test_weights_that_balance_every_covariate_balance_the_score() -> None:
    data = rossi()
    found = oc.prognostic_balance(data, oc.weight(data, FORMULA, estimand="ato")).to_frame().iloc[0]
    assert abs(found["smd_before"]) > 0.1
    assert abs(found["smd_after"]) < 1e-9


def test_several_arms_have_a_row_for_every_two_and_matched_people_have_one() -> None:
    data = rossi("group")
    found = oc.prognostic_balance(data, oc.weight(data, "age + prio", estimand="ate")).to_frame()
    assert list(zip(found["reference"], found["arm"], strict=True)) == [("0", "1"), ("0", "2"), ("1", "2")]
    score = score_by_lifelines(["age", "prio"], "group")
    spread = np.sqrt(np.mean([score[data.arm == a].var(ddof=1) for a in range(3)]))
    gap = score[data.arm == 2].mean() - score[data.arm == 1].mean()
    assert found["smd_before"].iloc[2] == pytest.approx(gap / spread, rel=1e-6)
    assert len(oc.prognostic_balance(rossi(), oc.match(rossi(), "age + prio")).to_frame()) == 1


def test_of_competing_outcomes_one_is_named() -> None:
    frame = load_rossi()
    cause = np.where(frame["arrest"] == 1, np.where(frame.index % 4 == 0, "death", "sexual"), "none")
    data = oc.survival_data(
        frame.assign(cause=cause),
        duration="week",
        event="cause",
        censored="none",
        causes=["sexual", "death"],
        arm="wexp",
        reference=0,
    )
    weights = oc.weight(data, FORMULA, estimand="ate")
    values = [
        oc.prognostic_balance(data, weights, cause=c).to_frame()["smd_before"].iloc[0] for c in ("sexual", "death")
    ]
    assert values[0] != values[1]
    with pytest.raises(oc.EstimationError, match=r"prognostic_balance.*cause"):
        oc.prognostic_balance(data, weights)


def test_few_events_for_many_columns_are_said() -> None:
    data = rossi()
    weights = oc.weight(data, "age", estimand="ate")
    many = " + ".join(["age", "race", "mar", "paro", "prio", "fin", "np.log(age)", "age:prio"])
    assert "few_events" in {n.code for n in oc.prognostic_balance(data, weights, many).notes}
    assert "few_events" not in {n.code for n in oc.prognostic_balance(data, weights, "age + prio").notes}


def test_weights_of_other_people_and_formulas_that_name_the_arm_are_refused() -> None:
    data = rossi()
    weights = oc.weight(data, FORMULA, estimand="ate")
    with pytest.raises(oc.EstimationError, match="made for other people or arms"):
        oc.prognostic_balance(rossi("group"), weights)
    with pytest.raises(oc.EstimationError, match="names the arm"):
        oc.prognostic_balance(data, weights, "age + wexp")
    with pytest.raises(oc.EstimationError, match="weights must be what weight"):
        oc.prognostic_balance(data, np.ones(432))  # type: ignore[arg-type]


def test_a_reference_without_events_has_no_prognosis() -> None:
    frame = load_rossi()
    data = rossi(arrest=np.where(frame["wexp"] == 0, 0, frame["arrest"]))
    with pytest.raises(oc.EstimationError, match="prognostic_balance: nobody had the event"):
        oc.prognostic_balance(data, oc.weight(data, FORMULA, estimand="ate"))


def test_squares_and_products_are_judged_on_request() -> None:
    band = np.array(["low", "medium", "high"])[np.arange(432) % 3]
    data = rossi(band=pd.Categorical(band, categories=["low", "medium", "high"]))
    weights = oc.weight(data, "age + prio + mar + C(band)", estimand="ate")
    frame = weights.balance(squares=True, interactions=True).to_frame().set_index("term")
    rossi_frame = load_rossi()
    arm = data.arm == 1
    for term, values in {
        "age**2": rossi_frame["age"] ** 2,
        "age:prio": rossi_frame["age"] * rossi_frame["prio"],
        "mar:band[low]": rossi_frame["mar"] * (band == "low"),
    }.items():
        spread = np.sqrt((values[arm].var() + values[~arm].var()) / 2)
        assert frame.loc[term, "smd_before"] == pytest.approx((values[arm].mean() - values[~arm].mean()) / spread)
        means = [np.average(values[side], weights=weights.values[side]) for side in (~arm, arm)]
        assert frame.loc[term, "smd_after"] == pytest.approx((means[1] - means[0]) / spread)
    assert "mar**2" not in frame.index  # of 0 and 1 the square is the column
    assert "band[low]:band[high]" not in frame.index
    assert not [t for t in weights.balance().to_frame()["term"] if ":" in t or "**" in t]


def test_squares_and_products_of_missing_values_are_of_those_who_have_them() -> None:
    income = load_rossi()["age"].astype(float).where(load_rossi().index % 5 > 0)
    weights = oc.weight(rossi(income=income), FORMULA, estimand="ate")
    frame = weights.balance(["income", "prio"], squares=True, interactions=True).to_frame().set_index("term")
    assert frame.loc["income**2", ["n_reference", "n_arm"]].sum() == income.notna().sum()
    assert frame.loc["income:prio", ["n_reference", "n_arm"]].sum() == income.notna().sum()
