"""Free choices change what a network computes and no tensor's shape, and the fidelity sheet names them."""

import pytest
import torch
from one_in import one_in

from lit_cnn.architectures.catalog import CATALOG, create_model, find_entry
from lit_cnn.architectures.free_choices import FREE_CHOICES, free_choices
from lit_cnn.cli.models import fidelity_sheet

HIDDEN = (
    *(("cifar_resnet8", "shortcut", "zero_pad_both"), ("mobilenet_v1_0.25", "activation", "relu6")),
    *(("shufflenet_v1_g3_1.0x", "concat", "residual_first"), ("shufflenet_v1_g3_1.0x", "shuffle", "from_groups")),
    *(("efficientnet_lite0", "padding", "symmetric"), ("resnet50", "stride_in", "1x1")),
)


@pytest.mark.parametrize(("name", "option", "value"), one_in(2, HIDDEN))
def test_weights_of_one_choice_fit_the_other_and_compute_something_else(name: str, option: str, value: str) -> None:
    torch.manual_seed(0)
    ours, other = create_model(name).eval(), create_model(name, **{option: value}).eval()
    other.load_state_dict(ours.state_dict())
    images = 20 * torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert not torch.allclose(ours(images), other(images), rtol=1e-3, atol=0)


def test_the_default_stands_first() -> None:
    assert [(choice.option, choice.values) for choice in free_choices(find_entry("se_resnet50"))] == [
        ("stride_in", ("1x1", "3x3"))
    ]


def test_every_choice_belongs_to_a_network_and_is_in_the_fidelity_sheet() -> None:
    sheet = fidelity_sheet(list(CATALOG), [])
    below = [line for note in sheet.notes for line in note.splitlines()]
    for choice in FREE_CHOICES:
        names = [entry.name for entry in CATALOG if choice.option in entry.options()]
        assert names
        (line,) = (line for line in below if line.startswith(f"- {choice.option} ("))
        assert all(name in line for name in names)


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(ValueError, match="activation must be relu or relu6, got 'gelu'"):
        create_model("mobilenet_v1", activation="gelu")
