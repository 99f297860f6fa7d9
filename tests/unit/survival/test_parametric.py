"""Parametric models of time: likelihoods by hand, late entry, weights, clusters, what is extrapolated, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi
from scipy import stats

import outcomes as oc
from outcomes.errors import NotSupportedError

ROSSI = load_rossi().head(160).assign(
    w=lambda f: 0.3 + (f["age"] % 7) / 4, site=lambda f: f["age"] % 12, aid=lambda f: np.where(f["fin"] == 1, "paid", "unpaid")
)  # fmt: skip
DISTRIBUTIONS = ("weibull", "exponential", "lognormal", "loglogistic", "generalized_gamma", "spline", "cure")

R_COEFFICIENTS = [5.05187842269, 0.58163623502, -0.106478394372, -0.258988643915]
R_BY_PERSON = [0.290624588849, 0.300073060364, 0.0375760145914, 0.153435219944]
R_BY_SITE = [0.218890515057, 0.227780118628, 0.0368978810391, 0.0744729184661]


def take(frame: pd.DataFrame = ROSSI, **more: Any) -> oc.SurvivalData:
    asked = {"duration": "week", "event": "arrest", "arm": "aid", "reference": "unpaid", "unit": "weeks"}
    return oc.survival_data(frame, **(asked | more))


@pytest.fixture(scope="module")
def fits() -> dict[str, oc.Parametric]:
    return {name: oc.parametric(take(), "arm + prio", distribution=name) for name in DISTRIBUTIONS}


def _of(fit: oc.Parametric, parameter: str) -> np.ndarray[Any, Any]:
    frame = fit.to_frame()
    return frame.loc[frame["parameter"] == parameter, "estimate"].to_numpy()


def _predictor(fit: oc.Parametric, parameter: str) -> np.ndarray[Any, Any]:
    return np.column_stack([np.ones(160), ROSSI["fin"], ROSSI["prio"]]) @ _of(fit, parameter)


def _distribution(name: str, fit: oc.Parametric) -> Any:
    """The same distribution in the words of scipy."""
    centre = np.exp(_predictor(fit, "location"))
    scale = np.exp(_of(fit, "log_scale")[0]) if name != "exponential" else 1.0
    if name in ("weibull", "exponential"):
        return stats.weibull_min(c=1 / scale, scale=centre)
    if name == "lognormal":
        return stats.lognorm(s=scale, scale=centre)
    if name == "loglogistic":
        return stats.fisk(c=1 / scale, scale=centre)
    q = _of(fit, "shape")[0]
    return stats.gengamma(a=q**-2, c=q / scale, scale=centre * np.abs(q) ** (2 * scale / q))


@pytest.mark.parametrize("name", ["weibull", "exponential", "lognormal", "loglogistic", "generalized_gamma"])
def test_likelihood_and_curves_are_those_of_the_distribution(fits: dict[str, oc.Parametric], name: str) -> None:
    fit = fits[name]
    law, died, time = _distribution(name, fit), ROSSI["arrest"].to_numpy() == 1, ROSSI["week"].to_numpy(dtype=float)
    assert fit.loglik == pytest.approx(np.where(died, law.logpdf(time), law.logsf(time)).sum(), rel=1e-9)
    mine = fit.predict(ROSSI.assign(arm=ROSSI["aid"]), 30)["estimate"]
    np.testing.assert_allclose(mine, law.sf(30.0), rtol=1e-9)
    half = fit.quantile(ROSSI, 0.5)["time"]
    np.testing.assert_allclose(half, law.ppf(0.5), rtol=1e-8)


def test_the_spline_is_that_of_royston_and_parmar(fits: dict[str, oc.Parametric]) -> None:
    fit, log_t = fits["spline"], np.log(ROSSI["week"].to_numpy(dtype=float))
    died = ROSSI["arrest"].to_numpy() == 1
    low, first, second, high = np.quantile(log_t[died], [0, 1 / 3, 2 / 3, 1])
    along = np.array([_of(fit, f"spline_{j}")[0] for j in (1, 2, 3)])

    def cubes(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        columns = [x]
        for knot in (first, second):
            share = (high - knot) / (high - low)
            parts = [np.clip(x - at, 0, None) ** 3 for at in (knot, low, high)]
            columns.append(parts[0] - share * parts[1] - (1 - share) * parts[2])
        return np.column_stack(columns)

    level = _predictor(fit, "log_cumulative_hazard") + cubes(log_t) @ along
    slope = (cubes(log_t + 1e-6) - cubes(log_t - 1e-6)) @ along / 2e-6
    loglik = np.where(died, level + np.log(slope) - log_t, 0).sum() - np.exp(level).sum()
    assert fit.loglik == pytest.approx(loglik, rel=1e-9)


def test_a_spline_without_inner_knots_is_the_weibull(fits: dict[str, oc.Parametric]) -> None:
    plain, weibull = oc.parametric(take(), "arm + prio", distribution="spline", knots=0), fits["weibull"]
    assert plain.loglik == pytest.approx(weibull.loglik)
    columns = ["estimate", "std_error", "conf_low", "conf_high"]
    np.testing.assert_allclose(plain.hazard_ratios()[columns], weibull.hazard_ratios()[columns], rtol=1e-6)


def test_the_mixture_is_people_who_never_have_it_and_a_weibull(fits: dict[str, oc.Parametric]) -> None:
    fit = fits["cure"]
    never = 1 / (1 + np.exp(-_predictor(fit, "cured")))
    law = stats.weibull_min(c=np.exp(-_of(fit, "log_scale")[0]), scale=np.exp(_of(fit, "location")[0]))
    died, time = ROSSI["arrest"].to_numpy() == 1, ROSSI["week"].to_numpy(dtype=float)
    density, free = (1 - never) * law.pdf(time), never + (1 - never) * law.sf(time)
    assert fit.loglik == pytest.approx(np.log(np.where(died, density, free)).sum(), rel=1e-9)
    shares = fit.cured_share()
    for arm, value in enumerate(shares["estimate"]):
        row = np.column_stack([np.ones(160), np.full(160, arm), ROSSI["prio"]])
        assert value == pytest.approx((1 / (1 + np.exp(-row @ _of(fit, "cured")))).mean())
    assert (shares["conf_low"] < shares["estimate"]).all()
    assert (shares["estimate"] < shares["conf_high"]).all()


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_scores_sum_to_nothing_and_information_is_the_slope_of_the_scores(
    fits: dict[str, oc.Parametric], name: str
) -> None:
    from outcomes.survival.parametric_fit import FitRows, _derivatives, _loglik

    fit = fits[name]
    log_t, ones = np.log(ROSSI["week"].to_numpy(dtype=float)), np.ones(160)
    rows = FitRows(log_t, log_t, np.zeros(160, bool), ROSSI["arrest"].to_numpy() == 1, ones, fit.design.people)
    spread = np.sqrt(np.diag(fit.theta_model_covariance))
    assert (np.abs(fit.scores.sum(axis=0)) * spread < 1e-5).all()
    information = _derivatives(fit.family, rows, fit.theta)[1]
    np.testing.assert_allclose(np.linalg.inv(information), fit.theta_model_covariance, rtol=1e-5, atol=1e-9)
    at = fit.theta + 0.3 * spread  # away from the top, where slopes are not 0
    slope = rows.weight @ _derivatives(fit.family, rows, at)[0]
    for k, step in enumerate(1e-4 * spread):
        move = np.eye(len(at))[k] * step
        numeric = (_loglik(fit.family, rows, at + move) - _loglik(fit.family, rows, at - move)) / (2 * step)
        assert slope[k] * spread[k] == pytest.approx(numeric * spread[k], abs=1e-5)


def test_an_exponential_is_events_over_time_also_with_late_entry() -> None:
    late = ROSSI.assign(entry=np.minimum(ROSSI["week"] - 0.5, ROSSI["age"] % 9))
    fit = oc.parametric(take(late, duration=None, entry="entry", exit="week"), "arm", distribution="exponential")
    sums = late.assign(at_risk=late["week"] - late["entry"]).groupby("fin")[["arrest", "at_risk"]].sum()
    mean = np.log(sums["at_risk"] / sums["arrest"])
    np.testing.assert_allclose(fit.coefficients, [mean[0], mean[1] - mean[0]], rtol=1e-9)
    assert fit.to_frame()["std_error"][1] == pytest.approx(np.sqrt((1 / sums["arrest"]).sum()))


@pytest.mark.parametrize("name", ["weibull", "spline", "cure"])
def test_a_split_spell_is_the_whole_one(fits: dict[str, oc.Parametric], name: str) -> None:
    first = ROSSI.assign(person=range(160), start=0.0, stop=ROSSI["week"] / 3, arrest=0)
    second = ROSSI.assign(person=range(160), start=ROSSI["week"] / 3, stop=ROSSI["week"])
    data = take(pd.concat([first, second]), duration=None, entry="start", exit="stop", id="person")
    split, whole = oc.parametric(data, "arm + prio", distribution=name), fits[name]
    assert split.asked.variance == "robust"
    assert split.n == 160
    np.testing.assert_allclose(split.theta, whole.theta, rtol=1e-6, atol=1e-7)
    robust = oc.parametric(take(), "arm + prio", distribution=name, robust=True)
    np.testing.assert_allclose(split.covariance, robust.covariance, rtol=1e-5, atol=1e-8)
    assert split.bic == pytest.approx(whole.bic)


def test_late_entry_is_the_probability_given_that_one_got_there() -> None:
    late = ROSSI.assign(entry=np.minimum(ROSSI["week"] - 0.5, ROSSI["age"] % 9))
    fit = oc.parametric(take(late, duration=None, entry="entry", exit="week"), "arm + prio", distribution="lognormal")
    law, time = _distribution("lognormal", fit), late["week"].to_numpy(dtype=float)
    each = np.where(late["arrest"] == 1, law.logpdf(time), law.logsf(time)) - law.logsf(late["entry"].to_numpy(float))
    assert fit.loglik == pytest.approx(each.sum())


# weights and clusters


@pytest.mark.parametrize("name", ["weibull", "cure"])
def test_weights_times_ten_change_nothing_but_the_likelihood(name: str) -> None:
    one = oc.parametric(take(), "arm", distribution=name, weights="w")
    ten = oc.parametric(take(), "arm", distribution=name, weights=10 * ROSSI["w"].to_numpy())
    np.testing.assert_allclose(ten.theta, one.theta, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(ten.covariance, one.covariance, rtol=1e-6)
    assert ten.loglik == pytest.approx(10 * one.loglik)
    assert np.isnan([one.aic, one.bic]).all()


def test_a_frequency_of_two_is_the_row_twice() -> None:
    twice = oc.parametric(take(pd.concat([ROSSI, ROSSI])), "arm + prio", distribution="weibull")
    counted = oc.parametric(take(ROSSI.assign(two=2), frequency="two"), "arm + prio", distribution="weibull")
    np.testing.assert_allclose(counted.theta, twice.theta)
    np.testing.assert_allclose(counted.covariance, twice.covariance)
    assert (counted.n, counted.n_events, counted.bic) == (twice.n, twice.n_events, pytest.approx(twice.bic))


def test_robust_variance_with_weights_and_clusters_is_r_s_with_weighted_residuals() -> None:
    # f <- survreg(Surv(week, arrest) ~ fin + prio, rossi[1:160, ], weights = w, control = list(rel.tolerance = 1e-13));
    # d <- residuals(f, "dfbeta", weighted = TRUE); sqrt(diag(crossprod(d))); sqrt(diag(crossprod(rowsum(d, age %% 12)))).
    # survreg(robust = TRUE) itself leaves the weights out of the residuals, and its error shrinks as weights grow.
    fit = oc.parametric(take(), "fin + prio", distribution="weibull", weights="w")
    np.testing.assert_allclose(fit.coefficients, R_COEFFICIENTS, rtol=1e-6)
    np.testing.assert_allclose(fit.to_frame()["std_error"], R_BY_PERSON, rtol=1e-6)
    by_site = oc.parametric(take(), "fin + prio", distribution="weibull", weights="w", cluster="site")
    np.testing.assert_allclose(by_site.to_frame()["std_error"], R_BY_SITE, rtol=1e-6)
    np.testing.assert_allclose(fit.influence().T @ fit.influence(), fit.theta_covariance)


def test_fitted_weights_are_said_to_be_taken_as_known() -> None:
    weights = oc.weight(take(), "age + prio", estimand="ate")
    fit = oc.parametric(take(), "arm", distribution="weibull", weights=weights)
    assert fit.asked.variance == "robust"
    assert "weights_as_known" in {note.code for note in fit.notes}
    assert fit.at(20)["estimand"].unique().tolist() == ["ate"]


# curves


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_curves_stand_for_everybody_in_each_arm(fits: dict[str, oc.Parametric], name: str) -> None:
    fit = fits[name]
    frame = fit.at([0, 26, 52, 60])
    assert frame["arm"].tolist() == ["unpaid"] * 4 + ["paid"] * 4
    assert frame["extrapolated"].tolist() == [False, False, False, True] * 2
    assert frame["n_at_risk"].tolist() == [*_at_risk(0), *_at_risk(1)]
    for arm in ("unpaid", "paid"):
        each = fit.predict(ROSSI.assign(aid=arm), [0, 26, 52, 60])
        mean = each.groupby("time")["estimate"].mean()
        np.testing.assert_allclose(frame.loc[frame["arm"] == arm, "estimate"], mean, rtol=1e-9)
    risk = fit.at([0, 26, 52, 60], measure="risk")
    np.testing.assert_allclose(risk["estimate"] + frame["estimate"], 1)
    np.testing.assert_allclose(risk["conf_low"] + frame["conf_high"], 1)


def _at_risk(fin: int) -> list[int]:
    mine = ROSSI.loc[ROSSI["fin"] == fin, "week"]
    return [int((mine >= t).sum()) for t in (0, 26, 52, 60)]


@pytest.mark.parametrize("name", ["weibull", "generalized_gamma", "spline", "cure"])
def test_errors_of_curves_and_times_are_the_slopes_of_the_coefficients(
    fits: dict[str, oc.Parametric], name: str
) -> None:
    from dataclasses import replace

    fit, new = fits[name], ROSSI.iloc[[3]]
    asked: list[Callable[[oc.Parametric], float]] = [
        lambda f: float(f.at(40)["estimate"].iloc[1]),
        lambda f: float(f.predict(new, 40)["estimate"].iloc[0]),
        lambda f: float(f.quantile(new, 0.05)["time"].iloc[0]),
    ]
    reported = [
        fit.at(40)["std_error"].iloc[1],
        fit.predict(new, 40)["std_error"].iloc[0],
        fit.quantile(new, 0.05)["std_error"].iloc[0],
    ]
    spread = np.sqrt(np.diag(fit.theta_covariance))
    each = fit.predict(ROSSI.assign(aid="paid"), 40)["estimate"]  # the people averaged over are a sample too
    sampled = [((each - each.mean()) ** 2).sum() / len(each) ** 2, 0.0, 0.0]
    for number, error, own in zip(asked, reported, sampled, strict=True):
        slope = []
        for k in range(len(fit.theta)):
            move = 1e-4 * spread[k] * np.eye(len(fit.theta))[k]
            up, down = (number(replace(fit, theta=fit.theta + side * move)) for side in (1, -1))
            slope.append((up - down) / (2e-4 * spread[k]))
        assert error == pytest.approx(np.sqrt(slope @ fit.theta_covariance @ slope + own), rel=1e-4)


def test_what_lies_beyond_an_arm_s_own_follow_up_is_marked() -> None:
    short = ROSSI.assign(week=np.where(ROSSI["fin"] == 1, np.minimum(ROSSI["week"], 30), ROSSI["week"]))
    fit = oc.parametric(take(short), "arm", distribution="weibull")
    assert fit.last_times == (52.0, 30.0)
    assert fit.at(40)["extrapolated"].tolist() == [False, True]
    new = pd.DataFrame({"arm": ["paid", "unpaid"]})
    assert fit.predict(new, 40)["extrapolated"].tolist() == [True, False]
    assert oc.parametric(take(short), "prio", distribution="weibull").predict(ROSSI.head(1)[["prio"]], 40)[
        "extrapolated"
    ].tolist() == [False]
    assert "after 52 weeks" in fit.describe()


def test_a_share_that_is_never_reached_has_no_time(fits: dict[str, oc.Parametric]) -> None:
    row = fits["cure"].quantile(ROSSI.head(1), 0.99).iloc[0]
    assert np.isinf(row["time"])
    assert np.isnan(row["conf_low"])


# words and tables


def test_the_table_names_parameters_terms_and_measures(fits: dict[str, oc.Parametric]) -> None:
    frame = fits["weibull"].to_frame()
    assert frame["parameter"].tolist() == ["location"] * 3 + ["log_scale"]
    assert frame["term"].tolist() == ["Intercept", "arm[paid]", "prio", "Intercept"]
    assert frame["measure"].tolist() == ["log_time", "log_time_ratio", "log_time_ratio", "log_scale"]
    assert frame[["n", "n_events"]].drop_duplicates().to_numpy().tolist() == [[160, int(ROSSI["arrest"].sum())]]
    ratio = fits["weibull"].to_frame(exponentiate=True)
    assert ratio["measure"].tolist() == ["time", "time_ratio", "time_ratio", "scale"]
    np.testing.assert_allclose(np.log(ratio["conf_low"]), frame["conf_low"])
    gamma = fits["generalized_gamma"].to_frame(exponentiate=True).iloc[-1]
    assert gamma["measure"] == "shape"
    assert gamma["estimate"] == fits["generalized_gamma"].coefficients[-1]
    assert fits["spline"].to_frame()["measure"][1] == "log_hazard_ratio"
    assert fits["cure"].to_frame()["measure"][1] == "log_odds_ratio"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("weibull", "Weibull model of the time to arrest (160 people"),
        ("spline", "Royston–Parmar spline model"),
        ("cure", "Estimated share that never has the event: unpaid"),
        ("generalized_gamma", "Time ratios: arm[paid]"),
    ],
)
def test_it_says_what_it_is_and_what_is_extrapolation(fits: dict[str, oc.Parametric], name: str, said: str) -> None:
    text = fits[name].describe()
    assert said in text
    assert "Nobody was at risk after 52 weeks: what the model says of later times is extrapolation." in text
    assert len(repr(fits[name]).splitlines()) <= 12
    assert "script" not in fits[name]._repr_html_()


def test_other_parameters_take_formulas_of_their_own() -> None:
    fit = oc.parametric(take(), "arm", distribution="weibull", ancillary={"log_scale": "arm"})
    alone = [oc.parametric(take(ROSSI[ROSSI["fin"] == arm], arm=None), "1", distribution="weibull") for arm in (0, 1)]
    assert fit.loglik == pytest.approx(sum(one.loglik for one in alone))
    with pytest.raises(NotSupportedError, match="not proportional"):
        fit.hazard_ratios()
    with pytest.raises(NotSupportedError, match="Did you mean 'log_scale'"):
        oc.parametric(take(), "arm", distribution="weibull", ancillary={"log_scal": "arm"})
    with pytest.raises(NotSupportedError, match="shape of a spline"):
        oc.parametric(take(), "arm", distribution="spline", ancillary={"spline_1": "arm"})


def test_lifelines_finds_the_same(fits: dict[str, oc.Parametric], monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    import outcomes.survival.parametric_model as model

    climbs, climb = [], model.maximise

    def stumbling(*given: Any) -> Any:
        climbs.append(given[2])
        return replace(climb(*given), converged=len(climbs) > 1)

    monkeypatch.setattr(model, "maximise", stumbling)
    again = oc.parametric(take(), "arm + prio", distribution="weibull")
    np.testing.assert_allclose(again.theta, fits["weibull"].theta, rtol=1e-6)
    near = climbs[1]  # where lifelines' search ended, before the last digits
    assert near[-1] == pytest.approx(fits["weibull"].theta[-1], abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("given", [{"weights": "w", "cluster": "site"}])
def test_errors_of_standardised_curves_are_those_of_moving_each_person(given: dict[str, str]) -> None:
    """The infinitesimal jackknife: everybody's weight moved a little, the model fitted and averaged again."""
    weights = ROSSI["w"].to_numpy() if "weights" in given else np.ones(len(ROSSI))
    cluster = ROSSI["site"].to_numpy() if "cluster" in given else np.arange(len(ROSSI))

    def at(w: np.ndarray) -> np.ndarray:
        return oc.parametric(take(), "arm + prio", distribution="weibull", weights=w).at(40)["estimate"].to_numpy()

    found = oc.parametric(take(), "arm + prio", distribution="weibull", robust=True, **given).at(40)["std_error"]
    moved = (
        np.array([(at(weights + step) - at(weights - step)) / 2e-4 for step in 1e-4 * np.eye(len(weights))])
        * weights[:, None]
    )
    summed = np.array([moved[cluster == c].sum(axis=0) for c in np.unique(cluster)])
    assert found.to_numpy() == pytest.approx(np.sqrt((summed**2).sum(axis=0)), rel=2e-3)
