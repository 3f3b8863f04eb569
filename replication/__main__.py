"""``python -m replication``: the command line without an installed script."""

import sys

from replication.cli import main

sys.exit(main())
