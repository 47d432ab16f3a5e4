"""Whom a file may come from: the site, its CDN, and the storage hosts that a person has named (DESIGN section 7)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from civitscrape.civitai.roles import Role, within


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """The configured addresses."""

    site: tuple[str, ...]
    """CIVITAI_URL and CIVITAI_MATURE_URL."""
    media: str
    """CIVITAI_MEDIA_URL."""
    storage: tuple[str, ...]
    """CIVITAI_STORAGE_HOSTS: suffixes of hosts, lower case."""

    def is_site(self, url: str) -> bool:
        """Tell whether an address is one of the site itself, which may see the key."""
        return any(within(url, address) for address in self.site)

    def allows(self, role: Role, url: str) -> bool:
        """Tell whether a request of a role may go to an address."""
        if self.is_site(url) or within(url, self.media):
            return True
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").lower()
        except ValueError:
            return False
        listed = any(host == suffix or host.endswith(f".{suffix}") for suffix in self.storage)
        loopback = is_loopback(host) and is_loopback(urlsplit(self.site[0]).hostname or "")
        return role in {Role.MEDIA, Role.STORAGE} and (loopback or (listed and parts.scheme == "https"))


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("civitai.com")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
