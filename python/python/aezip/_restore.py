"""Compressed files back to files of other kinds."""

from __future__ import annotations

import operator
import os
import tempfile

from . import _aezip, _tables
from ._file import File
from ._file import open as open_file

#: Formats that are written here, not by the program's writers.
_OWN = (*_tables.FORMATS, "png")


def decompress(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    *,
    format: str | None = None,
    rows: slice | None = None,
) -> str:
    """Write the numbers in a compressed file as a file of another kind.

    Parameters
    ----------
    path : path
        The compressed file.
    output : path, optional
        What to write; its name says the format, and whether it is packed (``.gz``, ``.zst``). Without it, the
        file that was compressed comes back beside ``path``, under its name, if there is no such file.
        A name that ends in ``/`` is a new folder of pictures.
    format : str, optional
        The format, where the name does not say it: ``npy``, ``npz``, ``csv``, ``safetensors``, ``png``,
        ``parquet``, ``arrow``, ``idx``, ``fvecs`` and others.
    rows : slice, optional
        Only these rows.

    Returns
    -------
    str
        What was written.

    Raises
    ------
    ValueError
        If the format cannot hold such numbers, or none is known.
    OSError
        If it cannot be written.

    Examples
    --------
    >>> import numpy as np, aezip, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "x.npz")
    >>> np.savez(path, first=np.eye(40), second=np.ones(3))
    >>> report = aezip.compress(path, array="first", lossless=True, level=1)
    >>> csv = aezip.decompress(path + ".aez", path + ".csv.gz")
    >>> os.remove(path)
    >>> with np.load(aezip.decompress(path + ".aez")) as back:
    ...     bool((back["first"] == np.eye(40)).all())
    True
    """
    path = os.fspath(path)
    file = open_file(path)
    name, stored, _ = file._reader.origin
    if output is None:
        output = os.path.join(os.path.dirname(path), _safe(name))
        if os.path.exists(output):
            raise FileExistsError(f"{output} already exists: name another file")
        named = stored if stored in _OWN else None
    else:
        output = os.fspath(output)
        named = _tables.format_named(output) or (stored if stored in _OWN and _is_unnamed(output) else None)
        named = "png" if output.endswith(("/", os.sep)) else named
    chosen = format or named
    first, last, step = (rows or slice(None)).indices(len(file) if file.ndim else 1)
    if step != 1:
        raise ValueError("rows have to follow one another: leave out the step")
    last = max(first, last)
    if chosen in _tables.FORMATS:
        _write_table(file, output, str(chosen), range(first, last))
    elif chosen == "png":
        _write_pictures(path, output, (first, last))
    else:
        bounds = None if rows is None else (operator.index(first), operator.index(last))
        _aezip.decompress(path, output, chosen, bounds)
    return output


def _is_unnamed(path: str) -> bool:
    """Whether a file's name stands for no format."""
    return not os.path.splitext(path)[1]


def _safe(name: str) -> str:
    """Return the name of the file that was compressed: it must not lead elsewhere."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    if not base or base in (".", "..") or ":" in base or not base.isprintable():
        raise ValueError(f"the file was compressed from {name!r}, which is no name for a file: give one")
    return base


def _beside(output: str) -> str:
    return os.path.dirname(os.path.abspath(output.rstrip("/")))


def _write_table(file: File, output: str, format: str, rows: range) -> None:
    """Write beside the place and rename."""
    # Through a link to the file that is meant.
    output = os.path.realpath(output)
    if os.path.exists(output) and not os.path.isfile(output):
        raise FileExistsError(f"{output} is no regular file, which a {format} file is to be: name another")
    handle, temporary = tempfile.mkstemp(prefix=".aezip-", suffix=".tmp", dir=_beside(output))
    os.close(handle)
    try:
        _tables.write(file, temporary, format, rows)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, output)
    except BaseException:
        os.unlink(temporary)
        raise


def _write_pictures(path: str, output: str, rows: tuple[int, int]) -> None:
    """Write into a folder beside the place and rename it; only an empty folder is replaced."""
    output = output.rstrip("/")
    if os.path.lexists(output) and not (os.path.isdir(output) and not os.listdir(output)):
        raise FileExistsError(f"{output} already exists: name a new folder")
    with tempfile.TemporaryDirectory(prefix=".aezip-", suffix=".tmp", dir=_beside(output)) as folder:
        pictures = os.path.join(folder, "pictures")
        os.mkdir(pictures)
        _aezip.decompress(path, pictures, "png", rows)
        os.replace(pictures, output)
