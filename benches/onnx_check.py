"""Checks that onnxruntime gives what aezip gives, for the networks of a codec.

    python benches/onnx_check.py ROWS.npy CODEC [AEZIP]

Needs numpy, onnxruntime and safetensors; AEZIP is the program, target/release/aezip by default.
Prints the largest difference of each part over the largest value, and fails above 1e-5.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime as ort
from safetensors.numpy import load_file

rows_path, codec = sys.argv[1:3]
program = sys.argv[3] if len(sys.argv) > 3 else "target/release/aezip"
folder = pathlib.Path(tempfile.mkdtemp())
failed = False


def aezip(*args):
    subprocess.run([program, "-q", *map(str, args)], check=True)


def run(path, rows):
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: rows})


def compare(what, ours, theirs):
    global failed
    difference = np.nanmax(np.abs(ours.astype(np.float64) - theirs)) / np.nanmax(np.abs(ours))
    failed |= not difference < 1e-5 or not np.array_equal(np.isnan(ours), np.isnan(theirs))
    print(f"{what}: largest difference {difference:.2e} of the largest value")


rows = np.load(rows_path)
rows = rows.reshape(len(rows), -1)
aezip("export", codec, "-o", folder / "e.onnx")
aezip("embed", rows_path, "--codec", codec, "-o", folder / "z.npy")
latents = np.load(folder / "z.npy")
compare("encoder", latents, run(folder / "e.onnx", rows)[0])

missing = rows.copy()
if missing.dtype.kind == "f":
    missing[::3, 1] = np.nan
    missing[1::3, 2] = np.inf
    np.save(folder / "m.npy", missing)
    aezip("embed", folder / "m.npy", "--codec", codec, "-o", folder / "zm.npy")
    compare("encoder, values missing", np.load(folder / "zm.npy"), run(folder / "e.onnx", missing)[0])

if subprocess.run(
    [program, "-q", "export", codec, "--part", "restorer", "-o", folder / "r.onnx"],
    stderr=subprocess.DEVNULL,
).returncode == 0:
    gaps = rows.astype(np.promote_types(rows.dtype, np.float32))
    gaps[np.random.default_rng(0).random(gaps.shape) < 0.02] = np.nan
    np.save(folder / "g.npy", gaps)
    aezip("impute", folder / "g.npy", "--codec", codec, "-o", folder / "f.npy")
    compare("restorer", np.load(folder / "f.npy"), run(folder / "r.onnx", gaps)[0])
    sys.exit(failed)

# The decoder by hand from the safetensors file, and by onnxruntime.
aezip("export", codec, "-o", folder / "w.safetensors")
aezip("export", codec, "--part", "decoder", "-o", folder / "d.onnx")
w = load_file(folder / "w.safetensors")
y = latents * w["decoder.input_unit"]
h, i = y, 0
while f"decoder.{i}.weight" in w:
    h = h @ w[f"decoder.{i}.weight"].T + w[f"decoder.{i}.bias"]
    i += 1
    if f"decoder.{i}.weight" in w:
        h = np.where(h < 0, h * 0.125, h)
if "decoder.skip.weight" in w:
    h = h + y @ w["decoder.skip.weight"].T
by_hand = h.astype(np.float64) * w["decoder.unit"] + w["decoder.centre"]
compare("decoder, by hand", by_hand, run(folder / "d.onnx", latents)[0])

if "head.0.weight" in w:
    aezip("export", codec, "--part", "predictor", "-o", folder / "p.onnx")
    out = run(folder / "p.onnx", rows)
    aezip("predict", rows_path, "--codec", codec, "-o", folder / "v.npy")
    ours = np.load(folder / "v.npy")
    if len(out) == 2:
        aezip("predict", rows_path, "--codec", codec, "--proba", "-o", folder / "q.npy")
        compare("probabilities", np.load(folder / "q.npy"), out[1])
        print(f"labels: {(ours == out[0]).mean():.6f} the same")
    else:
        compare("numbers", ours.reshape(len(ours), -1), out[0])
sys.exit(failed)
