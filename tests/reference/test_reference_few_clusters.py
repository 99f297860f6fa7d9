"""Scores under the hypothesis, and a permutation test of clusters, against R 4 (survival 3); the calls in words beside each number."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.comparison.null_scores import of_coefficient

ROSSI = load_rossi()
MIXED = ROSSI.assign(town=ROSSI.index % 9)


def take(frame: pd.DataFrame) -> oc.SurvivalData:
    return oc.survival_data(frame, duration="week", event="arrest", arm="fin", reference=0, cluster="town")


# f <- coxph(Surv(week, arrest) ~ fin + age + prio, init = c(0, coef of age + prio alone), control = coxph.control(iter.max = 0));
# s <- rowsum(residuals(f, type = "score"), town); I <- solve(f$var); s[, 1] - s[, 2:3] %*% solve(I[2:3, 2:3], I[2:3, 1])
PARTS = [
    -1.1242805106766, -2.1810349416780, 0.0384194711234, -0.3040910653661, 0.5631147468924, -1.2460632239057, -1.7954048994688,
    -4.0746558898411, 0.3678842995411,
]  # fmt: skip
STATISTIC = -1.84550316437
# the same with weights = 1 + age / 40, residuals(…, weighted = TRUE), f$naive.var
WEIGHTED = -1.98340571443


def test_scores_with_the_arm_held_at_0_are_those_of_coxph_without_steps() -> None:
    model = oc.cox(take(MIXED), "fin + age + prio")
    assert of_coefficient(model, "fin").parts * model.scale[0] == pytest.approx(PARTS, rel=1e-6)
    assert oc.wild_score_test(model).to_frame()["statistic"].item() == pytest.approx(STATISTIC, rel=1e-6)


def test_weighted_scores_too() -> None:
    model = oc.cox(take(MIXED), "fin + age + prio", weights=1 + MIXED["age"].to_numpy() / 40)
    assert oc.wild_score_test(model).to_frame()["statistic"].item() == pytest.approx(WEIGHTED, rel=1e-6)


# u <- rowsum(residuals(coxph(Surv(week, arrest) ~ 1, ties = "breslow"), type = "martingale"), town), 5 towns an arm;
# obs <- sum(u[6:10]); all <- combn(10, 5, function(i) sum(u[i])); 2 * min(mean(all <= obs), mean(all >= obs))
PERMUTED: dict[str, Any] = {"estimate": -10.4255572316, "p_value": 0.031746031746, "n_arrangements": 252}


def test_clusters_martingale_residuals_in_every_arrangement() -> None:
    found = oc.randomisation_test(take(ROSSI.assign(town=ROSSI.index % 5 + 5 * ROSSI["fin"]))).to_frame()
    assert found[list(PERMUTED)].iloc[0].tolist() == pytest.approx(list(PERMUTED.values()))
