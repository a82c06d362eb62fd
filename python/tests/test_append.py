"""Rows added to files: they are read like the others, and what is refused leaves the file as it was."""

import pathlib
import warnings

import numpy as np
import pytest

import aezip


@pytest.fixture
def rows():
    rng = np.random.default_rng(4)
    return (rng.normal(size=(900, 2)) @ rng.normal(size=(2, 12)) + 0.01 * rng.normal(size=(900, 12))).astype("f4")


@pytest.fixture
def path(tmp_path, rows):
    path = tmp_path / "x.aez"
    aezip.compress(rows[:600], path, max_error=0.02, level=1)
    return path


def test_rows_follow_those_that_are_there(path, rows):
    before = pathlib.Path(path).read_bytes()
    open_before = aezip.open(path)
    told = []
    added = aezip.append(path, rows[600:700], progress=lambda *news: told.append(news))
    assert (added.rows_before, added.rows, added.unfinished_bytes) == (600, 100, 0)
    assert added.max_error <= 0.02 and added.psnr > 20 and 0 < added.nmse < 0.01
    assert (added.bytes_before, added.bytes) == (len(before), path.stat().st_size)
    aezip.append(path, rows[700:], threads=1)
    file = aezip.open(path)
    assert file.shape == (900, 12)
    assert np.abs(file[:] - rows).max() <= 0.02
    np.testing.assert_array_equal(open_before[:], file[:600])
    assert path.read_bytes()[: len(before)] == before
    assert told and all(len(news) == 3 for news in told)


def test_no_rows_change_nothing(path, rows):
    before = path.read_bytes()
    added = aezip.append(path, rows[:0])
    assert (added.rows, added.bytes) == (0, len(before)) and path.read_bytes() == before


@pytest.mark.parametrize(
    "more, says",
    [
        (np.zeros((3, 12)), "float64|f64"),
        (np.zeros((3, 11), "f4"), r"\[12\].*\[11\]"),
        (np.zeros(12, "f4"), r"shape"),
    ],
)
def test_other_rows_are_refused(path, more, says):
    before = path.read_bytes()
    with pytest.raises(ValueError, match=says) as error:
        aezip.append(path, more)
    assert str(path) in str(error.value)
    assert path.read_bytes() == before


def test_arguments_and_files_that_make_no_sense(tmp_path, path, rows):
    with pytest.raises(ValueError, match="for files"):
        aezip.append(path, rows, columns=["a"])
    with pytest.raises(ValueError, match="threads"):
        aezip.append(path, rows, threads=-1)
    with pytest.raises(OSError):
        aezip.append(tmp_path / "none.aez", rows)
    with pytest.raises(OSError):
        aezip.append(path, tmp_path / "none.npy")
    (tmp_path / "other.aez").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="other.aez"):
        aezip.append(tmp_path / "other.aez", rows)
    damaged = tmp_path / "damaged.aez"
    damaged.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(aezip.CorruptError):
        aezip.append(damaged, rows)


def test_a_listener_that_raises_ends_it_and_leaves_the_file_as_it_was(path, rows):
    before = aezip.open(path)[:]

    def stop(*_):
        raise KeyError("enough")

    with pytest.raises(KeyError):
        aezip.append(path, np.tile(rows, (50, 1)), progress=stop)
    np.testing.assert_array_equal(aezip.open(path)[:], before)


def test_files_of_rows(tmp_path, rows):
    np.save(tmp_path / "more.npy", rows[600:])
    np.savez(tmp_path / "more.npz", first=rows[600:], second=rows[:5])
    path = tmp_path / "x.aez"
    aezip.compress(rows[:600], path, max_error=0.02, level=1)
    aezip.append(path, tmp_path / "more.npy")
    aezip.append(path, tmp_path / "more.npz", array="first")
    again = np.concatenate([rows, rows[600:]])
    assert np.abs(aezip.open(path)[:] - again).max() <= 0.02


def test_tables_of_text(tmp_path):
    table = tmp_path / "days.csv"
    table.write_text("a,b\n" + "".join(f"{i},{i / 4}\n" for i in range(400)))
    aezip.compress(table, level=1, max_error=0.25)
    more = tmp_path / "more.csv"
    more.write_text("a,b\n7,3\n8,4\n")
    aezip.append(f"{table}.aez", more)
    assert np.abs(aezip.open(f"{table}.aez")[400:] - [[7, 3], [8, 4]]).max() <= 0.25
    more.write_text("b,a\n7,3\n")
    with pytest.raises(ValueError, match="more.csv"):
        aezip.append(f"{table}.aez", more)


def test_tables_of_arrow(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    table = pa.table({"a": np.arange(300, dtype="f4"), "b": np.arange(300, dtype="f4") / 2})
    pq.write_table(table, tmp_path / "days.parquet")
    pq.write_table(table.slice(10, 20), tmp_path / "more.parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        aezip.compress(tmp_path / "days.parquet", level=1, max_error=0.5)
        aezip.append(tmp_path / "days.parquet.aez", tmp_path / "more.parquet")
    last = aezip.open(tmp_path / "days.parquet.aez")[300:]
    assert np.abs(last[:, 0] - np.arange(10, 30)).max() <= 0.5
    with pytest.raises(ValueError, match="columns"):
        aezip.append(tmp_path / "days.parquet.aez", tmp_path / "more.parquet", array="a")
