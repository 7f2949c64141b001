"""A 10x folder of text to h5ad and back: scx against scanpy in the same run.

    python benches/mtx_h5ad.py [PATH_OF_scx] [--cells N] [--rounds N]

50,000 cells x 20,000 genes x 1,500 genes a cell unless told otherwise, written as Cell Ranger does. scanpy reads the
folder and writes h5ad with gzip; scx does the same, in turns with it, on (at most) 2 cores, best of 3 rounds. Then scx
writes a folder from the h5ad. Peak memory is that of each process. Without a path scx is built. Exit code 1 below 8
times.
"""

import gzip
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import scipy.io

import timing
from peak import run
from tenx_common import GENES, PEERS, counts, names, report

PEER = """
import sys, scanpy as sc
sc.read_10x_mtx(sys.argv[1]).write_h5ad(sys.argv[2], compression="gzip")
"""


def write(folder, cells):
    x = counts(cells)
    barcodes, ids, symbols = names(cells)
    # Sorted by cell as Cell Ranger's are: a CSC of genes x cells in the order of its entries.
    scipy.io.mmwrite(folder / "matrix.mtx", x.T.tocsc().tocoo(), field="integer")
    subprocess.run(["gzip", "-6", "-n", folder / "matrix.mtx"], check=True)
    (folder / "barcodes.tsv.gz").write_bytes(gzip.compress("".join(f"{b}\n" for b in barcodes).encode()))
    lines = "".join(f"{i}\t{s}\tGene Expression\n" for i, s in zip(ids, symbols))
    (folder / "features.tsv.gz").write_bytes(gzip.compress(lines.encode()))
    size = (folder / "matrix.mtx.gz").stat().st_size
    print(f"{cells} cells x {GENES} genes, {x.nnz} entries, {size >> 20} MiB of gzip", flush=True)


def main():
    args = timing.options(__doc__, cells=50_000, rounds=3).parse_args()
    scx = timing.program(args.program)
    print(f"{timing.versions(*PEERS, scx=scx)}; {timing.cores(2)} cores", flush=True)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as place:
        place = Path(place)
        folder, made = place / "in", place / "scx.h5ad"
        folder.mkdir()
        write(folder, args.cells)
        results, load = timing.in_turns({
            "scx": lambda: run([scx, "convert", folder, made, "--compression", "gzip:4", "--force", "--quiet"]),
            "peer": lambda: run([sys.executable, "-c", PEER, folder, place / "peer.h5ad"]),
        }, args.rounds)
        back = run([scx, "convert", made, place / "back", "--to", "10x-mtx", "--quiet"])
        fine = report("10x folder to h5ad", min(results["scx"]), min(results["peer"]), 8)
        print(f"h5ad to 10x folder: scx {back.seconds:.2f} s, {back.mib:.0f} MiB")
        print(f"best of {args.rounds}, {load}")
        return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
