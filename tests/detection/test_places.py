"""Paths from a folder lead back to their files."""

import os
from pathlib import Path

from lit_cnn.detection.places import place_from


def test_a_file_below_or_elsewhere_is_found_from_the_folder(tmp_path: Path) -> None:
    real = tmp_path / "far" / "away" / "set"
    real.mkdir(parents=True)
    (tmp_path / "link").symlink_to(real)
    (real / "a.png").touch()
    (tmp_path / "b.png").touch()
    for root in (real, tmp_path / "link"):
        assert place_from(root / "a.png", root) == "a.png"
        assert place_from(tmp_path / "b.png", root) == "../../../b.png"
        assert os.path.isfile(os.path.join(root, place_from(tmp_path / "b.png", root)))
