"""What is asked of torchmetrics that it does not document: an upgrade of torchmetrics is adapted to here."""

import importlib
import sys
from typing import Any

UNUSED = ("scipy", "matplotlib")
"""Libraries that torchmetrics imports where they are installed, for metrics of sound and for plots."""


def import_lightly() -> None:
    """Import torchmetrics, which Lightning needs, as if SciPy and Matplotlib were not installed.

    They take a third of the processor time in which a command starts. In this process torchmetrics' own plots then say
    that Matplotlib is missing; both libraries can be imported as ever. Nothing happens where torchmetrics is imported
    already.
    """
    if "torchmetrics" in sys.modules:
        return
    imports: Any = importlib.import_module("lightning_utilities.core.imports")
    requirement: Any = imports.RequirementCache
    found, check = imports.package_available, requirement._check_requirement

    def package_available(package_name: str) -> bool:
        return package_name not in UNUSED and found(package_name)

    def check_requirement(self: Any) -> None:
        if self.requirement.partition(">")[0] in UNUSED:
            self.available, self.message = False, f"{self.requirement} is not imported by the commands of lit-cnn"
        else:
            check(self)

    imports.package_available, requirement._check_requirement = package_available, check_requirement
    try:
        importlib.import_module("torchmetrics")
    finally:
        imports.package_available, requirement._check_requirement = found, check
