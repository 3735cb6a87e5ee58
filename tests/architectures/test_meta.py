"""Networks on the meta device: shapes and counts are torch's own, and nothing of the network itself changes."""

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from lit_cnn.architectures import create_model
from lit_cnn.architectures.meta import copy_on_meta, on_meta, run_on_meta


def test_shapes_types_and_counts_are_those_of_torch_without_it() -> None:
    image = torch.empty(2, 3, 32, 32, device="meta")
    with torch.device("meta"):
        plain = create_model("efficientnet_b0", num_classes=7).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counted:
        expected = plain.stages(image)
    with on_meta():
        network = create_model("efficientnet_b0", num_classes=7).eval()
    with FlopCounterMode(display=False) as counter:
        maps = run_on_meta(network.stages, image)
    assert [(x.shape, x.dtype, x.stride()) for x in maps] == [(x.shape, x.dtype, x.stride()) for x in expected]
    assert counter.get_total_flops() == counted.get_total_flops() > 0
    tensors, others = network.state_dict(), plain.state_dict()
    assert {name: (x.shape, x.device.type) for name, x in tensors.items()} == {
        name: (x.shape, "meta") for name, x in others.items()
    }


def test_a_copy_shares_what_the_network_shares_and_has_no_numbers() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1))
    network[3].weight = network[2].weight
    network[0].weight.requires_grad_(False)
    network[2](torch.ones(1, 4, 2, 2)).sum().backward()
    before = {name: x.clone() for name, x in network.state_dict().items()}
    copied = copy_on_meta(network)
    assert copied[3].weight is copied[2].weight
    assert [x.requires_grad for x in copied.parameters()] == [x.requires_grad for x in network.parameters()]
    assert all(x.is_meta for x in copied.state_dict().values())
    assert all(isinstance(x, nn.Parameter) for x in copied.parameters())
    assert all(torch.equal(x, before[name]) for name, x in network.state_dict().items())
    assert network[2].weight.grad is not None


def test_with_gradients_and_on_a_cpu_nothing_is_left_out() -> None:
    norm = nn.BatchNorm2d(3).eval()
    norm.running_mean.fill_(5.0)

    def both(x: Tensor) -> Tensor:
        return norm(x).add_(torch.zeros(1).fill_(2.0))

    torch.testing.assert_close(run_on_meta(both, torch.ones(1, 3, 2, 2)), norm(torch.ones(1, 3, 2, 2)) + 2)
    with on_meta():
        trained = nn.BatchNorm2d(3)
        output = trained(torch.ones(2, 3, 2, 2))
    output.sum().backward()
    assert trained.weight.grad.is_meta
