"""Snakemake with its usual arguments, as ``replication run`` starts it.

The process reads its arguments, one line of JSON, from its standard input: it is started while the studies
are being checked, and meanwhile imports what Snakemake needs and reads what the Snakefile will ask for.

By default Snakemake starts at most 100 jobs per second, and to know when it may start more it sets a timer of
one second whenever a job ends: each looks at every waiting job again, and the last one keeps the process from
ending. Here jobs are limited by the number of cores only.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from snakemake import persistence
from snakemake.cli import args_to_api, get_argument_parser, parse_args
from snakemake.exceptions import print_exception


def compare_without_pandas() -> None:
    """Have parameters compared as the texts and lists that they are.

    Snakemake imports pandas to see whether one of them is a table, which takes a quarter of a second.
    """
    kind: Any = getattr(persistence, "PersistenceBase", None)
    if hasattr(kind, "_serialize_param") and hasattr(kind, "_serialize_param_builtin"):
        kind._serialize_param = property(lambda self: self._serialize_param_builtin)


def prepare(root: Path) -> None:
    """Import what Snakemake will need, and read studies and code as the Snakefile does.

    What is wrong with them is reported when they are asked for.
    """
    from replication.workflow.rule_inputs import CODE, OWN, Rules
    from replication.workflow.settings import read_settings

    with contextlib.suppress(Exception):
        get_argument_parser()
        # Used when the Snakefile is read.
        importlib.import_module("smart_open")
        rules = Rules.read(root, read_settings(root))
        for step in CODE:
            rules.code(step)
        for study, step in itertools.product(rules.studies, OWN):
            rules.code(step, study)


def main() -> int:
    """Run Snakemake with the arguments that are read; its exit code."""
    compare_without_pandas()
    prepare(Path.cwd())
    given = sys.stdin.readline()
    if not given:
        return 0
    # The steps have no input.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        parser, chosen = parse_args(json.loads(given))
        chosen.max_jobs_per_timespan = None
        done = args_to_api(chosen, parser)
    except Exception as error:
        print_exception(error)
        return 1
    return 0 if done else 1


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # Everything is written; to take its modules apart would take the interpreter half a second.
    os._exit(code)
