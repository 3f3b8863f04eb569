"""The equation or estimand behind an estimate, in words and in LaTeX, from the keys of its specification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from replication.display.formatting import listed
from replication.estimators.registry import ENTRIES
from replication.report import facts
from replication.report.report_data import Saved
from replication.report.study_config import StudyConfig

TREATED = r"\delta\,D_{it}"
PATH = r"\sum_{e \neq r}\delta_e\,\mathbf{1}\{t - g_i = e\}"
UNTREATED = r"Y_{it}(\infty) = %s,\quad \hat\tau_{it} = Y_{it} - \hat Y_{it}(\infty)"


@dataclass(frozen=True, slots=True)
class Equation:
    """One equation twice: for reading, and for typesetting (without dollar signs)."""

    words: str
    latex: str


REGRESSIONS: Mapping[str, tuple[str, str]] = {
    "twfe": ("treatment", TREATED),
    "poisson": ("treatment", TREATED),
    "event_study": ("event-time indicators", PATH),
    "sun_abraham": (
        "cohort-by-event-time indicators, averaged with the cohorts' shares",
        r"\sum_{g}\sum_{e \neq r}\delta_{ge}\,\mathbf{1}\{g_i = g\}\,\mathbf{1}\{t - g = e\}",
    ),
    "stacked": (
        "event-time indicators within stacks of one cohort and its control group",
        r"\sum_{e \neq r}\delta_e\,\mathbf{1}\{t - g_i = e\}\ \text{in stack}\ s",
    ),
    "etwfe": (
        "cohort-by-period indicators, averaged over treated cells",
        r"\sum_{g}\sum_{t \ge g}\tau_{gt}\,\mathbf{1}\{g_i = g\}\,\mathbf{1}\{t\}",
    ),
}
"""Regressions of the outcome: what they regress on, besides fixed effects and controls."""

ESTIMANDS: Mapping[str, tuple[str, str]] = {
    "callaway_santanna": (
        "change in the outcome of cohort g from its base period to t, less the same change in the control "
        "group, averaged over cohorts and periods",
        r"ATT(g,t) = E[Y_t - Y_{b} \mid G = g] - E[Y_t - Y_{b} \mid C],"
        r"\quad \theta = \sum_{g,t} w_{gt}\,ATT(g,t)",
    ),
    "dcdh": (
        "change of switchers' outcome from the period before the switch, less that of units not yet switched",
        r"\delta_\ell = E[Y_{F_g-1+\ell} - Y_{F_g-1} \mid \text{switched}]"
        r" - E[Y_{F_g-1+\ell} - Y_{F_g-1} \mid \text{not yet}]",
    ),
    "imputation": (
        "outcome less the untreated outcome that fixed effects of untreated observations predict, averaged "
        "over treated observations",
        UNTREATED,
    ),
    "two_stage": (
        "outcome less the fixed effects estimated on untreated observations, regressed on treatment",
        UNTREATED,
    ),
    "local_projections": (
        "change in the outcome over each horizon, of units that adopt against units still untreated",
        r"Y_{i,t+h} - Y_{i,t-1} = \lambda_t^h + \beta_h\,\Delta D_{it} + \varepsilon_{it}^h",
    ),
    "roth_santanna": (
        "difference in means of the outcome across cohorts, adjusted by pre-treatment differences with the "
        "variance-minimizing coefficient",
        r"\hat\theta_\beta = \sum_{g,t} a_{gt}\bar Y_{gt} - \hat X'\beta,\quad \beta = \beta^*",
    ),
    "synthetic_did": (
        "two-way fixed effects with unit and period weights that match pre-treatment paths, averaged over "
        "cohorts",
        r"\min_{\tau,\alpha,\lambda}\sum_{it}(Y_{it} - \alpha_i - \lambda_t - \tau D_{it})^2"
        r"\,\hat\omega_i\,\hat\lambda_t",
    ),
    "goodman_bacon": (
        "two-way fixed effects as a weighted sum of 2x2 comparisons of cohorts",
        r"\hat\delta = \sum_k s_k\,\hat\delta_k^{2\times2},\quad \sum_k s_k = 1",
    ),
    "twfe_weights": (
        "two-way fixed effects as a weighted sum of effects in treated cells",
        r"E[\hat\delta] = \sum_{g,t} w_{gt}\,\tau_{gt},\quad \sum w_{gt} = 1",
    ),
}
"""Estimators that are no regression of the outcome on one line: what they estimate."""


def equation(saved: Saved, study: StudyConfig) -> Equation:
    """What a saved specification estimates; an estimator without an entry goes by its label."""
    spec = saved.spec
    name = str(spec["estimator"])
    outcome = study.outcome(str(spec["outcome"])).label
    if name in REGRESSIONS:
        return _regression(saved, study, outcome, *REGRESSIONS[name])
    words, latex = ESTIMANDS.get(
        name, (ENTRIES[name].label, rf"\hat\theta\ \text{{({ENTRIES[name].label})}}")
    )
    effects = _effects(saved, study)
    return Equation(
        f"{outcome}: {words}{_more(saved, study)}",
        latex % _right_side(effects, spec) if latex == UNTREATED else latex,
    )


def _regression(saved: Saved, study: StudyConfig, outcome: str, words: str, term: str) -> Equation:
    effects = _effects(saved, study)
    parts = [words, *(label[:1].lower() + label[1:] for _, label in effects)]
    right = " + ".join([term, _right_side(effects, saved.spec)])
    if facts.in_logs_of_means(saved):
        offset = r" + \log o_{it}" if saved.spec.get("offset") else ""
        latex = rf"E[Y_{{it}}] = \exp({right}{offset})"
        outcome = f"log of the expected {outcome}"
    else:
        latex = rf"Y_{{it}} = {right} + \varepsilon_{{it}}"
    return Equation(f"{outcome} on {listed(parts)}{_more(saved, study)}", latex)


def _effects(saved: Saved, study: StudyConfig) -> list[tuple[str, str]]:
    """Absorbed effects and trends: name, and words."""
    names = facts.absorbed(saved) or ["unit", "time", *map(str, saved.spec.get("trends") or [])]
    return [(name, facts.effect_label(name, saved, study)) for name in names]


def _right_side(effects: list[tuple[str, str]], spec: Mapping[str, Any]) -> str:
    terms = [_effect_term(name, str(spec["unit"]), str(spec["time"])) for name, _ in effects]
    return " + ".join([*terms, *([r"x_{it}'\gamma"] if spec.get("covariates") else [])])


def _effect_term(name: str, unit: str, time: str) -> str:
    if name in ("unit", unit):
        return r"\alpha_i"
    if name in ("time", time):
        return r"\lambda_t"
    if name.endswith("_linear"):
        stem = name.removesuffix("_linear")
        return r"\rho_i\,t" if stem in ("unit", unit) else rf"\rho_{{{_group(stem)}}}\,t"
    stem = name.removesuffix("_by_time")
    return rf"\mu_{{{_group(stem)},t}}" if name.endswith("_by_time") else rf"\mu_{{{_group(stem)}}}"


def _group(stem: str) -> str:
    return rf"\text{{{stem.replace('_', ' ')}}}(i)"


def _more(saved: Saved, study: StudyConfig) -> str:
    """Controls, the offset and the weights, where there are any."""
    spec = saved.spec
    said = []
    if spec.get("covariates"):
        said.append(f"controls for {listed(study.label(str(name)) for name in spec['covariates'])}")
    if spec.get("offset"):
        said.append(f"offset {study.label(str(spec['offset']))}")
    if spec.get("weights"):
        said.append(f"weighted by {study.label(str(spec['weights']))}")
    return "".join(f"; {word}" for word in said)
