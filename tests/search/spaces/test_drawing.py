"""The candidates of every space are drawn, and others are refused."""

from pathlib import Path

import pytest

from lit_cnn.reports import cell_graph
from lit_cnn.search.spaces import drawing
from lit_cnn.search.spaces.blocks import BlockSpace
from lit_cnn.search.spaces.cells import CellSpace
from lit_cnn.search.spaces.macro import MacroSpace
from lit_cnn.search.spaces.space import Candidate, SearchSpace


@pytest.mark.parametrize("space", [CellSpace(blocks=1), MacroSpace(), BlockSpace()])
def test_candidates_of_all_spaces_are_drawn(space: SearchSpace, tmp_path: Path) -> None:
    candidate = space.candidate(tuple(len(decision.options) - 1 for decision in space.decisions))
    out = drawing.draw_candidate(candidate, tmp_path / "cell.svg", title="one")
    assert out.stat().st_size > 1000


def test_a_cell_is_drawn_with_the_names_and_states_of_its_text() -> None:
    graph = drawing.cell_graph("normal cell", "separable_5x5@0 + identity@1; max_pool_3x3@2 + conv_1x7_7x1@0 > 1 3")
    assert graph == cell_graph.CellGraph(
        "normal cell",
        drawing.INPUTS,
        ((("separable 5x5", 0), ("identity", 1)), (("max pool 3x3", 2), ("conv 1x7 7x1", 0))),
        (1, 3),
    )


def test_stages_are_named_with_stem_and_head(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {}
    monkeypatch.setattr(drawing, "draw_stages", lambda rows, _, title: found.update({title: rows}))
    stages = "identity s2 c64 n1; fused e4 k3 s1 c64 n2 skip=none; mbconv e6 k5 s2 c96 n1 se0.25"
    chain = Candidate("mbconv_chain", {"stages": stages, "stem": "small"})
    drawing.draw_candidate(chain, Path("unused.png"), title="chain")
    assert found["chain"] == [
        ("3x3 stem", "32 channels"),
        ("identity", "64 channels, stride 2"),
        ("Fused-MBConv4 3x3, no skip", "64 channels, 2 blocks"),
        ("MBConv6 5x5, SE 0.25", "96 channels, stride 2"),
        ("1x1", "1280 channels"),
        ("global average pool, linear", ""),
    ]
    blocks = Candidate("block_network", {"blocks": "plain c16 n2", "stem": "imagenet"})
    drawing.draw_candidate(blocks, Path("unused.png"), title="blocks")
    assert found["blocks"][:2] == [
        ("7x7 stem and max pool", "16 channels, stride 4"),
        ("plain", "16 channels, 2 blocks"),
    ]


def test_a_fixed_network_is_refused() -> None:
    with pytest.raises(ValueError, match="resnet18 cannot be drawn: only the networks of search spaces can"):
        drawing.draw_candidate(Candidate("resnet18", {}), Path("unused.png"), title="one")
