//! Writes `fuzz/seeds`: small inputs to start from, the same in every run.

use aezip::input::{Format, sink::create_sink};
use aezip::{Codec, Config, Element, Fidelity, Matrix, Result, Rows, compress};
use std::fs;
use std::path::Path;

/// Test vectors with what takes long to learn, or is never written.
const VECTORS: [&str; 21] = [
    "codec-encoder",
    "codec-labels",
    "codec-masked",
    "codec-numbers",
    "codec-variational",
    "columns-beside-f32",
    "columns-corrected-f64",
    "neighbours-by-row-in-lines",
    "neighbours-by-row-latents",
    "neighbours-classes",
    "neighbours-in-images-before",
    "neighbours-latents-f32",
    "neighbours-median-aligned-atoms",
    "neighbours-residuals-weighed",
    "neighbours-weighed-by-group",
    "network-one-hidden",
    "network-relu",
    "section-optional",
    "tiles-another-view",
    "tiles-cube",
    "tiles-number",
];

/// Test vectors to which rows were appended: of these, no checksums are made right.
const APPENDED: [&str; 3] = ["appended-listed-anew", "appended-tiles", "appended-twice"];

/// Begins an input of the target `roundtrip`: a network, and many rows.
const NETWORK: [u8; 2] = [0, 64];

fn main() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let put = |target: &str, name: &str, bytes: &[u8]| -> Result<()> {
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        Ok(fs::write(folder.join(name), bytes)?)
    };
    for (name, file) in archives()? {
        assert!(
            aezip_fuzz::repair(&file).as_ref() == Some(&file),
            "{name} is sound and was changed"
        );
        put("open", &name, &file)?;
        put("open_repaired", &name, &file)?;
        put("rows", &name, &with_wishes(&file))?;
    }
    for name in APPENDED {
        let file = vector(name)?;
        put("open", name, &file)?;
        put("rows", name, &with_wishes(&file))?;
    }
    for (name, file) in inputs()? {
        put("inputs", name, &file)?;
    }
    for seed in 0..24 {
        put("roundtrip", &format!("random-{seed}"), &noise(seed, 500))?;
    }
    for seed in 24..32 {
        let mut bytes = noise(seed, 1500);
        bytes[..2].copy_from_slice(&NETWORK);
        put("roundtrip", &format!("network-{seed}"), &bytes)?;
    }
    Ok(())
}

/// Files that show each kind of value, table and block.
fn archives() -> Result<Vec<(String, Vec<u8>)>> {
    let wave = |i: usize| (i as f32 * 0.1).sin() * (i % 6) as f32;
    let f32s: Vec<f32> = (0..240 * 6).map(wave).collect();
    let mut special = f32s[..240].to_vec();
    (special[7], special[100], special[200]) = (f32::NAN, f32::INFINITY, 1e30);
    let f64s: Vec<f64> = f32s.iter().map(|&v| f64::from(v)).collect();
    let u8s: Vec<u8> = f32s.iter().map(|v| (v * 20.0 + 128.0) as u8).collect();
    let i64s: Vec<i64> = f32s.iter().map(|v| (v * 1e12) as i64).collect();
    let steps: Vec<u16> = (0..1440).map(|i| (i / 6) as u16 * 3).collect();
    let mut named = Matrix::from_slice(&f32s, &[6])?.schema().clone();
    named.columns = Some("a,b,c,d,e,f".split(',').map(String::from).collect());
    let named = Matrix::new(named, Matrix::from_slice(&f32s, &[6])?.bytes().to_vec())?;

    let mut out = vec![
        file("f32-bound", &f32s, 5, "max-error", "0.01")?,
        file("f32-loose", &f32s, 9, "max-error", "0.3")?,
        file("f32-lossless", &f32s, 1, "lossless", "")?,
        file("f32-special", &special, 1, "max-error", "0.01")?,
        file("f32-nmse", &f32s, 5, "nmse", "0.01")?,
        file("f32-cosine", &f32s, 9, "cosine", "0.95")?,
        file("f64-rows", &f64s, 3, "row-nmse", "0.05")?,
        file("u8-bound", &u8s, 5, "max-error", "2")?,
        file("i64-bound", &i64s, 5, "max-error", "1e9")?,
        file("u16-steps", &steps, 5, "lossless", "")?,
        file("u8-noise", &noise(9, 1440), 1, "lossless", "")?,
        file::<u8>("empty", &[], 1, "lossless", "")?,
    ];
    let mut names = Vec::new();
    compress(&named, &config(1, "max-error-columns", "a=0.5,f=0.1")?, &mut names)?;
    out.push(("f32-names".into(), names));
    let mut codec = Vec::new();
    Codec::fit(&named, &config(5, "max-error", "0.1")?)?.write(&mut codec)?;
    out.push(("codec".into(), codec));
    for name in VECTORS {
        out.push((name.to_string(), vector(name)?));
    }
    Ok(out)
}

/// An input of the target `rows`: which rows, and of what file.
fn with_wishes(file: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = (0..32_u8).map(|i| i.wrapping_mul(37).wrapping_add(5)).collect();
    out.extend(file);
    out
}

fn vector(name: &str) -> Result<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../format-spec/vectors/valid");
    Ok(fs::read(format!("{folder}/{name}.aez"))?)
}

fn file<T: Element>(
    name: &str,
    values: &[T],
    level: u8,
    kind: &str,
    number: &str,
) -> Result<(String, Vec<u8>)> {
    let mut out = Vec::new();
    compress(&Matrix::from_slice(values, &[6])?, &config(level, kind, number)?, &mut out)?;
    Ok((name.to_string(), out))
}

fn config(level: u8, kind: &str, number: &str) -> Result<Config> {
    let mut config = Config::default();
    config.fidelity = Fidelity::parse(kind, number)?;
    config.level = level;
    Ok(config)
}

/// Two bytes of choice and a file of each format, as the target `inputs` takes them.
fn inputs() -> Result<Vec<(&'static str, Vec<u8>)>> {
    let mut out = Vec::new();
    let f32s = Matrix::from_slice(&[1.5_f32, -2.0, 3.25, 0.0, 1e30, -0.5], &[3])?;
    let u8s = Matrix::from_slice(&[1_u8, 2, 3, 250, 251, 252], &[3])?;
    let i32s = Matrix::from_slice(&[1_i32, -2, 3, 4, 5, i32::MIN], &[3])?;
    let cases = [
        ("npy", Format::Npy, &f32s),
        ("csv", Format::Csv, &f32s),
        ("idx", Format::Idx, &u8s),
        ("fvecs", Format::Fvecs, &f32s),
        ("bvecs", Format::Bvecs, &u8s),
        ("ivecs", Format::Ivecs, &i32s),
        ("fbin", Format::Fbin, &f32s),
        ("npz", Format::Npz, &i32s),
        ("safetensors", Format::Safetensors, &u8s),
    ];
    for (name, format, rows) in cases {
        let mut file = Vec::new();
        let mut sink = create_sink(format, rows.schema(), 2, Box::new(&mut file))?;
        sink.write(rows.bytes())?;
        sink.finish()?;
        out.push((name, chosen(format, 0, &file)));
    }
    out.push(("raw", chosen(Format::Raw, 0b0110_0111, f32s.bytes())));
    let table = b"time;value;\"the name\"\n1;2,5;a\n2;NA;b\n";
    out.push(("csv-semicolon", chosen(Format::Csv, 0, table)));
    out.push(("csv-tabs", chosen(Format::Csv, 0, b"\xef\xbb\xbfx\ty\r\n1e3\t-2\r\n\t?\r\n")));
    out.push(("csv-tabs-missing", chosen(Format::Csv, 0, b"x\ty\r\n\t?\r\n3\t-\n\t?\r\n")));
    let mut fortran = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    let head = "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }";
    fortran.extend(format!("{head:<117}\n").bytes());
    fortran.extend(1..=12);
    out.push(("npy-fortran", chosen(Format::Npy, 0, &fortran)));
    let detect = |file: &[u8]| [&[DETECT, 0], file].concat();
    out.push(("detect", detect(&fortran)));
    out.push(("detect-gzip", detect(GZIP)));
    out.push(("detect-zstd", detect(ZSTD)));
    Ok(out)
}

/// A choice beyond all formats.
const DETECT: u8 = 15;
/// Two lines of numbers, packed.
const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x33\xd4\x31\xe2\x32\xd6\x31\xe1\x02\x00\x47\x93\x6c\xaf\x08\x00\x00\x00";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd\x20\x08\x41\x00\x00\x31\x2c\x32\x0a\x33\x2c\x34\x0a";

fn chosen(format: Format, kind: u8, file: &[u8]) -> Vec<u8> {
    let choice = Format::ALL.iter().position(|f| *f == format).expect("one of all") as u8;
    [&[choice, kind], file].concat()
}

fn noise(seed: u32, count: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..count).map(|_| next()).collect()
}
