"""Snakemake as a process that is started early and reads its arguments later."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from replication.core.processes import ask_for_signal
from replication.workflow.step_request import VARIABLE
from replication.workflow.step_server import SOCKET

SNAKEMAKE_LOG = "logs/snakemake.log"


@dataclass
class Snakemake:
    """A process that has made its imports, or is making them, and waits for its arguments.

    Attributes
    ----------
    root : the project's folder.
    """

    root: Path
    process: subprocess.Popen[bytes]

    def run(self, cores: str, studies: Sequence[str], targets: Sequence[str] = ()) -> int:
        """Run it, once, with its output in ``logs/snakemake.log``; returns its exit code."""
        command = ["--cores", cores, "--keep-going", "--rerun-incomplete"]
        # By the priorities of the rules; the usual scheduler starts a solver for every choice of jobs.
        command += ["--scheduler", "greedy"]
        command += ["--directory", str(self.root), "--snakefile", str(self.root / "Snakefile")]
        command += ["--config", f"studies={json.dumps(list(studies))}"]
        command += ["--", *targets] if targets else []
        with contextlib.suppress(BrokenPipeError), self.process.stdin as given:  # type: ignore[union-attr]
            given.write(json.dumps(command).encode() + b"\n")
        return self.process.wait()


@contextlib.contextmanager
def snakemake_started(root: Path) -> Iterator[Snakemake]:
    """Snakemake, which is stopped with the block."""
    # The rules call `python`: it must be this one, with or without an activated environment.
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    with (root / SNAKEMAKE_LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "replication.workflow.snakemake_process"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=os.environ | {"PATH": paths, VARIABLE: SOCKET},
            cwd=root,
            # There is no thread here, and nothing else makes Snakemake end when this process is killed.
            preexec_fn=ask_for_signal,  # noqa: PLW1509
        )
        try:
            yield Snakemake(root, process)
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()  # type: ignore[union-attr]
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
    if process.poll() is None:
        process.kill()
        process.wait()
