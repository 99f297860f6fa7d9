"""Regression models pooled over imputed sets: coefficients and their covariance by Rubin's rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from outcomes.adjust.rubin import JointTest, RubinRows, pooled_covariance, pooled_test, rubin
from outcomes.comparison.pooled_results import OfEachSet, Pooled, about_pooling, asked_of, notes_of_all, same_in_all
from outcomes.errors import NotSupportedError
from outcomes.results import Array, read_only
from outcomes.survival.cause_specific_hazards import CauseSpecific
from outcomes.survival.coefficient_table import coefficient_columns
from outcomes.survival.cox_result import Cox
from outcomes.survival.few_clusters import FewClusters, few_clusters
from outcomes.survival.fine_gray_result import FineGray
from outcomes.survival.mean_time_regression import RmstRegression
from outcomes.survival.parametric_results import Parametric
from outcomes.survival.rate_models import RateModel
from outcomes.survival.recurrent_models import AndersenGill, PrenticeWilliamsPeterson

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from outcomes.design.data import SurvivalData

__all__ = [
    "PooledCauseSpecific",
    "PooledCox",
    "PooledFineGray",
    "PooledParametric",
    "PooledRateModel",
    "PooledRmstRegression",
    "pool_cause_specific",
    "pool_cox",
    "pool_fine_gray",
    "pool_parametric",
    "pool_rate_models",
    "pool_rmst_regression",
]

_Model = TypeVar("_Model")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class _PooledCoefficients(Pooled):
    """What pooled regressions share.

    Attributes
    ----------
    few : FewClusters
        What multiplies variances, and degrees of freedom, term by term.
    joint : JointTest or None
        That all coefficients are 0.
    """

    few: FewClusters
    joint: JointTest | None = None
    tabled: ClassVar[bool] = True

    def _table(
        self, plain: pd.DataFrame, ratios: pd.DataFrame | None, estimate: Array, covariance: Array, conf_level: float
    ) -> pd.DataFrame:
        """Return the model's table (as `ratios` where given) with pooled tests and limits, relative_increase and fmi."""
        found = coefficient_columns(estimate, covariance, self.few, conf_level, exponentiate=False)
        shown = (plain if ratios is None else ratios).copy()
        logs = np.zeros(len(plain), dtype=bool)
        if ratios is not None:
            logs = (plain["measure"] != ratios["measure"]).to_numpy()
        for name, values in found.items():
            with np.errstate(over="ignore"):
                raised = np.exp(values) if name in ("estimate", "conf_low", "conf_high") else values
            shown[name] = np.where(logs, raised, values)
        return shown.assign(relative_increase=self._rubin.relative_increase, fmi=self._rubin.fmi)

    def _joint_row(self) -> pd.DataFrame:
        import pandas as pd

        if self.joint is None:
            raise NotSupportedError(
                "tests: the covariance of some set has no inverse, so there is no test of all terms."
            )
        one = self.joint
        return pd.DataFrame(
            [{"test": "wald (F)", "statistic": one.statistic, "df": one.df_numerator, "df_residual": one.df_residual,
              "p_value": one.p_value}]
        )  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PooledCox(_PooledCoefficients, Cox):
    """A Cox model pooled over imputed sets."""

    title: ClassVar[str] = "Cox regression, pooled over imputed sets"

    @property
    def n_events(self) -> int:
        """Number of events, frequencies counted."""
        return int(self.rows.deaths)

    def to_frame(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row a term, as `Cox.to_frame`, with relative_increase and fmi."""
        ratios = Cox.to_frame(self, exponentiate=True) if exponentiate else None
        return self._table(Cox.to_frame(self), ratios, self.coefficients, self.covariance, self.conf_level)

    def tests(self) -> pd.DataFrame:
        """Return the test of all terms at once (Li, Raghunathan & Rubin): test, statistic (F), df, df_residual, p_value."""
        return self._joint_row()

    def describe(self) -> str:
        """Return the hazard ratios in plain sentences."""
        return f"{Cox.describe(self)} {self.pooled_in_words()}"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PooledAndersenGill(PooledCox, AndersenGill):
    """An Andersen–Gill model pooled over imputed sets."""

    title: ClassVar[str] = "Andersen–Gill regression, pooled over imputed sets"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PooledPrenticeWilliamsPeterson(PooledCox, PrenticeWilliamsPeterson):
    """A Prentice–Williams–Peterson model pooled over imputed sets."""

    title: ClassVar[str] = "Prentice–Williams–Peterson regression, pooled over imputed sets"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PooledFineGray(_PooledCoefficients, FineGray):
    """A Fine–Gray model pooled over imputed sets."""

    title: ClassVar[str] = "Fine–Gray regression, pooled over imputed sets"

    @property
    def n_events(self) -> int:
        """Number of events, frequencies counted."""
        return int(self.rows.deaths)

    def to_frame(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row a term, as `FineGray.to_frame`, with relative_increase and fmi."""
        ratios = FineGray.to_frame(self, exponentiate=True) if exponentiate else None
        return self._table(FineGray.to_frame(self), ratios, self.coefficients, self.covariance, self.conf_level)

    def tests(self) -> pd.DataFrame:
        """Return the test of all terms at once (Li, Raghunathan & Rubin): test, statistic (F), df, df_residual, p_value."""
        return self._joint_row()

    def describe(self) -> str:
        """Return the ratios in plain sentences."""
        return f"{FineGray.describe(self)} {self.pooled_in_words()}"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PooledParametric(_PooledCoefficients, Parametric):
    """A parametric model pooled over imputed sets."""

    drawing: ClassVar[str | None] = None  # its curves need the people of one set
    title: ClassVar[str] = "Parametric model, pooled over imputed sets"

    def to_frame(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row a coefficient, as `Parametric.to_frame`, with relative_increase and fmi."""
        ratios = Parametric.to_frame(self, exponentiate=True) if exponentiate else None
        return self._table(Parametric.to_frame(self), ratios, self.coefficients, self.covariance, self.conf_level)

    def plot(self, ax: Axes | None = None, *, horizon: float | None = None) -> Axes:
        """Refuse: the curves are averages over the people of one set."""
        raise NotSupportedError(f"plot: a pooled model has no people to average over. {_OF_PARAMETRIC}")

    def describe(self) -> str:
        """Return the ratios in plain sentences."""
        parts = [
            f"{r['term']} {r['estimate']:.2f} ({r['conf_low']:.2f} to {r['conf_high']:.2f})"
            for r in self.summary().to_dict("records")
        ]
        return (
            f"{self.distribution} model of the time to {self.cause} ({self.n:,} people, {self.n_events:,} events, "
            f"{100 * self.conf_level:g} % intervals): {'; '.join(parts)}. {self.pooled_in_words()}"
        )


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PooledRmstRegression(_PooledCoefficients, RmstRegression):
    """A regression of restricted mean time pooled over imputed sets."""

    title: ClassVar[str] = "Regression of restricted mean time, pooled over imputed sets"

    def to_frame(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row a term, as `RmstRegression.to_frame`, with relative_increase and fmi."""
        found = RmstRegression.to_frame(self, exponentiate=exponentiate)
        return found.assign(relative_increase=self._rubin.relative_increase, fmi=self._rubin.fmi)

    def describe(self) -> str:
        """Return the coefficients in words."""
        return f"{RmstRegression.describe(self)} {self.pooled_in_words()}"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PooledRateModel(_PooledCoefficients, RateModel):
    """A model of event rates pooled over imputed sets."""

    title: ClassVar[str] = "Model of event rates, pooled over imputed sets"

    def to_frame(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row a term, as `RateModel.to_frame`, with relative_increase and fmi."""
        ratios = RateModel.to_frame(self, exponentiate=True) if exponentiate else None
        return self._table(RateModel.to_frame(self), ratios, self.coefficients, self.covariance, self.conf_level)

    def describe(self) -> str:
        """Return the rate ratios in plain sentences."""
        return f"{RateModel.describe(self)} {self.pooled_in_words()}"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PooledCauseSpecific(Pooled, CauseSpecific):
    """Cause-specific Cox models pooled over imputed sets."""

    title: ClassVar[str] = "Cause-specific Cox regressions, pooled over imputed sets"

    def describe(self) -> str:
        """Return the hazard ratios of every cause in plain sentences."""
        own = " ".join(Cox.describe(model) for model in self.models.values())
        return f"{own} {self.pooled_in_words()}"

    def tests(self) -> pd.DataFrame:
        """Return the test of all terms at once (Li, Raghunathan & Rubin), by cause."""
        import pandas as pd

        return pd.concat([m.tests().assign(cause=cause) for cause, m in self.models.items()], ignore_index=True)


@dataclass(frozen=True)
class _PooledNumbers:
    rows: RubinRows
    covariance: Array
    few: FewClusters
    joint: JointTest | None


def _pooled(estimates: Array, covariances: Array, few: FewClusters, df_complete: float | None) -> _PooledNumbers:
    """Return coefficients (m, k) pooled with their covariances (m, k, k).

    The factor of few clusters multiplies what varies within a set, and nothing of what varies between them.
    """
    variances = np.diagonal(covariances, axis1=1, axis2=2)
    complete = few.df if df_complete is None else np.full(len(few.df), float(df_complete))
    rows = rubin(estimates, variances * few.factor, complete)
    total = pooled_covariance(estimates, covariances)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(np.diag(total) > 0, rows.total / np.diag(total), few.factor)
    try:
        joint = pooled_test(estimates, covariances)
    except np.linalg.LinAlgError:
        joint = None
    return _PooledNumbers(rows, total, FewClusters(factor, rows.df, few.notes), joint)


def _made(kind: type[_Model], first: Any, **changed: Any) -> _Model:
    """Return a pooled result: the fields of one set's result, but for those that are changed; no array is one set's."""
    own = {f.name: getattr(first, f.name) for f in fields(first)}
    kept = {name: OfEachSet(_ONE_SET) if isinstance(value, np.ndarray) else value for name, value in own.items()}
    return kind(**{**kept, **changed})


_ONE_SET = "Ask it of the result of one set: pool(imputed, lambda data: …) takes any function of the data."


_OF_PARAMETRIC = "Do it inside: pool(imputed, lambda data: parametric(data, …).at(times))."


_OF_EVERY_EVENT: Mapping[type[Cox], type[PooledCox]] = {
    AndersenGill: PooledAndersenGill,
    PrenticeWilliamsPeterson: PooledPrenticeWilliamsPeterson,
}


def pool_cox(models: Sequence[Cox], data: SurvivalData, df_complete: float | None) -> PooledCox:
    """Return Cox models pooled."""
    if any(model.penalty == "firth" for model in models):
        raise NotSupportedError(
            "pool: limits under Firth's penalty are of a profile likelihood, and Rubin's rules pool variances. Fit without penalty, or "
            "with a ridge (penalty=0.1)."
        )
    kind = next((pooled for own, pooled in _OF_EVERY_EVENT.items() if isinstance(models[0], own)), PooledCox)
    return _pool_partial_likelihood(kind, models, data, df_complete, "cox(data, …)")


def pool_fine_gray(models: Sequence[FineGray], data: SurvivalData, df_complete: float | None) -> PooledFineGray:
    """Return Fine–Gray models pooled."""
    return _pool_partial_likelihood(PooledFineGray, models, data, df_complete, "fine_gray(data, …)")


def _pool_partial_likelihood(
    kind: type[_Model], models: Sequence[Any], data: SurvivalData, df_complete: float | None, call: str
) -> _Model:
    same_in_all(models, lambda one: (one.terms, one.cause, one.ties, one.conf_level), "the terms, cause or limits")
    first = models[0]
    few = few_clusters(first.data, first.asked, first.design.terms)
    found = _pooled(
        np.stack([one.coefficients for one in models]), np.stack([one.covariance for one in models]), few, df_complete
    )
    scale = "loglog" if issubclass(kind, PooledCox) else "cloglog"
    hint = (
        f"Do it inside: pool(imputed, lambda data: {call}.predict(new).at(times), scale='{scale}'), or pool(imputed, lambda data: "
        "compare(cox(data, …), measure='hazard_ratio'))."
    )
    held = OfEachSet(hint)
    design = OfEachSet(hint, columns=first.design.columns, terms=first.design.terms)
    none = float("nan")
    more: dict[str, Any] = {"score_statistic": none} if isinstance(first, Cox) else {"observation": held}
    more["away"] = tuple(dict.fromkeys(name for one in models for name in one.away))  # in some set is in doubt enough
    return _made(
        kind, first, data=data, asked=asked_of(first.asked, first.data, hint), design=design,
        coefficients=read_only(found.rows.estimate), covariance=read_only(found.covariance), model_covariance=held,
        loglik=none, loglik_null=none, rows=OfEachSet(hint, deaths=first.n_events), centre=held, scale=held,
        strata_levels=held, rubin=found.rows, few=found.few, joint=found.joint,
        notes=(*notes_of_all([one.notes for one in models]), *about_pooling(found.rows)), **more,
    )  # fmt: skip


def pool_parametric(models: Sequence[Parametric], data: SurvivalData, df_complete: float | None) -> PooledParametric:
    """Return parametric models pooled: their coefficients as the distribution takes them."""
    same_in_all(
        models, lambda one: (one.distribution, one.cause, one.design.parameter, one.design.term, one.conf_level),
        "the distribution, terms or limits",
    )  # fmt: skip
    first = models[0]
    few = few_clusters(first.data, first.asked, first.design.term)
    reported = np.stack([one.coefficients for one in models])
    found = _pooled(reported, np.stack([one.covariance for one in models]), few, df_complete)
    theta = np.stack([one.theta for one in models])
    hint, held = _OF_PARAMETRIC, OfEachSet(_OF_PARAMETRIC)
    return _made(
        PooledParametric, first, data=data, asked=asked_of(first.asked, first.data, hint),
        design=OfEachSet(hint, parameter=first.design.parameter, term=first.design.term),
        theta=read_only(theta.mean(axis=0)),
        theta_covariance=read_only(pooled_covariance(theta, np.stack([one.theta_covariance for one in models]))),
        theta_model_covariance=held, scores=held, loglik=float("nan"), rubin=found.rows, few=found.few, joint=found.joint,
        notes=(*notes_of_all([one.notes for one in models]), *about_pooling(found.rows)),
    )  # fmt: skip


def pool_rmst_regression(
    models: Sequence[RmstRegression], data: SurvivalData, df_complete: float | None
) -> PooledRmstRegression:
    """Return regressions of restricted mean time pooled."""
    same_in_all(
        models, lambda one: (one.terms, one.measure, one.horizon, one.conf_level), "the terms, measure or limits"
    )
    first = models[0]
    found = _pooled(
        np.stack([one.estimate for one in models]), np.stack([one.covariance for one in models]), first.few, df_complete
    )
    return _made(
        PooledRmstRegression, first, estimate=read_only(found.rows.estimate), covariance=read_only(found.covariance),
        rubin=found.rows, few=found.few, joint=found.joint,
        notes=(*notes_of_all([one.notes for one in models]), *about_pooling(found.rows)),
    )  # fmt: skip


def pool_rate_models(models: Sequence[RateModel], data: SurvivalData, df_complete: float | None) -> PooledRateModel:
    """Return models of event rates pooled."""
    same_in_all(models, lambda one: (one.terms, one.family, one.cause, one.conf_level), "the terms, family or limits")
    first = models[0]
    few = few_clusters(first.data, first.asked, first.terms)
    found = _pooled(
        np.stack([one.coefficients for one in models]), np.stack([one.covariance for one in models]), few, df_complete
    )
    hint = "Do it inside: pool(imputed, lambda data: …)."
    none = float("nan")
    return _made(
        PooledRateModel, first, data=data, asked=asked_of(first.asked, first.data, hint),
        coefficients=read_only(found.rows.estimate), covariance=read_only(found.covariance), theta=none, theta_std_error=none,
        loglik=none, deviance=none, dispersion=none, lr_against_poisson=none, rubin=found.rows, few=found.few, joint=found.joint,
        notes=(*notes_of_all([one.notes for one in models]), *about_pooling(found.rows)),
    )  # fmt: skip


def pool_cause_specific(
    models: Sequence[CauseSpecific], data: SurvivalData, df_complete: float | None
) -> PooledCauseSpecific:
    """Return cause-specific models pooled, cause by cause."""
    same_in_all(models, lambda one: tuple(one.models), "the causes")
    each = {c: pool_cox([one.models[c] for one in models], data, df_complete) for c in models[0].models}
    rows = [one.rubin for one in each.values() if one.rubin is not None]
    names = [f.name for f in fields(RubinRows) if f.name != "m"]
    joined = RubinRows(**{n: np.concatenate([getattr(r, n) for r in rows]) for n in names}, m=rows[0].m)
    return PooledCauseSpecific(
        models=MappingProxyType(each),
        rubin=joined,
        notes=(*notes_of_all([one.notes for one in models]), *about_pooling(joined)),
    )
