#!/usr/bin/env python3
"""What the kinds of autoencoders and their uses reach on Fashion-MNIST, beside plain baselines.

    python benches/fashion.py FOLDER [--only NAME ...] [--aezip PROGRAM] [--work FOLDER]

FOLDER holds the four idx files (gzip), as they are published. Each part learns with the program
itself and prints what was reached, what it is held against, and how long it took. Codecs are kept
in the work folder and used again there. Needs numpy and scikit-learn (nearest neighbours, AUC).
"""

import argparse
import gzip
import pathlib
import subprocess
import tempfile
import time

import numpy as np

PARTS = {}
RANGE = 255.0


def part(function):
    PARTS[function.__name__] = function
    return function


def idx(path):
    raw = gzip.open(path).read()
    shape = [int.from_bytes(raw[4 + 4 * i:8 + 4 * i], "big") for i in range(raw[3])]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


class Bench:
    def __init__(self, folder, program, work):
        load = lambda name: idx(pathlib.Path(folder) / name)
        self.train, self.test = load("train-images-idx3-ubyte.gz"), load("t10k-images-idx3-ubyte.gz")
        self.labels = load("train-labels-idx1-ubyte.gz").astype(int)
        self.test_labels = load("t10k-labels-idx1-ubyte.gz").astype(int)
        self.program, self.work = program, pathlib.Path(work).resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        self.x = self.train.reshape(60000, -1).astype(np.float64)
        self.t = self.test.reshape(10000, -1).astype(np.float64)
        self.mean = self.x.mean(0)
        self.covariance = np.cov(self.x.T)
        values, vectors = np.linalg.eigh(self.covariance)
        self.variance, self.axes = values[::-1], vectors[:, ::-1].T
        for name, rows in [("train", self.train), ("test", self.test)]:
            self.save(name, rows)

    def save(self, name, rows):
        np.save(self.work / f"{name}.npy", rows)
        return self.work / f"{name}.npy"

    def run(self, *args):
        """Runs a command in the work folder; its seconds."""
        begun = time.time()
        subprocess.run([self.program, "-q", *map(str, args)], check=True, cwd=self.work)
        return time.time() - begun

    def learn(self, name, *args, rows="train.npy"):
        """Learns a codec unless it is there; its file and its seconds, as a note."""
        codec, note = self.work / f"{name}.codec", self.work / f"{name}.seconds"
        if not codec.exists():
            seconds = self.run("train", rows, "-o", codec, "--history", f"{name}.csv", "-f", *args)
            note.write_text(f"{seconds:.0f} s")
        return codec, note.read_text().strip()

    def given(self, codec, name):
        """What the codec makes of rows."""
        self.run("denoise", f"{name}.npy", "--codec", codec, "-o", f"{name}-given.npy", "-f")
        return np.load(self.work / f"{name}-given.npy").reshape(-1, 784).astype(np.float64)

    def projected(self, rows, k):
        centred = rows - self.mean
        return centred @ self.axes[:k].T @ self.axes[:k] + self.mean


def say(what, reached, note=""):
    print(f"{what:58} {reached:>10}  {note}", flush=True)


def psnr(a, b):
    return 10 * np.log10(RANGE ** 2 / np.mean((a - b) ** 2))


@part
def deep(b):
    codec, seconds = b.learn("deep", "--loss", "mse", "--hidden", "1000,500,250", "--latent", 30)
    own = ((b.given(codec, "test") - b.t) ** 2).sum()
    pca = ((b.projected(b.t, 30) - b.t) ** 2).sum()
    say("deep: squared error over that of 30 components", f"{own / pca:.4f}", seconds)


def neighbours(points, labels, k=10):
    """Leave-one-out accuracy of the most frequent label among the k nearest."""
    from sklearn.neighbors import NearestNeighbors
    near = NearestNeighbors(n_neighbors=k + 1).fit(points).kneighbors(return_distance=False, n_neighbors=k)
    votes = np.array([np.bincount(row, minlength=10) for row in labels[near]])
    return (votes.argmax(1) == labels).mean()


@part
def plane(b):
    codec, seconds = b.learn("plane", "--loss", "mse", "--hidden", "1000,500,250", "--latent", 2)
    b.run("embed", "test.npy", "--codec", codec, "-o", "plane.npy", "-f")
    own = neighbours(np.load(b.work / "plane.npy"), b.test_labels)
    pca = neighbours((b.t - b.mean) @ b.axes[:2].T, b.test_labels)
    say("plane: accuracy of 10 neighbours", f"{own:.4f}", seconds)
    say("  above two principal components", f"{own - pca:+.4f}", f"these {pca:.4f}")


@part
def noise(b):
    noisy = b.t + np.random.default_rng(0).normal(0, 0.3 * RANGE, b.t.shape)
    b.save("noisy", noisy.astype(np.float32).reshape(b.test.shape))
    codec, seconds = b.learn("noise", "--denoise", "gaussian:0.3", "--hidden", "1024,512",
                             "--latent", 128)
    clip = lambda rows: np.clip(rows, 0, RANGE)
    own = psnr(clip(b.given(codec, "noisy")), b.t)
    truncated = [b.projected(noisy, k) for k in range(5, 100)]
    pca, clipped = (max((psnr(c(rows), b.t), 5 + i) for i, rows in enumerate(truncated))
                    for c in (lambda rows: rows, clip))
    gain = b.variance / (b.variance + (0.3 * RANGE) ** 2)
    wiener = psnr(clip((noisy - b.mean) @ b.axes.T * gain @ b.axes + b.mean), b.t)
    say("noise: PSNR, dB", f"{own:.2f}", seconds)
    for name, best in ("", pca), (", clipped", clipped):
        say(f"  above the best number of principal components{name}", f"{own - best[0]:+.2f}",
            f"these {best[0]:.2f} with {best[1]}")
    say("  above the Wiener filter", f"{own - wiener:+.2f}", f"this {wiener:.2f}")


@part
def masked(b):
    rng = np.random.default_rng(1)
    hidden = np.zeros((10000, 7, 7), bool)
    for row in hidden.reshape(10000, 49):
        row[rng.permutation(49)[:37]] = True
    hidden = hidden.repeat(4, 1).repeat(4, 2)
    b.save("hidden", hidden.astype(np.uint8))
    codec, seconds = b.learn("masked", "--mask-patches", "4x4:0.75", "--hidden", "1024,512",
                             "--latent", 128)
    b.run("impute", "test.npy", "--mask", "hidden.npy", "--codec", codec, "-o", "filled.npy", "-f")
    filled = np.load(b.work / "filled.npy").reshape(10000, -1).astype(np.float64)
    flat = hidden.reshape(10000, -1)
    noise = b.covariance + 1e-3 * np.trace(b.covariance) / 784 * np.eye(784)
    normal = b.t.copy()
    for row, gaps, truth in zip(normal, flat, b.t):
        seen = ~gaps
        weights = np.linalg.solve(noise[np.ix_(seen, seen)], truth[seen] - b.mean[seen])
        row[gaps] = b.mean[gaps] + b.covariance[np.ix_(gaps, seen)] @ weights
    error = lambda rows: ((rows - b.t)[flat] ** 2).sum()
    variance = ((b.mean - b.t)[flat] ** 2).sum()
    normal = np.clip(normal, 0, RANGE)
    say("masked: NMSE of hidden values", f"{error(filled) / variance:.4f}", seconds)
    say("  over that of a normal distribution's conditional mean",
        f"{error(filled) / error(normal):.4f}", f"this {error(normal) / variance:.4f}")


@part
def anomalies(b):
    from sklearn.metrics import roc_auc_score
    own, pca, spent, like = [], [], [], []
    for label in range(10):
        rows = b.train[b.labels == label]
        b.save("class", rows)
        codec, seconds = b.learn(f"class-{label}", "--loss", "mse", rows="class.npy")
        spent.append(float(seconds.split()[0]))
        b.run("anomalies", "test.npy", "--codec", codec, "-o", "scores.csv", "-f")
        scores = np.loadtxt(b.work / "scores.csv", delimiter=",", skiprows=1, usecols=1)
        odd = b.test_labels != label
        own.append(roc_auc_score(odd, scores))
        b.run("anomalies", "test.npy", "--like", "class.npy", "-o", "scores.csv", "-f")
        scores = np.loadtxt(b.work / "scores.csv", delimiter=",", skiprows=1, usecols=1)
        like.append(roc_auc_score(odd, scores))
        x = rows.reshape(len(rows), -1).astype(np.float64)
        axes = np.linalg.eigh(np.cov(x.T))[1][:, ::-1]
        centred = b.t - x.mean(0)
        parts = np.cumsum((centred @ axes) ** 2, axis=1)
        left = (centred ** 2).sum(1)[:, None] - parts
        pca.append([roc_auc_score(odd, left[:, k - 1]) for k in range(1, 200, 3)])
        say(f"  class {label}", f"{own[-1]:.4f}", f"PCA {max(pca[-1]):.4f}")
    each = np.array(pca)
    mean = each.mean(0)
    say("anomalies: mean AUC", f"{np.mean(own):.4f}", f"{sum(spent):.0f} s for all ten")
    say("  --like, without a codec", f"{np.mean(like):.4f}")
    say("  PCA, best number for all / for each class", f"{mean.max():.4f}",
        f"{each.max(1).mean():.4f}; {1 + 3 * mean.argmax()} components")


@part
def labels(b):
    dense, seconds = b.learn("noise", "--denoise", "gaussian:0.3", "--hidden", "1024,512",
                             "--latent", 128)
    transformer, longer = b.learn("transformer", "--mask-patches", "4x4:0.75", "--transformer")
    few_labels(b, dense, seconds, ([], ["--from-scratch"], ["--unlabelled", "train.npy"]))
    few_labels(b, transformer, longer, ([], ["--unlabelled", "train.npy"]))


def few_labels(b, codec, seconds, ways):
    rows, spent = [], []
    for draw in range(5):
        rng = np.random.default_rng(draw)
        chosen = rng.permutation(60000)[:100]
        b.save("some", b.train[chosen])
        b.save("some-labels", b.labels[chosen])
        right = []
        for more in ways:
            spent.append(b.run("finetune", "some.npy", "--labels", "some-labels.npy", "--codec",
                               codec, "-o", "tuned.codec", "-f", "--seed", draw, *more))
            b.run("predict", "test.npy", "--codec", "tuned.codec", "-o", "predicted.npy", "-f")
            right.append((np.load(b.work / "predicted.npy").ravel() == b.test_labels).mean())
        rows.append(right)
    times = np.mean(np.reshape(spent, (5, len(ways))), 0)
    for way, mean, each in zip(ways, np.mean(rows, axis=0), times):
        say(f"labels: 100 of them, {codec.stem} {' '.join(way)}", f"{mean:.4f}",
            f"{seconds} before, {each:.1f} s")


def nearest(a, b):
    from sklearn.neighbors import NearestNeighbors
    return NearestNeighbors(n_neighbors=1).fit(b).kneighbors(a)[0][:, 0]


def two_samples(a, b):
    """Share of rows whose nearest neighbour, of both samples, is of their own: a half if they are
    of one distribution (Lopez-Paz and Oquab 2017)."""
    from sklearn.neighbors import NearestNeighbors
    own = np.repeat([0, 1], [len(a), len(b)])
    both = np.concatenate([a, b])
    near = NearestNeighbors(n_neighbors=1).fit(both).kneighbors(return_distance=False)[:, 0]
    return (own == own[near]).mean()


@part
def samples(b):
    codec, seconds = b.learn("samples", "--variational", 1, "--hidden", "512,256", "--latent", 16)
    b.run("sample", codec, "-n", 10000, "-o", "drawn.npy", "-f")
    b.run("plot", "drawn.npy", "--images", 100, "-o", "drawn.png", "-f")
    drawn = np.load(b.work / "drawn.npy").reshape(-1, 784).astype(np.float64)
    rng = np.random.default_rng(2)
    normal = rng.normal(size=(10000, 784)) * np.sqrt(np.maximum(b.variance, 0)) @ b.axes + b.mean
    normal = np.clip(np.round(normal), 0, RANGE)
    say("samples: nearest neighbour of the own kind", f"{two_samples(drawn, b.t):.4f}", seconds)
    say("  those of a normal distribution", f"{two_samples(normal, b.t):.4f}")
    some = drawn[:2000]
    ratio = np.median(nearest(some, b.x)) / np.median(nearest(b.t[:2000], b.x))
    say("  distance to training images over that of test images", f"{ratio:.4f}", "drawn.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--aezip", default="target/release/aezip")
    parser.add_argument("--work")
    args = parser.parse_args()
    program = pathlib.Path(args.aezip).resolve()
    bench = Bench(args.folder, program, args.work or tempfile.mkdtemp())
    for name in args.only:
        PARTS[name](bench)


if __name__ == "__main__":
    main()
