"""What a fitted Cox model is, and what it can be asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from outcomes.errors import NotSupportedError
from outcomes.results import Array
from outcomes.survival.concordance import Concordance, concordance_of
from outcomes.survival.cox_curves import CoxCurves, baseline_frame, predicted
from outcomes.survival.cox_inference import overall_tests, term_table
from outcomes.survival.cox_profile import profile_table
from outcomes.survival.cox_residuals import residual_frame
from outcomes.survival.cox_standardised import StandardisedCurves, standardised
from outcomes.survival.cox_variance import coefficient_derivative, influence_of
from outcomes.survival.partial_likelihood_fit import PartialLikelihoodFit
from outcomes.survival.proportionality import ProportionalHazards, score_test

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["Cox"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Cox(PartialLikelihoodFit):
    """A fitted Cox model; p terms.

    Attributes
    ----------
    loglik_null, loglik : float
        Log partial likelihood at 0 and at the estimate; the penalised one where `penalty` is ``"firth"``.
    score_statistic : float
        Score test of all terms at 0.
    strata : tuple of str
    offset : str or None
        Column of the offset, where it has one.
    penalty : str or float or None
        ``"firth"``, or the weight of a ridge.

    Notes
    -----
    The other attributes are those of `PartialLikelihoodFit`.
    """

    score_statistic: float
    strata: tuple[str, ...] = ()
    offset: str | None = None
    penalty: str | float | None = None

    drawing: ClassVar[str | None] = "intervals"
    title: ClassVar[str] = "Cox regression"

    @property
    def owners(self) -> tuple[str, ...]:
        """Term of the formula each column belongs to."""
        return self.design.terms

    @cached_property
    def slopes(self) -> Array:
        """Derivative of the coefficients by each person's weight, shape (P, p)."""
        return coefficient_derivative(self)

    @cached_property
    def _profile(self) -> pd.DataFrame:
        return profile_table(self)

    def to_frame(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row a term: estimate, std_error, statistic, df, p_value, conf_low, conf_high.

        Beside them outcome, cause, term, measure, n and n_events.
        Estimates are log hazard ratios; ``exponentiate=True`` gives hazard ratios and limits (std_error stays on the log scale).
        With clusters std_error is the jackknife's; statistic, p_value and limits multiply it by √(G/(G−1)) for G clusters and are
        read on t with df degrees of freedom. With ``penalty="firth"`` p_value and limits are of the penalised likelihood's profile.
        """
        profile = self._profile if self.penalty == "firth" else None
        return term_table(self, exponentiate=exponentiate, profile=profile)

    def summary(self) -> pd.DataFrame:
        """Return hazard ratios with limits, one row a term."""
        frame = self.to_frame(exponentiate=True)
        return frame[["term", "estimate", "conf_low", "conf_high", "p_value"]].rename(
            columns={"estimate": "hazard_ratio"}
        )

    def tests(self) -> pd.DataFrame:
        """Return the tests of all terms at once: test, statistic, df, p_value.

        Wald always (with the covariance in use; missing where there are not more clusters than terms); likelihood-ratio and score
        only where the likelihood is one of independent rows, and of the penalised likelihood where it is Firth's.
        """
        return overall_tests(self)

    def profile(self) -> pd.DataFrame:
        """Return likelihood-ratio tests and profile-likelihood limits: one row a term.

        Columns: term, estimate (log hazard ratio), statistic (likelihood ratio, one degree of freedom), p_value, conf_low,
        conf_high; a limit is infinite where the likelihood never falls far enough.

        Raises
        ------
        NotSupportedError
            Weighted, clustered or robust fits, exact ties and ridges: what is profiled must be a likelihood of independent rows.
        """
        return self._profile.copy()

    def proportional_hazards(self, *, transform: str = "km", by_term: bool = True) -> ProportionalHazards:
        """Return the score test of proportional hazards, by term and for all terms.

        Parameters
        ----------
        transform : {"km", "identity", "log", "rank"}
            Function of time the coefficients are tested against.
        by_term : bool
            One test a term of the formula (a factor's levels together); False: one a column.

        Notes
        -----
        Where the model is weighted, clustered, robust or has several rows a person, the score of term x g(t) is tested with the variance
        of people's (or clusters') own scores; it does not change with the scale of the weights. A test of as many terms as there
        are clusters does not exist and is missing.
        """
        return score_test(self, transform=transform, by_term=by_term)

    def influence(self, terms: str | Sequence[str] | None = None, *, variance: str | None = None) -> Array:
        """Return each person's influence on the coefficients, shape (P, p); summed by cluster its square is the covariance.

        Parameters
        ----------
        terms : str or list of str, optional
            Some of `terms`, in this order; default all.
        variance : {"robust", "stacked"}, optional
            Whether weights count as known or as estimated; default as in the result.
        """
        return influence_of(self, terms, variance)

    def residuals(self, kind: str = "martingale", *, by: str = "row") -> pd.DataFrame:
        """Return residuals, one row of the result a row of ``data.frame`` (or a person).

        Parameters
        ----------
        kind : {"martingale", "deviance", "score", "dfbeta", "dfbetas", "schoenfeld", "scaled_schoenfeld"}
            Martingale: events less expected ones. Deviance: the same, made symmetric. Score: contribution to the score of each
            term. Dfbeta: how much each coefficient falls when the row is left out, and dfbetas in standard errors. Schoenfeld:
            covariates less their mean at risk, at each event; scaled: in units of the coefficients, around their estimate.
        by : {"row", "person"}
            Whether a person's rows are added up.

        Returns
        -------
        pandas.DataFrame
            One column named as the kind, or one a term. Schoenfeld residuals have a row an event, with its time (and strata).
            Rows without a weight have none; weights are in dfbeta and dfbetas only.
        """
        return residual_frame(self, kind, by)

    def baseline_hazard(self) -> pd.DataFrame:
        """Return the cumulative hazard at covariates 0 (and no offset): strata, time, cumulative_hazard, n_events; a row an event time."""
        return baseline_frame(self)

    def predict(
        self,
        new: pd.DataFrame,
        *,
        times: float | str | Iterable[float | str] | None = None,
        conf_type: str = "log-log",
        conf_level: float | None = None,
    ) -> CoxCurves:
        """Return the share still free of the event over time at the covariates of each row of `new`.

        Parameters
        ----------
        new : pandas.DataFrame
            The formula's columns (arms by name), strata and offset. A person's covariates are taken to stay as they are.
        times : time or list of times, optional
            Default: every event time (evenly spread ones where there are more than 500).
        conf_type : {"log-log", "log", "plain", "logit", "arcsine"}
        conf_level : float, optional
            Default: the model's.

        Raises
        ------
        EstimationError
            Missing or unknown columns, levels or strata.
        NotSupportedError
            Data that hold every event of a person: there a rate is modelled, and nobody stays free.
        """
        return predicted(self, new, times, conf_type, self.conf_level if conf_level is None else conf_level)

    def standardised(self, *, over: str | None = None, conf_type: str = "log-log") -> StandardisedCurves:
        """Return the curve of each arm had everybody been in it: predictions at each person's covariates, averaged (g-formula).

        Parameters
        ----------
        over : str, optional
            Average over the people of this arm only; default everybody.
        conf_type : {"log-log", "log", "plain", "logit", "arcsine"}

        Returns
        -------
        StandardisedCurves
            Taken by ``compare(curves, measure="risk_difference", at=…)``; ``at(times)`` gives the tidy columns of other curves.

        Raises
        ------
        NotSupportedError
            No arm in the formula, covariates that change over time, every event of a person, exact ties or a penalty.
        """
        return standardised(self, over, conf_type)

    def concordance(self, *, time_weight: str = "n", up_to: float | str | None = None) -> Concordance:
        """Return the share of comparable pairs the model puts in the right order, with its standard error.

        Parameters
        ----------
        time_weight : {"n", "S", "S/G", "n/G2", "I"}
            How much a pair weighs at each event time: 1 (Harrell's C), by the event-free share over the number at risk, by that share
            over the uncensored one too, by 1 over the squared uncensored share (Uno's C), by 1 over the number at risk.
        up_to : time, optional
            Count pairs whose event comes by this time only.
        """
        return concordance_of(self, time_weight, up_to)

    def describe(self) -> str:
        """Return the hazard ratios in plain sentences."""
        parts = [
            f"{r['term']}: {r['estimate']:.2f} ({r['conf_low']:.2f} to {r['conf_high']:.2f})"
            for r in self.to_frame(exponentiate=True).to_dict("records")
        ]
        return (
            f"Hazard ratios for {self.cause} ({self.n:,} people, {self.n_events:,} events, {100 * self.conf_level:g} % intervals): "
            + "; ".join(parts)
            + ". Above 1 means sooner; read beside the test of proportional hazards and an absolute difference."
        )

    def refuse(self, what: str, *, exact: bool = False, penalised: bool = False) -> None:
        """Raise where `what` has no right answer for exact ties, or for a penalised fit."""
        if exact and self.ties == "exact":
            raise NotSupportedError(f"{what}: not with ties='exact'; fit with ties='efron'.")
        if penalised and self.penalty is not None:
            raise NotSupportedError(f"{what}: not from a penalised fit; leave penalty= out.")
