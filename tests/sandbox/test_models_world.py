from __future__ import annotations

import hashlib
import json

import pytest

from civitscrape.sandbox import model_files
from civitscrape.sandbox.building import CreatorSpec
from civitscrape.sandbox.model_entries import download_url
from civitscrape.sandbox.models import camel, download_name, popularity
from civitscrape.sandbox.vocabulary import VERSIONS
from civitscrape.sandbox.world import World, default_world
from tests.sandbox.conftest import MODELS, WORLD

OWN = MODELS.creators["lampwright"].models


def test_equal_seeds_make_equal_models():
    again = World.build(seed=9, creators=MODELS.specs)

    assert again.models == MODELS.models
    assert again.showcases == MODELS.showcases


def test_models_leave_the_draws_of_images_alone():
    plain = World.build(seed=9, creators=[CreatorSpec(username="lampwright", images=60, hidden=6)])

    pairs = zip(plain.creators["lampwright"].records, MODELS.creators["lampwright"].records, strict=True)

    assert all(
        (one.id, one.key, one.seed, one.used) == (other.id, other.key, other.seed, other.used) for one, other in pairs
    )


def test_a_creator_without_models_posts_as_before():
    assert {one.posted_to for one in WORLD.records.values()} <= {None} | {one.id for one in VERSIONS}


def test_one_creators_models_do_not_move_anothers():
    specs = [CreatorSpec(username="lampwright", models=2), *MODELS.specs[1:]]

    smaller = World.build(seed=9, creators=specs)

    assert smaller.creators["harbourmaster"].models == MODELS.creators["harbourmaster"].models


def test_marks_are_as_many_as_asked():
    newest = [max(one.versions, key=lambda version: version.id) for one in OWN]

    counts = {
        "published": sum(one.status == "Published" for one in OWN),
        "drafts": sum(one.status == "Draft" for one in OWN),
        "archived": sum(one.mode == "Archived" for one in OWN),
        "taken_down": sum(one.mode == "TakenDown" for one in OWN),
        "early": sum(one.gated for one in newest),
        "unsearchable": sum(one.availability == "Unsearchable" for one in OWN),
        "private": sum(one.availability == "Private" for one in OWN),
        "minor": sum(one.minor for one in OWN),
        "childhood": sum(one.childhood for one in OWN),
        "poi": sum(one.poi for one in OWN),
        "nsfw": sum(one.nsfw for one in OWN),
        "generate_only": sum(one.versions[0].usage_control == "Generation" for one in OWN),
        "draft_versions": sum({"Draft", "Published"} == {version.status for version in one.versions} for one in OWN),
        "lost": sum(file.lost for one in OWN for version in one.versions for file in version.files),
        "unhashed": sum(not file.hashed for one in OWN for version in one.versions for file in version.files),
        "replaced": sum(file.replaced for one in OWN for version in one.versions for file in version.files),
    }

    assert counts == {
        "published": 26, "drafts": 2, "archived": 2, "taken_down": 1, "early": 3, "unsearchable": 2, "private": 1,
        "minor": 2, "childhood": 1, "poi": 1, "nsfw": 2, "generate_only": 2, "draft_versions": 1,
        "lost": 1, "unhashed": 1, "replaced": 1,
    }  # fmt: skip


def test_more_special_models_than_models_are_refused():
    with pytest.raises(ValueError, match="1 special models are asked of none"):
        World.build(creators=[CreatorSpec(username="lampwright", archived_models=1)])


def test_more_lost_files_than_versions_are_refused():
    with pytest.raises(ValueError, match="900 lost, unhashed and replaced files"):
        World.build(creators=[CreatorSpec(username="lampwright", models=3, lost_files=900)])


def test_every_version_that_images_are_made_with_belongs_to_a_model():
    assert {one.id for one in VERSIONS} <= MODELS.versions.keys()
    assert all(MODELS.versions[one.id].model_id == one.model_id for one in VERSIONS)
    assert {one.username for one in MODELS.founders.values()} == {"lamp_foundry", "tide_works", "civitai"}


def test_ids_of_models_versions_and_files_are_unique():
    versions = [one for model in MODELS.models.values() for one in model.versions]
    files = [one for version in versions for one in version.files]

    assert len(MODELS.versions) == len(versions)
    assert len(MODELS.files) == len(files)


def test_a_showcase_holds_own_posts_to_the_version():
    shown = [(version_id, one) for version_id, records in MODELS.showcases.items() for one in records]

    assert shown
    for version_id, record in shown:
        model = MODELS.models[MODELS.versions[version_id].model_id]
        assert (record.username, record.posted_to) == (model.username, version_id)


@pytest.mark.parametrize("world", [MODELS, WORLD], ids=["models", "images"])
def test_a_post_goes_to_one_version(world):
    posts: dict[int, set[int | None]] = {}

    for record in world.records.values():
        posts.setdefault(record.post_id, set()).add(record.posted_to)

    assert {len(found) for found in posts.values()} == {1}
    assert {None} in posts.values()


def test_the_hashes_are_those_of_the_bytes():
    file = next(one for one in MODELS.files.values() if one.extension == "safetensors")
    body = model_files.content(file)

    told = model_files.hashes(file)

    assert len(body) == file.length
    assert told["SHA256"] == hashlib.sha256(body).hexdigest().upper()
    assert told["AutoV2"] == told["SHA256"][:10]
    assert told["AutoV1"] == hashlib.sha256(body[0x100000:0x110000]).hexdigest()[:8].upper()
    start = 8 + int.from_bytes(body[:8], "little")
    assert told["AutoV3"] == hashlib.sha256(body[start:]).hexdigest()[:12].upper()


def test_a_safetensors_file_has_a_header_that_fits_its_data():
    for file in (one for one in MODELS.files.values() if one.extension == "safetensors"):
        body = model_files.content(file)
        length = int.from_bytes(body[:8], "little")

        header = json.loads(body[8 : 8 + length])

        ends = [one["data_offsets"][1] for name, one in header.items() if name != "__metadata__"]
        assert max(ends) == len(body) - 8 - length


def test_a_file_too_short_for_its_header_is_refused():
    with pytest.raises(ValueError, match="100 is less than 300"):
        World.build(creators=[CreatorSpec(username="lampwright", models=1, model_file_bytes=(100, 200))])


def test_names_are_made_of_model_and_version_but_for_loras():
    for model in MODELS.models.values():
        for version in model.versions:
            for file in version.files:
                name = download_name(model, version, file)

                if file.override_name is not None:
                    assert name == file.override_name
                elif model.type in {"LORA", "LoCon"}:
                    assert name == file.name
                elif model.type == "TextualInversion":
                    assert name == f"{version.trained_words[0]}.{file.extension}"
                else:
                    assert name == f"{camel(model.name)}_{camel(version.name)}.{file.extension}"


def test_some_files_share_their_download_address():
    addresses = [[download_url("", one, file) for file in one.listed_files] for one in MODELS.versions.values()]

    assert any(len(set(urls)) < len(urls) for urls in addresses)


def test_a_models_counts_are_those_of_its_versions():
    for model in OWN:
        assert popularity(model).downloads == sum(popularity(one).downloads for one in model.versions)


def test_new_models_are_newer_and_leave_the_old_ones_alone():
    grown = MODELS.with_models("lampwright", 3)

    models = grown.creators["lampwright"].models
    assert models[: len(OWN)] == OWN
    assert len(models) == len(OWN) + 3
    assert min(one.last_version_at or 0 for one in models[len(OWN) :]) > max(one.last_version_at or 0 for one in OWN)
    assert len(grown.files) == sum(len(one.files) for one in grown.versions.values())


def test_a_new_version_makes_its_model_the_newest():
    model = OWN[0]

    grown = MODELS.with_version(model.id).models[model.id]

    assert len(grown.versions) == len(model.versions) + 1
    assert (grown.last_version_at or 0) > max(one.last_version_at or 0 for one in OWN)
    assert [one.index for one in grown.versions] == list(range(len(grown.versions)))
    assert grown.versions[0].id not in MODELS.versions


def test_deleted_models_are_nowhere():
    smaller = MODELS.without_models(OWN[0].id)

    assert OWN[0].id not in smaller.models
    assert not {one.id for one in OWN[0].versions} & smaller.versions.keys()


def test_truth_by_name_has_what_the_general_listing_hides():
    named, general = MODELS.model_truth("lampwright", hashes=False), MODELS.model_truth(hashes=False)

    hidden = {
        one["availability"] for one in named.versions if one["id"] not in {other["id"] for other in general.versions}
    }

    assert hidden == {"Unsearchable", "EarlyAccess"}


def test_truth_leaves_out_what_no_listing_shows():
    told = {MODELS.models[one] for one in MODELS.model_truth("lampwright", hashes=False).ids}

    assert not any(one.poi or one.status == "Draft" or one.availability == "Private" for one in told)
    assert sum(one.minor for one in told) == 1
    assert sum(one.childhood for one in told) == 1


def test_truth_knows_what_a_download_answers():
    told = MODELS.model_truth("lampwright", hashes=False)

    assert {one["answer"] for one in told.files} == {307, 401, 403, 404}
    assert 0 < len(told.stored) < len(told.files)


def test_the_demonstration_has_models_with_showcases():
    told = default_world().model_truth("lampwright", hashes=False)

    assert len(told.models) == 7
    assert all(one["showcase"] for one in told.versions)
