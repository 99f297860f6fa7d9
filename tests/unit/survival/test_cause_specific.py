"""Cause-specific regressions: Cox of every cause at once, in one table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import outcomes as oc

I = np.arange(60)  # noqa: E741
FRAME = pd.DataFrame(
    {"x": (7 * I) % 11 / 5, "z": (I % 3 == 0) * 1, "cl": I % 12, "stop": 1 + (17 * I) % 13, "e": [0, 1, 2, 1, 2] * 12}
)


def take(frame: pd.DataFrame = FRAME, **more: Any) -> oc.SurvivalData:
    causes = {1: "sexual", 2: "death"}
    return oc.survival_data(frame, **({"duration": "stop", "event": "e", "causes": causes} | more))


@pytest.mark.parametrize("asked", [{}, {"ties": "breslow", "cluster": "cl"}, {"strata": "z", "weights": 1 + I % 2}])
def test_every_cause_has_the_rows_of_its_own_cox_model(asked: dict[str, Any]) -> None:
    found = oc.cause_specific(take(), "x", **asked)
    single = [oc.cox(take(), "x", cause=cause, **asked).to_frame() for cause in ("sexual", "death")]
    pd.testing.assert_frame_equal(found.to_frame(), pd.concat(single, ignore_index=True))
    assert found.to_frame()["cause"].tolist() == ["sexual", "death"]
    assert found["death"].coefficients == pytest.approx(single[1]["estimate"].to_numpy())


def test_several_rows_a_person_are_allowed() -> None:
    first = FRAME.assign(id=I, entry=0, stop=0.5, e=0)
    rows = pd.concat([first, FRAME.assign(id=I, entry=0.5)], ignore_index=True)
    split = oc.cause_specific(take(rows, duration=None, entry="entry", exit="stop", id="id"), "x + z")
    whole = oc.cause_specific(take(), "x + z", robust=True)
    np.testing.assert_allclose(split.to_frame()["estimate"], whole.to_frame()["estimate"], rtol=1e-9)
    np.testing.assert_allclose(split.to_frame()["std_error"], whole.to_frame()["std_error"], rtol=1e-9)


def test_tests_of_all_causes_add_up_where_the_variance_is_the_models() -> None:
    tests = oc.cause_specific(take(), "x + z").tests().set_index(["cause", "test"])
    assert tests.loc[("all", "wald"), "df"] == 4
    parts = tests.loc[[("sexual", "wald"), ("death", "wald")], "statistic"].sum()
    assert tests.loc[("all", "wald"), "statistic"] == pytest.approx(parts)
    assert "all" not in oc.cause_specific(take(), "x", robust=True).tests()["cause"].tolist()


def test_a_cause_nobody_had_is_left_out_with_a_note() -> None:
    found = oc.cause_specific(take(FRAME.assign(e=FRAME["e"] % 2)), "x")
    assert list(found.models) == ["sexual"]
    assert "Nobody had death" in {note.code: note.text for note in found.notes}["no_events_of_cause"]
    with pytest.raises(oc.EstimationError, match=r"no model of 'deth'. Valid: 'sexual'"):
        found["deth"]
    with pytest.raises(oc.EstimationError, match="nobody had any of the causes"):
        oc.cause_specific(take(FRAME.assign(e=0)), "x")


def test_notes_say_of_which_cause_they_are() -> None:
    found = oc.cause_specific(take(FRAME.assign(e=np.where(I < 3, FRAME["e"], FRAME["e"] % 2))), "x")
    assert [note.text.split(":")[0] for note in found.notes if note.code == "few_events"] == ["death"]


def test_the_sentence_speaks_of_every_cause() -> None:
    text = oc.cause_specific(take(), "x").describe()
    assert "Hazard ratios for sexual" in text
    assert "Hazard ratios for death" in text
    assert text.endswith("no one of them alone says how many people will have the event.")
