from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from civitscrape.sandbox.procedures import MUTATIONS, TABLE
from civitscrape.sandbox.server import Sandbox
from tests.sandbox.conftest import KEY, WORLD, Caller
from tests.sandbox.procedures import REFERER, ask, path, refused

if TYPE_CHECKING:
    import aiohttp

IMAGES_ONLY = replace(SANDBOX_ACCOUNT, scope=32)
RECORD = next(one for one in WORLD.records.values() if one.listed)


@pytest.mark.parametrize("name", sorted(set(TABLE) - MUTATIONS))
async def test_every_procedure_refuses_callers_from_nowhere(caller: Caller, name):
    reply = await caller.ask(path(name, {"id": 1}))

    assert reply.status == 401


@pytest.mark.parametrize("name", sorted(name for name in TABLE if name.endswith(("ById", ".get"))))
async def test_a_number_that_is_none_is_a_zod_error(caller: Caller, name):
    wrong = await refused(caller, name, {"id": "5"})
    missing = await refused(caller, name, {}) if not name.startswith("userProfile") else wrong

    assert (wrong[0], missing[0]) == (400, 400)
    assert json.loads(wrong[1])[0]["message"] == "Invalid input: expected number, received string"


async def test_a_key_needs_the_bit_of_what_it_asks(session: aiohttp.ClientSession):
    async with Sandbox(WORLD, known=(IMAGES_ONLY,)) as sandbox:
        caller = Caller(sandbox, session)
        image = await ask(caller, "image.get", {"id": RECORD.id})
        model = await refused(caller, "model.getAll", {})
        tools = await refused(caller, "tool.getAll")

    assert image.status == 200
    assert model == tools == (403, "Your API key does not have the required scope for this action")


async def test_the_scope_stands_before_the_input(session: aiohttp.ClientSession):
    async with Sandbox(WORLD, known=(IMAGES_ONLY,)) as sandbox:
        status, _ = await refused(Caller(sandbox, session), "model.getById", {"id": "x"})

    assert status == 403


async def test_a_batch_without_agreement_is_207_and_with_it_the_common_status(caller: Caller):
    given = {"0": {"json": {"id": RECORD.id}}, "1": {"json": {"id": 1}}}
    address = f"/api/trpc/image.get,image.get?batch=1&input={quote(json.dumps(given))}"
    missing = {"0": {"json": {"id": 1}}, "1": {"json": {"id": 2}}}

    mixed = await caller.ask(address, headers=REFERER)
    posted = await caller.ask("/api/trpc/image.get,image.get?batch=1", method="POST", headers=REFERER, body=missing)

    assert [mixed.status, posted.status] == [207, 404]
    assert [one["error"]["json"]["message"] for one in posted.json()] == ["No image with id 1", "No image with id 2"]


async def test_a_batch_of_a_hundred_by_post_is_fine(caller: Caller):
    numbers = [one.id for one in WORLD.records.values() if one.listed][:100]
    names = ",".join(["tag.getVotableTags"] * len(numbers))
    given = {str(place): {"json": {"id": one, "type": "image"}} for place, one in enumerate(numbers)}

    reply = await caller.ask(f"/api/trpc/{names}?batch=1", method="POST", headers=KEY, body=given)

    assert reply.status == 200
    assert all(one["result"]["data"]["json"] for one in reply.json())


async def test_queries_and_mutations_do_not_mix(caller: Caller):
    reply = await caller.ask(
        "/api/trpc/model.getModelsByHash,image.get?batch=1", method="POST", headers=KEY, body={"0": {"json": {}}}
    )

    assert reply.status == 400
    assert reply.headers["Content-Type"] == "text/plain;charset=UTF-8"
    assert reply.json()["error"]["json"]["message"].startswith("Cannot mix procedure types in call")


async def test_a_batched_answer_has_no_rule_of_the_edge(caller: Caller):
    single = await ask(caller, "user.getCreator", {"username": "lampwright"}, keyed=True)
    given = quote(json.dumps({"0": {"json": {"username": "lampwright"}}}))
    batched = await caller.ask(f"/api/trpc/user.getCreator?batch=1&input={given}", headers=KEY)

    assert single.headers["Cache-Control"] == "public, max-age=60, s-maxage=180, stale-while-revalidate=30"
    assert batched.headers["Cache-Control"] == "max-age=0, private, no-cache"


async def test_an_input_may_be_a_devalue_string(caller: Caller):
    packed = quote(json.dumps(json.dumps([{"id": 1, "gone": -1}, RECORD.id])))
    broken = quote(json.dumps("[[7]]"))

    good = await caller.ask(f"/api/trpc/image.get?input={packed}", headers=REFERER)
    bad = await caller.ask(f"/api/trpc/image.get?input={broken}", headers=REFERER)

    assert good.json()["result"]["data"]["json"]["id"] == RECORD.id
    assert (bad.status, bad.json()["error"]["json"]["message"]) == (400, "Invalid input")
