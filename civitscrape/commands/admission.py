"""Whom `civitscrape scrapyd` lets in, and which jobs it takes."""

from __future__ import annotations

import ipaddress
import netrc
import os
import re
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from civitscrape.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

USERNAME = "civitscrape"

SECRET = frozenset({"CIVITAI_API_KEY", "CIVITAI_COOKIES"})
"""Settings that a job must not be given over HTTP: its command line shows them to everybody on this machine."""

JOB_ID = re.compile(r"\w[\w.-]{0,99}", re.ASCII)


def is_loopback(address: str) -> bool:
    """Tell whether only this machine can reach an address.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return address == "localhost" or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def kept_password(path: Path) -> tuple[str, bool]:
    """Read the password of a folder, which is made at the first time; tell whether it is new.

    The file is one that curl reads too: a netrc with one line, for any host.

    Raises:
        ArchiveError: the file cannot be written, or holds no password.
    """
    password = secrets.token_urlsafe(24)
    try:
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(f"default login {USERNAME} password {password}\n")
            return password, True
        path.chmod(0o600)
        entry = netrc.netrc(path).authenticators("")
    except OSError as error:
        raise ArchiveError(f"{path} cannot be used: {error.strerror or error}") from error
    except (netrc.NetrcParseError, UnicodeError):
        entry = None
    if entry is None or not entry[2]:
        raise ArchiveError(f"{path} holds no password any more; delete it, and the next start makes another")
    return entry[2], False


def flaw(arguments: Mapping[bytes, Sequence[bytes]]) -> str | None:
    """Say what is wrong with a request for a job, or None; the spider's arguments are checked by the job itself.

    >>> flaw({b"setting": [b"SIDECARS"]})
    "setting 'SIDECARS': write NAME=VALUE"
    """
    given = {_text(name): [_text(value) for value in values] for name, values in arguments.items()}
    for word, values in given.items():
        if any("\0" in text for text in (word, *values)):
            return f"{word!r}: holds a zero byte"
        if len(values) > 1 and word != "setting":
            return f"{word}: given {len(values)} times; give it once, several values with commas"
    for text in given.get("setting", []):
        name, equals, _ = text.partition("=")
        if not equals:
            return f"setting {text!r}: write NAME=VALUE"
        if name.strip() in SECRET:
            return f"setting {name}: others could see it; give it to `civitscrape scrapyd`, in the environment"
    job = given.get("jobid", ["x"])[0]
    return None if JOB_ID.fullmatch(job) else f"jobid {job!r}: only letters, digits and _.-, at most 100"


def _text(word: bytes) -> str:
    return word.decode(errors="replace")
