from collections.abc import Sequence
from pathlib import Path

import pytest
from made_choice import make_images

from lit_cnn.choosing import preparing, sifting
from lit_cnn.choosing.candidates import SMALL_NETWORKS, Candidate, Start
from lit_cnn.choosing.images import open_images
from lit_cnn.choosing.limits import Limits
from lit_cnn.choosing.preparing import Prepared, prepare
from lit_cnn.choosing.running import spending
from lit_cnn.choosing.wishes import PLAN, Wishes

FIGURES = {"latency_ms": 5.0, "memory_mb": 20.0, "step_ms": 20.0, "image_ms": 1.0}
NETWORKS = ("cifar_resnet8", "cifar_resnet20", "cifar_resnet32", "cifar_vgg8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("choice")


def wishes_of(folder: Path) -> Wishes:
    weights, limits = ("timm:tf_efficientnet_lite0.in1k",), Limits(params=4e6, latency_ms=10)
    return Wishes(str(folder / "images"), 6000.0, "none", weights, NETWORKS, (16, 32), limits)


@pytest.fixture(scope="module")
def prepared(folder: Path) -> Prepared:
    def measure(candidate: Candidate, *_: object) -> dict[str, float]:
        if candidate.architecture == "cifar_resnet32":
            raise ValueError("it cannot be measured")
        return {**FIGURES, "latency_ms": 50.0 if candidate.image_size == 32 else 5.0}

    images = open_images(make_images(folder / "images"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sifting, "measure_candidate", measure)
        return prepare(folder, wishes_of(folder), images, lambda _: None)


@pytest.mark.slow
def test_candidates_are_within_the_limits_and_others_named_with_the_reason(prepared: Prepared) -> None:
    names = [each.name for each in prepared.candidates]
    assert names == ["efficientnet_lite0-16-pretrained", "cifar_resnet8-16", "cifar_resnet20-16", "cifar_vgg8-16"]
    assert {limit for limit, _ in prepared.rejected.values()} == {"latency_ms"}
    assert len(prepared.rejected) == 4
    assert prepared.untried["cifar_resnet32-16"] == "it cannot be measured"


@pytest.mark.slow
def test_the_plan_probes_what_has_weights_and_costs_no_more_than_the_budget(prepared: Prepared) -> None:
    budget = prepared.budget
    assert budget.probed == ("efficientnet_lite0-16-pretrained",)
    assert budget.scratch == ("cifar_resnet8-16", "cifar_resnet20-16", "cifar_vgg8-16")
    assert budget.seconds + prepared.spent <= 6000
    assert budget.folds == 5
    assert spending(prepared).startswith("planned in each of 5 folds: ")


@pytest.mark.slow
def test_a_saved_plan_is_read_back_the_same(prepared: Prepared, folder: Path) -> None:
    assert Prepared.load(folder / PLAN) == prepared
    assert prepare(folder, wishes_of(folder), None, print) == prepared, "nothing is measured again"  # type: ignore[arg-type]


def test_published_weights_of_the_usual_networks_are_fetched_if_a_size_is_within_the_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The images are small: without weights CIFAR's networks are tried on them."""
    fetched: list[str] = []

    def fetch(starts: Sequence[Start], _: object) -> dict[str, str]:
        fetched.extend(start.architecture for start in starts)
        return {start.architecture: "it cannot be read" for start in starts}

    def published(networks: Sequence[str]) -> tuple[list[Start], dict[str, str]]:
        return [Start(name, f"timm:{name}") for name in networks if name in ("mobilenet_v1", "resnet50")], {}

    def count(candidate: Candidate, *_: object) -> dict[str, float]:
        return {"params": 25e6 if candidate.architecture == "resnet50" else 1e6}

    monkeypatch.setattr(sifting, "count_candidate", count)
    monkeypatch.setattr(preparing, "fetch", fetch)
    monkeypatch.setattr(preparing, "published_starts", published)
    images = open_images(make_images(tmp_path / "images"))
    wishes = Wishes(str(images.path), 60.0, limits=Limits(params=5e6))
    state = sifting.Sifting(tmp_path / "measured.json", images, wishes, print)
    counted = {each.architecture for each in preparing._counted(images, wishes, state, print)}
    assert fetched == ["mobilenet_v1"], "the weights of a network that is too large are not downloaded"
    assert counted == {*SMALL_NETWORKS}
    assert state.untried == {"published weights for mobilenet_v1": "it cannot be read"}
    assert "resnet50-128-pretrained" in state.rejected


def test_one_judged_image_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    make_images(tmp_path / "data" / "train")
    make_images(tmp_path / "data" / "val", 1)
    for name in ("red", "green"):
        (tmp_path / "data" / "val" / name / "0.png").unlink()
    images = open_images(tmp_path / "data")
    wishes = Wishes(str(images.path), 6000.0, "none", networks=NETWORKS, folds="1")
    words = r"data has 1 image to validate on \(--folds 1 asks for it\), but comparing candidates takes two at least"
    with pytest.raises(ValueError, match=words):
        prepare(tmp_path / "choice", wishes, images, lambda _: None)
