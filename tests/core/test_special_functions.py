"""The first import of ``scipy.special`` leaves out NumPy's tools, and leaves NumPy as it was."""

from __future__ import annotations

import subprocess
import sys

TOLD = """
import sys
import numpy
names = sorted(numpy.__all__), sorted(dir(numpy))
import replication.inference
tools = {"numpy.f2py", "numpy.testing"} & set(sys.modules)
same = names == (sorted(numpy.__all__), sorted(dir(numpy)))
numpy.testing.assert_allclose(1.0, 1.0)
print(tools, same, "f2py" in dir(numpy), replication.inference.__name__)
"""


def test_numpy_is_as_it_was_after_the_import() -> None:
    done = subprocess.run([sys.executable, "-c", TOLD], capture_output=True, text=True, check=True)
    assert done.stdout == "set() True True replication.inference\n"
