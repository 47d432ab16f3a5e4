from __future__ import annotations

from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from civitscrape.sandbox.content_truth import collection_truth
from tests.sandbox.conftest import WORLD, Caller
from tests.sandbox.procedures import call, ids, pages_of, refused, walk

NAMED = {one.name: one for one in WORLD.collections.values()}
LANTERNS = NAMED["Lanterns & water"]
CONTEST = NAMED["Harbour prize"]


def test_collections_cross_creators_and_levels_in_no_order_of_ids():
    records = [WORLD.records[one.entry_id] for one in LANTERNS.accepted]

    assert len({one.username for one in records}) > 1
    assert len({one.level for one in records}) > 2
    numbers = [one.id for one in records]
    assert numbers not in (sorted(numbers), sorted(numbers, reverse=True))


def test_publishing_adds_to_a_collection_and_moves_nothing():
    grown = WORLD.with_images("lampwright", 40).collections[LANTERNS.id]

    assert [one for one in grown.members if one in LANTERNS.members] == list(LANTERNS.members)
    assert len(grown.members) > len(LANTERNS.members)


def test_a_deleted_image_is_in_no_collection():
    victim = LANTERNS.accepted[0].entry_id

    smaller = WORLD.without(victim).collections[LANTERNS.id]

    assert [one.entry_id for one in smaller.members] == [
        one.entry_id for one in LANTERNS.members if one.entry_id != victim
    ]


def test_images_stay_what_they_are_beside_collections():
    assert all(one.entry_id in WORLD.records for one in LANTERNS.members)
    assert {one.type for one in WORLD.collections.values()} == {"Image", "Post", "Model"}
    assert {one.read for one in WORLD.collections.values()} == {"Public", "Unlisted", "Private"}


async def test_the_curators_order_is_told_to_who_is_logged_in(caller: Caller):
    given = {"collectionId": LANTERNS.id, "limit": 7}

    pages = await pages_of(caller, "collection.getAllCollectionItems", given)

    told = [member["data"]["id"] for page in pages for member in page["collectionItems"]]
    true = collection_truth(WORLD, LANTERNS.id)
    assert true
    assert told == true["entries"]
    assert await refused(caller, "collection.getAllCollectionItems", given, keyed=False) == (401, "UNAUTHORIZED")


async def test_on_the_green_host_members_are_missing_from_full_pages(caller: Caller):
    given = {"collectionId": LANTERNS.id, "limit": 7}

    pages = await pages_of(caller, "collection.getAllCollectionItems", given, red=False)

    assert min(len(page["collectionItems"]) for page in pages[:-1]) < 7
    levels = {member["data"]["nsfwLevel"] for page in pages for member in page["collectionItems"]}
    assert levels == {1, 2}


async def test_private_and_missing_collections_are_null_without_rights(caller: Caller):
    for number in (NAMED["Nobody's business"].id, 1):
        told = await call(caller, "collection.getById", {"id": number})

        assert told["collection"] is None
        assert not any(value for key, value in told["permissions"].items() if key != "collectionId")


async def test_unlisted_collections_are_told_to_anybody_who_knows_the_number(caller: Caller):
    found = NAMED["Kept for later / maybe"]

    told = await call(caller, "collection.getById", {"id": found.id}, keyed=False)
    listed = await walk(caller, "collection.getInfinite", {"limit": 2}, keyed=False)

    assert told["collection"]["name"] == found.name
    assert told["permissions"]["read"] is True
    assert found.id not in ids(listed)


async def test_a_list_has_every_public_collection_once(caller: Caller):
    listed = await walk(caller, "collection.getInfinite", {"limit": 2})

    assert ids(listed) == sorted((one.id for one in NAMED.values() if one.read == "Public"), reverse=True)
    assert next(one for one in listed if one["id"] == LANTERNS.id)["_count"]["items"] == len(LANTERNS.accepted)


async def test_own_collections_hold_the_private_ones(caller: Caller):
    own = await call(caller, "collection.getAllUser")

    assert ids(own) == [NAMED["Own drawer"].id]
    assert own[0]["userId"] == SANDBOX_ACCOUNT.user_id


async def test_a_contest_shows_accepted_entries_only(caller: Caller):
    items = await walk(caller, "image.getInfinite", {"collectionId": CONTEST.id, "sort": "Oldest", "browsingLevel": 3})

    waiting = {one.entry_id for one in CONTEST.members if one.status != "ACCEPTED"}
    assert waiting
    assert items
    assert not waiting & set(ids(items))


async def test_a_profile_counts_public_collections(caller: Caller):
    told = await call(caller, "userProfile.overview", {"username": "lampwright"})

    own = [one for one in NAMED.values() if one.username == "lampwright" and one.read == "Public"]
    assert told["collectionCount"] == len(own) > 0
