//! Rows that are not like the others: what is listed, and what is refused.

use crate::support::{Folder, npy_f32};
use crate::uses::{ok, own_units};

#[test]
fn anomalies_are_listed() {
    let folder = Folder::new();
    let ran = ok(&folder, &["anomalies", "digits.npy", "--contamination", "0.02", "--rounds", "1"]);
    let lines: Vec<&str> = ran.text().lines().collect();
    assert_eq!((lines.len(), lines[0]), (1798, "row,score,flagged,columns"));
    let flagged = lines.iter().filter(|l| l.split(',').nth(2) == Some("1")).count();
    assert_eq!(flagged, 36);
    let args =
        ["anomalies", "digits.npy", "--rounds", "0", "--json", "-o", "s.csv", "--per-column"];
    let json = ok(&folder, &args).json();
    assert!(json["threshold"].as_f64().unwrap() > 0.0 && json["flagged"].is_array());
    let csv = String::from_utf8(folder.read("s.csv")).unwrap();
    assert_eq!(csv.lines().nth(5).unwrap().split(',').count(), 4 + 64);
    folder.ok(&["train", "digits.npy", "-1", "--max-error", "1", "-o", "c.codec"]);
    let args = ["anomalies", "digits.npy", "--codec", "c.codec", "--score", "bits", "-1"];
    assert_eq!(folder.ok(&args).text().lines().count(), 1798);
    let refused = ["anomalies", "digits.npy", "--contamination", "0.7"];
    assert!(folder.fails(2, &refused).contains("0.7"));
    folder.fails(2, &["anomalies", "digits.npy", "--per-column", "--score", "bits"]);
    folder.fails(2, &["anomalies", "digits.npy", "--json", "-o", "-"]);
    let error = folder.fails(1, &["anomalies", "digits.npy", "--table", "yes", "--codec", "x"]);
    assert!(error.contains("x"), "{error}");
    // What goes wrong in a file is said of that file.
    folder.write("none.csv", "a,b\nnan,nan\nnan,nan\n");
    let error = folder.fails(1, &["impute", "none.csv", "-o", "i.csv"]);
    assert!(error.contains("none.csv: every value is missing"), "{error}");
    folder.write("alike.csv", "a,b,c\n".to_string() + &"1,2,3\n".repeat(70));
    let error = folder.fails(1, &["embed", "alike.csv", "--dim", "2", "-o", "e.npy"]);
    assert!(error.contains("alike.csv: no network"), "{error}");
}

#[test]
fn anomalies_are_told_by_other_rows_that_are_ordinary() {
    let folder = Folder::new();
    folder.write("monday.npy", npy_f32(&own_units(400, 0), 6));
    let mut tuesday = own_units(300, 0);
    tuesday[200 * 6..].iter_mut().for_each(|x| *x *= 5.0);
    folder.write("tuesday.npy", npy_f32(&tuesday, 6));
    let like = ["anomalies", "tuesday.npy", "--like", "monday.npy"];
    let with = |more: &[&'static str]| [&like[..], more].concat();
    let ran = folder.ok(&with(&["--per-column"]));
    assert!(ran.stderr.contains("nats"), "{ran:?}");
    let is_flagged = |line: &&str| line.split(',').nth(2) == Some("1");
    let text = ran.text();
    let flagged = |from: usize| text.lines().skip(1 + from).take(100).filter(is_flagged).count();
    assert!(flagged(200) >= 60 && flagged(0) <= 5, "{} {}", flagged(200), flagged(0));
    folder.write("five.npy", npy_f32(&[0.0; 25], 5));
    let error = folder.fails(1, &["anomalies", "tuesday.npy", "--like", "five.npy"]);
    assert!(error.contains("6 columns") && error.contains("5"), "{error}");
    for (more, said) in [
        (&["--score", "error"][..], "--like compares"),
        (&["--epochs", "3"], "--epochs has no effect with --like"),
        (&["--codec", "c.codec"], "leave out one of them"),
    ] {
        let error = folder.fails(2, &with(more));
        assert!(error.contains(said), "{more:?}: {error}");
    }
    let error = folder.fails(2, &["anomalies", "-", "--like", "-"]);
    assert!(error.contains("standard input"), "{error}");
    folder.write("ab.csv", "a,b\n1,2\n3,4\n");
    folder.write("ba.csv", "b,a\n1,2\n3,4\n");
    let error = folder.fails(1, &["anomalies", "ab.csv", "--like", "ba.csv"]);
    assert!(error.contains("\"a\"") && error.contains("\"b\""), "{error}");
    let error = folder.fails(1, &with(&["-o", "monday.npy", "-f"]));
    assert!(error.contains("monday.npy"), "{error}");
}

#[test]
fn anomalies_are_told_by_density_where_that_is_asked_for() {
    let folder = Folder::new();
    let density = ["anomalies", "digits.npy", "--score", "density"];
    let with = |more: &[&'static str]| [&density[..], more].concat();
    let ran = folder.ok(&with(&["--contamination", "auto", "--per-column"]));
    assert!(ran.stderr.contains("nats"), "{ran:?}");
    assert!(ran.text().lines().all(|line| line.split(',').count() == 4 + 64));
    let ran = folder.ok(&with(&["--contamination", "0.02"]));
    let flagged = ran.text().lines().filter(|l| l.split(',').nth(2) == Some("1")).count();
    assert_eq!(flagged, 36);
    ok(&folder, &["train", "digits.npy", "--latent", "8", "--max-error", "1", "-o", "c.codec"]);
    let ran = folder.ok(&with(&["--codec", "c.codec"]));
    assert!(ran.text().lines().count() == 1798 && ran.stderr.contains("nats"), "{ran:?}");
    for (more, said) in [
        (&["--contamination", "some"][..], "some"),
        (&["--epochs", "3"], "--epochs has no effect with --score density"),
        (&["--loss", "mse"], "--loss has no effect with --score density"),
        (&["--per-column", "--codec", "c.codec"], "--per-column"),
    ] {
        let error = folder.fails(2, &with(more));
        assert!(error.contains(said), "{more:?}: {error}");
    }
}
