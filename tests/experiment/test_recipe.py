"""The objects of a recipe."""

import torch

from lit_cnn import Recipe


def test_a_network_outside_the_catalog_starts_from_the_recipes_seed() -> None:
    def first_weight(seed: int) -> torch.Tensor:
        network = {"class_path": "torch.nn.Linear", "init_args": {"in_features": 64, "out_features": 10}}
        recipe = Recipe.load("quickstart", overrides={"model.architecture": network, "seed_everything": seed})
        torch.rand(1)  # what else draws in this process changes nothing
        return recipe.model.net.weight.detach()

    assert torch.equal(first_weight(0), first_weight(0))
    assert not torch.equal(first_weight(0), first_weight(1))
