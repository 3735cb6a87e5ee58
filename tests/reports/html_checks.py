"""What is asked of every page: one file, no script, nothing loaded, everything named, told by an HTML parser."""

import itertools
import re
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "hr", "wbr", "input", "link", "col"}
LOADING = ("src", "href", "srcset", "action", "data", "poster", "background")
LARGEST = 2_000_000


class PageReader(HTMLParser):
    """Reads a page: what it holds, and in ``problems`` what is wrong with its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.problems: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.policy = ""
        self.text = ""
        self._open: list[str] = []
        self._captioned: list[bool] = []
        self._styles = ""
        self.feed(html)
        self.close()
        if self._open:
            self.problems.append(f"never closed: {self._open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, dict(attrs))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"</{tag}> at {self.getpos()} closes another element")
        if tag == "table" and not self._captioned.pop():
            self.problems.append(f"the table that ends at {self.getpos()} has no caption")

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        if inside == "style":
            self._styles += data
            return
        self.text += data
        if self.headings and re.fullmatch("h[1-6]", inside):
            level, text = self.headings[-1]
            self.headings[-1] = level, text + data
        if self.rows and {"td", "th"} & set(self._open):
            self.rows[-1][-1] += data

    def _note(self, tag: str, attributes: dict[str, str | None]) -> None:
        self.tags.append(tag)
        self.ids += [attributes["id"] or ""] if "id" in attributes else []
        for name, value in attributes.items():
            if name.startswith("on"):
                self.problems.append(f"<{tag}> has {name}")
            if name in LOADING:
                self.links.append(value or "")
            self.links += re.findall(r"url\(([^)]*)\)", value or "")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "table":
            self._captioned.append(False)
        elif tag == "caption":
            self._captioned[-1] = True
        elif tag == "img":
            self.images.append(attributes)
        elif tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"] or ""

    def what_is_wrong(self, html: str) -> list[str]:
        """Sentences; none for a page that may be handed over."""
        wrong = list(self.problems)
        wrong += [f"there is a <{tag}>" for tag in {"script", "iframe", "link", "object", "base"} & set(self.tags)]
        wrong += [f"the id {each} stands twice" for each in {each for each in self.ids if self.ids.count(each) > 1}]
        for link in self.links:
            if link.startswith("#"):
                wrong += [] if link[1:] in self.ids else [f"nothing is at {link}"]
            elif not link.startswith("data:image/"):
                wrong.append(f"{link[:60]} is outside the page")
        wrong += ["the style sheet loads something"] if re.search(r"@import|url\(", self._styles) else []
        wrong += ["an image has no alt text" for image in self.images if not image.get("alt")]
        levels = [level for level, _ in self.headings]
        wrong += ["the first heading is not the only h1"] if levels[:1] != [1] or levels.count(1) != 1 else []
        wrong += [f"h{after} follows h{before}" for before, after in itertools.pairwise(levels) if after > before + 1]
        wrong += [] if "default-src 'none'" in self.policy else ["there is no strict policy"]
        wrong += [] if len(html.encode()) < LARGEST else ["the page is too large"]
        return wrong

    def row(self, name: str) -> list[str]:
        """The first row of a table whose first cell is ``name``."""
        return next(row for row in self.rows if row and row[0] == name)
