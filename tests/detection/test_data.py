"""DetectionData under a trainer: resume, ranks, the device side, and its refusals."""

import dataclasses
import inspect
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from tiny_layouts import tiny_images, tiny_splits, voc_xml, write_coco, write_voc, write_yolo
from torch import nn

from lit_cnn.data.augmentation.flip import Flip
from lit_cnn.data.settings import Normalize
from lit_cnn.detection.augmentation import BoxAugmentation, ScaleJitter
from lit_cnn.detection.box_mixup import BoxMixup
from lit_cnn.detection.boxes import BoxBatch
from lit_cnn.detection.data import DetectionData

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*does not have many workers.*"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),  # Lightning 2.6's own use of torch
]


def data_of(path: Path, **options: Any) -> DetectionData:
    given = {"canvas": (24, 32), "batch_size": 4, "workers": 0, "scale_jitter": ScaleJitter((0.7, 1.3)), **options}
    return DetectionData(str(path), **given)


class Recorder(lightning.LightningModule):
    """A net of one number that notes what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(1, 1)
        self.seen: list[BoxBatch] = []
        self.val_rows: list[int] = []

    def training_step(self, batch: BoxBatch, batch_idx: int) -> torch.Tensor:
        self.seen.append(batch)
        return self.net(batch.images.mean().reshape(1, 1)).sum()

    def validation_step(self, batch: BoxBatch, batch_idx: int) -> None:
        assert batch.images.is_floating_point()
        assert batch.shares.eq(1).all()
        self.val_rows += batch.index.tolist()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


class SaveAt(lightning.Callback):
    """Saves after the n-th training batch."""

    def __init__(self, call: int, path: Path) -> None:
        self.call, self.path, self.calls = call, path, 0

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        self.calls += 1
        if self.calls == self.call:
            trainer.save_checkpoint(self.path)


def trainer_of(path: Path, epochs: int = 2, **options: Any) -> lightning.Trainer:
    return lightning.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        default_root_dir=path,
        **options,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_voc(tmp_path / "set", {"train": tiny_images(12, "t"), "val": tiny_images(5, "v")})


@pytest.mark.parametrize("done", [2, 3, 4])  # in an epoch of 3 batches, in its last, in the next
def test_resume_continues_with_the_very_next_batch(tmp_path: Path, folder: Path, done: int) -> None:
    options = {"mixup": BoxMixup(1.0)}
    whole, rest = Recorder(), Recorder()
    trainer_of(tmp_path, 2, callbacks=[SaveAt(done, tmp_path / "x.ckpt")]).fit(
        whole, datamodule=data_of(folder, **options)
    )
    assert len(whole.seen) == 6
    resume = {"ckpt_path": tmp_path / "x.ckpt", "weights_only": True}
    trainer_of(tmp_path, 2).fit(rest, datamodule=data_of(folder, **options), **resume)
    assert len(rest.seen) == 6 - done
    for ours, theirs in zip(rest.seen, whole.seen[done:], strict=True):
        for name, value in ours._asdict().items():
            assert torch.equal(value, getattr(theirs, name)), name


def change_box(folder: Path) -> None:
    file = next((folder / "Annotations").glob("t*.xml"))
    file.write_text(file.read_text().replace("<xmax>", "<xmax>1"))


def change_class(folder: Path) -> None:
    file = folder / "Annotations" / "t01.xml"
    file.write_text(file.read_text().replace("<name>cat", "<name>dog"))


def add_image(folder: Path) -> None:
    write_voc(folder, {"train": tiny_images(13, "t")})


def replace_image(folder: Path) -> None:
    file = folder / "JPEGImages" / "t03.png"
    file.write_bytes(file.read_bytes() + b"more")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (change_box, "it has other boxes on the training images, so"),
        (change_class, "it has other boxes on the training images, so"),
        (add_image, "it has 13 training images instead of 12"),
        (replace_image, r"1 training image of another size in bytes \(JPEGImages/t03\.png\)"),
    ],
)
def test_resume_on_other_data_is_refused(folder: Path, change: Any, words: str) -> None:
    stored = data_of(folder).state_dict()
    change(folder)
    data = data_of(folder)
    data.load_state_dict(stored)
    with pytest.raises(ValueError, match=words) as caught:
        data.train_dataloader()
    assert "\n" not in str(caught.value)


def test_resume_on_the_same_data_elsewhere_goes_on(folder: Path) -> None:
    stored = data_of(folder).state_dict()
    data = data_of(folder.rename(folder.with_name("moved")))
    data.load_state_dict(stored)
    assert len(data.train_dataloader()) == 3


def test_a_checkpoint_needs_no_more_than_tensors_and_built_in_types(tmp_path: Path, folder: Path) -> None:
    torch.save(data_of(folder).state_dict(), tmp_path / "state.pt")
    assert torch.load(tmp_path / "state.pt", weights_only=True)["class_names"] == ["cat", "dog"]


def test_every_validation_image_comes_once(tmp_path: Path, folder: Path) -> None:
    module = Recorder()
    trainer_of(tmp_path).validate(module, datamodule=data_of(folder), verbose=False)
    assert module.val_rows == [0, 1, 2, 3, 4]


def test_each_training_image_comes_once_in_an_epoch_in_an_order_of_the_seed(folder: Path) -> None:
    orders = [torch.cat([batch.index for batch in data_of(folder, seed=seed).train_dataloader()]) for seed in (0, 0, 1)]
    assert orders[0].tolist() == orders[1].tolist() != orders[2].tolist()
    assert sorted(orders[0].tolist()) == list(range(12))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_give_the_same_batches(folder: Path, method: str) -> None:
    alone = list(data_of(folder).train_dataloader())
    data = data_of(folder, workers=2)
    loader = data.train_dataloader()
    loader.multiprocessing_context = method
    for ours, theirs in zip(loader, alone, strict=True):
        for name, value in ours._asdict().items():
            assert torch.equal(value, getattr(theirs, name)), name


def test_images_are_normalized_and_brought_back(folder: Path) -> None:
    data = data_of(folder, normalize=Normalize((0.5, 0.4, 0.3), (0.1, 0.2, 0.3)))
    raw = next(iter(data.val_dataloader()))
    batch = data.prepare(raw, training=False, step=0, epoch=0)
    expected = (raw.images / 255 - torch.tensor([0.5, 0.4, 0.3])[:, None, None]) / torch.tensor([0.1, 0.2, 0.3])[
        :, None, None
    ]
    torch.testing.assert_close(batch.images, expected, rtol=1e-5, atol=1e-5)
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(data.denormalize(batch.images), raw.images)
    assert torch.equal(batch.boxes, raw.boxes)


def test_training_batches_are_mixed_until_the_stated_epoch(folder: Path) -> None:
    data = data_of(folder, mixup=BoxMixup(1.0, stop_epoch=2))
    raw = next(iter(data.train_dataloader()))
    mixed = [data.prepare(raw, training=True, step=5, epoch=epoch) for epoch in (0, 1, 2)]
    assert torch.equal(mixed[0].images, mixed[1].images)
    assert not torch.equal(mixed[0].images, mixed[2].images)
    assert len(mixed[0].boxes) > len(raw.boxes)
    assert torch.equal(mixed[2].boxes, raw.boxes)
    other = data.prepare(raw, training=True, step=6, epoch=0)
    assert not torch.equal(other.images, mixed[0].images)


def test_batches_of_others_pass_unchanged(folder: Path) -> None:
    data, images = data_of(folder), torch.zeros(2, 3, 8, 8)
    assert data.on_after_batch_transfer([images], 0) == [images]  # type: ignore[arg-type,comparison-overlap]


def test_what_is_recorded_is_what_is_applied(folder: Path) -> None:
    data = data_of(folder)
    framed = data.preprocessing.frame.frame(torch.zeros(3, 48, 64, dtype=torch.uint8))
    assert framed.image.shape == next(iter(data.val_dataloader())).images.shape[1:]
    assert data.preprocessing.fill == (124, 116, 104)
    assert data.preprocessing.canvas == (24, 32)


@pytest.mark.parametrize("write", [write_voc, write_coco, write_yolo])
def test_every_layout_trains(tmp_path: Path, write: Any) -> None:
    data = data_of(write(tmp_path / "set"), batch_size=3)
    assert (data.train_size, data.steps_per_epoch, data.num_classes, data.class_names) == (6, 2, 2, ["cat", "dog"])
    assert len(list(data.train_dataloader())) == 2
    assert len(next(iter(data.test_dataloader())).boxes) == 3


def test_without_a_test_split_testing_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="has no test split; validate instead"):
        data_of(folder).test_dataloader()


def test_validation_images_are_held_out_where_there_are_none(tmp_path: Path) -> None:
    data = data_of(write_voc(tmp_path / "set", {"train": tiny_images(20, "x")}), val_fraction=0.25)
    assert data.train_size + len(data.loaded.val) == 20
    assert data.summary.validation.startswith("held out: 25 %")


def test_a_file_that_stops_is_named_before_the_training_begins(tmp_path: Path) -> None:
    (write_yolo(tmp_path / "set") / "images" / "train" / "train_01.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"train_01\.png cannot be decoded .*, or set data\.on_error to skip$"):
        data_of(tmp_path / "set").setup()
    assert data_of(tmp_path / "set", on_error="skip").train_size == 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"canvas": (0, 32)}, r"data\.canvas is \(0, 32\) but must be \[height, width\]"),
        ({"canvas": (8, 8, 8)}, r"data\.canvas"),
        ({"layout": "kitti"}, r"data\.layout is 'kitti' but must be auto, voc, coco or yolo"),
        ({"on_error": "ignore"}, r"data\.on_error is 'ignore' but must be stop or skip"),
        ({"batch_size": 0}, r"data\.batch_size is 0 but must be at least 1"),
        ({"val_fraction": 1.0}, r"data\.val_fraction is 1\.0 but must lie between 0 and 1"),
        ({"normalize": Normalize((0.5,), (0.5,))}, r"data\.normalize\.mean has 1 numbers"),
        ({"group_by": "("}, r"data\.group_by '\(' is not a regular expression"),
    ],
)
def test_impossible_values_are_refused_before_anything_is_read(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        data_of(Path("nowhere"), **options)


def test_a_batch_of_more_images_than_there_are_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"data\.batch_size 16 is larger than the training set of 12 images"):
        data_of(folder, batch_size=16).train_dataloader()


def test_augmentation_is_a_field_of_the_data(folder: Path) -> None:
    assert {each.name for each in dataclasses.fields(BoxAugmentation)} <= set(
        inspect.signature(DetectionData).parameters
    )
    plain = data_of(folder, flip=Flip(0.0), scale_jitter=ScaleJitter())
    flipped = data_of(folder, flip=Flip(1.0), scale_jitter=ScaleJitter())
    ours, theirs = (next(iter(data.train_dataloader())) for data in (flipped, plain))
    assert torch.equal(ours.images, theirs.images.flip(3))


def test_difficult_objects_are_trained_on(tmp_path: Path) -> None:
    write_voc(tmp_path, tiny_splits())
    for image in tiny_splits()["train"]:
        (tmp_path / "Annotations" / f"{image.name}.xml").write_text(voc_xml(image, difficult=1))
    data = data_of(tmp_path, batch_size=6, flip=Flip(0.0), scale_jitter=ScaleJitter())
    assert data.loaded.train.images[0].difficult.all()
    assert len(next(iter(data.train_dataloader())).boxes) == sum(len(image.boxes) for image in tiny_splits()["train"])


def test_bccd_is_summed_up_in_three_lines(bccd: Path) -> None:
    lines = DetectionData(str(bccd), canvas=(240, 320)).summary.lines()
    assert lines[0].endswith(
        "(voc), 3 classes (Platelets, RBC, WBC), 205 training and 87 validation images (given), 72 test images"
    )
    assert lines[1] == (
        "boxes: 2,804 training boxes, 1,137 validation boxes, 945 test boxes; "
        "median side 103 px in the files, 52 px on the canvas"
    )
    assert lines[2] == f"left out: 2 degenerate boxes (lit-cnn check --json {bccd} names them)"
    assert len(lines) == 3
