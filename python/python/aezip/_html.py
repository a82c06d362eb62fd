"""What notebooks show of files and codecs."""

from __future__ import annotations

from html import escape
from typing import Any

_COLOURS = {"rows": "#4477aa", "model": "#ccbb44", "index and rest": "#aa3377"}


def file_view(file: Any) -> str:
    """Return a table of a `File`'s shape, promise and size, and a bar of where the bytes go."""
    info = file.info
    rest = info["file_bytes"] - info["model_bytes"]
    index = min(info["index_bytes"], rest)
    parts = {"rows": rest - index, "model": info["model_bytes"], "index and rest": index}
    ratio = file.nbytes / max(info["file_bytes"], 1)
    kept = ", ".join(f"{name} {number}" for name, number in file.promise.items())
    facts = {
        "array": f"{file.dtype} {file.shape}",
        "promise": kept,
        "size": f"{info['file_bytes']:,} bytes, {ratio:.1f} times smaller than {file.nbytes:,}",
        "latents": info["latents"],
    }
    return f"{_table(facts)}{_bar(parts)}"


def codec_view(codec: Any) -> str:
    """Return a table of what a `Codec` is for."""
    facts = {
        "rows": f"{codec.dtype} {codec.row_shape}",
        "latents": codec.latents,
        "kind": "network" if codec.has_network else "linear",
        "size": f"{len(codec.to_bytes()):,} bytes",
    }
    return _table(facts)


def _table(facts: dict[str, Any]) -> str:
    cells = (
        f"<tr><th style='text-align:left'>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
        for name, value in facts.items()
    )
    return f"<table>{''.join(cells)}</table>"


def _bar(parts: dict[str, int]) -> str:
    whole = max(sum(parts.values()), 1)
    boxes = "".join(
        f"<div title='{name}: {size:,} bytes' style='width:{100 * size / whole:.2f}%;"
        f"background:{_COLOURS[name]}'></div>"
        for name, size in parts.items()
    )
    legend = ", ".join(
        f"<span style='color:{_COLOURS[name]}'>&#9632;</span> {name} {100 * size / whole:.0f} %"
        for name, size in parts.items()
    )
    return f"<div style='display:flex;height:12px;max-width:400px'>{boxes}</div><div>{legend}</div>"
