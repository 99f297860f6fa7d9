"""What must be said beside the variation between sites: arms with one site, few sites, sites that serve several arms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from outcomes.results import Note
from outcomes.survival.few_clusters import FEW

if TYPE_CHECKING:
    from outcomes.comparison.site_models import ArmModel
    from outcomes.comparison.site_varying import People

__all__ = ["site_notes"]


def site_notes(people: People, models: Mapping[str, ArmModel], by: str, outcome: str) -> tuple[Note, ...]:
    """Return the notes of a variation between sites, or between teams."""
    one, many = ("site", "sites") if by == "site" else ("team", "teams")
    counts = dict(zip(people.arms, (int(n) for n in people.units), strict=True))
    notes = []
    for arm in [arm for arm, n in counts.items() if n == 1 and models[arm].varies]:
        text = (
            f"{arm} was run by one {one}: programme and {one} cannot be told apart, so that no variation between {many} and no interval of "
            f"its comparison can be given."
        )
        notes.append(Note("one_site", text))
    notes += _untold(models, counts, many, outcome)
    few = [f"{n:,} in {arm}" for arm, n in counts.items() if 1 < n < FEW]
    if few:
        text = f"Fewer than {FEW} {many} ({' and '.join(few)}): how much they vary is hardly known; read the limits of the ICC. "
        text += f"The interval of a comparison goes by the arm whose {many} are few, and may be very wide."
        notes.append(Note("few_sites", text))
    notes += _shared(people, one, many)
    if any(model.fit is not None and model.fit.between == 0 for model in models.values()):
        text = (
            f"Where no variation between {many} was found every {one} is put at the mean of its arm. That is no proof that they are alike: "
            "the upper limit of the ICC says how much they might differ."
        )
        notes.append(Note("no_variation_found", text))
    return tuple(notes)


def _untold(models: Mapping[str, ArmModel], counts: Mapping[str, int], many: str, outcome: str) -> list[Note]:
    """Say which arms bear no model, though they have several units or nothing to tell them by."""
    notes = []
    for arm, model in models.items():
        if model.why == "too_few":
            text = f"{arm} has too few people for its {counts[arm]:,} {many} and the covariates."
            notes.append(Note("too_few_people", text))
        if not model.varies:
            what = {
                "no_events": f"nobody had the event '{outcome}' by then",
                "all_events": f"everybody had the event '{outcome}' by then",
            }.get(model.why, f"the covariates tell all of who had the event '{outcome}' by then")
            text = f"In {arm} {what}: nothing can be said of how its {many} differ, nor of how it compares. Another horizon may."
            notes.append(Note("nothing_varies", text))
    return notes


def _shared(people: People, one: str, many: str) -> list[Note]:
    """Say whether arms met within sites: only there do arm and site come apart."""
    if len(people.arms) < 2:
        return []
    pairs = np.unique(np.stack([people.arm, people.place]), axis=1)
    ran = np.unique(pairs[1], return_counts=True)[1]
    both = int((ran > 1).sum())
    if not both:
        text = (
            f"No {one} ran programmes of two arms: what a programme does and what its {many} do are told apart only by there being many "
            f"{many}."
        )
        return [Note("nested_sites", text)]
    text = (
        f"{both:,} of {len(ran):,} {many} ran programmes of more than one arm; each counts once in every arm, as if what it does in "
        "one said nothing of the other."
    )
    return [Note("crossed_sites", text)]
