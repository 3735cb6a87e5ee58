import multiprocessing
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F
from torchmetrics.classification import MulticlassAccuracy

from lit_cnn.training.losses import LossSettings
from lit_cnn.training.metrics import EvaluationMetrics, SoftTargetAccuracy


def rows(count: int = 23, classes: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, classes, generator=generator), torch.randint(classes, (count,), generator=generator)


def test_accuracies_equal_torchmetrics_and_the_loss_is_the_mean_over_rows() -> None:
    logits, targets = rows()
    metrics = EvaluationMetrics(8)
    for part in (slice(0, 10), slice(10, 11), slice(11, 23)):
        metrics.update(logits[part], targets[part])
    values = metrics.compute()
    assert list(values) == ["loss", "acc1", "acc5"]
    for k in (1, 5):
        reference = MulticlassAccuracy(8, top_k=k, average="micro")(logits, targets)
        assert values[f"acc{k}"].item() == pytest.approx(reference.item(), abs=1e-7)
    assert values["loss"].item() == pytest.approx(F.cross_entropy(logits.double(), targets).item(), abs=1e-6)


def test_accuracies_are_exact_shares() -> None:
    logits, targets = rows()
    metrics = EvaluationMetrics(8)
    metrics.update(logits, targets)
    hits = sum(int(row.argmax()) == int(target) for row, target in zip(logits, targets, strict=True))
    assert metrics.compute()["acc1"].item() == hits / 23


@pytest.mark.parametrize("classes", [8, 3])  # of 3 classes, every row hits the top 3
def test_padding_rows_and_empty_batches_do_not_count(classes: int) -> None:
    logits, targets = rows(classes=classes)
    plain, padded = EvaluationMetrics(classes), EvaluationMetrics(classes)
    plain.update(logits, targets)
    padding = torch.full((4, classes), float("nan")), torch.full((4,), -1)
    valid = torch.arange(27) < 23
    padded.update(torch.cat([logits, padding[0]]), torch.cat([targets, padding[1]]), valid)
    padded.update(logits[:0], targets[:0])
    padded.update(logits[:3], targets[:3], torch.zeros(3, dtype=torch.bool))
    assert padded.compute() == plain.compute()


@pytest.mark.parametrize(("classes", "names"), [(10, {"acc1", "acc5"}), (3, {"acc1", "acc3"}), (1, {"acc1"})])
def test_top_k_is_named_after_the_k_that_was_counted(classes: int, names: set[str]) -> None:
    metrics = EvaluationMetrics(classes)
    metrics.update(*rows(6, classes))
    assert set(metrics.compute()) == {"loss", *names}


def test_the_loss_obeys_its_settings() -> None:
    logits, targets = rows()
    metrics = EvaluationMetrics(8, LossSettings("binary_cross_entropy"))
    metrics.update(logits, targets)
    reference = F.binary_cross_entropy_with_logits(logits, F.one_hot(targets, 8).float())
    assert metrics.compute()["loss"].item() == pytest.approx(reference.item(), abs=1e-6)


def test_soft_targets_count_by_their_largest_entry() -> None:
    logits, targets = rows()
    hard, soft = EvaluationMetrics(8), EvaluationMetrics(8)
    hard.update(logits, targets)
    soft.update(logits, F.one_hot(targets, 8) * 0.9 + 0.0125)
    assert soft.compute()["acc1"] == hard.compute()["acc1"]
    assert soft.compute()["acc5"] == hard.compute()["acc5"]


def test_reset_forgets_and_nothing_counted_is_nan() -> None:
    metrics = EvaluationMetrics(8)
    metrics.update(*rows())
    metrics.update(*rows())
    assert (metrics.updated, metrics.updates) == (True, 2)
    metrics.reset()
    assert (metrics.updated, metrics.updates) == (False, 0)
    assert all(value.isnan() for value in metrics.compute().values())


def test_an_epoch_goes_on_from_its_state() -> None:
    logits, targets = rows()
    whole, first, rest = EvaluationMetrics(8), EvaluationMetrics(8), EvaluationMetrics(8)
    for metrics, part in ((whole, slice(0, 9)), (first, slice(0, 9)), (whole, slice(9, 23))):
        metrics.update(logits[part], targets[part])
    state = first.epoch_state()
    first.update(logits, targets)  # the state is a copy
    rest.restore_epoch(state)
    assert rest.updates == 1
    rest.update(logits[9:], targets[9:])
    assert rest.compute() == whole.compute()
    assert rest.updates == whole.updates == 2


def test_every_rank_knows_of_the_batches_before_and_one_holds_their_sums() -> None:
    logits, targets = rows()
    before, metrics = EvaluationMetrics(8), [EvaluationMetrics(8), EvaluationMetrics(8)]
    before.update(logits, targets)
    for rank, metric in enumerate(metrics):
        metric.restore_epoch(before.epoch_state(), rank)
    assert [metric.updates for metric in metrics] == [1, 1]
    assert [int(metric.rows) for metric in metrics] == [23, 0]


def test_soft_accuracy_is_the_target_mass_on_the_prediction_below_its_ceiling() -> None:
    logits = torch.tensor([[3.0, 1.0, 0.0], [0.0, 1.0, 5.0], [1.0, 0.0, 0.0]])
    targets = torch.tensor([[0.7, 0.3, 0.0], [0.6, 0.0, 0.4], [0.2, 0.5, 0.3]])
    metric = SoftTargetAccuracy()
    metric.update(logits, targets, torch.tensor([True, True, False]))
    values = metric.compute()
    assert values["accuracy"].item() == pytest.approx((0.7 + 0.4) / 2)
    assert values["ceiling"].item() == pytest.approx((0.7 + 0.6) / 2)
    assert values["count"].item() == 2


def test_soft_accuracy_of_class_indices_is_the_accuracy() -> None:
    logits, targets = rows()
    soft, hard = SoftTargetAccuracy(), EvaluationMetrics(8)
    soft.update(logits, targets)
    soft.update(logits[:0], targets[:0])
    hard.update(logits, targets)
    assert soft.compute()["accuracy"] == hard.compute()["acc1"]
    assert soft.compute()["ceiling"] == 1


def evaluate_half(rank: int, folder: str) -> None:
    """Two ranks share 23 rows unevenly; rank 1 also pads and sees an empty batch."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=2)
    logits, targets = rows()
    metrics, soft = EvaluationMetrics(8), SoftTargetAccuracy()
    if rank == 0:
        metrics.update(logits[:16], targets[:16])
        soft.update(logits[:16], F.one_hot(targets[:16], 8).float())
    else:
        metrics.update(logits[:0], targets[:0])
        metrics.update(logits[15:], targets[15:], torch.arange(8) > 0)
        soft.update(logits[16:], F.one_hot(targets[16:], 8).float())
    torch.save({**metrics.compute(), **soft.compute()}, f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_count_each_row_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=evaluate_half, args=(rank, str(tmp_path))) for rank in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    alone = EvaluationMetrics(8)
    alone.update(*rows())
    expected = alone.compute()
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert found["acc1"] == expected["acc1"] == found["accuracy"]
        assert found["acc5"] == expected["acc5"]
        assert found["count"] == 23
        assert found["loss"].item() == pytest.approx(expected["loss"].item(), abs=1e-12)
