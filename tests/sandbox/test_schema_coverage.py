"""Every schema of the contract holds for an answer of a running sandbox, and no schema is left without one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from civitscrape.sandbox import model_files
from tests.sandbox.conftest import KEY, MODELS, SHARED, Caller

CONTRACT = SHARED / "contract" / "rest.schema.json"
OUT = [one for one in MODELS.versions.values() if one.status == "Published" and MODELS.models[one.model_id].visible]
PLAIN = next(one for one in OUT if one.primary is not None and one.primary.hashed and not one.gated)
GATED = next(
    one
    for one in OUT
    if one.gated
    and one.usage_control == "Download"
    and one.primary is not None
    and MODELS.models[one.model_id].mode != "Archived"
)
assert PLAIN.primary is not None
HASH = model_files.sha256(PLAIN.primary)
IMAGE = next(one for one in MODELS.creators["lampwright"].records if one.level == 1 and one.listed and one.used)
COLLECTION = next(one for one in MODELS.collections.values() if one.mode is not None)
ARTICLE = next(
    one for one in MODELS.articles.values() if one.listed and one.cover and one.cover.level == 1 and one.pictures
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One request, and the status that its answer must have."""

    path: str
    status: int = 200
    keyed: bool = False
    body: Any = None
    quirks: dict[str, Any] = field(default_factory=dict)

    async def answer(self, caller: Caller) -> Any:
        """Ask it and return the body.

        Raises:
            AssertionError: the status is another one.
        """
        caller.sandbox.site.quirks.change(self.quirks)
        method = "GET" if self.body is None else "POST"
        reply = await caller.ask(self.path, method=method, headers=KEY if self.keyed else None, body=self.body)
        assert reply.status == self.status, (self.path, reply.body)
        return reply.json()


def ask(path: str, status: int = 200, **options: Any) -> Question:
    return Question(path=path, status=status, **options)


ALL = "/api/v1/models?nsfw=true&archived=true"
QUESTIONS: dict[str, tuple[Question, ...]] = {
    "ModelsResponse": (
        ask(f"{ALL}&username=lampwright"),
        ask(f"{ALL}&limit=2&page=1"),
        ask("/api/v1/models?query=harbour"),
        ask("/api/v1/models?limit=3", keyed=True),
    ),
    "ModelDetail": tuple(ask(f"/api/v1/models/{one.id}") for one in MODELS.models.values() if one.visible),
    "ModelVersion": (
        ask(f"/api/v1/model-versions/{PLAIN.id}"),
        ask(f"/api/v1/model-versions/{GATED.id}"),
        ask(f"/api/v1/model-versions/by-hash/{HASH}"),
    ),
    "ModelVersionBatch": (ask("/api/v1/model-versions/by-hash", body=[HASH]),),
    "HashIds": (ask("/api/v1/model-versions/by-hash/ids", body=[HASH]),),
    "MiniVersion": (
        ask(f"/api/v1/model-versions/mini/{PLAIN.id}"),
        ask(f"/api/v1/model-versions/mini/{GATED.id}"),
    ),
    "ImagesResponse": (
        ask("/api/v1/images?browsingLevel=31&limit=50&withMeta=true&withTags=true"),
        ask("/api/v1/images?limit=5&page=1"),
        ask(f"/api/v1/images?imageId={IMAGE.id}&withMeta=true"),
        ask("/api/v1/images?modelId=1400001&browsingLevel=31&withMeta=true&limit=5"),
    ),
    "CreatorsResponse": (
        ask("/api/v1/creators"),
        ask("/api/v1/creators?limit=1&page=2"),
        ask("/api/v1/creators?query=lamp"),
    ),
    "TagsResponse": (ask("/api/v1/tags"), ask("/api/v1/tags?query=la&page=1")),
    "UsersResponse": (ask("/api/v1/users?query=lamp"), ask("/api/v1/users")),
    "Me": (ask("/api/v1/me", keyed=True),),
    "Enums": (ask("/api/v1/enums"),),
    "StaticContent": tuple(ask(f"/api/v1/content/{one}") for one in ("tos", "privacy", "guides/lanterns")),
    "ArticlesResponse": (
        ask("/api/v1/articles?nsfw=true"),
        ask("/api/v1/articles?nsfw=true&limit=2&sort=Most%20Reactions"),
    ),
    "ArticleDetail": (
        ask(f"/api/v1/articles/{ARTICLE.id}"),
        *(ask(f"/api/v1/articles/{one.id}") for one in MODELS.articles.values() if one.listed),
    ),
    "CollectionsResponse": (ask("/api/v1/collections?nsfw=true"), ask("/api/v1/collections?nsfw=true&limit=2")),
    "CollectionDetail": (ask(f"/api/v1/collections/{COLLECTION.id}"),),
    "Permissions": (
        ask(f"/api/v1/permissions/check?entityIds={PLAIN.id},{GATED.id}"),
        ask("/api/v1/permissions/check?entityIds="),
    ),
    "ErrorString": (
        ask("/api/v1/me", 401),
        ask("/api/v1/models/1", 404),
        ask("/api/v1/models/x", 400),
        ask("/api/v1/articles/x", 400),
        ask("/api/v1/articles?cursor=x", 400),
        ask("/api/v1/permissions/check", 400),
        ask("/api/v1/collections?sort=Most%20Followers&cursor=5", 400),
        ask("/api/v1/images?page=11", 429),
        ask("/api/v1/models?query=harbour", 503, quirks={"search_overloaded": True}),
    ),
    "ErrorMessage": (
        ask("/api/v1/models?cursor=1%7C2", 400),
        ask("/api/v1/models?username=nobody_here", 404),
        ask("/api/v1/articles?username=nobody_here", 404),
        ask("/api/v1/articles/1", 404),
    ),
    "ErrorZodObject": tuple(
        ask(f"/api/v1/{one}?limit=1000", 400) for one in ("models", "images", "articles", "collections")
    ),
    "ErrorZodBare": (ask("/api/v1/users?email=a%40b.invalid", 400),),
    "ErrorZodIssueArray": (ask("/api/v1/creators?limit=0", 400), ask("/api/v1/tags?limit=0", 400)),
    "ErrorTrpc": (
        ask("/api/v1/images?modelId=1400001&username=nobody_here", 404),
        ask("/api/v1/images?modelId=1400001&sort=Random", 400),
    ),
    "ErrorRegion": (ask("/api/v1/articles", 451, quirks={"region_blocked": True}),),
    "ErrorEarlyAccess": (ask(f"/api/download/models/{GATED.id}", 403, keyed=True),),
}
"""What is asked to see each schema; the schemas of one answer's parts are met on the way."""


@pytest.fixture(scope="module")
def contract() -> Any:
    if not CONTRACT.exists():
        pytest.skip(f"the contract is not at {CONTRACT}; CIVITSCRAPE_SHARED says where it is")
    return json.loads(CONTRACT.read_text("utf-8"))


def references(value: Any) -> set[str]:
    """Name all definitions that a part of the contract refers to."""
    return set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(value)))


def test_every_schema_that_the_contract_names_is_asked_for(contract):
    named = references(contract["endpoints"]) | {one for one in contract["$defs"] if one.startswith("Error")}

    assert named
    assert set(QUESTIONS) == named


def test_every_endpoint_is_asked_for_its_own_schema(contract):
    paths = {name: [one.path for one in asked] for name, asked in QUESTIONS.items()}

    unasked = {
        (endpoint["id"], name)
        for endpoint in contract["endpoints"]
        for name in references(endpoint.get("responses", {}))
        if not any(
            re.fullmatch(re.sub(r"\\\{.*?\\\}", ".+", re.escape(endpoint["path"])) + r"(\?.*)?", path)
            for path in paths[name]
        )
    }

    assert unasked == set()


@pytest.mark.parametrize("name", QUESTIONS)
async def test_an_answer_holds_its_schema(models: Caller, schema, name):
    for question in QUESTIONS[name]:
        body = await question.answer(models)

        schema(name, body)
        if isinstance(body, dict) and "items" in body:
            assert body["items"], question.path


async def test_every_definition_of_the_contract_is_met_by_an_answer(models: Caller, contract):
    met: set[str] = set()
    plain = Draft202012Validator.VALIDATORS["$ref"]

    def follow(validator: Any, reference: str, instance: Any, schema: Any) -> Any:
        errors = list(plain(validator, reference, instance, schema))
        if not errors and instance is not None:
            met.add(reference.rpartition("/")[2])
        yield from errors

    following = extend(Draft202012Validator, {"$ref": follow})  # type: ignore[no-untyped-call]
    for name, asked in QUESTIONS.items():
        for question in asked:
            root = {"$ref": f"#/$defs/{name}", "$defs": contract["$defs"]}
            models.sandbox.site.quirks = type(models.sandbox.site.quirks)()
            following(root).validate(await question.answer(models))

    assert met == set(contract["$defs"])
