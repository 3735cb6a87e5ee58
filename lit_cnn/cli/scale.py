"""``lit-cnn scale``: a network of the catalog made larger or smaller, next to itself, and as a recipe.

    lit-cnn scale efficientnet_b0 --phi 1             EfficientNet's formula: alpha^phi, beta^phi, gamma^phi
    lit-cnn scale efficientnet_b0 --like efficientnet_b3                 the multipliers that were released
    lit-cnn scale mobilenet_v2 --width 1.4 --depth 1.2 --resolution 1.1  one's own
    lit-cnn scale resnet50 --rule depth --madds-times 4                  one rule at a multiple of the multiply-adds
    lit-cnn scale efficientnet_b0 --table             the formula next to B1 to B7, which do not follow from it
    lit-cnn scale cifar_resnet20 --grid               search alpha, beta and gamma by training each candidate

``--out FILE`` writes the recipe of the network's family, or of ``--config``, with the scaled network. The grid runs as
a sweep: the same command continues it after any interruption, or joins it; ``--key value`` changes its recipe.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, say
from lit_cnn.cli.outputs import add_output, require_writable
from lit_cnn.cli.tables import Column, Table, add_form_arguments, print_tables

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.architectures.scaling import DepthRounding
    from lit_cnn.search.scaling.networks import Base, ScaledNetwork
    from lit_cnn.search.scaling.rules import Coefficients

RULES = ("compound", "depth", "width", "resolution", "width_first")
FACTORS = ("width", "depth", "resolution")


def run(arguments: list[str]) -> int:
    parser = make_parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and not options.grid:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    check_modes(parser, options)
    if options.out:
        require_writable("--out", options.out, (".yaml", ".yml"))
    if options.grid:
        from lit_cnn.cli.scale_grid import run_grid

        return run_grid(options, rest)
    base = base_of(options)
    if options.table:
        return print_phi_table(options, base)
    network = scaled(options, base)
    if options.out:
        from lit_cnn.search.scaling.recipes import family_recipe, write_recipe

        write_recipe(network, options.config or [family_recipe(options.name)], options.out)
    if options.json:
        print(as_json(as_object(network)))
    else:
        print_tables([stages_table(network)], in_markdown=options.markdown)
    if options.out:
        say(f"recipe: {options.out}", stderr=options.json or options.markdown)
    return 0


def make_parser() -> CommandParser:
    parser = CommandParser(
        prog="lit-cnn scale", description=__doc__, example="lit-cnn scale efficientnet_b0 --phi 1 --out scaled.yaml"
    )
    parser.add_argument("name", metavar="NAME", help="a MobileNet, ResNet or EfficientNet of the catalog")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--phi", type=float, help="the compound coefficient")
    mode.add_argument("--like", metavar="RELEASED", help="the multipliers of a released network: efficientnet_b3")
    mode.add_argument("--rule", choices=RULES, help="what grows, to --madds-times the multiply-adds")
    mode.add_argument("--table", action="store_true", help="the formula at phi 0.5 to 7, next to what was released")
    mode.add_argument("--grid", action="store_true", help="train a grid of alpha, beta and gamma, and rank them")
    for name in FACTORS:
        parser.add_argument(
            f"--{name}", type=float, help=f"multiplies the {name}" + (" in px" * (name == "resolution"))
        )
    for name, value, scaled in (("alpha", 1.2, "depth"), ("beta", 1.1, "width"), ("gamma", 1.15, "resolution")):
        parser.add_argument(f"--{name}", type=float, default=value, help=f"growth of the {scaled} from phi to phi + 1")
    parser.add_argument("--madds-times", type=float, metavar="TIMES", help="wanted multiple of the multiply-adds")
    parser.add_argument(
        "--depth-rounding",
        choices=("up", "nearest"),
        help="how scaled numbers of blocks become whole: up as in EfficientNet's code, nearest as in pycls, which is "
        "the default of width_first; else as the base's recipe says, up where it does not",
    )
    parser.add_argument("--config", action="append", default=[], metavar="RECIPE", help="the base's recipe; repeatable")
    add_output(parser, "--out", "write the recipe of the scaled network, for lit-cnn fit")
    add_grid_arguments(parser)
    add_form_arguments(parser, "an object, or a list of several")
    return parser


def add_grid_arguments(parser: CommandParser) -> None:
    parser.add_argument("--step", type=float, default=0.1, help="of the grid; the paper does not state its own")
    parser.add_argument("--tolerance", type=float, default=0.05, help="share by which a product may differ from 2")
    parser.add_argument("--seeds", type=int, help="train each candidate with so many seeds and compare the means")
    parser.add_argument("--metric", help="by which candidates are ranked; the recipe's monitor if left out")
    parser.add_argument("--sweep-dir", type=Path, help="folder of the grid's runs; sweeps/scale_NAME if left out")
    parser.add_argument("--report", action="store_true", help="train nothing, print the candidates and their results")


def check_modes(parser: CommandParser, options: argparse.Namespace) -> None:
    """Refuse a command line that does not say what to do, or says it twice."""
    stated = [f"--{name}" for name in FACTORS if getattr(options, name) is not None]
    modes = [f"--{name}" for name in ("phi", "like", "rule") if getattr(options, name) is not None]
    modes += [f"--{name}" for name in ("table", "grid") if getattr(options, name)]
    if not stated and not modes:
        parser.error(
            "state how to scale: --phi, --like, --rule, --width, --depth or --resolution; or --table or --grid"
        )
    if stated and modes:
        parser.error(f"argument {stated[0]}: not allowed with argument {modes[0]}")
    if (options.rule is None) != (options.madds_times is None):
        parser.error("--rule and --madds-times go together, as in --rule depth --madds-times 4")
    if options.out and (options.table or options.grid):
        parser.error("--out writes one scaled network: leave it out, or state the network by --phi or factors")


def base_of(options: argparse.Namespace) -> Base:
    """The network that is scaled: the catalog's, or the recipe's."""
    from lit_cnn.search.scaling import recipes
    from lit_cnn.search.scaling.networks import Base

    if not options.config:
        return Base(options.name)
    return recipes.base_of(options.name, recipes.read_recipes(options.config))


def coefficients_of(options: argparse.Namespace) -> Coefficients:
    from lit_cnn.search.scaling.rules import Coefficients

    return Coefficients(options.alpha, options.beta, options.gamma)


def scaled(options: argparse.Namespace, base: Base) -> ScaledNetwork:
    """The network that the command line asks for."""
    from lit_cnn.search.scaling.networks import at_madds
    from lit_cnn.search.scaling.released import released_factors
    from lit_cnn.search.scaling.rules import Factors, compound

    rounding: DepthRounding | None = options.depth_rounding or ("nearest" if options.rule == "width_first" else None)
    if options.rule:
        coefficients = coefficients_of(options)
        return at_madds(base, options.rule, options.madds_times, coefficients=coefficients, rounding=rounding)
    if options.phi is not None:
        factors = compound(options.phi, coefficients_of(options))
    elif options.like is not None:
        factors = released_factors(options.like)
    else:
        factors = Factors(*(1.0 if getattr(options, name) is None else getattr(options, name) for name in FACTORS))
    return base.scaled(factors, rounding)


def as_object(network: ScaledNetwork) -> dict[str, Any]:
    scaling = {"factors": network.factors._asdict(), "depth_rounding": network.rounding, "options": network.options}
    stages = [
        {"name": stage.name, "shape": stage.shape, "params": stage.params, "madds": stage.madds}
        for stage in network.count().stages
    ]
    sizes = {"madds_times": network.times, **sizes_of(network), "stages": stages}
    return {"name": network.base.name, **scaling, **sizes, "base": sizes_of(network.base.scaled())}


def sizes_of(network: ScaledNetwork) -> dict[str, Any]:
    counts = {name: getattr(network, name) for name in ("image_size", "params", "madds")}
    return {**counts, "blocks": network.blocks()}


def stages_table(network: ScaledNetwork) -> Table:
    """The scaled network's stages next to the base's."""
    from lit_cnn.search.scaling.recipes import described

    base = network.base.scaled()
    counts, blocks = (base.count(), network.count()), (base.blocks(), network.blocks())
    rows = []
    for before, after in zip(*(count.stages for count in counts), strict=True):
        numbers = [f"{count[after.name]}" if count.get(after.name) else "–" for count in blocks]
        numbers += [" × ".join(map(str, stage.shape)) for stage in (before, after)]
        numbers += [f"{getattr(stage, name):,}" for name in ("params", "madds") for stage in (before, after)]
        rows.append([after.name, *numbers])
    columns = [Column("stage", "name"), Column("blocks before", rank=3), Column("blocks")]
    columns += [Column("output before", rank=4), Column("output", rank=1), Column("parameters before", rank=6)]
    columns += [Column("parameters"), Column("multiply-adds before", rank=5), Column("multiply-adds")]
    total = ["total", "", "", f"{base.image_size} px", f"{network.image_size} px", f"{base.params:,}"]
    total += [f"{network.params:,}", f"{base.madds:,}", f"{network.madds:,}"]
    return Table(
        columns,
        rows,
        title=f"{network.base.name}: {described(network)}",
        totals=[total],
        notes=[
            f"{network.times:.2f} times the multiply-adds; depth · width² · resolution² before rounding is "
            f"{network.factors.madds:.2f}"
        ],
    )


def print_phi_table(options: argparse.Namespace, base: Base) -> int:
    from lit_cnn.search.scaling.recipes import ROUNDED
    from lit_cnn.search.scaling.released import phi_table

    rows = phi_table(base, coefficients_of(options), rounding=options.depth_rounding)
    if options.json:
        print(as_json([phi_object(row) for row in rows]))
        return 0
    columns = [Column("phi"), Column("width", rank=5), Column("depth", rank=5), Column("px"), Column("parameters")]
    columns += [Column("madds (M)", rank=3)]
    has_released = any(row.released for row in rows)
    if has_released:
        columns += [Column("released", "name"), Column("its width", rank=4), Column("its depth", rank=4)]
        columns += [Column("its px", rank=1), Column("its parameters"), Column("its madds (M)", rank=3)]
        columns += [Column(f"phi of {name}", rank=2) for name in ("width", "depth", "px")]
    cells = [phi_cells(row)[: len(columns)] for row in rows]
    notes = [
        f"alpha {options.alpha:g}, beta {options.beta:g}, gamma {options.gamma:g}; blocks are rounded "
        f"{ROUNDED[rows[0].formula.rounding]}, widths to multiples of 8 (of CIFAR's ResNets: to whole channels), px to "
        "the nearest"
    ]
    if has_released:
        notes.append(
            "phi of width, depth and px: at which phi the formula gives what was released. Only B2 is on it; the "
            "others come from a table of the released code, which --like reproduces."
        )
    print_tables([Table(columns, cells, title=f"{base.name} by alpha^phi", notes=notes)], in_markdown=options.markdown)
    return 0


def phi_cells(row: Any) -> list[str]:
    width, depth, _ = row.formula.factors
    cells = [f"{row.phi:g}", f"{width:.3f}", f"{depth:.3f}", f"{row.formula.image_size}", f"{row.formula.params:,}"]
    cells.append(f"{row.formula.madds / 1e6:,.0f}")
    if row.released is None:
        return cells + ["–"] * 9
    factors, entry = row.released_factors, row.released
    cells += [entry.name.removeprefix("efficientnet_"), f"{factors.width:.1f}", f"{factors.depth:.1f}"]
    cells += [f"{entry.image_size}", f"{entry.params:,}", f"{entry.madds / 1e6:,.0f}"]
    return cells + [f"{phi:.2f}" for phi in row.implied]


def phi_object(row: Any) -> dict[str, Any]:
    formula = {"factors": row.formula.factors._asdict(), "image_size": row.formula.image_size}
    formula |= {"params": row.formula.params, "madds": row.formula.madds}
    if row.released is None:
        return {"phi": row.phi, "formula": formula, "released": None}
    entry = row.released
    released = {"name": entry.name, "factors": row.released_factors._asdict(), "image_size": entry.image_size}
    released |= {"params": entry.params, "madds": entry.madds, "implied_phi": row.implied._asdict()}
    return {"phi": row.phi, "formula": formula, "released": released}
