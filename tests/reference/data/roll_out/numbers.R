# Years before a change by clubSandwich: run in this folder with R; writes numbers.csv.
library(clubSandwich)
people <- read.csv("people.csv")
fit <- lm(y ~ l3 + l2 + l1 + factor(area) + factor(year), data = people)
names <- c("l3", "l2", "l1")
each <- coef_test(fit, vcov = "CR2", cluster = people$area, test = "Satterthwaite", coefs = names)
all <- Wald_test(fit, constraints = constrain_zero(names, coefs = coef(fit)), vcov = "CR2", cluster = people$area, test = "HTZ")
two <- Wald_test(fit, constraints = constrain_zero(names[2:3], coefs = coef(fit)), vcov = "CR2", cluster = people$area, test = "HTZ")
rows <- rbind(
  data.frame(name = paste0("estimate_", names), value = each$beta),
  data.frame(name = paste0("error_", names), value = each$SE),
  data.frame(name = paste0("df_", names), value = each$df_Satt),
  data.frame(name = c("statistic", "df_residual", "p_value"), value = c(all$Fstat, all$df_denom, all$p_val)),
  data.frame(name = c("statistic_two", "df_residual_two", "p_value_two"), value = c(two$Fstat, two$df_denom, two$p_val))
)
rows$value <- sprintf("%.15g", rows$value)
write.csv(rows, "numbers.csv", row.names = FALSE, quote = FALSE)
