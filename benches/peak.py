"""Time and peak memory of one program, without the memory of whoever asks.

Linux carries the peak of a process over to the program it becomes: a child forked from a large Python reports at least
that Python's size. So a small Python stands between: it starts the program and waits for it. What is below its own few
MiB cannot be told.

    python benches/peak.py      # checks itself
"""

import os
import subprocess
import sys
from typing import NamedTuple

BETWEEN = """
import os, sys, time
begin = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ), 0)
seconds, processor = time.perf_counter() - begin, usage.ru_utime + usage.ru_stime
print(os.waitstatus_to_exitcode(status), seconds, usage.ru_maxrss, processor, file=sys.stderr)
"""


class Used(NamedTuple):
    """Wall seconds first, so that the least of several is the fastest."""

    seconds: float
    mib: float
    processor: float
    text: str


def run(command):
    """Wall seconds, peak memory in MiB, processor seconds and standard output; the program must succeed."""
    command = [sys.executable, "-I", "-S", "-c", BETWEEN, *map(str, command)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    # macOS counts bytes, Linux KiB.
    code, seconds, peak, processor = done.stderr.splitlines()[-1].split()
    assert code == "0", done.stderr
    mib = int(peak) / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return Used(float(seconds), mib, float(processor), done.stdout)


def main():
    large = bytearray(os.urandom(1 << 20) * 300)
    nothing = run(["true"])
    assert nothing.mib < 50, f"{nothing.mib} MiB for a program that does nothing, asked by {len(large) >> 20} MiB"
    some = run([sys.executable, "-c", "x = bytearray(b'1' * (200 << 20)); print('done')"])
    assert 200 < some.mib < 500, f"{some.mib} MiB for a program of 200 MiB"
    assert some.text == "done\n" and 0 < some.processor < 10
    print(f"a program that does nothing: {nothing.seconds:.3f} s, and its peak is not that of this one")


if __name__ == "__main__":
    main()
