"""What the runs come to: medians, ratios round by round, and the bounds that they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.heartbeat import Pause
    from tests.bench.measuring import Run

MEGABYTE = 1_000_000

LEGEND = """\
Medians, with the lowest and the highest round in brackets; of peak memories the highest. Whole process: from its start
to its end, as the system saw it. Transfer: from the first request for a file to the end of the last answer to one, as
the sandbox saw it. CPU and memory are of the process and its children, as the system counted them; CPU depends least on
what else the machine does. A ratio compares both sides by the same measure, each round with its own. Every file was
compared with the sandbox's truth, byte for byte; gallery-dl came through the sandbox's proxy, the others directly."""

TOLD = 5
"""Pauses that are told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A figure, and what is asked of it."""

    name: str
    values: Sequence[float]
    """One a round; their median counts."""
    limit: float
    unit: str = ""
    at_least: bool = False
    """Whether the figure must not be below the limit; else it must be below it."""

    @property
    def met(self) -> bool:
        """Whether the median keeps the bound."""
        middle = median(self.values)
        return middle >= self.limit if self.at_least else middle < self.limit


def whole_speed(run: Run) -> float:
    """Files per second of the whole process, start and report included."""
    return run.files / run.seconds


def transfer_speed(run: Run) -> float:
    """Files per second between the first request for a file and the end of the last."""
    return run.files / run.transfer


def ratios(ours: Sequence[Run], theirs: Sequence[Run], measure: Callable[[Run], float]) -> list[float]:
    """Compare by the same measure, each round with its own; who ran once is compared with every round."""
    partners = theirs if len(theirs) == len(ours) else [theirs[0]] * len(ours)
    return [measure(one) / measure(other) for one, other in zip(ours, partners, strict=True)]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Write a median, and between which values it lies.

    >>> spread([3.0, 1.0, 2.0]), spread([5.0])
    ('2.00 (1.00-3.00)', '5.00')
    """
    middle = f"{median(values):.{digits}f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def figures(title: str, runs: dict[str, list[Run]]) -> Table:
    """Put the figures of one scene into a table: medians, lowest and highest in brackets."""
    table = plain(title)
    for name in ("", "runs", "whole process, s", "files/s", "transfer, s", "files/s", "CPU, s", "peak, MB", "requests"):
        table.add_column(name, justify="left" if name in {"", "requests"} else "right", no_wrap=True)
    for name, of in runs.items():
        columns = [
            spread([run.seconds for run in of]),
            f"{median(map(whole_speed, of)):.0f}",
            spread([run.transfer for run in of]),
            f"{median(map(transfer_speed, of)):.0f}",
            spread([run.cpu for run in of]),
            f"{max(run.memory for run in of) / MEGABYTE:.0f}",
            " + ".join(f"{count} {role}" for role, count in sorted(of[-1].requests.items())),
        ]
        table.add_row(name, str(len(of)), *columns)
    return table


def judgement(bounds: Sequence[Bound], title: str = "What is asked of civitscrape") -> Table:
    """Put figures beside what is asked of them."""
    table = plain(title)
    for name in ("", "measured", "asked", ""):
        table.add_column(name, no_wrap=True)
    for bound in bounds:
        asked = f"{'at least' if bound.at_least else 'under'} {bound.limit:g}{bound.unit}"
        verdict = "[green]met[/]" if bound.met else "[red]not met[/]"
        table.add_row(bound.name, spread(bound.values) + bound.unit, asked, verdict)
    return table


def worst(pauses: Sequence[Sequence[Pause]]) -> Iterator[str]:
    """Say of the longest pauses of all rounds what the event loop was at."""
    everything = sorted((pause for of in pauses for pause in of), key=lambda pause: -pause.milliseconds)
    for pause in everything[:TOLD]:
        yield (
            f"  {pause.milliseconds:.0f} ms at {pause.at:.2f} s: the loop computed {pause.loop:.0f} ms, other threads "
            f"{pause.others:.0f} ms, garbage was collected for {pause.collecting:.0f} ms"
        )
        yield from (f"    {thread}: {calls}" for thread, calls in pause.calls.items())


def plain(title: str) -> Table:
    """Make an empty table."""
    return Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
