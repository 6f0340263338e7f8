"""Answers of something that is not the service, or not in its right mind, to three events; all of them with a status of success."""

from __future__ import annotations

import json
from typing import Any

from tests.server import raw


def told(status: int, body: object) -> bytes:
    """Return an answer with a JSON body as it stands on the wire."""
    return raw(status, json.dumps(body).encode())


def saved(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"id": str(index), "status": "saved", "stepId": index + 1, **fields} for index in range(count)]


_PAGE = b"<!DOCTYPE html><html><title>Log in</title></html>"

WRONG = {
    "an empty object": told(200, {}),
    "a health check": told(200, {"status": "ok"}),
    "a health check, created": told(201, {"status": "ok", "uptime": 5}),
    "an error": told(200, {"error": "no such route"}),
    "an error with a message": told(201, {"success": False, "error": {"message": "no"}}),
    "success and nothing else": told(200, {"success": True}),
    "saved, without a word for whom": told(201, {"status": "saved"}),
    "an empty list": told(201, []),
    "a list that is too short": told(201, saved(2)),
    "a list that is too long": told(201, saved(4)),
    "a list of texts": told(201, ["saved", "saved", "saved"]),
    "a list of nulls": told(201, [None, None, None]),
    "a list of lists": told(201, [[], [], []]),
    "a list of empty objects": told(201, [{}, {}, {}]),
    "a list of other objects": told(200, [{"status": 1}, {"status": ["saved"]}, {"status": {"saved": 1}}]),
    "other events' results": told(201, saved(3, spanId="another", idempotencyKey="another")),
    "another trace's results": told(201, saved(3, traceId="another")),
    "a list in an object": told(201, {"results": saved(3)}),
    "accepted, without a number": told(202, {"success": True, "accepted": True}),
    "accepted, fewer": told(202, {"success": True, "accepted": True, "queuedCount": 2}),
    "accepted, more": told(202, {"success": True, "accepted": True, "queuedCount": 4}),
    "accepted, none": told(202, {"success": True, "accepted": True, "queuedCount": 0}),
    "accepted, as a text": told(202, {"success": True, "accepted": True, "queuedCount": "3"}),
    "accepted, as a truth": told(202, {"success": True, "accepted": True, "queuedCount": True}),
    "not accepted": told(202, {"success": True, "accepted": False, "queuedCount": 3}),
    "no success": told(202, {"success": False, "accepted": True, "queuedCount": 3}),
    "a text": told(200, "saved saved saved"),
    "a number": told(200, 3),
    "true": told(200, True),  # noqa: FBT003  (it is what the server says)
    "null": told(200, None),
    "a login page": raw(200, _PAGE, "text/html"),
    "a login page, called JSON": raw(201, _PAGE),
    "nothing": raw(200, b""),
    "nothing, created": raw(201, b""),
    "no content": b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    "reset content": raw(205, b""),
    "part of it": raw(206, json.dumps(saved(3)).encode()),
    "another success": raw(299, json.dumps(saved(3)).encode()),
    "broken JSON": raw(201, json.dumps(saved(3)).encode()[:-1]),
    "JSON that is cut off": raw(201, json.dumps(saved(3)).encode()[:40]),
    "a body that is cut off": b"HTTP/1.1 201 Created\r\nContent-Length: 4000\r\n\r\n" + json.dumps(saved(3)).encode(),
    "two answers in one": raw(201, json.dumps(saved(3)).encode() * 2),
    "words that look like it": raw(201, b'[{"status":"saved"{"status":"saved"{"status":"saved"}]'),
    "deep nesting": raw(201, b"[" * 200_000),
    "no text at all": raw(201, b"\xff\xfe\x00[\x80"),
    "compressed": raw(201, b"\x1f\x8b\x08\x00\x00\x00\x00\x00", Content_Encoding="br"),
    "moved": raw(301, b"", Location="https://elsewhere.test/api?token=hunter2"),
    "found": raw(302, json.dumps(saved(3)).encode(), Location="https://me:hunter2@portal.test/login"),
    "see other": raw(303, b"", Location="/login"),
    "temporary": raw(307, b"", Location="https://elsewhere.test/"),
    "permanent": raw(308, b""),
    "not modified": b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n",
}
