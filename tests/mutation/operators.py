"""Small changes of meaning: what can stand in the place of one node of a module's syntax tree.

``mutants`` lists every change of a module that is code: nothing in docstrings, annotations, decorators, messages and
logged texts or in ``__all__`` is touched. A change is applied to the text, so the rest of the file stays as it is.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

Change = tuple[ast.AST, ast.AST]
"""A node and what to put in its place."""

FLIPPED: dict[type, type] = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
SHIFTED: dict[type, type] = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
ARITHMETIC: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
}
OPPOSITES = (
    *(("min", "max"), ("any", "all"), ("floor", "ceil"), ("amin", "amax"), ("argmin", "argmax")),
    *(("minimum", "maximum"), ("zeros", "ones"), ("zeros_like", "ones_like")),
)
OPPOSITE = {**dict(OPPOSITES), **{right: left for left, right in OPPOSITES}}
SYMMETRIC = {"min", "max", "minimum", "maximum", "equal", "gcd", "isinstance", "getattr", "hasattr", "setattr"}
"""Functions for which two swapped arguments mean the same, or fail whatever the test."""
TALKING = {"print", "warn", "announce", "error", "fail", "info", "debug", "warning", "simplefilter", "filterwarnings"}
"""Functions whose arguments are text for people."""
TEXTS = {"help", "title", "label", "description", "metavar", "message", "epilog", "usage", "prog", "stacklevel"}
"""Keyword arguments that are text for people."""


@dataclass(frozen=True)
class Mutant:
    """One change of a module: bytes ``start`` to ``end`` of it become ``text``."""

    line: int
    kind: str
    original: str
    mutant: str
    start: int
    end: int
    text: str

    def applied(self, source: str) -> str:
        content = source.encode()
        return (content[: self.start] + self.text.encode() + content[self.end :]).decode()


def mutants(source: str) -> list[Mutant]:
    """Every change of the module's code, in the order of its lines."""
    starts = [0]
    for line in source.encode().split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    found = []
    for node in code_nodes(ast.parse(source)):
        for kind, operator in OPERATORS.items():
            for old, new in operator(node):
                text = ast.unparse(new)
                found.append(
                    Mutant(
                        line=old.lineno,  # type: ignore[attr-defined]
                        kind=kind,
                        original=ast.unparse(old),
                        mutant=text,
                        start=starts[old.lineno - 1] + old.col_offset,  # type: ignore[attr-defined]
                        end=starts[old.end_lineno - 1] + old.end_col_offset,  # type: ignore[attr-defined]
                        text=f"({text})" if isinstance(new, ast.expr) else text,
                    )
                )
    return sorted(found, key=lambda mutant: (mutant.line, mutant.start, mutant.kind))


def code_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below ``node`` that decide what the program does."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not is_text(child):
                yield child
                yield from code_nodes(child)


def is_text(node: ast.AST) -> bool:
    """Whether a node is for people or for tools only: a message, an f-string, a printed line, ``__all__``, a type."""
    match node:
        case ast.JoinedStr() | ast.Raise() | ast.Assert():
            return True
        case ast.Call(func=function):
            return called(function) in TALKING
        case ast.keyword(arg=name):
            return name in TEXTS
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.Subscript(value=ast.Name(id="Literal" | "Callable" | "Annotated")):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Compare(left=ast.Name(id="__name__"))):
            return True
        case _:
            return False


def called(function: ast.AST) -> str:
    """The last name of what is called: ``warn`` for ``warnings.warn``."""
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def same_code(left: CodeType, right: CodeType) -> bool:
    """Whether two modules compile to the same instructions, wherever these stand in the text."""
    return essence(left) == essence(right)


def essence(code: CodeType) -> tuple[Any, ...]:
    constants = [essence(each) if isinstance(each, CodeType) else (type(each), repr(each)) for each in code.co_consts]
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_flags, tuple(constants)


def comparison(node: ast.AST) -> Iterator[Change]:
    """``<`` becomes ``>=``, or ``<=``; ``==`` becomes ``!=``; ``in`` becomes ``not in``."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for table in (FLIPPED, SHIFTED):
            if type(node.ops[0]) in table:
                yield node, ast.Compare(node.left, [table[type(node.ops[0])]()], node.comparators)


def arithmetic(node: ast.AST) -> Iterator[Change]:
    """``+`` becomes ``-``, ``*`` becomes ``/`` and back; not where texts or lists are joined."""
    if not isinstance(node, (ast.BinOp, ast.AugAssign)) or type(node.op) not in ARITHMETIC:
        return
    new = ARITHMETIC[type(node.op)]()
    if isinstance(node, ast.AugAssign):
        if not is_sequence(node.value):
            yield node, ast.AugAssign(node.target, new, node.value)
    elif not is_sequence(node.left) and not is_sequence(node.right):
        yield node, ast.BinOp(node.left, new, node.right)


def is_sequence(node: ast.AST) -> bool:
    kinds = (ast.List, ast.Tuple, ast.JoinedStr, ast.ListComp)
    return isinstance(node, kinds) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def logic(node: ast.AST) -> Iterator[Change]:
    """``and`` becomes ``or`` and back."""
    if isinstance(node, ast.BoolOp):
        yield node, ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


def sign(node: ast.AST) -> Iterator[Change]:
    """``not x`` and ``-x`` become ``x``."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield node, node.operand


def constant(node: ast.AST) -> Iterator[Change]:
    """0 becomes 1 and 1 becomes 0, another number one more, True False and back."""
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield node, ast.Constant(not node.value)
    elif isinstance(node.value, (int, float)):
        yield node, ast.Constant(1 - node.value if node.value in (0, 1) else node.value + 1)


def condition(node: ast.AST) -> Iterator[Change]:
    """``if x`` becomes ``if not x`` where x is a name or a call; comparisons have their own operator."""
    tests = [node.test] if isinstance(node, (ast.If, ast.While, ast.IfExp)) else getattr(node, "ifs", [])
    for test in tests:
        if isinstance(test, (ast.Name, ast.Attribute, ast.Call, ast.Subscript)):
            yield test, ast.UnaryOp(ast.Not(), test)


def returned(node: ast.AST) -> Iterator[Change]:
    """A returned truth is negated, a returned sum or product changes its sign, anything else becomes None."""
    if not isinstance(node, ast.Return) or node.value is None:
        return
    value = node.value
    if isinstance(value, (ast.Compare, ast.BoolOp)):
        yield value, ast.UnaryOp(ast.Not(), value)
    elif isinstance(value, ast.BinOp) and list(arithmetic(value)):
        yield value, ast.UnaryOp(ast.USub(), value)
    elif not isinstance(value, ast.Constant):
        yield value, ast.Constant(None)


def swapped(node: ast.AST) -> Iterator[Change]:
    """The first two positional arguments of a call change places, unless one is a constant: that would hardly run."""
    if not isinstance(node, ast.Call) or len(node.args) < 2 or called(node.func) in SYMMETRIC:
        return
    first, second, *rest = node.args
    fixed = (ast.Starred, ast.Constant, ast.JoinedStr)
    if not isinstance(first, fixed) and not isinstance(second, fixed):
        yield node, ast.Call(node.func, [second, first, *rest], node.keywords)


def opposite(node: ast.AST) -> Iterator[Change]:
    """``min`` becomes ``max`` and so on, and ``sorted`` sorts the other way round."""
    if not isinstance(node, ast.Call):
        return
    name = called(node.func)
    if name in OPPOSITE and isinstance(node.func, ast.Name):
        yield node.func, ast.Name(OPPOSITE[name])
    elif name in OPPOSITE and isinstance(node.func, ast.Attribute):
        yield node.func, ast.Attribute(node.func.value, OPPOSITE[name])
    elif name == "sorted" and "reverse" not in [keyword.arg for keyword in node.keywords]:
        backwards = ast.keyword("reverse", ast.Constant(True))
        yield node, ast.Call(node.func, node.args, [*node.keywords, backwards])


def without_keyword(node: ast.AST) -> Iterator[Change]:
    """A call loses one keyword argument."""
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            if keyword.arg and keyword.arg not in TEXTS:
                yield node, ast.Call(node.func, node.args, [each for each in node.keywords if each is not keyword])


def removed(node: ast.AST) -> Iterator[Change]:
    """A call for its effect does not happen."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call) or is_text(node.value):
        return
    if called(node.value.func) != "__init__":
        yield node, ast.Pass()


def jump(node: ast.AST) -> Iterator[Change]:
    """``break`` becomes ``continue`` and back."""
    if isinstance(node, (ast.Break, ast.Continue)):
        yield node, ast.Continue() if isinstance(node, ast.Break) else ast.Break()


OPERATORS = {
    "comparison": comparison,
    "arithmetic": arithmetic,
    "logic": logic,
    "sign": sign,
    "constant": constant,
    "condition": condition,
    "return": returned,
    "swap": swapped,
    "opposite": opposite,
    "keyword": without_keyword,
    "removal": removed,
    "jump": jump,
}
