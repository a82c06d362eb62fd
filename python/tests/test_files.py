"""Files of every kind, made by their own well-known writers, come back with the same meaning."""

import gzip
import pathlib
import warnings

import numpy as np
import pytest

import aezip

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def rows():
    rng = np.random.default_rng(1)
    return (rng.normal(size=(300, 2)) @ rng.normal(size=(2, 6))).astype("f4")


def back(path, **options):
    """Compress a file without loss, remove it, and bring it back."""
    path = pathlib.Path(path)
    report = aezip.compress(path, lossless=True, level=1, **options)
    assert report.bytes_out > 0
    kept = path.with_name(f"kept-{path.name}")
    path.rename(kept)
    assert aezip.decompress(f"{path}.aez") == str(path)
    return kept


# ---------------------------------------------------------------- NumPy


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_numpy_archives(tmp_path, rows, save):
    path = tmp_path / "x.npz"
    save(path, **{"weights/first": rows, "second": rows[:, 0].astype("f8"), "text": np.array(["a"])})
    with pytest.raises(ValueError, match="weights/first, second, text"):
        aezip.compress(path)
    with pytest.raises(ValueError, match=r"x\.npz.*text"):
        aezip.compress(path, array="text")
    for name, array in (("weights/first", rows), ("second", rows[:, 0].astype("f8"))):
        save(path, **{"weights/first": rows, "second": rows[:, 0].astype("f8")})
        back(path, array=name)
        with np.load(path) as loaded:
            assert loaded.files == [name] and loaded[name].dtype == array.dtype
            assert np.array_equal(loaded[name], array)


def test_arrays_of_every_type_and_order(tmp_path):
    rng = np.random.default_rng(2)
    for code in ("f2", "f4", ">f8", "u1", "i1", ">u2", "i2", "u4", ">i4", "u8", "i8"):
        for order in "CF":
            path = tmp_path / "x.npy"
            array = np.asarray(rng.integers(0, 100, (50, 3, 2)).astype(code), order=order)
            np.save(path, array)
            back(path)
            loaded = np.load(path)
            assert loaded.dtype == array.dtype.newbyteorder("<") and np.array_equal(loaded, array)
            path.unlink()


def test_pickles_are_refused(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, x=np.array([{}, []], dtype=object))
    with pytest.raises(ValueError, match=r"x\.npz.*Python objects"):
        aezip.compress(path)


# ---------------------------------------------------------------- text and packed files


def test_tables_of_pandas(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"t": np.arange(80) / 4, "n": np.arange(80), "name": [f"s{i % 7}" for i in range(80)]})
    frame.loc[3, "t"] = np.nan
    for name, separator in (("x.csv", ","), ("x.tsv", "\t"), ("x.txt", ";"), ("x.csv.gz", ","), ("x.tsv.zst", "\t")):
        path = tmp_path / name
        frame.to_csv(path, sep=separator, index=False)
        back(path)
        pd.testing.assert_frame_equal(pd.read_csv(path, sep=separator), frame)


def test_packed_arrays(tmp_path, rows):
    path = tmp_path / "x.npy.gz"
    with gzip.open(path, "wb") as file:
        np.save(file, rows)
    back(path)
    with gzip.open(path) as file:
        assert np.array_equal(np.load(file), rows)
    cut = path.read_bytes()[:-9]
    path.write_bytes(cut)
    with pytest.raises(aezip.CorruptError, match=r"x\.npy\.gz.*too early"):
        aezip.compress(path)


# ---------------------------------------------------------------- safetensors


def test_tensors(tmp_path, rows):
    st = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "x.safetensors"
    tensors = {"layer.0.weight": rows, "layer.0.bias": rows[0].astype("f2"), "ids": np.arange(5)}
    st.save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(ValueError, match="choose one with --array"):
        aezip.compress(path)
    back(path, array="layer.0.weight")
    loaded = st.load_file(path)
    assert list(loaded) == ["layer.0.weight"] and np.array_equal(loaded["layer.0.weight"], rows)
    for dtype in ("f2", "f4", "f8", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"):
        array = np.arange(60).reshape(20, 3).astype(dtype)
        st.save_file({"x": array}, path)
        (tmp_path / "x.safetensors.aez").unlink(missing_ok=True)
        back(path)
        loaded = st.load_file(path)["x"]
        assert loaded.dtype == array.dtype and np.array_equal(loaded, array)


# ---------------------------------------------------------------- pictures


def test_pictures(tmp_path):
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(3)
    for mode, shape, dtype in (("L", (9, 7), "u1"), ("RGB", (9, 7, 3), "u1"), ("RGBA", (9, 7, 4), "u1"), ("I;16", (9, 7), "u2")):
        folder = tmp_path / mode.replace(";", "")
        folder.mkdir()
        pictures = rng.integers(0, 200, (5, *shape)).astype(dtype)
        for i, picture in enumerate(pictures):
            image.fromarray(picture).save(folder / f"{mode[0]} {i}.png")
        back(folder)
        assert np.array_equal(np.asarray(aezip.open(f"{folder}.aez")), pictures)
        files = sorted(folder.iterdir())
        assert [file.name for file in files] == [f"{mode[0]} {i}.png" for i in range(5)]
        for file, picture in zip(files, pictures):
            with image.open(file) as loaded:
                assert loaded.mode == mode and np.array_equal(np.asarray(loaded), picture)
    with pytest.raises(FileExistsError):
        aezip.decompress(f"{folder}.aez", folder)
    image.fromarray(pictures[0][:5]).save(folder / "other.png")
    with pytest.raises(ValueError, match=r"other\.png.*all must be of one size"):
        aezip.compress(folder)


# ---------------------------------------------------------------- HDF5 and netCDF


def test_hdf5_and_netcdf(tmp_path, rows):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["group/t"] = rows
    with h5py.File(tmp_path / "x.h5") as file:
        aezip.compress(file["group/t"], tmp_path / "t.aez", lossless=True, level=1)
    assert np.array_equal(np.asarray(aezip.open(tmp_path / "t.aez")), rows)
    with pytest.raises(ValueError, match="h5py"):
        aezip.compress(tmp_path / "x.h5")
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    data = xarray.Dataset({"t": (("time", "x"), rows)})
    data.to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    with xarray.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as read:
        aezip.compress(read["t"].values, tmp_path / "n.aez", lossless=True, level=1)
    assert np.array_equal(np.asarray(aezip.open(tmp_path / "n.aez")), rows)


# ---------------------------------------------------------------- Parquet and Arrow


def write(table, path):
    """Write a table as its own writer does."""
    if str(path).endswith(".parquet"):
        pq.write_table(table, path, row_group_size=70)
    else:
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=70)


def read(path):
    """Read it again."""
    if str(path).endswith(".parquet"):
        return pq.read_table(path)
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


@pytest.fixture(params=["x.parquet", "x.arrow"])
def path(request, tmp_path):
    return tmp_path / request.param


def mixed():
    n = np.arange(200)
    return pa.table(
        {
            "day": pa.array(n % 31, "int8"),
            "count": pa.array([None if i == 5 else int(i) * 1000 for i in n], "int64"),
            "t": pa.array([None if i == 7 else float(i) / 8 for i in n], "float32"),
            "e": pa.array(np.sin(n), "float64"),
        }
    )


def test_tables_keep_their_schema_without_loss(path):
    write(mixed(), path)
    back(path)
    assert read(path).equals(mixed(), check_metadata=True)
    assert aezip.open(f"{path}.aez").columns == ["day", "count", "t", "e"]


@pytest.mark.parametrize("promise", [{"max_error": 0.3}, {"max_error": 1.7}, {"max_error_rel": 0.01}, {}, {"max_error": {"e": 0.01, "*": 2.6}}])
def test_bounds_hold_after_rounding_to_the_columns_own_types(path, promise):
    table = mixed()
    write(table, path)
    aezip.compress(path, level=1, **promise)
    out = path.with_name("out" + path.suffix)
    aezip.decompress(f"{path}.aez", out)
    again = read(out)
    assert again.schema.equals(table.schema)
    for name in table.column_names:
        was, now = (t.column(name).cast("float64").to_numpy() for t in (table, again))
        assert np.array_equal(np.isnan(was), np.isnan(now))
        share = promise.get("max_error_rel", 0.001)
        bound = promise.get("max_error", share * (np.nanmax(was) - np.nanmin(was)))
        if isinstance(bound, dict):
            bound = bound.get(name, bound["*"])
        assert np.nanmax(abs(was - now)) <= bound, name


def test_other_promises_say_which_types_change(path):
    write(mixed(), path)
    aezip.compress(path, nmse=0.01, level=1)
    with pytest.warns(aezip.TypeWarning, match="day, count, t"):
        aezip.decompress(f"{path}.aez", path.with_name("out" + path.suffix))
    assert set(read(path.with_name("out" + path.suffix)).schema.types) == {pa.float64()}


def test_nan_and_null_are_told_apart(path):
    n = np.arange(90)
    values = [float("nan") if i % 9 == 0 else float(i) for i in n]
    table = pa.table({"nan": pa.array(values), "null": pa.array(values, from_pandas=True), "n": pa.array(n, "int16")})
    write(table, path)
    back(path)
    again = read(path)
    assert again.schema.equals(table.schema, check_metadata=True)
    assert [again.column(name).null_count for name in table.column_names] == [0, 10, 0]


def test_fill_values_do_not_widen_the_bounds(path):
    values = np.sin(np.arange(400.0))
    values[::9] = -9999
    table = pa.table({"n": pa.array(np.arange(400) % 50, "int16"), "v": values})
    write(table, path)
    with pytest.warns(aezip.FillValueWarning):
        aezip.compress(path, level=1)
    aezip.decompress(f"{path}.aez", path.with_name("out" + path.suffix))
    now = read(path.with_name("out" + path.suffix)).column("v").to_numpy()
    assert np.array_equal(now == -9999, values == -9999)
    assert abs(now - values).max() <= 0.002


@pytest.mark.parametrize("kind", ["fixed", "list", "large"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8"])
def test_lists_are_rows_of_embeddings(path, kind, dtype):
    vectors = (np.random.default_rng(4).normal(size=(150, 8)) * 10).astype(dtype)
    inner = pa.from_numpy_dtype(vectors.dtype)
    type = {"fixed": pa.list_(inner, 8), "list": pa.list_(inner), "large": pa.large_list(inner)}[kind]
    table = pa.table({"text": ["a"] * 150, "vector": pa.array(list(vectors), type)})
    write(table, path)
    with pytest.warns(aezip.LeftOutWarning, match="text"):
        back(path)
    file = aezip.open(f"{path}.aez")
    assert file.shape == (150, 8) and file.dtype == vectors.dtype
    assert read(path).equals(table.select(["vector"]))


def test_columns_are_chosen(path):
    table = mixed().append_column("s", pa.array(["x"] * 200))
    write(table, path)
    back(path, columns=["e", "day"])
    assert read(path).equals(table.select(["e", "day"]))
    aezip.decompress(f"{path}.aez", path.with_name("some.csv"), rows=slice(10, 12))
    assert path.with_name("some.csv").read_text().splitlines()[0] == "e,day"


def test_frames_of_pandas(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": np.arange(60, dtype="i4"), "b": np.arange(60) / 4})
    frame.to_parquet(tmp_path / "x.parquet")
    back(tmp_path / "x.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "x.parquet"), frame)
    frame.to_feather(tmp_path / "x.feather", compression="lz4")
    back(tmp_path / "x.feather")
    pd.testing.assert_frame_equal(pd.read_feather(tmp_path / "x.feather"), frame)


def test_what_is_no_table_is_refused(path):
    vector = pa.array([[1.0, 2.0]] * 9, pa.list_(pa.float32(), 2))
    cases = {
        "hold vectors and n numbers": pa.table({"v": vector, "n": range(9)}),
        "hold vectors: choose": pa.table({"v": vector, "w": vector}),
        "no column holds numbers; the columns are s, b": pa.table({"s": ["x"] * 9, "b": [True] * 9}),
        "different lengths, such as 2 and 1": pa.table({"v": pa.array([[1.0, 2.0], [1.0]])}),
        "1 vectors that are null": pa.table({"v": pa.array([[1.0, 2.0], None])}),
        "vectors of no numbers": pa.table({"v": pa.array([[], []], pa.list_(pa.float32()))}),
        "beyond 2.53": pa.table({"a": [2**60 + 1], "b": [0.5]}),
        "two columns are called 'a'": pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]),
        "no numbers": pa.table({"a": pa.array([], "float32")}),
    }
    for says, table in cases.items():
        write(table, path)
        with pytest.raises(ValueError, match=says):
            aezip.compress(path, lossless=True)
    nested = pa.table({"s": pa.array([{"x": 1.0}] * 9), "t": pa.array([[[1.0]]] * 9), "n": range(9)})
    write(nested, path)
    for columns, says in ((["s"], "is of type struct"), (["t"], "is of type list"), (["q"], "no column 'q'"), (["n", "s"], "'s'"), ([], "no column holds")):
        with pytest.raises(ValueError, match=says):
            aezip.compress(path, columns=columns)


def test_other_arrays_become_tables_too(tmp_path, rows):
    aezip.compress(rows, tmp_path / "x.aez", lossless=True)
    aezip.decompress(tmp_path / "x.aez", tmp_path / "x.parquet")
    table = pq.read_table(tmp_path / "x.parquet")
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 6)
    assert np.array_equal(np.stack(table.column("vector").to_numpy()), rows)
    aezip.compress(rows[:, 0], tmp_path / "y.aez", lossless=True)
    aezip.decompress(tmp_path / "y.aez", tmp_path / "y.arrow")
    with pa.memory_map(str(tmp_path / "y.arrow")) as file:
        assert pa.ipc.open_file(file).read_all().column_names == ["value"]
    aezip.compress(np.ones((5, 4, 3)), tmp_path / "z.aez", lossless=True)
    with pytest.raises(ValueError, match="write npy instead"):
        aezip.decompress(tmp_path / "z.aez", tmp_path / "z.parquet")


# ---------------------------------------------------------------- damage


def damaged(good, times=60):
    """Cut, flipped, overwritten and shortened copies of a file."""
    rng = np.random.default_rng(5)
    for case in range(times):
        bytes_ = bytearray(good)
        at = int(rng.integers(len(bytes_)))
        if case % 4 == 0:
            del bytes_[at:]
        elif case % 4 == 1:
            bytes_[at] ^= 1 << int(rng.integers(8))
        elif case % 4 == 2:
            end = min(len(bytes_), at + 16)
            bytes_[at:end] = bytes([int(rng.choice([0, 255]))]) * (end - at)
        else:
            del bytes_[at : at + 5]
        yield bytes(bytes_)


def check_damage(path, **options):
    """Whatever happens to a file, it is read or refused in one line that names it."""
    good, refused = path.read_bytes(), 0
    for bytes_ in damaged(good):
        path.write_bytes(bytes_)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                aezip.compress(path, path.with_name("out.aez"), lossless=True, level=1, **options)
        except (ValueError, OSError) as error:
            text = str(error)
            assert "\n" not in text and path.name in text, text
            refused += 1
    assert refused >= 30, refused


def test_damaged_tables(path):
    write(mixed(), path)
    check_damage(path)


def test_damaged_archives(tmp_path, rows):
    np.savez_compressed(tmp_path / "x.npz", x=rows)
    check_damage(tmp_path / "x.npz")


# ---------------------------------------------------------------- every kind to every other


KINDS = {"npy": "f4", "npz": "f4", "safetensors": "f4", "csv": "f8", "parquet": "f4", "arrow": "f4"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_becomes_every_other(tmp_path, kind):
    """The table in docs/files.md of what is read and written with pyarrow."""
    array = np.arange(240).reshape(60, 4).astype(KINDS[kind]) / 4
    source = tmp_path / f"x.{kind}"
    if kind in ("parquet", "arrow"):
        write(pa.table({"v": pa.array(list(array), pa.list_(pa.float32(), 4))}), source)
    elif kind == "csv":
        np.savetxt(source, array, delimiter=",", header="a,b,c,d", comments="")
    else:
        aezip.compress(array, tmp_path / "x.aez", lossless=True)
        aezip.decompress(tmp_path / "x.aez", source)
    aezip.compress(source, lossless=True, level=1)
    for other in (*KINDS, "raw", "npy.gz", "csv.zst"):
        out = tmp_path / f"out.{other}"
        aezip.decompress(f"{source}.aez", out)
        if other in ("parquet", "arrow"):
            table = read(out)
            if kind == "csv":
                now = np.column_stack([table.column(name).to_numpy() for name in "abcd"])
            else:
                now = np.stack(table.column(0).to_numpy())
        elif other == "raw":
            now = np.fromfile(out, KINDS[kind]).reshape(60, 4)
        else:
            aezip.compress(out, tmp_path / "again.aez", lossless=True, level=1)
            now = np.asarray(aezip.open(tmp_path / "again.aez"))
        assert np.array_equal(now, array)
        assert now.dtype == array.dtype or other.startswith("csv")


def test_files_are_not_replaced_unasked(tmp_path, rows):
    np.save(tmp_path / "x.npy", rows)
    aezip.compress(tmp_path / "x.npy", lossless=True)
    with pytest.raises(FileExistsError):
        aezip.decompress(tmp_path / "x.npy.aez")
    with pytest.raises(ValueError, match="stands for no format"):
        aezip.decompress(tmp_path / "x.npy.aez", tmp_path / "x.other")
    with pytest.raises(TypeError, match="say which file"):
        aezip.compress(rows)
    with pytest.raises(ValueError, match="for files"):
        aezip.compress(rows, tmp_path / "y.aez", columns=["a"])
    with pytest.raises(OSError):
        aezip.compress(tmp_path / "none.npy")
