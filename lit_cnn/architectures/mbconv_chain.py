"""A network of any chain of MBConv, Fused-MBConv and identity stages, which is stated as text.

It is the network of MobileNetV2 (arXiv:1801.04381, Table 2), EfficientNet (arXiv:1905.11946) and EfficientNetV2
(arXiv:2104.00298) with rows of one's own; the default chain is MobileNetV2's. Input (N, in_channels, 224, 224), B rows:

    stem        3x3, stride 2                          stem_width x 112 x 112
    stage2      first row
    ...
    stage{B+1}  last row
    stage{B+2}  1x1                                   final_width x H' x W'
    head        global average pool, dropout, linear          num_classes
"""

from lit_cnn.architectures import mobilenet_v2
from lit_cnn.architectures.chain_text import format_chain, parse_chain
from lit_cnn.architectures.efficientnet import EfficientNet
from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.layers.mbconv import Activation
from lit_cnn.architectures.layers.padding import Padding
from lit_cnn.architectures.network import Stem

PAPER = Paper(
    "MobileNetV2",
    "Sandler et al.",
    2018,
    "arXiv:1801.04381",
    protocol="for any chain of stages; the default chain is MobileNetV2's",
)


def mbconv_chain(
    stages: str = format_chain(mobilenet_v2.STAGES),
    stem_width: int = mobilenet_v2.STEM_WIDTH,
    final_width: int = mobilenet_v2.FINAL_WIDTH,
    activation: Activation = "relu6",
    padding: Padding = "symmetric",
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.2,
    drop_path: float = 0.0,
    norm_eps: float = 1e-5,
    norm_momentum: float = 0.1,
    stem: Stem = "imagenet",
) -> EfficientNet:
    """The network of a chain.

    Args:
        stages: Text of the chain, see :mod:`lit_cnn.architectures.chain_text`.
        stem_width: Channels of the stem.
        final_width: Channels of the last 1x1 convolution.
        activation: After every convolution that is not a projection.
        padding: "symmetric", or "tensorflow" as the released EfficientNets.
        num_classes: Outputs.
        in_channels: Channels of the image.
        dropout: Rate before the classifier.
        drop_path: Stochastic-depth rate; block b of B, from 0, drops with ``drop_path`` · b / B.
        norm_eps: Batch norm's epsilon; the EfficientNets have 1e-3.
        norm_momentum: Share of the new batch in batch norm's running statistics.
        stem: "imagenet", or "small", whose first convolution keeps the resolution, for images of about 32 to 64 px.

    Raises:
        ValueError: If the text does not state a chain.
    """
    return EfficientNet(
        parse_chain(stages),
        stem_width=stem_width,
        final_width=final_width,
        activation=activation,
        padding=padding,
        norm_eps=norm_eps,
        norm_momentum=norm_momentum,
        stem=stem,
        dropout=dropout,
        drop_path=drop_path,
        num_classes=num_classes,
        in_channels=in_channels,
    )
