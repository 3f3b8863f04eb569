"""A step of a run asks the process that serves it, and imports next to nothing for that."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_project import environment

from replication.workflow.step_arguments import NAMES, read_arguments
from replication.workflow.step_preparation import load
from replication.workflow.step_request import INTERRUPTED, LOST, VARIABLE, answered
from replication.workflow.step_server import LATE, _Reactor
from replication.workflow.steps import STEPS

COMMAND = ["step", "clean", "mine", "--log", "logs/mine/clean.log"]
SPARED = {"argparse", "json", "pathlib", "re", "typing", "replication.cli", "replication.core"}


@contextmanager
def server(place: Path, answer: bytes) -> Iterator[list[bytes]]:
    """A socket that answers one request; what it was asked is in the list after the block."""
    asked: list[bytes] = []

    def answer_once() -> None:
        connection, _ = listener.accept()
        with connection:
            asked.append(connection.makefile("rb").readline())
            connection.sendall(answer)

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(place))
        listener.listen(1)
        thread = threading.Thread(target=answer_once)
        thread.start()
        yield asked
        thread.join(30)


def python(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with a list of its imports on the standard error."""
    return subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        cwd=root,
        check=False,
        env=environment(Path.cwd()) | {VARIABLE: "steps.sock"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def imports(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Names of the modules that a process imported."""
    return set(re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE))


def test_a_step_that_is_served_imports_next_to_nothing(tmp_path: Path) -> None:
    with server(tmp_path / "steps.sock", b"2\n") as asked:
        done = python(tmp_path, "-m", "replication", *COMMAND)
    assert done.returncode == 2
    assert asked == [b"clean\0mine\0--log\0logs/mine/clean.log\n"]
    assert "replication.workflow.step_request" in imports(done)
    # Files of the installation may import on their own account.
    assert imports(done) & SPARED <= imports(python(tmp_path, "-c", "pass"))


def test_a_step_whose_process_was_killed_has_a_code_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "steps.sock"))
    with server(tmp_path / "steps.sock", b"") as asked:
        assert answered(COMMAND) == LOST
    assert len(asked) == 1


def test_nothing_but_a_step_of_a_run_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answered(COMMAND) is None, "no run"
    monkeypatch.setenv(VARIABLE, str(tmp_path / "steps.sock"))
    assert answered(COMMAND) is None, "the process of the run is gone"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "steps.sock"))
        listener.listen(1)
        assert answered(["verify"]) is None
        assert answered([]) is None
        assert answered(["step", "clean", "two\nlines"]) is None, "the end of a request is a line break"


@pytest.fixture
def heeded() -> Iterator[None]:
    """Ctrl-C is not ignored, as it is in what a script starts in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
def test_ctrl_c_ends_a_waiting_step_without_a_traceback(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "steps.sock"))
        listener.listen(1)
        process = subprocess.Popen(
            [sys.executable, "-m", "replication", *COMMAND],
            cwd=tmp_path,
            env=environment(Path.cwd()) | {VARIABLE: "steps.sock"},
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = listener.accept()
        with connection:
            assert connection.makefile("rb").readline().startswith(b"clean\0")
            # It waits for the answer now, or is about to.
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED
    assert errors == ""


def test_the_arguments_of_a_step_are_those_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(NAMES) == set(STEPS)
    chosen = read_arguments(["estimate", "mine", "--part", "2", "--parts", "4", "--threads", "3"])
    assert (chosen.name, chosen.study, chosen.part, chosen.parts, chosen.threads, chosen.log) == (
        *("estimate", "mine", 2, 4, 3),
        None,
    )
    with pytest.raises(SystemExit, match="2"):
        read_arguments(["bake", "mine"])
    assert "invalid choice: 'bake'" in capsys.readouterr().err


def test_wrong_arguments_are_refused_by_the_process_that_serves(tmp_path: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from replication.workflow.step_request import VARIABLE, answered
from replication.workflow.step_server import SOCKET, serving
os.environ[VARIABLE] = SOCKET
with serving(Path.cwd()) as server:
    codes = [answered(["step", *arguments]) for arguments in (["bake"], ["clean", "absent"], ["page"])]
print(codes, server.steps, server.failures)
"""
    (tmp_path / ".snakemake").mkdir()
    (tmp_path / "studies").mkdir()
    (tmp_path / "Snakefile").touch()
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        check=False,
        env=environment(Path.cwd()),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "[2, 2, 2] 3 3\n", done.stderr
    assert "invalid choice: 'bake'" in done.stderr
    assert "There is no study 'absent'" in done.stderr
    assert "'page' is of one study" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_step_sees_how_many_cores_the_others_leave(tmp_path: Path) -> None:
    """First how many steps run, this one included, then how many of the others are brief."""
    with socket.socket() as listener:
        reactor = _Reactor(tmp_path, listener, 0, ahead=False, most=3)
        for running, brief, unused in ((1, 0, 3), (2, 0, 2), (2, 1, 3), (5, 0, -1)):
            reactor.running = dict.fromkeys(range(running), listener)
            reactor.count_running()
            assert reactor.unused(brief) == unused


def prepared(reactor: _Reactor) -> list[str]:
    """Steps and studies in the order in which they are prepared, without their modules."""
    return [one.args[0] for one in reactor.preparations() if one.func is not load]


def test_steps_that_an_edit_makes_are_prepared_first(tmp_path: Path) -> None:
    """The libraries of the check are not: they take a second, and it often has nothing to do."""
    for name in ("edited", "other"):
        (tmp_path / f"studies/{name}").mkdir(parents=True)
        (tmp_path / f"studies/{name}/study.yaml").touch()
    with socket.socket() as listener:
        reactor = _Reactor(tmp_path, listener, 0, ahead=["edited"], most=1)
        fresh = prepared(reactor)
        ledger = tmp_path / "data_clean/edited/.clean.json"
        ledger.parent.mkdir(parents=True)
        ledger.touch()
        ready = prepared(reactor)
    assert set(fresh) == set(NAMES) - {LATE} | {"edited", "other"}
    assert fresh[:3] == ["clean", "estimate", "edited"]
    assert fresh[-1] == "other"
    assert ready == fresh[1:]
