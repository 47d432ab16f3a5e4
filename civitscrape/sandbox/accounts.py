"""Who may log in to the sandbox: by API key or by session cookie (contract rest.md §3, trpc-and-pages §8.1)."""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from multidict import MultiMapping

COOKIES = ("__Secure-civ-token", "civ-token", "__Secure-civitai-token")
"""Session cookies in the order in which they are looked for; the last is the legacy one."""
LEGACY_COOKIE = COOKIES[-1]
FULL_SCOPE = 33_554_431


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person who can log in."""

    username: str
    user_id: int
    key: str
    """API key."""
    session: str
    """Value of the session cookie."""
    email: str
    """Private: pages contain it when the person is logged in."""
    scope: int = FULL_SCOPE
    """Bits of what the key may do (trpc-and-pages §2.4)."""

    @property
    def renewed(self) -> str:
        """Value of the session cookie after it was handed out anew."""
        return f"{self.session}-renewed"


SANDBOX_ACCOUNT = Account(
    username="keeper",
    user_id=7001,
    key="sandbox-key",
    session="sandbox-session",
    email="keeper@harbour.invalid",
)


class Login(NamedTuple):
    """Who is asking, and how that is known."""

    account: Account
    cookie: str | None
    """Name of the session cookie; null when it was a key."""


def login(accounts: Iterable[Account], headers: Mapping[str, str], query: MultiMapping[str]) -> Login | None:
    """Find who is asking: the second word of ``Authorization``, else ``?token=``, else a session cookie.

    A key that is wrong makes its caller anonymous; cookies are then not tried.
    """
    authorization = headers.get("Authorization")
    if authorization is not None or "token" in query:
        words = (authorization or f"- {query['token']}").split(" ")
        return next((Login(one, None) for one in accounts if words[1:2] == [one.key]), None)
    if "Cookie" not in headers:
        return None
    try:
        jar = SimpleCookie(headers["Cookie"])
    except CookieError:
        return None
    name = next((name for name in COOKIES if name in jar), None)
    if name is None:
        return None
    return next((Login(one, name) for one in accounts if jar[name].value in (one.session, one.renewed)), None)


def renewal(found: Login, origin: str) -> str:
    """Write the ``Set-Cookie`` that hands out a session anew; the prefix needs https (trpc-and-pages §8.1)."""
    secure = origin.startswith("https:")
    name = "__Secure-civ-token" if secure else "civ-token"
    return (
        f"{name}={found.account.renewed}; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000{'; Secure' if secure else ''}"
    )
