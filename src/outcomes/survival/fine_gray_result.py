"""What a fitted Fine–Gray model is, and what it can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from outcomes.errors import one_of
from outcomes.results import Array
from outcomes.survival.coefficient_table import coefficient_columns, wald_test
from outcomes.survival.competing_rows import CompetingRows
from outcomes.survival.estimates import by_person, stack
from outcomes.survival.few_clusters import few_clusters
from outcomes.survival.fine_gray_influence import score_influence
from outcomes.survival.incidence_predictions import PredictedIncidence, predicted_incidence
from outcomes.survival.inputs import Asked, ask_again
from outcomes.survival.observation_chances import Observation
from outcomes.survival.partial_likelihood_fit import PartialLikelihoodFit

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["FineGray"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class FineGray(PartialLikelihoodFit):
    """A fitted Fine–Gray model; p terms.

    Attributes
    ----------
    rows : CompetingRows
        The sorted rows it was fitted to, centred and scaled.
    observation : Observation
        The chances of being in view that weigh those who had a competing event.
    n_competing : int
        Number of competing events, frequencies counted.

    Notes
    -----
    The other attributes are those of `PartialLikelihoodFit`; ratios are of subdistribution hazards.
    """

    rows: CompetingRows
    observation: Observation
    n_competing: int

    drawing: ClassVar[str | None] = "intervals"
    title: ClassVar[str] = "Fine–Gray regression"

    @property
    def uncertain(self) -> Observation | None:
        """The chances of being in view where the variance counts them as estimated; None where it takes them as known."""
        return self.observation if self.ties == "breslow" else None

    @cached_property
    def scores(self) -> Array:
        """What each person adds to the score per unit of weight, on the scaled columns, shape (P, p)."""
        score = score_influence(self.rows, self.sums, self.uncertain, len(self.data.exit))
        if self.asked.within is not None:
            score *= self.asked.within[:, None]
        return by_person(score, self.data.person, len(self.data.baseline))

    @cached_property
    def slopes(self) -> Array:
        """Derivative of the coefficients by each person's weight, shape (P, p)."""
        found: Array = self.scores @ (self.model_covariance * self.scale[:, None])
        return found

    def to_frame(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row a term: estimate, std_error, statistic, df, p_value, conf_low, conf_high.

        Beside them outcome, cause, term, measure, n, n_events and n_competing. Estimates are log subdistribution hazard ratios;
        ``exponentiate=True`` gives ratios and their limits (std_error stays on the log scale). With clusters std_error is the
        jackknife's; statistic, p_value and limits multiply it by √(G/(G−1)) for G clusters and are read on t with df degrees of freedom.
        """
        import pandas as pd

        few = few_clusters(self.data, self.asked, self.design.terms)
        scale = "subdistribution_hazard_ratio"
        return pd.DataFrame(
            {
                "outcome": self.data.labels.get("outcome", ""),
                "cause": self.cause,
                "term": self.terms,
                "measure": scale if exponentiate else f"log_{scale}",
                **coefficient_columns(
                    self.coefficients, self.covariance, few, self.conf_level, exponentiate=exponentiate
                ),
                "n": self.n,
                "n_events": self.n_events,
                "n_competing": self.n_competing,
            }
        )

    def summary(self) -> pd.DataFrame:
        """Return subdistribution hazard ratios with limits, one row a term."""
        frame = self.to_frame(exponentiate=True)
        return frame[["term", "estimate", "conf_low", "conf_high", "p_value"]].rename(
            columns={"estimate": "subdistribution_hazard_ratio"}
        )

    def tests(self) -> pd.DataFrame:
        """Return the Wald test of all terms at once: test, statistic, df, df_residual (infinite without clusters), p_value.

        With clusters the p-value is Hotelling's, as that of one term in the table is on t; missing where there are not more clusters than
        terms. A pseudo-likelihood has no likelihood-ratio test.
        """
        import pandas as pd

        few = few_clusters(self.data, self.asked, self.design.terms)
        wald = wald_test(self.coefficients, self.covariance, few, self.asked.n_clusters)
        return pd.DataFrame([{"test": "wald", **wald}])

    def influence(self, *, variance: str | None = None) -> Array:
        """Return each person's influence on the coefficients, shape (P, p); summed by cluster its square is the covariance.

        Parameters
        ----------
        variance : {"robust", "stacked"}, optional
            Whether weights count as known or as estimated; default as in the result.
        """
        return stack(self.asked_as(variance), self.slopes)

    def asked_as(self, variance: str | None) -> Asked:
        """Return what was asked, with another kind of variance where one is named."""
        one_of(variance or "robust", ("robust", "stacked"), what="fine_gray: variance")
        return ask_again(self.data, self.asked, variance, what="fine_gray")

    def predict(self, new: pd.DataFrame, *, conf_type: str = "log-log") -> PredictedIncidence:
        """Return the cumulative incidence of the cause at covariates, one curve a row of `new`.

        Parameters
        ----------
        new : pandas.DataFrame
            One row a profile, with every column of the formula (``arm`` by name) and of `strata`. Its index names the profiles.
        conf_type : {"log-log", "log", "plain", "logit", "arcsine"}

        Returns
        -------
        PredictedIncidence
            ``at(times)`` and ``to_frame()``: profile, cause, time, estimate, std_error, conf_low, conf_high; ``plot()``.

        Raises
        ------
        EstimationError
            A column is not there or has missing values; a level or stratum the model was not fitted to.
        """
        return predicted_incidence(self, new, conf_type)

    def describe(self) -> str:
        """Return the ratios in plain sentences, and what they are and are not."""
        parts = [
            f"{r['term']}: {r['estimate']:.2f} ({r['conf_low']:.2f} to {r['conf_high']:.2f})"
            for r in self.to_frame(exponentiate=True).to_dict("records")
        ]
        return (
            f"Subdistribution hazard ratios for {self.cause} ({self.n:,} people, {self.n_events:,} events, "
            f"{self.n_competing:,} competing events, {100 * self.conf_level:g} % intervals): "
            + "; ".join(parts)
            + ". Above 1 means that a larger share has had the event by any time; the ratio says the direction, not by how many people. "
            "It is not a ratio of rates among people still at risk: it mixes what a term does to the event with what it does to "
            "the competing events. Read it beside cause-specific hazard ratios and the incidences themselves."
        )
