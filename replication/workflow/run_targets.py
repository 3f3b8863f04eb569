"""What ``replication run --only`` makes: studies, tables, figures and estimates as Snakemake targets."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from replication.core.errors import SourceError, SpecError
from replication.core.wording import series
from replication.workflow.project import (
    FIGURE_ENDINGS,
    TABLE_ENDINGS,
    StudyFolder,
    absent_files,
    readable,
    study,
)

OPENED = (".html", ".png")
"""Formats that are named first."""
MOST_LISTED = 12
"""Results of one folder that are listed."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to make.

    Attributes
    ----------
    study : id of its study.
    files : what Snakemake is asked for, relative to the project's folder.
    results : what a reader opens afterward; files of one stem are one result.
    """

    study: str
    files: tuple[str, ...]
    results: tuple[str, ...]


def targets_of(root: Path, asked: Sequence[str]) -> list[Target]:
    """The targets of some names.

    Parameters
    ----------
    asked : ids of studies, or ``tables/<study>/<id>``, ``figures/<study>/<id>``,
        ``tables/<study>/estimates``, ``tables/<study>/analyses/<id>``, ``data_clean/<study>``,
        ``report/<study>``. A final ``.tex`` or ``.csv`` does not count, and without the id all of the
        study's tables (or figures) are meant.

    Raises
    ------
    SpecError
        For a name that nothing has, with those near it.
    SourceError
        If raw files of its study are missing.
    """
    found = []
    for name in asked:
        target = _target(root, PurePosixPath(name.strip("/")))
        owner = study(root, target.study)
        if absent := absent_files(owner):
            raise SourceError(
                f"{name} needs {len(absent)} raw files that are missing, among them {absent[0].path}. "
                f"`replication data status {target.study}` tells how to get each and where it belongs."
            )
        found.append(target)
    return found


def _target(root: Path, asked: PurePosixPath) -> Target:
    known, refused = readable(root)
    for part in asked.parts:
        if part in refused:
            raise refused[part]
    catalog = {name: target for one in known for name, target in _catalog(one).items()}
    plain = (
        str(asked.with_suffix("")) if asked.suffix[1:] in {*TABLE_ENDINGS, *FIGURE_ENDINGS} else str(asked)
    )
    if plain in catalog:
        return catalog[plain]
    # An id alone is enough where only one study has it.
    same = [name for name in catalog if name.endswith(f"/{plain}") and name.count("/") == 2]
    if len(same) == 1:
        return catalog[same[0]]
    near = same or difflib.get_close_matches(plain, list(catalog), n=3, cutoff=0.5)
    hint = f" Did you mean {series(near, 'or')}?" if near else ""
    raise SpecError(
        f"--only {asked}: there is no study, table, or figure of that name.{hint} Name a study "
        f"({', '.join(one.id for one in known)}), or one of its results: tables/STUDY/ID, figures/STUDY/ID, "
        "tables/STUDY/estimates, data_clean/STUDY."
    )


def _catalog(one: StudyFolder) -> dict[str, Target]:
    """Everything of a study that can be asked for, by its name."""
    tables, figures, summary = one.table_outputs(), one.figure_outputs(), one.summary_outputs()

    def target(step: str, results: Iterable[str]) -> Target:
        """What a step writes, by the ledger that it ends with."""
        return Target(one.id, (one.ledger(step),), tuple(results))

    estimates = f"tables/{one.id}/estimates"
    made = {
        one.id: Target(
            one.id, (one.ledger("tables"), one.ledger("figures"), *summary), (*tables, *figures, *summary[:1])
        ),
        f"tables/{one.id}": target("tables", tables),
        f"figures/{one.id}": target("figures", figures),
        estimates: Target(one.id, (f"{estimates}.csv",), (f"{estimates}.csv",)),
        f"tables/{one.id}/analyses": target("analyze", [f"tables/{one.id}/analyses/"]),
        f"data_clean/{one.id}": target("clean", [f"data_clean/{one.id}/"]),
    }
    for part, names, endings in (
        ("tables", one.tables, TABLE_ENDINGS),
        ("figures", one.figures, FIGURE_ENDINGS),
    ):
        for name in names:
            stem = f"{part}/{one.id}/{name}"
            made[stem] = target(part, (f"{stem}.{ending}" for ending in endings))
    for path in one.analysis_outputs():
        made[path.removesuffix(".csv")] = target("analyze", [path])
    for panel in one.panels:
        made[f"data_clean/{one.id}/{panel}"] = target("clean", [f"data_clean/{one.id}/{panel}.parquet"])
    if summary:
        report = f"report/{one.id}"
        made |= dict.fromkeys(
            (report, f"{report}/summary"), Target(one.id, tuple(summary), tuple(summary[:1]))
        )
    return made


def closing_of(targets: Sequence[Target], steps: int, seconds: float, cautions: Sequence[str] = ()) -> str:
    """What was made and where it is, and ``cautions``, for the end of a run."""
    results = list(dict.fromkeys(path for target in targets for path in target.results))
    head = (
        "Nothing to do: it is up to date."
        if steps == 0
        else "Wrote the requested results and everything they depend on:"
    )
    shown = any(path.startswith(("tables/", "figures/")) for path in results)
    pages = ["`replication report` writes report/index.html, with every table and figure."] if shown else []
    return "\n".join([head, *listed_files(results), *cautions, *pages, f"Done in {seconds:.0f} s."])


def listed_files(paths: Iterable[str]) -> list[str]:
    """One line per result with the file to open and its other formats; the first ones of each folder."""
    results: dict[str, dict[str, list[str]]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        stem, dot, ending = name.partition(".")
        results.setdefault(folder, {}).setdefault(stem, []).append(dot + ending)
    lines = []
    for folder, stems in results.items():
        for stem, endings in list(stems.items())[:MOST_LISTED]:
            first = next((ending for ending in OPENED if ending in endings), endings[0])
            others = ", ".join(sorted(set(endings) - {first}))
            lines.append(f"  {folder}/{stem}{first}{f' (also {others})' if others else ''}")
        if len(stems) > MOST_LISTED:
            lines.append(f"  and {len(stems) - MOST_LISTED} more in {folder}/")
    return lines
