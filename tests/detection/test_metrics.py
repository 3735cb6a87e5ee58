"""Figures of a detector: the protocols, what counts, and the same figures for any number of ranks."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import torch
from found_boxes import detections, image, nothing, random_set, split

from lit_cnn.detection.boxes import AnnotatedSplit, Detections
from lit_cnn.detection.coco_average_precision import ABSENT
from lit_cnn.detection.metrics import PROTOCOLS, DetectionMetrics, mean_of_present
from lit_cnn.detection.thresholds import Thresholds

SMALL, MEDIUM, LARGE = (0.0, 0.0, 20.0, 20.0), (100.0, 0.0, 150.0, 50.0), (200.0, 0.0, 400.0, 200.0)
FAR = (500.0, 400.0, 560.0, 460.0)


def counted(truth: AnnotatedSplit, found: list[Detections], max_detections: int = 100) -> DetectionMetrics:
    metrics = DetectionMetrics(truth, max_detections)
    metrics.update(torch.arange(len(found)), found)
    return metrics


def test_pascal_voc_figures_of_the_example_worked_out_by_hand() -> None:
    """Scores 0.9 correct, 0.8 a second box on the same, 0.7 on a difficult object, 0.6 correct, 0.5 wrong."""
    truth = split([image([SMALL, MEDIUM, LARGE], [0, 0, 0], difficult=[1])], classes=1)
    found = detections([LARGE, LARGE, MEDIUM, SMALL, FAR], [0.9, 0.8, 0.7, 0.6, 0.5], [0] * 5)
    figures = counted(truth, [found]).compute()
    assert figures["voc07_ap50"] == pytest.approx(0.8484848, abs=1e-7)
    assert figures["voc_ap50"] == pytest.approx(0.8333333, abs=1e-7)


def test_perfect_detections_give_one_and_absent_sizes_are_named() -> None:
    truth = split([image([SMALL, LARGE], [0, 1])])
    figures = counted(truth, [detections([SMALL, LARGE], [0.9, 0.8], [0, 1])]).compute()
    assert figures.keys() == PROTOCOLS.keys()
    assert figures.pop("map_medium") == ABSENT
    assert all(value == pytest.approx(1) for value in figures.values())


def test_sizes_are_those_of_the_stated_areas_not_of_the_boxes() -> None:
    figures = counted(split([image([LARGE], [0], areas=[500.0])]), [detections([LARGE], [0.9], [0])]).compute()
    assert figures["map_small"] == pytest.approx(1)
    assert figures["map_large"] == ABSENT


def test_a_box_in_a_crowd_is_not_wrong() -> None:
    crowd = split([image([LARGE, FAR], [0, 0], crowd=[0])])
    inside = (220.0, 20.0, 240.0, 40.0)
    found = detections([LARGE, inside, FAR], [0.9, 0.8, 0.7], [0, 0, 0])
    figures = counted(crowd, [found]).compute()
    assert [figures[name] for name in ("map", "voc07_ap50", "voc_ap50")] == pytest.approx([1, 1, 1])


def test_more_than_a_hundred_objects_count_where_more_detections_do() -> None:
    corners = [(float(12 * (i % 50)), float(12 * (i // 50))) for i in range(150)]
    boxes = [(x, y, x + 10, y + 10) for x, y in corners]
    truth, found = split([image(boxes, [0] * 150)]), detections(boxes, np.linspace(1, 0.5, 150), [0] * 150)
    assert counted(truth, [found]).compute()["map"] < 0.7
    more = counted(truth, [found], max_detections=200)
    assert more.compute()["map"] == pytest.approx(1)
    assert more.protocol("map") == "COCO mAP@[.50:.95], 200 detections an image"
    assert more.protocol("voc_ap50") == "VOC 2010 area mAP@.50"
    assert counted(truth, [found]).protocol("map") == "COCO mAP@[.50:.95]"


@pytest.mark.parametrize("most", [1, 5, 9])
def test_few_detections_of_an_image_count_where_few_do(most: int) -> None:
    boxes = [(30.0 * place, 0.0, 30.0 * place + 20, 20.0) for place in range(10)]
    truth, found = split([image(boxes, [0] * 10)]), detections(boxes, np.linspace(1, 0.5, 10), [0] * 10)
    metrics = counted(truth, [found], max_detections=most)
    share = (10 * most + 1) / 101  # of the recalls 0, 0.01, … 1, those that the first detections reach
    assert metrics.compute()["map"] == pytest.approx(share)
    assert metrics.per_class()[0].ap == pytest.approx(share)


def test_an_absent_class_is_part_of_no_mean() -> None:
    truth = split([image([LARGE], [0])], classes=3)
    metrics = counted(truth, [detections([LARGE, FAR], [0.9, 0.95], [0, 1])])
    assert metrics.compute()["map"] == metrics.compute()["voc_ap50"] == pytest.approx(1)
    present, wrong, silent = metrics.per_class()
    assert (present.ap, present.ap50, present.f1) == pytest.approx((1, 1, 1))
    assert (wrong.ap, wrong.ap50, wrong.voc07_ap50, wrong.voc_ap50) == (ABSENT,) * 4
    assert (wrong.objects, wrong.detections, silent.detections) == (0, 1, 0)
    assert mean_of_present([0.5, ABSENT, 1.0]) == 0.75
    assert mean_of_present([ABSENT]) == ABSENT


def test_classes_agree_with_the_means() -> None:
    truth, found = random_set(30)
    metrics = counted(truth, found)
    figures, classes = metrics.compute(), metrics.per_class()
    assert 0.1 < figures["map"] < 0.9
    assert np.mean([each.ap for each in classes]) == pytest.approx(figures["map"], abs=1e-6)
    assert np.mean([each.ap50 for each in classes]) == pytest.approx(figures["map50"], abs=1e-6)
    marked = sum(int((each.difficult | each.crowd).sum()) for each in truth.images)
    assert sum(each.difficult for each in classes) == marked > 0
    assert sum(each.objects for each in classes) == sum(len(each.labels) for each in truth.images) - marked


def test_padding_and_repeated_images_do_not_count() -> None:
    truth, found = random_set(6)
    padded = DetectionMetrics(truth)
    padded.update(torch.tensor([-1]), [found[0]])
    assert padded.updated  # or a rank of padding alone would not take part when the others bring all together
    padded.update(torch.tensor([4, 5, -1]), [found[4], found[5], found[0]])
    padded.update(torch.tensor([0, 1, 2, 3, 4]), [*found[:4], nothing()])
    assert padded.compute() == counted(truth, found).compute()


def test_only_images_that_were_seen_count_and_a_reset_forgets_them() -> None:
    truth, found = random_set(6)
    metrics = DetectionMetrics(truth)
    assert not metrics.updated
    assert set(metrics.compute().values()) == {ABSENT}
    metrics.update(torch.arange(3), found[:3])
    first = metrics.compute()
    assert first == counted(split(truth.images[:3], 3), found[:3]).compute()
    metrics.update(torch.arange(3, 6), found[3:])
    assert metrics.compute() == counted(truth, found).compute() != first
    metrics.reset()
    assert not metrics.updated
    assert not metrics.found


def test_images_without_objects_and_detections_change_nothing() -> None:
    truth, found = random_set(5)
    empty = image([], [], name="empty")
    around = split([empty, *truth.images, empty], 3)
    assert counted(around, [nothing(), *found, nothing()]).compute() == counted(truth, found).compute()


def test_confusion_is_of_what_the_thresholds_leave() -> None:
    truth = split([image([LARGE, FAR], [0, 1])])
    metrics = counted(truth, [detections([LARGE, FAR, SMALL], [0.9, 0.4, 0.2], [0, 1, 1])])
    counts = metrics.confusion(Thresholds((0.5, 0.3), 0.5, "val"))
    assert counts.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert metrics.confusion(Thresholds((0.95, 0.1), 0.5, "val")).tolist() == [[0, 0, 1], [0, 1, 0], [0, 1, 0]]


def test_without_the_evaluator_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"needs faster-coco-eval: pip install 'lit-cnn\[detection\]'$"):
        DetectionMetrics(split([]))


def evaluate_part(rank: int, ranks: int, folder: str) -> None:
    """Three ranks see seven images, none, and six of which one is padding and one repeats."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=ranks)
    truth, found = random_set(11)
    metrics = DetectionMetrics(truth)
    rows = [[0, 2, 4, 6, 8, 10, 1], [], [3, 5, 7, 9, -1, 1]][rank]
    for row in rows:
        metrics.update(torch.tensor([row]), [found[row]])
    counts = metrics.confusion(Thresholds((0.5,) * 3, 0.5, "val"))
    torch.save({"figures": metrics.compute(), "confusion": torch.from_numpy(counts)}, f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_ranks_of_unequal_numbers_of_images_give_the_figures_of_one_process(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=evaluate_part, args=(rank, 3, str(tmp_path))) for rank in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    alone = counted(*random_set(11))
    for rank in range(3):
        result = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert result["figures"] == pytest.approx(alone.compute(), abs=1e-6)
        assert result["confusion"].tolist() == alone.confusion(Thresholds((0.5,) * 3, 0.5, "val")).tolist()
