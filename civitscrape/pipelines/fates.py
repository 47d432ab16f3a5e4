"""What became of the download of a model file, in the words of the table ``model_files``."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from civitscrape.civitai import answers
from civitscrape.civitai.answers import NO_ANSWER
from civitscrape.downloads.digests import KNOWN
from civitscrape.downloads.downloader import STOPPED
from civitscrape.downloads.response import INSTEAD, FileResponse
from civitscrape.exceptions import ArchivedError, ForbiddenError, NotFoundError
from civitscrape.ledger import MediaState

if TYPE_CHECKING:
    from scrapy.http import Response

    from civitscrape.items import ModelFile

Found = dict[str, Any]
"""``status``, ``error`` and, of a file that came, ``part``, ``checksum`` and ``size``."""

BACK = "where it is back, -a redownload=yes brings it"

PAGE_INSTEAD = "a page came in place of the rest of the file; what is here of it is kept, and gone on with"

CHECKED = ("sha256", "blake3", "crc32", "autov2")
"""Checksums that a record may state, the one that says most first; AutoV2 is the beginning of the SHA-256."""

TEXTS = frozenset({".json", ".jsonl", ".ipynb", ".yaml", ".yml", ".txt", ".md", ".csv", ".toml"})
"""Extensions of files that may well be JSON, or begin as it does."""

_TOO_LARGE = re.compile(rb"DownloadCancelledError: the file has (\d+) bytes")
"""How the download handler says that a file is too large, once it is given up."""

_PAGE = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|\?xml|!--)", re.IGNORECASE)
_JSON = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*(?:\{\s*[\"}]|\[\s*[\[\]{\"0-9tfn-])[^\0]*")
"""A head without a zero byte: the length that a safetensors file begins with can look like a brace and a quote."""


def fate(response: Response, file: ModelFile) -> Found:
    """Tell what became of a download."""
    if response.status == NO_ANSWER and response.body == STOPPED.encode():
        return {"status": MediaState.WANTED}
    if not isinstance(response, FileResponse):
        return refused(response)
    flaw = flaw_of(response, file)
    if flaw is not None:
        return {"status": MediaState.FAILED, "error": flaw, "part": response.path, "flawed": True}
    return {"status": MediaState.STORED, "part": response.path, "checksum": response.sha256, "size": response.size}


def refused(response: Response) -> Found:
    """Tell why there is no file, and whether asking again may bring it: each refusal of rest.md §9 has its own words.

    ``gone`` is what the site does not know any more, ``refused`` what it has and does not give; all else is ``failed``,
    and the next run tries it again: a login, another day and better weather mend it.
    """
    if INSTEAD in response.flags:
        return {"status": MediaState.FAILED, "error": PAGE_INSTEAD}
    error = answers.refusal(response)
    if isinstance(error, NotFoundError) or response.status in {404, 410}:
        state = MediaState.REFUSED if isinstance(error, ArchivedError) else MediaState.GONE
        return {"status": state, "error": f"{error}" if state == MediaState.REFUSED else f"{error}; {BACK}"}
    state = MediaState.REFUSED if isinstance(error, ForbiddenError) else MediaState.FAILED
    return {"status": state, "error": str(error)}


def left_out(size: int, limit: int) -> Found:
    """Tell of a file that is larger than a person wants."""
    return {
        "status": MediaState.REFUSED,
        "error": f"max_file_size={limit} leaves it out: it has {size} bytes; a run without that argument fetches it",
    }


def too_large(response: Response) -> int | None:
    """Return the bytes of a file whose download was ended because it is larger than was allowed; None for others."""
    found = _TOO_LARGE.match(response.body) if response.status == NO_ANSWER else None
    return None if found is None else int(found[1])


def checks_of(file: ModelFile) -> dict[str, str]:
    """Choose the checksums that a file is held against: SHA-256 where it is stated, else whatever can be computed.

    >>> from civitscrape.items import ModelFile
    >>> checks_of(ModelFile(id=1, crc32="0a1b2c3d", autov2="0123456789"))
    {'crc32': '0a1b2c3d', 'autov2': '0123456789'}
    """
    stated = {name: str(getattr(file, name)).lower() for name in CHECKED if getattr(file, name)}
    if "sha256" in stated:
        return {"sha256": stated["sha256"]}
    return {name: value for name, value in stated.items() if name in KNOWN or name == "autov2"}


def flaw_of(response: FileResponse, file: ModelFile) -> str | None:
    """Say why what came is not the file; None when it is."""
    came = {**response.digests, "autov2": response.sha256[:10]}
    checks = checks_of(file)
    wrong = next((name for name, stated in checks.items() if came[name] != stated), None)
    if checks and wrong is None:
        return None  # whatever it looks like, it is the file
    if response.size == 0:
        return "0 bytes came, which are no model file"
    if is_page(response, file):
        return f"{response.size} bytes came that are a page, not a model file"
    if wrong is not None:
        return f"{response.size} bytes came whose {TITLES[wrong]} is {came[wrong]}, not {checks[wrong]}"
    if file.size_kb is not None and abs(response.size - file.size_kb * 1024) > slack(file.size_kb):
        return f"{response.size} bytes came, not the {file.size_kb * 1024:.0f} of its record, which states no checksum"
    return None


def is_page(response: FileResponse, file: ModelFile) -> bool:
    """Tell whether a page or a message came in place of a model file, by its type and its first bytes."""
    content_type = (response.headers.get("Content-Type") or b"").lower()
    if b"html" in content_type or _PAGE.match(response.head):
        return True
    is_json = b"json" in content_type or _JSON.fullmatch(response.head)
    return bool(is_json) and PurePosixPath(file.name or "").suffix.lower() not in TEXTS


def slack(size_kb: float) -> float:
    """Tell by how many bytes a file may differ from its stated size: by what the last digit of that leaves open.

    Most are bytes divided by 1024 with every digit, which leaves open none; a few are rounded.

    >>> slack(2082690.173828125), slack(88.1), slack(3120440)
    (1.0, 103.4, 1025.0)
    """
    exponent = Decimal(repr(float(size_kb))).normalize().as_tuple().exponent
    return round(1024 * 10.0 ** min(int(exponent), 0) + 1, 3)


TITLES = {"sha256": "SHA-256", "blake3": "BLAKE3", "crc32": "CRC-32", "autov2": "AutoV2"}
"""How people write the names of checksums."""
