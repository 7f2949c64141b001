"""loom to h5ad and back: scx convert against loompy + anndata, both directions in one run.

    python benches/loom_h5ad.py [PATH_OF_scx] [--cells N] [--rounds N]

12,500 cells x 20,000 genes x 1,500 genes per cell by default. In turns, best of 3, files in the page cache, on (at
most) 2 cores: they should be idle, since scx uses both. The peer runs in this process, so that its imports are not
counted; peak memory is that of scx (`peak.py`). Without a path scx is built.
"""

import os
import tempfile
import warnings
from pathlib import Path

import anndata
import loompy
import numpy as np
import scipy.sparse as sp

import timing
from peak import run

warnings.filterwarnings("ignore")
GENES, PER_CELL = 20_000, 1_500


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


def to_h5ad(source, target):
    anndata.io.read_loom(source, sparse=True).write_h5ad(target, compression="gzip")


def to_loom(source, target):
    anndata.read_h5ad(source).write_loom(target)


def main():
    args = timing.options(__doc__, cells=12_500, rounds=3).parse_args()
    scx, cores = timing.program(args.program), timing.cores(2)

    def convert(source, target):
        return run([scx, "convert", source, target, "--force", "--quiet"])

    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: str(Path(folder) / name)
        a = made(args.cells)
        total = float(a.X.sum())
        a.write_h5ad(at("in.h5ad"), compression="gzip")
        a.write_loom(at("in.loom"))
        del a
        results, load = timing.in_turns({
            "scx to h5ad": lambda: convert(at("in.loom"), at("scx.h5ad")),
            "scx to loom": lambda: convert(at("in.h5ad"), at("scx.loom")),
            "peer to h5ad": lambda: timing.timed(lambda: to_h5ad(at("in.loom"), at("peer.h5ad"))),
            "peer to loom": lambda: timing.timed(lambda: to_loom(at("in.h5ad"), at("peer.loom"))),
        }, args.rounds)
        found = anndata.read_h5ad(at("scx.h5ad"))
        assert sp.issparse(found.X) and abs(float(found.X.sum()) - total) <= 1e-6 * total
        with loompy.connect(at("scx.loom"), "r") as ds:
            assert ds.shape == (GENES, args.cells) and abs(float(ds[:, :].sum(dtype="f8")) - total) <= 1e-6 * total
        size = lambda name: os.path.getsize(at(name)) / 1e6
        sizes = {name: size(name) for name in ("in.loom", "scx.loom", "peer.loom", "scx.h5ad", "peer.h5ad")}
    to_a, to_l, peer_a, peer_l = map(min, results.values())
    peak = max(used.mib for used in results["scx to h5ad"] + results["scx to loom"])
    print(f"{args.cells} cells x {GENES} genes, {PER_CELL} per cell, {cores} cores, best of {args.rounds}, {load}")
    print(timing.versions("loompy", "anndata", scx=scx))
    print(f"loom to h5ad   peer {peer_a:6.2f} s   scx {to_a.seconds:6.2f} s   {peer_a / to_a.seconds:.1f} x")
    print(f"h5ad to loom   peer {peer_l:6.2f} s   scx {to_l.seconds:6.2f} s   {peer_l / to_l.seconds:.1f} x")
    print(f"peak memory of scx {peak:.0f} MiB; " + ", ".join(f"{k} {v:.0f} MB" for k, v in sizes.items()))


if __name__ == "__main__":
    main()
