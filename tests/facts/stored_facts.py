"""The facts of papers and reference implementations that tests compare with, as README.md beside this file tells."""

import functools
import json
from pathlib import Path
from typing import Any


@functools.cache
def stored_facts(name: str) -> Any:
    """The content of ``<name>.json`` (architectures, recipes, claims, detection), one object for all callers: do not
    change it.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    return json.loads((Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8"))
