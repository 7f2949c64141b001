"""Random forests: scx against scikit-learn, five folds of 1,050 cells (real against generated ones) × 50 components and
× 13,656 genes, 1,000 trees.

    python benches/forest.py [PATH_OF_THE_EXAMPLE_forest_speed] [--cells N] [--genes N] [--trees N] [--rounds N]

Both get the same values, folds and 2 threads and take turns; the best of 2 rounds counts, fitting and predicting
together. The cells are simulated: negative binomial counts with 94 % zeros in five types, 525 real ones and as many
generated from moments of every gene and type. Without a path the example is built. Needs numpy and scikit-learn.
"""

import struct
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

import timing

TYPES, THREADS = 5, 2


def cells(rng, count, genes):
    """Real cells have programmes of genes that go together; generated ones draw every gene by itself."""
    base = rng.gamma(0.25, 0.5, genes)
    kinds = base * rng.lognormal(0, 0.5, (TYPES, genes))
    loads = rng.normal(0, 0.35, (8, genes)) * (rng.random((8, genes)) < 0.2)

    def draw(mean):
        library = rng.lognormal(0, 0.35, (len(mean), 1))
        return rng.poisson(rng.gamma(2.0, mean * library / 2.0)).astype(np.float32)

    kind = rng.integers(TYPES, size=count)
    real = draw(kinds[kind] * np.exp(rng.normal(size=(count, 8)) @ loads))
    made = draw(kinds[rng.integers(TYPES, size=count)] * np.exp((loads**2).sum(axis=0) / 2))
    x = np.vstack([real, made])
    x = np.log1p(x / np.maximum(x.sum(axis=1, keepdims=True), 1) * 20_000).astype(np.float32)
    return x, np.r_[np.ones(count), np.zeros(count)].astype(np.uint8)


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


def main():
    args = timing.options(__doc__, cells=525, genes=13_656, trees=1000, rounds=2).parse_args()
    example = timing.program(args.program, "forest_speed")
    genes, y = cells(np.random.default_rng(0), args.cells, args.genes)
    folds = np.zeros(len(y), np.uint8)
    for k, (_, test) in enumerate(StratifiedKFold(5, shuffle=True, random_state=0).split(genes, y)):
        folds[test] = k
    components = PCA(50, random_state=0).fit_transform(genes).astype(np.float32)
    print(f"{(genes == 0).mean():.1%} zeros; {timing.versions('scikit-learn', 'numpy')}; {THREADS} threads", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cells"
        cases = [("50 components", components, ["dense"]), (f"{args.genes:,} genes", genes, ["sparse", "dense"])]
        for name, x, ways in cases:
            path.write_bytes(struct.pack("<QQ", *x.shape) + y.tobytes() + folds.tobytes() + x.tobytes())
            jobs = {how: lambda how=how: timing.numbers([example, path, args.trees, how], THREADS) for how in ways}
            jobs["scikit-learn"] = lambda: theirs(x, y, folds, args.trees)
            results, load = timing.in_turns(jobs, args.rounds)
            peer = min(results.pop("scikit-learn"))
            for how, rounds in results.items():
                seconds, area = min(rounds)
                print(
                    f"{name}, {args.trees} trees × 5 folds: scx ({how} rows) {seconds:.1f} s, AUC {area:.4f}; "
                    f"scikit-learn {peer[0]:.1f} s, AUC {peer[1]:.4f}: {peer[0] / seconds:.2f} × its speed (must 0.7)",
                    flush=True,
                )
            print(load, flush=True)


if __name__ == "__main__":
    main()
