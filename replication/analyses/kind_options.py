"""Kinds of analysis and their options, read from the signatures of their functions.

A kind is a module with a function of its own name, ``kind(context, *, option: type = default, ...)``. Its
options are the keyword arguments, their types the annotations, their meanings the entries of the docstring's
Parameters section: nothing is listed twice. Modules are parsed and not imported, because options are
checked before every run and the modules import numerical libraries.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
OWN: Final = "analyses"
"""Folder of a study's own kinds."""
CONTEXT: Final = "context"
"""The one argument of a kind's function that is not an option."""
SCALARS: Final = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "None": "null"}
LISTS: Final = {"Sequence", "list", "tuple", "Iterable"}
MAPPINGS: Final = {"Mapping", "dict"}
MEANING: Final = re.compile(r"(\w+(?:, \w+)*) : (.*)")


def kind_files(folder: Path | None = None) -> dict[str, Path]:
    """Kinds of analysis and the module of each: those of the package, then a study's own."""
    places = [HERE] if folder is None else [HERE, folder / OWN]
    return {path.stem: path for place in places for path in sorted(place.glob("[a-z]*.py")) if _defines(path)}


def kind_file(kind: str, folder: Path) -> Path | None:
    """The module of one kind, a study's own before the package's; None if there is none."""
    if not re.fullmatch(r"[a-z]\w*", kind):
        return None
    places = (folder / OWN / f"{kind}.py", HERE / f"{kind}.py")
    return next((path for path in places if path.is_file() and _defines(path)), None)


def analysis_options(path: Path) -> dict[str, Any]:
    """``properties`` and ``required`` of a kind's options, as in a JSON schema.

    Parameters
    ----------
    path : the kind's module.
    """
    function = next(node for node in _body(path) if getattr(node, "name", "") == path.stem)
    assert isinstance(function, ast.FunctionDef)
    named = list(zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True))
    meanings = _meanings(ast.get_docstring(function) or "")
    properties = {}
    for argument, _ in named:
        meaning = meanings.get(argument.arg)
        properties[argument.arg] = type_schema(argument.annotation) | (
            {"description": meaning} if meaning else {}
        )
    required = [argument.arg for argument, default in named if default is None]
    return {"properties": properties, "required": required}


def type_schema(annotation: ast.expr | None) -> dict[str, Any]:
    """The JSON schema of an annotation; an annotation without plain data allows everything."""
    match annotation:
        case ast.Constant(value=None):
            return {"type": "null"}
        case ast.Name(id=name) if name in SCALARS:
            return {"type": SCALARS[name]}
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return _either(type_schema(left), type_schema(right))
        case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
            return {"enum": [ast.literal_eval(one) for one in _arguments(inner)]}
        case ast.Subscript(value=ast.Name(id=name), slice=inner) if name in LISTS:
            return {"type": "array", "items": type_schema(_arguments(inner)[0])}
        case ast.Subscript(value=ast.Name(id=name), slice=inner) if name in MAPPINGS:
            return {"type": "object", "additionalProperties": type_schema(_arguments(inner)[-1])}
    return {}


def _arguments(node: ast.expr) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, ast.Tuple) else [node]


def _either(*schemas: dict[str, Any]) -> dict[str, Any]:
    """One of two types: empty where one of them allows everything."""
    return {"anyOf": list(schemas)} if all(schemas) else {}


def _meanings(text: str) -> dict[str, str]:
    """Option -> its sentence, from the Parameters section of a docstring."""
    found: dict[str, str] = {}
    section = text.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    for entry in re.split(r"\n(?=\S)", section):
        heading = MEANING.fullmatch(" ".join(entry.split()))
        if heading:
            found |= dict.fromkeys(heading[1].split(", "), heading[2])
    return found


def _defines(path: Path) -> bool:
    """Whether a module has a function of its own name that is given a context."""
    named = [node for node in _body(path) if isinstance(node, ast.FunctionDef) and node.name == path.stem]
    return any([argument.arg for argument in node.args.args] == [CONTEXT] for node in named)


@cache
def _parsed(path: Path, changed: int) -> list[ast.stmt]:
    return ast.parse(path.read_text(encoding="utf-8"), str(path)).body


def _body(path: Path) -> list[ast.stmt]:
    return _parsed(path, path.stat().st_mtime_ns)
