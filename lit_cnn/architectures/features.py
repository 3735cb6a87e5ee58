"""A network's maps at chosen strides, for detectors and other heads."""

from collections.abc import Sequence

from torch import Tensor, nn

from lit_cnn.architectures.network import Network, StageInfo


class FeatureExtractor(nn.Module):
    """The last map of a network at each of some strides: (N, in_channels, H, W) -> maps from fine to coarse.

    ``feature_info`` has the channels and the stride of each.

    Args:
        network: Its heads are dropped, and the stages behind the coarsest map.
        out_strides: Pixels of the image per pixel of the map, such as (8, 16, 32), in any order.

    Raises:
        ValueError: If there is no stride, or the network has no map of one, naming those that it has.
    """

    def __init__(self, network: Network, out_strides: Sequence[int] = (8, 16, 32)) -> None:
        super().__init__()
        if not out_strides:
            raise ValueError("out_strides must name at least one stride, such as (8, 16, 32)")
        info = network.feature_info
        last = {stage.stride: number for number, stage in enumerate(info)}
        for stride in out_strides:
            if stride not in last:
                raise ValueError(
                    f"{type(network).__name__} has no map of stride {stride}, only of {', '.join(map(str, last))}: "
                    "set out_strides to some of them"
                )
        network.keep_stages(1 + max(last[stride] for stride in out_strides))
        self.network = network
        self.feature_info: list[StageInfo] = [info[last[stride]] for stride in sorted(out_strides)]
        self._numbers = [last[stride] for stride in sorted(out_strides)]

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = self.network.stages(x)
        return [maps[number] for number in self._numbers]
