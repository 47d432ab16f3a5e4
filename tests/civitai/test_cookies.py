"""Whose cookies are sent where, how they are kept fresh, and that nothing tells their values."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

import pytest

from civitscrape.civitai.cookies import Cookies, has_login
from civitscrape.exceptions import ArgumentError

if TYPE_CHECKING:
    from pathlib import Path

GREEN, RED = "https://civitai.com", "https://civitai.red"
API = f"{GREEN}/api/trpc/image.get"
HEADER = "__Secure-civ-token=eyJ.first.sig; __Secure-civ-device=d-4711-4711; theme=dark"
NEW = "__Secure-civ-token=eyJ.second.sig; Domain=civitai.com; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=2592000"
LATER, LONG_AGO = 4_102_444_800, 1_600_000_000
"""Seconds since 1970: the year 2100, and 2020."""


def settings(cookies: str | Path, **changed: str) -> dict[str, Any]:
    base = {"CIVITAI_URL": GREEN, "CIVITAI_MATURE_URL": RED, "CIVITAI_API_KEY": ""}
    return {**base, "CIVITAI_COOKIES": str(cookies), **changed}


def read(cookies: str | Path, **changed: str) -> Cookies:
    return Cookies.read(settings(cookies, **changed))


def line(domain: str, name: str, value: str, expires: int | str = LATER, *, http_only: bool = True) -> str:
    dotted = "TRUE" if domain.startswith(".") else "FALSE"
    return "\t".join([("#HttpOnly_" * http_only) + domain, dotted, "/", "TRUE", str(expires), name, value])


def jar(folder: Path, *lines: str, head: str = "# Netscape HTTP Cookie File") -> Path:
    path = folder / "cookies.txt"
    path.write_text("\n".join([head, *lines, ""]))
    return path


@pytest.fixture
def both(tmp_path: Path) -> Path:
    """Return the path of a file with a login for each host, and with what else a browser keeps."""
    return jar(
        tmp_path,
        line(".civitai.com", "__Secure-civ-token", "green-session"),
        line("civitai.com", "cf_clearance", "green-clearance"),
        line(".civitai.red", "__Secure-civ-token", "red-session"),
        line(".auth.civitai.com", "hub", "hub-session"),
        line(".bank.example", "money", "bank-session"),
    )


@pytest.mark.parametrize("written", [HEADER, f"Cookie: {HEADER}", f"  {HEADER};  ", f"cookie:{HEADER}"])
def test_a_header_goes_to_the_first_host_alone(written):
    cookies = read(written)

    assert cookies.header(API) == HEADER
    assert cookies.header(f"{RED}/api/trpc/image.get") is None


@pytest.mark.parametrize("source", ["header", "file"])
@pytest.mark.parametrize(
    "url",
    [
        "http://civitai.com/",
        "https://civitai.com:8443/",
        "https://image.civitai.com/x.png",
        "https://civitai.com.evil.example/",
        "https://evil.example/civitai.com",
        "https://auth.civitai.com/",
        "https://bank.example/",
    ],
)
def test_no_other_address_gets_any(both, source, url):
    cookies = read(HEADER if source == "header" else both)

    assert cookies.header(url) is None
    assert not cookies.has_session(url)


def test_each_host_gets_its_own_cookies_of_a_file(both):
    cookies = read(both)

    assert set((cookies.header(API) or "").split("; ")) == {
        "__Secure-civ-token=green-session",
        "cf_clearance=green-clearance",
    }
    assert cookies.header(f"{RED}/api/v1/images") == "__Secure-civ-token=red-session"


@pytest.mark.parametrize("expires", ["", 0])
def test_a_cookie_that_ends_with_the_browser_is_good(tmp_path, expires):
    cookies = read(jar(tmp_path, line(".civitai.com", "__Secure-civ-token", "session", expires)))

    assert cookies.header(API) == "__Secure-civ-token=session"


def test_a_login_that_has_run_out_is_none(tmp_path):
    path = jar(tmp_path, line(".civitai.com", "__Secure-civ-token", "session", LONG_AGO))

    assert read(path).header(API) is None
    assert not has_login(settings(path), GREEN)


@pytest.mark.parametrize(
    ("cookies", "key", "green", "red"),
    [
        ("", "", False, False),
        ("", "a-key", True, True),
        (HEADER, "", True, False),
        (HEADER, "a-key", True, True),
        ("__Secure-civitai-token=old", "", True, False),
        ("civ-token=plain", "", True, False),
        ("cf_clearance=abc; theme=dark", "", False, False),
        ("not-civ-token=abc", "", False, False),
    ],
)
def test_a_key_or_a_session_is_a_login_and_other_cookies_are_not(cookies, key, green, red):
    about = settings(cookies, CIVITAI_API_KEY=key)

    assert (has_login(about, GREEN), has_login(about, RED)) == (green, red)


def test_a_file_may_be_a_login_for_both_hosts(both):
    assert has_login(settings(both), GREEN)
    assert has_login(settings(both), RED)


def test_a_renewed_session_takes_the_place_of_the_old_one():
    cookies = read(HEADER)

    cookies.renew(API, [NEW])

    assert set((cookies.header(API) or "").split("; ")) == {
        "__Secure-civ-token=eyJ.second.sig",
        "__Secure-civ-device=d-4711-4711",
        "theme=dark",
    }


def test_a_login_of_the_old_kind_is_followed_by_one_of_the_new_kind():
    cookies = read("__Secure-civitai-token=old-session; theme=dark")
    gone = "__Secure-civitai-token=; Domain=civitai.com; Path=/; Max-Age=0"

    cookies.renew(API, [NEW, gone])

    assert set((cookies.header(API) or "").split("; ")) == {"__Secure-civ-token=eyJ.second.sig", "theme=dark"}


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        (API, ["__cf_bm=tracking; Path=/; Domain=.civitai.com", "theme=light; Path=/"]),
        (API, ["__Secure-civ-token=; Path=/; Max-Age=0"]),
        (API, ["__Secure-civ-token=gone; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]),
        (API, ["__Secure-civ-token=stolen; Domain=evil.example; Path=/"]),
        (API, ["__Secure-civ-token=broad; Domain=com; Path=/"]),
        (API, ["no cookie at all", ""]),
        (API, []),
        ("https://evil.example/", ["__Secure-civ-token=stolen; Domain=civitai.com; Path=/"]),
        ("https://image.civitai.com/x", ["__Secure-civ-token=stolen; Domain=civitai.com; Path=/"]),
    ],
)
def test_nothing_but_a_newer_session_of_the_site_is_taken_over(url, sent, both):
    for cookies in (read(HEADER), read(both)):
        before, written = cookies.header(API), both.read_bytes()

        cookies.renew(url, sent)

        assert cookies.header(API) == before
        assert both.read_bytes() == written


def test_a_renewed_session_is_written_into_the_file_for_its_owner_alone(both):
    both.chmod(0o644)
    cookies = read(both)

    cookies.renew(API, [NEW])

    assert stat.S_IMODE(both.stat().st_mode) == 0o600
    assert [path.name for path in both.parent.iterdir()] == ["cookies.txt"]
    again = read(both)
    assert again.header(API) == cookies.header(API)
    assert "__Secure-civ-token=eyJ.second.sig" in (again.header(API) or "")
    assert again.header(f"{RED}/") == "__Secure-civ-token=red-session"
    assert all(value in both.read_text() for value in ("hub-session", "bank-session", "green-clearance"))
    assert "green-session" not in both.read_text()


def test_what_another_crawl_wrote_meanwhile_is_kept(both):
    one, other = read(both), read(both)

    one.renew(API, [NEW])
    other.renew(f"{RED}/", [NEW.replace("civitai.com", "civitai.red").replace("second", "third")])

    again = read(both)
    assert "eyJ.second.sig" in (again.header(API) or "")
    assert "eyJ.third.sig" in (again.header(f"{RED}/") or "")


def test_a_file_is_written_only_when_something_is_new(both):
    cookies = read(both)
    cookies.renew(API, [NEW])
    before = both.stat()

    cookies.renew(API, [NEW])

    assert both.stat().st_ino == before.st_ino


def test_a_link_stays_a_link(both, tmp_path):
    link = tmp_path / "link.txt"
    link.symlink_to(both)

    read(link).renew(API, [NEW])

    assert link.is_symlink()
    assert "eyJ.second.sig" in both.read_text()


def test_a_file_that_vanished_is_written_anew(both):
    cookies = read(both)
    both.unlink()

    cookies.renew(API, [NEW])

    assert "eyJ.second.sig" in (read(both).header(API) or "")


def test_a_folder_that_cannot_be_written_is_said_and_the_session_used(both, caplog, monkeypatch):
    cookies = read(both)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    cookies.renew(API, [NEW])

    assert "eyJ.second.sig" in (cookies.header(API) or "")
    assert "No space left on device" in caplog.text
    assert "eyJ" not in caplog.text


def test_all_that_ever_was_a_session_is_a_secret_and_what_is_short_is_none():
    cookies = read("civ-token=abc; theme=dark; cf_clearance=0123456789", CIVITAI_URL="http://127.0.0.1:8001")

    cookies.renew("http://127.0.0.1:8001/", ["civ-token=def; Path=/"])

    assert cookies.secrets == {"abc", "def", "0123456789"}


WRONG = {
    "no such file": "~/nowhere/cookies.txt",
    "a word": "token",
    "a name without a value": "__Secure-civ-token",
    "a line break": "__Secure-civ-token=eyJ.first.sig\r\nX-Other: 1",
    "a space in a name": "civ token=eyJ.first.sig",
    "an empty name": "=eyJ.first.sig",
    "several of them": "__Secure-civ-token=eyJ.first.sig; eyJ.second",
}


@pytest.mark.parametrize("written", WRONG.values(), ids=WRONG)
def test_what_is_neither_cookies_nor_their_file_is_refused_without_telling_it(written):
    with pytest.raises(ArgumentError, match="setting CIVITAI_COOKIES: ") as raised:
        read(written)

    assert "cookies.txt" in str(raised.value)
    assert "eyJ" not in str(raised.value)
    assert "\n" not in str(raised.value)


BROKEN = {
    "json": '[{"name": "__Secure-civ-token", "value": "eyJ.first.sig"}]',
    "no head": line(".civitai.com", "__Secure-civ-token", "eyJ.first.sig"),
    "too few columns": "# Netscape HTTP Cookie File\n.civitai.com\tTRUE\t/\teyJ.first.sig\n",
    "no number": "# Netscape HTTP Cookie File\n" + line(".civitai.com", "civ-token", "eyJ.first.sig", "soon"),
    "bytes": b"\xff\xfe\x00eyJ.first.sig",
    "empty": "",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_file_of_another_format_is_refused_without_telling_what_is_in_it(tmp_path, content):
    path = tmp_path / "cookies.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(ArgumentError, match="Netscape") as raised:
        read(path)

    assert str(path) in str(raised.value)
    assert "eyJ" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path):
    with pytest.raises(ArgumentError, match="cannot be read: Is a directory"):
        read(tmp_path)


def test_a_file_without_cookies_of_the_site_is_refused(tmp_path):
    path = jar(tmp_path, line(".bank.example", "money", "bank-session"))

    with pytest.raises(ArgumentError, match=r"has no cookie for civitai\.com or civitai\.red"):
        read(path)


def test_cookies_of_a_neighbour_host_are_not_the_sites(tmp_path):
    path = jar(tmp_path, line(".auth.civitai.com", "hub", "s"), line(".tai.com", "x", "y"))

    with pytest.raises(ArgumentError, match="has no cookie"):
        read(path)
