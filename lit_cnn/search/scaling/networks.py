"""A network of the catalog, scaled: what it costs, and the scaling at which a rule costs what is wanted."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lit_cnn.architectures.catalog import create_model, find_entry
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.network import Network
from lit_cnn.architectures.scaling import DepthRounding
from lit_cnn.profiling.counting import NetworkCount, count_madds, count_network
from lit_cnn.search.scaling.rules import PAPER, Coefficients, Factors, Rule, check_factors, factors_at

SCALED = ("width_multiplier", "depth_multiplier", "depth_rounding")
"""Options of the networks that can be scaled."""
_REACH = 4
"""How far rounding may take the multiply-adds from the product of the factors."""
_HALVINGS = 9
"""Steps in which ``at_madds`` closes in, to a thousandth of the multiply-adds before rounding."""


@dataclass(frozen=True)
class Base:
    """What is scaled.

    Args:
        name: A network of the catalog that takes ``width_multiplier`` and ``depth_multiplier``.
        image_size: Its height and width in px; None takes the catalog's.
        options: Further options of the network, such as ``widths``; multipliers that it has already are multiplied.

    Raises:
        ValueError: If there is no such network, or it cannot be scaled.
    """

    name: str
    image_size: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if set(SCALED) - set(find_entry(self.name).options()):
            raise ValueError(
                f"{self.name} takes no width_multiplier and depth_multiplier, so it cannot be scaled: choose a "
                "MobileNet, ResNet or EfficientNet, but no EfficientNet-Lite, such as mobilenet_v2, resnet50 or "
                "efficientnet_b0"
            )

    @property
    def pixels(self) -> int:
        """Height and width of its images."""
        return self.image_size or find_entry(self.name).image_size

    def scaled(self, factors: Factors = Factors(), rounding: DepthRounding | None = None) -> "ScaledNetwork":
        """This network with its widths, blocks and image size multiplied; the image size to the nearest pixel.

        ``rounding`` None is that of the options, up where they have none.

        Raises:
            ValueError: If a factor is not finite or too large, or nothing of the image is left.
        """
        check_factors(factors)
        image_size = round(self.pixels * factors.resolution)
        if image_size < 1:
            raise ValueError(f"resolution {factors.resolution:g} of {self.pixels} px leaves no pixel: raise it")
        return ScaledNetwork(self, factors, rounding or self.options.get("depth_rounding", "up"), image_size)


@dataclass(frozen=True)
class ScaledNetwork:
    """A base under factors; made by :meth:`Base.scaled`.

    Args:
        base: What is scaled.
        factors: By what.
        rounding: How numbers of blocks become whole.
        image_size: Height and width of its images in px.
    """

    base: Base
    factors: Factors
    rounding: DepthRounding
    image_size: int

    @property
    def multipliers(self) -> tuple[float, float]:
        """By what widths and numbers of blocks of the catalog's network are multiplied: the base's multipliers times
        the factors, without the noise of the product, which would round blocks up to one more."""
        stated = self.base.options
        width, depth = stated.get("width_multiplier", 1.0), stated.get("depth_multiplier", 1.0)
        return round(width * self.factors.width, 12), round(depth * self.factors.depth, 12)

    @property
    def options(self) -> dict[str, Any]:
        """``model.options`` of a recipe, or the keywords of ``create_model``, that make this network."""
        width, depth = self.multipliers
        options = unscaled(self.base.options)
        if width != 1:
            options["width_multiplier"] = width
        if depth != 1:
            options["depth_multiplier"] = depth
            if self.rounding != "up":
                options["depth_rounding"] = self.rounding
        return options

    def build(self, **options: Any) -> Network:
        """The network with fresh weights; ``options`` of ``create_model``, such as ``num_classes``."""
        return create_model(self.base.name, **{**self.options, **options})

    @functools.cached_property
    def _on_meta(self) -> Network:
        with on_meta():
            return self.build()

    @functools.cached_property
    def params(self) -> int:
        """Parameters, with the catalog's number of classes."""
        return sum(parameter.numel() for parameter in self._on_meta.parameters())

    @functools.cached_property
    def madds(self) -> int:
        """Multiply-adds of one image of its size."""
        return count_madds(self._on_meta, self.image_size)

    @property
    def times(self) -> float:
        """Multiply-adds over the base's, as counted: after everything is rounded."""
        return self.madds / self.base.scaled().madds

    def count(self) -> NetworkCount:
        """The counts of every stage."""
        return count_network(self._on_meta, self.image_size, name=self.base.name)

    def blocks(self) -> dict[str, int]:
        """Stage -> its number of blocks; 0 for the stem and the last convolution, which depth does not scale."""
        return {
            name: sum(child.isdigit() for child, _ in stage.named_children())
            for name, stage in self._on_meta.features.named_children()
        }


def unscaled(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a network other than those of scaling."""
    return {name: value for name, value in options.items() if name not in SCALED}


def at_madds(
    base: Base,
    rule: Rule,
    times: float,
    *,
    coefficients: Coefficients = PAPER,
    rounding: DepthRounding | None = None,
) -> ScaledNetwork:
    """The scaling by a rule whose counted multiply-adds come nearest to ``times`` the base's.

    Widths, blocks and pixels are whole numbers, so they grow in jumps: the factors are moved until the jump over the
    wanted number is found, and the nearer of its two sides is taken.

    Raises:
        ValueError: As :func:`factors_at`.
    """

    def scaled(product: float) -> ScaledNetwork:
        return base.scaled(factors_at(rule, product, coefficients), rounding)

    wanted = times * base.scaled().madds
    exact = scaled(times)
    low = high = times
    below = above = exact
    while below.madds > wanted and low > times / _REACH:
        low /= 1.5
        below = scaled(low)
    while above.madds < wanted and high < times * _REACH:
        high *= 1.5
        above = scaled(high)
    for _ in range(_HALVINGS):
        middle = (low * high) ** 0.5
        tried = scaled(middle)
        if tried.madds <= wanted:
            low, below = middle, tried
        else:
            high, above = middle, tried
    return min((exact, below, above), key=lambda network: abs(network.madds - wanted))
