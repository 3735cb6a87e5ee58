"""The facts of a card are those of the run, without the folders of the machine it ran on."""

from pathlib import Path

import pytest
from checkpoint_files import write_checkpoint
from fitted_run import FittedRun

from lit_cnn.handover.card_facts import CardFacts, read_facts
from lit_cnn.run_folder.checkpoint import load_checkpoint
from lit_cnn.run_folder.metrics_csv import read_metrics


def test_the_figures_are_those_of_the_epoch_that_was_saved(fitted: FittedRun) -> None:
    content = load_checkpoint(fitted.best)
    (row,) = (row for row in read_metrics(fitted.folder / "metrics.csv") if row["step"] == content["global_step"] - 1)
    averaged, raw = (read_facts(fitted.best, content, 1, weights) for weights in ("ema", "raw"))
    assert averaged.scores == {"loss": row["val/loss"], "acc1": row["val/acc1"], "acc3": row["val/acc3"]}
    assert (raw.scores["loss"], raw.scores["acc1"]) == (row["val/loss_raw"], row["val/acc1_raw"])
    assert averaged.data["images"] == {"train": 24, "val": 12, "test": 6}
    assert averaged.run_name.startswith("tiny/")


def test_raw_weights_have_the_figures_of_their_own_validation() -> None:
    figures = {"val/acc1": 0.95, "val/loss": 0.1}
    averaged, single = ({"recipe": {"ema": {"decay": decay}}} for decay in (0.99, 0.0))
    assert CardFacts(averaged, 1, "raw", metrics=figures).scores == {}
    assert CardFacts(averaged, 1, "raw", metrics={**figures, "val/acc1_raw": 0.9}).scores == {"acc1": 0.9}
    for facts in (CardFacts(averaged, 1, metrics=figures), CardFacts(single, 1, "raw", metrics=figures)):
        assert facts.scores == {"acc1": 0.95, "loss": 0.1}


def test_a_checkpoint_that_left_its_run_still_knows_its_images(fitted: FittedRun, tmp_path: Path) -> None:
    facts = read_facts(tmp_path / "best.ckpt", load_checkpoint(fitted.best), 1)
    assert facts.data["images"] == {"train": 24, "val": 12}
    assert (facts.data["source"], facts.scores, facts.validated) == ("imagefolder", {}, 12)


@pytest.mark.parametrize("limited", [{"limit_val_batches": 1}, {"limit_val_batches": 0.5}, {"fast_dev_run": True}])
def test_images_are_not_counted_where_a_part_was_validated(limited: dict[str, object]) -> None:
    recipe = {"trainer": {"limit_val_batches": None, "fast_dev_run": False, **limited}}
    assert CardFacts({"recipe": recipe}, 1, data={"images": {"val": 12}}).validated is None


def test_private_sections_and_folders_of_the_recipe_are_left_out(fitted: FittedRun) -> None:
    recipe = read_facts(fitted.best, load_checkpoint(fitted.best), 1).recipe
    assert recipe["data"]["path"] == "images"
    assert not {"tracking", "machine"} & set(recipe)


def test_a_checkpoint_alone_has_what_it_records(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "alone.ckpt", ["a", "b"])
    facts = read_facts(path, load_checkpoint(path), 5)
    assert (facts.run_name, facts.metrics, facts.data, facts.environment, facts.scores) == ("", {}, {}, {}, {})
    assert facts.title == "cifar_resnet20"


def test_the_license_is_that_of_the_weights_it_comes_from() -> None:
    def facts(**entries: object) -> CardFacts:
        return CardFacts({"network": {}, **entries}, 1)

    def started_from(spec: str | None) -> CardFacts:
        return facts(recipe={"model": {"initial": {"checkpoint": spec}}})

    assert facts().license_of(None) == started_from(None).license_of(None) == "none stated"
    assert started_from("timm:resnet18.a1_in1k").license_of(None) == "apache-2.0"
    assert started_from("timm:resnet18.a1_in1k").license_of("mit") == "mit"
    assert started_from("/home/me/best.ckpt").license_of(None) == "none stated"
    assert started_from("/home/me/best.ckpt").initial == "best.ckpt"
    assert facts(provenance={"source": "a folder", "license": "mit"}).license_of(None) == "mit"
    assert started_from("timm:nothing.such").base is None
