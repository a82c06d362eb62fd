"""More rows into files that are there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import _aezip, _tables
from ._arrays import as_rows
from ._options import Progress, count, listener


@dataclass(frozen=True)
class Appended:
    """What was added to a file.

    ``max_error``, ``nmse``, ``psnr`` and ``cosine`` are those of the added rows, measured on the decoded
    numbers. ``unfinished_bytes`` were left by a call that did not come to its end, and written over;
    ``exact_values`` are stored bit for bit, as the model does not bring them within the bound.
    """

    rows_before: int
    rows: int
    bytes_before: int
    bytes: int
    unfinished_bytes: int
    max_error: float
    nmse: float
    psnr: float
    cosine: float
    exact_values: int


def append(
    path: str | os.PathLike[str],
    x: Any,
    *,
    array: str | None = None,
    columns: Sequence[str] | None = None,
    format: str | None = None,
    threads: int = 0,
    progress: Progress = None,
) -> Appended:
    """Add rows to a file, with the model that is in it and under its promise.

    What is there stays as it is. The rows count once all of them are on the disk: whenever the process is
    killed or the power goes out, the file is what it was, or has all rows. Whoever has it open goes on
    reading what it was. Add thousands of rows at a time: each call begins a block and writes an index.

    Parameters
    ----------
    path : path
        The file to add to.
    x : array_like or path
        Rows of the same type and shape as those of the file; or the path of a file of rows, of any format that
        :func:`aezip.compress` takes.
    array : str, optional
        Which array of an ``.npz``, or tensor of a ``.safetensors`` file.
    columns : sequence of str, optional
        Which columns of a table, and in which order.
    format : str, optional
        The format of a file that does not say it itself.
    threads : int, optional
        How many threads work; 0 for one per core. The file does not depend on it.
    progress : bool or callable, optional
        True for a bar, or what is called with a stage, how much of it is done, and how much there is.

    Returns
    -------
    Appended
        Numbers of rows and bytes, and measured errors.

    Raises
    ------
    ValueError
        If the file has no rows like these, its promise cannot be kept for them, or somebody else is appending.
    CorruptError
        If the file is damaged.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import numpy as np, aezip, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "waves.aez")
    >>> x = np.sin(np.arange(40_000, dtype="f4") * 0.01).reshape(400, 100)
    >>> _ = aezip.compress(x[:300], path, max_error=0.01, level=1)
    >>> added = aezip.append(path, x[300:])
    >>> added.rows_before, added.rows, added.max_error <= 0.01
    (300, 100, True)
    >>> bool(abs(np.asarray(aezip.open(path)) - x).max() <= 0.01)
    True
    """
    file, threads = os.fspath(path), count(threads, "threads")
    about = None
    if isinstance(x, (str, os.PathLike)):
        source = os.fspath(x)
        kind = format if format in _tables.FORMATS else _tables.format_of(source)
        if kind is None:
            how = (array, None if columns is None else list(columns), format)
            with listener(progress) as told:
                return Appended(**_aezip.append_file(file, source, how, threads, told))
        if array is not None:
            raise ValueError(f"{source}: a {kind} file has columns: choose with columns=[...]")
        table = _tables.read(source, kind, columns)
        x, about = table.array, (table.names, (kind, table.part), os.path.basename(source))
    elif array is not None or columns is not None or format is not None:
        raise ValueError("array, columns and format are for files: choose parts of an array before")
    with listener(progress) as told:
        return Appended(**_aezip.append(file, as_rows(x, maybe_none=True), threads, told, about))
