"""Residuals, baselines, predictions and subdistributions where ties, weights, late entry, strata and clusters meet, against R.

The data are made by a formula, in R as here; the numbers are those of coxph, survfit, finegray (survival 3.5-3), crr and cuminc
(cmprsk 2.2-11). Curves, Cox models and tests of the same data are in `test_worked_examples_survival`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from formula_data import from_zero, late, made_by_formula

import outcomes as oc

GRID = [5, 10, 15, 20]
PEOPLE = [0, 16, 32, 59]
R: dict[str, list[float]] = {
    "martingale_efron": [0.5095608213415, -0.0857019635049, 0.9098876139715, -0.4600248440324],
    "score_efron": [0.473114439711, 0.167323605332, -1.139763985161, -0.705746614511],
    "dfbeta_efron": [0.04622633172394, -0.00581627880983, 0.05838837399750, 0.02380411035074],
    "deviance_efron": [0.637013634047, -0.414009573573, 1.730208103119, -0.959192206007],
    "baseline_efron": [
        0.0619043960888,
        0.1890825980359,
        0.3586078763339,
        0.8902884176831,
        0.0818028922896,
        0.2058740442357,
        0.4093107727344,
        1.1267954077841,
        0.1168510461275,
        0.2126517308424,
        0.3231306886594,
        0.7134530736190,
    ],
    "curve_efron": [0.921855286566, 0.815105609611, 0.673822362275, 0.381804363406],
    "curve_se_efron": [0.0456723764299, 0.0636232246031, 0.0819562462954, 0.0986607086863],
    "martingale_breslow": [0.5183411760944, -0.0877267299455, 0.8808573530924, -0.4399698653387],
    "score_breslow": [0.492905532210, 0.169878998597, -1.090141267252, -0.685730506074],
    "dfbeta_breslow": [0.04688334127589, -0.00599687202963, 0.05704209234646, 0.02281370027695],
    "deviance_breslow": [0.651426240937, -0.418871650856, 1.578972094214, -0.938051027758],
    "baseline_breslow": [
        0.0635484240022,
        0.1891274451086,
        0.3574996431131,
        0.8484008636376,
        0.0826847497300,
        0.2092492000021,
        0.4140204925008,
        1.1186777646048,
        0.1198109397276,
        0.2175394042436,
        0.3303101948465,
        0.7228382773248,
    ],
    "curve_breslow": [0.921927623285, 0.816260770568, 0.676832973505, 0.394735865852],
    "curve_se_breslow": [0.0455729775933, 0.0632339005676, 0.0814069902753, 0.0973207945772],
    "finegray": [0.153092912818, 0.123781893249],
    "finegray_se": [0.330009510798, 0.131930181072],
    "crr": [0.106320676890, 0.115415536523],
    "crr_se": [0.318174702415, 0.126480544290],
    "gray": [0.0599590394729, 0.0542963015845],
    "gray_strata": [0.209361873973, 1.049177560701],
    "weighted_logrank": [0.684901151906],
}


def close(ours: object, name: str) -> None:
    np.testing.assert_allclose(np.ravel(ours), R[name], rtol=1e-8, atol=1e-12)


@pytest.fixture(scope="module")
def entered() -> oc.SurvivalData:
    return late(made_by_formula())


@pytest.fixture(scope="module")
def whole() -> oc.SurvivalData:
    return from_zero(made_by_formula())


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_residuals_with_weights_clusters_and_strata(entered: oc.SurvivalData, ties: str) -> None:
    fit = oc.cox(entered, "g + x", cause="first", weights="w", cluster="cl", strata="h", ties=ties)
    for kind, column in (("martingale", "martingale"), ("score", "x"), ("dfbeta", "g"), ("deviance", "deviance")):
        close(fit.residuals(kind)[column].iloc[PEOPLE], f"{kind}_{ties}")


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_baselines_by_stratum(entered: oc.SurvivalData, ties: str) -> None:
    fit = oc.cox(entered, "g + x", cause="first", weights="w", strata="h", ties=ties)
    new = pd.DataFrame({"g": 0, "x": 0.0, "h": [0, 1, 2]})
    close(fit.predict(new).at(GRID)["cumulative_hazard"], f"baseline_{ties}")


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_curves_at_covariates(entered: oc.SurvivalData, ties: str) -> None:
    found = oc.cox(entered, "g + x", cause="first", ties=ties).predict(pd.DataFrame({"g": [1], "x": [2.0]})).at(GRID)
    close(found["estimate"], f"curve_{ties}")
    close(found["std_error"], f"curve_se_{ties}")


def test_subdistributions_with_late_entry(entered: oc.SurvivalData) -> None:
    fit = oc.fine_gray(entered, "g + x", cause="first", ties="efron")
    close(fit.coefficients, "finegray")
    close(fit.to_frame()["std_error"], "finegray_se")


def test_subdistributions_from_the_start(whole: oc.SurvivalData) -> None:
    fit = oc.fine_gray(whole, "g + x", cause="first")
    close(fit.coefficients, "crr")
    close(fit.to_frame()["std_error"], "crr_se")


@pytest.mark.parametrize(("strata", "name"), [(None, "gray"), ("h", "gray_strata")])
def test_tests_of_incidence(whole: oc.SurvivalData, strata: str | None, name: str) -> None:
    close([oc.gray_test(whole, cause=cause, strata=strata).statistic for cause in ("first", "second")], name)


def test_weighted_and_clustered_logrank(entered: oc.SurvivalData) -> None:
    """The robust score test of coxph at 0."""
    close(oc.logrank_test(entered, cause="first", weights="w", cluster="cl").statistic, "weighted_logrank")
