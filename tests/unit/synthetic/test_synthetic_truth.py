"""The truth is the law the record was drawn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from outcomes.synthetic import Biases, SyntheticCohort, World, make_cohort
from outcomes.synthetic.assignment import BESPOKE, NONE
from outcomes.synthetic.draws import exponential, generators, lag, table, two_exponentials
from outcomes.synthetic.hazards import OFFENCES, elapsed, operational
from outcomes.synthetic.life import Courses, live
from outcomes.synthetic.replication import never_away, proven_share, replicate
from outcomes.synthetic.story import tell

OUTCOMES = {"any": ("any", 182), "sexual": ("sexual", 547)}
TYPES = {
    "sexual": ("sexual_contact", "sexual_noncontact", "sexual_image"),
    "any": ("sexual_contact", "sexual_noncontact", "sexual_image", "violent", "acquisitive", "drugs", "other"),
}


@pytest.fixture(scope="module", params=["none", "default"])
def large(request: pytest.FixtureRequest) -> SyntheticCohort:
    biases = Biases.none() if request.param == "none" else Biases()
    return make_cohort(12_000, n_areas=30, seed=8, biases=biases, replicates=25)


def arms_of(cohort: SyntheticCohort) -> tuple[str, ...]:
    """With immortal time the untreated are who they are by what came later: their record is not their truth."""
    return ("bespoke", "manualised") if cohort.truth["biases"]["immortal_time"] else ("bespoke", "manualised", "none")


def departure(observed: np.ndarray, cohort: SyntheticCohort, arm: str, column: str) -> float:
    """Return how many standard errors the record of an arm is above its mean truth."""
    who = (cohort.potential["arm"] == arm).to_numpy()
    assert who.sum() > 1500
    error = (observed.astype(float) - cohort.potential[f"{arm}_{column}"].to_numpy())[who]
    return float(error.mean() / (error.std() / np.sqrt(who.sum())))


def recalled(cohort: SyntheticCohort, people: pd.DataFrame) -> np.ndarray:
    """Return whether each person was recalled within two years of time zero."""
    recalls = (
        cohort.tables["spells"].query("state == 'recall'").merge(people[["person_id", "time_zero"]], on="person_id")
    )
    days = (recalls["start_date"] - recalls["time_zero"]).dt.days
    return people["person_id"].isin(recalls["person_id"][(days > 0) & (days <= 730)]).to_numpy()


@pytest.mark.slow
@pytest.mark.parametrize("outcome", ["any", "sexual"])
def test_the_record_of_an_arm_follows_its_truth(large: SyntheticCohort, count, outcome: str) -> None:  # type: ignore[no-untyped-def]
    """Counted from the tables in pandas, risk and event-free time of those who got an arm are their mean truth under it."""
    people, within = count.people(large), OUTCOMES[outcome][1]
    days = count.first_proven(large, people, TYPES[outcome], within)
    gone = count.exits(large, people)
    for arm in arms_of(large):
        risk = (days <= 730) & (days <= gone)
        assert abs(departure(risk, large, arm, f"{outcome}_proven_risk_2y")) < 3.5, arm
        free = np.minimum(np.minimum(days, gone), 730.0)
        assert abs(departure(free, large, arm, f"{outcome}_proven_rmst_2y")) < 3.5, arm


@pytest.mark.slow
def test_recall_follows_its_truth(large: SyntheticCohort, count) -> None:  # type: ignore[no-untyped-def]
    observed = recalled(large, count.people(large))
    for arm in arms_of(large):
        assert abs(departure(observed, large, arm, "recall_risk_2y")) < 3.5, arm


@pytest.mark.slow
def test_immortal_time_leaves_the_recalled_among_the_untreated(count) -> None:  # type: ignore[no-untyped-def]
    cohort = make_cohort(12_000, n_areas=30, seed=9, biases=replace(Biases.none(), immortal_time=2.0), replicates=10)
    assert departure(recalled(cohort, count.people(cohort)), cohort, "none", "recall_risk_2y") > 3.5


def test_the_tables_and_the_truth_agree_on_who_is_who(cohort: SyntheticCohort, count) -> None:  # type: ignore[no-untyped-def]
    people, truth = count.people(cohort), cohort.potential
    assert (people["time_zero"] == truth["time_zero"]).all()
    assert (people["in_both"] == truth["in_both"]).all()
    assert (people["band"] == truth["risk_band"]).all()
    treated = people["arm"].notna()
    assert (treated == truth["starter"]).all()
    assert (people["arm"][treated] == truth["arm"][treated]).all()
    elsewhere = cohort.tables["participation"]["person_id"]
    assert (truth["arm"][~people["person_id"].isin(elsewhere)] == "none").all()
    assert not truth["person_id"][truth["arm"] == "none"].isin(elsewhere).any()


def test_programmes_lower_the_risk_and_the_bespoke_one_more(cohort: SyntheticCohort) -> None:
    both = cohort.potential[cohort.potential["in_both"]]
    for outcome in ("any_committed", "any_proven", "sexual_committed"):
        for measure in ("at_risk_2y", "at_risk_5y"):
            risk = [both[f"{arm}_{outcome}_{measure}"].mean() for arm in ("bespoke", "manualised", "none")]
            assert risk == sorted(risk)
            assert len(set(risk)) == 3


def test_what_is_proven_in_time_is_less_than_what_is_committed(cohort: SyntheticCohort) -> None:
    truth = cohort.potential
    for arm in ("bespoke", "manualised", "none"):
        assert (truth[f"{arm}_any_proven_risk_2y"] <= truth[f"{arm}_any_committed_risk_2y"]).all()
        assert (truth[f"{arm}_sexual_committed_risk_5y"] <= truth[f"{arm}_any_committed_risk_5y"]).all()
        assert (truth[f"{arm}_any_committed_risk_2y"] <= truth[f"{arm}_any_committed_risk_5y"]).all()
        assert truth[f"{arm}_any_proven_risk_2y"].mean() < truth[f"{arm}_any_proven_at_risk_2y"].mean()


def test_truth_lists_every_population_outcome_version_horizon_and_scale(cohort: SyntheticCohort) -> None:
    rows = pd.DataFrame(cohort.truth["results"])
    keys = ["population", "outcome", "version", "horizon", "scale"]
    assert not rows.duplicated(keys).any()
    assert set(rows["population"]) == {"own_bespoke", "own_manualised", "both", "both_overlap", "caseload"}
    banded = pd.DataFrame(cohort.truth["results_by_risk_band"])
    assert not banded.duplicated(["risk_band", *keys]).any()
    assert (
        banded.groupby(keys)["n"].sum().eq(rows.set_index(keys)["n"].reindex(banded.groupby(keys).size().index)).all()
    )
    wanted = rows.query("population == 'both' and outcome == 'any' and version == 'proven' and horizon == '2y'")
    assert set(wanted["scale"]) == {"calendar", "at_risk"}
    assert (abs(rows["risk_bespoke"] - rows["risk_manualised"] - rows["risk_difference"]) < 2e-6).all()


def test_a_populations_truth_is_the_mean_of_its_people(cohort: SyntheticCohort) -> None:
    rows = pd.DataFrame(cohort.truth["results"]).query(
        "outcome == 'any' and version == 'proven' and horizon == '2y' and scale == 'calendar'"
    )
    rows = rows.set_index("population")
    people, column = cohort.potential, "any_proven_risk_2y"
    both = people[people["in_both"]]
    assert rows.loc["both", "n"] == len(both)
    assert rows.loc["both", "risk_bespoke"] == pytest.approx(both[f"bespoke_{column}"].mean(), rel=1e-5)
    weight = both["propensity"] * (1 - both["propensity"])
    overlap = np.average(both[f"bespoke_{column}"] - both[f"manualised_{column}"], weights=weight)
    assert rows.loc["both_overlap", "risk_difference"] == pytest.approx(overlap, rel=1e-4)
    case = people[people["in_caseload"]]
    mixed = case["chance_manualised"] * case[f"manualised_{column}"]
    mixed += (1 - case["chance_manualised"]) * case[f"none_{column}"]
    assert rows.loc["caseload", "risk_manualised"] == pytest.approx(mixed.mean(), rel=1e-5)
    assert rows.loc["caseload", "risk_none"] > rows.loc["caseload", "risk_manualised"]


def test_the_headline_truth_is_the_same_quantity(cohort: SyntheticCohort) -> None:
    quick = make_cohort(seed=11, replicates=60, scope="headline")
    assert quick.truth["results"] == []
    both = cohort.potential["in_both"]
    for arm in ("bespoke", "manualised"):
        full = cohort.potential.loc[both, f"{arm}_any_proven_risk_2y"].mean()
        assert quick.potential.loc[both, f"{arm}_any_proven_risk_2y"].mean() == pytest.approx(full, abs=0.006)
    assert quick.potential.loc[~both, "bespoke_any_proven_risk_2y"].isna().all()


def test_the_true_propensity_is_calibrated() -> None:
    cohort = make_cohort(20_000, n_areas=40, seed=4, replicates=0)
    both = cohort.potential[cohort.potential["in_both"]]
    manualised = (both["arm"] == "manualised").astype(float)
    error = (manualised - both["propensity"]).groupby(both["risk_band"]).mean()
    assert (abs(error) < 0.04).all()
    fifths = pd.qcut(both["propensity"], 5)
    assert (abs((manualised - both["propensity"]).groupby(fifths, observed=True).mean()) < 0.05).all()


def test_drawn_lives_agree_with_the_closed_form() -> None:
    """With nobody sent away, the replicated risk is the integral of the hazards."""
    story = tell(400, 4, Biases(), World(), generators(2))
    calm = story.rates.group.copy()
    calm[:, 2] = 1e-9  # no motoring offences or breaches, whose custody would come first
    rates = replace(story.rates, recall=np.zeros(400), group=calm)
    rows = np.arange(400)
    drawn = replicate(
        rates, story.wait, rows, np.random.default_rng(1), replicates=400, lag_strength=1.0, arms=(BESPOKE, NONE)
    )
    for arm, name in ((BESPOKE, "bespoke"), (NONE, "none")):
        for horizon, length in (("2y", 730), ("5y", 1826)):
            exact, free = never_away(rates, story.wait, arm, "any", "committed", length, 1.0)
            found = drawn.columns[f"{name}_any_committed_risk_{horizon}"]
            spread = np.sqrt((exact * (1 - exact)).sum() / 400) / 400
            assert abs(found.mean() - exact.mean()) < 4 * spread
            assert np.abs(found - exact).max() < 5.5 * np.sqrt(0.25 / 400)
            days = drawn.columns[f"{name}_any_committed_rmst_{horizon}"]  # whole days, rounded up: half a day more
            assert days.mean() - 0.5 * (1 - exact.mean() / 2) == pytest.approx(free.mean(), abs=4 * length * spread)


def test_offences_have_the_expected_number_when_nobody_is_away() -> None:
    """A Poisson process: the mean count is the rate times the area under the shape."""
    n, ones = 40_000, np.ones(40_000)
    courses = Courses(
        begin=0 * ones, end=1000 * ones, exit=np.inf * ones, onset=400 * ones, sexual=0 * ones, general=0.002 * ones,
        control=1e-12 * ones, recall=0 * ones, effect=np.log(0.5) * ones, recall_effect=0 * ones, licence_end=0 * ones,
        detection=0 * ones,
    )  # fmt: skip
    lives = live(courses, np.random.default_rng(3), lag_strength=1.0)  # undetected: no custody
    at = operational(np.array([400.0, 1000.0]))
    expected = n * 0.002 * (at[0] + 0.5 * (at[1] - at[0]))
    assert abs(len(lives.day) - expected) < 4 * np.sqrt(expected) + n * 0.002
    assert lives.started.all()
    assert len(lives.away_course) == 0


def test_the_shape_and_its_inverse_fit() -> None:
    days = np.linspace(0, 4000, 801)
    assert np.allclose(elapsed(operational(days)), days, atol=1e-9)
    slopes = np.diff(operational(days))
    assert (np.diff(slopes) <= 1e-9).all()


def test_draws_have_the_distributions_they_name() -> None:
    u = (np.arange(200_000) + 0.5) / 200_000
    assert exponential(u).mean() == pytest.approx(1.0, abs=1e-3)
    assert np.median(lag(u, np.full(u.size, 300.0), np.full(u.size, 1.6))) == pytest.approx(300.0, rel=1e-3)
    assert table(u, (0, 0.5, 1), (0, 2, 10)).mean() == pytest.approx(0.5 * 1 + 0.5 * 6, rel=1e-3)
    v = np.random.default_rng(1).permutation(u)
    assert two_exponentials(u, v).var() == pytest.approx(2.0, rel=0.03)


def test_the_share_proven_in_time_is_the_share_of_lags() -> None:
    u = (np.arange(100_000) + 0.5) / 100_000
    for strength in (0.5, 1.0, 2.0):
        share = proven_share(182, strength)
        for k, offence in enumerate(OFFENCES):
            days = np.floor(strength * lag(u, np.full(u.size, offence.lag), np.full(u.size, offence.lag_shape))) + 1
            assert share[k] == pytest.approx((days <= 182).mean(), abs=1e-4)
    assert (proven_share(182, 0.0) == 1).all()
