"""A small HTTP server on this machine that misbehaves on request."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Behavior:
    """What the server does with its one file.

    Attributes
    ----------
    body : bytes
        The file.
    cuts : list of int
        One an answer: bytes sent before the connection is cut.
    statuses : list of int
        One an answer: error codes given before the first good answer.
    ranges : bool
        Whether a request to go on from a byte is heeded.
    silence : float
        Seconds before any answer.
    delay : float
        Seconds between pieces of ``step`` bytes.
    """

    body: bytes
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ranges: bool = True
    silence: float = 0.0
    delay: float = 0.0
    step: int = 4096
    requested: list[str | None] = field(default_factory=list)


@contextmanager
def serving(behavior: Behavior) -> Iterator[str]:
    """Serve until the block ends; gives the address of the file."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self, behavior)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/file.bin"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(handler: BaseHTTPRequestHandler, behavior: Behavior) -> None:
    behavior.requested.append(handler.headers.get("Range"))
    time.sleep(behavior.silence)
    if behavior.statuses:
        handler.send_response(behavior.statuses.pop(0))
        handler.send_header("Retry-After", "0")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    size = len(behavior.body)
    start = first_byte(handler.headers.get("Range")) if behavior.ranges else 0
    if start and start >= size:
        handler.send_response(416)
        handler.send_header("Content-Range", f"bytes */{size}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    handler.send_response(206 if start else 200)
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
    handler.send_header("Content-Length", str(size - start))
    handler.end_headers()
    stop = start + behavior.cuts.pop(0) if behavior.cuts else size
    send(handler, behavior, behavior.body[start:stop])


def send(handler: BaseHTTPRequestHandler, behavior: Behavior, body: bytes) -> None:
    for at in range(0, len(body), behavior.step):
        try:
            handler.wfile.write(body[at : at + behavior.step])
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(behavior.delay)


def first_byte(requested: str | None) -> int:
    found = re.fullmatch(r"bytes=(\d+)-", requested or "")
    return int(found[1]) if found else 0
