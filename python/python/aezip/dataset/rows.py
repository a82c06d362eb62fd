"""What engines hand over, as arrays of rows: tensors, lists in a column, columns of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._arrays import as_array
from .._arrow import numbers


class Sample(NamedTuple):
    """Rows to learn from."""

    rows: NDArray[Any]
    #: Names of the columns, where each row is one number of each.
    names: tuple[str, ...] | None


def sample_of(batches: Iterable[Any], columns: Sequence[str] | None, most: int | None = None) -> Sample:
    """Return the rows of some batches; of each at most ``most`` bytes, evenly spread."""
    found, names = [], None
    for batch in batches:
        if not is_empty(batch):
            rows = rows_of(batch, columns)
            step = 1 if most is None else -(-rows.nbytes // max(1, most))
            found.append(rows[:: max(1, step)])
            names = column_names(batch, columns)
    if not found:
        raise ValueError("there are no rows to learn from")
    return Sample(np.concatenate(found), names)


def rows_of(batch: Any, columns: Sequence[str] | None = None) -> NDArray[Any]:
    """Return a batch of rows as an array.

    Parameters
    ----------
    batch : ndarray, dict of ndarray, Arrow table or batch, pandas.DataFrame, or list of rows
        Where it has columns, a single one holds rows (tensors or lists of one length), or several hold
        a number of each row.
    columns : sequence of str, optional
        Which of them; all if not given.

    Returns
    -------
    ndarray
    """
    if hasattr(batch, "schema") and hasattr(batch, "column"):
        batch = {name: numbers(batch.column(name), f"column {name}") for name in columns or batch.schema.names}
    elif hasattr(batch, "dtypes") and hasattr(batch, "columns"):
        batch = {name: batch[name].to_numpy() for name in columns or batch.columns}
    elif isinstance(batch, list) and batch and isinstance(batch[0], Mapping):
        batch = {name: [row.get(name) for row in batch] for name in columns or batch[0]}
    if not isinstance(batch, Mapping):
        return as_array(_stacked(batch, "a row"))
    names = list(columns or batch)
    missing = [name for name in names if name not in batch]
    if missing or not names:
        raise ValueError(f"there is no column {missing or ''}: there are {', '.join(map(str, batch))}")
    found = [_stacked(batch[name], f"column {name}") for name in names]
    if len(found) == 1 and found[0].ndim > 1:
        return as_array(found[0])
    for name, column in zip(names, found):
        if column.ndim != 1:
            raise ValueError(f"column {name} holds rows: name it alone, or the columns of numbers")
    return as_array(np.column_stack(found))


def is_empty(batch: Any) -> bool:
    """Say whether a batch has no rows, whatever its columns are."""
    if isinstance(batch, Mapping):
        return all(len(column) == 0 for column in batch.values())
    return hasattr(batch, "__len__") and len(batch) == 0


def column_names(batch: Any, columns: Sequence[str] | None = None) -> tuple[str, ...] | None:
    """Return the names of columns of numbers; None where a single column holds rows, or there is none."""
    if hasattr(batch, "schema") and hasattr(batch, "column"):
        names = list(columns or batch.schema.names)
    elif isinstance(batch, Mapping) or hasattr(batch, "dtypes"):
        names = list(columns or batch)
    elif isinstance(batch, list) and batch and isinstance(batch[0], Mapping):
        names = list(columns or batch[0])
    else:
        return None
    is_rows = len(names) == 1 and rows_of(batch, names).shape[1:] != (1,)
    return None if is_rows else tuple(map(str, names))


def _stacked(column: Any, what: str) -> NDArray[Any]:
    """Return a column, of which each entry may be a row, as one array."""
    array = column if isinstance(column, np.ndarray) else np.asarray(column)
    if array.dtype != object or len(array) == 0:
        return array
    try:
        return np.stack([np.asarray(entry) for entry in array])
    except ValueError as error:
        raise ValueError(f"{what}: its entries are no rows of one length: {error}") from None
