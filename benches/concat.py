"""Putting h5ad files one below the other: scx against anndata.concat and anndata.experimental.concat_on_disk.

    python benches/concat.py [PATH_OF_scx] [--cells N] [--genes N] [--per-cell N] [--rounds N]

Three files of 20,000 cells x 20,000 genes x 1,000 genes per cell unless told otherwise; the second lacks a tenth of the
genes. Jobs take turns, each in a process of its own with all cores, file to file, uncompressed in and out. Time and
peak memory are those of the process, best of 3 rounds. Without a path scx is built.
"""

import os
import sys
import tempfile
from pathlib import Path

import anndata
import numpy as np
from scipy import sparse

import timing
from peak import run

MEMORY = """
import sys, anndata, warnings
warnings.simplefilter("ignore")
join, out, *files = sys.argv[1:]
of = dict(zip("abc", (anndata.read_h5ad(f) for f in files)))
anndata.concat(of, join=join, label="batch", index_unique="-", merge="same").write_h5ad(out)
"""

ON_DISK = """
import sys, warnings
warnings.simplefilter("ignore")
from anndata.experimental import concat_on_disk
join, out, *files = sys.argv[1:]
concat_on_disk(dict(zip("abc", files)), out, join=join, label="batch", index_unique="-", merge="same")
"""


def make(folder, cells, genes, per_cell):
    rng = np.random.default_rng(0)
    for name in "abc":
        indptr = np.arange(0, (cells + 1) * per_cell, per_cell, dtype=np.int64)
        step = genes // per_cell
        indices = (np.arange(per_cell) * step + rng.integers(0, step, (cells, per_cell))).astype(np.int32).ravel()
        data = rng.poisson(2, cells * per_cell).astype(np.float32) + 1
        a = anndata.AnnData(sparse.csr_matrix((data, indices, indptr), (cells, genes)))
        a.obs_names = [f"c{i}" for i in range(cells)]
        a.var_names = [f"g{i}" for i in range(genes)]
        a.obs["n"] = np.diff(indptr)
        if name == "b":
            a = a[:, genes // 10:].copy()
        a.write_h5ad(folder / f"{name}.h5ad")


def main():
    args = timing.options(__doc__, cells=20_000, genes=20_000, per_cell=1_000, rounds=3).parse_args()
    scx = timing.program(args.program)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        make(folder, args.cells, args.genes, args.per_cell)
        files = [folder / f"{name}.h5ad" for name in "abc"]
        print(f"3 x {args.cells} cells, {args.genes} genes, {args.per_cell} per cell; {os.cpu_count()} cores")
        print(timing.versions("anndata", scx=scx), flush=True)
        for join in ("inner", "outer"):
            out = folder / "o.h5ad"
            commands = {
                "scx": [scx, "concat", *files, "-o", out, "--join", join, "--on-duplicate", "suffix", "--force",
                        "--compression", "none", "--memory", "256M", "-q"],
                "anndata.concat": [sys.executable, "-c", MEMORY, join, out, *files],
                "concat_on_disk": [sys.executable, "-c", ON_DISK, join, out, *files],
            }

            def fresh(command):
                out.unlink(missing_ok=True)
                return run(command)

            jobs = {name: lambda command=command: fresh(command) for name, command in commands.items()}
            results, load = timing.in_turns(jobs, args.rounds)
            least = {name: min(uses) for name, uses in results.items()}
            for name, used in least.items():
                print(f"{join}  {name:15}  {used.seconds:6.2f} s  {used.mib:6.0f} MiB  "
                      f"{used.seconds / least['scx'].seconds:5.2f} x")
            print(f"{join}  {load}", flush=True)


if __name__ == "__main__":
    main()
