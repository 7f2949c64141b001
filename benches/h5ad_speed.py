"""Reading, copying and compressing a sparse h5ad file: scx against anndata and scanpy, and how scx grows.

    python benches/h5ad_speed.py [read] [recompress] [copy] [tenx] [growth] [--scx PATH] [--example PATH] [--cells N]

Best of 3 rounds on (at most) 2 cores, which should be idle; scx and its peer take turns. The files (50,000 cells x
20,000 genes, 1,500 genes a cell; four times that for growth) are made once and kept in the system's folder for temporary
files.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Heavy modules are imported where they are needed: a child's peak memory is never below that of its parent.
GENES, PER_CELL, TIMES = 20_000, 1_500, 3
FOLDER = Path(tempfile.gettempdir()) / "scx-bench"


def frame(f, name, n):
    import h5py
    import numpy as np
    g = f.create_group(name)
    g.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "_index"})
    g.attrs["column-order"] = np.array([], dtype="float64")
    names = np.array([f"{name}{i}" for i in range(n)], dtype=object)
    d = g.create_dataset("_index", data=names, dtype=h5py.string_dtype())
    d.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})


def tables_10x(g, cells):
    import numpy as np
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
    if path.exists():
        return path
    FOLDER.mkdir(exist_ok=True)
    print(f"making {path}", file=sys.stderr)
    # In a process of its own, for the same reason.
    code = f"import h5ad_speed as b, pathlib; b.fill({kind!r}, {cells}, pathlib.Path({str(path)!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=True)
    return path


def fill(kind, cells, path):
    import h5py
    import numpy as np
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


def run(command):
    """Wall seconds, processor seconds and peak memory in MiB of a command."""
    start = time.perf_counter()
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    pid = os.posix_spawnp(str(command[0]), [str(c) for c in command], os.environ, file_actions=silent)
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"failed: {command}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


PEER = """
import resource, time, warnings
warnings.filterwarnings("ignore")
import anndata, scanpy
t, cpu = time.perf_counter(), time.process_time()
{}
print(time.perf_counter() - t, time.process_time() - cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def peer(work):
    """As `run` for work in Python; imports are not counted."""
    out = subprocess.run([sys.executable, "-c", PEER.format(work)], capture_output=True, text=True, check=True).stdout
    return tuple(map(float, out.split()[-3:]))


def compare(name, ours, theirs):
    rounds = [(run(ours), peer(theirs)) for _ in range(TIMES)]
    (a, a_cpu, a_mem), (b, b_cpu, b_mem) = (min(r[i] for r in rounds) for i in (0, 1))
    print(f"{name:12} scx {a:6.2f} s ({a_cpu:5.2f} s of processor, {a_mem:4.0f} MiB)   "
          f"peer {b:6.2f} s ({b_cpu:5.2f} s, {b_mem:4.0f} MiB)   {b / a:5.1f} x", flush=True)


def copied(path):
    """Seconds `cp` takes for the file."""
    return min(run(["cp", path, FOLDER / "cp.out"])[0] for _ in range(TIMES))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("jobs", nargs="*", default=[])
    parser.add_argument("--example", type=Path, help="the built example h5ad_read")
    parser.add_argument("--scx", type=Path, help="the built program")
    parser.add_argument("--cells", type=int, default=50_000)
    args = parser.parse_args()
    jobs = args.jobs or ["read", "recompress", "copy", "tenx", "growth"]
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    root = Path(__file__).resolve().parent.parent
    scx, example = args.scx, args.example
    if scx is None or example is None:
        build = ["cargo", "build", "--release", "--quiet", "--bin", "scx", "--example", "h5ad_read"]
        subprocess.run(build, cwd=root, check=True)
        built = Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release"
        scx, example = scx or built / "scx", example or built / "examples/h5ad_read"
    subprocess.run([sys.executable, "-W", "ignore", "-c", "import anndata, h5py, scanpy; from importlib.metadata import version as v;"
                    "print(*(f'{p} {v(p)}' for p in ('anndata', 'scanpy', 'h5py')), sep=', ')"], check=True)
    print(f"{args.cells:,} cells, load {os.getloadavg()[0]:.1f}", flush=True)
    convert = [scx, "convert", "--force", "--quiet"]
    out, again = FOLDER / "scx.out.h5ad", FOLDER / "peer.out.h5ad"
    if "read" in jobs:
        path = make("h5ad", args.cells)
        compare("read", [example, "keep", path], f"anndata.read_h5ad({str(path)!r})")
    if "recompress" in jobs:
        path = make("h5ad", args.cells)
        # The stored level is 4, anndata's own default for gzip: asked for another, every chunk is encoded again.
        work = f"anndata.read_h5ad({str(path)!r}).write_h5ad({str(again)!r}, compression='gzip')"
        compare("recompress", [*convert, path, out, "--compression", "gzip:5"], work)
        print(f"{'':12} bytes: scx {out.stat().st_size:,}, peer {again.stat().st_size:,}")
    if "copy" in jobs:
        path = make("h5ad", args.cells)
        work = f"anndata.read_h5ad({str(path)!r}).write_h5ad({str(again)!r}, compression='gzip')"
        compare("copy", [*convert, path, out], work)
        print(f"{'':12} cp takes {copied(path):.2f} s")
    if "tenx" in jobs:
        path = make("tenx", args.cells)
        work = f"scanpy.read_10x_h5({str(path)!r}).write_h5ad({str(again)!r}, compression='gzip')"
        compare("10x to h5ad", [*convert, path, out], work)
        print(f"{'':12} cp takes {copied(path):.2f} s")
    if "growth" in jobs:
        for cells in (args.cells, 4 * args.cells):
            path = make("h5ad", cells)
            for name, command in [("read", [example, "walk", path]), ("copy", [*convert, path, out]),
                                  ("recompress", [*convert, path, out, "--compression", "gzip:5"])]:
                seconds, cpu, memory = min(run(command) for _ in range(TIMES))
                print(f"growth {name:10} {cells * PER_CELL / 1e6:6.0f} M entries {seconds:7.2f} s "
                      f"({cpu:6.2f} s of processor, {memory:4.0f} MiB)", flush=True)
    for left in (out, again, FOLDER / "cp.out"):
        left.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
