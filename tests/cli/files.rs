//! Every kind of file to every other: each cell of the table in `docs/files.md`.

use crate::support::Folder;
use aezip::input::sink::{create_packed_sink, create_pictures};
use aezip::input::{Format, OpenOptions, Packing, RawLayout, open};
use aezip::{DType, Matrix, Origin, Rows, Schema};
use std::fs;
use std::path::Path;

const ROWS: usize = 30;

/// A line of the table: a kind of file, its rows, and of each kind to write what comes of it.
struct Line {
    kind: String,
    dtype: DType,
    shape: Vec<usize>,
    cells: Vec<(String, String)>,
}

fn table() -> Vec<Line> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/files.md");
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("tests/cli/files.rs").nth(1).expect("a table");
    let fields = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|field| field.trim().to_string()).collect()
    };
    let is_table = |line: &&str| line.starts_with('|');
    let mut lines =
        text.lines().skip_while(|line| !is_table(line)).take_while(is_table).map(fields);
    let kinds = lines.next().unwrap();
    let line = |fields: Vec<String>| {
        let (dtype, shape) = fields[1].split_once(' ').unwrap();
        let shape = shape.split('x').map(|n| n.parse().unwrap()).collect();
        let cells = kinds.iter().cloned().zip(fields.iter().cloned()).skip(2).collect();
        Line { kind: fields[0].clone(), dtype: dtype.parse().unwrap(), shape, cells }
    };
    lines.skip(1).map(line).collect()
}

/// Rows that each type holds, and tables have names for.
fn rows(line: &Line) -> Matrix {
    let mut schema = Schema::new(line.dtype, &line.shape);
    if line.kind.contains("sv") {
        schema.columns = Some(["t", "r h", "\u{b5}"].map(str::to_string).to_vec());
    }
    let size = line.dtype.size();
    let number = |i: usize| -> Vec<u8> {
        let n = (i * 7 + i / 5) % 100;
        match line.dtype {
            DType::F64 => (n as f64 * 0.25).to_le_bytes().to_vec(),
            DType::F32 => (n as f32 * 0.25).to_le_bytes().to_vec(),
            // 1 and a number of 128ths: few enough digits for text to hold them all.
            DType::F16 => (0x3c00 + 8 * n as u16).to_le_bytes().to_vec(),
            _ => n.to_le_bytes()[..size].to_vec(),
        }
    };
    let bytes = (0..ROWS * schema.width()).flat_map(number).collect();
    Matrix::new(schema, bytes).unwrap()
}

fn format(kind: &str) -> Format {
    Format::from_extension(format!("a.{kind}")).unwrap_or(Format::Png)
}

/// What files of `kind` are called: pictures lie in a folder.
fn name(stem: &str, kind: &str) -> String {
    if kind == "png" { format!("{stem}/") } else { format!("{stem}.{kind}") }
}

fn write(path: &Path, kind: &str, rows: &Matrix) {
    let mut schema = rows.schema().clone();
    if kind == "tsv" {
        let text = aezip::TextLayout { delimiter: b'\t', ..Default::default() };
        schema.origin = Some(Origin::new("csv").with_text(text));
    }
    let mut sink = if kind == "png" {
        fs::create_dir(path).unwrap();
        create_pictures(path, &schema, ROWS as u64).unwrap()
    } else {
        let file = Box::new(fs::File::create(path).unwrap());
        create_packed_sink(
            Packing::from_name(kind_name(kind)),
            format(kind),
            &schema,
            ROWS as u64,
            file,
        )
        .unwrap()
    };
    sink.write(rows.bytes()).unwrap();
    sink.finish().unwrap();
}

/// A name that ends as files of a packed kind do.
fn kind_name(kind: &str) -> &str {
    kind.split_once('.').map_or("", |_| kind)
}

fn read(path: &Path, kind: &str, like: &Matrix) -> (Schema, Vec<u8>) {
    let Schema { dtype, row_shape, .. } = like.schema().clone();
    let raw = RawLayout { dtype, bfloat16: false, rows: None, row_shape };
    let options = OpenOptions { raw: (kind == "raw").then_some(raw), ..Default::default() };
    let rows = open(path, &options).unwrap();
    let mut bytes = vec![0; rows.len() * rows.schema().row_bytes()];
    rows.read(0, &mut bytes).unwrap();
    (rows.schema().clone(), bytes)
}

/// Every number as `f64`, as all of them are small.
fn numbers(dtype: DType, bytes: &[u8]) -> Vec<f64> {
    let rows = Matrix::new(Schema::new(dtype, &[]), bytes.to_vec()).unwrap();
    aezip::apps::to_doubles(&rows).unwrap()
}

#[test]
fn every_kind_of_file_becomes_every_other() {
    let lines = table();
    assert!(lines.len() >= 17 && lines.iter().all(|line| line.cells.len() == 16));
    for line in &lines {
        let (folder, rows) = (Folder::new(), rows(line));
        let input = name("rows", &line.kind);
        write(&folder.path(&input), &line.kind, &rows);
        let shape = line.shape.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let raw = ["--dtype", line.dtype.name(), "--shape", &shape];
        let raw = if line.kind == "raw" { &raw[..] } else { &[] };
        let compress = ["compress", &input, "--lossless", "-1", "-q", "-o", "a.aez"];
        folder.ok(&[&compress, raw].concat());
        folder.ok(&[&["verify", "a.aez", "--against", &input], raw].concat());
        for (kind, cell) in &line.cells {
            let what = format!("{} of {} {shape} to {kind}", line.kind, line.dtype);
            let output = name(&format!("out-{kind}"), kind);
            let decompress = ["decompress", "a.aez", "-q", "-o", &output];
            if cell == "–" {
                let error = folder.fails(1, &decompress);
                assert!(error.contains("write npy instead"), "{what}: {error}");
                assert!(!folder.path(&output).exists(), "{what}");
                continue;
            }
            folder.ok(&decompress);
            let (schema, bytes) = read(&folder.path(&output), kind, &rows);
            let numbers = |dtype, bytes| self::numbers(dtype, bytes);
            assert_eq!(numbers(schema.dtype, &bytes), numbers(line.dtype, rows.bytes()), "{what}");
            if cell == "text" {
                assert_eq!((schema.dtype, schema.row_shape.len()), (DType::F64, 1), "{what}");
                continue;
            }
            assert_eq!(cell, "=", "{what}");
            assert_eq!((schema.dtype, &schema.row_shape), (line.dtype, &line.shape), "{what}");
            if kind.contains("sv") {
                assert_eq!(schema.columns, rows.schema().columns, "{what}");
            }
        }
        comes_back(&folder, line, &input, &rows);
    }
}

/// Without a name, the file comes back as it was.
fn comes_back(folder: &Folder, line: &Line, input: &str, rows: &Matrix) {
    let (path, kept) = (folder.path(input), folder.path("kept"));
    let before = read(&path, &line.kind, rows);
    fs::rename(path.components().as_path(), &kept).unwrap();
    folder.ok(&["decompress", "-q", "a.aez"]);
    let after = read(&path, &line.kind, rows);
    assert_eq!(before, after, "{input}");
    let is_one_way_to_write = !["npz", "png"].contains(&line.kind.as_str());
    if is_one_way_to_write {
        assert_eq!(fs::read(&path).unwrap(), fs::read(&kept).unwrap(), "{input}");
    }
}

#[test]
fn arrays_are_chosen_by_name_and_come_back_with_it() {
    let folder = Folder::new();
    let rows = Matrix::from_slice(&[0.5_f32; 3 * ROWS], &[3]).unwrap();
    for (kind, name) in [("npz", "deep/x"), ("safetensors", "layer.0.weight")] {
        let mut schema = rows.schema().clone();
        schema.origin = Some(Origin::new(kind).with_part(name));
        let rows = Matrix::new(schema, rows.bytes().to_vec()).unwrap();
        let file = format!("w.{kind}");
        write(&folder.path(&file), kind, &rows);
        folder.ok(&["compress", &file, "--array", name, "-1", "--lossless", "-o", "w.aez", "-f"]);
        let info = folder.ok(&["info", "w.aez"]);
        assert!(info.text().contains(name), "{info:?}");
        assert_eq!(folder.ok(&["info", "w.aez", "--json"]).json()["array"], name);
        folder.ok(&["decompress", "w.aez", "-f"]);
        let (schema, _) = read(&folder.path(&file), kind, &rows);
        assert_eq!(schema.origin.unwrap().part.as_deref(), Some(name));
        let error = folder.fails(1, &["compress", &file, "--array", "y", "-o", "y.aez"]);
        assert!(error.contains(&file) && error.contains(name), "{error}");
    }
    folder.fails(1, &["compress", "digits.npy", "--array", "x"]);
    // Compared with a file of several, it is the one that was compressed.
    let header = r#"{"a":{"dtype":"U8","shape":[2,1],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2,1],"data_offsets":[2,4]}}"#;
    let length = (header.len() as u64).to_le_bytes();
    folder.write("two.safetensors", [&length[..], header.as_bytes(), &[1, 2, 3, 4]].concat());
    assert!(folder.fails(1, &["compress", "two.safetensors"]).contains("--array: a, b"));
    folder.ok(&["compress", "two.safetensors", "--array", "b", "--lossless"]);
    folder.ok(&["verify", "two.safetensors.aez", "--against", "two.safetensors"]);
    let other = ["verify", "two.safetensors.aez", "--against", "two.safetensors", "--array", "a"];
    assert_eq!(folder.run(&other).code, Some(3));
}

#[test]
fn some_pictures_of_a_folder_keep_their_names() {
    let folder = Folder::new();
    let mut schema = Schema::new(DType::U8, &[2, 3]);
    let names = ["a.png", "b 2.png", "c.png"];
    schema.origin = Some(Origin::new("png").with_part(names.join("\n")));
    fs::create_dir(folder.path("in")).unwrap();
    let mut sink = create_pictures(&folder.path("in"), &schema, 3).unwrap();
    sink.write(&[7; 18]).unwrap();
    sink.finish().unwrap();
    folder.ok(&["compress", "in/", "-1", "--lossless", "-q"]);
    folder.ok(&["verify", "in.aez", "--against", "in"]);
    folder.ok(&["decompress", "in.aez", "--rows", "1..", "-o", "some/"]);
    assert_eq!(fs::read_dir(folder.path("some")).unwrap().count(), 2);
    assert!(folder.path("some/b 2.png").exists() && folder.path("some/c.png").exists());
    // A folder with something in it is left as it is.
    assert!(folder.fails(1, &["decompress", "in.aez", "-f"]).contains("already exists"));
    assert!(folder.fails(2, &["decompress", "in.aez", "-o", "-"]).contains("folder"));
    fs::create_dir(folder.path("empty")).unwrap();
    folder.ok(&["decompress", "in.aez", "-o", "empty/"]);
    assert_eq!(fs::read_dir(folder.path("empty")).unwrap().count(), 3);
    assert!(!folder.names().iter().any(|name| name.ends_with(".tmp")));
}

#[test]
fn files_that_are_read_in_python_are_told_apart() {
    let folder = Folder::new();
    let starts: [(&[u8], &str); 5] = [
        (b"PAR1\x15\x04\0\0", "Python package"),
        (b"ARROW1\0\0", "Python package"),
        (b"\x89HDF\r\n\x1a\n", "h5py"),
        (b"CDF\x01\0\0\0\0", "xarray"),
        (b"\x89PNG\r\n\x1a\n", "folder"),
    ];
    folder.write("table", "PAR1,PAR2\n1,2\n3,4\n");
    folder.ok(&["compress", "table", "-q"]);
    for (bytes, says) in starts {
        for name in ["x", "x.csv", "x.npy"] {
            folder.write(name, bytes);
            let error = folder.fails(1, &["compress", name, "-o", "x.aez"]);
            assert!(error.contains(&format!("{name}: ")) && error.contains(says), "{error}");
        }
    }
}

/// Copies of a file with something wrong in each.
fn damaged(good: &[u8]) -> Vec<Vec<u8>> {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |n: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % n.max(1) as u64) as usize
    };
    let mut damage = |case: usize| {
        let (mut bytes, at) = (good.to_vec(), below(good.len()));
        let end = (at + 1 + below(12)).min(bytes.len());
        match case % 5 {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << below(8),
            2 => bytes[at..end].fill([0, 0xff][below(2)]),
            3 => drop(bytes.drain(at..end)),
            _ => bytes.extend_from_slice(&good[at..]),
        }
        bytes
    };
    (0..30).map(&mut damage).collect()
}

#[test]
fn damaged_files_of_every_kind_are_read_or_refused_in_one_line() {
    for line in table() {
        let (folder, rows) = (Folder::new(), rows(&line));
        let input = name("rows", &line.kind);
        write(&folder.path(&input), &line.kind, &rows);
        let shape = line.shape.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let raw = ["--dtype", line.dtype.name(), "--shape", &shape];
        let raw = if line.kind == "raw" { &raw[..] } else { &[] };
        let file = if line.kind == "png" { "rows/000003.png" } else { &input };
        for bytes in damaged(&folder.read(file)) {
            folder.write(file, &bytes);
            let compress = ["compress", &input, "--lossless", "-1", "-q", "-f", "-o", "a.aez"];
            let ran = folder.run(&[&compress, raw].concat());
            if ran.code == Some(0) {
                continue;
            }
            assert_eq!((ran.code, ran.stderr.lines().count()), (Some(1), 1), "{ran:?}");
            let says = ran.stderr.strip_prefix(&format!("aezip: {input}: "));
            assert!(says.is_some_and(|says| says.len() > 20), "{ran:?}");
        }
    }
}
