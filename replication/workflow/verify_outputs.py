"""``replication verify``: every comparison of what the pipeline wrote."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from replication.checks import compare_contents
from replication.checks import compare_numbers as numbers
from replication.checks.compare_cells import Verdict
from replication.checks.file_differences import PYTHON, difference
from replication.core.errors import InputError
from replication.core.processes import in_processes
from replication.report.site.site_render import write_site
from replication.workflow import project, readme, rendered_again, report_step
from replication.workflow.rendered_again import AS_WRITTEN, Task, one_file

COMMITTED = {
    "numbers": lambda root, study: numbers.verify(root, [study]),
    "panels": compare_contents.held_panels,
    "matrices": compare_contents.held_matrices,
}
"""What is compared with ``expected/``."""
UNWRITTEN = "the report has not been written: run `replication report`, or `replication run` for everything"
FEW = 12
"""Tasks for which a further process is not worth its start."""


def verify_outputs(root: Path, ran: Sequence[str], expected: Sequence[str], cores: int = 1) -> list[Verdict]:
    """Hold all outputs of some studies.

    Parameters
    ----------
    ran : ids of the studies whose texts and pictures are made again.
    expected : ids of those with committed numbers.
    cores : processes to work in.

    Returns
    -------
    list of Verdict
        By study in the order given; last those of the report page and the documentation, which are compared
        where all studies that can run are.
    """
    with tempfile.TemporaryDirectory(prefix="replication-verify-") as name:
        scratch = Path(name).resolve()
        todo: list[Task] = []
        for study in ran:
            chosen = project.study(root, study)
            rendered_again.link_inputs(chosen, root, scratch)
            todo += rendered_again.tasks(chosen)
        todo += [(kind, study, "") for study in expected for kind in COMMITTED]
        todo += [("matrices", study, "") for study in ran if study not in expected]
        found = _all(todo, root, scratch, cores)
        if {study.id for study in project.runnable(root)} <= set(ran):
            found += _page(root, scratch)
        found += _documentation(root, scratch, ran)
    order = {study: place for place, study in enumerate(dict.fromkeys([*ran, *expected]))}
    return sorted(found, key=lambda one: (order.get(one.study, len(order)), one.file, one.how))


def held(task: Task, root: Path, scratch: Path) -> list[Verdict]:
    """The verdicts of one task."""
    kind, study, _ = task
    if kind == "matrices" and not (root / "studies" / study / "expected").is_dir():
        return [replace(one, how=AS_WRITTEN) for one in COMMITTED[kind](root, study)]
    if kind in COMMITTED:
        return COMMITTED[kind](root, study)
    return rendered_again.made_again(task, root, scratch)


def _all(todo: Sequence[Task], root: Path, scratch: Path, cores: int) -> list[Verdict]:
    found = in_processes(partial(held, root=root, scratch=scratch), todo, min(cores, len(todo) // FEW))
    return [verdict for verdicts in found for verdict in verdicts]


def _page(root: Path, scratch: Path) -> list[Verdict]:
    """The pages and every file beside them, rendered again."""
    if not (root / "report" / "index.html").is_file():
        return [one_file("report", "index.html", UNWRITTEN)]
    try:
        site = report_step.render_site(root)
    except InputError as error:
        return [one_file("report", "index.html", str(error))]
    write_site(site, scratch / "report")
    made, there = scratch / "report", root / "report"
    return [one_file("report", name, difference(made / name, there / name)) for name in site]


def _documentation(root: Path, scratch: Path, ran: Sequence[str]) -> list[Verdict]:
    """``docs/outputs.md`` and ``docs/results``, where the study ran whose results they show."""
    shown = [study.id for study in project.studies(root) if readme.HEADLINE in study.config]
    if not (root / readme.OUTPUTS).is_file() or not shown or shown[0] not in ran:
        return []
    verdicts = []
    try:
        files = readme.computed(root, scratch)
    except (InputError, OSError) as error:
        return [one_file("docs", Path(readme.OUTPUTS).name, str(error))]
    for name, data in files.items():
        place = scratch / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        # Committed once, and verified on machines with another Python.
        message = difference(place, root / name, ignoring=PYTHON)
        verdicts.append(one_file("docs", name.removeprefix("docs/"), message))
    return verdicts
