"""A real, headless Chromium, and pages of ours opened in it from disk."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .chromium import started

if TYPE_CHECKING:
    from selenium import webdriver

    from .page import Page

collect_ignore_glob = [] if importlib.util.find_spec("selenium") else ["test_*.py"]


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark all that is here: it runs in the nox session that has a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Start the browser, once for all tests."""
    with started(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def page(chromium: webdriver.Chrome, tmp_path: Path) -> Iterator[Page]:
    """Give a page to open reports in; nothing in it may have gone wrong by the end."""
    from .page import Page  # noqa: PLC0415 -- as above

    page = Page(chromium, tmp_path)
    page.look()
    yield page
    assert page.complaints == []
