"""Chunks of any type and shape to bytes and back, for numcodecs and zarr.

Numbers of types that files do not hold are stored as others of the same bytes: complex numbers as two
floats, times and truth values as integers, all else as bytes. Only floats, complex numbers and integers
are given to a promise that allows errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _aezip
from ._arrays import NAMES
from ._file import open
from ._options import Options
from ._shared import SharedCodec, whole
from ._write import dumps

#: Chunks are many, and each is a file: the level that trains no network.
LEVEL = 1
#: Options of learning, which have no part in writing a chunk with what was learned.
LEARNING = {"level", "hidden", "latent", "epochs", "batch", "lr", "activation", "time", "loss", "linear", "sparse",
            "denoise", "mask_patches", "transformer", "contractive", "variational"}  # fmt: skip
#: Numbers that a shared codec is learned from, at most.
_MOST_NUMBERS = 1 << 22
#: What is not a promise among the options.
_HOW = {"level", "threads", "memory", "seed", "fill_value", "tile", "access", "shape", "hidden", "latent", "epochs",
        "batch", "lr", "activation", "time", "loss", "linear", "sparse", "denoise", "mask_patches", "transformer",
        "contractive", "variational"}  # fmt: skip

#: Promises that are kept with a model that was fitted to other rows.
_SHARED_PROMISES = {"max_error", "max_error_rel", "max_error_range", "lossless"}


def checked(options: dict[str, Any], is_shared: bool = False) -> dict[str, Any]:
    """Return options that all chunks are stored with; without a promise they are lossless.

    Where chunks share a codec, the promise is to be one that its model can keep as it is.
    """
    unknown = set(options) - set(Options.__annotations__)
    if unknown:
        raise TypeError(f"there is no option {sorted(unknown)[0]}; help(aezip.compress) lists them")
    given = {name: _plain(value) for name, value in options.items() if value is not None}
    given.setdefault("level", LEVEL)
    _aezip.check_options(given)
    if not promises(given):
        given["lossless"] = True
    others = promises(given) - _SHARED_PROMISES
    if is_shared and others:
        raise ValueError(
            f"{min(others)} is kept by a model fitted to each chunk; with one that chunks share, ask for a "
            "bound on each value: max_error, max_error_rel or lossless"
        )
    return given


def _plain(value: Any) -> Any:
    """Return a value as metadata has it, which is JSON."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, np.floating):
        # With as few digits as it has, as where it is not stored.
        return float(str(value))
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value if isinstance(value, (str, int, float)) else str(value)


def promises(options: dict[str, Any]) -> set[str]:
    """Return the promises among options."""
    return {name for name in set(options) - _HOW if options[name] is not None and options[name] is not False}


def encode(chunk: NDArray[Any], options: dict[str, Any], shared: SharedCodec | None = None) -> bytes:
    """Return a chunk as the bytes of a file, or as such that refer to a codec; none for an empty one.

    What the codec was not learned for, numbers of another type or rows of another width, has a model of
    its own.
    """
    if chunk.size == 0:
        return b""
    stored = as_stored(np.ascontiguousarray(chunk))
    if chunk.dtype.kind not in "iufc":
        options = {name: value for name, value in options.items() if name in _HOW} | {"lossless": True}
    elif shared is not None and shared.takes(stored):
        return shared.encode(stored, {"fill_value": "none", **options})
    return dumps(stored, **{"fill_value": "none", **options})


def as_stored(chunk: NDArray[Any]) -> NDArray[Any]:
    """Return the same bytes as numbers of a type that files hold, perhaps with an axis more."""
    native = chunk.dtype.newbyteorder("=")
    if native in NAMES:
        return chunk.astype(native, copy=False)
    kind, size = native.kind, native.itemsize
    if kind == "c" and size <= 16:
        return chunk.astype(native, copy=False)[..., None].view(f"f{size // 2}")
    if kind in "mM":
        return chunk.astype(native, copy=False).view("i8")
    if kind == "b":
        return chunk.view("u1")
    if native.hasobject:
        raise ValueError("objects have no bytes to store: use another codec for them")
    return chunk[..., None].view("u1")


def decode(
    data: Any, dtype: np.dtype[Any], shape: tuple[int, ...], key: Any = ..., shared: SharedCodec | None = None
) -> NDArray[Any]:
    """Return a part of a chunk, which may refer to a codec; no more is decoded than is asked for."""
    if len(data) == 0:
        return np.empty(shape, dtype)[key]
    file = open(whole(data, shared))
    native = dtype.newbyteorder("=")
    stored = as_stored(np.empty((0,) + (shape or (1,)), native))
    if file.dtype != stored.dtype or file.shape != stored.shape[1:]:
        raise ValueError(
            f"the chunk is {file.dtype} of shape {file.shape}, expected {stored.dtype} of {stored.shape[1:]}"
        )
    if stored.ndim > len(shape or (1,)) + 1:
        # The last axis is within a number, whatever else is asked for.
        keys = key if isinstance(key, tuple) else (key,)
        key = keys + (slice(None),) if any(k is Ellipsis for k in keys) else (*keys, ..., slice(None))
    if not shape:
        return np.asarray(file[0]).reshape(-1).view(native).reshape(())[key].astype(dtype, copy=False)
    part = np.asarray(file[key], order="C")
    if part.dtype != native or stored.ndim > len(shape) + 1:
        last = part.shape[:-1] if stored.ndim > len(shape) + 1 else part.shape
        part = part.view(native).reshape(last)
    return part.astype(dtype, copy=False)


def rows_of_some(x: Any, chunks: tuple[int, ...]) -> NDArray[Any]:
    """Return the rows of some chunks of an array, as they are stored: from all parts of it.

    Parameters
    ----------
    x : array_like
        Anything with a shape that can be sliced.
    chunks : tuple of int
        The shape of a chunk; those at the ends of ``x`` that are smaller are filled up with what is next
        to them.
    """
    x = x if hasattr(x, "shape") and hasattr(x, "dtype") else np.asarray(x)
    shape = x.shape
    chunks = (chunks,) if isinstance(chunks, int) else tuple(chunks)
    if len(shape) != len(chunks) or min(chunks, default=1) < 1 or 0 in shape:
        raise ValueError(f"chunks of shape {tuple(chunks)} are none of an array of shape {tuple(shape)}")
    grid = [-(-size // chunk) for size, chunk in zip(shape, chunks)]
    count = int(np.prod(grid))
    wanted = min(count, max(1, _MOST_NUMBERS // int(np.prod(chunks))))
    taken = []
    for place in np.unique(np.linspace(0, count - 1, wanted).round().astype(int)):
        starts = [at * chunk for at, chunk in zip(np.unravel_index(place, grid), chunks)]
        part = np.asarray(x[tuple(slice(start, start + chunk) for start, chunk in zip(starts, chunks))])
        part = np.pad(part, [(0, chunk - size) for chunk, size in zip(chunks, part.shape)], mode="edge")
        taken.append(as_stored(np.ascontiguousarray(part)))
    return np.concatenate(taken)
