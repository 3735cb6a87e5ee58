"""What a command may be asked for, by name: imports nothing, so that a help need not wait for torch."""

from typing import Literal, get_args

ViewKind = Literal["center", "flip", "ten", "grid", "googlenet", "multi_scale"]
VIEW_KINDS: tuple[ViewKind, ...] = get_args(ViewKind)
"""Views of an image that can be averaged (``test_time_augmentation.py``)."""
CORRUPTION_KINDS = (
    *("gaussian_noise", "shot_noise", "impulse_noise", "defocus_blur", "motion_blur", "zoom_blur", "fog"),
    *("brightness", "contrast", "saturate", "pixelate", "jpeg_compression"),
)
"""Names of the corruptions (``corruptions.py``)."""
SEVERITIES = (1, 2, 3, 4, 5)
BINS = 15
"""Confidence bins of a calibration."""
TOP_K = 5
"""Classes of a prediction, where there are as many."""
