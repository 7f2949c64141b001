"""A 10x HDF5 file to h5ad: scx against scanpy in the same run.

    python benches/tenx_h5ad.py [PATH_OF_scx] [CELLS]

50,000 cells x 20,000 genes x 1,500 genes a cell unless told otherwise, in chunks of 80,000 with gzip 4 as Cell Ranger does. scanpy
reads the file and writes h5ad with gzip; scx does the same by default, where stored chunks may be copied as they are. Beside
both stands `cp`. Exit code 1 below 20 times or above 300 MB.
"""

import os
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

from tenx_common import GENES, apart, binary, counts, names, report, run, versions

PEER = """
import sys, scanpy as sc
sc.read_10x_h5(sys.argv[1]).write_h5ad(sys.argv[2], compression="gzip")
"""


def write(path, cells):
    x = counts(cells)
    barcodes, ids, symbols = names(cells)
    how = {"chunks": (80_000,), "compression": "gzip", "shuffle": True}
    with h5py.File(path, "w") as f:
        f.attrs["filetype"], f.attrs["version"] = "matrix", 2
        g = f.create_group("matrix")
        g["barcodes"] = np.array(barcodes, "S")
        g.create_dataset("data", data=x.data, **how)
        g.create_dataset("indices", data=x.indices.astype(np.int64), **how)
        g.create_dataset("indptr", data=x.indptr.astype(np.int64), **how | {"chunks": (min(80_000, len(x.indptr)),)})
        g["shape"] = np.array([GENES, x.shape[0]], np.int32)
        features = g.create_group("features")
        for name, values in (("id", ids), ("name", symbols), ("feature_type", ["Gene Expression"] * GENES),
                             ("genome", ["GRCh38"] * GENES), ("_all_tag_keys", ["genome"])):
            features[name] = np.array(values, "S")
    print(f"{cells} cells x {GENES} genes, {x.nnz} entries, {path.stat().st_size >> 20} MiB")


def main():
    cells = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
    scx = binary()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    versions()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as place:
        place = Path(place)
        path = place / "in.h5"
        apart(write, path, cells)
        ours = min(run([scx, "convert", path, place / "scx.h5ad", "--force", "--quiet"]) for _ in range(3))
        again = min(run([scx, "convert", path, place / "scx.h5ad", "--compression", "gzip:4", "--force", "--quiet"])
                    for _ in range(3))
        copy = min(run(["cp", path, place / "copy.h5"]) for _ in range(3))
        peer = run([sys.executable, "-c", PEER, path, place / "peer.h5ad"])
        fine = report("10x HDF5 to h5ad", ours, peer, 20)
        report("the same, compressed again", again, peer, 1)
        print(f"cp: {copy[0]:.2f} s ({ours[0] / copy[0]:.1f} x)")
        sys.exit(0 if fine and ours[1] <= 300e6 else 1)


main()
