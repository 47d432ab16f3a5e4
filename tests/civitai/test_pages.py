from __future__ import annotations

import json
from typing import Any

import pytest

from civitscrape.civitai import pages
from civitscrape.exceptions import ChallengeError, EnvelopeError


def flattened(value: Any) -> str:
    """Encode as devalue does."""
    flat: list[Any] = []

    def place(one: Any) -> int:
        at = len(flat)
        flat.append(None)
        if isinstance(one, dict):
            flat[at] = {key: place(child) for key, child in one.items()}
        elif isinstance(one, list):
            flat[at] = [place(child) for child in one]
        else:
            flat[at] = one
        return at

    place(value)
    return json.dumps(flat)


def properties(data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = data["props"]["pageProps"]
    return found


def entries(data: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = properties(data)["trpcState"]["json"]["queries"]
    return found


def without(data: dict[str, Any], *procedures: str) -> None:
    """Take queries out, as when they failed on the server."""
    kept = [entry for entry in entries(data) if ".".join(entry["queryKey"][0]) not in procedures]
    properties(data)["trpcState"]["json"]["queries"] = kept


ABOUT_USER = ("user.getCreator", "userProfile.get", "userProfile.overview")


def test_the_data_of_a_page_are_read(page, profile):
    data = pages.next_data(page(profile))

    assert data["page"] == "/user/[username]"
    assert data["query"] == {"username": "lampwright"}


def test_a_raw_control_byte_in_a_text_does_no_harm(page, profile):
    html = page(profile).replace("Harbours", "Har\x0bbours")

    profile = pages.open_profile(html)

    assert profile.user is not None
    assert profile.user["profile"]["bio"] == "Har\x0bbours & <lanterns>."


def test_nothing_about_the_person_who_is_logged_in_is_kept(page, profile):
    data = pages.next_data(page(profile))

    assert "somebody@example.org" not in json.dumps(data)
    assert not {"session", "cookies"} & properties(data).keys()


@pytest.mark.parametrize(
    "html",
    [
        "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>",
        "<html><script>window._cf_chl_opt={cType:'managed'};</script></html>",
        '<html><form id="challenge-form" action="/?__cf_chl_f_tk=x"></form></html>',
        "<html><head><title>Attention Required! | Cloudflare</title></head></html>",
        '<html><script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script></html>',
    ],
)
def test_a_page_of_the_edge_is_a_challenge(html):
    with pytest.raises(ChallengeError, match="edge answered"):
        pages.next_data(html)


def test_a_page_that_carries_the_edges_own_script_is_still_a_page(page, profile):
    html = page(profile, head='<script src="/cdn-cgi/challenge-platform/h/b/scripts/jsd/main.js"></script>')

    data = pages.next_data(html)

    assert data["page"] == "/user/[username]"


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<html><head><title>Civitai &amp; friends</title></head></html>",
        '<script id="__NEXT_DATA__">{"props":</script>',
        '<script id="__NEXT_DATA__">[]</script>',
        '<script id="__NEXT_DATA__">{}</script>',
        '<script id="__NEXT_DATA__">{"props": {"pageProps": 5}}</script>',
        '<script id="__NEXT_DATA__">' + "[" * 100_000 + "</script>",
    ],
)
def test_a_page_without_its_data_is_broken(html):
    with pytest.raises(EnvelopeError, match=r"__NEXT_DATA__"):
        pages.next_data(html)


def test_a_broken_page_is_named_by_its_title():
    with pytest.raises(EnvelopeError, match="Civitai & friends"):
        pages.next_data("<html><head><title>Civitai &amp; friends</title></head></html>")


@pytest.mark.parametrize("devalue", [False, True], ids=["superjson", "devalue"])
def test_queries_are_found_by_name_in_both_encodings(profile, devalue):
    if devalue:
        properties(profile)["trpcState"] = flattened(properties(profile)["trpcState"]["json"])

    found = pages.queries(profile)

    overview = found.first("userProfile.overview")
    assert overview is not None
    assert overview.data["imageCount"] == 120
    assert overview.input == {"username": "lampwright", "browsingLevel": 1}


def test_queries_are_found_wherever_they_stand(profile):
    entries(profile).reverse()

    found = pages.queries(profile)

    assert [query.data["id"] for query in found.every("userProfile.get")] == [41207]
    assert found.first("image.get") is None


def test_a_query_that_has_not_succeeded_is_none(profile):
    entries(profile)[2]["state"]["status"] = "pending"

    found = pages.queries(profile)

    assert found.first("userProfile.overview") is None


def test_queries_of_other_libraries_are_passed_over(profile):
    entries(profile).insert(0, {"queryKey": ["announcements"], "state": {"data": []}})
    entries(profile).insert(0, {"queryKey": [["common", "getEntityAccess"], {"entityId": 1}], "state": {"data": []}})

    found = pages.queries(profile)

    access = found.first("common.getEntityAccess")
    assert access is not None
    assert access.input == {}
    assert len(found.found) == 5


@pytest.mark.parametrize("state", [None, 5, {"json": {"mutations": []}}, {"json": []}, "[[]]"])
def test_a_broken_state_is_refused(profile, state):
    properties(profile)["trpcState"] = state

    with pytest.raises(EnvelopeError):
        pages.queries(profile)


def test_a_page_without_state_is_refused_by_its_name(profile):
    del properties(profile)["trpcState"]

    with pytest.raises(EnvelopeError, match=r"/user/\[username\]"):
        pages.queries(profile)


def test_a_profile_tells_the_user_and_the_counts(page, profile):
    profile = pages.open_profile(page(profile))

    assert profile.username == "LampWright"
    assert profile.exists
    assert profile.user is not None
    assert profile.user["id"] == 41207
    assert profile.counts == {
        "modelCount": 2,
        "imageCount": 120,
        "videoCount": 3,
        "postCount": 14,
        "articleCount": 0,
        "collectionCount": 1,
    }


def test_a_null_of_one_query_hides_no_value_of_the_other(page, profile):
    profile = pages.open_profile(page(profile))

    assert profile.user is not None
    assert profile.user["image"] == "5b7e0c1d-2f3a-4c5b-8d6e-9f0a1b2c3d4e"


@pytest.mark.parametrize(("injected", "level"), [(1, 1), (3, 3), (None, 31)])
def test_the_counts_cover_the_level_that_the_server_injected(page, profile, injected, level):
    entries(profile)[2]["queryKey"][1]["input"] = {"username": "lampwright"}
    if injected is not None:
        entries(profile)[2]["queryKey"][1]["input"]["browsingLevel"] = injected

    profile = pages.open_profile(page(profile))

    assert profile.counts_level == level


def test_an_unknown_user_does_not_exist(page, profile):
    without(profile, *ABOUT_USER)

    profile = pages.open_profile(page(profile))

    assert not profile.exists
    assert profile.username == "lampwright"
    assert profile.user is None
    assert profile.counts is None


def test_a_user_whose_overview_failed_exists_without_counts(page, profile):
    without(profile, "userProfile.overview")

    profile = pages.open_profile(page(profile))

    assert profile.exists
    assert profile.counts is None
    assert profile.counts_level == 1


@pytest.mark.parametrize("procedure", ABOUT_USER)
def test_any_query_about_the_user_shows_that_there_is_one(page, profile, procedure):
    without(profile, *(set(ABOUT_USER) - {procedure}))

    profile = pages.open_profile(page(profile))

    assert profile.exists


@pytest.mark.parametrize(
    ("index", "data"), [(1, []), (2, []), (2, {"imageCount": "many"}), (3, "lampwright")], ids=repr
)
def test_a_query_of_another_shape_is_refused_by_name(page, profile, index, data):
    entries(profile)[index]["state"]["data"] = data

    with pytest.raises(EnvelopeError, match=r"user(Profile)?\."):
        pages.open_profile(page(profile))


def test_a_level_that_is_no_number_is_refused(page, profile):
    entries(profile)[2]["queryKey"][1]["input"]["browsingLevel"] = "all"

    with pytest.raises(EnvelopeError, match="browsingLevel"):
        pages.open_profile(page(profile))
