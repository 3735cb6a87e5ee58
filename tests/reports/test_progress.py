"""Progress by year: every point with its name, on the side of its kind, none over another of the same year."""

import pytest

from lit_cnn.reports.progress import Milestone, progress_figure

MILESTONES = [
    Milestone("first", 2012, 18.0, "one"),
    Milestone("second", 2014, 7.0, "one"),
    Milestone("third", 2014, 6.9, "one"),
    Milestone("voting", 2014, 3.0, "several"),
]


def test_every_point_has_its_name_on_the_side_of_its_kind() -> None:
    axes = progress_figure(MILESTONES, "error (%)").axes[0]
    sides = {text.get_text(): text.get_ha() for text in axes.texts}
    assert sides == {"first": "left", "second": "left", "third": "left", "voting": "right"}
    assert axes.get_ylabel() == "error (%)"


def test_names_of_one_year_keep_apart() -> None:
    heights = {text.get_text(): text.get_position()[1] for text in progress_figure(MILESTONES, "e").axes[0].texts}
    assert heights["third"] == 6.9
    assert heights["second"] >= 1.08 * 6.9


def test_years_are_whole_and_all_points_within() -> None:
    axes = progress_figure(MILESTONES, "e").axes[0]
    assert axes.get_xlim()[0] < 2012
    assert axes.get_xlim()[1] > 2014
    assert axes.get_ylim()[0] < 3.0
    assert axes.get_ylim()[1] > 18.0


@pytest.mark.parametrize("milestones", [[], [Milestone("a", 2000, 1, str(kind)) for kind in range(3)]])
def test_no_kind_and_three_kinds_are_refused(milestones: list[Milestone]) -> None:
    with pytest.raises(ValueError, match="one or two kinds"):
        progress_figure(milestones, "e")
