from __future__ import annotations

import json
from io import BytesIO

import pytest

from civitscrape.sandbox import model_files
from tests.sandbox.conftest import MODELS, Caller

BATCH, IDS = "/api/v1/model-versions/by-hash", "/api/v1/model-versions/by-hash/ids"
FILES = [
    file
    for model in MODELS.creators["lampwright"].models
    if model.status == "Published"
    for version in model.versions
    for file in version.listed_files
    if file.hashed and version.status == "Published"
]


async def test_any_kind_of_hash_in_any_case_finds_its_version(models: Caller, schema):
    file = next(one for one in FILES if len(model_files.hashes(one)) == 6)

    for kind, value in model_files.hashes(file).items():
        body = (await models.ask(f"{BATCH}/{value.lower()}")).json()

        schema("ModelVersion", body)
        assert any(one["hashes"].get(kind) == value for one in body["files"])
        assert kind == "AutoV1" or body["id"] == file.version_id


async def test_of_several_matches_the_earliest_version_is_told(models: Caller):
    body = (await models.ask(f"{BATCH}/E3B0C442")).json()

    out = [
        one
        for one in MODELS.versions.values()
        if one.status == "Published" and MODELS.models[one.model_id].status == "Published"
    ]
    assert body["id"] == min(out, key=lambda one: (one.published or 0, one.id)).id


async def test_an_unknown_hash_is_404_and_kept_for_an_hour(models: Caller):
    reply = await models.ask(f"{BATCH}/{'0' * 64}")

    assert (reply.status, reply.json()) == (404, {"error": "Model not found"})
    assert reply.headers["Cache-Control"] == "public, s-maxage=3600, stale-while-revalidate=1800"


async def test_drafts_are_not_found_by_their_hash(models: Caller):
    draft = MODELS.creators["draughtsman"].models[0].versions[0].files[0]

    reply = await models.ask(f"{BATCH}/{model_files.sha256(draft)}")

    assert reply.status == 404


async def test_mature_models_are_found_by_their_hash(models: Caller):
    mature = next(one for one in MODELS.creators["lampwright"].models if one.nsfw and one.visible)

    reply = await models.ask(f"{BATCH}/{model_files.sha256(mature.versions[0].listed_files[0])}")

    assert reply.json()["modelId"] == mature.id


async def test_a_batch_answers_each_matching_file_unordered(models: Caller, schema):
    asked = sorted(FILES, key=lambda one: one.id)[:12]
    hashes = [model_files.sha256(one) for one in asked] + ["0" * 64]

    body = (await models.ask(BATCH, method="POST", body=hashes)).json()

    schema("ModelVersionBatch", body)
    assert len(body) == 12
    assert [one["id"] for one in body] != [one.version_id for one in asked]
    assert sorted(one["id"] for one in body) == sorted(one.version_id for one in asked)


async def test_a_batch_has_addresses_of_nowhere(models: Caller):
    body = (await models.ask(BATCH, method="POST", body=[model_files.sha256(FILES[-1])])).json()

    assert body[0]["downloadUrl"] == f"https://undefined/api/download/models/{FILES[-1].version_id}"
    assert all(one["downloadUrl"].startswith("https://undefined/") for one in body[0]["files"])


async def test_ids_of_thousands_come_in_one_answer(models: Caller, schema):
    hashes = [model_files.sha256(one).lower() for one in FILES] + [f"{one:064X}" for one in range(9000)]

    body = (await models.ask(IDS, method="POST", body=hashes)).json()

    schema("HashIds", body)
    assert {one["hash"]: one["modelVersionId"] for one in body} == {
        model_files.sha256(one): one.version_id for one in FILES
    }


@pytest.mark.parametrize(("path", "most"), [(BATCH, 100), (IDS, 10_000)])
async def test_too_many_hashes_are_refused(models: Caller, schema, path, most):
    reply = await models.ask(path, method="POST", body=[f"{one:064X}" for one in range(most + 1)])

    assert reply.status == 400
    schema("ErrorString", reply.json())
    assert reply.json()["error"].startswith("Request must include an array of SHA256 Hashes. [\n")
    assert "Too many hashes" in reply.json()["error"]


@pytest.mark.parametrize("body", [["abc"], {"hashes": []}, "text", 5, [["x"]]])
async def test_what_is_no_list_of_hashes_is_refused(models: Caller, body):
    reply = await models.ask(BATCH, method="POST", body=body)

    assert reply.status == 400
    assert reply.json()["error"].startswith("Request must include an array of SHA256 Hashes. ")


async def test_a_get_without_a_body_is_refused_the_same_way(models: Caller):
    reply = await models.ask(BATCH)

    assert reply.status == 400
    assert "expected array" in reply.json()["error"]


async def test_broken_json_is_plain_text(models: Caller):
    url = f"{models.sandbox.url}{BATCH}"

    async with models.session.post(url, data="[", headers={"Content-Type": "application/json"}) as response:
        text = await response.text()

    assert (response.status, text) == (400, "Invalid JSON")


async def test_more_than_a_megabyte_is_413(models: Caller):
    body = BytesIO(json.dumps(["0" * 64] * 16_000).encode())
    headers = {"Content-Type": "application/json"}

    async with models.session.post(f"{models.sandbox.url}{IDS}", data=body, headers=headers) as response:
        text = await response.text()

    assert (response.status, text) == (413, "Body exceeded 1mb limit")
