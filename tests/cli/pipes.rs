//! Standard input and output, named pipes and devices.

use crate::support::{Folder, npy_data};

#[test]
fn everything_goes_through_pipes() {
    let folder = Folder::new();
    let original = folder.read("digits.npy");
    let there = folder.run_with(&["compress", "-", "-1", "--lossless"], &original);
    assert_eq!(there.code, Some(0), "{there:?}");
    assert!(there.stderr.contains("standard input: 1,797 rows"), "{}", there.stderr);
    let back = folder.run_with(&["decompress", "-"], &there.stdout);
    assert_eq!(back.code, Some(0), "{}", back.stderr);
    assert_eq!(npy_data(&back.stdout), npy_data(&original));

    let info = folder.run_with(&["info", "-", "--json"], &there.stdout);
    assert_eq!(info.json()["rows"], 1797);
    let verify = folder.run_with(&["verify", "-", "--against", "digits.npy"], &there.stdout);
    assert_eq!(verify.code, Some(0), "{verify:?}");
    let codec = folder.run_with(&["train", "-", "-1", "-o", "-"], &original);
    assert_eq!(codec.code, Some(0), "{}", codec.stderr);
    assert_eq!(folder.run_with(&["verify", "-"], &codec.stdout).code, Some(0));
    assert_eq!(folder.names(), ["digits.npy"]);

    folder.write("x.aez", &there.stdout);
    let error = folder.fails(1, &["decompress", "x.aez"]);
    assert!(error.contains("-o"), "the name of piped data is not known: {error}");
}

#[test]
fn a_pipe_and_a_file_give_the_same_rows() {
    let folder = Folder::with_archive(&["--max-error", "1"]);
    let piped = folder.ok(&["decompress", "digits.npy.aez", "-o", "-"]);
    folder.ok(&["decompress", "digits.npy.aez", "-o", "file.npy"]);
    assert_eq!(piped.stdout, folder.read("file.npy"));
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::FileTypeExt;
    use std::process::{Command, Stdio};

    #[test]
    fn a_reader_that_hangs_up_is_no_news() {
        let folder = Folder::with_archive(&["--lossless"]);
        let mut child = Command::new(env!("CARGO_BIN_EXE_aezip"))
            .args(["decompress", "-o", "-", "--format", "csv"])
            .arg(folder.path("digits.npy.aez"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    }

    #[test]
    fn help_into_a_closed_pipe_does_not_panic() {
        let mut child = Command::new(env!("CARGO_BIN_EXE_aezip"))
            .arg("--help")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let stderr = child.wait_with_output().unwrap().stderr;
        assert_eq!(String::from_utf8(stderr).unwrap(), "");
    }

    #[test]
    fn devices_stay_devices() {
        let folder = Folder::with_archive(&["--max-error", "1"]);
        folder.ok(&["compress", "digits.npy", "-1", "-o", "/dev/null"]);
        folder.ok(&["decompress", "digits.npy.aez", "-o", "/dev/null"]);
        assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        assert_eq!(folder.names(), ["digits.npy", "digits.npy.aez"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_device_is_an_error() {
        let folder = Folder::with_archive(&["--max-error", "1"]);
        let error = folder.fails(1, &["decompress", "digits.npy.aez", "-o", "/dev/full"]);
        assert!(error.contains("cannot write /dev/full"), "{error}");
    }

    #[test]
    fn named_pipes_work_both_ways() {
        let folder = Folder::new();
        for pipe in ["in", "out"] {
            let made = Command::new("mkfifo").arg(folder.path(pipe)).status().unwrap();
            assert!(made.success());
        }
        std::thread::scope(|scope| {
            scope.spawn(|| std::fs::write(folder.path("in"), folder.read("digits.npy")).unwrap());
            let reader = scope.spawn(|| std::fs::read(folder.path("out")).unwrap());
            folder.ok(&["compress", "in", "-1", "--lossless", "-o", "out"]);
            folder.write("x.aez", reader.join().unwrap());
        });
        folder.ok(&["verify", "x.aez", "--against", "digits.npy"]);
        assert_eq!(folder.names(), ["digits.npy", "in", "out", "x.aez"]);
    }
}
