"""Examples in the documentation are run, and the stub says what the module has."""

import doctest
import importlib
import pathlib
import re
import subprocess
import sys

import pytest

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = ["aezip", "_write", "_restore", "_file", "_codec", "_compare", "_shared", "_uses", "sklearn", "numcodecs", "zarr", "dataset", "dataset.array"]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_modules(name):
    module = importlib.import_module("aezip" if name == "aezip" else f"aezip.{name}")
    result = doctest.testmod(module, optionflags=FLAGS)
    assert result.attempted > 0 or name == "_options"
    assert result.failed == 0


def test_examples_of_the_readme(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    readme = pathlib.Path(__file__).parent.parent / "README.md"
    assert doctest.testfile(str(readme), module_relative=False, optionflags=FLAGS).failed == 0


HERE = pathlib.Path(__file__).parent
#: The sections of the tour by their titles, each with the code in it.
TOUR = {
    section.partition("\n")[0]: "\n".join(re.findall(r"```python\n(.*?)```", section, re.DOTALL))
    for section in (HERE.parent / "docs" / "tour.md").read_text().split("\n## ")[1:]
}
#: What sections need besides the package.
NEEDED = {"A field of xarray": ["xarray", "zarr"], "A table": ["pandas"], "Anomalies": ["sklearn"], "Ray": ["ray.data"]}


@pytest.mark.parametrize("title", [pytest.param(t, marks=pytest.mark.engines) if t == "Ray" else t for t in TOUR])
def test_the_tour(title, tmp_path, monkeypatch):
    for module in NEEDED.get(title, []):
        pytest.importorskip(module)
    monkeypatch.chdir(tmp_path)
    try:
        exec(compile(TOUR[title], f"tour.md, {title}", "exec"), {"__name__": "__main__"})
    finally:
        if "ray.data" in NEEDED.get(title, []):
            # It began by itself; who comes next begins it otherwise.
            importlib.import_module("ray").shutdown()


def test_the_tour_is_all_there():
    assert len(TOUR) == 6 and all("assert" in code for code in TOUR.values())


def test_the_stub_is_that_of_the_module(tmp_path):
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy.stubtest", "aezip._aezip", "--ignore-disjoint-bases"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
