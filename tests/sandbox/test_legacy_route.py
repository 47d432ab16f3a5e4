from __future__ import annotations

from tests.sandbox.conftest import WORLD, Caller, ids

MODEL = "modelId=1400001&browsingLevel=31"


def of_model(model_id: int) -> list[int]:
    """Ids that the legacy route tells for a model, repeats included, newest first."""
    versions = {2900002, 2900011}
    assert model_id == 1400001
    # What was made with something else may still be posted to the model.
    found = [
        one.id
        for one in WORLD.records.values()
        for _ in versions & set(one.used) or versions & {one.posted_to}
        if one.listed and not one.childhood
    ]
    return sorted(found, reverse=True)


async def test_one_image_by_its_id_is_nested_and_legacy(caller: Caller, schema):
    record = next(one for one in WORLD.creators["lampwright"].records if one.shape == "flat" and one.level == 1)

    page = await caller.images(f"imageId={record.id}&withMeta=true")

    schema("ImagesResponse", page)
    (entry,) = page["items"]
    assert entry["meta"]["id"] == record.id
    assert "prompt" in entry["meta"]["meta"]
    assert page["metadata"] == {}


async def test_flat_meta_flattens_the_legacy_route_too(caller: Caller):
    record = next(one for one in WORLD.creators["lampwright"].records if one.shape == "flat" and one.level == 1)

    page = await caller.images(f"imageId={record.id}&withMeta=true&flatMeta=true")

    assert "prompt" in page["items"][0]["meta"]


async def test_the_legacy_route_tells_the_true_creation_time_and_all_versions(caller: Caller):
    record = next(
        one for one in WORLD.creators["lampwright"].records if len(one.used) > one.detected and one.level == 1
    )

    legacy = (await caller.images(f"imageId={record.id}"))["items"][0]
    search = next(one for one in (await caller.images(f"postId={record.post_id}"))["items"] if one["id"] == record.id)

    assert legacy["createdAt"] < search["createdAt"]
    assert legacy["modelVersionIds"] == list(record.used)
    assert search["modelVersionIds"] == list(record.used[: record.detected])


async def test_a_mature_image_by_id_needs_its_level(caller: Caller):
    record = next(one for one in WORLD.creators["lampwright"].records if one.level == 8 and one.listed)

    without = await caller.images(f"imageId={record.id}")
    asked = await caller.images(f"imageId={record.id}&browsingLevel=31")

    assert without == {"items": [], "metadata": {}}
    assert ids([asked]) == [record.id]


async def test_cursors_of_the_legacy_route_are_numbers_and_lose_one_entry_a_page(caller: Caller, schema):
    pages = await caller.walk(f"{MODEL}&limit=5&sort=Newest", red=True)

    schema("ImagesResponse", pages[0])
    assert isinstance(pages[0]["metadata"]["nextCursor"], int)
    missing = set(of_model(1400001)) - set(ids(pages))
    assert missing
    assert missing <= {page["metadata"]["nextCursor"] for page in pages[:-1]}


async def test_oldest_on_the_legacy_route_loses_nothing(caller: Caller):
    pages = await caller.walk(f"{MODEL}&limit=5&sort=Oldest", red=True)

    assert set(ids(pages)) == set(of_model(1400001))


async def test_an_image_with_two_versions_of_a_model_repeats(caller: Caller):
    page = await caller.images(f"{MODEL}&limit=200", red=True)

    assert ids([page]) == of_model(1400001)
    assert len(ids([page])) > len(set(ids([page])))


async def test_page_is_a_real_offset_on_the_legacy_route(caller: Caller):
    first = await caller.images(f"{MODEL}&limit=5&page=1", red=True)
    second = await caller.images(f"{MODEL}&limit=5&page=2", red=True)

    assert ids([first, second]) == of_model(1400001)[:10]


async def test_random_is_refused_on_the_legacy_route(caller: Caller, schema):
    reply = await caller.ask(f"/api/v1/images?{MODEL}&sort=Random")

    schema("ErrorTrpc", reply.json())
    assert reply.status == 400
    assert reply.json() == {"error": "Random sort requires a collectionId", "code": "BAD_REQUEST"}


async def test_an_unknown_username_is_404_on_the_legacy_route(caller: Caller):
    reply = await caller.ask(f"/api/v1/images?{MODEL}&username=nobody_here")

    assert (reply.status, reply.json()) == (404, {"error": "User not found", "code": "NOT_FOUND"})


async def test_a_version_turns_a_model_back_to_the_search_route(caller: Caller):
    page = await caller.images(f"{MODEL}&modelVersionId=2900002&limit=5")

    assert isinstance(page["metadata"]["nextCursor"], str)


async def test_a_vanished_account_is_null_on_the_legacy_route(caller: Caller):
    record = WORLD.creators["moved_away"].records[0]

    page = await caller.images(f"imageId={record.id}&browsingLevel=31")

    assert page["items"][0]["username"] is None
