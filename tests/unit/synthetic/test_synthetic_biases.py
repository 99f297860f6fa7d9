"""Each bias is a switch: off it does nothing, on it does what it says, stronger it does more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from outcomes.synthetic import Biases, SyntheticCohort, make_cohort

OFF = Biases.none()
MANUAL, CORE = 5, (1, 2, 3, 4)


def made(*, n: int = 3000, base: Biases = OFF, replicates: int = 0, **strengths: float) -> SyntheticCohort:
    return make_cohort(n, n_areas=20, seed=21, biases=replace(base, **strengths), replicates=replicates)


def prognosis(cohort: SyntheticCohort) -> float:
    """Untreated risk of bespoke less that of manualised starters eligible for both (closed form, no simulation error)."""
    both = cohort.potential[cohort.potential["in_both"]]
    risk = both.groupby("arm")["none_any_committed_at_risk_2y"].mean()
    return float(risk["bespoke"] - risk["manualised"])


def starts(cohort: SyntheticCohort) -> pd.DataFrame:
    """First starts of the two families, with release and setting."""
    first = cohort.tables["participation"].query("programme_id <= 6").sort_values(["person_id", "start_date"])
    return first.drop_duplicates("person_id").merge(cohort.tables["sentences"], on="person_id")


def refused(cohort: SyntheticCohort) -> pd.DataFrame:
    people = cohort.potential
    return people[(people["denial"] == "full") | people["learning_disability"]]


def deniers_in_manual(cohort: SyntheticCohort) -> float:
    return float((refused(cohort)["arm"] == "manualised").sum())


def refused_and_referred(cohort: SyntheticCohort) -> float:
    return float((cohort.tables["referrals"]["decision"] == "not_eligible").sum())


def fall_by_year(cohort: SyntheticCohort) -> float:
    people = cohort.potential
    year = people["time_zero"].dt.year + people["time_zero"].dt.dayofyear / 365.25
    return float(-np.polyfit(year, np.log(people["none_any_committed_at_risk_2y"]), 1)[0])


def extra_wait(cohort: SyntheticCohort) -> float:
    waited = cohort.potential[cohort.potential["wait_days"] > 0].groupby("arm")["wait_days"].mean()
    return float(waited["manualised"] - waited["bespoke"])


def days_to_release(cohort: SyntheticCohort) -> float:
    first = starts(cohort).query("setting == 'custody'")
    return float((first["release_date"] - first["start_date"]).dt.days.clip(lower=0).mean())


def started_after_release(cohort: SyntheticCohort) -> float:
    first = starts(cohort).query("setting == 'custody'")
    return float((first["start_date"] > first["release_date"]).mean())


def dropped(cohort: SyntheticCohort) -> float:
    return float((starts(cohort)["status"] == "dropped_out").mean())


def recall_gap(cohort: SyntheticCohort) -> float:
    both = cohort.potential[cohort.potential["in_both"]]
    return float((both["manualised_recall_risk_2y"] - both["bespoke_recall_risk_2y"]).mean())


def median_lag(cohort: SyntheticCohort) -> float:
    found = cohort.tables["reoffences"].query("offence_type == 'acquisitive'")
    return float((found["proven_date"] - found["offence_date"]).dt.days.median())


def unseen_with_disability(cohort: SyntheticCohort) -> float:
    people = cohort.potential[cohort.potential["learning_disability"]]
    return float(1 - (people["none_sexual_proven_at_risk_2y"] / people["none_sexual_committed_at_risk_2y"]).mean())


def between_areas(cohort: SyntheticCohort) -> float:
    people = cohort.potential
    gain = np.log(people["none_any_committed_at_risk_2y"]).groupby([people["area"], people["risk_band"]]).mean()
    return float(gain.groupby("risk_band").std().mean())


def gain_by_risk(cohort: SyntheticCohort) -> float:
    people = cohort.potential
    log_ratio = np.log(people["none_sexual_committed_at_risk_2y"] / people["bespoke_sexual_committed_at_risk_2y"])
    by_band = log_ratio.groupby(people["risk_band"]).mean()
    return float(by_band["very_high"] - by_band["low"])


def missing_bands(cohort: SyntheticCohort) -> float:
    return float(cohort.tables["assessments"]["band"].isna().mean())


Measure = Callable[[SyntheticCohort], float]
# switch, what it moves, replicates needed, value when off (None: not zero), tolerance of that
SWITCHES: list[tuple[str, Measure, int, float | None, float]] = [
    ("selection", prognosis, 1, 0.0, 0.015),
    ("rollout_trend", fall_by_year, 1, 0.0, 0.01),
    ("waits", extra_wait, 0, 0.0, 6.0),
    ("custody_delivery", days_to_release, 0, 0.0, 0.0),
    ("immortal_time", started_after_release, 0, 0.0, 0.0),
    ("drop_out", dropped, 0, 0.0, 0.0),
    ("recall_by_arm", recall_gap, 40, 0.0, 0.008),
    ("conviction_lag", median_lag, 0, 0.0, 0.0),
    ("detection", unseen_with_disability, 1, 0.0, 1e-12),
    ("clustering", between_areas, 1, None, 0.0),
    ("effect_modification", gain_by_risk, 1, 0.0, 0.03),
    ("unmeasured", prognosis, 1, 0.0, 0.015),
    ("missing", missing_bands, 0, 0.0, 0.0),
]


@pytest.mark.parametrize(("switch", "measure", "replicates", "off", "near"), SWITCHES, ids=[s[0] for s in SWITCHES])
def test_a_switch_does_nothing_when_off_and_more_when_stronger(
    switch: str, measure: Measure, replicates: int, off: float | None, near: float
) -> None:
    strengths = (0.0, 0.5, 1.0, 2.0)
    found = [measure(made(replicates=replicates, **{switch: s})) for s in strengths]
    if off is not None:
        assert found[0] == pytest.approx(off, abs=near)
    assert found == sorted(found)
    assert found[3] > found[2] > found[0] + near


def test_exclusion_keeps_those_the_manual_refuses_out_but_for_a_few() -> None:
    none, half, full = (deniers_in_manual(made(exclusion=s)) for s in (0.0, 0.5, 1.0))
    assert none > 50
    assert none > half > full
    assert full <= 6
    assert deniers_in_manual(made(n=20_000, exclusion=1.0)) > 0  # rules are fuzzy: a few slip through


def test_with_exclusion_the_bespoke_programme_takes_them_where_it_runs() -> None:
    people = refused(made(exclusion=1.0))
    assert (people["arm"] == "bespoke").sum() > 60


def test_without_exclusion_being_refused_changes_nothing() -> None:
    people = made(exclusion=0.0, selection=1.0).potential
    out = (people["denial"] == "full") | people["learning_disability"]
    assert (people["starter"] & out).sum() / out.sum() == pytest.approx(people["starter"].mean(), abs=0.08)


def test_non_referral_leaves_the_refused_unreferred() -> None:
    found = [refused_and_referred(made(exclusion=1.0, non_referral=s)) for s in (0.0, 0.5, 1.0)]
    assert found[0] > 60
    assert found[0] > found[1] > found[2] > 0


def test_deniers_do_not_start_the_manual_in_the_default_cohort(cohort: SyntheticCohort) -> None:
    assert deniers_in_manual(cohort) < 0.02 * (cohort.potential["arm"] == "manualised").sum()


def test_each_switch_is_covered() -> None:
    covered = {switch for switch, *_ in SWITCHES} | {"exclusion", "non_referral"}
    assert covered == {field.name for field in fields(Biases)}


def test_selection_pushes_the_bespoke_arm_to_higher_risk_in_the_default_cohort(cohort: SyntheticCohort) -> None:
    assert 0.05 < prognosis(cohort) < 0.13


def test_those_who_started_late_look_safer_from_release_because_they_lasted_that_long() -> None:
    """Same people, same programme: recalled before the start means never started."""
    cohort = made(n=8000, immortal_time=2.5)
    people = starts(cohort).query("setting == 'custody'")
    recalls = cohort.tables["spells"].merge(people[["person_id", "release_date"]], on="person_id")
    away = recalls[(recalls["start_date"] - recalls["release_date"]).dt.days <= 60]["person_id"]
    taken = people["person_id"].isin(away)
    late = people["start_date"] > people["release_date"]
    assert taken[late].mean() < 0.7 * taken[~late].mean()


def test_completers_reoffend_less_than_drop_outs_who_differ_from_the_start() -> None:
    people = made(base=Biases(), replicates=1).potential
    bespoke = people[(people["arm"] == "bespoke") & people["in_both"]]
    risk = bespoke.groupby("dropped_out")["none_any_committed_at_risk_2y"].mean()
    assert risk[True] > risk[False] + 0.03


def test_an_unmeasured_confounder_stays_after_balancing_everything_measured() -> None:
    """Within cells of band and sanctions, arms differ in untreated risk only when it is on."""

    def gap(strength: float) -> float:
        cohort = made(n=8000, unmeasured=strength, replicates=1)
        both = cohort.potential.merge(cohort.tables["sentences"][["person_id", "prior_sanctions"]], on="person_id")
        both = both[both["in_both"]]
        cell = both.groupby(["risk_band", pd.cut(both["prior_sanctions"], [-1, 0, 3, 8, 99])], observed=True)
        centred = both["none_any_committed_at_risk_2y"] - cell["none_any_committed_at_risk_2y"].transform("mean")
        by_arm = centred.groupby(both["arm"]).mean()
        return float(by_arm["bespoke"] - by_arm["manualised"])

    assert abs(gap(0.0)) < 0.01
    assert gap(1.0) > 0.08
