import torch

import lit_cnn
from lit_cnn.training.stems import adapt_stem


def adapted(before: int, after: int) -> tuple[torch.nn.Module, torch.nn.Module, str]:
    """A network of some channels, and one of others with its weights."""
    torch.manual_seed(0)
    source, target = (
        lit_cnn.create_model("cifar_resnet8", in_channels=channels).eval() for channels in (before, after)
    )
    weights = source.state_dict()
    said = adapt_stem(target, weights)
    target.load_state_dict(weights)
    return source, target, said


def test_gray_is_seen_as_color_with_equal_channels() -> None:
    source, target, said = adapted(3, 1)
    gray = torch.randn(2, 1, 16, 16)
    torch.testing.assert_close(target(gray), source(gray.expand(-1, 3, -1, -1)))
    assert "sums its filters" in said


def test_an_alpha_channel_starts_without_influence() -> None:
    source, target, said = adapted(3, 4)
    images = torch.randn(2, 4, 16, 16)
    torch.testing.assert_close(target(images), source(images[:, :3]))
    assert said == "the first convolution starts with zeros for the alpha channel"


def test_color_without_color_is_seen_as_gray() -> None:
    source, target, _ = adapted(1, 3)
    gray = torch.randn(2, 1, 16, 16)
    torch.testing.assert_close(target(gray.expand(-1, 3, -1, -1)), source(gray))


def test_alpha_is_left_out() -> None:
    source, target, said = adapted(4, 3)
    images = torch.randn(2, 3, 16, 16)
    opaque = torch.cat([images, torch.zeros(2, 1, 16, 16)], 1)
    torch.testing.assert_close(target(images), source(opaque))
    assert said == "the first convolution reads 3 channels instead of 4"


def test_equal_channels_and_other_filters_are_left_alone() -> None:
    weights = {"features.stem.conv.weight": torch.zeros(16, 3, 5, 5)}
    assert adapt_stem(lit_cnn.create_model("cifar_resnet8", in_channels=1), weights) == ""
    assert adapt_stem(lit_cnn.create_model("cifar_resnet8"), lit_cnn.create_model("cifar_resnet8").state_dict()) == ""
