//! `verify`, `info` and the JSON objects.

use crate::support::Folder;

#[test]
fn the_closing_line_says_what_was_done() {
    let folder = Folder::new();
    let ran = folder.ok(&["compress", "digits.npy", "-1", "--max-error", "1"]);
    assert!(ran.stdout.is_empty());
    let bytes = folder.read("digits.npy.aez").len();
    let bytes = format!("{},{:03} bytes", bytes / 1000, bytes % 1000);
    let parts = ["digits.npy: 1,797 rows", "115,008 => ", &bytes, "ratio", "promised max-error 1"];
    for part in parts.into_iter().chain(["reached max error ", " s\n"]) {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    let loud = folder.ok(&["compress", "digits.npy", "-1", "-f", "-v"]).stderr;
    assert!(loud.contains("latents") && loud.contains("PSNR"), "{loud}");
    assert_eq!(folder.ok(&["compress", "digits.npy", "-1", "-f", "-q"]).stderr, "");
    assert_eq!(folder.ok(&["-q", "decompress", "digits.npy.aez", "-f"]).stderr, "");
}

#[test]
fn json_is_one_object_on_standard_output() {
    let folder = Folder::new();
    let done = folder.ok(&["compress", "digits.npy", "-1", "--json", "--max-error", "1"]).json();
    assert_eq!(done["rows"], 1797);
    assert_eq!(done["bytes_in"], 115_008);
    assert_eq!(done["bytes_out"], folder.read("digits.npy.aez").len());
    assert_eq!(done["promised"], serde_json::json!({"kind": "max-error", "value": "1"}));
    assert!(done["measured"]["max_error"].as_f64().unwrap() <= 1.0);
    assert!(done["seconds"].as_f64().unwrap() >= 0.0);

    let info = folder.ok(&["info", "digits.npy.aez", "--json"]).json();
    assert_eq!(info["rows"], 1797);
    assert_eq!(info["row_shape"], serde_json::json!([64]));
    assert_eq!((&info["dtype"], &info["name"]), (&"u8".into(), &"digits.npy".into()));
    assert_eq!(info["file_bytes"], done["bytes_out"]);
    assert_eq!(info["codec"], false);

    let check = ["verify", "digits.npy.aez", "--json"];
    let sound = folder.ok(&check).json();
    assert_eq!((&sound["ok"], &sound["rows"]), (&true.into(), &1797.into()));
    let held = folder.ok(&[&check[..], &["--against", "digits.npy"]].concat()).json();
    assert_eq!(held["held"], true);
    assert!(held["measured"]["nmse"].as_f64().is_some());
}

#[test]
fn info_is_a_table() {
    let folder = Folder::with_archive(&["--nmse", "0.05"]);
    let info = folder.ok(&["info", "digits.npy.aez"]);
    for part in ["1,797", "[64]", "u8", "digits.npy", "nmse 0.05", "model", "blocks", "version"] {
        assert!(info.text().contains(part), "{part}: {}", info.text());
    }
}

#[test]
fn a_sound_file_is_ok() {
    let folder = Folder::with_archive(&["--max-error", "1"]);
    let alone = folder.ok(&["verify", "digits.npy.aez"]);
    assert!(alone.text().contains("OK") && alone.text().lines().count() == 1, "{alone:?}");
    let ran = folder.ok(&["verify", "digits.npy.aez", "--against", "digits.npy"]);
    for part in ["max error", "NMSE", "PSNR", "cosine", "promise held"] {
        assert!(ran.text().contains(part), "{part}: {}", ran.text());
    }
}

#[test]
fn a_broken_promise_is_told_by_the_exit_code() {
    let folder = Folder::with_archive(&["--max-error", "1"]);
    let mut other = folder.read("digits.npy");
    *other.last_mut().unwrap() ^= 0x40;
    folder.write("other.npy", other);
    let args = ["verify", "digits.npy.aez", "--against", "other.npy"];
    let ran = folder.run(&args);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.text().contains("promise NOT held"), "{ran:?}");
    let ran = folder.run(&[&args[..], &["--json"]].concat());
    assert_eq!((ran.code, &ran.json()["held"]), (Some(3), &false.into()));
}

#[test]
fn other_shapes_cannot_be_compared() {
    let folder = Folder::with_archive(&["--max-error", "1"]);
    folder.write("other.raw", [0; 1796 * 64]);
    folder.write("wide.raw", [0; 1797 * 64]);
    let compare = |name: &str, shape: &str| {
        let args = ["verify", "digits.npy.aez", "--against", name, "--dtype", "u8"];
        folder.fails(1, &[&args[..], &["--shape", shape]].concat())
    };
    assert!(compare("other.raw", "64").contains("1,796"));
    assert!(compare("wide.raw", "8,8").contains("[8, 8]"));
}
