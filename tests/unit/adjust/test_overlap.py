"""What overlap shows: fixed bins by arm, the range both arms have, and cells that lack an arm."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc

FORMULA = "age + race + mar + paro + prio"


def weights(estimand: str = "ate", **changes: object) -> oc.PropensityWeights:
    data = oc.survival_data(load_rossi().assign(**changes), duration="week", event="arrest", arm="wexp", reference=0)
    return oc.weight(data, FORMULA, estimand=estimand)


def test_bins_are_fixed_and_hold_everybody() -> None:
    made = weights()
    frame = made.overlap().to_frame()
    assert list(frame.columns) == ["arm", "score_low", "score_high", "n", "share", "share_weighted"]
    assert list(frame["score_low"].unique()) == pytest.approx([i / 20 for i in range(20)])
    for arm, people in (("0", 185), ("1", 247)):
        rows = frame[frame["arm"] == arm]
        assert rows["n"].sum() == people
        assert rows[["share", "share_weighted"]].sum().tolist() == pytest.approx([1, 1])
    inside = (made.arm == 1) & (made.score >= 0.5) & (made.score < 0.55)
    row = frame[(frame["arm"] == "1") & np.isclose(frame["score_low"], 0.5)].iloc[0]
    assert row["n"] == inside.sum()
    assert row["share_weighted"] == pytest.approx(made.values[inside].sum() / made.values[made.arm == 1].sum())


def test_log_odds_beyond_the_last_bins_are_kept_in_them() -> None:
    x = np.where(load_rossi()["wexp"] == 1, 1.0, -1.0) * (1 + np.arange(432) % 9)
    x[:40] *= -1
    data = oc.survival_data(load_rossi().assign(x=x**3), duration="week", event="arrest", arm="wexp", reference=0)
    made = oc.weight(data, "x", estimand="ato")
    frame = made.overlap().logit
    assert frame["n"].sum() == 432
    assert (frame["logit_low"].min(), frame["logit_high"].max()) == (-5, 5)


def test_the_common_range_and_who_lies_outside() -> None:
    made = weights()
    found = made.overlap()
    a, b = (made.score[made.arm == arm] for arm in (0, 1))
    low, high = max(a.min(), b.min()), min(a.max(), b.max())
    assert found.common == pytest.approx((low, high))
    assert found.outside == (int(((a < low) | (a > high)).sum()), int(((b < low) | (b > high)).sum()))
    summary = found.summary().set_index("arm")
    assert summary.loc["1", "share_outside_common"] == pytest.approx(found.outside[1] / 247)
    assert f"{found.outside[1]} of 247 people in 1" in found.describe()


def test_many_outside_the_common_range_is_a_note_that_proposes_overlap_weights() -> None:
    rng = np.random.default_rng(4)
    x = np.where(load_rossi()["wexp"] == 1, 1.5, -1.5) + rng.normal(size=432)
    data = oc.survival_data(load_rossi().assign(x=x), duration="week", event="arrest", arm="wexp", reference=0)
    note = {n.code: n.text for n in oc.weight(data, "x", estimand="ate").overlap().notes}["outside_common"]
    assert "estimand='ato'" in note
    assert "outside_common" not in {n.code for n in oc.weight(data, "x", estimand="ato").overlap().notes}


def test_cells_without_an_arm_are_counted() -> None:
    frame = load_rossi()
    period = np.where(
        frame["wexp"] == 1,
        np.where(frame.index % 2 == 0, "2004", "2006"),
        np.where(frame.index % 3 == 0, "2004", "2005"),
    )
    found = weights(period=period).overlap(by=["period"])
    cells = found.cells.set_index("period")
    assert list(cells.index) == ["2004", "2005", "2006"]
    assert list(cells["n_arms"]) == [2, 1, 1]
    assert (cells["n_0"] + cells["n_1"] == cells["n"]).all()
    note = {n.code: n.text for n in found.notes}["cells_without_an_arm"]
    assert note.startswith(f"2 of 3 cells of period lack an arm ({cells['n'][['2005', '2006']].sum():,} people)")


def test_missing_values_are_a_cell_of_their_own() -> None:
    area = np.where(np.arange(432) % 4 == 0, None, "north")
    assert list(weights(area=area).overlap(by="area").cells["area"]) == ["missing", "north"]


def test_unknown_columns_are_refused_with_the_nearest_name() -> None:
    with pytest.raises(oc.EstimationError, match=r"no column 'perod'\. Did you mean 'period'"):
        weights(period="2004").overlap(by=["perod"])
