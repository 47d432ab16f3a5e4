"""Scrapyd, set up for this project: its settings, its jobs, how it begins and how it ends.

Importing this installs Twisted's default reactor, which rules out a crawl in the same process.
"""

from __future__ import annotations

import logging
import os
import signal
from configparser import ConfigParser
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from scrapy.settings import default_settings
from scrapy.spiderloader import get_spider_loader
from scrapyd import launcher, webservice
from scrapyd.app import application
from scrapyd.config import Config
from twisted.application.service import IService
from twisted.internet import reactor
from twisted.internet.defer import DeferredList
from twisted.internet.error import CannotListenError, ProcessExitedAlready
from twisted.logger import STDLibLogObserver, globalLogBeginner
from twisted.web import error, http

from civitscrape.commands.admission import SECRET, USERNAME, flaw
from civitscrape.exceptions import ArgumentError
from civitscrape.extensions.log import mask

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from scrapy.settings import BaseSettings
    from twisted.internet.defer import Deferred

logger = logging.getLogger(__name__)
_reactor: Any = reactor  # Twisted's own name for it is a module

PROJECT = "civitscrape"

AT_ONCE = 2
"""Jobs that run at a time; each keeps to its own pace, so more of them would be hard on the site."""

KEPT = 100
"""Finished jobs that are listed, and logs that are kept of each spider; Scrapyd itself would keep five logs."""

POLL = 0.5
"""Seconds between two looks for waiting jobs: one question to a SQLite file."""

PATIENCE = 60.0
"""Seconds that jobs have to end by themselves; systemd by default waits 90 for all of it."""

SERVICES = {
    "schedule.json": "civitscrape.commands.daemon.Schedule",
    "cancel.json": "scrapyd.webservice.Cancel",
    "status.json": "scrapyd.webservice.Status",
    "listprojects.json": "scrapyd.webservice.ListProjects",
    "listspiders.json": "scrapyd.webservice.ListSpiders",
    "listjobs.json": "scrapyd.webservice.ListJobs",
    "daemonstatus.json": "scrapyd.webservice.DaemonStatus",
}
"""What can be asked; left out are those that take eggs, which run any code that is sent to them."""


class Schedule(webservice.Schedule):  # type: ignore[misc]
    """Scrapyd's ``schedule.json``, which here says in a sentence what is wrong with a request."""

    def render_POST(self, txrequest: Any) -> Any:  # noqa: N802 (Twisted's name)
        """Refuse, or queue a job."""
        wrong = flaw(txrequest.args)
        if wrong is not None:
            raise error.Error(code=http.OK, message=wrong.encode())
        return super().render_POST(txrequest)


class Launcher(launcher.Launcher):  # type: ignore[misc]
    """Scrapyd's launcher, which here survives a job that cannot be started, and ends its jobs before itself."""

    def _spawn_process(self, message: dict[str, Any], slot: int) -> None:
        try:
            super()._spawn_process(message, slot)
        except Exception as failure:  # noqa: BLE001 (whatever it is, the slot must not be lost with it)
            logger.error("job %s could not be started, and is dropped: %s", message["_job"], failure)  # noqa: TRY400
            self._get_message(slot)

    def ask(self, number: str) -> None:
        """Send a signal to all running jobs."""
        for process in list(self.processes.values()):
            with suppress(ProcessExitedAlready):
                process.transport.signalProcess(number)

    def stopService(self) -> Deferred[Any]:  # noqa: N802 (Twisted's name)
        """Ask the jobs to end, and wait for them; what waits in the queue stays there."""
        ended = DeferredList([process.deferred for process in self.processes.values()])
        if self.processes:
            logger.info("waiting at most %d s for %d jobs to end; Ctrl-C hurries them", PATIENCE, len(self.processes))
        self.ask("INT")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: _reactor.callFromThread(self.ask, "INT"))
        last = _reactor.callLater(PATIENCE, self.ask, "KILL")
        return ended.addBoth(lambda _: last.cancel() if last.active() else None)


def configuration(folder: Path, *, bind: str, port: int, password: str) -> Any:
    """Build what Scrapyd would read from its files; those are not read, so that nothing in them counts here."""
    config = Config(values={})
    config.cp = ConfigParser(interpolation=None)  # a password or a folder may have a % in it
    own = {
        "bind_address": bind,
        "http_port": port,
        "username": USERNAME,
        "password": password,
        "launcher": "civitscrape.commands.daemon.Launcher",
        "runner": "civitscrape.commands.job",
        "max_proc": AT_ONCE,
        "poll_interval": POLL,
        "jobstorage": "scrapyd.jobstorage.SqliteJobStorage",
        "finished_to_keep": KEPT,
        "jobs_to_keep": KEPT,
        "logs_dir": folder / "logs" / "scrapyd",
        "dbs_dir": folder / "scrapyd",
        "eggs_dir": folder / "scrapyd" / "eggs",
    }
    config.cp.read_dict({"scrapyd": own, "services": SERVICES, "settings": {PROJECT: "civitscrape.settings"}})
    return config


def write_log(secrets: Collection[str]) -> None:
    """Log to standard error, without secrets and without tracebacks of what a caller did wrong."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(default_settings.LOG_FORMAT, default_settings.LOG_DATEFORMAT))
    handler.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], error.Error)))
    mask(handler, lambda: secrets)
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    observer: Any = STDLibLogObserver()
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)


def start(settings: BaseSettings, folder: Path, *, bind: str, port: int, password: str) -> None:
    """Listen, and be ready for jobs; they run once ``run`` is called.

    Raises:
        ArgumentError: somebody else listens there, or the address is not one of this machine.
    """
    # Scrapyd would put them before what it is told here, and jobs would inherit the password.
    for name in [name for name in os.environ if name.startswith("SCRAPYD_")]:
        del os.environ[name]
    os.environ["OUTPUT_DIR"] = str(folder)  # absolute: one archive for all jobs
    webservice.spider_list.cache[PROJECT][None] = get_spider_loader(settings).list()
    service: Any = IService(application(configuration(folder, bind=bind, port=port, password=password)))
    try:
        service.privilegedStartService()
    except CannotListenError as failure:
        reason = getattr(failure.socketError, "strerror", None) or failure.socketError
        raise ArgumentError(
            f"cannot listen at {bind}, port {port}: {reason}; --port and --bind take others"
        ) from failure
    write_log(
        {settings[name] for name in SECRET if settings.get(name)}
    )  # only now: what cannot be listened at is one line
    service.startService()
    _reactor.addSystemEventTrigger("before", "shutdown", service.stopService)


def run() -> None:
    """Run until Ctrl-C or SIGTERM."""
    _reactor.run()
