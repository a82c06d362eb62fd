//! `aezip dataset`: folders that a manifest describes, and what a manifest may not say.

use crate::support::{Folder, noise, npy_f32};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;

/// Rows of each part.
const ROWS: [usize; 2] = [300, 200];
const WIDTH: usize = 8;

fn described(folder: &Folder, path: &str) -> Value {
    let bytes = folder.read(&format!("set/{path}"));
    let hash: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
    json!({"path": path, "bytes": bytes.len(), "sha256": hash})
}

/// A folder that holds a data set of two parts, and its manifest.
fn with_set() -> (Folder, Value) {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("set/data")).unwrap();
    let mut parts = Vec::new();
    for (i, rows) in ROWS.into_iter().enumerate() {
        folder.write("x.npy", npy_f32(&noise(rows * WIDTH), WIDTH));
        let path = format!("data/part-0000{i}.aez");
        let out = format!("set/{path}");
        folder.ok(&["compress", "-q", "-1", "x.npy", "--max-error", "0.01", "-o", &out]);
        let mut part = described(&folder, &path);
        part["rows"] = rows.into();
        parts.push(part);
    }
    folder.ok(&["train", "-q", "-1", "x.npy", "-o", "set/codec-0123456789abcdef.aez"]);
    let manifest = json!({
        "aezip_dataset": 1,
        "dtype": "f32",
        "row_shape": [WIDTH],
        "columns": null,
        "promise": {"kind": "max-error", "value": "0.01"},
        "rows": ROWS[0] + ROWS[1],
        "codec": described(&folder, "codec-0123456789abcdef.aez"),
        "parts": parts,
    });
    folder.write("set/_manifest.json", manifest.to_string());
    (folder, manifest)
}

#[test]
fn a_sound_data_set_is_ok() {
    let (folder, manifest) = with_set();
    let info = folder.ok(&["dataset", "info", "set"]);
    for part in ["500", "[8]", "f32", "max-error 0.01", "2, of 200 to 300 rows", "codec-0123"] {
        assert!(info.text().contains(part), "{part}: {}", info.text());
    }
    let info = folder.ok(&["dataset", "info", "set", "--json"]).json();
    assert_eq!((&info["rows"], &info["parts"]), (&500.into(), &2.into()));
    assert_eq!((&info["promised"], &info["plain_bytes"]), (&manifest["promise"], &16_000.into()));
    let sound = folder.ok(&["dataset", "verify", "set"]);
    assert!(sound.text().contains("OK, 500 rows in 2 parts"), "{}", sound.text());
    assert_eq!(folder.ok(&["dataset", "verify", "set", "--json"]).json()["ok"], true);
    let absent = folder.fails(1, &["dataset", "info", "."]);
    assert!(absent.contains("there is no manifest"), "{absent}");
}

/// What is wrong, and what is said of it.
type Wrong = (fn(&mut Value), &'static str);

/// Wrong as `info` finds out, without looking at a part.
const SAID: [Wrong; 26] = [
    (|m| *m = json!([]), "no object"),
    (|m| m["aezip_dataset"] = 2.into(), "newer"),
    (|m| m["aezip_dataset"] = true.into(), "newer"),
    (|m| m["dtype"] = "f128".into(), "dtype"),
    (|m| m["dtype"] = json!([]), "dtype"),
    (|m| m["row_shape"] = json!([0]), "row_shape"),
    (|m| m["row_shape"] = json!([1_u64 << 40, 1_u64 << 40]), "counted"),
    (|m| m["row_shape"] = json!(vec![1; 1000]), "1000 axes"),
    (|m| m["columns"] = "abc".into(), "columns"),
    (|m| m["promise"] = Value::Null, "promise"),
    (|m| m["rows"] = 501.into(), "together"),
    (|m| m["rows"] = (-1).into(), "rows"),
    (|m| m["rows"] = 1e40.into(), "rows"),
    (|m| m["parts"] = json!({}), "parts"),
    (|m| m["parts"] = json!([]), "together"),
    (|m| m["parts"][1] = 7.into(), "no object"),
    (|m| m["parts"][0]["rows"] = u64::MAX.into(), "rows"),
    (|m| m["parts"][0]["bytes"] = 0.5.into(), "bytes"),
    (|m| m["parts"][0]["path"] = "../x.aez".into(), "path"),
    (|m| m["parts"][0]["path"] = "data/../../x.aez".into(), "path"),
    (|m| m["parts"][0]["path"] = "/etc/passwd".into(), "path"),
    (|m| m["parts"][0]["path"] = "data/a\u{1b}[31m\n.aez".into(), "path"),
    (|m| m["parts"][0]["sha256"] = "xyz".into(), "hash"),
    (|m| m["codec"]["path"] = "data/part-00000.aez".into(), "path"),
    (
        |m| {
            let most = json!({"path": "data/x.aez", "bytes": 1, "sha256": "0".repeat(64), "rows": i64::MAX});
            m["parts"] = json!([most, most, most]);
        },
        "counted",
    ),
    (
        |m| {
            m["parts"][1] = m["parts"][0].clone();
            m["rows"] = 600.into();
        },
        "named twice",
    ),
];

/// Wrong as a look at the parts shows.
const FOUND: [Wrong; 9] = [
    (|m| m["dtype"] = "f64".into(), "type"),
    (|m| m["row_shape"] = json!([4, 2]), "row shape"),
    (|m| m["promise"]["value"] = "0.001".into(), "promise"),
    (|m| m["parts"][0]["path"] = "data/absent.aez".into(), "absent"),
    (|m| m["parts"][0]["bytes"] = 5.into(), "bytes"),
    (|m| m["parts"][0]["sha256"] = "0".repeat(64).into(), "hash"),
    (|m| m["codec"]["sha256"] = "0".repeat(64).into(), "hash"),
    (|m| m["codec"]["path"] = "codec-00000000.aez".into(), "codec-00000000"),
    (
        |m| {
            (m["parts"][0]["rows"], m["parts"][1]["rows"]) = (299.into(), 201.into());
        },
        "number of rows",
    ),
];

#[test]
fn wrong_manifests_are_refused_in_one_line() {
    let (folder, manifest) = with_set();
    let refused = |command: &str, text: &str, about: &str| {
        folder.write("set/_manifest.json", text);
        let said = folder.fails(1, &["dataset", command, "set"]);
        assert!(said.contains(about), "{command} {text}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        assert!(said.len() < 500, "{said}");
    };
    let spoilt = |spoil: fn(&mut Value)| {
        let mut manifest = manifest.clone();
        spoil(&mut manifest);
        manifest.to_string()
    };
    for (spoil, about) in SAID {
        refused("info", &spoilt(spoil), about);
        refused("verify", &spoilt(spoil), about);
    }
    for (spoil, about) in FOUND {
        refused("verify", &spoilt(spoil), about);
    }
    for text in
        ["", "{", "\u{0}", &"[".repeat(100_000), &format!("{{\"rows\": {}}}", "9".repeat(5000))]
    {
        refused("info", text, "_manifest.json: ");
    }
}

#[test]
fn a_part_that_is_the_right_one_and_corrupt_has_its_own_code() {
    let (folder, mut manifest) = with_set();
    let path = "set/data/part-00001.aez";
    let mut bytes = folder.read(path);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    folder.write(path, bytes);
    let said = folder.fails(1, &["dataset", "verify", "set"]);
    assert!(said.contains("its hash is"), "{said}");
    manifest["parts"][1]["sha256"] = described(&folder, "data/part-00001.aez")["sha256"].clone();
    folder.write("set/_manifest.json", manifest.to_string());
    let said = folder.fails(4, &["dataset", "verify", "set"]);
    assert!(said.contains("part-00001.aez"), "{said}");
}
