"""The answer to a request whose body went to a file."""

from __future__ import annotations

from typing import Any

from scrapy.http import Response


class FileResponse(Response):
    """An answer without a body: the body is in the file ``path``."""

    attributes: tuple[str, ...] = (*Response.attributes, "path", "size", "sha256", "head")

    __slots__ = ("head", "path", "sha256", "size")

    def __init__(self, *args: Any, path: str, size: int, sha256: str, head: bytes, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.path = path
        """The ``.part`` file, as the request named it in ``download_to``."""
        self.size = size
        """Bytes in the file."""
        self.sha256 = sha256
        """SHA-256 of the file, 64 hexadecimal digits in lower case."""
        self.head = head
        """The first bytes of the file, at most 512: what telling its type takes."""
