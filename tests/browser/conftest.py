"""A real, headless Chromium, and pages of ours opened in it from disk."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from selenium import webdriver

    from .page import Page

collect_ignore_glob = [] if importlib.util.find_spec("selenium") else ["test_*.py"]

FLAGS = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--window-size=1440,1000",
)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark all that is here: it runs in the nox session that has a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Start the browser, once for all tests."""
    from selenium import webdriver  # noqa: PLC0415 -- only the session that runs these tests has it
    from selenium.webdriver.chrome.service import Service  # noqa: PLC0415 -- as above

    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.fail("Chromium and its driver are not installed: the packages chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in FLAGS:
        options.add_argument(flag)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(driver))
    yield browser
    browser.quit()


@pytest.fixture
def page(chromium: webdriver.Chrome, tmp_path: Path) -> Iterator[Page]:
    """Give a page to open reports in; nothing in it may have gone wrong by the end."""
    from .page import Page  # noqa: PLC0415 -- as above

    page = Page(chromium, tmp_path)
    page.look()
    yield page
    assert page.complaints == []
