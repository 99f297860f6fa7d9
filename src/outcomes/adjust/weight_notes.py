"""What a reader must know beside weights: whom they leave out, whom they lean on, and how much of the sample is left."""

from __future__ import annotations

import numpy as np

from outcomes.adjust.entry_rules import entry_rule_notes
from outcomes.adjust.trimming import Trim, trimmed_how
from outcomes.adjust.weight_fit import FittedWeights
from outcomes.design.data import SurvivalData
from outcomes.results import Array, Note
from outcomes.survival.design_matrix import in_few_words

__all__ = ["weight_notes"]

_LARGE = 0.10  # share of an arm's weight carried by one person
_A_COLUMN = 10  # people of the smallest arm


def weight_notes(
    data: SurvivalData, made: FittedWeights, *, estimand: str, method: str, trim: Trim, columns: int
) -> tuple[Note, ...]:
    """Return the notes of weights for `data`, from how they were made; `columns` is the number of columns of the score."""
    by_arm = [made.values[data.arm == a] for a in range(len(data.arms))]
    return (
        *entry_rule_notes(data),
        *_given(made),
        *_one_arm_only(data, made, method),
        *_trimmed(data, made, trim),
        *_few_people(data, made, columns),
        *_poor_overlap(data.arms, by_arm, estimand),
        *_large_weights(data.arms, by_arm),
    )


def _given(made: FittedWeights) -> list[Note]:
    if made.fit.design is not None:
        return []
    text = (
        f"The scores were given ({', '.join(made.fit.telling)}): intervals take them as known, as if they had not been estimated, and how "
        "they were made is not known here."
    )
    return [Note("scores_given", text)]


def _one_arm_only(data: SurvivalData, made: FittedWeights, method: str) -> list[Note]:
    """Say whom the covariates keep from an arm; entropy balancing takes them where the means can be had with them."""
    out = made.fit.certain & (made.values == 0)
    certain = [int(out[data.arm == a].sum()) for a in range(len(data.arms))]
    if not sum(certain) or method == "entropy":
        return []
    telling = in_few_words(made.fit.telling)
    whose = "that an arm of the comparison lacks" if len(data.arms) > 2 else "that only their own arm has"
    text = (
        f"{sum(certain):,} people ({_counted(data, certain)}) have covariates {whose} ({telling}); they count for nothing, "
        "and the answer is not about them."
    )
    return [Note("one_arm_only", text)]


def _trimmed(data: SurvivalData, made: FittedWeights, trim: Trim) -> list[Note]:
    trimmed = [int((~made.kept[data.arm == a]).sum()) for a in range(len(data.arms))]
    if not sum(trimmed):
        return []
    text = (
        f"{sum(trimmed):,} people ({_counted(data, trimmed)}) lie outside the trimming bounds ({trimmed_how(trim)}) and count for nothing; "
        "the population changed."
    )
    return [Note("trimmed", text)]


def _few_people(data: SurvivalData, made: FittedWeights, columns: int) -> list[Note]:
    people = data.people_by_arm()
    smallest = int(people.argmin())
    if made.fit.design is None or people[smallest] >= _A_COLUMN * columns:
        return []
    text = (
        f"Arm {data.arms[smallest]} has {people[smallest]:,} people for {columns} columns of the score: fewer than 10 a column. "
        "The score may chase accidents of this sample."
    )
    return [Note("few_people", text)]


def _poor_overlap(arms: tuple[str, ...], by_arm: list[Array], estimand: str) -> list[Note]:
    shares = [float(w.sum() ** 2 / (w**2).sum() / len(w)) for w in by_arm]
    if min(shares) >= 0.5 or estimand not in {"ate", "att", "atc"}:
        return []
    which = "either" if len(arms) == 2 else "any"
    text = (
        f"Weighting leaves {100 * min(shares):.0f} % of the effective sample of arm {arms[int(np.argmin(shares))]}. Overlap weights "
        f"(estimand='ato') ask about the people who might have gone to {which} arm, for whom the data can speak."
    )
    return [Note("poor_overlap", text)]


def _large_weights(arms: tuple[str, ...], by_arm: list[Array]) -> list[Note]:
    heavy = [(arm, float(w.max() / w.sum())) for arm, w in zip(arms, by_arm, strict=True) if w.max() > _LARGE * w.sum()]
    return [
        Note("large_weight", f"One person carries {100 * share:.0f} % of the weight of arm {arm}.")
        for arm, share in heavy
    ]


def _counted(data: SurvivalData, counts: list[int]) -> str:
    return ", ".join(f"{n:,} in {arm}" for n, arm in zip(counts, data.arms, strict=True))
