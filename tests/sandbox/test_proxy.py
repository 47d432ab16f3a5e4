from __future__ import annotations

import asyncio
import hashlib
import os
import ssl
import sys
from typing import TYPE_CHECKING

import aiohttp
import pytest
from yarl import URL

from civitscrape.sandbox.building import CreatorSpec
from civitscrape.sandbox.proxy import Proxy
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.site import Quirks
from civitscrape.sandbox.world import World
from tests.sandbox.conftest import KEY, WORLD

if TYPE_CHECKING:
    from pathlib import Path


async def fetch(session: aiohttp.ClientSession, proxy: Proxy, url: str, **headers: str) -> tuple[int, bytes]:
    trust = ssl.create_default_context(cafile=str(proxy.ca_file))
    async with session.get(URL(url, encoded=True), proxy=proxy.url, ssl=trust, headers=headers) as response:
        return response.status, await response.read()


async def test_the_sites_own_names_lead_to_the_sandbox(sandbox: Sandbox, session, tmp_path: Path):
    async with Proxy(sandbox, tmp_path / "ca.pem") as proxy:
        green = await fetch(session, proxy, "https://civitai.com/user/lampwright", **KEY)
        red = await fetch(session, proxy, "https://civitai.red/user/lampwright", **KEY)
        listing = await fetch(session, proxy, "https://civitai.com/api/v1/images?username=lampwright&limit=1")

    assert b'"domain":"green"' in green[1]
    assert b'"domain":"red"' in red[1]
    assert b"https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA/" in listing[1]
    assert b'"nextPage":"https://civitai.com/api/v1/images?' in listing[1]


@pytest.mark.parametrize(
    "address",
    [
        "image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA/{}/original=true/x.jpeg",
        "image-b2.civitai.com/file/civitai-media-cache/{}/original",
    ],
)
async def test_files_come_from_the_cdns_names(sandbox: Sandbox, session, tmp_path: Path, address):
    told = WORLD.truth("lampwright", 1).stored[0]

    async with Proxy(sandbox, tmp_path / "ca.pem") as proxy:
        status, body = await fetch(session, proxy, "https://" + address.format(told["key"]))

    assert (status, hashlib.sha256(body).hexdigest()) == (200, told["sha256"])


@pytest.mark.parametrize("url", ["https://lanterns.invalid/", "https://civitai.com:8443/", "http://civitai.com/"])
async def test_nothing_else_is_reached(sandbox: Sandbox, session, tmp_path: Path, url):
    async with Proxy(sandbox, tmp_path / "ca.pem") as proxy:
        try:
            status, _ = await fetch(session, proxy, url)
        except aiohttp.ClientHttpProxyError as error:
            status = error.status

    assert status == 403
    assert len(proxy.refused) == 1
    assert not sandbox.log.lines


async def test_an_untrusted_authority_is_refused_by_the_client(sandbox: Sandbox, session, tmp_path: Path):
    async with Proxy(sandbox, tmp_path / "ca.pem", trusted=False) as proxy:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await fetch(session, proxy, "https://civitai.com/robots.txt")


@pytest.mark.parametrize(("devalue", "keyed"), [("never", True), ("alternate", False)])
async def test_an_unmodified_gallery_dl_archives_a_creator(tmp_path: Path, devalue, keyed):
    world = World.build(
        creators=[CreatorSpec(username="lampwright", images=12, videos=2, deleted=1, ghosts=1, minors=1)]
    )
    files = tmp_path / "files"
    options = ["--config-ignore", "-D", str(files), "-o", "sleep-request=0", "-o", "retries=0"]
    options += ["-o", "api-key=sandbox-key"] if keyed else []

    async with Sandbox(world, quirks=Quirks(devalue=devalue)) as sandbox, Proxy(sandbox, tmp_path / "ca.pem") as proxy:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gallery_dl", *options, "https://civitai.red/user/lampwright"),
            env={**os.environ, **proxy.environment()},
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()

    told = world.truth("lampwright", 31 if keyed else 1, red=True)
    stored = {hashlib.sha256(one.read_bytes()).hexdigest() for one in files.iterdir()}
    assert stored == {one["sha256"] for one in told.stored}, said.decode()
    assert said.decode().count("404 Not Found") == len(told.gone)
    assert proxy.refused == []
