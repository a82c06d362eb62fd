//! The textbooks' kinds of networks.

use crate::support::Folder;
use serde_json::Value;

/// Enough of a training to see what it does.
const SHORT: [&str; 6] = ["--hidden", "24", "--latent", "4", "--epochs", "3"];

#[test]
fn each_kind_is_learned_and_compresses() {
    let folder = Folder::new();
    for kind in [
        &["--loss", "mse"][..],
        &["--linear"],
        &["--sparse", "0.1"],
        &["--denoise", "gaussian:0.1", "--denoise", "zero:0.2"],
        &["--mask-patches", "8:0.5"],
        &["--contractive", "0.1", "--activation", "tanh"],
        &["--variational", "1"],
    ] {
        let short = if kind == ["--linear"] { &SHORT[2..] } else { &SHORT };
        let train = ["train", "digits.npy", "-1", "--json", "-fo", "c.aez"];
        let ran = folder.ok(&[&train, kind, short].concat());
        let report = ran.json();
        assert_eq!((&report["latents"], &report["training"]["epochs"]), (&4.into(), &3.into()));
        assert_eq!(report["training"]["kl"] == Value::Null, kind[0] != "--variational");
        assert!(ran.stderr.contains("trained 3 passes"), "{ran:?}");
        folder.ok(&["verify", "c.aez"]);
        let compress = ["compress", "digits.npy", "-1", "--codec", "c.aez", "--max-error", "2"];
        folder.ok(&[&compress[..], &["-f"]].concat());
        folder.ok(&["verify", "digits.npy.aez", "--against", "digits.npy"]);
    }
}

#[test]
fn a_transformer_fills_gaps_and_embeds_and_compresses_nothing() {
    let folder = Folder::new();
    let masked = ["--mask-patches", "8:0.5", "--transformer", "--depth", "1", "--token-dim", "12"];
    let train = ["train", "digits.npy", "-o", "c.aez", "--json", "--epochs", "2"];
    let ran = folder.ok(&[&train[..], &masked].concat());
    assert_eq!(ran.json()["training"]["epochs"], 2);
    folder.ok(&["verify", "c.aez"]);
    folder.ok(&["impute", "digits.npy", "--missing", "0", "--codec", "c.aez", "-o", "filled.npy"]);
    let told = folder.ok(&["embed", "digits.npy", "--codec", "c.aez", "-o", "z.npy", "--json"]);
    assert_eq!(told.json()["latents"], 12);
    folder.ok(&["export", "c.aez", "-o", "e.onnx"]);
    folder.ok(&["export", "c.aez", "--part", "restorer", "-o", "r.onnx"]);
    assert!(folder.read("r.onnx").len() > folder.read("e.onnx").len());
    folder.ok(&["export", "c.aez", "-o", "w.safetensors"]);
    let decoder = ["export", "c.aez", "--part", "decoder", "-o", "d.onnx"];
    assert!(folder.fails(1, &decoder).contains("transformer"));
    let compress = ["compress", "digits.npy", "--codec", "c.aez"];
    assert!(folder.fails(1, &compress).contains("transformer"));
    let itself = [&["compress", "digits.npy"], &masked[..]].concat();
    assert!(folder.fails(1, &itself).contains("transformer"));
}

#[test]
fn a_file_can_be_compressed_with_a_kind_of_its_own() {
    let folder = Folder::new();
    let args = ["compress", "digits.npy", "-1", "--json", "--sparse", "0.2", "--max-error", "2"];
    let report = folder.ok(&[&args[..], &SHORT].concat()).json();
    assert_eq!((&report["latents"], report["hidden"][0].as_u64()), (&4.into(), Some(24)));
    assert!(report["training"]["zeros"].as_f64().unwrap() > 0.0);
    folder.ok(&["verify", "digits.npy.aez", "--against", "digits.npy"]);
}

#[test]
fn the_history_is_a_line_for_each_pass() {
    let folder = Folder::new();
    let args = ["train", "digits.npy", "-1", "-o", "c.aez", "--variational", "1"];
    folder.ok(&[&args[..], &SHORT, &["--history", "h.csv"]].concat());
    let text = String::from_utf8(folder.read("h.csv")).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|l| l.split(',').collect()).collect();
    assert_eq!(lines.len(), 4, "{text}");
    let names = &lines[0];
    for line in &lines[1..] {
        let of = |name| line[names.iter().position(|n| *n == name).unwrap()];
        for name in ["epoch", "loss", "held_out", "kl", "elbo", "zeros"] {
            assert!(of(name).parse::<f64>().unwrap().is_finite(), "{name}: {text}");
        }
    }
    // It is not overwritten unasked, and nothing is trained before that is known.
    let again = ["train", "digits.npy", "-1", "-o", "d.aez", "--variational", "1"];
    let error = folder.fails(1, &[&again[..], &["--history", "h.csv"]].concat());
    assert!(error.contains("h.csv"), "{error}");
    folder.fails(2, &["train", "digits.npy", "-o", "d.aez", "--history", "i.csv"]);
    assert_eq!(folder.names(), ["c.aez", "digits.npy", "h.csv"]);
}

#[test]
fn what_makes_no_sense_is_said_before_any_work() {
    let folder = Folder::new();
    let train = ["train", "digits.npy", "-o", "c.aez"];
    for (code, args, hint) in [
        (2, &["--linear", "--hidden", "8"][..], "hidden"),
        (2, &["--sparse", "0.1", "--variational", "1"], "variational"),
        (2, &["--denoise", "salt:0.1"], "gaussian:S"),
        (2, &["--loss", "bits", "--linear"], "--loss bits"),
        (1, &["--mask-patches", "4x4:0.75"], "two dimensions"),
        (2, &["--transformer"], "--mask-patches"),
        (2, &["--mask-patches", "8:0.5", "--transformer", "--latent", "3"], "latents"),
        (2, &["--mask-patches", "8:0.5", "--transformer", "--heads", "3"], "divisor"),
    ] {
        let error = folder.fails(code, &[&train[..], args].concat());
        assert!(error.contains(hint), "{args:?}: {error}");
    }
    let args = ["compress", "digits.npy", "--codec", "c.aez", "--sparse", "1"];
    assert!(folder.fails(2, &args).contains("--sparse has no effect with --codec"));
    assert_eq!(folder.names(), ["digits.npy"]);
}
