"""The global batches are the same for any split; evaluation sees each sample once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_cnn.data.loading.sampling import EvalSampler, TrainSampler, chunked_order
from lit_cnn.randomness import generator


def _global_batches(size, batch, world, accumulation, **options):
    """(rows, positions) of each optimizer step, put together over ranks and accumulated batches."""
    ranks = [list(TrainSampler(size, batch, r, world, accumulation, **options)) for r in range(world)]
    steps = []
    for step in range(len(ranks[0]) // accumulation):
        plans = [ranks[r][step * accumulation + turn] for turn in range(accumulation) for r in range(world)]
        index = np.concatenate([plan.index for plan in plans])
        steps.append((index[index >= 0], np.concatenate([plan.position for plan in plans])[index >= 0]))
    return steps


@given(
    size=st.integers(8, 60),
    per_chunk=st.integers(1, 4),
    world=st.integers(1, 4),
    accumulation=st.integers(1, 3),
    drop_last=st.booleans(),
    epoch=st.integers(0, 3),
)
@settings(max_examples=60, deadline=None)
def test_global_batches_do_not_depend_on_ranks_and_accumulation(size, per_chunk, world, accumulation, drop_last, epoch):
    batch = per_chunk * world * accumulation
    if batch > size and drop_last:
        return
    expected = _global_batches(size, batch, 1, 1, drop_last=drop_last, epoch=epoch)
    actual = _global_batches(size, batch, world, accumulation, drop_last=drop_last, epoch=epoch)
    assert len(actual) == len(expected)
    for (rows, positions), (own_rows, _) in zip(actual, expected, strict=True):
        assert rows.tolist() == own_rows.tolist()
        assert positions.tolist() == list(range(len(rows)))
    seen = np.concatenate([rows for rows, _ in actual])
    assert len(set(seen.tolist())) == len(seen) == (size - size % batch if drop_last else size)


@given(size=st.integers(1, 40), world=st.integers(1, 3), accumulation=st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_weights_average_to_the_mean_over_the_global_batch(size, world, accumulation):
    chunks = world * accumulation
    ranks = [list(TrainSampler(size, 4 * chunks, r, world, accumulation, drop_last=False)) for r in range(world)]
    for step in range(len(ranks[0]) // accumulation):
        plans = [plan for plans in ranks for plan in plans[step * accumulation : (step + 1) * accumulation]]
        total = sum(len(plan.index) for plan in plans if plan.weight > 0)
        for plan in plans:
            if plan.weight == 0:
                assert plan.index.tolist() == [-1]
            else:
                assert plan.weight / chunks == pytest.approx(len(plan.index) / total)


def test_epochs_and_seeds_have_their_own_order():
    sampler = TrainSampler(100, 100)
    first = next(iter(sampler)).index.tolist()
    sampler.set_epoch(1)
    second = next(iter(sampler)).index.tolist()
    assert sorted(first) == sorted(second) == list(range(100))
    assert first != second
    assert first != next(iter(TrainSampler(100, 100, seed=1))).index.tolist()


def test_first_skips_consumed_micro_batches_and_only_in_its_epoch():
    whole = [plan.index.tolist() for plan in TrainSampler(40, 8, accumulation=2, epoch=3)]
    sampler = TrainSampler(40, 8, accumulation=2, epoch=3, first=7)
    assert len(sampler) == len(whole) == 10
    sampler.set_epoch(3)
    assert [plan.index.tolist() for plan in sampler] == whole[7:]
    sampler.set_epoch(4)
    assert len(list(sampler)) == 10


def test_the_order_is_fixed_when_iteration_starts():
    sampler = TrainSampler(40, 8)
    expected = [plan.index.tolist() for plan in sampler]
    plans = iter(sampler)
    sampler.set_epoch(5)
    assert [plan.index.tolist() for plan in plans] == expected


def test_repeats_keep_the_number_of_steps_and_place_copies_apart():
    plans = list(TrainSampler(32, 8, repeats=2))
    assert len(plans) == 4
    for plan in plans:
        assert plan.index[:4].tolist() == plan.index[4:].tolist()
        assert plan.repeat.tolist() == [0] * 4 + [1] * 4
    assert len({row for plan in plans for row in plan.index.tolist()}) == 16


@given(
    size=st.integers(6, 60),
    batch=st.integers(1, 6),
    repeats=st.integers(1, 6),
    drop_last=st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_repeats_of_any_number_fill_every_batch_and_share_no_image_between_batches(size, batch, repeats, drop_last):
    repeats = min(repeats, batch)
    plain = list(TrainSampler(size, batch, drop_last=drop_last))
    plans = list(TrainSampler(size, batch, drop_last=drop_last, repeats=repeats))
    assert [len(plan.index) for plan in plans] == [len(plan.index) for plan in plain]
    seen = []
    for plan in plans:
        rows, copies = np.unique(plan.index, return_counts=True)
        assert copies.max() <= repeats
        if len(plan.index) % repeats == 0:
            assert (copies == repeats).all()
        assert len(set(zip(plan.index.tolist(), plan.repeat.tolist(), strict=True))) == len(plan.index)
        seen += rows.tolist()
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(("world", "accumulation"), [(1, 1), (2, 1), (1, 3), (2, 2)])
def test_step_counts_optimizer_steps_over_epochs(world, accumulation):
    sampler = TrainSampler(50, 12, world - 1, world, accumulation, drop_last=False, epoch=3, first=accumulation)
    assert [plan.step for plan in sampler] == [3 * 5 + step for step in range(1, 5) for _ in range(accumulation)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((100, 10, 0, 4, 1), "multiple of 4"),
        ((100, 128), "larger than the training set of 100"),
        ((100, 10, 0, 1, 1, 0, True, 0, 0, 11), r"data\.repeats is 11"),
    ],
)
def test_impossible_batches_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        TrainSampler(*arguments)


@given(size=st.integers(1, 50), batch=st.integers(1, 9), world=st.integers(1, 5))
@settings(max_examples=80, deadline=None)
def test_evaluation_counts_each_sample_once_in_equally_many_batches(size, batch, world):
    ranks = [list(EvalSampler(size, batch, rank, world)) for rank in range(world)]
    assert {len(plans) for plans in ranks} == {len(EvalSampler(size, batch, 0, world))}
    rows = [row for plans in ranks for plan in plans for row in plan.index.tolist() if row >= 0]
    assert sorted(rows) == list(range(size))
    assert max(len(plan.index) for plans in ranks for plan in plans) <= batch


@given(size=st.integers(1, 40), ranks=st.integers(1, 4), accumulation=st.integers(1, 3))
def test_neighbors_are_never_parted_and_no_sample_is_lost(size: int, ranks: int, accumulation: int) -> None:
    """Mixing pairs position 2i with 2i + 1, so both must lie in one micro-batch for any number of ranks."""
    seen: list[int] = []
    for rank in range(ranks):
        sampler = TrainSampler(size, 48 * ranks * accumulation, rank, ranks, accumulation, drop_last=False)
        for plan in sampler:
            positions = [int(p) for p, index in zip(plan.position, plan.index, strict=True) if index >= 0]
            assert all(p ^ 1 in positions or p == size - 1 for p in positions)
            seen += positions
    assert sorted(seen) == list(range(size))


def test_chunked_order_is_a_permutation_that_stays_within_a_window_of_chunks():
    sizes = [5, 3, 8, 1, 6, 4, 7]
    chunk = np.repeat(np.arange(7), sizes)
    orders = [chunked_order(sizes, generator(seed), window=3) for seed in (0, 0, 1)]
    assert orders[0].tolist() == orders[1].tolist() != orders[2].tolist()
    for order in orders:
        assert sorted(order) == list(range(34))
        seen, start = [], 0
        while start < 34:
            count = 1
            while len(set(chunk[order[start : start + count]])) < min(3, 7 - 3 * len(seen)):
                count += 1
            own = set(chunk[order[start : start + count]])
            total = sum(sizes[number] for number in own)
            assert set(chunk[order[start : start + total]]) == own
            seen.append(own)
            start += total
        assert [len(own) for own in seen] == [3, 3, 1]
    assert chunked_order([34], generator(0)).tolist() != list(range(34))
