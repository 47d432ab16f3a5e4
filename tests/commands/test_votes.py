"""`civitscrape votes`: a thin way to the spider, with its exit codes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from civitscrape.archive.database import Archive
from civitscrape.commands.main import app
from civitscrape.exceptions import ArgumentError
from civitscrape.sandbox import Sandbox
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from tests.archive.asking import picture, put
from tests.crawls.archive import Archived
from tests.crawls.processes import CIVITSCRAPE, project, run
from tests.crawls.worlds import NAME, world

GET = (*CIVITSCRAPE, "get")
VOTES = (*CIVITSCRAPE, "votes")


@pytest.mark.crawl
def test_the_command_brings_votes_and_says_which_way(tmp_path):
    with Sandbox(world(8)).in_thread() as sandbox:
        settings = {**sandbox.settings(), "CIVITAI_API_KEY": SANDBOX_ACCOUNT.key}
        run(GET, NAME, "-a", "download=none", folder=project(tmp_path), settings=settings)

        done = run(VOTES, NAME, "--only", "missing", folder=project(tmp_path), settings=settings)

    assert done.returncode == 0
    assert "votes come by id: 50 images a call" in done.stderr
    assert Archived(tmp_path / "output").rows("SELECT id FROM images WHERE votes_at IS NULL") == []


@pytest.mark.crawl
def test_a_key_that_the_site_does_not_take_is_said(tmp_path):
    with Sandbox(world(2)).in_thread() as sandbox:
        settings = {**sandbox.settings(), "CIVITAI_API_KEY": "wrong"}
        run(GET, NAME, "-a", "download=none", folder=project(tmp_path), settings=settings)

        done = run(VOTES, folder=project(tmp_path), settings=settings)

    assert done.returncode == 1
    assert "401" in done.stderr


@pytest.mark.parametrize(
    ("names", "refused"), [(["nobodyx"], "nobodyx: no image is"), (["LAMPWRIGHT", "other"], "other: no image is")]
)
def test_creators_of_whom_nothing_is_archived_are_refused(tmp_path, names, refused):
    archive = Archive(f"sqlite:///{tmp_path}/civitscrape.sqlite")
    put(archive, picture(7))
    archive.close()

    done = CliRunner().invoke(app, ["votes", *names, "-s", f"OUTPUT_DIR={tmp_path}"])

    assert isinstance(done.exception, ArgumentError)
    assert str(done.exception).startswith(refused)


def test_who_has_no_extra_never_meets_it():
    code = "import sys, civitscrape.settings, civitscrape.commands.main; print('playwright' in ' '.join(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
