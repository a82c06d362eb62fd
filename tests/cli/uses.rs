//! The uses of codecs: what goes in, what comes out, and what is refused.

use crate::support::{Folder, noise, npy_data, npy_f32};

/// A small network, trained for a moment.
const SHORT: [&str; 8] = ["-2", "--loss", "mse", "--hidden", "24", "--epochs", "30", "--batch=64"];

fn with(args: &[&str]) -> Vec<String> {
    args.iter().chain(&SHORT).map(|s| s.to_string()).collect()
}

pub(crate) fn ok(folder: &Folder, args: &[&str]) -> crate::support::Ran {
    let args = with(args);
    folder.ok(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

fn floats(file: &[u8]) -> Vec<f32> {
    npy_data(file).as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

/// A folder with `c.codec`, a network of six latents.
fn trained() -> Folder {
    let folder = Folder::new();
    ok(&folder, &["train", "digits.npy", "-o", "c.codec", "--latent", "6"]);
    folder
}

#[test]
fn embeddings_are_learned_made_with_a_codec_or_taken_from_a_file() {
    let folder = trained();
    let ran = ok(&folder, &["embed", "digits.npy", "--dim", "3", "-o", "a.npy", "--json"]);
    assert_eq!(
        (ran.json()["latents"].as_u64(), ran.json()["rows"].as_u64()),
        (Some(3), Some(1797))
    );
    assert!(ran.json()["nmse"].as_f64().unwrap() < 1.0);
    assert_eq!(floats(&folder.read("a.npy")).len(), 3 * 1797);
    folder.ok(&["embed", "digits.npy", "--codec", "c.codec", "-o", "b.npy"]);
    assert_eq!(floats(&folder.read("b.npy")).len(), 6 * 1797);
    folder.ok(&["compress", "digits.npy", "--codec", "c.codec", "--max-error", "1"]);
    folder.ok(&["embed", "digits.npy.aez", "-o", "c.npy"]);
    // Stored latents are the real ones, rounded.
    let (real, stored) = (floats(&folder.read("b.npy")), floats(&folder.read("c.npy")));
    assert_eq!(real.len(), stored.len());
    folder.ok(&["embed", "digits.npy.aez", "--codec", "c.codec", "-o", "d.csv"]);
    assert_eq!(folder.read("d.csv").iter().filter(|b| **b == b'\n').count(), 1797);

    assert!(folder.fails(2, &["embed", "digits.npy", "-o", "e.npy"]).contains("--dim"));
    let args = ["embed", "digits.npy", "--codec", "c.codec", "--latent", "3", "-o", "e.npy"];
    assert!(folder.fails(2, &args).contains("--codec"));
    assert!(
        folder.fails(1, &["embed", "a.npy", "--codec", "c.codec", "-o", "e.npy"]).contains("64")
    );
    assert!(folder.fails(1, &["embed", "digits.npy", "--dim", "3", "-o", "a.npy"]).contains("-f"));
    let error = folder.fails(4, &["embed", "digits.npy", "--codec", "digits.npy", "-o", "e.npy"]);
    assert!(error.contains("digits.npy"), "{error}");
}

#[test]
fn an_array_has_latents_for_each_tile() {
    let folder = Folder::new();
    let wave = |i: usize| ((i / 128) as f32 * 0.1).sin() * ((i % 128) as f32 * 0.07).cos() * 20.0;
    folder.write("f.npy", npy_f32(&(0..96 * 128).map(wave).collect::<Vec<_>>(), 128));
    folder.ok(&["compress", "f.npy", "-q", "-1", "--max-error", "0.05", "--tile", "8x16"]);
    let latents = folder.ok(&["info", "f.npy.aez", "--json"]).json()["latents"].as_u64().unwrap();
    let told = folder.ok(&["embed", "f.npy.aez", "-o", "z.npy", "--json"]).json();
    assert_eq!((&told["rows"], &told["latents"]), (&96.into(), &latents.into()));
    let file = folder.read("z.npy");
    let shape = format!("'shape': (12, 8, {latents})");
    assert!(String::from_utf8_lossy(&file).contains(&shape), "{shape}");
    // The wave turns along the first axis: so do the latents of tiles that lie above each other.
    let z = floats(&file);
    let row = 8 * latents as usize;
    let apart = |a: usize, b: usize| -> f32 {
        (0..row).map(|i| (z[a * row + i] - z[b * row + i]).powi(2)).sum()
    };
    assert!(apart(0, 8) < apart(0, 4), "about one period and half a period below");
}

/// Rows of six columns that go together, in units of their own; the last `odd` do not go together.
pub(crate) fn own_units(count: usize, odd: usize) -> Vec<f32> {
    let random = noise(count * 3);
    let mut values = Vec::new();
    for (i, r) in random.chunks(3).enumerate() {
        let (a, b) = (r[0] - 0.5, r[1] - 0.5);
        let wrong = if i + odd >= count { 0.8 } else { 0.02 };
        let c = a + b + wrong * (r[2] - 0.5);
        values.extend([1e5 * r[2] + 1e6, a, 1e3 * b, 1e-3 * c, 10.0 * (a - b), b]);
    }
    values
}

#[test]
fn columns_of_different_units_are_told_without_names_and_it_is_said() {
    let folder = Folder::new();
    folder.write("t.npy", npy_f32(&own_units(400, 20), 6));
    let scores = |args: &[&str]| -> (Vec<f64>, String) {
        let ran = ok(&folder, &[&["anomalies", "t.npy", "--rounds", "1"], args].concat());
        let score = |line: &str| line.split(',').nth(1).unwrap().parse().unwrap();
        (ran.text().lines().skip(1).map(score).collect(), ran.stderr)
    };
    let (judged, said) = scores(&[]);
    assert_eq!(judged, scores(&["--table", "yes"]).0);
    assert_ne!(judged, scores(&["--table", "no"]).0);
    assert!(said.contains("units of their own") && said.contains("--table no"), "{said}");
    let said = ok(&folder, &["embed", "t.npy", "--dim", "2", "-o", "z.npy"]).stderr;
    assert!(said.contains("units of their own"), "{said}");
    let said = ok(&folder, &["plot", "t.npy", "-o", "p.svg"]).stderr;
    assert!(said.contains("units of their own"), "{said}");
}

#[test]
fn few_rows_gaps_and_wild_rows_are_used_and_it_is_said() {
    let folder = Folder::new();
    let mut values: Vec<f32> = own_units(30, 0);
    values.chunks_mut(6).for_each(|row| {
        row.iter_mut().zip([1e-5, 1.0, 1e-3, 1e3, 0.1, 1.0]).for_each(|(x, s)| *x *= s)
    });
    values.chunks_mut(6).for_each(|row| row[0] -= 10.0);
    (0..180).step_by(7).for_each(|at| values[at] = f32::NAN);
    values[12..18].fill(f32::NAN);
    values[60..66].fill(1e20);
    folder.write("few.npy", npy_f32(&values, 6));
    let ran = folder.ok(&["embed", "few.npy", "--dim", "2", "-o", "z.npy"]);
    for said in ["too few to learn", "1 far from all others", "1 without any value"] {
        assert!(ran.stderr.contains(said), "{ran:?}");
    }
    let latents = floats(&folder.read("z.npy"));
    for (i, row) in latents.chunks(2).enumerate() {
        assert!(row.iter().all(|y| y.is_nan() == (i == 2)), "{i}: {row:?}");
        assert!([2, 10].contains(&i) || row.iter().all(|y| y.abs() < 10.0), "{i}: {row:?}");
    }
    let ran = folder.ok(&["anomalies", "few.npy"]);
    assert!(
        ran.stderr.contains("1 without any value") && ran.stderr.contains("too few"),
        "{ran:?}"
    );
    let lines: Vec<&str> = ran.text().lines().skip(1).collect();
    assert!(
        lines[2].starts_with("2,NaN,1,") && lines[10].split(',').nth(2) == Some("1"),
        "{lines:?}"
    );
    let ran = folder.ok(&["plot", "few.npy", "-o", "few.svg", "--json"]);
    assert_eq!(ran.json()["not_drawn"].as_u64(), Some(2));
    assert!(ran.stderr.contains("2 are not drawn"), "{ran:?}");
    let picture = String::from_utf8(folder.read("few.svg")).unwrap();
    assert_eq!(picture.matches("<circle").count(), 28);
}

#[test]
fn rows_without_values_are_told_where_a_codec_answers_for_them() {
    let folder = Folder::new();
    let mut values: Vec<f32> = noise(200 * 5);
    values.chunks_mut(5).for_each(|row| row[4] = row[0] + row[1]);
    folder.write("a.npy", npy_f32(&values, 5));
    let numbers: Vec<f32> = values.chunks(5).map(|row| row[0] - row[2]).collect();
    folder.write("y.npy", npy_f32(&numbers, 1));
    ok(&folder, &["train", "a.npy", "-o", "c.codec", "--latent", "3"]);
    let task = ["--codec", "c.codec", "--task", "regression", "--epochs", "5", "-o", "t.codec"];
    folder.ok(&[&["finetune", "a.npy", "--labels", "y.npy"], &task[..]].concat());
    values[15..20].fill(f32::NAN);
    folder.write("gaps.npy", npy_f32(&values, 5));
    let ran = folder.ok(&["predict", "gaps.npy", "--codec", "t.codec", "-o", "p.csv", "--json"]);
    assert!(ran.stderr.contains("1 without any value"), "{ran:?}");
    assert_eq!(ran.json()["empty_rows"].as_u64(), Some(1));
    let ran = folder.ok(&["embed", "gaps.npy", "--codec", "c.codec", "-o", "z.npy"]);
    assert!(ran.stderr.contains("1 without any value"), "{ran:?}");
    let is_nan: Vec<bool> =
        floats(&folder.read("z.npy")).chunks(3).map(|z| z[0].is_nan()).collect();
    assert!(is_nan.iter().enumerate().all(|(i, nan)| *nan == (i == 3)));
    folder.ok(&["denoise", "gaps.npy", "--codec", "c.codec", "-o", "d.npy"]);
    let given = floats(&folder.read("d.npy"));
    assert!(given.iter().zip(&values).all(|(a, b)| a.is_nan() == b.is_nan()));
}

#[test]
fn noise_is_measured_and_only_noise_is_taken_out() {
    let folder = Folder::new();
    let random = noise(400 * 15);
    let mut values = Vec::new();
    for r in random.chunks(15) {
        let row =
            (0..12).map(|j| (r[0] * j as f32).sin() + r[1] * j as f32 + 0.3 * (r[j + 3] - 0.5));
        values.extend(row.collect::<Vec<_>>());
    }
    values[24..36].fill(1e20);
    folder.write("noisy.npy", npy_f32(&values, 12));
    let ran = folder.ok(&["denoise", "noisy.npy", "-o", "clean.npy", "--json"]);
    let deviation = 0.3 / 12_f64.sqrt();
    let found = ran.json()["noise"].as_f64().unwrap() / deviation;
    assert!(found > 0.8 && found < 1.25, "{ran:?}");
    assert!(ran.stderr.contains("1 far from all others"), "{ran:?}");
    assert_eq!(floats(&folder.read("clean.npy"))[24..36], values[24..36]);
    // Without noise, and on any number of threads.
    let ran = folder.ok(&["denoise", "digits.npy", "-o", "same.npy"]);
    assert!(ran.stderr.contains("no noise"), "{ran:?}");
    assert_eq!(npy_data(&folder.read("same.npy")), npy_data(&folder.read("digits.npy")));
    folder.ok(&["denoise", "noisy.npy", "-o", "one.npy", "--threads", "1"]);
    assert_eq!(folder.read("one.npy"), folder.read("clean.npy"));
    // Noise that is known.
    let ran = folder.ok(&["denoise", "digits.npy", "--noise", "1.5", "-o", "less.npy", "--json"]);
    assert!((ran.json()["noise"].as_f64().unwrap() - 1.5).abs() < 1e-9, "{ran:?}");
    assert_ne!(npy_data(&folder.read("less.npy")), npy_data(&folder.read("digits.npy")));
    let error = folder.fails(2, &["denoise", "digits.npy", "--noise", "-1", "-o", "x.npy"]);
    assert!(error.contains("above 0"), "{error}");
    let both = ["denoise", "digits.npy", "--noise", "1", "--epochs", "2", "-o", "x.npy"];
    assert!(folder.fails(2, &both).contains("--noise"));
}

#[test]
fn rows_are_cleaned_and_filled() {
    let folder = trained();
    folder.ok(&["denoise", "digits.npy", "--codec", "c.codec", "-o", "clean.npy"]);
    assert_eq!(folder.read("clean.npy").len(), folder.read("digits.npy").len());
    let mut values = noise(200 * 8);
    values.chunks_mut(8).for_each(|row| row[7] = row[0] + row[1]);
    for at in (3..1600).step_by(11) {
        values[at] = f32::NAN;
    }
    folder.write("gaps.npy", npy_f32(&values, 8));
    let ran = ok(&folder, &["impute", "gaps.npy", "-o", "whole.npy", "--json"]);
    assert_eq!(ran.json()["filled"].as_u64(), Some(146));
    let whole = floats(&folder.read("whole.npy"));
    for (a, b) in values.iter().zip(&whole) {
        assert!(b.is_finite() && (a.is_nan() || a.to_bits() == b.to_bits()));
    }
    let args = ["impute", "digits.npy", "--codec", "c.codec", "--missing", "16", "-o", "less.npy"];
    folder.ok(&args);
    assert!(
        folder
            .fails(1, &["impute", "gaps.npy", "--mask", "digits.npy", "-o", "x.npy"])
            .contains("1797")
    );
    folder.fails(2, &["denoise", "digits.npy", "-o", "nothing.xyz"]);
}

#[test]
fn gaps_of_few_rows_are_filled_and_what_has_nothing_to_go_by_is_told() {
    let folder = Folder::new();
    let row = |i: usize| match i {
        5 => ",,".to_string(),
        9 => format!("{i},-999,"),
        17 => format!("1e20,{},", 40 - 2 * i),
        _ => format!("{i},{},", 40 - 2 * i),
    };
    let rows: Vec<String> = (0..20).map(row).collect();
    folder.write("few.csv", format!("a,b,c\n{}\n", rows.join("\n")));
    let args = ["impute", "few.csv", "--missing", "-999", "--missing", "1e20", "-o", "whole.csv"];
    let ran = folder.ok(&args);
    assert!(ran.stderr.contains("units of their own"), "{ran:?}");
    assert!(ran.stderr.contains("column c") && ran.stderr.contains("row 5"), "{ran:?}");
    let whole = String::from_utf8(folder.read("whole.csv")).unwrap();
    let line = |i: usize| -> Vec<f64> {
        whole.lines().nth(1 + i).unwrap().split(',').filter_map(|x| x.parse().ok()).collect()
    };
    assert!((line(9)[1] - 22.0).abs() < 0.5 && (line(17)[0] - 17.0).abs() < 0.5, "{whole}");
    assert!((line(5)[0] - 5.0).abs() < 3.0 && line(3)[..2] == [3.0, 34.0], "{whole}");
    let ran = folder.ok(&["impute", "few.csv", "-o", "j.csv", "--json"]);
    assert_eq!(ran.json()["empty_columns"].to_string(), "[2]");
    assert_eq!(ran.json()["empty_rows"].to_string(), "[5]");
    let draws = ["impute", "few.csv", "--missing", "-999", "--missing", "1e20", "--draws", "2"];
    let ran = folder.ok(&[&draws[..], &["-o", "d.csv.gz", "--json"]].concat());
    assert_eq!(ran.json()["outputs"].to_string(), r#"["d-1.csv.gz","d-2.csv.gz"]"#);
    assert!(folder.read("d-1.csv.gz") != folder.read("d-2.csv.gz"));
    // All of them, or none.
    folder.write("e-2.csv", "mine");
    assert!(folder.fails(1, &[&draws[..], &["-o", "e.csv"]].concat()).contains("e-2.csv"));
    assert!(!folder.path("e-1.csv").exists());
    folder.fails(2, &[&draws[..], &["-o", "-"]].concat());
    folder.fails(2, &[&draws[..], &["-o", "f.csv", "--epochs", "3"]].concat());
    for wrong in ["0", "201", "18446744073709551615"] {
        folder.fails(2, &["impute", "few.csv", "--draws", wrong, "-o", "f.csv"]);
    }
    folder.fails(2, &[&draws[..], &["-o", "/dev/null"]].concat());
}

#[test]
fn rows_are_drawn_and_the_source_is_told() {
    let folder = trained();
    let args = ["sample", "c.codec", "-n", "9", "-o", "new.npy", "--latents", "z.npy"];
    let ran = folder.ok(&args);
    assert!(ran.stderr.contains("entropy coder"), "{ran:?}");
    assert_eq!(npy_data(&folder.read("new.npy")).len(), 9 * 64);
    assert_eq!(floats(&folder.read("z.npy")).len(), 9 * 6);
    ok(&folder, &["train", "digits.npy", "-o", "v.codec", "--latent", "4", "--variational", "1"]);
    let ran = folder.ok(&["sample", "v.codec", "-o", "vae.npy", "--json"]);
    assert!(ran.json()["source"].as_str().unwrap().contains("normal"));
    assert!(
        folder.fails(1, &["sample", "v.codec", "-n", "0", "-o", "x.npy"]).contains("1 or more")
    );
}

#[test]
fn labels_are_learned_and_predicted() {
    let folder = trained();
    let pixels = npy_data(&folder.read("digits.npy")).to_vec();
    // Whether the upper half has more ink.
    let sum = |row: &[u8]| row.iter().map(|x| u32::from(*x)).sum::<u32>();
    let labels = pixels.chunks(64).map(|r| if sum(&r[..32]) > sum(&r[32..]) { "7" } else { "-1" });
    let labels: Vec<&str> = labels.collect();
    folder.write("labels.csv", labels.join("\n") + "\n");
    let args = ["finetune", "digits.npy", "--labels", "labels.csv", "--codec", "c.codec"];
    let more = ["--task", "classification", "--epochs", "12", "-o", "t.codec", "--json"];
    let ran = folder.ok(&[&args[..], &more].concat());
    assert!(ran.json()["right"].as_f64().unwrap() > 0.8, "{ran:?}");
    folder.ok(&["verify", "t.codec"]);
    folder.ok(&["predict", "digits.npy", "--codec", "t.codec", "-o", "found.csv"]);
    let found = String::from_utf8(folder.read("found.csv")).unwrap();
    let right = found.lines().zip(&labels).filter(|(a, b)| a == *b).count();
    assert!(right > 1500, "{right}");
    folder.ok(&["predict", "digits.npy", "--codec", "t.codec", "--proba", "-o", "p.csv"]);
    assert!(folder.read("p.csv").starts_with(b"\"-1\",\"7\"\n"));
    let error = folder.fails(1, &["predict", "digits.npy", "--codec", "c.codec", "-o", "x.npy"]);
    assert!(error.contains("finetune"));
    folder.ok(&["export", "t.codec", "--part", "predictor", "-o", "t.onnx"]);
    let numbers = ["--task", "regression", "--unlabelled", "digits.npy", "-o", "r.codec"];
    let error = folder.fails(1, &[&args[..], &numbers].concat());
    assert!(error.contains("without labels") && error.contains("digits.npy"), "{error}");
}

#[test]
fn pictures_and_exports() {
    let folder = trained();
    let pixels = npy_data(&folder.read("digits.npy")).to_vec();
    let labels: Vec<String> = pixels.chunks(64).map(|r| (r[20] / 4).to_string()).collect();
    folder.write("labels.csv", labels.join("\n") + "\n");
    for (name, start) in
        [("a.svg", &b"<svg"[..]), ("a.png", b"\x89PNG"), ("a.html", b"<!DOCTYPE html>")]
    {
        let args =
            ["plot", "digits.npy", "--codec", "c.codec", "--labels", "labels.csv", "-o", name];
        folder.ok(&args);
        assert!(folder.read(name).starts_with(start));
        assert!(folder.read(name).len() > 5000);
    }
    folder.ok(&["plot", "digits.npy", "--images", "24", "--codec", "c.codec", "-o", "i.png"]);
    let args = ["train", "digits.npy", "-o", "h.codec", "--latent", "4", "--history", "h.csv"];
    ok(&folder, &args);
    folder.ok(&["plot", "h.csv", "--lines", "-o", "h.svg"]);
    folder.fails(2, &["plot", "digits.npy", "-o", "a.jpg"]);
    folder.fails(1, &["plot", "digits.npy", "--labels", "h.csv", "-o", "b.svg"]);

    folder.ok(&["export", "c.codec", "-o", "e.onnx"]);
    folder.ok(&["export", "c.codec", "--part", "decoder", "-o", "d.onnx"]);
    folder.ok(&["export", "c.codec", "-o", "w.safetensors"]);
    folder.fails(2, &["export", "c.codec", "-o", "w.pt"]);
    let restorer = ["export", "c.codec", "--part", "restorer", "-o", "r.onnx"];
    assert!(folder.fails(1, &restorer).contains("no masked transformer"));
    assert!(
        folder
            .fails(1, &["export", "c.codec", "--part", "predictor", "-o", "p.onnx"])
            .contains("predict")
    );
}

#[test]
fn points_are_learned_turned_and_coloured() {
    let folder = trained();
    let line = |i: usize| {
        let t = i as f64 * 0.05;
        format!("{},{},{},{},{}\n", t.sin(), t.cos(), (2.0 * t).sin(), t.sin() * t, i % 5)
    };
    let body: String = (0..400).map(line).collect();
    folder.write("t.csv", format!("a,b,c,d,kind\n{body}"));
    let plot = |args: &[&str]| {
        folder.ok(&[&["plot", "t.csv", "-f", "-o", "p.svg"], args].concat());
        String::from_utf8(folder.read("p.svg")).unwrap()
    };
    // The column is left out of the points, and its whole numbers are labels.
    let coloured = plot(&["--color-by", "kind", "--columns", "a,b,kind"]);
    let says = |svg: &str, text: &str| svg.lines().any(|line| line == text);
    assert!(says(&coloured, "b") && says(&coloured, "4") && !says(&coloured, "kind"));
    assert_eq!(coloured.matches("<circle").count(), 405);
    // What is wider is learned.
    let learned = plot(&["--color-by", "kind", "--epochs", "20"]);
    assert!(says(&learned, "latent 0") && says(&learned, "latent 1"));
    assert_eq!(learned, plot(&["--color-by", "kind", "--dim", "2", "--epochs", "20"]));
    let names = plot(&["--columns", "a,b,c"]);
    assert!(["a", "b", "c"].iter().all(|name| says(&names, name)));
    folder.write("few.csv", body.lines().take(20).collect::<Vec<_>>().join("\n"));
    folder.fails(2, &["plot", "few.csv", "--latent", "2", "-o", "few.svg"]);
    let note = folder.ok(&["plot", "few.csv", "-o", "few.svg"]).stderr;
    assert!(note.contains("20 rows are too few"), "{note}");
    assert!(String::from_utf8(folder.read("few.svg")).unwrap().contains("component 1 ("));
    let space = ["plot", "t.csv", "--dim", "3", "--epochs", "5", "-o", "p.html"];
    folder.ok(&[&space[..], &["--color-by", "d"]].concat());
    let page = String::from_utf8(folder.read("p.html")).unwrap();
    assert!(page.contains("<canvas") && page.matches("\"row ").count() == 400);
    let error = folder.fails(1, &["plot", "t.csv", "--color-by", "kinds", "-o", "q.svg"]);
    assert!(error.contains("neither") && error.contains("a, b, c, d, kind"), "{error}");
    for wrong in [
        &["--dim", "4"][..],
        &["--dim", "2", "--latent", "5"],
        &["--columns", "a,b", "--epochs", "3"],
        &["--lines", "--epochs", "3"],
        &["--loss", "bits"],
        &["--dim", "2", "--lines"],
    ] {
        folder.fails(2, &[&["plot", "t.csv", "-o", "q.svg"], wrong].concat());
    }
    assert!(!folder.path("q.svg").exists());
}

#[test]
fn two_results_never_go_to_one_place() {
    let folder = trained();
    let sample = ["sample", "c.codec", "-n", "5", "-o", "o.npy", "--latents"];
    for (place, code) in [("./o.npy", 2), ("no/l.npy", 1)] {
        folder.fails(code, &[&sample[..], &[place]].concat());
        assert!(!folder.path("o.npy").exists(), "{place}");
    }
    folder.fails(2, &["sample", "c.codec", "-n", "5", "-o", "-", "--latents", "-"]);
    folder.ok(&[&sample[..], &["l.npy"]].concat());
    let before = folder.read("c.codec");
    let history = ["train", "digits.npy", "-o", "c.codec", "-f", "--history"];
    for (place, code) in [("./c.codec", 2), ("no/h.csv", 1)] {
        let args = with(&[&history[..], &[place]].concat());
        folder.fails(code, &args.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(folder.read("c.codec"), before, "{place}");
    }
}

#[test]
fn what_cannot_be_drawn_or_written_is_said_at_once() {
    let folder = trained();
    for n in ["18446744073709551615", "4611686018427387904", "1000000000"] {
        let error = folder.fails(1, &["sample", "c.codec", "-n", n, "-o", "o.npy"]);
        assert!(error.contains("too many"), "{error}");
    }
    let error = folder.fails(1, &["embed", "digits.npy", "--dim", "2", "-o", "no/z.npy"]);
    assert!(error.contains("no is no folder"), "{error}");
    let error = folder.fails(2, &["embed", "digits.npy", "--dim", "2", "-o", "z.qqq"]);
    assert!(error.contains("--to"), "{error}");
    let error =
        folder.fails(2, &["embed", "digits.npy", "--dim", "2", "--loss", "bits", "-o", "z.npy"]);
    assert!(error.contains("--loss bits"), "{error}");
    folder.fails(1, &["compress", "digits.npy", "--threads", "100000"]);
}

#[test]
fn level_1_is_no_reason_to_learn_nothing_where_a_network_is_learned_at_every_level() {
    let folder = Folder::new();
    let rows: Vec<f32> = (0..512).map(|at| ((at * 37) % 64) as f32).collect();
    folder.write("rows.npy", npy_f32(&rows, 4));
    for command in ["denoise", "impute", "anomalies"] {
        let args = [command, "rows.npy", "-1", "--epochs", "2", "-o", "out.npy", "-f"];
        folder.ok(&args);
    }
    let bits = ["anomalies", "rows.npy", "-1", "--score", "bits", "--epochs", "2"];
    assert!(folder.fails(2, &bits).contains("no network by itself"));
}

#[test]
fn levels_and_promises_are_compared() {
    let folder = Folder::new();
    let args = ["compare", "digits.npy", "--levels", "1", "--bounds", "0.1,0.01", "-o", "r.svg"];
    let ran = folder.ok(&args);
    let table = String::from_utf8(ran.stdout).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("method") && lines[0].ends_with("seconds"), "{table}");
    for (line, start) in lines[1..].iter().zip(["as they are", "lossless", "level 1", "level 1"]) {
        assert!(line.starts_with(start), "{table}");
    }
    assert!(lines[1].contains("64.00") && lines.len() == 5, "{table}");
    assert!(folder.read("r.svg").starts_with(b"<svg"));
    let ran = folder.ok(&[
        "compare",
        "digits.npy",
        "--promise",
        "nmse",
        "--levels=1",
        "--values",
        "9000",
        "--json",
    ]);
    let json = ran.json();
    assert_eq!(
        (json["rows"].as_u64(), json["trials"].as_array().map(Vec::len)),
        (Some(1797), Some(5))
    );
    assert!(json["measured_rows"].as_u64().unwrap() < 200 && ran.stderr.contains("measured on"));

    assert!(folder.fails(1, &args).contains("-f"));
    assert!(folder.fails(2, &["compare", "digits.npy", "-o", "r.pdf"]).contains(".svg"));
    assert!(
        folder.fails(2, &["compare", "digits.npy", "--promise", "max-error"]).contains("--bounds")
    );
    assert!(folder.fails(2, &["compare", "digits.npy", "--promise", "nice"]).contains("nice"));
    assert!(folder.fails(1, &["compare", "digits.npy", "--levels", "10"]).contains("level 10"));
    let none = folder.fails(1, &["compare", "none.npy"]);
    assert!(none.contains("none.npy"), "{none}");
}

#[test]
fn what_takes_more_memory_than_is_allowed_is_refused() {
    let folder = trained();
    let mut values = noise(1_800_000);
    values[17] = f32::NAN;
    folder.write("gap.npy", npy_f32(&values, 900));
    let impute = ["impute", "gap.npy", "-o", "x.npy", "--memory", "128M"];
    assert!(folder.fails(1, &impute).contains("allow more"));
    let little = ["embed", "digits.npy", "--dim", "2", "--memory", "1K", "-o", "x.npy"];
    assert!(folder.fails(1, &little).contains("too few"));
    for size in ["lots", "-1G", "0"] {
        let memory = format!("--memory={size}");
        folder.fails(2, &["denoise", "digits.npy", "-o", "x.npy", &memory]);
    }
    folder.ok(&["compress", "-q", "-1", "digits.npy", "--memory", "128M"]);
    let opened = ["decompress", "digits.npy.aez", "-f", "--memory", "1K"];
    assert!(folder.fails(1, &opened).contains("are allowed"));
    folder.ok(&["verify", "digits.npy.aez", "--against", "digits.npy", "--memory", "128M"]);
    // What is made piece by piece does not depend on it.
    for (memory, out) in [("128M", "a.npy"), ("2G", "b.npy")] {
        folder.ok(&["embed", "digits.npy", "--codec", "c.codec", "--memory", memory, "-o", out]);
    }
    assert!(folder.read("a.npy") == folder.read("b.npy"));
}
