"""``replication verify``, the texts and pictures: made again from the numbers in a folder of their own.

The folder looks like the project: its ``tables``, ``figures`` and ``report`` hold what is made again, and
everything that this is made from is linked into it, so that nothing outside is written. A file passes if it
contains the same bytes; a figure that another version of the drawing library drew is compared by its data.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from replication.checks.compare_cells import Verdict
from replication.checks.file_differences import difference
from replication.core.errors import InputError
from replication.core.fingerprints import Ledger
from replication.core.result_files import TABLE
from replication.core.saved_bundle import write_bundle
from replication.report.folders import Folders
from replication.report.report_context import Context
from replication.report.study_config import load_study
from replication.workflow import project
from replication.workflow.project import FIGURE_ENDINGS, TABLE_ENDINGS, StudyFolder
from replication.workflow.settings import read_settings

Task = tuple[str, str, str]
"""What to make again, of which study, and which table or figure of it."""


def link_inputs(study: StudyFolder, root: Path, scratch: Path) -> None:
    """Link into the folder what tables, figures and the summary of a study are made from."""
    made = {Path(name).name for name in [*study.table_outputs(), *study.summary_outputs()]}
    tables = scratch / "tables" / study.id
    for folder in (tables, scratch / "figures" / study.id, scratch / "report" / study.id):
        folder.mkdir(parents=True, exist_ok=True)
    for path in (root / "tables" / study.id).glob("[!.]*"):
        if path.name not in made:
            (tables / path.name).symlink_to(path)
    for place in (f"data_clean/{study.id}", "data_raw"):
        link = scratch / place
        link.parent.mkdir(exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(root / place)


def tasks(study: StudyFolder) -> list[Task]:
    """What there is to make again of a study; pictures, which take longest, first."""
    figures = [("figure", study.id, name) for name in study.figures]
    summary = [("summary", study.id, "")] if study.summary else []
    return [*figures, *(("table", study.id, name) for name in study.tables), *summary, ("kept", study.id, "")]


def made_again(task: Task, root: Path, scratch: Path) -> list[Verdict]:
    """Make something again and hold the files of the project against it."""
    kind, name, entry = task
    study = _study(root, name)
    try:
        return list(MAKERS[kind](study, entry, root, scratch))
    except InputError as error:
        return [Verdict(name, f"{kind} {entry}".strip(), 0, 1, str(error), MADE_AGAIN)]


MADE_AGAIN = "are reproduced exactly from the saved estimates"
AS_WRITTEN = "are as the pipeline wrote them"
BY_DATA = "were drawn by other versions and agree in their data"


def held_file(label: str, study: str, root: Path, scratch: Path) -> Verdict:
    """A file of the project against the one that was made again; ``label`` is its name in both."""
    return one_file(study, label.replace(f"/{study}/", "/", 1), difference(scratch / label, root / label))


def one_file(study: str, file: str, message: str, how: str = MADE_AGAIN) -> Verdict:
    """The verdict on one file, which fails if there is a message."""
    return Verdict(study, file, 1, int(bool(message)), message, how)


def _tables(study: StudyFolder, entry: str, root: Path, scratch: Path) -> Iterator[Verdict]:
    from replication.report.study_report import write_tables

    context = _context(root, scratch, study.id)
    write_tables(context.study, context.folders, stars=context.stars, only=[entry])
    for ending in TABLE_ENDINGS:
        yield held_file(f"tables/{study.id}/{entry}.{ending}", study.id, root, scratch)


def _figures(study: StudyFolder, entry: str, root: Path, scratch: Path) -> Iterator[Verdict]:
    from replication.report.figures import write_figure
    from replication.report.figures.figure_files import backend, read_description

    context = _context(root, scratch, study.id)
    write_figure(next(one for one in context.study.figures if one.id == entry), context)
    picture = root / "figures" / study.id / f"{entry}.png"
    try:
        drawn = read_description(picture).get("Backend", backend())
    except (OSError, SyntaxError):
        drawn = backend()
    for ending in FIGURE_ENDINGS:
        label = f"figures/{study.id}/{entry}.{ending}"
        if ending == "csv" or drawn == backend() or not (root / label).is_file():
            yield held_file(label, study.id, root, scratch)
        else:
            yield Verdict(study.id, f"figures/{entry}.{ending}", 1, 0, f"drawn by {drawn}", BY_DATA)


def _summary(study: StudyFolder, _: str, root: Path, scratch: Path) -> Iterator[Verdict]:
    from replication.report.summary import write_summary

    context = _context(root, scratch, study.id)
    assert study.summary is not None
    write_summary(study.summary, context.study, context.folders, scratch / "report" / study.id / "summary.md")
    for label in study.summary_outputs():
        yield held_file(label, study.id, root, scratch)


def _kept(study: StudyFolder, _: str, root: Path, scratch: Path) -> Iterator[Verdict]:
    """What the steps before the tables wrote: by the digests that they noted."""
    from replication.workflow.study_specs import study_specs

    specs = [root / "tables" / study.id / "specs" / spec.id for spec in study_specs(study)]
    bundle = scratch / "bundles" / study.id / TABLE
    lost = [folder.name for folder in specs if not (folder / TABLE).is_file()]
    if lost:
        message = f"{len(lost)} specifications were not estimated, such as {lost[0]}"
        yield Verdict(study.id, "tables/specs", len(specs), len(lost), message, AS_WRITTEN)
    else:
        write_bundle(bundle, specs)
        message = difference(bundle, root / "tables" / study.id / TABLE)
        yield one_file(study.id, "tables/estimates.csv", message)
    second = root / "tables" / study.id / ".second_engine.csv"
    if second.is_file():
        message = difference(second, second.with_name("second_engine.csv"))
        yield one_file(study.id, "tables/second_engine.csv", message)
    for ledger in _ledgers(study, root):
        missing, changed = set(ledger.missing()), set(ledger.changed())
        for path in ledger.files():
            message = "the file is gone" if path in missing else CHANGED if path in changed else ""
            label = path.relative_to(root).as_posix().replace(f"/{study.id}/", "/", 1)
            yield one_file(study.id, label, message, AS_WRITTEN)


CHANGED = "the file was changed after the pipeline wrote it; remove it and run again"


def _ledgers(study: StudyFolder, root: Path) -> list[Ledger]:
    """The notes of the steps whose files are not made again: cleaning, estimates, analyses."""
    parts = sorted((root / "tables" / study.id / ".parts").glob("[!.]*.json"))
    places = [root / study.ledger("clean"), root / study.ledger("analyze"), *parts]
    return [Ledger.read(place) for place in places]


@cache
def _study(root: Path, name: str) -> StudyFolder:
    return project.study(root, name)


@cache
def _context(root: Path, scratch: Path, name: str) -> Context:
    """The study in this process: saved results are read once."""
    config = load_study(root / "studies" / name)
    stars = read_settings(root)["tables"]["stars"]
    return Context.of(config, Folders.under(scratch, name), stars=stars)


MAKERS = {"table": _tables, "figure": _figures, "summary": _summary, "kept": _kept}
