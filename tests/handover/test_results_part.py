"""What a page says of results that a run recorded."""

from pathlib import Path

import pytest
from html_checks import PageReader
from made_runs import make_run

from lit_cnn.handover.facts import RunReport
from lit_cnn.handover.results_part import results_sections
from lit_cnn.handover.run_files import run_files
from lit_cnn.reports.html_page import Page, render


@pytest.mark.parametrize(("limit", "interval"), [(1.0, "48.1 to 85.5 %"), (1, "–"), (0.5, "–"), (3, "–")])
def test_an_interval_needs_the_number_of_images(tmp_path: Path, limit: float, interval: str) -> None:
    run = make_run(tmp_path / "run", trainer__limit_val_batches=limit)
    page = render(Page("a run", "", results_sections(RunReport(run_files(run)))))
    assert PageReader(page).row("val/acc1")[1:] == ["70.00 %", interval]
