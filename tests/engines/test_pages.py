"""What people see in the pages of Phoenix and MLflow: the texts are asserted, and pictures are left in build/engines to look at."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import started

from .behind import ROOT, Behind
from .process import eventually

if TYPE_CHECKING:
    from selenium import webdriver

PICTURES = ROOT / "build" / "engines"
pytestmark = pytest.mark.skipif(importlib.util.find_spec("selenium") is None, reason="needs selenium and Chromium")

RUNS = {
    "shop-support": ("examples/quickstart.py", 17, "chat scripted-1", "execute_tool refund"),
    "support": ("tests/engines/programs/support.py", 12, "chat gpt-4o", "execute_tool pay"),
}
LIST = {
    "shop-support": ["Where is my tea set?", "Your tea set is out", "My lamp came with", "The broken lamp"],
    "support": ["first", "Answer to first", "second", "Answer to second"],
}
TURN = {
    "shop-support": ["execute_tool refund", "execute_tool find_order"],
    "support": ["execute_tool look", "execute_tool pay", "Answer to"],
}
MODEL = {"shop-support": ["You help", "order"], "support": ["Be kind.", "Let me see.", "look"]}
TOOL = {"shop-support": ["1011", "broken shade", "only what was delivered"], "support": ["cents", "no 5"]}
SESSION = {"shop-support": [], "support": ["first", "Answer to first", "second", "Answer to second"]}


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with started(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


class Pages:
    """Opens pages of an engine, waits for what they must show, and takes their pictures."""

    def __init__(self, browser: webdriver.Chrome, name: str) -> None:
        self._browser = browser
        self._name = name
        PICTURES.mkdir(parents=True, exist_ok=True)

    def open(self, url: str) -> None:
        """Open a page; one whose address differs behind a `#` alone as well."""
        self._browser.get("about:blank")
        self._browser.get(url)

    def click(self, text: str) -> None:
        """Click on the first that has this text, once it is there."""
        script = """
            const leaves = [...document.querySelectorAll('span, a, div, button')].filter(one => !one.children.length);
            const found = leaves.find(one => one.textContent.trim() === arguments[0]);
            found?.click();
            return found !== undefined;
        """
        eventually(lambda: self._browser.execute_script(script, text), bool, self._text)

    def show(self, page: str, texts: list[str]) -> None:
        """Wait for texts, and take a picture."""
        eventually(lambda: [text for text in texts if text not in self._text()], lambda missing: not missing, self._text)
        self._browser.save_screenshot(str(PICTURES / f"{self._name}-{page}.png"))

    def _text(self) -> str:
        return str(self._browser.execute_script("return document.body.innerText"))


@pytest.mark.parametrize("run", list(RUNS))
def test_pages(behind: Behind, chromium: webdriver.Chrome, run: str) -> None:
    """The list, a turn, a model's call, a tool that failed, and a session have what the program said and did."""
    program, count, model, tool = RUNS[run]
    if run == "support":
        behind.sent("support", program, "seen", count=count)
    else:
        behind.sent(run, program, count=count)
    addresses = behind.engine.pages(run)
    pages = Pages(chromium, f"{behind.engine.name}-{run}")
    pages.open(addresses["list"])
    pages.show("list", LIST[run])
    pages.open(addresses["turn"])
    pages.show("turn", TURN[run])
    pages.click(model)
    pages.show("model", MODEL[run])
    pages.click(tool)
    pages.show("tool", TOOL[run])
    pages.open(addresses["session"])
    pages.show("session", SESSION[run])
