"""Imports point down only, and heavy libraries stay in the rooms that may use them."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "lit_cnn"
GROUND = {
    "allocation",
    "printable",
    "private_paths",
    "randomness",
    "tracking",
    "reports",
    "run_folder",
    "lightning_internals",
    "torch_internals",
    "torchmetrics_internals",
    "upload",
}
TRAINING = {"training", "data", "architectures", *GROUND}
EXPERIMENT = {"experiment", "detection", "pretrained", "profiling", *TRAINING}
BELOW = {
    "allocation": set(),
    "printable": set(),
    "private_paths": set(),
    "randomness": set(),
    "tracking": {"printable", "randomness"},
    "reports": {"printable", "run_folder"},
    "run_folder": set(),
    "lightning_internals": set(),
    "torch_internals": set(),
    "torchmetrics_internals": set(),
    "upload": set(),
    "architectures": {"randomness", "torch_internals", "upload"},
    "data": {"printable", "randomness", "lightning_internals", "upload"},
    "training": TRAINING,
    "pretrained": TRAINING,
    "profiling": TRAINING,
    "detection": TRAINING,
    "experiment": {"detection", "pretrained", *TRAINING},
    "evaluation": EXPERIMENT,
    "exporting": {"evaluation", *EXPERIMENT},
    "benchmarking": EXPERIMENT,
    "explanations": {"evaluation", *EXPERIMENT},
    "sweeps": EXPERIMENT,
    "handover": {"explanations", "exporting", "evaluation", *EXPERIMENT},
    "claims": {"search", "sweeps", "benchmarking", "exporting", "explanations", "evaluation", *EXPERIMENT},
    "choosing": {"search", "sweeps", "benchmarking", "exporting", "evaluation", *EXPERIMENT},
    "search": {"sweeps", "benchmarking", "exporting", "evaluation", *EXPERIMENT},
}
"""What each room may import beside itself; ``cli`` may import everything."""
ONLY = {"timm": {"pretrained/sources.py"}, "wandb": {"tracking"}, "optuna": {"sweeps"}}
"""The room, or the one file, in which a library may be imported."""


@functools.cache
def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_arrows_point_down() -> None:
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room not in BELOW:
            continue
        for name in imports(path):
            target = name.split(".")[1] if name.startswith("lit_cnn.") else None
            if target and target != room and target not in BELOW[room]:
                wrong.append(f"{path.relative_to(PACKAGE)} imports {name}")
    assert not wrong


def test_libraries_stay_in_their_rooms() -> None:
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        place = path.relative_to(PACKAGE).as_posix()
        room = place.split("/")[0].removesuffix(".py")
        for name in imports(path):
            if not {room, place} & ONLY.get(name.split(".")[0], {room}):
                wrong.append(f"{place} imports {name}")
    assert not wrong


def test_create_model_needs_torch_alone() -> None:
    program = (
        "import sys, lit_cnn; lit_cnn.list_models();"
        "heavy = {'lightning', 'torchvision', 'timm', 'wandb', 'sklearn', 'matplotlib', 'jsonargparse'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
