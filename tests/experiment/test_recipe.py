"""The objects of a recipe."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lit_cnn import Recipe


@pytest.mark.slow
def test_a_network_outside_the_catalog_starts_from_the_recipes_seed() -> None:
    def first_weight(seed: int) -> torch.Tensor:
        network = {"class_path": "torch.nn.Linear", "init_args": {"in_features": 64, "out_features": 10}}
        recipe = Recipe.load("quickstart", overrides={"model.architecture": network, "seed_everything": seed})
        torch.rand(1)  # what else draws in this process changes nothing
        return recipe.model.net.weight.detach()

    assert torch.equal(first_weight(0), first_weight(0))
    assert not torch.equal(first_weight(0), first_weight(1))


def test_overrides_take_paths_and_numbers_of_numpy() -> None:
    keys = {"data.path": Path("my photos"), "data.batch_size": np.int64(32)}
    keys |= {f"data.normalize.{name}": np.full(3, 0.5) for name in ("mean", "std")}
    recipe = Recipe.load("folder", overrides={**keys, "model.optimizer.learning_rate": np.logspace(-3, -1, 3)[1]})
    data, model = recipe.resolved["data"], recipe.resolved["model"]
    assert (data["path"], data["batch_size"], data["normalize"]["mean"]) == ("my photos", 32, [0.5, 0.5, 0.5])
    assert model["optimizer"]["learning_rate"] == 0.01
