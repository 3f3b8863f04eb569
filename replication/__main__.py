"""``python -m replication``: the command line without an installed script, and a step of a run, which the
process that serves the run makes.
"""

import sys

from replication.workflow.step_request import answered

_code = answered(sys.argv[1:])
if _code is None:
    from replication.cli import run_once

    run_once()
sys.exit(_code)
