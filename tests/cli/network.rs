//! Options about the network.

use crate::support::Folder;
use serde_json::json;
use std::process::Command;

/// Enough of a training to see what it does.
const SHORT: [&str; 6] = ["--hidden", "24,12", "--latent", "6", "--epochs", "3"];

#[test]
fn a_network_is_made_as_asked_for() {
    let folder = Folder::new();
    let args = [&["compress", "digits.npy", "-1", "--max-error", "2", "--json", "-v"], &SHORT[..]];
    let more = ["--batch", "64", "--lr", "0.01", "--activation", "relu"];
    let ran = folder.ok(&[&args.concat()[..], &more].concat());
    let report = ran.json();
    // The decoder is the encoder's mirror.
    assert_eq!(report["hidden"], json!([12, 24]));
    assert_eq!(report["latents"], 6);
    assert!(ran.stderr.contains("6 latents, hidden layers 12, 24, "), "{ran:?}");
    // No bar without a terminal.
    assert!(!ran.stderr.contains("training") && !ran.stderr.contains('\r'), "{ran:?}");

    let info = folder.ok(&["info", "digits.npy.aez", "--json"]).json();
    assert_eq!((&info["hidden"], &info["latents"]), (&json!([12, 24]), &json!(6)));
    let info = folder.ok(&["info", "digits.npy.aez"]);
    assert!(info.text().contains("hidden layers   12, 24\n"), "{info:?}");
    folder.ok(&["verify", "digits.npy.aez", "--against", "digits.npy"]);
}

#[test]
fn without_layers_the_codec_is_linear() {
    let folder = Folder::new();
    for (name, hidden) in [("a.aez", "none"), ("b.aez", "")] {
        let args = ["compress", "digits.npy", "-5", "--nmse", "0.1", "-o", name];
        let ran = folder.ok(&[&args[..], &["--json", "--hidden", hidden]].concat());
        assert_eq!(ran.json()["hidden"], json!([]));
        assert!(!folder.ok(&["info", name]).text().contains("hidden"));
    }
    assert!(folder.read("a.aez") == folder.read("b.aez"));
}

#[test]
fn a_quiet_training_says_nothing() {
    let folder = Folder::new();
    let ran = folder.ok(&[&["compress", "digits.npy", "-q", "-3"], &SHORT[..]].concat());
    assert!(ran.stderr.is_empty() && ran.stdout.is_empty(), "{ran:?}");
}

#[test]
fn a_time_ends_a_training_without_end() {
    let folder = Folder::new();
    let args = ["--hidden", "64", "--epochs", "1000000", "--time", "0.5", "--max-error", "2"];
    folder.ok(&[&["compress", "digits.npy", "-1"], &args[..]].concat());
    folder.ok(&["verify", "digits.npy.aez", "--against", "digits.npy"]);
}

#[test]
fn a_network_is_not_taken_where_it_is_nearly_as_small_as_none() {
    let folder = Folder::new();
    let args = ["compress", "digits.npy", "-2", "--nmse", "0.022", "-o"];
    folder.ok(&[&args[..], &["left.aez"]].concat());
    folder.ok(&[&args[..], &["linear.aez", "--hidden", "none"]].concat());
    let size = |name: &str| folder.read(name).len();
    assert!(size("left.aez") <= size("linear.aez"));
}

#[test]
fn a_network_that_could_not_be_made_is_not_passed_over_in_silence() {
    let folder = Folder::new();
    let rows: String = (0..40).map(|i| format!("{},{},{}\n", i, i * i, 7 * i % 5)).collect();
    folder.write("few.csv", rows);
    for command in [&["compress", "few.csv"][..], &["train", "few.csv", "-o", "few.codec"]] {
        let ran = folder.ok(&[command, &["--hidden", "8", "--max-error", "0.5"]].concat());
        assert!(ran.stderr.contains("although --hidden asks for a network"), "{ran:?}");
        let ran = folder.ok(&[command, &["-f", "--max-error", "0.5"]].concat());
        assert!(!ran.stderr.contains("although"), "{ran:?}");
    }
}

#[test]
fn every_kind_of_instructions_writes_the_same_file() {
    let folder = Folder::new();
    let files = ["", "scalar", "avx2", "avx512", "neon"].map(|isa| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aezip"));
        command.current_dir(folder.path("")).env("AEZIP_ISA", isa);
        let args = ["compress", "digits.npy", "-2", "-f", "-o", "own.aez"];
        assert!(command.args(args).args(SHORT).status().unwrap().success(), "{isa}");
        folder.read("own.aez")
    });
    assert!(files.iter().all(|file| *file == files[0]));
}

#[test]
fn codecs_take_the_options_too() {
    let folder = Folder::new();
    let args = ["train", "digits.npy", "-1", "--max-error", "2", "-o", "c.codec"];
    folder.ok(&[&args[..], &SHORT].concat());
    folder.ok(&["verify", "c.codec"]);
    folder.ok(&["compress", "digits.npy", "-1", "--codec", "c.codec", "--max-error", "2"]);
    folder.ok(&["verify", "digits.npy.aez", "--against", "digits.npy"]);
}

#[test]
fn help_has_a_heading_for_it() {
    let help = Folder::new().ok(&["compress", "--help"]);
    let (_, network) = help.text().split_once("Network:").unwrap();
    for option in ["--hidden", "--latent", "--epochs", "--batch", "--lr", "--activation", "--time"]
    {
        assert!(network.contains(option), "{option}");
    }
    assert!(network.contains("speed"));
}
