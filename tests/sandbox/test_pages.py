from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.sandbox.conftest import KEY, WORLD, Caller, unpack


def next_data(body: bytes) -> Any:
    found = re.search(rb'<script id="__NEXT_DATA__" type="application/json">(.*?)</script>', body, re.DOTALL)
    assert found
    return json.loads(found[1])


def queries(body: bytes) -> dict[str, Any]:
    state = next_data(body)["props"]["pageProps"]["trpcState"]
    state = unpack(state) if isinstance(state, str) else state["json"]
    return {".".join(one["queryKey"][0]): one for one in state["queries"]}


@pytest.mark.parametrize(
    ("keyed", "red", "mask"), [(False, False, 1), (False, True, 1), (True, False, 3), (True, True, 31)]
)
async def test_a_profile_announces_counts_for_its_caller(caller: Caller, keyed, red, mask):
    reply = await caller.ask("/user/lampwright", headers=KEY if keyed else None, red=red)

    told = queries(reply.body)["userProfile.overview"]["state"]["data"]
    true = WORLD.truth("lampwright", mask, keyed=keyed, red=red, hashes=False).announced
    assert (told["imageCount"], told["videoCount"], told["postCount"]) == (
        true["images"],
        true["videos"],
        true["posts"],
    )
    assert true["mask"] == mask


@pytest.mark.parametrize(("keyed", "red", "level"), [(False, True, 1), (True, False, 3), (True, True, None)])
async def test_capped_callers_find_their_level_in_the_query_key(caller: Caller, keyed, red, level):
    reply = await caller.ask("/user/lampwright", headers=KEY if keyed else None, red=red)

    for query in queries(reply.body).values():
        assert query["queryKey"][1]["input"].get("browsingLevel") == level
        assert "browsingLevel" not in query["queryHash"]


async def test_the_page_holds_three_queries_and_its_tabs_two(caller: Caller):
    profile = await caller.ask("/user/lampwright")
    tab = await caller.ask("/user/lampwright/images")

    assert set(queries(profile.body)) == {"user.getCreator", "userProfile.get", "userProfile.overview"}
    assert set(queries(tab.body)) == {"userProfile.get", "userProfile.overview"}
    assert next_data(profile.body)["page"] == "/user/[username]"
    assert "username" not in next_data(tab.body)["props"]["pageProps"]


@pytest.mark.parametrize("path", ["/user/LampWright", "/user/lamp-wright", "/user/lampwright!"])
async def test_usernames_are_slugged_by_the_page(caller: Caller, path):
    reply = await caller.ask(path)

    assert next_data(reply.body)["props"]["pageProps"]["username"] == "lampwright"
    assert b"<title>lampwright Creator Profile | Civitai</title>" in reply.body


async def test_an_unknown_user_is_a_200_without_a_profile(caller: Caller):
    reply = await caller.ask("/user/nobody_here")

    assert reply.status == 200
    assert queries(reply.body) == {}
    assert b"noindex" in reply.body
    assert b"<title>Civitai | Share your models</title>" in reply.body


async def test_who_has_published_nothing_has_a_profile_of_zeros(caller: Caller):
    reply = await caller.ask("/user/quiet_one")

    assert queries(reply.body)["userProfile.overview"]["state"]["data"]["imageCount"] == 0


async def test_the_state_may_be_a_devalue_string(caller: Caller):
    plain = await caller.ask("/user/lampwright")
    caller.sandbox.site.quirks.devalue = "always"

    packed = await caller.ask("/user/lampwright")

    assert isinstance(next_data(packed.body)["props"]["pageProps"]["trpcState"], str)
    assert queries(packed.body) == queries(plain.body)


async def test_no_text_of_the_data_can_close_the_script(caller: Caller):
    reply = await caller.ask("/user/lampwright")

    assert reply.body.count(b"</script>") == 1
    assert b"\\u003c/script\\u003e" in reply.body
    assert "</script>" in queries(reply.body)["userProfile.get"]["state"]["data"]["profile"]["bio"]


async def test_a_logged_in_page_holds_private_data(caller: Caller):
    reply = await caller.ask("/user/lampwright", headers={"Cookie": "civ-token=sandbox-session"})

    properties = next_data(reply.body)["props"]["pageProps"]
    assert properties["session"]["user"]["email"] == "keeper@harbour.invalid"
    assert properties["hasAuthCookie"] is True


async def test_an_anonymous_page_has_no_session(caller: Caller):
    reply = await caller.ask("/user/lampwright", red=True)

    properties = next_data(reply.body)["props"]["pageProps"]
    assert (properties["session"], properties["domain"]) == (None, "red")


async def test_any_other_page_is_404(caller: Caller):
    reply = await caller.ask("/lanterns")

    assert reply.status == 404
    assert next_data(reply.body)["page"] == "/404"
