"""Recipes of detectors: each says what it is and resolves to itself, and those on COCO have the values of their paper
and of the code that it names."""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import pytest
import yaml
from stored_facts import stored_facts

from lit_cnn.architectures.catalog import find_entry
from lit_cnn.experiment.files import About, configs_of, find_recipe, list_recipes, read_yaml, recipe_id
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs

RECIPES = [recipe_id(path) for path in list_recipes("detection")]
COCO = [
    (
        network,
        kind,
        f"detection/retinanet_{network}_coco{'_' if kind != 'baseline' else ''}{kind.replace('baseline', '')}",
    )
    for network in ("resnet101", "resnet200")
    for kind in ("baseline", "auto_augment", "rand_augment")
]
VOC = [("faster_rcnn", "detection/faster_rcnn_resnet50_voc"), ("ssd", "detection/ssd_resnet50_voc")]
FACTS = stored_facts("detection")


@functools.cache
def parsed(name: str) -> RecipeCLI:
    return RecipeCLI(resolve_configs(["--config", name]))


@functools.cache
def resolved(name: str) -> dict[str, Any]:
    return parsed(name).values()


def test_every_result_of_the_table_has_a_recipe_and_blood_cells_have_one() -> None:
    assert sorted(RECIPES) == sorted([*(name for _, _, name in COCO), *(name for _, name in VOC), "detection/bccd"])


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_fits_on_a_page_says_what_it_is_and_how_it_is_run(name: str) -> None:
    path = find_recipe(name)
    lines, recipe = path.read_text().splitlines(), read_yaml(path)
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 120
    assert [file.resolve() for file in configs_of(path)] == [path.resolve()]
    assert recipe["task"] == "detection"
    assert {"title", "paper", "source", "metric", "deviations"} <= set(recipe["about"])
    assert set(recipe["about"]) <= {field.name for field in dataclasses.fields(About)}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*(name for _, _, name in COCO), *(name for _, name in VOC)])
def test_a_recipe_resolves_to_itself_and_its_network_takes_its_options(name: str, tmp_path: Path) -> None:
    dumped = parsed(name).dump()
    (tmp_path / "config.yaml").write_text(dumped)
    again = RecipeCLI(resolve_configs(["--config", str(tmp_path / "config.yaml")])).dump()
    assert yaml.safe_load(again) == yaml.safe_load(dumped)
    model = yaml.safe_load(dumped)["model"]
    stated = {key for key, value in model["options"].items() if value is not None}
    assert stated <= set(find_entry(model["architecture"]).options())


@pytest.mark.parametrize(("network", "kind", "name"), COCO)
def test_a_recipe_on_coco_has_the_papers_values(network: str, kind: str, name: str) -> None:
    recipe, paper = resolved(name), FACTS["paper"]
    model, data = recipe["model"], recipe["data"]
    assert model["architecture"] == network
    assert recipe["about"]["value"] == FACTS["table"][network][kind]
    assert recipe["trainer"]["max_epochs"] == recipe["about"]["epochs"] == paper["epochs"]
    assert model["initial"]["checkpoint"] is None
    assert model["optimizer"]["learning_rate"] == paper["learning_rate"]
    assert model["optimizer"]["weight_decay"] == paper["weight_decay"]
    assert model["optimizer"]["base_batch_size"] == data["batch_size"]
    assert model["retinanet"]["focal_alpha"] == paper["focal_alpha"]
    assert model["retinanet"]["focal_gamma"] == paper["focal_gamma"]
    layers, magnitude = data["rand_augment"]["layers"], data["rand_augment"]["magnitude"]
    if kind == "rand_augment":
        assert (layers, magnitude) == (paper["layers"], paper["magnitude"][network])
        assert data["rand_augment"]["scale"] == "paper"
    else:
        assert layers == 0
    assert data["auto_augment"] == (FACTS["code"]["policy"] if kind == "auto_augment" else "none")


@pytest.mark.parametrize("name", [name for _, _, name in COCO])
def test_what_the_paper_leaves_open_is_the_codes(name: str) -> None:
    recipe, code = resolved(name), FACTS["code"]
    model, data, head = recipe["model"], recipe["data"], recipe["model"]["retinanet"]
    assert data["canvas"] == code["canvas_px"]
    assert data["batch_size"] == code["batch_images"]
    assert data["flip"] == {"horizontal": 0.5, "vertical": 0.0, "alternating": False}
    assert data["scale_jitter"]["range"] == code["scale_jitter"]
    assert model["detector"] == "retinanet"
    assert model["pyramid"]["width"] == code["pyramid_width"]
    levels = [2**level for level in code["pyramid_levels"]]
    assert model["pyramid"]["strides"] == levels[:3]
    assert model["pyramid"]["top"] == "p6p7"
    assert (model["pyramid"]["norm"] == "batch") == code["pyramid_batch_norm"]
    assert (head["norm"] == "batch") == code["head_batch_norm"]
    assert head["depth"] == code["head_convolutions"]
    same = (
        "anchor_scale",
        "scales_per_level",
        "aspect_ratios",
        "positive_iou",
        "negative_iou",
        "huber_delta",
        "box_weight",
    )
    assert {key: head[key] for key in same} == {key: code[key] for key in same}
    assert head["box_loss"] == "huber"
    decoding = model["decoding"]
    found = (decoding["score_threshold"], decoding["nms_threshold"], decoding["max_detections"])
    assert found == (code["score_threshold"], code["nms_iou"], code["max_detections"])
    assert model["optimizer"]["momentum"] == code["momentum"]
    assert not model["optimizer"]["nesterov"]


@pytest.mark.parametrize("name", [name for _, _, name in COCO])
def test_warm_up_and_decays_stand_at_the_codes_shares_of_the_run(name: str) -> None:
    recipe, code = resolved(name), FACTS["code"]
    schedule, epochs = recipe["model"]["schedule"], recipe["trainer"]["max_epochs"]
    steps_per_epoch = code["training_images"] / code["batch_images"]
    shares = [step / code["total_steps"] for step in code["decay_steps"]]
    assert schedule["step_epochs"] == pytest.approx([epochs * share for share in shares], abs=0.5)
    assert schedule["step_factor"] == pytest.approx(code["decay_factors"][0])
    assert schedule["step_factor"] ** 2 == pytest.approx(code["decay_factors"][1])
    assert schedule["warmup_epochs"] * steps_per_epoch == pytest.approx(code["warmup_steps"], rel=0.01)
    start = schedule["warmup_start_factor"] * recipe["model"]["optimizer"]["learning_rate"]
    assert start == pytest.approx(code["warmup_start_rate"], rel=0.01)


@pytest.mark.parametrize(("detector", "name"), VOC)
def test_a_recipe_on_voc_has_the_papers_values(detector: str, name: str) -> None:
    recipe, paper, table = resolved(name), FACTS["voc"][detector], FACTS["voc"]["table"][detector]
    model, data, epochs = recipe["model"], recipe["data"], recipe["trainer"]["max_epochs"]
    assert (model["detector"], model["architecture"], data["layout"]) == (detector, "resnet50", "voc")
    assert data["trainval"]
    assert recipe["about"]["value"] == table["cutmix"]
    header = find_recipe(name).read_text().partition("task:")[0]
    assert all(f"{value}" in header for value in table.values())
    assert data["batch_size"] == model["optimizer"]["base_batch_size"] == paper["batch_images"]
    assert model["optimizer"]["learning_rate"] == paper["learning_rate"]
    steps_per_epoch = FACTS["voc"]["training_images"] * (1 - data["val_fraction"]) / paper["batch_images"]
    assert epochs * steps_per_epoch == pytest.approx(paper["iterations"], rel=0.01)
    schedule = model["schedule"]
    assert [step * steps_per_epoch for step in schedule["step_epochs"]] == pytest.approx(paper["decay_steps"], rel=0.01)
    assert schedule["step_factor"] == paper["decay_factor"]
    for key in ("momentum", "weight_decay"):
        assert model["optimizer"][key] == paper["code"][key]
    assert model["initial"]["batch_norm"] == paper["code"].get("batch_norm", "train")
    assert recipe["monitor"] == "val/voc07_ap50"


def test_ssd_on_voc_has_the_papers_canvas_and_first_map() -> None:
    recipe, paper = resolved("detection/ssd_resnet50_voc"), FACTS["voc"]["ssd"]
    assert recipe["data"]["canvas"] == [paper["input_px"]] * 2
    assert recipe["model"]["pyramid"]["strides"][0] == paper["first_map_stride"]
    boxes = [scale * paper["input_px"] for scale in recipe["model"]["ssd"]["scales"]]
    assert boxes == pytest.approx(paper["code"]["default_box_px"])
