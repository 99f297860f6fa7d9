"""Entropy balancing: means are alike, the doubt about the weights is carried, and what cannot be balanced is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import outcomes as oc
from outcomes.adjust.entropy_balancing import balance_entropy


def drawn(people: int = 240, seed: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"age": rng.normal(35, 9, people), "prior": rng.poisson(2, people).astype(float)})
    chance = 1 / (1 + np.exp(-(frame["age"] - 35) / 12 - 0.3 * (frame["prior"] - 2)))
    frame["arm"] = (rng.random(people) < chance).astype(int)
    frame["day"] = np.ceil(rng.exponential(200 * np.exp(-0.15 * (frame["prior"] - 2))))
    frame["seen"] = (frame["day"] <= 300).astype(int)
    return frame.assign(day=frame["day"].clip(upper=300))


def data_of(frame: pd.DataFrame) -> oc.SurvivalData:
    return oc.survival_data(frame, duration="day", event="seen", arm="arm", reference=0)


@pytest.mark.parametrize("estimand", ["ate", "att", "atc"])
def test_weighted_means_are_those_of_the_people_asked_about(estimand: str) -> None:
    frame = drawn()
    weights = oc.weight(data_of(frame), "age + prior", estimand=estimand, method="entropy")
    asked = {"ate": frame, "att": frame[frame["arm"] == 1], "atc": frame[frame["arm"] == 0]}[estimand]
    for arm in (0, 1):
        mine = frame["arm"] == arm
        found = np.average(frame.loc[mine, ["age", "prior"]], axis=0, weights=weights.values[mine])
        np.testing.assert_allclose(found, asked[["age", "prior"]].mean(), rtol=1e-9)
    assert weights.values.min() > 0


def test_two_values_have_a_closed_form() -> None:
    """Of the reference 3 of 4 have x = 1, of the arm 1 of 2: the three weigh 1/3 of what the one does."""
    x, arm = np.array([[1.0], [1], [1], [0], [1], [0]]), np.array([0, 0, 0, 0, 1, 1])
    found = balance_entropy(x, arm, ("x",), "att")
    np.testing.assert_allclose(found.values, [2 / 3, 2 / 3, 2 / 3, 2, 1, 1])


@pytest.mark.parametrize("estimand", ["ate", "att"])
def test_the_stacked_variance_is_that_of_leaving_people_out_one_by_one(estimand: str) -> None:
    """But for terms of order 1/n, by which leaving out is the larger: 4 % here, 1 % of four times as many people."""
    frame = drawn()

    def difference(rows: pd.DataFrame) -> pd.Series:
        data = data_of(rows.reset_index(drop=True))
        weights = oc.weight(data, "age + prior", estimand=estimand, method="entropy")
        curve = oc.kaplan_meier(data, weights=weights)
        return oc.compare(curve, measure="risk_difference", at=200, variance="stacked").to_frame().iloc[0]

    whole = difference(frame)
    left = np.array([difference(frame.drop(index=i))["estimate"] for i in frame.index])
    jackknife = np.sqrt((len(left) - 1) / len(left) * ((left - left.mean()) ** 2).sum())
    assert whole["std_error"] == pytest.approx(jackknife, rel=0.05)


def test_effects_within_levels_are_balanced_within_them() -> None:
    frame = drawn(600)
    frame["band"] = np.where(np.arange(600) % 2 == 0, "low", "high")
    data = data_of(frame)
    weights = oc.weight(data, "age + prior", estimand="att", method="entropy")
    found = oc.subgroup_effects(data, "band", at=200, weights=weights).to_frame().set_index("level")
    for band in ("low", "high"):
        alone = data_of(frame[frame["band"] == band].reset_index(drop=True))
        again = oc.weight(alone, "age + prior", estimand="att", method="entropy")
        risk = oc.compare(oc.kaplan_meier(alone, weights=again), measure="risk_difference", at=200).to_frame().iloc[0]
        assert found.loc[band, "estimate"] == pytest.approx(risk["estimate"], rel=1e-9)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"estimand": "ato"}, "answers 'ate', 'att' or 'atc'"),
        ({"estimand": "ate", "trim": (0.1, 0.9)}, "neither trims"),
        ({"estimand": "ate", "stabilise": True}, "nor stabilises"),
    ],
)
def test_what_it_does_not_answer(asked: dict[str, object], said: str) -> None:
    with pytest.raises(oc.NotSupportedError, match=said):
        oc.weight(data_of(drawn()), "age + prior", method="entropy", **asked)  # type: ignore[arg-type]


def test_a_mean_that_lies_outside_everybody_of_the_other_arm_cannot_be_had() -> None:
    rng = np.random.default_rng(2)
    x, arm = rng.normal(size=(60, 2)), np.repeat([0, 1], 30)
    x[arm == 1, 1] += 9
    with pytest.raises(oc.EstimationError, match=r"no weights make the means of the arms alike in .*z"):
        balance_entropy(x, arm, ("y", "z"), "att")
