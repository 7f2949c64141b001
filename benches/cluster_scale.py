"""scx cluster against scanpy on simulated counts: time, peak memory, recall of neighbours, agreement.

    python benches/cluster_scale.py [PATH_OF_scx] [--cells 20000 100000] [--rounds N] [--no-peer]

scanpy does the same steps. Each runs in a process of its own, file to file, with all cores and in turns; the best round
counts. Without a path scx is built. Needs anndata and scipy; scanpy, igraph and scikit-learn for the peer.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import anndata as ad
import numpy as np
import scipy.sparse as sp

import timing
from peak import run

GENES, KINDS, PER_CELL = 3000, 12, 300
PEER = """
import sys, warnings; warnings.filterwarnings("ignore")
import scanpy as sc
a = sc.read_h5ad(sys.argv[1]); sc.pp.recipe_zheng17(a); sc.pp.pca(a, n_comps=50)
sc.pp.neighbors(a, n_neighbors=15)
sc.tl.leiden(a, flavor="igraph", n_iterations=2, resolution=0.15, key_added="peer")
a.obs[["peer"]].to_csv(sys.argv[2])
"""


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


def main():
    parser = timing.options(__doc__, rounds=1)
    parser.add_argument("--cells", type=int, nargs="+", default=[20_000, 100_000], metavar="N")
    parser.add_argument("--no-peer", action="store_true")
    args = parser.parse_args()
    scx = timing.program(args.program)
    peers = [] if args.no_peer else ["scanpy", "igraph", "scikit-learn"]
    print(f"{timing.versions(*peers, 'anndata', scx=scx)}; {os.cpu_count()} cores", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for cells in args.cells:
            path, out, table = (Path(folder) / f"{cells}{end}" for end in (".h5ad", "_out.h5ad", ".csv"))
            simulate(cells, path)
            ours = [scx, "cluster", path, "-o", out, "--json", "--quiet", "--force"]
            jobs = {"scx": lambda: run(ours)}
            if not args.no_peer:
                jobs["peer"] = lambda: run([sys.executable, "-c", PEER, path, table])
            results, load = timing.in_turns(jobs, args.rounds)
            used = min(results["scx"])
            result = json.loads(used.text)["result"]
            recall = result["recall"]
            print(f"{cells:,} cells: scx {used.seconds:.1f} s, {used.mib:.0f} MiB, {len(result['clusters'])} clusters,",
                  "exact neighbours" if recall is None else f"recall {recall:.4f}", end="")
            if not args.no_peer:
                import pandas as pd
                from sklearn.metrics import adjusted_rand_score

                peer = min(results["peer"])
                mine = ad.read_h5ad(out, backed="r").obs
                index = adjusted_rand_score(mine["cluster"], pd.read_csv(table, index_col=0)["peer"].to_numpy())
                print(f"; scanpy {peer.seconds:.1f} s, {peer.mib:.0f} MiB,",
                      f"{peer.seconds / used.seconds:.1f} × the time, ARI {index:.3f}", end="")
            print(f"; {load}", flush=True)


if __name__ == "__main__":
    main()
