"""The site's own addresses over TLS: through a proxy that stands in for them, and with whose certificate."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from civitscrape.items import Level
from civitscrape.sandbox import CreatorSpec, World, spawn
from tests.crawls.archive import Archived
from tests.crawls.processes import CIVITSCRAPE, SCRAPY, project, run

pytestmark = pytest.mark.crawl

IMAGES = 14


def requests(sandbox: dict[str, Any]) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{sandbox['url']}/_sandbox/requests", timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)["requests"]
    return found


def through(sandbox: dict[str, Any]) -> dict[str, str]:
    """Give the settings of somebody who knows nothing of a sandbox, only of a proxy and its certificate."""
    return {"HTTPS_PROXY": sandbox["proxy"], "HTTP_PROXY": sandbox["proxy"], "SSL_CERT_FILE": sandbox["ca"]}


@pytest.mark.parametrize("level", ["sfw", "all"])
def test_the_default_addresses_work_through_a_proxy_whose_certificate_is_trusted(tmp_path, level):
    sight = World.build(seed=1, creators=[CreatorSpec(username="lampwright", images=IMAGES)])
    folder = project(tmp_path)

    with spawn("--images", str(IMAGES), "--ca", str(tmp_path / "ca.pem")) as sandbox:
        words = ("crawl", "user", "-a", "username=lampwright", "-a", f"level={level}")
        done = run(SCRAPY, *words, folder=folder, settings=through(sandbox))
        hosts = {line["host"] for line in requests(sandbox)}

    mask = {"sfw": Level.PG | Level.PG13, "all": Level.PG | Level.PG13 | Level.R | Level.X | Level.XXX}[level]
    assert done.returncode == 0, done.stderr
    assert Archived(folder / "output").differences(sight.truth("lampwright", mask)) == []
    assert hosts == {"civitai.com" if level == "sfw" else "civitai.red", "image.civitai.com"}


def test_a_certificate_that_is_not_trusted_is_refused_in_one_line_before_anything_is_asked(tmp_path):
    folder = tmp_path

    with spawn("--images", str(IMAGES), "--ca", str(tmp_path / "ca.pem"), "--untrusted") as sandbox:
        done = run(CIVITSCRAPE, "get", "lampwright", folder=folder, settings=through(sandbox))
        asked = requests(sandbox)

    report = Archived(folder / "output").latest_report()
    sentence = "certificate of civitai.com is not trusted"
    assert asked == []
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert [reason for reason in report["reasons"] if sentence in reason and "SSL_CERT_FILE" in reason] != []
    assert report["outcome"] == "failed"
    assert report["requests"]["media"] == 0
