from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.sandbox.conftest import KEY, MODELS, Caller, ids, listed

if TYPE_CHECKING:
    from civitscrape.sandbox.models import ModelRecord

ALL = "nsfw=true&archived=true&limit=100"
OWN = MODELS.creators["lampwright"].models


def shown(model: ModelRecord, *, nsfw: bool, archived: bool = False) -> bool:
    """Tell whether a look-up by username lists a model."""
    level = bool(model.level & (31 if nsfw else 1))
    return (
        model.visible
        and level
        and not (nsfw and (model.minor or model.childhood))
        and (archived or model.mode != "Archived")
    )


async def test_a_page_is_as_the_contract_has_it(models: Caller, schema):
    for query in ("", ALL, "limit=2&page=1", "username=lampwright&nsfw=true&archived=true"):
        reply = await models.ask(f"/api/v1/models?{query}")

        assert reply.status == 200
        schema("ModelsResponse", reply.json())
        assert reply.json()["items"]


async def test_keys_come_in_the_order_of_the_site(models: Caller):
    item = (await models.ask("/api/v1/models?ids=1400001")).json()["items"][0]

    assert list(item) == [
        "id", "name", "description", "allowNoCredit", "allowCommercialUse", "allowDerivatives",
        "allowDifferentLicense", "type", "minor", "sfwOnly", "poi", "nsfw", "nsfwLevel", "availability", "userId",
        "baseModels", "cosmetic", "supportsGeneration", "stats", "creator", "tags", "modelVersions",
    ]  # fmt: skip
    assert list(item["modelVersions"][0]) == [
        "id", "index", "name", "baseModel", "baseModelType", "publishedAt", "flags", "availability", "nsfwLevel",
        "description", "trainedWords", "vaeId", "paidAccess", "stats", "supportsGeneration", "files", "images",
        "downloadUrl",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "path", "message"),
    [
        ("limit=101", ["limit"], "Too big: expected number to be <=100"),
        ("limit=-1", ["limit"], "Too small: expected number to be >=0"),
        ("limit=many", ["limit"], "Invalid input: expected number, received NaN"),
        ("page=0", ["page"], "Too small: expected number to be >=1"),
        ("ids=1,x", ["ids", 1], "Invalid input: expected number, received NaN"),
        ("types=LORA,VAE", ["types", 0], 'Invalid option: expected one of "Checkpoint"|'),
        ("sort=newest", ["sort"], 'Invalid option: expected one of "Highest Rated"|'),
        ("period=Decade", ["period"], 'Invalid option: expected one of "Day"|'),
        ("nsfw=", ["nsfw"], 'Invalid option: expected one of "true"|'),
        ("nsfw=maybe", ["nsfw"], 'Invalid option: expected one of "true"|'),
        ("fileFormats=GGUF", ["fileFormats"], "Invalid input: expected array, received string"),
        ("browsingLevel=31", ["browsingLevel"], "Invalid input: expected number, received string"),
        ("allowNoCredit=true", ["allowNoCredit"], "Invalid input: expected boolean, received string"),
        ("excludedTagIds=1", ["excludedTagIds"], "Invalid input: expected array, received string"),
    ],
)
async def test_a_wrong_parameter_is_a_zod_error(models: Caller, schema, query, path, message):
    reply = await models.ask(f"/api/v1/models?{query}")

    assert reply.status == 400
    schema("ErrorZodObject", reply.json())
    (issue,) = json.loads(reply.json()["error"]["message"])
    assert issue["path"] == path
    assert issue["message"].startswith(message)


async def test_the_body_of_a_400_is_the_sites_to_the_letter(models: Caller):
    reply = await models.ask("/api/v1/models?limit=101")

    issue = (
        '{"origin":"number","code":"too_big","maximum":100,"inclusive":true,"path":["limit"],'
        '"message":"Too big: expected number to be <=100"}'
    )
    text = json.dumps([json.loads(issue)], indent=2)
    assert reply.body == json.dumps({"error": {"name": "ZodError", "message": text}}, separators=(",", ":")).encode()


async def test_the_default_is_pg_without_archived_models(models: Caller):
    found = await listed(models, "limit=100&username=lampwright")

    assert set(found) == {one.id for one in OWN if shown(one, nsfw=False)}


async def test_all_levels_lose_what_is_about_children(models: Caller):
    mild, all_levels = (
        await listed(models, "limit=100&username=lampwright&archived=true"),
        await listed(models, f"{ALL}&username=lampwright"),
    )

    lost = {MODELS.models[one] for one in mild} - {MODELS.models[one] for one in all_levels}
    assert lost == {one for one in OWN if (one.minor or one.childhood) and one.level & 1}
    assert set(mild) | set(all_levels) == set(MODELS.model_truth("lampwright", hashes=False).ids)


@pytest.mark.parametrize("username", ["lampwright", None])
async def test_two_passes_give_the_truth_with_files_and_showcases(models: Caller, username):
    listing = "/api/v1/models?archived=true&sort=Oldest&limit=7" + (f"&username={username}" if username else "")
    found = {}

    for level in ("", "&nsfw=true"):
        for page in await models.follow(listing + level):
            found.update({one["id"]: one for one in page["items"]})

    told = MODELS.model_truth(username)
    versions = {one["id"]: one for item in found.values() for one in item["modelVersions"]}
    files = {one["id"]: one for version in versions.values() for one in version["files"]}
    assert sorted(found) == sorted(told.ids)
    assert sorted(versions) == sorted(one["id"] for one in told.versions)
    assert {number: (one["name"], one["hashes"], one["sizeKB"]) for number, one in files.items()} == {
        one["id"]: (one["name"], one["hashes"], one["size_kb"]) for one in told.files
    }
    mature = {one.id for one in MODELS.models.values() if not (one.minor or one.childhood)}
    for one in told.versions:
        if one["model_id"] in mature:
            assert [image["id"] for image in versions[one["id"]]["images"]] == one["showcase"]


async def test_a_minor_model_without_a_pg_bit_is_only_found_by_id(models: Caller):
    (hidden,) = (one for one in OWN if one.minor and not one.level & 1)

    found = [*await listed(models, f"ids={hidden.id}"), *await listed(models, f"ids={hidden.id}&nsfw=true")]
    by_id = await models.ask(f"/api/v1/models/{hidden.id}")

    assert found == []
    assert by_id.status == 200


async def test_without_nsfw_only_pg_images_are_shown(models: Caller):
    mild = (await models.ask("/api/v1/models?username=lampwright&limit=100")).json()
    full = (await models.ask(f"/api/v1/models?{ALL}&username=lampwright")).json()

    levels = [
        {
            image["nsfwLevel"]
            for item in page["items"]
            for version in item["modelVersions"]
            for image in version["images"]
        }
        for page in (mild, full)
    ]
    assert levels[0] == {1}
    assert len(levels[1]) > 1


async def test_archived_needs_to_be_asked_for_and_has_no_files(models: Caller):
    archived = [one.id for one in OWN if one.mode == "Archived"]

    without = await listed(models, "username=lampwright&nsfw=true&limit=100")
    page = (await models.ask(f"/api/v1/models?{ALL}&username=lampwright")).json()

    found = [one for one in page["items"] if one.get("mode") == "Archived"]
    assert not set(archived) & set(without)
    assert {one["id"] for one in found} == set(archived)
    assert all(one["files"] == [] and "downloadUrl" not in one for item in found for one in item["modelVersions"])


@pytest.mark.parametrize("value", ["false", "0", "no", "anything"])
async def test_a_loose_boolean_is_true_whatever_it_says(models: Caller, value):
    assert await listed(models, f"username=lampwright&limit=100&archived={value}") == await listed(
        models, "username=lampwright&limit=100&archived=true"
    )


async def test_a_taken_down_model_shows_no_images(models: Caller):
    (taken,) = (one for one in OWN if one.mode == "TakenDown")

    (item,) = (await models.ask(f"/api/v1/models?ids={taken.id}&nsfw=true")).json()["items"]

    assert item["mode"] == "TakenDown"
    assert all(one["images"] == [] for one in item["modelVersions"])


async def test_the_general_listing_shows_public_versions_only(models: Caller):
    general = {
        one for page in await models.follow(f"/api/v1/models?{ALL}") for one in page["items"] for one in _versions(one)
    }
    named = {
        one
        for page in await models.follow(f"/api/v1/models?{ALL}&username=lampwright")
        for one in page["items"]
        for one in _versions(one)
    }

    assert {availability for _, availability in general} == {"Public"}
    assert {availability for _, availability in named} == {"Public", "Unsearchable", "EarlyAccess"}


def _versions(item) -> list[tuple[int, str]]:
    return [(one["id"], one["availability"]) for one in item["modelVersions"]]


async def test_pages_run_short_where_no_version_is_to_be_seen(models: Caller):
    pages = await models.follow("/api/v1/models?nsfw=true&archived=true&limit=5&sort=Oldest")

    assert any(len(one["items"]) < 5 for one in pages[:-1])
    assert set(ids(pages)) <= set(MODELS.model_truth(hashes=False).ids)


async def test_an_early_access_version_tells_its_deadline(models: Caller):
    page = (await models.ask(f"/api/v1/models?{ALL}&username=lampwright")).json()

    gated = [one for item in page["items"] for one in item["modelVersions"] if one["paidAccess"]]
    assert gated
    for one in gated:
        assert one["availability"] == "EarlyAccess"
        assert one.get("earlyAccessDeadline") == one["paidAccess"]["endsAt"]


async def test_an_unknown_tag_is_ignored(models: Caller):
    assert await listed(models, f"{ALL}&tag=no-such-tag") == await listed(models, ALL)


async def test_a_tag_selects(models: Caller):
    tag = OWN[0].tags[0]

    page = (await models.ask(f"/api/v1/models?{ALL}&tag={quote(tag)}")).json()

    assert page["items"]
    assert all(tag in one["tags"] for one in page["items"])


async def test_a_comma_list_of_base_models_matches_nothing_and_one_trims_versions(models: Caller):
    page = (await models.ask(f"/api/v1/models?{ALL}&baseModels=SDXL%201.0&baseModels=Pony")).json()

    assert await listed(models, f"{ALL}&baseModels=SDXL%201.0,Pony") == []
    assert {one["baseModel"] for item in page["items"] for one in item["modelVersions"]} == {"SDXL 1.0", "Pony"}
    assert any(set(item["baseModels"]) - {"SDXL 1.0", "Pony"} for item in page["items"])


async def test_version_ids_trim_the_versions(models: Caller):
    version = next(one for one in OWN if len(one.visible_versions) > 1 and one.level & 1 and one.mode is None).versions[
        0
    ]

    page = (await models.ask(f"/api/v1/models?modelVersionIds={version.id},{2900011}")).json()

    assert {one["id"] for item in page["items"] for one in item["modelVersions"]} == {version.id, 2900011}


async def test_ids_may_be_repeated_and_nothing_is_nothing(models: Caller):
    both = await listed(models, "ids=1400001&ids=1400003")

    assert set(both) == {1400001, 1400003}
    assert await listed(models, "ids=") == []


async def test_the_civitai_account_is_no_creator(models: Caller):
    page = (await models.ask("/api/v1/models?ids=1400007,1400001")).json()

    named = {one["id"]: one.get("creator") for one in page["items"]}
    assert named == {1400007: None, 1400001: {"username": "lamp_foundry", "image": None}}


async def test_a_vanished_owner_is_null(models: Caller):
    gone = MODELS.creators["moved_away"].models[0]

    (item,) = (await models.ask(f"/api/v1/models?ids={gone.id}&nsfw=true")).json()["items"]

    assert item["creator"] == {"username": None, "image": None}
    assert item["userId"] == gone.user_id


@pytest.mark.parametrize("name", ["lampwright", "LampWright", "lamp-wright", "user=lampwright"])
async def test_usernames_are_normalised(models: Caller, name):
    query = name if "=" in name else f"username={name}"

    assert await listed(models, f"limit=100&{query}") == await listed(models, "limit=100&username=lampwright")


@pytest.mark.parametrize("name", ["nobody_here", "moved_away"])
async def test_an_unknown_user_is_404(models: Caller, schema, name):
    reply = await models.ask(f"/api/v1/models?username={name}")

    assert (reply.status, reply.json()) == (404, {"message": "User not found"})
    schema("ErrorMessage", reply.json())


@pytest.mark.parametrize("parameter", ["favorites=false", "hidden=true"])
async def test_naming_a_list_of_ones_own_needs_a_session(models: Caller, parameter):
    anonymous = await models.ask(f"/api/v1/models?{parameter}")
    keyed = await models.ask(f"/api/v1/models?{parameter}", headers=KEY)

    assert (anonymous.status, anonymous.json()) == (401, {"error": "Unauthorized"})
    assert keyed.status == 200


async def test_private_models_need_a_name(models: Caller):
    reply = await models.ask("/api/v1/models?availability=Private")

    assert (reply.status, reply.json()) == (401, {"message": "You are not authorized to perform this action"})


async def test_primary_files_only(models: Caller):
    page = (await models.ask(f"/api/v1/models?{ALL}&primaryFileOnly=true")).json()

    counts = {len(one["files"]) for item in page["items"] if "mode" not in item for one in item["modelVersions"]}
    assert counts == {1}
    assert all(file["primary"] for item in page["items"] for one in item["modelVersions"] for file in one["files"])


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST"])
async def test_other_methods_are_405_without_cors(models: Caller, method):
    reply = await models.ask("/api/v1/models", method=method)

    assert reply.status == 405
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert reply.body == (b"" if method == "HEAD" else b'{"error":"Method not allowed"}')


async def test_answers_are_shared_unless_a_key_is_valid(models: Caller):
    headers: list[dict[str, str]] = [{}, {"Authorization": "Bearer wrong"}, dict(KEY)]

    replies = [await models.ask("/api/v1/models?limit=1", headers=one) for one in headers]

    assert [one.headers["Cache-Control"].partition(",")[0] for one in replies] == ["public", "public", "max-age=0"]
    assert replies[0].headers["Access-Control-Allow-Origin"] == "*"


async def test_the_same_body_is_a_304_to_who_has_it(models: Caller):
    first = await models.ask("/api/v1/models?limit=1")

    again = await models.ask("/api/v1/models?limit=1", headers={"If-None-Match": first.headers["ETag"]})

    assert again.status == 304


async def test_addresses_name_the_host_that_was_asked(models: Caller):
    page = (await models.ask("/api/v1/models?ids=1400001", red=True)).json()

    assert page["items"][0]["modelVersions"][0]["downloadUrl"].startswith(f"{models.sandbox.mature_url}/api/download/")


async def test_arrays_may_come_as_the_database_writes_them(models: Caller, schema):
    models.sandbox.site.quirks.text_arrays = True

    page = (await models.ask(f"/api/v1/models?{ALL}")).json()
    detail = (await models.ask(f"/api/v1/models/{page['items'][0]['id']}")).json()

    schema("ModelsResponse", page)
    assert "{Image,RentCivit}" in {one["allowCommercialUse"] for one in page["items"]}
    assert detail["allowCommercialUse"].startswith("{")


async def test_some_files_tell_no_hash(models: Caller):
    (file,) = (one for one in MODELS.files.values() if not one.hashed)

    model = (await models.ask(f"/api/v1/models/{MODELS.versions[file.version_id].model_id}")).json()

    told = [one for version in model["modelVersions"] for one in version["files"]]
    assert [one["hashes"] for one in told if one["id"] == file.id] == [{}]


async def test_an_owner_may_hide_how_often_models_were_downloaded(models: Caller):
    hiding = {one.id for one in OWN if one.hides_counts}

    items = (await models.ask(f"/api/v1/models?{ALL}&username=lampwright")).json()["items"]

    assert hiding & {one["id"] for one in items}
    assert {one["id"] for one in items if one["stats"]["downloadCount"] is None} <= hiding
