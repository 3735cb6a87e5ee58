"""Each mistake is answered by one sentence that names it, a non-zero exit code and no traceback."""

from pathlib import Path
from typing import Any

import pytest
import torch
from bad_case import Case
from bad_input import CASES, answer

from lit_cnn.cli.main import sentence

TRAINED = {"resume after a training image was renamed"}
"""A second case of its kind, each after a whole run."""
MARKED = [
    pytest.param(case, marks=[] if place % 3 == 0 and case.code and case.name not in TRAINED else pytest.mark.slow)
    for place, case in enumerate(CASES)
]
"""What is answered by a whole run, instead of a sentence, takes a second each."""
PAGE = Path(__file__).parents[2] / "docs" / "guides" / "reliability.md"


@pytest.mark.filterwarnings("ignore:.* one side over 50 times the other")
@pytest.mark.parametrize("case", MARKED, ids=lambda case: f"{case.group}: {case.name}")
def test_case(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIT_CNN_DEBUG", raising=False)
    try:
        code, text, printed = answer(case, tmp_path)
    except OSError as error:
        if case.rights and error.strerror.startswith("capabilities"):
            pytest.skip(f"root reads everything here: {error.strerror}")
        raise
    assert code == case.code, printed
    assert "Traceback" not in printed
    assert "\n" not in text, "more than one sentence"
    if text == "works":
        assert code == 0
        assert case.says in printed
    else:
        assert case.says in text
        assert code or case.group == "checks of data sets"
    assert not (tmp_path / "executed").exists()


def test_the_page_holds_every_case() -> None:
    assert len(CASES) >= 40
    page = PAGE.read_text()
    for case in CASES:
        (row,) = (line for line in page.splitlines() if line.startswith(f"| {case.name} | {case.code} |"))
        assert row.endswith("| works |") or case.says in row.replace("\\|", "|")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 8 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
        MemoryError(),
    ],
    ids=["GPU", "CPU", "Python"],
)
def test_too_little_memory_is_answered_with_the_keys_that_help(error: Exception, machine: Any) -> None:
    machine(("avx512_bf16",))
    said = sentence(error)
    assert said.startswith("out of memory (")
    for key in ("data.batch_size", "data.image_size", "trainer.accumulate_grad_batches", "trainer.precision"):
        assert key in said
    machine(("avx2",))  # half precision would be emulated
    assert sentence(error) == said.partition("; or set trainer.precision")[0]
