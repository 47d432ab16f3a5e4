from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.conftest import KEY, MODELS, Caller

if TYPE_CHECKING:
    from civitscrape.sandbox.models import ModelRecord

OWN = MODELS.creators["lampwright"].models


def one_with(mark: str) -> ModelRecord:
    return next(one for one in OWN if getattr(one, mark) and one.visible)


async def test_every_visible_model_is_served_whatever_its_level(models: Caller, schema):
    for model in MODELS.models.values():
        reply = await models.ask(f"/api/v1/models/{model.id}")

        assert reply.status == (200 if model.visible else 404)
        if model.visible:
            schema("ModelDetail", reply.json())
            assert [one["id"] for one in reply.json()["modelVersions"]] == [one.id for one in model.visible_versions]


async def test_a_missing_model_is_404_and_shared(models: Caller):
    reply = await models.ask("/api/v1/models/123")

    assert (reply.status, reply.json()) == (404, {"error": "No model with id 123"})
    assert reply.headers["Cache-Control"].startswith("public, s-maxage=300")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lantern", "✖ Invalid input: expected number, received NaN\n  → at id"),
        ("0", "✖ Too small: expected number to be >0\n  → at id"),
        ("2147483648", "✖ Too big: expected number to be <=2147483647\n  → at id"),
        ("1.5", "✖ Invalid input: expected int, received number\n  → at id"),
    ],
)
async def test_a_wrong_id_is_prettified_text(models: Caller, schema, name, text):
    reply = await models.ask(f"/api/v1/models/{name}")

    assert (reply.status, reply.json()) == (400, {"error": text})
    schema("ErrorString", reply.json())


async def test_versions_have_no_nulls_and_no_empty_lists(models: Caller):
    for model in (one for one in OWN if one.visible):
        body = (await models.ask(f"/api/v1/models/{model.id}")).json()

        assert all(value is not None and value != [] for one in body["modelVersions"] for value in one.values())


async def test_versions_have_dates_and_coverage_where_the_listing_has_none(models: Caller):
    model = one_with("visible")
    (item,) = (await models.ask(f"/api/v1/models?ids={model.id}&nsfw=true&archived=true")).json()["items"]

    detail = (await models.ask(f"/api/v1/models/{model.id}")).json()

    new = set(detail["modelVersions"][0]) - set(item["modelVersions"][0])
    assert new == {"createdAt", "status", "covered"}
    assert "supportsGeneration" not in detail["modelVersions"][0]
    assert {name: value for name, value in detail.items() if name != "modelVersions"} == {
        name: value for name, value in item.items() if name != "modelVersions"
    }


async def test_showcase_images_have_no_id_but_a_stem_and_every_level(models: Caller):
    levels = set()

    for model in (one for one in OWN if one.visible and one.mode != "TakenDown"):
        for version in (await models.ask(f"/api/v1/models/{model.id}")).json()["modelVersions"]:
            stems = [int(one["url"].rpartition("/")[2].partition(".")[0]) for one in version.get("images", [])]
            levels |= {one["nsfwLevel"] for one in version.get("images", [])}

            assert stems == [one.id for one in MODELS.showcases.get(version["id"], ())]
            assert all("id" not in one for one in version.get("images", []))

    assert max(levels) > 3


async def test_hidden_generation_data_is_only_a_flag(models: Caller):
    records = [one for found in MODELS.showcases.values() for one in found if one.hide_meta]
    version = MODELS.versions[records[0].posted_to or 0]

    body = (await models.ask(f"/api/v1/models/{version.model_id}")).json()

    images = {one["url"]: one for told in body["modelVersions"] for one in told.get("images", [])}
    (hidden,) = (one for url, one in images.items() if url.endswith(f"/{records[0].id}.{records[0].extension}"))
    assert (hidden["hasMeta"], hidden["hasPositivePrompt"]) == (False, False)


async def test_addresses_name_the_green_host_whoever_is_asked(models: Caller):
    body = (await models.ask("/api/v1/models/1400001", red=True)).json()

    assert body["modelVersions"][0]["downloadUrl"].startswith(f"{models.sandbox.url}/api/download/models/")


async def test_a_minor_and_an_archived_model_are_served(models: Caller):
    minor = await models.ask(f"/api/v1/models/{one_with('minor').id}")
    archived = await models.ask(f"/api/v1/models/{next(one.id for one in OWN if one.mode == 'Archived')}")

    assert minor.json()["minor"] is True
    assert archived.json()["mode"] == "Archived"
    assert all("files" not in one and "downloadUrl" not in one for one in archived.json()["modelVersions"])


async def test_any_method_is_the_same_and_a_key_changes_nothing(models: Caller):
    get = await models.ask("/api/v1/models/1400001")

    post = await models.ask("/api/v1/models/1400001", method="POST")
    options = await models.ask("/api/v1/models/1400001", method="OPTIONS")
    keyed = await models.ask("/api/v1/models/1400001", headers=KEY)

    assert get.body == post.body == keyed.body
    assert (options.status, options.body) == (200, b"")
    assert keyed.headers["Cache-Control"].startswith("public")


async def test_the_world_may_change_while_it_runs(models: Caller):
    model = one_with("visible")
    change = {"add_version": model.id, "publish_models": {"username": "quiet_one", "count": 1}}

    await models.ask("/_sandbox/world", method="POST", body=change)

    body = (await models.ask(f"/api/v1/models/{model.id}")).json()
    fresh = (await models.ask("/api/v1/models?username=quiet_one&nsfw=true")).json()
    assert len(body["modelVersions"]) == len(model.visible_versions) + 1
    assert len(fresh["items"]) == 1


async def test_the_truth_of_models_is_told_over_http(models: Caller):
    named = (await models.ask("/_sandbox/models/lampwright?level=3&archived=0&hashes=0")).json()
    general = (await models.ask("/_sandbox/models")).json()

    assert named == MODELS.model_truth("lampwright", mask=3, archived=False, hashes=False).as_dict()
    assert general == MODELS.model_truth().as_dict()
