"""The R file: fixest, did, didimputation and did2s."""

from __future__ import annotations

from collections.abc import Callable

from replication.report.languages.exact_models import ExactModel

HEAD = """# {title}: the same models in R, from the files in data/.
# install.packages(c({packages}))
# Run it in this folder: Rscript run_r.R
{libraries}
rows <- list()
keep <- function(spec, term, estimate, std_error) {{
  rows[[length(rows) + 1]] <<- data.frame(spec_id = spec, term = term, estimate = estimate,
                                          std_error = std_error)
}}
"""
FOOT = """
results <- do.call(rbind, rows)
print(results)
write.csv(results, "results_r.csv", row.names = FALSE)
"""
PACKAGES = {"callaway_santanna": "did", "imputation": "didimputation", "two_stage": "did2s"}


def r_file(title: str, models: list[ExactModel], notes: dict[str, list[str]]) -> str:
    """The text of ``run_r.R``."""
    packages = sorted({PACKAGES.get(model.spec.estimator, "fixest") for model in models})
    head = HEAD.format(
        title=title,
        packages=", ".join(f'"{name}"' for name in packages),
        libraries="\n".join(f"library({name})" for name in packages),
    )
    return "\n".join([head, *(_block(model, notes[model.spec.id]) for model in models), FOOT])


def _block(model: ExactModel, notes: list[str]) -> str:
    write: Callable[[ExactModel], list[str]] = {
        "callaway_santanna": _group_time,
        "imputation": _imputation,
        "two_stage": _two_stage,
    }.get(model.spec.estimator, _regression)
    read = f'data <- read.csv("data/{model.spec.id}.csv")'
    return "\n".join(["", *(f"# {line}" for line in notes), read, *write(model)])


def _regression(model: ExactModel) -> list[str]:
    reference = f"ref = {model.reference}"
    effect = {
        "event_study": f"i(event_time, {reference})",
        "sun_abraham": f"sunab(first_treated, time, ref.p = {model.reference})",
    }.get(model.spec.estimator, "treatment")
    slopes = [f"{name}[[time]]" for name in model.linear]
    absorbed = ["unit", *([f"{name}^time" for name in model.by_time] or ["time"]), *slopes]
    options = ["data", f"cluster = ~{' + '.join(model.clusters)}"]
    options += ["weights = ~weight"] if model.weighted else []
    options += ["offset = ~log_exposure"] if model.poisson and model.offset else []
    options += ["glm.tol = 1e-12"] if model.poisson else ["fixef.tol = 1e-10"]
    right = " + ".join([effect, *model.covariates])
    function = "fepois" if model.poisson else "feols"
    lines = [
        f"fit <- {function}({model.spec.outcome} ~ {right} | {' + '.join(absorbed)},",
        f"  {', '.join(options)})",
    ]
    if model.spec.estimator != "sun_abraham":
        return [*lines, f'keep("{model.spec.id}", names(coef(fit)), coef(fit), se(fit))']
    # fixest takes cohorts after the last period as never treated, those before the first as always treated.
    never = "data$first_treated[data$first_treated == 0] <- 100000"
    total = 'overall <- summary(fit, agg = "att")$coeftable["ATT", ]'
    return [never, *lines, total, f'keep("{model.spec.id}", "att", overall[[1]], overall[[2]])']


def _group_time(model: ExactModel) -> list[str]:
    spec = model.spec
    control = {"never_treated": "nevertreated", "not_yet_treated": "notyettreated"}[spec.control_group]
    method = {"doubly_robust": "dr", "outcome_regression": "reg", "ipw": "ipw"}[spec.adjustment]
    options = [
        f'yname = "{spec.outcome}", tname = "time", idname = "unit", gname = "first_treated", data = data',
        f'xformla = ~{" + ".join(model.covariates) or "1"}, control_group = "{control}"',
        f'base_period = "{spec.base_period}", est_method = "{method}"',
    ]
    options += ['weightsname = "weight"'] if model.weighted else []
    # did has analytic standard errors for clusters that are units only.
    above = [name for name in model.clusters if name not in ("unit", f"cluster_{spec.unit}")]
    options += [f'clustervars = "{above[0]}", biters = 9999'] if above else ["bstrap = FALSE, cband = FALSE"]
    arguments = ",\n  ".join(options)
    return [
        f"fit <- att_gt({arguments})",
        'overall <- aggte(fit, type = "simple", na.rm = TRUE)',
        f'keep("{spec.id}", "att", overall$overall.att, overall$overall.se)',
        'path <- aggte(fit, type = "dynamic", na.rm = TRUE)',
        f'keep("{spec.id}", paste0("event_time::", path$egt), path$att.egt, path$se.egt)',
    ]


def _imputation(model: ExactModel) -> list[str]:
    first = f"~ {' + '.join(model.covariates) or '0'} | unit + time"
    weight = ', wname = "weight"' if model.weighted else ""
    return [
        f'fit <- did_imputation(data, yname = "{model.spec.outcome}", gname = "first_treated",',
        f'  tname = "time", idname = "unit", first_stage = {first},',
        f'  cluster_var = "{model.clusters[0]}"{weight})',
        f'keep("{model.spec.id}", "att", fit$estimate, fit$std.error)',
    ]


def _two_stage(model: ExactModel) -> list[str]:
    first = f"~ {' + '.join(model.covariates) or '0'} | unit + time"
    weight = ', weights = "weight"' if model.weighted else ""
    return [
        f'fit <- did2s(data, yname = "{model.spec.outcome}", first_stage = {first},',
        '  second_stage = ~ treatment, treatment = "treatment",',
        f'  cluster_var = "{model.clusters[0]}"{weight})',
        f'keep("{model.spec.id}", "att", coef(fit)["treatment"], se(fit)["treatment"])',
    ]
