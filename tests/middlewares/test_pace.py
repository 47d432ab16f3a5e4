"""How long the site asks to wait, and who waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from civitscrape.civitai.answers import NO_ANSWER
from civitscrape.civitai.roles import Role
from civitscrape.middlewares.pace import Pace, seconds
from tests.middlewares.conftest import API, BUCKET, SITE, answer, request

NOW = datetime(2026, 8, 1, tzinfo=UTC)
FILE = f"{BUCKET}/key/original=true/key.png"


@given(st.integers(0, 10**9))
def test_seconds_are_read_as_they_are(number):
    assert seconds(f" {number} ", at=NOW) == number


@given(st.integers(-(10**6), 10**6))
def test_a_date_is_as_far_off_as_it_is_and_a_past_one_is_now(offset):
    header = format_datetime(NOW + timedelta(seconds=offset), usegmt=True)

    assert seconds(header, at=NOW) == max(0, offset)


@given(st.text())
@example("9" * 400)
@example("Sat, 01 Aug 99999 00:00:30 GMT")
@example("Sat, 01 Aug 2026 00:00:30 +9999")
@example("Sat, 01 Aug 0001 00:00:30 +1400")
def test_anything_else_is_no_time_and_no_accident(text):
    wait = seconds(text, at=NOW)

    assert wait is None or wait >= 0


@pytest.mark.parametrize("header", ["", "soon", "-5", "1.5", "2 minutes", "NaN", "inf"])
def test_words_and_fractions_are_no_time(header):
    assert seconds(header, at=NOW) is None


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("role", "url"), [(Role.API, API), (Role.PAGE, SITE), (Role.MEDIA, FILE)])
def test_a_busy_host_holds_the_slot_of_that_role_and_no_other(make_crawler, with_downloader, role, url, status):
    crawler = make_crawler()
    downloader, asked = with_downloader(crawler), request(role, url)

    Pace.from_crawler(crawler).hear(asked, answer(status, Retry_After="30"))

    assert 29 < downloader.held(asked.meta["download_slot"]) <= 30
    others = [request(other, API).meta["download_slot"] for other in Role if other is not role]
    assert [downloader.held(other) for other in others] == [0] * len(others)


@pytest.mark.parametrize(("status", "header"), [(200, "30"), (404, "30"), (500, "30"), (429, "soon")])
def test_other_answers_hold_nothing(make_crawler, with_downloader, status, header):
    crawler = make_crawler()
    downloader, asked = with_downloader(crawler), request(Role.API, API)
    pace, response = Pace.from_crawler(crawler), answer(status, Retry_After=header)

    pace.hear(asked, response)

    assert pace.process_response(asked, response) is response
    assert downloader.held(asked.meta["download_slot"]) == 0


async def test_a_wait_that_is_too_long_closes_the_slot_for_this_run_and_says_so(chain):
    middlewares = chain(answer(429, Retry_After="3600"), answer(200), RETRY_AFTER_MAX=60)

    first = await middlewares.follow(request(Role.API, API))
    second = await middlewares.follow(request(Role.API, API))
    other = await middlewares.follow(request(Role.MEDIA, FILE))

    sentence = b"api civitai.com asks to wait 3600 s, longer than RETRY_AFTER_MAX (60 s); run later"
    assert [(one.status, one.body) for one in (first, second)] == [(NO_ANSWER, sentence)] * 2
    assert other.status == 200
    assert len(middlewares.wire.sent) == 2


async def test_requests_are_counted_by_what_they_are_for(chain):
    middlewares = chain(answer(500), answer(200), answer(200), answer(200))

    for role, url in ((Role.API, API), (Role.PAGE, SITE), (Role.MEDIA, FILE)):
        await middlewares.follow(request(role, url))

    stats = middlewares.crawler.stats
    assert [stats.get_value(f"civitscrape/requests_{role}") for role in ("api", "page", "media")] == [2, 1, 1]
