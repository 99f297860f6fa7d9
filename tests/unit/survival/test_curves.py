"""Kaplan–Meier, cumulative incidence and Nelson–Aalen: what they do with what they are given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.errors import DesignError

FRAME = pd.DataFrame(
    {
        "t": [5, 8, 9, 12, 6, 7, 3, 10],
        "e": [1, 0, 1, 0, 1, 1, 0, 0],
        "end": [1, 2, 1, 0, 2, 1, 0, 0],
        "g": ["m"] * 4 + ["b"] * 4,
        "w": [1.0, 2.0, 1.0, 1.0, 0.5, 2.0, 1.0, 1.0],
        "area": ["n", "n", "s", "s", "n", "n", "s", "s"],
    }
)


def take(frame: pd.DataFrame = FRAME, **more: Any) -> oc.SurvivalData:
    return oc.survival_data(frame, **({"duration": "t", "event": "e", "arm": "g", "reference": "m"} | more))


def competing(frame: pd.DataFrame = FRAME) -> oc.SurvivalData:
    return take(frame, event="end", censored=0, causes={1: "sexual", 2: "death"})


COLUMNS = ["outcome", "estimand", "arm", "cause", "time", "estimate", "std_error", "conf_low", "conf_high", "n",
           "n_at_risk", "n_events", "n_censored"]  # fmt: skip


@pytest.mark.parametrize("made", [oc.kaplan_meier(take()), oc.cumulative_incidence(competing())], ids=["km", "cif"])
def test_tables_have_the_house_columns(made: Any) -> None:
    assert list(made.to_frame().columns) == COLUMNS
    assert list(made.at(6).columns) == COLUMNS
    assert made.to_frame()["arm"].unique().tolist() == ["m", "b"]  # the reference first


def test_a_curve_holds_its_value_until_the_next_time_and_includes_the_event_at_it() -> None:
    found = oc.kaplan_meier(take()).at([4.9, 5, 8.9, 9]).query("arm == 'm'")
    assert found["estimate"].tolist() == [1.0, 0.75, 0.75, 0.375]
    assert found["n_at_risk"].tolist() == [4, 4, 2, 2]  # just before
    assert found["n_events"].tolist() == [0, 1, 1, 2]  # by then
    assert found["n_censored"].tolist() == [0, 0, 1, 1]


def test_times_may_be_written_as_text_and_one_time_needs_no_list() -> None:
    km = oc.kaplan_meier(take())
    assert km.at("1w")["time"].tolist() == [7.0, 7.0]
    assert km.at(0)["estimate"].tolist() == [1.0, 1.0]


def test_beyond_the_last_observation_of_an_arm_there_is_no_estimate() -> None:
    found = oc.kaplan_meier(take()).at([10, 11, 13])
    assert found["estimate"].isna().tolist() == [False, False, True, False, True, True]
    assert found[found["estimate"].isna()][["std_error", "conf_low", "conf_high"]].isna().all(axis=None)


def test_a_curve_that_came_down_to_nothing_stays_there() -> None:
    data = take(FRAME.assign(e=1))
    assert oc.kaplan_meier(data).at([20, 1000])["estimate"].tolist() == [0.0] * 4
    assert oc.cumulative_incidence(data).at(1000)["estimate"].tolist() == [1.0, 1.0]


def test_without_events_the_curve_is_one_and_a_note_says_what_that_is_worth() -> None:
    km = oc.kaplan_meier(take(FRAME.assign(e=0)))
    assert km.at(9)["estimate"].tolist() == [1.0, 1.0]
    assert km.at(9)["std_error"].tolist() == [0.0, 0.0]
    assert [note.code for note in km.notes] == ["no_events_in_arm"] * 2
    assert km.summary()["median"].isna().all()
    assert oc.cumulative_incidence(take(FRAME.assign(e=0))).at(9)["estimate"].tolist() == [0.0, 0.0]


def test_one_event_is_enough() -> None:
    found = oc.kaplan_meier(take(FRAME.assign(e=[1, 0, 0, 0, 0, 0, 0, 0]))).at(9)
    assert found["estimate"].tolist() == [0.75, 1.0]
    assert found["std_error"].tolist() == pytest.approx([np.sqrt(0.75 * 0.25 / 4), 0.0])


def test_without_an_arm_everybody_is_in_one() -> None:
    found = oc.kaplan_meier(oc.survival_data(FRAME, duration="t", event="e"))
    assert found.arms == ("all",)
    assert found.summary()["n"].tolist() == [8]


def test_an_arm_whose_weights_are_all_zero_is_an_error_that_names_it() -> None:
    for estimate in (oc.kaplan_meier, oc.cumulative_incidence, oc.nelson_aalen):
        with pytest.raises(oc.EstimationError, match="every weight in arm 'b' is 0"):
            estimate(take(), weights=(FRAME["g"] == "m").astype(float))


def test_events_come_before_censorings_at_a_tie() -> None:
    tied = oc.survival_data(pd.DataFrame({"t": [5, 5, 9], "e": [1, 0, 1]}), duration="t", event="e")
    assert oc.kaplan_meier(tied).at(5)["estimate"].item() == pytest.approx(2 / 3)


def test_nobody_is_at_risk_before_entering() -> None:
    frame = pd.DataFrame({"a": [0, 0, 4, 6], "t": [5, 9, 9, 12], "e": [1, 1, 0, 0]})
    found = oc.kaplan_meier(oc.survival_data(frame, entry="a", exit="t", event="e")).at([4, 5, 9])
    assert found["n_at_risk"].tolist() == [2, 3, 3]  # (entry, exit]: who enters at 4 is not at risk at 4
    assert found["estimate"].tolist() == pytest.approx([1, 2 / 3, 4 / 9])


def test_a_time_with_nobody_at_risk_is_carried_across_with_a_note() -> None:
    frame = pd.DataFrame({"a": [0, 0, 7, 7], "t": [3, 5, 9, 12], "e": [1, 0, 1, 0]})
    km = oc.kaplan_meier(oc.survival_data(frame, entry="a", exit="t", event="e"))
    assert km.at([6, 9])["estimate"].tolist() == [0.5, 0.25]
    assert [note.code for note in km.notes] == ["risk_set_gap"]


@pytest.mark.parametrize("conf_type", ["log-log", "log", "plain", "logit", "arcsine"])
def test_limits_stay_inside_zero_and_one_and_around_the_estimate(conf_type: str) -> None:
    found = oc.kaplan_meier(take(), conf_type=conf_type).at([5, 6, 7, 9, 10])
    assert (found["conf_low"] >= 0).all()
    assert (found["conf_high"] <= 1).all()
    assert ((found["conf_low"] <= found["estimate"]) & (found["estimate"] <= found["conf_high"])).all()


def test_the_default_variance_follows_the_data() -> None:
    assert oc.kaplan_meier(take()).asked.variance == "model"
    assert oc.kaplan_meier(take(), weights="w").asked.variance == "robust"
    assert oc.kaplan_meier(take(), cluster="area").asked.variance == "robust"
    assert oc.kaplan_meier(take(cluster="area")).asked.variance == "robust"
    assert oc.cumulative_incidence(take()).asked.variance == "robust"


def test_a_cluster_may_be_a_column_or_codes() -> None:
    named, coded = oc.kaplan_meier(take(), cluster="area").at(9), oc.kaplan_meier(take(), cluster=FRAME["area"]).at(9)
    assert named.equals(coded)
    assert not np.allclose(named["std_error"], oc.kaplan_meier(take()).at(9)["std_error"])


def test_zero_weights_leave_people_out() -> None:
    w = FRAME["w"].where(FRAME.index != 1, 0.0)
    without = oc.kaplan_meier(take(FRAME.drop(index=1)), weights="w")
    found = oc.kaplan_meier(take(), weights=w)
    pd.testing.assert_frame_equal(found.to_frame(), without.to_frame())
    assert found.summary()["n"].tolist() == [3, 4]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"weights": "ww"}, "no column 'ww' .weights.. Did you mean 'w'"),
        ({"weights": "g"}, "must hold numbers"),
        ({"weights": [1.0, 2.0]}, "one number a person .8."),
        ({"weights": -FRAME["w"]}, "8 of 8 weights are missing, infinite or negative"),
        ({"weights": FRAME["w"].where(FRAME["w"] != 2.0)}, "2 of 8 weights are missing"),
        ({"weights": np.zeros(8)}, "every weight in arm 'm' is 0"),
        ({"weights": "w", "variance": "greenwood"}, "frequency="),
        ({"weights": "w", "variance": "stacked"}, "weight"),
        ({"variance": "jackknife"}, "must be one of"),
        ({"conf_type": "loglog"}, "'log-log'"),
        ({"conf_level": 95}, "between 0 and 1"),
        ({"cluster": "aera"}, "Did you mean 'area'"),
        ({"cluster": [1, 2]}, "one value a person .8.; got 2"),
    ],
)
def test_what_cannot_be_asked_says_why(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(oc.EstimationError, match=message):
        oc.kaplan_meier(take(), **asked)


def test_errors_never_show_a_value_of_a_row() -> None:
    with pytest.raises(oc.EstimationError) as error:
        oc.kaplan_meier(take(FRAME.assign(w=-123.456)), weights="w")
    assert "123" not in str(error.value)


def test_where_causes_compete_kaplan_meier_wants_to_know_which() -> None:
    with pytest.raises(oc.EstimationError, match="2 causes compete"):
        oc.kaplan_meier(competing())
    with pytest.raises(oc.EstimationError, match="Did you mean 'death'"):
        oc.kaplan_meier(competing(), cause="deaht")
    one = oc.kaplan_meier(competing(), cause="sexual")
    assert [note.code for note in one.notes] == ["competing_censored"]
    both = oc.kaplan_meier(competing(), cause="any")
    assert both.at(9)["estimate"].tolist() == oc.cumulative_incidence(competing()).event_free(9)["estimate"].tolist()


def test_an_incidence_is_not_one_minus_kaplan_meier() -> None:
    """14 people; R: survfit(Surv(t, factor(e)) ~ 1) gives 0.4805, one minus Kaplan–Meier 0.6345."""
    t, e = [1, 2, 3, 4, 4, 4, 5, 5, 6, 8, 8, 9, 10, 12], [1, 2, 0, 1, 0, 0, 2, 1, 0, 0, 2, 0, 1, 0]
    data = oc.survival_data(
        pd.DataFrame({"t": t, "e": e}), duration="t", event="e", censored=0, causes={1: "a", 2: "b"}
    )
    incidence = oc.cumulative_incidence(data).at(10)["estimate"].iloc[0]
    naive = 1 - oc.kaplan_meier(data, cause="a").at(10)["estimate"].item()
    assert incidence == pytest.approx(0.48051948)
    assert naive > incidence + 0.1


def test_the_event_free_share_counts_events_of_every_cause() -> None:
    found = oc.cumulative_incidence(competing()).event_free([5, 9])
    assert list(found.columns) == COLUMNS
    assert found.query("arm == 'm'")["n_events"].tolist() == [1, 3]
    assert set(found["cause"]) == {"event_free"}


def test_cumulative_incidence_has_no_greenwood_variance() -> None:
    with pytest.raises(oc.EstimationError, match="robust"):
        oc.cumulative_incidence(competing(), variance="greenwood")


def test_median_follow_up_is_that_of_the_censored() -> None:
    frame = pd.DataFrame({"t": [1, 2, 10, 20, 30], "e": [1, 1, 0, 0, 0]})
    summary = oc.kaplan_meier(oc.survival_data(frame, duration="t", event="e")).summary()
    assert summary["median_follow_up"].item() == 20


def test_quantiles_are_missing_where_the_curve_does_not_come_down_to_them() -> None:
    km = oc.kaplan_meier(take())
    assert km.quantile(0.25)["time"].tolist() == [7.0, 6.0]  # level from 5 to 9 at exactly 75 %: the middle
    assert km.quantile(0.9)["time"].isna().all()
    with pytest.raises(oc.EstimationError, match="between 0 and 1"):
        km.quantile(25)


def test_influences_have_one_row_a_person_and_are_of_the_risk() -> None:
    found = oc.kaplan_meier(take(), weights="w", cluster="area").influence([6, 9])
    assert found.values.shape == (8, 2, 2)
    assert found.estimate.shape == (2, 2)
    assert (found.values[:4, 1] == 0).all()  # people of one arm do not move the other
    assert found.n_clusters == 2
    assert found.estimate[0, 1] == pytest.approx(1 - oc.kaplan_meier(take(), weights="w").at(9)["estimate"][0])


def test_influences_beyond_follow_up_name_the_arm_and_its_last_time() -> None:
    with pytest.raises(oc.EstimationError, match="arm 'b', whose last usable time is 10"):
        oc.kaplan_meier(take()).influence(11)
    with pytest.raises(oc.EstimationError, match="Did you mean 'death'"):
        oc.cumulative_incidence(competing()).influence(9, cause="dead")


def test_what_is_handed_in_is_not_changed() -> None:
    frame = FRAME.copy()
    weights = frame["w"].to_numpy().copy()
    oc.kaplan_meier(take(frame), weights=weights).to_frame()
    oc.cumulative_incidence(competing(frame), weights="w").to_frame()
    pd.testing.assert_frame_equal(frame, FRAME)
    assert (weights == FRAME["w"]).all()


def test_sentences_speak_of_risk_in_people() -> None:
    said = oc.kaplan_meier(take()).describe()
    assert said.startswith(
        "m: an estimated 62.5 % had the event 'e' by 10 days (19.2 to 98.9 %; people: 4, events: 2)."
    )


def test_nelson_aalen_by_hand() -> None:
    found = oc.nelson_aalen(take()).at([0, 5, 9, 13]).query("arm == 'm'")
    assert found["estimate"].tolist()[:3] == [0.0, 0.25, 0.75]
    assert found["std_error"].tolist()[:3] == pytest.approx([0, 0.25, np.sqrt(1 / 16 + 1 / 4)])
    assert np.isnan(found["estimate"].iloc[-1])


def test_the_tie_corrected_hazard_lets_tied_events_happen_one_after_another() -> None:
    tied = oc.survival_data(pd.DataFrame({"t": [5, 5, 9], "e": [1, 1, 0]}), duration="t", event="e")
    assert oc.nelson_aalen(tied).at(5)["estimate"].item() == pytest.approx(2 / 3)
    corrected = oc.nelson_aalen(tied, ties="fleming-harrington").at(5)
    assert corrected["estimate"].item() == pytest.approx(1 / 3 + 1 / 2)
    with pytest.raises(oc.NotSupportedError, match="tie-corrected"):
        oc.nelson_aalen(take(), weights="w", ties="fleming-harrington")
    with pytest.raises(oc.EstimationError, match="must be one of"):
        oc.nelson_aalen(take(), ties="efron")


def test_a_frequency_that_differs_within_a_person_is_refused() -> None:
    frame = pd.DataFrame({"id": [1, 1, 2], "a": [0, 2, 0], "t": [2, 5, 4], "e": [0, 1, 1], "f": [2, 3, 1]})
    data = oc.survival_data(frame, entry="a", exit="t", event="e", id="id", frequency="f")
    with pytest.raises(oc.EstimationError, match="in 1 rows the frequency differs"):
        oc.kaplan_meier(data)


def test_text_is_no_time_where_data_are_not_in_days() -> None:
    data = oc.survival_data(load_rossi(), duration="week", event="arrest", unit="weeks")
    for ask in (oc.kaplan_meier(data).at, oc.nelson_aalen(data).at, lambda at: oc.rmst(data, horizon=at)):
        with pytest.raises(DesignError, match="are in weeks; give a number of weeks, not '1y'"):
            ask("1y")
