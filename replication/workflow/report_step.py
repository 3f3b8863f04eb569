"""The reporting steps: tables and figures of a study, and the site with all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from replication.core.errors import SpecError
from replication.core.fingerprints import Ledger, renew
from replication.core.plain_data import texts_in
from replication.core.study_folder import SUMMARY
from replication.report.figures import FIGURES
from replication.report.folders import Folders
from replication.report.report_context import Context
from replication.report.study_config import load_study
from replication.report.study_report import write_figures, write_tables
from replication.report.tables import TABLES
from replication.sources.manifest import promises
from replication.sources.verified_bytes import checksums_enforced
from replication.workflow import project
from replication.workflow.entry_fingerprint import EntryFingerprints
from replication.workflow.project import FIGURE_ENDINGS, TABLE_ENDINGS, StudyFolder
from replication.workflow.run_requirements import unwritable
from replication.workflow.settings import read_settings
from replication.workflow.study_specs import study_specs

if TYPE_CHECKING:
    from replication.report.site.site_pages import Skipped, StudyReport


def tables(study: StudyFolder, root: Path) -> tuple[int, int]:
    """Write the tables whose numbers, description or code changed; returns (written, kept)."""
    config, folders = load_study(study.folder), Folders.under(root, study.id)
    stars = read_settings(root)["tables"]["stars"]
    checked = Ledger.read(root / study.ledger("check")).entries
    found = EntryFingerprints(study, folders, TABLES)
    return renew(
        root / study.ledger("tables"),
        {
            str(entry["id"]): found.of(
                entry, [stars, [checked.get(text) for text in sorted(texts_in(entry))]]
            )
            for entry in study.config.get("tables", [])
        },
        lambda name: [folders.tables / f"{name}.{ending}" for ending in TABLE_ENDINGS],
        lambda names: _made(root, names, lambda: write_tables(config, folders, stars=stars, only=names)),
    )


def figures(study: StudyFolder, root: Path) -> tuple[int, int]:
    """Draw the figures whose numbers, description or code changed; returns (drawn, kept)."""
    config, folders = load_study(study.folder), Folders.under(root, study.id)
    found = EntryFingerprints(study, folders, FIGURES)
    return renew(
        root / study.ledger("figures"),
        {str(entry["id"]): found.of(entry) for entry in study.config.get("figures", [])},
        lambda name: [folders.figures / f"{name}.{ending}" for ending in FIGURE_ENDINGS],
        lambda names: _made(root, names, lambda: write_figures(config, folders, only=names)),
    )


def _made(root: Path, names: Sequence[str], write: Callable[[], object]) -> Sequence[str]:
    """All of them, after the raw files have been verified against the manifest."""
    with checksums_enforced(promises(root)):
        write()
    return names


def summary(study: StudyFolder, root: Path) -> int:
    """Write ``report/<study>/summary.md``; returns how many numbers it has."""
    from replication.report.summary import write_summary

    if study.summary is None:
        raise SpecError(f"{study.id} has no summary. Write studies/{study.id}/{SUMMARY}, a Jinja template.")
    target = root / "report" / study.id / "summary.md"
    with checksums_enforced(promises(root)):
        return write_summary(study.summary, load_study(study.folder), Folders.under(root, study.id), target)


def report(root: Path) -> Path:
    """Write ``report/index.html`` and what it shares with the pages of the studies, already written."""
    from replication.report.site.site_render import EXPLORER, render_front, write_site

    ran, skipped = reported(root)
    places = [f"{one.study.id}/{EXPLORER}.js" for one in ran]
    made = {name: path.read_bytes() for name in places if (path := root / "report" / name).is_file()}
    write_site(render_front(ran, skipped, made), root / "report")
    return root / "report" / "index.html"


def whole_report(root: Path, archive: Path | None = None) -> Path:
    """Write the report, a folder of pages that begins with ``report/index.html``.

    Parameters
    ----------
    archive : file to write the whole report to besides, as one zip that opens from disk once it is unpacked.
    """
    from replication.report.site.site_render import render_front, write_site, zip_site
    from replication.workflow.page_step import study_site, summaries_of

    site: dict[str, bytes] = {}
    ran, skipped = reported(root)
    for one in ran:
        site |= study_site(project.study(root, one.study.id), root)
    site |= render_front(ran, skipped, site)
    write_site(site, root / "report")
    if archive is not None:
        # It has no pages of an earlier run.
        front = render_front(ran, [replace(one, earlier="") for one in skipped], site)
        zip_site(site | front, summaries_of(root), archive)
    return root / "report" / "index.html"


def reported(root: Path) -> tuple[list[StudyReport], list[Skipped]]:
    """The studies that ran, in the order of the contents, and those that did not.

    Raw files of these are missing, their description or one of their specifications is refused, or one of
    their folders cannot be written.
    """
    from replication.report.site.site_pages import Skipped, StudyReport

    ran, skipped = [], []
    found, refused = project.readable(root)
    for study in found:
        earlier = _earlier(root, study.id)
        try:
            config = load_study(study.folder)
        except SpecError as error:
            refused[study.id] = error
            continue
        absent = project.absent_files(study)
        if wrong := _refusal(study):
            skipped.append(Skipped.of(config, refusal=wrong, earlier=earlier))
        elif absent:
            ways = {source.how: source.path for source in absent}
            missing = tuple(source.path for source in absent)
            skipped.append(Skipped.of(config, missing=missing, remedies=tuple(ways), earlier=earlier))
        else:
            context = Context.of(config, Folders.under(root, study.id))
            ran.append(StudyReport(context, tuple(study.sources)))
    unread = [
        Skipped(name, refusal=str(error), earlier=_earlier(root, name)) for name, error in refused.items()
    ]
    return ran, [*skipped, *unread]


def _refusal(study: StudyFolder) -> str:
    """What is wrong with the specifications or the folders of a study; empty if nothing is."""
    try:
        study_specs(study)
    except SpecError as error:
        return str(error)
    return unwritable(study)


def _earlier(root: Path, study: str) -> str:
    """The page that an earlier run wrote of a study, below ``report/``; empty if there is none."""
    return f"{study}/index.html" if (root / "report" / study / "index.html").is_file() else ""


def render_site(root: Path) -> dict[str, bytes]:
    """The files of the report that follow from the outputs alone; nothing is written.

    Returns
    -------
    dict of str to bytes
        Path below ``report/`` and content: equal bytes for equal outputs.
    """
    from replication.report.site.site_render import render
    from replication.workflow.page_step import summaries_of, written

    ran, skipped = reported(root)
    traced = {one.study.id: [entry.id for entry in written(one.context)] for one in ran}
    return render(ran, skipped, summaries=summaries_of(root), traced=traced)
