"""One programme replaced by the other area by area: imputation against brute force and against a true effect."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from small_study import Reframed

import outcomes as oc
from outcomes.comparison.bias_reduced import BiasReduced
from outcomes.comparison.roll_out_kernel import impute_untreated, leads
from outcomes.errors import EstimationError

YEARS, A_YEAR = 9, 25


def areas_that_change(rng: np.random.Generator, areas: int, effect: float) -> pd.DataFrame:
    """Return people of areas that change one after the other; risks fall from year to year in all of them."""
    start = rng.permutation(areas) / areas * (YEARS - 1) + 0.5
    area = np.repeat(np.arange(areas), A_YEAR * YEARS)
    year = np.tile(np.repeat(np.arange(YEARS), A_YEAR), areas)
    since = year + rng.random(len(year)) - start[area]
    risk = 0.3 + 0.05 * rng.standard_normal(areas)[area] - 0.01 * year + effect * (since >= 0)
    frame = pd.DataFrame({"area": area, "year": year, "since": np.floor(since), "treated": since >= 0})
    frame["y"] = (rng.random(len(year)) < risk).astype(float)
    plain = frame[~frame["treated"]]
    known = plain.groupby("year")["area"].nunique().reindex(range(YEARS), fill_value=0) >= 3
    frame["usable"] = frame["treated"] & frame["year"].map(known) & frame["area"].isin(plain["area"])
    return frame


def columns(frame: pd.DataFrame) -> np.ndarray:
    return pd.get_dummies(frame[["area", "year"]].astype("category"), dtype=float).to_numpy()


def imputed(frame: pd.DataFrame) -> tuple[float, float]:
    found = impute_untreated(
        frame["y"].to_numpy(), columns(frame), frame["treated"].to_numpy(), frame["area"].to_numpy(),
        [frame["usable"].to_numpy()],
    )  # fmt: skip
    return float(found.estimate[0]), float(found.std_error[0])


def test_what_is_imputed_is_what_statsmodels_predicts_from_the_untreated() -> None:
    frame = areas_that_change(np.random.default_rng(5), 10, 0.1)
    model = smf.ols("y ~ C(area) + C(year)", data=frame[~frame["treated"]]).fit()
    mine = frame[frame["usable"]]
    expected = (mine["y"] - model.predict(mine)).mean()
    assert imputed(frame)[0] == pytest.approx(expected, abs=1e-10)


def test_the_standard_error_is_that_of_leaving_out_area_after_area() -> None:
    frame = areas_that_change(np.random.default_rng(6), 8, 0.0)
    without = [imputed(frame[frame["area"] != one].assign(area=lambda f: f["area"].rank(method="dense").astype(int) - 1))[0]
               for one in range(8)]  # fmt: skip
    expected = np.sqrt(7 / 8 * np.square(np.array(without) - np.mean(without)).sum())
    assert imputed(frame)[1] == pytest.approx(expected, rel=1e-9)


def years_before(frame: pd.DataFrame) -> BiasReduced:
    frame = frame[~frame["treated"]]
    ahead = np.column_stack([frame["since"] == -k for k in (3, 2, 1)]).astype(float)
    return leads(frame["y"].to_numpy(), columns(frame), ahead, frame["area"].to_numpy())


def test_years_before_the_change_are_those_of_a_regression() -> None:
    frame = areas_that_change(np.random.default_rng(7), 10, 0.0).query("not treated")
    told = frame.assign(**{f"l{k}": (frame["since"] == -k).astype(float) for k in (3, 2, 1)})
    model = smf.ols("y ~ l3 + l2 + l1 + C(area) + C(year)", data=told).fit()
    assert years_before(frame).estimate == pytest.approx(model.params[["l3", "l2", "l1"]].to_numpy(), abs=1e-9)


def test_with_few_areas_the_test_of_the_years_before_keeps_its_size() -> None:
    """Areas are on no way of their own; by the usual clustered variance the test is below 0.05 in 13 % of samples."""
    rng = np.random.default_rng(8)
    p = np.array([years_before(areas_that_change(rng, 12, 0.0)).test.p_value for _ in range(200)])
    assert 0.01 <= (p < 0.05).mean() <= 0.085


def test_a_year_that_two_areas_know_has_no_standard_error_and_is_not_in_the_test() -> None:
    frame = areas_that_change(np.random.default_rng(9), 10, 0.0).query("not treated")
    few = frame[(frame["since"] != -3) | (frame["area"].isin(sorted(frame["area"].unique())[-2:]))]
    found = years_before(few)
    assert np.isnan(found.std_error).tolist() == [True, False, False]
    assert found.test.df == 2


@pytest.mark.parametrize("areas", [12, 24])
def test_the_effect_is_found_and_intervals_hold_it_as_often_as_they_say(areas: int) -> None:
    rng, times = np.random.default_rng(2010), 120
    found = np.array([imputed(areas_that_change(rng, areas, 0.05)) for _ in range(times)])
    spread = found[:, 0].std(ddof=1)
    assert abs(found[:, 0].mean() - 0.05) <= 0.1 * spread + 4 * spread / np.sqrt(times)
    held = np.abs(found[:, 0] - 0.05) <= stats.t.ppf(0.975, areas - 1) * found[:, 1]
    assert held.sum() >= stats.binom.ppf(0.0005, times, 0.95)


def test_years_before_and_after_the_change_and_all_together(tables: oc.Tables, study: oc.Study) -> None:
    found = oc.replaced_area_by_area(tables, study)
    frame = found.to_frame()
    assert (found.new, found.old) == ("manualised", "bespoke")
    assert frame["when"].tolist() == sorted(frame["when"], key=["before", "after", "overall"].index)
    overall, after = frame[frame["when"] == "overall"].iloc[0], frame[frame["when"] == "after"]
    assert overall["n"] == after["n"].sum()
    assert overall["estimate"] == pytest.approx(np.average(after["estimate"], weights=after["n"]))
    assert "people under it" in found.describe()
    note = next(note.text for note in found.notes if note.code == "no_counterpart")
    assert "left out" in note


def test_who_is_censored_before_the_horizon_is_said(tables: oc.Tables, study: oc.Study) -> None:
    long = oc.replaced_area_by_area(tables, study, horizon="5y")
    said = next(note.text for note in long.notes if note.code == "censored_early")
    data = oc.build_cohort(tables, study.by_provision()).outcome("any")
    early = int(((data.event == 0) & (data.exit < 5 * 365.25)).sum())
    assert 0 < int(said.split()[0].replace(",", "")) <= early
    assert "did not hang on area, year, regime or covariates" in said


def test_a_change_everywhere_at_once_cannot_be_told_from_the_era(tables: oc.Tables, study: oc.Study) -> None:
    provision = tables.frame("provision")
    cut = int(pd.Timestamp("2008-01-01").timestamp() // 86400)
    family = provision["programme_id"].map(tables.frame("programmes").set_index("programme_id")["family_id"])
    provision.loc[family == "south_project", ["open_from", "open_to"]] = [0, cut - 1]
    provision.loc[family == "core_manual", "open_from"] = cut
    with pytest.raises(EstimationError, match="cannot be told apart"):
        oc.replaced_area_by_area(Reframed(tables, provision=provision), study)


def test_areas_that_changed_are_counted_and_the_years_before_are_told(tables: oc.Tables, study: oc.Study) -> None:
    found = oc.replaced_area_by_area(tables, study)
    cohort = oc.build_cohort(tables, study.by_provision()).baseline
    both = cohort.groupby("area", observed=True)["arm"].nunique() == 2
    assert 0 < found.areas <= both.sum()
    assert found.describe().startswith(f"In {found.areas} areas manualised replaced bespoke")
    before = found.frame[found.frame["when"] == "before"]
    for row in before.to_dict("records"):
        way = "fewer" if row["estimate"] < 0 else "more"
        assert f"{100 * abs(row['estimate']):.1f} {way} {abs(row['year']):g} year" in found.describe()
    assert set(found.to_frame()["arm"]) == {"manualised"}
    assert set(found.to_frame()["reference"]) == {"bespoke"}


def test_a_year_tells_what_would_have_been_where_three_areas_had_the_old_regime_alone(
    tables: oc.Tables, study: oc.Study
) -> None:
    people = oc.build_cohort(tables, study.by_provision()).baseline.astype({"area": str, "period": str})
    old = people["arm"] == "bespoke"
    kept = people[old].groupby("period")["area"].unique()["2009"][:3]
    gone = people[old & (people["period"] == "2009") & ~people["area"].isin(kept)]["sentence_id"]
    assert len(gone) > 0
    sentences = tables.frame("sentences")
    found = oc.replaced_area_by_area(
        Reframed(tables, sentences=sentences[~sentences["sentence_id"].isin(gone)]), study
    ).frame
    left = people[~people["sentence_id"].isin(gone)]
    areas = left[left["arm"] == "bespoke"].groupby("period")["area"].nunique()
    assert areas["2009"] == 3
    told = left["period"].map(areas).fillna(0).ge(3) & left["area"].isin(left.loc[left["arm"] == "bespoke", "area"])
    assert found.loc[found["when"] == "overall", "n"].tolist() == [(told & (left["arm"] == "manualised")).sum()]


@pytest.mark.parametrize(("areas", "told"), [(2, False), (3, True)])
def test_an_average_over_fewer_than_three_areas_has_no_standard_error(areas: int, told: bool) -> None:
    frame = areas_that_change(np.random.default_rng(8), 10, 0.1)
    some = frame["usable"] & frame["area"].isin(sorted(frame.loc[frame["usable"], "area"].unique())[:areas])
    found = impute_untreated(
        frame["y"].to_numpy(), columns(frame), frame["treated"].to_numpy(), frame["area"].to_numpy(), [some.to_numpy()]
    )
    assert np.isfinite(found.estimate[0])
    assert np.isfinite(found.std_error[0]) == told


def test_without_earlier_years_the_last_three_have_nothing_to_be_against(tables: oc.Tables, study: oc.Study) -> None:
    provision, catalogue = tables.frame("provision"), tables.frame("programmes").set_index("programme_id")
    new = provision[provision["programme_id"].map(catalogue["family_id"]) == "core_manual"]
    sentences = tables.frame("sentences")
    since = sentences["sentence_date"] - sentences["area"].map(new.groupby("area")["open_from"].min())
    found = oc.replaced_area_by_area(Reframed(tables, sentences=sentences[~(since < -3 * 365.25)]), study)
    assert set(found.frame["when"]) == {"after", "overall"}
    assert "too few areas, or years before the change, to see whether areas were on their way" in found.describe()


def test_the_picture_has_a_line_a_year_before_and_after(tables: oc.Tables, study: oc.Study) -> None:
    found = oc.replaced_area_by_area(tables, study)
    ax, frame = found.plot(), found.frame
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    years = {
        when: [f"{abs(year):g} {'years' if abs(year) > 1 else 'year'}" for year in mine["year"]]
        for when, mine in frame.groupby("when")
    }
    assert labels == [
        "before the change, against earlier years", *years["before"], "after the change", *years["after"], "all years after", "together"
    ]  # fmt: skip
    assert ax.get_xlabel() == "difference in risk, manualised minus bespoke, per 100 people"
    points = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert points == pytest.approx(100 * frame["estimate"].to_numpy(), rel=1e-4)
    beside = [text.get_text() for text in ax.texts if text.get_gid() == "beside"]
    numbers = (100 * frame[["estimate", "conf_low", "conf_high"]]).to_numpy()
    assert beside == [
        f"{one:.1f}{f' ({low:.1f} to {high:.1f})' if np.isfinite(low) else ''}".replace("-", "−")
        for one, low, high in numbers
    ]
