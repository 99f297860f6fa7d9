"""Differences were only a share of some people's events recorded: closed forms, plain loops, `compare` at 1, and what is said."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.comparison.less_detected import less_detected_of
from outcomes.errors import EstimationError, NotSupportedError
from outcomes.figures import FIGURES, figure_of

CAUSES = {1: "offence", 2: "death"}


def people(n: int = 160, *, seed: int = 3, ends: int = 3, whole: bool = True) -> pd.DataFrame:
    """Return people with ties, weights, clusters and groups; `ends` 3 has competing events, 2 has none."""
    rng = np.random.default_rng(seed)
    time = rng.exponential(10, n) + 0.5
    return pd.DataFrame(
        {
            "t": np.ceil(time) if whole else time,
            "end": rng.integers(0, ends, n),
            "arm": rng.choice(["new", "usual"], n),
            "ld": rng.random(n) < 0.4,
            "w": rng.exponential(1, n) + 0.1,
            "x": rng.normal(size=n),
            "area": rng.integers(0, 25, n),
        }
    )


def data_of(frame: pd.DataFrame, **more: Any) -> oc.SurvivalData:
    causes = CAUSES if (frame["end"] == 2).any() else {1: "offence"}
    return oc.survival_data(frame, duration="t", event="end", causes=causes, arm="arm", reference="usual", **more)


def at_shares(data: oc.SurvivalData, shares: list[float], **more: Any) -> pd.DataFrame:
    asked: dict[str, Any] = {"less_detected": {"ld": True}, "at": 12.0, "cause": "offence"} | more
    return oc.detection_sensitivity(data, shares=shares, **asked).to_frame().set_index("share")


def by_loops(frame: pd.DataFrame, share: float, horizon: float) -> float:
    """Return the risk of one arm by walking through time: the hidden at risk, person by weight, in each group."""
    free, risk = 1.0, 0.0
    still = 1.0
    for t in sorted(frame["t"].unique()):
        if t > horizon:
            break
        at_risk = events = ends = 0.0
        kept = 1.0
        for few, group in frame.groupby("ld"):
            there = group[group["t"] >= t]
            seen = there[there["t"] == t]
            y, e, c = there["w"].sum(), seen["w"][seen["end"] == 1].sum(), seen["w"][seen["end"] == 2].sum()
            if few and y > c:
                u = (y - c - e) / (y - c)
                kept = u ** (1 / share - 1)
                at_risk, events, ends = (
                    at_risk + still * y,
                    events + still * (y - c) * (1 - u ** (1 / share)),
                    ends + still * c,
                )
            elif few:
                at_risk, ends = at_risk + still * y, ends + still * c
            else:
                at_risk, events, ends = at_risk + y, events + e, ends + c
        risk += free * events / at_risk
        free *= 1 - (events + ends) / at_risk
        still *= kept
    return risk


# numbers


@pytest.mark.parametrize("share", [0.8, 0.35])
def test_of_a_whole_arm_without_competing_events_the_risk_is_one_minus_the_power(share: float) -> None:
    data = data_of(people(ends=2))
    seen = oc.kaplan_meier(data).at(12.0).set_index("arm")["estimate"]
    row = at_shares(data, [share], less_detected={"arm": "new"}).loc[share]
    assert row["risk_arm"] == pytest.approx(1 - seen["new"] ** (1 / share), rel=1e-12)
    assert row["risk_reference"] == pytest.approx(1 - seen["usual"], rel=1e-12)
    everybody = at_shares(data, [share], less_detected={"arm": ["new", "usual"]}).loc[share]
    assert everybody["estimate"] == pytest.approx(seen["usual"] ** (1 / share) - seen["new"] ** (1 / share), rel=1e-10)


@pytest.mark.parametrize("share", [0.8, 0.35])
def test_of_uncensored_people_it_is_the_mixture_of_the_two_groups(share: float) -> None:
    frame = people(ends=2).assign(end=1)
    row = at_shares(data_of(frame), [share], weights="w").loc[share]
    for arm, name in (("new", "risk_arm"), ("usual", "risk_reference")):
        mine = frame[frame["arm"] == arm]
        few = mine["ld"].to_numpy()
        risks = [np.average(mine["t"][group] <= 12, weights=mine["w"][group]) for group in (~few, few)]
        mixture = np.average(
            [risks[0], 1 - (1 - risks[1]) ** (1 / share)], weights=[mine["w"][~few].sum(), mine["w"][few].sum()]
        )
        assert row[name] == pytest.approx(mixture, rel=1e-12)


@pytest.mark.parametrize("share", [0.999, 0.6, 0.2])
def test_with_ties_weights_censoring_and_competing_events_it_is_what_plain_loops_find(share: float) -> None:
    frame = people()
    row = at_shares(data_of(frame), [share], weights="w").loc[share]
    for arm, name in (("new", "risk_arm"), ("usual", "risk_reference")):
        assert row[name] == pytest.approx(by_loops(frame[frame["arm"] == arm], share, 12.0), rel=1e-10)


def asked_of_everything(frame: pd.DataFrame) -> dict[str, tuple[oc.SurvivalData, dict[str, Any]]]:
    plain = data_of(frame)
    return {
        "plain": (plain, {}),
        "numbers as weights": (plain, {"weights": "w"}),
        "clusters": (plain, {"cluster": "area"}),
        "weights and clusters": (plain, {"weights": "w", "cluster": "area"}),
        "weights of a score": (plain, {"weights": oc.weight(plain, "x", estimand="ato")}),
        "counts": (data_of(frame.assign(f=1 + np.arange(len(frame)) % 3), frequency="f"), {}),
        "no competing events": (data_of(frame.assign(end=frame["end"] % 2)), {}),
    }


@pytest.mark.parametrize("name", asked_of_everything(people()))
def test_with_everything_recorded_it_is_compare(name: str) -> None:
    data, asked = asked_of_everything(people())[name]
    row = at_shares(data, [0.5], **asked).loc[1.0]
    curves = oc.cumulative_incidence(data, **asked)
    alone = oc.compare(curves, measure="risk_difference", at=12.0, cause="offence").frame.iloc[0]
    for column in ("estimate", "std_error", "conf_low", "conf_high", "n", "n_events", "estimand", "verdict"):
        assert row[column] == (
            alone[column] if isinstance(alone[column], str) else pytest.approx(alone[column], abs=1e-12)
        )


@pytest.mark.parametrize("cluster", [None, "area"])
def test_the_standard_error_is_the_infinitesimal_jackknife(cluster: str | None) -> None:
    frame, share = people(70), 0.4

    def difference(weight: np.ndarray) -> float:
        return float(at_shares(data_of(frame), [share], weights=weight)["estimate"].loc[share])

    w, step = frame["w"].to_numpy(), 1e-5
    slopes = np.array(
        [(difference(w + step * own) - difference(w - step * own)) / (2 * step) for own in np.eye(len(w))]
    )
    moved = pd.Series(w * slopes).groupby(frame["area"] if cluster else np.arange(len(w))).sum()
    found = at_shares(data_of(frame), [share], weights="w", cluster=cluster)["std_error"].loc[share]
    groups = len(moved)
    factor = groups / (groups - 1) if cluster else 1.0
    assert found == pytest.approx(np.sqrt(factor * (moved**2).sum()), rel=1e-6)


def test_the_standard_error_is_near_that_of_leaving_one_out() -> None:
    frame = people(120, ends=2)
    left = [at_shares(data_of(frame.drop(index=i)), [0.5])["estimate"].loc[0.5] for i in range(len(frame))]
    n = len(left)
    jackknife = np.sqrt((n - 1) / n * ((np.array(left) - np.mean(left)) ** 2).sum())
    assert at_shares(data_of(frame), [0.5])["std_error"].loc[0.5] == pytest.approx(jackknife, rel=0.05)


def test_with_weights_of_a_score_it_is_near_that_of_leaving_one_out_and_scoring_anew() -> None:
    frame = people(150, ends=2)

    def difference(data: oc.SurvivalData) -> pd.Series:
        return at_shares(data, [0.5], weights=oc.weight(data, "x + C(ld)", estimand="ate")).loc[0.5]

    left = np.array([difference(data_of(frame.drop(index=i)))["estimate"] for i in range(len(frame))])
    jackknife = np.sqrt((len(left) - 1) / len(left) * ((left - left.mean()) ** 2).sum())
    assert difference(data_of(frame))["std_error"] == pytest.approx(jackknife, rel=0.06)


def test_no_increment_is_more_than_possible_and_other_ends_are_left_as_they_are() -> None:
    frame = pd.DataFrame(
        {
            "t": [1.0, 2, 2, 2, 3, 1, 2, 3],
            "end": [1, 1, 1, 2, 1, 1, 0, 0],
            "arm": ["new"] * 5 + ["usual"] * 3,
            "ld": [True] * 5 + [False] * 3,
        }
    )
    row = at_shares(data_of(frame), [0.01], at=2.5).loc[0.01]
    # after 1 of 5 at the first time hardly anybody is left: (4/5)^100
    left = 0.8**100
    assert row["risk_arm"] == pytest.approx(1 - left + left * 0.75 * (1 - (1 / 3) ** 100), rel=1e-12)
    assert np.isfinite(row["std_error"])
    everybody = at_shares(data_of(frame), [0.5], at=3.0).loc[0.5]
    assert everybody["risk_arm"] == pytest.approx(1 - 0.8**2 * 0.25, rel=1e-12)
    assert everybody["risk_arm"] <= 1


def test_fewer_recorded_means_more_done_and_arms_swapped_turn_the_difference() -> None:
    data = data_of(people())
    found = at_shares(data, [0.75, 0.5, 0.25])
    assert found.index.tolist() == [1.0, 0.75, 0.5, 0.25]
    assert found["risk_arm"].is_monotonic_increasing
    assert found["risk_reference"].is_monotonic_increasing
    turned = dataclasses.replace(data, arms=data.arms[::-1], arm=1 - data.arm)
    np.testing.assert_allclose(at_shares(turned, [0.75, 0.5, 0.25])["estimate"], -found["estimate"], atol=1e-14)


def test_only_the_proportions_of_weights_matter() -> None:
    frame = people()
    one, ten = (at_shares(data_of(frame), [0.4], weights=k * frame["w"].to_numpy()) for k in (1.0, 10.0))
    np.testing.assert_allclose(one[["estimate", "std_error"]], ten[["estimate", "std_error"]], rtol=1e-10)


def test_rows_of_a_person_that_follow_on_one_another_are_one_row() -> None:
    frame = people(60)
    split, whole = at_shares(halved(frame), [0.4]), at_shares(data_of(frame), [0.4])
    for name in ("estimate", "std_error", "n"):
        np.testing.assert_allclose(split[name], whole[name], rtol=1e-12)


def halved(frame: pd.DataFrame) -> oc.SurvivalData:
    """Return everybody's time at risk in two rows."""
    whole = frame.assign(id=range(len(frame)), start=0.0)
    cut = whole["t"] / 2
    both = pd.concat([whole.assign(t=cut, end=0), whole.assign(start=cut)])
    return oc.survival_data(
        both, entry="start", exit="t", event="end", causes=CAUSES, arm="arm", reference="usual", id="id"
    )


def test_weights_that_change_over_time_are_carried() -> None:
    data = halved(people(80))
    weights = np.where(data.entry > 0, 2.0, 1.0) * data.frame["w"].to_numpy()
    row = at_shares(data, [0.5], weights=weights).loc[1.0]
    curves = oc.cumulative_incidence(data, weights=weights)
    alone = oc.compare(curves, measure="risk_difference", at=12.0, cause="offence").frame.iloc[0]
    for name in ("estimate", "std_error"):
        assert row[name] == pytest.approx(alone[name], abs=1e-12)


# where it tips


def test_where_it_tips_the_difference_is_none_and_the_verdict_another() -> None:
    data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    found = oc.detection_sensitivity(data, less_detected={"arm": "1"}, at=52)
    seen = oc.kaplan_meier(data).at(52).set_index("arm")["estimate"]
    assert found.tipping.vanishes == pytest.approx(np.log(seen["1"]) / np.log(seen["0"]), abs=1e-5)
    near = found.tipping.verdict_changes
    again = oc.detection_sensitivity(data, less_detected={"arm": "1"}, at=52, shares=[near + 2e-6, near]).frame
    assert again["verdict"].tolist()[1] == found.frame["verdict"].iloc[0]
    assert again["verdict"].tolist()[2] == found.tipping.verdict
    assert found.tipping.verdict != found.frame["verdict"].iloc[0]


def test_where_it_tips_nowhere_that_is_said() -> None:
    data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    found = oc.detection_sensitivity(data, less_detected={"arm": "0"}, at=52, shares=[0.9, 0.5])
    assert np.isnan(found.tipping.vanishes)
    assert "does not change its direction at any share between 50 of 100 and all" in found.describe()


def test_a_margin_gives_the_fourth_verdict() -> None:
    frame = pd.concat([people(4000, seed=9)] * 2, ignore_index=True)
    frame["arm"] = np.repeat(["new", "usual"], 4000)
    found = oc.detection_sensitivity(
        data_of(frame), less_detected={"ld": True, "arm": "new"}, at=12.0, cause="offence", margin=5.0
    )
    assert found.frame["verdict"].iloc[0] == "no difference larger than the margin"
    assert "Verdict: no difference larger than 5 per 100." in found.describe()
    assert "As recorded there is no difference at all." in found.describe()


# what is said


def test_what_is_said_has_the_recorded_answer_first_and_then_the_other() -> None:
    data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    found = oc.detection_sensitivity(data, less_detected={"arm": "1", "wexp": 1}, at=52)
    first, who, then, gone, changed = found.sentences
    assert first.startswith("As recorded: By 52 weeks, an estimated 22.2 of 100 people in 1 and 30.6 of 100 in 0 had")
    them = load_rossi().query("fin == 1 and wexp == 1")["arrest"]
    counted = f"{len(them)} in 1 with {them.sum()} recorded events, nobody in 0."
    assert who == f"Less detected are people in 1 with wexp 1: {counted}"
    assert then.startswith("Were only 20 of 100 of their events recorded, 47.")
    assert then.endswith("Verdict then: higher.")
    assert gone.startswith("The difference would vanish were ")
    assert changed.startswith("The verdict would change at ")
    assert {note.code for note in found.notes} == {"events_not_people"}
    assert "weights_as_known" in {
        note.code
        for note in oc.detection_sensitivity(data, less_detected={"arm": "1"}, at=52, weights=np.ones(data.n)).notes
    }


def test_where_they_have_no_event_on_record_nothing_moves_and_that_is_said() -> None:
    frame = people()
    frame.loc[frame["ld"] & (frame["end"] == 1), "end"] = 0
    found = oc.detection_sensitivity(data_of(frame), less_detected={"ld": True}, at=12.0, cause="offence")
    assert np.ptp(found.frame["estimate"]) == 0
    assert "nothing_recorded" in {note.code for note in found.notes}
    assert found.describe().endswith("Without any on record, no share changes the answer.")


def test_an_arm_without_events_has_newcombes_interval_at_every_share() -> None:
    frame = people(ends=2)
    frame.loc[frame["arm"] == "new", "end"] = 0
    found = at_shares(data_of(frame), [0.5])
    alone = oc.compare(oc.cumulative_incidence(data_of(frame)), measure="risk_difference", at=12.0).frame.iloc[0]
    assert found["conf_low"].loc[1.0] == pytest.approx(alone["conf_low"])
    assert np.isfinite(found[["conf_low", "conf_high"]]).all().all()


def test_one_cluster_in_an_arm_leaves_no_interval_and_no_verdict() -> None:
    frame = people()
    frame["area"] = np.where(frame["arm"] == "new", 0, frame["area"])
    found = oc.detection_sensitivity(
        data_of(frame), less_detected={"ld": True}, at=12.0, cause="offence", cluster="area"
    )
    assert found.frame["conf_low"].isna().all()
    assert set(found.frame["verdict"]) == {"not determined"}
    assert "(no interval can be given)" in found.describe()


def test_who_is_not_known_counts_as_detected_in_full_and_is_counted() -> None:
    frame = people()
    frame["ld"] = frame["ld"].astype("boolean")
    frame.loc[:9, "ld"] = pd.NA
    found = oc.detection_sensitivity(data_of(frame), less_detected={"ld": True}, at=12.0, cause="offence")
    assert [note.text[:12] for note in found.notes if note.code == "detection_unknown"] == ["Of 10 people"]
    rest = frame.assign(ld=frame["ld"].fillna(False))
    np.testing.assert_allclose(
        found.frame["estimate"], at_shares(data_of(rest), list(found.frame["share"]))["estimate"]
    )


def test_several_conditions_must_all_be_met_and_a_list_is_any_of_its_values() -> None:
    frame = people().assign(band=lambda f: np.where(f["x"] > 0.5, "high", np.where(f["x"] > 0, "mid", "low")))
    data = data_of(frame.assign(both=frame["ld"] & (frame["band"] != "low")))
    one = at_shares(data, [0.5], less_detected={"both": True})
    two = oc.detection_sensitivity(
        data, less_detected={"ld": True, "band": ["mid", "high"]}, at=12.0, cause="offence", shares=[0.5]
    )
    np.testing.assert_array_equal(one["estimate"], two.frame["estimate"])
    assert two.whom == "people with ld and band mid or high"


def test_who_might_meet_several_conditions_is_who_meets_or_may_meet_each() -> None:
    cells = [
        (True, "high"),
        (True, None),
        (None, "high"),
        (None, None),
        (False, None),
        (None, "low"),
        (False, "high"),
        (True, "low"),
    ]
    frame = people(80).assign(
        ld=pd.array([ld for ld, _ in cells] * 10, dtype="boolean"), band=[band for _, band in cells] * 10
    )
    for conditions in ({"ld": True, "band": "high"}, {"band": "high", "ld": True}):
        met = less_detected_of(data_of(frame), conditions)
        assert met.people.tolist() == [True, *[False] * 7] * 10
        assert met.unknown == 10 * 3, "known to meet one and not known of the other, or not known of both"


# what is refused


def test_what_cannot_be_asked_is_refused() -> None:
    frame = people()
    data = data_of(frame)

    def refused(match: str, kind: type[Exception] = EstimationError, **changed: Any) -> None:
        asked: dict[str, Any] = {"less_detected": {"ld": True}, "at": 12.0, "cause": "offence"} | changed
        with pytest.raises(kind, match=match):
            oc.detection_sensitivity(asked.pop("data", data), **asked)

    refused("no column 'ldd'. Did you mean 'ld'", less_detected={"ldd": True})
    refused("there is no arm 'newer'. Did you mean 'new'", less_detected={"arm": "newer"})
    refused("none of 160 people meets 'ld' as given", less_detected={"ld": "yes"})
    refused("must name a column and its value", less_detected={})
    refused("must be a mapping of columns to values.*got str", less_detected="ld")
    refused("1 of 2 are not", shares=[0.5, 0.0])
    refused("must hold one below 1", shares=[1.0])
    rossi = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    refused("last usable time is 52", data=rossi, less_detected={"arm": "1"}, cause=None, at=60)
    refused("at is one time", at=[5.0, 12.0])
    refused("margin must be above 0", margin=0.0)
    refused(
        "between two arms; these data have 1", data=oc.survival_data(frame, duration="t", event="end", causes=CAUSES)
    )
    late = frame.assign(start=np.where(frame.index < 7, 0.25, 0.0))
    refused(
        "7 people enter after time 0", NotSupportedError,
        data=oc.survival_data(late, entry="start", exit="t", event="end", causes=CAUSES, arm="arm", reference="usual"),
    )  # fmt: skip


# the picture


@pytest.fixture(scope="module")
def released() -> oc.Released:
    data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    return oc.release(oc.detection_sensitivity(data, less_detected={"arm": "1"}, at=52, margin=3.0), "none")


def test_the_picture_draws_the_curve_its_band_and_where_it_tips(released: oc.Released) -> None:
    ax = figure_of("detection", released).axes[0]
    frame = FIGURES["detection"].data(released)
    curve = next(line for line in ax.lines if len(line.get_xdata()) == len(frame))
    np.testing.assert_array_equal(curve.get_xdata(), frame["share"])
    np.testing.assert_array_equal(curve.get_ydata(), frame["estimate"])
    marked = {line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1}
    assert marked == set(released.frames["tipping"]["share"])
    table = released.frames["table"]
    np.testing.assert_allclose(frame["estimate"][::-1], 100 * table["estimate"], rtol=1e-5)


def test_the_picture_has_words(released: oc.Released) -> None:
    words = FIGURES["detection"].alternative(released)
    assert "how many of 100 events of people in 1 are recorded" in words
    assert "−8.3 (" in words
    assert "It tips: no difference at 6" in words
    assert ". ." not in words
