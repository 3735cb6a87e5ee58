"""``lit-cnn pull SOURCE``: a folder or repository in timm's layout as a checkpoint for every command.

Only safetensors are read, no pickle. What lit-cnn push wrote is restored exactly.
"""

from pathlib import Path

from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, say
from lit_cnn.cli.outputs import chosen_output, require_writable


def run(arguments: list[str]) -> int:
    options = make_parser().parse_args(arguments)
    folder = Path(options.source.removeprefix("local-dir:")).expanduser()
    place = chosen_output(options.out, Path(f"{folder.resolve().name}.ckpt"), folder.glob("*"))
    require_writable("--out", place)
    from lit_cnn.handover.publishing import pull

    done = pull(options.source)
    done.save(place)
    for note in done.notes:
        say(note, stderr=True)
    if options.json:
        kept = {name: value for name, value in done.checkpoint.items() if name not in ("state_dict", "class_names")}
        print(as_json({"checkpoint": str(place), **kept}))
        return 0
    described, provenance = done.checkpoint["network"], done.checkpoint["provenance"]
    chosen = "".join(f", {name}={value}" for name, value in described["options"].items())
    classes = f"{described['num_classes']} classes, license {provenance['license']}"
    say(f"{described['architecture']}{chosen}, {classes}")
    if done.proof.status == "unproven":
        say(f"warning: {done.proof.sentence}", stderr=True)
    else:
        say(done.proof.sentence)
    say(f"checkpoint: {place}")
    return 0


def make_parser() -> CommandParser:
    parser = CommandParser("lit-cnn pull", __doc__, example="lit-cnn pull my_model --out model.ckpt")
    parser.add_argument("source", metavar="SOURCE", help="a folder, or hf-hub:USER/REPO")
    parser.add_argument("--out", type=Path, metavar="CKPT", help="where to write (default: NAME.ckpt here, if new)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser
