"""Answers of the sandbox hold the same keys as the contract's own examples."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from civitscrape.sandbox import tools
from civitscrape.sandbox.building import CreatorSpec
from civitscrape.sandbox.world import World
from tests.sandbox.conftest import SHARED, Caller
from tests.sandbox.procedures import call
from tests.sandbox.test_pages import next_data

CROWD = World.build(
    seed=7, creators=[CreatorSpec(username="lampwright", images=80, models=6, metas=("flat", "resources"))]
)
RECORD = next(
    one
    for one in CROWD.records.values()
    if len(one.used) > 1 and one.level == 1 and tools.tools(one) and CROWD.posts[one.post_id].tag_ids
)
CONTRACT = SHARED / "contract" / "trpc-and-pages.md"
FEED = {"username": "lampwright", "limit": 2, "include": ["tags", "metaSelect"]}
FREE = ("meta", "query", "cookies", "metadata")
"""Keys whose insides depend on the thing that is told of."""


def examples(section: str) -> list[Any]:
    if not CONTRACT.exists():
        pytest.skip(f"the contract is not at {CONTRACT}; CIVITSCRAPE_SHARED says where it is")
    parts = re.split(r"\n### (10\.\d+)", CONTRACT.read_text("utf-8"))
    body = dict(zip(parts[1::2], parts[2::2], strict=True))[section]
    return [json.loads(one) for one in re.findall(r"```json\n(.*?)```", body, re.DOTALL)]


def shape(value: Any, path: str = "") -> set[str]:
    """List the paths of all keys; lists are told by their first member."""
    if isinstance(value, list):
        return shape(value[0], f"{path}[]") if value else set()
    if not isinstance(value, dict):
        return set()
    found = {f"{path}.{key}" for key in value}
    for key, one in value.items():
        if key not in FREE:
            found |= shape(one, f"{path}.{key}")
    return found


@pytest.mark.parametrize(
    ("section", "place", "name", "given"),
    [
        ("10.1", 0, "model.getAll", {"username": "lampwright", "limit": 2, "sort": "Oldest"}),
        ("10.2", 0, "image.getInfinite", FEED),
        ("10.2", 1, "image.getInfinite", {"postId": RECORD.post_id, "limit": 2, "include": ["metaSelect"]}),
        ("10.3", 0, "image.get", {"id": RECORD.id}),
        ("10.4", 0, "image.getGenerationData", {"id": RECORD.id}),
        ("10.5", 0, "tag.getVotableTags", {"id": RECORD.id, "type": "image"}),
        ("10.6", 0, "post.get", {"id": RECORD.post_id}),
    ],
)
async def test_a_procedure_tells_what_the_contracts_example_tells(caller: Caller, section, place, name, given):
    caller.sandbox.world = CROWD

    told = await call(caller, name, given)

    assert shape(told) == shape(examples(section)[place]["result"]["data"]["json"])


@pytest.mark.parametrize(
    ("section", "path"), [("10.10", f"/images/{RECORD.id}"), ("10.11", f"/posts/{RECORD.post_id}")]
)
async def test_a_page_holds_what_the_contracts_example_holds(caller: Caller, section, path):
    caller.sandbox.world = CROWD

    told = next_data((await caller.ask(path)).body)

    example = examples(section)[0]
    assert told.keys() == example.keys()
    assert told["props"]["pageProps"].keys() == example["props"]["pageProps"].keys()
    ours, theirs = (
        {".".join(one["queryKey"][0]): one for one in page["props"]["pageProps"]["trpcState"]["json"]["queries"]}
        for page in (told, example)
    )
    assert ours.keys() == theirs.keys()
    for name, query in theirs.items():
        assert query.keys() == ours[name].keys()
        assert shape(ours[name]["queryKey"][1]) == shape(query["queryKey"][1])
        # The examples are trimmed: what they have must be there.
        assert shape(query["state"]["data"]) <= shape(ours[name]["state"]["data"])
