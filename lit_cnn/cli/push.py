"""``lit-cnn push CKPT DEST``: a checkpoint as a folder in timm's layout with a model card, on disk or on the hub."""

from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, say


def run(arguments: list[str]) -> int:
    """Exit code 0 also where timm cannot load the folder, which is said."""
    options = make_parser().parse_args(arguments)
    from lit_cnn.handover.publishing import push

    done = push(
        options.checkpoint,
        options.destination,
        weights=options.weights,
        license_name=options.license,
        private=options.private,
    )
    if done.warning is not None:
        say(done.warning, stderr=True)
    if options.json:
        print(as_json(done.as_dict()))
        return 0
    written = done.written
    if written.timm_name is None:
        say(f"timm cannot load it ({written.reason}); lit-cnn pull can")
    else:
        say(f"timm loads it as {written.timm_name} (relative difference of the logits {written.difference:.1e})")
    say(f"license {done.license}; files: {', '.join(done.files)}")
    say(f"pushed: {done.place}")
    return 0


def make_parser() -> CommandParser:
    parser = CommandParser(
        "lit-cnn push", __doc__, example="lit-cnn push runs/folder/RUN my_model --license apache-2.0"
    )
    parser.add_argument("checkpoint", metavar="CKPT", help="a checkpoint, a run folder, or timm:NAME.TAG")
    parser.add_argument("destination", metavar="DEST", help="a new folder, or hf-hub:USER/REPO")
    parser.add_argument("--license", metavar="NAME", help="of the weights (default: that of those they come from)")
    parser.add_argument("--weights", choices=["ema", "raw"], default="ema", help="averaged weights where kept, or raw")
    parser.add_argument("--private", action="store_true", help="a repository that only its owner sees")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser
