"""What the benches of 10x formats share: counts of a plausible shape, and a line that compares two measurements."""

import numpy as np
import scipy.sparse as sp

GENES, PER_CELL = 20_000, 1_500
PEERS = ("scanpy", "anndata", "h5py", "numpy", "scipy")


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


def report(what, scx, peer, must):
    """Prints what `peak.run` measured of both; whether scx is as many times faster as it must be."""
    ratio = peer.seconds / scx.seconds
    print(f"{what}: scx {scx.seconds:.2f} s, {scx.mib:.0f} MiB; peer {peer.seconds:.2f} s, {peer.mib:.0f} MiB; "
          f"{ratio:.1f} x (must {must} x)")
    return ratio >= must
