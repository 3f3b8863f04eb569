"""The shared makers of raw files, for whichever order the folders of tests are read in."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent, HERE.parent / "sources"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
