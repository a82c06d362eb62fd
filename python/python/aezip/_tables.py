"""Parquet and Arrow files as arrays, and back, with pyarrow."""

from __future__ import annotations

import base64
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._aezip import CorruptError
from ._arrow import is_number, joined, numbers, pyarrow

#: Bytes by which text is told from what is none.
_HEAD = 64
#: What files begin with, and the endings of their names.
_MAGIC = {b"PAR1": "parquet", b"ARROW1": "arrow"}
_ENDINGS = {".parquet": "parquet", ".pq": "parquet", ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow"}
FORMATS = ("parquet", "arrow")
#: Stands in the metadata of fields, while their rows are compressed.
_NO_NULLS = b"aezip.no_nulls"
#: Names of columns that an error lists.
_LISTED = 12


class LeftOutWarning(UserWarning):
    """Columns of a file were left out, as they hold no numbers."""


class TypeWarning(UserWarning):
    """Columns are written as floats of 64 bits, as the promise allows fractions."""


def format_of(path: str) -> str | None:
    """Return whether a file is read with pyarrow, and which format it has: by its first bytes."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        # Whoever reads it says what is wrong.
        return None
    # Columns of a table of text may be called PAR1.
    is_text = all(byte >= 9 for byte in head)
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic) and not is_text), None)


def format_named(path: str) -> str | None:
    """Return the format that a file's name stands for, if pyarrow writes it."""
    return _ENDINGS.get(os.path.splitext(path)[1].lower())


@dataclass(frozen=True)
class Table:
    """What a file holds."""

    array: NDArray[Any]
    #: Names of the columns of a table; none where rows are vectors.
    names: list[str] | None
    #: The columns, each of its own type.
    columns: list[NDArray[Any]]
    #: The schema of what was chosen, as text.
    part: str

    @property
    def is_mixed(self) -> bool:
        """Whether columns have other types than the array."""
        return any(column.dtype != self.array.dtype for column in self.columns)


def read(path: str, format: str, columns: Sequence[str] | None) -> Table:
    """Read numbers from a file: columns of a table, or vectors, which are lists of one length."""
    pa = pyarrow()
    schema = _guarded(path, format, lambda: _schema(path, format))
    chosen = _choose(path, schema, columns)
    table = _guarded(path, format, lambda: _columns(path, format, chosen))
    kept = pa.schema([_marked(schema.field(name), table.column(name)) for name in chosen])
    if len(chosen) == len(schema.names):
        kept = kept.with_metadata(schema.metadata)
    part = base64.b64encode(kept.serialize().to_pybytes()).decode()
    arrays = []
    for name in chosen:
        try:
            arrays.append(_numbers(table.column(name), name))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    if arrays[0].ndim == 2:
        return Table(arrays[0], None, arrays, part)
    return Table(_joined(path, chosen, arrays), list(chosen), arrays, part)


def _marked(field: Any, column: Any) -> Any:
    """Note of a column without nulls that what is NaN there is that."""
    if column.null_count:
        return field
    return field.with_metadata({**(field.metadata or {}), _NO_NULLS: b""})


def _unmarked(field: Any) -> Any:
    """Return a field without that note."""
    others = {key: value for key, value in (field.metadata or {}).items() if key != _NO_NULLS}
    return field.with_metadata(others or None)


def _guarded(path: str, format: str, read: Callable[[], Any]) -> Any:
    """Do what may fail where a file is damaged, and say so in one line."""
    pa = pyarrow()
    try:
        return read()
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, MemoryError, OverflowError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise CorruptError(f"{path}: no {format} file that can be read: {why}; write it again") from None


def _schema(path: str, format: str) -> Any:
    if format == "parquet":
        import pyarrow.parquet as pq

        return pq.read_schema(path)
    import pyarrow as pa

    with pa.memory_map(path) as file:
        return pa.ipc.open_file(file).schema


def _columns(path: str, format: str, names: Sequence[str]) -> Any:
    if format == "parquet":
        import pyarrow.parquet as pq

        table = pq.ParquetFile(path).read(columns=list(names))
    else:
        import pyarrow as pa

        with pa.memory_map(path) as file:
            table = pa.ipc.open_file(file).read_all().select(list(names))
    table.validate(full=True)
    return table


def _is_vector(type: Any) -> bool:
    pa = pyarrow()
    kinds = (pa.types.is_fixed_size_list, pa.types.is_list, pa.types.is_large_list)
    return any(kind(type) for kind in kinds) and is_number(type.value_type)


def _choose(path: str, schema: Any, asked: Sequence[str] | None) -> list[str]:
    """Choose columns of numbers, or the one of vectors."""
    names = [str(name) for name in schema.names]
    listed = ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
    twice = next((name for name in asked or names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{path}: two columns are called {twice!r}: rename one")
    if asked is not None:
        missing = next((name for name in asked if name not in names), None)
        if missing is not None:
            raise ValueError(f"{path}: there is no column {missing!r}; the columns are {listed}")
        chosen = list(dict.fromkeys(asked))
    else:
        numbers = [field.name for field in schema if is_number(field.type)]
        vectors = [field.name for field in schema if _is_vector(field.type)]
        if vectors and (numbers or len(vectors) > 1):
            raise ValueError(
                f"{path}: {', '.join(vectors[:_LISTED])} hold vectors"
                + (f" and {', '.join(numbers[:_LISTED])} numbers" if numbers else "")
                + ": choose, as in columns=[" + repr(vectors[0]) + "]"
            )
        chosen = vectors or numbers
    if not chosen:
        raise ValueError(f"{path}: no column holds numbers; the columns are {listed}")
    types = [schema.field(name).type for name in chosen]
    if not all(map(is_number, types)) and not (len(chosen) == 1 and _is_vector(types[0])):
        other = next(name for name, type in zip(chosen, types) if not is_number(type))
        raise ValueError(
            f"{path}: column {other!r} is of type {schema.field(other).type}: choose columns of numbers, or "
            "one of lists of numbers"
        )
    left = [name for name in names if name not in chosen]
    if left and asked is None:
        shown = ", ".join(left[:_LISTED])
        warnings.warn(f"{path}: columns that hold no numbers are left out: {shown}", LeftOutWarning, stacklevel=5)
    return chosen


def _numbers(column: Any, name: str) -> NDArray[Any]:
    """Turn a column into an array, as long as it can be put back."""
    pa = pyarrow()
    if not _is_vector(column.type):
        return numbers(column, f"column {name!r}")
    inner = [chunk.flatten() for chunk in column.chunks]
    if any(chunk.null_count for chunk in inner) and pa.types.is_integer(column.type.value_type):
        raise ValueError(f"column {name!r} has nulls among the whole numbers of its vectors: cast it to floats")
    return numbers(column, f"column {name!r}")


def _joined(path: str, names: Sequence[str], columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Put columns beside each other, in the type that holds all their numbers."""
    try:
        return joined(names, columns)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def bounds(table: Table, options: Mapping[str, Any], fills: Sequence[float]) -> dict[int, float] | None:
    """Return for each column a bound under which its own type keeps what is promised.

    Numbers come back as the type that all columns share, and are rounded to that of their column. For
    whole numbers a bound of which less than a half is left behind the point stays one; of other floats half a unit
    in their last place is taken off. None where the promise is no bound or all columns are of one type.
    """
    others = ("max_error_pointwise_rel", "nmse", "psnr", "cosine", "row_nmse", "row_cosine", "ratio", "bytes_per_row", "lossless")
    if not table.is_mixed or any(options.get(name) for name in others):
        return None
    asked, share = options.get("max_error"), options.get("max_error_rel")
    if asked is None and share is None:
        share = 0.001
    out = {}
    for j, (name, column) in enumerate(zip(table.names or [], table.columns)):
        values = column[np.isfinite(column) & ~np.isin(column, fills)]
        reach = float(np.abs(values).max()) if values.size else 0.0
        if isinstance(asked, Mapping):
            bound = float(next((asked[key] for key in (name, j, str(j), "*") if key in asked), 0.0))
        elif asked is not None:
            bound = float(asked)
        else:
            width = float(values.max()) - float(values.min()) if values.size else 0.0
            bound = float(share or 0) * width
        out[j] = _tightened(bound, column.dtype, table.array.dtype, reach)
    return out


def _tightened(bound: float, own: np.dtype[Any], shared: np.dtype[Any], reach: float) -> float:
    """Return a bound that is kept after rounding to a column's own type."""
    if own == shared:
        return bound
    if own.kind in "iu":
        whole = float(np.floor(bound))
        return min(bound, whole + 0.499)
    # Numbers of this type lie no farther apart, where a value is off by the bound before it is rounded.
    apart = float(np.finfo(own).eps) * max(reach + bound, float(np.finfo(own).tiny))
    return max(bound - apart, 0.0)


def write(file: Any, path: str, format: str, rows: range) -> None:
    """Write rows of a file in the types that they were read from, a block at a time."""
    pa = pyarrow()
    schema, restore = _restored(file)
    step = max(1, file._reader.rows_at_once(1 << 24))
    with _writer(path, format, schema) as writer:
        for first in range(rows.start, max(rows.stop, rows.start + 1), step):
            block = np.asarray(file[first : min(first + step, rows.stop)])
            writer.write_batch(pa.RecordBatch.from_arrays(restore(block), schema=schema))


def _writer(path: str, format: str, schema: Any) -> Any:
    if format == "parquet":
        import pyarrow.parquet as pq

        return pq.ParquetWriter(path, schema)
    return pyarrow().ipc.new_file(path, schema)


def _restored(file: Any) -> tuple[Any, Callable[[NDArray[Any]], list[Any]]]:
    """Return the schema to write, and what makes its columns of rows."""
    pa = pyarrow()
    if file.ndim not in (1, 2):
        raise ValueError(f"a table has rows of numbers, not of shape {file.shape[1:]}: write npy instead")
    width = 1 if file.ndim == 1 else file.shape[1]
    _, format, part = file._reader.origin
    schema = None
    if format in FORMATS and part:
        try:
            schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(part, validate=True)))
        except (ValueError, pa.ArrowException, OSError):
            raise CorruptError("the file does not say which columns it was made from") from None
    is_vector = schema is not None and len(schema) == 1 and _is_vector(schema.field(0).type)
    if schema is None or (not is_vector and len(schema) != width):
        return _plain(file, width)
    if is_vector:
        kind = schema.field(0).type
        if pa.types.is_fixed_size_list(kind) and kind.list_size != width:
            return _plain(file, width)
        schema = pa.schema([_unmarked(schema.field(0))], metadata=schema.metadata)
        return schema, lambda block: [_vectors(block, kind)]
    types = _kept_types(file, schema)
    nullable = [field.nullable and _NO_NULLS not in (field.metadata or {}) for field in schema]
    fields = [_unmarked(field).with_type(type) for field, type in zip(schema, types)]
    schema = pa.schema(fields, metadata=schema.metadata)
    return schema, lambda block: [
        _own(block.reshape(-1, width)[:, j], type, nullable[j]) for j, type in enumerate(types)
    ]


def _plain(file: Any, width: int) -> tuple[Any, Callable[[NDArray[Any]], list[Any]]]:
    """The same for what was no table of pyarrow's: named columns, or vectors."""
    pa = pyarrow()
    number = pa.from_numpy_dtype(file.dtype)
    if file.columns is None and file.ndim == 2:
        kind = pa.list_(number, width)
        return pa.schema([("vector", kind)]), lambda block: [_vectors(block, kind)]
    names = file.columns or ["value"]
    if len(set(names)) < len(names):
        raise ValueError("two columns have one name, which a table of pyarrow's cannot have: write csv instead")
    schema = pa.schema([(name, number) for name in names])
    return schema, lambda block: [_own(column, number, True) for column in block.reshape(-1, width).T]


def _vectors(block: NDArray[Any], kind: Any) -> Any:
    """Make lists of rows."""
    pa = pyarrow()
    numbers = pa.array(np.ascontiguousarray(block).reshape(-1), kind.value_type)
    width = block.shape[1]
    if pa.types.is_fixed_size_list(kind):
        return pa.FixedSizeListArray.from_arrays(numbers, type=kind)
    offsets = np.arange(len(block) + 1) * width
    if pa.types.is_large_list(kind):
        return pa.LargeListArray.from_arrays(pa.array(offsets, "int64"), numbers, type=kind)
    return pa.ListArray.from_arrays(pa.array(offsets, "int32"), numbers, type=kind)


def _kept_types(file: Any, schema: Any) -> list[Any]:
    """Return the columns' own types, or floats where the promise says nothing of single columns."""
    pa = pyarrow()
    promise = file.promise
    shared = pa.from_numpy_dtype(file.dtype)
    if "lossless" in promise or isinstance(promise.get("max_error"), Mapping):
        return list(schema.types)
    other = [field.name for field in schema if field.type != shared]
    if other:
        shown = ", ".join(other[:_LISTED])
        warnings.warn(
            f"written as {shared}, as the promise is not about single columns: {shown}", TypeWarning, stacklevel=6
        )
    return [shared] * len(schema)


def _own(column: NDArray[Any], type: Any, nullable: bool) -> Any:
    """Round numbers to the type of their column; what is missing becomes null where that may be."""
    pa = pyarrow()
    own = np.dtype(type.to_pandas_dtype())
    if own == column.dtype and own.kind != "f":
        return pa.array(column, type)
    missing = np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), bool)
    if own.kind in "iu":
        values = _whole(np.where(missing, 0, column), own)
        return pa.array(values, type, mask=missing if missing.any() else None)
    most = float(np.finfo(own).max)
    finite = np.where(np.isfinite(column), np.clip(column, -most, most), column)
    return pa.array(finite.astype(own), type, mask=missing if nullable and missing.any() else None)


def _whole(values: NDArray[Any], own: np.dtype[Any]) -> NDArray[Any]:
    """Return the whole numbers of a type that lie next to others."""
    limits = np.iinfo(own)
    if values.dtype.kind in "iu":
        return np.clip(values, limits.min, limits.max).astype(own)
    nearest = np.rint(values)
    # The largest ones of 64 bits are no floats: as a float they are one more.
    above, below = nearest >= float(limits.max), nearest < float(limits.min)
    out = np.where(above | below, 0, nearest).astype(own)
    out[above], out[below] = limits.max, limits.min
    return out
