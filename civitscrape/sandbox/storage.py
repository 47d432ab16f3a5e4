"""The storage behind downloads: objects under signed addresses that expire, as S3 gives them (contract rest.md §9)."""

from __future__ import annotations

import hashlib
import hmac
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from civitscrape.sandbox import media, model_files
from civitscrape.sandbox.ask import STORAGE_HOST, Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from multidict import MultiMapping

    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.models import FileRecord
    from civitscrape.sandbox.world import World

PREFIX = "/storage/"
"""What paths of objects start with, on the storage's own host and on the loopback."""
ALGORITHM = "AWS4-HMAC-SHA256"
STAMP = "%Y%m%dT%H%M%SZ"
SECRET = b"the sandbox's storage keeps no secrets"
SIGNED = ("X-Amz-Algorithm", "X-Amz-Date", "X-Amz-Expires", "response-content-disposition")
"""Parameters that the signature covers, beside the path."""


def signed(ask: Ask, file: FileRecord, saved_as: str, *, seconds: int) -> str:
    """Build the address of an object, good for some seconds; ``saved_as`` is the name for the caller's disk."""
    path = f"{PREFIX}model/{file.version_id}/{file.id}/{file.name}"
    plain = quote(saved_as, safe=" ()'")
    query = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Date": f"{datetime.now(UTC):{STAMP}}",
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": "host",
        "response-content-disposition": f'attachment; filename="{plain}"',
    }
    query["X-Amz-Signature"] = _signature(path, query)
    origin = f"https://{STORAGE_HOST}" if ask.origin.startswith("https:") else ask.home
    return f"{origin}{quote(path)}?{urlencode(query, quote_via=quote)}"


def _signature(path: str, query: Mapping[str, str]) -> str:
    text = "\n".join([path, *(query.get(name, "") for name in SIGNED)])
    return hmac.new(SECRET, text.encode(), hashlib.sha256).hexdigest()


def answer(world: World, path: str, query: MultiMapping[str], headers: Mapping[str, str]) -> Answer:
    """Answer a request for an object; ``path`` decoded, because clients may encode it in their own way.

    Whoever sends a key or a session along with a signature is refused, as S3 refuses two ways to sign.
    """
    if "X-Amz-Signature" in query and "Authorization" in headers:
        text = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header"
        return _error(400, "InvalidArgument", text)
    if query.get("X-Amz-Signature", "") != _signature(path, query):
        return _error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")
    made = datetime.strptime(query["X-Amz-Date"], STAMP).replace(tzinfo=UTC).timestamp()
    if time.time() >= made + int(query["X-Amz-Expires"]):
        return _error(403, "AccessDenied", "Request has expired")
    number = path.removeprefix(PREFIX).split("/")[2]
    file = world.files.get(int(number))
    if file is None or file.lost:
        return _error(404, "NoSuchKey", "The specified key does not exist.")
    body = model_files.body(file)
    tagged = body if isinstance(body, bytes) else repr(body).encode()
    etag = f'"{hashlib.md5(tagged, usedforsecurity=False).hexdigest()}"'
    found = media.answer(media.File(body, "application/octet-stream", etag), headers)
    found.headers |= {"Content-Disposition": query["response-content-disposition"], "Cache-Control": "no-store"}
    return found


def _error(status: int, code: str, text: str) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{text}</Message></Error>'
    return Answer(status, body.encode(), {"Content-Type": "application/xml", "Cache-Control": "no-store"})
