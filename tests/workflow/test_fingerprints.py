"""What a result depends on: its code by imports, its inputs by contents, its files by being there."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from small_project import ROOT, environment

from replication.core.code_digest import code_digest, code_files, package_modules
from replication.core.fingerprints import Ledger, fingerprint, remove_if_incomplete, renew
from replication.workflow.settings import checked_settings, retyped

PACKAGE = ROOT / "replication"
ESTIMATES = """
import json, os, sys
import numpy, pandas, scipy.optimize, yaml
sys.path.insert(0, "tests/contracts")
from template_panel import template_panel
names = sorted(p.removesuffix(".py") for p in os.listdir("replication/estimators") if p[0].isalpha())
for name in names:
    if os.fork():
        os.wait()
        continue
    from replication.core.errors import InputError
    from replication.core.panel_builder import build_panel
    from replication.core.spec import parse_spec
    from replication.workflow import estimate_batch
    before = {"unit": "district", "time": "year", "cohort": "adopted", "outcome": "log_rate"}
    found = ""
    try:
        spec = parse_spec({"id": "a", "estimator": name, **before})
        estimate_batch.estimate(build_panel(template_panel(), spec), spec)
        found = name
    except InputError:
        pass
    files = [m.__file__ for k, m in list(sys.modules.items()) if k.startswith("replication.") and m.__file__]
    print(json.dumps([name, found, files]), flush=True)
    os._exit(0)
"""
RESULTS = """
import json, sys
from pathlib import Path
from replication.report.folders import Folders
from replication.report.study_config import load_study
from replication.report import study_report
root = Path(sys.argv[1])
study, folders = load_study(root / "studies/first"), Folders.under(root, "first")
known = set(sys.modules)
getattr(study_report, sys.argv[2])(study, folders)
files = [m.__file__ for k, m in sys.modules.items() if k.startswith("replication.") and m.__file__]
print(json.dumps(files))
"""
# How a study's folder is read and checked decides whether there is a result, not what it is.
READING = ("replication/analyses/kind_options.py", "replication/analyses/__init__.py")


def output(code: str, *arguments: str) -> str:
    """What a program prints."""
    done = subprocess.run(
        ["python", "-c", code, *arguments],
        cwd=ROOT,
        env=environment(ROOT),
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def beyond(files: Sequence[str], known: set[Path]) -> list[str]:
    """Files of the package that were loaded and are not known."""
    paths = {Path(name).resolve() for name in files}
    names = {path.relative_to(ROOT).as_posix() for path in paths - {path.resolve() for path in known}}
    return sorted(names - set(READING))


def test_no_estimator_loads_code_that_its_fingerprint_does_not_hold() -> None:
    """The static walk against what Python has loaded after an estimate."""
    lines = [json.loads(line) for line in output(ESTIMATES).splitlines()]
    estimated = [name for name, found, _ in lines if found]
    assert {"twfe", "event_study", "callaway_santanna", "imputation", "etwfe"} <= set(estimated)
    for name in estimated:
        files = next(files for other, _, files in lines if other == name)
        entries = ("replication.workflow.estimate_batch", f"replication.estimators.{name}")
        assert beyond(files, code_files(*entries, root=ROOT, every_choice=False)) == [], name


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("write_tables", "replication.report.tables.regression_table"),
        ("write_figures", "replication.report.figures.event_study_figure"),
    ],
)
def test_no_table_or_figure_loads_code_that_its_fingerprint_does_not_hold(
    project: Path, what: str, kind: str
) -> None:
    files = json.loads(output(RESULTS, str(project), what))
    known = code_files("replication.report.study_report", kind, root=ROOT, every_choice=False)
    # Labels of estimators: a result that is shown has a fingerprint of its own, which holds their code.
    shown = ("replication.estimators.event_study", "replication.estimators.twfe")
    known |= code_files("replication.workflow.estimate_batch", *shown, root=ROOT, every_choice=False)
    assert beyond(files, known) == []


def test_an_estimate_depends_on_its_own_estimator_only() -> None:
    twfe = code_files(
        "replication.workflow.estimate_batch", "replication.estimators.twfe", root=ROOT, every_choice=False
    )
    assert PACKAGE / "estimators" / "twfe.py" in twfe
    assert PACKAGE / "core" / "spec_schema.json" in twfe
    assert PACKAGE / "estimators" / "callaway_santanna" / "aggregation.py" not in twfe
    assert PACKAGE / "workflow" / "project.py" not in twfe


def test_what_is_chosen_while_running_counts_unless_the_caller_names_it() -> None:
    every = code_files("replication.analyses.leave_out", root=ROOT)
    named = code_files("replication.analyses.leave_out", root=ROOT, every_choice=False)
    assert PACKAGE / "estimators" / "callaway_santanna" / "aggregation.py" in every - named
    assert len(package_modules("replication.estimators", ROOT)) > 5


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Path]:
    """A study with a recipe in several files."""
    folder = tmp_path / "studies" / "mine"
    folder.mkdir(parents=True)
    texts = {
        "clean.py": '"""A recipe.\n\nfrom here it is import\n"""\n\n\ndef clean(root):\n'
        "    from studies.mine.counties import (\n        read,\n    )\n    return read(root)\n",
        "counties.py": "from .shared import both\nfrom replication.core import files\nimport numpy\n",
        "shared.py": "NAMES = 'codes.json'\n",
        "codes.json": "{}",
        "apart.py": "OTHER = 'apart.json'\n",
        "apart.json": "{}",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("clean.py", True),
        ("counties.py", True),
        ("shared.py", True),
        ("codes.json", True),
        ("apart.py", False),
        ("apart.json", False),
    ],
)
def test_the_python_of_a_study_counts_and_the_files_that_it_names(
    mine: Path, name: str, counts: bool
) -> None:
    before = code_digest("studies.mine.clean", root=mine)
    place = mine / "studies" / "mine" / name
    place.write_text(place.read_text() + "\n")
    assert (code_digest("studies.mine.clean", root=mine) != before) is counts


def test_a_module_that_is_not_there_is_refused(mine: Path) -> None:
    with pytest.raises(ValueError, match=r"no module 'studies\.mine\.cleen'"):
        code_digest("studies.mine.cleen", root=mine)


def test_a_result_is_made_again_when_its_fingerprint_or_a_file_changes(tmp_path: Path) -> None:
    artificial: list[str] = []

    def make(names: Sequence[str]) -> Iterator[str]:
        for name in names:
            artificial.append(name)
            (tmp_path / name).write_text(name)
            yield name

    def again(**requested: str) -> list[str]:
        artificial.clear()
        counts = renew(tmp_path / ".ledger.json", requested, lambda name: [tmp_path / name], make)
        assert counts == (len(artificial), len(requested) - len(artificial))
        return list(artificial)

    assert again(a="1", b="1") == ["a", "b"]
    assert again(a="1", b="1") == []
    assert again(a="1", b="2") == ["b"]
    (tmp_path / "a").unlink()
    assert remove_if_incomplete(tmp_path / ".ledger.json") == [tmp_path / "a"]
    assert not (tmp_path / ".ledger.json").exists()
    assert again(a="1", b="2") == ["a"]
    # What Snakemake removes before a step is no loss.
    (tmp_path / ".ledger.json").unlink()
    assert again(a="1", b="2") == []
    assert again(b="2") == []
    assert list(Ledger.read(tmp_path / ".ledger.json").entries) == ["b"]


def test_what_was_made_before_a_failure_is_kept(tmp_path: Path) -> None:
    def make(names: Sequence[str]) -> Iterator[str]:
        for name in names:
            if name == "b":
                raise RuntimeError(name)
            (tmp_path / name).touch()
            yield name

    place = tmp_path / ".ledger.json"
    with pytest.raises(RuntimeError):
        renew(place, {"a": "1", "b": "1"}, lambda name: [tmp_path / name], make)
    assert not place.exists()
    assert Ledger.read(place).is_current("a", "1")
    assert not Ledger.read(place).is_current("b", "1")


@pytest.mark.parametrize("text", ["", "[]", '{"a": "an older format"}'])
def test_a_ledger_that_is_none_is_not_relied_on(tmp_path: Path, text: str) -> None:
    place = tmp_path / ".ledger.json"
    for path in (place, tmp_path / ".ledger.json.kept"):
        path.write_text(text)
    assert Ledger.read(place).entries == {}
    remove_if_incomplete(place)
    assert not place.exists()


def test_fingerprints_tell_apart_and_do_not_depend_on_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert len({fingerprint(*parts) for parts in ([1], ["1"], [1, 1], [[1, 1]], [None])}) == 5


def test_switches_that_came_as_text_are_numbers_again() -> None:
    text = {"tables": {"stars": False}, "estimation": {"parts": "3", "threads": "1"}, "studies": ["a"]}
    assert checked_settings(retyped(text))["estimation"] == {"parts": 3, "threads": 1}


def test_imports_for_type_checkers_do_not_count(mine: Path) -> None:
    place = mine / "studies" / "mine" / "shared.py"
    head = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import numpy as np\n\n"
    place.write_text(head + "    from studies.mine.apart import OTHER\n\nNAMES = 'codes.json'\n")
    names = {path.name for path in code_files("studies.mine.clean", root=mine)}
    assert "apart.py" not in names
    assert {"clean.py", "counties.py", "shared.py", "codes.json", "files.py"} <= names
