"""R's mice, asked where R has it: pooling of fits to sets we imputed, and imputing of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

__all__ = ["imputed_by_mice", "pooled_by_mice"]

_HEAD = """
if (!all(sapply(c("mice", "mitml", "survival"), requireNamespace, quietly = TRUE))) quit(status = 75)
suppressPackageStartupMessages({library(mice); library(survival)})
number <- function(x) ifelse(is.na(x), '"nan"', ifelse(is.infinite(x), '"inf"', formatC(x, digits = 17, format = "g")))
json <- function(name, x) sprintf('"%s": [%s]', name, paste(number(as.numeric(x)), collapse = ", "))
out <- function(...) cat("\\n@", sprintf("{%s}", paste(c(...), collapse = ", ")), "\\n", sep = "")
"""


_NOT_HERE = 75


def _asked(code: str) -> dict[str, list[float]]:
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip("R is not here")
    done = subprocess.run([program, "--vanilla", "-e", _HEAD + code], capture_output=True, text=True, check=False)
    if done.returncode == _NOT_HERE:
        pytest.skip("mice is not here: R's package is not installed")
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("@"))
    return {name: [float(value) for value in values] for name, values in json.loads(line[1:]).items()}


def pooled_by_mice(sets: list[pd.DataFrame], fit: str, folder: Path, dfcom: float) -> dict[str, list[float]]:
    """Return what R pools from `fit`, R code about the frame d, over completed sets: as pool() names it, with complete degrees of freedom
    infinite and (names ending in _few) `dfcom`; and the joint test of all coefficients (mitml's D1)."""
    for i, one in enumerate(sets):
        one.to_csv(folder / f"{i}.csv", index=False)
    code = f"""
    fits <- lapply(0:{len(sets) - 1}, function(i) {{ d <- read.csv(sprintf("{folder}/%d.csv", i)); {fit} }})
    p <- pool(as.mira(fits), dfcom = Inf)$pooled
    few <- pool(as.mira(fits), dfcom = {dfcom!r})$pooled
    q <- sapply(fits, coef); rownames(q) <- paste0("b", seq_len(nrow(q)))
    joint <- mitml::testConstraints(qhat = q, uhat = simplify2array(lapply(fits, vcov)), constraints = rownames(q), method = "D1")$test
    out(json("estimate", p$estimate), json("within", p$ubar), json("between", p$b), json("total", p$t), json("df", p$df),
        json("relative_increase", p$riv), json("share_between", p$lambda), json("fmi", p$fmi), json("df_few", few$df),
        json("fmi_few", few$fmi), json("joint", joint[1, 1:4]))
    """
    return _asked(code)


def imputed_by_mice(
    frame: pd.DataFrame, folder: Path, *, m: int, maxit: int, factors: list[str]
) -> dict[str, list[Any]]:
    """Return, from mice's own imputing of `frame` (t, e and others): the Nelson–Aalen hazard, and by set and column the mean of the imputed
    numbers, or the share of each level among them, and the coefficients of a Cox model."""
    frame.to_csv(folder / "frame.csv", index=False)
    turned = "\n".join(f"d${name} <- factor(d${name})" for name in factors)
    terms = " + ".join(name for name in frame.columns if name not in ("t", "e"))
    code = f"""
    d <- read.csv("{folder}/frame.csv", na.strings = "")
    {turned}
    d$H <- nelsonaalen(d, t, e)
    keep <- setdiff(names(d), "t")
    imp <- mice(d[keep], m = {m}, maxit = {maxit}, seed = 1, printFlag = FALSE)
    said <- c(json("hazard", d$H))
    for (v in keep[colSums(is.na(d[keep])) > 0]) {{
      one <- imp$imp[[v]]
      if (is.factor(d[[v]])) for (l in levels(d[[v]])) said <- c(said, json(paste0(v, ":", l), colMeans(one == l)))
      else said <- c(said, json(v, colMeans(one)))
    }}
    b <- sapply(1:{m}, function(i) {{ c <- complete(imp, i); c$t <- d$t; coef(coxph(Surv(t, e) ~ {terms}, data = c)) }})
    for (r in rownames(b)) said <- c(said, json(paste0("cox:", r), b[r, ]))
    out(said)
    """
    return _asked(code)
