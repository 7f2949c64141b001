"""A raw 10x HDF5 file with millions of barcodes: scx info, check and convert against scanpy in the same run.

    python benches/raw_barcodes.py [PATH_OF_scx] [--barcodes N] [--rounds N]

6.8 million barcodes x 36,601 genes unless told otherwise, as Cell Ranger writes them for a 3' v3 chip: most barcodes
caught a few molecules, five thousand are cells. scanpy reads the file (info, check) and writes h5ad (convert). All take
turns on (at most) 2 cores. Without a path scx is built. Exit code 1 when scx is slower than scanpy or takes more than
400 MB in any of the three.
"""

import os
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

import timing
from peak import run
from tenx_common import PEERS

GENES, CELLS = 36_601, 5_000
READ = "import sys, scanpy as sc\nsc.read_10x_h5(sys.argv[1])"
CONVERT = READ + ".write_h5ad(sys.argv[2], compression='gzip')"


def barcodes(n):
    """Different barcodes of 16 letters in order, as Cell Ranger lists them."""
    number = np.arange(n, dtype=np.uint64) * np.uint64(2**32 // n)
    letters = np.frombuffer(b"ACGT", np.uint8)
    out = np.empty((n, 18), np.uint8)
    for i in range(16):
        out[:, i] = letters[(number >> np.uint64(2 * (15 - i))) & np.uint64(3)]
    out[:, 16:] = np.frombuffer(b"-1", np.uint8)
    return out.view("S18").ravel()


def write(path, n, seed=1):
    rng = np.random.default_rng(seed)
    genes = np.minimum(rng.geometric(0.12, n), 400)
    genes[rng.choice(n, min(CELLS, n), replace=False)] = 2_500
    indptr = np.concatenate([[0], np.cumsum(genes)]).astype(np.int64)
    how = {"chunks": (80_000,), "compression": "gzip", "compression_opts": 1, "shuffle": True}
    with h5py.File(path, "w") as f:
        f.attrs["filetype"], f.attrs["version"] = "matrix", 2
        g = f.create_group("matrix")
        g.create_dataset("barcodes", data=barcodes(n), **how)
        data = g.create_dataset("data", shape=(indptr[-1],), dtype=np.int32, **how)
        indices = g.create_dataset("indices", shape=(indptr[-1],), dtype=np.int64, **how)
        for start in range(0, n, 400_000):
            own = genes[start : start + 400_000]
            # Each barcode's genes: one in each of as many equal parts of all genes.
            place = np.arange(own.sum()) - np.repeat(np.cumsum(own) - own, own)
            width = GENES / np.repeat(own, own)
            at = slice(indptr[start], indptr[start + len(own)])
            indices[at] = ((place + rng.random(len(place))) * width).astype(np.int64)
            data[at] = rng.geometric(0.8, len(place))
        g.create_dataset("indptr", data=indptr, **how)
        g["shape"] = np.array([GENES, n], np.int32)
        features = g.create_group("features")
        for name, values in (("id", [f"ENSG{i:011d}" for i in range(GENES)]), ("name", [f"Gene{i}" for i in range(GENES)]),
                             ("feature_type", ["Gene Expression"] * GENES), ("genome", ["GRCh38"] * GENES),
                             ("_all_tag_keys", ["genome"])):
            features[name] = np.array(values, "S")
    print(f"{n} barcodes x {GENES} genes, {indptr[-1]} entries, {path.stat().st_size >> 20} MiB", flush=True)


def main():
    args = timing.options(__doc__, barcodes=6_800_000, rounds=1).parse_args()
    scx = timing.program(args.program)
    print(f"{timing.versions(*PEERS, scx=scx)}; {timing.cores(2)} cores", flush=True)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as place:
        place = Path(place)
        path, made = place / "raw.h5", place / "scx.h5ad"
        write(path, args.barcodes)
        results, load = timing.in_turns({
            "info": lambda: run([scx, "info", path]),
            "check": lambda: run([scx, "check", path]),
            "convert": lambda: run([scx, "convert", path, made, "--force", "--quiet"]),
            "read": lambda: run([sys.executable, "-c", READ, path]),
            "write": lambda: run([sys.executable, "-c", CONVERT, path, place / "peer.h5ad"]),
        }, args.rounds)
    best = {name: min(all) for name, all in results.items()}
    fine = True
    for verb, peer in (("info", "read"), ("check", "read"), ("convert", "write")):
        ours, theirs = best[verb], best[peer]
        print(f"{verb}: scx {ours.seconds:.2f} s, {ours.mib:.0f} MiB; scanpy {theirs.seconds:.2f} s, {theirs.mib:.0f} MiB; "
              f"{theirs.seconds / ours.seconds:.1f} x as fast, {theirs.mib / ours.mib:.1f} x less memory")
        fine = fine and ours.seconds <= theirs.seconds and ours.mib * 2**20 <= 400e6
    print(f"best of {args.rounds}, {load}")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
