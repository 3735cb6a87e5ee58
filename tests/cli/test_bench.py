import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lit_cnn.architectures.catalog import find_entry
from lit_cnn.benchmarking.contestants import TABLE, default_batch, references_of
from lit_cnn.benchmarking.race import GEMM
from lit_cnn.cli.main import main

QUICK = ["--rounds", "1", "--batch-size", "2", "--device", "cpu"]


@pytest.fixture(autouse=True)
def _small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GEMM, "cpu", 64)


@pytest.mark.slow
def test_networks_are_benched_with_json_and_picture(tmp_path: Path, capsys) -> None:
    files = ["--json", str(tmp_path / "bench.json"), "--plot", str(tmp_path / "bench.png")]
    assert main(["bench", "cifar_resnet20", "cifar_plain20", *QUICK, *files]) == 0
    out = capsys.readouterr().out
    for word in ("cifar_resnet20", "cifar_plain20", "images/s", "1 rounds", "GFLOP/s", "channels_last"):
        assert word in out
    found = json.loads((tmp_path / "bench.json").read_text())
    assert [bench["name"] for bench in found["benches"]] == ["cifar_resnet20", "cifar_plain20"]
    assert found["benches"][0]["madds"] == 40_551_040
    assert set(found["benches"][0]["results"][0]["phases"]) == {"data", "forward", "backward", "optimizer"}
    assert found["fit"] is None
    with Image.open(tmp_path / "bench.png") as image:
        assert image.width > 1000


@pytest.mark.slow
def test_another_library_races_at_the_same_settings(capsys) -> None:
    arguments = ["bench", "resnet18", "--against", "torchvision", "timm", "--image-size", "32", "--json", "-"]
    assert main([*arguments, "--precision", "bf16-mixed", *QUICK]) == 0
    (bench,) = json.loads(capsys.readouterr().out)["benches"]
    assert [result["label"] for result in bench["results"]] == ["ours", "torchvision resnet18", "timm resnet18"]
    assert [ratio["against"] for ratio in bench["ratios"]] == ["torchvision resnet18", "timm resnet18"]
    assert bench["precision"] == "bf16-mixed"


@pytest.mark.slow
def test_a_recipe_is_benched_on_its_own_batches(capsys) -> None:
    keys = ["--data.image_size", "8", "--model.channels_last=false"]
    assert main(["bench", "--config", "quickstart", *keys, "--json", "-", *QUICK]) == 0
    found = json.loads(capsys.readouterr().out)
    (bench,), data = found["benches"], found["data"]
    assert (bench["name"], bench["image_size"], bench["batch_size"]) == ("quickstart", 8, 2)
    assert data["loader"]["median"] > 0
    assert data["decoding"] is None  # the digits lie in memory
    assert bench["channels_last"] is False
    assert bench["results"][0]["phases"]["data"] > 0


@pytest.mark.slow
def test_a_recipe_that_reads_training_images_first_is_benched_and_its_precision_kept(capsys) -> None:
    keys = ["--model.initial.whitening=true", "--model.loss.class_weights=balanced", "--trainer.precision=bf16-mixed"]
    assert main(["bench", "--config", "quickstart", *keys, "--data.image_size=8", "--json", "-", *QUICK]) == 0
    (bench,) = json.loads(capsys.readouterr().out)["benches"]
    assert bench["precision"] == "bf16-mixed"
    assert main(["bench", "--config", "quickstart", *keys, "--precision", "32-true", "--json", "-", *QUICK]) == 0
    (bench,) = json.loads(capsys.readouterr().out)["benches"]
    assert bench["precision"] == "32-true"


@pytest.mark.slow
def test_a_foreign_network_in_a_recipe_is_benched(tmp_path: Path, capsys) -> None:
    images, labels = np.zeros((8, 16, 16, 3), dtype=np.uint8), np.arange(8) % 2
    np.savez(tmp_path / "some.npz", train_images=images, train_labels=labels, val_images=images, val_labels=labels)
    recipe = tmp_path / "foreign.yaml"
    recipe.write_text(
        "model: {architecture: {class_path: torchvision.models.squeezenet1_1, init_args: {num_classes: 2}}}\n"
        f"data: {{source: npz, path: {tmp_path / 'some.npz'}, image_size: 32}}\n"
    )
    assert main(["bench", "--config", str(recipe), "--json", "-", *QUICK]) == 0
    (bench,) = json.loads(capsys.readouterr().out)["benches"]
    assert bench["madds"] > 0
    assert bench["results"][0]["training"]["median"] > 0


@pytest.mark.slow
def test_fit_is_timed_on_noise(capsys) -> None:
    arguments = ["bench", "cifar_plain20", "--image-size", "8", "--fit", "--markdown"]
    assert main([*arguments, *QUICK]) == 0
    out = capsys.readouterr().out
    assert "| cifar_plain20 | 8 | 2 |" in out
    assert "time per step against a plain loop" in out


def test_the_table_names_networks_of_the_catalog() -> None:
    assert len({name for name, _ in TABLE}) == len(TABLE) >= 20
    for name, size in TABLE:
        assert find_entry(name).name == name
        assert default_batch(name, size) == (
            128 if size == 32 else 8 if name in ("vgg11_bn", "vgg16", "nfnet_f0") else 16
        )


def test_references_with_the_same_options_race_together() -> None:
    groups = references_of("efficientnet_b0", ("timm", "torchvision"))
    assert sorted(row.library for group in groups for row in group) == ["timm", "timm", "torchvision"]
    assert sorted(len(group) for group in groups) == [1, 2]  # timm has both paddings, torchvision the symmetric one


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "bench needs one of"),
        (["resnet18", "--table"], "bench needs one of"),
        (["resnet5O"], "did you mean 'resnet50'?"),
        (["cifar_resnet20", "--against", "timm"], "cifar_resnet20 has no counterpart in timm"),
        (["cifar_resnet20", "--config", "quickstart"], "bench needs one of"),
        (["cifar_resnet20", "cifar_plain20", "--fit"], "--fit times the training of one network"),
        (["cifar_resnet20", "--json", "."], "--json . is a folder"),
        (["--config", "quickstart", "--fit", "--rounds", "40"], "over 203 steps, but the recipe's epoch has"),
        (["cifar_resnet20", "--fit", "--image-size", "32", "64"], "--image-size takes one size with --fit"),
        (["--config", "quickstart", "--image-size", "8", "16"], "--image-size takes one size with --config"),
        (["resnet18", "--rounds", "0"], "--rounds must be at least 1, got 0"),
        (["--config", "quickstart", "--against", "timm"], "--against compares networks of the catalog"),
        (["--config", "quickstart", "--data.batch_sise", "3"], "did you mean 'data.batch_size'?"),
        (["--table", "--fit", "--rounds", "1"], "--fit needs a network's name or --config RECIPE"),
    ],
)
def test_errors_are_one_sentence(arguments: list[str], sentence: str, capsys) -> None:
    assert main(["bench", *arguments]) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lit-cnn:")]
    assert len(lines) == 1
    assert sentence in lines[0]
