"""Files that come from elsewhere are answered with one sentence at worst, and what is written is read again equal.

Random and damaged bytes go to the readers and through the command ``predict`` as a whole; random valid recipes are
written, as a run folder keeps them, and parsed again. (Schedules, mixing and sampling have their own properties:
``training/test_schedules.py``, ``data/test_mixing.py``, ``data/test_sampling.py``.)
"""

import contextlib
import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from bad_case import write_checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lit_cnn.cli.main import main
from lit_cnn.data.sources.arrays import read_npz
from lit_cnn.data.sources.folders import load_image
from lit_cnn.experiment.identity import check_identity, describe_changes, leaves, nested
from lit_cnn.experiment.parser import RecipeCLI
from lit_cnn.run_folder.checkpoint import FORMAT, load_checkpoint


@cache
def sound_bytes(name: str) -> bytes:
    """A sound file of the kind that the ending of ``name`` says."""
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (4, 8, 8, 3), dtype=np.uint8)
    if name.endswith(".npz"):
        np.savez_compressed(file, train_images=pixels, train_labels=np.arange(4) % 2)
    elif name.endswith(".ckpt"):
        torch.save({"network": {}, "state_dict": {"net.weight": torch.arange(6.0)}, "format": FORMAT}, file)
    else:
        Image.fromarray(pixels[0]).save(file, Path(name).suffix[1:].replace("jpg", "jpeg"))
    return file.getvalue()


READERS: dict[str, Callable[[Path], Any]] = {
    "set.npz": read_npz,
    "run.ckpt": load_checkpoint,
    "photo.jpg": load_image,
    "drawing.png": load_image,
}


def assert_read_or_refused(name: str, content: bytes) -> None:
    """Read ``content`` as ``name``; a refusal must name the file."""
    refusal = None
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            READERS[name](path)
        except (ValueError, OSError) as error:
            refusal = str(error)
    assert refusal is None or name in refusal


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(content=st.binary(max_size=300))
def test_random_bytes(name: str, content: bytes) -> None:
    assert_read_or_refused(name, content)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data())
def test_damaged_files(name: str, data: st.DataObject) -> None:
    """Bytes of a sound file are overwritten, and its end may be missing."""
    content = bytearray(sound_bytes(name))
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert_read_or_refused(name, bytes(content[: data.draw(st.integers(0, len(content)))]))


@pytest.mark.parametrize("name", READERS)
def test_a_sound_file_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(sound_bytes(name))
    assert READERS[name](tmp_path / name) is not None


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("trained"))


@settings(max_examples=12, deadline=None, derandomize=True)
@given(data=st.data())
def test_predict_answers_files_of_any_bytes_with_one_sentence(trained: Path, data: st.DataObject) -> None:
    """One file of random bytes, or of a damaged image, beside a sound one: both are predicted, or the sound one is and
    the other is named."""
    name = data.draw(st.sampled_from(["photo.jpg", "drawing.png", "old.bmp", "new.webp"]))
    content = data.draw(st.one_of(st.binary(max_size=200), st.just(sound_bytes(name))))
    content = content[: data.draw(st.integers(len(content) // 2, len(content)))]
    out, error = io.StringIO(), io.StringIO()
    with TemporaryDirectory() as folder, contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        (Path(folder) / "sound.png").write_bytes(sound_bytes("sound.png"))
        (Path(folder) / name).write_bytes(content)
        code = main(["predict", str(trained), folder, "--json"])
    said = [line for line in error.getvalue().splitlines() if line.startswith("lit-cnn: ")]
    assert "Traceback" not in error.getvalue()
    assert name in out.getvalue()
    assert "sound.png" in out.getvalue()
    if code != 0:
        assert code == 1
        assert len(said) == 1
        assert name in said[0]


def maybe(value: st.SearchStrategy) -> st.SearchStrategy:
    """Also the absence of a key."""
    return st.one_of(st.none(), value)


RATE = st.floats(1e-6, 10.0)
KEYS: dict[str, st.SearchStrategy] = {
    "model.architecture": st.sampled_from(["resnet50", "cifar_resnet20", "efficientnet_b0", "vgg11"]),
    "model.options.dropout": maybe(st.floats(0, 0.9)),
    "model.loss.label_smoothing": maybe(st.floats(0, 0.5)),
    "model.optimizer.learning_rate": maybe(RATE),
    "model.optimizer.base_batch_size": maybe(st.integers(1, 4096)),
    "model.optimizer.name": maybe(st.sampled_from(["sgd", "rmsprop", "lamb", "muon"])),
    "model.schedule.name": maybe(st.sampled_from(["cosine", "exponential", "constant", "plateau"])),
    "model.schedule.warmup_epochs": maybe(st.floats(0, 10)),
    "model.clipping": maybe(st.fixed_dictionaries({"kind": st.sampled_from(["norm", "adaptive"]), "limit": RATE})),
    "data.source": st.sampled_from(["digits", "npz", "imagefolder"]),
    "data.path": maybe(st.text(min_size=1, max_size=12)),
    "data.image_size": maybe(st.integers(1, 600)),
    "data.batch_size": maybe(st.integers(1, 5000)),
    "data.rand_augment.layers": maybe(st.integers(0, 4)),
    "data.mixup.alpha": maybe(st.floats(0, 2)),
    "ema.decay": maybe(st.floats(0, 0.99999)),
    "trainer.max_epochs": maybe(st.integers(1, 500)),
    "trainer.precision": maybe(st.sampled_from(["bf16-mixed", "16-mixed", "32-true"])),
    "tracking.tags": maybe(st.lists(st.text(max_size=5), max_size=2)),
    "about.title": maybe(st.text(max_size=20)),
    "seed_everything": maybe(st.integers(0, 2**40)),
}


def resolved(path: Path) -> dict[str, Any]:
    """The recipe with every default filled in, as ``fit`` writes it to a run folder."""
    return RecipeCLI(["--config", str(path)]).values()


@settings(max_examples=12, deadline=None, derandomize=True)
@given(drawn=st.fixed_dictionaries(KEYS))
@pytest.mark.slow
def test_a_recipe_is_written_and_parsed_again_equal(drawn: dict[str, Any]) -> None:
    stated = {key: value for key, value in drawn.items() if value is not None}
    with TemporaryDirectory() as folder:
        recipe, config = Path(folder) / "recipe.yaml", Path(folder) / "config.yaml"
        recipe.write_text(yaml.safe_dump(nested(stated)))
        first = resolved(recipe)
        config.write_text(yaml.safe_dump(first, sort_keys=False))
        second = resolved(config)
    assert second == first
    check_identity(first, second)
    assert describe_changes(first, second) == ""
    values = dict(leaves("", first))
    for key, value in leaves("", nested(stated)):
        if (key, value) != ("about.title", ""):  # network and data then give the title
            assert values[key] == value, key
