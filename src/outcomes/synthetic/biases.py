"""The biases of an invented cohort, each a switch with a strength."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from outcomes.errors import DesignError

__all__ = ["Biases"]


@dataclass(frozen=True)
class Biases:
    """Strength of every bias; 0 switches one off, 1 is moderate, larger is stronger.

    Attributes
    ----------
    selection : float
        The manualised programme takes lower-risk, older people with fewer sanctions, the bespoke one the opposite:
        the log ratio of the two chances of starting is this times a linear score in risk band, age and sanctions.
    exclusion : float
        People in full denial or with a learning disability are refused by the manualised programme (at 1 or more,
        2 % of those who would have started slip through).
    non_referral : float
        Where only the manualised programme runs, people whom it refuses are not even referred to it.
    rollout_trend : float
        Hazards of reoffending fall from year to year while the manualised programme is rolled out.
    waits : float
        The manualised programme keeps people waiting longer before it starts in the community; hazards fall with time
        since sentence or release, so longer waits begin on a lower part of the curve.
    custody_delivery : float
        Time between a programme in custody and release, from which people are at risk.
    immortal_time : float
        Life goes on while people wait: who is taken away, dies or leaves between sentence or release and the start never
        starts, and is among those without a programme. The strength is the share of people sentenced to custody whose
        programme starts some time after release, on licence (20 % at 1).
    drop_out : float
        Starters drop out, more often the higher their risk and more often from the manualised programme; a
        drop-out keeps 30 % of the programme's effect.
    recall_by_arm : float
        People on licence are recalled more often after the manualised programme, less often after the bespoke one.
    conviction_lag : float
        Time from an offence to its proof, as a multiple of the usual one.
    detection : float
        Reoffences of people with a learning disability are proven less often.
    clustering : float
        Areas, and the sites and facilitators within them, have effects of their own.
    effect_modification : float
        Programmes do more for people at higher risk.
    unmeasured : float
        Something no table holds moves both the choice of programme and the hazard. Off by default.
    missing : float
        Baseline scores and bands (3 % of people at 1) and denial (2 % at 1) are missing. Off by default.

    Examples
    --------
    >>> from dataclasses import replace
    >>> Biases.none().selection, replace(Biases.none(), selection=2.0).selection
    (0.0, 2.0)
    """

    selection: float = 1.0
    exclusion: float = 1.0
    non_referral: float = 1.0
    rollout_trend: float = 1.0
    waits: float = 1.0
    custody_delivery: float = 1.0
    immortal_time: float = 1.0
    drop_out: float = 1.0
    recall_by_arm: float = 1.0
    conviction_lag: float = 1.0
    detection: float = 1.0
    clustering: float = 1.0
    effect_modification: float = 1.0
    unmeasured: float = 0.0
    missing: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            strength = getattr(self, field.name)
            if not math.isfinite(strength) or strength < 0:
                raise DesignError(f"Biases: {field.name} must be a number of at least 0; got {strength!r}.")

    @classmethod
    def none(cls) -> Biases:
        """Return a cohort's biases with every switch off."""
        return cls(**{field.name: 0.0 for field in fields(cls)})
