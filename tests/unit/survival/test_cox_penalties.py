"""Few events and ties that are no accident: Firth's penalty, ridges, profiles, the exact partial likelihood."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi
from scipy.optimize import minimize

import outcomes as oc
from outcomes.errors import NotSupportedError

ROSSI = load_rossi()
RNG = np.random.default_rng(3)
TIED = pd.DataFrame(
    {
        "time": RNG.integers(1, 7, 24).astype(float),
        "event": RNG.integers(0, 2, 24),
        "x": RNG.normal(size=24),
        "z": np.tile([0, 1], 12),
    }
)
SEPARATED = pd.DataFrame(
    {"time": [5, 8, 9, 12, 6, 7, 3, 10], "event": [1, 0, 1, 0, 1, 1, 0, 0], "x": [1, 0, 1, 0, 1, 1, 0, 0]}
)


def data(frame: pd.DataFrame = TIED, **more: Any) -> oc.SurvivalData:
    return oc.survival_data(frame, duration="time", event="event", **more)


def rossi() -> oc.SurvivalData:
    return oc.survival_data(ROSSI, duration="week", event="arrest", arm="fin", reference=0, unit="weeks")


def penalised(beta: np.ndarray, ties: str) -> float:
    """Return the partial likelihood plus half the log determinant of its information, written out."""
    x, loglik, information = TIED[["x", "z"]].to_numpy(float), 0.0, np.zeros((2, 2))
    for time in np.unique(TIED["time"][TIED["event"] == 1]):
        at_risk = (TIED["time"] >= time).to_numpy()
        died = ((TIED["time"] == time) & (TIED["event"] == 1)).to_numpy()
        loglik += float((x[died] @ beta).sum())
        for turn in range(died.sum()):
            gone = turn / died.sum() if ties == "efron" else 0.0
            share = np.exp(x @ beta) * (at_risk - gone * died)
            mean = share @ x / share.sum()
            loglik -= np.log(share.sum())
            information += (x.T * share) @ x / share.sum() - np.outer(mean, mean)
    return loglik + 0.5 * float(np.linalg.slogdet(information)[1])


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_firth_maximises_the_penalised_likelihood_and_profiles_it(ties: str) -> None:
    fit = oc.cox(data(), "x + z", ties=ties, penalty="firth")
    best = minimize(lambda b: -penalised(b, ties), np.zeros(2), method="BFGS", options={"gtol": 1e-9})
    np.testing.assert_allclose(fit.coefficients, best.x, atol=1e-6)
    assert fit.loglik - fit.loglik_null == pytest.approx(-best.fun - penalised(np.zeros(2), ties), rel=1e-8)
    frame = fit.to_frame()
    for limit in frame.loc[0, ["conf_low", "conf_high"]].astype(float):
        held = minimize(lambda z, b=limit: -penalised(np.array([b, z[0]]), ties), np.zeros(1), method="BFGS")
        assert 2 * (held.fun - best.fun) == pytest.approx(3.841458820694124, rel=1e-6)
    assert fit.tests()["test"].tolist() == ["wald", "likelihood ratio"]
    np.testing.assert_allclose(frame["p_value"], fit.profile()["p_value"])


def test_a_term_that_separates_has_an_answer_with_firth_and_a_limit_without() -> None:
    plain, firth = oc.cox(data(SEPARATED), "x"), oc.cox(data(SEPARATED), "x", penalty="firth")
    assert "penalty='firth'" in {n.code: n.text for n in plain.notes}["separation"]
    assert not {"separation", "few_events"} & {note.code for note in firth.notes}
    row = firth.to_frame(exponentiate=True).iloc[0]
    assert 1 < row["conf_low"] < row["estimate"] < row["conf_high"] < np.inf
    assert plain.profile()["conf_high"].item() == np.inf


def test_firth_needs_independent_people() -> None:
    for asked in ({"weights": np.ones(432)}, {"cluster": "prio"}, {"robust": True}):
        for kind in ({"penalty": "firth"}, {"ties": "exact"}):
            with pytest.raises(NotSupportedError, match="independent people"):
                oc.cox(rossi(), "fin", **asked, **kind)  # type: ignore[arg-type]
    with pytest.raises(NotSupportedError, match="likelihood is not one of independent people"):
        oc.cox(rossi(), "fin", robust=True).profile()


def test_a_ridge_takes_half_the_squares_per_standard_deviation_from_the_likelihood() -> None:
    fit = oc.cox(data(), "x + z", penalty=2.0)
    plain = oc.cox(data(), "x + z")
    spread = TIED[["x", "z"]].std().to_numpy()
    slope = plain.rows  # the score of the partial likelihood at the ridge's estimate is what the ridge pulls with
    from outcomes.survival.cox_kernel import group_scores, risk_sums

    pull = (
        group_scores(slope, risk_sums(slope, fit.coefficients * plain.scale)).sum(axis=1) / plain.scale * plain.scale**2
    )
    np.testing.assert_allclose(pull, 2.0 * fit.coefficients * spread**2, rtol=1e-8)
    assert (np.abs(fit.coefficients) < np.abs(plain.coefficients)).all()
    assert "ridge" in {note.code for note in fit.notes}
    assert fit.tests()["test"].tolist() == ["wald"]
    np.testing.assert_allclose(oc.cox(data(), "x + z", penalty=1e-9).coefficients, plain.coefficients, rtol=1e-7)


@pytest.mark.parametrize("penalty", [0, -1.0, float("nan"), True])
def test_a_ridge_is_a_number_above_0(penalty: float) -> None:
    with pytest.raises(oc.EstimationError, match="a number above 0"):
        oc.cox(data(), "x", penalty=penalty)


def test_the_exact_likelihood_counts_every_set_that_could_have_had_the_events() -> None:
    fit = oc.cox(data(), "x + z", ties="exact")

    def loglik(beta: np.ndarray) -> float:
        ratio, total = np.exp(TIED[["x", "z"]].to_numpy(float) @ beta), 0.0
        for time in np.unique(TIED["time"][TIED["event"] == 1]):
            died = np.flatnonzero((TIED["time"] == time) & (TIED["event"] == 1))
            at_risk = np.flatnonzero(TIED["time"] >= time)
            sets = sum(np.prod(ratio[list(some)]) for some in combinations(at_risk, len(died)))
            total += float(np.log(np.prod(ratio[died]) / sets))
        return total

    assert fit.loglik == pytest.approx(loglik(fit.coefficients), rel=1e-10)
    assert fit.loglik_null == pytest.approx(loglik(np.zeros(2)), rel=1e-10)
    assert max(loglik(fit.coefficients + step) for step in 1e-3 * np.eye(2)) < fit.loglik


def test_exact_ties_with_late_entry_and_with_strata() -> None:
    """Therneau & Grambsch (2000), appendix E.2; two strata are two likelihoods."""
    frame = pd.DataFrame(
        {
            "start": [1, 2, 5, 2, 1, 7, 3, 4, 8, 8],
            "stop": [2, 3, 6, 7, 8, 9, 9, 9, 14, 17],
            "event": [1, 1, 1, 1, 1, 1, 1, 0, 0, 0],
            "x": [1, 0, 0, 1, 0, 1, 1, 1, 0, 0],
        }
    )
    late = oc.survival_data(frame, entry="start", exit="stop", event="event")
    fit = oc.cox(late, "x", ties="exact")
    assert fit.coefficients[0] == pytest.approx(-0.09162917, abs=5e-9)
    assert fit.covariance[0, 0] == pytest.approx(0.6837708, abs=5e-8)
    strata = oc.cox(data(), "x", ties="exact", strata="z")
    apart = [oc.cox(data(TIED[TIED["z"] == z]), "x", ties="exact") for z in (0, 1)]
    assert strata.loglik_null == pytest.approx(sum(one.loglik_null for one in apart))


def test_counts_are_rows_in_the_exact_likelihood_and_late_entry_at_0_changes_nothing() -> None:
    doubled = pd.concat([TIED, TIED[TIED["z"] == 1]], ignore_index=True)
    counted = oc.cox(data(TIED.assign(f=1 + TIED["z"]), frequency="f"), "x", ties="exact")
    rows = oc.cox(data(doubled), "x", ties="exact")
    assert counted.coefficients == pytest.approx(rows.coefficients, rel=1e-9)
    assert counted.loglik == pytest.approx(rows.loglik, rel=1e-9)
