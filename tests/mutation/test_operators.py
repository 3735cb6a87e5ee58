"""What a mutant is: one change of code, none of text, and the rest of the file as it is written."""

import ast

import pytest
from operators import mutants, same_code


def changes(source: str, kind: str) -> list[str]:
    """What the whole source becomes under each mutant of a kind."""
    return [ast.unparse(ast.parse(mutant.applied(source))) for mutant in mutants(source) if mutant.kind == kind]


@pytest.mark.parametrize(
    ("kind", "source", "expected"),
    [
        ("comparison", "a < b", ["a >= b", "a <= b"]),
        ("comparison", "a == b", ["a != b"]),
        ("comparison", "a not in b", ["a in b"]),
        ("comparison", "a < b < c", []),
        ("arithmetic", "a * b + c", ["a * b - c", "a / b + c"]),
        ("arithmetic", "a - (b + c)", ["a + (b + c)", "a - (b - c)"]),
        ("arithmetic", "a += b", ["a -= b"]),
        ("arithmetic", "a + 'text'", []),
        ("arithmetic", "[a] + b", []),
        ("logic", "a and b and c", ["a or b or c"]),
        ("sign", "a and (not b)", ["a and b"]),
        ("sign", "-a", ["a"]),
        ("constant", "f(0, 1, 7, 0.5)", ["f(1, 1, 7, 0.5)", "f(0, 0, 7, 0.5)", "f(0, 1, 8, 0.5)", "f(0, 1, 7, 1.5)"]),
        ("constant", "a[1:, True]", ["a[0:, True]", "a[1:, False]"]),
        ("condition", "b if a else c", ["b if not a else c"]),
        ("condition", "[a for a in b if a.c]", ["[a for a in b if not a.c]"]),
        ("condition", "b if a < 1 else c", []),
        ("swap", "f(a, b, c)", ["f(b, a, c)"]),
        ("swap", "min(a, b)", []),
        ("swap", "f(a, 'b')", []),
        ("opposite", "min(a)", ["max(a)"]),
        ("opposite", "a.argmax(0)", ["a.argmin(0)"]),
        ("opposite", "sorted(a, key=b)", ["sorted(a, key=b, reverse=True)"]),
        ("keyword", "f(a, b=1, c=2)", ["f(a, c=2)", "f(a, b=1)"]),
        ("removal", "a.b(c)", ["pass"]),
        ("removal", "super().__init__()", []),
    ],
)
def test_each_operator_makes_the_changes_it_promises(kind: str, source: str, expected: list[str]) -> None:
    assert changes(source, kind) == expected


def test_returned_values_are_negated_or_lost() -> None:
    source = "def f():\n    return {}\n"
    assert changes(source.format("a < b"), "return") == ["def f():\n    return not a < b"]
    assert changes(source.format("a * b"), "return") == ["def f():\n    return -(a * b)"]
    assert changes(source.format("f(a)"), "return") == ["def f():\n    return None"]
    assert not changes(source.format("None"), "return")


def test_break_becomes_continue() -> None:
    assert changes("for a in b:\n    break", "jump") == ["for a in b:\n    continue"]


def test_texts_types_and_decorators_are_left_alone() -> None:
    source = '''"""Text of 1."""
__all__ = ["a"][0:1]
Size = Literal[1, 2]

@decorated(frozen=True)
class A(B[2]):
    """Text of 2."""

    field: Literal[1]

    def f(self, a: "x[1]") -> "x[2]":
        """Text of 3."""
        print(1 + 2)
        parser.add_argument(help=f(1))
        warnings.warn(a, stacklevel=2)
        raise ValueError(f"{a[1]}")
'''
    assert [mutant.kind for mutant in mutants(source)] == ["removal"]  # of the argument


def test_a_mutant_changes_nothing_but_its_place() -> None:
    source = '# ünïcode before\ntext = "α"; a = (b +  # why\n    1)\nrest = 1\n'
    applied = next(mutant for mutant in mutants(source) if mutant.mutant == "0").applied(source)
    assert applied == source.replace("    1)", "    (0))")


def test_code_is_compared_without_its_places() -> None:
    first, same, other = (
        compile(text, "file", "exec") for text in ("f = lambda: 1", "f = lambda: (\n1)", "f = lambda: 2")
    )
    assert same_code(first, same)
    assert not same_code(first, other)
