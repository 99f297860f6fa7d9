"""Starters first, completers beside them for what they are, and never alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from risks_by_hand import overlap_weights, risk_by
from small_study import Reframed

import outcomes as oc
from outcomes.design.study import Adjust
from outcomes.errors import DesignError, EstimationError, NotSupportedError


@pytest.fixture(scope="module")
def found(tables: oc.Tables, study: oc.Study) -> oc.StartersAndCompleters:
    return oc.starters_and_completers(tables, study)


def row(
    found: oc.StartersAndCompleters, people: str, against: str, adjustment: str = "adjusted", arm: str = "bespoke"
) -> pd.Series:
    frame = found.frame
    here = (frame["people"] == people) & (frame["against"] == against) & (frame["arm"] == arm)
    return frame[here & (frame["adjustment"] == adjustment)].iloc[0]


def test_starters_are_the_headline_of_the_study(
    found: oc.StartersAndCompleters, tables: oc.Tables, study: oc.Study
) -> None:
    data = oc.build_cohort(tables, study).outcome("any")
    curves = oc.cumulative_incidence(data, weights=oc.weight(data, study.adjust.formula, estimand="ato"))
    expected = oc.compare(curves, measure="risk_difference", at="2y").frame.iloc[0]
    starters = row(found, "starters", "starters")
    for name in ("estimate", "std_error", "conf_low", "conf_high", "p_value", "n", "n_events"):
        assert starters[name] == pytest.approx(expected[name], rel=1e-9)
    assert found.frame.loc[found.frame["named"], ["people", "adjustment"]].to_numpy().tolist() == [
        ["starters", "adjusted"]
    ]


def test_completers_are_counted_as_their_risks_are_and_weighted_among_those_compared(
    tables: oc.Tables, study: oc.Study
) -> None:
    plain = study.replace(adjust=Adjust("age_at_time_zero + prior_sanctions", "ato"))
    result = oc.starters_and_completers(tables, plain)
    data = oc.build_cohort(tables, plain).outcome("any")
    completed = (data.baseline["status"] == "completed").to_numpy()
    matrix = data.baseline[["age_at_time_zero", "prior_sanctions"]].to_numpy(dtype=float)
    for against, kept in (
        ("starters", (data.arm == 0) | completed),
        ("completers", completed),
    ):
        each = overlap_weights(matrix[kept], data.arm[kept])
        time, event, arm = data.exit[kept], data.event[kept], data.arm[kept]
        by_arm = [[risk_by(time[arm == a], event[arm == a], 730, w[arm == a]) for a in (0, 1)]
                  for w in (np.ones(len(arm)), each)]  # fmt: skip
        for adjustment, risks in zip(("raw", "adjusted"), by_arm, strict=True):
            one = row(result, "completers", against, adjustment)
            assert one["estimate"] == pytest.approx(risks[1] - risks[0], abs=1e-8)
            assert one["n"] == kept.sum()


def test_completers_have_an_interval_no_test_and_no_verdict_but_what_they_would_say(
    found: oc.StartersAndCompleters,
) -> None:
    frame = found.to_frame()
    selected = frame[frame["selected"]]
    assert len(selected) == 4
    assert selected["p_value"].isna().all()
    assert set(selected["verdict"]) == {"not determined"}
    assert "lower" in set(selected["would_say"])
    assert np.isfinite(selected["conf_low"]).all()
    assert not frame.loc[frame["people"] == "starters", "selected"].any()


def test_completers_never_stand_alone(found: oc.StartersAndCompleters) -> None:
    assert found.frame["people"].iloc[0] == "starters"
    assert found.sentences[0].startswith("Starters of bespoke against starters of manualised")
    assert all("selection, not effect" in said for said in found.sentences if said.startswith("Completers of"))
    lines = oc.release(found, "none").frame
    assert lines["label"].tolist() == [
        "starters against starters",
        "completers against starters (selection, not effect)",
        "completers against completers (selection, not effect)",
    ]


def test_how_courses_ended_is_counted_by_arm(
    found: oc.StartersAndCompleters, tables: oc.Tables, study: oc.Study
) -> None:
    baseline = oc.build_cohort(tables, study).baseline
    counted = found.drop_out().set_index(["arm", "end"])
    for arm, mine in baseline.groupby("arm", observed=True):
        status = mine["status"].astype(str)
        assert counted.loc[(arm, "completed"), "n"] == (status == "completed").sum()
        assert counted.loc[(arm, "dropped_out"), "n"] == status.isin(["dropped_out", "removed"]).sum()
        assert counted.loc[arm]["n"].sum() == len(mine)
        assert counted.loc[arm]["share"].sum() == pytest.approx(1)
    assert "starters of bespoke" in found.sentences[-1]
    released = oc.release(found, "none")
    assert released.frames["drop_out"]["n"].tolist() == found.drop_out()["n"].tolist()
    assert f"{100 * counted.loc[('bespoke', 'dropped_out'), 'share']:.0f} % of bespoke" in released.facts["said"]


def test_nobody_completes_nothing(tables: oc.Tables, study: oc.Study) -> None:
    wider = study.with_untreated("6m")
    against_nothing = wider.replace(arms=dataclasses.replace(wider.arms, reference="untreated"))
    frame = oc.starters_and_completers(tables, against_nothing).frame
    assert set(zip(frame["arm"], frame["people"], frame["against"], strict=True)) == {
        (arm, people, "non-starters") for arm in ("bespoke", "manualised") for people in ("starters", "completers")
    }
    assert set(frame["reference"]) == {"untreated"}


def test_where_nobody_completed_there_is_no_answer_for_them_and_starters_have_theirs(
    tables: oc.Tables, study: oc.Study
) -> None:
    taken = tables.frame("participation")
    nobody = Reframed(tables, participation=taken.assign(status="dropped_out"))
    result = oc.starters_and_completers(nobody, study)
    assert np.isfinite(row(result, "starters", "starters")["estimate"])
    selected = result.frame[result.frame["selected"]]
    assert selected["estimate"].isna().all()
    assert (selected["why"] == "fewer than two of bespoke or manualised completed").all()
    assert "no answer" in result.describe()
    assert "Completers are classed" not in result.describe()
    beside = [text.get_text() for text in result.plot().texts if text.get_gid() == "beside"]
    starters = row(result, "starters", "starters")
    numbers = [100 * starters[name] for name in ("estimate", "conf_low", "conf_high")]
    assert beside == ["{:.1f} ({:.1f} to {:.1f})".format(*numbers).replace("-", "−"), "no answer", "no answer"]
    data = oc.build_cohort(tables, study).outcome("any")
    events = ((data.event == 1) & (data.exit <= 730)).sum()
    assert row(result, "starters", "starters", "raw")["n_events"] == events
    assert selected["n_events"].isna().all(), "nobody counted them, which is not that there were none"
    assert " 0 events" not in result.describe()
    assert f" {starters['n_events']:.0f} events" in result.describe()


def test_without_adjustment_contrasts_are_as_they_were(tables: oc.Tables, study: oc.Study) -> None:
    result = oc.starters_and_completers(tables, study.replace(adjust=None))
    assert set(result.frame["adjustment"]) == {"raw"}
    assert result.frame["named"].tolist() == [True, False, False]


def test_what_cannot_be_asked_is_refused(tables: oc.Tables, study: oc.Study) -> None:
    referred = study.replace(arms=dataclasses.replace(study.arms, assigned_by="referral"))
    for other in (referred, study.by_provision().replace(headline=study.headline)):
        with pytest.raises(DesignError, match="people who started a programme"):
            oc.starters_and_completers(tables, other)
    with pytest.raises(EstimationError, match="conf_level must lie between 0 and 1"):
        oc.starters_and_completers(tables, study, conf_level=95)
    nearest = study.replace(adjust=dataclasses.replace(study.adjust, method="nearest"))
    with pytest.raises(NotSupportedError, match="method = 'nearest'"):
        oc.starters_and_completers(tables, nearest)
