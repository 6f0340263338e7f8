"""A report in the browser, and what a reader does with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests._render.recordings import ALIVE, Event
from whyops._render.page.html import render_report
from whyops._trace.recorded import RecordedTrace

__all__ = ["Keys", "Page"]


class Page:
    """A report in the browser, and what a reader does with it."""

    def __init__(self, browser: webdriver.Chrome, folder: Path) -> None:
        self.browser = browser
        self._folder = folder

    def open(self, *runs: Sequence[Event]) -> Page:
        """Write the report of these runs, and open it from disk."""
        traces = [RecordedTrace.from_events(run) for run in runs]
        path = self._folder / "run.html"
        path.write_text(render_report(traces, version="0", is_alive=lambda process: process == ALIVE), encoding="utf-8")
        self.browser.get_log("performance")
        self.browser.get_log("browser")
        self.browser.get(path.as_uri())
        return self

    def show(self, html: str) -> None:
        """Open a page of somebody else's, with a piece of ours in it."""
        path = self._folder / "other.html"
        path.write_text(html, encoding="utf-8")
        self.browser.get(path.as_uri())

    def run(self, script: str, *arguments: object) -> Any:
        """Run a script with the driver's rights, and return what it returns."""
        return self.browser.execute_script(script, *arguments)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        """Give the texts of all that match, from top to bottom."""
        script = (
            "return [...document.querySelectorAll(arguments[0])]"
            ".sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top).map(one => one.textContent.toWellFormed())"
        )
        texts: list[str] = self.run(script, selector)
        return texts

    def press(self, *keys: str) -> None:
        """Press keys where the focus is, one after the other."""
        for key in keys:
            self.browser.switch_to.active_element.send_keys(key)

    def search(self, text: str) -> None:
        """Type into the search field, in place of what is there."""
        field = self.one("#search")
        field.clear()
        field.send_keys(text)

    def choose(self, selector: str, value: str) -> None:
        """Choose an option by its value."""
        script = "const box = document.querySelector(arguments[0]); box.value = arguments[1]; box.dispatchEvent(new Event('change'))"
        self.run(script, selector, value)

    @property
    def names(self) -> list[str]:
        """The names of the steps on the screen, in order."""
        return self.texts(".row .first b")

    @property
    def count(self) -> str:
        """What the page says about how many steps it shows."""
        return self.one("#count").text

    @property
    def selected(self) -> str | None:
        """The name of the selected step."""
        return next(iter(self.texts('.row[aria-selected="true"] .first b')), None)

    @property
    def shown_events(self) -> list[Any]:
        """The events that the open step shows, after each was unfolded, as the JSON says."""
        for summary in self.all("#detail details.event:not([open]) > summary"):
            self.run("arguments[0].parentElement.open = true", summary)
        self.browser.execute_async_script("setTimeout(arguments[0], 50)")
        return [json.loads(text) for text in self.texts("#detail details.event pre")]

    @property
    def requests(self) -> list[str]:
        """The addresses that the browser asked for since the page was opened."""
        messages = [json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")]
        return [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]

    @property
    def complaints(self) -> list[str]:
        """What the browser has logged: errors, and what the page's policy forbade."""
        return [entry["message"] for entry in self.browser.get_log("browser")]

    def look(self, *, width: int = 1440, height: int = 900, dark: bool = False) -> None:
        """Be a screen of this size and scheme."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
