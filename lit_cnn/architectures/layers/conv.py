"""Convolution, batch normalization, activation."""

from torch import nn

from lit_cnn.architectures.layers.depthwise import same_size_conv


class ConvNormAct(nn.Sequential):
    """Bias-free convolution padded by half its kernel, batch norm, activation.

    Args:
        activation: Activation module, or None for a linear projection.
        eps: Batch norm's epsilon.
        momentum: Share of the new batch in batch norm's running statistics (torch's convention, 1 - TensorFlow's).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 3,
        *,
        stride: int = 1,
        groups: int = 1,
        activation: nn.Module | None = None,
        eps: float = 1e-5,
        momentum: float = 0.1,
    ) -> None:
        super().__init__()
        self.conv = same_size_conv(in_channels, out_channels, kernel, stride=stride, groups=groups)
        self.norm = nn.BatchNorm2d(out_channels, eps=eps, momentum=momentum)
        if activation is not None:
            self.activation = activation
