"""Arrays to files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _aezip, _tables
from ._arrays import as_rows
from ._file import promise_of
from ._options import Options, Progress, listener, warn_of_fill_values

if TYPE_CHECKING:
    from typing_extensions import Unpack


@dataclass(frozen=True)
class Report:
    """What was written.

    ``max_error``, ``nmse``, ``psnr`` and ``cosine`` are measured on the decoded numbers, and
    ``max_error_pointwise_rel`` where that is what was promised.
    """

    rows: int
    bytes_in: int
    bytes_out: int
    model_bytes: int
    promise: dict[str, Any]
    max_error: float
    max_error_pointwise_rel: float | None
    nmse: float
    psnr: float
    cosine: float
    fill_values: list[float]
    latents: int
    hidden: list[int]

    @property
    def ratio(self) -> float:
        """How many times smaller the file is than the numbers."""
        return self.bytes_in / self.bytes_out


def report_of(facts: dict[str, Any], options: Any) -> Report:
    """Return what was told of a file, and warn of what may be a surprise in it."""
    warn_of_fill_values(facts["fill_values"], options)
    return Report(**{**facts, "promise": promise_of(facts["promise"])})


def compress(
    x: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    array: str | None = None,
    columns: Sequence[str] | None = None,
    format: str | None = None,
    progress: Progress = None,
    **options: Unpack[Options],
) -> Report:
    """Compress an array, or a file of numbers, into a file.

    The file is written beside its place and renamed when it is complete, over one of the same name.
    Ctrl-C ends the work and leaves nothing behind. Other threads run meanwhile.

    Parameters
    ----------
    x : array_like or path
        Floats of 16 to 64 bits or integers, of any shape with an axis; anything with ``__array__`` or
        the Arrow C interface (lists of one length are rows, columns of a table are columns). It is not
        copied if it is contiguous. Floats of 16 and 8 bits that ``ml_dtypes`` adds are stored as ones of 32 bits. Or the path of a file: ``.npy``, ``.npz``, ``.csv`` and other text,
        ``.safetensors``, ``.parquet`` and ``.arrow`` (with pyarrow), idx, vectors, a folder of PNG pictures; packed
        ones (``.gz``, ``.zst``), too. :func:`aezip.decompress` brings it back.
    path : path, optional
        The file to write; for a file it is that name and ``.aez`` if it is left out.
    array : str, optional
        Which array of an ``.npz``, or tensor of a ``.safetensors`` file.
    columns : sequence of str, optional
        Which columns of a table of text, of a Parquet or of an Arrow file, and in which order.
    format : str, optional
        The format of a file that does not say it itself.
    progress : bool or callable, optional
        True for a bar, or what is called with a stage, how much of it is done, and how much there is.
    **options
        One promise, ``max_error_rel=0.001`` if none is given:

        ``max_error=E``
            no number is off by more than ``E``; a dict has a bound for each column by its number from
            0, and ``"*"`` for the others;
        ``max_error_rel=F``, or by another name ``max_error_range=F``
            … by more than ``F`` times the range of its column, the largest number less the smallest;
        ``max_error_pointwise_rel=R``
            … by more than ``R`` times its own size; zero stays zero, and signs are kept;
        ``nmse=X``, ``psnr=DB``, ``cosine=C``
            squared error in units of the variance, decibels, mean cosine of rows, over the file;
        ``row_nmse=X``, ``row_cosine=C``
            the same for each row;
        ``row_l2=E``
            the error of each row is at most ``E`` long, in the data's units;
        ``ratio=R``, ``bytes_per_row=B``
            the file is at most so large, and as good as that allows;
        ``lossless=True``
            every bit comes back.

        And how: ``level`` (1 is fast, 9 small, 5 usual), ``threads``, ``memory`` (bytes that the
        work may take, 1 GiB usually), ``seed``, ``fill_value`` (numbers that stand for missing ones, or ``"none"``),
        ``tile`` (``"auto"``, ``"rows"`` or a shape), ``shape``,
        ``access`` (``"auto"``, ``"row"``, ``"scan"`` or rows of a part: how single rows are read); the network:
        ``hidden``, ``latent``, ``epochs``, ``batch``, ``lr``, ``activation``, ``time``; its kind: ``loss``, ``linear``, ``sparse``,
        ``denoise``, ``mask_patches``, ``transformer`` (of :func:`aezip.train` alone: true, or a dict of its ``depth``, ``heads`` and ``dim``), ``contractive``, ``variational``. ``aezip compress --help`` explains each.

    Returns
    -------
    Report
        Sizes and measured errors.

    Raises
    ------
    ValueError
        If numbers are of a type that files do not hold, or the promise makes no sense for them.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import numpy as np, aezip, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "waves.aez")
    >>> x = np.sin(np.arange(40_000, dtype="f4") * 0.01).reshape(400, 100)
    >>> report = aezip.compress(x, path, max_error=0.01, level=1)
    >>> report.ratio > 10, report.max_error <= 0.01
    (True, True)
    >>> bool(abs(aezip.open(path)[17] - x[17]).max() <= 0.01)
    True
    """
    if isinstance(x, (str, os.PathLike)):
        source = os.fspath(x)
        target = source.rstrip("/") + ".aez" if path is None else os.fspath(path)
        return _compress_file(source, target, (array, columns, format), progress, options)
    if path is None:
        raise TypeError("an array has no name: say which file to write")
    if array is not None or columns is not None or format is not None:
        raise ValueError("array, columns and format are for files: choose parts of an array before")
    with listener(progress) as told:
        _, facts = _aezip.compress(as_rows(x), os.fspath(path), options, told)
    return report_of(facts, options)


def _compress_file(
    source: str,
    target: str,
    how: tuple[str | None, Sequence[str] | None, str | None],
    progress: Progress,
    options: Options,
) -> Report:
    """Compress a file: with pyarrow, or by the program's readers."""
    array, columns, format = how
    table = format if format in _tables.FORMATS else _tables.format_of(source)
    if table is not None:
        if array is not None:
            raise ValueError(f"{source}: a {table} file has columns: choose with columns=[...]")
        return _compress_table(source, target, _tables.read(source, table, columns), table, progress, options)
    chosen = None if columns is None else list(columns)
    with listener(progress) as told:
        _, facts = _aezip.compress_file(source, target, options, (array, chosen, format), told)
    return report_of(facts, options)


def _compress_table(
    source: str, target: str, table: _tables.Table, format: str, progress: Progress, options: Options
) -> Report:
    """Compress columns, those of other types than they share within bounds of their own."""
    about = (table.names, (format, table.part), os.path.basename(source))
    given: Any = options.get("fill_value")
    fills = [] if given is None or isinstance(given, str) else np.atleast_1d(given).tolist()
    rows = as_rows(table.array)
    own: Any = dict(options)
    while True:
        bounds = _tables.bounds(table, options, fills)
        if bounds is not None:
            own = {**own, "max_error": bounds, "max_error_rel": None}
        with listener(progress) as told:
            _, facts = _aezip.compress(rows, target, own, told, about)
        found = facts["fill_values"]
        # Ranges were those of the missing values, too.
        if bounds is None or given is not None or not found or own.get("fill_value") is not None:
            return report_of(facts, options)
        fills, own = found, {**own, "fill_value": found}


def dumps(x: Any, *, progress: Progress = None, **options: Unpack[Options]) -> bytes:
    """Compress an array into bytes; arguments are those of :func:`aezip.compress`.

    Parameters
    ----------
    x : array_like
        The numbers.
    progress : bool or callable, optional
        Who is told how far it is.
    **options
        A promise and how to keep it.

    Returns
    -------
    bytes
        What :func:`aezip.loads` and :func:`aezip.open` read.
    """
    with listener(progress) as told:
        data, facts = _aezip.compress(as_rows(x), None, options, told)
    report_of(facts, options)
    return data
