"""Bootstrap standard errors of weighted curves with the score fitted again, against 2,000 replicates printed in the worked examples."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc

PRINTED = {"0": 0.0472, "1": 0.0407}  # 5.4, ATE, at week 52
OF_THE_DIFFERENCE = 0.0616


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
