"""Networks by the names that tables show."""

import difflib
from collections.abc import Sequence

from lit_cnn.search.findings import Found


def named_network(found: Sequence[Found], name: str) -> Found:
    """The network whose six letters are ``name``, of several trainings the best.

    Raises:
        ValueError: If there is none, naming the nearest.
    """
    for one in found:
        if one.name == name:
            return one
    names = [one.name for one in found]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the best is {names[0]}"
    raise ValueError(f"the search has no network {name!r}; {hint}")
