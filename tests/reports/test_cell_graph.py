"""Pictures of cells: nothing overlaps, no line passes behind a box, and every operation is named."""

import random
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from PIL import Image

from lit_cnn.reports.cell_graph import CellGraph, cells_figure, draw_cells, draw_stages

INPUTS = ("last cell", "cell before")
LONGEST = "dilated separable 3x3"
CHAIN = CellGraph("deep", INPUTS, tuple(((LONGEST, state), (LONGEST, 0)) for state in range(1, 6)), (6,))
FLAT = CellGraph("flat", INPUTS, ((("conv 1x1", 0), ("identity", 1)),) * 5, (1, 2, 3, 4, 5, 6))


def random_graph(seed: int) -> CellGraph:
    draws = random.Random(seed)
    blocks = tuple(((LONGEST, draws.randrange(b + 2)), ("identity", draws.randrange(b + 2))) for b in range(5))
    read = {source for block in blocks for _, source in block}
    return CellGraph("random", INPUTS, blocks, tuple(state for state in range(7) if state not in read))


def test_a_states_level_is_the_longest_way_to_it() -> None:
    assert [CHAIN.level(state) for state in range(7)] == [0, 0, 1, 2, 3, 4, 5]
    assert [FLAT.level(state) for state in range(7)] == [0, 0, 1, 1, 1, 1, 1]


def segments(axes: Axes) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    return [pair for line in axes.lines for pair in pairwise(zip(*line.get_data(), strict=True))]


@pytest.mark.parametrize("cells", [(CHAIN, FLAT), (random_graph(0), random_graph(1)), (random_graph(2), CHAIN)])
def test_nothing_overlaps(cells: tuple[CellGraph, CellGraph]) -> None:
    figure = cells_figure(cells, "two cells")
    figure.canvas.draw()
    texts = [text for axes in figure.axes for text in axes.texts] + list(figure.texts)
    extents = [text.get_window_extent() for text in texts]
    assert not [
        (texts[i].get_text(), texts[j].get_text())
        for i, j in combinations(range(len(texts)), 2)
        if extents[i].overlaps(extents[j])
    ]
    assert all(figure.bbox.contains(x.x0, x.y0) and figure.bbox.contains(x.x1, x.y1) for x in extents)
    for axes in figure.axes:
        boxes = [patch for patch in axes.patches if isinstance(patch, FancyBboxPatch)]
        assert not [1 for a, b in combinations(boxes, 2) if a.get_bbox().overlaps(b.get_bbox())]
        for (x0, y0), (x1, y1) in segments(axes):
            for box in boxes:
                inner = box.get_bbox().padded(-0.01)
                beyond = max(x0, x1) < inner.x0 or min(x0, x1) > inner.x1
                assert beyond or max(y0, y1) < inner.y0 or min(y0, y1) > inner.y1


def test_lines_of_different_states_never_share_a_place() -> None:
    for graph in (CHAIN, FLAT, random_graph(3)):
        (axes,) = cells_figure([graph], "one").axes
        states: dict[float, set[str]] = {}
        for line in axes.lines:
            for (x0, y0), (x1, y1) in pairwise(zip(*line.get_data(), strict=True)):
                if x0 == x1 and y0 != y1:
                    states.setdefault(x0, set()).add(line.get_color())
        assert states
        assert all(len(colors) == 1 for colors in states.values())


@pytest.mark.slow
def test_pictures_are_written_as_their_names_end(tmp_path: Path) -> None:
    svg, first, second = (draw_cells([FLAT], tmp_path / name, title="one") for name in ("a.svg", "a.png", "b.png"))
    assert svg.read_text().lstrip().startswith("<?xml")
    assert first.read_bytes() == second.read_bytes()


def test_a_column_grows_with_its_stages(tmp_path: Path) -> None:
    rows = [("stem", "16 channels"), ("MBConv6 3x3", "24 channels, 2 blocks")]
    short, long = (draw_stages(rows * n, tmp_path / f"{n}.png", title="a chain") for n in (1, 3))
    with Image.open(short) as one, Image.open(long) as three:
        assert three.width == one.width
        assert three.height > 2 * one.height
