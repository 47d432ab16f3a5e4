"""Who may log in to the sandbox: by API key or by session cookie (contract rest.md §3, trpc-and-pages §8.1)."""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from multidict import MultiMapping

COOKIES = ("__Secure-civ-token", "civ-token", "__Secure-civitai-token")
"""Session cookies in the order in which they are looked for; the last is the legacy one."""


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


SANDBOX_ACCOUNT = Account(
    username="keeper",
    user_id=7001,
    key="sandbox-key",
    session="sandbox-session",
    email="keeper@harbour.invalid",
)


def caller(accounts: Iterable[Account], headers: Mapping[str, str], query: MultiMapping[str]) -> Account | None:
    """Find who is asking: the second word of ``Authorization``, else ``?token=``, else a session cookie.

    A key that is wrong makes its caller anonymous; cookies are then not tried.
    """
    authorization = headers.get("Authorization")
    if authorization is not None or "token" in query:
        words = (authorization or f"- {query['token']}").split(" ")
        return next((one for one in accounts if words[1:2] == [one.key]), None)
    try:
        jar = SimpleCookie(headers.get("Cookie", ""))
    except CookieError:
        return None
    sessions = [jar[name].value for name in COOKIES if name in jar]
    return next((one for one in accounts if one.session in sessions[:1]), None)
