"""``python -m civitscrape.sandbox``: the sandbox in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from pathlib import Path  # noqa: TC003 - typer reads the annotations while the program runs
from typing import Annotated, Any

import typer

from civitscrape.sandbox.building import CreatorSpec
from civitscrape.sandbox.edge import Edge
from civitscrape.sandbox.proxy import Proxy
from civitscrape.sandbox.server import Sandbox
from civitscrape.sandbox.site import Quirks
from civitscrape.sandbox.world import World, default_world

STDIN = 0
MOST_PORT = 2**16 - 1

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    *,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 0,
    images: Annotated[int, typer.Option(help="Images of one creator instead of the demonstration's world.")] = 0,
    videos: Annotated[int, typer.Option(help="How many of them are videos.")] = 0,
    username: Annotated[str, typer.Option(help="Name of that creator.")] = "lampwright",
    file_size: Annotated[int, typer.Option(help="Bytes of each of its files; 0 leaves them as drawn.")] = 0,
    creators: Annotated[str, typer.Option(help="Creators as JSON instead: a list of CreatorSpec fields.")] = "[]",
    seed: Annotated[int, typer.Option(help="Another seed is another world.")] = 1,
    edge: Annotated[float, typer.Option(help="Seconds that a cache in front keeps answers; 0 is no cache.")] = 0.0,
    faults: Annotated[str, typer.Option(help="Faults as JSON: a list of rules.")] = "[]",
    latency: Annotated[str, typer.Option(help="Milliseconds by role as JSON, such as '{\"api\": 50}'.")] = "{}",
    quirks: Annotated[
        str, typer.Option(help="Quirks of the back end as JSON, such as '{\"hit_ceiling\": 1000}'.")
    ] = "{}",
    ca: Annotated[Path | None, typer.Option(help="Also run the proxy; its CA certificate goes into this file.")] = None,
    untrusted: Annotated[bool, typer.Option(help="Let the proxy sign with a CA that is not in that file.")] = False,
    warm: Annotated[bool, typer.Option(help="Draw all files before the first request.")] = False,
    watch_stdin: Annotated[bool, typer.Option(help="Stop when standard input is closed.")] = False,
) -> None:
    """Run a small Civitai on this machine's loopback until it is stopped; print its addresses as one line of JSON."""
    if not 0 <= port <= MOST_PORT:
        raise _refused(f"--port {port}: a port is between 0 and {MOST_PORT}")
    try:
        specs = [CreatorSpec(**one) for one in _json("--creators", creators, list)]
        if images:
            specs.append(CreatorSpec(username=username, images=images, videos=videos, file_size=file_size or None))
        behaviour = Quirks()
        behaviour.change(_json("--quirks", quirks, dict))
        sandbox = Sandbox(
            World.build(seed=seed, creators=specs) if specs else default_world(seed=seed),
            port=port,
            edge=Edge(edge) if edge else None,
            faults=_json("--faults", faults, list),
            latency=_json("--latency", latency, dict),
            quirks=behaviour,
        )
    except (ValueError, TypeError) as error:
        raise _refused(str(error)) from error
    if warm:
        sandbox.warm()
    try:
        asyncio.run(_run(sandbox, ca, trusted=not untrusted, watch_stdin=watch_stdin))
    except OSError as error:
        raise _refused(f"the sandbox cannot listen on port {port}: {error.strerror or error}") from error


def _json(option: str, text: str, kind: type) -> Any:
    """Read what an option says in JSON.

    Raises:
        ValueError: it is none, or no list or object where one is wanted.
    """
    wanted = "a list" if kind is list else "an object"
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{option} {text!r}: give {wanted} as JSON: {error}") from error
    if not isinstance(found, kind):
        raise ValueError(f"{option} {text!r}: give {wanted} as JSON")  # noqa: TRY004 (what was typed is wrong)
    return found


def _refused(sentence: str) -> typer.Exit:
    """Say in one line why there is no sandbox."""
    typer.echo(f"civitscrape: {sentence}", err=True)
    return typer.Exit(1)


async def _run(sandbox: Sandbox, ca: Path | None, *, trusted: bool, watch_stdin: bool) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if watch_stdin:
        threading.Thread(target=_wait_for_end, args=(loop, stop), daemon=True).start()
    async with sandbox:
        told = sandbox.addresses() | {"pid": os.getpid()}
        if ca is None:
            typer.echo(json.dumps(told))
            await stop.wait()
            return
        async with Proxy(sandbox, ca, trusted=trusted) as proxy:
            typer.echo(json.dumps(told | {"proxy": proxy.url, "ca": str(ca)}))
            await stop.wait()


def _wait_for_end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # Not sys.stdin: its lock, held by this thread, would break the end of the process.
    while os.read(STDIN, 4096):
        pass
    loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    app()
