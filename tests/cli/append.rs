//! Rows added to a file: by the program, and by one that is killed meanwhile.

use crate::support::{Folder, npy_data, npy_f32};
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const WIDTH: usize = 32;

/// A table of smooth rows and some noise, as a file of type `.npy`.
fn table(from: usize, rows: usize) -> Vec<u8> {
    let cell = |at: usize| {
        let (i, j) = ((at / WIDTH) as f32, (at % WIDTH) as f32);
        let noise = ((at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f32;
        (i * 0.01).sin() * j + (i * 0.03 + j).cos() + noise / 3e7
    };
    npy_f32(&(from * WIDTH..(from + rows) * WIDTH).map(cell).collect::<Vec<_>>(), WIDTH)
}

/// A folder with `old.npy`, `more.npy`, `all.npy` and `rows.aez`, made of the first.
fn folder(old: usize, more: usize) -> Folder {
    let folder = Folder::new();
    folder.write("old.npy", table(0, old));
    folder.write("more.npy", table(old, more));
    folder.write("all.npy", table(0, old + more));
    folder.ok(&["compress", "old.npy", "-1", "-q", "--max-error", "0.01", "-o", "rows.aez"]);
    folder
}

#[test]
fn rows_are_added_and_the_promise_holds() {
    let folder = folder(3000, 500);
    let before = folder.read("rows.aez");
    let said = folder.ok(&["append", "rows.aez", "more.npy"]).stderr;
    assert!(said.contains("500 rows added to 3,000"), "{said}");
    assert!(folder.read("rows.aez").starts_with(&before));
    let verdict = folder.ok(&["verify", "rows.aez", "--against", "all.npy"]);
    assert!(verdict.text().contains("promise held"), "{verdict:?}");
    let info = folder.ok(&["info", "rows.aez", "--json"]).json();
    assert_eq!((&info["rows"], &info["appends"]), (&3500.into(), &1.into()));
    assert!(folder.ok(&["info", "rows.aez"]).text().contains("appended"));
    let added = folder.ok(&["append", "rows.aez", "old.npy", "--json", "-q"]).json();
    assert_eq!((&added["rows_before"], &added["rows_added"]), (&3500.into(), &3000.into()));
    folder.ok(&["decompress", "rows.aez", "-q", "-o", "back.npy"]);
    assert_eq!(npy_data(&folder.read("back.npy")).len(), 6500 * WIDTH * 4);
}

#[test]
fn a_table_of_text_takes_lines_of_the_same_columns() {
    let folder = Folder::new();
    let lines = |from: usize, count: usize, digits: usize| -> String {
        let line = |i: usize| {
            let x = (i as f64 * 0.1).sin();
            format!("{i},{x:.digits$},{:.1}\n", x * 20.0)
        };
        format!("time,level,heat\n{}", (from..from + count).map(line).collect::<String>())
    };
    folder.write("old.csv", lines(0, 400, 2));
    folder.write("more.csv", lines(400, 50, 2));
    folder.ok(&["compress", "old.csv", "-1", "-q", "--lossless", "-o", "t.aez"]);
    folder.ok(&["append", "t.aez", "more.csv", "-q"]);
    folder.ok(&["decompress", "t.aez", "-q", "-o", "back.csv"]);
    let all = format!("{}{}", lines(0, 400, 2), lines(400, 50, 2).split_once('\n').unwrap().1);
    assert_eq!(String::from_utf8(folder.read("back.csv")).unwrap(), all);
    // Whoever prints the file would round these.
    folder.write("fine.csv", lines(0, 9, 7));
    assert!(folder.fails(1, &["append", "t.aez", "fine.csv"]).contains("decimals"));
    folder.write("other.csv", "time,heat,level\n1,2,3\n");
    assert!(folder.fails(1, &["append", "t.aez", "other.csv"]).contains("same order"));
}

#[test]
fn a_file_that_is_cut_behind_its_end_says_so_and_takes_rows() {
    let folder = folder(1000, 200);
    let whole = folder.read("rows.aez");
    folder.ok(&["append", "rows.aez", "more.npy", "-q"]);
    let after = folder.read("rows.aez");
    folder.write("rows.aez", &after[..(whole.len() + after.len()) / 2]);
    let ran = folder.run(&["verify", "rows.aez", "--against", "old.npy"]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("not appended completely"), "{ran:?}");
    let info = folder.ok(&["info", "rows.aez", "--json"]).json();
    assert_eq!((&info["rows"], &info["file_bytes"]), (&1000.into(), &whole.len().into()));
    let ran = folder.ok(&["append", "rows.aez", "more.npy"]);
    assert!(ran.stderr.contains("were written over"), "{ran:?}");
    assert!(folder.read("rows.aez") == after);
    folder.fails(4, &["append", "more.npy", "old.npy"]);
    folder.fails(1, &["append", "nothing.aez", "old.npy"]);
}

/// Times that a run is killed.
const KILLS: u32 = 10;

/// Runs the program in `folder` and kills it after `wait`; says whether it had ended by then.
fn killed(folder: &Folder, args: &[&str], wait: Duration) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_aezip"))
        .current_dir(folder.path(""))
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while started.elapsed() < wait && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_micros(200));
    }
    let ended = child.try_wait().unwrap().is_some();
    let _ = child.kill();
    child.wait().unwrap();
    ended
}

/// How long the program takes when nobody kills it.
fn time(folder: &Folder, args: &[&str]) -> Duration {
    let started = Instant::now();
    folder.ok(args);
    started.elapsed()
}

#[test]
fn who_is_killed_while_appending_leaves_the_old_file_or_the_new_one() {
    let folder = folder(4000, 1500);
    let old = folder.read("rows.aez");
    let append = ["append", "rows.aez", "more.npy", "-q"];
    let whole = time(&folder, &append);
    let new = folder.read("rows.aez");
    let (mut olds, mut news) = (0, 0);
    for i in 0..KILLS {
        folder.write("rows.aez", &old);
        killed(&folder, &append, whole * i / (KILLS - 1));
        let left = folder.read("rows.aez");
        assert!(left.starts_with(&old), "old bytes were lost");
        let is_new = left == new;
        let original = if is_new { "all.npy" } else { "old.npy" };
        let is_whole = is_new || left == old;
        match is_whole {
            true => drop(folder.ok(&["verify", "rows.aez", "--against", original])),
            // Nothing is lost, and what is left over is told of.
            false => assert_eq!(folder.run(&["verify", "rows.aez"]).code, Some(4)),
        }
        folder.ok(&["decompress", "rows.aez", "-f", "-q", "-o", "back.npy"]);
        let rows = folder.ok(&["info", "rows.aez", "--json"]).json()["rows"].clone();
        assert_eq!(rows, if is_new { 5500 } else { 4000 });
        if is_new {
            news += 1
        } else {
            olds += 1
        }
        // Whatever was left, the rows can be added now.
        if !is_new {
            folder.ok(&append);
            assert!(folder.read("rows.aez") == new);
        }
    }
    println!("killed while appending: {olds} old, {news} new");
    assert_eq!(olds + news, KILLS);
}

#[test]
fn who_is_killed_while_compressing_leaves_the_old_file_or_the_new_one() {
    let folder = folder(3000, 3000);
    let old = folder.read("rows.aez");
    let compress =
        ["compress", "all.npy", "-1", "-f", "-q", "--max-error", "0.01", "-o", "rows.aez"];
    let whole = time(&folder, &compress);
    let new = folder.read("rows.aez");
    for i in 0..KILLS {
        folder.write("rows.aez", &old);
        killed(&folder, &compress, whole * i / (KILLS - 1));
        let left = fs::read(folder.path("rows.aez")).unwrap();
        assert!(left == old || left == new, "neither the old file nor the new one");
    }
}
