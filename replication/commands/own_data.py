"""Commands on user data: estimate, plot, table, honest, compare, explain."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replication.commands.reading_flags import PANEL_HELP, add_reading, reading_keys

if TYPE_CHECKING:
    from replication.core.spec import Spec

Subparsers = Any

COLUMNS = ("outcome", "estimator", "unit", "time", "cohort", "cluster", "weights")
"""Keys of a specification with an option of their own."""
WORDS = {
    "outcome": "outcome variable, or its logarithm as in 'log(rate)'",
    "estimator": "estimator (`replication explain` lists them; default: callaway_santanna)",
    "unit": "unit column (default: unit)",
    "time": "time column (default: time)",
    "cohort": "column of the first treated period, 0 or empty for never (default: cohort)",
    "cluster": "cluster variable of the standard errors (default: the unit)",
    "weights": "weight variable",
    "covariates": "covariates",
}
"""Help of the options that name columns, the same in every command."""


def add(commands: Subparsers) -> None:
    """The parsers of these commands."""
    _add_estimate(commands)
    _add_plot_and_table(commands)
    _add_honest(commands)
    compare = commands.add_parser("compare", help="compare two saved results side by side")
    compare.add_argument(
        "first", type=Path, help="folder of a saved result, written by `estimate` or the pipeline"
    )
    compare.add_argument("second", type=Path, help="folder of the result to compare with")
    compare.add_argument("-o", "--figure", type=Path, help="also draw a figure of both event studies")
    compare.add_argument(
        "--all", action="store_true", help="show every row, not only the overall effect and the event study"
    )
    compare.set_defaults(run=run_compare)
    explain = commands.add_parser(
        "explain", help="list the keys of a specification, describe one, or show a specification in full"
    )
    explain.add_argument(
        "spec",
        type=Path,
        nargs="?",
        metavar="NAME",
        help="specification file or folder of a result to show; or a key, or an estimator, to describe",
    )
    explain.set_defaults(run=run_explain)


def _add_plot_and_table(commands: Subparsers) -> None:
    plot = commands.add_parser("plot", help="draw an event-study figure of one or more saved results")
    _add_folders(plot, "results.png", "file ending in .png, .pdf, or .svg (default: results.png)")
    plot.add_argument("--title", default="", help="title (default: Event-study estimates: OUTCOME)")
    plot.set_defaults(run=run_plot)
    table = commands.add_parser("table", help="print or write a table of one or more saved results")
    _add_folders(table, None, "file ending in .md, .tex, .html, or .docx (default: print it)")
    table.add_argument("--title", default="Estimates")
    table.add_argument(
        "--whole", action="store_true", help="write a complete LaTeX document, not only the table"
    )
    table.add_argument(
        "--overall", action="store_true", help="leave out the event times: overall effects and coefficients"
    )
    table.set_defaults(run=run_table)


def _add_honest(commands: Subparsers) -> None:
    honest = commands.add_parser(
        "honest", help="test the sensitivity of a saved event study to violations of parallel trends"
    )
    honest.add_argument("folder", type=Path, metavar="DIR", help="folder of a saved result")
    honest.add_argument(
        "--method",
        default="relative_magnitudes",
        help="relative_magnitudes (default), smoothness, or smoothness_clf",
    )
    honest.add_argument("--target", default="average", help="average (default) or one event time")
    honest.add_argument(
        "--window", nargs=2, type=int, metavar=("FIRST", "LAST"), help="event times to use (default: all)"
    )
    honest.set_defaults(run=run_honest)


def _add_estimate(commands: Subparsers) -> None:
    estimate = commands.add_parser(
        "estimate",
        help="estimate a specification on a panel with one row per unit and period",
        epilog="example: replication estimate --panel my.csv --unit state --time quarter --cohort law "
        "--outcome rate --never 9999 --strip-blanks --out results",
    )
    add_specification(estimate, COLUMNS)
    estimate.add_argument("--out", type=Path, required=True, help="folder for the results")
    estimate.add_argument(
        "--numbers-only", action="store_true", help="write the estimates without a figure, table, or page"
    )
    estimate.set_defaults(run=run_estimate)


def add_specification(parser: argparse.ArgumentParser, columns: Sequence[str]) -> None:
    """Add the panel file, and every way to name columns and other keys of a specification."""
    parser.add_argument(
        "spec",
        type=Path,
        nargs="?",
        metavar="SPEC.yaml",
        help="specification file; the options below override its keys",
    )
    parser.add_argument("--panel", type=Path, required=True, help=PANEL_HELP)
    for key in columns:
        parser.add_argument(f"--{key}", help=WORDS[key])
    parser.add_argument("--covariates", nargs="+", metavar="COLUMN", help=WORDS["covariates"])
    add_assigned(parser)
    parser.add_argument(
        "--only",
        metavar="ID",
        help="estimate only the specification with this ID, if the file defines several (keys 'vary' or "
        "'columns')",
    )
    add_reading(parser)


def add_assigned(parser: argparse.ArgumentParser) -> None:
    """Add ``--set``, which takes every key that has no option of its own."""
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        dest="assigned",
        help="any other key, as in --set control_group=never_treated inference.level=0.9",
    )


def chosen_specs(chosen: argparse.Namespace, columns: Sequence[str]) -> list[Spec]:
    """The specifications that the options of ``add_specification`` describe."""
    from replication.workflow.estimate_file import one_of, specs_of

    given = {key: getattr(chosen, key) for key in (*columns, "covariates")}
    keys = {key: value for key, value in given.items() if value} | reading_keys(chosen)
    if chosen.spec is not None and getattr(chosen, "cluster", None) and not chosen.spec.suffix:
        _require_file(chosen.spec, chosen.cluster)
    specs = specs_of(chosen.spec, keys, chosen.assigned)
    return specs if chosen.only is None else [one_of(specs, chosen.only, chosen.spec)]


def _require_file(path: Path, cluster: str) -> None:
    """Refuse a second column after ``--cluster``, which was taken for the name of a specification."""
    if not path.exists():
        from replication.core.errors import SpecError

        raise SpecError(
            f"There is no specification file {path}. Check the path. To cluster by several columns (twfe, "
            f"event_study, and poisson), write `--set 'cluster=[{cluster}, {path}]'`."
        )


def _add_folders(parser: argparse.ArgumentParser, default: str | None, endings: str) -> None:
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="folders of saved results")
    parser.add_argument(
        "--labels",
        nargs="+",
        help="one label per result (default: the estimators, or the folder names if two results share an "
        "estimator)",
    )
    parser.add_argument("-o", "--output", type=Path, default=default and Path(default), help=endings)


def run_estimate(chosen: argparse.Namespace) -> int:
    """``replication estimate [SPEC.yaml] --panel FILE --out DIR``."""
    from replication.workflow.estimate_file import estimate_file, next_steps

    specs = chosen_specs(chosen, COLUMNS)
    inputs = [] if chosen.spec is None else [chosen.spec]
    results = estimate_file(specs, chosen.panel, chosen.out, inputs=inputs, pictures=not chosen.numbers_only)
    for spec, result in zip(specs, results, strict=True):
        print(f"{f'{spec.id}: ' if len(specs) > 1 else ''}{result.summary()}\n")
    print(next_steps(chosen.out, specs))
    return 0


def run_plot(chosen: argparse.Namespace) -> int:
    """``replication plot DIR... -o FILE``."""
    from replication.workflow.saved_folders import plot_folders

    print(f"Wrote {plot_folders(chosen.folders, chosen.labels, chosen.title, chosen.output)}")
    return 0


def run_table(chosen: argparse.Namespace) -> int:
    """``replication table DIR... [-o FILE]``."""
    from replication.workflow.saved_folders import table_of_folders

    table = table_of_folders(chosen.folders, chosen.labels, chosen.title, overall=chosen.overall)
    if chosen.output is None:
        print(table.to_text())
    else:
        print(f"Wrote {table.save(chosen.output, whole=chosen.whole)}")
    return 0


def run_honest(chosen: argparse.Namespace) -> int:
    """``replication honest DIR``."""
    from replication.workflow.saved_folders import honest_text

    window = tuple(chosen.window) if chosen.window else None
    print(honest_text(chosen.folder, chosen.method, chosen.target, window))
    return 0


def run_compare(chosen: argparse.Namespace) -> int:
    """``replication compare A B [-o FIGURE]``."""
    from replication.workflow.explain import compare
    from replication.workflow.saved_folders import plot_folders

    print(compare(chosen.first, chosen.second, every_row=chosen.all))
    if chosen.figure is not None:
        folders = [chosen.first, chosen.second]
        print(f"Wrote {plot_folders(folders, None, '', chosen.figure)}")
    return 0


def run_explain(chosen: argparse.Namespace) -> int:
    """``replication explain [NAME]``."""
    from replication.workflow.explain import explain_keys, explain_named

    print(explain_keys() if chosen.spec is None else explain_named(chosen.spec))
    return 0
