//! Imports go one way: each part of the crate uses only what it may.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each part and the parts that it may use, lowest first.
const MAY_USE: [(&str, &[&str]); 19] = [
    ("error", &[]),
    ("kernels", &[]),
    ("limits", &["error"]),
    ("positioned", &[]),
    ("matrix", &["error"]),
    ("nn", &["error", "kernels", "matrix"]),
    ("entropy", &["error"]),
    ("fidelity", &["error", "matrix"]),
    ("container", &["entropy", "error", "fidelity", "limits", "matrix"]),
    ("input", &["error", "matrix", "positioned"]),
    // These two are beside each other: the encoder measures, and the judge uses the arithmetic.
    // Rows go through the trained encoder in floats.
    ("codec", &["container", "entropy", "error", "kernels", "matrix", "nn", "quality"]),
    ("quality", &["codec", "error", "fidelity", "matrix"]),
    ("reader", &["codec", "container", "error", "fidelity", "limits", "matrix", "positioned"]),
    ("internals", &["compress", "entropy", "error", "kernels", "matrix", "nn", "train"]),
    (
        "train",
        &[
            "codec",
            "container",
            "entropy",
            "error",
            "fidelity",
            "kernels",
            "matrix",
            "nn",
            "quality",
        ],
    ),
    (
        "compress",
        &[
            "codec",
            "container",
            "entropy",
            "error",
            "fidelity",
            "limits",
            "matrix",
            "quality",
            "reader",
            "train",
        ],
    ),
    // What codecs are good for besides small files.
    (
        "apps",
        &[
            "codec",
            "compress",
            "container",
            "error",
            "fidelity",
            "kernels",
            "limits",
            "matrix",
            "nn",
            "reader",
            "train",
        ],
    ),
    // Tests only: makes files with the writing halves and reads them.
    ("vectors", &["codec", "container", "entropy", "error", "fidelity", "matrix", "reader"]),
    // The program is a crate of its own and uses the public interface.
    ("cli", &[]),
];

#[test]
fn imports_go_one_way() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for path in files(&source) {
        let place = path.strip_prefix(&source).unwrap();
        let part = place.iter().next().unwrap().to_string_lossy();
        let part = part.trim_end_matches(".rs");
        if part == "lib" || part == "main" || place.ends_with("tests.rs") {
            continue;
        }
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == part) else {
            faults.push(format!("{part} has no rule"));
            continue;
        };
        seen.insert(part.to_string());
        for used in uses(&fs::read_to_string(&path).unwrap()) {
            if used != part && !allowed.contains(&used.as_str()) {
                faults.push(format!("{} uses {used}", place.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    let ruled: BTreeSet<String> = MAY_USE.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(seen, ruled, "a rule without its part");
}

/// Files of the library that may allow `unsafe` for all they hold.
const UNSAFE: [&str; 4] =
    ["kernels/neon.rs", "kernels/wide.rs", "kernels/x86/mod.rs", "reader/map.rs"];

/// Files that call `Reader::map`, whose contract only the caller can keep, and allow `unsafe` for
/// that one statement.
const CALLS_OF_MAP: [&str; 2] = ["cli/io/archive.rs", "reader/tests/reading.rs"];

#[test]
fn unsafe_is_where_it_is_listed() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut rooms, mut calls) = (Vec::new(), Vec::new());
    for path in files(&source) {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(&source).unwrap().to_string_lossy().replace('\\', "/");
        if text.contains("#![allow(unsafe_code)]") {
            rooms.push(name);
        } else if text.contains("unsafe_code") {
            let blocks: Vec<&str> = text.lines().filter(|line| line.contains("unsafe {")).collect();
            assert!(
                matches!(blocks[..], [one] if one.contains("unsafe { Reader::map(")),
                "{name} has more than a call of the map: {blocks:#?}"
            );
            calls.push(name);
        }
    }
    rooms.sort();
    calls.sort();
    assert_eq!(rooms, UNSAFE);
    assert_eq!(calls, CALLS_OF_MAP);
}

#[test]
fn all_ways_of_importing_are_seen() {
    let text = "use crate::{error::Error, matrix::{A, B}, limits};\n\
                let x = crate::train::fit(); // crate::cli\n\
                $crate::codec::f();\n\
                #[cfg(test)]\nmod tests { use crate::reader::Reader; }\n";
    let found: Vec<String> = uses(text).into_iter().collect();
    assert_eq!(found, ["codec", "error", "limits", "matrix", "train"]);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

/// The crate's parts that `text` names, its tests and comments left out.
fn uses(text: &str) -> BTreeSet<String> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let code: Vec<&str> = text.lines().map(|l| l.split("//").next().unwrap()).collect();
    let code = code.join("\n");
    let mut found = BTreeSet::new();
    for (at, marker) in code.match_indices("crate::") {
        let rest = &code[at + marker.len()..];
        match rest.strip_prefix('{') {
            None => {
                found.insert(name(rest));
            }
            Some(list) => {
                let mut depth = 0;
                let mut item = String::new();
                for c in list.chars() {
                    match c {
                        '}' if depth == 0 => break,
                        ',' if depth == 0 => {
                            found.insert(name(&std::mem::take(&mut item)));
                            continue;
                        }
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        _ => {}
                    }
                    item.push(c);
                }
                if !item.trim().is_empty() {
                    found.insert(name(&item));
                }
            }
        }
    }
    found
}

/// The first name in a path.
fn name(path: &str) -> String {
    path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
