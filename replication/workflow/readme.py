"""Generated parts of ``docs/outputs.md``: the headline table and the list of outputs.

``replication report --readme`` writes them between their markers and copies the headline figure
and tables to ``docs/results``, so that no number there is typed by hand.
"""

from __future__ import annotations

from pathlib import Path

from replication.core.errors import SpecError
from replication.core.files import write_bytes
from replication.core.spec import load_specs
from replication.display.formatting import typeset
from replication.report.figures import FIGURES
from replication.report.folders import Folders
from replication.report.report_data import Results
from replication.report.tables import TABLES
from replication.workflow import project

OUTPUTS = "docs/outputs.md"
HEADLINE = "headline"
"""Key of ``study.yaml`` with the headline table for the documentation."""


def update_readme(root: Path) -> Path:
    """Write the computed parts of ``docs/outputs.md`` and the files of ``docs/results``."""
    for name, data in computed(root).items():
        write_bytes(root / name, data)
    return root / OUTPUTS


def computed(root: Path, outputs: Path | None = None) -> dict[str, bytes]:
    """The files of the documentation that hold results, as they should be.

    Parameters
    ----------
    outputs : Path, optional
        Folder that holds ``tables`` and ``figures``; the project's own if None.

    Returns
    -------
    dict
        Name of the file, from the project's folder on -> its bytes.
    """
    place, study = outputs or root, headline_study(root)
    text = (root / OUTPUTS).read_text(encoding="utf-8")
    text = replaced_between_markers(text, "results", headline(study, place))
    text = replaced_between_markers(text, "list", output_listing(root))
    files = {OUTPUTS: text.encode()}
    for name in study.config[HEADLINE]["copies"]:
        folder, _, file = name.partition("/")
        source = place / folder / study.id / file
        files[f"docs/results/{source.name}"] = source.read_bytes()
    return files


def replaced_between_markers(text: str, name: str, content: str) -> str:
    """The text with what stands between the markers of ``name`` replaced."""
    start, end = f"<!-- {name}:start -->", f"<!-- {name}:end -->"
    if start not in text or end not in text:
        raise SpecError(f"{OUTPUTS} has lost its markers {start} and {end}. Put them back.")
    head, rest = text.split(start, 1)
    return f"{head}{start}\n{content}\n{end}{rest.split(end, 1)[1]}"


def headline_study(root: Path) -> project.StudyFolder:
    """The one study whose results are the headline of the documentation."""
    found = [study for study in project.studies(root) if HEADLINE in study.config]
    if len(found) != 1:
        names = ", ".join(study.id for study in found) or "none"
        raise SpecError(
            f"{OUTPUTS} shows the results of one study, and {len(found)} have the key {HEADLINE!r} in their "
            f"study.yaml ({names}). Leave the key to one of them."
        )
    return project.study(root, found[0].id)


def headline(study: project.StudyFolder, outputs: Path) -> str:
    """Overall effects with their standard errors, the rows by the columns that the study names."""
    results = Results(outputs / "tables" / study.id / "specs")
    columns = study.config[HEADLINE]["columns"]
    lines = [typeset("| | " + " | ".join(columns) + " |"), "| --- |" + " ---: |" * len(columns)]
    for label, part in study.config[HEADLINE]["rows"].items():
        cells = []
        for pattern in columns.values():
            row = results.get(pattern.format(part)).row("att")
            cells.append(f"{row['estimate']:.3f} ({row['std_error']:.3f})")
        lines.append(typeset(f"| {label} | " + " | ".join(cells) + " |"))
    return "\n".join(lines)


def output_listing(root: Path) -> str:
    """Every table and figure with the specifications behind it and the function that makes it."""
    lines = ["| output | what it shows | specifications | made by |", "| --- | --- | --- | --- |"]
    for study in project.studies(root):
        stems = {path.stem: [spec.id for spec in load_specs(path)] for path in study.spec_files}
        for folder, makers in (("tables", TABLES), ("figures", FIGURES)):
            for entry in study.config.get(folder, []):
                files = files_behind(entry, study, stems)
                output = f"`{folder}/{study.id}/{entry['id']}`"
                maker = f"`{makers[entry['kind']].replace('.', '/')}.py`"
                lines.append(f"| {output} | {entry['title']} | {files} | {maker} |")
    return "\n".join(lines)


def files_behind(entry: dict[str, object], study: project.StudyFolder, stems: dict[str, list[str]]) -> str:
    """The specification files that a table or figure draws on, or the cleaned file it shows.

    ``stems`` are the ids of the specifications of each file.
    """
    text = repr(entry)
    found = [f"`{stem}.yaml`" for stem, ids in stems.items() if any(name in text for name in ids)]
    folders = Folders.under(study.root, study.id)
    source = folders.shown(str(entry["source"])) if "source" in entry else ""
    return ", ".join(found) if found else f"`{source}`"
