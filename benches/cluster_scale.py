"""scx cluster against scanpy on simulated counts: time, memory, agreement.

cargo build --release && python benches/cluster_scale.py [--cells 20000 100000] [--no-peer]
Needs anndata and scipy; scanpy, igraph and scikit-learn for the peer.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anndata as ad
import numpy as np
import scipy.sparse as sp

SCX = Path(os.environ.get("CARGO_TARGET_DIR", "target")) / "release" / "scx"
GENES, KINDS, PER_CELL = 3000, 12, 300


def simulate(cells, path):
    """Cells of several kinds; each kind has its own rates of genes."""
    rng = np.random.default_rng(1)
    rates = rng.gamma(0.3, 1, (KINDS, GENES)) + rng.gamma(0.3, 2, GENES)
    rates[:, rng.choice(GENES, 8)] += 150  # a few genes take a large share of every cell
    rates /= rates.sum(axis=1, keepdims=True)
    kind = rng.choice(KINDS, cells, p=rng.dirichlet(np.full(KINDS, 3)))
    rows, columns = [], []
    for k in range(KINDS):
        of = np.flatnonzero(kind == k)
        rows.append(np.repeat(of, PER_CELL))
        columns.append(rng.choice(GENES, len(of) * PER_CELL, p=rates[k]))
    ones = np.ones(cells * PER_CELL, dtype=np.int32)
    x = sp.csr_matrix((ones, (np.concatenate(rows), np.concatenate(columns))), shape=(cells, GENES))
    x.sum_duplicates()
    a = ad.AnnData(x.astype(np.float32))
    a.obs["kind"] = kind.astype(str)
    a.write_h5ad(path, compression="gzip")


def measured(command):
    start = time.time()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{command[0]}: exit code {child.returncode}")
    return time.time() - start, usage.ru_maxrss / 1024, out


def peer(path):
    """The same steps in scanpy, in a process of its own."""
    code = """
import sys, warnings; warnings.filterwarnings("ignore")
import scanpy as sc
a = sc.read_h5ad(sys.argv[1]); sc.pp.recipe_zheng17(a); sc.pp.pca(a, n_comps=50)
sc.pp.neighbors(a, n_neighbors=15)
sc.tl.leiden(a, flavor="igraph", n_iterations=2, resolution=0.15, key_added="peer")
a.obs[["peer"]].to_csv(sys.argv[2])
"""
    return measured([sys.executable, "-c", code, str(path), str(path) + ".csv"])


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--cells", type=int, nargs="+", default=[20_000, 100_000])
    args.add_argument("--no-peer", action="store_true")
    args = args.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for cells in args.cells:
            path, out = Path(folder) / f"{cells}.h5ad", Path(folder) / f"{cells}_out.h5ad"
            simulate(cells, path)
            seconds, mib, text = measured([SCX, "cluster", path, "-o", out, "--json", "--quiet", "--force"])
            result = json.loads(text)["result"]
            recall = result["recall"]
            print(f"{cells:,} cells: scx {seconds:.1f} s, {mib:.0f} MiB, {len(result['clusters'])} clusters,", end=" ")
            print("exact neighbours" if recall is None else f"recall {recall:.4f}", end="")
            mine = ad.read_h5ad(out, backed="r").obs
            if not args.no_peer:
                import pandas as pd
                import scanpy
                from sklearn.metrics import adjusted_rand_score

                seconds_peer, mib_peer, _ = peer(path)
                theirs = pd.read_csv(str(path) + ".csv", index_col=0)["peer"].to_numpy()
                index = adjusted_rand_score(mine["cluster"], theirs)
                print(f"; scanpy {scanpy.__version__} {seconds_peer:.1f} s, {mib_peer:.0f} MiB,", end=" ")
                print(f"{seconds_peer / seconds:.1f} × the time, ARI {index:.3f}", end="")
            print(flush=True)


if __name__ == "__main__":
    main()
