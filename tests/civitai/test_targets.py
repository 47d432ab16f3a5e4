"""What a pasted text stands for: every form that names something, and a reason for every form that does not."""

from __future__ import annotations

import json
import re
from functools import partial
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from civitscrape.civitai import filters, urls
from civitscrape.civitai.urls import Target
from civitscrape.exceptions import ArgumentError, UnarchivableError
from tests.parsers import recorded

UUID = "1f0a7c52-6d4e-4b0a-9a55-0c8e2f7d91a1"
CDN = f"https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA/{UUID}"
SHA256 = "0A5F" * 16


def trpc(procedure: str, given: object, *, batch: bool = False) -> str:
    body = {"json": given}
    query = {"batch": "1", "input": json.dumps({"0": body})} if batch else {"input": json.dumps(body)}
    return f"https://civitai.com/api/trpc/{procedure}?{urlencode(query)}"


def is_refused(text: str) -> bool:
    try:
        urls.target(text)
    except UnarchivableError:
        return True
    return False


THINGS = [
    # Pages of one thing.
    ("/models/123", "model", {"model_id": "123"}),
    ("/models/123/", "model", {"model_id": "123"}),
    ("/models/123/amber-lantern", "model", {"model_id": "123"}),
    ("/models/123/amber-lantern#comments", "model", {"model_id": "123"}),
    ("/models/123?modelVersionId=456", "version", {"version_id": "456"}),
    ("/models/123/amber-lantern?modelVersionId=456", "version", {"version_id": "456"}),
    ("/models/123/l%C3%A4mp?foo=1&modelVersionId=456&modelVersionId=456#top", "version", {"version_id": "456"}),
    ("/models/123/model-versions/456/wizard", "version", {"version_id": "456"}),
    ("/model-versions/456", "version", {"version_id": "456"}),
    ("/images/98000001", "image", {"image_id": "98000001"}),
    ("/images/98000001?postId=7&tags=5&cursor=9", "image", {"image_id": "98000001"}),
    ("/posts/7", "post", {"post_id": "7"}),
    ("/posts/7/a-title", "post", {"post_id": "7"}),
    ("/collections/7200", "collection", {"collection_id": "7200"}),
    ("/tag/mecha", "tag", {"tag": "mecha", "of": "models"}),
    ("/tag/base%20model", "tag", {"tag": "base model", "of": "models"}),
    ("/tag/a%2Fb", "tag", {"tag": "a/b", "of": "models"}),
    ("/tag/black%2C%20white", "models", {"tag": "black, white"}),
    ("/tag/2024", "models", {"tag": "2024"}),
    ("/user/lampwright", "user", {"username": "lampwright"}),
    ("//user//lampwright/", "user", {"username": "lampwright"}),
    ("/user/l%61mpwright?sort=Newest", "user", {"username": "lampwright"}),
    ("/user/12345", "user", {"username": "12345"}),
    ("/user/lampwright/images", "user", {"username": "lampwright", "content": "images"}),
    ("/user/lampwright/images?sort=Oldest&period=AllTime", "user", {"username": "lampwright", "content": "images"}),
    ("/user/lampwright/videos", "user", {"username": "lampwright", "content": "videos"}),
    ("/user/lampwright/models?sort=Newest", "user", {"username": "lampwright", "content": "models"}),
    ("/user/lampwright/posts", "user", {"username": "lampwright", "content": "posts"}),
    ("/user/lampwright/collections", "user", {"username": "lampwright", "content": "collections"}),
    # Tabs of a profile that filters narrow.
    ("/user/lampwright/images?tags=5132", "images", {"username": "lampwright", "types": "image", "tags": "5132"}),
    ("/user/lampwright/videos?period=Week", "images", {"username": "lampwright", "types": "video", "period": "Week"}),
    (
        "/user/lampwright/images?sort=Most+Collected&period=AllTime&tags=6594&baseModels=Pony&baseModels=A+B&hidden=false",
        "images",
        {
            "username": "lampwright", "types": "image", "sort": "Most Collected", "period": "AllTime", "tags": "6594",
            "base_models": "Pony,A B",
        },
    ),
    (
        "/user/lampwright/models?tag=character&types=Checkpoint&types=LORA&checkpointType=Trained",
        "models",
        {"username": "lampwright", "tag": "character", "types": "Checkpoint,LORA", "checkpoint_type": "Trained"},
    ),
    (
        "/user/lampwright/posts?tags=5",
        "feed",
        {"procedure": "post.getInfinite", "username": "lampwright", "tags": "5"},
    ),
    # Listings.
    ("/images", "images", {}),
    ("/images?view=feed&cursor=200%7C17&limit=20&utm_source=x", "images", {}),
    ("/images?tags=482", "images", {"tags": "482"}),
    ("/images?tags=1,2&tags=3", "images", {"tags": "1,2,3"}),
    ("/images?modelVersionId=786644", "images", {"model_version_id": "786644"}),
    ("/images?modelVersionId=786644&modelId=1", "images", {"model_version_id": "786644"}),
    ("/images?baseModels=SD 1.5&period=Day", "images", {"base_models": "SD 1.5", "period": "Day"}),
    ("/images?postId=7", "post", {"post_id": "7"}),
    ("/images?modelId=123", "model", {"model_id": "123", "content": "gallery"}),
    ("/images?tools=4", "feed", {"procedure": "image.getInfinite", "tools": "4"}),
    ("/images?techniques=4", "feed", {"procedure": "image.getInfinite", "techniques": "4"}),
    (
        "/images?tags=5&fromPlatform=true&remixesOnly=true&reactions=Like&reactions=Heart&followed=true",
        "feed",
        {
            "procedure": "image.getInfinite", "tags": "5", "from_platform": "true", "remixes_only": "true",
            "reactions": "Like,Heart", "followed": "true",
        },
    ),
    ("/images?withMeta=true", "feed", {"procedure": "image.getInfinite", "with_meta": "true"}),
    ("/videos", "images", {"types": "video"}),
    ("/videos?tags=5169", "images", {"types": "video", "tags": "5169"}),
    ("/videos?tools=4", "feed", {"procedure": "image.getInfinite", "types": "video", "tools": "4"}),
    ("/posts", "feed", {"procedure": "post.getInfinite"}),
    ("/posts?sort=Newest&tags=5", "feed", {"procedure": "post.getInfinite", "sort": "Newest", "tags": "5"}),
    ("/models", "models", {}),
    ("/models?tag=cat&types=LORA&baseModels=Pony", "models", {"tag": "cat", "types": "LORA", "base_models": "Pony"}),
    ("/models?supportsGeneration=false&archived=true", "models", {"archived": "true"}),
    ("/models?isFeatured=true&tag=a", "feed", {"procedure": "model.getAll", "is_featured": "true", "tag": "a"}),
    # The public API.
    ("/api/v1/models/123", "model", {"model_id": "123"}),
    ("/api/v1/models?username=lampwright&limit=100&page=2", "models", {"username": "lampwright"}),
    ("/api/v1/models?ids=1,2&nsfw=true&primaryFileOnly=true", "models", {"ids": "1,2", "primary_file_only": "true"}),
    ("/api/v1/models?tagname=mecha", "models", {"tag": "mecha"}),
    ("/api/v1/model-versions/456", "version", {"version_id": "456"}),
    ("/api/v1/model-versions/mini/456", "version", {"version_id": "456"}),
    (f"/api/v1/model-versions/by-hash/{SHA256.lower()}", "hash", {"sha256": SHA256}),
    ("/api/v1/images?imageId=98000001&browsingLevel=31&withMeta=true", "image", {"image_id": "98000001"}),
    ("/api/v1/images?postId=7", "post", {"post_id": "7"}),
    ("/api/v1/images?modelId=123&sort=Oldest", "model", {"model_id": "123", "content": "gallery"}),
    ("/api/v1/images?username=lampwright&withMeta=true&withTags=true", "user", {"username": "lampwright"}),
    ("/api/v1/images?username=lampwright&type=video", "user", {"username": "lampwright", "content": "videos"}),
    ("/api/v1/images?modelVersionId=456&type=image", "images", {"model_version_id": "456", "types": "image"}),
    ("/api/v1/images?tags=5&nsfw=X&cursor=200%7C17", "images", {"tags": "5"}),
    ("/api/v1/creators?query=lamp&page=3", "creators", {"query": "lamp"}),
    ("/api/v1/tags", "tags", {}),
    ("/api/v1/tags?query=cat&limit=5", "tags", {"query": "cat"}),
    ("/api/v1/collections/7200", "collection", {"collection_id": "7200"}),
    ("/api/download/models/456", "version", {"version_id": "456", "content": "files"}),
    ("/api/download/models/456?type=Model&token=s", "version", {"version_id": "456", "content": "files"}),
]  # fmt: skip

CALLS = [
    ("image.get", {"id": 98000001, "authed": True}, "image", {"image_id": "98000001"}),
    ("image.getGenerationData", {"id": 98000001}, "image", {"image_id": "98000001"}),
    ("post.get", {"id": 7}, "post", {"post_id": "7"}),
    ("model.getById", {"id": 123}, "model", {"model_id": "123"}),
    ("modelVersion.getById", {"id": 456}, "version", {"version_id": "456"}),
    ("collection.getById", {"id": 7200}, "collection", {"collection_id": "7200"}),
    ("collection.getAllCollectionItems", {"collectionId": 7200, "limit": 5}, "collection", {"collection_id": "7200"}),
    ("tag.getVotableTags", {"id": 98000001, "type": "image"}, "image", {"image_id": "98000001"}),
    ("tag.getTagWithModelCount", {"name": "mecha"}, "tag", {"tag": "mecha", "of": "models"}),
    ("tag.getById", {"id": 5}, "tag", {"tag": "5"}),
    ("tag.getAll", {"query": "cat", "limit": 20}, "tags", {"query": "cat"}),
    ("userProfile.get", {"username": "lampwright"}, "user", {"username": "lampwright"}),
    (
        "image.getInfinite",
        {"collectionId": 7200, "sort": "Oldest", "tags": [5, 6], "followed": False, "cursor": None, "limit": 100},
        "feed",
        {"procedure": "image.getInfinite", "collection_id": "7200", "sort": "Oldest", "tags": "5,6"},
    ),
    (
        "image.getImagesAsPostsInfinite",
        {"modelVersionId": 456, "hidden": True, "excludedTagIds": [1, 2]},
        "feed",
        {"procedure": "image.getInfinite", "model_version_id": "456", "hidden": "true", "excluded_tag_ids": "1,2"},
    ),
    (
        "model.getAll",
        {"allowNoCredit": False, "earlyAccess": True, "types": ["LORA"]},
        "feed",
        {"procedure": "model.getAll", "allow_no_credit": "false", "early_access": "true", "types": "LORA"},
    ),
    ("post.getInfinite", {"draftOnly": True}, "feed", {"procedure": "post.getInfinite", "draft_only": "true"}),
]

OTHERS = [
    ("lampwright", "user", {"username": "lampwright"}),
    ("  <https://civitai.com/models/1> \n", "model", {"model_id": "1"}),
    ("\ufeffhttps://civitai.com/models/1", "model", {"model_id": "1"}),
    ("civitai.com/images?tags=5&ref=https://elsewhere.example", "images", {"tags": "5"}),
    (SHA256.lower(), "hash", {"sha256": SHA256}),
    ("0a5f0a5f0a", "hash", {"sha256": "0A5F0A5F0A"}),
    ("0A5F0A5F", "hash", {"sha256": "0A5F0A5F"}),
    ("0A5F0A5F0A5F", "hash", {"sha256": "0A5F0A5F0A5F"}),
    ("urn:air:sdxl:lora:civitai:123@456", "version", {"version_id": "456"}),
    ("URN:AIR:sd1:checkpoint:civitai:123@456:layer.safetensors", "version", {"version_id": "456"}),
    ("urn:air:flux1:lora:civitai:123", "model", {"model_id": "123"}),
    ("civitai:123@456", "version", {"version_id": "456"}),
    (f"{CDN}/width=450/98000001.jpeg", "image", {"image_id": "98000001"}),
    (f"{CDN}/original=true,quality=90/98000001.jpeg?x=1", "image", {"image_id": "98000001"}),
    (f"{CDN}/transcode=true,width=450/98000001.webm", "image", {"image_id": "98000001"}),
    (f"image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA/{UUID}/98000001.png", "image", {"image_id": "98000001"}),
    (f"https://civarchive.com/sha256/{SHA256.lower()}", "hash", {"sha256": SHA256}),
    ("https://www.civitaiarchive.com/models/123?modelVersionId=456", "version", {"version_id": "456"}),
    ("civarchive.com/models/123", "model", {"model_id": "123"}),
]

REFUSED = [
    # Pages without anything to archive.
    ("https://civitai.com/", "front page"),
    ("civitai.com", "front page"),
    ("https://civitai.com/generate", "generated"),
    ("https://civitai.com/search/models?sortBy=models_v9&query=Voynich", "scrapy crawl models -a query="),
    ("https://civitai.com/search/images?query=Voynich", "scrapy crawl tag"),
    ("https://civitai.com/search/users?query=Voynich", "scrapy crawl creators"),
    ("https://civitai.com/search", "private index"),
    ("https://civitai.com/articles/5/slug", "articles are not archived"),
    ("https://civitai.com/user/lampwright/articles", "the tab 'articles'"),
    ("https://civitai.com/bounties/5/entries/6", "bounties are not archived"),
    ("https://civitai.com/challenges/5", "challenges are not archived"),
    ("https://civitai.com/comics/5", "comics are not archived"),
    ("https://civitai.com/collections", "own collections"),
    ("https://civitai.com/user/lampwright/images?section=reactions", "person who gave them"),
    ("https://civitai.com/images?section=reactions", "person who gave them"),
    ("https://civitai.com/user/account", "has no profile"),
    ("https://civitai.com/user/lamp-wright", "has no profile"),
    ("https://civitai.com/user/a%0Ab", "has no profile"),
    ("https://civitai.com/user", "knows no page '/user'"),
    ("https://civitai.com/models/create", "'create' is not an id"),
    ("https://civitai.com/moderator/secrets", "knows no page"),
    ("https://civitai.com/tag/..", "cannot be the name of a tag"),
    ("https://civitai.com/tag/%ED%A0%80", "cannot be the name of a tag"),
    ("https://civitai.com/tag/%20", "cannot be the name of a tag"),
    # Ids and filters that cannot be.
    ("https://civitai.com/images/0", "is not an id"),
    ("https://civitai.com/images/12345678901", "is not an id"),
    ("https://civitai.com/images/2147483648", "is not an id"),
    ("https://civitai.com/images/\u0661\u0662", "is not an id"),
    ("https://civitai.com/models/1?modelVersionId=abc", "'abc' is not an id"),
    ("https://civitai.com/models/1?modelVersionId=2&modelVersionId=3", "names 2 versions"),
    ("https://civitai.com/images?tags=cat", "'cat' is not an id"),
    ("https://civitai.com/images?colour=red", "filter 'colour' is not known"),
    ("https://civitai.com/images?model_version_id=5", "filter 'model_version_id' is not known"),
    ("https://civitai.com/images?tags[]=5", "filter 'tags[]' is not known"),
    ("https://civitai.com/models?sort=Newest&sort=Oldest", "2 different values"),
    ("https://civitai.com/models?archived=perhaps", "true or false"),
    ("https://civitai.com/images?username=a%20b", "not a username"),
    ("https://civitai.com/images?baseModels=a%0Ab", "cannot be printed"),
    # Interfaces.
    ("https://civitai.com/api/v1/articles", "articles are not archived"),
    ("https://civitai.com/api/v1/collections", "list of collections"),
    ("https://civitai.com/api/v1/me", "logged in"),
    ("https://civitai.com/api/v1/model-files/5/tensor-metadata", "model version"),
    ("https://civitai.com/api/v1/model-versions/by-hash/xyz", "is not a hash"),
    ("https://civitai.com/api/v1/vault/get", "knows no interface"),
    ("https://civitai.com/api/download/attachments/5", "only files of model versions"),
    ("https://civitai.com/api/auth/session", "knows no interface"),
    ("https://civitai.com/api/trpc/image.get,post.get?batch=1&input={}", "holds 2 calls"),
    ("https://civitai.com/api/trpc/image.get", "is not an id"),
    ("https://civitai.com/api/trpc/image.get?input={", "cannot be read"),
    ('https://civitai.com/api/trpc/image.get?input={"json":5}', "not an object"),
    ('https://civitai.com/api/trpc/tag.getVotableTags?input={"json":{"type":{}}}', "holds an object"),
    ("https://civitai.com/api/trpc/buzz.getAccount", "does not know how to archive the call"),
    # The CDN.
    (f"{CDN}/original=true/{UUID}.jpeg", "no look-up by key"),
    (f"https://image-b2.civitai.com/file/civitai-media-cache/{UUID}/original", f"the key {UUID}"),
    (f"{CDN}/original=true/00021-2415646212.png", "no look-up by key"),
    (f"{CDN}/original=true/1712345678.png", "no look-up by key"),
    (f"{CDN}/original=true/0001.png", "no look-up by key"),
    (f"{CDN}/width=96/12345.jpeg", "avatar"),
    ("https://image.civitai.com/", "no look-up by key"),
    # Words and names.
    ("", "empty"),
    ("  ", "empty"),
    ("12345", "say which"),
    ("12345678", "sha256="),
    ("lamp wright", "neither"),
    ("lamp-wright", "neither"),
    ("lamp\u0445right", "neither"),
    ("a\nb", "cannot be printed"),
    ("urn:air:sdxl:lora:huggingface:a/b@c", "civitai:MODEL@VERSION"),
    ("urn:air:sdxl:lora:civita\u0131:123@456", "civitai:MODEL@VERSION"),
    ("https://civarchive.com/users/a", "of this mirror"),
    # Whatever looks like the site and is not.
    ("https://evil.example/models/1", "evil.example is not the site"),
    ("https://civitai.com.evil.example/models/1", "is not the site"),
    ("https://evilcivitai.com/models/1", "is not the site"),
    ("https://education.civitai.com/models/1", "is not the site"),
    ("https://image.civitai.com.evil.example/a/1.png", "is not the site"),
    ("https://civitai.com@evil.example/models/1", "where it leads"),
    ("https://me:word@civitai.com/models/1", "where it leads"),
    ("https://evil.example\\@civitai.com/models/1", "where it leads"),
    ("https://civitai.com\\.evil.example/models/1", "where it leads"),
    ("https://\u0441ivitai.com/models/1", "where it leads"),
    ("https://\uff43ivitai.com/models/1", "where it leads"),
    ("https://civitai.com\u2044evil.example/models/1", "where it leads"),
    ("https://civitai.com:8443/models/1", "is not the site"),
    ("http://127.0.0.1:8000/models/1", "is not the site"),
    ("https://[civitai.com/models/1", "not an address"),
    ("https://civitai.com:port/models/1", "not an address"),
    ("ftp://civitai.com/models/1", "scheme 'ftp'"),
    ("javascript://civitai.com/models/1", "scheme 'javascript'"),
    ("https:///models/1", "without a host"),
    ("/home/me/model.safetensors", "without a host"),
]


@pytest.mark.parametrize(("path", "spider", "arguments"), THINGS)
def test_every_address_of_the_site_is_taken_as_what_it_names(path, spider, arguments):
    assert urls.target(f"https://civitai.com{path}") == Target(spider, arguments)


@pytest.mark.parametrize(("procedure", "given", "spider", "arguments"), CALLS)
@pytest.mark.parametrize("batch", [False, True])
def test_a_call_of_the_sites_own_pages_is_taken_as_what_it_asks_for(procedure, given, spider, arguments, batch):
    assert urls.target(trpc(procedure, given, batch=batch)) == Target(spider, arguments)


@pytest.mark.parametrize(("text", "spider", "arguments"), OTHERS)
def test_words_names_hashes_and_addresses_elsewhere_are_taken_as_what_they_name(text, spider, arguments):
    assert urls.target(text) == Target(spider, arguments)


@pytest.mark.parametrize("site", sorted(urls.SITES))
@pytest.mark.parametrize(
    "form", ["{}", "http://{}", "https://www.{}", "//{}", "www.{}", "https://{}:443", "https://{}."]
)
def test_every_host_of_the_site_is_the_site_however_it_is_written(site, form):
    written = form.format(site) + "/models/123/slug?modelVersionId=456"

    assert urls.target(written) == Target("version", {"version_id": "456"})
    assert urls.target(written.replace(site, site.upper()).replace("http", "HTTP")) == urls.target(written)


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_cannot_be_archived_is_named_with_the_reason(text, reason):
    with pytest.raises(UnarchivableError) as raised:
        urls.target(text)

    sentence = str(raised.value)
    assert reason in sentence
    assert sentence.startswith((repr(text.strip())[:-1], repr(text.strip().replace(":word@", ":…@"))[:-1]))
    assert sentence.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "https://civitai.com/api/v1/me?token=s3cr3t",
        "https://civitai.com/search/models?a=1&api_key=s3cr3t&b=2",
        "https://me:s3cr3t@civitai.com/models/1",
        "https://store.example/file.safetensors?X-Amz-Signature=s3cr3t",
    ],
)
def test_a_refusal_does_not_repeat_what_is_secret(text):
    with pytest.raises(UnarchivableError) as raised:
        urls.target(text)

    assert "s3cr3t" not in str(raised.value)
    assert "…" in str(raised.value)


@pytest.mark.parametrize("host", ["127.0.0.1:8931", "localhost:8931", "[::1]:8931", "127.0.0.1"])
def test_a_site_on_this_machine_is_taken_with_any_port(host):
    hosts = frozenset({"127.0.0.1", "localhost", "::1"})

    assert urls.target(f"http://{host}/posts/7", hosts=hosts) == Target("post", {"post_id": "7"})


def test_a_host_given_with_a_port_is_taken_with_that_port_only():
    hosts = frozenset({"mirror.example:8443"})

    assert urls.target("https://mirror.example:8443/posts/7", hosts=hosts) == Target("post", {"post_id": "7"})
    with pytest.raises(UnarchivableError, match=r"hosts of the site are mirror\.example:8443"):
        urls.target("https://mirror.example/posts/7", hosts=hosts)


def test_media_of_a_site_on_this_machine_are_told_from_its_pages():
    base = "http://127.0.0.1:8931/media/account"
    read = partial(urls.target, hosts=frozenset({"127.0.0.1"}), media_url=base)

    found = read(f"{base}/{UUID}/width=450/98000001.jpeg")

    assert found == Target("image", {"image_id": "98000001"})
    with pytest.raises(UnarchivableError, match="no look-up by key"):
        read(f"{base}/{UUID}/original=true/{UUID}.jpeg")


@pytest.mark.skipif(not recorded.REAL.is_dir(), reason=recorded.MISSING)
def test_every_address_that_another_tool_is_tested_with_is_taken_or_refused_with_the_way_out():
    text = (recorded.REAL / "expected-gallerydl-results-2026-08.json").read_text("utf-8")
    addresses = {one["#url"] for one in json.loads(text)}

    private = {one for one in addresses if re.search("/search/|/generate|section=reactions", one)}
    refused = {one for one in addresses if is_refused(one)}

    assert len(addresses) > 20
    assert refused == private


site_text = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["", "https://", "http://", "//", "ftp://", "https://a:b@"]),
    st.sampled_from(
        [
            "civitai.com",
            "www.civitai.red",
            "civitai.com:1",
            "civitai.com.evil.example",
            "civarchive.com",
            "[",
            "image.civitai.com",
            "image-b2.civitai.com/file/civitai-media-cache",
        ]
    ),
    st.sampled_from(
        [
            "/",
            "/models/",
            "/models",
            "/user/",
            "/images",
            "/videos",
            "/posts",
            "/tag/",
            "/sha256/",
            "/api/v1/images",
            "/api/v1/models",
            "/api/",
            "/api/trpc/image.getInfinite",
            "/api/trpc/tag.getVotableTags",
            "/collections/",
        ]
    ),
    st.one_of(st.text(max_size=12), st.from_regex(r"[0-9a-f]{1,12}(/[a-z=]{1,9}){0,3}", fullmatch=True)),
    st.builds(
        lambda names, values: "?" + "&".join(map("=".join, zip(names, values, strict=False))),
        st.lists(
            st.sampled_from(["tags", "types", "sort", "input", "batch", "modelVersionId", "username", "archived"])
        ),
        st.lists(
            st.one_of(st.text(max_size=6), st.sampled_from(["5", "true", '{"json":{"id":[5]}}', '{"0":1}', "image"]))
        ),
    ),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
inputs = st.dictionaries(
    st.sampled_from(["id", "type", "username", "name", "collectionId", "tags", "sort", "query", "followed"]),
    json_values,
)
calls = st.builds(trpc, st.sampled_from([one[0] for one in CALLS]), inputs, batch=st.booleans())


@given(st.one_of(st.text(), site_text, calls))
@example("https://civitai.com/models/1?modelVersionId=" + "9" * 5000)
@example("https://civitai.com/api/trpc/image.get?input=" + "[" * 5000)
@example('https://civitai.com/api/trpc/image.get?input={"json":{"id":' + "9" * 5000 + "}}")
@example("https://civitai.com/user/\ud800")
def test_any_text_gives_a_target_of_plain_arguments_or_a_sentence(text):
    try:
        found = urls.target(text)
    except ArgumentError as error:
        found, sentence = None, str(error)
    else:
        sentence = "taken"

    assert "\n" not in sentence
    assert len(sentence) < 1000
    if found is not None:
        assert all(value and value.isprintable() for value in found.arguments.values())
        assert all(name in KNOWN[found.spider] for name in found.arguments)


KNOWN = {spider: {name, "content", "of"} for spider, (_, name) in urls.PAGES.items()} | {
    "hash": {"sha256"},
    "images": set(filters.REST_IMAGE_FILTERS),
    "models": set(filters.REST_MODEL_FILTERS),
    "feed": {"procedure", *filters.FEED_FILTERS},
    "creators": set(filters.CREATOR_FILTERS),
    "tags": set(filters.TAG_FILTERS),
}

ids = st.integers(1, filters.ID_MAX)
names = st.from_regex(r"[A-Za-z0-9_]{1,20}", fullmatch=True)
tags = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" /?#%&+."), min_size=1).filter(
    lambda name: (
        name.strip() and name.isprintable() and name not in {".", ".."} and not name.isdigit() and "," not in name
    )
)
things = st.one_of(
    st.tuples(st.sampled_from(["model", "version", "image", "post", "collection"]), ids),
    st.tuples(st.just("user"), names.filter(lambda name: name not in {"account", "vault", "wallet"})),
    st.tuples(st.just("tag"), tags),
)


@given(things, st.sampled_from(["https://civitai.com", "https://www.civitai.red/", "http://127.0.0.1:8931"]))
@example(("tag", "a/../b"), "https://civitai.com")
@example(("user", "12345"), "https://civitai.com")
def test_the_address_of_a_thing_leads_back_to_it(thing, base):
    spider, identifier = thing

    found = urls.target(urls.address(spider, identifier, base), hosts=urls.SITES | {"127.0.0.1"})

    more = {"of": "models"} if spider == "tag" else {}
    assert found == Target(spider, {urls.PAGES[spider][1]: str(identifier)} | more)


def test_a_thing_without_a_page_has_no_address():
    with pytest.raises(KeyError):
        urls.address("hash", SHA256, "https://civitai.com")


def test_targets_can_be_gathered_in_a_set():
    texts = ["lampwright", "https://civitai.red/user/lampwright", "https://civitai.com/user/lampwright/posts"]

    assert len({urls.target(text) for text in texts}) == 2


@given(st.sampled_from(sorted({**filters.FEED_FILTERS, **filters.REST_MODEL_FILTERS}.items())))
def test_each_filter_has_one_name_on_the_site_and_one_here(filter_):
    ours, name = filter_

    assert filters.argument(name) == ours
    assert quote(ours) == ours
    assert ours not in {
        "level",
        "download",
        "quality",
        "posters",
        "votes",
        "mode",
        "max_items",
        "max_file_size",
        "since",
        "until",
        "redownload",
    }


def test_lists_numbers_and_flags_speak_of_known_arguments():
    known = set(filters.FEED_FILTERS) | set(filters.REST_MODEL_FILTERS) | set(filters.REST_IMAGE_FILTERS)

    assert known >= filters.LISTS | filters.NUMBERS | filters.FLAGS | filters.CHOICES
    assert not filters.FLAGS & (filters.LISTS | filters.NUMBERS | filters.CHOICES)
