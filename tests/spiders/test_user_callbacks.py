"""What the callbacks of the user spider make of recorded answers."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse

from civitscrape.exceptions import AnswerError, ChallengeError, EchoError
from civitscrape.items import Creator, Image, Post, Tag
from civitscrape.ledger import Announcement, Entry, Link, Media, Walk, WalkState
from civitscrape.parsers import images
from tests.cassettes import KEY_MARK, NAMES, PROFILES, RECORDED, SITE_MARK, answer, recorded, username
from tests.spiders.conftest import MEDIA, all_of, asks, begun, keep

if TYPE_CHECKING:
    from civitscrape.spiders.user import UserSpider

TARGET = f"user:{username()}"
FIRST, LAST, NEWEST = (json.loads(recorded(name).text) for name in ("first-page", "last-page", "newest-page"))
CURSOR = str(FIRST["metadata"]["nextCursor"])
LAID_OVER = f"{int(CURSOR.partition('|')[0]) - 1}|{CURSOR.partition('|')[2]}"


def of(kind: type, outputs: list[Any]) -> list[Any]:
    return [one for one in outputs if isinstance(one, kind)]


def ended(spider: UserSpider, walk: Walk) -> None:
    """Let a walk have come to the end of its listing."""
    spider._track(walk).ended = True


async def asked_for(spider: UserSpider) -> Walk:
    """Ask for a profile, as the books would know it."""
    return await begun(spider, source="page.user")


def key_of(entry: dict[str, Any]) -> str:
    return str(entry["url"].split("/")[4])


async def test_the_first_page_gives_everything_that_is_kept_then_the_walk_then_the_next_request(spider):
    walk = await begun(spider)

    outputs = await all_of(spider.parse_page(answer("first-page"), walk, again=False))

    entries = FIRST["items"]
    assert outputs[-2] is walk
    assert [type(one) for one in outputs[-2:]] == [Walk, Request]
    assert [one.id for one in of(Image, outputs)] == [entry["id"] for entry in entries]
    assert [one for one in outputs if type(one) in {Image, Post, Tag}] == [
        one for entry in entries for one in images.from_rest(entry, media_url=MEDIA) if type(one) in {Image, Post, Tag}
    ]
    assert [(one.kind, one.entry_id, one.content) for one in of(Entry, outputs)] == [
        ("rest.image", str(entry["id"]), entry) for entry in entries
    ]


async def test_each_entry_is_linked_to_the_target_and_its_file_is_wanted(spider):
    walk = await begun(spider)

    outputs = await all_of(spider.parse_page(answer("first-page"), walk, again=False))

    entries = FIRST["items"]
    links = [(one.target_kind, one.target, one.entry_kind, one.entry_id) for one in of(Link, outputs)]
    assert links == [("user", username(), "image", entry["id"]) for entry in entries]
    assert [(one.key, one.entry_id, one.kind, one.state) for one in of(Media, outputs)] == [
        (key_of(entry), entry["id"], entry["type"], "wanted") for entry in entries
    ]
    assert all(one.url.startswith(f"{MEDIA}/{one.key}/original=true/{one.key}.") for one in of(Media, outputs))


async def test_without_download_no_file_is_wanted(make_spider):
    spider = make_spider(download="none")
    walk = await begun(spider)

    outputs = await all_of(spider.parse_page(answer("first-page"), walk, again=False))

    assert of(Media, outputs) == []
    assert len(of(Image, outputs)) == len(FIRST["items"])


async def test_the_walk_looks_at_the_newest_then_moves_to_the_cursor_that_the_page_gave_less_one_entry(spider):
    walk = await begun(spider)

    outputs = await all_of(spider.parse_page(answer("first-page"), walk, again=False))
    await keep(spider, outputs)
    entries = walk.entries
    following = (await all_of(spider.parse_check(answer("newest-page"), walk, again=False)))[-1]

    assert asks(outputs[-1])["sort"] == "Newest"
    assert (walk.cursor, walk.pages, entries, walk.state) == (LAID_OVER, 1, len(FIRST["items"]), "running")
    assert asks(following) == {
        "username": username(), "limit": "200", "sort": "Oldest", "period": "AllTime", "browsingLevel": "3",
        "withMeta": "true", "flatMeta": "true", "withTags": "true", "cursor": LAID_OVER,
    }  # fmt: skip
    assert following.url.startswith("https://civitai.com/api/v1/images?")
    assert (following.callback, following.cb_kwargs) == (spider.parse_page, {"walk": walk, "again": False})


async def test_the_last_page_is_followed_by_a_look_at_the_newest(spider):
    walk = await begun(spider, cursor=CURSOR, pages=1, entries=len(FIRST["items"]))
    spider._track(walk).sure = False  # this page was recorded at a border without an overlap

    outputs = await all_of(spider.parse_page(answer("last-page"), walk, again=False))

    check = outputs[-1]
    assert [one.id for one in of(Image, outputs)] == [entry["id"] for entry in LAST["items"]]
    assert (walk.state, walk.pages, walk.entries) == ("running", 2, len(FIRST["items"]) + len(LAST["items"]))
    assert asks(check).items() >= {"sort": "Newest", "limit": "199", "browsingLevel": "3"}.items()
    assert "cursor" not in asks(check)
    assert check.callback == spider.parse_check


async def test_a_newest_page_that_holds_nothing_new_completes_the_walk(spider):
    walk = await begun(spider)
    for name in ("first-page", "last-page", "newest-page"):
        await keep(spider, await all_of(spider.parse_page(answer(name), walk, again=False)))
    ended(spider, walk)

    outputs = await all_of(spider.parse_check(answer("newest-page"), walk, again=False))

    assert outputs == [walk]
    assert (walk.state, walk.error) == (WalkState.COMPLETE, None)


async def test_what_the_newest_page_has_shown_is_only_linked_when_the_walk_comes_to_it(spider):
    walk = await begun(spider)
    await keep(spider, await all_of(spider.parse_check(answer("newest-page"), walk, again=False)))
    changed, *same = NEWEST["items"]
    page = {**NEWEST, "items": [{**changed, "hash": "another"}, *same]}

    response = answer("newest-page").replace(body=json.dumps(page).encode())
    outputs = await all_of(spider.parse_page(response, walk, again=False))

    assert [one.id for one in of(Image, outputs)] == [changed["id"]]
    assert {(one.entry_id, one.walk_id) for one in of(Link, outputs)} == {
        (entry["id"], walk.id) for entry in NEWEST["items"]
    }
    assert len(same) > 1


async def test_a_newest_page_with_unknown_entries_older_than_the_walk_means_a_ceiling(spider):
    newest = max(datetime.fromisoformat(entry["createdAt"]) for entry in NEWEST["items"])
    walk = await begun(spider, started_at=(newest + timedelta(hours=1)).isoformat(), entries=1)
    ended(spider, walk)

    outputs = await all_of(spider.parse_check(answer("newest-page"), walk, again=False))

    half = outputs[-2]
    assert (walk.state, half.params["sort"], half.parent_id) == (WalkState.SPLIT, "Newest", walk.id)
    assert str(walk.error).startswith("the listing ended after 1 entries, but ")
    assert {one.id for one in of(Image, outputs)} == {entry["id"] for entry in NEWEST["items"]}


async def test_a_newest_page_with_entries_younger_than_the_walk_is_kept_and_proves_the_end(spider):
    oldest = min(datetime.fromisoformat(entry["createdAt"]) for entry in NEWEST["items"])
    walk = await begun(spider, started_at=(oldest - timedelta(hours=1)).isoformat(), entries=1)
    ended(spider, walk)

    outputs = await all_of(spider.parse_check(answer("newest-page"), walk, again=False))

    assert walk.state == WalkState.COMPLETE
    assert {one.entry_id for one in of(Media, outputs)} == {entry["id"] for entry in NEWEST["items"]}


async def test_an_empty_page_is_asked_for_once_more_under_another_address(spider):
    walk = await begun(spider)

    first = await all_of(spider.parse_page(answer("empty-page"), walk, again=False))
    second = await all_of(spider.parse_page(answer("empty-page"), walk, again=True))

    assert [type(one) for one in first] == [Walk, Request]
    assert first[1].url != spider.ask(walk).url
    assert first[1].cb_kwargs == {"walk": walk, "again": True}
    assert [type(one) for one in second] == [Walk, Request]
    assert second[1].callback == spider.parse_check
    assert (walk.state, walk.entries) == (WalkState.RUNNING, 0)


async def test_a_listing_that_is_empty_from_both_ends_is_complete(spider):
    walk = await begun(spider)
    ended(spider, walk)

    outputs = await all_of(spider.parse_check(answer("empty-page"), walk, again=False))

    assert outputs == [walk]
    assert walk.state == WalkState.COMPLETE


async def test_a_newest_page_known_from_other_walks_only_still_means_a_ceiling(spider):
    before = await begun(spider)
    await keep(spider, await all_of(spider.parse_page(answer("newest-page"), before, again=False)))
    walk = await begun(spider, entries=1, started_at="2030-01-01T00:00:00.000Z")
    ended(spider, walk)

    await all_of(spider.parse_check(answer("newest-page"), walk, again=False))

    assert walk.state == WalkState.SPLIT


async def test_a_stored_cursor_that_the_site_refuses_starts_the_walk_afresh(spider):
    walk = await begun(spider, cursor="400|1754000000000", pages=2, entries=400)

    outputs = await all_of(spider.parse_page(answer("refusal-400"), walk, again=False))

    assert [type(one) for one in outputs] == [Walk, Request]
    assert (walk.cursor, walk.entries) == (None, 0)
    assert "cursor" not in asks(outputs[1])


async def test_an_empty_check_is_asked_for_once_more_and_then_proves_nothing(spider):
    walk = await begun(spider, entries=6)
    ended(spider, walk)

    first = await all_of(spider.parse_check(answer("empty-page"), walk, again=False))
    second = await all_of(spider.parse_check(answer("empty-page"), walk, again=True))

    assert [one.callback for one in first] == [spider.parse_check]
    assert first[0].url != spider.ask(walk, check=True).url
    assert second == [walk]
    assert walk.state == WalkState.BROKEN


async def test_a_refusal_is_raised_in_the_sites_words(spider):
    walk = await begun(spider)

    with pytest.raises(AnswerError, match=r"answered 400: .*200"):
        await all_of(spider.parse_page(answer("refusal-400"), walk, again=False))

    assert (walk.pages, walk.cursor) == (0, None)


async def test_a_profile_where_a_listing_was_asked_for_is_a_challenge(spider):
    walk = await begun(spider)

    with pytest.raises(ChallengeError):
        await all_of(spider.parse_page(answer("profile-superjson"), walk, again=False))


async def test_entries_of_somebody_else_are_kept_out(make_spider):
    spider = make_spider(username="harbourmaster")
    walk = await begun(spider, target="user:harbourmaster", params={"username": "harbourmaster"})

    with pytest.raises(EchoError, match=f"asked for the works of 'harbourmaster', the site gave .* of '{username()}'"):
        await all_of(spider.parse_page(answer("first-page"), walk, again=False))


async def test_max_items_takes_no_more_than_it_says(make_spider):
    spider = make_spider(max_items="2")
    walk = await begun(spider, params={"sort": "Newest", "max_items": 2})

    outputs = await all_of(spider.parse_page(answer("newest-page"), walk, again=False))

    assert [one.id for one in of(Image, outputs)] == [entry["id"] for entry in NEWEST["items"][:2]]
    assert outputs[-1] is walk
    assert walk.state == WalkState.LIMITED


async def test_from_the_newest_end_a_page_of_known_entries_ends_the_walk(make_spider):
    spider = make_spider(mode="new")
    one, other = [await begun(spider, params={"sort": "Newest", "until_known": True}) for _ in range(2)]

    first = await all_of(spider.parse_page(answer("newest-page"), one, again=False))
    await keep(spider, first)
    again = await all_of(spider.parse_page(answer("newest-page"), other, again=False))

    assert isinstance(first[-1], Request)
    assert asks(first[-1])["sort"] == "Newest"
    assert again[-1] is other
    assert (one.state, other.state) == (WalkState.RUNNING, WalkState.COMPLETE)


@pytest.mark.parametrize("name", PROFILES)
async def test_a_profile_in_either_encoding_gives_the_creator_and_what_is_announced(spider, name):
    walk, creator, announcement = await all_of(spider.parse_profile(answer(name), await asked_for(spider)))

    assert (walk.source, walk.state) == ("page.user", WalkState.COMPLETE)
    assert isinstance(creator, Creator)
    assert creator.username == username()
    assert isinstance(creator.user_id, int)
    assert announcement == Announcement(
        target=TARGET, exists=True, counts=announcement.counts, level=creator.counts_level or 31
    )
    assert announcement.counts["imageCount"] == creator.image_count
    assert announcement.counts["videoCount"] == creator.video_count


@pytest.mark.skipif(len(PROFILES) < 2, reason="the server that was recorded writes one encoding only")
async def test_both_encodings_say_the_same(spider):
    one, other = [(await all_of(spider.parse_profile(answer(name), await asked_for(spider))))[1:] for name in PROFILES]

    assert one == other


async def test_the_page_of_an_unknown_user_says_that_there_is_none(spider):
    outputs = await all_of(spider.parse_profile(answer("unknown-profile"), await asked_for(spider)))

    announcement = outputs[-1]
    assert (announcement.exists, announcement.counts, announcement.error) == (False, None, None)


@pytest.mark.parametrize("name", ["refusal-400", "first-page"])
async def test_anything_but_a_profile_leaves_the_counts_unknown_and_says_why(spider, name):
    walk, announcement = await all_of(spider.parse_profile(answer(name), await asked_for(spider)))

    assert (walk.state, walk.error) == (WalkState.BROKEN, announcement.error)
    assert announcement.exists is None
    assert announcement.counts is None
    assert answer(name).url in announcement.error or "page without __NEXT_DATA__" in announcement.error


async def test_a_challenge_leaves_the_counts_unknown_and_says_why(spider):
    page = b"<html><head><title>Just a moment...</title></head></html>"

    response = HtmlResponse("https://civitai.com/user/x", body=page)

    announcement = (await all_of(spider.parse_profile(response, await asked_for(spider))))[-1]

    assert announcement.exists is None
    assert "the edge answered instead of the site" in announcement.error


@pytest.mark.parametrize("name", NAMES)
def test_a_cassette_is_small_and_holds_no_key(name):
    text = (RECORDED / f"{name}.json").read_text("utf-8")

    question = json.loads(text)["http_interactions"][0]["request"]
    assert len(text) < 400_000
    assert question["uri"].startswith(SITE_MARK)
    assert question["headers"].get("Authorization", [f"Bearer {KEY_MARK}"]) == [f"Bearer {KEY_MARK}"]
    assert "email" not in recorded(name).text
