#!/usr/bin/env python3
"""How near `aezip denoise` comes to what was there before noise was added: `denoise.py AEZIP [FOLDER]`.

For each data set and strength of noise, the root mean squared error against the clean rows: of the noisy rows as they are, of
`aezip denoise` with default options, of the best truncation of principal components (the number of which is chosen by the clean
rows), and for images of scikit-image's wavelets (BayesShrink, told the strength of the noise), where that is installed. Without
FOLDER: rows of three latents, and the sample of digits; with it, every two- or more-dimensional `.npy` in it too, as if it had no
noise of its own: 4,000 rows at most, columns of different units brought to one spread. Needs NumPy.
"""
import os, subprocess, sys, tempfile
import numpy as np

try:
    from skimage.restoration import denoise_wavelet
except ImportError:
    denoise_wavelet = None

MOST_ROWS = 4000
SHARES = (0.003, 0.01, 0.05, 0.1, 0.3)


def rms(a, b):
    return np.sqrt(np.mean((a - b) ** 2))


def best_truncation(noisy, clean):
    """The least error of any number of principal components, and that number."""
    mean = noisy.mean(0)
    u, s, v = np.linalg.svd(noisy - mean, full_matrices=False)
    # The error of k components, by the coordinates that the truth has along them.
    truth = clean - mean
    along = np.einsum("ik,ij,kj->k", u, truth, v, optimize=True)
    squares = np.sum(truth**2) + np.concatenate([[0], np.cumsum(s**2 - 2 * s * along)])
    k = int(squares.argmin())
    return np.sqrt(max(squares[k], 0) / clean.size), k


def denoised(aezip, noisy):
    with tempfile.TemporaryDirectory() as folder:
        source, target = (os.path.join(folder, name) for name in ("noisy.npy", "clean.npy"))
        np.save(source, noisy)
        subprocess.run([aezip, "denoise", source, "-o", target], check=True, capture_output=True)
        return np.load(target)


def wavelets(noisy, deviation):
    if denoise_wavelet is None or noisy.ndim != 3:
        return None
    return np.stack([denoise_wavelet(x, sigma=deviation, rescale_sigma=True) for x in noisy])


def cases(folder):
    random = np.random.default_rng(0)
    clean = random.normal(size=(500, 3)) @ random.normal(size=(3, 10))
    yield "three latents", clean
    here = os.path.dirname(os.path.abspath(__file__))
    yield "digits", np.load(os.path.join(here, "../examples/data/digits.npy")).reshape(-1, 8, 8)
    for name in sorted(os.listdir(folder)) if folder else []:
        if name.endswith(".npy") and "digits" not in name:
            rows = np.load(os.path.join(folder, name))
            if rows.ndim >= 2:
                yield name[:-4], rows[:MOST_ROWS]


def main():
    aezip, folder = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    print(f"{'data':24}{'noise':>7}{'noisy':>11}{'aezip':>11}{'truncated':>11}{'wavelets':>11}{'aezip / best truncation':>25}")
    for name, clean in cases(folder):
        clean = clean.astype(float)
        flat = clean.reshape(len(clean), -1)
        spread = flat.std(0)
        if spread.max() > 100 * np.median(spread):
            clean = clean / np.where(spread > 0, spread, 1).reshape(clean.shape[1:])
            flat = clean.reshape(len(clean), -1)
        span = flat.max() - flat.min()
        for share in SHARES:
            random = np.random.default_rng(1)
            noisy = clean + random.normal(0, share * span, clean.shape)
            given = denoised(aezip, noisy)
            best, k = best_truncation(noisy.reshape(flat.shape), flat)
            peer = wavelets(noisy, share * span)
            peer = f"{rms(peer, clean):11.4g}" if peer is not None else " " * 11
            own, before = rms(given, clean), rms(noisy, clean)
            worse = "  worse than nothing" if own > 1.001 * before else ""
            print(f"{name:24}{share:7}{before:11.4g}{own:11.4g}{best:11.4g}{peer}{own / best:10.3f} ({k} components){worse}", flush=True)


main()
