from pathlib import Path

import pytest
import torch

from lit_cnn.detection.detector_network import DetectorNetwork
from lit_cnn.detection.fcos import FCOSSettings
from lit_cnn.detection.initial_backbone import load_weights, require_whole
from lit_cnn.detection.networks import create_detector
from lit_cnn.detection.pyramid import PyramidSettings
from lit_cnn.training.fine_tuning import InitialWeights


def detector(architecture: str = "resnet18") -> DetectorNetwork:
    settings = PyramidSettings(width=32, top="none")
    return create_detector("fcos", architecture, 2, (64, 64), pyramid=settings, fcos=FCOSSettings(depth=1))


@pytest.mark.slow
def test_the_network_below_the_pyramid_gets_a_classifiers_weights(classifier: Path) -> None:
    made = detector()
    before = made.pyramid.fpn.state_dict()
    said = load_weights(made, InitialWeights(checkpoint=str(classifier)), "resnet18")
    stored = torch.load(classifier, weights_only=True)["state_dict"]
    own = made.backbone.state_dict()
    assert own
    assert all(torch.equal(value, stored[f"net.{name}"]) for name, value in own.items())
    assert f"copied {len(own)} of {len(own)} tensors of the network resnet18" in said
    assert all(torch.equal(value, before[name]) for name, value in made.pyramid.fpn.state_dict().items())


@pytest.mark.slow
def test_weights_of_another_network_are_refused_in_one_sentence(classifier: Path) -> None:
    with pytest.raises(ValueError, match=r"shares no layer with mobilenet_v2: state model\.architecture resnet18"):
        load_weights(detector("mobilenet_v2"), InitialWeights(checkpoint=str(classifier)), "mobilenet_v2")


@pytest.mark.parametrize(
    ("initial", "sentence"),
    [
        (InitialWeights(checkpoint="x.ckpt", convolutions=2), r"initial\.convolutions copies single layers"),
        (InitialWeights(checkpoint="x.ckpt", linears=1), r"initial\.linears copies single layers"),
        (InitialWeights(whitening=True), r"initial\.whitening is for classifiers"),
    ],
)
def test_what_makes_sense_for_classifiers_only_is_refused(initial: InitialWeights, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        require_whole(initial)
