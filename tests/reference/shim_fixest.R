# Runs a generated run_r.R where fixest is not installed: feols by estimatr (lm_robust with absorbed effects).
# Usage: Rscript shim_fixest.R FOLDER. Standard errors are those of estimatr with se_type "stata", whose K
# counts every effect, also those nested in the clusters; the test replaces that factor.
suppressMessages(library(estimatr))
folder <- commandArgs(trailingOnly = TRUE)[1]
setwd(folder)
library <- function(...) stopifnot(as.character(substitute(list(...)))[2] %in% c("fixest", "did"))
feols <- function(formula, data, cluster, weights = NULL, fixef.tol = NULL) {
  stopifnot(fixef.tol <= 1e-10)
  sides <- formula[[3]]
  absorbed <- all.vars(sides[[3]])
  right <- sub("i\\(event_time, ref = (-?[0-9]+)\\)", "relevel(factor(event_time), ref = \"\\1\")",
               paste(deparse(sides[[2]]), collapse = ""))
  data$.cluster <- data[[all.vars(cluster)]]
  data$.weight <- if (is.null(weights)) 1 else data[[all.vars(weights)]]
  left <- paste(deparse(formula[[2]]), "~", right)
  # Arguments are quoted by lm_robust, so they are given to it evaluated.
  do.call(lm_robust, list(as.formula(left), data = data, fixed_effects = reformulate(absorbed),
                          clusters = quote(.cluster), weights = quote(.weight), se_type = "stata"))
}
coef <- function(fit) {
  found <- fit$coefficients
  names(found) <- sub("^relevel\\(.*\\)(-?[0-9]+)$", "event_time::\\1", names(found))
  found
}
se <- function(fit) fit$std.error
source("run_r.R")
