"""What is typed wrong for a sandbox is refused in one line."""

from __future__ import annotations

import socket

import pytest
from typer.testing import CliRunner

from civitscrape.commands.main import app


@pytest.mark.parametrize(
    ("option", "typed", "sentence"),
    [
        ("--port", "99999", "--port 99999: a port is between 0 and 65535"),
        ("--faults", "{", "--faults '{': give a list as JSON: "),
        ("--faults", "{}", "--faults '{}': give a list as JSON"),
        ("--faults", '[{"fault": "x"}]', "'x' is not a valid Fault"),
        ("--quirks", '{"x":1}', "sandbox quirk 'x' is unknown; known are "),
        ("--quirks", "3", "--quirks '3': give an object as JSON"),
        ("--latency", '{"x":1}', "'x' is not a valid Role"),
        ("--creators", "[3]", ""),
    ],
)
def test_what_is_typed_wrong_is_one_line_and_exit_code_1(option, typed, sentence):
    done = CliRunner().invoke(app, ["sandbox", option, typed])

    assert done.exit_code == 1
    assert done.stderr.startswith(f"civitscrape: {sentence}")
    assert done.stderr.count("\n") == 1


def test_a_port_that_somebody_has_is_one_line_too():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        done = CliRunner().invoke(app, ["sandbox", "--port", str(port)])

    assert done.exit_code == 1
    assert done.stderr.startswith(f"civitscrape: the sandbox cannot listen on port {port}: ")
    assert done.stderr.count("\n") == 1
