//! Command lines that make no sense are refused before anything is done.

use crate::support::{Folder, noise, npy_f32};

#[test]
fn nonsense_is_wrong_usage() {
    let folder = Folder::new();
    for (line, hint) in [
        ("", "Usage"),
        ("squash digits.npy", "squash"),
        ("compress", "IN"),
        ("compress digits.npy other.npy", "other.npy"),
        ("compress digits.npy --nmse 0.1 --psnr 40", "--psnr"),
        ("compress digits.npy --lossless --cosine 0.9", "--cosine"),
        ("compress digits.npy --max-error -1", "must be 0 or more"),
        ("compress digits.npy --max-error=-1", "must be 0 or more"),
        ("compress digits.npy --max-error-rel -1e-3", "must be 0 or more"),
        ("compress digits.npy --max-error a=1,b=-1", "must be 0 or more"),
        ("compress digits.npy --max-error nan", "nan"),
        ("compress digits.npy --max-error a=1,a=2", "two bounds"),
        ("compress digits.npy --max-error *=1,*=2", "two bounds"),
        ("compress digits.npy --cosine 0.9999999999999999", "at most 0.9999999999999998"),
        ("compress digits.npy --lr 1e300", "of 1e300 is"),
        ("compress digits.npy --dtype f32 --shape 4;4", "as in 28,28"),
        ("compress digits.npy --cosine 1.5", "below 1"),
        ("compress digits.npy --nmse 0", "above 0"),
        ("compress digits.npy -0", "-0"),
        ("compress digits.npy --format raw", "--dtype"),
        ("compress digits.npy --dtype f32", "--shape"),
        ("compress digits.npy --format csv --dtype f32 --shape 3", "raw"),
        ("compress digits.npy --format parquet", "parquet"),
        ("compress digits.npy --json -o -", "--json"),
        ("compress - --json", "--json"),
        ("decompress x.aez --rows 5..2", "5"),
        ("decompress x.aez --rows -1", "-1"),
        ("decompress x.aez --rows a", "a"),
        ("verify - --against -", "standard input"),
        ("compress digits.npy --hidden 64,", "--hidden <UNITS>"),
        ("compress digits.npy --hidden 64,x", "\"x\" is no number of units"),
        ("compress digits.npy --hidden 0", "between 1 and 8192"),
        ("compress digits.npy --hidden 9000", "between 1 and 8192"),
        ("compress digits.npy --hidden 1,1,1,1,1,1,1,1,1", "more than 8"),
        ("compress digits.npy --hidden -1", "--hidden <UNITS>"),
        ("compress digits.npy --latent 0", "--latent <N>"),
        ("compress digits.npy --latent x", "whole number"),
        ("compress digits.npy --epochs -3", "--epochs <N>"),
        ("compress digits.npy --epochs 1000001", "1000000"),
        ("compress digits.npy --batch 0", "--batch <N>"),
        ("compress digits.npy --lr 0", "--lr <RATE>"),
        ("compress digits.npy --lr -0.1", "--lr <RATE>"),
        ("compress digits.npy --lr nan", "--lr <RATE>"),
        ("compress digits.npy --activation sine", "leaky-relu"),
        ("compress digits.npy --time 0", "--time <SECONDS>"),
        ("compress digits.npy --time -5", "--time <SECONDS>"),
        ("compress digits.npy --time inf", "--time <SECONDS>"),
        ("compress digits.npy --hidden none --epochs 3", "leave out one"),
        ("compress digits.npy --hidden= --latent 3", "leave out one"),
        ("compress digits.npy -1 --batch 64", "add --hidden"),
        ("compress digits.npy --codec c --hidden none", "aezip train"),
        ("compress digits.npy --codec c --epochs 5", "--epochs has no effect with --codec"),
        ("train digits.npy -o c --hidden none --lr 0.1", "leave out one"),
        ("train digits.npy -o c --hidden 64,,", "--hidden <UNITS>"),
        ("train digits.npy", "-o"),
        ("info", "FILE"),
    ] {
        let args: Vec<_> = line.split_whitespace().collect();
        let error = folder.fails(2, &args);
        assert!(error.contains(hint), "{line}: {error}");
        assert!(line.is_empty() || error.lines().count() == 1, "{line}: {error}");
    }
    assert_eq!(folder.names(), ["digits.npy"]);
}

#[test]
fn help_and_version_are_no_errors() {
    let folder = Folder::new();
    for command in ["compress", "decompress", "info", "verify", "train"] {
        let help = folder.ok(&[command, "--help"]);
        assert!(help.text().contains("Example") && help.stderr.is_empty(), "{command}");
    }
    assert!(folder.ok(&["--help"]).text().contains("Exit codes"));
    assert!(folder.ok(&["--version"]).text().contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn files_that_are_not_there_are_errors() {
    let folder = Folder::new();
    for line in [
        "compress none.npy",
        "decompress none.aez",
        "info none.aez",
        "verify none.aez",
        "train none.npy -o c",
        "compress digits.npy --codec none.codec",
        "compress digits.npy -o none/x.aez",
        "compress .",
        "info .",
    ] {
        folder.fails(1, &line.split(' ').collect::<Vec<_>>());
    }
    assert_eq!(folder.names(), ["digits.npy"]);
}

#[test]
fn every_promise_and_level_is_taken() {
    let folder = Folder::new();
    for promise in [
        "--max-error 2",
        "--max-error-rel 0.1",
        "--nmse 0.1",
        "--psnr 20",
        "--cosine 0.95",
        "--ratio 2",
        "--bytes-per-row 40",
        "--row-cosine 0.9",
        "--row-nmse 0.2",
        "--row-l2 12",
        "--max-error-pointwise-rel 0.01",
        "--lossless",
    ] {
        let options: Vec<_> = promise.split(' ').collect();
        folder.ok(&[&["compress", "digits.npy", "-1", "-q", "-f"], &options[..]].concat());
        let promised = &folder.ok(&["info", "digits.npy.aez", "--json"]).json()["promised"];
        assert_eq!(promised["kind"], options[0].trim_start_matches('-'));
        assert_eq!(promised["value"], options.get(1).copied().unwrap_or(""));
        folder.ok(&["verify", "digits.npy.aez", "--against", "digits.npy"]);
    }
    folder.ok(&["compress", "digits.npy", "-q", "-f", "-2", "--max-error", "1"]);
}

#[test]
fn embeddings_get_a_hint_with_the_default_promise_only() {
    let folder = Folder::new();
    let rows: Vec<_> = noise(200 * 16).iter().map(|x| 0.25 * (x - 0.5).signum()).collect();
    folder.write("unit.npy", npy_f32(&rows, 16));
    let hinted = |options: &[&str]| {
        let args = [&["compress", "unit.npy", "-1", "-f"], options].concat();
        folder.ok(&args).stderr.contains("--cosine")
    };
    assert!(hinted(&[]));
    assert!(!hinted(&["-q"]));
    assert!(!hinted(&["--max-error", "0.1"]));
    assert!(!folder.ok(&["compress", "digits.npy", "-1"]).stderr.contains("hint"));
}

#[test]
fn a_fill_value_that_occurs_nowhere_is_told_of() {
    let folder = Folder::new();
    let mut values = vec![1.25_f32; 200];
    (values[7], values[90]) = (9.97e36, -999.0);
    folder.write("f.npy", npy_f32(&values, 4));
    let fills = ["--fill-value", "9.97e36", "--fill-value", "-999", "--fill-value", "-9999"];
    let said = folder.ok(&[&["compress", "f.npy", "-1"], &fills[..]].concat()).stderr;
    assert!(said.contains("no number is the fill value -9999\n"), "{said}");
    let said = folder.ok(&[&["compress", "f.npy", "-1", "-f"], &fills[..4]].concat()).stderr;
    assert!(!said.contains("no number is"), "{said}");
}
