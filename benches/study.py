"""A whole study in one command: wall time and peak memory of `scx correct --sheet`, and of one method alone on a large file.

    python benches/study.py [PATH_OF_scx] [--files N] [--events N] [--default]

200 files of 50,000 events x 40 markers, ten runs of one control and 19 samples, written here as FCS 3.1 (1.6 GB, and as much
again for the output). `ambient` must take at most 90 s on two cores and 1 GiB; `--default` also runs the default method. Then
`--method ambient --only` on one sample of a million events: at most 3 s. Needs numpy alone. Without a path scx is built.
Exit code 1 above a limit.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

import timing
from paper_scale import write_fcs
from peak import run

MARKERS, RUNS, LIMIT = 40, 10, 1024  # MiB
SHARES = [[0.3, 0.25, 0.2, 0.15, 0.1], [0.15, 0.2, 0.1, 0.3, 0.25]]


def cells(n, gain, shares, rng):
    levels = np.random.default_rng(7).choice([0.2, 0.6, 2.0, 3.5], (len(shares), MARKERS), p=[0.4, 0.2, 0.2, 0.2])
    population = rng.choice(len(shares), n, p=shares)
    x = 5 * np.sinh(np.maximum(levels[population] + 0.35 * rng.standard_normal((n, MARKERS), dtype="f4"), 0)) * gain
    return np.maximum(x + 0.3 * rng.standard_normal(x.shape, dtype="f4"), 0).astype("<f4")


def make(folder, files, events):
    rng = np.random.default_rng(1)
    rows = ["file,run,control"]
    for k in range(files):
        batch, control = k % RUNS, k < RUNS
        gain = np.exp(0.4 * np.random.default_rng(100 + batch).standard_normal(MARKERS))
        name = f"run{batch}/file{k}.fcs"
        (folder / f"run{batch}").mkdir(exist_ok=True)
        write_fcs(folder / name, cells(events, gain, SHARES[0 if control else 1], rng))
        rows.append(f"{name},{batch},{int(control)}")
    (folder / "study.csv").write_text("\n".join(rows) + "\n")


def study(scx, folder, method, files, events):
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    used = run([scx, "correct", "--sheet", folder / "study.csv", "-o", out, "--json", "--quiet", *method])
    told = json.loads(used.text)
    fit, apply = told["seconds"]["learning"], told["seconds"]["correcting"]
    million = files * events / 1e6
    print(f"{' '.join(method) or 'default method'}: {used.seconds:.1f} s in all, {used.mib:.0f} MiB; learning {fit:.1f} s, correcting "
          f"{apply:.1f} s = {apply / million:.2f} s for each million events; verdict {told['verdict']['level']}", flush=True)
    return used


def main():
    parser = timing.options(__doc__)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--default", action="store_true", help="run the default method, too")
    args = parser.parse_args()
    scx = timing.program(args.program)
    print(f"{timing.versions('numpy', scx=scx)}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before; "
          f"{args.files} files x {args.events:,} events x {MARKERS} markers, {RUNS} runs", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        make(folder, args.files, args.events)
        used = study(scx, folder, ["--method", "ambient"], args.files, args.events)
        failed = used.seconds > 90 or used.mib > LIMIT
        if args.default:
            failed |= study(scx, folder, [], args.files, args.events).mib > LIMIT
        rng = np.random.default_rng(2)
        for name, n, gain in [("c1", 20_000, 1.0), ("c2", 20_000, 1.4), ("sample", 1_000_000 // 4, 1.0)]:
            write_fcs(folder / f"{name}.fcs", cells(n, gain, SHARES[0], rng))
        # An FCS header counts to 99,999,999 bytes: four files of 250,000 events are a million.
        samples = [folder / f"s{i}.fcs" for i in range(4)]
        for s in samples:
            shutil.copy(folder / "sample.fcs", s)
        used = run([scx, "correct", "--spikein", folder / "c1.fcs", folder / "c2.fcs", "--sample", *samples, "-o",
                    folder / "only", "--method", "ambient", "--only", "--quiet"])
        print(f"--method ambient --only, 1 million events x {MARKERS}: {used.seconds:.2f} s, {used.mib:.0f} MiB")
        failed |= used.seconds > 3
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
