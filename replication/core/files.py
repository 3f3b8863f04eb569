"""Atomic writes: results are written under a temporary name and then moved."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from replication.core.errors import OutputError
from replication.core.limits import MOST_DIGITS, require_bounded
from replication.core.temporary_files import temporary_name

if TYPE_CHECKING:
    # The Snakefile reads YAML by this module and has no use for pandas.
    import pandas as pd

NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""A full disk, an exhausted quota, and a file above the limit of the process."""
FLOAT_FORMAT = "%.15g"
# The loader in C reads the long files of a study ten times faster; not every installation has it.
SAFE_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


REPEATED = "the key"
"""How the problem of a repeated key begins."""


class StrictLoader(SAFE_LOADER):  # type: ignore[misc]
    """A safe loader that refuses repeated keys, of which YAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping of a node."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{REPEATED} {key.value!r} is given twice", key.start_mark
                    )
                seen.add(key.value)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found

    def construct_number(self, node: yaml.ScalarNode) -> Any:
        """A number of a node, of which no study writes more than a few digits."""
        if len(node.value) > MOST_DIGITS:
            raise yaml.constructor.ConstructorError(
                None, None, f"a number has more than {MOST_DIGITS} characters", node.start_mark
            )
        whole = node.tag.endswith(":int")
        return self.construct_yaml_int(node) if whole else self.construct_yaml_float(node)


for _kind in ("int", "float"):
    StrictLoader.add_constructor(f"tag:yaml.org,2002:{_kind}", StrictLoader.construct_number)


def parse_yaml(text: str, times: int = 1) -> Any:
    """Plain data of a YAML text, in which no key may be repeated in a mapping.

    Parameters
    ----------
    text : str
        The text of a file.
    times : int
        Factor on the limits of ``replication.core.limits``.

    Raises
    ------
    yaml.YAMLError
        For whatever is wrong with the text: its syntax, a value that is none (such as the 99th of a
        month), or a size beyond ``replication.core.limits``.
    """
    try:
        require_bounded(text, SAFE_LOADER, times)
        return yaml.load(text, Loader=StrictLoader)
    except yaml.YAMLError:
        raise
    except Exception as error:
        # PyYAML lets the errors of int, float, datetime and of its own tags through as they are.
        raise yaml.YAMLError(f"a value cannot be read ({error})") from error


def yaml_fault(name: str | Path, text: str, error: Exception) -> str:
    """What is wrong with a YAML file, in which line, and what to do.

    Parameters
    ----------
    name : the file, as the message names it.
    text : its text; empty if it could not be decoded.
    error : what ``parse_yaml``, or the decoding as UTF-8, raised.
    """
    mark = getattr(error, "problem_mark", None)
    if isinstance(error, UnicodeDecodeError):
        return f"{name} is not valid YAML: byte {error.start + 1} is not UTF-8. Save the file as UTF-8."
    if mark is None:
        return f"{name} is not valid YAML: {' '.join(str(error).split())}. Correct that value."
    problem, line, row = (
        str(getattr(error, "problem", "")),
        mark.line + 1,
        [*text.splitlines(), ""][mark.line],
    )
    if problem.startswith(REPEATED):
        return f"{name}, line {line}: {problem}. Remove one."
    if "\t" in row[: len(row) - len(row.lstrip())]:
        return f"{name} is not valid YAML: line {line} is indented with a tab. Use spaces."
    began = getattr(error, "context_mark", None)
    context = f" {getattr(error, 'context', '')} of line {began.line + 1}" if began is not None else ""
    quoting = "mapping values" in problem or "cannot start" in problem
    hint = "; a value with a colon or a leading symbol needs quotation marks" if quoting else ""
    return f"{name} is not valid YAML: line {line}: {problem}{context}. Correct that line{hint}."


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside ``path`` that takes its place when the block ends well.

    The new file has the permissions that the user's umask grants. A block that fails leaves
    nothing behind; what a killed process leaves is removed by ``sweep``.

    Raises
    ------
    OutputError
        If the file cannot be written, such as on a full disk, with the name of the file.
    """
    temporary, descriptor = _reserved(path)
    os.close(descriptor)
    with _moved(temporary, path):
        yield temporary


@contextmanager
def _moved(temporary: Path, path: Path) -> Iterator[None]:
    """Moves a temporary file to its place when the block ends well, and removes it otherwise."""
    try:
        yield
        temporary.replace(path)
    except OSError as error:
        # An error may also be about a file that the block reads.
        if error.errno in NO_ROOM or str(error.filename) == str(temporary):
            raise OutputError(unwritable(path, error)) from error
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _reserved(path: Path) -> tuple[Path, int]:
    """An empty file of a temporary name that no other process uses, and its descriptor."""
    temporary = path.with_name(temporary_name(path.name))
    try:
        try:
            return temporary, _create(temporary)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            return temporary, _create(temporary)
    except OSError as error:
        raise OutputError(unwritable(path, error)) from error


def _create(path: Path) -> int:
    # The kernel applies the umask here; a mode set afterward would have to read the umask,
    # which is possible only by changing it for all threads.
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)


def unwritable(path: Path, error: OSError) -> str:
    """One paragraph about a file that cannot be written."""
    if error.errno in NO_ROOM:
        return (
            f"{path} could not be written: {_reason(error)}. The incomplete file was removed. Make "
            "room on that disk, or write to another one, and run the command again."
        )
    return (
        f"{path} could not be written: {_reason(error)}. Check the folder and its permissions, or "
        "write to another folder."
    )


def _reason(error: OSError) -> str:
    reason = os.strerror(error.errno) if error.errno else str(error) or type(error).__name__
    return reason[:1].lower() + reason[1:]


def write_text(path: Path, text: str) -> None:
    """Write text (UTF-8, line feeds) atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes atomically."""
    temporary, descriptor = _reserved(path)
    with _moved(temporary, path), os.fdopen(descriptor, "wb") as file:
        file.write(content)


def write_csv(path: Path, frame: pd.DataFrame, *, index: bool = False) -> None:
    """Write a frame as CSV atomically, floats with 15 significant digits.

    The bytes are those of ``DataFrame.to_csv``, which formats numbers one at a time and is slow.
    """
    from replication.core.csv_rows import csv_text

    text = csv_text(frame, FLOAT_FORMAT, index=index)
    if text is not None:
        write_text(path, text)
        return
    with replacing(path) as temporary:
        frame.to_csv(temporary, index=index, float_format=FLOAT_FORMAT, lineterminator="\n")


def write_parquet(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame as parquet atomically."""
    with replacing(path) as temporary:
        frame.to_parquet(temporary, index=False)
