# CR2 with Satterthwaite degrees of freedom and CR3 of R clubSandwich, for the regressions that
# cluster_robust.py writes out with all dummies. Usage: Rscript cluster_robust.R FOLDER OUT.csv
#
# CR2 is that of lm with every dummy. CR3 inverts I - H of each cluster, which is singular where
# dummies lie inside clusters; it is taken from lm on what those dummies leave of y and of the other
# columns (Frisch-Waugh-Lovell), which has the same jackknife.
suppressMessages({library(clubSandwich); library(plm)})
arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[1]

# linear_contrast of clubSandwich 0.5.8 reads a number of rows q that it does not define where
# weights are unequal; it is given here.
linear_rows <- function(fit, covariance, weights) {
  contrast <- clubSandwich::linear_contrast
  environment(contrast) <- list2env(list(q = nrow(weights)), parent = environment(contrast))
  contrast(fit, vcov = covariance, contrasts = weights, test = "Satterthwaite")
}

rows_of <- function(contrast, covariance, fit, type) {
  kept <- names(coef(fit))[!is.na(coef(fit))]
  used <- colnames(contrast)[colSums(contrast != 0) > 0]
  stopifnot(all(used %in% kept))
  weights <- matrix(0, nrow(contrast), length(kept), dimnames = list(rownames(contrast), kept))
  weights[, used] <- contrast[, used]
  found <- linear_rows(fit, covariance, weights)
  data.frame(row = rownames(contrast), type = type, estimate = found$Est, std_error = found$SE,
             df = found$df)
}

one <- function(name) {
  data <- read.csv(file.path(folder, paste0(name, ".csv")))
  contrast <- as.matrix(read.csv(file.path(folder, paste0(name, ".rows.csv")), row.names = 1))
  others <- grep("^u[0-9]", names(data), value = TRUE)
  nested <- grep("^n[0-9]", names(data), value = TRUE)
  formula <- function(left, right) as.formula(paste(left, "~ 0 +", paste(right, collapse = " + ")))
  weighted <- diff(range(data$w)) > 0
  fit_on <- function(f, d) {
    environment(f) <- environment()
    if (weighted) lm(f, data = d, weights = w) else lm(f, data = d)
  }
  full <- fit_on(formula("y", c(others, nested)), data)
  out <- rows_of(contrast, vcovCR(full, data$cluster, "CR2"), full, "CR2")
  swept <- data
  if (length(nested)) {
    columns <- c("y", others)
    swept[columns] <- lm.wfit(as.matrix(data[nested]), as.matrix(data[columns]), data$w)$residuals
    # What is left of a column that the dummies span is rounding, and no column.
    swept[columns][abs(swept[columns]) < 1e-12] <- 0
  }
  short <- fit_on(formula("y", others), swept)
  out <- rbind(out, rows_of(contrast, vcovCR(short, data$cluster, "CR3"), short, "CR3"))
  if (name %in% c("twfe", "twfe_gaps")) {
    # The same CR2 from plm with unit effects absorbed by it.
    right <- paste(others[-length(others)], collapse = " + ")
    panel <- plm(as.formula(paste("y ~", right)), data = data, index = c("unit", "period"),
                 model = "within", effect = "individual")
    out <- rbind(out, rows_of(contrast, vcovCR(panel, data$cluster, "CR2"), panel, "CR2_plm"))
  }
  cbind(case = name, out)
}

names <- sub("\\.rows\\.csv$", "", list.files(folder, pattern = "\\.rows\\.csv$"))
found <- do.call(rbind, lapply(names, one))
found[c("estimate", "std_error", "df")] <- lapply(found[c("estimate", "std_error", "df")],
                                                  function(x) formatC(x, digits = 15, format = "g"))
write.csv(found, arguments[2], row.names = FALSE, quote = FALSE)
cat(R.version.string, "clubSandwich", as.character(packageVersion("clubSandwich")), "plm",
    as.character(packageVersion("plm")), "\n")
