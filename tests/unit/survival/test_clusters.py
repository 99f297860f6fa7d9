"""What clusters do to intervals: the same in every estimator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi
from scipy.stats import norm, t

import outcomes as oc

close = np.testing.assert_allclose


def drawn(*, areas: int, people: int = 240, repeated: bool = False) -> oc.SurvivalData:
    rng = np.random.default_rng(11)
    frame = pd.DataFrame(
        {"area": rng.integers(0, areas, people), "who": np.arange(people), "x": rng.normal(size=people)}
    )
    frame["arm"] = rng.integers(0, 2, people)
    frame["day"] = rng.integers(1, 60, people).astype(float)
    frame["end"] = rng.choice(["none", "event", "death"], people, p=[0.3, 0.5, 0.2])
    return oc.survival_data(
        frame, duration="day", event="end", censored="none", causes=["event", "death"], arm="arm", reference=0, id="who",
        repeated=repeated,
    )  # fmt: skip


LEVELS: dict[str, Callable[..., pd.DataFrame]] = {
    "kaplan_meier": lambda d, **c: oc.kaplan_meier(d, cause="any", conf_type="plain", **c).at(20),
    "cumulative_incidence": lambda d, **c: oc.cumulative_incidence(d, conf_type="plain", **c).at(20),
    "rmst": lambda d, **c: oc.rmst(d, horizon=20, **c).to_frame(),
    "state_probabilities": lambda d, **c: oc.state_probabilities(d, conf_type="plain", **c).at(20),
}
COEFFICIENTS: dict[str, Callable[..., pd.DataFrame]] = {
    "cox": lambda d, **c: oc.cox(d, "arm + x", cause="event", **c).to_frame(),
    "fine_gray": lambda d, **c: oc.fine_gray(d, "arm + x", cause="event", **c).to_frame(),
    "rate_model": lambda d, **c: oc.rate_model(d, "arm + x", cause="event", **c).to_frame(),
    "rmst_regression": lambda d, **c: oc.rmst_regression(d, "arm + x", horizon=20, **c).to_frame(),
    "parametric": lambda d, **c: oc.parametric(d, "arm + x", distribution="weibull", cause="event", **c).to_frame(),
}


def reach_of(frame: pd.DataFrame) -> np.ndarray[Any, Any]:
    return ((frame["conf_high"] - frame["conf_low"]) / 2 / frame["std_error"]).to_numpy(dtype=float)


@pytest.mark.parametrize("what", LEVELS)
def test_levels_are_on_t_with_one_less_than_the_clusters_of_their_arm(what: str) -> None:
    data = drawn(areas=12)
    frame = LEVELS[what](data, cluster="area")
    clusters = data.baseline.groupby(np.asarray(data.arm))["area"].nunique().loc[frame["arm"].astype(int)].to_numpy()
    close(reach_of(frame), t.ppf(0.975, clusters - 1) * np.sqrt(clusters / (clusters - 1)), rtol=1e-9)


@pytest.mark.parametrize("what", COEFFICIENTS)
def test_coefficients_are_on_t_with_one_less_than_the_clusters(what: str) -> None:
    frame = COEFFICIENTS[what](drawn(areas=12), cluster="area")
    close(frame["df"], 11)
    close(reach_of(frame), t.ppf(0.975, 11) * np.sqrt(12 / 11), rtol=1e-9)


@pytest.mark.parametrize("what", [*LEVELS, *COEFFICIENTS])
def test_people_who_are_each_their_own_cluster_are_people(what: str) -> None:
    frame = (LEVELS | COEFFICIENTS)[what](drawn(areas=12), cluster="who")
    close(reach_of(frame), norm.ppf(0.975), rtol=1e-9)


@pytest.mark.parametrize("what", LEVELS)
def test_one_cluster_has_no_interval(what: str) -> None:
    data = drawn(areas=1)
    frame = LEVELS[what](data, cluster="area")
    assert frame[["conf_low", "conf_high"]].isna().all(axis=None)
    assert "one_cluster" in {note.code for note in oc.kaplan_meier(data, cause="any", cluster="area").notes}


def test_few_clusters_are_said_once_however_often_curves_are_compared() -> None:
    curves = oc.kaplan_meier(drawn(areas=5), cause="any", cluster="area")
    assert [note.code for note in curves.notes].count("few_clusters") == 1
    contrast = oc.compare(curves, measure="risk_difference", at=20)
    assert [note.code for note in contrast.notes].count("few_clusters") == 1


def test_mean_counts_are_on_t_too() -> None:
    data = drawn(areas=12, repeated=True)
    assert (data.baseline.groupby(np.asarray(data.arm))["area"].nunique() == 12).all()
    frame = oc.mean_count(data, conf_type="plain", cluster="area").at(20)
    close(reach_of(frame), t.ppf(0.975, 11) * np.sqrt(12 / 11), rtol=1e-9)


def test_a_band_of_few_clusters_is_wider_by_what_its_limits_are() -> None:
    data = drawn(areas=4)
    band = oc.kaplan_meier(data, cause="any", cluster="area").bands(draws=400, seed=1)
    found = band.groupby("arm")["critical"].first()
    assert (found > t.ppf(0.975, 3) * np.sqrt(4 / 3)).all()  # no narrower than the limits at one time


CLUSTERED = load_rossi().assign(
    nested=lambda f: 2 * (np.arange(len(f)) % 4) + f["fin"],
    crossed=lambda f: np.arange(len(f)) % 6,
    week=lambda f: f["week"].astype(float),
)


def _rossi(cluster: str) -> oc.SurvivalData:
    return oc.survival_data(CLUSTERED, duration="week", event="arrest", arm="fin", reference=0, cluster=cluster)


@pytest.mark.parametrize("cluster", ["nested", "crossed"])
@pytest.mark.parametrize("fit", [oc.cox, oc.fine_gray], ids=["cox", "fine_gray"])
def test_the_test_of_the_only_term_is_that_of_the_table(fit: Any, cluster: str) -> None:
    model = fit(_rossi(cluster), "fin")
    whole, row = model.tests().iloc[0], model.to_frame().iloc[0]
    assert whole["p_value"] == pytest.approx(row["p_value"])
    assert whole["df_residual"] == row["df"]


@pytest.mark.parametrize("cluster", ["nested", "crossed"])
def test_a_comparison_of_hazards_has_the_interval_of_the_model(cluster: str) -> None:
    model = oc.cox(_rossi(cluster), "arm")
    table, compared = (
        model.to_frame(exponentiate=True).iloc[0],
        oc.compare(model, measure="hazard_ratio").to_frame().iloc[0],
    )
    for name in ("estimate", "conf_low", "conf_high", "p_value"):
        assert compared[name] == pytest.approx(table[name])


def test_the_test_of_several_terms_is_hotellings() -> None:
    from scipy.stats import f

    model = oc.cox(_rossi("crossed"), "prio + age")
    covariance = model.covariance * 6 / 5
    t2 = model.coefficients @ np.linalg.solve(covariance, model.coefficients)
    row = model.tests().iloc[0]
    assert row["p_value"] == pytest.approx(f.sf(t2 * (5 - 2 + 1) / (5 * 2), 2, 4))
    assert row["statistic"] == pytest.approx(t2 * 6 / 5)  # R's, without the factor


@pytest.mark.slow
def test_clusters_given_to_arms_with_no_effect_are_seldom_told_apart() -> None:
    rng, wrong, draws = np.random.default_rng(12), np.zeros(2), 400
    for _ in range(draws):
        area = np.repeat(np.arange(8), 20)
        frail = rng.gamma(4, 0.25, 8)[area]
        t, until = rng.exponential(50, 160) / frail, rng.uniform(20, 90, 160)
        frame = pd.DataFrame(
            {"t": np.minimum(t, until), "e": t <= until, "arm": area % 2, "x": rng.normal(size=160), "area": area}
        )
        data = oc.survival_data(frame, duration="t", event="e", arm="arm", reference=0, cluster="area")
        wrong += [oc.cox(data, f).tests()["p_value"].item() < 0.05 for f in ("arm", "arm + x")]
    assert (wrong / draws < 0.05 + 4 * np.sqrt(0.05 * 0.95 / draws)).all(), wrong / draws
