"""Random forests: scx against scikit-learn, five folds of 1,050 cells (real against generated ones) × 50 components and
× 13,656 genes, 1,000 trees.

    python benches/forest.py [--trees 1000] [--rounds 2] [--example PATH_OF_forest_speed]

Both get the same values, folds and threads and take turns; the best of the rounds counts, fitting and predicting
together. The cells are simulated: negative binomial counts with 94 % zeros in five types, the generated ones from moments
of every gene and type. Needs numpy and scikit-learn.
"""

import argparse
import os
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

CELLS, GENES, TYPES, THREADS = 525, 13_656, 5, 2


def cells(rng):
    """Real cells have programmes of genes that go together; generated ones draw every gene by itself."""
    base = rng.gamma(0.25, 0.5, GENES)
    kinds = base * rng.lognormal(0, 0.5, (TYPES, GENES))
    loads = rng.normal(0, 0.35, (8, GENES)) * (rng.random((8, GENES)) < 0.2)

    def draw(mean):
        library = rng.lognormal(0, 0.35, (len(mean), 1))
        return rng.poisson(rng.gamma(2.0, mean * library / 2.0)).astype(np.float32)

    kind = rng.integers(TYPES, size=CELLS)
    real = draw(kinds[kind] * np.exp(rng.normal(size=(CELLS, 8)) @ loads))
    made = draw(kinds[rng.integers(TYPES, size=CELLS)] * np.exp((loads**2).sum(axis=0) / 2))
    x = np.vstack([real, made])
    x = np.log1p(x / np.maximum(x.sum(axis=1, keepdims=True), 1) * 20_000).astype(np.float32)
    return x, np.r_[np.ones(CELLS), np.zeros(CELLS)].astype(np.uint8)


def theirs(x, y, folds, trees):
    seconds, areas = 0.0, []
    for fold in range(5):
        train, test = folds != fold, folds == fold
        a, b = x[train], x[test]
        start = time.perf_counter()
        forest = RandomForestClassifier(trees, n_jobs=THREADS, random_state=fold).fit(a, y[train])
        p = forest.predict_proba(b)[:, 1]
        seconds += time.perf_counter() - start
        areas.append(roc_auc_score(y[test], p))
    return seconds, float(np.mean(areas))


def ours(example, path, trees, how):
    env = {**os.environ, "RAYON_NUM_THREADS": str(THREADS)}
    out = subprocess.run([example, path, str(trees), how], env=env, check=True, capture_output=True, text=True).stdout
    seconds, area = map(float, out.split())
    return seconds, area


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--trees", type=int, default=1000)
    args.add_argument("--rounds", type=int, default=2)
    args.add_argument("--example")
    args = args.parse_args()
    if args.example is None:
        subprocess.run(["cargo", "build", "--release", "--quiet", "--example", "forest_speed"], check=True)
        target = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
        args.example = str(target / "release" / "examples" / "forest_speed")
    genes, y = cells(np.random.default_rng(0))
    print(f"{(genes == 0).mean():.1%} zeros; scikit-learn {sklearn.__version__}; {THREADS} threads; load {os.getloadavg()[0]:.1f}")
    folds = np.zeros(len(y), np.uint8)
    for k, (_, test) in enumerate(StratifiedKFold(5, shuffle=True, random_state=0).split(genes, y)):
        folds[test] = k
    components = PCA(50, random_state=0).fit_transform(genes).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cells"
        for name, x, ways in [("50 components", components, ["dense"]), ("13,656 genes", genes, ["sparse", "dense"])]:
            path.write_bytes(struct.pack("<QQ", *x.shape) + y.tobytes() + folds.tobytes() + x.tobytes())
            best = {}
            for _ in range(args.rounds):
                for how in [*ways, "scikit-learn"]:
                    s = theirs(x, y, folds, args.trees) if how == "scikit-learn" else ours(args.example, path, args.trees, how)
                    best[how] = min(best.get(how, s), s)
            peer = best.pop("scikit-learn")
            for how, (seconds, area) in best.items():
                print(
                    f"{name}, {args.trees} trees × 5 folds: scx ({how} rows) {seconds:.1f} s, AUC {area:.4f}; scikit-learn "
                    f"{peer[0]:.1f} s, AUC {peer[1]:.4f}: {peer[0] / seconds:.2f} × its speed (must 0.7)",
                    flush=True,
                )


if __name__ == "__main__":
    main()
