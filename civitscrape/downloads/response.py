"""The answer to a request whose body went to a file."""

from __future__ import annotations

from typing import Any

from scrapy.http import Response

RESUMED = "resumed"
"""Flag of an answer whose file came in more than one transfer."""

INSTEAD = "instead"
"""Flag of a page or message that came, with status 200, in place of the rest of a file."""


class FileResponse(Response):
    """An answer without a body: the body is in the file ``path``."""

    attributes: tuple[str, ...] = (*Response.attributes, "path", "size", "sha256", "head", "digests")

    __slots__ = ("digests", "head", "path", "sha256", "size")

    def __init__(
        self,
        *args: Any,
        path: str,
        size: int,
        sha256: str,
        head: bytes,
        digests: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.path = path
        """The ``.part`` file, as the request named it in ``download_to``."""
        self.size = size
        """Bytes in the file."""
        self.sha256 = sha256
        """SHA-256 of the file, 64 hexadecimal digits in lower case."""
        self.digests = digests or {"sha256": sha256}
        """All checksums that were computed, by name: ``sha256`` and what ``download_digests`` asked for."""
        self.head = head
        """The first bytes of the file, at most 512: what telling its type takes."""
