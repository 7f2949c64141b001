"""Time and peak memory of one program, without the memory of whoever asks.

Linux carries the peak of a process over to the program it becomes: a child forked from a large Python reports at least
that Python's size. So a small Python stands between: it starts the program and waits for it. What is below its own few
MiB cannot be told.

    python benches/peak.py      # checks itself
"""

import os
import subprocess
import sys

BETWEEN = """
import os, sys, time
begin = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ), 0)
print(os.waitstatus_to_exitcode(status), time.perf_counter() - begin, usage.ru_maxrss, file=sys.stderr)
"""


def run(command):
    """Seconds and peak memory in MiB; the program must succeed."""
    command = [sys.executable, "-I", "-S", "-c", BETWEEN, *map(str, command)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    code, seconds, peak = done.stderr.splitlines()[-1].split()
    assert code == "0", done.stderr
    # macOS counts bytes, Linux KiB.
    return float(seconds), int(peak) / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main():
    large = bytearray(os.urandom(1 << 20) * 300)
    seconds, peak = run(["true"])
    assert peak < 50, f"{peak} MiB for a program that does nothing, asked by one of {len(large) >> 20} MiB"
    _, peak = run([sys.executable, "-c", "x = bytearray(b'1' * (200 << 20))"])
    assert 200 < peak < 500, f"{peak} MiB for a program of 200 MiB"
    print(f"a program that does nothing: {seconds:.3f} s, and its peak is not that of this one")


if __name__ == "__main__":
    main()
