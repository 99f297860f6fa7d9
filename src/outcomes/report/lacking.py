"""Why a question cannot be asked of a study and its tables: looked at before anything is estimated."""

from __future__ import annotations

from outcomes.design.study import Study
from outcomes.loading.tables import Tables

__all__ = [
    "no_clients",
    "no_entry_rules",
    "no_fidelity",
    "no_follow_up_from_zero",
    "no_maintenance",
    "no_regimes",
    "no_replacement",
    "no_starters",
]


def _empty(tables: Tables, name: str) -> str:
    return "" if tables.counts.get(name, 0) else f"table {name} is not there, or has no rows"


def no_regimes(study: Study, tables: Tables) -> str:
    """Say whether everybody cannot be followed from the start under what was on offer."""
    return no_replacement(study, tables) or no_follow_up_from_zero(study, tables)


def no_replacement(study: Study, tables: Tables) -> str:
    """Say whether there are not two programmes, of which one may have replaced the other."""
    count = len(study.arms.treated)
    two = "" if count == 2 else f"it compares two arms with programmes, and the study has {count}"
    return two or _empty(tables, "provision")


def no_clients(study: Study, tables: Tables) -> str:
    """Say whether arms are not people who came to a programme."""
    offered = study.arms.assigned_by == "provision"
    return "it is about people who came to a programme, and [arms] assigned_by is 'provision'" if offered else ""


def no_entry_rules(study: Study, tables: Tables) -> str:
    """Say whether no programme can shut out anybody who came to another."""
    return no_clients(study, tables) or _empty(tables, "eligibility")


def no_starters(study: Study, tables: Tables) -> str:
    """Say whether people are not in the arms by what they started."""
    by = study.arms.assigned_by
    return "" if by == "start" else f"it is about people who started a programme, and [arms] assigned_by is {by!r}"


def no_fidelity(study: Study, tables: Tables) -> str:
    """Say whether no delivery was scored."""
    return no_starters(study, tables) or _empty(tables, "fidelity")


def no_maintenance(study: Study, tables: Tables) -> str:
    """Say whether the catalogue has no maintenance."""
    strands = tables.frame("programmes")["strand"].astype(str)
    return "" if (strands == "maintenance").any() else "no programme of the catalogue (table programmes) is maintenance"


def no_follow_up_from_zero(study: Study, tables: Tables) -> str:
    """Say whether some time at risk after time zero is not seen."""
    if study.follow_up.scale != "calendar":
        return f"it needs everyone at risk from time zero on, and [follow_up] scale is {study.follow_up.scale!r}"
    late = study.follow_up.observed_from is not None
    return (
        "it needs everyone seen from time zero on, and [follow_up] observed_from lets people enter late" if late else ""
    )
