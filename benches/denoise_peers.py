#!/usr/bin/env python3
"""`aezip denoise` beside what is made for the one purpose: `denoise_peers.py AEZIP ECG.npy SPECTRA.npy IMAGES.npy`.

Noise of 0.05 is added to windows of a signal, of 1 % of the range to spectra (145 x 145 of them, to be seen as pictures of bands,
too), of 0.1 and 0.3 of the range to images. Prints root mean squared errors: of noisy rows, of `aezip denoise` with default
options, of the best truncation of components (chosen with the truth), of Savitzky-Golay filters (the best of many windows and
degrees, chosen with the truth) along rows and along the whole signal, and of wavelets and BM3D, both told the strength of the noise:
of whole signals, of every 20th band, of the first 200 images. Needs numpy, scipy, scikit-image, PyWavelets and bm3d.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bm3d
import numpy as np
from scipy.signal import savgol_filter
from skimage.restoration import denoise_wavelet

FIRST = 200
BANDS = slice(5, 200, 20)
WINDOWS = [(window, degree) for degree in (2, 3, 4, 5) for window in range(degree + 2 - (degree + 1) % 2, 32, 2)]


def rms(a, b):
    return float(np.sqrt(np.mean((np.asarray(a, float) - b) ** 2)))


def best_truncation(noisy, clean):
    noisy, clean = (x.reshape(len(x), -1) for x in (noisy, clean))
    mean = noisy.mean(0)
    axes = np.linalg.eigh((noisy - mean).T @ (noisy - mean))[1][:, ::-1]
    along, truth = (noisy - mean) @ axes, (clean - mean) @ axes
    squares = np.sum((clean - mean) ** 2) + np.cumsum((along**2 - 2 * along * truth).sum(0))
    return float(np.sqrt(squares.min() / clean.size))


def by_aezip(program, noisy):
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "noisy.npy"), Path(folder, "clean.npy")
        np.save(source, noisy)
        start = time.perf_counter()
        subprocess.run([program, "denoise", source, "-o", target, "-q"], check=True)
        return np.load(target), time.perf_counter() - start


def say(what, *errors):
    print(f"{what:40}", *(f"{error:12.5g}" for error in errors), flush=True)


def usual(program, clean, deviation):
    """Adds noise, and prints what aezip and components make of it."""
    noisy = (clean + np.random.default_rng(1).normal(0, deviation, clean.shape)).astype(np.float32)
    given, seconds = by_aezip(program, noisy)
    noisy = noisy.astype(float)
    say("noisy", rms(noisy, clean))
    say(f"aezip, {seconds:.1f} s; of the first {FIRST}", rms(given, clean), rms(given[:FIRST], clean[:FIRST]))
    say("best truncation of components", best_truncation(noisy, clean))
    return noisy


def smoothed(rows, clean):
    return min(rms(savgol_filter(rows, window, degree).reshape(clean.shape), clean) for window, degree in WINDOWS)


def main():
    program, ecg, spectra, images = sys.argv[1:5]
    clean = np.load(ecg).astype(float)
    print("\nsignal in windows", clean.shape)
    noisy = usual(program, clean, 0.05)
    say("Savitzky-Golay of rows, of the signal", smoothed(noisy, clean), smoothed(noisy.ravel(), clean))
    waves = [rms(denoise_wavelet(noisy.ravel(), sigma=0.05, wavelet=w).reshape(clean.shape), clean) for w in ("db2", "db4", "sym8")]
    say("wavelets of the signal", min(waves))

    clean = np.load(spectra).astype(float)
    deviation = 0.01 * np.ptp(clean)
    print("\nspectra", clean.shape)
    noisy = usual(program, clean, deviation)
    say("Savitzky-Golay of rows", smoothed(noisy, clean))
    bands, truth = (x.reshape(145, 145, -1)[..., BANDS] for x in (noisy, clean))
    bands = np.moveaxis(bands, -1, 0)
    for name, way in (("wavelets", lambda x: denoise_wavelet(x, sigma=deviation)), ("BM3D", lambda x: bm3d.bm3d(x, deviation))):
        say(f"{name} of bands", rms(np.stack([way(x) for x in bands], -1), truth))

    clean = np.load(images).astype(float)
    for share in (0.1, 0.3):
        deviation = share * np.ptp(clean)
        print("\nimages", clean.shape, share)
        noisy = usual(program, clean, deviation)
        for name, way in (("wavelets", lambda x: denoise_wavelet(x, sigma=deviation)), ("BM3D", lambda x: bm3d.bm3d(x, deviation))):
            say(f"{name} of the first {FIRST}", rms([way(x) for x in noisy[:FIRST]], clean[:FIRST]))


main()
