"""The lecture's tables: the catalog's facts and counts, stored latencies, and the runs of claims below the papers'."""

from pathlib import Path

import pytest

from lit_cnn.architectures.catalog import find_entry
from lit_cnn.claims.catalog import CLAIMS
from lit_cnn.claims.report.records import gather
from lit_cnn.claims.report.slides_part import slides_sections
from lit_cnn.claims.result_file import SHIPPED
from lit_cnn.claims.stored import Latencies, latencies
from lit_cnn.reports.html_page import Figure, HtmlTable, Text


@pytest.fixture(scope="module")
def tables() -> dict[str, list[HtmlTable]]:
    found = {}
    for section in slides_sections(gather(list(CLAIMS.values()), SHIPPED[0])):
        blocks = [block.table if isinstance(block, Figure) else block for block in section.blocks]
        found[section.heading] = [block for block in blocks if isinstance(block, HtmlTable)]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("heading", ["MobileNet", "MobileNetV2", "EfficientNet"])
def test_networks_have_the_papers_figures_the_counts_and_the_measured_latency(
    heading: str, tables: dict[str, list[HtmlTable]]
) -> None:
    measured = latencies().milliseconds
    for name, side, top1, _, params, counted, madds, counted_madds, ms in tables[heading][0].rows:
        entry = find_entry(name)
        assert int(side) == entry.image_size
        assert float(top1) == entry.paper.top1
        assert params == ("–" if entry.paper.params_millions is None else f"{entry.paper.params_millions:g}")
        assert float(madds.replace(",", "")) == entry.paper.madds_millions
        assert float(counted.replace(",", "")) == pytest.approx(entry.params / 1e6, abs=0.5)
        assert float(counted_madds.replace(",", "")) == pytest.approx(entry.madds / 1e6, abs=0.5)
        assert float(ms.replace(",", "")) == pytest.approx(measured[name, entry.image_size], abs=0.5)


def test_stored_latencies_are_read() -> None:
    found = latencies()
    assert found.milliseconds["mobilenet_v2", 224] == 22.78
    assert found.milliseconds["mobilenet_v1", 128] == 13.65
    assert found.milliseconds["nfnet_f6", 576] == 12_246.07
    assert found.machine.startswith("one core of an AMD EPYC")
    assert not found.machine.endswith(".")


def test_every_network_of_the_tables_is_timed(tables: dict[str, list[HtmlTable]]) -> None:
    for heading in ("Progress on ImageNet", "MobileNet", "MobileNetV2", "EfficientNet"):
        column = tables[heading][0].columns.index("ms, measured")
        assert "–" not in [row[column] for row in tables[heading][0].rows]


def test_an_installed_copy_has_no_latencies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("lit_cnn.claims.stored.MEASUREMENTS", tmp_path)
    assert latencies() == Latencies()
    text = [block for block in slides_sections([])[0].blocks if isinstance(block, Text)]
    assert not any("Milliseconds" in block.text for block in text)


def test_progress_has_one_row_for_each_paper_with_a_top5_error(tables: dict[str, list[HtmlTable]]) -> None:
    single, voting = tables["Progress on ImageNet"]
    names = [row[0] for row in single.rows]
    assert names[0] == "alexnet"
    assert len({find_entry(name).paper.title for name in names}) == len(names) >= 10
    for row in single.rows:
        top5 = find_entry(row[0]).paper.top5
        assert top5 is not None
        assert float(row[2]) == pytest.approx(100 - top5, abs=1e-6)
    assert voting.rows[0][0] == "AlexNet"


def test_the_runs_of_a_claim_stand_below_the_papers_rows(tables: dict[str, list[HtmlTable]]) -> None:
    here = tables["Compound scaling"][0].rows[-1]
    assert here[1] == "here, cpu"
    assert " ± " in here[-1]
    assert tables["MobileNet"][1].rows[1][:3] == ["192", "69.1", "418"]
