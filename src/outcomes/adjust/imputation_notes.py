"""What must be said beside imputed values: how much is missing, where that asks too much, whether the chains have settled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from outcomes.adjust.imputation_columns import Variable
from outcomes.adjust.separation import independent
from outcomes.results import Array, Note
from outcomes.survival.arm_curves import head_count

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData

__all__ = ["about_chains", "about_missing", "how_many", "settled"]

_HALF = 0.5
_PEOPLE_A_COLUMN = 10
_FAR = 1.2  # between chains over within, above which they have not settled


def about_missing(data: SurvivalData, variables: Sequence[Variable], m: int) -> tuple[Note, ...]:
    """Return what the missing values themselves ask to be said.

    Parameters
    ----------
    data : SurvivalData
    variables : sequence of Variable
        All that took part.
    m : int
        Number of imputed sets.
    """
    notes, people = list[Note](), len(data.baseline)
    width = sum(v.column.width for v in variables) + len(data.arms) + 2 * len(data.causes)
    for v in (v for v in variables if v.n_missing):
        share, missing = v.n_missing / people, v.column.missing
        notes.append(Note("share_missing", f"{v.name} was imputed for {how_many(v)}."))
        if share > _HALF:
            text = f"{v.name} is missing for more than half: results rest on its imputation model. Show them without it too."
            notes.append(Note("mostly_missing", text))
        none = [a for a in range(len(data.arms)) if missing[data.arm == a].all()]
        if none:
            text = (
                f"Nobody in {' or '.join(_arm_named(data, a) for a in none)} has {v.name}: nothing says how it is there, and what was "
                "imputed supposes that it goes with the rest as in the other arms."
            )
            notes.append(Note("missing_in_arm", text))
        if people - v.n_missing < _PEOPLE_A_COLUMN * width:
            text = f"Too few people have {v.name} for a model of {width} columns: name fewer columns=."
            notes.append(Note("few_observed", text))
    some = np.any([v.column.missing for v in variables], axis=0).mean()
    if m < 100 * some:
        text = (
            f"{100 * some:.0f} % of people miss something, for {m} imputed sets; with at least as many sets as that percentage, another "
            "seed would change little."
        )
        notes.append(Note("few_sets", text))
    return (*notes, *_collinear(variables))


def how_many(variable: Variable) -> str:
    """Return how many people miss a column, as a sentence gives it: no number below 5."""
    people, missing = len(variable.column.values), variable.n_missing
    share = f" ({100 * missing / people:.1f} %)" if missing >= 5 else ""
    return f"{head_count(missing)} of {people:,} people{share}"


def _arm_named(data: SurvivalData, arm: int) -> str:
    """Return an arm as a note names it; one of fewer than 5 people is not named."""
    return f"arm {data.arms[arm]}" if (data.arm == arm).sum() >= 5 else "an arm of fewer than 5 people"


def _collinear(variables: Sequence[Variable]) -> tuple[Note, ...]:
    """Return which complete columns follow from those before them."""
    names, blocks = list[str](), list[Array]()
    for v in (v for v in variables if not v.n_missing):
        values = v.column.values
        block = (values[:, None] == np.arange(1, v.column.levels)).astype(float) if v.levels else values[:, None]
        names += [v.name] * block.shape[1]
        blocks.append(block)
    if not names:
        return ()
    kept = set(independent(np.concatenate(blocks, axis=1)))
    told = list(dict.fromkeys(name for j, name in enumerate(names) if j not in kept))
    if not told:
        return ()
    return (Note("collinear", f"Follows from other columns, and adds nothing to the models: {', '.join(told)}."),)


def about_chains(variables: Sequence[Variable], means: Sequence[Array]) -> tuple[Note, ...]:
    """Return which columns' chains still differ from one another by more than each moves."""
    far = [v.name for v, one in zip(variables, means, strict=True) if (settled(one) > _FAR).any()]
    if not far:
        return ()
    text = f"The chains of {', '.join(far)} have not settled: give more iterations= and look at plot()."
    return (Note("not_settled", text),)


def settled(means: Array) -> Array:
    """Return the potential scale reduction of chains over the second half of their iterations, shape (width,).

    Parameters
    ----------
    means : ndarray, shape (m, iterations, width)

    Notes
    -----
    Missing where there are fewer than four iterations.

    References
    ----------
    Gelman & Rubin (1992), Statistical Science 7:457.
    """
    half = means[:, means.shape[1] // 2 :]
    steps = half.shape[1]
    if means.shape[1] < 4:
        return np.full(means.shape[2], np.nan)
    within = half.var(axis=1, ddof=1).mean(axis=0)
    between = half.mean(axis=1).var(axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.sqrt((steps - 1) / steps + between / within)
    return np.asarray(np.where(within > 0, ratio, np.nan))
