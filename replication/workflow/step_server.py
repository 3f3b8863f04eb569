"""One process that serves the steps of a run: it has imported everything once and forks for each step.

Starting Python and importing pandas takes one to two seconds of processor time, for some forty steps and
their workers. ``replication run`` starts this process; ``replication step``, which the rules of the
Snakefile call, uses it if there is one and runs the step itself otherwise, as on a cluster. The
forked process has no thread and no state of an earlier step.
"""

from __future__ import annotations

import contextlib
import gc
import mmap
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from replication.core.processes import die_with_parent, mark_forked
from replication.core.study_folder import study_folders
from replication.workflow.project import LEDGERS
from replication.workflow.step_arguments import read_arguments
from replication.workflow.step_preparation import NEEDED, load, prepare_step, read_study
from replication.workflow.step_request import BETWEEN, END, LOST

SOCKET = ".snakemake/steps.sock"
LATE, LULL = "check", 1.0
"""A step that often has nothing to do, and whose imports would keep others waiting for a second: they are
made when nothing was asked for so many seconds while a step runs, and later on by the step itself."""


@contextmanager
def serving(root: Path, *, ahead: Sequence[str] | None = None, most: int = 1) -> Iterator[StepServer]:
    """A process that serves steps for as long as the block runs.

    Parameters
    ----------
    most : cores of the run.
    ahead : import what steps need, and read the studies, these first, while no step asks for it, and not when
        the first one does; if None, prepare nothing.
    """
    place = root / SOCKET
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener, in_folder(root):
        # A path relative to the folder: that of a socket may have 107 characters at most.
        listener.bind(SOCKET)
        place.chmod(0o600)
        listener.listen(128)
        counts, count = os.pipe()
        parent, pid = os.getpid(), os.fork()
        if pid == 0:
            os.close(counts)
            _serve_and_exit(_Reactor(root, listener, count, ahead, most), parent)
        os.close(count)
    server = StepServer(pid, counts)
    try:
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        server.read_counts()
        place.unlink(missing_ok=True)


@dataclass
class StepServer:
    """The process that serves, as ``replication run`` sees it.

    Attributes
    ----------
    steps, failures : how many steps ended, and how many of them failed; known after the block.
    """

    pid: int
    counts: int
    steps: int = 0
    failures: int = 0

    def read_counts(self) -> None:
        """Read what the process noted about each step, a byte each."""
        with os.fdopen(self.counts, "rb") as handle:
            noted = handle.read()
        self.steps, self.failures = len(noted), noted.count(b"-")


@contextmanager
def in_folder(folder: Path) -> Iterator[None]:
    """The folder as the current one."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _serve_and_exit(reactor: _Reactor, parent: int) -> None:
    code = 1
    try:
        die_with_parent(parent)
        # Ctrl-C reaches every process of the terminal; the requester of a step decides about its end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # A step lives for seconds, and what it reads stays: looking for cycles after every 700 objects
        # takes a fifth of the time of a page with a thousand results.
        gc.set_threshold(100_000)
        reactor.run()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@dataclass
class _Reactor:
    """Accepts requests, forks, and passes exit codes on; a request that is given up kills its step.

    Attributes
    ----------
    ahead : prepare steps and read studies, these first, when nothing else is to be done; not if None.
    most : cores of the run.
    tally : how many steps are running, for these steps to read.
    prepared, known, swept : steps whose imports were made, studies that were read, and those without
        temporary files of earlier runs.
    """

    root: Path
    listener: socket.socket
    count: int
    ahead: Sequence[str] | None
    most: int
    tally: mmap.mmap = field(default_factory=lambda: mmap.mmap(-1, 4))
    running: dict[int, socket.socket] = field(default_factory=dict)
    prepared: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    swept: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Serve requests for steps until the process is ended."""
        wake, waker = os.pipe()
        os.set_blocking(waker, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker)
        waiting = [] if self.ahead is None else self.preparations()
        while True:
            watched: list[Any] = [self.listener, wake, *self.running.values()]
            late = self.ahead is not None and bool(self.running) and LATE not in self.prepared
            ready, _, _ = select.select(watched, [], [], 0 if waiting else LULL if late else None)
            if not ready:
                (waiting.pop(0) if waiting else partial(self.prepare, LATE))()
            if wake in ready:
                os.read(wake, 512)
                self.reap()
            for pid, connection in list(self.running.items()):
                # Nothing is ever sent after the request: readable means that the other side is gone.
                if connection in ready and pid in self.running:
                    os.kill(pid, signal.SIGKILL)
            if self.listener in ready:
                self.accept()

    def accept(self) -> None:
        """Fork a process for the step that a connection asks for."""
        connection, _ = self.listener.accept()
        try:
            request = connection.makefile("rb").readline()
        except OSError:
            request = b""
        if not request:
            connection.close()
            return
        arguments = os.fsdecode(request).removesuffix(END).split(BETWEEN)
        if arguments[0] == LATE:
            self.prepared.add(LATE)
        self.prepare(arguments[0])
        study = "".join(name for name in arguments[1:2] if not name.startswith("-"))
        self.read(study)
        self.sweep(study)
        parent, pid = os.getpid(), os.fork()
        if pid == 0:
            _step_and_exit(self, arguments, parent)
        self.running[pid] = connection
        self.count_running()

    def preparations(self) -> list[Callable[[], None]]:
        """The imports of every step, and each study once estimators are there, which know their keys.

        Cleaning is prepared where a study that someone has edited has no panels yet. Unchanged studies come
        last: the report alone may need them.
        """
        studies = [folder.name for folder in study_folders(self.root)]
        panels = [(self.root / LEDGERS["clean"].format(study)).is_file() for study in self.ahead or ()]
        steps = [name for name in NEEDED if name != LATE and not (name == "clean" and all(panels))]
        first = steps[: steps.index("estimate") + 1]
        changed = [partial(self.read, study) for study in self.ahead or ()]
        others = [partial(self.read, study) for study in studies if study not in (self.ahead or ())]
        return [*self.imports(first), *changed, *self.imports(steps[len(first) :]), *others]

    def imports(self, steps: Sequence[str]) -> Iterator[Callable[[], None]]:
        """The imports of steps, one by one, and what else they need."""
        for name in steps:
            yield from (partial(load, module) for module in NEEDED[name])
            yield partial(self.prepare, name)

    def prepare(self, name: str) -> None:
        """Make the imports of a step, once."""
        if name not in self.prepared:
            self.prepared.add(name)
            prepare_step(name, self.root)

    def read(self, study: str) -> None:
        """Read a study and its specifications, once; the report is of none."""
        if study and study not in self.known:
            self.known.add(study)
            read_study(study, self.root)

    def sweep(self, study: str) -> None:
        """Remove what earlier runs that were killed left of a study, once, before its first step."""
        from replication.workflow.steps import sweep

        if study not in self.swept:
            self.swept.add(study)
            sweep(self.root, study)

    def reap(self) -> None:
        """Answer the requests whose processes have ended with their exit codes."""
        while self.running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            code = code if code >= 0 else LOST
            os.write(self.count, b"-" if code else b"+")
            with self.running.pop(pid) as connection, contextlib.suppress(OSError):
                connection.sendall(f"{code}\n".encode())
            self.count_running()

    def count_running(self) -> None:
        """Let the steps know how many of them there are."""
        self.tally[:] = len(self.running).to_bytes(4, "big")

    def unused(self, others: int) -> int:
        """Cores that no other step uses, but for so many of them, as a step sees it."""
        return self.most - max(0, int.from_bytes(self.tally[:], "big") - 1 - others)


def _step_and_exit(server: _Reactor, arguments: list[str], parent: int) -> None:
    """Body of the forked process."""
    code = 1
    try:
        die_with_parent(parent)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for inherited in (server.listener, *server.running.values()):
            inherited.close()
        mark_forked(server.unused)
        from replication.workflow.steps import chosen_step

        code = chosen_step(read_arguments(arguments), server.root, swept=True)
    except SystemExit as refused:
        code = int(refused.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
