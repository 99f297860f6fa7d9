"""What imputing gives: completed copies of the same people, from models that hold the arm and the outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cloned_lives import as_clones, lived
from incomplete_people import incomplete_people, time_at_risk

import outcomes as oc
from outcomes.adjust.imputation_notes import settled
from outcomes.adjust.outcome_terms import outcome_terms


@pytest.fixture(scope="module")
def data() -> oc.SurvivalData:
    return time_at_risk(incomplete_people())


@pytest.fixture(scope="module")
def imputed(data: oc.SurvivalData) -> oc.Imputed:
    return oc.impute(data, m=4, seed=2010)


def codes(result: oc.Imputed) -> list[str]:
    return [note.code for note in result.notes]


# completed sets


def test_what_was_known_stays_and_what_was_missing_is_there(data: oc.SurvivalData, imputed: oc.Imputed) -> None:
    assert len(imputed) == imputed.m == 4
    for one in imputed:
        assert not one.baseline[["risk", "band", "denial"]].isna().any().any()
        for name in data.baseline.columns:
            known = data.baseline[name].notna()
            assert one.baseline.loc[known, name].tolist() == data.baseline.loc[known, name].tolist()
        assert one.frame is one.baseline
        assert (one.exit is data.exit, one.arms, one.notes) == (True, data.arms, data.notes)


def test_columns_keep_their_types_and_the_data_their_gaps(data: oc.SurvivalData, imputed: oc.Imputed) -> None:
    before = data.baseline.isna().sum().sum()
    assert (imputed[0].baseline.dtypes == data.baseline.dtypes).all()
    assert imputed[0].baseline["band"].cat.ordered
    assert data.baseline.isna().sum().sum() == before > 0


@pytest.mark.parametrize("kind", ["Int64", "float32", "boolean", "string", "category"])
def test_every_type_of_column_can_be_completed(kind: str) -> None:
    frame = incomplete_people(120)
    rng = np.random.default_rng(1)
    values = {
        "Int64": rng.integers(0, 9, 120), "float32": rng.normal(size=120), "boolean": rng.random(120) < 0.5,
        "string": rng.choice(["x", "y"], 120), "category": rng.choice(["x", "y", "z"], 120),
    }[kind]  # fmt: skip
    column = pd.Series(values).astype(kind)
    column[:30] = pd.NA if kind in ("Int64", "boolean", "string") else None
    done = oc.impute(time_at_risk(frame.assign(new=column)), m=2, seed=1, columns=["new", "age"])[0].baseline["new"]
    assert done.dtype == column.dtype
    assert done.notna().all()
    assert set(done) <= set(column.dropna())


def test_the_sets_differ_from_one_another(imputed: oc.Imputed) -> None:
    for values in imputed.values:
        assert not (values == values[0]).all()


def test_a_completed_set_is_asked_for_by_its_number(imputed: oc.Imputed) -> None:
    assert imputed[-1].baseline.equals(imputed[3].baseline)
    with pytest.raises(IndexError, match="4 imputed sets"):
        imputed[4]


# the same seed, the same sets


def test_the_same_seed_gives_the_same_sets_whatever_runs_beside(data: oc.SurvivalData, imputed: oc.Imputed) -> None:
    again = oc.impute(data, m=4, seed=2010, n_jobs=3)
    more = oc.impute(data, m=5, seed=2010)
    other = oc.impute(data, m=4, seed=2011)
    for a, b, c, d in zip(imputed.values, again.values, more.values, other.values, strict=True):
        assert np.array_equal(a, b)
        assert np.array_equal(a, c[:4])
        assert not np.array_equal(a, d)


# the models


def test_arm_and_outcome_stand_in_every_model_cause_by_cause() -> None:
    found = oc.impute(time_at_risk(incomplete_people(300, causes=2)), m=2, seed=1, columns=["risk", "age"])
    assert found.predictors == (
        "arm: new", "event: any", "cumulative hazard: any", "event: death", "cumulative hazard: death", "age",
    )  # fmt: skip


def test_cumulative_hazards_are_nelson_and_aalens_over_each_persons_own_time() -> None:
    frame = pd.DataFrame(
        {
            "id": [1, 1, 2, 3, 4],
            "from": [0.0, 2.0, 0.0, 1.0, 0.0],
            "to": [2.0, 4.0, 3.0, 5.0, 6.0],
            "end": [0, 1, 2, 1, 0],
        }
    )
    data = oc.survival_data(frame, entry="from", exit="to", event="end", causes={1: "a", 2: "b"}, id="id")
    values, names = outcome_terms(data)
    assert names == ("event: a", "cumulative hazard: a", "event: b", "cumulative hazard: b")
    assert values[:, [0, 2]].tolist() == [[1, 0], [0, 1], [1, 0], [0, 0]]
    # at risk: 4 people at 3, 3 at 4, 2 at 5
    np.testing.assert_allclose(values[:, 1], [1 / 3, 0, 1 / 3 + 1 / 2, 1 / 3 + 1 / 2])
    np.testing.assert_allclose(values[:, 3], [1 / 4, 1 / 4, 1 / 4, 1 / 4])


def test_the_outcome_decides_what_is_imputed() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=2_000)
    time = rng.exponential(np.exp(-x))
    frame = pd.DataFrame({"x": x, "day": np.minimum(time, 1.0), "event": (time <= 1).astype(int)})
    frame.loc[rng.random(2_000) < 0.5, "x"] = np.nan
    data = oc.survival_data(frame, duration="day", event="event")
    drawn = oc.impute(data, m=5, seed=1, columns=["x"]).values[0].mean(axis=0)
    lost, had = frame["x"].isna().to_numpy(), frame["event"].to_numpy() == 1
    truly = x[lost & had].mean() - x[lost & ~had].mean()
    found = drawn[had[lost]].mean() - drawn[~had[lost]].mean()
    assert truly > 0.8
    assert found == pytest.approx(truly, abs=0.15)


def test_one_incomplete_column_takes_one_iteration(data: oc.SurvivalData) -> None:
    found = oc.impute(data, m=3, seed=1, columns=["risk", "age"])
    assert found.means[0].shape == (3, 1, 1)
    assert np.isnan(found.to_frame()["r_hat"]).all()


def test_the_outcome_itself_ids_and_clusters_are_no_covariates() -> None:
    frame = incomplete_people(200).assign(person=np.arange(200), reference=[f"P{i}" for i in range(200)])
    found = oc.impute(time_at_risk(frame, cluster="area"), m=2, seed=1)
    assert found.predictors[3:] == ("age",)
    assert {v.name for v in found.variables} == {"risk", "band", "denial"}


def test_values_at_time_zero_are_carried_to_every_row_of_a_person() -> None:
    frame = incomplete_people(150).assign(person=np.arange(150))
    half = frame.assign(start=0.0, stop=np.ceil(frame["day"] / 2), event=0)
    rest = frame.assign(start=half["stop"], stop=frame["day"])
    rows = pd.concat([half, rest[rest["start"] < rest["stop"]]])
    data = oc.survival_data(
        rows.drop(columns="day"), entry="start", exit="stop", event="event", arm="arm", reference="old", id="person"
    )
    one = oc.impute(data, m=2, seed=1)[1]
    assert one.multi_row
    for name in ("risk", "band", "denial"):
        assert one.frame[name].tolist() == one.baseline[name].iloc[one.person].tolist()
    whole = oc.impute(time_at_risk(frame), m=2, seed=1)[1]  # the same people in one piece each
    assert one.baseline["risk"].tolist() == whole.baseline["risk"].tolist()


# groups that are imputed by themselves


@pytest.mark.parametrize("by", ["arm", "area"])
def test_each_group_is_imputed_from_its_own_people(by: str) -> None:
    frame = incomplete_people(600)
    frame["area"] = frame["area"].replace(dict.fromkeys("cdefghijkl", "b"))
    told = frame["arm" if by == "arm" else "area"]
    frame["risk"] += 1000 * (told == told.iloc[0])  # nobody of one group could be taken for one of the other
    found = oc.impute(time_at_risk(frame), m=3, seed=1, by=by, columns=["risk", "band", "denial", "age"])
    for one in found:
        assert ((one.baseline["risk"] > 700) == (told == told.iloc[0])).all()
        assert not one.baseline[["risk", "band", "denial"]].isna().any().any()
    assert f"each group of {by} by itself" in found.describe()
    last = found.chains().query("column == 'risk' and iteration == 10")
    np.testing.assert_allclose(last["mean"], found.values[0].mean(axis=1))
    np.testing.assert_allclose(last["sd"], found.values[0].std(axis=1))
    shares = found.chains().query("column == 'band' and level == 'high' and iteration == 10")["mean"]
    np.testing.assert_allclose(shares, (found.values[1] == 2).mean(axis=1))


def test_a_group_without_a_level_is_given_none_of_it() -> None:
    frame = incomplete_people(400)
    frame.loc[(frame["arm"] == "new") & (frame["band"] == "low"), "band"] = "high"
    found = oc.impute(time_at_risk(frame), m=3, seed=1, by="arm", columns=["band", "age"])
    for one in found:
        assert set(one.baseline.loc[frame["arm"] == "new", "band"]) == {"middle", "high"}


def test_an_effect_that_differs_between_arms_is_kept_where_arms_are_imputed_by_themselves() -> None:
    rng = np.random.default_rng(3)
    arm, x = rng.integers(0, 2, 4_000), rng.normal(size=4_000)
    time = rng.exponential(np.exp(-np.where(arm == 1, 1.5 * x, 0.0)))
    frame = pd.DataFrame({"arm": arm, "x": x, "day": np.minimum(time, 2.0), "event": (time <= 2).astype(int)})
    frame.loc[rng.random(4_000) < 0.6, "x"] = np.nan
    data = oc.survival_data(frame, duration="day", event="event", arm="arm", reference=0)

    def interaction(by: str | None) -> float:
        imputed = oc.impute(data, m=4, seed=1, columns=["x"], by=by)
        return float(oc.pool(imputed, lambda d: oc.cox(d, "arm + x + arm:x")).to_frame()["estimate"].iloc[-1])

    assert interaction("arm") == pytest.approx(1.5, abs=0.2)
    assert interaction(None) < 1.2


def test_groups_must_be_known_and_have_something_to_draw_from() -> None:
    frame = incomplete_people()
    data = time_at_risk(frame)
    for by, said in (
        ("denail", "no column 'denail'. Did you mean 'denial'"),
        ("band", "column 'band' is missing for some"),
    ):
        with pytest.raises(oc.EstimationError, match=f"impute: by: {said}"):
            oc.impute(data, m=2, seed=1, by=by, columns=["risk"])
    with pytest.raises(oc.EstimationError, match=r"'age' has .* levels, more than 20"):
        oc.impute(data, m=2, seed=1, by="age", columns=["risk"])
    frame.loc[frame["arm"] == "new", "risk"] = np.nan
    with pytest.raises(
        oc.EstimationError, match="in a group of 'arm' column 'risk' is missing for some and has no two values"
    ):
        oc.impute(time_at_risk(frame), m=2, seed=1, by="arm", columns=["risk"])


# what it says


def test_the_table_sets_imputed_beside_observed(imputed: oc.Imputed, data: oc.SurvivalData) -> None:
    frame = imputed.to_frame().set_index(["column", "level"])
    lost = data.baseline["risk"].isna()
    assert frame.loc[("risk", ""), "n_missing"] == lost.sum()
    assert frame.loc[("risk", ""), "observed"] == pytest.approx(data.baseline["risk"].mean())
    every = np.mean([one.baseline.loc[lost, "risk"].mean() for one in imputed])
    assert frame.loc[("risk", ""), "imputed"] == pytest.approx(every)
    assert frame.loc["band", "imputed"].sum() == pytest.approx(1.0)
    assert frame.loc["band"].index.tolist() == ["low", "middle", "high"]
    assert imputed.summary()["method"].tolist() == [
        "predictive mean matching", "multinomial regression", "logistic regression",
    ]  # fmt: skip


def test_distributions_add_to_one_and_chains_have_a_row_an_iteration(imputed: oc.Imputed) -> None:
    shares = imputed.distribution().groupby("column")[["observed", "imputed"]].sum()
    np.testing.assert_allclose(shares, 1.0)
    chains = imputed.chains()
    assert chains.groupby(["column", "level"], sort=False).size().to_dict() == {
        ("risk", ""): 40, ("band", "middle"): 40, ("band", "high"): 40, ("denial", "True"): 40,
    }  # fmt: skip
    last = chains[(chains["column"] == "risk") & (chains["iteration"] == 10)]["mean"]
    np.testing.assert_allclose(last, imputed.values[0].mean(axis=1))


def test_it_says_how_much_is_missing_and_what_that_supposes(imputed: oc.Imputed, data: oc.SurvivalData) -> None:
    lost = data.baseline["risk"].isna()
    said = imputed.describe()
    assert (
        f"risk, missing for {lost.sum()} of 300 people ({100 * lost.mean():.1f} %), by predictive mean matching" in said
    )
    assert "missing at random" in said
    assert codes(imputed) == ["share_missing", "share_missing", "share_missing", "few_sets"]


def test_fewer_than_five_people_are_not_counted_out() -> None:
    frame = incomplete_people(200)
    frame["age"] = frame["age"].where(frame.index > 2)
    said = oc.impute(time_at_risk(frame), m=60, seed=1, columns=["age"], iterations=1)
    assert "age, missing for fewer than 5 of 200 people, by" in said.describe()
    assert [note.text for note in said.notes] == ["age was imputed for fewer than 5 of 200 people."]


def test_chains_that_drift_apart_are_told() -> None:
    rng = np.random.default_rng(1)
    together = rng.normal(size=(10, 20, 1))
    assert settled(together)[0] < 1.2
    assert settled(together + np.arange(10.0)[:, None, None])[0] > 2
    assert np.isnan(settled(together[:, :3])[0])


# where it asks too much


def test_a_column_that_an_arm_lacks_altogether_is_told() -> None:
    frame = incomplete_people()
    frame.loc[frame["arm"] == "new", "age"] = np.nan
    found = oc.impute(time_at_risk(frame), m=2, seed=1, columns=["age", "risk"])
    assert "Nobody in arm new has age" in next(n.text for n in found.notes if n.code == "missing_in_arm")


def test_an_arm_of_one_person_is_not_named() -> None:
    frame = incomplete_people()
    frame["arm"] = "old"
    frame.loc[frame.index[0], ["arm", "risk"]] = ["new", np.nan]
    found = oc.impute(time_at_risk(frame), m=2, seed=1, columns=["risk"])
    assert "Nobody in an arm of fewer than 5 people has risk" in " ".join(n.text for n in found.notes)
    assert found[0].baseline["risk"].notna().all()


def test_more_than_half_missing_and_too_many_columns_are_told() -> None:
    frame = incomplete_people(100)
    frame.loc[frame.index[:80], "age"] = np.nan
    assert {"mostly_missing", "few_observed"} <= set(
        codes(oc.impute(time_at_risk(frame), m=2, seed=1, columns=["age", "area"]))
    )


def test_a_column_that_follows_from_others_is_told_and_does_no_harm() -> None:
    frame = incomplete_people()
    twice = frame.assign(age_in_months=12 * frame["age"])
    found = oc.impute(time_at_risk(twice), m=3, seed=1)
    assert "age_in_months" in next(n.text for n in found.notes if n.code == "collinear")
    assert found.to_frame()["imputed"].notna().all()


def test_a_column_that_tells_the_level_exactly_imputes_it() -> None:
    frame = incomplete_people()
    frame["old_enough"] = (frame["age"] > 39).astype(object)
    frame.loc[frame.index[::3], "old_enough"] = None
    found = oc.impute(time_at_risk(frame), m=5, seed=1, columns=["old_enough", "age"])
    lost = frame["old_enough"].isna()
    for one in found:
        assert (one.baseline.loc[lost, "old_enough"] == (frame.loc[lost, "age"] > 39)).mean() > 0.9


def test_columns_that_cannot_be_imputed_stay_and_are_told_or_refused_by_name() -> None:
    frame = incomplete_people().assign(only=np.nan, same=1.0, town=[f"t{i % 40}" for i in range(300)])
    frame.loc[frame.index[:9], ["same", "town"]] = None
    data = time_at_risk(frame)
    found = oc.impute(data, m=2, seed=1)
    told = [n.text for n in found.notes if n.code == "left_missing"]
    assert told == [
        "only is missing for some people and stays so: it is missing for everybody.",
        "same is missing for some people and stays so: it is the same for everybody who has it.",
        "town is missing for some people and stays so: it has 40 levels, more than 20.",
    ]
    assert found[0].baseline["town"].isna().sum() == 9
    for name in ("only", "same", "town"):
        with pytest.raises(oc.EstimationError, match=f"impute: column '{name}' .* Leave it out of columns="):
            oc.impute(data, m=2, seed=1, columns=[name])


# what is refused


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"columns": ["rsik"]}, "no column 'rsik'. Did you mean 'risk'"),
        ({"columns": ["arm"]}, "the arm is in every imputation model"),
        ({"columns": ["age"]}, "nothing is missing in these columns"),
        ({"m": 1}, "m must be a whole number of 2 or more"),
        ({"m": 2.5}, "m must be a whole number of 2 or more"),
        ({"seed": None}, "seed must be a whole number of 0 or more"),
        ({"donors": 0}, "donors must be a whole number of 1 or more"),
        ({"iterations": True}, "iterations must be a whole number of 1 or more"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(data: oc.SurvivalData, given: dict[str, object], said: str) -> None:
    with pytest.raises(oc.EstimationError, match=said):
        oc.impute(data, **{"m": 2, "seed": 1, **given})  # type: ignore[arg-type]


def test_infinite_values_are_refused() -> None:
    frame = incomplete_people()
    frame.loc[frame.index[0], "age"] = np.inf
    with pytest.raises(oc.EstimationError, match="column 'age' has infinite values"):
        oc.impute(time_at_risk(frame), m=2, seed=1, columns=["risk", "age"])


def test_arm_and_outcome_are_never_imputed() -> None:
    frame = incomplete_people()
    for name, place in (("arm", 0), ("day", 1), ("event", 2)):
        lost = frame.astype({"event": float})
        lost.loc[place, name] = None
        with pytest.raises(oc.DataError):
            time_at_risk(lost)
    data = time_at_risk(frame)
    broken = data.exit.copy()
    broken[0] = np.nan
    with pytest.raises(oc.EstimationError, match="1 rows have no time"):
        oc.impute(replace(data, exit=broken), m=2, seed=1)


def test_a_column_that_changes_within_a_person_is_not_one_at_time_zero() -> None:
    rows = pd.DataFrame(
        {
            "p": [1, 1, 2, 3, 4],
            "a": [0, 5, 0, 0, 0],
            "b": [5, 9, 6, 7, 8],
            "e": [0, 1, 0, 1, 0],
            "x": [None, 2.0, 1.0, 3.0, 5.0],
        }
    )
    data = oc.survival_data(rows, entry="a", exit="b", event="e", id="p")
    with pytest.raises(oc.EstimationError, match="column 'x' differs in 1 rows from its person's first"):
        oc.impute(data, m=2, seed=1, columns=["x"])


def test_data_without_one_outcome_a_person_are_refused() -> None:
    clones = as_clones(lived(20, np.random.default_rng(1), (1.0, 1.0)))
    with pytest.raises(oc.NotSupportedError, match="clones"):
        oc.impute(clones, m=2, seed=1)
    counted = incomplete_people().assign(n=2)
    with pytest.raises(oc.NotSupportedError, match="one row a person"):
        oc.impute(time_at_risk(counted, frequency="n"), m=2, seed=1)
    moves = pd.DataFrame({"from": ["in", "out"], "day": [5.0, 6.0], "to": ["out", "in"], "x": [1.0, None]})
    states = oc.survival_data(moves, duration="day", event="to", from_state="from", causes=["in", "out"])
    with pytest.raises(oc.NotSupportedError, match="moves between states"):
        oc.impute(states, m=2, seed=1)
    changing = replace(time_at_risk(incomplete_people()), varying=("exposure",))
    with pytest.raises(oc.NotSupportedError, match="exposure changes with time"):
        oc.impute(changing, m=2, seed=1)
