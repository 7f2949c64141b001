"""A 10x HDF5 file to h5ad: scx against scanpy in the same run.

    python benches/tenx_h5ad.py [PATH_OF_scx] [--cells N] [--rounds N]

50,000 cells x 20,000 genes x 1,500 genes a cell unless told otherwise, in chunks of 80,000 with gzip 4 as Cell Ranger
does. scanpy reads the file and writes h5ad with gzip; scx does the same by default, where stored chunks may be copied
as they are. Beside both stands `cp`. All take turns on (at most) 2 cores, best of 3 rounds. Without a path scx is
built. Exit code 1 below 20 times or above 300 MB.
"""

import os
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

import timing
from peak import run
from tenx_common import GENES, PEERS, counts, names, report

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
    print(f"{cells} cells x {GENES} genes, {x.nnz} entries, {path.stat().st_size >> 20} MiB", flush=True)


def main():
    args = timing.options(__doc__, cells=50_000, rounds=3).parse_args()
    scx = timing.program(args.program)
    print(f"{timing.versions(*PEERS, scx=scx)}; {timing.cores(2)} cores", flush=True)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as place:
        place = Path(place)
        path, made = place / "in.h5", place / "scx.h5ad"
        write(path, args.cells)
        convert = [scx, "convert", path, made, "--force", "--quiet"]
        results, load = timing.in_turns({
            "scx": lambda: run(convert),
            "again": lambda: run([*convert, "--compression", "gzip:4"]),
            "cp": lambda: run(["cp", path, place / "copy.h5"]),
            "peer": lambda: run([sys.executable, "-c", PEER, path, place / "peer.h5ad"]),
        }, args.rounds)
    ours, again, copy, peer = map(min, results.values())
    fine = report("10x HDF5 to h5ad", ours, peer, 20)
    report("the same, compressed again", again, peer, 1)
    print(f"cp: {copy.seconds:.2f} s ({ours.seconds / copy.seconds:.1f} x)")
    print(f"best of {args.rounds}, {load}")
    return 0 if fine and ours.mib * 2**20 <= 300e6 else 1


if __name__ == "__main__":
    sys.exit(main())
