"""Bootstrap intervals against R's boot on the same replicates; standard errors with the score fitted again against printed ones."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.comparison.bootstrap_kernel import acceleration, intervals

# boot.ci(type = c("norm", "basic", "perc", "bca"), t0 = 0.9, t = -log(1 - (k * 0.6180339887498949) %% 1) for k in 1:999,
#         L = l - mean(l)) with l = sin(j) + 0.3 * cos(2 j)^2 for j in 1:50; "stud" with var.t0 = 0.8^2, var.t = (0.5 + sin(k)^2)^2;
# R 4, boot 1.3
BY_BOOT = {
    "normal": (-1.16356378587, 2.76101567034),
    "basic": (-1.91350596193, 1.77455398513),
    "percentile": (0.0254460148724, 3.71350596193),
    "bca": (0.0711482020198, 4.97315658409),
    "studentised": (-1.71873963824, 2.02367222726),
}
PRINTED = {"0": 0.0472, "1": 0.0407}  # 5.4, ATE, at week 52
OF_THE_DIFFERENCE = 0.0616


@pytest.mark.parametrize("kind", BY_BOOT)
def test_limits_are_those_of_boot_on_the_same_replicates(kind: str) -> None:
    drawn = -np.log(1 - (np.arange(1, 1000) * 0.6180339887498949) % 1)
    each = np.sin(np.arange(1, 51)) + 0.3 * np.cos(2 * np.arange(1, 51)) ** 2
    left_out = (each.sum() - each) / 49  # a mean without each of 50 numbers
    errors = (np.array([0.8]), 0.5 + np.sin(np.arange(1, 1000))[:, None] ** 2)
    found = intervals(np.array([0.9]), drawn[:, None], kind, 0.95, acceleration(left_out[:, None]), errors)
    assert (found.low[0], found.high[0]) == pytest.approx(BY_BOOT[kind], rel=1e-9)


@pytest.mark.slow
def test_refitting_the_score_in_every_replicate_gives_the_printed_standard_errors() -> None:
    data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="wexp", reference=0, unit="weeks")

    def risks(people: oc.SurvivalData) -> np.ndarray:
        weights = oc.weight(people, "age + race + mar + paro + prio", estimand="ate")
        low, high = oc.kaplan_meier(people, weights=weights).at(52)["estimate"]
        return np.array([low, high, high - low])

    found = oc.bootstrap(data, risks, replicates=800).to_frame()["std_error"].tolist()
    monte_carlo = 4 * np.sqrt(1 / (2 * 800) + 1 / (2 * 2000))  # of a standard error, relative
    assert found == pytest.approx([*PRINTED.values(), OF_THE_DIFFERENCE], rel=monte_carlo)
