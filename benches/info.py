"""`scx info` on files of a million cells: the time must not depend on the size.

    python benches/info.py [PATH_OF_scx] [--cells N] [--rounds N]

A 10x HDF5 file, a 10x folder and an h5ad file of the same counts (20 a cell), and a loom file with 21 attributes of cells,
an embedding and a graph of 10 neighbours, of which only a corner of the matrix is filled. Best of 5 rounds, the files in the
cache of the system. There is no peer. Without a path scx is built. Exit code 1 from 0.1 s on.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

import timing
from peak import run

GENES, STORED, NEIGHBOURS, LIMIT = 20_000, 20, 10, 0.1
TEXT = h5py.string_dtype()


def barcodes(cells):
    return np.array([f"AAACCTGAGA{i:09}-1".encode() for i in range(cells)])


def write_10x(path, cells):
    with h5py.File(path, "w") as file:
        m = file.create_group("matrix")
        kept = {"compression": "gzip", "chunks": (80_000,)}
        m.create_dataset("barcodes", data=barcodes(cells), **kept)
        m.create_dataset("indptr", data=np.arange(cells + 1) * STORED, **kept)
        m.create_dataset("indices", data=np.tile(np.arange(STORED) * (GENES // STORED), cells), **kept)
        m.create_dataset("data", data=np.ones(cells * STORED, "i4"), **kept)
        m["shape"] = np.array([GENES, cells], "i4")
        features = m.create_group("features")
        for name in ("id", "name"):
            features[name] = np.array([f"G{i}" for i in range(GENES)], "S16")
        features["feature_type"] = np.array(["Gene Expression"] * GENES, "S16")
        features["genome"] = np.array(["GRCh38"] * GENES, "S8")


def write_loom(path, cells):
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        matrix = {"shape": (GENES, cells), "chunks": (64, 64), "compression": "gzip"}
        file.create_dataset("matrix", dtype="f4", **matrix)[:640, :640] = rng.poisson(1, (640, 640))
        file.create_dataset("layers/spliced", dtype="i4", **matrix)[:64, :64] = 1
        file.create_dataset("attrs/LOOM_SPEC_VERSION", data="3.0.0", dtype=TEXT)
        file.create_dataset("row_attrs/Gene", data=[f"G{i}" for i in range(GENES)], dtype=TEXT)
        kept = {"compression": "gzip"}
        file.create_dataset("col_attrs/CellID", data=barcodes(cells).astype(object), dtype=TEXT, **kept)
        words = np.where(np.arange(cells) % 3 == 0, b"alpha", b"beta").astype(object)
        for i in range(10):
            file.create_dataset(f"col_attrs/text{i}", data=words, dtype=TEXT, **kept)
            file.create_dataset(f"col_attrs/number{i}", data=rng.random(cells), **kept)
        file.create_dataset("col_attrs/umap", data=rng.random((cells, 2)), **kept)
        a = np.repeat(np.arange(cells), NEIGHBOURS)
        b = (a + np.tile(np.arange(NEIGHBOURS), cells)) % cells
        for name, values in (("a", a), ("b", b), ("w", np.ones(len(a)))):
            file.create_dataset(f"col_graphs/knn/{name}", data=values, **kept)


def main():
    args = timing.options(__doc__, cells=1_000_000, rounds=5).parse_args()
    scx = timing.program(args.program)
    print(f"{timing.versions('h5py', scx=scx)}; {args.cells} cells x {GENES} genes", flush=True)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as place:
        place = Path(place)
        files = {"10x h5": place / "a.h5", "10x folder": place / "a", "h5ad": place / "a.h5ad", "loom": place / "a.loom"}
        write_10x(files["10x h5"], args.cells)
        write_loom(files["loom"], args.cells)
        for name, target in (("10x folder", "10x-mtx"), ("h5ad", "h5ad")):
            convert = [scx, "convert", files["10x h5"], files[name], "--to", target, "--quiet"]
            subprocess.run(convert, check=True)
        results, load = timing.in_turns(
            {name: lambda path=path: run([scx, "info", path, "--json"]) for name, path in files.items()}, args.rounds)
    for name, runs in results.items():
        print(f"{name:12}{min(runs).seconds:7.3f} s {min(runs).mib:5.0f} MiB")
    print(f"best of {args.rounds}, {load}")
    return 0 if all(min(runs).seconds < LIMIT for runs in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
