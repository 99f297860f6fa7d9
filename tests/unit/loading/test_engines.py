"""What an engine does for the tables, on the embedded DuckDB; and what the two engines' words for it are."""

from __future__ import annotations

import re
from typing import Any

import narwhals as nw
import pytest
from small_tables import small_tables

import outcomes as oc
from outcomes.errors import DataError
from outcomes.loading.duckdb_engine import DUCKDB, DuckDBEngine, open_duckdb
from outcomes.loading.engine import Keys
from outcomes.loading.spark_engine import SPARK


@pytest.fixture
def engine() -> DuckDBEngine:
    return DuckDBEngine(open_duckdb())


def _tables_in(engine: DuckDBEngine) -> int:
    return int(engine.ask("SELECT count(*) FROM duckdb_tables()")[0][0])


def test_what_is_made_is_kept_and_what_is_viewed_is_computed(engine: DuckDBEngine) -> None:
    engine.make("numbers", "SELECT range AS a FROM range(3)")
    engine.view("twice", f"SELECT 2 * a AS b FROM {engine.place('numbers')}")
    assert engine.columns("twice") == [("b", "BIGINT")]
    assert engine.ask(f"SELECT b FROM {engine.place('twice')} ORDER BY b") == [(0,), (2,), (4,)]
    assert engine.fetch(f"SELECT b FROM {engine.place('twice')} ORDER BY b DESC").to_pydict() == {"b": [4, 2, 0]}
    for name in ("twice", "numbers"):
        engine.drop(name)
    assert _tables_in(engine) == 0


def test_each_query_has_its_row_of_whole_numbers(engine: DuckDBEngine) -> None:
    assert engine.ask_each([]) == []
    assert engine.ask_each(["SELECT 1, 2", "SELECT 3"]) == [(1, 2), (3,)]


@pytest.mark.parametrize(
    ("keys", "numbers", "order"),
    [
        ("(20), (3), (100)", "all", [3, 20, 100]),
        ("('b'), ('a'), ('é'), ('B')", "none", ["B", "a", "b", "é"]),
        ("('b'), ('10'), ('9'), ('007')", "some", ["9", "10", "007", "b"]),
    ],
)
def test_keys_are_numbered_in_the_order_of_numbers_then_of_text(
    engine: DuckDBEngine, keys: str, numbers: Any, order: list[object]
) -> None:
    engine.number([Keys("ids", f"SELECT key FROM (VALUES {keys}) t(key)", numbers)])
    found = engine.ask(f"SELECT key, id FROM {engine.place('ids')} ORDER BY id")
    assert found == [(key, i) for i, key in enumerate(order, start=1)]


def test_a_branch_has_names_of_its_own(engine: DuckDBEngine) -> None:
    engine.make("numbers", "SELECT 1 AS a")
    branch = engine.branch()
    branch.make("numbers", f"SELECT a + 1 AS a FROM {engine.place('numbers')}")
    assert engine.ask(f"SELECT a FROM {engine.place('numbers')}") == [(1,)]
    assert branch.ask(f"SELECT a FROM {branch.place('numbers')}") == [(2,)]


def test_what_is_kept_is_forgotten_where_the_keeping_ends() -> None:
    tables = oc.load_tables(small_tables())
    assert isinstance(tables.engine, DuckDBEngine)
    before = _tables_in(tables.engine)
    late = tables.lazy("reoffences").filter(nw.col("offence_date") > 14_900)
    with tables.keeping():
        inside = tables.keep(late)
        assert tables.collect(inside)["reoffence_id"].to_pylist() == [1]
        assert _tables_in(tables.engine) == before + 1
    assert _tables_in(tables.engine) == before
    outside = tables.keep(late)
    assert tables.collect(outside.join(tables.lazy("people"), on="person_id"))["sex"].to_pylist() == ["male"]


def test_a_frame_that_fails_is_refused_without_a_value_in_the_error() -> None:
    tables = oc.load_tables(small_tables())
    wrong = tables.lazy("people").with_columns(number=nw.col("sex").cast(nw.Int64))
    for use in (tables.collect, tables.keep):
        with pytest.raises(DataError, match="the embedded engine stopped") as caught:
            use(wrong)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        assert "male" not in str(caught.value)


def test_frames_before_and_after_rows_are_left_out_join() -> None:
    frames = small_tables()
    frames["sentences"]["age_at_sentence"] = ["30", "40", "150", "25"]
    tables = oc.load_tables(frames)
    clean = tables.require_clean(drop=["plausible_values"])
    gone = tables.lazy("sentences").join(clean.lazy("sentences"), on="sentence_id", how="anti")
    assert tables.collect(gone)["sentence_id"].to_pylist() == [3]


def test_checks_are_found_once_and_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = oc.load_tables(small_tables())
    first = tables.checks
    monkeypatch.setattr("outcomes.loading.tables.run_checks", None)
    assert tables.checks is first


def test_ids_that_are_one_two_three_already_are_not_copied() -> None:
    frames = small_tables()
    for frame in frames.values():
        for column in frame.columns:
            if column.endswith("_id") and column != "family_id":
                frame[column] = frame[column].str[1:].astype("int64") if column != "programme_id" else frame[column]
    tables = oc.load_tables(frames)
    kept = {row[0] for row in tables.engine.ask("SELECT table_name FROM duckdb_tables()")}
    assert {"staged_people", "staged_sentences", "participation"} <= kept
    assert tables.frame("people")["person_id"].tolist() == [1, 2, 3, 4]


def test_text_of_any_kind_is_a_constant_in_both_dialects() -> None:
    assert DUCKDB.literal("driver's") == "'driver''s'"
    assert SPARK.literal("in custody, 2010") == "'in custody, 2010'"
    awkward = "white's \\ own\n\u00a0é"
    hidden = re.fullmatch(r"CAST\(X'([0-9a-f]+)' AS STRING\)", SPARK.literal(awkward))
    assert hidden is not None
    assert bytes.fromhex(hidden[1]).decode() == awkward


@pytest.mark.parametrize(
    ("family", "on_duckdb", "on_spark"),
    [
        ("integer", ["BIGINT", "UINTEGER"], ["bigint", "tinyint"]),
        ("decimal", ["DECIMAL(18,2)", "HUGEINT"], ["decimal(10,0)"]),
        ("float", ["DOUBLE", "FLOAT"], ["double", "float"]),
        ("date", ["DATE", "TIMESTAMP_NS"], ["date", "timestamp", "timestamp_ntz"]),
        ("instant", ["TIMESTAMP WITH TIME ZONE"], []),
        ("bool", ["BOOLEAN"], ["boolean"]),
        ("text", ["VARCHAR", "ENUM('a', 'b')", "UUID"], ["string", "varchar(5)", "string collate UTF8_LCASE"]),
        ("other", ["BIGINT[]", "STRUCT(a BIGINT)", "BLOB"], ["array<string>", "struct<a:int>", "binary"]),
    ],
)
def test_types_of_both_engines_hold_the_same_kinds_of_value(
    family: str, on_duckdb: list[str], on_spark: list[str]
) -> None:
    assert {DUCKDB.family(kind) for kind in on_duckdb} == {family}
    assert {SPARK.family(kind) for kind in on_spark} <= {family}


def test_the_embedded_engine_takes_no_more_memory_than_it_is_given() -> None:
    tables = oc.load_tables(small_tables(), memory_limit="300MB")
    (limit,) = tables.ask("SELECT current_setting('memory_limit')")[0]
    assert limit.split()[1] == "MiB"
    assert 280 < float(limit.split()[0]) < 301


def test_a_limit_that_is_no_size_is_refused_by_what_it_should_be() -> None:
    with pytest.raises(DataError, match=r"memory_limit 'lots' is none; expected a size such as '3GB'") as caught:
        oc.load_tables(small_tables(), memory_limit="lots")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
