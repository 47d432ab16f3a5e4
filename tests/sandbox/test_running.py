from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
import requests

from civitscrape.sandbox import spawn
from civitscrape.sandbox.server import Sandbox
from tests.sandbox.conftest import WORLD


def test_a_sandbox_runs_in_a_thread():
    with Sandbox(WORLD).in_thread() as sandbox:
        reply = requests.get(f"{sandbox.url}/api/v1/images", params={"username": "harbourmaster"}, timeout=10)

    assert reply.status_code == 200
    with pytest.raises(requests.ConnectionError):
        requests.get(sandbox.url, timeout=1)


def test_a_taken_port_is_an_error_of_the_caller():
    with Sandbox(WORLD).in_thread() as first:
        second = Sandbox(WORLD, port=first.port)

        with pytest.raises(OSError, match="address already in use"), second.in_thread():
            pytest.fail("two servers on one port")


def test_a_sandbox_runs_in_a_process_and_stops():
    with spawn("--images", "30", "--file-size", "20000", "--warm") as told:
        page = requests.get(f"{told['url']}/api/v1/images?username=lampwright&browsingLevel=31", timeout=10).json()
        file = requests.get(page["items"][0]["url"], timeout=10)

    assert len(page["items"]) == 30
    assert page["items"][0]["url"].startswith(told["settings"]["CIVITAI_MEDIA_URL"])
    assert len(file.content) in (20_000, 19_999)
    with pytest.raises(ProcessLookupError):
        os.kill(told["pid"], 0)


def test_a_sandbox_that_cannot_start_says_so():
    with Sandbox(WORLD).in_thread() as first:
        port = str(first.port)

        with pytest.raises(RuntimeError, match="did not start"), spawn("--port", port):
            pytest.fail("two servers on one port")


def test_a_closed_input_ends_the_process():
    command = [sys.executable, "-m", "civitscrape.sandbox", "--images", "1", "--watch-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()

        process.stdin.close()

        assert process.wait(10) == 0


def test_a_termination_is_a_clean_end():
    command = [sys.executable, "-m", "civitscrape.sandbox", "--images", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()

        process.send_signal(signal.SIGTERM)

        assert process.wait(10) == 0
