//! Rows behind those of a file: its promise holds for all, what was there stays, and whatever happens
//! meanwhile, the file is the old or the new one.

use aezip::{
    Config, Error, ErrorKind, Fidelity, Matrix, Reader, ReaderOptions, Rows, Schema, Tile, append,
    check_promise, compress,
};
use std::fs::{self, File};
use std::path::PathBuf;

/// A file that is gone when dropped.
struct Archive {
    folder: tempfile::TempDir,
}

impl Archive {
    fn new(bytes: &[u8]) -> Self {
        let archive = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(archive.path(), bytes).unwrap();
        archive
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("rows.aez")
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    fn append(&self, rows: &dyn Rows) -> aezip::Result<aezip::Appended> {
        append(self.path(), rows, &config("lossless", 1))
    }
}

fn config(promise: &str, level: u8) -> Config {
    let (kind, number) = promise.split_once(' ').unwrap_or((promise, ""));
    let mut config = Config::default();
    config.level = level;
    config.fidelity = Fidelity::parse(kind, number).unwrap();
    config
}

const WIDTH: usize = 12;

/// Rows of three latents and noise that do not come again.
fn values(from: usize, count: usize) -> Vec<f32> {
    let cell = |at: usize| {
        let (i, j) = ((at / WIDTH) as f32, (at % WIDTH) as f32);
        let noise =
            ((at as u64 + 7).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f32 / 16_777_216.0;
        5.0 * (i * 0.37).sin() * j + 3.0 * (i * 1.13).cos() * (j * 0.7).sin() + 0.3 * noise + 2.0
    };
    (from * WIDTH..(from + count) * WIDTH).map(cell).collect()
}

fn rows(from: usize, count: usize) -> Matrix {
    Matrix::from_slice(&values(from, count), &[WIDTH]).unwrap()
}

fn compressed(rows: &Matrix, config: &Config) -> Vec<u8> {
    let mut file = Vec::new();
    compress(rows, config, &mut file).unwrap();
    file
}

/// Appends twice to a file of the first of `all` rows and checks its promise for all of them.
fn appended_twice(all: &Matrix, parts: [usize; 3], config: &Config) -> Vec<u8> {
    let part = |first: usize, count: usize| {
        let row = all.schema().row_bytes();
        let bytes = all.bytes()[first * row..(first + count) * row].to_vec();
        Matrix::new(all.schema().clone(), bytes).unwrap()
    };
    let [a, b, c] = parts;
    let archive = Archive::new(&compressed(&part(0, a), config));
    for (first, count) in [(a, b), (a + b, c)] {
        let before = archive.bytes();
        let added = archive.append(&part(first, count)).unwrap();
        assert_eq!((added.rows_before, added.rows), (first as u64, count as u64));
        let after = archive.bytes();
        assert!(after.starts_with(&before), "{}: old bytes changed", config.fidelity);
        assert_eq!(added.bytes, after.len() as u64);
    }
    let file = archive.bytes();
    let reader = Reader::new(&file).unwrap();
    reader.verify().unwrap();
    let check = check_promise(all, &reader, &config.fidelity, file.len() as u64).unwrap();
    assert!(check.held, "{}: {}", config.fidelity, check.detail);
    assert_eq!(reader.info().appends, 2);
    file
}

#[test]
fn promises_hold_for_all_rows() {
    for promise in [
        "max-error 0.05",
        "max-error-rel 0.001",
        "max-error-pointwise-rel 0.01",
        "max-error-columns 3=0.1,*=0.01",
        "lossless",
        "nmse 0.01",
        "psnr 40",
        "cosine 0.999",
        "row-cosine 0.99",
        "row-l2 0.5",
        "ratio 2",
        "bytes-per-row 24",
    ] {
        appended_twice(&rows(0, 1800), [1200, 400, 200], &config(promise, 1));
    }
}

#[test]
fn a_network_encodes_rows_by_its_decoder_alone() {
    let mut config = config("max-error 0.2", 2);
    (config.train.hidden, config.train.epochs) = (Some(vec![16]), Some(3));
    let file = appended_twice(&rows(0, 1800), [1200, 400, 200], &config);
    assert_eq!(Reader::new(&file).unwrap().info().hidden, [16]);
    // Latents are found: exactly, rows take twice as much.
    assert!(file.len() < 1800 * WIDTH * 2, "{}", file.len());
}

#[test]
fn rows_unlike_those_that_were_learned_from_are_kept_all_the_same() {
    let odd: Vec<f32> = values(0, 300).iter().map(|x| x * x * 1e3 - 77.0).collect();
    for promise in
        ["max-error 0.05", "max-error-rel 0.001", "nmse 0.01", "cosine 0.999", "row-l2 0.5"]
    {
        let all = [values(0, 1200), odd.clone()].concat();
        let all = Matrix::from_slice(&all, &[WIDTH]).unwrap();
        appended_twice(&all, [1200, 200, 100], &config(promise, 1));
    }
}

#[test]
fn single_rows_add_up() {
    let all = rows(0, 320);
    let archive = Archive::new(&compressed(&rows(0, 200), &config("max-error 0.05", 1)));
    for i in 200..320 {
        archive.append(&rows(i, 1)).unwrap();
    }
    let file = archive.bytes();
    let reader = Reader::new(&file).unwrap();
    reader.verify().unwrap();
    assert!(check_promise(&all, &reader, &config("max-error 0.05", 1).fidelity, 0).unwrap().held);
    let mut row = [0.0_f32; WIDTH];
    for i in [0, 199, 200, 263, 319] {
        reader.read_row(i, &mut row).unwrap();
        assert!((row[3] - all.to_vec::<f32>().unwrap()[i * WIDTH + 3]).abs() <= 0.05);
    }
    let info = reader.info();
    assert_eq!((info.appends, info.rows), (120, 320));
    // Each index lists a few blocks: listing all in each would take 120 · 60 entries of 6 bytes alone.
    assert!(info.dead_bytes < 120 * (52 + 12 + 16 + 8 * 18), "{}", info.dead_bytes);
}

#[test]
fn a_file_whose_rows_did_not_all_come_to_the_disk_is_what_it_was() {
    let archive = Archive::new(&compressed(&rows(0, 300), &config("max-error 0.05", 1)));
    let before = archive.bytes();
    let reader = Reader::new(&before).unwrap();
    let mut before_rows = vec![0; reader.rows() * reader.schema().row_bytes()];
    reader.read_bytes(0, &mut before_rows).unwrap();
    archive.append(&rows(300, 100)).unwrap();
    let after = archive.bytes();
    let is_old = |bytes: &[u8]| {
        let reader = Reader::new(bytes).unwrap();
        let mut out = vec![0; before_rows.len()];
        reader.read_bytes(0, &mut out).unwrap();
        assert!(out == before_rows);
        // All that is there is not as it was written, though nothing is lost.
        assert_eq!(reader.verify().unwrap_err().kind(), ErrorKind::Corrupt);
        let info = reader.info();
        assert_eq!((info.rows, info.file_bytes), (300, before.len() as u64));
        assert_eq!(info.unfinished_bytes, (bytes.len() - before.len()) as u64);
    };
    for length in before.len() + 1..after.len() {
        is_old(&after[..length]);
        // What is not on the disk may be zeros, in a file that is as long as it was to be.
        if length <= after.len() - 36 {
            let mut holes = after[..length].to_vec();
            holes.resize(after.len(), 0);
            is_old(&holes);
        }
        let mut holes = after[..length].to_vec();
        holes[before.len()..before.len() + (length - before.len()) / 2].fill(0);
        is_old(&holes);
    }
    // The next rows take their place.
    for length in [before.len() + 1, (before.len() + after.len()) / 2, after.len() - 1] {
        fs::write(archive.path(), &after[..length]).unwrap();
        let added = archive.append(&rows(300, 100)).unwrap();
        assert_eq!(added.unfinished_bytes, (length - before.len()) as u64);
        assert!(archive.bytes() == after);
    }
}

#[test]
fn damage_is_noticed_and_may_show_the_file_as_it_was() {
    let archive = Archive::new(&compressed(&rows(0, 40), &config("max-error 0.05", 1)));
    let before = archive.bytes().len() as u64;
    archive.append(&rows(40, 30)).unwrap();
    archive.append(&rows(70, 10)).unwrap();
    let middle = archive.bytes();
    for at in 0..middle.len() {
        let mut bytes = middle.clone();
        bytes[at] ^= 1 << (at % 8);
        let Ok(reader) = Reader::new(&bytes) else { continue };
        assert!(reader.verify().is_err(), "byte {at}");
        // Only where the last end mark is damaged does it end elsewhere.
        let info = reader.info();
        if info.unfinished_bytes > 0 {
            assert!(info.file_bytes >= before, "byte {at}");
            assert!(at + 12 >= middle.len() && at + 4 < middle.len(), "byte {at}");
        }
    }
}

#[test]
fn arrays_in_tiles_grow_along_their_first_axis() {
    let field = |from: usize, count: usize| {
        let cell = |at: usize| {
            let (t, y, x) = (at / 60, at / 10 % 6, at % 10);
            (t as f64 * 0.2).sin() * 10.0 + (y * x) as f64 * 0.25 + (t * x % 7) as f64 * 0.1
        };
        let cells: Vec<f64> = (from * 60..(from + count) * 60).map(cell).collect();
        Matrix::from_slice(&cells, &[6, 10]).unwrap()
    };
    for tile in [vec![1, 6, 10], vec![4, 3, 5], vec![2, 6, 4]] {
        let mut config = config("max-error 0.01", 1);
        config.tile = Tile::Shape(tile.clone());
        appended_twice(&field(0, 640), [256, 256, 128], &config);
        // Behind tiles that are not whole, nothing can follow.
        let archive = Archive::new(&compressed(&field(0, 256), &config));
        let added = archive.append(&field(256, 3));
        if tile[0] == 4 {
            refused(added, "append more of them");
            continue;
        }
        assert_eq!(added.unwrap().rows, 3);
        let shape = Reader::open(archive.path()).unwrap().shape();
        assert_eq!(shape, [259, 6, 10]);
        let next = archive.append(&field(259, 32));
        if tile[0] > 1 {
            refused(next, "others can follow");
        } else {
            assert_eq!(next.unwrap().rows_before, 259);
        }
    }
}

fn refused<T: std::fmt::Debug>(result: aezip::Result<T>, says: &str) {
    let error = result.unwrap_err().to_string();
    assert!(error.contains(says), "{says:?} is not in {error:?}");
}

#[test]
fn what_cannot_follow_is_refused_and_the_file_stays() {
    let named = |names: [&str; 2]| {
        let schema = Schema {
            columns: Some(names.map(str::to_string).to_vec()),
            ..Schema::new(aezip::DType::F32, &[2])
        };
        Matrix::new(schema, vec![0; 80]).unwrap()
    };
    let of = |rows: &Matrix, promise: &str| compressed(rows, &config(promise, 1));
    let plain = of(&rows(0, 100), "max-error 0.05");
    let codec = {
        let mut out = Vec::new();
        aezip::Codec::fit(&rows(0, 100), &config("max-error 0.05", 1))
            .unwrap()
            .write(&mut out)
            .unwrap();
        out
    };
    let doubles = Matrix::from_slice(&[0.0_f64; WIDTH], &[WIDTH]).unwrap();
    let wide = Matrix::from_slice(&[0.0_f32; 26], &[13]).unwrap();
    let cases: [(&[u8], Matrix, &str); 7] = [
        (&plain, doubles, "holds f32 rows"),
        (&plain, wide, "shape [12]"),
        (&codec, rows(0, 10), "codec"),
        (&of(&rows(0, 100), "row-nmse 0.01"), rows(0, 10), "row-nmse"),
        (&of(&named(["a", "b"]), "lossless"), named(["b", "a"]), "\"a\""),
        (&of(&rows(0, 400), "bytes-per-row 24"), rows(400, 1), "would be broken"),
        (&plain[..plain.len() - 1], rows(0, 10), "cut off"),
    ];
    for (file, rows, says) in cases {
        let archive = Archive::new(file);
        refused(archive.append(&rows), says);
        assert!(archive.bytes() == file, "{says}");
    }
}

#[test]
fn a_file_has_one_writer_at_a_time_and_a_failure_leaves_nothing() {
    struct Broken(Matrix);
    impl Rows for Broken {
        fn schema(&self) -> &Schema {
            self.0.schema()
        }
        fn len(&self) -> usize {
            self.0.len()
        }
        fn read(&self, first: usize, out: &mut [u8]) -> aezip::Result<()> {
            if first + out.len() / 48 > 4000 {
                return Err(Error::io("cannot read rows", std::io::Error::other("unplugged")));
            }
            self.0.read(first, out)
        }
    }
    let archive = Archive::new(&compressed(&rows(0, 200), &config("lossless", 1)));
    let before = archive.bytes();
    let other = File::options().read(true).write(true).open(archive.path()).unwrap();
    other.lock().unwrap();
    refused(archive.append(&rows(0, 10)), "somebody else");
    drop(other);
    refused(archive.append(&Broken(rows(0, 5000))), "unplugged");
    assert!(archive.bytes() == before);
    assert_eq!(archive.append(&rows(0, 0)).unwrap().rows, 0);
    assert!(archive.bytes() == before);
    archive.append(&rows(200, 10)).unwrap();
}

#[test]
fn who_has_the_file_open_goes_on_reading_what_it_was() {
    let archive = Archive::new(&compressed(&rows(0, 200), &config("max-error 0.05", 1)));
    let reader = Reader::open_with(archive.path(), ReaderOptions::default()).unwrap();
    archive.append(&rows(200, 100)).unwrap();
    assert_eq!(reader.rows(), 200);
    let mut row = [0.0_f32; WIDTH];
    reader.read_row(199, &mut row).unwrap();
    reader.read_row(200, &mut row).unwrap_err();
    assert_eq!(Reader::open(archive.path()).unwrap().rows(), 300);
}

#[test]
fn a_file_without_rows_takes_some() {
    let archive = Archive::new(&compressed(&rows(0, 0), &config("lossless", 1)));
    archive.append(&rows(0, 50)).unwrap();
    archive.append(&rows(50, 5)).unwrap();
    let file = archive.bytes();
    let reader = Reader::new(&file).unwrap();
    reader.verify().unwrap();
    assert!(check_promise(&rows(0, 55), &reader, &Fidelity::Lossless, 0).unwrap().held);
    assert_eq!(reader.info().appends, 2);
}
