"""The picture of a candidate: what its options state, handed to the reports as plain data."""

from collections.abc import Mapping
from pathlib import Path

from lit_cnn.architectures.block_text import parse_blocks
from lit_cnn.architectures.catalog import find_entry
from lit_cnn.architectures.cell_text import parse_cell
from lit_cnn.architectures.chain_text import parse_chain
from lit_cnn.architectures.entry import Value
from lit_cnn.architectures.layers.mbconv import Stage
from lit_cnn.reports.cell_graph import CellGraph, Half, draw_cells, draw_stages
from lit_cnn.search.spaces.space import Candidate

INPUTS = ("last cell", "cell before")
"""What states 0 and 1 are."""


def draw_candidate(candidate: Candidate, out: Path, *, title: str) -> Path:
    """Draw the two cells, or the stages, of a network of a search space.

    Args:
        candidate: Of any space; what its options leave out is the network's default.
        out: The picture, by the ending of its name .svg, .pdf or else PNG; parent folders are made.
        title: What stands above it.

    Returns:
        ``out``.

    Raises:
        ValueError: If the network is not one whose cells or stages are stated as text.
    """
    options = {**find_entry(candidate.architecture).option_defaults(), **candidate.options}
    if candidate.architecture == "cell_network":
        cells = [cell_graph(f"{name} cell", str(options[name])) for name in ("normal", "reduction")]
        return draw_cells(cells, out, title=title)
    if candidate.architecture == "mbconv_chain":
        return draw_stages(_chain_rows(options), out, title=title)
    if candidate.architecture == "block_network":
        return draw_stages(_block_rows(options), out, title=title)
    raise ValueError(
        f"{candidate.architecture} cannot be drawn: only the networks of search spaces can, cell_network, mbconv_chain "
        "and block_network"
    )


def cell_graph(title: str, text: str) -> CellGraph:
    """A cell's text as what is drawn."""
    genome = parse_cell(text)
    blocks = tuple(
        (_half(first, first_input), _half(second, second_input))
        for first, first_input, second, second_input in genome.blocks
    )
    return CellGraph(title, INPUTS, blocks, genome.concat)


def _half(operation: str, state: int) -> Half:
    return operation.replace("_", " "), state


def _chain_rows(options: Mapping[str, Value]) -> list[tuple[str, str]]:
    stages = parse_chain(str(options["stages"]))
    stem = _size(int(options["stem_width"]), 1 if options["stem"] == "small" else 2, 1)  # type: ignore[arg-type]
    rows = [(_chain_name(row), _size(row.width, row.stride, row.depth)) for row in stages]
    last = _size(int(options["final_width"]), 1, 1)  # type: ignore[arg-type]
    return [("3x3 stem", stem), *rows, ("1x1", last), ("global average pool, linear", "")]


def _chain_name(row: Stage) -> str:
    if row.block == "identity":
        return "identity"
    kind = "Fused-MBConv" if row.block == "fused" else "MBConv"
    squeeze = f", SE {row.squeeze:g}" if row.squeeze > 0 else ""
    skip = {"identity": "", "none": ", no skip", "pool": ", pool skip"}[row.skip]
    return f"{kind}{row.expansion} {row.kernel}x{row.kernel}{squeeze}{skip}"


def _block_rows(options: Mapping[str, Value]) -> list[tuple[str, str]]:
    stages = parse_blocks(str(options["blocks"]))
    stem = ("3x3 stem", _size(stages[0].width, 1, 1))
    if options["stem"] == "imagenet":
        stem = ("7x7 stem and max pool", _size(stages[0].width, 4, 1))
    rows = [(row.kind, _size(row.width, row.stride, row.depth)) for row in stages]
    return [stem, *rows, ("global average pool, linear", "")]


def _size(width: int, stride: int, depth: int) -> str:
    blocks = f", {depth} blocks" if depth > 1 else ""
    return f"{width} channels{blocks}{f', stride {stride}' if stride > 1 else ''}"
