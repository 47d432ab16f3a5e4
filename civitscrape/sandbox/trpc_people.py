"""``user.*``, ``userProfile.*``, ``hiddenPreferences.*`` and ``common.*``: people, and what they may see (§4.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from civitscrape.sandbox import profiles
from civitscrape.sandbox.collections import PUBLIC, planned
from civitscrape.sandbox.inputs import ID, NUMBER, TEXT, ProcedureError, Rule, check
from civitscrape.sandbox.people import lite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from civitscrape.sandbox.ask import Ask
    from civitscrape.sandbox.building import Creator
    from civitscrape.sandbox.inputs import Input
    from civitscrape.sandbox.site import Site

WHO = {"username": TEXT, "id": NUMBER}
HIDDEN = (
    *("hiddenTags", "hiddenUsers", "hiddenModels", "hiddenModel3Ds", "hiddenImages", "blockedUsers"),
    "blockedByUsers",
)


def _everybody(site: Site) -> Iterator[Creator]:
    yield from site.world.creators.values()
    yield from site.world.founders.values()


def _creator(site: Site, given: Input, message: str) -> Creator:
    check(given, WHO)
    username, user_id = given.get("username"), given.get("id")
    for one in _everybody(site):
        named = isinstance(username, str) and one.username.lower() == username.lower()
        if not one.vanished and (named or (user_id is not None and one.user_id == user_id)):
            return one
    raise ProcedureError("NOT_FOUND", message)


def user_get_creator(site: Site, _ask: Ask, given: Input) -> Input:
    """``user.getCreator``."""
    return profiles.get_creator(_creator(site, given, "Could not find user"))


def user_get_by_id(site: Site, _ask: Ask, given: Input) -> Input:
    """``user.getById``."""
    check(given, ID)
    found = _creator(site, given, "Could not find user")
    return lite(found.user_id, found.username)


def user_profile_get(site: Site, _ask: Ask, given: Input) -> Input:
    """``userProfile.get``."""
    return profiles.profile(_creator(site, given, "User not found"))


def user_profile_overview(site: Site, ask: Ask, given: Input) -> Input:
    """``userProfile.overview``: counts for the caller's cap."""
    found = _creator(site, given, "User not found")
    own = [one for one in planned(site.world) if one.user_id == found.user_id and one.plan.read == PUBLIC]
    articles = [
        one
        for one in site.world.articles.values()
        if one.author.user_id == found.user_id and one.listed and one.level & ask.cap
    ]
    return profiles.overview(found, ask.cap, collections=len(own), articles=len(articles))


def hidden_preferences_get_hidden(_site: Site, ask: Ask, _given: Input) -> Input:
    """``hiddenPreferences.getHidden``: in a compact form for who is logged in."""
    empty: Input = {name: [] for name in HIDDEN}
    return empty | ({"__v": 2} if ask.caller else {})


def common_get_entity_access(site: Site, _ask: Ask, given: Input) -> list[Input]:
    """``common.getEntityAccess``: whether the caller has bought what is to be bought; nobody has."""
    check(given, {"entityType": Rule("string", required=True), "entityId": Rule("array", required=True, of="number")})
    versions = (site.world.versions.get(one) for one in given["entityId"])
    return [
        {"entityId": one.id, "entityType": given["entityType"], "hasAccess": not one.gated, "permissions": 0}
        for one in versions
        if one
    ]
