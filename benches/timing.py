"""Timing of scx beside its peers: which program, which versions and cores, and turns between the two.

Shared by the scripts here; peak memory is in `peak.py`.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELEASE = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "release"


def options(about, **numbers):
    """Parser of a command line: the path of the program to measure, and whole numbers with their defaults."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", metavar="PATH", help="the program to measure; built if not given")
    for name, default in numbers.items():
        parser.add_argument("--" + name.replace("_", "-"), type=int, default=default, metavar="N")
    return parser


def program(path, example=None):
    """Absolute path of scx or of an example; cargo builds it if no path is given."""
    if path:
        return Path(path).resolve()
    what = ["--example", example] if example else ["--bin", "scx"]
    subprocess.run(["cargo", "build", "--release", "--quiet", *what], cwd=ROOT, check=True)
    return RELEASE / "examples" / example if example else RELEASE / "scx"


def versions(*packages, scx=None):
    """Versions of peers and of Python, and of scx if its path is given."""
    own = [subprocess.check_output([scx, "--version"], text=True).strip()] if scx else []
    return ", ".join([*own, *(f"{p} {version(p)}" for p in packages), f"Python {platform.python_version()}"])


def cores(most):
    """Keeps this process and what it starts on so many cores at most, and says on how many."""
    chosen = sorted(os.sched_getaffinity(0))[:most]
    os.sched_setaffinity(0, chosen)
    return len(chosen)


def cpu():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def in_turns(jobs, rounds):
    """What each job returned in each round, and the load averages in words.

    Every round does every job, so that what else the machine does meets all of them alike.
    """
    results = {name: [] for name in jobs}
    loads = [os.getloadavg()[0]]
    for _ in range(rounds):
        for name, job in jobs.items():
            results[name].append(job())
        loads.append(os.getloadavg()[0])
    return results, f"load average {loads[0]:.1f} before, up to {max(loads):.1f} meanwhile"


def timed(action):
    """Seconds that an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def per_step(step, warm_up, steps):
    """Mean seconds of a step, which is told its number, after some that do not count."""
    for k in range(warm_up):
        step(k)
    start = time.perf_counter()
    for k in range(steps):
        step(warm_up + k)
    return (time.perf_counter() - start) / steps


def numbers(command, threads=None):
    """The numbers on the last line a program prints; rayon gets so many threads."""
    env = os.environ | ({"RAYON_NUM_THREADS": str(threads)} if threads else {})
    out = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, text=True, check=True, env=env).stdout
    return [float(n) for n in out.splitlines()[-1].split()]


def beside_torch(scx, rounds, *case):
    """PyTorch with plain and fused Adam, and scx, in turns on one and on two threads, each in a process of its own.

    `scx` gives the command for a number of threads. For PyTorch a script starts itself again with its own arguments and
    `--torch [CASE] THREADS plain|fused`. Both print the figure first. Results are by name and threads.
    """
    jobs = {}
    for threads in (1, 2):
        for name, adam in (("PyTorch, Adam", "plain"), ("PyTorch, fused Adam", "fused")):
            command = [sys.executable, *sys.argv, "--torch", *case, threads, adam]
            jobs[name, threads] = lambda command=command: numbers(command)[0]
        jobs["scx", threads] = lambda command=scx(threads): numbers(command)[0]
    return in_turns(jobs, rounds)


def by_threads(results, form, best=min):
    """Prints the best results of `beside_torch` and gives the best of each name on one or two threads."""
    print(f"{'':22}{'1 thread':>10}{'2 threads':>11}")
    top = {}
    for name in dict.fromkeys(name for name, _ in results):
        one, two = best(results[name, 1]), best(results[name, 2])
        top[name] = best(one, two)
        print(f"{name:22}{one:10{form}}{two:11{form}}")
    return top
