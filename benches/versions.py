"""Several builds of scx on the same files, in turns: wall time, peak memory, and whether they write the same bytes.

    python benches/versions.py OLD_scx NEW_scx [MORE...] [--cells N] [--rounds N]

Says whether a change made scx slower or larger. Best of 3 rounds on (at most) 2 cores. Files as in the other scripts: 10x HDF5 and
10x folder, h5ad and loom of --cells x 20,000 genes x 1,500 genes a cell (loom: a quarter of the cells), an FCS file of a million
events x 40 channels. Needs h5py, scipy and numpy; no peer runs.
"""

import argparse
import hashlib
import os
import tempfile
from pathlib import Path

import fcs_read
import tenx_h5ad
import timing
from peak import run


def digest(path):
    """Hash of a file; of a folder, of the names and bytes in it."""
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.name.encode())
        with open(file, "rb") as f:
            while part := f.read(1 << 24):
                whole.update(part)
    return whole.hexdigest()[:12]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="+", metavar="PATH")
    parser.add_argument("--cells", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    cores = timing.cores(2)
    programs = [Path(p).resolve() for p in args.programs]
    print(f"{cores} cores of {timing.cpu()}, load average {os.getloadavg()[0]:.1f} before", flush=True)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as place:
        place = Path(place)
        tenx_h5ad.write(place / "in.h5", args.cells)
        fcs_read.make(place / "in.fcs", 1_000_000)
        first = programs[0]
        run([first, "convert", place / "in.h5", place / "in.h5ad", "--quiet"])
        run([first, "convert", place / "in.h5", place / "folder", "--to", "10x-mtx", "--quiet"])
        tenx_h5ad.write(place / "quarter.h5", args.cells // 4)
        run([first, "convert", place / "quarter.h5", place / "in.loom", "--quiet"])
        jobs = {
            "10x h5 to h5ad": ("in.h5", "out.h5ad", []),
            "10x folder to h5ad": ("folder", "out.h5ad", []),
            "h5ad compressed again": ("in.h5ad", "out.h5ad", ["--compression", "gzip:4"]),
            "loom to h5ad": ("in.loom", "out.h5ad", []),
            "FCS to h5ad, not compressed": ("in.fcs", "out.h5ad", ["--compression", "none"]),
        }
        print("| job | " + " | ".join(p.parent.name or str(p) for p in programs) + " | same bytes |\n|---|" + "---|" * (len(programs) + 1))
        for name, (source, target, more) in jobs.items():
            best, bytes_of = {}, {}
            for _ in range(args.rounds):
                for p in programs:
                    out = place / target
                    used = run([p, "convert", place / source, out, "--force", "--quiet", "--no-provenance", *more])
                    best[p] = min(best.get(p, used), used)
                    bytes_of[p] = digest(out)
            cells = " | ".join(f"{best[p].seconds:.2f} s, {best[p].mib:.0f} MiB" for p in programs)
            same = "yes" if len(set(bytes_of.values())) == 1 else "no"
            print(f"| {name} | {cells} | {same} |", flush=True)


if __name__ == "__main__":
    main()
