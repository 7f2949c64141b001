"""Reading 1 million events x 40 channels of big-endian singles: scx against FlowIO and against a plain read.

    python benches/fcs_read.py [PATH_OF_THE_EXAMPLE_fcs_read] [--events N] [--rounds N]

In turns, best of 5 rounds, all from the page cache, on (at most) 2 cores: they should be idle, since scx uses both.
FlowIO runs in this process, so that its import is not counted. Without a path the example is built.
"""

import tempfile
from pathlib import Path

import flowio
import numpy as np

import timing

EVENTS, CHANNELS = 1_000_000, 40


def make(path, events):
    kw = {"$BEGINANALYSIS": 0, "$ENDANALYSIS": 0, "$BEGINSTEXT": 0, "$ENDSTEXT": 0, "$BYTEORD": "4,3,2,1",
          "$DATATYPE": "F", "$MODE": "L", "$NEXTDATA": 0, "$PAR": CHANNELS, "$TOT": events}
    for i in range(1, CHANNELS + 1):
        kw |= {f"$P{i}B": 32, f"$P{i}E": "0,0", f"$P{i}N": f"Ch{i}", f"$P{i}R": 262144}
    begin = 8192
    end = begin + events * CHANNELS * 4 - 1
    kw |= {"$BEGINDATA": begin, "$ENDDATA": end}
    text = ("|" + "".join(f"{k}|{v}|" for k, v in kw.items())).encode()
    # Of data beyond 99,999,999 bytes the offsets are in TEXT alone.
    first, last = (begin, end) if end <= 99_999_999 else (0, 0)
    head = f"FCS3.0    {58:>8}{57 + len(text):>8}{first:>8}{last:>8}{0:>8}{0:>8}".encode()
    x = np.random.default_rng(1).gamma(0.5, 50, (events, CHANNELS)).astype(">f4")
    with open(path, "wb") as f:
        f.write((head + text).ljust(begin))
        x.tofile(f)
    return x[:, 0].astype(float).sum()


def main():
    args = timing.options(__doc__, events=EVENTS, rounds=5).parse_args()
    example, cores = timing.program(args.program, "fcs_read"), timing.cores(2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.fcs"
        total = make(path, args.events)
        results, load = timing.in_turns({
            "read": lambda: timing.timed(path.read_bytes),
            "raw": lambda: timing.timed(lambda: flowio.FlowData(str(path)).as_array(preprocess=False)),
            "full": lambda: timing.timed(lambda: flowio.FlowData(str(path)).as_array()),
            "scx": lambda: timing.numbers([example, path, 2]),
        }, args.rounds)
    plain, raw, full, (seconds, found) = map(min, results.values())
    assert abs(found - total) <= 1e-6 * total, (found, total)
    print(f"{args.events} events x {CHANNELS} channels, F, big endian, {cores} cores, best of {args.rounds}, {load}")
    print(timing.versions("FlowIO", "numpy"))
    print(f"plain read of the bytes           {plain:.3f} s")
    print(f"FlowIO open + as_array(raw)       {raw:.3f} s")
    print(f"FlowIO open + as_array()          {full:.3f} s")
    print(f"scx, every event in order         {seconds:.3f} s")
    print(f"scx is {raw / seconds:.1f} x FlowIO raw, {full / seconds:.1f} x FlowIO, "
          f"and takes {seconds / plain:.2f} x the plain read")


if __name__ == "__main__":
    main()
