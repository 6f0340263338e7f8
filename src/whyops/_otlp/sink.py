"""The sink that is a receiver of OpenTelemetry spans: a collector, or an engine that takes OTLP over HTTP."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote

from .._config.otlp import shown_address
from .._http.answer import Answer
from .._http.channel import Request, Unreachable
from .._http.transport import open_channel
from .._printable import counted, without_secret
from .._runtime import guard
from .._runtime.clock import CLOCK, Clock
from ..events import BatchRejected, Receipt, RetryLater
from .answers import Taken, judge
from .mapping import Mapping as SpanMapping
from .request import bodies
from .span import Span

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 30.0
LEAST_SECONDS = 0.05
_MEDIA_TYPE = "application/x-protobuf"  # exactly: with a charset behind it a receiver refuses all
_LEAST_SECRET = 6
_MOST_NAMED = 3
_UNSENT = "%s is away, and the span around %s was not sent there; those inside were. From the local store: whyops push --otlp URL %s"


class OtlpSink:
    """Posts the lines as spans to `endpoint`, the whole address (`…/v1/traces`), with `headers`, which may hold a key.

    Spans have derived ids: sent again, they are the same. Headers, and a password in the address, are in no repr, message or exception.
    The span around a turn comes after all others of it: with a later turn of the trace, after a minute, or with `close`. `has_left`
    tells whether one waits for that minute; `rest` is called once it is over.
    """

    def __init__(
        self,
        endpoint: str,
        headers: Mapping[str, str],
        agent_name: str,
        transport: httpx.BaseTransport | None = None,
        *,
        clock: Clock = CLOCK,
    ) -> None:
        self._endpoint = endpoint
        self._headers = {**_signed_in(endpoint, headers), "Content-Type": _MEDIA_TYPE, "User-Agent": "whyops-python"}
        self._secrets = _secrets(endpoint, _signed_in(endpoint, headers).values())
        self._agent_name = agent_name
        self._clock = clock
        self._deadline: float | None = None
        self._is_behind = False  # lines wait, and the span around them will be made of these
        self._channel = open_channel(transport)
        self._mapping = SpanMapping(agent_name)

    def __repr__(self) -> str:
        return f"<OtlpSink {shown_address(self._endpoint)} for agent {self._agent_name!r}>"

    def hurry(self, deadline: float | None) -> None:
        """Let no request last beyond this moment (monotonic); None takes the limit away."""
        self._deadline = deadline

    def send(self, lines: Sequence[bytes]) -> Receipt:
        """Post the spans that the lines make. Lines that make none are settled with the others.

        Raises:
            RetryLater: The receiver can't be reached, or asks for time, or takes no spans at that address or with those headers.
            BatchRejected: It refuses at least one of them.
        """
        self._is_behind = True
        made = self._mapping.spans(lines)
        rejected, reason = 0, ""
        for body in bodies([span for _, span in made]):
            try:
                taken = self._post(body.content)
            except BatchRejected as refusal:
                if len(body.places) > 1:
                    raise
                raise BatchRejected(refusal.reason, indexes=[made[body.places[0]][0]]) from None
            rejected += taken.rejected
            reason = reason or taken.reason
        self._mapping.settle()
        self._is_behind = False
        if rejected:
            self._say_rejected(rejected, reason)
        self._send_rest(self._mapping.ended())
        return Receipt(stored=len(lines))

    def probe(self) -> None:
        """Post a request without spans, which changes nothing there.

        Raises:
            RetryLater: The receiver can't be reached, or asks for time, or takes no spans at that address or with those headers.
            BatchRejected: It takes no request without spans.
        """
        self._post(b"")

    @property
    def has_left(self) -> bool:
        """Whether `rest` would send something."""
        return self._mapping.has_quiet

    def rest(self) -> None:
        """Send what is left of turns in which nothing is under way: no line came for long."""
        self._send_rest(self._mapping.end_quiet())

    def close(self) -> None:
        """Send what is left of all turns, and close the connection. What could not be sent is said, unless lines of it wait."""
        self._send_rest(self._mapping.end_all())
        self._channel.close()
        if (turns := self.unsent) and not self._is_behind:
            named = ", ".join(list(dict.fromkeys(turns))[:_MOST_NAMED])
            guard.notices.say("otlp:unsent", _UNSENT, shown_address(self._endpoint), counted(len(turns), "turn"), named)

    @property
    def unsent(self) -> list[str]:
        """The traces of turns that have ended whose own span is not sent, one for each turn."""
        return self._mapping.unsent

    def _send_rest(self, spans: Sequence[Span]) -> None:
        """Send spans that are no line's, if that works: they hold nothing up, and stay for the next time."""
        if not spans:
            return
        try:
            for body in bodies(spans):
                self._post(body.content)
        except RetryLater:
            return
        except BatchRejected as refusal:
            self._say_rejected(len(spans), refusal.reason)
        self._mapping.forget_ended()

    def _post(self, content: bytes) -> Taken:
        try:
            return judge(self._exchange(content), self._clock.wall())
        except (BatchRejected, RetryLater) as failure:
            failure.reason = self._without_secrets(failure.reason)
            failure.args = (failure.reason,)
            raise

    def _exchange(self, content: bytes) -> Answer:
        left = TIMEOUT_SECONDS if self._deadline is None else self._deadline - self._clock.monotonic()
        timeout = max(LEAST_SECONDS, min(TIMEOUT_SECONDS, left))
        try:
            return self._channel.exchange(Request("POST", self._endpoint, self._headers, content, timeout))
        except Unreachable as error:
            raise RetryLater(f"it can't be reached ({error})", kind="unreachable") from None

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = without_secret(text, secret)
        return text

    def _say_rejected(self, count: int, reason: str) -> None:
        told = self._without_secrets(reason) or "no reason given"
        guard.notices.say("otlp:rejected", "%s took the request, but not %d of its spans: %s", shown_address(self._endpoint), count, told)


def _before_host(endpoint: str) -> str:
    return endpoint.partition("://")[2].partition("/")[0].rpartition("@")[0]


def _signed_in(endpoint: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers, with the name and password of an address among them, unless they say who asks."""
    named = unquote(_before_host(endpoint))
    if not named or any(name.lower() == "authorization" for name in headers):
        return dict(headers)
    return {**headers, "Authorization": f"Basic {base64.b64encode(named.encode()).decode()}"}


def _secrets(endpoint: str, values: Iterable[str]) -> tuple[str, ...]:
    """Return what no text may quote: headers' values, also without their scheme, and what an address holds besides the place."""
    shown = shown_address(endpoint)
    given = [*values, _before_host(endpoint), *endpoint.partition("?")[2].split("&")]
    held = [*given, *(re.split("[ =:]", value, maxsplit=1)[-1] for value in given)]
    return tuple(sorted({one for one in held if len(one) >= _LEAST_SECRET and one not in shown}, key=len, reverse=True))
