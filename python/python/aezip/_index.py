"""NumPy's rules of indexing: which box, or which rows, to decode, and what to take from them.

An index is split into two: a box of the array that holds all that is asked for, and the same index
counted from the corner of that box. NumPy applies the latter, so that its rules hold by themselves.
"""

from __future__ import annotations

import operator
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

#: Rows so far apart, or fewer than such a share of those between, are decoded one by one.
SPARSE = 8


class Source(Protocol):
    """What can decode boxes and rows."""

    @property
    def shape(self) -> tuple[int, ...] | list[int]: ...
    def region(self, start: list[int], stop: list[int]) -> NDArray[Any]: ...
    def take(self, rows: NDArray[np.uint64]) -> NDArray[Any]: ...


class Span(NamedTuple):
    """What is asked for along an axis."""

    start: int
    stop: int
    #: The index, counted from ``start``.
    index: Any


def read(source: Source, key: Any) -> Any:
    """Return ``array[key]`` of the array that ``source`` decodes."""
    shape = tuple(source.shape)
    items = _expanded(key, shape)
    spans: list[Span] = []
    index: list[Any] = []
    for item in items:
        if item is None:
            index.append(None)
            continue
        axis = len(spans)
        spans.append(_span(item, shape[axis], axis))
        index.append(spans[-1].index)
    rows = _rows_apart(spans, items)
    if rows is not None:
        at = next(i for i, item in enumerate(items) if item is not None)
        data, index[at] = source.take(rows[0]), rows[1]
        box = tuple(slice(s.start, s.stop) for s in spans[1:])
        data = data[(slice(None), *box)]
    else:
        data = source.region([s.start for s in spans], [s.stop for s in spans])
    if all(isinstance(i, slice) and i == slice(0, None, 1) for i in index):
        return data
    found = data[tuple(index)]
    # With an ellipsis, NumPy gives an array even of one number.
    has_ellipsis = any(item is Ellipsis for item in (key if isinstance(key, tuple) else (key,)))
    return np.asarray(found) if has_ellipsis else found


def _expanded(key: Any, shape: tuple[int, ...]) -> list[Any]:
    """Return one entry for each axis, and None for each new one; masks as the places that they name."""
    entries = [_entry(item) for item in (key if isinstance(key, tuple) else (key,))]
    used = sum(_axes(item) for item in entries)
    if used > len(shape):
        raise IndexError(f"too many indices: the array has {len(shape)} axes, {used} are indexed")
    dots = [i for i, item in enumerate(entries) if item is Ellipsis]
    if len(dots) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    at = dots[0] if dots else len(entries)
    entries[at : at + 1] = [slice(None)] * (len(shape) - used)
    out: list[Any] = []
    axis = 0
    for item in entries:
        if isinstance(item, np.ndarray) and item.dtype == bool:
            if item.shape != shape[axis : axis + item.ndim]:
                raise IndexError(
                    f"a mask of shape {item.shape} for axes {axis} on of an array of shape {shape}"
                )
            out.extend(np.nonzero(item))
        else:
            out.append(item)
        axis += _axes(item)
    return out


def _entry(item: Any) -> Any:
    """Return an item of an index as a slice, an int, an array, None or Ellipsis."""
    if item is None or item is Ellipsis or isinstance(item, slice):
        return item
    if isinstance(item, int) and not isinstance(item, bool):
        return item
    array = np.asarray(item)
    if array.dtype == bool:
        if array.ndim == 0:
            raise IndexError("a single True or False is no index of a file")
        return array
    if array.size == 0 and not isinstance(item, np.ndarray):
        return array.astype(np.intp)
    if array.dtype.kind in "iu" and array.ndim > 0:
        return array
    if array.ndim == 0 and hasattr(item, "__index__"):
        return operator.index(item)
    raise IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and integer or boolean arrays are valid "
        "indices"
    )


def _axes(item: Any) -> int:
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if isinstance(item, np.ndarray) and item.dtype == bool else 1


def _span(item: Any, size: int, axis: int) -> Span:
    if isinstance(item, slice):
        chosen = range(size)[item]
        if not chosen:
            return Span(0, 0, slice(0, None, 1))
        low, high = min(chosen[0], chosen[-1]), max(chosen[0], chosen[-1]) + 1
        first = 0 if chosen.step > 0 else None
        return Span(low, high, slice(first, None, chosen.step))
    if isinstance(item, int):
        at = item + size if item < 0 else item
        if not 0 <= at < size:
            raise IndexError(f"index {item} is out of bounds for axis {axis} with size {size}")
        return Span(at, at + 1, 0)
    if item.size == 0:
        return Span(0, 0, item.astype(np.intp))
    places = np.where(item < 0, item + size, item).astype(np.intp) if item.dtype.kind == "i" else item
    low, high = int(places.min()), int(places.max())
    if low < 0 or high >= size:
        wrong = item.reshape(-1)[np.flatnonzero((places < 0) | (places >= size))[0]]
        raise IndexError(f"index {wrong} is out of bounds for axis {axis} with size {size}")
    return Span(low, high + 1, places.astype(np.intp) - low)


def _rows_apart(spans: list[Span], items: list[Any]) -> tuple[NDArray[np.uint64], Any] | None:
    """Return the rows to decode one by one, and the index among them, where they lie far apart."""
    if not spans:
        return None
    start, stop, index = spans[0]
    if isinstance(index, slice):
        step = index.step or 1
        if abs(step) < SPARSE:
            return None
        chosen = np.arange(start, stop)[index]
        return chosen.astype(np.uint64), slice(0, None, 1)
    if isinstance(index, int) or index.size == 0:
        return None
    rows, places = np.unique(index, return_inverse=True)
    if rows.size * SPARSE > stop - start:
        return None
    return (rows + start).astype(np.uint64), places.reshape(index.shape)
