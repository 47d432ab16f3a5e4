"""A sandbox over real HTTP, and who asks it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator
from yarl import URL

from civitscrape.sandbox.building import CreatorSpec
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

SHARED = Path(os.environ.get("CIVITSCRAPE_SHARED", Path(__file__).parents[3] / "shared"))
KEY = {"Authorization": "Bearer sandbox-key"}

WORLD = World.build(
    seed=5,
    creators=(
        CreatorSpec(
            username="lampwright",
            images=80,
            videos=4,
            audio=2,
            deleted=3,
            hidden=5,
            ghosts=6,
            minors=2,
            pois=2,
            childhood=3,
            stricter=3,
            twins=2,
            shared=1,
            foreign=1,
        ),
        CreatorSpec(username="harbourmaster", images=12, videos=1),
        CreatorSpec(username="quiet_one"),
        CreatorSpec(username="moved_away", images=5, vanished=True),
    ),
)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Caller:
    """Asks a sandbox, redirects not followed; addresses are taken as they are written."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session

    async def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        red: bool = False,
    ) -> Reply:
        base = self.sandbox.mature_url if red else self.sandbox.url
        url = URL(path if path.startswith("http") else base + path, encoded=True)
        async with self.session.request(method, url, headers=headers, json=body, allow_redirects=False) as response:
            return Reply(response.status, response.headers, await response.read())

    async def images(self, query: str, **options: Any) -> Any:
        reply = await self.ask(f"/api/v1/images?{query}", **options)
        return reply.json()

    async def walk(self, query: str, **options: Any) -> list[Any]:
        """Follow cursors to the end and return all pages."""
        pages, cursor = [], ""
        while True:
            page = await self.images(query + cursor, **options)
            pages.append(page)
            if "nextCursor" not in page["metadata"]:
                return pages
            cursor = f"&cursor={page['metadata']['nextCursor']}".replace("|", "%7C")


def ids(pages: list[Any]) -> list[int]:
    return [entry["id"] for page in pages for entry in page["items"]]


def unpack(text: str) -> Any:
    """Open a devalue string; dates stay text."""
    flat = json.loads(text)

    def at(place: int) -> Any:
        value = flat[place] if place >= 0 else None
        if isinstance(value, dict):
            return {key: at(one) for key, one in value.items()}
        if isinstance(value, list):
            return value[1] if value[:1] == ["Date"] else [at(one) for one in value]
        return value

    return at(0)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(WORLD) as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def caller(sandbox: Sandbox, session: aiohttp.ClientSession) -> Caller:
    return Caller(sandbox, session)


@pytest.fixture(scope="session")
def schema() -> Callable[[str, Any], None]:
    """Hold a body against a definition of the contract."""
    path = SHARED / "contract" / "rest.schema.json"
    if not path.exists():
        pytest.skip(f"the contract is not at {path}; CIVITSCRAPE_SHARED says where it is")
    definitions = json.loads(path.read_text())["$defs"]

    def check(name: str, body: Any) -> None:
        Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": definitions}).validate(body)

    return check
