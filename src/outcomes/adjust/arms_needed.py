"""What every way to make arms alike asks of the data: arms of people, one row a person in each."""

from __future__ import annotations

from outcomes.design.data import SurvivalData
from outcomes.errors import EstimationError, NotSupportedError

__all__ = ["must_have_arms", "must_have_two_arms"]


def must_have_two_arms(data: SurvivalData, what: str) -> None:
    """Raise unless there are two arms, and what `must_have_arms` asks.

    Raises
    ------
    EstimationError
        Clones; an arm of fewer than two people.
    NotSupportedError
        One arm, or more than two; row counts.
    """
    if data.clones is None and len(data.arms) > 2:
        raise NotSupportedError(
            f"{what}: two arms are needed; these data have {len(data.arms)} ({', '.join(data.arms)}).{data.instead_of_arms}"
        )
    must_have_arms(data, what)


def must_have_arms(data: SurvivalData, what: str) -> None:
    """Raise unless there are two arms or more, with two people each at least, and everybody is one person in one of them.

    Raises
    ------
    EstimationError
        Clones; an arm of fewer than two people.
    NotSupportedError
        One arm; row counts.
    """
    if data.clones is not None:
        raise EstimationError(
            f"{what}: clones of the same people stand in every arm, so being in one tells nothing of who they are. Take "
            "censoring_weights(data, formula)."
        )
    if len(data.arms) < 2:
        raise NotSupportedError(
            f"{what}: two arms are needed; these data have {len(data.arms)} ({', '.join(data.arms)}).{data.instead_of_arms}"
        )
    if data.frequency is not None:
        raise NotSupportedError(f"{what}: row counts (frequency) are not supported here; give one row a person.")
    for arm, people in zip(data.arms, data.people_by_arm(), strict=True):
        if people < 2:
            raise EstimationError(
                f"{what}: arm {arm!r} has fewer than two people ({people}); nobody can be made alike to so few."
            )
