"""From the wheel: built, installed into an environment of its own and used in an empty folder, without the checkout."""

import os
import re
import site
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
OFFLINE = {"WANDB_MODE": "offline", "OMP_NUM_THREADS": "1"}
CPU = ["--trainer.accelerator", "cpu", "--trainer.devices", "1", "--trainer.enable_progress_bar", "false"]


def output(command: list[str | Path], folder: Path) -> str:
    """What the command prints in ``folder``, where nothing leads back to the checkout."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "LIT_CNN_DATA")}
    done = subprocess.run(command, cwd=folder, env={**environment, **OFFLINE}, capture_output=True, text=True)
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
    (best,) = re.findall(r"best: ([\d.]+)%", text)
    assert float(best) > 50  # ten classes: it has learned, however a CPU rounds
    (run,) = (tmp_path / "runs" / "quickstart").iterdir()
    assert (run / "curves.png").is_file()


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
