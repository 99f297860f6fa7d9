"""One default cohort for all tests of the room, and the person-level derivation they count with."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes.synthetic import SyntheticCohort, make_cohort

ANY = ("sexual_contact", "sexual_noncontact", "sexual_image", "violent", "acquisitive", "drugs", "other")
SEXUAL = ANY[:3]
FAMILIES = {"south_project": "bespoke", "core_manual": "manualised"}


class Counting:
    """The study's definitions, written in plain pandas and from the tables alone."""

    def people(self, cohort: SyntheticCohort) -> pd.DataFrame:
        """Return one row a person: arm by first start, time zero, last assessment by then, eligible for both."""
        tables = cohort.tables
        starts = tables["participation"].merge(tables["programmes"][["programme_id", "family_id"]], on="programme_id")
        starts = starts[starts["family_id"].isin(list(FAMILIES))]
        starts = starts.sort_values(["person_id", "start_date", "participation_id"]).drop_duplicates("person_id")
        people = tables["sentences"].merge(tables["people"], on="person_id")
        people = people.merge(starts[["person_id", "family_id", "start_date", "status"]], on="person_id", how="left")
        people["arm"] = people["family_id"].map(FAMILIES)
        people["origin"] = people["release_date"].fillna(people["sentence_date"])
        people["time_zero"] = people[["origin", "start_date"]].max(axis=1)
        people["age"] = people["age_at_sentence"] + (people["time_zero"] - people["sentence_date"]).dt.days / 365.25
        seen = tables["assessments"].merge(people[["person_id", "time_zero"]], on="person_id")
        seen = seen[seen["date"] <= seen["time_zero"]].sort_values(["person_id", "date"])
        people = people.merge(seen.groupby("person_id").tail(1).drop(columns=["time_zero", "date"]), on="person_id")
        admitted = (people["denial"] != "full") & ~people["learning_disability"].astype(bool)
        admitted &= people["index_offence"].isin(SEXUAL)
        people["in_both"] = admitted & people["arm"].notna() & (people["sex"] == "male") & (people["age"] >= 18)
        return people

    def first_proven(
        self, cohort: SyntheticCohort, people: pd.DataFrame, types: tuple[str, ...], within: int
    ) -> np.ndarray:
        """Return days from time zero to the first offence of these types in the community proven in time; inf if none."""
        found = cohort.tables["reoffences"].merge(people[["person_id", "time_zero"]], on="person_id")
        found = found[found["offence_type"].isin(types) & (found["offence_date"] >= found["time_zero"])]
        found = found[(found["proven_date"] - found["offence_date"]).dt.days <= within]
        spells = cohort.tables["spells"][["person_id", "start_date", "end_date"]]
        inside = found.merge(spells, on="person_id")
        end = inside["end_date"].fillna(pd.Timestamp("2100-01-01"))
        inside = inside[(inside["offence_date"] >= inside["start_date"]) & (inside["offence_date"] < end)]
        found = found[~found["reoffence_id"].isin(inside["reoffence_id"])]
        days = (found["offence_date"] - found["time_zero"]).dt.days.groupby(found["person_id"]).min()
        return people["person_id"].map(days).fillna(np.inf).to_numpy()

    def exits(self, cohort: SyntheticCohort, people: pd.DataFrame) -> np.ndarray:
        """Return days from time zero to death, deportation or loss; inf if none."""
        left = cohort.tables["exits"].set_index("person_id")["exit_date"]
        return (people["person_id"].map(left) - people["time_zero"]).dt.days.fillna(np.inf).to_numpy()


@pytest.fixture(scope="session")
def count() -> Counting:
    return Counting()


@pytest.fixture(scope="session")
def cohort() -> SyntheticCohort:
    """Everything at its default but for fewer replicates."""
    return make_cohort(seed=11, replicates=60)
