"""From the wheel: built, installed into an environment of its own and used in an empty folder, without the checkout."""

import os
import re
import shlex
import site
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_layouts import tiny_splits, write_voc

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
OFFLINE = {"WANDB_MODE": "offline", "OMP_NUM_THREADS": "1"}
CPU = ["--trainer.accelerator", "cpu", "--trainer.devices", "1", "--trainer.enable_progress_bar", "false"]


def output(command: list[str | Path], folder: Path, **variables: str) -> str:
    """What the command prints in ``folder``, where nothing leads back to the checkout."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "LIT_CNN_DATA")}
    environment |= {**OFFLINE, **variables}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the wheel, and the packages of this one without its lit_cnn."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip"]
    output([*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT], folder)
    (wheel,) = folder.glob("lit_cnn-*.whl")
    environment = folder / "environment"
    output([sys.executable, "-m", "venv", "--without-pip", environment], folder)
    python = environment / "bin" / "python"
    output([*pip, "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel], folder)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "present.pth").write_text("\n".join(site.getsitepackages()))
    where = output([python, "-c", "import lit_cnn; print(lit_cnn.__file__)"], folder)
    assert Path(where.strip()) == packages / "lit_cnn" / "__init__.py"
    return python.parent


def test_the_quickstart(programs: Path, tmp_path: Path) -> None:
    text = output([programs / "lit-cnn", "fit", "--config", "quickstart", *CPU], tmp_path)
    (best,) = re.findall(r"best: val/acc1 ([\d.]+) %", text)
    assert float(best) > 50  # ten classes: it has learned, however a CPU rounds
    (run,) = (tmp_path / "runs" / "quickstart").iterdir()
    assert (run / "curves.png").is_file()


def test_the_page_of_a_run(programs: Path, tmp_path: Path) -> None:
    output([programs / "lit-cnn", "fit", "quickstart", "--trainer.max_epochs", "1", *CPU], tmp_path)
    assert "page.html" in output([programs / "lit-cnn", "report", "runs", "--out", "page.html", "--no-speed"], tmp_path)
    assert "</html>" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_one_step_of_a_recipe_for_imagenet_on_a_few_images(programs: Path, tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    for split, images in (("train", 4), ("val", 2)):
        for label in ("cat", "dog"):
            folder = tmp_path / "photos" / split / label
            folder.mkdir(parents=True)
            for number in range(images):
                Image.fromarray(draws.integers(0, 255, (180, 200, 3), dtype=np.uint8)).save(folder / f"{number}.jpg")
    once = ["--trainer.fast_dev_run", "true", "--data.path", "photos"]
    text = output([programs / "lit-cnn", "fit", "--config", "recipes/resnet_rs.yaml", *once, *CPU], tmp_path)
    assert "data.batch_size is 8 instead of 4096" in text
    assert "fast_dev_run finished" in text


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("recipes", "resnet_rs"),
        ("recipes --overlays", "overlays/resnet_rs_101_192"),
        ("recipes --small", "small/resnet_rs"),
        ("config show resnet_rs", "architecture: resnet_rs_50"),
        ("config show recipes/resnet_rs.yaml", "architecture: resnet_rs_50"),
        ("models", "efficientnet_b0"),
    ],
)
def test_what_the_package_tells_of_itself(command: str, shown: str, programs: Path, tmp_path: Path) -> None:
    assert shown in output([programs / "lit-cnn", *command.split()], tmp_path)


SHORT = "--trainer.max_epochs 1 --trainer.limit_train_batches 1 --trainer.limit_val_batches 1 --data.batch_size 8"
ADDED = {
    "fit": f"{SHORT} --data.workers 0 --trainer.precision 32-true --trainer.log_every_n_steps 1",
    "sweep": f"{SHORT} --data.workers 0 --trainer.precision 32-true --trials 1",
    "bench": "--image-size 64 --batch-size 2 --rounds 1",
}
"""What shortens a command of the README, so that trying all of them takes minutes."""
UNTRAINED = {"detection/bccd": "--model.architecture efficientnet_lite0 --model.initial.checkpoint null"}
"""What a recipe is given whose weights would be downloaded."""


def readme_commands() -> list[str]:
    """The commands of the README's code blocks; without those that its comment calls not run here (they need GPUs or
    ImageNet), and those of other programs (make, source)."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    lines = [line for _, block in blocks for line in block.splitlines() if line.startswith("lit-cnn ")]
    return [line.partition("  #")[0].strip() for line in lines if "not run here" not in line]


@pytest.fixture(scope="module")
def workplace(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the README's commands name: images of two classes, a photo, CIFAR-10's layout in noise, images
    with boxes, and a run of ``cifar10_fast``."""
    folder = tmp_path_factory.mktemp("workplace")
    draws = np.random.default_rng(0)
    for label in ("cat", "dog"):
        (folder / "my_images" / label).mkdir(parents=True)
        for number in range(12):
            pixels = draws.integers(0, 255, (110, 120, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "my_images" / label / f"{number}.jpg")
    Image.fromarray(draws.integers(0, 255, (110, 120, 3), dtype=np.uint8)).save(folder / "photo.jpg")
    arrays = {}
    for split, number in (("train", 400), ("val", 100), ("test", 100)):
        arrays[f"{split}_images"] = draws.integers(0, 255, (number, 32, 32, 3), dtype=np.uint8)
        arrays[f"{split}_labels"] = np.arange(number)[:, None] % 10
    np.savez(folder / "cifar10.npz", **arrays)
    write_voc(folder / "bccd", tiny_splits(train=8, val=8, test=0))
    run("lit-cnn fit --config cifar10_fast", programs, folder)
    return folder


def run(command: str, programs: Path, folder: Path) -> str:
    """What a command of the README prints, shortened, with the run that it calls TIME-ID."""
    made = sorted((folder / "runs").glob("cifar10_fast/*"))
    words = shlex.split(command.replace("TIME-ID", made[0].name if made else ""))
    if words[1:3] == ["fit", "--resume"]:
        return output([programs / words[0], *words[1:]], folder, LIT_CNN_DATA=str(folder))
    stated = [ADDED.get(words[1], ""), *(keys for recipe, keys in UNTRAINED.items() if recipe in words)]
    added = " ".join(stated).split()
    return output([programs / words[0], *words[1:], *added], folder, LIT_CNN_DATA=str(folder))


@pytest.mark.parametrize("command", readme_commands())
def test_a_command_of_the_readme_runs_in_an_empty_folder(command: str, programs: Path, workplace: Path) -> None:
    assert run(command, programs, workplace)


def test_the_readme_has_commands() -> None:
    assert len({command.split()[1] for command in readme_commands()}) >= 7


def headers() -> list[str]:
    """The commands in the headers of all recipes, with what they are given besides recipes left out."""
    files = [
        file for folder in ("recipes", "recipes/small", "recipes/overlays") for file in (ROOT / folder).glob("*.yaml")
    ]
    lines = [line for file in sorted(files) for line in file.read_text().splitlines()[:6] if "lit-cnn fit" in line]
    return [" ".join(re.findall(r"--config (\S+)", line)) for line in lines]


def test_the_recipes_of_every_header_are_found_in_an_empty_folder(programs: Path, tmp_path: Path) -> None:
    commands = headers()
    assert len(commands) > 100
    program = (
        "import sys; from lit_cnn.experiment.files import find_recipe; [find_recipe(name) for name in sys.argv[1:]]"
    )
    names = sorted({name for command in commands for name in command.split()})
    assert not any("/" in name and name.startswith("recipes/") for name in names)
    output([programs / "python", "-c", program, *names], tmp_path)
