"""All designs: what rules name exists, runs are as long as promised, and every arm is a recipe that trains."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lit_cnn import Recipe, fit
from lit_cnn.architectures.catalog import create_model
from lit_cnn.claims.bench import CHOSEN
from lit_cnn.claims.catalog import CLAIMS, find_claims
from lit_cnn.claims.claim import Claim, Design, Scale
from lit_cnn.claims.lectures import (
    decoupled_decay,
    depthwise,
    identity,
    inverted_bottleneck,
    linear_parameters,
    multipliers,
    pointwise,
    progressive,
    regularization,
)
from lit_cnn.claims.running import DIVERGED, UNTRACKED, check_steps
from lit_cnn.experiment.files import argument
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs

DESIGNS = [
    pytest.param(claim, design, id=f"{claim.name}-{scale}")
    for claim in CLAIMS.values()
    for scale, design in claim.designs.items()
]
SMALL = [
    pytest.param(design, id=f"{claim.name}-{scale}")
    for claim in CLAIMS.values()
    for scale, design in claim.designs.items()
    if design.bench and scale != "gpu"
]
COUNTED = (
    *(decoupled_decay, depthwise, inverted_bottleneck, linear_parameters, multipliers, pointwise, progressive),
    *(regularization,),
)


@pytest.mark.parametrize(("claim", "design"), DESIGNS)
def test_rules_name_arms_that_exist(claim: Claim, design: Design) -> None:
    names = [arm.name for arm in design.arms]
    assert len(set(names)) == len(names)
    if design.stored_runs is None:
        assert {arm for part in design.parts for arm in part.arms} == set(names)
    assert all(part.rule and part.question for part in design.parts)
    assert claim.published
    assert claim.slide
    assert {len(design.grid_of(arm)) for arm in design.arms} <= {0, 3, 4}
    assert len({len(design.grid_of(arm)) for arm in design.arms}) <= 1
    assert not any(part.primary is False for part in design.parts[:1])


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=lambda claim: claim.name)
def test_every_scale_has_its_designs_or_the_arithmetic(claim: Claim) -> None:
    scales: tuple[Scale, ...] = ("digits", "cpu", "gpu")
    for scale in scales:
        design = claim.design(scale)
        if design is not None and scale not in claim.designs:
            assert design.bench is None
            assert design.parts
    assert "cpu" in claim.designs


def recipe_of(design: Design, settings: dict[str, Any]) -> RecipeCLI:
    assert design.bench is not None
    stated = {**design.bench.settings, "data.source": "npz", "data.path": CHOSEN, **settings}
    words = [argument(key, list(each) if isinstance(each, tuple) else each) for key, each in stated.items()]
    return RecipeCLI([*resolve_configs(["--config", design.bench.recipe]), *words])


@pytest.mark.slow
@pytest.mark.parametrize(("claim", "design"), [each for each in DESIGNS if each.values[1].bench])
def test_every_arm_is_a_recipe_of_the_stated_length(claim: Claim, design: Design) -> None:
    for arm in design.arms:
        cli = recipe_of(design, {**arm.settings, **(design.grid_of(arm) or ({},))[0]})
        check_steps(claim.name, design, cli)
        options = {key: tuple(each) if isinstance(each, list) else each
                   for key, each in cli.config.model.options.as_dict().items() if each is not None}  # fmt: skip
        create_model(cli.config.model.architecture, num_classes=10, **options)


@pytest.mark.slow
@pytest.mark.parametrize("design", SMALL)
def test_every_arm_takes_a_step(design: Design, tmp_path: Path) -> None:
    assert design.bench is not None
    size = 8 if design.bench.images.source == "digits" else 32
    draws = np.random.default_rng(0)
    labels = np.arange(600) % 10
    images = draws.integers(0, 256, (600, size, size, 3), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", train_images=images, train_labels=labels, val_images=images[:64],
             val_labels=labels[:64])  # fmt: skip
    short = {"trainer.limit_train_batches": 1, "trainer.log_every_n_steps": 1, "trainer.enable_progress_bar": False}
    place = {"data.source": "npz", "data.path": str(tmp_path / "images.npz"), **UNTRACKED}
    stages = {"trainer.max_epochs": 3, "trainer.check_val_every_n_epoch": 3}
    for arm in design.arms:
        settings = {
            **design.bench.settings,
            **arm.settings,
            **(design.grid_of(arm) or ({},))[0],
            **short,
            **stages,
            **place,
        }
        stated = {key: list(each) if isinstance(each, tuple) else each for key, each in settings.items()}
        recipe = Recipe.load(design.bench.recipe, overrides=stated)
        if arm.name == "plain_paper":  # this is what the claim on batch norm says of that arm
            with pytest.raises(ValueError, match=DIVERGED[0]):
                fit(recipe, runs=tmp_path / "runs")
        else:
            assert "val/loss" in fit(recipe, runs=tmp_path / "runs").metrics, arm.name


@pytest.mark.parametrize(
    "lecture",
    [pytest.param(each, marks=[pytest.mark.slow] if each is multipliers else []) for each in COUNTED],
    ids=[each.CLAIM.name for each in COUNTED],
)
def test_the_arithmetic_is_right(lecture: Any) -> None:
    from lit_cnn.claims.evidence import Evidence
    from lit_cnn.claims.rules.measured import Exact

    design = lecture.CLAIM.design("cpu")
    evidence = Evidence(measured=lecture.count())
    exact = [part for part in design.parts if isinstance(part, Exact)]
    assert exact
    assert {part.name: part.judged(evidence, 1).verdict for part in exact} == {part.name: "exact" for part in exact}


@pytest.mark.slow
def test_a_shallow_net_inside_a_deeper_one_gives_the_same_logits() -> None:
    counted = identity.count()
    assert counted["largest difference of logits"] == 0.0
    assert counted["training loss"] < 1.0


def test_a_deeper_net_that_was_not_embedded_gives_others() -> None:
    import torch

    shallow, deep = identity.make_net(identity.SHALLOW).eval(), identity.make_net(identity.DEEP).eval()
    images = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        before = (shallow(images) - deep(images)).abs().max()
        identity.embed(shallow, deep)
        after = (shallow(images) - deep(images)).abs().max()
    assert before > 1e-3
    assert after == 0.0


def test_stored_searches_and_scalings_are_read() -> None:
    from lit_cnn.claims.lectures import evolution
    from lit_cnn.claims.stored import scaling_runs

    counted = evolution.count()
    assert (counted["random 150.mean"], counted["random 150.sd"], counted["random 150.n"]) == (88.19, 0.45, 200)
    runs = scaling_runs()
    assert runs["compoundx2"][0] == {"accuracy": 0.4682, "nll": 1.4579}
    assert {len(seeds) for seeds in runs.values()} == {3}


def test_a_wrong_name_gets_the_nearest() -> None:
    assert [claim.name for claim in find_claims(["identity", "pointwise", "identity"])] == ["identity", "pointwise"]
    assert len(find_claims([])) == len(find_claims(["all"])) == len(CLAIMS)
    with pytest.raises(ValueError, match="there is no claim identiy; did you mean identity"):
        find_claims(["identiy"])
