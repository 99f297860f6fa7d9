# Rscript numbers.R rossi.csv > numbers.csv, in this folder; rossi.csv: lifelines' load_rossi() as week, fin and cause (0 = censored
# or arrested at 28 or older, 1 = arrested with fewer than 4 convictions before, 2 = with 4 or more).
suppressMessages({library(lme4); library(nlme); library(survival)})
people <- read.csv("people.csv"); options(digits = 12)
say <- function(by, name, value) cat(sprintf("%s,%s,%s,%.12g\n", by, packageVersion(by), name, value), sep = "")
cat("by,version,name,value\n")
f <- lmer(y ~ arm + x1 + x2 + (1 | unit), people, REML = TRUE, control = lmerControl(optCtrl = list(xtol_rel = 1e-12, ftol_abs = 1e-14)))
v <- as.data.frame(VarCorr(f))$vcov
say("lme4", c("between", "within"), v)
say("lme4", paste0("beta_", 0:3), fixef(f))
say("lme4", paste0("error_", 0:3), sqrt(diag(as.matrix(vcov(f)))))
say("lme4", paste0("effect_", 0:11), ranef(f)$unit[[1]])
g <- lme(y ~ arm + x1 + x2, random = ~ 1 | unit, people, method = "REML", control = lmeControl(tolerance = 1e-12, msTol = 1e-14))
say("nlme", c("between", "within"), as.numeric(VarCorr(g)[, 1]))
say("nlme", paste0("beta_", 0:3), fixef(g))
# no variance between units: twice the fall of the restricted likelihood from lme's to gls'
say("nlme", "ratio_of_likelihoods", 2 * (as.numeric(logLik(g)) - as.numeric(logLik(gls(y ~ arm + x1 + x2, people, method = "REML")))))
rossi <- read.csv(commandArgs(TRUE)[1]); rossi$cause <- factor(rossi$cause)
for (arm in 0:1) {
  p <- pseudo(survfit(Surv(week, cause) ~ 1, rossi[rossi$fin == arm, ]), times = 40, type = "pstate")
  p <- if (length(dim(p)) == 3) p[, 1, 2] else p[, 2]
  say("survival", sprintf("pseudo_%d_%d", arm, 0:9), p[1:10])
  say("survival", sprintf("pseudo_%d_squares", arm), sum(p^2))
}
