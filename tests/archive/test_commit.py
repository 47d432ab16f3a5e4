"""Everything that one answer gave is in the database, or nothing of it."""

from __future__ import annotations

import random
from itertools import product

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from civitscrape.archive import schema
from civitscrape.archive.commit import Standing
from civitscrape.archive.payloads import restore
from civitscrape.items import (
    Creator,
    Image,
    ImageResource,
    ImageTag,
    Post,
    ResourceSource,
    Tag,
    TagName,
    VersionImage,
)
from civitscrape.ledger import Entry, Link, Media, MediaState, Payload, Walk, WalkState
from tests.archive.asking import key_of, link_to, media_of, picture, put, row, rows, walk_of

SOURCES = list(ResourceSource)
UNWRITABLE = ImageTag(image_id=7, tag_id=None)  # type: ignore[arg-type]  # a key that no table takes


def resources(source: str, *names: str, image_id: int = 7) -> list[ImageResource]:
    return [
        ImageResource(image_id=image_id, position=position, name=name, source=source)
        for position, name in enumerate(names)
    ]


def entry(number: int = 7, *, kind: str = "rest.image", refused: str | None = None, **content: object) -> Entry:
    return Entry(kind=kind, entry_id=str(number), content={"id": number, **content}, refused=refused)


def test_everything_of_one_answer_is_written(archive):
    image = picture(7, meta={"prompt": "lanterns 🏮", "half": "\ud83c", "hidden": None}, model_version_ids=[1])
    records = [
        image,
        Post(id=3, creator="lampwright"),
        Tag(id=5, name="harbour"),
        ImageTag(image_id=7, tag_id=5),
        TagName(name="dusk", image_id=7),
        *resources("resources", "harbour mix"),
        VersionImage(version_id=1, image_id=7),
        link_to(image),
        media_of(image),
        walk_of(),
    ]

    put(archive, *records)

    assert [one for record in records for one in rows(archive, type(record))] == records


def test_an_answer_says_how_its_images_stood_before(archive):
    old, twin, new = picture(1, path="lampwright/1.png"), picture(2, key=key_of(1)), picture(3)
    put(archive, old, media_of(old, state=MediaState.STORED, path="lampwright/1.png"))

    standings = put(archive, old, twin, new, media_of(new))

    assert standings == {
        1: Standing(
            known=True,
            path="lampwright/1.png",
            media_state="stored",
            creator="lampwright",
            media_path="lampwright/1.png",
        ),
        2: Standing(known=False, path=None, media_state="stored", media_path="lampwright/1.png"),
        3: Standing(known=False, path=None, media_state=None, media_path=None),
    }


def test_an_image_without_a_key_stands_without_a_file(archive):
    image = picture(7, key=None)
    put(archive, image)

    standings = put(archive, image)

    assert standings == {7: Standing(known=True, path=None, media_state=None, creator="lampwright")}


def test_an_error_in_the_middle_leaves_nothing(archive):
    image = picture(7)
    records = [image, Creator(username="lampwright", user_id=1), entry(), walk_of(), UNWRITABLE, link_to(image)]

    with pytest.raises(IntegrityError):
        put(archive, *records)

    tables = (Image, Creator, Payload, Walk, ImageTag, Link)
    assert [rows(archive, table) for table in tables] == [[]] * len(tables)


def test_an_error_in_the_middle_undoes_what_was_deleted_and_moved(archive):
    put(archive, *resources("resources", "old"), Creator(username="lampwright", user_id=1), walk := walk_of(cursor="a"))
    before = [rows(archive, dataclass) for dataclass in (ImageResource, Creator, Walk)]
    walk.cursor = "b"

    with pytest.raises(IntegrityError):
        put(archive, *resources("generation", "new"), Creator(username="glassblower", user_id=1), walk, UNWRITABLE)

    assert [rows(archive, dataclass) for dataclass in (ImageResource, Creator, Walk)] == before


def test_a_walk_whose_answer_failed_has_no_number_and_can_be_written_again(archive):
    walk = walk_of()
    with pytest.raises(IntegrityError):
        put(archive, walk, UNWRITABLE)

    put(archive, walk)

    assert row(archive, Walk) == walk


def test_a_walk_gets_its_number_and_then_writes_the_same_row(archive):
    other, walk = walk_of("user:dunewalker"), walk_of()
    put(archive, other, walk)
    numbers = [other.id, walk.id]

    walk.cursor, walk.pages, walk.entries = "200|1767225600000", 1, 200
    put(archive, walk)

    assert [walk.id for walk in rows(archive, Walk)] == numbers == [1, 2]
    assert rows(archive, Walk)[1] == walk


def test_a_walk_that_ends_has_no_cursor(archive):
    walk = walk_of(cursor="200|1767225600000", error="the connection broke")
    put(archive, walk)

    walk.cursor, walk.error, walk.state = None, None, WalkState.COMPLETE
    put(archive, walk)

    assert (row(archive, Walk).cursor, row(archive, Walk).error) == (None, None)


def test_when_a_walk_was_written_is_told(archive):
    walk = walk_of()

    put(archive, walk)

    assert row(archive, Walk).updated_at == walk.updated_at is not None


def test_the_same_answer_twice_changes_nothing_but_its_time(archive):
    image = picture(7, like_count=3)
    answer = [image, Tag(id=5, name="harbour"), ImageTag(image_id=7, tag_id=5), *resources("resources", "a", "b")]
    put(archive, *answer, link_to(image), media_of(image), entry())
    classes = (Image, Tag, ImageTag, ImageResource, Link, Media, Payload)
    before = [rows(archive, dataclass) for dataclass in classes]

    put(archive, *answer, link_to(image), media_of(image), entry())

    assert [rows(archive, dataclass) for dataclass in classes] == before


@pytest.mark.parametrize(("old", "new"), list(product(SOURCES, SOURCES)))
def test_resources_are_replaced_as_a_set_and_never_by_a_worse_source(archive, old, new):
    put(archive, *resources(old, "one", "two", "three"), *resources(old, "other", image_id=8))

    put(archive, *resources(new, "four", "five"))

    is_worse = SOURCES.index(new) > SOURCES.index(old)
    expected = resources(old, "one", "two", "three") if is_worse else resources(new, "four", "five")
    assert rows(archive, ImageResource) == [*expected, *resources(old, "other", image_id=8)]


def test_an_image_that_comes_twice_in_an_answer_has_the_better_set(archive):
    put(archive, *resources("generation", "one"), *resources("detected", "two", "three"))

    assert rows(archive, ImageResource) == resources("generation", "one")


def test_a_detected_set_gives_way_to_one_that_knows_as_many_versions_or_more(archive):
    versions = [ImageResource(image_id=7, position=place, model_version_id=9 - place) for place in range(2)]
    put(archive, *versions)

    put(archive, *versions[:1])
    put(archive, *resources("detected", "one", "two", "three"))
    assert rows(archive, ImageResource) == versions

    renewed = [ImageResource(image_id=7, position=place, model_version_id=4 + place) for place in range(2)]
    put(archive, *renewed)
    assert rows(archive, ImageResource) == renewed


def test_an_answer_without_resources_takes_none_away(archive):
    put(archive, picture(7), *resources("detected", "one"))

    put(archive, picture(7))

    assert rows(archive, ImageResource) == resources("detected", "one")


def test_the_number_of_a_renamed_creator_moves_to_the_new_name(archive):
    put(archive, Creator(username="lampwright", user_id=90001, image_count=12))

    put(archive, Creator(username="glassblower", user_id=90001))

    numbers = {creator.username: (creator.user_id, creator.image_count) for creator in rows(archive, Creator)}
    assert numbers == {"lampwright": (None, 12), "glassblower": (90001, None)}


def test_a_creator_who_is_spelt_another_way_keeps_the_number(archive):
    put(archive, Creator(username="lampwright", user_id=90001))

    put(archive, Creator(username="LampWright", user_id=90001))

    assert row(archive, Creator) == Creator(username="lampwright", user_id=90001)


@pytest.mark.parametrize("state", list(MediaState))
def test_a_listing_never_makes_wanted_of_what_is_known_of_a_file(archive, state):
    image = picture(7)
    put(archive, media_of(image, state=state, attempts=2, path="lampwright/7.png", error="the CDN answered 500"))
    before = row(archive, Media)

    put(archive, image, media_of(image, entry_id=8, state=MediaState.WANTED))

    assert row(archive, Media) == before
    assert (before.state, before.attempts, before.entry_id) == (state, 2, 7)


def test_a_payload_is_kept_once_while_only_counters_change(archive):
    put(archive, entry(title="lanterns", stats={"likeCount": 1}))

    put(archive, entry(stats={"likeCount": 2}, title="lanterns"))

    assert restore(row(archive, Payload).body) == {"id": 7, "title": "lanterns", "stats": {"likeCount": 1}}


def test_a_payload_is_kept_again_when_more_than_counters_change(archive):
    put(archive, entry(title="lanterns"))

    put(archive, entry(title="lanterns at dusk"))

    assert {restore(one.body)["title"] for one in rows(archive, Payload)} == {"lanterns", "lanterns at dusk"}


def test_a_payload_that_comes_back_is_not_kept_a_second_time(archive):
    put(archive, entry(title="lanterns"))
    put(archive, entry(title="dunes"))
    before = rows(archive, Payload)

    put(archive, entry(title="lanterns"))

    assert rows(archive, Payload) == before


def test_equal_content_of_two_kinds_is_kept_for_each(archive):
    put(archive, entry(kind="rest.image"), entry(kind="trpc.image"))

    put(archive, entry(kind="trpc.image"), entry(kind="page.image"), entry(kind="rest.image"))

    assert {one.kind for one in rows(archive, Payload)} == {"rest.image", "trpc.image", "page.image"}


def test_a_refused_entry_is_kept_with_the_reason(archive):
    put(archive, entry(type="hologram", refused="entry 7: type is 'hologram'"))

    payload = row(archive, Payload)
    assert payload.refused == "entry 7: type is 'hologram'"
    assert restore(payload.body) == {"id": 7, "type": "hologram"}


def test_an_entry_is_kept_when_its_counters_are_what_was_refused(archive):
    put(archive, entry(title="lanterns", stats={"likeCount": 1}))

    put(archive, entry(title="lanterns", stats="many", refused="entry 7: stats is 'many'"))

    kept = {one.refused: restore(one.body)["stats"] for one in rows(archive, Payload)}
    assert kept == {None: {"likeCount": 1}, "entry 7: stats is 'many'": "many"}


def test_a_refused_entry_is_kept_once_while_only_good_counters_change(archive):
    put(archive, entry(type="hologram", stats={"likeCount": 1}, refused="entry 7: type is 'hologram'"))

    put(archive, entry(type="hologram", stats={"likeCount": 2}, refused="entry 7: type is 'hologram'"))

    assert len(rows(archive, Payload)) == 1


def test_an_entry_that_can_be_read_at_last_has_a_payload_without_a_reason(archive):
    put(archive, entry(type="audio", refused="entry 7: type is 'audio'"))

    put(archive, entry(type="audio"))

    assert [one.refused for one in rows(archive, Payload)].count(None) == 1


@pytest.mark.parametrize(
    "content",
    [
        None,
        "?",
        [1, "two"],
        {"prompt": "港の灯り 🏮", "nul": "\0", "quote": '"\\'},
        {"half \ud83c": ["\udfee", "\ud83c\udfee"]},
        {"seed": 2**80, "weight": 0.1, "small": 1e-9, "no": False, "nothing": None, "": {}},
    ],
)
def test_a_payload_is_given_back_as_it_came(archive, content):
    put(archive, Entry(kind="rest.image", entry_id="None", content=content))

    assert restore(row(archive, Payload).body) == content


def test_an_answer_of_many_entries_is_asked_for_in_pieces(archive):
    numbers = random.Random(7).sample(range(10**6), 1200)
    images = [picture(number) for number in numbers]
    payloads = [entry(number) for number in numbers]
    put(archive, *images[:700], *payloads[:700])

    standings = put(archive, *images, *payloads)

    assert sum(standing.known for standing in standings.values()) == 700
    count = sa.select(sa.func.count()).select_from(schema.payloads)
    assert archive.run_now(lambda connection: connection.scalar(count)) == 1200
