"""What the benches of 10x formats share: counts of a plausible shape, and timing of a command with its peak memory."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import scipy.sparse as sp

GENES, PER_CELL = 20_000, 1_500


def counts(cells, seed=1):
    """Cells x genes, about PER_CELL genes in each cell, most of them once; some genes far more often than others."""
    rng = np.random.default_rng(seed)
    weight = rng.gamma(0.4, 1.0, GENES) + 0.02
    # A gene is seen in a cell with its own probability, scaled so that PER_CELL are.
    low, high = 0.0, 1e3
    for _ in range(60):
        scale = (low + high) / 2
        low, high = (scale, high) if np.minimum(weight * scale, 1).sum() < PER_CELL else (low, scale)
    p = np.minimum(weight * scale, 1).astype(np.float32)
    indices, indptr = [], [0]
    for start in range(0, cells, 500):
        seen = rng.random((min(500, cells - start), GENES), np.float32) < p
        row, column = np.nonzero(seen)
        indices.append(column.astype(np.int32))
        indptr.extend((indptr[-1] + np.cumsum(seen.sum(1))).tolist())
    indices = np.concatenate(indices)
    data = rng.geometric(0.55, len(indices)).astype(np.int32)
    return sp.csr_matrix((data, indices, np.array(indptr)), shape=(cells, GENES))


def names(cells):
    rng = np.random.default_rng(2)
    barcodes = ["".join(b) + "-1" for b in np.array(list("ACGT"))[rng.integers(0, 4, (cells, 16))]]
    return barcodes, [f"ENSG{i:011d}" for i in range(GENES)], [f"Gene{i}" for i in range(GENES)]


def binary():
    """The program to measure: the first argument, or a release build."""
    root = Path(__file__).resolve().parent.parent
    if len(sys.argv) > 1:
        return Path(sys.argv[1]).resolve()
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=root, check=True)
    return Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release/scx"


def apart(work, *args):
    """Does work in a process that ends with it: the peak memory of a command counts from that of the process starting it."""
    child = os.fork()
    if child == 0:
        work(*args)
        sys.stdout.flush()
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit("the input could not be made")


def run(command):
    """Wall seconds and peak resident bytes of one command."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"exit code {child.returncode}: {' '.join(map(str, command))}")
    # Linux counts in kilobytes, macOS in bytes.
    return seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def report(what, scx, peer, must):
    ratio = peer[0] / scx[0]
    print(f"{what}: scx {scx[0]:.2f} s, {scx[1] >> 20} MiB; peer {peer[0]:.2f} s, {peer[1] >> 20} MiB; "
          f"{ratio:.1f} x (must {must} x)")
    return ratio >= must


def versions():
    from importlib.metadata import version

    peers = ", ".join(f"{p} {version(p)}" for p in ("scanpy", "anndata", "h5py", "numpy", "scipy"))
    print(f"peers: {peers}; {len(os.sched_getaffinity(0))} cores", flush=True)
