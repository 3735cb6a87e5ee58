"""The loader doctor: who is the bottleneck, and advice that the machine can follow."""

import pytest

from lit_cnn.data.loading.doctor import NOTICEABLE, LoaderFacts, diagnose
from lit_cnn.data.module import ImageData


def test_a_training_that_hardly_waits_is_limited_by_the_network():
    facts = LoaderFacts("files", 2, 8, "full")
    assert diagnose(100, NOTICEABLE - 0.01, facts) == "the network sets the pace"
    assert diagnose(100, NOTICEABLE, facts).startswith("the loader is the bottleneck")


@pytest.mark.parametrize(
    ("waiting", "workers", "cores", "advised"),
    [
        (0.5, 2, 8, 4),  # twice the images need twice the workers
        (0.75, 2, 16, 8),
        (0.75, 2, 6, 6),  # no more than cores
        (0.12, 3, 8, 4),
        (0.5, 0, 8, 1),  # preparing takes as long as training: one worker does it meanwhile
        (0.75, 0, 8, 3),
        (1.0, 1, 8, 8),
    ],
)
def test_workers_are_advised_by_the_measured_share_up_to_the_cores(waiting, workers, cores, advised):
    text = diagnose(100, waiting, LoaderFacts("files", workers, cores, "full"))
    assert f"set data.workers to {advised} (now {workers}; {cores} cores)" in text


def test_what_the_network_could_take_is_stated():
    assert "could take 1,600 images/s" in diagnose(1200, 0.25, LoaderFacts("memory", 0, 2, "full"))


@pytest.mark.parametrize(
    ("kind", "decode", "words", "absent"),
    [
        ("files", "full", ["lit-cnn data pack --size", "data.decode to reduced, which changes pixels"], []),
        ("files", "reduced", ["lit-cnn data pack --size"], ["data.decode"]),
        ("shards", "full", ["data.decode reduced", "data.image_size"], ["pack"]),
        ("shards", "reduced", ["use a smaller data.image_size"], ["data.decode", "pack"]),
        ("memory", "full", ["use a smaller data.image_size or fewer augmentations"], ["data.decode", "pack"]),
    ],
)
def test_with_all_cores_in_use_the_work_has_to_shrink(kind, decode, words, absent):
    text = diagnose(100, 0.5, LoaderFacts(kind, 4, 4, decode))
    assert "all 4 cores are in use" in text
    assert all(word in text for word in words)
    assert not any(word in text for word in [*absent, "data.workers"])
    assert not text.endswith(".")


def test_facts_are_the_loaders():
    data = ImageData("digits", image_size=8, batch_size=16, workers=1)
    assert data.loader_facts.kind == "memory"
    assert data.loader_facts.workers == data.train_dataloader().num_workers == 1
    assert data.loader_facts.cores >= 1
