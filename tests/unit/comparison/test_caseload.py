"""The caseload question: what regimes do to everybody, by two routes, and what the difference is made of."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp
from small_study import Reframed

import outcomes as oc
from outcomes.comparison.regime_kernel import reach_and_effect, under_regime
from outcomes.comparison.regime_models import TARGET
from outcomes.comparison.regime_worlds import regime_worlds
from outcomes.errors import DesignError, EstimationError, NotSupportedError


def test_constant_rates_give_the_risk_of_the_differential_equations() -> None:
    start, death = np.array([0.9, 0.2]), 0.1
    before, after, begun = np.array([0.5, 0.3]), np.array([0.2, 0.4]), np.array([0.25, 0.0])

    def flow(_: float, y: np.ndarray, i: int) -> list[float]:
        waits, started = y[0], y[1]
        return [
            -(start[i] + before[i] + death) * waits,
            start[i] * waits - (after[i] + death) * started,
            before[i] * waits + after[i] * started,
            start[i] * waits,
        ]

    ends = [
        solve_ivp(flow, (0, 2), [1 - begun[i], begun[i], 0, begun[i]], args=(i,), rtol=1e-10, atol=1e-12).y[:, -1]
        for i in range(2)
    ]
    pieces = 400
    each = np.full((2, pieces), 2 / pieces)
    hazards = [np.stack([rate[:, None] * each, death * each]) for rate in (before, after)]
    found = under_regime(begun, start[:, None] * each, *hazards)
    assert found.risk == pytest.approx([end[2] for end in ends], abs=1e-6)
    assert found.reached == pytest.approx([end[3] for end in ends], abs=1e-6)


def test_a_start_that_changes_nothing_changes_no_risk() -> None:
    rng = np.random.default_rng(1)
    hazards = rng.uniform(0, 0.02, (2, 5, 60))
    alone = under_regime(np.zeros(5), np.zeros((5, 60)), hazards, hazards)
    reached = under_regime(np.full(5, 0.3), rng.uniform(0, 0.05, (5, 60)), hazards, hazards)
    assert reached.risk == pytest.approx(alone.risk, abs=1e-5)  # of the third order in the hazards of a piece
    assert (reached.reached > 0.3).all()
    assert (alone.reached == 0).all()


def test_no_hazards_no_risk() -> None:
    none = np.zeros((2, 3, 10))
    assert (under_regime(np.zeros(3), np.zeros((3, 10)), none, none).risk == 0).all()


@pytest.mark.parametrize("reach", [(0.2, 0.9), (0.5, 0.5), (0.0, 1.0)])
@pytest.mark.parametrize("effect", [(-0.1, 0.2), (0.0, 0.0), (-0.3, -0.1)])
def test_reach_and_effect_add_up_to_the_difference(reach: tuple[float, float], effect: tuple[float, float]) -> None:
    more, better = reach_and_effect(reach, effect)
    assert more + better == pytest.approx(reach[1] * effect[1] - reach[0] * effect[0])
    turned = reach_and_effect(reach[::-1], effect[::-1])
    assert turned == pytest.approx((-more, -better))


@pytest.fixture(scope="module")
def found(tables: oc.Tables, study: oc.Study) -> oc.Caseload:
    return oc.caseload(tables, study, replicates=20, progress=False)


def test_the_difference_is_that_of_the_risks_and_its_parts_add_up(found: oc.Caseload) -> None:
    for route in ("A", "B"):
        difference = found.of("risk", "bespoke", route) - found.of("risk", "manualised", route)
        assert found.of("difference", route=route) == pytest.approx(difference, abs=1e-12)
    parts = found.of("from_reach") + found.of("from_effect")
    assert found.of("difference") == pytest.approx(parts, abs=1e-12)
    for arm in ("bespoke", "manualised"):
        reached = found.of("reach", arm) * found.of("effect", arm)
        assert found.of("risk", arm) - found.of("risk", "none") == pytest.approx(reached, abs=1e-12)


def test_route_a_is_the_caseload_of_the_populations(found: oc.Caseload, tables: oc.Tables, study: oc.Study) -> None:
    frame = oc.populations(tables, study).frame
    row = frame[(frame["whom"] == "the caseload") & (frame["adjustment"] == "adjusted")].iloc[0]
    assert found.of("difference", route="A") == row["estimate"]


def test_steps_are_those_counted_from_the_raw_tables(found: oc.Caseload, tables: oc.Tables, study: oc.Study) -> None:
    cohort = oc.build_cohort(tables, study.by_provision()).baseline
    people = cohort[["sentence_id", "arm", "time_zero"]].assign(arm=cohort["arm"].astype(str))
    family = tables.frame("programmes").set_index("programme_id")["family_id"]
    arm_of = family.map({"south_project": "bespoke", "core_manual": "manualised"})
    steps = found.steps().set_index(["arm", "step"])["n"]
    for table, day in (("referrals", "referral_date"), ("participation", "start_date")):
        joined = tables.frame(table).merge(people, on="sentence_id")
        joined = joined[joined["programme_id"].map(arm_of) == joined["arm"]]
        joined = joined[joined[day] <= joined["time_zero"] + 730]
        if table == "referrals":
            kinds = {"referred": joined, "accepted": joined[joined["decision"] == "accepted"]}
        else:
            kinds = {"started": joined, "completed": joined[joined["status"] == "completed"]}
        for step, rows in kinds.items():
            counted = rows.groupby("arm")["sentence_id"].nunique()
            assert {arm: steps[arm, step] for arm in counted.index} == counted.to_dict()
    offered = people["arm"].value_counts()
    assert all(steps[arm, "offered"] == n for arm, n in offered.items())


def test_intervals_come_from_areas_drawn_again_and_are_the_same_for_the_same_seed(
    found: oc.Caseload, tables: oc.Tables, study: oc.Study
) -> None:
    again = oc.caseload(tables, study, replicates=20, progress=False)
    pd.testing.assert_frame_equal(found.to_frame(), again.to_frame())
    b = found.to_frame().query("route == 'B'")
    assert (b["conf_low"] < b["conf_high"]).all()
    assert (b["conf_low"] <= b["estimate"] + 3 * b["std_error"]).all()


def test_without_replicates_there_are_no_intervals_and_no_verdict(tables: oc.Tables, study: oc.Study) -> None:
    bare = oc.caseload(tables, study, replicates=0)
    b = bare.to_frame().query("route == 'B'")
    assert b["conf_low"].isna().all()
    assert set(b["verdict"].dropna()) == {"not determined"}
    assert "No verdict: no interval was asked for (replicates=)." in bare.describe()


def test_the_waterfall_starts_at_one_regime_and_ends_at_the_other(found: oc.Caseload) -> None:
    bars = found.bars()
    assert bars["end"].iloc[0] == pytest.approx(100 * found.of("risk", "manualised"))
    assert bars["end"].iloc[-1] == pytest.approx(100 * found.of("risk", "bespoke"))
    assert bars["start"].iloc[1:-1].tolist() == pytest.approx(bars["end"].iloc[0:-2].tolist())


def test_what_cannot_be_asked_is_refused(tables: oc.Tables, study: oc.Study) -> None:
    at_risk = study.replace(
        follow_up=dataclasses.replace(study.follow_up, scale="at_risk"),
        outcomes={"any": study.outcomes["any"]},
        figures=(),
    )
    with pytest.raises(NotSupportedError, match="calendar"):
        oc.caseload(tables, at_risk)
    nobody = Reframed(tables, participation=tables.frame("participation").iloc[:0])
    with pytest.raises(EstimationError, match="nobody was at risk after starting"):
        oc.caseload(nobody, study, replicates=0)


def test_routes_that_differ_by_more_than_chance_contradict_each_other(found: oc.Caseload) -> None:
    assert "The routes agree within chance" in found.describe()
    frame = found.frame.copy()
    here = (frame["route"] == "B") & (frame["quantity"] == "difference")
    frame.loc[here, "estimate"] += 10 * found.route_a.frame["std_error"].iloc[0]
    said = dataclasses.replace(found, frame=frame).describe()
    assert "The routes differ by more than chance" in said
    assert "believe route A" in said


def test_an_arm_cannot_be_called_nothing(tables: oc.Tables, study: oc.Study) -> None:
    arms = study.arms
    named = dataclasses.replace(
        arms, definitions={"manualised": arms.definitions["manualised"], "nothing": arms.definitions["bespoke"]}
    )
    with pytest.raises(DesignError, match='cannot be called "nothing"'):
        oc.caseload(tables, study.replace(arms=named), replicates=0)


def test_the_picture_has_both_regimes_and_what_lies_between(found: oc.Caseload) -> None:
    ax = found.plot().figure.axes[0]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == [
        "a regime that offers manualised",
        "whom it reaches",
        "what it does for them",
        "a regime that offers bespoke",
    ]
    texts = " ".join(text.get_text() for text in ax.texts)
    for arm in ("manualised", "bespoke"):
        assert f"{100 * found.of('risk', arm):.1f}" in texts


def test_bars_of_the_picture_stand_where_the_risks_do_and_parts_hang_between_them(found: oc.Caseload) -> None:
    ax = found.plot().figure.axes[0]
    old, new = (100 * found.of("risk", arm) for arm in found.arms)
    between = old + 100 * found.of("from_reach")
    drawn = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    expected = [(0, old), sorted((old, between)), sorted((between, new)), (0, new)]
    assert np.array(drawn) == pytest.approx(np.array(expected), abs=1e-3)
    whole, reach, effect, other = (bar.get_facecolor() for bar in ax.patches)
    assert whole == other != reach == effect


def test_under_the_bars_each_regime_has_a_line_of_how_far_its_people_came(found: oc.Caseload) -> None:
    ax = found.plot().figure.axes[1]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == list(dict.fromkeys(found.steps()["step"]))
    last = {}
    for line, (arm, mine) in zip(ax.lines, found.steps().groupby("arm", sort=False), strict=True):
        assert line.get_ydata() == pytest.approx(mine["share"].to_numpy(), abs=1e-5)
        last[arm] = line.get_color()
    heights = sorted(ax.texts, key=lambda text: text.xy[1])
    ends = found.steps().groupby("arm")["share"].last().sort_values()
    assert [text.get_text() for text in heights] == list(ends.index)
    assert [text.get_color() for text in heights] == [last[arm] for arm in ends.index]


def asked_of_route_b(monkeypatch: pytest.MonkeyPatch, tables: oc.Tables, study: oc.Study) -> oc.SurvivalData:
    """Return the data the models of route B are fitted to."""
    held = []

    def kept(data: oc.SurvivalData, models: Any) -> Any:
        held.append(data)
        return regime_worlds(data, models)

    monkeypatch.setattr("outcomes.comparison.whole_caseload.regime_worlds", kept)
    oc.caseload(tables, study, replicates=0)
    return held[0]


def test_route_b_learns_from_everybody_and_averages_over_the_people_of_route_a(
    monkeypatch: pytest.MonkeyPatch, tables: oc.Tables, study: oc.Study
) -> None:
    people = asked_of_route_b(monkeypatch, tables, study).baseline
    on_offer = oc.build_cohort(tables, study.by_provision()).baseline
    regimes = on_offer.groupby("period", observed=True)["arm"].transform("nunique")
    assert 0 < people[TARGET].sum() == (regimes == 2).sum() < len(people)


def test_without_a_cluster_in_the_study_areas_are_drawn_again_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tables: oc.Tables, study: oc.Study
) -> None:
    alone = study.replace(adjust=None)
    data = asked_of_route_b(monkeypatch, tables, alone)
    assert data.cluster == "area"
    assert set(data.baseline["area"].astype(str)) == set(tables.frame("provision")["area"].astype(str))


def test_what_is_left_out_of_who_starts_is_said(tables: oc.Tables, study: oc.Study) -> None:
    assert study.adjust is not None
    people = tables.frame("people")
    data = oc.build_cohort(tables, study.by_provision()).outcome("any")
    never = ~data.baseline["sentence_id"].isin(tables.frame("participation")["sentence_id"])
    mine = data.baseline[never & (data.arm == data.arms.index("bespoke"))]["person_id"]
    had = mine.index.isin(data.person[data.event == 1])
    few = [*mine[had].iloc[:3], *mine[~had].iloc[:3]]
    people["ethnicity_group"] = np.where(people["person_id"].isin(few), "rare", "usual")
    named = study.replace(adjust=dataclasses.replace(study.adjust, formula="age_at_time_zero + C(ethnicity_group)"))
    notes = oc.caseload(Reframed(tables, people=people), named, replicates=0).notes
    assert [note.text for note in notes if note.code == "handful_left_out"] == [
        "1 column of the covariates is left out of who starts bespoke: fewer than 10 people of one value were offered it, and all or none "
        "of them started."
    ]
