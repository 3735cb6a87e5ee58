"""The whole page of the claims, and its files: HTML to send around, Markdown for the documentation."""

from collections.abc import Sequence
from pathlib import Path

from lit_cnn.claims.claim import Claim
from lit_cnn.claims.report.claim_part import claim_sections
from lit_cnn.claims.report.records import gather
from lit_cnn.claims.report.slides_part import slides_sections
from lit_cnn.claims.report.verdicts_part import verdicts_sections
from lit_cnn.reports.html_page import HtmlTable, Page, Section, Text, render
from lit_cnn.reports.markdown_page import render_markdown
from lit_cnn.run_folder.atomic import write_text

NAME = "claims"
LEAD = (
    "Claims of the papers, measured again at sizes that two cores or one GPU can train, with verdicts by rules that "
    "were written down before the runs. Written by lit-cnn reproduce --report from the stored results."
)
WITHOUT_VERDICT = (
    ("Averaged weights are better than the last", "any recipe with ema.decay and ema.validate_raw true",
     "val/acc1 against val/acc1_raw"),
    ("More views of an image help", "lit-cnn test CKPT --views ten, and --views center", "the gain with its interval"),
    ("Fewer parameters than AlexNet can do better", "lit-cnn models --task imagenet --max-params 10 --sort top1",
     "the best first; protocols differ"),
    ("cutout at the paper's size", "lit-cnn fit --config cutout_resnet18, and with --data.cutout.size 0", "val/acc1"),
    ("RandAugment at the paper's size", "lit-cnn fit --config rand_augment_resnet50, and with "
     "--data.rand_augment.layers 0", "the gap of training and validation"),
)  # fmt: skip


def claims_page(claims: Sequence[Claim], results: Path) -> Page:
    """The sections in the order in which a reader asks for them.

    Args:
        claims: Which are shown.
        results: Folder of result files; those that came with the package count, too.
    """
    records = gather(claims, results)
    each = [
        section
        for claim in claims
        for section in claim_sections(claim, [record for record in records if record.claim == claim])
    ]
    table = HtmlTable(
        "Commands that show an effect, and what to look at", ("claim", "command", "look at"), WITHOUT_VERDICT,
        words=(0, 1, 2),
    )  # fmt: skip
    sections = [
        *verdicts_sections(records),
        *slides_sections(records),
        Section("Claim by claim", [Text("In the order in which the papers make them.")]),
        *each,
        Section("Without a verdict", [table]),
    ]
    return Page("The lecture's claims", LEAD, sections)


def write_page(claims: Sequence[Claim], results: Path, folder: Path) -> tuple[Path, Path]:
    """Write ``claims.html`` and ``claims.md``; returns their paths."""
    page = claims_page(claims, results)
    folder.mkdir(parents=True, exist_ok=True)
    html, text = folder / f"{NAME}.html", folder / f"{NAME}.md"
    write_text(html, render(page))
    write_text(text, render_markdown(page))
    return html, text
