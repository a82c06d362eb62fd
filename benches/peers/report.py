"""Tables and pictures of what was measured."""

import platform
import subprocess
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

# Text of pictures as text, and the same file for the same figures.
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "peers"})


def machine():
    """Says what this machine is."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    flags = info.read_text() if info.exists() else ""
    vectors = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "neither AVX2 nor AVX-512"
    return f"{names[0] if names else platform.processor()}, {len(names)} cores, {vectors}, {platform.system()}"


def program_version(program):
    return subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.strip()


def head(version):
    """What is said above all tables."""
    pinned = (Path(__file__).parent / "requirements.txt").read_text().split()
    return f"""# aezip beside its peers

Made by `benches/peers/run.py`, which says how to repeat it on any array. {version}; {", ".join(p.replace("==", " ") for p in pinned)}.
Machine: {machine()}. One thread each, medians.

Bytes are those of a whole file, what was learned included. Times of aezip are of the program, which is started anew, reads a `.npy` file and writes
another; its peers work in memory. SZ3, ZFP and SPERR are filters of hdf5plugin at their defaults, with the same bound on each value; integers are given
to them as `f32`. Where a peer misses the bound, that is said."""


def number(x):
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def bounded(name, array, found):
    """The part about one array: `found` are (bound, codec's name, bytes, seconds there, seconds back, largest error)."""
    mb = array.nbytes / 1e6
    rows = []
    for bound, codec, size, there, back, error in found:
        kept = "" if error <= bound else f" (largest error {error / bound:.9g} of it)"
        rows.append([f"±{bound:.6g}", codec + kept, number(size), f"{mb / there:.1f}", f"{mb / back:.0f}"])
    head = ["bound", "", "bytes", "compress, MB/s", "decompress, MB/s"]
    shape = " × ".join(map(str, array.shape))
    return f"## {name}: {shape} `{array.dtype}`, {array.nbytes:,} bytes\n\n![]({picture_name(name)})\n\n" + table(head, rows)


def vectors(name, array, found):
    """The same for vectors: `found` are (codec's name, promise, bytes, seconds there, seconds back, NMSE)."""
    mb = array.nbytes / 1e6
    rows = [
        [f"{codec}{promise}", f"{nmse:.4f}", f"{size / len(array):.1f}", f"{mb / there:.1f}", f"{mb / back:.0f}"]
        for codec, promise, size, there, back, nmse in sorted(found, key=lambda f: f[2])
    ]
    head = ["", "NMSE", "bytes a vector, model included", "train and encode, MB/s", "decode, MB/s"]
    shape = " × ".join(map(str, array.shape))
    return f"## {name}: {shape} `{array.dtype}`, {array.nbytes:,} bytes\n\n![]({picture_name(name)})\n\n" + table(head, rows)


def picture_name(name):
    return f"peers/{name}.svg"


def picture(path, title, lines, y):
    """Draws rate against distortion: `lines` are names with points (bits a value, error)."""
    figure, axes = plt.subplots(figsize=(6.4, 4))
    for name, points in lines.items():
        own = sorted(points)
        style = {"linewidth": 2.4, "marker": "o"} if name.startswith("aezip") else {"linewidth": 1, "marker": "."}
        axes.plot([p[0] for p in own], [p[1] for p in own], label=name, **style)
    axes.set(xscale="log", yscale="log", xlabel="bits a value", ylabel=y, title=title)
    axes.grid(True, which="both", linewidth=0.3)
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
