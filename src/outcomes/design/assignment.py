"""Who is in which arm: the first qualifying start under each index sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from outcomes.design.study import Arms, ArmSpec
from outcomes.errors import DesignError, NotSupportedError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.loading.tables import Tables

__all__ = ["arm_programmes", "assign"]

_MADE_LATER = (  # by the baseline
    "age_at_time_zero",
    "wait_days",
    "period",
    "risk_score",
    "risk_band",
    "denial",
    "learning_disability",
)
_MADE_HERE = (
    "arm", "start_date", "referral_date", "site_id", "status", "started_both", "time_zero", "time", "end", "sex", "ethnicity_group",
    *_MADE_LATER,
)  # fmt: skip


def arm_programmes(tables: Tables, arms: Arms) -> dict[str, frozenset[int]]:
    """Return the programmes (integer ids) of each arm; none for the arm of people who started nothing.

    Raises
    ------
    DesignError
        A family, programme or strand the catalogue does not have, or a programme that two arms claim.
    """
    catalogue = tables.frame("programmes")
    found: dict[str, frozenset[int]] = {}
    for name, spec in arms.definitions.items():
        found[name] = frozenset() if spec.none else _programmes(name, spec, catalogue, tables.programme_ids)
    for name, ids in found.items():
        for other, others in found.items():
            if name < other and ids & others:
                raise DesignError(
                    f"[arms] {name} and {other} claim {len(ids & others)} of the same programmes; arms must not share any."
                )
    return found


def _programmes(arm: str, spec: ArmSpec, catalogue: pd.DataFrame, names: Mapping[str, int]) -> frozenset[int]:
    keep = np.ones(len(catalogue), dtype=bool)
    for column, wanted in (("family_id", spec.family), ("strand", spec.strand)):
        present = set(catalogue[column])
        for value in wanted:
            if value not in present:
                raise DesignError(
                    f"[arms] {arm}: no programme has {column} {value!r}. {did_you_mean(value, sorted(present))}"
                )
        if wanted:
            keep &= catalogue[column].isin(wanted).to_numpy()
    for value in spec.programme:
        if value not in names:
            raise DesignError(f"[arms] {arm}: no programme {value!r}. {did_you_mean(value, names)}")
    if spec.programme:
        keep &= catalogue["programme_id"].isin([names[value] for value in spec.programme]).to_numpy()
    if not keep.any():
        raise DesignError(f"[arms] {arm}: no programme fits all of its conditions.")
    return frozenset(int(i) for i in catalogue.loc[keep, "programme_id"])


def assign(tables: Tables, arms: Arms) -> pd.DataFrame:
    """Return one row a sentence with its arm.

    Columns: the sentence's own, ``arm`` (missing where none), ``start_date``, ``referral_date``, ``site_id``, ``status``,
    ``started_both`` (started programmes of two arms under the sentence).

    Notes
    -----
    Assigned by start: the first start, under the sentence, in a programme of any arm; later switches are ignored. With a
    window, starts later than that after release (custody) or sentence (community) do not count; starts before release do.
    An arm ``none = true`` takes those who, so counted, started no programme of another arm.
    """
    import pandas as pd

    if arms.assigned_by != "start":
        raise NotSupportedError(f"[arms] assigned_by = {arms.assigned_by!r} is not there yet; there is 'start'.")
    programmes = arm_programmes(tables, arms)
    arm_of = {programme: arm for arm, ids in programmes.items() for programme in ids}
    sentences = tables.frame("sentences")
    _refuse_own(
        "sentences", [name for name in sentences.columns if name in _MADE_HERE or str(name).startswith("eligible_")]
    )
    _refuse_own("people", [name for name in tables.frame("people").columns if name in ("time", "end", *_MADE_LATER)])
    taken = tables.frame("participation")
    taken = taken[taken["programme_id"].isin(arm_of)]
    taken = taken.assign(arm=taken["programme_id"].map(arm_of))
    referred = tables.frame("referrals")[["referral_id", "referral_date"]]
    taken = taken.merge(referred, on="referral_id", how="left")
    basis = sentences[["sentence_id", "sentence_date", "release_date", "setting"]]
    taken = taken.merge(basis, on="sentence_id", how="inner")
    if arms.window is not None:
        from_day = taken["release_date"].where(taken["setting"] == "custody", taken["sentence_date"])
        in_time = (taken["start_date"] <= from_day + arms.window).fillna(False) | from_day.isna()
        taken = taken[in_time]  # a release that has not come is later than any start
    taken = taken.sort_values(["sentence_id", "start_date", "participation_id"], kind="stable")
    both = taken.groupby("sentence_id")["arm"].nunique()
    first = taken.drop_duplicates("sentence_id")[
        ["sentence_id", "arm", "start_date", "referral_date", "site_id", "status"]
    ]
    joined = sentences.merge(first, on="sentence_id", how="left")
    joined["started_both"] = joined["sentence_id"].map(both).fillna(0).to_numpy() > 1
    untreated = [name for name, spec in arms.definitions.items() if spec.none]
    if untreated:
        joined["arm"] = joined["arm"].where(joined["arm"].notna(), untreated[0])
    return pd.DataFrame(joined)


def _refuse_own(table: str, own: list[str]) -> None:
    """Refuse columns of the extract that are called like those a cohort makes."""
    if own:
        raise DesignError(
            f"build_cohort: table {table} has columns of its own called {', '.join(own)}, which a cohort makes itself. Rename them with "
            f"[columns] {table} = {{ theirs = ours }}."
        )
