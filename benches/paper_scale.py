"""The published job at its published size, file to file: wall time and peak memory of `scx correct`.

    python benches/paper_scale.py [PATH_OF_scx] [--cells CONTROL1 CONTROL2 SAMPLE] [--epochs N]

Two controls of 18,919 and 22,802 cells and a sample of 94,556, 35 markers each, written here as FCS 3.1; 20 epochs,
both presets, all cores. There is no peer: the limit is 1 GiB. Needs numpy alone. Without a path scx is built. Exit
code 1 above the limit.
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np

import timing
from peak import run

CELLS = {"control1": 18_919, "control2": 22_802, "sample": 94_556}
MARKERS, LIMIT = 35, 1024  # MiB


def cells(n, gain, shares, rng):
    """Populations with levels of their own on the arcsinh scale, seen through a gain per marker."""
    levels = np.random.default_rng(7).choice([0.2, 0.6, 2.0, 3.5], (len(shares), MARKERS), p=[0.4, 0.2, 0.2, 0.2])
    population = rng.choice(len(shares), n, p=shares)
    x = 5 * np.sinh(np.maximum(levels[population] + 0.35 * rng.standard_normal((n, MARKERS)), 0)) * gain
    return np.maximum(x + rng.normal(0, 0.3, x.shape), 0).astype("<f4")


def write_fcs(path, x):
    n, p = x.shape
    kw = {"$BEGINANALYSIS": 0, "$ENDANALYSIS": 0, "$BEGINSTEXT": 0, "$ENDSTEXT": 0, "$BYTEORD": "1,2,3,4",
          "$DATATYPE": "F", "$MODE": "L", "$NEXTDATA": 0, "$PAR": p, "$TOT": n}
    for i in range(p):
        mass = 141 + i
        kw |= {f"$P{i + 1}B": 32, f"$P{i + 1}E": "0,0", f"$P{i + 1}R": int(x[:, i].max()) + 1,
               f"$P{i + 1}N": f"Ch{mass}Di", f"$P{i + 1}S": f"M{i + 1:02}"}
    begin = 8192
    end = begin + x.nbytes - 1
    kw |= {"$BEGINDATA": begin, "$ENDDATA": end}
    text = ("|" + "".join(f"{k}|{v}|" for k, v in kw.items())).encode()
    assert end < 100_000_000 and 58 + len(text) <= begin
    head = f"FCS3.1    {58:>8}{57 + len(text):>8}{begin:>8}{end:>8}{0:>8}{0:>8}".encode()
    path.write_bytes((head + text).ljust(begin) + x.tobytes())


def main():
    parser = timing.options(__doc__, epochs=20)
    parser.add_argument("--cells", type=int, nargs=3, default=[*CELLS.values()], metavar="N")
    args = parser.parse_args()
    scx = timing.program(args.program)
    print(f"{timing.versions('numpy', scx=scx)}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before; "
          f"{' + '.join(f'{n:,}' for n in args.cells)} cells x {MARKERS} markers, {args.epochs} epochs", flush=True)
    rng = np.random.default_rng(1)
    gain = np.exp(0.4 * rng.standard_normal(MARKERS))
    shares = {"control": [0.3, 0.25, 0.2, 0.15, 0.1], "sample": [0.15, 0.2, 0.1, 0.3, 0.25]}
    worst = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name, n in zip(CELLS, args.cells):
            there = 1 if name == "control2" else gain
            write_fcs(folder / f"{name}.fcs", cells(n, there, shares[name.rstrip("12")], rng))
        for preset in ("paper", "default"):
            out = folder / f"{preset}.fcs"
            used = run([
                scx, "correct", "--spikein", folder / "control1.fcs", folder / "control2.fcs",
                "--sample", folder / "sample.fcs", "-o", out, "--preset", preset, "--epochs", args.epochs, "--quiet",
            ])
            assert out.stat().st_size > args.cells[2] * MARKERS * 4
            worst = max(worst, used.mib)
            print(f"--preset {preset:8} {used.seconds:7.1f} s   peak {used.mib:6.0f} MiB", flush=True)
    print(f"limit 1 GiB: {'kept' if worst <= LIMIT else 'BROKEN'} ({worst / LIMIT:.2f} of it)")
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
