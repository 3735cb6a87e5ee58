"""Where the data goes on; every way to interrupt a fit is tried in test_module.py."""

from lit_cnn.data.resuming import progress


def test_without_a_trainer_the_data_begins_at_the_start():
    assert progress(None) == (0, 0)
