"""Reading, copying and compressing a sparse h5ad file: scx against anndata and scanpy, and how scx grows.

    python benches/h5ad_speed.py [read] [recompress] [copy] [tenx] [growth]
                                 [--scx PATH] [--example PATH_OF_THE_EXAMPLE_h5ad_read] [--cells N] [--rounds N]

Best of 3 rounds on (at most) 2 cores, which should be idle; scx and its peer take turns. Time leaves out the imports of
the peer, memory does not. The files (50,000 cells x 20,000 genes, 1,500 genes a cell; four times that for growth) are
made once and kept in the system's folder for temporary files. Without paths both programs are built.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

import timing
from peak import run

GENES, PER_CELL = 20_000, 1_500
FOLDER = Path(tempfile.gettempdir()) / "scx-bench"


def frame(f, name, n):
    g = f.create_group(name)
    g.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "_index"})
    g.attrs["column-order"] = np.array([], dtype="float64")
    names = np.array([f"{name}{i}" for i in range(n)], dtype=object)
    d = g.create_dataset("_index", data=names, dtype=h5py.string_dtype())
    d.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})


def tables_10x(g, cells):
    g.create_dataset("barcodes", data=np.array([f"{i:012d}-1" for i in range(cells)], dtype="S"))
    features = g.create_group("features")
    genes = np.array([f"gene{i}" for i in range(GENES)], dtype="S")
    for name, values in [("id", genes), ("name", genes), ("feature_type", np.full(GENES, b"Gene Expression")),
                         ("genome", np.full(GENES, b"G"))]:
        features.create_dataset(name, data=values)
    features.create_dataset("_all_tag_keys", data=np.array([b"genome"]))
    g.create_dataset("shape", data=np.array([GENES, cells], dtype="int32"))


def make(kind, cells):
    """An h5ad as anndata writes it with gzip, or a 10x file: chunks of 80,000, shuffle, 64-bit indices."""
    path = FOLDER / f"{kind}-{cells}.{'h5' if kind == 'tenx' else 'h5ad'}"
    if not path.exists():
        FOLDER.mkdir(exist_ok=True)
        print(f"making {path}", file=sys.stderr)
        fill(kind, cells, path)
    return path


def fill(kind, cells, path):
    nnz, rng = cells * PER_CELL, np.random.default_rng(0)
    partial = path.with_suffix(".partial")
    with h5py.File(partial, "w") as f:
        if kind == "tenx":
            g, types = f.create_group("matrix"), ("int32", "int64")
            how = dict(compression="gzip", compression_opts=4, shuffle=True, chunks=(80_000,))
            tables_10x(g, cells)
        else:
            f.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
            frame(f, "obs", cells)
            frame(f, "var", GENES)
            g, types = f.create_group("X"), ("float32", "int32")
            g.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
            g.attrs["shape"] = np.array([cells, GENES])
            how = dict(compression="gzip", compression_opts=4)
        g.create_dataset("indptr", data=np.arange(0, nnz + 1, PER_CELL, dtype=types[1]))
        data, indices = (g.create_dataset(n, (nnz,), t, **how) for n, t in zip(("data", "indices"), types))
        for start in range(0, cells, 1600):
            n = min(1600, cells - start)
            # Increasing genes with gaps as of a random choice; the last may not leave the genes there are.
            genes = np.cumsum(rng.geometric(PER_CELL / GENES * 1.08, (n, PER_CELL)), axis=1) - 1
            far = genes[:, -1] >= GENES
            genes[far] = genes[far] * ((GENES - 1) / genes[far, -1:])
            span = slice(start * PER_CELL, (start + n) * PER_CELL)
            indices[span] = genes.ravel()
            data[span] = np.minimum(rng.geometric(0.45, n * PER_CELL), 200)
    partial.rename(path)


PEER = """
import time, warnings
warnings.filterwarnings("ignore")
import anndata, scanpy
t, cpu = time.perf_counter(), time.process_time()
{}
print(time.perf_counter() - t, time.process_time() - cpu)
"""


def peer(work):
    """As `run` for work in Python; imports are not counted."""
    used = run([sys.executable, "-c", PEER.format(work)])
    seconds, processor = map(float, used.text.split()[-2:])
    return used._replace(seconds=seconds, processor=processor)


def compare(rounds, name, ours, theirs):
    results, _ = timing.in_turns({"scx": lambda: run(ours), "peer": lambda: peer(theirs)}, rounds)
    a, b = map(min, results.values())
    print(f"{name:12} scx {a.seconds:6.2f} s ({a.processor:5.2f} s of processor, {a.mib:4.0f} MiB)   "
          f"peer {b.seconds:6.2f} s ({b.processor:5.2f} s, {b.mib:4.0f} MiB)   {b.seconds / a.seconds:5.1f} x",
          flush=True)


def copied(path, rounds):
    """Seconds `cp` takes for the file."""
    return min(run(["cp", path, FOLDER / "cp.out"]) for _ in range(rounds)).seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="*", default=[])
    parser.add_argument("--example", help="the built example h5ad_read")
    parser.add_argument("--scx", help="the built program")
    parser.add_argument("--cells", type=int, default=50_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    args = parser.parse_args()
    jobs = args.jobs or ["read", "recompress", "copy", "tenx", "growth"]
    scx, example = timing.program(args.scx), timing.program(args.example, "h5ad_read")
    print(timing.versions("anndata", "scanpy", "h5py", scx=scx))
    print(f"{args.cells:,} cells, {timing.cores(2)} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    convert = [scx, "convert", "--force", "--quiet"]
    out, again = FOLDER / "scx.out.h5ad", FOLDER / "peer.out.h5ad"
    if "read" in jobs:
        path = make("h5ad", args.cells)
        compare(args.rounds, "read", [example, "keep", path], f"anndata.read_h5ad({str(path)!r})")
    if "recompress" in jobs:
        path = make("h5ad", args.cells)
        # The stored level is 4, anndata's own default for gzip: asked for another, every chunk is encoded again.
        work = f"anndata.read_h5ad({str(path)!r}).write_h5ad({str(again)!r}, compression='gzip')"
        compare(args.rounds, "recompress", [*convert, path, out, "--compression", "gzip:5"], work)
        print(f"{'':12} bytes: scx {out.stat().st_size:,}, peer {again.stat().st_size:,}")
    if "copy" in jobs:
        path = make("h5ad", args.cells)
        work = f"anndata.read_h5ad({str(path)!r}).write_h5ad({str(again)!r}, compression='gzip')"
        compare(args.rounds, "copy", [*convert, path, out], work)
        print(f"{'':12} cp takes {copied(path, args.rounds):.2f} s")
    if "tenx" in jobs:
        path = make("tenx", args.cells)
        work = f"scanpy.read_10x_h5({str(path)!r}).write_h5ad({str(again)!r}, compression='gzip')"
        compare(args.rounds, "10x to h5ad", [*convert, path, out], work)
        print(f"{'':12} cp takes {copied(path, args.rounds):.2f} s")
    if "growth" in jobs:
        for cells in (args.cells, 4 * args.cells):
            path = make("h5ad", cells)
            for name, command in [("read", [example, "walk", path]), ("copy", [*convert, path, out]),
                                  ("recompress", [*convert, path, out, "--compression", "gzip:5"])]:
                used = min(run(command) for _ in range(args.rounds))
                print(f"growth {name:10} {cells * PER_CELL / 1e6:6.0f} M entries {used.seconds:7.2f} s "
                      f"({used.processor:6.2f} s of processor, {used.mib:4.0f} MiB)", flush=True)
    for left in (out, again, FOLDER / "cp.out"):
        left.unlink(missing_ok=True)
    print(f"load average {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main()
