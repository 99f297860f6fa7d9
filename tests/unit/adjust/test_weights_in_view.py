"""Inverse probability of censoring weights: R's numbers, what they are by hand, what they leave unchanged, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.errors import NotSupportedError


def lost_early(**more: Any) -> pd.DataFrame:
    """The Rossi data with everybody lost after as many weeks as years they were old."""
    frame = load_rossi()
    return frame.assign(
        seen=frame[["week", "age"]].min(axis=1), ev=frame["arrest"] * (frame["week"] <= frame["age"]), **more
    )


def as_data(frame: pd.DataFrame, **more: Any) -> oc.SurvivalData:
    asked = {"duration": "seen", "event": "ev", "arm": "fin", "reference": 0, "unit": "weeks"} | more
    return oc.survival_data(frame, **asked)


@pytest.fixture(scope="module")
def cut() -> oc.SurvivalData:
    return oc.split_follow_up(as_data(lost_early()), "events")


def test_curves_and_hazard_ratios_under_the_weights_are_rs(cut: oc.SurvivalData) -> None:
    """R: coxph of being lost on prio + fin, survSplit at the events, survfit and coxph with weights= and id= (survival 3.5-3)."""
    weights = oc.censoring_weights(cut, "prio + arm")
    found = oc.kaplan_meier(cut, weights=weights).at([15, 25, 35])
    survival = [0.939814815, 0.851962850, 0.798539363, 0.944444444, 0.899298586, 0.899298586]
    errors = [0.0161822560, 0.0328179966, 0.0430396913, 0.0155856558, 0.0219742389, 0.0219742389]
    np.testing.assert_allclose(found["estimate"], survival, rtol=1e-8)
    np.testing.assert_allclose(found["std_error"], errors, rtol=1e-8)
    row = oc.cox(cut, "arm", weights=weights).to_frame().iloc[0]
    np.testing.assert_allclose([row["estimate"], row["std_error"]], [-0.710207824, 0.324859846], rtol=1e-7)


def test_censoring_that_differs_by_arm_alone_leaves_the_curves_of_the_arms_as_they_are(cut: oc.SurvivalData) -> None:
    weighted = oc.kaplan_meier(cut, weights=oc.censoring_weights(cut, "arm")).at([15, 25, 35])
    plain = oc.kaplan_meier(cut).at([15, 25, 35])
    np.testing.assert_allclose(weighted["estimate"], plain["estimate"], rtol=1e-12)


def test_a_row_weighs_by_the_hazards_of_the_persons_own_rows_so_far() -> None:
    """A covariate that changes over time, and every row's weight summed by hand from the model of being lost."""
    frame = lost_early().rename_axis("who").reset_index().head(60)
    rows = pd.concat(
        [
            frame.assign(
                start=0.0, stop=np.minimum(frame["seen"], 10), ev=frame["ev"] * (frame["seen"] <= 10), high=frame["prio"]
            ),
            frame.assign(start=10.0, stop=frame["seen"], high=frame["prio"] + frame["fin"])[frame["seen"] > 10],
        ]
    )  # fmt: skip
    data = oc.survival_data(rows, entry="start", exit="stop", event="ev", id="who", arm="fin", reference=0)
    cut = oc.split_follow_up(data, "events")
    found = oc.censoring_weights(cut, "high").within
    ends = pd.DataFrame(
        {
            "start": data.entry, "stop": data.exit, "who": data.person, "high": data.frame["high"],
            "lost": np.append(data.person[1:] != data.person[:-1], True) & (data.event == 0),
        }
    )  # fmt: skip
    model = oc.cox(oc.survival_data(ends, entry="start", exit="stop", event="lost", id="who"), "high")
    base = model.baseline_hazard()
    jumps = pd.Series(np.diff(base["cumulative_hazard"], prepend=0.0), index=base["time"])
    for row in np.flatnonzero(np.isin(cut.exit, cut.exit[cut.event > 0])):
        mine = ends[ends["who"] == cut.person[row]]
        spent = 0.0
        for part in mine.itertuples():
            inside = (jumps.index > part.start) & (jumps.index <= part.stop) & (jumps.index < cut.exit[row])
            spent += jumps[inside].sum() * np.exp(model.coefficients[0] * part.high)
        assert found[row] == pytest.approx(np.exp(spent), rel=1e-6)


def test_weights_by_the_score_are_multiplied_and_keep_what_they_know_of_it(cut: oc.SurvivalData) -> None:
    score = oc.weight(cut, "prio + mar", estimand="att")
    both, alone = oc.censoring_weights(cut, "prio", weights=score), oc.censoring_weights(cut, "prio")
    np.testing.assert_array_equal(both.within, alone.within)
    np.testing.assert_array_equal(both.values, score.values)
    row = oc.compare(oc.kaplan_meier(cut, weights=both), measure="risk_difference", at=30).to_frame().iloc[0]
    assert row["estimand"] == "att"
    known = oc.compare(
        oc.kaplan_meier(cut, weights=both), measure="risk_difference", at=30, variance="robust"
    ).to_frame()
    assert row["std_error"] != known["std_error"][0]
    assert "beside weights for the ATT" in both.describe()
    assert both.summary()["n_censored"].sum() == (lost_early()["ev"] == 0).sum()


def test_the_largest_are_cut_down_on_request(cut: oc.SurvivalData) -> None:
    whole, shorter = (oc.censoring_weights(cut, "prio", truncate=share) for share in (None, 0.9))
    assert shorter.within.max() == pytest.approx(np.quantile(whole.within, 0.9))
    assert "truncated" in {note.code for note in shorter.notes}


def test_rows_too_long_for_one_weight_are_noted() -> None:
    coarse = oc.split_follow_up(as_data(lost_early()), [10])
    assert "rows_too_long" in {note.code for note in oc.censoring_weights(coarse, "prio").notes}
    fine = oc.split_follow_up(as_data(lost_early()), "events")
    assert "rows_too_long" not in {note.code for note in oc.censoring_weights(fine, "prio").notes}


def test_what_cannot_be_weighted(cut: oc.SurvivalData) -> None:
    with pytest.raises(oc.EstimationError, match=r"everybody has one row\. Cut the follow-up first"):
        oc.censoring_weights(as_data(lost_early()), "prio")
    with pytest.raises(oc.EstimationError, match="nobody was censored"):
        oc.censoring_weights(oc.split_follow_up(as_data(lost_early().assign(ev=1)), [20]), "prio")
    with pytest.raises(oc.EstimationError, match="The coefficient of age has no finite maximum"):
        oc.censoring_weights(cut, "age")
    with pytest.raises(oc.EstimationError, match="no column 'agee'"):
        oc.censoring_weights(cut, "agee")
    with pytest.raises(oc.EstimationError, match=r"formula must be text"):
        oc.censoring_weights(cut, ["prio"])  # type: ignore[arg-type]
    with pytest.raises(oc.EstimationError, match=r"weights must be what weight\(…\)"):
        oc.censoring_weights(cut, "prio", weights=np.ones(len(cut.baseline)))  # type: ignore[arg-type]
    other = oc.split_follow_up(as_data(lost_early().head(100)), "events")
    with pytest.raises(oc.EstimationError, match="weights must be of the same people"):
        oc.censoring_weights(cut, "prio", weights=oc.weight(other, "prio", estimand="ate"))
    counted = oc.split_follow_up(as_data(lost_early(n=2), frequency="n"), [20])
    with pytest.raises(NotSupportedError, match="row counts"):
        oc.censoring_weights(counted, "prio")
