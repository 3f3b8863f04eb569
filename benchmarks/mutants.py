"""Mutants of a module: its source with one comparison, sign, constant or logical operator changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
# ``strict=True`` of ``zip`` changes a result only where another fault is present.
UNCHANGED_KEYWORDS = ("strict",)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change.

    Attributes
    ----------
    line, code, place : number of the line, that line as written, and where in it the expression begins
    before, after : the expression
    source : the whole module with the change

    """

    line: int
    code: str
    place: int
    before: str
    after: str
    source: bytes

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What identifies the mutant within its module when lines above it come and go."""
        return self.code, str(self.place), self.before, self.after


def mutants_of(source: bytes) -> list[Mutant]:
    """All mutants of a module, in the order of its lines."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    found = []
    for node in _expressions(ast.parse(source)):
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        for after in _changes(node):
            text = after if isinstance(node, ast.AugAssign) else f"({after})"
            changed = source[:start] + text.encode() + source[end:]
            line = lines[node.lineno - 1]
            place = node.col_offset - len(line) + len(line.lstrip())
            code = line.decode().strip()
            found.append(Mutant(node.lineno, code, place, ast.unparse(node), after, changed))
    return sorted(found, key=lambda mutant: (mutant.line, mutant.place))


def _expressions(tree: ast.AST) -> Iterator[ast.expr | ast.AugAssign]:
    """Expressions that compute: not annotations, decorators, error messages or formatted text."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for node in value if isinstance(value, list) else [value]:
            if not isinstance(node, ast.AST) or isinstance(node, ast.Raise | ast.JoinedStr):
                continue
            if isinstance(node, ast.keyword) and node.arg in UNCHANGED_KEYWORDS:
                continue
            if isinstance(node, ast.expr | ast.AugAssign):
                yield node
            yield from _expressions(node)


def _changes(node: ast.expr | ast.AugAssign) -> Iterator[str]:
    """The expression after each of its changes."""
    match node:
        case ast.Compare(left, operators, others):
            for place, operator in enumerate(operators):
                for other in COMPARISONS[type(operator)]:
                    changed = [*operators[:place], other(), *operators[place + 1 :]]
                    yield ast.unparse(ast.Compare(left, changed, others))
        case ast.BoolOp(operator, values):
            yield ast.unparse(ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values))
        case ast.BinOp(left, operator, right) if type(operator) in ARITHMETIC:
            yield ast.unparse(ast.BinOp(left, ARITHMETIC[type(operator)](), right))
        case ast.AugAssign(target, operator, value) if type(operator) in ARITHMETIC:
            yield ast.unparse(ast.AugAssign(target, ARITHMETIC[type(operator)](), value))
        case ast.UnaryOp(ast.Not() | ast.Invert() | ast.USub(), operand):
            yield ast.unparse(operand)
        case ast.Constant(bool() as value):
            yield str(not value)
        case ast.Constant(int() | float() as value):
            yield str(value + 1)
