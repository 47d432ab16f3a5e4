"""A sandbox over real HTTP, and who asks it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

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


MODELS = World.build(
    seed=9,
    creators=(
        CreatorSpec(
            username="lampwright",
            images=60,
            hidden=6,
            models=26,
            draft_models=2,
            model_file_bytes=(400, 3000),
            archived_models=2,
            taken_down_models=1,
            early_access_models=3,
            unsearchable_models=2,
            private_models=1,
            minor_models=2,
            childhood_models=1,
            poi_models=1,
            nsfw_models=2,
            generate_only_models=2,
            draft_version_models=1,
            lost_files=1,
            unhashed_files=1,
            replaced_files=1,
        ),
        CreatorSpec(username="harbourmaster", images=6, models=3, model_file_bytes=(400, 3000)),
        CreatorSpec(username="draughtsman", draft_models=1),
        CreatorSpec(username="moved_away", models=2, vanished=True),
        CreatorSpec(username="quiet_one"),
    ),
)
"""A world with every kind of model."""


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

    async def follow(self, path: str) -> list[Any]:
        """Follow the cursors of any listing to the end and return all pages."""
        pages, cursor = [], ""
        while True:
            page = (await self.ask(path + cursor)).json()
            pages.append(page)
            if "nextCursor" not in page["metadata"]:
                return pages
            cursor = f"&cursor={quote(page['metadata']['nextCursor'], safe='')}"


def ids(pages: list[Any]) -> list[int]:
    return [entry["id"] for page in pages for entry in page["items"]]


async def listed(caller: Caller, query: str) -> list[int]:
    """Ask for one page of models and return their ids."""
    return ids([(await caller.ask(f"/api/v1/models?{query}")).json()])


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


@pytest.fixture
async def models(session: aiohttp.ClientSession) -> AsyncIterator[Caller]:
    """Somebody who asks a sandbox with every kind of model."""
    async with Sandbox(MODELS) as running:
        yield Caller(running, session)


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
