"""A scaled network as a recipe: that of its base with the network's options and its sizes in pixels."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lit_cnn.architectures.catalog import find_entry
from lit_cnn.architectures.scaling import DepthRounding
from lit_cnn.experiment.files import find_recipe, list_recipes, overlaid, read_yaml
from lit_cnn.search.scaling.networks import Base, ScaledNetwork, unscaled

_FAMILIES = (
    *(("cifar_", "cifar10_resnet20"), ("efficientnet_v2", "efficientnet_v2_s"), ("efficientnet", "efficientnet_b0")),
    *(("mobilenet_v2", "mobilenet_v2"), ("mobilenet_v1", "mobilenet_v1"), ("", "resnet50")),
)
"""Beginning of a network's name -> the recipe of its family, where it has none of its own."""
_PIXELS = (
    "data.image_size",
    "data.crop.padding",
    "data.crop.shorter_side",
    "data.cutout.size",
    "data.evaluation.image_size",
    "data.evaluation.resize",
    "progressive_learning.image_size",
)
"""Keys that are lengths in pixels of images as the network sees them."""
_OF_CROP = {"data.crop.padding": "pad", "data.crop.shorter_side": "shorter_side"}
"""Those of them that only one ``data.crop.kind`` has."""
ROUNDED: dict[DepthRounding, str] = {"up": "up", "nearest": "to the nearest"}
"""How numbers of blocks are rounded, as part of a sentence."""


def family_recipe(name: str) -> str:
    """The recipe for a network: its own, or that of the family's first."""
    own = {path.stem for path in list_recipes()}
    return name if name in own else next(recipe for start, recipe in _FAMILIES if name.startswith(start))


def read_recipes(configs: Sequence[str]) -> dict[str, Any]:
    """What recipes state, each laid over those before it.

    Raises:
        ValueError: If there is none of a name, naming the nearest, or it is not YAML.
    """
    merged: dict[str, Any] = {}
    for config in configs:
        merged = overlaid(merged, read_yaml(find_recipe(config)))
    return merged


def base_of(name: str, stated: Mapping[str, Any]) -> Base:
    """The network ``name`` as a recipe has it: at its image size, with those of its options that the network takes."""
    pixels = _pixels(stated)
    if pixels is not None and not isinstance(pixels, int):
        raise ValueError(f"data.image_size is {pixels}, but only square images are scaled: state one number")
    return Base(name, pixels, _options(name, stated))


def _options(name: str, stated: Mapping[str, Any]) -> dict[str, Any]:
    known = find_entry(name).options()
    return {key: value for key, value in _section(stated, "model.options").items() if key in known}


def _pixels(stated: Mapping[str, Any]) -> Any:
    """Side of the images that are evaluated."""
    return _section(stated, "data.evaluation").get("image_size") or _section(stated, "data").get("image_size")


def scaled_recipe(network: ScaledNetwork, stated: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe for a scaled network: ``stated``, with its architecture, options and every length in pixels.

    Rates, augmentation and regularization stay the base's; larger networks often want more of the last two.
    """
    name = network.base.name
    before = _pixels(stated) or find_entry(name).image_size
    about = _section(stated, "about")
    told = {key: about[key] for key in ("paper", "epochs") if key in about}
    title = f"{name}, {described(network)}"
    changed: dict[str, Any] = {
        "about": {
            "title": title,
            **told,
            "deviations": "a scaled network; all but it and sizes in pixels is its base's",
        },
        "model": {"architecture": name, "options": {**unscaled(_options(name, stated)), **network.options}},
        "data": {"image_size": _section(stated, "data").get("image_size", before)},
    }
    kept = copy.deepcopy(dict(stated))
    recipe = overlaid({**kept, "about": {}, "model": {**_section(kept, "model"), "options": {}}}, changed)
    for key, length in scaled_lengths(recipe, network.image_size / before).items():
        section, last = _place(recipe, key)
        section[last] = length
    return recipe


def scaled_lengths(recipe: Mapping[str, Any], ratio: float) -> dict[str, Any]:
    """Dotted key -> value of every length in pixels that a recipe has, multiplied by ``ratio``."""
    crop, scaled = _section(recipe, "data.crop").get("kind"), {}
    for key in _PIXELS:
        section, last = _place(recipe, key)
        if section.get(last) is not None and crop in (None, _OF_CROP.get(key, crop)):
            scaled[key] = _scaled(section[last], ratio)
    return scaled


def _place(recipe: Mapping[str, Any], key: str) -> tuple[Any, str]:
    """The section of a dotted key, and its last part."""
    name, _, last = key.rpartition(".")
    return _section(recipe, name), last


def _section(recipe: Mapping[str, Any], name: str) -> Any:
    """A section by its dotted name, empty where a recipe has none, or none of its keys."""
    section: Any = recipe
    for part in name.split("."):
        section = section.get(part) or {}
    return section


def _scaled(length: Any, ratio: float) -> Any:
    return [_scaled(each, ratio) for each in length] if isinstance(length, list) else round(length * ratio)


def described(network: ScaledNetwork) -> str:
    """What it makes of the catalog's network: ``width x 1.1, depth x 1.2 (rounded up), 258 px``."""
    width, depth = network.multipliers
    return f"width × {width:.4g}, depth × {depth:.4g} (rounded {ROUNDED[network.rounding]}), {network.image_size} px"


def write_recipe(network: ScaledNetwork, configs: Sequence[str], out: Path) -> None:
    """Write the recipe, which ``lit-cnn fit`` takes, with a header that says what it is.

    Args:
        network: What it trains.
        configs: The base's recipes.
        out: The file.
    """
    content = yaml.safe_dump(_plain(scaled_recipe(network, read_recipes(configs))), sort_keys=False, allow_unicode=True)
    header = (
        f"# {network.base.name} scaled: {described(network)}; {network.params:,} parameters,\n"
        f"# {network.times:.2f} times the multiply-adds of its base. All else is as in {', '.join(configs)}.\n"
        f"#   lit-cnn fit --config {out}\n"
    )
    out.write_text(header + content, encoding="utf-8")


def _plain(value: Any) -> Any:
    """Tuples as lists, which YAML has."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
