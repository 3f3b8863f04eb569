"""``python -m replication``: the command line without an installed script."""

from replication.cli import run_once

run_once()
