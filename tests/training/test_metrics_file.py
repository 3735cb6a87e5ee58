"""The metrics file: its layout, its bytes, and the same file with and without an interruption."""

import math
from pathlib import Path

import lightning.pytorch as pl
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from lit_cnn.run_folder.metrics_csv import read_metrics
from lit_cnn.training.metrics_file import MetricsFile

Call = tuple[dict[str, float], int]
CALLS: list[Call] = [
    ({"lr": 0.1, "epoch": 0}, 1),
    ({"lr": 0.1 / 3, "epoch": 0}, 3),
    ({"val/loss": 2.0, "val/acc1": math.nan, "epoch": 0}, 3),
    ({"lr": 0.05, "epoch": 1, "timing/images": 123.4}, 5),
    ({"val/loss": 1e-9, "epoch": 1}, 7),
    ({"train/loss": 1.5, "epoch": 1}, 7),
]


def write(folder: Path, calls: list[Call], after: int | None = None) -> None:
    file = MetricsFile(folder)
    if after is not None:
        file.truncate_after(after)
    for metrics, step in calls:
        file.log_metrics(metrics, step)
        file.save()


def test_rows_are_merged_by_step_and_columns_keep_the_order_of_logging(tmp_path: Path) -> None:
    write(tmp_path, CALLS)
    assert (tmp_path / "metrics.csv").read_text() == (
        "epoch,step,lr,val/loss,val/acc1,train/loss\n"
        "0,1,0.1,,,\n"
        "0,3,0.03333333333333333,2.0,nan,\n"
        "1,5,0.05,,,\n"
        "1,7,,1e-09,,1.5\n"
    )


def test_timings_go_to_their_own_file_and_make_no_row(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path)
    file.log_metrics({"timing/images": 9.0, "epoch": 2}, 4)
    file.save()
    assert (tmp_path / "timing.csv").read_text() == "epoch,step,timing/images\n2,4,9.0\n"
    assert not (tmp_path / "metrics.csv").exists()


@pytest.mark.parametrize(
    ("covered", "stop"), [(0, 0), (0, 3), (0, 6), (1, 1), (1, 2), (1, 5), (3, 3), (3, 4), (3, 6), (5, 4), (5, 5)]
)
def test_a_continued_run_leaves_the_bytes_of_an_uninterrupted_one(tmp_path: Path, covered: int, stop: int) -> None:
    """Killed after ``stop`` logs and continued from a checkpoint that covers the steps up to ``covered``."""
    write(tmp_path / "whole", CALLS)
    write(tmp_path / "parts", CALLS[:stop])
    write(tmp_path / "parts", [call for call in CALLS if call[1] > covered], after=covered)
    for name in ("metrics.csv", "timing.csv"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_row_that_a_kill_has_cut_off_is_left_out_and_written_again(tmp_path: Path) -> None:
    write(tmp_path / "whole", CALLS)
    write(tmp_path / "parts", CALLS)
    path = tmp_path / "parts" / "metrics.csv"
    path.write_bytes(path.read_bytes()[:-3])
    assert [row["step"] for row in read_metrics(path)] == [1, 3, 5]
    write(tmp_path / "parts", CALLS[4:], after=5)
    assert path.read_bytes() == (tmp_path / "whole" / "metrics.csv").read_bytes()


def test_a_row_is_appended_without_writing_those_before_it(tmp_path: Path) -> None:
    """The file stays the same one, and its earlier rows are not touched."""
    file = MetricsFile(tmp_path)
    for step in range(3):
        file.log_metrics({"a": 1.0, "epoch": 0}, step)
        file.save()
    path = tmp_path / "metrics.csv"
    inode, content = path.stat().st_ino, path.read_bytes()
    path.write_bytes(content.replace(b"0,0,1.0", b"0,0,9.9"))
    file.log_metrics({"a": 0.5}, 2)  # the last row has changed
    file.log_metrics({"a": 2.0, "epoch": 0}, 3)
    file.save()
    assert path.read_text() == "epoch,step,a\n0,0,9.9\n0,1,1.0\n0,2,0.5\n0,3,2.0\n"
    assert path.stat().st_ino == inode


def test_columns_first_seen_after_the_checkpoint_are_forgotten(tmp_path: Path) -> None:
    write(tmp_path, CALLS)
    write(tmp_path, [], after=1)
    assert (tmp_path / "metrics.csv").read_text() == "epoch,step,lr\n0,1,0.1\n"


def test_an_earlier_step_is_sorted_in(tmp_path: Path) -> None:
    write(tmp_path, [({"a": 1.0}, 5), ({"b": 2.0}, 4), ({"a": 3.0}, 6)])
    assert [row["step"] for row in read_metrics(tmp_path / "metrics.csv")] == [4, 5, 6]


def test_reading_gives_back_exactly_what_was_written(tmp_path: Path) -> None:
    values = torch.rand(50, dtype=torch.float64).tolist()
    write(tmp_path, [({"x": value, "epoch": 0}, step) for step, value in enumerate(values)])
    rows = read_metrics(tmp_path / "metrics.csv")
    assert [row["x"] for row in rows] == values
    assert rows[3].keys() == {"epoch", "step", "x"}


def test_no_partial_file_remains(tmp_path: Path) -> None:
    write(tmp_path, CALLS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.csv", "timing.csv"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no metrics file .*none\.csv"):
        read_metrics(tmp_path / "none.csv")


@pytest.mark.parametrize(
    "content", ["", "a,b\n1,2\n", "epoch,step,x\n0,1\n", "epoch,step,x\n0,1,word\n", "epoch,step\n0,\n"]
)
def test_another_file_is_refused_in_one_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match="is not a metrics file"):
        read_metrics(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ValueError, match="is not a metrics file"):
        read_metrics(path)


class Line(pl.LightningModule):
    """A line fitted to a line, logging by step and by epoch."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = torch.nn.Linear(1, 1)

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        loss = (self.net(batch[0]) - 2 * batch[0]).square().mean()
        self.log("train/loss_step", loss)
        self.log("timing/step", 1.0 + batch_idx)
        return loss

    def validation_step(self, batch: list[Tensor]) -> None:
        self.log("val/loss", (self.net(batch[0]) - 2 * batch[0]).square().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


def fit(folder: Path, epochs: int, checkpoint: Path | None = None) -> pl.Trainer:
    file = MetricsFile(folder)
    if checkpoint is not None:
        file.truncate_after(torch.load(checkpoint, weights_only=True)["global_step"] - 1)
    data = DataLoader(TensorDataset(torch.arange(8.0)[:, None] / 8), batch_size=2)
    trainer = pl.Trainer(
        max_epochs=epochs, logger=file, log_every_n_steps=2, accelerator="cpu", enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
    )  # fmt: skip
    trainer.fit(Line(), data, data, ckpt_path=checkpoint, weights_only=True)
    return trainer


@pytest.mark.filterwarnings("ignore:.*does not have many workers", "ignore:.*LeafSpec:FutureWarning")
def test_a_resumed_fit_leaves_the_bytes_of_an_uninterrupted_one(tmp_path: Path) -> None:
    fit(tmp_path / "whole", 3)
    fit(tmp_path / "parts", 1).save_checkpoint(tmp_path / "one.ckpt")
    fit(tmp_path / "parts", 3, tmp_path / "one.ckpt")
    whole = (tmp_path / "whole" / "metrics.csv").read_bytes()
    assert (tmp_path / "parts" / "metrics.csv").read_bytes() == whole
    assert [row["step"] for row in read_metrics(tmp_path / "whole" / "metrics.csv")] == [1, 3, 5, 7, 9, 11]
