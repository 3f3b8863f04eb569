"""Where two files differ, and the version of Python that committed documents may differ in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from replication.checks.file_differences import PYTHON, difference


def test_documents_may_name_another_python_and_nothing_else(tmp_path: Path) -> None:
    one, other, third = (tmp_path / f"{name}.md" for name in "abc")
    one.write_text("1.5\nMade with replication 0.1.0, python 3.11.2, numpy 2.4.6.\n")
    other.write_text("1.5\nMade with replication 0.1.0, python 3.13.0, numpy 2.4.6.\n")
    third.write_text("1.6\nMade with replication 0.1.0, python 3.13.0, numpy 2.4.6.\n")
    assert difference(one, other).startswith("line 2, character 40: expected")
    assert difference(one, other, ignoring=PYTHON) == ""
    assert difference(one, third, ignoring=PYTHON).startswith("line 1, character 3: expected '1.5'")


def test_pictures_may_name_another_python_and_nothing_else(tmp_path: Path) -> None:
    def picture(name: str, version: str, color: int = 0) -> Path:
        about = PngImagePlugin.PngInfo()
        about.add_text("Software", f"replication 0.1.0, python {version}")
        Image.fromarray(np.full((2, 2, 3), color, np.uint8)).save(tmp_path / name, pnginfo=about)
        return tmp_path / name

    one, other = picture("a.png", "3.11.2"), picture("b.png", "3.12.1")
    assert "the description 'Software' differs" in difference(one, other)
    assert difference(one, other, ignoring=PYTHON) == ""
    assert "pixels differ" in difference(one, picture("c.png", "3.12.1", 9), ignoring=PYTHON)
