"""``cost.py RESULT COMMAND …``: run a command and write what it cost, as JSON, into a file.

A process of its own, and a small one: a child's peak memory starts at that of whoever starts it, so nobody can be seen
below these ten megabytes. It imports nothing that it can do without, for the same reason.
"""

import os
import sys
import time

BYTES = 1 if sys.platform == "darwin" else 1024
"""Unit of the peak memory that the system tells."""


def main(result: str, command: list[str]) -> None:
    """Run a command to its end; seconds, CPU seconds and bytes are of it and of the children that it waited for."""
    begun = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - begun
    code = os.waitstatus_to_exitcode(status)
    cpu, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * BYTES
    with open(result, "w", encoding="utf-8") as file:  # noqa: PTH123 (pathlib is what it can do without)
        file.write(f'{{"code": {code}, "seconds": {seconds}, "cpu": {cpu}, "memory": {memory}}}')


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
