"""Where the files of a data set are: a folder, or what fsspec reaches."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .._aezip import write_file

#: Bytes read at once where a file goes through a hash.
CHUNK = 8 << 20


class Folder:
    """A folder of this machine."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(os.path.abspath(os.fspath(root)))

    @property
    def url(self) -> str:
        return str(self.root)

    @property
    def options(self) -> dict[str, Any]:
        return {}

    def at(self, path: str) -> str:
        """Return the place of a file, to open it or to name it."""
        return os.path.join(self.root, path)

    def read(self, path: str, most: int) -> bytes:
        """Return what is in a file, at most so many bytes of it."""
        with open(self.root / path, "rb") as file:
            return file.read(most)

    def write(self, path: str, data: bytes) -> None:
        """Write a file, which is there as a whole or not at all."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        write_file(place, data)

    def exists(self, path: str) -> bool:
        return (self.root / path).exists()

    def size(self, path: str) -> int:
        return (self.root / path).stat().st_size

    def chunks(self, path: str) -> Iterator[bytes]:
        """Return what is in a file, in pieces."""
        with open(self.root / path, "rb") as file:
            while piece := file.read(CHUNK):
                yield piece

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder; none if there is no such folder."""
        try:
            return [entry.name for entry in os.scandir(self.root / folder) if entry.is_file()]
        except FileNotFoundError:
            return []

    def remove(self, path: str) -> None:
        (self.root / path).unlink(missing_ok=True)

    def remove_empty(self) -> None:
        """Remove the folder if nothing is in it."""
        for folder in (self.root / "data", self.root):
            if folder.is_dir() and not any(folder.iterdir()):
                shutil.rmtree(folder, ignore_errors=True)


class Remote:
    """What fsspec reaches by a URL."""

    def __init__(self, url: str, options: dict[str, Any]) -> None:
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise ValueError(f"{url} needs fsspec: pip install fsspec") from None
        self.url, self.options = url, options
        self.fs, root = url_to_fs(url, **options)
        self.root = root.rstrip("/")

    def at(self, path: str) -> str:
        return f"{self.root}/{path}"

    def read(self, path: str, most: int) -> bytes:
        return bytes(self.fs.cat_file(self.at(path), 0, most))

    def write(self, path: str, data: bytes) -> None:
        # One put, after which stores of objects have all of it or nothing.
        self.fs.makedirs(self.at(path).rsplit("/", 1)[0], exist_ok=True)
        self.fs.pipe_file(self.at(path), data)

    def exists(self, path: str) -> bool:
        return bool(self.fs.exists(self.at(path)))

    def size(self, path: str) -> int:
        return int(self.fs.size(self.at(path)))

    def chunks(self, path: str) -> Iterator[bytes]:
        with self.fs.open(self.at(path), "rb") as file:
            while piece := file.read(CHUNK):
                yield piece

    def ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return some ranges of the bytes of a file."""
        starts, stops = [start for start, _ in ranges], [stop for _, stop in ranges]
        place = self.at(path)
        found = self.fs.cat_ranges([place] * len(starts), starts, stops, on_error="raise")
        for (start, stop), data in zip(ranges, found):
            if len(data) != stop - start:
                raise OSError(
                    f"{place}: {len(data)} bytes came where {stop - start} were asked for: it is of "
                    "another size than the manifest says, or its server does not give parts of files"
                )
        return [bytes(data) for data in found]

    def names(self, folder: str) -> list[str]:
        try:
            found = self.fs.ls(self.at(folder), detail=False)
        except FileNotFoundError:
            return []
        return [name.rstrip("/").rsplit("/", 1)[-1] for name in found]

    def remove(self, path: str) -> None:
        try:
            self.fs.rm_file(self.at(path))
        except FileNotFoundError:
            pass

    def remove_empty(self) -> None:
        """Do nothing: folders of stores of objects go with what is in them."""


Store = Folder | Remote


def store(place: str | os.PathLike[str], options: dict[str, Any] | None = None) -> Store:
    """Return what reaches the files at a path or a URL."""
    text = os.fsdecode(place)
    if "://" not in text and "::" not in text:
        return Folder(text)
    if text.startswith("file://"):
        return Folder(text[len("file://") :])
    return Remote(text, options or {})
