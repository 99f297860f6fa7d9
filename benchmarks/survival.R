# One question asked of R: Rscript survival.R file rows columns question runs many slow
# The file holds the columns named, one after the other, as doubles. Prints the versions, the seconds of each run by the wall clock
# and by the processor, estimates and standard errors. A first run of more than `slow` seconds stays the
# only one; short runs are repeated for half a second, at most `many` times.
suppressMessages({library(survival); library(cmprsk)})
asked <- commandArgs(trailingOnly = TRUE)
rows <- as.integer(asked[2])
columns <- strsplit(asked[3], ",")[[1]]
question <- asked[4]
cells <- readBin(asked[1], "double", rows * length(columns))
frame <- as.data.frame(matrix(cells, ncol = length(columns), dimnames = list(NULL, columns)))
rm(cells)
terms <- grep("^x[0-9]+$", columns, value = TRUE)
formula <- reformulate(terms, "Surv(days, event)")
times <- c(180, 365, 730)
ended <- factor(frame$end)

answer <- list(
  cox_robust = function() summary(coxph(formula, frame, weights = weight, robust = TRUE)),
  cox_model = function() summary(coxph(formula, frame)),
  fine_gray = function() crr(frame$days, frame$end, as.matrix(frame[terms])),
  aalen_johansen = function() survfit(Surv(days, ended) ~ arm, frame, weights = weight, id = seq_len(rows), robust = TRUE),
  kaplan_meier = function() survfit(Surv(days, event) ~ 1, frame)
)[[question]]

timed <- function() {
  taken <- system.time(found <<- suppressWarnings(answer()))
  c(max(taken[["elapsed"]], 0.001), taken[["user.self"]] + taken[["sys.self"]])
}
runs <- list(timed())
if (runs[[1]][1] <= as.numeric(asked[7])) {
  wanted <- max(as.integer(asked[5]), min(as.integer(0.5 / runs[[1]][1]), as.integer(asked[6])))
  runs <- lapply(seq_len(wanted), function(i) timed())
}

said <- if (question == "kaplan_meier") {
  at <- summary(found, times = times)
  list(at$surv, at$std.err)
} else if (question == "aalen_johansen") {
  at <- summary(found, times = times)
  by_arm <- split(seq_along(at$time), at$strata)
  list(unlist(lapply(by_arm, function(i) at$pstate[i, 2:3])), unlist(lapply(by_arm, function(i) at$std.err[i, 2:3])))
} else if (question == "fine_gray") {
  list(found$coef, sqrt(diag(found$var)))
} else {
  list(found$coefficients[, "coef"], found$coefficients[, if (question == "cox_robust") "robust se" else "se(coef)"])
}
line <- function(name, values) cat(name, sprintf("%.17g", values), "\n")
cat("versions R", paste0(R.version$major, ".", R.version$minor), "survival", format(packageVersion("survival")),
    "cmprsk", format(packageVersion("cmprsk")), "\n")
line("wall", sapply(runs, `[`, 1))
line("processor", sapply(runs, `[`, 2))
line("estimate", said[[1]])
line("std_error", said[[2]])
