"""FCS 1 million events x 40 channels to h5ad, not compressed: `scx convert` against FlowIO + anndata and against `cp`.

    python benches/fcs_to_h5ad.py [PATH_OF_scx] [--events N] [--rounds N]

In turns, best of 3 rounds, page cache warm, on (at most) 2 cores. Peak memory is that of the whole process, without
what this script itself takes (`peak.py`). Without a path scx is built.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import anndata
import numpy as np

import timing
from fcs_read import CHANNELS, EVENTS, make
from peak import run

PEER = """
import sys, anndata, flowio
fd = flowio.FlowData(sys.argv[1])
x = fd.as_array(preprocess=False).astype("f4")
a = anndata.AnnData(x)
a.var_names = fd.pnn_labels
a.write_h5ad(sys.argv[2])
"""


def main():
    args = timing.options(__doc__, events=EVENTS, rounds=3).parse_args()
    scx, cores = timing.program(args.program), timing.cores(2)
    with tempfile.TemporaryDirectory() as folder:
        source, copy, ours, theirs = (Path(folder) / n for n in ("big.fcs", "copy.fcs", "scx.h5ad", "peer.h5ad"))
        make(source, args.events)

        def fresh(target, command):
            target.unlink(missing_ok=True)
            return run(command)

        results, load = timing.in_turns({
            "cp": lambda: fresh(copy, ["cp", source, copy]),
            "scx": lambda: fresh(ours, [scx, "convert", source, ours, "--compression", "none"]),
            "peer": lambda: fresh(theirs, [sys.executable, "-c", PEER, source, theirs]),
        }, args.rounds)
        a, b = anndata.read_h5ad(ours), anndata.read_h5ad(theirs)
        assert a.shape == b.shape == (args.events, CHANNELS) and np.array_equal(a.X, b.X)
        assert list(a.var_names) == list(b.var_names)
        free = shutil.disk_usage(folder).free >> 30
    best = {name: min(used.seconds for used in uses) for name, uses in results.items()}
    print(f"{args.events} events x {CHANNELS} channels, F, big endian, {cores} cores, best of {args.rounds}, "
          f"{load}, {free} GiB free")
    print(timing.versions("FlowIO", "anndata", "numpy", scx=scx))
    for name, text in (("cp", "cp of the FCS file"), ("scx", "scx convert"), ("peer", "FlowIO + anndata")):
        print(f"{text:<20} {best[name]:6.3f} s  {min(used.mib for used in results[name]):6.0f} MiB")
    print(f"scx is {best['peer'] / best['scx']:.1f} x FlowIO + anndata and takes {best['scx'] / best['cp']:.2f} x cp")


if __name__ == "__main__":
    main()
