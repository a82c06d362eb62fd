//! Nothing of the user's is lost, and nothing of ours is left behind.

use crate::support::Folder;

#[test]
fn an_existing_file_is_overwritten_on_demand_only() {
    let folder = Folder::new();
    folder.write("digits.npy.aez", "mine");
    let error = folder.fails(1, &["compress", "digits.npy"]);
    assert!(error.contains("digits.npy.aez") && error.contains("-f"), "{error}");
    assert_eq!(folder.read("digits.npy.aez"), b"mine");
    folder.ok(&["compress", "digits.npy", "-1", "-f"]);
    folder.ok(&["verify", "digits.npy.aez", "--against", "digits.npy"]);

    let original = folder.read("digits.npy");
    assert!(folder.fails(1, &["decompress", "digits.npy.aez"]).contains("-f"));
    assert_eq!(folder.read("digits.npy"), original);
    folder.ok(&["decompress", "digits.npy.aez", "-f"]);
    assert_eq!(folder.names(), ["digits.npy", "digits.npy.aez"]);
}

#[test]
fn the_input_is_never_the_output() {
    let folder = Folder::with_archive(&["--max-error", "1"]);
    let files = ["digits.npy", "digits.npy.aez"].map(|name| folder.read(name));
    for line in [
        "compress digits.npy -f -o digits.npy",
        "compress digits.npy -f -o ./digits.npy",
        "decompress digits.npy.aez -f --format npy -o digits.npy.aez",
        "train digits.npy -f -o digits.npy",
    ] {
        let error = folder.fails(1, &line.split(' ').collect::<Vec<_>>());
        assert!(error.contains("both input and output"), "{line}: {error}");
    }
    assert_eq!(["digits.npy", "digits.npy.aez"].map(|name| folder.read(name)), files);
}

#[test]
fn a_failure_keeps_the_old_file() {
    let folder = Folder::with_archive(&["--max-error", "1"]);
    let whole = folder.read("digits.npy.aez");
    folder.write("x.aez", &whole[..whole.len() - 1]);
    folder.write("out.npy", "mine");
    folder.fails(4, &["decompress", "x.aez", "-f", "-o", "out.npy"]);
    folder.write("bad.npy", "no numbers \0 at all");
    folder.fails(1, &["compress", "bad.npy", "-f", "-o", "out.npy"]);
    assert_eq!(folder.read("out.npy"), b"mine");
    assert_eq!(folder.names(), ["bad.npy", "digits.npy", "digits.npy.aez", "out.npy", "x.aez"]);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use crate::support::noise;
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    #[test]
    fn a_closed_standard_output_is_an_error_and_an_open_one_is_not() {
        let folder = Folder::with_archive(&["--max-error", "1"]);
        let run = |line: &str| {
            let program = env!("CARGO_BIN_EXE_aezip");
            let line = line.replace("aezip", &format!("'{program}'"));
            let mut shell = Command::new("sh");
            shell.current_dir(folder.path("")).args(["-c", &line]).output().unwrap()
        };
        for line in [
            "aezip compress digits.npy -1 -o -",
            "aezip compress - -1 < digits.npy",
            "aezip compress digits.npy -1 -o x.aez --json",
            "aezip decompress digits.npy.aez -o -",
            "aezip decompress digits.npy.aez -o /dev/stdout",
            "aezip train digits.npy -1 -o -",
            "aezip info digits.npy.aez",
            "aezip verify digits.npy.aez",
        ] {
            let ran = run(&format!("{line} >&-"));
            let error = String::from_utf8(ran.stderr).unwrap();
            assert_eq!(ran.status.code(), Some(1), "{line}: {error}");
            assert!(error.contains("standard output: it is closed"), "{line}: {error}");
            // Opened to read and write, as the runtime opens it where it was closed.
            for open in [">/dev/null", "1<>/dev/null", "<&- >/dev/null", "1<>/dev/null 2>&-"] {
                let line = line.replace("x.aez", "x.aez -f");
                let open = if line.contains('<') { open.replace("<&- ", "") } else { open.into() };
                let ran = run(&format!("{line} {open}"));
                assert_eq!(ran.status.code(), Some(0), "{line} {open}: {ran:?}");
            }
        }
        assert!(run("aezip decompress digits.npy.aez -o back.npy >&-").status.success());
    }

    #[test]
    fn a_full_disk_leaves_nothing_behind() {
        let folder = Folder::with_archive(&["--lossless"]);
        let limited = |line: &str| {
            // A limit on file sizes stands in for the full disk.
            let script = format!("trap '' XFSZ; ulimit -f 1; exec \"$0\" {line}");
            let program = env!("CARGO_BIN_EXE_aezip");
            let mut shell = Command::new("sh");
            let shell = shell.args(["-c", &script]).arg(program).current_dir(folder.path(""));
            let output = shell.output().unwrap();
            let error = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{error}");
            assert!(error.starts_with("aezip: cannot write "), "{error}");
        };
        limited("compress digits.npy -1 --lossless -o new.aez");
        limited("decompress digits.npy.aez -o new.npy");
        let old = folder.read("digits.npy.aez");
        limited("compress digits.npy -1 --lossless -f");
        assert_eq!(folder.read("digits.npy.aez"), old);
        assert_eq!(folder.names(), ["digits.npy", "digits.npy.aez"]);
    }

    /// A folder with numbers that take long to compress, and a file in the way of the result.
    fn folder_for_long_work() -> Folder {
        let folder = Folder::new();
        let bytes: Vec<u8> = noise(12 << 20).iter().flat_map(|x| x.to_le_bytes()).collect();
        folder.write("big.raw", bytes);
        folder.write("big.raw.aez", "mine");
        folder
    }

    /// Begins to compress in `folder`, with `ignored` signals, and waits for the temporary file.
    fn begin(folder: &Folder, ignored: &str) -> Child {
        let work = "exec \"$0\" compress -9 -f --dtype f32 --shape 128 big.raw";
        let trap = if ignored.is_empty() { String::new() } else { format!("trap '' {ignored}; ") };
        let mut child = Command::new("sh")
            .args(["-c", &format!("{trap}{work}"), env!("CARGO_BIN_EXE_aezip")])
            .current_dir(folder.path(""))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while !folder.names().iter().any(|name| name.starts_with(".aezip-")) {
            assert!(started.elapsed() < Duration::from_secs(60), "no temporary file");
            assert!(child.try_wait().unwrap().is_none(), "ended too early");
            std::thread::sleep(Duration::from_millis(5));
        }
        child
    }

    fn send(signal: &str, child: &Child) {
        let (option, id) = (format!("-{signal}"), child.id().to_string());
        assert!(Command::new("kill").args([option, id]).status().unwrap().success());
    }

    #[test]
    fn an_interrupt_leaves_nothing_behind() {
        if ignores_signals() {
            eprintln!("skipped: the signals are ignored here, and so by the program");
            return;
        }
        let folder = folder_for_long_work();
        // Under nohup the closed terminal is ignored, in the background of a script Ctrl-C.
        for (ignored, signal) in [("", "INT"), ("HUP", "TERM"), ("INT", "TERM"), ("TERM", "HUP")] {
            let mut child = begin(&folder, ignored);
            if !ignored.is_empty() {
                send(ignored, &child);
                std::thread::sleep(Duration::from_millis(50));
                assert!(child.try_wait().unwrap().is_none(), "{ignored} is not ignored");
            }
            send(signal, &child);
            assert_eq!(child.wait().unwrap().code(), Some(130), "{signal}");
            assert_eq!(folder.names(), ["big.raw", "big.raw.aez", "digits.npy"], "{signal}");
            assert_eq!(folder.read("big.raw.aez"), b"mine");
        }
    }

    #[test]
    fn what_a_killed_run_left_is_swept_up_by_the_next() {
        let folder = folder_for_long_work();
        let mut killed = begin(&folder, "");
        send("KILL", &killed);
        killed.wait().unwrap();
        let left: Vec<String> =
            folder.names().into_iter().filter(|name| name.starts_with(".aezip-")).collect();
        assert_eq!(left.len(), 1, "{left:?}");
        // A run beside it that goes on is not disturbed.
        let mut other = begin_anew(&folder, &left[0]);
        folder.ok(&["compress", "digits.npy", "-1"]);
        let names = folder.names();
        assert!(!names.contains(&left[0]), "{names:?}");
        assert_eq!(names.iter().filter(|name| name.starts_with(".aezip-")).count(), 1, "{names:?}");
        other.kill().unwrap();
        other.wait().unwrap();
    }

    /// Begins to compress in `folder` and waits until `left` has been swept up.
    fn begin_anew(folder: &Folder, left: &str) -> Child {
        let child = begin(folder, "");
        let started = Instant::now();
        while folder.names().iter().any(|name| name == left)
            || !folder.names().iter().any(|name| name.starts_with(".aezip-"))
        {
            assert!(started.elapsed() < Duration::from_secs(60), "{left} is still there");
            std::thread::sleep(Duration::from_millis(5));
        }
        child
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_comes_through_a_pipe_has_no_name() {
        let folder = Folder::with_archive(&["--lossless"]);
        std::fs::create_dir(folder.path("tmp")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_aezip"))
            .args(["verify", "-"])
            .env("TMPDIR", folder.path("tmp"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // More than a pipe holds: some of it has been copied.
        for part in folder.read("digits.npy.aez").chunks(1 << 14) {
            std::io::Write::write_all(&mut stdin, part).unwrap();
            let named = std::fs::read_dir(folder.path("tmp")).unwrap().count();
            assert_eq!(named, 0, "a temporary file that a signal would leave");
        }
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }

    #[test]
    fn an_archive_that_shrinks_while_it_is_read_is_an_error() {
        let folder = Folder::new();
        let bytes: Vec<u8> = noise(8 << 20).iter().flat_map(|x| x.to_le_bytes()).collect();
        folder.write("big.raw", bytes);
        folder.ok(&["compress", "-1", "--lossless", "--dtype", "f32", "--shape", "64", "big.raw"]);
        let mut child = Command::new(env!("CARGO_BIN_EXE_aezip"))
            .args(["decompress", "big.raw.aez", "-o", "-"])
            .current_dir(folder.path(""))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It has begun to write, and the pipe is full.
        let mut stdout = child.stdout.take().unwrap();
        std::io::Read::read_exact(&mut stdout, &mut [0; 100]).unwrap();
        let archive = std::fs::OpenOptions::new().write(true).open(folder.path("big.raw.aez"));
        archive.unwrap().set_len(1000).unwrap();
        std::io::copy(&mut stdout, &mut std::io::sink()).unwrap();
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(4), "{error}");
        assert!(error.contains("truncated") && error.lines().count() == 1, "{error}");
    }

    /// Whether SIGHUP, SIGINT or SIGTERM are ignored, which children inherit.
    fn ignores_signals() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = ignored.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0);
        [1, 2, 15].iter().any(|signal| mask >> (signal - 1) & 1 == 1)
    }
}
