"""Arguments of ``replication step``, which the command line and the process that serves a run read."""

from __future__ import annotations

import argparse
from pathlib import Path

NAMES = (
    *("clean", "estimate", "gather", "analyze", "check", "tables", "figures", "summary", "traces"),
    *("page", "report"),
)
"""The steps of the pipeline."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The name of the step, its study, its part, its threads and its log."""
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("study", nargs="?")
    parser.add_argument("--part", type=int, help="estimate this part only")
    parser.add_argument("--parts", type=int, default=1, help="number of parts")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--log", type=Path)


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    """The arguments as the command line reads them; wrong ones end the process with exit code 2."""
    parser = argparse.ArgumentParser(prog="replication step")
    add_arguments(parser)
    return parser.parse_args(arguments)
