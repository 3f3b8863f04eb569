"""The command line: ``replication data | estimate | explain | compare | simulate | run | ...``."""

from __future__ import annotations

import os

# One thread for the linear algebra: sums in another order would change the last digits with the
# number of cores. It must be set before numpy is first imported.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import argparse
import atexit
import contextlib
import difflib
import gc
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from replication.commands import audit, check_panel, outputs, own_data, own_study
from replication.core.errors import InputError
from replication.workflow import step_arguments

COLLECT_AFTER = 1_000_000
"""New objects after which Python looks for garbage; a small estimate makes 600,000, most of them imports."""
COMMAND = "COMMAND"
SIMILAR = 0.8
"""Likeness of an unknown option and a known one from which on the latter is proposed."""
DESCRIPTION = "Staggered-adoption difference-in-differences on your own panel or in the studies of a project."
EXAMPLES = """examples with your own panel:
  replication check my.csv --unit state --time quarter --cohort law --outcome rate
  replication estimate --panel my.csv --unit state --time quarter --cohort law --outcome rate --out results
  replication audit --panel my.csv --unit state --time quarter --cohort law --outcome rate
  replication new my_study --panel my.csv --unit state --time quarter --cohort law --outcome rate

examples in a project:
  replication run                                                 runs whatever is out of date
  replication run --only tables/castle_doctrine/homicide --cores 1
  replication trace castle_doctrine/homicide "Castle doctrine law" "(1)"  shows the source of a printed number
  replication export castle_doctrine/state_year --to dta

`replication COMMAND --help` lists the options of a command."""


class CommandParser(argparse.ArgumentParser):
    """A parser that names an unknown option together with its command and the option that may be meant."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parse as usual; arguments that a command does not know end the program with exit code 2."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            first = unknown[0].partition("=")[0]
            what, kind = f"unexpected argument {first!r}", "arguments"
            if first.startswith("-"):
                known = re.findall(r"--[a-z][a-z-]*", self.format_help())
                near = difflib.get_close_matches(first, known, n=1, cutoff=SIMILAR)
                what, kind = (
                    f"unknown option {first}{f' (did you mean {near[0]}?)' if near else ''}",
                    "options",
                )
            self.exit(2, f"{self.prog}: {what}. `{self.prog} --help` lists the {kind}.\n")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """One sentence instead of all options, with the name that may be meant; exit code 2."""
        found = re.match(r"argument (.*): invalid choice: '?([^' ]*)'? \(choose from (.*)\)", message)
        near = difflib.get_close_matches(found[2], re.findall(r"[\w-]+", found[3]), n=1) if found else []
        hint = f" (did you mean {near[0]}?)" if near else ""
        if found and found[1] == COMMAND:
            self.exit(2, f"{self.prog}: no command {found[2]!r}{hint}. `{self.prog} --help` lists them.\n")
        self.exit(2, f"{self.prog}: {message}{hint}. `{self.prog} --help` lists the options.\n")


def run_once() -> None:
    """The command of one process, for the installed script and ``python -m replication``.

    A command is short and its objects live as long as it does: garbage is looked for more rarely than by
    default, and at the end memory is left to the system instead of being freed object by object. This
    takes a fifth off a county-month estimate.
    """
    gc.set_threshold(COLLECT_AFTER)
    code = main()
    atexit._run_exitfuncs()
    with contextlib.suppress(ValueError, OSError):
        sys.stderr.flush()
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; exit code 0 on success, 1 where a check fails, 2 for unusable input."""
    chosen = parser().parse_args(arguments)
    try:
        _require_mirror()
        code = int(chosen.run(chosen) or 0)
        _finish_output()
        return code
    except InputError as error:
        print(f"replication: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        print(f"replication: {_system_refusal(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("replication: interrupted; nothing half-written is left.", file=sys.stderr)
        return 130


def _finish_output() -> None:
    """Write what is left of the printed text, so that a full disk or a closed pipe is noticed."""
    try:
        sys.stdout.flush()
    except OSError as error:
        error.filename = "Standard output"
        raise


def _system_refusal(error: OSError) -> str:
    """One paragraph about what the operating system refused, with the name of the file."""
    named = f"{error.filename}: " if error.filename is not None else ""
    reason = error.strerror or str(error) or type(error).__name__
    return f"{named}{reason}. Check the path and its permissions, and run the command again."


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top: argparse.ArgumentParser = CommandParser(
        prog="replication",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(required=True, metavar=COMMAND)
    _data(commands)
    for group in (own_data, check_panel, audit, own_study, outputs):
        group.add(commands)
    _simulate(commands)
    _project(commands)
    return top


def _data(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    data = commands.add_parser("data", help="show the status of the raw files, or download them")
    actions = data.add_subparsers(required=True, metavar="ACTION")
    for name, function, text in (
        ("status", run_status, "list the raw files (present, verified, or missing) and how to obtain them"),
        ("fetch", run_fetch, "download or copy the raw files and verify them by checksum"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("study", nargs="?", help="only the files of this study")
        action.add_argument(
            "--monthly", action="store_true", help="only the files of the monthly panels of the study"
        )
        action.set_defaults(run=function)


def _simulate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    simulate = commands.add_parser(
        "simulate",
        help="simulate placebo rollouts (coverage, power, detectable effects); resumes if interrupted",
    )
    simulate.add_argument("study", help="id of the study")
    simulate.add_argument("--draws", type=int, required=True, help="number of placebo rollouts")
    simulate.add_argument("--out", type=Path, required=True, help="folder for draws and results")
    simulate.add_argument(
        "--specs", nargs="+", default=(), metavar="ID", help="specifications (default: those the study names)"
    )
    simulate.add_argument(
        "--clusters",
        nargs="+",
        default=(),
        metavar="COLUMN",
        help="cluster standard errors by each of these columns in turn",
    )
    simulate.add_argument("--seed", type=int, help="seed of the draws (default: the study's)")
    simulate.add_argument("--processes", type=int, help="number of processes (default: one per core)")
    simulate.add_argument("--part", type=int, help="run only this part of the draws, without writing results")
    simulate.add_argument(
        "--parts", type=int, default=1, help="number of parts that the draws are split into"
    )
    simulate.set_defaults(run=run_simulate)


def _project(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    report = commands.add_parser("report", help="write the web pages with all tables and figures")
    report.add_argument("--zip", type=Path, metavar="FILE", help="also write the report as one archive")
    report.add_argument(
        "--readme",
        action="store_true",
        help="for maintainers: also update docs/outputs.md and docs/results",
    )
    report.set_defaults(run=run_report)
    run = commands.add_parser("run", help="run all steps that are out of date, with one line per step")
    run.add_argument("--cores", default="all", help="cores to use (default: all)")
    run.add_argument(
        "--only",
        nargs="+",
        default=(),
        metavar="TARGET",
        help="run a study, tables/STUDY/ID, figures/STUDY/ID, or tables/STUDY/estimates and what it needs",
    )
    run.set_defaults(run=run_pipeline)
    step = commands.add_parser("step", help="run one step of the pipeline (called by the Snakefile)")
    step_arguments.add_arguments(step)
    step.set_defaults(run=run_step)


def run_status(chosen: argparse.Namespace) -> int:
    """``replication data status``."""
    from replication.workflow.data_commands import status_text

    print(status_text(_root(), _study_of_files(chosen)))
    return 0


def run_fetch(chosen: argparse.Namespace) -> int:
    """``replication data fetch``."""
    from replication.workflow.data_commands import fetch_files

    text, complete = fetch_files(_root(), _study_of_files(chosen))
    print(text)
    return 0 if complete else 1


def run_simulate(chosen: argparse.Namespace) -> int:
    """``replication simulate STUDY --draws N --out DIR``."""
    from replication.core.processes import cores
    from replication.workflow.placebo_report import write_report
    from replication.workflow.placebo_simulation import draw_part, make_order, simulate
    from replication.workflow.project import study

    root = _root()
    order = make_order(
        study(root, chosen.study),
        root,
        chosen.out,
        chosen.draws,
        seed=chosen.seed,
        specs=chosen.specs,
        clusters=chosen.clusters,
    )
    workers = chosen.processes or cores()
    if chosen.part is not None:
        draw_part(order, chosen.part, chosen.parts, workers)
        return 0
    summary = simulate(order, workers)
    for path in write_report(order, summary):
        print(f"Wrote {path}")
    return 0


def run_report(chosen: argparse.Namespace) -> int:
    """``replication report``."""
    from replication.workflow.readme import update_readme
    from replication.workflow.report_step import whole_report

    print(f"Wrote {whole_report(_root(), chosen.zip)}")
    if chosen.zip is not None:
        print(f"Wrote {chosen.zip} ({chosen.zip.stat().st_size / 1e6:.1f} MB)")
    if chosen.readme:
        print(f"Wrote {update_readme(_root())}")
    return 0


def run_pipeline(chosen: argparse.Namespace) -> int:
    """``replication run``: Snakemake with one line per step and a closing line."""
    from replication.workflow.run_snakemake import run

    return run(_root(), chosen.cores, chosen.only)


def run_step(chosen: argparse.Namespace) -> int:
    """``replication step``: one step of one study, in this process."""
    from replication.core.processes import die_with_ancestors
    from replication.workflow.steps import chosen_step

    die_with_ancestors()
    return chosen_step(chosen, _root())


def _require_mirror() -> None:
    """Refuse a mirror that does not exist, as studies would silently be skipped."""
    mirror = os.environ.get("REPLICATION_MIRROR")
    if mirror and not Path(mirror).is_dir():
        raise InputError(
            f"REPLICATION_MIRROR names {mirror}, which is not a folder (seen from {Path.cwd()}). "
            "Correct the variable, or unset it to use data_raw alone."
        )


def _root() -> Path:
    from replication.workflow.project import find_root

    return find_root()


def _study_of_files(chosen: argparse.Namespace) -> str | None:
    return f"{chosen.study}_monthly" if chosen.monthly else chosen.study


if __name__ == "__main__":
    run_once()
