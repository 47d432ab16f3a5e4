"""A server of one file that gives ranges, breaks off where it is told to, and may change or forget how."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random

from aiohttp import web

BODY = Random(5).randbytes(5 * 1024 * 1024 + 77)


@dataclass
class Ranged:
    """What the server does with the next request; ``breaks`` are places where answers end, one each, in turn."""

    body: bytes = BODY
    etag: str | None = '"1f0a"'
    modified: str | None = None
    ranges: bool = True
    breaks: list[int] = field(default_factory=list)
    asked: list[tuple[str | None, str | None]] = field(default_factory=list)
    """Range and If-Range of each request."""
    sent: int = 0
    lie: dict[str, str] = field(default_factory=dict)
    """Headers to answer a range with, whatever is true."""
    page: tuple[str, bytes] | None = None
    """Type and body of what comes in place of the file, with status 200."""
    withheld: int = 0
    """Bytes at the end that no answer announces; they are sent all the same, but for a range."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        wanted, condition = request.headers.get("Range"), request.headers.get("If-Range")
        self.asked.append((wanted, condition))
        if self.page is not None:
            return web.Response(body=self.page[1], headers={"Content-Type": self.page[0]})
        headers = {"ETag": self.etag} if self.etag else {}
        headers |= {"Last-Modified": self.modified} if self.modified else {}
        start, status = 0, 200
        if wanted and self.ranges and condition in {None, self.etag, self.modified}:
            start, status = int(re.findall(r"\d+", wanted)[0]), 206
            headers["Content-Range"] = f"bytes {start}-{len(self.body) - 1}/{len(self.body)}"
            if start >= len(self.body):
                return web.Response(status=416, headers={"Content-Range": f"bytes */{len(self.body)}"})
            headers |= self.lie
        stop = self.breaks.pop(0) if self.breaks else len(self.body)
        response = web.StreamResponse(status=status, headers=headers)
        response.content_length = len(self.body) - start - self.withheld
        await response.prepare(request)
        await response.write(self.body[start:stop])
        self.sent += max(0, stop - start)
        if self.withheld and status == HTTPStatus.OK and request.transport:
            request.transport.write(self.body[-self.withheld :])
        if stop < len(self.body) and request.transport:
            request.transport.close()
        return response
