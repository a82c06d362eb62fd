//! Damaged and foreign files: an exit code, a line, and nothing left behind.

use crate::support::Folder;

#[test]
fn a_flipped_bit_is_found() {
    let folder = Folder::with_archive(&["--max-error", "1"]);
    let whole = folder.read("digits.npy.aez");
    for tenth in 1..10 {
        let mut bytes = whole.clone();
        bytes[whole.len() * tenth / 10] ^= 0x10;
        folder.write("x.aez", &bytes);
        let error = folder.fails(4, &["verify", "x.aez"]);
        assert!(error.contains("x.aez"), "{error}");
        let ran = folder.run(&["decompress", "x.aez", "-q", "-fo", "x.npy"]);
        assert!(ran.code == Some(4) || ran.code == Some(0), "{ran:?}");
        assert_eq!(folder.path("x.npy").exists(), ran.code == Some(0));
        let _ = std::fs::remove_file(folder.path("x.npy"));
        assert_eq!(folder.names(), ["digits.npy", "digits.npy.aez", "x.aez"]);
    }
}

#[test]
fn a_file_cut_short_is_corrupt() {
    let folder = Folder::with_archive(&["--max-error", "1"]);
    let whole = folder.read("digits.npy.aez");
    for keep in [0, 1, 40, whole.len() / 2, whole.len() - 1] {
        folder.write("x.aez", &whole[..keep]);
        folder.fails(4, &["verify", "x.aez"]);
        folder.fails(4, &["info", "x.aez"]);
        folder.fails(4, &["decompress", "x.aez", "-o", "x.npy"]);
        folder.fails(4, &["compress", "digits.npy", "-o", "y.aez", "--codec", "x.aez"]);
    }
    assert_eq!(folder.names(), ["digits.npy", "digits.npy.aez", "x.aez"]);
}

#[test]
fn a_damaged_input_is_an_error_but_no_corrupt_archive() {
    let folder = Folder::with_archive(&["--max-error", "1"]);
    let whole = folder.read("digits.npy");
    folder.write("short.npy", &whole[..whole.len() - 1]);
    folder.fails(1, &["compress", "short.npy"]);
    folder.fails(1, &["train", "short.npy", "-o", "c"]);
    folder.fails(1, &["verify", "digits.npy.aez", "--against", "short.npy"]);
    assert_eq!(folder.names(), ["digits.npy", "digits.npy.aez", "short.npy"]);
}

#[test]
fn other_files_are_no_archives() {
    let folder = Folder::new();
    for command in ["info", "verify", "decompress"] {
        let ran = folder.run(&[command, "digits.npy"]);
        assert!(matches!(ran.code, Some(1 | 4)), "{ran:?}");
        assert!(ran.stderr.starts_with("aezip: digits.npy: "), "{ran:?}");
    }
}
