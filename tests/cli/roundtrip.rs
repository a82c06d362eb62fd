//! Numbers in, numbers back: naming, formats, rows, codecs.

use crate::support::{Folder, noise, npy_data, npy_f32};
use aezip::{Config, Fidelity, Matrix, Schema};

#[test]
fn the_default_names_lead_there_and_back() {
    let folder = Folder::with_archive(&["--lossless"]);
    assert_eq!(folder.names(), ["digits.npy", "digits.npy.aez"]);
    let original = folder.read("digits.npy");
    std::fs::remove_file(folder.path("digits.npy")).unwrap();
    folder.ok(&["decompress", "digits.npy.aez"]);
    assert_eq!(npy_data(&folder.read("digits.npy")), npy_data(&original));
    assert_eq!(folder.names(), ["digits.npy", "digits.npy.aez"]);
}

#[test]
fn a_bound_holds_in_the_file_that_comes_back() {
    let folder = Folder::with_archive(&["--max-error", "2"]);
    folder.ok(&["decompress", "digits.npy.aez", "-o", "back.npy"]);
    let (there, back) = (folder.read("digits.npy"), folder.read("back.npy"));
    let (there, back) = (npy_data(&there), npy_data(&back));
    assert_eq!(there.len(), back.len());
    assert!(there.iter().zip(back).all(|(a, b)| a.abs_diff(*b) <= 2));
}

#[test]
fn rows_come_back_alone() {
    let folder = Folder::with_archive(&["--lossless"]);
    let original = folder.read("digits.npy");
    let rows = |range: &str| {
        let args = ["decompress", "digits.npy.aez", "--rows", range, "-o", "part.npy", "-f"];
        folder.ok(&args);
        npy_data(&folder.read("part.npy")).to_vec()
    };
    let all = npy_data(&original);
    assert_eq!(rows("10..12"), all[10 * 64..12 * 64]);
    assert_eq!(rows("1790.."), all[1790 * 64..]);
    assert_eq!(rows("..3"), all[..3 * 64]);
    assert_eq!(rows("1796"), all[1796 * 64..]);
    assert!(rows("5..5").is_empty());
    for range in ["1797", "..1798", "1798.."] {
        let args = ["decompress", "digits.npy.aez", "-o", "x.npy", "--rows", range];
        assert!(folder.fails(1, &args).contains("1,797"), "{range}");
    }
    assert!(!folder.names().contains(&"x.npy".to_string()));
}

#[test]
fn parts_of_an_array_come_back_alone() {
    for options in [&["--lossless"][..], &["--max-error", "0.4", "--tile", "10x5"]] {
        let folder = Folder::with_archive(options);
        let original = folder.read("digits.npy");
        let all = npy_data(&original);
        let region = |text: &str, name: &str| {
            let args = ["decompress", "digits.npy.aez", "--region", text, "-o", name, "-f"];
            folder.ok(&args);
            folder.read(name)
        };
        let part = region("7..30, 9..11", "part.npy");
        let shape = String::from_utf8_lossy(&part).contains("'shape': (23, 2)");
        assert!(shape, "{}", String::from_utf8_lossy(&part));
        let wanted: Vec<u8> = (7..30).flat_map(|i| [all[i * 64 + 9], all[i * 64 + 10]]).collect();
        assert_eq!(npy_data(&part), wanted);
        assert_eq!(npy_data(&region(":", "part.npy")), all);
        assert_eq!(region(":,..", "all.raw"), all);
        let text = String::from_utf8(region("1796,60..62", "part.csv")).unwrap();
        let at = 1796 * 64 + 60;
        assert_eq!(text.lines().last().unwrap(), format!("{},{}", all[at], all[at + 1]));
        folder.ok(&["decompress", "digits.npy.aez", "-o", "whole.npy"]);
        assert_eq!(folder.read("whole.npy"), original);
        folder.ok(&["decompress", "digits.npy.aez", "-o", "rows.npy", "--rows", "3..5"]);
        assert_eq!(npy_data(&folder.read("rows.npy")), &all[3 * 64..5 * 64]);
        folder.ok(&["verify", "digits.npy.aez", "--against", "digits.npy"]);
        let beyond = ["decompress", "digits.npy.aez", "--region", ":,60..65", "-o", "x.npy"];
        assert!(folder.fails(1, &beyond).contains("60..65 asked for on axis 1"));
        let nothing = ["decompress", "digits.npy.aez", "--region", ":,5..5", "-o", "x.npy"];
        assert!(folder.fails(2, &nothing).contains("has no numbers"));
    }
}

#[test]
fn an_array_tells_its_shape_and_tiles() {
    let folder = Folder::with_archive(&["--max-error", "1", "--tile", "10x5"]);
    let info = folder.ok(&["info", "digits.npy.aez", "--json"]).json();
    assert_eq!((&info["rows"], &info["row_shape"]), (&1797.into(), &serde_json::json!([64])));
    assert_eq!(info["shape"], serde_json::json!([1797, 64]));
    assert_eq!(info["tile"], serde_json::json!([10, 5]));
    assert_eq!(info["grid"], serde_json::json!([180, 13]));
    let told = folder.ok(&["info", "digits.npy.aez"]);
    assert!(String::from_utf8(told.stdout).unwrap().contains("[10, 5], [180, 13] of them"));
    let folder = Folder::with_archive(&["--max-error", "1", "--tile", "rows"]);
    let info = folder.ok(&["info", "digits.npy.aez", "--json"]).json();
    assert_eq!((&info["tile"], &info["grid"]), (&().into(), &().into()));
    assert_eq!(info["shape"], serde_json::json!([1797, 64]));
}

#[test]
fn the_output_decides_the_format() {
    let folder = Folder::with_archive(&["--lossless"]);
    let original = folder.read("digits.npy");
    let decompress = |options: &str| {
        let options: Vec<_> = options.split(' ').collect();
        folder.ok(&[&["decompress", "digits.npy.aez"], &options[..]].concat())
    };
    decompress("-o d.raw");
    assert_eq!(folder.read("d.raw"), npy_data(&original));
    decompress("-o d.anything --format raw");
    assert_eq!(folder.read("d.anything"), npy_data(&original));
    decompress("--format csv");
    let text = String::from_utf8(folder.read("digits.csv")).unwrap();
    let last = text.lines().last().unwrap();
    let numbers: Vec<f64> = last.split(',').map(|cell| cell.parse().unwrap()).collect();
    let expected: Vec<_> = original[original.len() - 64..].iter().map(|&b| f64::from(b)).collect();
    assert_eq!(numbers, expected);
    let error = folder.fails(2, &["decompress", "digits.npy.aez", "-o", "d.xyz"]);
    assert!(error.contains("--format"), "{error}");
}

#[test]
fn raw_numbers_need_and_get_a_layout() {
    let folder = Folder::new();
    let bytes: Vec<u8> = noise(600).iter().flat_map(|x| x.to_le_bytes()).collect();
    folder.write("n.dat", &bytes);
    folder.fails(1, &["compress", "n.dat"]);
    folder.ok(&["compress", "n.dat", "--dtype", "f32", "--shape", "2,3", "-1", "--lossless"]);
    let info = folder.ok(&["info", "n.dat.aez", "--json"]).json();
    assert_eq!(info["rows"], 100);
    assert_eq!(info["row_shape"], serde_json::json!([2, 3]));
    assert_eq!(info["dtype"], "f32");
    folder.ok(&["decompress", "n.dat.aez", "-f"]);
    assert_eq!(folder.read("n.dat"), bytes);
    folder.ok(&["verify", "n.dat.aez", "--against", "n.dat"]);
}

#[test]
fn tables_have_columns_with_bounds() {
    let folder = Folder::new();
    let line = |x: &f32| format!("{:.3},{:.2},{:.1}\n", 20.0 + 10.0 * x, 1e3 + 50.0 * x, 100.0 * x);
    let rows: String = noise(500).iter().map(line).collect();
    folder.write("t.csv", format!("temperature,pressure,humidity\n{rows}"));
    let bounds = "temperature=0.1,pressure=1,*=0.5";
    folder.ok(&["compress", "t.csv", "-1", "--max-error", bounds]);
    let info = folder.ok(&["info", "t.csv.aez"]);
    assert!(info.text().contains("temperature, pressure, humidity"), "{info:?}");
    assert!(info.text().contains(bounds), "{info:?}");
    folder.ok(&["verify", "t.csv.aez", "--against", "t.csv"]);

    let back = folder.ok(&["decompress", "t.csv.aez", "-o", "-"]);
    let mut lines = back.text().lines();
    assert_eq!(lines.next(), Some("temperature,pressure,humidity"));
    let parse = |line: &str| line.split(',').map(|c| c.parse().unwrap()).collect::<Vec<f64>>();
    for (decoded, original) in lines.zip(rows.lines()) {
        for ((a, b), bound) in parse(decoded).iter().zip(parse(original)).zip([0.1, 1.0, 0.5]) {
            assert!((a - b).abs() <= bound, "{decoded} for {original}");
        }
    }

    folder.ok(&["compress", "t.csv", "-1", "--columns", "pressure", "-o", "p.aez"]);
    let info = folder.ok(&["info", "p.aez", "--json"]).json();
    assert_eq!(info["columns"], serde_json::json!(["pressure"]));
    folder.ok(&["verify", "p.aez", "--against", "t.csv", "--columns", "pressure"]);
    folder.ok(&["verify", "p.aez", "--against", "t.csv"]);
    folder.fails(1, &["compress", "t.csv", "-o", "x.aez", "--max-error", "volume=1"]);
    assert!(!folder.path("x.aez").exists());
}

#[test]
fn a_codec_serves_other_rows() {
    let folder = Folder::new();
    let promise = ["--max-error", "1"];
    folder.ok(&[&["train", "digits.npy", "-1", "-o", "c.codec"], &promise[..]].concat());
    assert!(folder.fails(1, &["train", "digits.npy", "-o", "c.codec"]).contains("-f"));
    folder.ok(&[&["train", "digits.npy", "-1", "-f", "-o", "c.codec"], &promise[..]].concat());

    let info = folder.ok(&["info", "c.codec"]);
    assert!(info.text().contains("codec"), "{info:?}");
    let info = folder.ok(&["info", "c.codec", "--json"]).json();
    assert_eq!((&info["codec"], &info["rows"]), (&true.into(), &0.into()));
    folder.ok(&["verify", "c.codec"]);
    folder.fails(1, &["decompress", "c.codec", "-o", "x.npy"]);
    folder.fails(1, &["verify", "c.codec", "--against", "digits.npy"]);

    folder.ok(&["compress", "digits.npy", "--codec", "c.codec", "--max-error", "1"]);
    folder.ok(&["verify", "digits.npy.aez", "--against", "digits.npy"]);
    folder.write("other.npy", npy_f32(&noise(300), 3));
    folder.fails(1, &["compress", "other.npy", "--codec", "c.codec"]);
    let error =
        folder.fails(1, &["compress", "digits.npy", "--codec", "c.codec", "-fo", "c.codec"]);
    assert!(error.contains("both input and output"), "{error}");
    assert_eq!(folder.names(), ["c.codec", "digits.npy", "digits.npy.aez", "other.npy"]);
}

#[test]
fn a_stored_name_stays_in_the_folder() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("sub")).unwrap();
    for (name, expected) in [("../evil.npy", Some("sub/evil.npy")), ("..", None), ("", None)] {
        let schema = Schema { name: name.to_string(), ..Schema::new(aezip::DType::U8, &[4]) };
        let rows = Matrix::new(schema, vec![7; 400]).unwrap();
        let mut config = Config::default();
        config.fidelity.clone_from(&Fidelity::Lossless);
        let mut file = Vec::new();
        aezip::compress(&rows, &config, &mut file).unwrap();
        folder.write("sub/x.aez", &file);
        match expected {
            Some(path) => {
                folder.ok(&["decompress", "sub/x.aez"]);
                assert_eq!(npy_data(&folder.read(path)), [7; 400]);
            }
            None => assert!(folder.fails(1, &["decompress", "sub/x.aez"]).contains("-o")),
        }
    }
    assert_eq!(folder.names(), ["digits.npy", "sub"]);
}

#[test]
fn the_same_wish_gives_the_same_file() {
    let folder = Folder::new();
    let compress = |name: &str, threads: &str| {
        let args = ["compress", "digits.npy", "-2", "--seed", "7", "-o", name];
        folder.ok(&[&args[..], &["--threads", threads, "--nmse", "0.1"]].concat());
        folder.read(name)
    };
    assert!(compress("a.aez", "1") == compress("b.aez", "2"));
}
