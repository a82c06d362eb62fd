//! The test vectors in `format-spec/vectors`: how they are made, and that they are as made.
//!
//! `AEZIP_WRITE_VECTORS=1 cargo test --lib vectors` writes them anew. A vector that has been in
//! a release is never changed; new ones are added.

mod appended;
mod by_row;
mod case;
mod columns;
mod companders;
mod encoders;
mod file;
mod further;
mod invalid;
mod models;
mod mutants;
mod neighbours;
mod neighbours_refused;
mod networks;
mod records;
mod refused;
mod stream;
mod tasks;
mod tiles;
mod transformers;
mod uncommon;
mod valid;

use crate::error::{ErrorKind, Result};
use crate::matrix::Rows;
use crate::reader::Reader;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// One file: folder and name, its bytes, and for invalid ones the kind of error.
struct Vector {
    name: String,
    bytes: Vec<u8>,
    kind: Option<&'static str>,
}

fn all() -> Vec<Vector> {
    let good = |folder: &str, list: Vec<(String, Vec<u8>)>| {
        let name = |n: String| format!("{folder}/{n}");
        list.into_iter()
            .map(|(n, bytes)| Vector { name: name(n), bytes, kind: None })
            .collect::<Vec<_>>()
    };
    let mut out = good("valid", valid::all());
    out.extend(good("valid", models::all()));
    let named = |list: Vec<(&str, file::Parts)>| {
        list.into_iter().map(|(name, parts)| (name.to_string(), parts.join())).collect()
    };
    let beside = columns::valid().into_iter().map(|(name, parts)| (name, parts.join()));
    out.extend(good("valid", beside.collect()));
    let scaled = companders::valid().into_iter().map(|(name, parts)| (name, parts.join()));
    out.extend(good("valid", scaled.collect()));
    out.extend(good("uncommon", named(companders::uncommon())));
    out.extend(good("valid", named(networks::valid())));
    out.extend(good("valid", named(neighbours::valid())));
    out.extend(good("valid", named(further::valid())));
    out.extend(good("valid", named(by_row::valid())));
    out.extend(good("valid", named(encoders::valid())));
    out.extend(good("valid", named(tasks::valid())));
    out.extend(good("valid", named(transformers::valid())));
    out.extend(good("valid", named(tiles::valid())));
    out.extend(good("valid", appended::valid()));
    out.extend(good("uncommon", appended::uncommon()));
    out.extend(good("uncommon", uncommon::all()));
    out.extend(good("uncommon", named(columns::uncommon())));
    out.extend(good("uncommon", named(networks::uncommon())));
    out.extend(good("uncommon", named(neighbours::uncommon())));
    out.extend(good("uncommon", named(further::uncommon())));
    out.extend(good("uncommon", named(by_row::uncommon())));
    out.extend(good("uncommon", named(encoders::uncommon())));
    out.extend(good("uncommon", named(tasks::uncommon())));
    out.extend(good("uncommon", named(transformers::uncommon())));
    out.extend(good("uncommon", named(tiles::uncommon())));
    out.extend(invalid::all().into_iter().map(|(n, kind, bytes)| Vector {
        name: format!("invalid/{n}"),
        bytes,
        kind: Some(kind),
    }));
    out
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("format-spec/vectors")
}

/// The rows as an `.npy` file, everything verified.
fn decode(bytes: &[u8]) -> Result<Vec<u8>> {
    let reader = Reader::new(bytes)?;
    let sound = reader.verify();
    if reader.info().unfinished_bytes == 0 {
        sound?;
    } else {
        // What lies behind the end is a fault, and the rows before are read nevertheless.
        assert!(sound.is_err(), "bytes behind the end are not noticed");
    }
    let mut out = vec![0; reader.rows() * reader.schema().row_bytes()];
    reader.read_bytes(0, &mut out)?;
    // Row by row gives the same.
    for i in 0..reader.len() {
        let size = reader.schema().row_bytes();
        let mut row = vec![0; size];
        reader.read_bytes(i, &mut row)?;
        assert_eq!(row, out[i * size..(i + 1) * size]);
    }
    let all: Vec<_> = reader.shape().iter().map(|&n| 0..n).collect();
    let mut whole = vec![0; out.len()];
    reader.read_region_bytes(&all, &mut whole)?;
    assert_eq!(whole, out);
    Ok(file::npy(reader.dtype(), &reader.shape(), &out))
}

/// Opens a file and reads its rows, or what a codec consists of, without verifying it first.
fn read_rows(bytes: &[u8]) -> Result<()> {
    let reader = Reader::new(bytes)?;
    if reader.info().codec {
        return crate::Codec::read(bytes).map(drop);
    }
    let mut out = vec![0; reader.rows() * reader.schema().row_bytes()];
    reader.read_bytes(0, &mut out)
}

/// The vectors' files: name and content.
fn files() -> Vec<(String, Vec<u8>)> {
    let (mut out, mut wrong) = (Vec::new(), Vec::new());
    for v in all() {
        let (ending, beside) = match decode(&v.bytes) {
            Ok(npy) => ("npy", npy),
            Err(e) => {
                let kind = format!("{:?}", e.kind()).to_lowercase();
                if v.kind != Some(&kind) {
                    wrong.push(format!("{}: {e}", v.name));
                }
                ("txt", format!("{kind}\n").into_bytes())
            }
        };
        if v.kind.is_some() && ending == "npy" {
            wrong.push(format!("{} decodes", v.name));
        }
        out.push((format!("{}.{ending}", v.name), beside));
        out.push((format!("{}.aez", v.name), v.bytes));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    out
}

#[test]
fn vectors_are_as_generated() {
    let files = files();
    if std::env::var_os("AEZIP_WRITE_VECTORS").is_some() {
        for (name, bytes) in &files {
            let path = folder().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }
    for (name, bytes) in &files {
        let stored = std::fs::read(folder().join(name)).unwrap_or_default();
        assert!(stored == *bytes, "{name} differs from what the generator makes");
    }
    let made: BTreeSet<PathBuf> = files.iter().map(|f| folder().join(&f.0)).collect();
    assert_eq!(made.len(), files.len(), "two vectors have the same name");
    for kind in ["valid", "uncommon", "invalid"] {
        for entry in std::fs::read_dir(folder().join(kind)).unwrap() {
            let path = entry.unwrap().path();
            assert!(made.contains(&path), "{} belongs to no vector", path.display());
        }
    }
    let total: usize = files.iter().map(|f| f.1.len()).sum();
    assert!(total < 460_000, "the vectors take {total} bytes");
}

/// Files below so many bytes, codecs among them, are damaged bit by bit.
const SMALL: usize = 640;

/// Cut anywhere or with any bit flipped, a small file is refused.
#[test]
fn damage_is_noticed_in_every_byte() {
    // Where rows were appended, a file that is cut is one of those before.
    let has_one_end = |bytes: &[u8]| {
        let info = Reader::new(bytes).unwrap().info();
        info.appends == 0 && info.unfinished_bytes == 0
    };
    let small = all().into_iter().filter(|v| v.kind.is_none() && v.bytes.len() < SMALL);
    for v in small.filter(|v| has_one_end(&v.bytes)) {
        for length in 0..v.bytes.len() {
            assert!(decode(&v.bytes[..length]).is_err(), "{} cut at {length}", v.name);
        }
        for bit in 0..v.bytes.len() * 8 {
            let mut bytes = v.bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            // Neither accepted nor taken for a file of another version, however it is read.
            let error = read_rows(&bytes).expect_err(&format!("{} with bit {bit} flipped", v.name));
            let damaged = matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Truncated);
            assert!(damaged, "{} with bit {bit} flipped: {error}", v.name);
            assert!(decode(&bytes).is_err(), "{} with bit {bit} flipped", v.name);
        }
    }
}
