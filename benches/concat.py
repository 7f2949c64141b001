"""Putting h5ad files one below the other: scx against anndata.concat and anndata.experimental.concat_on_disk.

    python benches/concat.py PATH_OF_scx [CELLS [GENES [GENES_PER_CELL]]]

Three files of CELLS cells; the second lacks a tenth of the genes. Each job runs in a process of its own, file to file,
uncompressed in and out; time and peak memory are those of the process.
"""

import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

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
    import anndata
    import numpy as np
    from scipy import sparse

    folder = Path(folder)
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


def run(command):
    start = time.perf_counter()
    child = subprocess.Popen(command)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"failed: {command}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main():
    scx, *size = sys.argv[1:]
    cells, genes, per_cell = [*map(int, size), 20_000, 20_000, 1_000][:3] if size else (20_000, 20_000, 1_000)
    with tempfile.TemporaryDirectory() as folder:
        # A process of its own: the peak of a child is never below that of the parent it starts from.
        subprocess.run([sys.executable, __file__, "--make", folder, *map(str, (cells, genes, per_cell))], check=True)
        folder = Path(folder)
        files = [str(folder / f"{name}.h5ad") for name in "abc"]
        print(f"3 x {cells} cells, {genes} genes, {per_cell} per cell; anndata {version('anndata')}")
        for join in ("inner", "outer"):
            out = str(folder / "o.h5ad")
            jobs = {
                "scx": [scx, "concat", *files, "-o", out, "--join", join, "--on-duplicate", "suffix", "--force",
                        "--compression", "none", "--memory", "256M", "-q"],
                "anndata.concat": [sys.executable, "-c", MEMORY, join, out, *files],
                "concat_on_disk": [sys.executable, "-c", ON_DISK, join, out, *files],
            }
            best = {}
            for _ in range(3):
                for name, command in jobs.items():
                    Path(out).unlink(missing_ok=True)
                    now = run(command)
                    best[name] = min(best.get(name, now), now)
            for name, (seconds, mib) in best.items():
                print(f"{join}  {name:15}  {seconds:6.2f} s  {mib:6.0f} MiB  {seconds / best['scx'][0]:5.2f} x")


if __name__ == "__main__":
    if sys.argv[1] == "--make":
        make(sys.argv[2], *map(int, sys.argv[3:]))
    else:
        main()
