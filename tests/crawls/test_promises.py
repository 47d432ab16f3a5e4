"""Nothing is called complete that is not, and nothing is lost between two runs."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from civitscrape.archive.commit import commit
from civitscrape.archive.database import open_engine
from civitscrape.civitai import rest
from civitscrape.items import Level
from civitscrape.parsers import images
from civitscrape.sandbox.ask import Role
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.site import Quirks
from civitscrape.sandbox.world import CreatorSpec, World

pytestmark = pytest.mark.crawl


def world(images: int, **options: object) -> World:
    return World.build(seed=7, creators=[CreatorSpec(username="lampwright", images=images, **options)])  # type: ignore[arg-type]


async def test_a_listing_that_is_cut_short_stays_capped_however_often_it_is_walked(crawl, monkeypatch) -> None:
    monkeypatch.setattr(rest, "PAGE_SIZE", 20)
    sight = world(400, levels=((Level.PG, 1.0),), videos=0)

    with Sandbox(sight, quirks=Quirks(hit_ceiling=40)).in_thread() as sandbox:
        records = {"username": "lampwright", "download": "none", "level": "pg"}
        limited = await crawl(sandbox, "user", records | {"max_items": "30"})
        runs = [await crawl(sandbox, "user", records | {"mode": mode}) for mode in ("all", "all", "new")]

    states = [{walk["state"] for walk in run.report["targets"][0]["walks"]} for run in runs]
    listed = runs[-1].archive.rows("SELECT count(*) AS images FROM images")[0]["images"]
    assert limited.outcome == "incomplete"
    assert [run.outcome for run in runs] == ["incomplete"] * 3
    assert ["capped" in of for of in states] == [True] * 3
    assert [any("400 images" in one for one in run.report["reasons"]) for run in runs] == [True] * 3
    assert listed < 400


async def test_nothing_listed_of_a_creator_whose_page_is_challenged_is_not_complete(crawl) -> None:
    with Sandbox(world(1)).in_thread() as sandbox:
        sandbox.faults.add({"fault": "challenge", "role": "page", "times": 1000})
        crawled = await crawl(sandbox, "user", {"username": "nobody_here"}, RETRY_TIMES=1)

    assert crawled.outcome == "incomplete"
    assert "whether it exists is not known" in crawled.report["reasons"][0]


@pytest.mark.parametrize("mode", ["all", "new"])
async def test_records_without_files_get_their_files_when_they_are_asked_for(crawl, mode) -> None:
    sight = world(430)

    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "user", {"username": "lampwright", "download": "none"})
        crawled = await crawl(sandbox, "user", {"username": "lampwright", "mode": mode})

    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert crawled.archive.differences(sight.truth("lampwright", 3)) == []


async def test_a_resumed_run_feeds_what_was_left_over_with_its_tags(crawl) -> None:
    sight = world(430)

    with Sandbox(sight).in_thread() as sandbox:
        sandbox.faults.add({"fault": "status", "status": 500, "contains": "cursor=400", "times": 1000})
        await crawl(sandbox, "user", {"username": "lampwright", "download": "none"}, RETRY_TIMES=0)
        sandbox.faults.clear()
        resumed = await crawl(sandbox, "user", {"username": "lampwright"})

    tags = {str(one["id"]): sorted(tag["name"] for tag in one["tags"]) for one in sight.truth("lampwright", 3).images}
    fed = {row["id"]: sorted(json.loads(row["tags"])) for row in resumed.archive.latest_feed()}
    assert fed.items() <= tags.items()
    query = "SELECT text FROM prompt_tags WHERE image_id = ? ORDER BY position"
    for row in resumed.archive.latest_feed():
        words = [one["text"] for one in resumed.archive.rows(query, row["id"])]
        assert json.loads(row["prompt_tags"]) == words
        assert bool(words) == bool(row["prompt"])
    assert resumed.outcome == "complete", resumed.report["reasons"]


async def test_files_that_another_host_hands_out_come_as_fast_and_leave_no_signature(crawl) -> None:
    sight = world(60)

    with Sandbox(sight).in_thread() as storage, Sandbox(sight).in_thread() as sandbox:
        signed = f"{storage.mature_url}/file/civitai-media-cache/{{key}}/original?X-Amz-Signature=SIGNEDSECRET"
        for one in sight.truth("lampwright", 3).stored:
            sandbox.faults.add(
                {
                    "fault": "status",
                    "status": 302,
                    "contains": one["key"],
                    "headers": {"Location": signed.format(key=one["key"])},
                    "times": 1000,
                }
            )
        storage.faults.add({"fault": "truncate", "role": "media", "times": 1000, "every": 3})
        storage.faults.slow({"media": 30})
        crawled = await crawl(sandbox, "user", {"username": "lampwright"}, API_DELAY=1, LOG_LEVEL="DEBUG")

    assert crawled.outcome == "complete", crawled.report["reasons"]
    assert storage.log.peaks[Role.MEDIA] > 4
    everything = b"".join(path.read_bytes() for path in crawled.archive.everything())
    assert b"SIGNEDSECRET" not in everything


async def test_a_key_that_the_site_echoes_is_covered_everywhere(crawl) -> None:
    body = json.dumps({"error": "bad header Authorization: Bearer sandbox-key"})

    with Sandbox(world(5)).in_thread() as sandbox:
        sandbox.faults.add({"fault": "status", "status": 400, "role": "api", "body": body, "times": 1000})
        crawled = await crawl(sandbox, "user", {"username": "lampwright"}, CIVITAI_API_KEY="sandbox-key")

    assert "bad header Authorization: Bearer [key]" in crawled.report["reasons"][0]
    everything = b"".join(path.read_bytes() for path in crawled.archive.everything())
    assert b"sandbox-key" not in everything


def test_half_a_letter_in_a_hash_and_an_endless_seed_are_stored_as_json_can_hold_them(tmp_path) -> None:
    meta = json.loads('{"prompt": "a harbour", "seed": 1e400, "hashes": {"lora:x": "ab\\ud800"}}')
    engine = open_engine(f"sqlite:///{tmp_path}/civitscrape.sqlite")

    with engine.begin() as connection:
        commit(
            connection, images.from_rest({"id": 7, "url": "https://image.civitai.com/x/k/width=9/k.png", "meta": meta})
        )
        query = sa.text("SELECT json_extract(images.meta, '$.seed') FROM images")
        stored = connection.execute(query).first()

    assert stored is not None
    assert stored[0] == "inf"
    engine.dispose()


async def test_a_second_download_that_is_refused_is_no_complete_run(crawl) -> None:
    with Sandbox(world(8)).in_thread() as sandbox:
        await crawl(sandbox, "user", {"username": "lampwright"})
        sandbox.faults.add({"fault": "status", "status": 403, "role": "media", "times": 1000})
        again = await crawl(sandbox, "user", {"username": "lampwright", "redownload": "yes"})

    assert again.outcome == "incomplete"
    assert "could not be fetched again" in again.report["reasons"][0]
