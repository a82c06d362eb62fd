//! Imports go one way: between folders as ARCHITECTURE.md says, between files without a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module's path below the crate: `["fit", "search", "solver"]`.
type Module = Vec<String>;

#[test]
fn folders_import_as_the_architecture_says() {
    let allowed = arrows();
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for (from, imports) in graph() {
        let part = &from[0];
        let Some(may) = allowed.get(part) else {
            faults.push(format!("{part} has no line in ARCHITECTURE.md"));
            continue;
        };
        seen.insert(part.clone());
        for to in imports {
            if to[0] != *part && !may.contains(&to[0]) {
                faults.push(format!("{} imports {}", from.join("::"), to.join("::")));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert_eq!(seen, allowed.into_keys().collect(), "a line of ARCHITECTURE.md without its part");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let graph = graph();
    let mut done = BTreeSet::new();
    for start in graph.keys() {
        if let Some(circle) = circle(&graph, start, &mut Vec::new(), &mut done) {
            let names: Vec<String> = circle.iter().map(|m| m.join("::")).collect();
            panic!("a circle of imports: {}", names.join(" -> "));
        }
    }
}

/// A circle that can be reached from `at`, `path` having led there.
fn circle(
    graph: &BTreeMap<Module, BTreeSet<Module>>,
    at: &Module,
    path: &mut Vec<Module>,
    done: &mut BTreeSet<Module>,
) -> Option<Vec<Module>> {
    if let Some(first) = path.iter().position(|m| m == at) {
        return Some([&path[first..], std::slice::from_ref(at)].concat());
    }
    if done.contains(at) {
        return None;
    }
    path.push(at.clone());
    let found = graph[at].iter().find_map(|to| circle(graph, to, path, done));
    path.pop();
    done.insert(at.clone());
    found
}

/// Which parts each part may import, from the block of ARCHITECTURE.md whose lines are
/// `part: part part`.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let text = fs::read_to_string(path).unwrap();
    let block = text.split("```imports\n").nth(1).expect("a block of imports");
    let block = block.split("```").next().unwrap();
    let line = |line: &str| {
        let (part, may) = line.split_once(':').expect("part: parts");
        (part.trim().to_string(), may.split_whitespace().map(str::to_string).collect())
    };
    block.lines().map(line).collect()
}

/// Which files of the library import which; tests, and the files that are tests only, left out.
fn graph() -> BTreeMap<Module, BTreeSet<Module>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut texts = BTreeMap::new();
    for path in files(&source) {
        let place = path.strip_prefix(&source).unwrap().with_extension("");
        let mut module: Module =
            place.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let is_test = module.iter().any(|part| part == "tests");
        if is_test || matches!(&module[..], [one] if one == "lib" || one == "main") {
            continue;
        }
        if module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        texts.insert(module, fs::read_to_string(&path).unwrap());
    }
    let modules: BTreeSet<Module> = texts.keys().cloned().collect();
    texts.into_iter().map(|(at, text)| (at.clone(), imports(&text, &at, &modules))).collect()
}

/// The files that `text`, the module `at`, names.
fn imports(text: &str, at: &Module, modules: &BTreeSet<Module>) -> BTreeSet<Module> {
    // The program is a crate of its own, in which `crate` is `main.rs`: its parts begin with `cli`.
    let of = |path: &str| -> Option<Module> {
        let mut names = path.split("::").map(str::trim).map(str::to_string).peekable();
        let mut full = match names.peek()?.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => at.clone(),
            first if modules.contains(&[&at[..], &[first.to_string()]].concat()) => {
                return file([&at[..], &names.collect::<Vec<_>>()].concat(), modules);
            }
            _ => return None,
        };
        while let Some(name) = names.next_if(|n| matches!(n.as_str(), "crate" | "self" | "super")) {
            if name == "super" {
                full.pop();
            }
        }
        full.extend(names);
        file(full, modules)
    };
    // What `super` is in a module within the file, the file is already.
    let paths = paths(text).into_iter().filter(|path| !path.starts_with("super::*"));
    paths.filter_map(|path| of(&path)).filter(|to| to != at).collect()
}

/// The file in which a path lies: its longest beginning that is a module.
fn file(mut path: Module, modules: &BTreeSet<Module>) -> Option<Module> {
    while !path.is_empty() && !modules.contains(&path) {
        path.pop();
    }
    (!path.is_empty()).then_some(path)
}

/// All paths that `text` imports or writes out; its tests and comments left out.
fn paths(text: &str) -> Vec<String> {
    let end = text.find("#[cfg(test)]\nmod tests {").into_iter();
    let end = end.chain(text.find("#[cfg(test)]\npub(crate) mod tests {")).min();
    let code: Vec<&str> =
        text[..end.unwrap_or(text.len())].lines().map(|l| l.split("//").next().unwrap()).collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let before = code[..at].trim_end_matches(' ');
        if before.is_empty() || before.ends_with(['\n', ')', '{', ';']) || before.ends_with("pub") {
            let list = code[at + 4..].split(';').next().unwrap();
            branches(&list.split_whitespace().collect::<Vec<_>>().join(" "), "", &mut found);
        }
    }
    for root in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(root).filter(|(at, _)| !code[..*at].ends_with("in ")) {
            let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            let path: String = code[at..].chars().take_while(|c| is_name(*c)).collect();
            // A glob is seen above.
            if !path.ends_with("::") {
                found.push(path);
            }
        }
    }
    found
}

/// The paths of a `use`: `a::{b, c::{d, e as f}}` is `a::b`, `a::c::d` and `a::c::e`.
fn branches(list: &str, before: &str, found: &mut Vec<String>) {
    let (mut depth, mut start) = (0, 0);
    let mut items = Vec::new();
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&list[start..]);
    for item in items.into_iter().map(str::trim).filter(|item| !item.is_empty()) {
        match item.split_once('{') {
            Some((path, inner)) => {
                let inner = inner.strip_suffix('}').unwrap_or(inner);
                branches(inner, &format!("{before}{path}"), found);
            }
            None => found.push(format!("{before}{}", item.split(" as ").next().unwrap())),
        }
    }
}

/// Files that may allow `unsafe` for all they hold.
const UNSAFE: [&str; 6] = [
    "cli/io/closed.rs",
    "cli/io/signals.rs",
    "kernels/neon.rs",
    "kernels/wide.rs",
    "kernels/x86/mod.rs",
    "reader/map.rs",
];

/// Files that call `Reader::map`, whose contract only the caller can keep, and allow `unsafe` for
/// that one statement.
const CALLS_OF_MAP: [&str; 1] = ["reader/tests/reading.rs"];

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

#[test]
fn all_ways_of_importing_are_seen() {
    let text = "use crate::{error::Error, matrix::{A, B as C}, limits};\n\
                pub(crate) use super::other::thing;\n\
                let x = crate::fit::train(); // crate::cli\n\
                $crate::codec::f();\n\
                #[cfg(test)]\nmod tests { use crate::reader::Reader; }\n";
    let module = |path: &str| -> Module { path.split("::").map(str::to_string).collect() };
    let modules =
        ["error", "matrix", "limits", "fit", "codec", "reader", "cli", "encode::other", "encode"];
    let modules: BTreeSet<Module> = modules.into_iter().map(module).collect();
    let found = imports(text, &module("encode::blocks"), &modules);
    let expected = ["codec", "encode::other", "error", "fit", "limits", "matrix"];
    assert_eq!(found, expected.into_iter().map(module).collect());
    // A child is named without its parent's path.
    let found = imports("use other::thing;\nuse std::fs;", &module("encode"), &modules);
    assert_eq!(found, [module("encode::other")].into());
}

#[test]
fn circles_are_found() {
    let name = |s: &str| vec![s.to_string()];
    let graph = |arrows: &[(&str, &[&str])]| -> BTreeMap<Module, BTreeSet<Module>> {
        arrows.iter().map(|(a, to)| (name(a), to.iter().map(|b| name(b)).collect())).collect()
    };
    let of = |g: &BTreeMap<Module, BTreeSet<Module>>| {
        circle(g, &name("a"), &mut Vec::new(), &mut BTreeSet::new()).map(|c| c.concat().concat())
    };
    assert_eq!(of(&graph(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])])), None);
    let round = graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["d"]), ("d", &["b"])]);
    assert_eq!(of(&round).as_deref(), Some("bcdb"));
}
