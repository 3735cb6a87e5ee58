"""Comments, docstrings and messages use the field's words, in American spelling."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BANNED = {
    r"(?<!there )(?<!there )\b(?:is|are) no (?!longer\b|more\b)\w+": "is not a …",
    r"\bthat (?:is|are) to (?!\w+ly\b)\w+\b(?! the (?:left|right))": "the plain verb",
    r"\b(?:stands?|lies?) in (?:memory|the)\b": "is in, is held in",
    r"\banew\b": "again",
    r"\bbut for\b": "except",
    r"\balike\b": "equally",
    r"\blikewise\b": "the same, spelled out",
    r"\bin place of\b": "instead of",
    r"\bin turns\b": "interleaved",
    r"\bby itself\b": "alone, on its own",
    r"\bbeside\b": "next to, with",
    r"\bany ?more\b": "no longer",
    r"\b[Cc]olour|\b[Cc]entre|[Nn]eighbour|[Bb]ehaviour|\b[Ll]icence\b|[Mm]inimis|[Nn]ormalis": "American spelling",
}


def prose(file: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of the comments and strings of a Python file, f-strings included."""
    kinds = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
    for token in tokenize.generate_tokens(io.StringIO(file.read_text()).readline):
        if token.type in kinds:
            yield token.start[0], token.string


def banned(text: str) -> list[str]:
    flat = re.sub(r"\s+", " ", text)
    return [
        f"{match.group()!r}: write {better}" for words, better in BANNED.items() for match in re.finditer(words, flat)
    ]


def test_the_package_uses_the_fields_words() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{line}: {finding}"
        for file in sorted((ROOT / "lit_cnn").rglob("*.py"))
        if banned(file.read_text())  # what is wrong in a comment is wrong in the file, which is sooner read
        for line, text in prose(file)
        for finding in banned(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "page",
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_the_pages_use_the_fields_words(page: Path) -> None:
    assert banned(page.read_text()) == []


@pytest.mark.parametrize(
    "text", ["this is no image", "the set lies in memory", "start anew", "color in place of colour", "weigh alike"]
)
def test_what_is_banned_is_found(text: str) -> None:
    assert banned(text)


@pytest.mark.parametrize("text", ["there is no image", "is no longer there", "the best-known", "instead of it"])
def test_what_is_allowed_is_not_found(text: str) -> None:
    assert banned(text) == []
