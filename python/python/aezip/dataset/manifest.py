"""What a data set says of itself: ``_manifest.json``, which is written last."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from .._aezip import CorruptError
from .._arrays import DTYPES

NAME = "_manifest.json"
#: Readers know this version only.
VERSION = 1
#: More than a million parts take; who claims more is not believed.
MOST_BYTES = 256 << 20
#: Numbers of rows and bytes fit into what other languages count with.
MOST = 2**63 - 1

#: Axes that the shape of a row has at most, as in files.
MOST_AXES = 32

_PART = re.compile(r"data/[A-Za-z0-9][A-Za-z0-9._-]{0,199}\.aez", re.ASCII)
_CODEC = re.compile(r"codec-[0-9a-f]{8,64}\.aez", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class Stored:
    """A file of the data set, and how to know that it is the right one."""

    #: Where it is, counted from the folder of the data set.
    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Part(Stored):
    """A file of rows."""

    rows: int


@dataclass(frozen=True)
class Manifest:
    """All that is known of a data set before a part of it is opened."""

    #: Type of the numbers, as files name it: f32, u8, …
    dtype: str
    row_shape: tuple[int, ...]
    #: Names of the columns, where rows come from a table.
    columns: tuple[str, ...] | None
    #: The promise that each part keeps: its kind, as the program names it, and its value.
    promise: tuple[str, str]
    #: What the parts were made with, for more parts; they do not need it to be read.
    codec: Stored | None
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        """Rows of all parts."""
        return sum(part.rows for part in self.parts)

    def to_json(self) -> str:
        """Return the text of the file."""
        kind, value = self.promise
        return json.dumps(
            {
                "aezip_dataset": VERSION,
                "dtype": self.dtype,
                "row_shape": self.row_shape,
                "columns": self.columns,
                "promise": {"kind": kind, "value": value},
                "rows": self.rows,
                "codec": None if self.codec is None else asdict(self.codec),
                "parts": [asdict(part) for part in self.parts],
            },
            indent=1,
        )

    @staticmethod
    def from_json(text: bytes, where: str) -> Manifest:
        """Read and check the text of the file ``where``.

        Raises
        ------
        aezip.CorruptError
            If it says what cannot be.
        """
        try:
            return _checked(json.loads(text.decode()))
        except (ValueError, RecursionError) as error:
            raise CorruptError(f"{where}: {error}") from None


def _checked(found: Any) -> Manifest:
    if not isinstance(found, dict):
        raise ValueError("no object of JSON")
    version = found.get("aezip_dataset")
    if type(version) is not int or version != VERSION:
        raise ValueError(
            f"its aezip_dataset is {version!r:.40}, not {VERSION}: no manifest, or one of a newer aezip"
        )
    dtype, columns = _get(found, "dtype", str), found.get("columns")
    if dtype not in DTYPES:
        raise ValueError(f"dtype {dtype!r:.40} is none of {', '.join(DTYPES)}")
    is_named = isinstance(columns, list) and columns and all(isinstance(c, str) for c in columns)
    if columns is not None and not is_named:
        raise ValueError("columns is no list of names")
    promise = _get(found, "promise", dict)
    stored = found.get("codec")
    manifest = Manifest(
        dtype,
        _row_shape(_get(found, "row_shape", list)),
        None if columns is None else tuple(columns),
        (_get(promise, "kind", str), _get(promise, "value", str)),
        None if stored is None else Stored(**_stored(stored, "codec", _CODEC)),
        tuple(_part(part, i) for i, part in enumerate(_get(found, "parts", list))),
    )
    _check_sums(manifest, _count(found.get("rows"), "rows", 1))
    return manifest


def _check_sums(manifest: Manifest, rows: int) -> None:
    if manifest.rows != rows:
        raise ValueError(f"rows is {rows}, its parts have {manifest.rows} together")
    seen = set()
    for part in manifest.parts:
        if part.path in seen:
            raise ValueError(f"{part.path} is named twice")
        seen.add(part.path)
    values = rows
    for length in manifest.row_shape:
        values *= length
    if values * DTYPES[manifest.dtype].itemsize > MOST:
        raise ValueError(f"{rows} rows of shape {list(manifest.row_shape)} are more than can be counted")


def _row_shape(found: list[Any]) -> tuple[int, ...]:
    if len(found) > MOST_AXES:
        raise ValueError(f"row_shape has {len(found)} axes, files have {MOST_AXES} at most")
    return tuple(_count(n, "row_shape", 1) for n in found)


def _part(found: Any, number: int) -> Part:
    name = f"parts[{number}]"
    return Part(**_stored(found, name, _PART), rows=_count(found.get("rows"), f"{name}.rows", 1))


def _stored(found: Any, name: str, pattern: re.Pattern[str]) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ValueError(f"{name} is no object")
    path, sha256 = found.get("path"), found.get("sha256")
    if not (isinstance(path, str) and pattern.fullmatch(path)):
        raise ValueError(f"{name}.path {path!r:.60} is not of the form {pattern.pattern}")
    if not (isinstance(sha256, str) and _HASH.fullmatch(sha256)):
        raise ValueError(f"{name}.sha256 is no hash of 64 digits")
    return {"path": path, "bytes": _count(found.get("bytes"), f"{name}.bytes", 1), "sha256": sha256}


def _get(found: dict[str, Any], name: str, kind: type) -> Any:
    value = found.get(name)
    if not isinstance(value, kind):
        raise ValueError(f"{name} is missing or of the wrong kind")
    return value


def _count(value: Any, name: str, least: int) -> int:
    if type(value) is not int or not least <= value <= MOST:
        raise ValueError(f"{name} is {value!r:.40}, not a number from {least} to {MOST}")
    return int(value)
