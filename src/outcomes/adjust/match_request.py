"""What a matching is asked for, checked: whom, by what distance, within what, in what order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outcomes.errors import EstimationError, NotSupportedError, one_of

__all__ = ["DISTANCES", "METHODS", "MatchRequest"]

METHODS = {
    "nearest": "each person takes the nearest who is left",
    "optimal": "pairs with the smallest sum of distances",
    "full": "sets of one person and several others, or the reverse, with the smallest sum of distances",
    "radius": "everyone within the caliper of a person stands for them together",
    "subclass": "classes of the score, by its quantiles in the people asked about",
    "exact": "people alike in every column",
    "cem": "people alike in every column once numbers are cut into classes",
}
DISTANCES = {
    "logit": "log odds of the propensity score",
    "score": "propensity score",
    "odds": "odds of the propensity score",
    "mahalanobis": "Mahalanobis distance of the covariates",
}
ESTIMANDS = {"pairs": ("att", "atc"), "strata": ("att", "atc", "ate")}
WHOLE = ("full", "subclass", "exact", "cem")  # methods that can answer for everyone
IN_STRATA = ("subclass", "exact", "cem")
ORDERS = ("largest", "smallest", "data", "random")


@dataclass(frozen=True, kw_only=True)
class MatchRequest:
    """The arguments of `match`, as one value.

    Attributes
    ----------
    limit_in_sd : float
        Widest distance, in standard deviations of it; infinite where there is none.
    widths : mapping of column to widest difference, in the column's own units
    alike, unlike : tuple of str
        Columns in which the people of a set must agree, and differ.
    cuts : mapping of column to number of classes or where to cut
    min_controls, max_controls : float
        Comparison people for each person asked about in a set of a full matching; 0 and infinite where any number.
    """

    method: str
    estimand: str
    distance: str
    ratio: int
    replace: bool
    limit_in_sd: float
    widths: Mapping[str, float]
    alike: tuple[str, ...]
    unlike: tuple[str, ...]
    order: str
    cuts: Mapping[str, int | Sequence[float]]
    subclasses: int
    min_controls: float
    max_controls: float
    seed: int | None

    @property
    def in_strata(self) -> bool:
        """Whether people are put into classes, rather than taken one by one."""
        return self.method in IN_STRATA

    @property
    def on_a_line(self) -> bool:
        """Whether distance is a difference of one number."""
        return self.distance != "mahalanobis"

    def __post_init__(self) -> None:
        one_of(self.method, METHODS, what="match: method")
        one_of(self.estimand, ESTIMANDS["strata"], what="match: estimand")
        one_of(self.distance, DISTANCES, what="match: distance")
        one_of(self.order, ORDERS, what="match: order")
        if self.estimand == "ate" and self.method not in WHOLE:
            raise NotSupportedError(
                f"match: method={self.method!r} finds comparison people for one arm, which answers 'att' or 'atc'. For everyone (ate) "
                "take method='full', 'subclass', 'cem' or 'exact', or weight()."
            )
        if self.ratio < 1:
            raise EstimationError(f"match: ratio must be 1 or more; got {self.ratio}.")
        for name, width in {"caliper": self.limit_in_sd, **self.widths}.items():
            if math.isnan(width) or width < 0:
                raise EstimationError(f"match: the caliper of {name!r} must be 0 or more.")
        if self.method == "radius":
            self._check_radius()
        if not (0 <= self.min_controls <= 1 <= self.max_controls):
            raise EstimationError(
                "match: min_controls lies between 0 and 1 (1/3: three people asked about may share one comparison person), max_controls is "
                f"1 or more; got {self.min_controls} and {self.max_controls}."
            )
        if self.order == "random" and self.seed is None:
            raise EstimationError("match: order='random' needs seed=, so that the same people are matched again.")
        if self.subclasses < 1:
            raise EstimationError(f"match: subclasses must be 1 or more; got {self.subclasses}.")
        self._refuse_what_says_nothing()

    def _check_radius(self) -> None:
        if not math.isfinite(self.limit_in_sd):
            raise EstimationError("match: method='radius' needs caliper=, in standard deviations of the distance.")
        if not self.on_a_line or self.widths or self.unlike:
            raise NotSupportedError(
                "match: method='radius' knows the caliper on the score, and exact=; not distance='mahalanobis', calipers= or antiexact=."
            )

    def _refuse_what_says_nothing(self) -> None:
        """Raise where an argument was given that the method does not look at."""
        nearest, pairs, full = self.method == "nearest", self.method in ("nearest", "optimal"), self.method == "full"
        given = {
            "ratio": (self.ratio != 1, pairs),
            "replace": (self.replace, nearest),
            "caliper": (math.isfinite(self.limit_in_sd), not self.in_strata),
            "calipers": (bool(self.widths), pairs or full),
            "antiexact": (bool(self.unlike), pairs or full),
            "min_controls": (self.min_controls != 0, full),
            "max_controls": (math.isfinite(self.max_controls), full),
            "cutpoints": (bool(self.cuts), self.method == "cem"),
        }
        for name, (is_given, is_used) in given.items():
            if is_given and not is_used:
                raise NotSupportedError(f"match: method={self.method!r} does not look at {name}=.")
