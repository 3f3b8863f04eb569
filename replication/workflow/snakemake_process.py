"""Snakemake with its usual arguments, as ``replication run`` starts it.

By default it starts at most 100 jobs per second, and to know when it may start more it sets a timer of one
second whenever a job ends: each looks at every waiting job again, and the last one keeps the process from
ending. Here jobs are limited by the number of cores only.
"""

from __future__ import annotations

import sys

from snakemake.cli import args_to_api, parse_args
from snakemake.exceptions import print_exception


def main(arguments: list[str]) -> int:
    """Run Snakemake; its exit code."""
    try:
        parser, chosen = parse_args(arguments)
        chosen.max_jobs_per_timespan = None
        done = args_to_api(chosen, parser)
    except Exception as error:
        print_exception(error)
        return 1
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
