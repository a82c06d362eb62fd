"""Ray, Dask and Spark write data sets, each in its local mode, with a worker that is killed on the way."""

import os
import pathlib
import re
import shutil
import signal
import sys
from dataclasses import fields

import aezip.dataset
import numpy as np
import pytest

pytestmark = [
    pytest.mark.engines,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="workers cannot be killed here"),
]
BOUND = 0.01
PARTS = 6


README = pathlib.Path(__file__).parent.parent / "README.md"


def absent(what):
    """Skip, and say so; fail where nothing is to be skipped."""
    if os.environ.get("AEZIP_ENGINES") == "all":
        pytest.fail(f"{what} is not installed")
    print(f"skipped: {what} is not installed")
    pytest.skip(f"{what} is not installed: pip install 'aezip[engines]'")


def engine(*names):
    """Import what an engine consists of."""
    for name in names:
        try:
            __import__(name)
        except ImportError:
            absent(name)


def example(name, folder):
    """Run the example of an engine in the README, in a folder."""
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    (code,) = [block for block in blocks if f"import aezip.dataset.{name}" in block]
    here = os.getcwd()
    os.chdir(folder)
    try:
        exec(compile(code, str(README), "exec"), {})
    finally:
        os.chdir(here)


def killed_once(writer, marker, task):
    """Return a writer whose process dies once, after it has written the parts of a task."""
    number, Writer = task, aezip.dataset.Writer

    class Deadly(Writer):
        def write(self, task, batches):
            done = Writer.write(self, task, batches)
            if task == number:
                try:
                    os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
                except FileExistsError:
                    return done
                os.kill(os.getpid(), signal.SIGKILL)
            return done

    return Deadly(**{f.name: getattr(writer, f.name) for f in fields(writer)})


@pytest.fixture
def deadly(monkeypatch, tmp_path):
    """Return what makes an engine's workers die once, and says whether one did."""
    marker = str(tmp_path / "killed")

    def arrange(module, task=2):
        begin = module.begin
        monkeypatch.setattr(module, "begin", lambda *a, **k: killed_once(begin(*a, **k), marker, task))
        return lambda: os.path.exists(marker)

    return arrange


def expect(place, rows, parts):
    """Check that a data set holds these rows, and nothing else is there."""
    d = aezip.dataset.open(place)
    d.verify()
    assert len(d.parts) == parts and d.shape == rows.shape
    assert abs(np.asarray(d) - rows).max() <= BOUND
    named = {part.path.removeprefix("data/") for part in d.parts}
    assert set(os.listdir(pathlib.Path(place) / "data")) == named
    assert sorted(os.listdir(place))[0] == "_manifest.json" and len(os.listdir(place)) == 3


@pytest.fixture(scope="module")
def ray():
    engine("ray", "ray.data", "pyarrow")
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=200 << 20)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield ray
    ray.shutdown()


def test_ray(ray, waves, tmp_path, deadly):
    import aezip.dataset.ray

    was_killed = deadly(aezip.dataset.ray)
    data = ray.data.from_numpy(np.array_split(waves, PARTS))
    d = aezip.dataset.ray.write(data, tmp_path / "d", max_error=BOUND, level=1)
    assert was_killed() and len(d) == len(waves)
    expect(tmp_path / "d", waves, PARTS)


def test_ray_columns_after_a_map_that_dies(ray, waves, tmp_path):
    import aezip.dataset.ray

    marker = str(tmp_path / "killed")

    def halved(batch):
        # Once.
        if not os.path.exists(marker):
            open(marker, "w").close()
            os.kill(os.getpid(), 9)
        return {"a": batch["data"][:, 0] / 2, "b": batch["data"][:, 1], "c": batch["data"][:, 2]}

    data = ray.data.from_numpy(np.array_split(waves, PARTS)).map_batches(halved, batch_size=None)
    d = aezip.dataset.ray.write(
        data, tmp_path / "d", sample=waves[:, :2] / 2, columns=["a", "b"], max_error=BOUND, level=1
    )
    assert os.path.exists(marker)
    expect(tmp_path / "d", np.stack([waves[:, 0] / 2, waves[:, 1]], 1), len(d.parts))


def test_ray_removes_what_fails(ray, waves, tmp_path):
    import aezip.dataset.ray

    data = ray.data.from_numpy([waves, waves[:, :5]])
    with pytest.raises(Exception, match="all are of one shape"):
        aezip.dataset.ray.write(data, tmp_path / "d", sample=waves, max_error=BOUND, level=1)
    assert not (tmp_path / "d").exists()


def test_ray_blocks_without_rows_and_put_together(ray, waves, tmp_path):
    import aezip.dataset.ray

    data = ray.data.from_numpy(np.array_split(waves, 10)).map_batches(
        lambda batch: {"data": batch["data"][batch["data"][:, 0] > 0]}, batch_size=None
    )
    d = aezip.dataset.ray.write(data, tmp_path / "d", rows_per_part=200, max_error=BOUND, level=1)
    expect(tmp_path / "d", waves[waves[:, 0] > 0], len(d.parts))
    assert 1 < len(d.parts) < 5


def test_ray_example_of_the_readme(ray, tmp_path):
    example("ray", tmp_path)


@pytest.fixture(scope="module")
def cluster():
    engine("dask", "dask.array", "distributed")
    from distributed import Client, LocalCluster

    with LocalCluster(2, threads_per_worker=1, processes=True, dashboard_address=None) as there, Client(there):
        yield there


def test_dask_array(cluster, waves, tmp_path, deadly):
    import aezip.dataset.dask
    import dask.array as da

    was_killed = deadly(aezip.dataset.dask)
    data = da.from_array(waves, chunks=(200, 16))
    aezip.dataset.dask.write(data, tmp_path / "d", max_error=BOUND, level=1)
    assert was_killed()
    expect(tmp_path / "d", waves, 5)
    # And back: blocks of Dask are parts.
    d = aezip.dataset.open(tmp_path / "d")
    mean = da.from_array(d, chunks=d.chunks).mean(axis=0).compute()
    assert abs(mean - np.asarray(d).mean(axis=0)).max() < 1e-5


def test_dask_bag_and_frame(cluster, waves, tmp_path):
    import aezip.dataset.dask
    import dask.bag

    bag = dask.bag.from_sequence(list(waves), npartitions=3)
    d = aezip.dataset.dask.write(bag, tmp_path / "d", max_error=BOUND, level=1)
    expect(tmp_path / "d", waves, len(d.parts))
    engine("pandas", "dask.dataframe")
    import dask.dataframe
    import pandas

    frame = pandas.DataFrame({"a": waves[:, 0], "b": waves[:, 1]})
    frame = dask.dataframe.from_pandas(frame, npartitions=3)
    d = aezip.dataset.dask.write(frame, tmp_path / "e", max_error=BOUND, level=1)
    assert d.columns == ["a", "b"]
    expect(tmp_path / "e", waves[:, :2], 3)


def test_dask_removes_what_fails(cluster, waves, tmp_path):
    import aezip.dataset.dask
    import dask.bag

    bag = dask.bag.from_sequence([waves[0], waves[1], waves[2][:5]], npartitions=3)
    with pytest.raises(Exception, match="all are of one shape"):
        aezip.dataset.dask.write(bag, tmp_path / "d", sample=waves, max_error=BOUND, level=1)
    assert not (tmp_path / "d").exists()


def test_dask_example_of_the_readme(cluster, tmp_path):
    example("dask", tmp_path)


@pytest.fixture(scope="module")
def spark():
    engine("pyspark", "pyarrow", "pandas")
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        absent("Java")
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    # A task may fail four times, as on a cluster.
    session = (
        SparkSession.builder.master("local[2,4]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.log.level", "OFF")
        .getOrCreate()
    )
    yield session
    session.stop()


def test_spark_arrays(spark, waves, tmp_path, deadly):
    import aezip.dataset.spark
    import pandas

    was_killed = deadly(aezip.dataset.spark)
    frame = spark.createDataFrame(pandas.DataFrame({"id": np.arange(1000), "v": list(waves)}))
    frame = frame.repartitionByRange(PARTS, "id").sortWithinPartitions("id").selectExpr("cast(v as array<float>) v")
    d = aezip.dataset.spark.write(frame, tmp_path / "d", max_error=BOUND, level=1)
    assert was_killed() and d.dtype == np.float32
    expect(tmp_path / "d", waves, PARTS)


def test_spark_vectors_and_columns(spark, waves, tmp_path):
    import aezip.dataset.spark
    from pyspark.ml.linalg import Vectors

    rows = [(Vectors.dense(row[:4].astype(float)), float(row[0]), i) for i, row in enumerate(waves)]
    frame = spark.createDataFrame(rows, ["v", "a", "b"]).coalesce(2)
    aezip.dataset.spark.write(frame, tmp_path / "d", columns=["v"], max_error=BOUND, level=1)
    expect(tmp_path / "d", waves[:, :4].astype(float), 2)
    d = aezip.dataset.spark.write(frame, tmp_path / "e", columns=["a", "b"], rows_per_part=300, max_error=BOUND, level=1)
    assert d.columns == ["a", "b"]
    expect(tmp_path / "e", np.stack([waves[:, 0], np.arange(1000.0)], 1), len(d.parts))
    assert len(d.parts) == 4


def test_spark_removes_what_fails(spark, waves, tmp_path):
    import aezip.dataset.spark

    frame = spark.createDataFrame([([1.0, 2.0],), ([1.0],)], "v array<double>").repartition(2)
    with pytest.raises(Exception, match="all are of one shape|different lengths"):
        aezip.dataset.spark.write(frame, tmp_path / "d", sample=waves[:, :2].astype("f8"), max_error=BOUND, level=1)
    assert not (tmp_path / "d").exists()


def test_spark_example_of_the_readme(spark, tmp_path):
    example("spark", tmp_path)
