"""What codecs are good for besides small files."""

import aezip
import numpy as np
import pytest


@pytest.fixture(scope="module")
def groups():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    centres = rng.normal(size=(3, 12)) * 4
    return (centres[labels] + rng.normal(size=(600, 12))).astype("f4"), labels


def test_a_codec_is_saved_and_loaded(waves, tmp_path):
    codec = aezip.train(waves, level=1, nmse=0.001)
    codec.save(tmp_path / "c.aez")
    again = aezip.load_codec(tmp_path / "c.aez")
    assert (again.embed(waves) == codec.embed(waves)).all()
    report = again.compress(waves[:100], tmp_path / "x.aez", max_error=0.01)
    assert report.max_error <= 0.01 and aezip.open(tmp_path / "x.aez").shape == (100, 32)
    assert abs(codec.decode(codec.embed(waves)) - codec.reconstruct(waves)).max() < 1e-5
    with pytest.raises(ValueError, match="32 numbers"):
        codec.dumps(waves[:, :5])
    with pytest.raises(FileNotFoundError):
        aezip.load_codec(tmp_path / "none")
    with pytest.raises(aezip.CorruptError):
        aezip.load_codec(b"nothing")
    (tmp_path / "x.aez").write_bytes(aezip.dumps(waves, level=1))
    assert aezip.load_codec(tmp_path / "x.aez").latents > 0


def test_anomalies(groups):
    x = groups[0].copy()
    x[[5, 99]] += 40 * np.random.default_rng(1).normal(size=(2, 12))
    found = aezip.anomalies(x, epochs=10, contamination=0.01)
    assert found.flagged[[5, 99]].all() and found.flagged.sum() <= 8
    assert found.columns.shape == x.shape and found.scores[5] > found.threshold


def test_anomalies_like_ordinary_rows(groups):
    x = groups[0]
    odd = x[:50] + 40 * np.random.default_rng(1).normal(size=(50, 12)).astype(x.dtype)
    found = aezip.anomalies(np.concatenate([odd, x[300:]]), like=x[:300])
    assert found.flagged[:50].all() and found.flagged[50:].mean() < 0.1
    assert found.columns.shape == (350, 12)
    with pytest.raises(ValueError, match="columns"):
        aezip.anomalies(x, like=x[:, :5])
    with pytest.raises(ValueError, match="codec"):
        aezip.anomalies(x, like=x, score="error")
    with pytest.raises(TypeError, match="leave out"):
        aezip.anomalies(x, aezip.train(x, level=1), like=x)


def test_impute(groups):
    x = groups[0].copy()
    x[3, 4], x[7, 2] = np.nan, -999
    filled = aezip.impute(x, missing=-999)
    assert filled.dtype == x.dtype and np.isfinite(filled).all() and abs(filled).max() < 50
    known = np.isfinite(x) & (x != -999)
    assert (filled[known] == x[known]).all()


def test_denoise(waves):
    noisy = waves + np.random.default_rng(0).normal(size=waves.shape).astype("f4") * 0.1
    clean = aezip.denoise(noisy)
    assert 0.08 < clean.noise < 0.12 and clean.components == 2
    assert ((clean.rows - waves) ** 2).mean() < 0.2 * ((noisy - waves) ** 2).mean()
    codec = aezip.train(waves, level=1)
    assert aezip.denoise(noisy, codec).rows.shape == noisy.shape
    assert aezip.denoise(noisy, noise=0.1).noise == pytest.approx(0.1)
    with pytest.raises(ValueError, match="above 0"):
        aezip.denoise(noisy, noise=-1.0)
    with pytest.raises(TypeError, match="leave out"):
        aezip.denoise(noisy, codec, noise=0.1)


def test_sample_embed_plot(groups, tmp_path):
    x, labels = groups
    codec = aezip.train(x, variational=1.0, latent=2, epochs=3)
    assert codec.sample(5, seed=1).shape == (5, 12)
    assert (codec.sample(5, seed=1) == codec.sample(5, seed=1)).all()
    assert aezip.embed(x, 3, epochs=2).shape == (600, 3)
    svg = aezip.plot(codec.embed(x), color_by=labels, title="groups")
    assert svg._repr_svg_().startswith("<svg") and svg._repr_html_() is None
    page = aezip.plot(x, color_by=labels.astype(float) + 0.5, dim=3, to="html", epochs=2)
    assert "iframe" in page._repr_html_() and page._repr_svg_() is None
    page.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_bytes() == page.data
    assert aezip.plot(x[:50], to="png")._repr_png_().startswith(b"\x89PNG")
    assert "svg" in repr(aezip.plot(x, codec=codec))
    for wrong in [{"dim": 4}, {"to": "gif"}, {"color_by": [1, 2]}]:
        with pytest.raises(ValueError):
            aezip.plot(x[:50], **wrong)


def test_finetune_predict_export(groups, tmp_path):
    x, labels = groups
    codec = aezip.train(x, loss="mse", latent=4, epochs=5)
    tuned, facts = codec.finetune(x[:300], labels[:300], epochs=20)
    found = tuned.predict(x[300:])
    assert facts["right"] > 0.8 and (found.values.reshape(-1) == labels[300:]).mean() > 0.9
    assert found.probabilities.shape == (300, 3) and found.labels.tolist() == [0, 1, 2]
    numbers, _ = codec.finetune(x[:300], x[:300, :2].sum(axis=1), epochs=20, task="regress")
    assert numbers.predict(x[300:]).probabilities is None
    tuned.export_onnx(tmp_path / "p.onnx", "predictor")
    codec.export_onnx(tmp_path / "e.onnx")
    assert (tmp_path / "p.onnx").stat().st_size > 100
    for call in [lambda: codec.predict(x), lambda: codec.export_onnx(tmp_path / "q", "all")]:
        with pytest.raises(ValueError):
            call()
    with pytest.raises(TypeError):
        codec.finetune(x, labels, epoch=3)


def test_transformers_are_exported_as_they_are(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    rng = np.random.default_rng(3)
    x = (rng.normal(size=(200, 3)) @ rng.normal(size=(3, 35))).astype("f4").reshape(200, 5, 7)
    how = {"mask_patches": "2x3:0.5", "transformer": {"dim": 12, "heads": 3}}
    codec = aezip.train(x, epochs=3, **how)
    x[:50][rng.random((50, 5, 7)) < 0.02] = np.nan
    x[3], x[4, 2, 2] = np.nan, np.inf
    missing = np.isnan(x).reshape(200, -1)

    def run(part):
        codec.export_onnx(tmp_path / part, part)
        session = onnxruntime.InferenceSession(tmp_path / part, providers=["CPUExecutionProvider"])
        return session.run(None, {"rows": x.reshape(200, -1)})[0]

    def differ(ours, theirs):
        return np.nanmax(np.abs(ours - theirs)) / np.nanmax(np.abs(ours))

    embedded = codec.embed(x)
    assert np.isnan(embedded[3]).all() and np.isnan(embedded).any(axis=1).sum() == 1
    assert differ(embedded, run("encoder")) < 1e-5
    restored, filled = run("restorer"), aezip.impute(x, codec).reshape(200, -1)
    assert np.array_equal(restored[~missing], x.reshape(200, -1)[~missing])
    assert differ(filled[missing], restored[missing]) < 1e-5
    with pytest.raises(ValueError, match="transformer"):
        codec.export_onnx(tmp_path / "d", "decoder")

    labels = (np.nansum(x.reshape(200, -1), axis=1) > 0).astype("i8")
    codec, _ = codec.finetune(x, labels, epochs=20)
    found = codec.predict(x)
    assert np.isnan(found.probabilities).all(axis=1).nonzero()[0].tolist() == [3]
    codec.export_onnx(tmp_path / "p", "predictor")
    session = onnxruntime.InferenceSession(tmp_path / "p", providers=["CPUExecutionProvider"])
    given, likely = session.run(None, {"rows": x.reshape(200, -1)})
    assert np.array_equal(given, found.values)
    likely[3] = np.nan
    assert differ(found.probabilities, likely) < 1e-5


def test_draws_differ_as_much_as_guesses_are_off(groups):
    x = groups[0].copy()
    rng = np.random.default_rng(4)
    gaps = rng.random(x.shape) < 0.1
    whole, x[gaps] = x.copy(), np.nan
    drawn = aezip.impute(x, draws=20, seed=1)
    assert drawn.shape == (20, *x.shape) and drawn.dtype == x.dtype
    assert (drawn[:, ~gaps] == x[~gaps]).all()
    spread, error = drawn.std(axis=0)[gaps], (aezip.impute(x) - whole)[gaps]
    assert 0.7 < np.sqrt((spread**2).mean() / (error**2).mean()) < 1.4
    assert (drawn == aezip.impute(x, draws=20, seed=1)).all()
    for wrong in [{"draws": 0}, {"draws": 2, "epochs": 3}]:
        with pytest.raises(ValueError):
            aezip.impute(x, **wrong)
    with pytest.raises(TypeError, match="codec"):
        aezip.impute(x, aezip.train(groups[0], epochs=1), draws=2)


def test_compare(groups, tmp_path):
    x = groups[0]
    told = []
    found = aezip.compare(x, bounds=[0.1, "0.01"], levels=[1, 2], progress=lambda *p: told.append(p))
    assert [(t["method"], t["promise"]) for t in found.table[1:4]] == [
        ("lossless", ""), ("linear", "0.1"), ("linear", "0.01"),
    ]  # fmt: skip
    assert found.rows == found.measured == 600 and len(found.table) == 8 and told[-1] == ("measure", 7, 7)
    assert found.table[0]["bytes_per_row"] == 48 and found.table[3]["error"] == 0.01
    assert repr(found).count("\n") == 9 and "max_error_rel" in repr(found)
    assert "<svg" in found._repr_html_() and "<td>level 2</td>" in found._repr_html_()
    found.save(tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    some = aezip.compare(x, "nmse", levels=[1], values=1200)
    assert some.measured == 100 and "100 of 600 rows" in repr(some)
    for wrong in [{"promise": "nmes"}, {"promise": "max_error"}, {"levels": [0]}, {"levels": []}]:
        with pytest.raises(ValueError):
            aezip.compare(x, **wrong)
    with pytest.raises(ValueError):
        found.save(tmp_path / "x.pdf")


def test_compare_takes_one_number_for_several():
    x = np.sin(np.arange(400)[:, None] * 0.1 + np.arange(8))
    promises = lambda **how: [t["promise"] for t in aezip.compare(x, **how).table if t["method"] == "level 1"]  # noqa: E731
    for one in ["0.1", 0.1, np.float64(0.1), np.array(0.1), np.array([0.1]), iter([0.1]), ["0.1"]]:
        assert promises(bounds=one, levels=1) == ["0.1"]
    for none in [None, [], ()]:
        assert len(promises(bounds=none, levels=np.array([1]))) == 3
    assert {t["method"] for t in aezip.compare(x, bounds=0.1, levels=2).table} >= {"level 2"}
    for wrong, error, says in [
        ({"levels": [300]}, ValueError, "level=300 is not between 1 and 9"),
        ({"levels": -2}, ValueError, "level=-2"),
        ({"levels": "3"}, TypeError, "level='3' is no whole number"),
        ({"levels": 1.5}, TypeError, "level=1.5"),
        ({"levels": []}, ValueError, "no levels"),
        ({"values": -1}, ValueError, "values=-1"),
        ({"values": 2.5}, TypeError, "values=2.5"),
        ({"promise": 5}, TypeError, "promise=5"),
        ({"promise": None}, TypeError, "promise=None"),
        ({"bounds": {"a": 1}}, ValueError, "decimal number"),
    ]:
        with pytest.raises(error, match=says):
            aezip.compare(x, **wrong)


@pytest.mark.parametrize("promise", ["nmse", "max_error_rel", "cosine"])
@pytest.mark.parametrize("x", [np.ones((50, 4)), np.zeros((50, 4)), np.full((50, 4), np.nan), np.arange(200.0).reshape(50, 4)])
def test_what_cannot_be_drawn_is_a_table(x, promise):
    found = aezip.compare(x, promise, levels=1)
    shown = found._repr_html_()
    assert "<table>" in shown and "None" not in shown and "level 1" in repr(found)
    picture = found._repr_svg_()
    assert (picture is None) == ("<svg" not in shown)
    if picture is None:
        with pytest.raises(ValueError, match="can be drawn"):
            found.plot()
