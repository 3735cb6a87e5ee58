"""Ensembles of members whose votes are known."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from colors import color_network, labelled, noise, preprocessing
from PIL import Image

from lit_cnn.data.sources.decoding import RGB
from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.evaluation.ensemble import ensemble_scores, evaluate_ensemble, other_split
from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.logits import collect
from lit_cnn.evaluation.scores import accuracies
from lit_cnn.evaluation.test_time_augmentation import make_views
from lit_cnn.evaluation.trained import Trained

LABELS = torch.tensor([0, 0, 1, 1])
SURE = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.45, 0.55], [0.55, 0.45]])  # three right, one narrowly wrong
OTHER = torch.tensor([[0.6, 0.4], [0.4, 0.6], [0.2, 0.8], [0.2, 0.8]])  # three right, another narrowly wrong


def test_members_repair_each_others_mistakes() -> None:
    scores = ensemble_scores([SURE, OTHER], LABELS)
    assert [member["acc1"] for member in scores.members] == [0.75, 0.75]
    assert scores.mean["acc1"] == 0.75
    assert scores.ensemble["acc1"] == 1
    assert scores.gain_over_mean == scores.gain_over_best == 0.25
    for low, high in (scores.gain_over_mean_interval, scores.gain_over_best_interval):
        assert low < 0.25 < high


def test_the_best_member_is_named() -> None:
    wrong = 1 - torch.eye(2)[LABELS]
    scores = ensemble_scores([wrong * 0.6 + (1 - wrong) * 0.4, SURE, SURE], LABELS)
    assert scores.best == 1
    assert scores.gain_over_best == pytest.approx(scores.ensemble["acc1"] - 0.75)
    assert scores.gain_over_mean == pytest.approx(scores.ensemble["acc1"] - 0.5)


def test_equal_members_gain_nothing() -> None:
    scores = ensemble_scores([SURE, SURE, SURE], LABELS)
    assert scores.gain_over_mean == scores.gain_over_best == 0
    assert scores.gain_over_mean_interval == (0, 0)


def test_each_member_sees_its_own_crop_of_the_same_images() -> None:
    images = labelled(noise(40, 16, 8))
    members = [color_network(8), color_network(8, crop_ratio=0.5)]
    done: list[int] = []
    scores, _ = evaluate_ensemble(members, images, done.append)
    alone = [
        accuracies(collect(member, images, make_views("center", member.preprocessing)).probabilities, images.labels)
        for member in members
    ]
    assert scores.members == alone
    assert alone[0] != alone[1]
    assert sum(done) == 80


def test_each_member_decodes_files_as_it_was_trained(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "transparent.png")
    files = FolderSplit(PathTable.of([str(tmp_path / "transparent.png")]), torch.tensor([0]))
    first = color_network()
    on_red = replace(first, recorded_preprocessing=replace(preprocessing(), background=(255, 0, 0)))
    _, together = evaluate_ensemble([first, on_red], EvaluationImages(files, RGB, "files"))
    alone = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]]).softmax(1)
    assert together.probabilities[0].tolist() == pytest.approx(alone.mean(0).tolist(), abs=1e-6)


def test_members_that_held_out_other_images_are_named() -> None:
    def trained_on(**data: object) -> Trained:
        return replace(color_network(), recipe={"data": {"source": "digits", "val_fraction": 0.1, **data}})

    first, same, other = trained_on(path="here"), trained_on(path="there"), trained_on(val_fraction=0.2)
    assert other_split(["a", "b"], [first, same]) is None
    sentence = other_split(["a", "b", "c"], [first, same, other])
    assert sentence is not None
    assert sentence.startswith("c: trained with another data.source, val_fraction, hold_out or group_by than a, whose")
