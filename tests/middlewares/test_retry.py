"""What is asked again, how, and what becomes of what failed for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)

from civitscrape.civitai.answers import NO_ANSWER
from civitscrape.civitai.roles import Role, role_of
from civitscrape.downloads.ending import FlawedFileError
from civitscrape.downloads.trust import UntrustedCertificateError
from civitscrape.middlewares.retry import LONGEST_BACKOFF, GiveUp, backoff, complaint, note_progress
from tests.middlewares.conftest import API, BUCKET, KEY, SITE, answer, request

if TYPE_CHECKING:
    from scrapy import Request

FILE = f"{BUCKET}/key/original=true/key.png"
PROFILE = f"{SITE}/user/lampwright"
CHALLENGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>"
HTML = "text/html; charset=UTF-8"


@given(st.integers(1, 1000), st.floats(0, 1000))
def test_a_pause_doubles_up_to_a_minute_and_half_of_it_is_chance(attempt, base):
    whole = min(LONGEST_BACKOFF, base * float(2 ** (attempt - 1)))

    pause = backoff(attempt, base)

    assert whole / 2 <= pause <= whole


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 522, 524, 530])
@pytest.mark.parametrize(("role", "url"), [(Role.API, API), (Role.PAGE, PROFILE), (Role.MEDIA, FILE)])
def test_what_may_be_gone_the_next_time_is_worth_asking_again(role, url, status):
    assert complaint(request(role, url), answer(status)) == f"status {status}"


@pytest.mark.parametrize("status", [200, 304, 400, 401, 403, 404, 410, 451, 501, 599])
@pytest.mark.parametrize(("role", "url"), [(Role.API, API), (Role.PAGE, PROFILE), (Role.MEDIA, FILE)])
def test_an_answer_that_would_be_the_same_is_not(role, url, status):
    assert complaint(request(role, url), answer(status)) is None


@pytest.mark.parametrize("status", [200, 403])
def test_a_challenge_is_asked_again_of_api_and_pages(status):
    page = answer(status, CHALLENGE, HTML)

    assert complaint(request(Role.API, API), page) == "a page where JSON was asked for"
    assert complaint(request(Role.PAGE, PROFILE), page) == "a challenge of the edge"


def test_an_ordinary_page_is_not_asked_again():
    page = answer(200, b'<html><script id="__NEXT_DATA__">{}</script>challenge-platform</html>', HTML)

    assert complaint(request(Role.PAGE, PROFILE), page) is None


async def test_an_api_call_is_repeated_under_another_address_each_time(chain):
    middlewares = chain(*[answer(500)] * 3, answer(200))

    response = await middlewares.follow(request(Role.API, API))

    urls = [one.url for one in middlewares.wire.sent]
    assert response.status == 200
    assert len(set(urls)) == 4
    assert all("username=lampwright" in url for url in urls)


async def test_a_file_is_repeated_under_its_own_address(chain):
    middlewares = chain(answer(500), answer(200))

    await middlewares.follow(request(Role.MEDIA, FILE))

    assert [one.url for one in middlewares.wire.sent] == [FILE, FILE]


async def test_the_last_bad_answer_is_handed_on_when_patience_is_over(chain):
    middlewares = chain(*[answer(502)] * 4, RETRY_TIMES=3)

    response = await middlewares.follow(request(Role.API, API))

    assert response.status == 502
    assert middlewares.wire.answers == []


@pytest.mark.parametrize(
    "error",
    [
        CannotResolveHostError("no such host"),
        DownloadFailedError("reset"),
        DownloadTimeoutError("silence"),
        ResponseDataLossError("broke off"),
        OSError("network down"),
    ],
)
async def test_a_request_without_an_answer_is_repeated_and_then_answered_with_the_reason(chain, error):
    middlewares = chain(*[error] * 3, RETRY_TIMES=2)

    response = await middlewares.follow(request(Role.API, API))

    assert response.status == NO_ANSWER
    assert response.body.decode() == f"{type(error).__name__}: {error}"
    assert len(middlewares.wire.sent) == 3


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ResponseDataLossError(f"{FILE}: the body broke off after 4 bytes"), "the body broke off after 4 bytes"),
        (FlawedFileError(f"{FILE}: its end is missing: a PNG without IEND"), "its end is missing: a PNG without IEND"),
        (DownloadTimeoutError(f"{FILE}: silence"), "DownloadTimeoutError: silence"),
    ],
)
async def test_the_reason_leaves_the_address_to_whoever_tells_of_it(chain, caplog, error, words):
    middlewares = chain(*[error] * 2, RETRY_TIMES=1)
    caplog.set_level("INFO", "civitscrape.middlewares.retry")

    response = await middlewares.follow(request(Role.MEDIA, FILE))

    assert response.body.decode() == words
    assert [record.getMessage().count(FILE) for record in caplog.records] == [1, 1]


async def test_a_certificate_that_is_not_trusted_is_not_tried_again(chain):
    middlewares = chain(UntrustedCertificateError("certificate of civitai.com is not trusted"))

    response = await middlewares.follow(request(Role.API, API))

    assert response.status == NO_ANSWER
    assert response.body == b"UntrustedCertificateError: certificate of civitai.com is not trusted"


async def test_what_we_gave_up_ourselves_needs_no_name_of_an_error(make_crawler):
    crawler = make_crawler()
    asked = request(Role.API, API)

    response = GiveUp.from_crawler(crawler).process_exception(asked, IgnoreRequest("run later"))

    assert (response.status, response.body, response.request) == (NO_ANSWER, b"run later", asked)
    assert crawler.stats.get_value("civitscrape/given_up") == 1


async def test_a_robots_txt_that_cannot_be_had_is_one_line_in_the_log_and_forbids_nothing(make_crawler, caplog):
    asked = request(Role.PAGE, f"{SITE}/robots.txt").replace(meta={})

    response = GiveUp.from_crawler(make_crawler()).process_exception(asked, DownloadFailedError("refused"))

    assert response.status == NO_ANSWER
    assert [record.message for record in caplog.records if record.exc_info is None] == [
        f"{SITE}/robots.txt: DownloadFailedError: refused"
    ]


DOWNLOAD = f"{SITE}/api/download/models/29?fileId=31"
SIGNED = "https://account.r2.cloudflarestorage.com/31?X-Amz-Signature="


def wanted() -> Request:
    asked = request(Role.API, DOWNLOAD)
    asked.meta["download_to"] = "31.part"
    return asked


async def test_a_signature_that_the_storage_takes_no_more_is_asked_for_anew(chain):
    middlewares = chain(
        answer(307, Location=f"{SIGNED}1"), answer(403), answer(307, Location=f"{SIGNED}2"), answer(200),
        CIVITAI_API_KEY=KEY,
    )  # fmt: skip

    response = await middlewares.follow(wanted())

    sent = middlewares.wire.sent
    assert response.status == 200
    assert [one.url for one in sent] == [DOWNLOAD, f"{SIGNED}1", DOWNLOAD, f"{SIGNED}2"]
    assert [role_of(one) for one in sent] == [Role.API, Role.STORAGE] * 2
    assert ["Authorization" in one.headers for one in sent] == [True, False] * 2
    assert sent[3].meta["download_to"] == "31.part"


async def test_a_storage_that_takes_no_signature_at_all_has_the_last_word(chain):
    middlewares = chain(*[answer(307, Location=f"{SIGNED}1"), answer(403)] * 3)

    response = await middlewares.follow(wanted())

    assert response.status == 403
    assert len(middlewares.wire.sent) == 6


@pytest.mark.parametrize(
    ("kept", "before", "times"),
    [(5_000_000, 0, 0), (5_000_000, 4_500_000, 3), (0, 0, 3)],
    ids=["much came", "little came", "nothing came"],
)
def test_a_download_that_moves_on_has_all_its_repetitions_again(kept, before, times):
    broken = wanted()
    broken.meta.update(download_kept=kept, kept_before=before, retry_times=3)

    note_progress(broken)

    assert broken.meta["retry_times"] == times
