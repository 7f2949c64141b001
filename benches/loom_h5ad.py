"""loom to h5ad and back: scx convert against loompy + anndata, both directions in one run.

    python benches/loom_h5ad.py [PATH_OF_scx] [CELLS]

12,500 cells x 20,000 genes x 1,500 genes per cell by default. In turns, best of 3, files in the page cache, on (at most)
2 cores: they should be idle, since scx uses both.
"""

import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import anndata
import loompy
import numpy as np
import scipy.sparse as sp

warnings.filterwarnings("ignore")
GENES, PER_CELL, TIMES = 20_000, 1_500, int(os.environ.get("TIMES", 3))


# A small process starts scx: what a child counts as its peak begins with that of whoever started it.
START = """
import os, sys, time
begin = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ), 0)
print(time.perf_counter() - begin, usage.ru_maxrss / 1024, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def made(cells):
    rng = np.random.default_rng(3)
    # Genes differ in how often they are seen, as in real data.
    odds = rng.gamma(0.3, 1, GENES)
    odds = np.minimum(odds / odds.sum() * PER_CELL, 1)
    odds *= PER_CELL / odds.sum()
    rows = []
    for start in range(0, cells, 500):
        n = min(500, cells - start)
        on = sp.csr_matrix(rng.random((n, GENES), dtype="f4") < odds)
        rows.append(sp.csr_matrix(((1 + rng.geometric(0.5, on.nnz)).astype("f4"), on.indices, on.indptr), on.shape))
    a = anndata.AnnData(sp.vstack(rows, format="csr"))
    a.obs_names = [f"AAAC{i:08d}-1" for i in range(cells)]
    a.var_names = [f"Gene{i}" for i in range(GENES)]
    a.obs["batch"] = np.array(["one", "two"])[np.arange(cells) % 2]
    a.obs_names.name, a.var_names.name = "CellID", "Gene"
    return a


def timed(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def to_h5ad(source, target):
    anndata.io.read_loom(source, sparse=True).write_h5ad(target, compression="gzip")


def to_loom(source, target):
    anndata.read_h5ad(source).write_loom(target)


def main():
    cores = sorted(os.sched_getaffinity(0))[:2]
    os.sched_setaffinity(0, cores)
    scx = sys.argv[1] if len(sys.argv) > 1 else "scx"
    cells = int(sys.argv[2]) if len(sys.argv) > 2 else 12_500

    peaks = []

    def convert(source, target):
        run = subprocess.run([sys.executable, "-c", START, scx, "convert", source, target, "--force", "--quiet"],
                             check=True, capture_output=True, text=True)
        seconds, peak = map(float, run.stderr.splitlines()[-1].split())
        peaks.append(peak)
        return seconds

    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: str(Path(folder) / name)
        a = made(cells)
        total = float(a.X.sum())
        a.write_h5ad(at("in.h5ad"), compression="gzip")
        a.write_loom(at("in.loom"))
        del a
        rounds = []
        for _ in range(TIMES):
            rounds.append((
                convert(at("in.loom"), at("scx.h5ad")),
                convert(at("in.h5ad"), at("scx.loom")),
                timed(lambda: to_h5ad(at("in.loom"), at("peer.h5ad"))),
                timed(lambda: to_loom(at("in.h5ad"), at("peer.loom"))),
            ))
        found = anndata.read_h5ad(at("scx.h5ad"))
        assert sp.issparse(found.X) and abs(float(found.X.sum()) - total) <= 1e-6 * total
        with loompy.connect(at("scx.loom"), "r") as ds:
            assert ds.shape == (GENES, cells) and abs(float(ds[:, :].sum(dtype="f8")) - total) <= 1e-6 * total
        size = lambda name: os.path.getsize(at(name)) / 1e6
        sizes = {name: size(name) for name in ("in.loom", "scx.loom", "peer.loom", "scx.h5ad", "peer.h5ad")}
    to_a, to_l, peer_a, peer_l = map(min, zip(*rounds))
    print(f"{cells} cells x {GENES} genes, {PER_CELL} per cell, {len(cores)} cores, best of {TIMES}, "
          f"load average {os.getloadavg()[0]:.1f}")
    print(f"loompy {loompy.__version__}, anndata {anndata.__version__}, Python {sys.version.split()[0]}")
    print(f"loom to h5ad   peer {peer_a:6.2f} s   scx {to_a:6.2f} s   {peer_a / to_a:.1f} x")
    print(f"h5ad to loom   peer {peer_l:6.2f} s   scx {to_l:6.2f} s   {peer_l / to_l:.1f} x")
    print(f"peak memory of scx {max(peaks):.0f} MB; " + ", ".join(f"{k} {v:.0f} MB" for k, v in sizes.items()))


if __name__ == "__main__":
    main()
