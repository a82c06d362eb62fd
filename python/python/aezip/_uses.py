"""What a codec is good for besides small files; each learns what it needs, unless a codec is given."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import _aezip
from ._arrays import as_array, as_table
from ._codec import Codec
from ._options import Options, Progress, count, listener

if TYPE_CHECKING:
    from typing_extensions import Unpack

#: Whole numbers of so many kinds are labels: more colours could not be told apart.
MOST_LABELS = 64
#: Points of a picture.
MOST_POINTS = 20_000
#: Results of ``impute``.
MOST_DRAWS = 1000
#: With fewer rows, principal components are drawn.
LEAST_ROWS = 64


class Anomalies(NamedTuple):
    """How little each row is like the others."""

    #: The larger, the odder, in nats for ``score="density"``; NaN for rows without any value.
    scores: NDArray[np.float64]
    #: Whether each row is flagged.
    flagged: NDArray[np.bool_]
    #: The score above which rows are.
    threshold: float
    #: How much each value contributes to its row's score, rows × columns; empty for ``score="bits"``, and for
    #: ``score="density"`` with a codec.
    columns: NDArray[np.float32]


class Denoised(NamedTuple):
    """Rows without their noise."""

    rows: NDArray[Any]
    #: Standard deviation of the noise, None if none could be told from what rows have in common.
    noise: float | None
    #: Principal components that are more than noise.
    components: int


def anomalies(
    x: Any,
    codec: Codec | None = None,
    *,
    like: Any = None,
    contamination: float | str | None = "auto",
    score: str = "auto",
    rounds: int | None = None,
    progress: Progress = None,
    **options: Unpack[Options],
) -> Anomalies:
    """Find rows that are not like the others.

    Parameters
    ----------
    x : array_like
        Rows.
    codec : Codec, optional
        What knows ordinary rows; learned from ``x`` without its oddest rows if not given.
    like : array_like, optional
        Rows known to be ordinary, by whose density those of ``x`` are judged, in nats; without a codec, and with "auto" or
        "density" as ``score``.
    contamination : "auto" or float
        The share of rows to flag; "auto" flags those far above the median score. None is "auto".
    score : {"auto", "error", "density", "bits"}
        "error" is how far rows are from what the codec makes of them: large where columns do not go together.
        "density" is how unlikely they are by the density of ordinary rows about them, in nats: large far from
        all others. It takes seconds, and without a codec no option about networks. "bits" is how many bits they
        take. "auto" is by how much the error or the density, whichever says more of the row, exceeds what is
        usual; the error alone with a codec, or with options like ``epochs`` that leave a single network.
    rounds : int, optional
        How many times the oddest rows are left out and the others learned from, or compared with, anew; none are with
        ``like``.
    progress : bool or callable, optional
        Who is told how far it is.
    **options
        How to learn.

    Returns
    -------
    Anomalies

    Examples
    --------
    >>> import numpy as np, aezip
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 6)) + 0.05 * rng.normal(size=(300, 6))
    >>> x[7] = [3, -3, 3, -3, 3, -3]
    >>> int(np.argmax(aezip.anomalies(x, epochs=30).scores))
    7
    """
    rows = as_table(x)
    if like is not None and codec is not None:
        raise TypeError("rows are judged by those of like or by a codec: leave out one of them")
    asked = None if rounds is None else count(rounds, "rounds")
    share = _share(contamination)
    with listener(progress) as told:
        own = None if codec is None else codec._codec
        ordinary = None if like is None else as_table(like)
        found = _aezip.anomalies(rows, own, ordinary, options, (score, share, asked), told)
    columns = found["columns"]
    columns = columns.reshape(rows[2][0], -1) if columns.size else columns
    return Anomalies(found["scores"], found["flagged"], found["threshold"], columns)


def _share(contamination: float | str | None) -> float | None:
    if contamination is None or contamination == "auto":
        return None
    if isinstance(contamination, str):
        raise ValueError(f'contamination={contamination!r} is neither "auto" nor a number')
    return contamination


def impute(
    x: Any,
    codec: Codec | None = None,
    *,
    missing: float | Sequence[float] = (),
    draws: int | None = None,
    progress: Progress = None,
    **options: Unpack[Options],
) -> NDArray[Any]:
    """Fill in missing values: NaN, and the numbers in ``missing``.

    Parameters
    ----------
    x : array_like
        Rows.
    codec : Codec, optional
        One trained with ``mask_patches``; without it, several ways are tried on values that are known,
        column by column.
    missing : float or sequence of float
        Numbers that stand for missing values, such as -999.
    draws : int, optional
        How many results to give, 1 to 1000, which differ by as much as guesses may be off (multiple imputation);
        without a codec. The same as one result, which does not differ, if not given.
    progress : bool or callable, optional
        Who is told how far it is.
    **options
        ``threads`` and ``seed``.

    Returns
    -------
    ndarray
        The rows, of the same type and shape; with ``draws`` that many, along a first axis. A column without any value
        stays as it is.

    Examples
    --------
    >>> import numpy as np, aezip
    >>> x = np.arange(60.0)[:, None] * [1.0, -2.0]
    >>> x[10, 1] = np.nan
    >>> bool(abs(aezip.impute(x)[10, 1] - -20) < 0.1)
    True
    """
    codes = [float(m) for m in np.atleast_1d(np.asarray(missing, dtype=float))]
    if draws is not None:
        draws = count(draws, "draws", 1, MOST_DRAWS)
        if codec is not None:
            raise TypeError("draws differ by how far the usual ways are off: leave out the codec")
    with listener(progress) as told:
        own = None if codec is None else codec._codec
        filled = _aezip.impute(as_table(x), own, options, codes, draws, told)
    if draws is None:
        return filled[0].reshape(np.shape(x))
    return np.stack([rows.reshape(np.shape(x)) for rows in filled])


def denoise(
    x: Any,
    codec: Codec | None = None,
    *,
    noise: float | None = None,
    progress: Progress = None,
    **options: Unpack[Options],
) -> Denoised:
    """Take noise out of rows: keep what they have in common.

    Parameters
    ----------
    x : array_like
        Rows.
    codec : Codec, optional
        One trained on clean rows with ``denoise="gaussian:0.2"``, say; without it, noise is measured on
        the rows themselves.
    noise : float, optional
        The standard deviation of the noise in the data's unit, where it is known.
    progress : bool or callable, optional
        Who is told how far it is.
    **options
        ``threads`` and ``seed``.

    Returns
    -------
    Denoised
    """
    if codec is not None:
        if noise is not None:
            raise TypeError("a codec takes away what it does not know, whatever the noise: leave out noise or codec")
        return Denoised(codec.denoise(x), None, codec.latents)
    with listener(progress) as told:
        return Denoised(*_aezip.denoise(as_table(x), noise, options, told))


def embed(
    x: Any, dim: int = 2, *, progress: Progress = None, **options: Unpack[Options]
) -> NDArray[np.float32]:
    """Learn a few numbers that stand for each row.

    Parameters
    ----------
    x : array_like
        Rows.
    dim : int, default 2
        How many numbers.
    progress : bool or callable, optional
        Who is told how far it is.
    **options
        How to learn.

    Returns
    -------
    ndarray
        Rows × ``dim``; NaN for rows without any value.
    """
    asked: Options = {"latent": dim, "loss": "mse", **options}
    with listener(progress) as told:
        return _aezip.embed(as_table(x), asked, told)


class Plot:
    """A picture, which notebooks show; :meth:`save` writes it."""

    def __init__(self, data: bytes, kind: str) -> None:
        self.data = data
        self.kind = kind

    def _repr_svg_(self) -> str | None:
        return self.data.decode() if self.kind == "svg" else None

    def _repr_png_(self) -> bytes | None:
        return self.data if self.kind == "png" else None

    def _repr_html_(self) -> str | None:
        if self.kind != "html":
            return None
        page = base64.b64encode(self.data).decode()
        return (
            f'<iframe src="data:text/html;base64,{page}" width="100%" height="640" '
            'style="border:0" sandbox="allow-scripts"></iframe>'
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture into a file."""
        _aezip.write_file(os.fspath(path), self.data)

    def __repr__(self) -> str:
        return f"<aezip.Plot {self.kind}, {len(self.data)} bytes>"


def plot(
    x: Any,
    *,
    color_by: Any = None,
    dim: int = 2,
    codec: Codec | None = None,
    title: str = "",
    to: str = "svg",
    most: int = MOST_POINTS,
    progress: Progress = None,
    **options: Unpack[Options],
) -> Plot:
    """Draw rows as points of a plane or of space.

    Parameters
    ----------
    x : array_like
        Rows: points if they are of ``dim`` numbers; otherwise an embedding of them is learned, or of few
        rows the principal components are drawn.
    color_by : array_like, optional
        A number for each row; whole numbers are labels.
    dim : {2, 3}
        Dimensions of the points.
    codec : Codec, optional
        What embeds rows instead.
    title : str
        What stands above the picture.
    to : {"svg", "html", "png"}
        ``"html"`` is a page whose points name themselves and can be turned.
    most : int
        Points to draw, at most.
    progress : bool or callable, optional
        Who is told how far it is.
    **options
        How to learn.

    Returns
    -------
    Plot

    Examples
    --------
    >>> import numpy as np, aezip
    >>> aezip.plot(np.random.default_rng(0).normal(size=(50, 2)))
    <aezip.Plot svg, ... bytes>
    """
    if dim not in (2, 3):
        raise ValueError(f"dim={dim}: points are drawn on a plane (2) or in space (3)")
    points = as_table(x)
    width = int(np.prod(points[2][1:]))
    if codec is not None:
        points = as_table(codec.embed(x))
    elif width > dim and points[2][0] >= LEAST_ROWS:
        points = as_table(embed(x, dim, progress=progress, **options))
    labels, numbers = _colours(color_by, points[2][0])
    return Plot(_aezip.scatter(points, dim, labels, numbers, (title, to, count(most, "most"))), to)


def _colours(values: Any, rows: int) -> tuple[list[int] | None, list[float] | None]:
    """Return labels, or numbers, to colour points by."""
    if values is None:
        return None, None
    numbers = as_array(values).reshape(-1)
    if len(numbers) != rows:
        raise ValueError(f"color_by has {len(numbers)} numbers, there are {rows} rows")
    whole = np.all(np.isfinite(numbers)) and np.all(numbers == np.floor(numbers))
    if whole and len(np.unique(numbers)) <= MOST_LABELS:
        return numbers.astype(np.int64).tolist(), None
    return None, numbers.astype(float).tolist()
