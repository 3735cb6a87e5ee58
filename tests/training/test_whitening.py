"""The first convolution's filters whiten the patches they are made from, and stay as they are."""

from pathlib import Path

import pytest
import torch
from digits_run import fit
from torch import Tensor, nn

from lit_cnn.training.fine_tuning import InitialWeights, start_weights
from lit_cnn.training.stopping import RunInterrupted
from lit_cnn.training.whitening import images_at_a_time, principal_components, whiten_first_convolution


@pytest.fixture(scope="module")
def images() -> Tensor:
    """Smooth images whose channels depend on each other: patches far from white."""
    rough = torch.randn(64, 3, 20, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    smooth = nn.functional.avg_pool2d(rough, 5, stride=1)
    return smooth + smooth.flip(1)


def test_components_are_orthonormal_and_sorted(images: Tensor) -> None:
    variances, components = principal_components(images, (3, 2))
    rows = components.flatten(1)
    assert variances.shape == (18,)
    assert (variances.diff() <= 0).all()
    assert torch.allclose(rows @ rows.T, torch.eye(18, dtype=torch.float64), atol=1e-12)


def test_patches_of_large_images_are_measured_in_smaller_parts(images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of 64 images of 224 px take 3.6 GB for a kernel of 7 x 7 px."""
    assert [images_at_a_time((side, side), 3 * 7 * 7) for side in (32, 224, 1024)] == [64, 2, 1]
    variances, _ = principal_components(images, (3, 2))
    monkeypatch.setattr("lit_cnn.training.whitening.CHUNK_NUMBERS", 5000)
    parts, _ = principal_components(images, (3, 2))
    assert torch.allclose(parts, variances, rtol=1e-9)


def test_filters_whiten_and_come_with_their_negatives(images: Tensor) -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3, bias=True), nn.ReLU()).double()
    said = whiten_first_convolution(network, 10 * images)  # variances far above the constant added to them
    with torch.no_grad():
        outputs = network[0](10 * images).transpose(0, 1).flatten(1)
    assert torch.equal(outputs[1::2], -outputs[::2])
    kept = outputs[::2]
    assert torch.allclose(kept @ kept.T / kept.shape[1], torch.eye(4, dtype=torch.float64), atol=2e-3)
    assert "8 fixed filters" in said
    assert not network[0].weight.requires_grad
    assert network[0].bias.requires_grad


def test_filters_beyond_the_components_stay_random(images: Tensor) -> None:
    network = nn.Conv2d(3, 9, 1, bias=False).double()
    before = network.weight.clone()
    whiten_first_convolution(network, images)
    assert torch.equal(network.weight[6:], before[6:])
    assert not torch.equal(network.weight[:6], before[:6])


@pytest.mark.parametrize("network", [nn.Linear(3, 3), nn.Conv2d(2, 4, 3, groups=2)])
def test_networks_without_such_a_convolution_are_refused(network: nn.Module) -> None:
    with pytest.raises(ValueError, match="begins with an ungrouped convolution"):
        whiten_first_convolution(network, torch.zeros(1, 2, 4, 4))


def test_whitening_reads_an_image_data() -> None:
    with pytest.raises(ValueError, match="train with an ImageData"):
        start_weights(nn.Conv2d(1, 2, 3), InitialWeights(whitening=True), None, ["0", "1"], resumed=False)


def test_whitening_and_a_checkpoint_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="choose one of the two"):
        InitialWeights(checkpoint="some.ckpt", whitening=True)


@pytest.mark.slow
def test_the_layer_stays_fixed_through_training_and_a_resumed_run_ends_bit_equal(tmp_path: Path) -> None:
    model = {"initial": InitialWeights(whitening=True)}
    _, whole = fit(tmp_path / "whole", model=model)
    assert whole.net is not None
    filters = whole.net.features.stem.conv.weight
    assert torch.equal(filters[1::2], -filters[::2])
    with pytest.raises(RunInterrupted):
        fit(tmp_path / "parts", model=model, stop_after=14)
    _, resumed = fit(tmp_path / "parts", model=model, resume=True)
    assert resumed.net is not None
    assert not resumed.net.features.stem.conv.weight.requires_grad
    for name, value in whole.net.state_dict().items():
        assert torch.equal(value, resumed.net.state_dict()[name]), name


def test_components_do_not_depend_on_how_many_images_are_taken_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    mixing = torch.randn(3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    noise = torch.randn(20, 3, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    images = torch.einsum("dc,nchw->ndhw", mixing, noise)
    variances, components = principal_components(images, (2, 2))
    monkeypatch.setattr("lit_cnn.training.whitening.CHUNK", 7)
    parts, filters = principal_components(images, (2, 2))
    torch.testing.assert_close(parts, variances)
    torch.testing.assert_close((parts * filters.flatten(1).T).abs(), (variances * components.flatten(1).T).abs())
