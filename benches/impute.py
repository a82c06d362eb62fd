#!/usr/bin/env python3
"""Errors of aezip impute and of scikit-learn's imputers on the same hidden values.

    cargo build --release
    python benches/impute.py                       noiseless rows of three latents, and a weather table
    python benches/impute.py FILE... [--share F] [--rows N] [--order file|shuffled] [--max-knn N]

A share of the values that are there is hidden and filled in; the error is the root of the mean square over hidden values,
in deviations of their columns. FILE is a .npy of rows or a .csv of numbers. Of more than N rows, the first N are taken, or
with --order shuffled any N. Needs numpy; scikit-learn, where it is installed, is measured too: IterativeImputer and
KNNImputer on the values as they are and (std) on columns divided by their deviation. KNNImputer takes time by the square
of the rows and is left out above --max-knn rows.
"""

import argparse
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

PROGRAM = Path(__file__).resolve().parent.parent / "target" / "release" / "aezip"
try:
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer, KNNImputer
except ImportError:
    IterativeImputer = KNNImputer = None


def made():
    """Rows that have no noise, and a table whose columns have units of their own."""
    random = np.random.default_rng(0)
    z = random.normal(size=1000)
    noise = random.normal(0, 150, 1000)
    weather = [288 + 8 * z, 101325 - 900 * z + noise, 1 / (1 + np.exp(-0.8 * z)), 0.008 + 0.002 * z]
    yield "rank 3", random.normal(size=(500, 3)) @ random.normal(size=(3, 10))
    yield "weather", np.stack(weather, 1)


def read(path):
    if Path(path).suffix == ".npy":
        rows = np.load(path)
        return rows.reshape(len(rows), -1).astype(float)
    return np.genfromtxt(path, delimiter=",", skip_header=1, missing_values="NA")


def chosen(rows, count, order):
    if order == "shuffled":
        rows = rows[np.random.default_rng(1).permutation(len(rows))]
    return rows[:count] if count else rows


def by_aezip(gaps):
    with tempfile.TemporaryDirectory() as folder:
        source, filled = Path(folder, "gaps.npy"), Path(folder, "filled.npy")
        np.save(source, gaps)
        subprocess.run([PROGRAM, "impute", source, "-o", filled, "-q"], check=True)
        return np.load(filled)


def by_peer(imputer, standardised):
    def fill(gaps):
        mean, deviation = 0.0, 1.0
        if standardised:
            mean, deviation = np.nanmean(gaps, 0), np.nanstd(gaps, 0)
            deviation[deviation == 0] = 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return imputer.fit_transform((gaps - mean) / deviation) * deviation + mean

    return fill


def ways(rows, max_knn):
    yield "aezip", by_aezip
    yield "mean", lambda gaps: np.where(np.isnan(gaps), np.nanmean(gaps, 0), gaps)
    if IterativeImputer is None:
        return
    for name, imputer in [("iterative", IterativeImputer()), ("knn", KNNImputer())]:
        if name == "iterative" or rows <= max_knn:
            yield name, by_peer(imputer, False)
            yield name + " (std)", by_peer(imputer, True)


def measure(name, rows, share, max_knn):
    hidden = np.isfinite(rows) & (np.random.default_rng(2).random(rows.shape) < share)
    gaps = np.where(hidden, np.nan, rows)
    deviation = np.nanstd(rows, 0)
    deviation[deviation == 0] = 1
    print(f"{name}: {len(rows)} x {rows.shape[1]}, {hidden.sum()} hidden")
    for way, fill in ways(len(rows), max_knn):
        start = time.perf_counter()
        errors = np.where(hidden, (fill(gaps) - rows) / deviation, 0.0) ** 2
        total = np.sqrt(errors.sum() / hidden.sum())
        columns = np.sqrt(errors.sum(0) / np.maximum(hidden.sum(0), 1))
        each = " ".join(f"{x:.3f}" for x in columns[:20])
        print(f"  {way:16} {total:.5f}  {time.perf_counter() - start:6.1f} s  {each}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--order", choices=["file", "shuffled"], default="file")
    parser.add_argument("--max-knn", type=int, default=20000)
    parser.add_argument("--program", type=Path, default=PROGRAM)
    args = parser.parse_args()
    globals()["PROGRAM"] = args.program
    data = [(path, read(path)) for path in args.files] if args.files else made()
    for name, rows in data:
        measure(name, chosen(rows, args.rows, args.order), args.share, args.max_knn)


if __name__ == "__main__":
    main()
