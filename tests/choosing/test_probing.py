from pathlib import Path

import pytest
import torch

from lit_cnn.choosing import probing
from lit_cnn.choosing.candidates import Candidate
from lit_cnn.choosing.linear_head import LinearHead
from lit_cnn.choosing.probe import Probed
from lit_cnn.choosing.probing import Probing

GOOD, BAD = Candidate("good", "a", 16, "good.ckpt"), Candidate("bad", "b", 16, "bad.ckpt")


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []

    def probe(weights: str, *_: object) -> Probed:
        names.append(weights)
        if weights == "bad.ckpt":
            raise RuntimeError("out of memory\nat some place")
        return Probed([LinearHead(torch.ones(2, 3), None)], {"image": True})

    monkeypatch.setattr(probing, "probe", probe)
    monkeypatch.setattr(probing, "_data_of", lambda *_: None)
    return names


def test_a_network_that_cannot_be_probed_does_not_end_the_choice(tmp_path: Path, tried: list[str]) -> None:
    made = Probing(tmp_path, {"good": tmp_path, "bad": tmp_path}, [], torch.device("cpu"), lambda _: None)
    for _ in range(2):
        assert made.answers([GOOD, BAD]) == ({"good": {"image": True}}, {"bad": "out of memory"})
    assert tried == ["good.ckpt", "bad.ckpt"], "all processes know the same of it"
    made.forget(["bad"])
    made.answers([GOOD, BAD])
    assert tried[2:] == ["bad.ckpt"]
