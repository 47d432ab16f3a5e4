"""Any address that a person pastes, and the target it stands for."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from civitscrape.exceptions import ArgumentError

SITES = frozenset({"civitai.com", "civitai.red", "civitai.green"})
"""Hosts of the site, each also with ``www.``."""

USERNAME = re.compile(r"[A-Za-z0-9_]+")
"""What ``/api/v1/images`` takes; anything else is a 400 (contract rest.md §7.1)."""


def username(text: str, hosts: frozenset[str] = SITES) -> str:
    """Read a username, or the address of a profile.

    >>> username("lampwright"), username("https://www.civitai.red/user/lampwright/images?sort=Newest")
    ('lampwright', 'lampwright')

    Args:
        text: what a person typed.
        hosts: hosts whose profile addresses are taken.

    Raises:
        ArgumentError: it is neither.
    """
    typed = text.strip()
    name = _from_address(typed, hosts) if "/" in typed else typed
    if not USERNAME.fullmatch(name):
        shown = repr(name) if name else "empty"
        raise ArgumentError(f"spider argument username: {shown}: only letters, digits and _, or a profile's address")
    return name


def _from_address(text: str, hosts: frozenset[str]) -> str:
    """Take the name out of ``…/user/NAME…``."""
    refusal = ArgumentError(
        f"spider argument username: {text!r} is not a profile's address; one looks like https://civitai.com/user/NAME"
    )
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError as error:
        raise refusal from error
    folders = [unquote(folder) for folder in parts.path.split("/") if folder]
    if host not in hosts or len(folders) < 2 or folders[0] != "user":  # noqa: PLR2004 (user and its name)
        raise refusal
    return folders[1]
