"""The fully connected head reads the map in torch's order and adapts to other map sizes."""

import pytest
import torch

from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.fully_connected import FullyConnectedHead


def test_by_hand() -> None:
    head = FullyConnectedHead(3, 2, hidden=4, num_classes=5, dropout=0.5).double().eval()
    x = torch.randn(2, 3, 2, 2, dtype=torch.float64)
    y = x.reshape(2, 12)
    for layer in (head.hidden1, head.hidden2):
        y = (y @ layer.weight.T + layer.bias).clamp(min=0)
    torch.testing.assert_close(head(x), y @ head.classifier.weight.T + head.classifier.bias)


def test_other_maps_are_averaged_or_repeated() -> None:
    head = FullyConnectedHead(3, 2, hidden=4, num_classes=5, dropout=0.0)
    small = torch.randn(1, 3, 1, 1)
    assert torch.equal(head(small), head(small.expand(1, 3, 2, 2)))
    large = torch.randn(1, 3, 4, 4)
    torch.testing.assert_close(head(large), head(large.unfold(2, 2, 2).unfold(3, 2, 2).mean((4, 5))))


def test_dropout_follows_the_hidden_layers() -> None:
    head = FullyConnectedHead(3, 2, hidden=4, num_classes=5, dropout=0.3)
    names = [name for name, _ in head.named_children()]
    assert names.index("activation1") < names.index("dropout1") < names.index("hidden2")
    assert [module.rate for module in head.modules() if isinstance(module, Dropout)] == [0.3, 0.3]


@pytest.mark.parametrize(("side", "hidden", "said"), [(0, 4, "map_size must be at least 1, got 0"), (2, 0, "hidden")])
def test_a_head_that_reads_nothing_of_the_image_is_refused(side: int, hidden: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FullyConnectedHead(3, side, hidden, num_classes=5, dropout=0.0)
