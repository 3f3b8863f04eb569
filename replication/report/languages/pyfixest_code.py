"""The pyfixest file."""

from __future__ import annotations

from replication.report.languages.exact_models import REGRESSIONS, ExactModel

HEAD = '''"""{title}: the regressions in pyfixest, from the files in data/. Needs pyfixest and pandas."""

from pathlib import Path

import pandas as pd
import pyfixest as pf

HERE = Path(__file__).parent
ROWS = []


def keep(spec, fit):
    """Collect the coefficients of a fit, without trends."""
    for term, estimate in fit.coef().items():
        if not term.startswith("slope_"):
            ROWS.append((spec, term, estimate, fit.se()[term]))
'''
FOOT = """
results = pd.DataFrame(ROWS, columns=["spec_id", "term", "estimate", "std_error"])
results.to_csv(HERE / "results_pyfixest.csv", index=False, float_format="%.17g")
print(results.to_string(index=False))
"""
MOST_SLOPES = 200
"""Linear trends up to which dummies times time are a design small enough; pyfixest has no varying slopes."""


def pyfixest_file(title: str, models: list[ExactModel], notes: dict[str, list[str]]) -> str:
    """The text of ``run_pyfixest.py``."""
    blocks = [
        _block(model, notes[model.spec.id])
        if model.slopes <= MOST_SLOPES
        else f"\n# {model.spec.id} is left out: {model.slopes} linear trends; see run_r.R."
        for model in models
        if model.spec.estimator in REGRESSIONS
    ]
    return "\n".join([HEAD.format(title=title), *blocks, FOOT])


def _block(model: ExactModel, notes: list[str]) -> str:
    identity = model.spec.id
    comments = [f"# {line}" for line in notes]
    options = [f'vcov={{"CRV1": "{" + ".join(model.clusters)}"}}']
    if model.poisson:
        options += ["iwls_tol=1e-12", *(['offset="log_exposure"'] if model.offset else [])]
    else:
        options += ["fixef_tol=1e-12"]
    options += ['weights="weight"'] if model.weighted else []
    function = "fepois" if model.poisson else "feols"
    lines = [f'data = pd.read_csv(HERE / "data" / "{identity}.csv")']
    for number, column in enumerate(model.linear):
        lines.append(f'data["slope_{number}"] = data["{column}"].astype("category")')
    lines += [f'fit = pf.{function}("{_formula(model)}", data, {", ".join(options)})']
    return "\n".join(["", *comments, *lines, f'keep("{identity}", fit)'])


def _formula(model: ExactModel) -> str:
    shape = f"i(event_time, ref={model.reference})"
    effect = shape if model.spec.estimator == "event_study" else "treatment"
    slopes = [f"i(slope_{number}, time)" for number in range(len(model.linear))]
    absorbed = ["unit", *([f"{name}^time" for name in model.by_time] or ["time"])]
    return (
        f"{model.spec.outcome} ~ {' + '.join([effect, *model.covariates, *slopes])} | {' + '.join(absorbed)}"
    )
