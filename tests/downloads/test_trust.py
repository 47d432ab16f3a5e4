import ssl
from pathlib import Path

import pytest
from aiohttp import web
from scrapy.http import Response
from scrapy.settings import Settings

from civitscrape.downloads.trust import UntrustedCertificateError, make_context
from civitscrape.exceptions import ArgumentError

from .authority import Authority
from .conftest import MakeHandler, file_request
from .servers import Site, site, tunnel


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "lighthouse")


async def fetch(make_handler: MakeHandler, server: Site, path: Path) -> Response:
    async with make_handler() as handler:
        return await handler.download_request(file_request(server.url, path))


async def test_an_unknown_authority_is_refused_and_not_asked_again(make_handler, authority, tmp_path, retried):
    async with site(ssl=authority.context()) as server:
        with pytest.raises(UntrustedCertificateError) as caught:
            await fetch(make_handler, server, tmp_path / "a.part")

    assert str(caught.value).startswith("certificate of 127.0.0.1 is not trusted: ")
    assert str(caught.value).endswith("; set SSL_CERT_FILE to add a CA")
    assert not isinstance(caught.value, retried)
    assert server.paths == []


async def test_the_authority_in_ssl_cert_file_is_trusted(make_handler, authority, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))

    async with site(ssl=authority.context()) as server:
        response = await fetch(make_handler, server, tmp_path / "a.part")

    assert response.status == 200


async def test_a_tunnel_is_verified_and_its_credentials_stay_with_the_proxy(
    make_handler, authority, tmp_path, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    seen = []

    async def answer(request):
        seen.append("Proxy-Authorization" in request.headers)
        return web.Response(body=b"x")

    async with site(answer, ssl=authority.context()) as server, tunnel() as (proxy, heads):
        request = file_request(server.url, tmp_path / "a.part", proxy=proxy)
        request.headers["Proxy-Authorization"] = "Basic bmFtZTp3b3Jk"
        async with make_handler() as handler:
            await handler.download_request(request)

    assert seen == [False]
    assert "Proxy-Authorization: Basic bmFtZTp3b3Jk" in heads[0]


@pytest.mark.parametrize("where", ["openssl_cafile", "openssl_capath"])
async def test_ssl_cert_file_takes_no_trust_away(make_handler, authority, tmp_path, monkeypatch, where):
    system = tmp_path / "system"
    system.mkdir()
    known = Authority(system, "known")
    names = ssl.get_default_verify_paths()._replace(openssl_cafile="/missing", openssl_capath="/missing")
    if where == "openssl_cafile":
        names = names._replace(openssl_cafile=str(known.path))
    else:
        known.path.rename(system / f"{known.subject_hash}.0")
        names = names._replace(openssl_capath=str(system))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: names)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))

    async with site(ssl=known.context()) as server:
        response = await fetch(make_handler, server, tmp_path / "a.part")

    assert response.status == 200


def test_the_authorities_of_the_system_are_trusted_whatever_is_added(authority, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    settings = Settings({"DOWNLOAD_VERIFY_CERTIFICATES": True})
    before = make_context(settings).get_ca_certs(binary_form=True)

    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    after = make_context(settings).get_ca_certs(binary_form=True)

    assert set(before) < set(after)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_ssl_cert_file_without_certificates_is_named(tmp_path, monkeypatch, content):
    path = tmp_path / "authority.pem"
    if content:
        path.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))

    with pytest.raises(ArgumentError, match=r"SSL_CERT_FILE: '.*authority\.pem'"):
        make_context(Settings({"DOWNLOAD_VERIFY_CERTIFICATES": True}))


def test_verification_can_be_switched_off_by_its_setting(tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))

    context = make_context(Settings({"DOWNLOAD_VERIFY_CERTIFICATES": False}))

    assert context.verify_mode is ssl.CERT_NONE
