"""The pieces of code in README and the pages under docs/, and what stands in for the world outside while they run."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.server.answer import Answer
from tests.server.model import Turn
from tests.server.request import Request
from tests.server.unproxied import ModelProvider

PROJECT = Path(__file__).parents[1]
PAGES = {path.name: path.read_text("utf-8") for path in (PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md")))}
_FENCED = re.compile(r"^( *)```(?P<language>[^\n`]*)\n(?P<text>.*?)^\1```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="([\w.]+)"')


@dataclass(frozen=True)
class Snippet:
    """A block between fences: its page, what stands behind its first fence, and its text."""

    page: str
    language: str
    text: str

    @property
    def title(self) -> str | None:
        """Give the name of the file that the page says it is, for the others of the page."""
        found = _TITLE.search(self.language)
        return found[1] if found else None


SNIPPETS = [Snippet(page, found["language"].strip(), found["text"]) for page, text in PAGES.items() for found in _FENCED.finditer(text)]


def of_language(language: str) -> dict[str, Snippet]:
    """Give the snippets of a language by page and number, each page's from 0."""
    named: dict[str, Snippet] = {}
    for page in PAGES:
        of_page = [snippet for snippet in SNIPPETS if snippet.page == page and snippet.language.split(" ")[0] == language]
        named |= {f"{page}:{number}": snippet for number, snippet in enumerate(of_page)}
    return named


class FilledTurn(Turn):
    """A turn in which the model gives what it was told for each argument that the tool asks for."""

    @property
    def arguments(self) -> str:
        """Give the tool call's arguments as JSON text."""
        tools: list[dict[str, Any]] = self.body.get("tools") or [{}]
        schema = tools[0].get("function", tools[0]).get("parameters", {})
        return json.dumps(dict.fromkeys(schema.get("required", ()), self.said[0]))


class ScriptedModels(ModelProvider):
    """The scripted model as OpenAI, Anthropic and Google offer it."""

    turn = FilledTurn

    def answer(self, request: Request) -> Answer:
        """Answer a request that meets no fault."""
        if not request.path.endswith(":generateContent"):
            return super().answer(request)
        said = request.json()["contents"][-1]["parts"][-1]["text"]
        content = {"role": "model", "parts": [{"text": f"You said: {said}"}]}
        usage = {"promptTokenCount": 10, "candidatesTokenCount": 2, "totalTokenCount": 12}
        return Answer(200, {"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": usage})

    @property
    def environment(self) -> dict[str, str]:
        """Give what leads the providers' clients here."""
        openai = {"OPENAI_BASE_URL": f"{self.origin}/v1", "OPENAI_API_KEY": "sk-scripted"}
        google = {"GOOGLE_GEMINI_BASE_URL": self.origin, "GEMINI_API_KEY": "scripted"}
        return openai | google


def environment_of_a_reader(home: Path, **variables: str) -> dict[str, str]:
    """Give this process's environment without any setting of ours but the home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WHYOPS_", "OTEL_"))}
    return kept | {"WHYOPS_HOME": str(home), "PYTHONUTF8": "1", **variables}
