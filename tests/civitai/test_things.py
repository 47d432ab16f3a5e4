from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.civitai import things
from civitscrape.exceptions import ChallengeError, EnvelopeError, NotFoundError
from tests.civitai.test_pages import flattened

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGE = {"id": 91230001, "postId": 20450077, "hideMeta": False}
GENERATION = {"type": "image", "meta": {"prompt": "lanterns"}, "resources": []}
POST = {"id": 20450077, "title": "Night docks & <lanterns>", "modelVersionId": 1204411}
OPENERS = [
    things.open_image_page,
    things.open_post_page,
    things.open_collection_page,
    things.open_tag_page,
    things.open_model_page,
]


@pytest.fixture(params=["superjson", "devalue"])
def written(request: pytest.FixtureRequest, page: Callable[..., str]) -> Callable[..., str]:
    """Write a page with some answered queries, in either encoding."""

    def write(**answers: Any) -> str:
        queries = [
            {
                "state": {"data": data, "status": "success"},
                "queryKey": [name.split("__"), {"input": {"browsingLevel": 1}, "type": "query"}],
            }
            for name, data in answers.items()
        ]
        state: Any = {"mutations": [], "queries": queries}
        state = flattened(state) if request.param == "devalue" else {"json": state}
        return page({"props": {"pageProps": {"trpcState": state}}, "page": "/somewhere", "query": {}})

    return write


def test_an_image_s_page_tells_of_it_and_of_how_it_was_made(written):
    html = written(hiddenPreferences__getHidden={}, image__getGenerationData=GENERATION, image__get=IMAGE)

    assert things.open_image_page(html) == things.ImagePage(image=IMAGE, generation=GENERATION)


def test_the_page_of_a_missing_image_may_tell_how_it_was_made(written):
    found = things.open_image_page(written(image__getGenerationData=GENERATION))

    assert found.image is None
    assert found.generation == GENERATION


def test_generation_data_that_their_creator_hid_are_dropped(written):
    html = written(image__get=IMAGE | {"hideMeta": True}, image__getGenerationData=GENERATION)

    assert things.open_image_page(html).generation == GENERATION | {"meta": None}


def test_a_post_s_page_tells_of_it_and_of_its_first_images(written):
    listed = {"pages": [{"items": [{"id": 1}, {"id": 2}], "nextCursor": 2}], "pageParams": [None]}

    found = things.open_post_page(written(post__get=POST, image__getInfinite=listed))

    assert found == things.PostPage(post=POST, images=[{"id": 1}, {"id": 2}], more=True)


def test_a_post_s_page_without_a_further_page_is_whole(written):
    listed = {"pages": [{"items": [{"id": 1}], "nextCursor": None}], "pageParams": [None]}

    assert not things.open_post_page(written(post__get=POST, image__getInfinite=listed)).more


def test_a_collection_s_page_tells_of_it_or_that_there_is_none(written):
    answer = {"collection": {"id": 7200}, "permissions": {"read": True}}
    nothing = {"collection": None, "permissions": {"read": False}}

    there, private = (things.open_collection_page(written(collection__getById=one)) for one in (answer, nothing))

    assert there == things.CollectionPage(collection={"id": 7200}, permissions={"read": True})
    assert private == things.CollectionPage(collection=None, permissions={"read": False})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([{"id": 4, "name": "anime", "unfeatured": False, "count": 0}], {"id": 4, "name": "anime"}),
        ([], None),
        (None, None),
    ],
)
def test_a_tag_s_page_tells_its_number(written, answer, expected):
    assert things.open_tag_page(written(tag__getTagWithModelCount=answer)) == expected


def test_a_model_s_page_tells_of_it_and_of_its_first_images(written):
    html = written(model__getById={"id": 880101}, image__getInfinite={"pages": [{"items": [{"id": 1}]}]})

    assert things.open_model_page(html) == things.ModelPage(model={"id": 880101}, images=[{"id": 1}])


def test_a_page_without_its_main_query_tells_of_nothing(written):
    html = written(hiddenPreferences__getHidden={})

    assert things.open_image_page(html) == things.ImagePage(image=None, generation=None)
    assert things.open_post_page(html) == things.PostPage(post=None)
    assert things.open_collection_page(html) == things.CollectionPage(collection=None, permissions=None)
    assert things.open_tag_page(html) is None
    assert things.open_model_page(html) == things.ModelPage(model=None)


@pytest.mark.parametrize(
    ("opened", "answers"),
    [
        (things.open_image_page, {"image__get": [1]}),
        (things.open_image_page, {"image__getGenerationData": "busy"}),
        (things.open_post_page, {"post__get": 7}),
        (things.open_post_page, {"image__getInfinite": {"pages": {}}}),
        (things.open_post_page, {"image__getInfinite": {"pages": [7]}}),
        (things.open_post_page, {"image__getInfinite": {"pages": [{"items": {"id": 1}}]}}),
        (things.open_collection_page, {"collection__getById": {"collection": [1]}}),
        (things.open_tag_page, {"tag__getTagWithModelCount": [{"name": "anime"}]}),
        (things.open_tag_page, {"tag__getTagWithModelCount": "anime"}),
        (things.open_model_page, {"model__getById": []}),
    ],
)
def test_a_query_of_another_shape_is_refused_by_name(written, opened, answers):
    (name,) = answers

    with pytest.raises(EnvelopeError, match=name.replace("__", r"\.")):
        opened(written(**answers))


@pytest.mark.parametrize("opened", OPENERS)
def test_the_page_for_what_there_is_not_is_an_error(page, opened):
    with pytest.raises(NotFoundError):
        opened(page({"props": {"pageProps": {}}, "page": "/404", "query": {}}))


@pytest.mark.parametrize("opened", OPENERS)
def test_a_page_of_the_edge_is_an_error(opened):
    with pytest.raises(ChallengeError):
        opened("<html><head><title>Just a moment...</title></head></html>")


def test_a_page_of_somebody_logged_in_is_opened_without_what_it_says_of_them(page):
    state = {"json": {"queries": [{"state": {"data": IMAGE}, "queryKey": [["image", "get"], {}]}]}}
    session = {"user": {"email": "keeper@harbour.invalid"}}
    html = page({"props": {"pageProps": {"trpcState": state, "session": session}}, "page": "/images/[imageId]"})

    assert "keeper" not in json.dumps(things.open_image_page(html).image)
