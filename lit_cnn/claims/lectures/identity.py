"""A deeper residual net can be exactly the shallow one it contains."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.architectures.resnet import ResidualBlock, ResNet
from lit_cnn.claims.claim import Claim, Design, Published
from lit_cnn.claims.rules.measured import Exact
from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.load import load_source

STEPS, BATCH = 60, 64
SHALLOW, DEEP = (1, 1, 1), (3, 3, 3)


def make_net(blocks: tuple[int, ...]) -> ResNet:
    return ResNet(
        blocks, widths=(8, 16, 32), bottleneck=False, shortcut="zero_pad", stem="small", num_classes=10, in_channels=1
    )


def embed(shallow: ResNet, deep: ResNet) -> None:
    """Give ``deep`` the weights of ``shallow``, and the last norm of each further block a gain and bias of 0.

    A block then adds 0 to an input that a ReLU has made non-negative, so it hands that on as it is.
    """
    state = deep.state_dict()
    state.update(shallow.state_dict())
    deep.load_state_dict(state)
    blocks = {name for name, module in shallow.named_modules() if isinstance(module, ResidualBlock)}
    for name, module in deep.named_modules():
        if isinstance(module, ResidualBlock) and name not in blocks:
            norms = [layer for layer in module.residual.modules() if isinstance(layer, nn.BatchNorm2d)]
            nn.init.zeros_(norms[-1].weight)
            nn.init.zeros_(norms[-1].bias)


def train(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """A few steps of SGD, so that nothing is at its initial value; returns the last loss."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    loss = torch.zeros(())
    for step in range(STEPS):
        rows = torch.arange(step * BATCH, (step + 1) * BATCH) % len(labels)
        loss = F.cross_entropy(network(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(loss.detach())


def count() -> dict[str, float]:
    """Largest difference of logits over the validation images, and the loss that training has reached."""
    source = load_source("digits")
    assert isinstance(source.train, ArraySplit)
    assert isinstance(source.val, ArraySplit)
    pixels, held_out = (split.images.float() / 255 - 0.3 for split in (source.train, source.val))
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        shallow, deep = make_net(SHALLOW), make_net(DEEP)
        loss = train(shallow, pixels, source.train.labels)
    embed(shallow, deep)
    with torch.inference_mode():
        difference = (shallow.eval()(held_out) - deep.eval()(held_out)).abs().max()
    return {"largest difference of logits": float(difference), "training loss": loss}


CLAIM = Claim(
    name="identity",
    title="A residual block can be the identity",
    question="A trained ResNet placed in a deeper one, whose further blocks end in zeroed norms, gives equal logits",
    slide="ResNet: identity shortcuts",
    published=(
        Published(
            "argument",
            "a deeper net built by identity layers has no higher training error than its shallow part",
            "He et al., 2015, arXiv:1512.03385, section 1",
        ),
        Published(
            "initialization",
            "the last norm's gain starts at 0, so that each block starts as the identity",
            "Goyal et al., 2017, arXiv:1706.02677, section 5.1",
        ),
    ),
    designs={
        "cpu": Design(
            (
                Exact("all logits are equal, bit by bit", "largest difference of logits", 0.0, 0.0),
                Exact("the shallow net was trained (loss below that of a guess)", "training loss", 0.0, 1.5, "nats"),
            ),
            "ResNets of 8 and 20 layers, widths 8, 16, 32, on the digits; 60 steps of SGD before",
            count=count,
            core_minutes=0.1,
        )
    },
)
