"""How real the cells of each model are on pbmc3k: the table of docs/generation.md.

Needs SCX_REAL_DATA and a built scx (target/release/scx, or SCX). There is no peer. Cases run one after the other
on all cores or THREADS of them, each with the time it is given: MINUTES (30) and RARE_MINUTES (3); TREES (300) is the size
of the forests.
The whole takes hours on two cores, so name those you want:

    python benches/generation_quality.py                 # all
    python benches/generation_quality.py default nb      # some
    python benches/generation_quality.py rare            # the rare-type experiment
    MINUTES=10 python benches/generation_quality.py default
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import timing

DATA = pathlib.Path(os.environ["SCX_REAL_DATA"])
SCX = os.environ.get("SCX", str(timing.RELEASE / "scx"))
MINUTES = os.environ.get("MINUTES", "30")
SOURCE = DATA / "h5ad" / "derived_pbmc3k_counts_labelled.h5ad"
ADVERSARIAL = {"encoder_adversarial": 0.1, "generator_adversarial": 0.1, "margin": 90.0, "warm_up_epochs": 40}
CASES = {
    "default": ("activa", "default", ["--max-minutes", MINUTES], {}),
    "adversarial": ("activa", "default", ["--max-minutes", MINUTES], ADVERSARIAL),
    "classifier": ("activa", "default", ["--max-minutes", MINUTES], {"classification": 0.1, "warm_up_epochs": 40}),
    "paper": ("activa", "paper", ["--epochs", "80"], {}),
    "paper-log": ("activa", "paper", ["--epochs", "80"], {"log": True}),
    "code": ("activa", "code", ["--epochs", "80"], {}),
    "scgan": ("scgan", "default", ["--max-minutes", MINUTES], {}),
    "scgan-paper": ("scgan", "paper", ["--max-minutes", MINUTES], {}),
    "cscgan": ("cscgan", "default", ["--max-minutes", MINUTES], {}),
    "nb": ("nb", "default", [], {}),
    "nb-copula": ("nb-copula", "default", [], {}),
    "smote": ("smote", "default", [], {}),
}
TREES = os.environ.get("TREES", "300")
THREADS = ["--threads", os.environ["THREADS"]] if "THREADS" in os.environ else []


def run(*args):
    done = subprocess.run([SCX, *map(str, args)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, args))}: exit {done.returncode}")
    return done.stdout


def realism(names):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        train, test = folder / "train.h5ad", folder / "test.h5ad"
        run("split", SOURCE, "--train", train, "--test", test, "--by", "louvain", "--test-fraction", 0.2, "--quiet")
        for name in names:
            model, preset, length, settings = CASES[name]
            made, config = folder / f"{name}.h5ad", folder / f"{name}.yaml"
            config.write_text(json.dumps({"settings": settings} if settings else {}))
            start = time.time()
            out = run("generate", train, "--model", model, "--preset", preset, *length, "--config", config,
                      "--n", 525, "-o", made, "--json", "--quiet", *THREADS)
            minutes = (time.time() - start) / 60
            steps = (json.loads(out)["result"]["training"] or {}).get("steps", 0)
            score = run("evaluate", "generation", "--real", test, "--synthetic", made, "--train", train,
                        "--trees", TREES, "--quiet", *THREADS)
            print(f"## {name}: {model}, preset {preset}, {minutes:.1f} minutes, {steps} steps\n{score}", flush=True)


def rare():
    for label in ["CD14+ Monocytes", "B cells"]:
        print(run("evaluate", "augmentation", SOURCE, "--cluster", label, "--fractions", "0.05,0.01", "--n", 1500,
                  "--repeats", 5, "--max-minutes", os.environ.get("RARE_MINUTES", "3"), *THREADS), flush=True)


if __name__ == "__main__":
    asked = sys.argv[1:] or [*CASES, "rare"]
    unknown = [a for a in asked if a not in CASES and a != "rare"]
    if unknown:
        sys.exit(f"no case {unknown[0]}; there are {', '.join([*CASES, 'rare'])}")
    print(f"{timing.versions(scx=SCX)}, {os.cpu_count()} cores\n", flush=True)
    realism([a for a in asked if a != "rare"])
    if "rare" in asked:
        rare()
