"""Counts the instructions of one mutation, which other work on the machine does not change.

    python -m benchmarks.instructions [--modes one all literals] [--seconds 3]

For whoever changes the gateway: two versions compare within a few thousandths, on a busy machine too.
The gateway runs as in `make bench`, on the same vendors and under the same load; what is counted are its
own instructions, without those of the kernel, by the processor's counter (Linux's perf_event_open, which
needs /proc/sys/kernel/perf_event_paranoid at 2 or below and a machine that has such counters).
"""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
import struct
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.contenders import GATEWAY, started
from benchmarks.run import CONNECTIONS, CONTENDER_CORE, LOAD_CORE, load, quiet
from benchmarks.upstream import upstream
from benchmarks.work import MODES

if TYPE_CHECKING:
    from benchmarks.contenders import Running
    from benchmarks.upstream import Upstream
    from benchmarks.work import Mode

CALL = {"x86_64": 298, "aarch64": 241}
"""The number of perf_event_open, by processor."""
ATTRIBUTES = struct.Struct("=IIQQQQQ72x")
"""The kernel's perf_event_attr of 112 bytes: type, size, config, period, samples, format, flags."""
HARDWARE, INSTRUCTIONS = 0, 1
OF_ITS_OWN = 1 << 5 | 1 << 6
"""Flags that leave out what the kernel and the hypervisor do."""
ANY_CORE = ALONE = -1


class NoCounterError(Exception):
    """The system does not let us count."""


def counter(thread: int) -> int:
    """A descriptor from which the instructions of a thread can be read from now on."""
    number = CALL.get(platform.machine())
    if number is None:
        raise NoCounterError(f"not known how to count on {platform.machine()}")
    asked = ATTRIBUTES.pack(HARDWARE, ATTRIBUTES.size, INSTRUCTIONS, 0, 0, 0, OF_ITS_OWN)
    system = ctypes.CDLL(None, use_errno=True)
    opened: int = system.syscall(number, asked, thread, ANY_CORE, ALONE, 0)
    if opened < 0:
        raise NoCounterError(os.strerror(ctypes.get_errno()))
    return opened


def instructions(running: Running, bodies: Path, vendors: Upstream, seconds: int) -> float:
    """Those of one mutation, of all threads that the process has after a time of warming up."""
    load(running, bodies, 1, CONNECTIONS)
    quiet(vendors)
    with ExitStack() as stack:
        counters = []
        for thread in Path(f"/proc/{running.process.pid}/task").iterdir():
            counters.append(counter(int(thread.name)))
            stack.callback(os.close, counters[-1])
        told = load(running, bodies, seconds, CONNECTIONS)
        quiet(vendors)
        counted = sum(int.from_bytes(os.read(one, 8), sys.byteorder) for one in counters)
    # One on each connection is under way when the time is up, and is finished all the same.
    return counted / (told["requests"] + CONNECTIONS)


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modes", nargs="+", choices=[mode.name for mode in MODES])
    parser.add_argument("--seconds", type=int, default=3, help="of load")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gateway-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx gives up its rights
        with upstream(folder, LOAD_CORE) as vendors:
            for mode in MODES:
                if not options.modes or mode.name in options.modes:
                    _print(mode, vendors, folder, options.seconds)


def _print(mode: Mode, vendors: Upstream, folder: Path, seconds: int) -> None:
    bodies = folder / f"{mode.name}.jsonl"
    bodies.write_bytes(b"\n".join(mode.bodies()))
    with started(GATEWAY, mode, vendors.address, folder, CONTENDER_CORE) as running:
        try:
            counted = instructions(running, bodies, vendors, seconds)
        except NoCounterError as error:
            sys.exit(f"Instructions cannot be counted here: {error}.")
    print(f"{mode.name:<10}{counted / 1000:10,.0f} thousand instructions a mutation", flush=True)


if __name__ == "__main__":
    main()
