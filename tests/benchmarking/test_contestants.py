"""A recipe is timed as it trains."""

import pytest
import torch

from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth
from lit_cnn.benchmarking.contestants import recipe_parts
from lit_cnn.benchmarking.overhead import plain_loop
from lit_cnn.benchmarking.race import Conditions
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs
from lit_cnn.experiment.recipe import Recipe

DROPPING = [
    *("--model.architecture=cifar_resnet8", "--model.options.drop_path=0.5", "--stochastic_depth.gate=batch"),
    *("--data.source=digits", "--data.image_size=8", "--data.batch_size=32", "--data.crop.kind=resize"),
    *("--trainer.max_epochs=1", "--trainer.precision=32-true"),
]


@pytest.mark.parametrize("timed", ["bench", "plain loop"])
def test_blocks_that_fit_would_skip_are_skipped(timed: str) -> None:
    recipe = Recipe.of(RecipeCLI(resolve_configs(DROPPING)))
    recipe.data.setup()
    if timed == "bench":
        step = recipe_parts(recipe, Conditions(torch.device("cpu"), bf16=False, channels_last=True)).run
    else:
        step = plain_loop(recipe)
    layers = [layer for layer in recipe.model.network.modules() if isinstance(layer, StochasticDepth)]
    assert [layer.gate for layer in layers] == ["batch"] * 3
    computed = []
    for number, block in enumerate(recipe.model.network.features.modules()):
        if hasattr(block, "residual"):
            block.residual.register_forward_hook(lambda *_, number=number: computed.append(number))
    for layer in layers:
        layer.rate = 1 - 2.0**-20
    step()
    assert not computed
