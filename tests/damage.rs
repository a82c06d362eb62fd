//! Every flipped bit and every cut is noticed, without a panic and without much memory.

#![cfg(feature = "compress")]

mod counting;
mod oracle;

use aezip::{
    Codec, Config, DType, Error, Fidelity, Limits, Matrix, Reader, ReaderOptions, Rows, Schema,
    Source, Tile, compress,
};
use counting::{PEAK, USED};
use oracle::Random;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::Ordering;

/// One test at a time, so that memory is counted for one.
static TURN: Mutex<()> = Mutex::new(());

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.model_bytes = 16 << 20;
    limits.block_bytes = 8 << 20;
    limits.index_bytes = 1 << 20;
    limits
}

const MOST: usize = 64 << 20;

/// Opens and verifies; panics and memory beyond [`MOST`] fail the test.
fn open_and_verify(bytes: &[u8], what: &str) -> Result<(), Error> {
    let before = USED.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let options = ReaderOptions::new(limits(), 0);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        Reader::new_with(bytes, options).and_then(|reader| {
            let sound = reader.verify();
            let read = read_corner(&reader);
            assert!(sound.is_err() || read.is_ok(), "{what} is sound, and cannot be read");
            sound
        })
    }));
    let peak = PEAK.load(Ordering::Relaxed) - before;
    assert!(peak < MOST, "{what} takes {peak} bytes");
    outcome.unwrap_or_else(|_| panic!("{what} makes the reader panic"))
}

/// Reads the last few values of the array in each direction.
fn read_corner<S: Source>(reader: &Reader<S>) -> Result<(), Error> {
    let corner: Vec<_> = reader.shape().iter().map(|&n| n.saturating_sub(2)..n).collect();
    let values: usize = corner.iter().map(ExactSizeIterator::len).product();
    if values > 1 << 12 {
        return Ok(());
    }
    reader.read_region_bytes(&corner, &mut vec![0; values * reader.dtype().size()])
}

fn compressed(matrix: &Matrix, kind: &str, text: &str, level: u8) -> Vec<u8> {
    let mut config = Config::default();
    config.fidelity = Fidelity::parse(kind, text).unwrap();
    (config.level, config.threads) = (level, 1);
    let mut out = Vec::new();
    compress(matrix, &config, &mut out).unwrap();
    out
}

/// Rows that follow a few hidden numbers, so that there are latents.
fn mixed(rows: usize, width: usize) -> Matrix {
    let mut random = Random(3);
    let mut values = Vec::new();
    for _ in 0..rows {
        let (a, b) = (random.unit() as f32, random.unit() as f32);
        values.extend((0..width).map(|j| a * (j as f32).cos() + b * (j as f32 * 0.3).sin()));
    }
    Matrix::from_slice(&values, &[width]).unwrap()
}

/// A small file of every kind.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let mut random = Random(1);
    let mut floats: Vec<f32> = (0..200).map(|i| (i as f32 * 0.1).sin()).collect();
    (floats[17], floats[90]) = (f32::NAN, 1e30);
    let floats = Matrix::from_slice(&floats, &[4]).unwrap();
    let integers: Vec<i32> = (0..300).map(|i| i * 3 + (i * i) % 7).collect();
    let integers = Matrix::from_slice(&integers, &[3]).unwrap();
    let noise: Vec<u8> = (0..64).map(|_| random.bits() as u8).collect();
    let repeated = Matrix::from_slice(&noise.repeat(16), &[64]).unwrap();
    let names = Schema {
        columns: Some(["time", "x", "x", ""].map(String::from).to_vec()),
        name: "table.csv".into(),
        ..Schema::new(DType::F32, &[4])
    };
    let named = Matrix::new(names, floats.bytes().to_vec()).unwrap();
    let empty = Matrix::from_slice::<f32>(&[], &[4]).unwrap();
    let mut in_tiles = Config::default();
    in_tiles.fidelity = Fidelity::parse("max-error", "1").unwrap();
    (in_tiles.level, in_tiles.threads) = (1, 1);
    in_tiles.tile = Tile::Shape(vec![1, 4, 3]);
    let mut tiles = Vec::new();
    let field = Matrix::from_slice(&(0..330).collect::<Vec<i32>>(), &[11, 10]).unwrap();
    compress(&field, &in_tiles, &mut tiles).unwrap();
    let mut codec = Vec::new();
    let mut config = Config::default();
    (config.level, config.threads) = (1, 1);
    Codec::fit(&mixed(60, 8), &config).unwrap().write(&mut codec).unwrap();
    vec![
        ("bounded floats", compressed(&floats, "max-error", "0.01", 1)),
        ("integers", compressed(&integers, "lossless", "", 1)),
        ("exact rows", compressed(&repeated, "lossless", "", 1)),
        ("latents", compressed(&mixed(150, 12), "nmse", "0.01", 5)),
        ("row classes", compressed(&mixed(60, 8), "row-cosine", "0.99", 5)),
        ("codec", codec),
        ("no rows", compressed(&empty, "max-error", "0.01", 1)),
        ("names", compressed(&named, "max-error-columns", "*=0.1,time=0.001", 1)),
        ("tiles", tiles),
    ]
}

#[test]
fn files_of_every_kind_are_sound() {
    let _turn = TURN.lock();
    let files = files();
    for (name, bytes) in &files {
        open_and_verify(bytes, name).unwrap();
    }
    let latents = |i: usize| Reader::new(&files[i].1).unwrap().info().latents;
    assert!(latents(3) > 0, "the file for latents has none");
}

#[test]
fn every_flipped_bit_is_found() {
    let _turn = TURN.lock();
    for (name, bytes) in files() {
        let mut damaged = bytes.clone();
        for bit in 0..8 * bytes.len() {
            damaged[bit / 8] ^= 1 << (bit % 8);
            let what = format!("{name} with bit {bit} flipped");
            assert!(open_and_verify(&damaged, &what).is_err(), "{what} is accepted");
            damaged[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn every_cut_and_every_addition_is_found() {
    let _turn = TURN.lock();
    for (name, bytes) in files() {
        for keep in 0..bytes.len() {
            let what = format!("{name} cut after {keep} bytes");
            assert!(open_and_verify(&bytes[..keep], &what).is_err(), "{what} is accepted");
        }
        for more in [1, 36, 100] {
            let mut long = bytes.clone();
            long.resize(bytes.len() + more, 0);
            assert!(open_and_verify(&long, name).is_err(), "{name} with {more} more bytes");
        }
    }
}

/// Damage behind the checksums: the reader must cope with any bytes that have the right sums.
#[test]
fn damage_with_the_right_checksums_is_survived() {
    let _turn = TURN.lock();
    let mut random = Random(11);
    for (name, bytes) in files() {
        for round in 0..1500 {
            let mut damaged = bytes.clone();
            for _ in 0..1 + random.below(3) {
                let at = random.below(bytes.len());
                damaged[at] = if random.one_in(2) { random.bits() as u8 } else { 0xff };
            }
            repair(&mut damaged);
            // Either outcome is fine; panics and memory are not.
            let _ = open_and_verify(&damaged, &format!("{name}, round {round}"));
        }
    }
}

/// A file of 200 bytes that claims hundreds of megabytes.
#[test]
fn a_small_file_takes_little_memory() {
    let _turn = TURN.lock();
    let constant = Matrix::from_slice(&[3.25_f32; 1024], &[1024]).unwrap();
    let mut bytes = compressed(&constant, "max-error", "0.1", 1);
    assert!(bytes.len() < 300, "{}", bytes.len());
    let end = bytes.len();
    let index = u64::from_le_bytes(bytes[end - 36..end - 28].try_into().unwrap()) as usize;
    bytes[index + 16..index + 18].copy_from_slice(&u16::MAX.to_le_bytes());
    bytes[end - 28..end - 20].copy_from_slice(&65_536_u64.to_le_bytes());
    repair(&mut bytes);
    let before = USED.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let reader = Reader::new(&bytes).unwrap();
    reader.verify().unwrap();
    let mut piece = vec![0.0_f32; 1024 * 1024];
    for first in (0..65_536).step_by(1024) {
        reader.read_rows(first..first + 1024, &mut piece).unwrap();
        assert!(piece.iter().all(|x| (x - 3.25).abs() <= 0.1));
    }
    let peak = PEAK.load(Ordering::Relaxed) - before;
    assert!(peak < MOST, "{peak} bytes");
}

/// Makes every checksum right that can be found: header, sections, blocks by the index, footer.
fn repair(bytes: &mut [u8]) {
    let seal = |bytes: &mut [u8], from: usize, to: usize| {
        let crc = crc(&bytes[from..to]);
        bytes[to..to + 4].copy_from_slice(&crc.to_le_bytes());
    };
    let end = bytes.len();
    seal(bytes, 0, 16);
    let word = |bytes: &[u8], at: usize| {
        u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize
    };
    let mut at = 20;
    while at + 16 <= end - 36 {
        let length = word(bytes, at + 4);
        let Some(to) = at.checked_add(12).and_then(|a| a.checked_add(length)) else { return };
        if to + 4 > end {
            return;
        }
        seal(bytes, at, to);
        let last = &bytes[at..at + 4] == b"DATA";
        at = to + 4;
        if last {
            break;
        }
    }
    let index = word(bytes, end - 36);
    if index < at || index + 16 > end - 36 {
        return;
    }
    let entries: Vec<[u8; 6]> = bytes[index + 12..end - 40].as_chunks::<6>().0.to_vec();
    let mut row = 0_u64;
    for entry in entries {
        let length = u32::from_le_bytes(entry[..4].try_into().unwrap()) as usize;
        if length < 4 || at + length > index {
            break;
        }
        let body = [&row.to_le_bytes()[..], &bytes[at..at + length - 4]].concat();
        let sum = crc(&body).to_le_bytes();
        bytes[at + length - 4..at + length].copy_from_slice(&sum);
        row += u64::from(u16::from_le_bytes([entry[4], entry[5]])) + 1;
        at += length;
    }
    seal(bytes, index, end - 40);
    seal(bytes, end - 36, end - 4);
}

/// CRC-32 as in zip, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8)
            .fold(crc ^ u32::from(*byte), |c, _| (c >> 1) ^ (0xedb8_8320 & (c & 1).wrapping_neg()))
    })
}

#[test]
fn checksums_that_are_made_right_are_right() {
    let _turn = TURN.lock();
    for (name, bytes) in files() {
        let mut same = bytes.clone();
        repair(&mut same);
        let differs = bytes.iter().zip(&same).position(|(a, b)| a != b);
        assert_eq!(differs, None, "{name}, {} bytes", bytes.len());
        assert_eq!(Reader::new(&same).unwrap().len(), Reader::new(&bytes).unwrap().len());
    }
}

/// Rows that are not predicted from others, of a codec without residuals.
#[test]
fn a_row_takes_no_memory_once_its_thread_has_read_some() {
    const WIDTH: usize = 24;
    const ROWS: usize = 3000;
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut random = Random(3);
    let mut values = Vec::new();
    for _ in 0..ROWS {
        let strength: [f64; 3] = std::array::from_fn(|_| random.unit() - 0.5);
        let wave = |j: usize, k: usize| strength[k] * (0.3 * (j * (k + 1)) as f64).cos();
        values.extend((0..WIDTH).map(|j| (0..3).map(|k| wave(j, k)).sum::<f64>() as f32));
    }
    let rows = Matrix::from_slice(&values, &[WIDTH]).unwrap();
    let mut config = Config::default();
    config.fidelity = Fidelity::parse("nmse", "0.01").unwrap();
    (config.level, config.threads) = (1, 1);
    let mut file = Vec::new();
    compress(&rows, &config, &mut file).unwrap();
    for cache in [0, 1 << 20] {
        let options = ReaderOptions::new(Limits::default(), cache);
        let reader = Reader::new_with(&file[..], options).unwrap();
        let mut row = [0.0_f32; WIDTH];
        let mut read_all =
            || (0..ROWS).for_each(|i| reader.read_row(i * 7919 % ROWS, &mut row).unwrap());
        // What is asked for twice is kept.
        read_all();
        read_all();
        let used = USED.load(Ordering::Relaxed);
        PEAK.store(used, Ordering::Relaxed);
        read_all();
        assert_eq!(PEAK.load(Ordering::Relaxed), used, "with a cache of {cache} bytes");
    }
}
