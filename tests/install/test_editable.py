"""An editable installation is found where the current folder contains the clone under the package's name."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILD = "import sys; from setuptools import build_meta; build_meta.build_editable(sys.argv[1])"
IMPORT = """
import site, sys
site.addsitedir(sys.argv[1])
import replication
print(replication.__file__, "estimate" in replication.__all__)
"""


def test_the_package_is_found_beside_a_clone_of_its_name(tmp_path: Path) -> None:
    clone, site = tmp_path / "replication", tmp_path / "site"
    shutil.copytree(ROOT / "replication", clone / "replication", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    subprocess.run([sys.executable, "-c", BUILD, str(site)], cwd=clone, check=True, capture_output=True)
    zipfile.ZipFile(next(site.glob("*.whl"))).extractall(site)
    # -S: without the installation of the tests, and so without numpy, which no import needs yet.
    found = subprocess.run(
        [sys.executable, "-E", "-S", "-c", IMPORT, str(site)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.stdout.split() == [str(clone / "replication" / "__init__.py"), "True"]
