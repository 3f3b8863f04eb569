"""The source code on which a step depends, derived from imports, and a digest of it.

The walk is static: import statements are read and nothing is imported. It
follows the package and the Python of the studies, not installed libraries.
"""

from __future__ import annotations

import ast
import hashlib
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
STUDIES = "studies"
BESIDE = frozenset({".json", ".css", ".js", ".mplstyle", ".j2"})
"""Endings of files beside a module that its functions read."""

# Finding the statements first and parsing these alone takes 20 ms for the whole package; parsing
# the files takes 700 ms.
_STATEMENT = re.compile(
    r"^[ \t]*(?:from[ \t]+[.\w]+[ \t]+import[ \t]+(?:\([^)]*\)|[^\n(]+)|import[ \t]+[^\n]+)", re.MULTILINE
)
# Such imports are read by type checkers only.
_FOR_TYPES = re.compile(r"^([ \t]*)if TYPE_CHECKING:\n(?:\1[ \t]+[^\n]*\n|[ \t]*\n)+", re.MULTILINE)
_CHOSEN_LATER = re.compile(r"import_module\(\s*f\"((?:replication|studies)[\w.]*)\.\{")
_NAMED = re.compile(r"\"((?:replication|studies)(?:\.\w+)+)\"")


def code_digest(*modules: str, root: Path | None = None, every_choice: bool = True) -> str:
    """Digest of the source of modules and of all that they import, directly or not.

    Parameters
    ----------
    modules : names such as ``"replication.analyses.balance"`` or ``"studies.mine.clean"``
    root : folder that holds ``studies``; the folder above the package if None.
    every_choice : whether modules that are chosen while the program runs
        (``import_module(f"replication.estimators.{name}")``, or a name in a dictionary) count, all of
        them. A caller that names the chosen module itself says False.

    Raises
    ------
    ValueError
        If there is no module of such a name.
    """
    asked = (modules, root or PACKAGE.parent, every_choice)
    if asked not in _KEPT or not _KEPT[asked][1].hold():
        times = _Times()
        _KEPT[asked] = (_digest(*asked, times), times)
    return _KEPT[asked][0]


def code_files(*modules: str, root: Path, every_choice: bool = True) -> set[Path]:
    """The files behind ``code_digest``: modules, their packages, and the data files beside them."""
    return _files(modules, root, every_choice, _Times())


class _Times:
    """When files and folders were changed, each looked up once, and whether this is so still."""

    def __init__(self) -> None:
        self.noted: dict[Path, int] = {}

    def of(self, path: Path) -> int:
        """Nanoseconds, as noted when it was first asked for."""
        if path not in self.noted:
            self.noted[path] = path.stat().st_mtime_ns
        return self.noted[path]

    def hold(self) -> bool:
        """Whether nothing was changed or removed since."""
        try:
            return all(path.stat().st_mtime_ns == time for path, time in self.noted.items())
        except OSError:
            return False


_KEPT: dict[tuple[tuple[str, ...], Path, bool], tuple[str, _Times]] = {}
"""Digests of this process, with the times of all that was looked at."""


def _digest(modules: tuple[str, ...], root: Path, every_choice: bool, times: _Times) -> str:
    digest = hashlib.sha256()
    for path in sorted(_files(modules, root, every_choice, times)):
        digest.update(_line(path, times.of(path), root))
    return digest.hexdigest()[:16]


def _files(modules: tuple[str, ...], root: Path, every_choice: bool, times: _Times) -> set[Path]:
    waiting = []
    for name in modules:
        if not (found := _files_of(name, root)):
            raise ValueError(f"there is no module {name!r} in {PACKAGE.parent} or {root}")
        waiting += found
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        waiting += _imported(path, times.of(path), root, every_choice)
    folders = {path.parent for path in seen}
    return seen | {file for folder in folders for file in _read_by(seen, folder, times)}


def package_modules(package: str, root: Path) -> list[str]:
    """Names of the modules in a folder, such as ``"studies.mine"``; none if there is no such folder."""
    return [f"{package}.{path.stem}" for path in sorted(_folder_of(package, root).glob("[!_.]*.py"))]


@cache
def _imported(path: Path, time: int, root: Path, every_choice: bool) -> list[Path]:
    """Files of the package and studies that a file imports, or may import."""
    names = dict.fromkeys(_imports(path, time, root, every_choice))
    return list(dict.fromkeys(file for name in names for file in _imported_as(name, root)))


_FOUND: dict[tuple[str, Path], list[Path]] = {}


def _imported_as(name: str, root: Path) -> list[Path]:
    """``_files_of`` of an import, kept once it is found; below a module that is a file there is no other."""
    above = _FOUND.get((name.rpartition(".")[0], root))
    if above and above[0].name != "__init__.py":
        return []
    if (name, root) not in _FOUND and (found := _files_of(name, root)):
        _FOUND[name, root] = found
    return _FOUND.get((name, root), [])


def _imports(path: Path, time: int, root: Path, every_choice: bool) -> Iterator[str]:
    """Names of modules of the package and studies that a file imports, or may import."""
    direct, prefixes, named = _statements(path, time)
    base = PACKAGE.parent if path.is_relative_to(PACKAGE) else root
    here = path.relative_to(base).parent.parts
    for level, name in direct:
        parent = ".".join(here[: len(here) - level + 1]) if level else ""
        yield ".".join(part for part in (parent, name) if part)
    # The package's own front door imports what a user asks for by name; no module of the package uses it.
    if every_choice and path != PACKAGE / "__init__.py":
        yield from named
        for prefix in prefixes:
            folder = _folder_of(prefix, root)
            yield from (f"{prefix}.{place.stem}" for place in sorted(folder.glob("[!_.]*")))


@cache
def _statements(path: Path, _: int) -> tuple[list[tuple[int, str]], list[str], list[str]]:
    """Imports (level, name), prefixes of modules chosen later, and modules named in strings."""
    text = _FOR_TYPES.sub("", path.read_text(encoding="utf-8"))
    direct = []
    for match in _STATEMENT.finditer(text):
        found = _parsed(match[0])
        direct += [one for one in found if one[0] or one[1].partition(".")[0] in (PACKAGE.name, STUDIES)]
    return direct, _CHOSEN_LATER.findall(text), _NAMED.findall(text)


def _parsed(statement: str) -> Iterator[tuple[int, str]]:
    try:
        nodes = ast.parse(textwrap.dedent(statement).strip()).body
    except SyntaxError:
        # A sentence of a docstring that begins like an import.
        return
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            head = node.module or ""
            yield node.level, head
            # What is imported may be a module itself.
            yield from ((node.level, f"{head}.{alias.name}".lstrip(".")) for alias in node.names)


def _folder_of(name: str, root: Path) -> Path:
    base = PACKAGE.parent if name.partition(".")[0] == PACKAGE.name else root
    return base.joinpath(*name.split("."))


def _files_of(name: str, root: Path) -> list[Path]:
    """A module's file and the ``__init__`` of every package that it lies in; none if it is no module."""
    place = _folder_of(name, root)
    module = place.with_name(f"{place.name}.py")
    own = module if module.is_file() else place / "__init__.py"
    if not own.is_file():
        return []
    packages = (place.parents[up] / "__init__.py" for up in range(name.count(".")))
    return [own, *(path for path in packages if path.is_file())]


def _read_by(modules: set[Path], folder: Path, times: _Times) -> Iterator[Path]:
    """Data files of a folder that these modules read: named by one of them, or by no module there at all."""
    files, beside = _inside(folder, times.of(folder))
    for file in files:
        naming = {path for path in beside if _names(path, times.of(path), file.name)}
        if not naming or naming & modules:
            yield file


@cache
def _inside(folder: Path, _: int) -> tuple[list[Path], list[Path]]:
    """Data files and modules in a folder, whose time changes when a file is added or removed."""
    files = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return [path for path in files if path.suffix in BESIDE], [path for path in files if path.suffix == ".py"]


@cache
def _names(path: Path, _: int, name: str) -> bool:
    return name in path.read_text(encoding="utf-8")


@cache
def _line(path: Path, _: int, root: Path) -> bytes:
    """A file's name below its folder, and a digest of its content."""
    base = PACKAGE.parent if path.is_relative_to(PACKAGE) else root
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{path.relative_to(base).as_posix()} {content}\n".encode()
