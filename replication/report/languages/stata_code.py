"""The Stata file: reghdfe, ppmlhdfe, csdid, eventstudyinteract, did_imputation and did2s."""

from __future__ import annotations

from collections.abc import Callable

from replication.report.languages.exact_models import ExactModel

HEAD = """* {title}: the same models in Stata, from the files in data/.
{install}
* Run it in this folder: do run_stata.do
version 16
"""
COMMANDS = {
    "callaway_santanna": "csdid drdid",
    "imputation": "did_imputation reghdfe ftools",
    "two_stage": "did2s",
    "sun_abraham": "eventstudyinteract avar reghdfe ftools",
    "poisson": "ppmlhdfe reghdfe ftools",
}


def stata_file(title: str, models: list[ExactModel], notes: dict[str, list[str]]) -> str:
    """The text of ``run_stata.do``."""
    needed = {
        name
        for model in models
        for name in COMMANDS.get(
            "poisson" if model.poisson else model.spec.estimator, "reghdfe ftools"
        ).split()
    }
    install = "\n".join(f"* ssc install {name}" for name in sorted(needed))
    blocks = [_block(model, notes[model.spec.id]) for model in models]
    return "\n".join([HEAD.format(title=title, install=install), *blocks, ""])


def _block(model: ExactModel, notes: list[str]) -> str:
    write: Callable[[ExactModel], list[str]] = {
        "callaway_santanna": _group_time,
        "imputation": _imputation,
        "two_stage": _two_stage,
        "sun_abraham": _sun_abraham,
        "event_study": _event_study,
    }.get(model.spec.estimator, _static)
    read = f'import delimited "data/{model.spec.id}.csv", clear case(preserve) asdouble'
    return "\n".join(["", *(f"* {line}" for line in notes), read, *write(model)])


def _weight(model: ExactModel, kind: str) -> str:
    return f" [{kind} = weight]" if model.weighted else ""


def _fit(model: ExactModel, effect: str) -> list[str]:
    command, kind = ("ppmlhdfe", "pw") if model.poisson else ("reghdfe", "aw")
    regressors = " ".join([effect, *model.covariates])
    absorbed = ["unit", *([f"i.{name}#i.time" for name in model.by_time] or ["time"])]
    absorbed += [f"i.{name}#c.time" for name in model.linear]
    offset = " offset(log_exposure)" if model.poisson and model.offset else ""
    return [
        f"{command} {model.spec.outcome} {regressors}{_weight(model, kind)}, absorb({' '.join(absorbed)}) "
        f"vce(cluster {' '.join(model.clusters)}){offset}"
    ]


def _static(model: ExactModel) -> list[str]:
    return _fit(model, "treatment")


def _event_study(model: ExactModel) -> list[str]:
    # Factor variables of Stata are not negative.
    lines = [
        "quietly summarize event_time",
        "local first = r(min)",
        "generate shifted = event_time - `first'",
    ]
    base = f"local base = {model.reference} - `first'"
    return [*lines, base, *_fit(model, "ib`base'.shifted")]


def _sun_abraham(model: ExactModel) -> list[str]:
    spec = model.spec
    covariates = f" covariates({' '.join(model.covariates)})" if model.covariates else ""
    return [
        "generate cohort = first_treated if first_treated > 0",
        "generate byte never = first_treated == 0",
        "levelsof event_time if never == 0, local(times)",
        "foreach e of local times {",
        f"    if `e' != {model.reference} {{",
        '        local name = cond(`e\' < 0, "lead" + string(-`e\'), "lag" + string(`e\'))',
        "        generate byte `name' = event_time == `e' & never == 0",
        "        local path \"`path' `name'\"",
        "    }",
        "}",
        f"eventstudyinteract {spec.outcome} `path'{_weight(model, 'aw')}, cohort(cohort) "
        f"control_cohort(never) absorb(unit time){covariates} vce(cluster {model.clusters[0]})",
        "matrix list e(b_iw)",
    ]


def _group_time(model: ExactModel) -> list[str]:
    spec = model.spec
    method = {"doubly_robust": "dripw", "outcome_regression": "reg", "ipw": "ipw"}[spec.adjustment]
    options = f"ivar(unit) time(time) gvar(first_treated) method({method})"
    options += " notyet" if spec.control_group == "not_yet_treated" else ""
    options += " long2" if spec.base_period == "universal" else ""
    above = [name for name in model.clusters if name not in ("unit", f"cluster_{spec.unit}")]
    options += f" cluster({above[0]})" if above else ""
    regressors = " ".join([spec.outcome, *model.covariates])
    return [f"csdid {regressors}{_weight(model, 'weight')}, {options}", "estat simple", "estat event"]


def _imputation(model: ExactModel) -> list[str]:
    controls = f" controls({' '.join(model.covariates)})" if model.covariates else ""
    return [
        "generate cohort = first_treated if first_treated > 0",
        f"did_imputation {model.spec.outcome} unit time cohort{_weight(model, 'aw')}, "
        f"cluster({model.clusters[0]}) autosample{controls}",
    ]


def _two_stage(model: ExactModel) -> list[str]:
    first = " ".join(["i.unit", "i.time", *model.covariates])
    return [
        f"did2s {model.spec.outcome}{_weight(model, 'aw')}, first_stage({first}) second_stage(treatment) "
        f"treatment(treatment) cluster({model.clusters[0]})"
    ]
