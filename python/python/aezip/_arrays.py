"""What people hand over, as the bytes of a contiguous array of a type that files hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        array = _from_arrow(x)
    else:
        array = np.asarray(x)
    if isinstance(array, np.ma.MaskedArray):
        raise ValueError("a masked array has no numbers in some places: store x.filled(np.nan)")
    native = array.dtype.newbyteorder("=")
    if native not in NAMES:
        remedy = _REMEDIES.get(array.dtype.kind, "give it a type, as in x.astype('f4')")
        raise ValueError(
            f"a file holds floats of 16 to 64 bits and integers, not {array.dtype}: {remedy}"
        )
    return np.ascontiguousarray(array, dtype=native) if array.ndim else array.astype(native)


def as_rows(x: Any) -> Rows:
    """Return ``x`` as what the Rust side takes."""
    array = as_array(x)
    if array.ndim == 0:
        raise ValueError("a number without an axis is no array of rows: store x.reshape(1)")
    if array.size == 0:
        raise ValueError(f"an array of shape {array.shape} has no numbers, so there is nothing to store")
    return array.reshape(-1).view(np.uint8), NAMES[array.dtype], array.shape


def as_table(x: Any) -> Rows:
    """Return ``x`` as rows of numbers: one axis more if it has one only."""
    array = as_array(x)
    return as_rows(array.reshape(-1, 1) if array.ndim == 1 else array)


def _from_arrow(x: Any) -> NDArray[Any]:
    """Turn what has the Arrow C interface into an array: fixed-size lists are rows, as are tables."""
    if hasattr(x, "__array__") and not hasattr(x, "column_names"):
        array = np.asarray(x)
        if array.dtype != object:
            return array
    try:
        import pyarrow as pa
    except ImportError:
        raise ValueError("data with the Arrow C interface needs pyarrow: pip install pyarrow") from None
    if hasattr(x, "column_names") or hasattr(x, "columns"):
        table = pa.table(x)
        columns = [_column(column, name) for name, column in zip(table.column_names, table.columns)]
        if not columns:
            raise ValueError("a table without columns has no numbers")
        return np.column_stack(columns)
    if hasattr(x, "__arrow_c_stream__"):
        return _column(pa.chunked_array(x), "the array")
    return _column(pa.array(x), "the array")


def _column(column: Any, name: str) -> NDArray[Any]:
    """Turn an Arrow column into an array; nulls become NaN, lists of one size become rows."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    if pa.types.is_fixed_size_list(column.type):
        if column.null_count:
            raise ValueError(f"{name} has lists that are null: drop those rows first")
        rows = _column(column.flatten(), name)
        return rows.reshape(len(column), column.type.list_size)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise ValueError(f"{name} is of type {column.type}, not of numbers: leave it out")
    return np.asarray(column.to_numpy(zero_copy_only=False))
