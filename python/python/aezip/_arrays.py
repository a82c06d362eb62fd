"""What people hand over, as the bytes of a contiguous array of a type that files hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrow import from_arrow

Bytes = NDArray[np.uint8]
#: What the Rust side takes: the bytes, not copied, the type's name and the shape.
Rows = tuple[Bytes, str, tuple[int, ...]]

DTYPES: dict[str, np.dtype[Any]] = {
    "f16": np.dtype("f2"), "f32": np.dtype("f4"), "f64": np.dtype("f8"),
    "u8": np.dtype("u1"), "i8": np.dtype("i1"), "u16": np.dtype("u2"), "i16": np.dtype("i2"),
    "u32": np.dtype("u4"), "i32": np.dtype("i4"), "u64": np.dtype("u8"), "i64": np.dtype("i8"),
}  # fmt: skip
NAMES = {dtype: name for name, dtype in DTYPES.items()}

#: What to do with numbers of types that files do not hold.
_REMEDIES = {
    "b": "store x.astype('u1'), which is 0 and 1",
    "c": "store x.real and x.imag",
    "M": "store x.astype('i8')",
    "m": "store x.astype('i8')",
    "O": "give it a type, as in x.astype('f8')",
}


def as_array(x: Any) -> NDArray[Any]:
    """Return ``x`` as a contiguous array in native byte order, without a copy if it is one."""
    if isinstance(x, np.ndarray):
        array = x
    elif hasattr(x, "__arrow_c_stream__") or hasattr(x, "__arrow_c_array__"):
        array = from_arrow(x)
    else:
        array = np.asarray(x)
    if isinstance(array, np.ma.MaskedArray):
        # Such as netCDF4 makes, whether something is masked or not.
        array = array if np.ma.is_masked(array) else array.data
    if isinstance(array, np.ma.MaskedArray):
        raise ValueError("a masked array has no numbers in some places: store x.filled(np.nan)")
    native = array.dtype.newbyteorder("=")
    if native.kind == "V" and native.names is None and np.can_cast(native, np.float32):
        # bfloat16 and narrower ones, which others add to NumPy: floats of 32 bits are the same numbers.
        array, native = array.astype(np.float32), np.dtype(np.float32)
    if native not in NAMES:
        remedy = _REMEDIES.get(array.dtype.kind, "give it a type, as in x.astype('f4')")
        raise ValueError(
            f"a file holds floats of 16 to 64 bits and integers, not {array.dtype}: {remedy}"
        )
    return np.ascontiguousarray(array, dtype=native) if array.ndim else array.astype(native)


def as_rows(x: Any, *, maybe_none: bool = False) -> Rows:
    """Return ``x`` as what the Rust side takes; it has rows unless there may be none."""
    array = as_array(x)
    if array.ndim == 0:
        raise ValueError("a number without an axis is no array of rows: store x.reshape(1)")
    if array.size == 0 and not (maybe_none and math.prod(array.shape[1:])):
        raise ValueError(f"an array of shape {array.shape} has no numbers, so there is nothing to store")
    return array.reshape(-1).view(np.uint8), NAMES[array.dtype], array.shape


def as_table(x: Any) -> Rows:
    """Return ``x`` as rows of numbers: one axis more if it has one only."""
    array = as_array(x)
    return as_rows(array.reshape(-1, 1) if array.ndim == 1 else array)
