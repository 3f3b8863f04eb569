# The two-way coefficient of an exported file and its clustered variance without any factor (CR0), by plm and
# clubSandwich. Usage: Rscript two_way.R FILE.csv OUTCOME CLUSTER
suppressMessages({library(plm); library(clubSandwich)})
arguments <- commandArgs(trailingOnly = TRUE)
data <- read.csv(arguments[1])
fit <- plm(as.formula(paste(arguments[2], "~ treatment")), data = data, index = c("unit", "time"),
           model = "within", effect = "twoways")
variance <- vcovCR(fit, cluster = data[[arguments[3]]], type = "CR0")
cat(formatC(c(coef(fit)[["treatment"]], sqrt(variance[1, 1])), digits = 17, format = "g"), "\n")
