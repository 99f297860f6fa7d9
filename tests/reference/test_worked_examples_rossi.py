"""The Rossi data, second part: exact ties, work that changes by the week, subgroups, time lost; and as a comparison not randomised.

Rossi, Berk & Lenihan (1980): 432 men released, 114 rearrested within 52 weeks. Numbers are R's (survival 3.5-3, survRM2 1.0-4).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi
from r_numbers import data_set

import outcomes as oc

close = np.testing.assert_allclose
TERMS = "fin + age + race + wexp + mar + paro + prio"
SCORE = "age + race + mar + paro + prio"


@pytest.fixture(scope="module")
def aid() -> oc.SurvivalData:
    return oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")


def test_exact_ties(aid: oc.SurvivalData) -> None:
    close(oc.cox(aid, TERMS, ties="exact").coefficients[0], -0.3815676, rtol=1e-6)


def test_the_largest_of_four_tests(aid: oc.SurvivalData) -> None:
    found = oc.max_combo_test(aid)
    close(found.z, [-1.958972, -1.936362, -1.776916, -1.802380], atol=6e-7)
    close(found.p_value, 0.0789, atol=1e-4)


@pytest.mark.parametrize(("had_work", "expected"), [(0, [-0.4054508, 0.2574372]), (1, [-0.3453902, 0.2807321])])
def test_aid_among_people_with_and_without_work_before(had_work: int, expected: list[float]) -> None:
    frame = load_rossi().query("wexp == @had_work")
    row = oc.cox(oc.survival_data(frame, duration="week", event="arrest"), "fin").to_frame().iloc[0]
    close([row["estimate"], row["std_error"]], expected, rtol=1e-6)


def test_time_lost_to_rearrest(aid: oc.SurvivalData) -> None:
    ratio = oc.rmst_regression(aid, "fin", horizon=52, measure="lost_ratio").to_frame(exponentiate=True).iloc[1]
    close(ratio[["estimate", "conf_low", "conf_high"]].astype(float), [0.7151163, 0.4823664, 1.060172], rtol=1e-6)


def _weeks(lag: int) -> pd.DataFrame:
    """One row a person and week, with the employment of `lag` weeks before; weeks before any is known are left out."""
    spells = data_set("rossi_tvc.csv")
    weeks = spells.loc[spells.index.repeat(spells["stop"] - spells["start"])]
    weeks = weeks.assign(
        stop=weeks.groupby("id").cumcount() + 1, event=weeks["event"] * ~weeks.index.duplicated("last")
    )
    weeks["start"] = weeks["stop"] - 1
    weeks["emp"] = weeks.groupby("id")["emp"].shift(lag)
    return weeks.dropna(subset=["emp"]).reset_index(drop=True)


@pytest.mark.parametrize(
    ("lag", "rows", "events", "work"),
    [(0, 19809, 114, [-1.328321, 0.2507156]), (1, 19377, 113, [-0.7868886, 0.2180807])],
)
@pytest.mark.usefixtures("reference")
def test_work_that_changes_by_the_week(lag: int, rows: int, events: int, work: list[float]) -> None:
    """Fox & Weisberg (2011), appendix on Cox regression; the lag takes away that an arrest ends the job."""
    weeks = _weeks(lag)
    assert len(weeks) == rows
    data = oc.survival_data(weeks, entry="start", exit="stop", event="event", id="id", unit="weeks")
    fit = oc.cox(data, f"{TERMS} + emp", robust=False)
    assert fit.n_events == events
    row = fit.to_frame().set_index("term").loc["emp"]
    close([row["estimate"], row["std_error"]], work, rtol=1e-6)
    if lag == 0:
        close([fit.coefficients[0], fit.loglik], [-0.3567222, -641.0550], rtol=1e-6)


@pytest.fixture(scope="module")
def work() -> oc.SurvivalData:
    """Work before prison as if it were a programme that people chose."""
    return oc.survival_data(load_rossi(), duration="week", event="arrest", arm="wexp", reference=0, unit="weeks")


@pytest.fixture(scope="module")
def everyone(work: oc.SurvivalData) -> oc.Weights:
    return oc.weight(work, SCORE, estimand="ate")


def _by_arm(work: oc.SurvivalData, values: np.ndarray) -> list[np.ndarray]:
    return [values[work.arm == arm] for arm in (0, 1)]


def test_weights_that_make_each_arm_everybody(work: oc.SurvivalData, everyone: oc.Weights) -> None:
    parts = _by_arm(work, everyone.values)
    close([w.sum() for w in parts], [434.6189, 440.3105], rtol=1e-6)
    close([w.sum() ** 2 / (w**2).sum() for w in parts], [89.0720, 160.6828], rtol=1e-6)
    close(everyone.values.max(), 21.55057, rtol=1e-6)


def test_curves_under_weights(work: oc.SurvivalData, everyone: oc.Weights) -> None:
    found = oc.kaplan_meier(work, weights=everyone).at([26, 52])
    close(found["estimate"], [0.8283075, 0.6836281, 0.8702757, 0.7017639], atol=6e-8)
    year = found[found["time"] == 52]
    close(year["std_error"], [0.04631315, 0.04370974], atol=6e-9)
    close(year[["conf_low", "conf_high"]], [[0.5831864, 0.7647079], [0.6065812, 0.7781017]], atol=6e-8)


def test_hazard_ratios_under_weights(work: oc.SurvivalData, everyone: oc.Weights) -> None:
    for ties, expected in (("efron", [-0.1087362, 0.2504702]), ("breslow", [-0.1097871, 0.2484950])):
        row = oc.cox(work, "wexp", weights=everyone, ties=ties).to_frame().iloc[0]
        close([row["estimate"], row["std_error"]], expected, rtol=2e-6)


def test_stabilised_weights_change_the_hazard_ratio_and_not_the_curve(
    work: oc.SurvivalData, everyone: oc.Weights
) -> None:
    stable = oc.weight(work, SCORE, estimand="ate", stabilise=True)
    close([w.sum() for w in _by_arm(work, stable.values)], [186.1215, 251.7516], rtol=1e-6)
    ours, theirs = (oc.kaplan_meier(work, weights=w).at(52)[["estimate", "std_error"]] for w in (stable, everyone))
    close(ours, theirs, rtol=1e-9)
    row = oc.cox(work, "wexp", weights=stable).to_frame().iloc[0]
    close([row["estimate"], row["std_error"]], [-0.1092690, 0.2511218], rtol=1e-6)


def test_matching_weights_leave_as_many_people_as_r_counts(work: oc.SurvivalData) -> None:
    parts = _by_arm(work, oc.weight(work, SCORE, estimand="atm").values)
    close([w.sum() ** 2 / (w**2).sum() for w in parts], [155.8333, 164.3810], rtol=1e-6)


def test_overlap_weights_balance_exactly(work: oc.SurvivalData) -> None:
    weights = oc.weight(work, SCORE, estimand="ato")
    covariates = weights.balance().to_frame().query("term != 'propensity score'")
    assert covariates["smd_after"].abs().max() < 1e-10
