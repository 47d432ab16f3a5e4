"""`civitscrape scrapyd`: jobs over HTTP, with a real Scrapyd and real crawls against a sandbox."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import requests

from civitscrape.commands.admission import flaw, kept_password
from civitscrape.commands.scrapyd import scrapyd
from civitscrape.exceptions import ArchiveError, ArgumentError
from civitscrape.sandbox import Sandbox
from civitscrape.sandbox.accounts import Account
from tests.crawls.archive import Archived
from tests.crawls.processes import CIVITSCRAPE, PATIENCE, environment, run
from tests.crawls.worlds import NAME, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = "0cc175b9c0f1b6a831c399e269772661"
KEEPER = Account(username="keeper", user_id=7001, key=KEY, session="session", email="keeper@harbour.invalid")
OWN = "100%: of one's own"
SLOWLY = {"setting": ["MEDIA_CONCURRENCY=1", "SIDECARS=none"], "username": NAME}
"""A job that takes seven seconds, unless it is stopped."""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def until(condition: Callable[[], Any]) -> Any:
    """Wait for something to be so, and give it back."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)
    return found


class Daemon:
    """A `civitscrape scrapyd` of its own, which can be stopped and started again."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder, self.sandbox, self.port = folder, sandbox, free_port()
        self.archive = Archived(folder / "output")
        self.log = folder / "daemon.log"
        # A dozen processes, each twice as quick when the first has compiled everything.
        compiled = {"PYTHONPYCACHEPREFIX": str(folder.parent / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
        self.settings = {**sandbox.settings(), **compiled}
        self.kept = folder / "output" / "scrapyd" / "netrc"

    def start(self, own: str) -> str:
        """Start it, with a password of one's own or an empty one; return what it said on standard output."""
        self.own = own
        settings = {**self.settings, "CIVITAI_API_KEY": KEY, "SCRAPYD_PASSWORD": own}
        with self.log.open("a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [*CIVITSCRAPE, "scrapyd", "--port", str(self.port)],
                cwd=self.folder,
                env=environment(settings),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        said = "".join(self.process.stdout.readline() for _ in range(4))
        assert said, self.log.read_text("utf-8")
        return said

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it as a terminal does, which sends its Ctrl-C to all processes of a group; return the exit code."""
        os.killpg(self.process.pid, number)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode

    @property
    def password(self) -> str:
        return self.own or kept_password(self.kept)[0]

    def ask(self, path: str, auth: tuple[str, str] | None = None, **data: Any) -> requests.Response:
        """Ask with the password, or as somebody else; POST where there is something to say."""
        with requests.Session() as session:
            session.trust_env = False
            session.auth = auth or ("civitscrape", self.password)
            url = f"http://127.0.0.1:{self.port}/{path.lstrip('/')}"
            return session.post(url, data=data, timeout=PATIENCE) if data else session.get(url, timeout=PATIENCE)

    def schedule(self, **data: Any) -> str:
        told = self.ask("schedule.json", **{"project": "civitscrape", "spider": "user", **data}).json()
        assert told["status"] == "ok", told
        return str(told["jobid"])

    def cancel(self, job: str) -> Any:
        return self.ask("cancel.json", project="civitscrape", job=job).json()["prevstate"]

    def jobs(self, state: str) -> dict[str, Any]:
        return {one["id"]: one for one in self.ask("listjobs.json").json()[state]}

    def is_running(self, job: str) -> bool:
        """Tell whether a job has been started, and has its log."""
        logs = (self.archive.folder / "logs" / "scrapyd").rglob(f"{job}.log")
        return job in self.jobs("running") and any(logs)

    def ended(self, job: str) -> str:
        """Wait for the end of a job; return its log."""
        found = until(lambda: self.jobs("finished").get(job))
        return self.ask(found["log_url"]).text

    def at_work(self, job: str, files: int = 3) -> int:
        """Wait until a job has begun to fetch files; return its process's number."""
        before = len(self.sandbox.log.lines)
        until(lambda: sum(line.role == "media" for line in list(self.sandbox.log.lines)[before:]) >= files)
        return int(self.jobs("running")[job]["pid"])

    def holding(self, text: str) -> list[Path]:
        """Find the files of the archive and of the daemon that hold a text."""
        return [path for path in self.folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]

    def run_of(self, job: str) -> dict[str, Any]:
        [row] = self.archive.rows("SELECT * FROM runs WHERE job = ?", job)
        return row


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(world(70), known=(KEEPER,), latency={"media": 100}).in_thread() as running:
        yield running


@pytest.fixture(scope="module")
def daemon(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path_factory.mktemp("scrapyd"), sandbox)
    daemon.start(OWN)
    yield daemon
    daemon.stop()


@pytest.mark.crawl
def test_nobody_is_let_in_without_the_password(daemon):
    doors = ["", "jobs", "logs/", "listjobs.json", "daemonstatus.json", "nothing.json"]

    refused = [daemon.ask(door, auth=("civitscrape", "guess")).status_code for door in doors]
    scheduled = daemon.ask("schedule.json", auth=("", ""), project="civitscrape", spider="user", username=NAME)

    assert refused == [401] * len(doors)
    assert scheduled.status_code == 401
    assert daemon.ask("listjobs.json").json()["pending"] == []


@pytest.mark.crawl
def test_the_project_is_there_without_an_egg_and_eggs_are_not_taken(daemon):
    projects = daemon.ask("listprojects.json").json()["projects"]
    spiders = daemon.ask("listspiders.json?project=civitscrape").json()["spiders"]
    eggs = daemon.ask("addversion.json", project="civitscrape", version="1", egg="x")

    assert projects == ["civitscrape"]
    assert "user" in spiders
    assert eggs.status_code == 404


@pytest.mark.crawl
def test_a_scheduled_job_archives_a_creator_and_its_log_ends_with_the_report(daemon):
    before = len(daemon.sandbox.log.lines)

    job = daemon.schedule(username="harbourmaster", level="all", setting="SIDECARS=none")
    log = daemon.ended(job)

    run_of = daemon.run_of(job)
    asked = list(daemon.sandbox.log.lines)[before:]
    assert "outcome: complete" in log
    assert (run_of["outcome"], run_of["job"]) == ("complete", job)
    assert len(daemon.archive.rows("SELECT path FROM images WHERE creator = 'harbourmaster' AND path IS NOT NULL")) == 3
    assert list((daemon.archive.media / "harbourmaster").glob("*.json")) == []
    assert {line.authorized for line in asked if line.role == "api"} == {True}


@pytest.mark.crawl
def test_a_cancelled_job_ends_cleanly_and_the_next_one_goes_on(daemon):
    cancelled = daemon.schedule(**SLOWLY)
    process = psutil.Process(daemon.at_work(cancelled))
    line, surroundings = " ".join(process.cmdline()), process.environ()
    prevstate = daemon.cancel(cancelled)
    log = daemon.ended(cancelled)
    held = len(list((daemon.archive.media / NAME).iterdir()))
    again = daemon.ended(daemon.schedule(username=NAME))

    assert prevstate == "running"
    assert "outcome: stopped" in log
    assert "Traceback" not in log
    assert daemon.run_of(cancelled)["outcome"] == "stopped"
    assert 0 < held < 70
    assert "outcome: complete" in again
    assert f"70 entries, {70 - held} new files" in again
    assert [path for path in daemon.archive.everything() if path.suffix == ".part"] == []
    assert KEY not in line
    assert surroundings["CIVITAI_API_KEY"] == KEY
    assert daemon.password not in [*surroundings.values(), line]


@pytest.mark.crawl
def test_a_job_cancelled_before_it_has_begun_says_so(daemon):
    log = ""
    for pause in (
        0.0,
        0.2,
        0.4,
        0.6,
        0.8,
        1.0,
        1.2,
        1.4,
    ):  # a job that has not got as far as our first line cannot say anything
        job = daemon.schedule(username="harbourmaster")
        until(partial(daemon.is_running, job))
        time.sleep(pause)
        daemon.cancel(job)
        log = daemon.ended(job)
        if log:
            break

    assert log == "civitscrape: stopped before the first request; nothing has changed\n"
    made = daemon.archive.rows("SELECT name FROM sqlite_master WHERE name = 'runs'")  # by those before, perhaps
    assert not made or daemon.archive.rows("SELECT * FROM runs WHERE job = ?", job) == []


@pytest.mark.crawl
def test_what_cannot_be_a_job_is_refused_in_a_sentence(daemon):
    where = {"project": "civitscrape", "username": NAME}

    stranger = daemon.ask("schedule.json", **where, spider="usr").json()
    secret = daemon.ask("schedule.json", **where, spider="user", setting=f"CIVITAI_API_KEY={KEY}").json()

    assert (stranger["status"], stranger["message"]) == ("error", "spider 'usr' not found")
    assert secret["message"].startswith("setting CIVITAI_API_KEY: others could see it")
    assert "Traceback" not in daemon.log.read_text("utf-8")


@pytest.mark.crawl
def test_jobs_that_cannot_be_started_do_not_hold_up_the_next(daemon):
    for _ in range(2):
        daemon.schedule(username="x" * 200_000)  # longer than a word of a command line may be

    log = daemon.ended(daemon.schedule(username="a b"))

    assert log.startswith("civitscrape: spider argument username: 'a b': ")
    assert daemon.jobs("running") == {}


@pytest.mark.crawl
def test_the_end_of_the_daemon_ends_its_jobs_and_the_list_survives(daemon):
    known = set(daemon.jobs("finished"))
    slow = daemon.schedule(**SLOWLY, redownload="yes")
    daemon.at_work(slow)
    late = daemon.schedule(**SLOWLY)
    until(lambda: late in daemon.jobs("running"))
    waiting = daemon.schedule(username="nobody here")

    code = daemon.stop(signal.SIGINT)
    daemon.start(OWN)

    assert code == 0
    assert daemon.run_of(slow)["outcome"] == "stopped"
    assert set(daemon.jobs("finished")) >= known | {slow, late}
    assert daemon.ended(waiting) == (
        "civitscrape: spider argument username: 'nobody here': only letters, digits and _, or a profile's address\n"
    )


@pytest.mark.crawl
def test_without_a_password_of_ones_own_one_is_made_and_kept_for_its_owner_alone(daemon):
    daemon.stop()

    said = daemon.start("")
    allowed = daemon.ask("daemonstatus.json").status_code
    refused = daemon.ask("daemonstatus.json", auth=("civitscrape", OWN)).status_code

    assert (allowed, refused) == (200, 401)
    assert f"password: in {daemon.kept}\n" in said
    assert stat.S_IMODE(daemon.kept.stat().st_mode) == 0o600
    assert daemon.holding(daemon.password) == [daemon.kept]
    assert daemon.holding(OWN) == []
    assert daemon.holding(KEY) == []


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_a_made_up_password_is_for_this_machine_only(tmp_path, monkeypatch, address):
    monkeypatch.delenv("SCRAPYD_PASSWORD", raising=False)

    with pytest.raises(ArgumentError, match="others can reach it; put a password of your own into SCRAPYD_PASSWORD"):
        scrapyd(output=tmp_path, bind=address, port=6800)

    assert not (tmp_path / "scrapyd" / "netrc").exists()


@pytest.mark.crawl
def test_a_port_that_is_taken_is_one_line(tmp_path, daemon):
    done = run(CIVITSCRAPE, "scrapyd", "--port", str(daemon.port), folder=tmp_path, settings=daemon.settings)

    assert done.returncode == 1
    assert done.stderr == (
        f"civitscrape: cannot listen at 127.0.0.1, port {daemon.port}: Address already in use; "
        "--port and --bind take others\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({b"setting": [b"A=1", b"B"]}, "setting 'B': write NAME=VALUE"),
        ({b"setting": [b" CIVITAI_API_KEY=x"]}, "setting  CIVITAI_API_KEY: others could see it; "),
        ({b"username": [b"a", b"b"]}, "username: given 2 times; give it once, several values with commas"),
        ({b"username": [b"a\0b"]}, "'username': holds a zero byte"),
        ({b"jobid": [b"../../x"]}, "jobid '../../x': only letters, digits and _.-, at most 100"),
        ({b"jobid": [b".."]}, "jobid '..': only "),
        ({b"jobid": [b"x" * 101]}, "jobid 'xxx"),
    ],
)
def test_a_request_that_cannot_become_a_job_is_refused(arguments, sentence):
    assert (flaw(arguments) or "").startswith(sentence)


def test_an_ordinary_request_is_not_refused():
    assert flaw({b"username": [b"a,b"], b"setting": [b"A=1", b"B=c=d"], b"jobid": [b"nightly_1.2-x"]}) is None


def test_a_made_password_is_kept_and_made_once(tmp_path):
    path = tmp_path / "netrc"

    made, new = kept_password(path)
    path.chmod(0o644)
    read, again = kept_password(path)

    assert (read, new, again) == (made, True, False)
    assert len(made) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "default login civitscrape\n", "nonsense", "\0"])
def test_a_password_file_without_a_password_is_an_error(tmp_path, content):
    path = tmp_path / "netrc"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(ArchiveError, match="holds no password any more; delete it"):
        kept_password(path)
