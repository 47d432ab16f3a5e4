from __future__ import annotations

import pytest

from tests.sandbox.conftest import MODELS, Caller


@pytest.mark.parametrize("path", ["tos", "privacy", "guides/lanterns"])
async def test_a_text_is_told_with_its_hash(caller: Caller, schema, path):
    reply = await caller.ask(f"/api/v1/content/{path}")

    assert reply.status == 200
    schema("StaticContent", reply.json())


async def test_each_host_has_its_own_terms_where_there_are_any(caller: Caller):
    green = (await caller.ask("/api/v1/content/tos")).json()
    red = (await caller.ask("/api/v1/content/tos", red=True)).json()

    assert green["hash"] != red["hash"]


@pytest.mark.parametrize("path", ["/lanterns", "/tos/lanterns", "/tos.green", "/", ""])
async def test_every_unknown_text_is_an_empty_500(caller: Caller, path):
    reply = await caller.ask(f"/api/v1/content{path}")

    assert (reply.status, reply.json()) == (500, {})


async def test_permissions_tell_what_has_to_be_bought(models: Caller, schema):
    gated = next(one for one in MODELS.versions.values() if one.gated)
    free = next(
        one
        for one in MODELS.versions.values()
        if one.status == "Published" and not one.gated and MODELS.models[one.model_id].visible
    )

    told = (await models.ask(f"/api/v1/permissions/check?entityIds={gated.id},{free.id},1")).json()

    schema("Permissions", told)
    assert told == {str(gated.id): False, str(free.id): True, "1": False}


async def test_permissions_of_nothing_are_a_list(models: Caller):
    assert (await models.ask("/api/v1/permissions/check?entityIds=")).json() == []


@pytest.mark.parametrize("query", ["", "?entityIds=x", "?entityIds=1&entityType=Model", "?entityIds=1&permission=Sell"])
async def test_permissions_of_what_is_no_number_are_refused(models: Caller, query):
    reply = await models.ask(f"/api/v1/permissions/check{query}")

    assert (reply.status, reply.json()) == (400, {"error": "Could not parse provided model versions array."})
