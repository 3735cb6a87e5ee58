"""Each mistake is answered by one sentence that names it, a non-zero exit code and no traceback."""

from pathlib import Path

import pytest
from bad_case import Case
from bad_input import CASES, answer

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.group}: {case.name}")
def test_case(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIT_CNN_DEBUG", raising=False)
    code, text, printed = answer(case, tmp_path)
    assert code == case.code, printed
    assert "Traceback" not in printed
    assert "\n" not in text, "more than one sentence"
    if code == 0:
        assert case.says in printed
        assert text == "works"
    else:
        assert case.says in text
    assert not (tmp_path / "executed").exists()


def test_the_page_holds_every_case() -> None:
    assert len(CASES) >= 40
    page = PAGE.read_text()
    for case in CASES:
        (row,) = (line for line in page.splitlines() if line.startswith(f"| {case.name} | {case.code} |"))
        assert case.code == 0 or case.says in row.replace("\\|", "|")
