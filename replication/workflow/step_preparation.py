"""What the process that serves steps imports and reads before it forks: libraries of steps, and studies."""

from __future__ import annotations

import contextlib
import importlib
from pathlib import Path

from replication.core.code_digest import code_digest
from replication.core.estimator_files import estimator_names

BACKENDS = ("matplotlib.backends.backend_pdf", "matplotlib.backends.backend_svg")
NEEDED = {
    "clean": ("replication.workflow.clean_step", "pandera.strategies.pandas_strategies", "pyarrow.dataset"),
    "estimate": ("replication.workflow.estimate_step", "pyarrow.parquet", "jsonschema"),
    "gather": ("replication.workflow.estimate_step", "pyarrow.parquet", "jsonschema"),
    "analyze": (
        "replication.workflow.analysis_step",
        "replication.estimators.estimate_spec",
        "scipy.optimize",
        "replication.inference.sensitivity",
        "scipy.interpolate",
        "scipy.ndimage",
        "scipy.stats",
        "pyarrow.parquet",
    ),
    "check": (
        "replication.workflow.check_step",
        "replication.checks.second_engine",
        "linearmodels",
        "replication.checks.fixed_effect_poisson",
    ),
    "tables": ("replication.workflow.report_step", "replication.report.tables.regression_table", "docx"),
    "figures": (
        "matplotlib",
        "matplotlib.text",
        "matplotlib.axes",
        "replication.display.canvas",
        "fontTools.subset",
        *BACKENDS,
    ),
    "summary": ("replication.workflow.report_step", "replication.report.summary"),
    "traces": ("replication.workflow.trace_step",),
    "page": ("replication.workflow.page_step", "replication.checks.compare_numbers"),
    "report": ("replication.workflow.report_step", "replication.report.site.site_render"),
}
"""What is imported before a step is forked for the first time, and what its libraries import late.

Parts of large libraries are named one by one: between two of them the process looks for requests."""
OF_ALL_ESTIMATORS = frozenset({"estimate", "gather", "analyze", "check"})
"""Steps that read specifications, which imports every estimator that one of them names."""


def prepare_step(name: str, root: Path) -> None:
    """Import what a step needs and read its imports, of which it takes digests."""
    estimators = estimator_names() if name in OF_ALL_ESTIMATORS else ()
    modules = [*NEEDED.get(name, ()), *(f"replication.estimators.{one}" for one in estimators)]
    for module in modules:
        load(module)
    own = [module for module in modules if module.startswith("replication.")]
    with contextlib.suppress(Exception):
        code_digest(*own, root=root, every_choice=False)
        code_digest(*own, root=root)


def load(module: str) -> None:
    """Import a module; a step that needs one that is broken reports it itself."""
    with contextlib.suppress(Exception):
        importlib.import_module(module)


def read_study(study: str, root: Path) -> None:
    """Read a study and the code that it uses, which its steps then have in memory.

    One that cannot be read, they report themselves.
    """
    from replication.workflow import project
    from replication.workflow.analysis_step import analysis_digest
    from replication.workflow.estimate_step import estimator_digest
    from replication.workflow.noted_specs import noted_specs

    with contextlib.suppress(Exception):
        found = project.study(root, study)
        for name in {one.spec.estimator for one in noted_specs(found)}:
            estimator_digest(name)
        for kind in {str(entry["kind"]) for entry in found.config.get("analyses", [])}:
            analysis_digest(kind, found)
