"""Weight initialization shared by the papers that state it."""

from torch import nn


def init_he(network: nn.Module) -> None:
    """He et al., 2015 (arXiv:1502.01852): convolutions normal with variance 2 / fan-out, norms identity, linear layers
    normal with standard deviation 0.01 (Goyal et al., 2017, section 5.1) and zero bias."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)


def init_last_gain_to_zero(residual: nn.Sequential) -> None:
    """Zero the gain of the batch norm that ends ``residual``, so that its block starts as its shortcut (Goyal et al.,
    2017, section 5.1)."""
    norms = [module for module in residual.modules() if isinstance(module, nn.BatchNorm2d)]
    nn.init.zeros_(norms[-1].weight)
