"""The report as a folder of files: pages, data for the script, and the files to take away, each once."""

from __future__ import annotations

import base64
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

from replication.core.files import write_bytes
from replication.display.formatting import SIMULATED_WARNING
from replication.report.report_context import Context
from replication.report.site import site_pages
from replication.report.site.explorer_data import explorer_data
from replication.report.site.page_templates import SCRIPT, STYLE, from_markdown, page
from replication.report.site.site_pages import Skipped, StudyReport, rows_of
from replication.report.table_document import MADE_WITH

DAY = (1980, 1, 1, 0, 0, 0)
"""The first day that a zip file knows: archives of equal files have equal bytes."""
SUMMARY = "summary.md"
FOLDERS = ("files", "traces", "data")
"""Folders of a study that the site alone writes."""
EXPLORER = "data/explorer"
"""The data of a study's explorer, a script without its ending."""
Site = dict[str, bytes]


def render(
    studies: Sequence[StudyReport],
    skipped: Sequence[Skipped] = (),
    *,
    summaries: Mapping[str, Path] | None = None,
    traced: Mapping[str, Sequence[str]] | None = None,
) -> Site:
    """Every file of the report but the summaries, the traces, and what ``compared_numbers`` makes.

    Parameters
    ----------
    studies : those that ran, in the order of the contents.
    skipped : those that did not.
    summaries : study -> its written summary, where there is one.
    traced : study -> tables and figures with traces; the numbers of others are not clickable.

    Returns
    -------
    dict of str to bytes
        Path below ``report/`` with forward slashes, and content; the same bytes for the same outputs.
    """
    site: Site = {}
    for report in studies:
        name = report.study.id
        site |= render_study(report, summary=(summaries or {}).get(name), traced=(traced or {}).get(name, ()))
    return render_front(studies, skipped, site) | site


def render_front(
    studies: Sequence[StudyReport], skipped: Sequence[Skipped], made: Mapping[str, bytes]
) -> Site:
    """The first page, what the search finds, and what all pages share.

    Parameters
    ----------
    made : the files of the studies, of which the search reads ``<study>/data/explorer.js``.
    """
    overview = [_overview(report) for report in studies]
    absent = [asdict(one) | {"described": site_pages.paragraphs(one.described)} for one in skipped]
    home = page("index.html.j2", base="", made=MADE_WITH, studies=overview, skipped=absent)
    found = [
        entry
        for report in studies
        for entry in search_entries(report, made.get(f"{report.study.id}/{EXPLORER}.js"))
    ]
    return {
        "assets/site.css": STYLE.read_bytes(),
        "assets/site.js": SCRIPT.read_bytes(),
        "index.html": home.encode(),
        "assets/search.js": script("search", found),
    }


def render_study(
    report: StudyReport,
    *,
    summary: Path | None = None,
    traced: Sequence[str] = (),
    explorer: bytes | None = None,
) -> Site:
    """The pages of one study and the files that they link to, as in ``render``.

    Parameters
    ----------
    summary : the written summary, if there is one.
    traced : tables and figures with traces.
    explorer : ``explorer_script``, where it is at hand.
    """
    data = explorer_script(report.context) if explorer is None else explorer
    return {f"{report.study.id}/{path}": content for path, content in _study(report, summary, traced, data)}


def explorer_script(context: Context) -> bytes:
    """The data of a study's explorer; nothing where no specification has an effect to show."""
    data = explorer_data(context)
    return script(f"{context.study.id}/{EXPLORER}", data) if data["specs"] else b""


def _study(
    report: StudyReport, summary: Path | None, traced: Sequence[str], explorer: bytes
) -> Iterator[tuple[str, bytes]]:
    study = report.study
    tables, figures = site_pages.tables_of(report, traced), site_pages.figures_of(report, traced)
    codebook, flow = (rows_of(report.folders.clean / f"{name}.csv") for name in ("codebook", "sample_flow"))
    shared = {
        "base": "../",
        "made": MADE_WITH,
        "warning": SIMULATED_WARNING,
        "study": study,
        "heading": study.heading(study.title),
        "explored": len(data_of(explorer)["specs"]) if explorer else 0,
        "curve": curve_size(report),
        "summarized": summary is not None,
    }
    shown = {
        "tables": tables,
        "figures": figures,
        "files": site_pages.study_files(report, summary is not None),
    }
    described = site_pages.paragraphs(study.description)
    yield "index.html", page("study.html.j2", **shared, **shown, described=described).encode()
    if summary is not None:
        yield "summary.html", page("summary.html.j2", **shared, body=from_markdown(summary)).encode()
    data = {"codebook": codebook, "flow": flow, "sources": report.sources}
    yield "data.html", page("data.html.j2", **shared, **data).encode()
    if explorer:
        yield "explorer.html", page("explorer.html.j2", **shared).encode()
        yield f"{EXPLORER}.js", explorer
    for name, path in site_pages.taken_away(report):
        yield name, path.read_bytes()


def curve_size(report: StudyReport) -> int:
    """How many specifications the study's specification curve shows; 0 without one."""
    curves = [entry for entry in report.study.figures if entry.kind == "specification_curve"]
    return len(report.context.results.matching(curves[0].options["specs"])) if curves else 0


def search_entries(report: StudyReport, explorer: bytes | None) -> list[list[str]]:
    """What the search finds in a study: kind, words, and address from the first page.

    Parameters
    ----------
    explorer : the script with the data of the study's explorer, if it has one.
    """
    study = report.study
    home, data, choices = (f"{study.id}/{name}.html" for name in ("index", "data", "explorer"))
    entries = [["Study", study.heading(study.title), home]]
    for kind, shown in (("Table", study.tables), ("Figure", study.figures)):
        entries += [
            [kind, study.heading(one.title), f"{home}#{site_pages.anchor(kind, study, one)}"] for one in shown
        ]
    codebook = rows_of(report.folders.clean / "codebook.csv")
    labels = {row["name"]: f"{row['name']}: {row.get('label', '')}" for row in codebook}
    entries += [["Variable", words, f"{data}#variable-{name}"] for name, words in labels.items()]
    # The words of a specification are its choices, which the explorer shows in its own lists.
    specs = [spec[0] for spec in data_of(explorer)["specs"]] if explorer else []
    return entries + [["Specification", name, f"{choices}#{name}"] for name in specs]


def trace_script(study: str, name: str, trace: Mapping[str, Any]) -> bytes:
    """The script with the traces of a table or figure, in the shape of ``trace_schema.json``.

    They show the committed values too, which may change while the outputs do not.
    """
    return script(f"{study}/traces/{name}", trace)


def compared_numbers(checks: Mapping[str, Sequence[Mapping[str, Any]]]) -> Site:
    """The scripts with the comparison to the committed numbers.

    Parameters
    ----------
    checks : study -> rows with ``file``, ``cells``, ``failed`` and ``message``.
    """
    names = {f"{study}/data/checks": rows for study, rows in checks.items()}
    return {f"{name}.js": script(name, rows) for name, rows in names.items()}


def _overview(report: StudyReport) -> dict[str, Any]:
    study = report.study
    return {
        "id": study.id,
        "heading": study.heading(study.title),
        "simulated": study.simulated,
        "described": site_pages.paragraphs(study.description),
        "tables": len(study.tables),
        "figures": len(study.figures),
    }


def script(name: str, data: Any) -> bytes:
    """Data as a script, compressed: pages that are opened from disk may load scripts but not fetch files."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    return f'DATA[{json.dumps(name)}]="{packed}";\n'.encode()


def data_of(content: bytes) -> Any:
    """The data of a ``script``."""
    return json.loads(zlib.decompress(base64.b64decode(content.split(b'"')[-2])))


def zipped(files: Mapping[str, bytes]) -> bytes:
    """An archive with one fixed day on all its members."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name, content in files.items():
            target.writestr(zipfile.ZipInfo(name, DAY), content, zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def write_site(site: Mapping[str, bytes], folder: Path, swept: Sequence[str] = FOLDERS) -> None:
    """Write the files below ``folder``; a file whose bytes did not change keeps its time.

    Parameters
    ----------
    swept : folders of each study from which files that are not of the site are removed.
    """
    for name, content in site.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            write_bytes(path, content)
    studies = {PurePosixPath(name).parts[0] for name in site if "/" in name} - {"assets"}
    for place in (folder / study / kind for study in studies for kind in swept):
        for path in place.rglob("*"):
            if path.is_file() and path.relative_to(folder).as_posix() not in site:
                path.unlink()


def zip_site(site: Mapping[str, bytes], summaries: Mapping[str, Path], target: Path) -> None:
    """Write the whole report, the summaries included, as one archive."""
    texts = {f"{study}/{SUMMARY}": path.read_bytes() for study, path in summaries.items()}
    write_bytes(target, zipped({f"report/{name}": content for name, content in {**site, **texts}.items()}))
