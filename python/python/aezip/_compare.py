"""What levels and promises cost: bytes per row, error and seconds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from . import _aezip
from ._arrays import as_table
from ._options import MOST_COUNTED, Options, Progress, count, listener
from ._uses import Plot

if TYPE_CHECKING:
    from typing_extensions import Unpack

#: The highest level.
_MOST_LEVEL = 9
#: How many decimals the columns of the table have; errors have six digits.
_DECIMALS = {"bytes_per_row": ".2f", "error": ".6g", "max_error": ".6g", "nmse": ".6g", "seconds": ".2f"}


class Trial(TypedDict):
    """What came of one way to store rows."""

    method: str
    promise: str
    bytes_per_row: float
    error: float
    max_error: float
    nmse: float
    seconds: float


class Comparison:
    """What several ways to store rows cost, made by :func:`compare`; notebooks show picture and table."""

    def __init__(self, found: _aezip.Comparison, promise: str) -> None:
        self._found = found
        #: A dict for each way, of which ``pandas.DataFrame`` makes a table.
        self.table: list[Trial] = found.trials()
        #: The kind of promise, whose numbers stand in the table.
        self.promise = promise
        #: How many rows there are, how many of them were measured, and what the column ``error`` is.
        self.rows, self.measured, self.error_is = found.facts()

    def plot(self, title: str = "", to: str = "svg") -> Plot:
        """Draw error over bytes per row, as ``"svg"``, ``"png"`` or ``"html"``."""
        return Plot(self._found.draw(title, to), to)

    def save(self, path: str | os.PathLike[str], title: str = "") -> None:
        """Write the picture into a file whose name ends in .svg, .png or .html."""
        self.plot(title, os.path.splitext(os.fspath(path))[1][1:]).save(path)

    def _repr_svg_(self) -> str | None:
        # What notebooks show is no place for errors; `plot` says why there is no picture.
        try:
            return self.plot()._repr_svg_()
        except ValueError:
            return None

    def _repr_html_(self) -> str:
        lines = self._cells()
        head = "".join(f"<th>{escape(cell)}</th>" for cell in lines[0])
        rows = ("".join(f"<td>{escape(cell)}</td>" for cell in line) for line in lines[1:])
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"{self._repr_svg_() or ''}<table><tr>{head}</tr>{body}</table><p>{escape(self._note())}</p>"

    def __repr__(self) -> str:
        lines = self._cells()
        widths = [max(len(line[j]) for line in lines) for j in range(len(lines[0]))]
        aligned = (
            "  ".join(c.ljust(w) if j < 2 else c.rjust(w) for j, (c, w) in enumerate(zip(line, widths)))
            for line in lines
        )
        return "\n".join([*(line.rstrip() for line in aligned), self._note()])

    def _cells(self) -> list[list[str]]:
        """Return the table as text, its head first."""
        names = list(self.table[0])
        head = [self.promise if name == "promise" else name for name in names]
        cells = ([format(value, _DECIMALS.get(name, "")) for name, value in t.items()] for t in self.table)
        return [head, *cells]

    def _note(self) -> str:
        some = "" if self.measured == self.rows else f" (measured on {self.measured:,} of {self.rows:,} rows)"
        return f"error: {self.error_is}{some}"


def compare(
    x: Any,
    promise: str = "max_error_rel",
    bounds: float | str | Sequence[float | str] | None = None,
    *,
    levels: int | Sequence[int] | None = None,
    values: int | None = None,
    progress: Progress = None,
    **options: Unpack[Options],
) -> Comparison:
    """See what levels and promises cost: bytes per row, error and seconds.

    Rows are compressed in one way after another: bit for bit, with the linear codec, and at each level,
    each with every bound. Nothing is kept but the figures.

    Parameters
    ----------
    x : array_like
        Rows.
    promise : str
        The kind of promise: the name of one of the promises of :func:`aezip.compress`.
    bounds : number or sequence of numbers, optional
        Numbers of the promise, the coarsest first; if not given, three that are usual for its kind.
    levels : int or sequence of int, optional
        Levels, 1 to 9; 1 and 3 if not given. Higher ones take several times as long.
    values : int, optional
        About how many values are measured: of more, rows from all parts of ``x``, and bounds relative to
        a range are relative to theirs. 262,144 if not given, 0 for all.
    progress : bool or callable, optional
        Who is told how far it is.
    **options
        ``threads``, ``seed``, ``fill_value`` and ``tile``.

    Returns
    -------
    Comparison

    Examples
    --------
    >>> import numpy as np, aezip
    >>> x = np.sin(np.arange(500)[:, None] * 0.1 + np.arange(20))
    >>> found = aezip.compare(x, bounds=[0.1, 0.001], levels=[1])
    >>> [trial["method"] for trial in found.table]
    ['as they are', 'lossless', 'level 1', 'level 1']
    >>> found.table[0]["bytes_per_row"]
    160.0
    >>> found.table[2]["bytes_per_row"] < found.table[3]["bytes_per_row"] < 160
    True
    """
    if others := set(options) - {"threads", "seed", "fill_value", "tile"}:
        raise ValueError(f"compare takes no {min(others)}: say which promise with promise= and bounds=, and which levels= are compared")
    if not isinstance(promise, str):
        raise TypeError(f"promise={promise!r:.60} is not the name of a kind, such as max_error; numbers of it are bounds=")
    most = None if values is None else count(values, "values") or MOST_COUNTED
    kind = "max-error-rel" if promise == "max_error_range" else promise.replace("_", "-")
    how = (kind, [str(bound) for bound in _several(bounds)], _levels(levels), most)
    with listener(progress) as told:
        found = _aezip.compare(as_table(x), options, how, told)
    return Comparison(found, promise)


def _several(given: Any) -> list[Any]:
    """Return what was given as a list: a number or text is one of them, None is none."""
    if given is None:
        return []
    given = given.tolist() if isinstance(given, (np.ndarray, np.generic)) else given
    return [given] if isinstance(given, (str, bytes)) or not isinstance(given, Iterable) else list(given)


def _levels(given: int | Sequence[int] | None) -> list[int] | None:
    return None if given is None else [count(level, "level", 1, _MOST_LEVEL) for level in _several(given)]


