"""How many people are alike: counted by hand on a few, by brute force on an invented cohort."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from small_study import exits, extract, offences
from small_tables import rows

import outcomes as oc
from outcomes.errors import DataError, DisclosureError, OutcomesError
from outcomes.synthetic import make_cohort

DEFAULT = ("sex", "ethnicity_group", "age_band", "area", "index_offence_group", "period")


@pytest.fixture(scope="module")
def eight() -> oc.Tables:
    """Eight men in two areas, sentenced in 2009 and 2010: six white, one black, one of whom nothing is recorded.

    Everyone in the group of p1 and p2 reoffended; of p3, p4 and p5 one did. p6 offended only before the sentence.
    """
    frames = extract(
        "p1 m1 community 2009-12-31 - 2010-01-10",
        "p2 m1 community 2009-01-01 - 2010-01-10",
        "p3 b1 community 2010-01-01 - 2010-02-01",
        "p4 b1 community 2010-12-31 - 2011-02-01",
        "p5 b1 community 2010-06-01 - 2010-07-01",
        "p6 b1 community 2010-06-01 - 2010-07-01",
        "p7 b1 custody 2009-06-01 2010-06-01 2010-07-01",
        "p8 b1 community 2012-01-01 - 2012-02-01",
        "p8 m1 community 2013-01-01 - -",
        reoffences=offences(
            "p1 2010-03-01 2010-04-01 violent",
            "p2 2009-01-01 2009-04-01 other",
            "p3 2011-03-01 2011-04-01 violent",
            "p6 2010-05-31 2010-08-01 violent",
        ),
        exits=exits("p7 2012-03-01 death"),
    )
    frames["people"]["ethnicity_group"] = ["white", "white", "white", "white", "white", "black", None, "white"]
    frames["people"]["hair"] = ["fair", "fair", "dark", "dark", "dark", "dark", "dark", "fair"]
    return oc.load_tables(frames)


def _row(found: oc.KAnonymity, change: str = "all columns") -> dict[str, object]:
    frame = found.to_frame()
    return frame[frame["change"] == change].iloc[0].to_dict()


def test_groups_are_counted(eight: oc.Tables) -> None:
    """Area, ethnicity, year: south-white-2010 has p3 p4 p5; north-white-2009 p1 p2; p6, p7 and p8 are alone."""
    found = oc.k_anonymity(eight, ["area", "ethnicity_group", "period"])
    assert _row(found) == {
        "columns": "area, ethnicity_group, period",
        "n_columns": 3,
        "change": "all columns",
        "people": 8,
        "classes": 5,
        "k": 1,
        "n_unique": 3,
        "share_unique": 3 / 8,
        "share_below_3": 5 / 8,
        "share_below_5": 1.0,
        "share_below_10": 1.0,
        "classes_all_reoffended": 1,
        "n_all_reoffended": 2,
    }
    assert found.k == 1


def test_each_column_is_left_out_in_turn_and_bands_are_made_coarser(eight: oc.Tables) -> None:
    found = oc.k_anonymity(eight, ["area", "ethnicity_group", "period"])
    frame = found.to_frame()
    changes = frame[frame["change"] != ""].set_index("change")["n_unique"].to_dict()
    assert changes == {
        "all columns": 3,
        "without area": 3,
        "without ethnicity_group": 1,
        "without period": 2,
        "period in fives of years": 2,
    }
    assert (
        "Most would be won by one change: without ethnicity_group, which leaves 1 alike with nobody."
        in found.describe()
    )


def test_a_person_is_dated_by_release_or_else_by_the_first_sentence(eight: oc.Tables) -> None:
    frame = oc.k_anonymity(eight, ["period"]).to_frame()
    assert frame[["classes", "k", "n_unique"]].iloc[0].tolist() == [3, 1, 1]  # 2009: 2, 2010: 5, 2012: 1


def test_an_offence_before_the_first_sentence_is_no_reoffence(eight: oc.Tables) -> None:
    assert _row(oc.k_anonymity(eight, ["sex", "hair"]))["n_all_reoffended"] == 0
    only_p6 = oc.k_anonymity(eight, ["ethnicity_group"])
    assert _row(only_p6)["classes_all_reoffended"] == 0


def test_columns_of_the_extracts_own_may_be_asked(eight: oc.Tables) -> None:
    assert _row(oc.k_anonymity(eight, ["hair", "prior_sanctions"]))["k"] == 3


def test_people_without_a_sentence_count_as_missing() -> None:
    frames = extract("p1 m1 community 2009-12-31 - 2010-01-10", "p2 m1 community 2009-01-01 - 2010-01-10")
    frames["people"] = rows("person_id sex ethnicity_group", "p1 male white", "p2 male white", "p3 male white")
    found = _row(oc.k_anonymity(oc.load_tables(frames)))
    assert (found["people"], found["classes"], found["k"]) == (3, 2, 1)


def test_few_columns_that_find_somebody_are_noted_with_the_fewest_first(eight: oc.Tables) -> None:
    (note,) = oc.k_anonymity(eight, ["area", "ethnicity_group"]).notes
    assert note.code == "small_groups"
    assert note.text.startswith("ethnicity_group: to know as little as this")
    assert oc.k_anonymity(eight, ["hair"]).notes == ()


def test_no_value_of_a_group_is_shown(eight: oc.Tables) -> None:
    found = oc.k_anonymity(eight, ["area", "ethnicity_group", "hair", "period"])
    said = " ".join(
        [repr(found), found.describe(), found._repr_html_(), found.to_frame().to_string(), str(found.notes)]
    )
    assert not any(
        value in said for value in ("black", "white", "fair", "dark", "south", "north", "2009", "2010", "2012")
    )
    assert "not for release" in said


def test_it_neither_pickles_nor_is_released(eight: oc.Tables) -> None:
    import pickle

    found = oc.k_anonymity(eight)
    with pytest.raises(DisclosureError):
        pickle.dumps(found)
    with pytest.raises(OutcomesError):
        oc.release(found, oc.DisclosurePolicy.preset("none"))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["sec"], "there is no column 'sec'. Did you mean 'sex'"),
        (["person_id"], "'person_id' is a key"),
        (["sex", "sex"], "a column is named twice"),
        ("sex", "columns is a list of names"),
        ([], "columns is a list of names"),
        (["_row"], "there is no column '_row'"),
    ],
)
def test_what_cannot_be_asked_is_said(eight: oc.Tables, columns: list[str], said: str) -> None:
    with pytest.raises(DataError, match=said.replace("(", r"\(")):
        oc.k_anonymity(eight, columns)


def _by_hand(tables: oc.Tables) -> pd.DataFrame:
    """Return the default columns a person, written down once more in another way."""
    first = tables.frame("sentences").sort_values("sentence_date", kind="stable").drop_duplicates("person_id")
    people = tables.frame("people").merge(first, on="person_id", how="left")
    last = tables.frame("reoffences").groupby("person_id")["offence_date"].max()
    day = people["release_date"].fillna(people["sentence_date"]).astype("int64")
    return pd.DataFrame(
        {
            "sex": people["sex"],
            "ethnicity_group": people["ethnicity_group"].fillna("-"),
            "age_band": (people["age_at_sentence"] // 5).astype(int),
            "area": people["area"],
            "index_offence_group": people["index_offence"].map(
                lambda t: "sexual" if t.startswith("sexual") else "violent" if t == "violent" else "other"
            ),
            "period": pd.to_datetime(day, unit="D").dt.year,
            "again": people["person_id"].map(last).fillna(-1e9) >= people["sentence_date"],
        }
    )


def test_every_set_of_columns_agrees_with_brute_force() -> None:
    tables = oc.load_tables(make_cohort(500, replicates=0, seed=4).tables)
    table, frame = _by_hand(tables), oc.k_anonymity(tables).to_frame()
    sets = [names for size in (1, 2, 3) for names in combinations(DEFAULT, size)]
    assert frame.loc[frame["change"] == "", "columns"].tolist() == [", ".join(names) for names in sets]
    table["tens"], table["fives"] = table["age_band"] // 2, table["period"] // 5
    changed = {
        "all columns": list(DEFAULT),
        **{f"without {name}": [other for other in DEFAULT if other != name] for name in DEFAULT},
        "age_band in tens of years": ["tens" if name == "age_band" else name for name in DEFAULT],
        "period in fives of years": ["fives" if name == "period" else name for name in DEFAULT],
    }
    assert frame.loc[frame["change"] != "", "change"].tolist() == list(changed)
    for names, (_, row) in zip([*changed.values(), *map(list, sets)], frame.iterrows(), strict=True):
        grouped = table.groupby(names)["again"].agg(["size", "sum"])
        alike = (grouped["size"] > 1) & (grouped["size"] == grouped["sum"])
        assert row["people"] == 500
        assert row["classes"] == len(grouped)
        assert row["k"] == grouped["size"].min()
        assert row["n_unique"] == (grouped["size"] == 1).sum()
        assert row["n_all_reoffended"] == grouped.loc[alike, "size"].sum()
        for limit in (3, 5, 10):
            share = grouped.loc[grouped["size"] < limit, "size"].sum() / 500
            assert row[f"share_below_{limit}"] == pytest.approx(share)


def test_the_order_of_rows_does_not_matter() -> None:
    frames = make_cohort(200, replicates=0).tables
    shuffled = {name: frame.sample(frac=1, random_state=1) for name, frame in frames.items()}
    pd.testing.assert_frame_equal(
        oc.k_anonymity(oc.load_tables(frames)).to_frame(), oc.k_anonymity(oc.load_tables(shuffled)).to_frame()
    )


def test_years_are_those_of_the_calendar() -> None:
    from outcomes.loading.births import year_of

    tables = oc.load_tables(make_cohort(50, replicates=0).tables)
    days = np.arange("1901-01-01", "2100-01-01", dtype="datetime64[D]")
    asked = f"SELECT {year_of('range')} FROM range({days[0].astype(int)}, {days[-1].astype(int) + 1})"
    years = [year for (year,) in tables.ask(asked)]
    assert (np.array(years) == days.astype("datetime64[Y]").astype(int) + 1970).all()
