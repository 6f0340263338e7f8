"""Check the built pages: each link and picture within them leads somewhere, and nothing is fetched from elsewhere.

Run by `python -m nox -s docs`. `mkdocs build --strict` checks what the texts link to; this checks what is served, raw HTML and the API's
pages too. Links to other sites are left alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {("img", "src"), ("script", "src"), ("source", "srcset"), ("link", "href")}
NOT_LOADED = {"canonical", "next", "prev"}
"""Links of a page's head that a browser doesn't follow by itself."""


class Page(HTMLParser):
    """A page's links, what it loads, and the places in it that can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag links to, and its id."""
        given = {name: value or "" for name, value in attrs}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if given.get("rel") not in NOT_LOADED:
            self.loaded += [given[name] for loading, name in LOADED if loading == tag and name in given]


def faults(site: Path) -> Iterator[str]:
    """Yield what is wrong, a line each."""
    pages = {path: Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html")) if path.name != "404.html"}
    for path, page in pages.items():
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loaded:
                    yield f"{path.relative_to(site)} loads {link}"
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.exists():
                yield f"{path.relative_to(site)} links to {link}, which is not there"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].places:
                yield f"{path.relative_to(site)} links to {link}: there is no such place"


def main(site: str) -> None:
    """Print the faults, and end with 1 if there are any."""
    found = list(faults(Path(site).resolve()))
    print(*found, sep="\n")  # noqa: T201  (what a person reads)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
