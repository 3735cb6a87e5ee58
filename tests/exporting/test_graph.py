"""What is traced: the folded network, with sizes that may vary."""

from pathlib import Path

import pytest
import torch
from exported_run import untrained
from torch import nn

from lit_cnn.exporting.graph import GraphForm, traceable
from lit_cnn.exporting.preprocessed import PreprocessedNetwork


def test_batch_norms_are_folded_and_the_network_is_not_changed(tmp_path: Path) -> None:
    trained = untrained(tmp_path)
    inputs = torch.randn(2, 3, 16, 16)
    traced = traceable(trained, GraphForm(with_preprocessing=False))
    assert not [layer for layer in traced.module.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert [layer for layer in trained.network.modules() if isinstance(layer, nn.BatchNorm2d)]
    torch.testing.assert_close(traced.module(inputs), trained.network(inputs), rtol=1e-4, atol=1e-5)


def test_the_forms_differ_in_input_and_axes(tmp_path: Path) -> None:
    trained = untrained(tmp_path)
    whole = traceable(trained, GraphForm())
    assert isinstance(whole.module, PreprocessedNetwork)
    assert (whole.example.dtype, whole.example.shape[3], list(whole.axes)) == (torch.uint8, 3, [0, 1, 2])
    fixed = traceable(trained, GraphForm(batch=4))
    assert (len(fixed.example), list(fixed.axes)) == (4, [1, 2])
    crops = traceable(trained, GraphForm(with_preprocessing=False, batch=1))
    assert (tuple(crops.example.shape), crops.axes) == ((1, 3, 16, 16), {})


def test_a_batch_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="the batch is 0 but must be at least 1"):
        GraphForm(batch=0)
