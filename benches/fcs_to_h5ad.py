"""FCS 1 million events x 40 channels to h5ad, not compressed: `scx convert` against FlowIO + anndata and against `cp`.

    python benches/fcs_to_h5ad.py [PATH_OF_scx]

Best of 3 rounds, page cache warm, on (at most) 2 cores. Without an argument scx is built. Peak memory is that of the
whole process, without what this script itself takes (`peak.py`).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import anndata
import flowio
import numpy as np

from fcs_read import CHANNELS, EVENTS, make
from peak import run

ROUNDS = 3
PEER = """
import sys, anndata, flowio
fd = flowio.FlowData(sys.argv[1])
x = fd.as_array(preprocess=False).astype("f4")
a = anndata.AnnData(x)
a.var_names = fd.pnn_labels
a.write_h5ad(sys.argv[2])
"""


def main():
    cores = sorted(os.sched_getaffinity(0))[:2]
    os.sched_setaffinity(0, cores)
    root = Path(__file__).resolve().parent.parent
    if len(sys.argv) > 1:
        scx = Path(sys.argv[1])
    else:
        subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=root, check=True)
        scx = Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release/scx"
    with tempfile.TemporaryDirectory() as folder:
        source, ours, theirs = (Path(folder) / n for n in ("big.fcs", "scx.h5ad", "peer.h5ad"))
        make(source)
        rows = {"cp": [], "scx": [], "peer": []}
        # In turns, so that what else the machine does meets all of them alike.
        for _ in range(ROUNDS):
            for f in (ours, theirs, Path(folder) / "copy.fcs"):
                f.unlink(missing_ok=True)
            rows["cp"].append(run(["cp", source, Path(folder) / "copy.fcs"]))
            rows["scx"].append(run([scx, "convert", source, ours, "--compression", "none"]))
            rows["peer"].append(run([sys.executable, "-c", PEER, source, theirs]))
        a, b = anndata.read_h5ad(ours), anndata.read_h5ad(theirs)
        assert a.shape == b.shape == (EVENTS, CHANNELS) and np.array_equal(a.X, b.X)
        assert list(a.var_names) == list(b.var_names)
        free = shutil.disk_usage(folder).free >> 30
    best = {k: min(v) for k, v in rows.items()}
    version = subprocess.run([scx, "--version"], capture_output=True, text=True).stdout.strip()
    print(f"{EVENTS} events x {CHANNELS} channels, F, big endian, {len(cores)} cores, best of {ROUNDS}, "
          f"load average {os.getloadavg()[0]:.1f}, {free} GiB free")
    print(f"{version}, FlowIO {flowio.__version__}, anndata {anndata.__version__}, numpy {np.__version__}")
    for name, text in (("cp", "cp of the FCS file"), ("scx", "scx convert"), ("peer", "FlowIO + anndata")):
        print(f"{text:<20} {best[name][0]:6.3f} s  {min(m for _, m in rows[name]):6.0f} MiB")
    print(f"scx is {best['peer'][0] / best['scx'][0]:.1f} x FlowIO + anndata and takes "
          f"{best['scx'][0] / best['cp'][0]:.2f} x cp")


if __name__ == "__main__":
    main()
