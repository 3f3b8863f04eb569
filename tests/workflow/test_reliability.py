"""Runs that are killed, started twice, or whose machine gives no folder to write in."""

from __future__ import annotations

import contextlib
import errno
import html
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from small_project import STUDIES, command, environment, run, steps
from test_up_to_date import NOTHING, replace_in

from replication.core import processes
from replication.workflow import run_requirements
from replication.workflow import steps as workflow_steps
from replication.workflow.step_preparation import NEEDED

SECONDS = 120.0
"""How long processes may take to notice; the machine may be busy."""


def started(root: Path, extra: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """A run in the background."""
    return subprocess.Popen(
        command("run", "--cores", "2"),
        cwd=root,
        env=environment(root, extra or {}),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def at_work(root: Path) -> list[psutil.Process]:
    """Processes that work in the project."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            alive = process.status() != psutil.STATUS_ZOMBIE
            if alive and process.pid != os.getpid() and Path(process.cwd()) == root:
                found.append(process)
    return found


def wait_until(condition: Any, what: str) -> None:
    """Wait for something that should happen soon."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen within {SECONDS:.0f} s"
        time.sleep(0.05)


def outputs(root: Path) -> dict[str, bytes]:
    """Every table, figure and cleaned file, by its name."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for folder in ("data_clean", "tables", "figures", "report")
        for path in sorted((root / folder).rglob("*"))
        if path.is_file() and not path.name.startswith(".") and not path.parent.name.startswith(".")
    }


@pytest.mark.parametrize("what", ["the run", "Snakemake"])
@pytest.mark.parametrize("after", [0.5, 2.5, 5.0])
def test_a_killed_run_leaves_no_process_and_the_next_one_needs_no_help(
    finished: Path, fresh: Path, after: float, what: str
) -> None:
    first = started(fresh)
    time.sleep(after)
    if what == "the run":
        first.kill()
    else:
        for process in psutil.Process(first.pid).children():
            with contextlib.suppress(psutil.Error):
                if "snakemake" in " ".join(process.cmdline()):
                    process.kill()
    first.communicate(timeout=SECONDS)
    wait_until(lambda: not at_work(fresh), "the end of every process")
    again = run(fresh)
    assert again.returncode == 0, again.stdout + again.stderr
    assert outputs(fresh) == outputs(finished)


def test_a_lock_that_nobody_holds_is_removed_with_a_sentence(project: Path) -> None:
    locks = project / ".snakemake" / "locks"
    locks.mkdir(exist_ok=True)
    for name in ("0.input.lock", "0.output.lock"):
        (locks / name).write_text("tables/first/estimates.csv\n")
    again = run(project)
    assert again.returncode == 0
    assert "An earlier run was killed; its lock is removed" in again.stdout
    assert NOTHING in again.stdout


def test_the_second_of_two_runs_names_the_first(fresh: Path) -> None:
    first = started(fresh)
    lock = fresh / ".snakemake" / "replication.lock"
    wait_until(lambda: lock.is_file() and str(first.pid) in lock.read_text(), "the lock")
    second = run(fresh)
    assert second.returncode == 2
    assert second.stdout == ""
    assert f"another run is at work in {fresh}: process {first.pid} (" in second.stderr
    assert "-m replication run --cores 2" in second.stderr
    assert f"or stop it: `kill {first.pid}`" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    _, errors = first.communicate(timeout=120)
    assert first.returncode == 0, errors


def test_a_plain_snakemake_at_work_is_named_too(fresh: Path) -> None:
    plain = subprocess.Popen(
        ["python", "-m", "snakemake", "--cores", "1"],
        cwd=fresh,
        env=environment(fresh),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until((fresh / ".snakemake" / "owner.json").is_file, "the note of the owner")
        second = run(fresh)
        assert second.returncode == 2
        assert f"process {plain.pid} (" in second.stderr
        assert "-m snakemake --cores 1" in second.stderr
    finally:
        plain.kill()
        plain.wait()
    # Its shells and steps notice that it is gone.
    wait_until(lambda: not at_work(fresh), "the end of every process")
    assert run(fresh).returncode == 0


def test_without_the_process_that_serves_steps_run_by_themselves(finished: Path, fresh: Path) -> None:
    done = run(fresh, program=["python", "-m", "snakemake", "--cores", "2"])
    assert done.returncode == 0, done.stderr
    assert len(steps(done.stdout)) == 1 + len(STUDIES) * 13
    assert outputs(fresh) == outputs(finished)


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("study.yaml", "studies/first/study.yaml is not valid YAML: "),
        ("tables.yaml", "studies/first/tables.yaml is not valid YAML: "),
    ],
)
def test_a_description_that_is_no_yaml_stops_its_own_study_only(fresh: Path, name: str, output: str) -> None:
    place = fresh / "studies/first" / name
    place.write_text(place.read_text() + "\n  - [", encoding="utf-8")
    done = run(fresh)
    assert done.returncode == 2
    assert f"first did not run: {output}" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert (fresh / "figures/second/path.pdf").is_file()
    assert (fresh / "report/index.html").is_file()
    assert not any(line.startswith("first ") for line in steps(done.stdout))


@pytest.mark.parametrize(
    ("old", "new", "output"),
    [
        ("estimator:", "estimatr:", "unknown key 'estimatr' (did you mean 'estimator'?)"),
        ("study: first", "study: second", "says 'study: second'"),
        ("id:", "id: [", "events.yaml is not valid YAML"),
    ],
)
def test_a_specification_that_is_wrong_stops_its_own_study_with_one_paragraph(
    fresh: Path, old: str, new: str, output: str
) -> None:
    place = fresh / "studies/first/specs/events.yaml"
    text = place.read_text()
    assert old in text
    place.write_text(text.replace(old, new, 1), encoding="utf-8")
    done = run(fresh)
    assert done.returncode == 2
    assert (done.stdout + done.stderr).count(output) == 1
    assert "first did not run: " in done.stdout
    assert (fresh / "figures/second/path.pdf").is_file()
    assert (fresh / "report/index.html").is_file()
    assert not any(line.startswith("first ") for line in steps(done.stdout))
    assert "Tables:  tables/second/\n" in done.stdout
    assert output in front_page(fresh)
    assert "first/index.html" not in front_page(fresh)
    only = run(fresh, ("run", "--only", "tables/first/effects"))
    assert only.returncode == 2
    assert only.stderr.startswith("replication: ")
    assert output in only.stderr
    assert steps(only.stdout) == []
    place.write_text(text, encoding="utf-8")
    again = run(fresh)
    assert again.returncode == 0
    assert any(line.startswith("first ") for line in steps(again.stdout))
    assert output not in front_page(fresh)


def front_page(root: Path) -> str:
    """The first page of the report as text with its tags."""
    return html.unescape((root / "report/index.html").read_text(encoding="utf-8"))


def test_the_report_says_what_is_wrong_now_and_links_to_what_ran_before(project: Path) -> None:
    place = project / "studies/first/specs/events.yaml"
    text = place.read_text()
    for key in ("estimatr", "estimater"):
        place.write_text(text.replace("estimator", key), encoding="utf-8")
        assert run(project).returncode == 2
        assert f"unknown key '{key}'" in front_page(project)
        assert 'The <a href="first/index.html">pages of an earlier run</a>' in front_page(project)


@pytest.mark.parametrize(
    ("old", "new", "output"),
    [
        ("stars: false", "stars: maybe", "must be true or false; got 'maybe'"),
        (
            "  parts: 4",
            "  parts: 0",
            "must be a whole number between 1 and 10,000; got 0",
        ),
        ("  parts: 4", "  prats: 4", "unknown key 'prats' (did you mean 'parts'?)"),
        ("estimation:", "studies: [frist]\nestimation:", "the study 'frist' (did you mean 'first'?)"),
        ("estimation:", "estimation: [", "config.yaml is not valid YAML"),
    ],
)
def test_wrong_switches_are_refused_in_one_paragraph(project: Path, old: str, new: str, output: str) -> None:
    replace_in(project / "config.yaml", old, new)
    done = run(project)
    assert done.returncode == 2
    assert output in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@contextlib.contextmanager
def closed(folder: Path) -> Iterator[None]:
    """A folder in which nothing can be written, for the superuser neither."""
    if os.geteuid():
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
        try:
            yield
        finally:
            folder.chmod(stat.S_IRWXU)
        return
    immutable = (
        shutil.which("chattr") and not subprocess.run(["chattr", "+i", folder], check=False).returncode
    )
    if not immutable:
        # No folder is closed to the superuser here: a file in its place is.
        shutil.rmtree(folder)
        folder.write_text("")
    try:
        yield
    finally:
        if immutable:
            subprocess.run(["chattr", "-i", folder], check=True)


def test_a_folder_that_cannot_be_written_stops_its_own_study_only(fresh: Path) -> None:
    folder = fresh / "tables" / "first"
    folder.mkdir(parents=True)
    with closed(folder):
        done = run(fresh)
    assert done.returncode == 2
    assert "first did not run: nothing can be written in tables/first: " in done.stdout
    assert "the other studies are not affected" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert (fresh / "figures/second/path.pdf").is_file()
    assert "nothing can be written in tables/first" in front_page(fresh)
    if folder.is_file():
        folder.unlink()
    assert run(fresh).returncode == 0
    assert "nothing can be written" not in front_page(fresh)


def test_a_project_that_cannot_be_written_is_refused_in_one_paragraph(project: Path) -> None:
    with closed(project / "figures"):
        done = run(project)
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"nothing can be written in {project / 'figures'}: " in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_unusable_folders_of_the_machine_are_replaced_with_a_sentence(fresh: Path, tmp_path: Path) -> None:
    folders = {"TMPDIR": tmp_path / "temporary", "HOME": tmp_path / "home"}
    with contextlib.ExitStack() as stack:
        for folder in folders.values():
            folder.mkdir()
            stack.enter_context(closed(folder))
        extra = {name: str(folder) for name, folder in folders.items()}
        extra["XDG_CACHE_HOME"] = ""
        done = run(fresh, extra=extra)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"The temporary folder {folders['TMPDIR']} cannot be used (" in done.stdout
    assert ".snakemake/tmp is used instead." in done.stdout
    assert f"The folder {folders['HOME'] / '.cache'} for caches cannot be used (" in done.stdout
    assert (fresh / "report/index.html").is_file()


def test_a_full_disk_is_reported_with_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device", "tables/first/effects.tex")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    assert run_requirements.complaint(tmp_path) == "No space left on device"
    monkeypatch.setitem(workflow_steps.STEPS, "tables", full)
    log = tmp_path / "logs" / "tables.log"
    assert workflow_steps.step("tables", "first", tmp_path, threads=1, log=log) == 2
    output = capsys.readouterr().err
    assert "first: tables: tables/first/effects.tex: No space left on device." in output
    assert "Traceback" not in output
    assert log.read_text() == output.removeprefix("first: tables: ")


@pytest.mark.parametrize("signalled", [True, False])
def test_a_process_ends_with_the_one_that_started_it(tmp_path: Path, signalled: bool) -> None:
    """By the kernel's signal, and by looking at the parent where there is none."""
    switch = "" if signalled else "processes.ask_for_signal = lambda: False\n"
    child = f"from replication.core import processes\n{switch}processes.die_with_parent()\n"
    child += "import time; print('ready', flush=True); time.sleep(300)"
    parent = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]).wait()"
    with subprocess.Popen(
        ["python", "-c", parent], cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, text=True
    ) as outer:
        assert outer.stdout is not None
        assert outer.stdout.readline() == "ready\n"
        assert len(at_work(tmp_path)) == 2
        outer.send_signal(signal.SIGKILL)
        wait_until(lambda: not at_work(tmp_path), "the end of the child")


def test_the_parent_of_a_process_is_known() -> None:
    assert processes.parent_of(os.getpid()) == os.getppid()
    assert processes.parent_of(2**22 + 1) == 0


def test_what_is_imported_ahead_exists() -> None:
    """A module that moved would only cost time, silently."""
    code = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
    modules = sorted({module for names in NEEDED.values() for module in names})
    subprocess.run(["python", "-c", code, *modules], env=environment(Path.cwd()), check=True)
