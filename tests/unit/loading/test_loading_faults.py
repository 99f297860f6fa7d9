"""Tables that break the structure: one error lists every fault, says where and how often, and hints at the right name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_tables import rows, small_tables

import outcomes as oc
from outcomes.errors import DataError
from outcomes.loading.identifiers import names_a_person


def _refused(source: Any, **options: Any) -> list[str]:
    """Return the faults an extract is refused for."""
    with pytest.raises(DataError) as caught:
        oc.load_tables(source, **options)
    return [line.removeprefix("  - ") for line in str(caught.value).splitlines() if line.startswith("  - ")]


def _with(table: str, **columns: Any) -> dict[str, pd.DataFrame]:
    frames = small_tables()
    frames[table] = frames[table].assign(**columns)
    return frames


def test_a_missing_table_with_the_nearest_name_that_is_there() -> None:
    frames = small_tables()
    frames["reofences"] = frames.pop("reoffences")
    assert _refused(frames) == ["reoffences: the table is missing. Did you mean 'reofences'?"]


def test_a_missing_column_with_the_nearest_name_that_is_there() -> None:
    frames = small_tables()
    frames["sentences"] = frames["sentences"].rename(columns={"release_date": "relase_date"})
    assert _refused(frames) == ["sentences.release_date: the column is missing. Did you mean 'relase_date'?"]


def test_names_that_are_not_near_are_not_listed() -> None:
    frames = small_tables()
    frames["sentences"] = frames["sentences"].rename(columns={"release_date": "Smith, 12 High Street"})
    assert _refused(frames) == ["sentences.release_date: the column is missing."]


def test_a_file_without_a_line_of_column_names(tmp_path: Path) -> None:
    for name, frame in small_tables().items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False, header=name != "people")
    faults = _refused(tmp_path)
    assert faults[0] == (
        "people: none of its columns is in people.csv; is the line of column names missing? "
        "Expected person_id, sex, ethnicity_group."
    )
    assert "p1" not in "".join(faults)


def test_cells_that_do_not_fit_are_counted_by_column() -> None:
    frames = _with(
        "sentences",
        sentence_date=["2008-01-01", "1/1/2010", "2/2/2010", "2008-06-01"],
        setting=["custody", "Community", "community", "hostel"],
        age_at_sentence=["30", "forty", "50", "25"],
    )
    frames["participation"] = frames["participation"].assign(voluntary=["perhaps", "no", "no", "no"])
    assert _refused(frames) == [
        "sentences.sentence_date: 2 of 4 rows: not a date; expected an ISO date such as 2010-03-31, or a whole number of days.",
        "sentences.setting: 2 of 4 rows: not a known code; expected one of custody, community. Map others in [codes].",
        "sentences.age_at_sentence: 1 of 4 rows: not a number.",
        "participation.voluntary: 1 of 4 rows: neither true nor false; expected true/false, yes/no, t/f, y/n or 1/0.",
    ]


def test_empty_cells_where_there_must_be_one() -> None:
    faults = _refused(_with("people", person_id=["p1", "", None, "p4"], sex=["male", "male", None, "female"]))
    assert faults[:2] == [
        "people.person_id: 2 of 4 rows: the cell is empty; a key never is.",
        "people.sex: 1 of 4 rows: the cell is empty and may not be.",
    ]


def test_a_person_who_is_there_twice() -> None:
    frames = small_tables()
    frames["people"] = pd.concat([frames["people"], frames["people"].iloc[:2]])
    assert _refused(frames) == ["people.person_id: 2 of 6 rows: the key is in the table already."]


def test_references_to_rows_that_are_not_there() -> None:
    frames = _with("participation", programme_id=["m1", "m2", "b1", "b3"], referral_id=["r1", "r9", None, "r4"])
    assert _refused(frames) == [
        "participation.programme_id: 2 of 4 rows: refers to nothing in programmes.programme_id.",
        "participation.referral_id: 1 of 4 rows: refers to nothing in referrals.referral_id.",
    ]


def test_every_fault_is_in_one_error() -> None:
    frames = _with("people", sex=["male", "m", "male", "female"])
    frames["people"] = pd.concat([frames["people"], frames["people"].iloc[:1]])
    frames["exits"] = rows("person_id exit_date reason", "p9 never death")
    del frames["spells"]
    frames["provision"] = frames["provision"].drop(columns="area")
    faults = _refused(frames)
    assert [fault.split(":")[0] for fault in faults] == [
        "spells",
        "provision.area",
        "people.sex",
        "exits.exit_date",
        "people.person_id",
        "exits.person_id",
    ]


@pytest.mark.parametrize(
    "name",
    ["Surname", "forename", "dob", "DateOfBirth", "date of birth", "postcode", "home_postcode", "NINO", "pnc_id", "nhs_number",
     "e-mail", "email2", "phone", "address_line_1", "CRN", "prison_no", "name", "offender_name", "victim_id"],
)  # fmt: skip
def test_a_column_whose_name_says_a_direct_identifier_is_refused(name: str) -> None:
    frames = small_tables()
    frames["people"][name] = "x"
    assert _refused(frames) == [
        f"people.{name}: the column's name says a direct identifier; take it out of the extract."
    ]


@pytest.mark.parametrize(
    "name",
    ["relation", "latency", "programme_name", "site_name", "employment", "long_term", "phonetic", "birthweight", "renamed",
     "population", "crowding", "nationality", "telling", "unemployed"],
)  # fmt: skip
def test_innocent_names_pass(name: str) -> None:
    assert not names_a_person(name)


def test_names_too_near_ours_are_refused_with_every_other_fault() -> None:
    frames = _with("referrals", _ROW="x", Site_ID="x", person_id=["p1", "p2", "p3", "p9"])
    frames["referrals"] = frames["referrals"].rename(columns={"stage": "Stage"})
    assert _refused(frames) == [
        "referrals.stage: the column is missing. Did you mean 'Stage'?",
        "referrals._ROW: the name is too near one of ours; rename it in [columns].",
        "referrals.Site_ID: the name is too near one of ours; rename it in [columns].",
        "referrals.person_id: 1 of 4 rows: refers to nothing in people.person_id.",
    ]


@pytest.mark.parametrize("name", ["people", "sentences", "programmes"])
def test_a_table_that_cannot_be_empty(name: str) -> None:
    frames = small_tables()
    frames[name] = frames[name].iloc[:0]
    assert f"{name}: the table has no rows." in _refused(frames)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"", "it is empty."),
        (b"person_id;sex;ethnicity_group\np1;male;white\n", "the cells are not separated by commas."),
        (b"person_id\tsex\tethnicity_group\np1\tmale\twhite\n", "the cells are not separated by commas."),
        (b"person_id,sex,ethnicity_group\np1,male\np2,male,white\np3,male,white,x\n",
         "1 line with too few cells, 1 line with too many cells."),
        (b"person_id,sex,ethnicity_group\np1,male,caf\xe9\np2,male,\xe9\n", "2 lines not in UTF-8."),
        ("person_id,sex,ethnicity_group\np1,male,white\n".encode("utf-16"), "its column names are not UTF-8 text."),
        (b"person_id,sex,ethnicity_group\np1,male,\"white\np2,male,black\n", "1 line with quotation marks in the wrong place."),
        (b"person_id,sex,sex\np1,male,white\n", "has two columns of one name"),
        (b"person_id,sex,Sex,ethnicity_group\np1,male,male,white\n", "has two columns of one name"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_csv_is_named_and_said_how(tmp_path: Path, written: bytes, said: str) -> None:
    for name, frame in small_tables().items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "people.csv").write_bytes(written)
    faults = _refused(tmp_path)
    assert faults[0].startswith("people: ")
    assert "people.csv" in faults[0]
    assert said in faults[0]
    assert not any("missing" in fault for fault in faults)


@pytest.mark.parametrize("cut", [0, 3, 40, -200])
def test_a_parquet_file_cut_short_is_named(tmp_path: Path, cut: int) -> None:
    for name, frame in small_tables().items():
        frame.to_parquet(tmp_path / f"{name}.parquet")
    file = tmp_path / "people.parquet"
    file.write_bytes(file.read_bytes()[:cut])
    assert _refused(tmp_path) == [
        "people: people.parquet cannot be read as Parquet; it is empty, cut short or of another kind."
    ]


def test_a_parquet_file_damaged_in_the_middle_is_named(tmp_path: Path) -> None:
    for name, frame in small_tables().items():
        frame.to_parquet(tmp_path / f"{name}.parquet", compression="gzip")
    file = tmp_path / "people.parquet"
    content = bytearray(file.read_bytes())
    content[20:120] = b"\xff" * 100
    file.write_bytes(content)
    assert _refused(tmp_path)[0].startswith("people: people.parquet cannot be read: it is damaged")


def test_a_table_that_is_there_as_two_files(tmp_path: Path) -> None:
    for name, frame in small_tables().items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    small_tables()["people"].to_parquet(tmp_path / "people.parquet")
    assert _refused(tmp_path) == ["people: the table is there twice, as people.csv and people.parquet."]


def test_a_frame_that_is_none_and_a_column_of_lists() -> None:
    assert _refused({**small_tables(), "exits": [1, 2]})[0].startswith("exits: a list cannot be read as a table.")
    frames = small_tables()
    frames["people"]["ties"] = [["p2"], ["p1"], [], []]
    assert _refused(frames)[0] == (
        "people: column 4 of people holds lists, structures or bytes; expected plain values."
    )


@pytest.mark.parametrize("source", ["nowhere", 7, {}, {"lookups": pd.DataFrame({"a": [1]})}])
def test_a_source_that_holds_nothing(source: Any) -> None:
    with pytest.raises(
        DataError, match=r"no folder or file called 'nowhere'|type int is not supported|none of the tables"
    ):
        oc.load_tables(source)


def test_an_empty_folder_and_a_file_that_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds none of the tables: people, sentences"):
        oc.load_tables(tmp_path)
    (tmp_path / "extract.xlsx").write_bytes(b"PK\x03\x04 no database")
    with pytest.raises(DataError, match="cannot be opened as a DuckDB file"):
        oc.load_tables(tmp_path / "extract.xlsx")


def test_mappings_that_speak_of_nothing() -> None:
    assert _refused(small_tables(), columns={"peple": {"a": "b"}}) == [
        "peple: [columns] speaks of a table that is none. Did you mean 'people'?"
    ]
    assert _refused(small_tables(), columns={"people": {"Sex": "sex"}})[0] == (
        "people.Sex: [columns] renames a column that is not there. Did you mean 'sex'?"
    )
    assert _refused(small_tables(), codes={"people.sexx": {"m": "male"}}) == [
        "people.sexx: [codes] speaks of a column the schema does not know. Did you mean 'people.sex'?"
    ]
    assert _refused(small_tables(), codes={"people.sex": {"m": "man"}}) == [
        "people.sex: [codes] maps to 'man', which is no code of ours; expected one of male, female."
    ]
    assert _refused(small_tables(), columns={"people": {"ethnicity_group": "sex"}}) == [
        "people: after [columns] two columns have one name."
    ]
