"""Copying or downloading raw files, verified by checksum before use.

A file gets its name only when its checksum matches the manifest. Until then the bytes lie in
``<name>.part``, which an interrupted run leaves and the next one resumes; wrong bytes are
removed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from replication.core.errors import SourceError
from replication.core.files import unwritable
from replication.sources.checksums import complaint
from replication.sources.download import DownloadError, Patience, Report, download
from replication.sources.manifest import MIRROR, Source, state_of

ASSUMED_SIZE: Final = 8_000_000
"""Bytes that a file of unknown size is taken to need: twice the largest master of its kind."""
Outcome = Literal["present", "copied", "downloaded", "failed", "by hand"]


@dataclass(frozen=True, slots=True)
class Fetched:
    """Outcome of fetching one source.

    Attributes
    ----------
    source : the requested file.
    outcome : ``present`` (was here already), ``copied`` (from the mirror), ``downloaded``, ``failed``, or
        ``by hand`` (no machine can fetch it).
    message : why it failed, or how a person gets it; empty otherwise.
    """

    source: Source
    outcome: Outcome
    message: str = ""


def fetch(
    sources: Iterable[Source], root: Path, *, progress: bool = True, patience: Patience | None = None
) -> list[Fetched]:
    """Fetch every source that can be fetched into ``root/data_raw``.

    Parameters
    ----------
    sources : what is wanted, from ``manifest.load_manifest``.
    root : folder of the project.
    progress : show one bar per file on standard error.
    patience : attempts, pauses and time limit of a download.

    Returns
    -------
    list of Fetched
        One a source, in the order asked. A source that fails does not stop the others.

    Raises
    ------
    SourceError
        If the disk cannot hold what is to be fetched.
    """
    requested = list(sources)
    _require_room(requested, root)
    return [_guarded(source, root, progress, patience or Patience()) for source in requested]


def _guarded(source: Source, root: Path, progress: bool, patience: Patience) -> Fetched:
    """Fetch one source; a failure concerns this source only."""
    try:
        return _fetch_one(source, root, progress, patience)
    except OSError as error:
        target = root / "data_raw" / source.path
        return Fetched(source, "failed", unwritable(target, error))
    except ValueError as error:
        # Addresses that are not readable, such as one that a server redirects to.
        return Fetched(source, "failed", f"{source.url}: {error}.")


def _require_room(sources: list[Source], root: Path) -> None:
    """Refuse to begin a fetch that would fill the disk."""
    absent = [s for s in sources if s.path and not (root / "data_raw" / s.path).exists()]
    needed = sum(source.size or ASSUMED_SIZE for source in absent)
    folder = root / "data_raw"
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise SourceError(
            f"{folder}: {needed / 1e6:.0f} MB are to be fetched and {free / 1e6:.0f} MB are free. "
            "Make room, or fetch fewer files."
        )


def _fetch_one(source: Source, root: Path, progress: bool, patience: Patience) -> Fetched:
    target = root / "data_raw" / source.path
    if source.package is not None:
        state, todo = state_of(source, root)
        return Fetched(source, "by hand" if state == "missing" else "present", todo)
    if target.is_file() and complaint(target, source) is None:
        return Fetched(source, "present")
    target.parent.mkdir(parents=True, exist_ok=True)
    reasons = []
    if mirrored := _mirrored(source):
        reason = _copy(source, mirrored, target)
        if reason is None:
            return Fetched(source, "copied")
        reasons.append(reason)
    if source.url is not None:
        reason = _download(source, source.url, target, progress, patience)
        if reason is None:
            return Fetched(source, "downloaded")
        reasons.append(reason)
    if reasons:
        return Fetched(source, "failed", ". ".join(reasons) + ".")
    return Fetched(source, "by hand", source.how)


def _mirrored(source: Source) -> Path | None:
    folder = os.environ.get(MIRROR)
    place = Path(folder) / source.path if folder else None
    return place if place is not None and place.is_file() else None


def _copy(source: Source, mirrored: Path, target: Path) -> str | None:
    """Copy from the mirror; the reason if its bytes are wrong."""
    if source.size is not None and mirrored.stat().st_size != source.size:
        return f"{mirrored}: {complaint(mirrored, source)}; nothing was kept"
    part = _part(target)
    shutil.copyfile(mirrored, part)
    return _settle(source, part, target, str(mirrored))


def _download(source: Source, url: str, target: Path, progress: bool, patience: Patience) -> str | None:
    """Download and resume; the reason if it is unavailable or has the wrong checksum."""
    part = _part(target)
    resumed = part.exists()
    try:
        with _bar(source, progress) as report:
            download(url, part, report, patience, source.size)
            reason = _settle(source, part, target, url)
            if reason is not None and resumed:
                # The bytes of an earlier run may be wrong, so the download is restarted once.
                download(url, part, report, patience, source.size)
                reason = _settle(source, part, target, url)
    except DownloadError as error:
        return str(error)
    return reason


def _part(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _settle(source: Source, part: Path, target: Path, origin: str) -> str | None:
    """Give verified bytes their name; remove others and report what was expected and found."""
    wrong = complaint(part, source)
    if wrong is None:
        part.replace(target)
        return None
    part.unlink()
    return f"{origin}: {wrong}; nothing was kept"


@contextmanager
def _bar(source: Source, progress: bool) -> Iterator[Report]:
    """A progress bar informed of the bytes so far and of all bytes."""
    from tqdm import tqdm

    with tqdm(desc=source.id, unit="B", unit_scale=True, disable=not progress) as bar:

        def report(done: int, total: int | None) -> None:
            """Set the bar."""
            bar.total = total
            bar.n = done
            bar.update(0)

        yield report
