"""Sampling weights beside the score: whom the people stand for, in the fit, in the weights, and in what balance is before."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc

FORMULA = "age + race + prio"
COUNTS = 1 + np.arange(432) % 3


def frame_of(**changes: object) -> pd.DataFrame:
    frame = load_rossi()
    return frame.assign(group=frame["paro"] + frame["wexp"], **{"stands_for": COUNTS, **changes})


def data_of(frame: pd.DataFrame, arm: str = "wexp") -> oc.SurvivalData:
    return oc.survival_data(frame, duration="week", event="arrest", arm=arm, reference=0, unit="weeks")


CASES = [
    *(("wexp", e, "logistic") for e in ("ate", "att", "ato", "atm")),
    *(("group", e, "logistic") for e in ("ate", "att", "ato")),
    ("wexp", "ate", "cbps"),
    ("wexp", "att", "cbps"),
    ("wexp", "ate", "entropy"),
    ("group", "att", "entropy"),
]


@pytest.mark.parametrize(("arm", "estimand", "method"), CASES)
def test_a_person_who_stands_for_three_is_three_people_alike(arm: str, estimand: str, method: str) -> None:
    frame = frame_of()
    focal = "2" if (arm, estimand) == ("group", "att") else None
    made = oc.weight(data_of(frame, arm), FORMULA, estimand=estimand, focal=focal, method=method, sampling="stands_for")
    repeated = data_of(frame.loc[frame.index.repeat(COUNTS)].reset_index(drop=True), arm)
    expected = oc.weight(repeated, FORMULA, estimand=estimand, focal=focal, method=method)
    np.testing.assert_allclose(np.repeat(made.values / COUNTS, COUNTS), expected.values, rtol=1e-8)
    curves = [
        oc.kaplan_meier(d, weights=w).at([26, 52])["estimate"]
        for d, w in ((data_of(frame, arm), made), (repeated, expected))
    ]
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-9)


@pytest.mark.parametrize(("arm", "estimand", "method"), CASES)
def test_their_scale_changes_no_answer(arm: str, estimand: str, method: str) -> None:
    focal = "2" if (arm, estimand) == ("group", "att") else None
    found = []
    for factor in (1.0, 5_000.0):
        data = data_of(frame_of(stands_for=COUNTS * factor), arm)
        made = oc.weight(data, FORMULA, estimand=estimand, focal=focal, method=method, sampling="stands_for")
        row = oc.compare(oc.kaplan_meier(data, weights=made), measure="risk_difference", at=52).to_frame()
        found.append(row[["estimate", "std_error"]].to_numpy(dtype=float))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-7)


def test_equal_sampling_weights_are_none() -> None:
    data = data_of(frame_of(stands_for=7.0))
    made, plain = (oc.weight(data, FORMULA, estimand="ate", sampling=s) for s in ("stands_for", None))
    np.testing.assert_allclose(made.values, 7 * plain.values, rtol=1e-9)
    np.testing.assert_allclose(made.std_errors, plain.std_errors, rtol=1e-8)


def test_trimming_and_stabilising_go_with_them() -> None:
    frame = frame_of()
    repeated = data_of(frame.loc[frame.index.repeat(COUNTS)].reset_index(drop=True))
    made = oc.weight(data_of(frame), FORMULA, estimand="ate", stabilise=True, trim="crump", sampling="stands_for")
    expected = oc.weight(repeated, FORMULA, estimand="ate", stabilise=True, trim="crump")
    np.testing.assert_allclose(np.repeat(made.values / COUNTS, COUNTS), expected.values, rtol=1e-8)


def test_balance_before_is_of_the_people_stood_for() -> None:
    made = oc.weight(data_of(frame_of()), FORMULA, estimand="att", sampling="stands_for")
    row = made.balance(["age"]).to_frame().iloc[0]
    frame = frame_of()
    means = [np.average(frame["age"][frame["wexp"] == a], weights=COUNTS[frame["wexp"] == a]) for a in (0, 1)]
    assert row["difference_before"] == pytest.approx(means[1] - means[0])
    x, w = frame["age"][frame["wexp"] == 1], COUNTS[frame["wexp"] == 1]
    spread = w @ (x - means[1]) ** 2 * w.sum() / (w.sum() ** 2 - w @ w)  # cobalt's variance of weighted numbers
    assert row["smd_before"] == pytest.approx((means[1] - means[0]) / np.sqrt(spread))
    assert made.provenance["sampling"] == "stands_for"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.where(COUNTS == 1, np.nan, 1.0), r"missing, infinite or not above 0 for 144 of 432 people"),
        (np.where(COUNTS == 1, 0.0, 1.0), r"not above 0 for 144 of 432"),
        (np.where(COUNTS == 1, -1.0, 1.0), r"not above 0 for 144 of 432"),
        (np.where(COUNTS == 1, np.inf, 1.0), r"not above 0 for 144 of 432"),
        (COUNTS.astype(str), "must hold numbers"),
    ],
)
def test_numbers_that_stand_for_nobody_are_refused_by_count(values: np.ndarray, said: str) -> None:
    with pytest.raises(oc.EstimationError, match=said):
        oc.weight(data_of(frame_of(stands_for=values)), FORMULA, estimand="ate", sampling="stands_for")


def test_a_column_that_is_not_there_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(oc.EstimationError, match=r"no column 'stand_for' \(sampling\)\. Did you mean 'stands_for'"):
        oc.weight(data_of(frame_of()), FORMULA, estimand="ate", sampling="stand_for")
