"""Columns of Arrow as arrays, by pyarrow."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Whole numbers beyond are not all floats of 64 bits.
_MOST_EXACT = 2**53


def pyarrow() -> Any:
    """Return the module, or say what needs it."""
    try:
        import pyarrow as pa
    except ImportError:
        raise ValueError("Parquet and Arrow data need pyarrow: pip install pyarrow") from None
    return pa


def from_arrow(x: Any) -> NDArray[Any]:
    """Turn what has the Arrow C interface into an array: columns of a table, or rows that one column holds."""
    is_pandas = hasattr(x, "iloc")
    if hasattr(x, "__array__") and (is_pandas or importlib.util.find_spec("pyarrow") is None):
        array = np.asarray(x)
        if array.dtype != object:
            return array
    pa = pyarrow()
    if is_pandas:
        # The names of rows are no numbers of theirs.
        return _table(pa.Table.from_pandas(x if hasattr(x, "columns") else x.to_frame("0"), preserve_index=False))
    if hasattr(x, "column_names") or hasattr(x, "columns"):
        return _table(pa.table(x))
    column = pa.chunked_array(x) if hasattr(x, "__arrow_c_stream__") else pa.array(x)
    if not pa.types.is_struct(column.type):
        return numbers(column, "the array")
    if column.null_count:
        raise ValueError(f"the table has {column.null_count} rows that are null: drop those first")
    return _table(pa.Table.from_struct_array(column))


def _table(table: Any) -> NDArray[Any]:
    names = table.column_names
    if not names:
        raise ValueError("a table without columns has no numbers")
    columns = [numbers(column, f"column {name!r}") for name, column in zip(names, table.columns)]
    if len(columns) == 1 and columns[0].ndim > 1:
        return columns[0]
    for name, column in zip(names, columns):
        if column.ndim != 1:
            raise ValueError(f"column {name!r} holds rows: give it alone, or the columns of numbers")
    return joined(names, columns)


def is_number(type: Any) -> bool:
    """Say whether a type of Arrow is one of numbers."""
    pa = pyarrow()
    return pa.types.is_integer(type) or pa.types.is_floating(type)


def numbers(column: Any, name: str) -> NDArray[Any]:
    """Turn a column, which ``name`` is in errors, into an array: nulls become NaN, lists of one length rows."""
    pa = pyarrow()
    kind = column.type
    if is_number(kind):
        return _flat(column, name)
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    is_tensor = isinstance(kind, pa.FixedShapeTensorType)
    is_list = pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not (is_tensor or is_list):
        raise ValueError(f"{name} is of type {kind}, not of numbers: leave it out")
    if column.null_count:
        raise ValueError(f"{name} has {column.null_count} vectors that are null: drop those rows first")
    if is_tensor:
        tensors = [chunk.to_numpy_ndarray() for chunk in chunks]
        return np.concatenate(tensors) if tensors else np.empty((0, *kind.shape), "f4")
    width = _width(column, name)
    flat = pa.chunked_array([chunk.flatten() for chunk in chunks], kind.value_type)
    rows = numbers(flat, name)
    return rows.reshape(-1, width, *rows.shape[1:])


def _width(column: Any, name: str) -> int:
    """Return the length that all lists of a column have."""
    pa = pyarrow()
    if pa.types.is_fixed_size_list(column.type):
        width = int(column.type.list_size)
    else:
        import pyarrow.compute as pc

        lengths = pc.unique(pc.list_value_length(column)).to_pylist()
        if len(lengths) > 1:
            a, b = lengths[:2]
            raise ValueError(f"{name} has vectors of different lengths, such as {a} and {b}: choose another column")
        width = int(lengths[0]) if lengths else 0
    if width == 0:
        raise ValueError(f"{name} has vectors of no numbers, so there is nothing to store")
    return width


def _flat(column: Any, name: str) -> NDArray[Any]:
    if pyarrow().types.is_integer(column.type) and column.null_count:
        import pyarrow.compute as pc

        expect_exact(column.drop_null().to_numpy(), name, "nulls")
        column = pc.cast(column, "float64")
    array = column.to_numpy() if hasattr(column, "chunks") else column.to_numpy(zero_copy_only=False)
    return np.asarray(array)


def expect_exact(column: NDArray[Any], name: str, beside: str) -> None:
    """Fail where whole numbers beside others become floats that are not the same."""
    if column.dtype.kind in "iu" and column.size and column.dtype.itemsize == 8:
        low, high = int(column.min()), int(column.max())
        if max(-low, high) > _MOST_EXACT:
            raise ValueError(
                f"{name} has whole numbers beyond 2^53, which no float beside {beside} holds: choose it by itself"
            )


def joined(names: Sequence[str], columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Put columns beside each other, in the type that holds all their numbers."""
    dtype = np.result_type(*columns)
    if dtype.kind not in "iuf" or dtype.itemsize > np.dtype("f8").itemsize:
        dtype = np.dtype("f8")
    if dtype.kind == "f":
        for name, column in zip(names, columns):
            expect_exact(column, f"column {name!r}", "other columns")
    out = np.empty((len(columns[0]), len(columns)), dtype)
    for j, column in enumerate(columns):
        out[:, j] = column
    return out
