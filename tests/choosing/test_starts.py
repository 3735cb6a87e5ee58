import pytest

from lit_cnn.choosing import starts
from lit_cnn.choosing.starts import given_starts, published_starts, start_of


def test_published_weights_name_their_network() -> None:
    start = start_of("timm:tf_efficientnet_lite0.in1k")
    assert (start.architecture, start.spec) == ("efficientnet_lite0", "timm:tf_efficientnet_lite0.in1k")
    assert hash(start) is not None


def test_weights_that_are_not_there_are_an_error() -> None:
    with pytest.raises((ValueError, OSError)):
        given_starts(["nowhere.ckpt"])


def test_each_host_is_asked_once_and_the_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(starts, "reachable", lambda url: bool(asked.append(url)))
    monkeypatch.setattr(starts, "cached_file", lambda _: None)
    monkeypatch.setattr(starts, "cached_checkpoint", lambda _: starts_missing)
    found, missing = published_starts(["resnet50", "resnet18", "cifar_resnet8"], lambda _: None)
    assert found == []
    assert len({url.split("/")[2] for url in asked}) == len(asked)
    assert missing["cifar_resnet8"] == "no weights are published for it"
    assert "cannot be reached" in missing["resnet50"]


class _Missing:
    def is_file(self) -> bool:
        return False


starts_missing = _Missing()


def test_weights_that_can_be_imported_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starts, "cached_file", lambda _: object())
    monkeypatch.setattr(starts, "checkpoint_of", lambda *_: None)
    found, missing = published_starts(["efficientnet_lite0"], lambda _: None)
    assert ([start.architecture for start in found], missing) == (["efficientnet_lite0"], {})
