"""Fine–Gray regression worked out by hand: every pair of people and event time looked at, from the definitions and not from the library.

Events are 0 (censored), 1 (of interest) and 2 (competing). A person counts at an event time t with their weight while at risk on
(entry, exit], and after a competing event at T with the weight times the chance of being in view at t over that at T.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import root

Values = np.ndarray


@dataclass
class People:
    """One row a person: times, event, covariates (n, p), weight, and the strata of censoring and of the baseline."""

    entry: Values
    exit: Values
    event: Values
    x: Values
    weight: Values
    group: Values
    stratum: Values

    @property
    def n(self) -> int:
        return len(self.exit)


def in_view(people: People, k: int, t: float, exact: bool) -> float:
    """Return the chance of not being censored, and of having entered, before t in censoring stratum k."""
    own = [i for i in range(people.n) if people.group[i] == k]
    if t > max(people.exit[i] for i in own):
        return 0.0
    chance = 1.0
    for u in sorted({people.exit[i] for i in own if people.event[i] == 0}):
        if u < t:
            gone = sum(people.weight[i] for i in own if people.exit[i] == u and people.event[i] == 0)
            chance *= 1 - gone / sum(people.weight[i] for i in own if could_be_censored(people, i, u, exact))
    for e in sorted({people.entry[i] for i in own if people.entry[i] > 0}):
        if e >= t:
            came = sum(people.weight[i] for i in own if people.entry[i] == e)
            chance *= 1 - came / sum(people.weight[i] for i in own if people.entry[i] <= e < people.exit[i])
    return chance


def could_be_censored(people: People, i: int, u: float, exact: bool) -> bool:
    """Return whether i could be censored at u: with `exact` who has an event at u has had it before."""
    there = people.entry[i] < u <= people.exit[i]
    return there and not (exact and people.exit[i] == u and people.event[i] > 0)


def counts(people: People, exact: bool) -> tuple[list[tuple[float, int]], Values]:
    """Return the event times by baseline stratum, and what each person counts at each, shape (G, n)."""
    died = [i for i in range(people.n) if people.event[i] == 1]
    times = sorted({(float(people.exit[i]), int(people.stratum[i])) for i in died})
    share = np.zeros((len(times), people.n))
    for g, (t, s) in enumerate(times):
        for i in range(people.n):
            if people.stratum[i] != s:
                continue
            if people.entry[i] < t <= people.exit[i]:
                share[g, i] = 1.0
            elif people.event[i] == 2 and people.exit[i] < t:
                now, then = (in_view(people, people.group[i], at, exact) for at in (t, people.exit[i]))
                share[g, i] = now / then
    return times, share


def score(people: People, beta: Values, exact: bool, efron: bool) -> Values:
    """Return the score, by Breslow's or Efron's rule for ties."""
    times, share = counts(people, exact)
    risk = np.exp(people.x @ beta) * people.weight
    total = np.zeros(people.x.shape[1])
    for g, (t, s) in enumerate(times):
        tied = (people.exit == t) & (people.event == 1) & (people.stratum == s)
        number = int(tied.sum())
        for taken in range(number):
            kept = share[g] - (tied * taken / number if efron else 0.0)
            mean = (kept * risk) @ people.x / (kept * risk).sum()
            total -= people.weight[tied].mean() * mean
        total += people.weight[tied] @ people.x[tied]
    return total


def coefficients(people: People, *, exact: bool, efron: bool) -> Values:
    """Return where the score is 0."""
    start = np.zeros(people.x.shape[1])
    return np.asarray(root(lambda beta: score(people, beta, exact, efron), start, tol=1e-13).x)


def covariance(people: People, beta: Values) -> Values:
    """Return Fine and Gray's variance (Breslow's ties, everybody in view from the start), by loops over people and event times."""
    times, share = counts(people, False)
    n, p = people.x.shape
    relative = np.exp(people.x @ beta)
    s0 = share @ (people.weight * relative)
    mean = (share * people.weight * relative) @ people.x / s0[:, None]
    died = [people.weight[(people.exit == t) & (people.event == 1) & (people.stratum == s)].sum() for t, s in times]
    hazard = np.array(died) / s0
    information, each = np.zeros((p, p)), np.zeros((n, p))
    for g, (t, s) in enumerate(times):
        for i in range(n):
            away = people.x[i] - mean[g]
            load = share[g, i] * relative[i] * hazard[g]
            information += people.weight[i] * load * np.outer(away, away)
            each[i] -= load * away
            if people.event[i] == 1 and people.exit[i] == t and people.stratum[i] == s:
                each[i] += away
    for k in sorted(set(people.group.tolist())):
        own = [i for i in range(n) if people.group[i] == k]
        for u in sorted({people.exit[i] for i in own if people.event[i] == 0}):
            pull = np.zeros(p)
            for j in own:
                if people.event[j] == 2 and people.exit[j] < u:
                    for g, (t, _) in enumerate(times):
                        if t >= u:
                            pull += people.weight[j] * relative[j] * share[g, j] * hazard[g] * (people.x[j] - mean[g])
            exposed = sum(people.weight[i] for i in own if people.exit[i] >= u)
            rate = sum(people.weight[i] for i in own if people.exit[i] == u and people.event[i] == 0) / exposed
            for i in own:
                if people.exit[i] >= u:
                    each[i] += pull / exposed * ((people.exit[i] == u and people.event[i] == 0) - rate)
    inverse = np.linalg.inv(information)
    moved = people.weight[:, None] * each @ inverse
    return np.asarray(moved.T @ moved)
