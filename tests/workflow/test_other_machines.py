"""A whole run writes the same bytes on one core or two, in another locale, time zone, hash seed and mask."""

from __future__ import annotations

from pathlib import Path

from small_project import make_project, run
from test_reliability import outputs

HERE = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
THERE = {"PYTHONHASHSEED": "12345", "LC_ALL": "C", "LANG": "C", "TZ": "Pacific/Kiritimati"}
ONE_PROCESSOR = "$(command -v taskset > /dev/null && echo taskset -c 0)"


def test_no_byte_depends_on_the_machine(tmp_path: Path) -> None:
    here, there = (make_project(tmp_path / name, ["first"]) for name in ("here", "there"))
    words = f"umask 077; exec {ONE_PROCESSOR} python -m replication run --cores 1"
    for done in (run(here, extra=HERE), run(there, program=["sh", "-c", words], extra=THERE)):
        assert done.returncode == 0, done.stdout + done.stderr
    expected, found = outputs(here), outputs(there)
    assert expected.keys() == found.keys()
    assert [name for name in expected if expected[name] != found[name]] == []
    assert {Path(name).suffix for name in expected} >= {".csv", ".parquet", ".png", ".pdf", ".html", ".tex"}
