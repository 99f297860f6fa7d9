"""The invented tables keep to the schema and to every rule between tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes.loading.schema import SCHEMA, columns_of
from outcomes.synthetic import Biases, SyntheticCohort, make_cohort

EXTRACTED = pd.Timestamp("2015-12-31")
TABLES = sorted(SCHEMA)


@pytest.fixture(scope="module", params=["default", "strong"])
def tables(request: pytest.FixtureRequest, cohort: SyntheticCohort) -> dict[str, pd.DataFrame]:
    """Default strengths, and all of them at three: the rules hold however strong the biases are."""
    if request.param == "default":
        return cohort.tables
    strong = Biases(**dict.fromkeys(Biases.__dataclass_fields__, 3.0))
    return make_cohort(1500, n_areas=5, seed=3, biases=strong, replicates=0).tables


def with_limits(tables: dict[str, pd.DataFrame], table: str) -> pd.DataFrame:
    """Rows of a table with the person's sentence, release and exit."""
    frame = tables[table].merge(
        tables["sentences"][["person_id", "sentence_date", "release_date", "area"]], on="person_id"
    )
    frame["origin"] = frame["release_date"].fillna(frame["sentence_date"])
    left = tables["exits"].set_index("person_id")["exit_date"]
    frame["last"] = frame["person_id"].map(left).fillna(EXTRACTED)
    return frame


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_the_columns_of_the_schema_in_its_order(tables: dict[str, pd.DataFrame], name: str) -> None:
    assert tuple(tables[name].columns) == columns_of(name)
    assert len(tables[name]) > 0


@pytest.mark.parametrize("name", TABLES)
def test_a_column_holds_what_the_schema_says(tables: dict[str, pd.DataFrame], name: str) -> None:
    for column in SCHEMA[name].columns:
        values = tables[name][column.name]
        assert column.nullable or values.notna().all(), column.name
        known = values.dropna()
        if column.codes:
            assert set(known) <= set(column.codes), column.name
        if column.kind == "date":
            assert pd.api.types.is_datetime64_any_dtype(values), column.name
            assert (known == known.dt.normalize()).all(), column.name
        elif column.kind in ("id", "int"):
            assert pd.api.types.is_integer_dtype(values) or column.name == "family_id", column.name
        elif column.kind == "bool":
            assert pd.api.types.is_bool_dtype(values), column.name
        if column.low is not None:
            assert known.between(column.low, column.high).all(), column.name
        if column.refers is not None:
            assert known.isin(tables[column.refers.table][column.refers.column]).all(), column.name


@pytest.mark.parametrize("name", [name for name in TABLES if SCHEMA[name].key])
def test_a_key_is_unique(tables: dict[str, pd.DataFrame], name: str) -> None:
    assert not tables[name].duplicated(list(SCHEMA[name].key)).any()


@pytest.mark.parametrize("name", TABLES)
def test_no_row_is_said_twice(tables: dict[str, pd.DataFrame], name: str) -> None:
    assert not tables[name].duplicated().any()


def test_nothing_is_dated_after_the_extract(tables: dict[str, pd.DataFrame]) -> None:
    for name, frame in tables.items():
        for column in frame.select_dtypes("datetime"):
            assert not (frame[column] > EXTRACTED).any(), (name, column)


@pytest.mark.parametrize("name", ["referrals", "participation", "supervision", "spells", "reoffences", "assessments"])
def test_nothing_happens_after_someone_has_left(tables: dict[str, pd.DataFrame], name: str) -> None:
    frame = with_limits(tables, name)
    for column in (c.name for c in SCHEMA[name].columns if c.kind == "date"):
        assert not (frame[column] > frame["last"]).any(), column


def test_a_release_follows_its_sentence_and_only_custody_has_one(tables: dict[str, pd.DataFrame]) -> None:
    sentences = tables["sentences"]
    custody = sentences["setting"] == "custody"
    assert (sentences["release_date"].notna() == custody).all()
    assert (sentences["release_date"] > sentences["sentence_date"])[custody].all()


def test_an_offence_is_proven_on_or_after_its_day(tables: dict[str, pd.DataFrame]) -> None:
    assert (tables["reoffences"]["proven_date"] >= tables["reoffences"]["offence_date"]).all()


def test_a_programme_starts_after_its_referral_by_the_same_person(tables: dict[str, pd.DataFrame]) -> None:
    joined = tables["participation"].merge(tables["referrals"], on="referral_id", suffixes=("", "_referred"))
    assert len(joined) > 0.5 * len(tables["participation"])
    assert (joined["start_date"] >= joined["decision_date"]).all()
    assert (joined["decision_date"] >= joined["referral_date"]).all()
    assert (joined["person_id"] == joined["person_id_referred"]).all()
    assert (joined["programme_id"] == joined["programme_id_referred"]).all()
    assert (joined["decision"] == "accepted").all()


def test_a_programme_was_open_where_and_when_it_started(tables: dict[str, pd.DataFrame]) -> None:
    starts = with_limits(tables, "participation")
    offered = starts.merge(tables["provision"], on=["programme_id", "area"], suffixes=("", "_offered"))
    same_site = offered["site_id"].fillna(-1) == offered["site_id_offered"].fillna(-1)
    ended = offered["open_to"].fillna(EXTRACTED) < offered["start_date"]
    offered = offered[same_site & ~ended & (offered["open_from"] <= offered["start_date"])]
    assert set(offered["participation_id"]) == set(starts["participation_id"])


def test_a_programme_ends_after_it_starts_and_its_sessions_add_up(tables: dict[str, pd.DataFrame]) -> None:
    spells = tables["participation"]
    assert (spells["end_date"] > spells["start_date"])[spells["end_date"].notna()].all()
    assert (spells["end_date"].isna() == (spells["status"] == "ongoing")).all()
    assert (spells["sessions_attended"] <= spells["sessions_planned"]).all()


def test_nobody_starts_a_programme_in_the_community_while_away(tables: dict[str, pd.DataFrame]) -> None:
    both = with_limits(tables, "participation").merge(tables["spells"], on="person_id", suffixes=("", "_away"))
    back = both["end_date_away"].fillna(EXTRACTED)
    inside = (both["start_date"] > both["start_date_away"]) & (both["start_date"] < back)
    assert not inside.any()


def test_spells_follow_release_in_order_without_overlap(tables: dict[str, pd.DataFrame]) -> None:
    spells = with_limits(tables, "spells").sort_values(["person_id", "start_date"])
    assert (spells["start_date"] > spells["origin"]).all()
    assert (spells["end_date"] > spells["start_date"])[spells["end_date"].notna()].all()
    following = spells.groupby("person_id")["start_date"].shift(-1)
    assert (spells["end_date"].fillna(EXTRACTED) <= following)[following.notna()].all()
    assert not (spells["end_date"].isna() & following.notna()).any()


def test_only_people_released_on_licence_are_recalled(tables: dict[str, pd.DataFrame]) -> None:
    spells = tables["spells"].merge(tables["sentences"], on="person_id")
    licence = tables["supervision"].query("type == 'licence'").set_index("person_id")["end_date"]
    recalled = spells[spells["state"] == "recall"]
    assert (recalled["setting"] == "custody").all()
    assert not (
        recalled["start_date"] > recalled["person_id"].map(licence).fillna(EXTRACTED) + pd.Timedelta("1D")
    ).any()


def test_a_spell_that_names_a_reoffence_is_the_same_persons_and_later(tables: dict[str, pd.DataFrame]) -> None:
    joined = tables["spells"].merge(tables["reoffences"], on="reoffence_id", suffixes=("", "_offence"))
    assert len(joined) > 20
    assert (joined["person_id"] == joined["person_id_offence"]).all()
    assert (joined["start_date"] > joined["offence_date"]).all()
    sentenced = joined[joined["reason"] == "new_sentence"]
    assert (sentenced["start_date"] > sentenced["proven_date"]).all()


def test_offences_while_away_are_there_but_few(tables: dict[str, pd.DataFrame]) -> None:
    both = tables["reoffences"].merge(tables["spells"], on="person_id", suffixes=("", "_spell"))
    inside = both["offence_date"].ge(both["start_date"]) & both["offence_date"].lt(both["end_date"].fillna(EXTRACTED))
    assert 0 < inside.sum() < 0.02 * len(tables["reoffences"])


def test_pseudo_reconvictions_are_there(tables: dict[str, pd.DataFrame]) -> None:
    offences = with_limits(tables, "reoffences")
    before = (offences["offence_date"] < offences["sentence_date"]) & (offences["proven_date"] > offences["origin"])
    assert 0.005 < before.sum() / len(tables["people"]) < 0.05


def test_denial_and_learning_disability_do_not_change_before_time_zero(cohort: SyntheticCohort) -> None:
    seen = cohort.tables["assessments"].merge(cohort.potential[["person_id", "time_zero"]], on="person_id")
    early = seen[seen["date"] <= seen["time_zero"]].groupby("person_id")
    assert early[["denial", "learning_disability"]].nunique().to_numpy().max() == 1
    assert len(early) == len(cohort.tables["people"])


def test_later_assessments_exist_and_differ(cohort: SyntheticCohort) -> None:
    seen = cohort.tables["assessments"].merge(cohort.potential[["person_id", "time_zero", "risk_band"]], on="person_id")
    later = seen[seen["date"] > seen["time_zero"]]
    assert len(later) > 500
    assert (later["band"] != later["risk_band"]).mean() > 0.1


def test_every_kind_of_provision_is_in_use(cohort: SyntheticCohort) -> None:
    tables = cohort.tables
    used = tables["participation"]["programme_id"].value_counts()
    assert set(used.index) == set(tables["programmes"]["programme_id"])
    assert (used >= 10).all()
    assert set(tables["programmes"]["strand"]) == set(SCHEMA["programmes"].column("strand").codes)


def test_groups_have_facilitators_and_recorded_ones_are_monitored(cohort: SyntheticCohort) -> None:
    tables = cohort.tables
    groups = tables["participation"].dropna(subset="group_id")
    assert set(groups["group_id"]) == set(tables["delivery"]["group_id"])
    recorded = groups.merge(tables["programmes"].query("recorded"), on="programme_id")
    assert set(tables["fidelity"]["group_id"]) <= set(recorded["group_id"])
    assert tables["fidelity"]["group_id"].nunique() > 0.95 * recorded["group_id"].nunique()
    per_group = groups.groupby("group_id")[["programme_id", "site_id"]].nunique()
    assert (per_group == 1).all(axis=None)


def test_most_index_offences_are_sexual_and_rates_are_plausible(cohort: SyntheticCohort) -> None:
    tables, truth = cohort.tables, cohort.potential
    assert tables["sentences"]["index_offence"].str.startswith("sexual").mean() > 0.9
    untreated = truth["none_sexual_committed_at_risk_2y"].mean() / 2
    assert 0.01 < untreated < 0.025
    assert 0.25 < truth["none_any_proven_risk_2y"].mean() < 0.40
    deaths = (tables["exits"]["reason"] == "death").sum()
    years = (EXTRACTED - truth["time_zero"]).dt.days.sum() / 365.25
    assert 0.003 < deaths / years < 0.012
    assert {"death", "deportation"} <= set(tables["exits"]["reason"])


def test_both_arms_start_in_every_year(cohort: SyntheticCohort) -> None:
    both = cohort.potential[cohort.potential["in_both"]]
    counts = pd.crosstab(both["time_zero"].dt.year, both["arm"])
    assert list(counts.index) == list(range(2004, 2013))
    assert (counts > 0).all(axis=None)


def test_an_area_offers_the_bespoke_the_both_then_the_manualised(cohort: SyntheticCohort) -> None:
    provision = cohort.tables["provision"].merge(cohort.tables["programmes"], on="programme_id")
    core = provision[provision["strand"] == "core"]
    ends = core[core["design"] == "bespoke"].groupby("area")["open_to"].first()
    begins = core[core["design"] == "manualised"].groupby("area")["open_from"].first()
    assert ((ends - begins).dt.days == 547).all()
    assert begins.nunique() == len(begins)
    assert np.ptp(begins.dt.year) >= 7
