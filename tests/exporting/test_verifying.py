"""A file that computes something else than the network is found, and what is measured of one that does not."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from exported_run import NAMES, photographs, untrained
from torch import Tensor, nn

from lit_cnn.evaluation.trained import Trained
from lit_cnn.exporting.graph import GraphForm
from lit_cnn.exporting.preprocessed import PreprocessedNetwork
from lit_cnn.exporting.real_images import RealImages, real_images
from lit_cnn.exporting.verifying import Verification, in_batches, verify

GOOD = Verification(2000, 1998, 0, 0.1, 5.0, 1, (1500, 1501))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return untrained(tmp_path_factory.mktemp("net"))


@pytest.fixture(scope="module")
def images(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> RealImages:
    return photographs(tmp_path_factory.mktemp("images"), trained)


def test_the_same_network_agrees_on_every_image(trained: Trained, images: RealImages) -> None:
    run = PreprocessedNetwork(trained.network, trained.preprocessing)
    found = verify(trained, run, GraphForm(), images)
    assert (found.images, found.agreed, found.ties, found.agreement) == (6, 6, 0, 1.0)
    assert found.difference < 0.05 * found.logit
    assert found.levels is not None
    assert found.levels <= 2
    assert found.right is not None
    assert found.right[0] == found.right[1]
    assert found.accuracy == found.network_accuracy == found.right[1] / 6
    found.check("file")


def test_another_network_is_refused(trained: Trained, images: RealImages) -> None:

    def other(inputs: Tensor) -> Tensor:
        return -trained.network(inputs)

    found = verify(trained, other, GraphForm(with_preprocessing=False), images)
    assert (found.agreed, found.levels) == (0, None)
    assert found.difference == pytest.approx(2 * found.logit)
    with pytest.raises(ValueError, match=r"net.onnx was not written, .* 0 of 6 images only \(0.00 %, 99.9 %"):
        found.check("net.onnx")


def test_one_of_a_thousand_may_differ_and_two_may_not() -> None:
    GOOD.check("file")
    with pytest.raises(ValueError, match=r"1997 of 2000.*prepared pixels by up to 1 gray levels"):
        replace(GOOD, agreed=1997).check("file")


def test_a_near_tie_is_counted_apart_and_agrees(trained: Trained, images: RealImages) -> None:
    """A network whose class hangs on a single gray level: the sum of all levels, even or odd."""

    class Parity(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            odd = ((x * 0.5 + 0.5) * 255).round().sum((1, 2, 3)) % 2
            return torch.stack([odd, 1 - odd, torch.zeros_like(odd)], 1)

    fragile = replace(trained, network=Parity().requires_grad_(False))
    fragile.network.register_parameter("unused", nn.Parameter(torch.zeros(1)))
    found = verify(fragile, PreprocessedNetwork(fragile.network, fragile.preprocessing), GraphForm(), images)
    assert found.ties > 0
    assert found.agreed + found.ties == found.images
    found.check("file")
    swapped = PreprocessedNetwork(fragile.network, fragile.preprocessing)
    wrong = verify(fragile, lambda inputs: swapped(inputs)[:, [1, 0, 2]], GraphForm(), images)
    assert wrong.ties == 0
    with pytest.raises(ValueError, match="was not written"):
        wrong.check("file")


def test_nan_agrees_with_nothing(trained: Trained, images: RealImages) -> None:
    found = verify(trained, lambda inputs: torch.full((len(inputs), 3), torch.nan), GraphForm(), images)
    assert found.agreed == 0


def test_a_fixed_batch_is_filled_up() -> None:
    sizes = []

    def run(inputs: Tensor) -> Tensor:
        sizes.append(len(inputs))
        return inputs.sum(1, keepdim=True)

    inputs = torch.arange(10.0).view(5, 2)
    assert torch.equal(in_batches(run, inputs, 2), inputs.sum(1, keepdim=True))
    assert sizes == [2, 2, 2]
    assert torch.equal(in_batches(run, inputs, None), inputs.sum(1, keepdim=True))
    assert sizes[3:] == [5]


def test_images_of_other_classes_count_without_labels(trained: Trained, tmp_path: Path) -> None:
    images = photographs(tmp_path, trained)
    assert images.labeled
    assert images.images.labels.tolist() == [0, 0, 1, 1, 2, 2]
    for name in NAMES:
        (tmp_path / "photographs" / name).rename(tmp_path / "photographs" / f"{name} flowers")
    others = real_images(trained, str(tmp_path / "photographs"), 100)
    assert not others.labeled
    assert len(others) == 6
    assert "count without their labels: the folder" in others.notes[0]
    assert (
        verify(trained, PreprocessedNetwork(trained.network, trained.preprocessing), GraphForm(), others).right is None
    )
