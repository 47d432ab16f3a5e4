"""Calls of the sandbox's tRPC procedures."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from tests.sandbox.conftest import KEY, Caller, Reply

REFERER = {"Referer": "https://civitai.red/"}


def path(name: str, given: Any = None) -> str:
    return f"/api/trpc/{name}" + ("" if given is None else f"?input={quote(json.dumps({'json': given}))}")


async def ask(caller: Caller, name: str, given: Any = None, *, keyed: bool = True, red: bool = True) -> Reply:
    return await caller.ask(path(name, given), headers=KEY if keyed else REFERER, red=red)


async def call(caller: Caller, name: str, given: Any = None, *, keyed: bool = True, red: bool = True) -> Any:
    """Call a procedure and return its plain result."""
    reply = await ask(caller, name, given, keyed=keyed, red=red)
    assert reply.status == 200, reply.body
    return reply.json()["result"]["data"]["json"]


async def refused(caller: Caller, name: str, given: Any = None, *, keyed: bool = True) -> tuple[int, str]:
    """Call a procedure that refuses, and return status and message."""
    reply = await ask(caller, name, given, keyed=keyed)
    return reply.status, reply.json()["error"]["json"]["message"]


async def walk(caller: Caller, name: str, given: dict[str, Any], **options: Any) -> list[Any]:
    """Follow cursors to the end; all items, page after page."""
    pages = await pages_of(caller, name, given, **options)
    return [item for page in pages for item in page["items"]]


async def pages_of(caller: Caller, name: str, given: dict[str, Any], **options: Any) -> list[Any]:
    pages = [await call(caller, name, given, **options)]
    while pages[-1].get("nextCursor") is not None:
        pages.append(await call(caller, name, given | {"cursor": pages[-1]["nextCursor"]}, **options))
        assert len(pages) < 500
    return pages


def ids(items: list[Any]) -> list[int]:
    return [one["id"] for one in items]
