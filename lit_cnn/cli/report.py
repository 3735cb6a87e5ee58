"""``lit-cnn report RUN…``: one page of a run to hand over, in one HTML file without scripts.

What was trained and what it changed of its recipe, curves, results with intervals, confusion, classes, calibration, the
worst images, what the network looks at and costs, data, environment, and the commands to repeat it. Of several runs the
page compares the seeds of equal settings, and shows the best run in full. Images that are no longer where they were are
left out, and the page says so; --data names their new place.
"""

import datetime
from dataclasses import replace
from pathlib import Path

from lit_cnn.cli.checkpoint_arguments import add_network_arguments, add_split_argument
from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import progress, say
from lit_cnn.cli.outputs import require_writable

ENDINGS = (".html", ".htm")


def run(arguments: list[str]) -> int:
    options = make_parser().parse_args(arguments)
    require_writable("--out", options.out, ENDINGS)
    from lit_cnn.evaluation.run_records import find_runs, read_run
    from lit_cnn.handover.explained import explain_worst
    from lit_cnn.handover.facts import Wanted, gather
    from lit_cnn.handover.page import report_html
    from lit_cnn.handover.runs_part import shown_run
    from lit_cnn.run_folder.atomic import replacing

    chosen = shown_run(find_runs(options.runs))
    images = ((read_run(chosen.folder).data_set or {}).get("images") or {}).get(options.split)
    with progress(f"asking the network of {chosen.folder}", images if options.data is None else None) as advance:
        wanted = Wanted(
            data=options.data,
            split=options.split,
            weights=options.weights,
            trust=tuple(options.trust),
            pixels=not options.no_images,
            speed=not options.no_speed,
            explain=explain_worst,
            advance=advance,
        )
        report = gather(chosen.folder, wanted)
        report = replace(report, missing=(*chosen.left_out, *report.missing))
        html = report_html(report, chosen.comparison, _made())
    with replacing(options.out) as partial:
        partial.write_text(html, encoding="utf-8")
    for sentence in report.missing:
        say(sentence, stderr=True)
    say(f"{options.out} ({len(html.encode()) / 1e6:.2f} MB)")
    return 0


def make_parser() -> CommandParser:
    example = "lit-cnn report runs/folder/TIME-ID --out report.html"
    parser = CommandParser("lit-cnn report", __doc__, example=example)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folders, folders of runs, or patterns")
    parser.add_argument(
        "--out", type=lambda text: Path(text).expanduser(), default=Path("report.html"), metavar="FILE",
        help="the page (default %(default)s)",
    )  # fmt: skip
    parser.add_argument("--data", metavar="PATH", help="where the images are now, or other images of the same classes")
    add_split_argument(parser)
    parser.add_argument("--no-images", action="store_true", help="show no images, only their names")
    parser.add_argument("--no-speed", action="store_true", help="do not measure the latency here")
    add_network_arguments(parser)
    return parser


def _made() -> str:
    from lit_cnn import __version__

    return f"page of lit-cnn {__version__}, {datetime.date.today().isoformat()}"
