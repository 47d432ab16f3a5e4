from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import quote

import pytest

from civitscrape.items import Level, MediaType
from civitscrape.sandbox.building import CreatorSpec
from civitscrape.sandbox.world import World
from tests.sandbox.conftest import KEY, WORLD, Caller, Reply
from tests.sandbox.test_pages import next_data, queries

LISTED = [one for one in WORLD.creators["lampwright"].records if one.listed]
POSTS = [one for one in WORLD.posts.values() if one.username == "lampwright"]
MILD = next(one for one in LISTED if one.level == Level.PG and one.type is MediaType.IMAGE)
MIXED = next(one for one in POSTS if len({image.level == Level.PG for image in one.images if image.listed}) == 2)


def of_level(level: Level) -> int:
    return next(one.id for one in LISTED if one.level == level and one.type is MediaType.IMAGE)


def title(reply: Reply) -> str:
    found = re.search(rb"<title>(.*?)</title>", reply.body, re.DOTALL)
    assert found
    return html.unescape(found[1].decode())


def data(reply: Reply, name: str) -> Any:
    return queries(reply.body)[name]["state"]["data"]


async def test_an_image_page_knows_its_post_and_how_it_was_made(caller: Caller):
    reply = await caller.ask(f"/images/{MILD.id}")

    assert reply.status == 200
    assert title(reply) == "Image posted by lampwright"
    assert data(reply, "image.get")["postId"] == MILD.post_id
    assert [one["modelVersionId"] for one in data(reply, "image.getGenerationData")["resources"]] == list(MILD.used)
    assert f'href="/posts/{MILD.post_id}"'.encode() in reply.body
    assert set(queries(reply.body)) == {"image.get", "image.getGenerationData", "hiddenPreferences.getHidden"}
    assert next_data(reply.body)["page"] == "/images/[imageId]"


async def test_a_page_for_who_is_logged_in_has_contests_too(caller: Caller):
    reply = await caller.ask(f"/images/{MILD.id}", headers=KEY)

    assert "image.getContestCollectionDetails" in queries(reply.body)


@pytest.mark.parametrize(
    "path", ["/images/1", f"/images/{next(one.id for one in WORLD.records.values() if one.ghost)}"]
)
async def test_a_missing_image_is_a_200_without_its_query(caller: Caller, path):
    reply = await caller.ask(path)

    assert (reply.status, title(reply)) == (200, "Civitai | Share your models")
    assert "image.get" not in queries(reply.body)
    assert ("image.getGenerationData" in queries(reply.body)) is (path != "/images/1")


async def test_a_video_says_so_and_only_mild_videos_are_indexed(caller: Caller):
    videos = [one for one in LISTED if one.type is MediaType.VIDEO]

    for record in videos:
        reply = await caller.ask(f"/images/{record.id}")
        assert title(reply) == "Video posted by lampwright"
        assert (b"noindex" in reply.body) is not (record.level == Level.PG)
    assert b"noindex" in (await caller.ask(f"/images/{MILD.id}")).body


async def test_images_of_the_gone_are_posted_to_the_site(caller: Caller):
    record = WORLD.creators["moved_away"].records[0]

    assert title(await caller.ask(f"/images/{record.id}")) == "Image posted to civitai"


@pytest.mark.parametrize(
    ("level", "keyed", "red", "card"),
    [
        (Level.PG, False, False, None),
        (Level.PG13, False, False, b"Log in to view"),
        (Level.R, False, False, b"Continue on civitai.red"),
        (Level.PG13, True, False, None),
        (Level.R, True, False, b"Continue on civitai.red"),
        (Level.R, False, True, b"Log in to view"),
        (Level.X, True, True, None),
    ],
)
async def test_a_gate_hides_the_body_and_leaves_the_data(caller: Caller, level, keyed, red, card):
    number = of_level(level)

    reply = await caller.ask(f"/images/{number}", headers=KEY if keyed else None, red=red)

    cards = [one for one in (b"Log in to view", b"Continue on civitai.red") if one in reply.body]
    assert cards == ([] if card is None else [card])
    assert (b"View Post" in reply.body) is (card is None)
    assert data(reply, "image.get")["id"] == number
    assert reply.status == 200


async def test_anonymous_post_pages_hold_pg_images_only(caller: Caller):
    anonymous = await caller.ask(f"/posts/{MIXED.id}")
    keyed = await caller.ask(f"/posts/{MIXED.id}/some-slug", headers=KEY, red=True)

    told = data(anonymous, "image.getInfinite")["pages"][0]["items"]
    whole = data(keyed, "image.getInfinite")["pages"][0]["items"]
    assert [one["id"] for one in told] == [one.id for one in MIXED.images if one.level == Level.PG and one.listed]
    assert len(whole) > len(told)
    assert {one["meta"] for one in whole} == {None}
    query = queries(anonymous.body)["image.getInfinite"]
    assert query["queryType"] == "infinite"
    feed = {"postId": MIXED.id, "pending": False, "withMeta": False, "include": [], "browsingLevel": 1}
    assert query["queryKey"][1]["input"] == feed


async def test_a_post_page_holds_a_hundred_images_at_most(caller: Caller):
    caller.sandbox.world = World.build(
        creators=[CreatorSpec(username="lampwright", images=700, per_post=260, levels=((Level.PG, 1.0),))]
    )
    post = max(caller.sandbox.world.posts.values(), key=lambda one: len(one.images))

    reply = await caller.ask(f"/posts/{post.id}")

    page = data(reply, "image.getInfinite")["pages"][0]
    assert len(post.images) > len(page["items"]) == 100
    assert page["nextCursor"] == post.images[100].post_index


async def test_titles_of_posts_are_escaped_or_made_up(caller: Caller):
    kinds = {one.title is None: one for one in WORLD.posts.values() if not one.vanished} | {
        one.title: one for one in WORLD.posts.values()
    }
    hard = next(one for name, one in kinds.items() if isinstance(name, str) and "<again>" in name)

    for post in (kinds[True], kinds[""], hard):
        reply = await caller.ask(f"/posts/{post.id}")
        shown = f"Image post by {post.username}" if post.title is None else post.title
        assert title(reply) == f"{shown} | Civitai"
        assert data(reply, "post.get")["title"] == post.title
    assert b"<again>" not in reply.body


@pytest.mark.parametrize("path", ["/posts/1", "/posts/lantern", "/images/lantern", "/collections/lantern"])
async def test_what_is_missing_is_404(caller: Caller, path):
    reply = await caller.ask(path)

    assert (reply.status, title(reply), next_data(reply.body)["page"]) == (404, "Page Not Found", "/404")


async def test_the_tags_of_a_post_are_keywords(caller: Caller):
    post = next(one for one in POSTS if len(one.tag_ids) == 3)

    reply = await caller.ask(f"/posts/{post.id}")

    names = [html.escape(one["name"]) for one in data(reply, "post.get")["tags"]]
    assert f'content="{names[0]}, {names[1]}, and {names[2]}"'.encode() in reply.body


async def test_a_collection_page_has_the_record_and_no_items(caller: Caller):
    found = next(one for one in WORLD.collections.values() if one.read == "Unlisted")

    reply = await caller.ask(f"/collections/{found.id}")
    keyed = await caller.ask(f"/collections/{found.id}", headers=KEY)

    assert title(reply) == f"{found.name} - collection posted by {found.username} | Civitai"
    assert set(queries(reply.body)) == {"collection.getById"}
    assert set(queries(keyed.body)) == {"collection.getById", "collection.getAllUser", "hiddenPreferences.getHidden"}
    assert b"noindex" in reply.body


async def test_a_private_collection_is_a_200_with_null(caller: Caller):
    found = next(one for one in WORLD.collections.values() if one.read == "Private")

    reply = await caller.ask(f"/collections/{found.id}")

    assert reply.status == 200
    assert data(reply, "collection.getById")["collection"] is None


async def test_junk_behind_the_number_of_a_collection_is_cut_off(caller: Caller):
    reply = await caller.ask("/collections/7100000-lanterns")

    assert (reply.status, reply.headers["Location"]) == (308, "/collections/7100000")


MODEL = next(one for one in WORLD.models.values() if one.visible and one.name == "Amber Lantern XL")


@pytest.mark.parametrize("known", [True, False])
async def test_a_tag_page_is_there_whether_the_tag_is_or_not(caller: Caller, known):
    name = MODEL.tags[0] if known else "no such tag"

    reply = await caller.ask(f"/tag/{quote(name)}")

    assert (reply.status, title(reply)) == (200, f"{name} AI Models | Civitai")
    assert len(data(reply, "tag.getTagWithModelCount")) == known
    listed = next_data(reply.body)["props"]["pageProps"]["seoData"]["models"]
    assert (MODEL.id in {one["id"] for one in listed}) is known


async def test_a_tag_that_the_site_blocks_has_no_page(caller: Caller):
    assert (await caller.ask("/tag/candle")).status == 404


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("", 308, "/amber-lantern-xl"),
        ("/wrong", 307, "/amber-lantern-xl"),
        ("?modelVersionId=2900011", 307, "/amber-lantern-xl?modelVersionId=2900011"),
    ],
)
async def test_a_model_without_its_slug_is_a_redirect(caller: Caller, path, status, location):
    reply = await caller.ask(f"/models/{MODEL.id}{path}")

    assert (reply.status, reply.headers["Location"]) == (status, f"/models/{MODEL.id}{location}")


async def test_a_model_page_has_the_model_and_its_carousel(caller: Caller):
    reply = await caller.ask(f"/models/{MODEL.id}/amber-lantern-xl?modelVersionId=2900011")

    version = next(one for one in MODEL.versions if one.id == 2900011)
    assert title(reply) == f"Amber Lantern XL - {version.name} | SDXL Checkpoint | Civitai"
    assert data(reply, "model.getById")["id"] == MODEL.id
    assert {"image.getInfinite", "user.getCreator", "common.getEntityAccess"} <= set(queries(reply.body))


async def test_a_missing_model_is_404_unless_a_version_is_named(caller: Caller):
    missing = await caller.ask("/models/1")
    named = await caller.ask("/models/1?modelVersionId=5")

    assert [missing.status, named.status] == [404, 200]


async def test_a_version_leads_to_its_model(caller: Caller):
    reply = await caller.ask("/model-versions/2900011")

    assert (reply.status, reply.headers["Location"]) == (308, f"/models/{MODEL.id}?modelVersionId=2900011")
    assert (await caller.ask("/model-versions/1")).status == 404


@pytest.mark.parametrize("path", [f"/images/{MILD.id}", f"/posts/{MIXED.id}", "/collections/7100000", "/tag/lantern"])
async def test_every_page_says_the_same_in_both_encodings(caller: Caller, path):
    plain = await caller.ask(path)
    caller.sandbox.site.quirks.devalue = "always"

    packed = await caller.ask(path)

    assert isinstance(next_data(packed.body)["props"]["pageProps"]["trpcState"], str)
    assert queries(packed.body) == queries(plain.body)


async def test_a_raw_search_of_a_packed_page_finds_a_wrong_number(caller: Caller):
    caller.sandbox.site.quirks.devalue = "always"

    reply = await caller.ask(f"/images/{MILD.id}")

    found = re.search(rb'\\"postId\\":(\d+)', reply.body)
    assert found
    assert int(found[1]) != MILD.post_id


async def test_an_image_s_page_brings_its_tags_by_script_alone(caller: Caller) -> None:
    reply = await caller.ask(f"/images/{MILD.id}")

    outside = re.findall(rb'(?:src|href)="(https?://[^"]+)"', reply.body)
    assert b'id="image-tags"' in reply.body
    assert b'data-activity="tag-click:image"' not in reply.body
    assert b"showAllTags" in reply.body
    assert all(one.startswith((b"http://127.0.0.1", b"http://localhost")) for one in outside)


@pytest.mark.parametrize("level", [Level.PG13, Level.R, Level.XXX])
async def test_who_is_not_logged_in_sees_no_tags_above_pg(caller: Caller, level) -> None:
    record = next(one for one in LISTED if one.level == level)

    reply = await caller.ask(f"/images/{record.id}")

    assert b'id="image-tags"' not in reply.body
