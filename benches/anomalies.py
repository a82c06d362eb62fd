#!/usr/bin/env python3
"""How well anomalies are told from other rows, beside scikit-learn's detectors.

    python benches/anomalies.py AEZIP FOLDER

FOLDER holds pairs NAME.npy, rows of numbers, and NAME-labels.npy, 1 for anomalies and 0 for others.
Prints areas under the ROC curve and seconds. Labels are used for nothing else. Needs numpy and
scikit-learn.
"""

import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors

#: What `aezip anomalies --score` takes.
OWN = ["auto", "error", "density"]


def ours(program, rows, score):
    with tempfile.TemporaryDirectory() as folder:
        scores = pathlib.Path(folder) / "scores.csv"
        subprocess.run([program, "-q", "anomalies", rows, "--score", score, "-o", scores], check=True)
        return np.loadtxt(scores, delimiter=",", skiprows=1, usecols=1)


def fifth_neighbour(x):
    return NearestNeighbors(n_neighbors=6).fit(x).kneighbors(x)[0][:, -1]


def main(program, folder):
    print("| data | rows × columns | anomalies | auto | error | density | isolation forest | 5th neighbour | local outlier factor | seconds, auto | seconds, error | seconds, density |")
    areas = []
    for labels in sorted(pathlib.Path(folder).glob("*-labels.npy")):
        name = labels.name.removesuffix("-labels.npy")
        rows, is_odd = labels.with_name(f"{name}.npy"), np.load(labels)
        x = np.load(rows).astype(float)
        spread = x.std(axis=0)
        scaled = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)
        scores, seconds = [], []
        for score in OWN:
            begun = time.time()
            scores.append(ours(program, rows, score))
            seconds.append(f"{time.time() - begun:.1f}")
        scores.append(-IsolationForest(random_state=0).fit(x).score_samples(x))
        scores.append(fifth_neighbour(scaled))
        scores.append(-LocalOutlierFactor().fit(scaled).negative_outlier_factor_)
        own = [roc_auc_score(is_odd, score) for score in scores]
        areas.append(own)
        figures = [f"{area:.3f}" for area in own]
        size = f"{x.shape[0]:,} × {x.shape[1]}"
        print("|", " | ".join([name, size, str(is_odd.sum()), *figures, *seconds]), "|")
    print("| mean | | |", " | ".join(f"{area:.3f}" for area in np.mean(areas, axis=0)), "| | | |")


if __name__ == "__main__":
    main(*sys.argv[1:])
