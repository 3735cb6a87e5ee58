"""Hostile and broken input, case by case: what is given, and what lit-cnn says.

    python tests/cli/bad_input.py > docs/guides/reliability.md

runs every case and writes the page; the tests run the same cases and hold the page to them.
"""

import contextlib
import io
import os
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from bad_case import Case, file_rights, make_images
from bad_checkpoints import CHECKPOINTS, FILES
from bad_checks import CHECKS
from bad_holdout import HOLD_OUT
from bad_images import IMAGES
from bad_recipes import DATA, RECIPES
from bad_sources import SOURCES
from bad_weights import WEIGHTS

from lit_cnn.cli.main import main
from lit_cnn.data.loading.fingerprints import SAMPLE
from lit_cnn.data.loading.resuming import VAL_SAMPLE

CASES = [*IMAGES, *DATA, *SOURCES, *HOLD_OUT, *CHECKS, *RECIPES, *CHECKPOINTS, *WEIGHTS, *FILES]


def answer(case: Case, folder: Path) -> tuple[int, str, str]:
    """Run a case in ``folder``: exit code, the sentence (or "works"), and all that was printed."""
    make_images(folder)
    out, error = io.StringIO(), io.StringIO()
    before = Path.cwd()
    os.chdir(folder)
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(mock.patch.dict(os.environ))
            arguments = case.arguments(folder)
            stack.enter_context(contextlib.redirect_stdout(out))
            stack.enter_context(contextlib.redirect_stderr(error))
            if case.rights:
                stack.enter_context(file_rights())
            code = main(arguments)
    finally:
        os.chdir(before)
    said = [line for line in error.getvalue().splitlines() if line.startswith("lit-cnn: ")]
    if arguments[0] == "check":
        said += [line for line in out.getvalue().splitlines() if line.startswith(("error ", "warning "))]
    text = "\n".join(re.sub(r"^(lit-cnn:|error|warning) +", "", line) for line in said) or "works"
    text = re.sub(r"\d{8}-\d{6}-[0-9a-f]{6}", "TIME-ID", text.replace(str(folder), "PATH"))
    return code, text, out.getvalue() + error.getvalue()


PAGE = f"""# Error handling for corrupt and malicious input

Every row is a test (`tests/cli/test_bad_input.py`); this page is written by `python tests/cli/bad_input.py`. PATH
stands for the folder of the case, TIME-ID for a run's name. "works" means exit code 0 and a prediction or a trained
network. `LIT_CNN_DEBUG=1` adds the traceback.

A broken training image ends a run and is named; with `data.on_error: skip` it is left out of losses and metrics, and
every epoch's line counts those left out; the commands that evaluate a checkpoint leave it out too and say so on stderr,
or where `--skip-broken` says so. `lit-cnn predict` goes on past broken files and names them at the end. `lit-cnn check`
finds broken files, wrong labels, duplicates and accidents before a run does (see [data.md](data.md#checking)); it exits
with 1 on errors, with `--strict` also on warnings.

A resumed run is refused where the data set has another number of images, images of other names or other classes than
its checkpoint records, since order and held-out images would be others, and where files have another size in bytes (of
at most {SAMPLE:,} training and {VAL_SAMPLE:,} validation files, which are chosen by a hash of their names). So do not
remove or replace a file that stopped a run: `lit-cnn fit --resume last --data.on_error skip` goes on without it.
`trainer.accumulate_grad_batches` may change between epochs, not inside one.

Gradients that overflow in float16 (`trainer.precision: 16-mixed`) do not end a run: the step is skipped and the loss
scale halved. The step counts, so data and learning rate move on and the run ends where its schedule does; weights,
optimizer and averaged weights stay. The scale is in the checkpoint. A loss that is not finite ends the run.
"""


def page() -> str:
    """The page as Markdown."""
    lines, group = [PAGE], ""
    for case in CASES:
        if case.group != group:
            group = case.group
            lines += [f"\n## {group.capitalize()}\n", "| input | exit code | answer |", "| --- | ---: | --- |"]
        with TemporaryDirectory() as folder:
            code, text, _ = answer(case, Path(folder).resolve())
        lines.append(f"| {case.name} | {code} | {text.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
