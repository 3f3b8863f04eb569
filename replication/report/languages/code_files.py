"""Write the generated files and their data into one folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from replication.core.errors import SpecError
from replication.core.files import write_csv, write_text
from replication.core.panel import Panel
from replication.core.spec import Spec
from replication.report.languages.exact_models import ExactModel, exported_rows, model_of, why_not
from replication.report.languages.pyfixest_code import pyfixest_file
from replication.report.languages.r_code import r_file
from replication.report.languages.stata_code import stata_file

UNSAFE = re.compile(r"[\\\"`$]|/(?=[/*])|\*(?=/)|[^\x20-\uffff]")
"""What ends or continues a comment of Stata or a docstring of Python."""
FILES = {"run_pyfixest.py": pyfixest_file, "run_r.R": r_file, "run_stata.do": stata_file}


def write_code(
    folder: Path,
    title: str,
    cases: Sequence[tuple[Spec, Panel]],
    estimated: Mapping[str, tuple[float, float]] | None = None,
) -> list[Path]:
    """Write files of R, Stata and pyfixest that estimate the specifications again.

    Parameters
    ----------
    folder : Path
        Receives ``run_r.R``, ``run_stata.do``, ``run_pyfixest.py``, ``NOTES.md`` and ``data/<spec id>.csv``.
    title : str
    cases : sequence of (Spec, Panel)
    estimated : mapping, optional
        Overall effect and standard error of this package by specification, for the comments.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    SpecError
        If no specification has an exact counterpart.
    """
    refused = {spec.id: why_not(spec, panel) for spec, panel in cases}
    kept = [(spec, panel) for spec, panel in cases if not refused[spec.id]]
    if not kept:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in refused.items())
        raise SpecError(
            f"No specification of {title!r} has an exact counterpart in other software ({reasons}). "
            "Choose another table with --table."
        )
    none = (None, None)
    models = [model_of(spec, panel, *(estimated or {}).get(spec.id, none)) for spec, panel in kept]
    notes = {model.spec.id: _comments(model) for model in models}
    written = []
    for spec, panel in kept:
        written.append(folder / "data" / f"{spec.id}.csv")
        write_csv(written[-1], exported_rows(panel, spec))
    heading = " ".join(UNSAFE.sub(" ", title).split())
    for name, make in FILES.items():
        written.append(folder / name)
        write_text(written[-1], make(heading, models, notes))
    written.append(folder / "NOTES.md")
    write_text(written[-1], _notes(heading, models, refused))
    return written


def _comments(model: ExactModel) -> list[str]:
    known = (
        f"{model.spec.id}: replication has {model.estimate:.8g} ({model.std_error:.8g})"
        if model.estimate is not None and model.std_error is not None
        else model.spec.id
    )
    return [known, *([f"{model.errors_note}."] if model.errors_note else [])]


def _notes(title: str, models: Sequence[ExactModel], refused: Mapping[str, str]) -> str:
    lines = [f"# {title}", "", "| specification | estimator | estimate | standard error | note |"]
    lines += ["| --- | --- | --- | --- | --- |"]
    for model in models:
        numbers = [f"{x:.8g}" if x is not None else "" for x in (model.estimate, model.std_error)]
        lines.append(
            f"| {model.spec.id} | {model.spec.estimator} | {' | '.join(numbers)} | {model.errors_note} |"
        )
    left = [f"* {name}: {reason}" for name, reason in refused.items() if reason]
    lines += ["", "Not translated:", "", *left] if left else []
    lines += ["", "`run_pyfixest.py` contains the regressions only; pyfixest has no group-time estimator."]
    return "\n".join([*lines, ""])
