"""A page as Markdown: the same words and numbers, and no markup that a name brings."""

import pytest

from lit_cnn.reports.html_page import Block, Code, Figure, HtmlTable, Image, Images, Page, Section, Text
from lit_cnn.reports.markdown_page import render_markdown


def rendered(*blocks: Block) -> str:
    return render_markdown(Page("a page", "its lead", [Section("part", blocks), Section("within", [], level=3)]))


def test_headings_and_paragraphs_have_their_levels() -> None:
    text = rendered(Text("words"), Text("careful", warning=True))
    assert text == "# a page\n\nits lead\n\n## part\n\nwords\n\n> careful\n\n### within\n"


def test_a_table_has_its_caption_alignment_and_a_cell_for_each_column() -> None:
    text = rendered(HtmlTable("numbers", ("name", "value"), [["a", "1"], ["b", "2"]]))
    assert "numbers:\n\n| name | value |\n| :-- | --: |\n| a | 1 |\n| b | 2 |\n" in text


def test_what_is_folded_opens_and_a_picture_gives_its_numbers() -> None:
    table = HtmlTable("numbers", ("name",), [["a"]], folded=True)
    text = rendered(Figure("a picture", ["<svg></svg>"], table), Code("one\ntwo", "lines", folded=True))
    assert "a picture\n\n<details>\n<summary>numbers</summary>\n\n| name |" in text
    assert "<summary>lines</summary>\n\n```\none\ntwo\n```\n\n</details>" in text
    assert "<svg" not in text


def test_names_bring_no_markup() -> None:
    text = rendered(HtmlTable("t", ("n",), [["a|b *c* `d` <e> [f](g) _h_"]]), Text("cifar_resnet20 [1, 2]"))
    assert r"| a\|b \*c\* \`d\` &lt;e> [f\](g) \_h\_ |" in text
    assert "cifar_resnet20 [1, 2]" in text


def test_images_are_refused() -> None:
    with pytest.raises(ValueError, match="no images"):
        rendered(Images("photographs", [Image("data:image/webp;base64,", "a cat")]))
