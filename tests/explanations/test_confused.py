"""The most confused pairs are counted, and shown by the images of which the network is surest."""

import pytest
import torch
from corner_net import NAMES, CornerNet
from torch import Tensor

from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.decoding import PixelFormat
from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.trained import Trained
from lit_cnn.explanations.confused import confused_pairs
from lit_cnn.explanations.explaining import Explainer


def images_of(blues: list[int], labels: list[int]) -> EvaluationImages:
    """8 x 8 images with a red of 100 and some blue: of more than that the network says blue."""
    pixels: Tensor = torch.zeros(len(blues), 3, 8, 8, dtype=torch.uint8)
    pixels[:, 0], pixels[:, 2] = 100, torch.tensor(blues, dtype=torch.uint8)[:, None, None]
    return EvaluationImages(ArraySplit(pixels, torch.tensor(labels)), PixelFormat(3), "the test")


@pytest.fixture
def trained() -> Trained:
    preprocessing = Preprocessing((8, 8), 8, "shorter_side", "bilinear", (0.0,) * 3, (1.0,) * 3, 3)
    return Trained(CornerNet().eval(), NAMES, preprocessing, {})


def test_pairs_are_counted_and_show_the_surest_first(trained: Trained) -> None:
    images = images_of([0, 150, 200, 255, 250, 0, 10], [0, 0, 0, 0, 1, 1, 0])
    found = confused_pairs(trained, images, Explainer("cam"), pairs=5, each=2)
    assert (found.images, found.wrong) == (7, 4)
    assert [(pair.true, pair.predicted, pair.count, pair.share) for pair in found.pairs] == [
        ("red", "blue", 3, 0.6),
        ("blue", "red", 1, 0.5),
    ]
    first, second = found.pairs
    assert [image.name for image in first.images] == ["row 3", "row 2"]
    assert [image.name for image in second.images] == ["row 5"]
    for pair in found.pairs:
        for image in pair.images:
            assert (NAMES[image.predicted], NAMES[image.true or 0]) == (pair.predicted, pair.true)
            assert [each.number for each in image.evidence] == [image.predicted, image.true]
    assert int(first.images[0].pixels[2].max()) == 255


def test_only_so_many_pairs_and_none_where_all_is_right(trained: Trained) -> None:
    images = images_of([200, 0, 200, 0], [0, 1, 0, 0])
    assert [pair.true for pair in confused_pairs(trained, images, Explainer("cam"), pairs=1, each=1).pairs] == ["red"]
    right = confused_pairs(trained, images_of([0, 200], [0, 1]), Explainer("cam"), pairs=1, each=1)
    assert (right.wrong, list(right.pairs)) == (0, [])
