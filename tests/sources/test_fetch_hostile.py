"""Servers that send too much, too little, too slowly, packed, or with headers that cannot be."""

from __future__ import annotations

import email.utils
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from scripted_server import Behavior, serving
from test_fetch import BODY, EAGER, SOURCE, brought, leavings, no_mirror, target

from replication.sources import download
from replication.sources.download import Patience
from replication.sources.fetch import fetch
from replication.sources.pace import LONGEST_WAIT, retry_after_seconds

assert no_mirror  # a fixture for every test here
SIZE = len(BODY)
Script = Callable[[int, dict[str, str]], tuple[bytes, float]]
"""Number of the request and its headers -> bytes to send as they are, seconds between them."""


@contextmanager
def scripted(script: Script) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that sends raw bytes, without any library to put its headers right."""
    requested: list[dict[str, str]] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                threading.Thread(target=reply, args=(connection,), daemon=True).start()

        def reply(connection: socket.socket) -> None:
            with connection:
                connection.settimeout(5)
                lines = connection.recv(1 << 16).decode("latin-1").split("\r\n")[1:]
                headers = dict(line.split(": ", 1) for line in lines if ": " in line)
                requested.append(headers)
                content, delay = script(len(requested), headers)
                step = 1 if delay else max(len(content), 1)
                for at in range(0, len(content), step):
                    try:
                        connection.sendall(content[at : at + step])
                    except OSError:
                        return
                    time.sleep(delay)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/file.bin", requested
        finally:
            ended.set()
            thread.join()


def answer(*headers: str, body: bytes = BODY, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "Connection: close", "", ""]).encode() + body


def once(content: bytes, delay: float = 0.0) -> Script:
    return lambda number, headers: (content, delay)


def test_no_more_than_the_promised_size_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never ends, and does not say how much it sends."""
    largest = 0

    def watched(done: int, total: int | None) -> None:
        nonlocal largest
        largest = max(largest, done)

    with scripted(once(answer(body=b"x" * (SIZE + 5_000_000)))) as (url, _):
        part = tmp_path / "part"
        download.download(url, part, watched, EAGER, SIZE)
        assert part.stat().st_size == largest == SIZE
        result = brought(tmp_path, replace(SOURCE, url=url))
    assert result.outcome == "failed"
    assert "SHA-256 expected" in result.message
    assert not target(tmp_path).exists()
    monkeypatch.setattr(download, "MOST_BYTES", 100_000)
    with scripted(once(answer(body=b"x" * SIZE))) as (url, _):
        result = brought(tmp_path, replace(SOURCE, url=url, size=None))
    assert "sends more than 100000 bytes, and no raw file has as many" in result.message
    assert leavings(tmp_path) == ["part"]


def test_right_bytes_before_an_endless_rest_are_proved_and_kept(tmp_path: Path) -> None:
    with scripted(once(answer(body=BODY + b"x" * 100_000))) as (url, _):
        assert brought(tmp_path, replace(SOURCE, url=url)).outcome == "downloaded"
    assert target(tmp_path).read_bytes() == BODY


@pytest.mark.parametrize("announced", [SIZE + 1, SIZE - 1, 10**15])
def test_another_size_is_refused_before_a_byte_is_written(tmp_path: Path, announced: int) -> None:
    with scripted(once(answer(f"Content-Length: {announced}"))) as (url, requested):
        result = brought(tmp_path, replace(SOURCE, url=url))
    assert f"announces {announced} bytes, and the manifest states {SIZE}" in result.message
    assert len(requested) == 1
    assert leavings(tmp_path) == []


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: many"],
        ["Content-Length: -5"],
        ["Content-Length: 12, 13"],
        ["Content-Length: 300000", "Content-Length: 300001"],
        ["Content-Length: " + "9" * 5000],
        ["Content-Length: \N{SUPERSCRIPT TWO}"],
        ["Content-Length: 0x10"],
    ],
)
def test_a_length_that_is_none_is_one_sources_failure(tmp_path: Path, headers: list[str]) -> None:
    with scripted(once(answer(*headers))) as (bad, _), serving(Behavior(BODY)) as good:
        first = replace(SOURCE, id="first", path="first.bin", url=bad)
        second = replace(SOURCE, url=good)
        results = fetch([first, second], tmp_path, progress=False, patience=EAGER)
    assert [result.outcome for result in results] == ["failed", "downloaded"]
    assert bad in results[0].message
    assert "ength" in results[0].message
    assert leavings(tmp_path) == ["file.bin"]


def test_a_length_that_is_said_twice_the_same_is_that_length(tmp_path: Path) -> None:
    header = f"Content-Length: {SIZE}"
    with scripted(once(answer(header, header))) as (url, _):
        assert brought(tmp_path, replace(SOURCE, url=url)).outcome == "downloaded"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 300,
        answer("Location: http://[", status="302 Found"),
        answer("Location: \xff\xfe://x", status="302 Found"),
        answer("Transfer-Encoding: chunked", body=b"zz\r\nabc"),
    ],
)
def test_answers_that_are_no_http_are_one_sources_failure(tmp_path: Path, content: bytes) -> None:
    with scripted(once(content)) as (bad, _), serving(Behavior(BODY)) as good:
        first = replace(SOURCE, id="first", path="first.bin", url=bad)
        results = fetch([first, replace(SOURCE, url=good)], tmp_path, progress=False, patience=EAGER)
    assert [result.outcome for result in results] == ["failed", "downloaded"]
    assert results[0].message


@pytest.mark.parametrize("stated", [None, f"bytes */{SIZE}"])
def test_a_cut_at_the_last_byte_and_then_416_ends(tmp_path: Path, stated: str | None) -> None:
    """The server announces nothing, cuts after the last byte, and has nothing to add."""

    def script(number: int, headers: dict[str, str]) -> tuple[bytes, float]:
        if "Range" in headers:
            output = [f"Content-Range: {stated}"] if stated else []
            return answer(*output, body=b"", status="416 Range Not Satisfiable"), 0.0
        chunk = f"{SIZE:x}\r\n".encode() + BODY + b"\r\n"  # the closing chunk never comes
        return answer("Transfer-Encoding: chunked", body=chunk), 0.0

    for size in (SIZE, None):
        with scripted(script) as (url, requested):
            source = replace(SOURCE, url=url, size=size, path=f"{size}.bin")
            assert brought(tmp_path, source).outcome == "downloaded"
        assert len(requested) == 2


def test_a_server_that_disowns_what_it_sent_is_given_up(tmp_path: Path) -> None:
    def script(number: int, headers: dict[str, str]) -> tuple[bytes, float]:
        if "Range" in headers:
            return answer("Content-Range: bytes */7", body=b"", status="416 No"), 0.0
        return answer(f"Content-Length: {SIZE}", body=BODY[: 1000 * number]), 0.0

    with scripted(script) as (url, requested):
        result = brought(tmp_path, replace(SOURCE, url=url))
    assert "status 416); given up after 2 new beginnings" in result.message
    assert len(requested) == 6


def test_a_server_that_always_begins_anew_is_given_up(tmp_path: Path) -> None:
    """It ignores the request to go on, and cuts after more and after fewer bytes in turn."""

    def script(number: int, headers: dict[str, str]) -> tuple[bytes, float]:
        return answer(f"Content-Length: {SIZE}", body=BODY[: 5000 + 5000 * (number % 2)]), 0.0

    with scripted(script) as (url, requested):
        result = brought(tmp_path, replace(SOURCE, url=url))
    assert "given up after 3 attempts in vain" in result.message
    assert len(requested) == 4


@pytest.mark.parametrize("dripping", ["body", "headers"])
def test_a_server_that_drips_is_given_up_after_the_span(tmp_path: Path, dripping: str) -> None:
    """A byte every hundredth of a second: no time limit between two bytes ever ends."""
    head = answer(f"Content-Length: {SIZE}", body=b"")
    content = head + BODY if dripping == "headers" else b"\r\n".join([head, BODY])
    patient = Patience(attempts=3, pause=0.0, timeout=5.0, slowest=1000.0, span=0.5)
    start = time.monotonic()

    def script(number: int, headers: dict[str, str]) -> tuple[bytes, float]:
        return content, 0.01

    if dripping == "body":
        with serving(Behavior(BODY, delay=0.01, step=1)) as url:
            result = brought(tmp_path, replace(SOURCE, url=url), patient)
        assert "below 1,000 bytes per second a download is given up" in result.message
        assert leavings(tmp_path) == ["file.bin.part"]
    else:
        with scripted(script) as (url, _):
            result = brought(tmp_path, replace(SOURCE, url=url), patient)
        assert "no answer began within 0.5 s" in result.message
    assert result.outcome == "failed"
    assert time.monotonic() - start < 4


def test_a_byte_per_connection_is_too_slow_as_well(tmp_path: Path) -> None:
    cutting = Behavior(BODY, cuts=[1] * 100_000)
    patient = Patience(attempts=3, pause=0.0, timeout=5.0, slowest=1e6, span=0.3)
    with serving(cutting) as url:
        result = brought(tmp_path, replace(SOURCE, url=url), patient)
    assert "below 1,000,000 bytes per second a download is given up" in result.message


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "br", "deflate, gzip"])
def test_a_file_that_is_packed_for_the_way_is_named(tmp_path: Path, coding: str) -> None:
    packed = gzip.compress(BODY)
    content = answer(f"Content-Encoding: {coding}", f"Content-Length: {len(packed)}", body=packed)
    with scripted(once(content)) as (url, requested):
        result = brought(tmp_path, replace(SOURCE, url=url))
    assert f"sends the file packed (Content-Encoding: {coding})" in result.message
    assert requested[0]["Accept-Encoding"] == "identity"
    assert leavings(tmp_path) == []


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        (None, 0, 0),
        ("", 0, 0),
        ("7", 7, 7),
        ("100000", LONGEST_WAIT, LONGEST_WAIT),
        ("9" * 400, LONGEST_WAIT, LONGEST_WAIT),
        ("-5", 0, 0),
        ("soon", 0, 0),
        ("\N{SUPERSCRIPT TWO}", 0, 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("Fri, 21 Oct 2089 07:28:00 GMT", LONGEST_WAIT, LONGEST_WAIT),
        ("Wed, 99 Oct 2015 07:28:00 GMT", 0, 0),
        ("Wed, 21 Oct 99999 07:28:00 GMT", 0, 0),
    ],
)
def test_retry_after_is_a_number_or_a_date(written: str | None, low: float, high: float) -> None:
    assert low <= retry_after_seconds(written) <= high


def test_a_date_to_come_back_is_heeded(tmp_path: Path) -> None:
    def script(number: int, headers: dict[str, str]) -> tuple[bytes, float]:
        if number == 1:
            # HTTP dates have whole seconds: two ahead are one at least.
            date = email.utils.formatdate(time.time() + 2, usegmt=True)
            return answer(f"Retry-After: {date}", body=b"", status="503 Busy"), 0.0
        return answer(f"Content-Length: {SIZE}"), 0.0

    start = time.monotonic()
    with scripted(script) as (url, requested):
        assert brought(tmp_path, replace(SOURCE, url=url)).outcome == "downloaded"
    assert len(requested) == 2
    assert 0.9 <= time.monotonic() - start < 5


def test_a_file_that_cannot_be_written_is_one_sources_failure(tmp_path: Path) -> None:
    (tmp_path / "data_raw").mkdir()
    (tmp_path / "data_raw" / "taken").write_text("a file where a folder belongs")
    with serving(Behavior(BODY)) as url:
        first = replace(SOURCE, id="first", path="taken/first.bin", url=url)
        results = fetch([first, replace(SOURCE, url=url)], tmp_path, progress=False, patience=EAGER)
    assert [result.outcome for result in results] == ["failed", "downloaded"]
    assert "taken/first.bin could not be written" in results[0].message


def test_a_mirror_of_another_size_is_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "mirror" / SOURCE.path
    place.parent.mkdir(parents=True)
    with place.open("wb") as file:
        file.truncate(1 << 33)  # eight gigabytes of nothing, which take no room here
    monkeypatch.setenv("REPLICATION_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setattr("replication.sources.fetch.complaint", lambda *_: "other bytes")
    monkeypatch.setattr("shutil.copyfile", lambda *_: pytest.fail("it was copied"))
    assert "other bytes; nothing was kept" in brought(tmp_path / "project", SOURCE).message
