"""``replication run``: Snakemake with one line per step, and a closing account."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from replication.sources.manifest import MIRROR
from replication.workflow import project
from replication.workflow.project import Study

SHOWN = 3
"""Files that a line of the account names."""


def run(root: Path, cores: str) -> int:
    """Run whatever is out of date and say where the results are and how long it took.

    Raises
    ------
    SpecError
        If a study's folder says what no table, figure or analysis understands; nothing runs then.
    """
    start = time.perf_counter()
    # A fault in a study's files is refused here in one paragraph; inside Snakemake it would be a traceback.
    project.runnable(root)
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--cores",
        cores,
        "--quiet",
        "all",
        "--directory",
        str(root),
        "--snakefile",
        str(root / "Snakefile"),
        "--rerun-incomplete",
    ]
    # The rules call `python`: it must be this one, with or without an activated environment.
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = os.environ | {"PATH": paths}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        steps = 0
        for line in process.stdout:
            print(line, end="", flush=True)
            steps += 1
    seconds = time.perf_counter() - start
    if process.returncode:
        print(f"The run stopped after {seconds:.0f} s; the accounts of the steps are in logs/.")
        return process.returncode
    print(closing(root, steps, seconds))
    return 0


def closing(root: Path, steps: int, seconds: float) -> str:
    """Where the results are, what did not run, and the time taken."""
    lines = []
    if steps == 0:
        lines.append("Nothing to do: every table and figure is up to date.")
    lines += [did_not_run(study) for study in project.studies(root) if project.absent_files(study)]
    ran = ",".join(study.id for study in project.runnable(root))
    lines.append(f"Tables:  tables/{{{ran}}}/")
    lines.append(f"Figures: figures/{{{ran}}}/")
    lines.append("Report:  report/index.html")
    lines.append(f"Done in {seconds:.0f} s.")
    return "\n".join(lines)


def did_not_run(study: Study) -> str:
    """One paragraph: which raw files of the study are missing, and how to get them."""
    absent = project.absent_files(study)
    shown = [source.path for source in absent[:SHOWN]]
    more = f" and {len(absent) - SHOWN} more" if len(absent) > SHOWN else ""
    count = "1 raw file is" if len(absent) == 1 else f"{len(absent)} raw files are"
    fetchable = all(source.url for source in absent)
    how = f" To get them: `{study.fetch_command}`." if fetchable else ""
    names = " and ".join(f"`replication data status {name}`" for name in study.source_names)
    mirror = os.environ.get(MIRROR)
    places = f"data_raw and {mirror}" if mirror else f"data_raw ({MIRROR} is not set)"
    earlier = (study.root / "tables" / study.id).is_dir()
    left = " Outputs of an earlier run are left as they are, and not on the page." if earlier else ""
    return (
        f"{study.id} did not run: {count} missing from {places}: {', '.join(shown)}{more}.{how} "
        f"{names} says how to get each and where it belongs.{left}"
    )
