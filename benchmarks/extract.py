"""A Parquet extract of as many invented people as wanted, to measure with: python benchmarks/extract.py 1e6 FOLDER.

Everything is drawn from a seed, a part of the people at a time, so that the memory it takes does not grow with the extract. The
tables break no rule of severity error. The people are no substitute for `outcomes.synthetic`: no effect is true here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from invented import catalogue, events, people, takeup

__all__ = ["write_extract"]

_PART = 250_000


def write_extract(folder: Path, n: int, seed: int = 2010) -> None:
    """Write an extract of `n` people to `folder`, one Parquet file a table; the same seed writes the same bytes.

    Parameters
    ----------
    folder : Path
        Made where it is not there; files of the same names are replaced.
    n : int
        People. There are about as many sentences and spells, twice as many reoffences.
    seed : int
        Start of every random draw.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in (
        ("programmes", catalogue.programmes()),
        ("provision", catalogue.provision()),
        ("eligibility", catalogue.eligibility()),
    ):
        _writer(folder, name, table).close()
    writers: dict[str, pq.ParquetWriter] = {}
    rows: dict[str, int] = {}
    for number, first in enumerate(range(0, n, _PART)):
        rng = np.random.default_rng([seed, number])
        for name, table in _part(rng, first, min(_PART, n - first), rows).items():
            if name in writers:
                writers[name].write_table(table)
            else:
                writers[name] = _writer(folder, name, table)
            rows[name] = rows.get(name, 0) + len(table)
    for writer in writers.values():
        writer.close()


def _part(rng: np.random.Generator, first: int, n: int, before: dict[str, int]) -> dict[str, pa.Table]:
    """Return the tables of `n` people; `before` counts the rows already written, for ids to go on from."""
    drawn = people.draw_people(rng, first, n)
    sentences, sentences_table = people.draw_sentences(drawn, before.get("sentences", 0), rng)
    taken = takeup.draw_takeup(drawn, sentences, before.get("referrals", 0), rng)
    reoffences, spells = events.draw_events(drawn, before.get("reoffences", 0), rng)
    return {
        "people": people.people_table(drawn, rng),
        "sentences": sentences_table,
        "assessments": people.assessments(drawn, rng),
        "referrals": takeup.referrals(drawn, sentences, taken, rng),
        "participation": takeup.participation(drawn, sentences, taken, before.get("participation", 0), rng),
        "reoffences": reoffences,
        "spells": spells,
        "exits": people.exits(drawn),
    }


def _writer(folder: Path, name: str, table: pa.Table) -> pq.ParquetWriter:
    """Return a writer that has written the first rows; readers see plain text, dates and numbers."""
    writer = pq.ParquetWriter(folder / f"{name}.parquet", table.schema, store_schema=False)
    writer.write_table(table)
    return writer


def main() -> None:
    """Write the extract the command line asks for."""
    parser = argparse.ArgumentParser(description="Write a Parquet extract of invented people.")
    parser.add_argument("people", type=lambda text: int(float(text)), help="how many, such as 1e6")
    parser.add_argument("folder", type=Path, help="where to write it")
    parser.add_argument("--seed", type=int, default=2010)
    asked = parser.parse_args()
    write_extract(asked.folder, asked.people, asked.seed)


if __name__ == "__main__":
    main()
