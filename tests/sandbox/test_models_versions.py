from __future__ import annotations

import pytest

from civitscrape.sandbox import model_files
from civitscrape.sandbox.records import generation_data
from tests.sandbox.conftest import KEY, MODELS, Caller

OWN = [version for model in MODELS.creators["lampwright"].models for version in model.versions]
PLAIN = next(
    one for one in OWN if one.visible and MODELS.models[one.model_id].mode is None and len(one.listed_files) > 1
)


async def test_every_published_version_is_served(models: Caller, schema):
    for version in MODELS.versions.values():
        reply = await models.ask(f"/api/v1/model-versions/{version.id}")

        assert reply.status == (200 if version.status == "Published" else 404)
        if reply.status == 200:
            schema("ModelVersion", reply.json())


@pytest.mark.parametrize(
    ("name", "status", "text"),
    [
        ("lantern", 400, "✖ Invalid input: expected number, received NaN\n  → at id"),
        ("0", 400, "Missing modelVersionId"),
        ("5", 404, "Model not found"),
        ("99999999999", 500, "Failed to fetch model version details"),
    ],
)
async def test_a_wrong_id_has_a_text_for_each_way(models: Caller, name, status, text):
    reply = await models.ask(f"/api/v1/model-versions/{name}")

    assert (reply.status, reply.json()) == (status, {"error": text})


async def test_scans_are_dated_without_a_zone_here_and_with_one_by_hash(models: Caller):
    by_id = (await models.ask(f"/api/v1/model-versions/{PLAIN.id}")).json()
    file = PLAIN.listed_files[0]

    by_hash = (await models.ask(f"/api/v1/model-versions/by-hash/{model_files.sha256(file)}")).json()

    plain, dated = (next(one for one in body["files"] if one["id"] == file.id) for body in (by_id, by_hash))
    assert not plain["scannedAt"].endswith(("Z", "0"))
    assert dated["scannedAt"].endswith("Z")
    assert dated["scannedAt"].startswith(plain["scannedAt"])


async def test_the_by_hash_body_adds_override_names_and_the_fee(models: Caller):
    by_id = (await models.ask(f"/api/v1/model-versions/{PLAIN.id}")).json()

    by_hash = (await models.ask(f"/api/v1/model-versions/by-hash/{model_files.sha256(PLAIN.listed_files[0])}")).json()

    assert list(by_id) == list(by_hash)
    assert by_id["licensingFee"] is None
    assert by_hash["licensingFee"] in {0, 0.5, 1}
    assert all("overrideName" in one for one in by_hash["files"])
    assert all("overrideName" not in one for one in by_id["files"])


async def test_a_replaced_file_is_told_by_id_and_nowhere_else(models: Caller):
    (replaced,) = (file for version in OWN for file in version.files if file.replaced)

    by_id = (await models.ask(f"/api/v1/model-versions/{replaced.version_id}")).json()
    model = (await models.ask(f"/api/v1/models/{by_id['modelId']}")).json()
    by_hash = await models.ask(f"/api/v1/model-versions/by-hash/{model_files.sha256(replaced)}")

    assert replaced.id in {one["id"] for one in by_id["files"]}
    assert replaced.id not in {file["id"] for one in model["modelVersions"] for file in one["files"]}
    assert by_hash.status == 404


async def test_private_files_are_told_nowhere(models: Caller):
    private = [file for version in OWN for file in version.files if not file.public]

    for file in private:
        body = (await models.ask(f"/api/v1/model-versions/{file.version_id}")).json()

        assert file.id not in {one["id"] for one in body.get("files", [])}

    assert private


async def test_hidden_generation_data_comes_with_a_false_flag(models: Caller):
    record = next(
        one
        for found in MODELS.showcases.values()
        for one in found[:10]
        if one.hide_meta
        and generation_data(one)
        and MODELS.models[MODELS.versions[one.posted_to or 0].model_id].mode != "TakenDown"
    )

    body = (await models.ask(f"/api/v1/model-versions/{record.posted_to}")).json()

    (image,) = (one for one in body["images"] if f"/{record.id}." in one["url"])
    assert image["hasMeta"] is False
    assert image["meta"] == generation_data(record)


async def test_what_may_be_generated_only_says_so(models: Caller):
    version = next(one for one in OWN if one.usage_control == "Generation")

    body = (await models.ask(f"/api/v1/model-versions/{version.id}")).json()

    assert body["usageControl"] == "Generation"
    assert body["files"]


async def test_other_methods_are_405(models: Caller):
    replies = [
        await models.ask(f"/api/v1/model-versions/{PLAIN.id}", method=one) for one in ("HEAD", "OPTIONS", "POST")
    ]

    assert {one.status for one in replies} == {405}


async def test_mini_tells_of_the_primary_file(models: Caller, schema):
    for version in (one for one in OWN if one.status == "Published"):
        body = (await models.ask(f"/api/v1/model-versions/mini/{version.id}")).json()

        schema("MiniVersion", body)
        assert version.primary is not None
        assert body["hashes"] == model_files.hashes(version.primary)
        assert body["fileName"] == version.primary.name
        assert ("earlyAccessEndsAt" in body) == version.gated


async def test_mini_takes_a_file_by_its_id(models: Caller):
    other = next(one for one in PLAIN.listed_files if one is not PLAIN.primary)

    found = (await models.ask(f"/api/v1/model-versions/mini/{PLAIN.id}?modelFileId={other.id}")).json()
    missing = await models.ask(f"/api/v1/model-versions/mini/{PLAIN.id}?modelFileId=7")

    assert found["fileName"] == other.name
    assert (missing.status, missing.json()) == (404, {"error": f"Model file 7 not found in version {PLAIN.id}"})


async def test_mini_refuses_an_epoch(models: Caller):
    reply = await models.ask(f"/api/v1/model-versions/mini/{PLAIN.id}?epoch=1")

    assert reply.status == 400


async def test_creators_are_all_who_have_a_model_of_any_status(models: Caller, schema):
    body = (await models.ask("/api/v1/creators")).json()

    schema("CreatorsResponse", body)
    counts = {one["username"]: one.get("modelCount") for one in body["items"]}
    assert counts == {
        "lampwright": 26, "harbourmaster": 3, "draughtsman": None, "lamp_foundry": 4, "tide_works": 3, "civitai": 2,
    }  # fmt: skip
    assert body["metadata"] == {"totalItems": 6, "currentPage": 1, "pageSize": 20, "totalPages": 1}


async def test_creators_are_paged(models: Caller, schema):
    pages = [(await models.ask(f"/api/v1/creators?limit=4&page={one}")).json() for one in (1, 2)]

    schema("CreatorsResponse", pages[0])
    assert len({one["username"] for page in pages for one in page["items"]}) == 6
    assert pages[0]["metadata"]["nextPage"].endswith("/api/v1/creators?limit=4&page=2")
    assert "nextPage" not in pages[1]["metadata"]
    assert pages[1]["metadata"]["prevPage"].endswith("page=1")


async def test_creators_are_found_by_a_part_of_their_name(models: Caller):
    body = (await models.ask("/api/v1/creators?query=AMP")).json()

    assert {one["username"] for one in body["items"]} == {"lampwright", "lamp_foundry"}
    assert body["metadata"]["hasMore"] is False


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "page=-1"])
async def test_a_wrong_number_is_a_bare_array_of_issues(models: Caller, schema, query):
    reply = await models.ask(f"/api/v1/creators?{query}")

    assert reply.status == 400
    schema("ErrorZodIssueArray", reply.json())


async def test_me_tells_who_a_key_belongs_to(models: Caller, schema):
    anonymous = await models.ask("/api/v1/me")
    wrong = await models.ask("/api/v1/me", headers={"Authorization": "Bearer wrong"})
    keyed = await models.ask("/api/v1/me", headers=KEY)

    assert [one.status for one in (anonymous, wrong, keyed)] == [401, 401, 200]
    assert anonymous.json() == {"error": "Unauthorized"}
    schema("Me", keyed.json())
    assert keyed.json()["username"] == "keeper"
    assert keyed.headers["Access-Control-Allow-Credentials"] == "true"
    assert keyed.headers["Cache-Control"] == "max-age=0, private, no-cache"


async def test_me_tells_of_a_session_without_a_scope(models: Caller, schema):
    reply = await models.ask("/api/v1/me", headers={"Cookie": "civ-token=sandbox-session"})

    schema("Me", reply.json())
    assert "tokenScope" not in reply.json()


async def test_me_refuses_other_methods_but_options(models: Caller):
    post = await models.ask("/api/v1/me", method="POST", headers=KEY)
    options = await models.ask("/api/v1/me", method="OPTIONS")

    assert [post.status, options.status] == [405, 200]
