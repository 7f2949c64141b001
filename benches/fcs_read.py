"""Reading 1 million events x 40 channels of big-endian singles: scx against FlowIO and against a plain read.

    python benches/fcs_read.py [PATH_OF_THE_EXAMPLE_fcs_read]

Best of 5 rounds, all from the page cache, on (at most) 2 cores: they should be idle, since scx uses both. Without an argument the example is built.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import flowio
import numpy as np

EVENTS, CHANNELS, TIMES = 1_000_000, 40, 5


def make(path):
    kw = {"$BEGINANALYSIS": 0, "$ENDANALYSIS": 0, "$BEGINSTEXT": 0, "$ENDSTEXT": 0, "$BYTEORD": "4,3,2,1",
          "$DATATYPE": "F", "$MODE": "L", "$NEXTDATA": 0, "$PAR": CHANNELS, "$TOT": EVENTS}
    for i in range(1, CHANNELS + 1):
        kw |= {f"$P{i}B": 32, f"$P{i}E": "0,0", f"$P{i}N": f"Ch{i}", f"$P{i}R": 262144}
    size, begin = EVENTS * CHANNELS * 4, 8192
    kw |= {"$BEGINDATA": begin, "$ENDDATA": begin + size - 1}
    text = ("|" + "".join(f"{k}|{v}|" for k, v in kw.items())).encode()
    # Data beyond 99,999,999 bytes: the offsets are in TEXT alone.
    head = f"FCS3.0    {58:>8}{57 + len(text):>8}{0:>8}{0:>8}{0:>8}{0:>8}".encode()
    x = np.random.default_rng(1).gamma(0.5, 50, (EVENTS, CHANNELS)).astype(">f4")
    with open(path, "wb") as f:
        f.write((head + text).ljust(begin))
        x.tofile(f)
    return x[:, 0].astype(float).sum()


def timed(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main():
    cores = sorted(os.sched_getaffinity(0))[:2]
    os.sched_setaffinity(0, cores)
    root = Path(__file__).resolve().parent.parent
    if len(sys.argv) > 1:
        example = Path(sys.argv[1])
    else:
        subprocess.run(["cargo", "build", "--release", "--quiet", "--example", "fcs_read"], cwd=root, check=True)
        example = Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release/examples/fcs_read"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.fcs"
        total = make(path)
        rounds = []
        # In turns, so that what else the machine does meets all of them alike.
        for _ in range(TIMES):
            out = subprocess.run([example, path, "2"], capture_output=True, text=True, check=True).stdout
            seconds, found = map(float, out.split())
            rounds.append((
                timed(path.read_bytes),
                timed(lambda: flowio.FlowData(str(path)).as_array(preprocess=False)),
                timed(lambda: flowio.FlowData(str(path)).as_array()),
                seconds,
            ))
    plain, raw, full, seconds = map(min, zip(*rounds))
    assert abs(found - total) <= 1e-6 * total, (found, total)
    print(f"{EVENTS} events x {CHANNELS} channels, F, big endian, {len(cores)} cores, best of {TIMES}, "
          f"load average {os.getloadavg()[0]:.1f}")
    print(f"FlowIO {flowio.__version__}, numpy {np.__version__}, Python {sys.version.split()[0]}")
    print(f"plain read of the bytes           {plain:.3f} s")
    print(f"FlowIO open + as_array(raw)       {raw:.3f} s")
    print(f"FlowIO open + as_array()          {full:.3f} s")
    print(f"scx, every event in order         {seconds:.3f} s")
    print(f"scx is {raw / seconds:.1f} x FlowIO raw, {full / seconds:.1f} x FlowIO, "
          f"and takes {seconds / plain:.2f} x the plain read")


if __name__ == "__main__":
    main()
