"""Images, posts, collections, tags and feeds, archived from a sandbox by every door that leads to them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.exceptions import ArgumentError
from civitscrape.items import Level
from civitscrape.ledger import Outcome
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from civitscrape.sandbox.content_truth import collection_truth, post_truth, posts_truth, resources_truth, votes_truth
from civitscrape.sandbox.faults import Fault, Rule
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.site import Quirks
from civitscrape.sandbox.vocabulary import TAG_NAMES
from civitscrape.sandbox.world import CreatorSpec, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.crawls.archive import Archived

KEY = {"CIVITAI_API_KEY": SANDBOX_ACCOUNT.key}
WORLD = World.build(
    creators=[
        CreatorSpec(username="lampwright", images=60, videos=3, hidden=4, models=4, per_post=5),
        CreatorSpec(username="harbourmaster", images=30, models=2),
    ]
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(WORLD).in_thread() as running:
        yield running


def votes_of(archive: Archived, image_id: int) -> dict[int, tuple[Any, ...]]:
    query = "SELECT tag_id, score, up_votes, down_votes, automated FROM image_tags WHERE image_id = ?"
    return {row["tag_id"]: tuple(row.values())[1:] for row in archive.rows(query, image_id)}


def true_votes(image_id: int) -> dict[int, tuple[Any, ...]]:
    return {
        one["tag_id"]: (one["score"], one["up_votes"], one["down_votes"], int(one["automated"]))
        for one in votes_truth(WORLD, image_id)
    }


def some_image(level: Level = Level.PG) -> Any:
    """Choose an image that its page tells much about."""
    return next(
        one
        for one in WORLD.named("lampwright").records
        if one.level == level and one.listed and not one.hide_meta and not one.foreign and one.used and not one.deleted
    )


@pytest.mark.parametrize("key", [{}, KEY], ids=["anonymous", "with a key"])
async def test_an_image_brings_its_resources_with_strengths_and_its_tags(sandbox, crawl, key):
    record = some_image()

    crawled = await crawl(sandbox, "image", {"image_id": str(record.id)}, **key)

    truth = resources_truth(WORLD, record.id)
    query = "SELECT model_version_id, weight FROM image_resources WHERE image_id = ? ORDER BY position"
    resources = [tuple(row.values()) for row in crawled.archive.rows(query, record.id)]
    assert sorted(resources, key=str) == sorted(
        [(one["model_version_id"], one["weight"]) for one in truth["resources"]], key=str
    )
    image = crawled.archive.rows("SELECT * FROM images")[0]
    assert json.loads(image["tools"] or "[]") == [one["name"] for one in truth["tools"]]
    assert {row["tag_id"] for row in crawled.archive.rows("SELECT tag_id FROM image_tags")} >= set(record.tag_ids[:1])
    assert image["path"] is not None
    assert crawled.outcome is Outcome.COMPLETE


async def test_sixteen_images_come_in_one_call_with_votes(sandbox, crawl):
    ids = [one.id for one in WORLD.named("lampwright").records if one.listed and not one.foreign][:16]

    crawled = await crawl(sandbox, "image", {"image_id": ",".join(map(str, ids)), "level": "all"}, **KEY)

    assert crawled.report["requests"]["api"] == 1
    assert {row["id"] for row in crawled.archive.rows("SELECT id FROM images")} == set(ids)
    shown = {one["tag_id"] for one in votes_truth(WORLD, ids[0]) if one["shown"]}
    assert votes_of(crawled.archive, ids[0]).keys() == shown


async def test_an_image_above_the_default_levels_is_archived_by_its_id(sandbox, crawl):
    record = some_image(Level.X)

    crawled = await crawl(sandbox, "image", {"image_id": str(record.id)})

    assert crawled.archive.rows("SELECT level FROM images") == [{"level": Level.X}]


async def test_an_image_that_does_not_exist_fails_by_name(sandbox, crawl):
    crawled = await crawl(sandbox, "image", {"image_id": "123"})

    assert crawled.outcome is Outcome.FAILED
    assert any("123" in reason for reason in crawled.report["reasons"])


@pytest.mark.parametrize("key", [{}, KEY], ids=["anonymous", "with a key"])
async def test_a_post_brings_title_text_and_all_its_images(sandbox, crawl, key):
    truth = max(posts_truth(WORLD, "lampwright"), key=lambda one: len(one["images"]))

    crawled = await crawl(sandbox, "post", {"post_id": str(truth["id"]), "level": "all"}, **key)

    row = crawled.archive.rows("SELECT * FROM posts WHERE id = ?", truth["id"])[0]
    assert (row["title"], row["detail"], row["creator"]) == (truth["title"], truth["detail"], truth["creator"])
    assert row["published_at"] == truth["published_at"]
    images = crawled.archive.rows("SELECT id, post_index FROM images ORDER BY post_index, id")
    assert {image["id"] for image in images} == set(truth["images"])
    if key:
        assert [image["id"] for image in images] == truth["images"]
    assert crawled.outcome is Outcome.COMPLETE


async def test_votes_of_a_creator_come_inline_and_are_true(sandbox, crawl):
    arguments = {"username": "lampwright", "votes": "yes", "level": "all", "download": "none"}

    crawled = await crawl(sandbox, "user", arguments, **KEY)

    truth = WORLD.truth("lampwright", 31, keyed=True)
    assert {row["id"] for row in crawled.archive.rows("SELECT id FROM images")} == set(truth.ids)
    for number in truth.ids:
        assert votes_of(crawled.archive, number) == true_votes(number)
    nameless = "SELECT * FROM image_resources WHERE model_version_id IS NOT NULL AND name IS NULL"
    assert crawled.archive.rows(nameless) == []
    assert crawled.outcome is Outcome.COMPLETE


async def test_votes_without_a_key_are_left_out_and_said(sandbox, crawl):
    crawled = await crawl(sandbox, "user", {"username": "harbourmaster", "votes": "yes", "download": "none"})

    log = next((crawled.archive.folder / "logs").glob("*.log")).read_text("utf-8")
    assert "votes need a key or cookies" in log
    assert crawled.outcome is Outcome.INCOMPLETE
    [reason] = crawled.report["reasons"]
    assert reason.startswith("votes=yes, without a key or cookies: votes need a key or cookies (CIVITAI_API_KEY, ")
    assert crawled.archive.rows("SELECT count(*) AS n FROM image_tags")[0]["n"] > 0


async def test_posts_of_a_creator_are_all_there(sandbox, crawl):
    arguments = {"username": "lampwright", "content": "posts", "level": "all", "download": "none"}

    crawled = await crawl(sandbox, "user", arguments, **KEY)

    expected = {one["id"]: one["title"] for one in posts_truth(WORLD, "lampwright")}
    rows = crawled.archive.rows("SELECT id, title FROM posts WHERE published_at IS NOT NULL")
    assert {row["id"]: row["title"] for row in rows} == expected


@pytest.mark.parametrize("kind", ["Image", "Post", "Model"])
async def test_a_collection_keeps_the_order_of_its_curator(sandbox, crawl, kind):
    truths = [collection_truth(WORLD, number, account=SANDBOX_ACCOUNT) for number in WORLD.collections]
    truth = next(one for one in truths if one and one["type"] == kind and one["entries"])

    crawled = await crawl(sandbox, "collection", {"collection_id": str(truth["id"]), "level": "all"}, **KEY)

    entries = crawled.archive.rows("SELECT entry_kind, entry_id FROM collection_entries ORDER BY position")
    assert [(row["entry_kind"], row["entry_id"]) for row in entries] == [
        (kind.lower(), number) for number in truth["entries"]
    ]
    table = f"{kind.lower()}s"
    assert {row["id"] for row in crawled.archive.rows(f"SELECT id FROM {table}")} >= set(truth["entries"])
    assert crawled.archive.rows("SELECT name, creator FROM collections")[0]["name"] == truth["name"]
    assert crawled.outcome is Outcome.COMPLETE


async def test_a_collection_that_is_private_fails_by_name(sandbox, crawl):
    private = next(
        number for number in WORLD.collections if collection_truth(WORLD, number, account=SANDBOX_ACCOUNT) is None
    )

    crawled = await crawl(sandbox, "collection", {"collection_id": str(private)}, **KEY)

    assert crawled.outcome is Outcome.FAILED
    assert any("private" in reason for reason in crawled.report["reasons"])


@pytest.mark.parametrize(("spider", "arguments"), [("collection", {"collection_id": "1"}), ("feed", {"tags": "4"})])
async def test_what_needs_a_key_says_so_before_any_request(sandbox, crawl, spider, arguments):
    with pytest.raises(ArgumentError, match="needs a key or cookies"):
        await crawl(sandbox, spider, arguments)


@pytest.mark.parametrize("devalue", ["never", "always", "alternate"])
async def test_a_feed_is_walked_with_the_site_s_own_filters(crawl, devalue):
    tag = WORLD.named("lampwright").records[0].tag_ids[0]

    with Sandbox(WORLD, quirks=Quirks(devalue=devalue)).in_thread() as sandbox:
        arguments = {"tags": str(tag), "excluded_tag_ids": "999", "download": "none"}
        crawled = await crawl(sandbox, "feed", arguments, **KEY)

    expected = {
        number
        for name in ("lampwright", "harbourmaster")
        for number in WORLD.truth(name, 3, keyed=True).ids
        if tag in WORLD.records[number].tag_ids
    }
    assert {row["id"] for row in crawled.archive.rows("SELECT id FROM images")} == expected
    assert crawled.outcome is Outcome.COMPLETE


async def test_a_tag_is_resolved_and_only_what_carries_it_is_archived(sandbox, crawl):
    tag = WORLD.named("lampwright").records[0].tag_ids[0]

    crawled = await crawl(sandbox, "tag", {"tag": TAG_NAMES[tag], "download": "none"})

    numbers = [row["id"] for row in crawled.archive.rows("SELECT id FROM images")]
    assert numbers
    assert all(tag in WORLD.records[number].tag_ids for number in numbers)
    assert crawled.outcome is Outcome.COMPLETE


async def test_a_prompt_check_keeps_only_prompts_that_mention_the_tag(sandbox, crawl):
    tag = WORLD.named("lampwright").records[0].tag_ids[0]

    crawled = await crawl(sandbox, "tag", {"tag": TAG_NAMES[tag], "download": "none", "prompt_check": "yes"})

    prompts = [row["prompt"] for row in crawled.archive.rows("SELECT prompt FROM images")]
    words = TAG_NAMES[tag].lower().split()
    assert all(word in prompt.lower() for prompt in prompts for word in words)


async def test_an_unknown_tag_is_an_error_and_never_the_whole_site(sandbox, crawl):
    crawled = await crawl(sandbox, "tag", {"tag": "no such tag", "of": "images,models"})

    assert crawled.outcome is Outcome.FAILED
    assert crawled.archive.rows("SELECT * FROM images") == []
    assert any("no such tag" in reason for reason in crawled.report["reasons"])


async def test_the_names_of_tags_gather_in_a_list_that_only_grows(sandbox, crawl):
    crawled = await crawl(sandbox, "tags", {})
    listed = (crawled.archive.folder / "tags.txt").read_text("utf-8").splitlines()
    (crawled.archive.folder / "tags.txt").write_text("mine\n" + "\n".join(listed[1:]) + "\n", "utf-8")

    await crawl(sandbox, "tags", {})

    again = (crawled.archive.folder / "tags.txt").read_text("utf-8").splitlines()
    assert again == ["mine", *listed[1:], listed[0]]
    assert crawled.outcome is Outcome.COMPLETE


async def test_a_list_of_tags_that_a_person_edited_is_not_damaged(sandbox, crawl, tmp_path: Path):
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "tags.txt").write_bytes(b"caf\xe9\nmine")

    crawled = await crawl(sandbox, "tags", {})

    lines = (crawled.archive.folder / "tags.txt").read_bytes().splitlines()
    names = [row["name"].encode() for row in crawled.archive.rows("SELECT name FROM tag_names")]
    assert lines[:2] == [b"caf\xe9", b"mine"]
    assert sorted(lines[2:]) == sorted(names)
    assert crawled.outcome is Outcome.COMPLETE


async def test_a_list_of_tags_that_cannot_be_written_is_named_and_the_crawl_goes_on(sandbox, crawl, tmp_path: Path):
    (tmp_path / "output" / "tags.txt").mkdir(parents=True)

    crawled = await crawl(sandbox, "tags", {})

    assert crawled.archive.rows("SELECT name FROM tag_names")
    assert [one for one in crawled.report["reasons"] if "tags.txt" in one]
    assert crawled.outcome is Outcome.INCOMPLETE


async def test_creators_are_listed_with_their_models(sandbox, crawl):
    crawled = await crawl(sandbox, "creators", {})

    names = {row["username"] for row in crawled.archive.rows("SELECT username FROM creators")}
    assert {"lampwright", "harbourmaster"} <= names
    assert crawled.outcome is Outcome.COMPLETE


async def test_images_are_found_by_the_filters_of_the_api(sandbox, crawl):
    version = next(one for record in WORLD.records.values() for one in record.used[:1])

    crawled = await crawl(sandbox, "images", {"model_version_id": str(version), "download": "none"})

    assert crawled.archive.rows("SELECT * FROM images")
    assert crawled.outcome is Outcome.COMPLETE


async def test_whatever_is_pasted_finds_its_spider_and_what_cannot_be_archived_is_named(sandbox, crawl, tmp_path: Path):
    image, post = some_image(), posts_truth(WORLD, "harbourmaster", mask=1)[0]
    model = WORLD.model_truth("lampwright", mask=1).models[0]
    pasted = tmp_path / "list.txt"
    pasted.write_text(
        "# what I want\n"
        f"https://civitai.com/images/{image.id}\n"
        f"https://www.civitai.red/posts/{post['id']}/some-slug?x=1\n"
        f"civitai.green/models/{model['id']}/whatever?modelVersionId={model['versions'][0]['id']}\n"
        "https://civitai.com/articles/7/a-story\n",
        "utf-8",
    )

    crawled = await crawl(sandbox, "url", {"file": str(pasted), "download": "none"})

    assert crawled.archive.rows("SELECT id FROM images WHERE id = ?", image.id)
    assert crawled.archive.rows("SELECT id FROM posts WHERE id = ? AND published_at IS NOT NULL", post["id"])
    assert crawled.archive.rows("SELECT id FROM model_versions") == [{"id": model["versions"][0]["id"]}]
    assert crawled.outcome is Outcome.INCOMPLETE
    assert any("articles" in reason for reason in crawled.report["reasons"])


async def test_a_post_truth_is_what_its_page_shows(sandbox, crawl):
    truth = post_truth(WORLD, posts_truth(WORLD, "harbourmaster", mask=1)[0]["id"], mask=1)

    crawled = await crawl(sandbox, "post", {"post_id": str(truth["id"])})

    ordered = "SELECT id FROM images WHERE level = 1 ORDER BY post_index"
    assert [row["id"] for row in crawled.archive.rows(ordered)] == truth["images"]


async def test_a_key_that_the_site_does_not_know_costs_the_votes_and_nothing_else(sandbox, crawl):
    arguments = {"username": "harbourmaster", "votes": "yes", "download": "none"}

    crawled = await crawl(sandbox, "user", arguments, CIVITAI_API_KEY="expired-key")

    truth = WORLD.truth("harbourmaster", 3)
    assert {row["id"] for row in crawled.archive.rows("SELECT id FROM images")} == set(truth.ids)
    assert crawled.outcome is Outcome.INCOMPLETE
    [reason] = crawled.report["reasons"]
    assert reason.startswith("user:harbourmaster: votes were asked for and did not come: ")
    assert "CIVITAI_API_KEY" in reason
    log = next((crawled.archive.folder / "logs").glob("*.log")).read_text("utf-8")
    assert "the public API is asked instead" in log


async def test_cookies_of_a_browser_do_what_a_key_does(sandbox, crawl):
    truth = collection_truth(WORLD, next(iter(WORLD.collections)), mask=3, account=SANDBOX_ACCOUNT)

    assert truth is not None
    cookies = {"CIVITAI_COOKIES": f"civ-token={SANDBOX_ACCOUNT.session}"}
    crawled = await crawl(sandbox, "collection", {"collection_id": str(truth["id"])}, **cookies)

    entries = crawled.archive.rows("SELECT entry_id FROM collection_entries ORDER BY position")
    assert [row["entry_id"] for row in entries] == truth["entries"]
    assert crawled.outcome is Outcome.COMPLETE


@pytest.mark.parametrize("path", ["/api/trpc/image.getInfinite", "/api/trpc/post.getInfinite"])
async def test_a_collection_whose_entries_never_come_is_not_complete(crawl, path):
    kind = {"/api/trpc/image.getInfinite": "Image", "/api/trpc/post.getInfinite": "Post"}[path]
    truths = [collection_truth(WORLD, number, account=SANDBOX_ACCOUNT) for number in WORLD.collections]
    truth = next(one for one in truths if one and one["type"] == kind and one["entries"])

    with Sandbox(WORLD, faults=[Rule(fault=Fault.EMPTY_PAGE, path=path)]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "collection", {"collection_id": str(truth["id"]), "level": "all"}, **KEY)

    assert crawled.outcome is Outcome.INCOMPLETE
    assert any("did not come" in reason for reason in crawled.report["reasons"])


async def test_a_post_whose_images_never_come_is_not_complete(crawl):
    post = posts_truth(WORLD, "harbourmaster", mask=1)[0]["id"]

    with Sandbox(WORLD, faults=[Rule(fault=Fault.EMPTY_PAGE, path="/api/v1/images")]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "post", {"post_id": str(post)})

    assert crawled.outcome is Outcome.INCOMPLETE
    assert any("none of its images was listed" in reason for reason in crawled.report["reasons"])


@pytest.mark.parametrize(
    ("spider", "arguments"),
    [
        ("tag", {"tag": "4242"}),
        ("images", {"username": "nobody_here"}),
        ("images", {"model_version_id": "99999999"}),
        ("models", {"ids": "999999"}),
    ],
)
async def test_nothing_at_all_is_never_complete(sandbox, crawl, spider, arguments):
    crawled = await crawl(sandbox, spider, {**arguments, "download": "none"})

    assert crawled.outcome is not Outcome.COMPLETE
    assert crawled.report["reasons"]


async def test_an_id_that_was_asked_for_and_did_not_come_is_named(sandbox, crawl):
    model = WORLD.model_truth("lampwright", mask=1).ids[0]

    crawled = await crawl(sandbox, "models", {"ids": f"{model},999999", "download": "none"})

    assert crawled.outcome is Outcome.INCOMPLETE
    assert any("999999" in reason for reason in crawled.report["reasons"])


@pytest.mark.parametrize(
    "arguments",
    [
        {"procedure": "post.getInfinite", "username": "lampwright", "sort": "Most Comments"},
        {"procedure": "model.getAll"},
    ],
)
async def test_a_feed_that_leaves_things_out_is_never_called_whole(sandbox, crawl, arguments):
    crawled = await crawl(sandbox, "feed", {**arguments, "level": "all", "download": "none"}, **KEY)

    assert crawled.outcome is Outcome.INCOMPLETE
    assert any("leaves out" in reason for reason in crawled.report["reasons"])


async def test_an_image_hidden_from_the_mature_listing_keeps_its_tags(crawl):
    sight = World.build(creators=[CreatorSpec(username="lampwright", images=8, childhood=3)])
    record = next(one for one in sight.records.values() if one.childhood and one.listed)

    with Sandbox(sight).in_thread() as sandbox:
        crawled = await crawl(sandbox, "image", {"image_id": str(record.id), "download": "none"})

    assert {row["tag_id"] for row in crawled.archive.rows("SELECT tag_id FROM image_tags")} >= set(record.tag_ids)


async def test_an_expired_key_still_archives_an_image(sandbox, crawl):
    record = some_image()

    crawled = await crawl(sandbox, "image", {"image_id": str(record.id)}, CIVITAI_API_KEY="expired-key")

    assert crawled.archive.rows("SELECT id, path FROM images")[0]["path"] is not None
    assert crawled.outcome is Outcome.COMPLETE


async def test_a_post_that_is_not_there_is_asked_for_once(sandbox, crawl):
    sandbox.log.reset()

    crawled = await crawl(sandbox, "post", {"post_id": "1"})

    pages = [line for line in list(sandbox.log.lines) if line.url.startswith("/posts/")]
    assert len(pages) == 1
    assert crawled.outcome is Outcome.FAILED


async def test_cookies_of_one_host_do_not_pass_for_those_of_the_other(sandbox, crawl):
    arguments = {"collection_id": "1", "level": "all"}

    with pytest.raises(ArgumentError, match="needs a key or cookies for http://localhost"):
        await crawl(sandbox, "collection", arguments, CIVITAI_COOKIES=f"civ-token={SANDBOX_ACCOUNT.session}")


async def test_texts_of_a_creator_s_posts_are_asked_for_in_batches(sandbox, crawl):
    arguments = {"username": "lampwright", "content": "posts", "level": "all", "download": "none"}

    crawled = await crawl(sandbox, "user", arguments, **KEY)

    expected = {one["id"]: one["detail"] for one in posts_truth(WORLD, "lampwright")}
    rows = crawled.archive.rows("SELECT id, detail FROM posts WHERE published_at IS NOT NULL")
    assert {row["id"]: row["detail"] for row in rows} == expected
