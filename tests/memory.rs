//! Rows of any number take no more memory than is allowed.

#![cfg(feature = "apps")]

mod counting;

use aezip::apps::{self, AnomalyConfig, Filling, Missing, Model};
use aezip::{
    Codec, Config, DType, Error, ErrorKind, Fidelity, Loss, Matrix, Reader, Rows, Schema, compress,
};
use counting::{PEAK, USED};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

/// One test at a time, so that memory is counted for one.
static TURN: Mutex<()> = Mutex::new(());

/// The least that may be allowed: two thirds of what the rows are.
const MEMORY: u64 = 128 << 20;

/// Rows that are made when they are asked for: three waves in 48 columns, and noise; 192 MB in all.
struct Endless(Schema);

const ROWS: usize = 1_000_000;
const WIDTH: usize = 48;

impl Endless {
    fn new() -> Self {
        Self(Schema::new(DType::F32, &[WIDTH]))
    }
}

impl Rows for Endless {
    fn schema(&self) -> &Schema {
        &self.0
    }

    fn len(&self) -> usize {
        ROWS
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<(), Error> {
        for (i, row) in (first..).zip(out.chunks_exact_mut(4 * WIDTH)) {
            let mut state = i as u32;
            let strength: [f32; 3] = std::array::from_fn(|k| noise(&mut state) * (k + 1) as f32);
            for (j, cell) in row.chunks_exact_mut(4).enumerate() {
                let wave = |(k, s): (usize, &f32)| s * WAVES[k][j];
                let x: f32 = strength.iter().enumerate().map(wave).sum();
                cell.copy_from_slice(&(x + 0.05 * noise(&mut state)).to_le_bytes());
            }
        }
        Ok(())
    }
}

/// Three patterns of columns.
const WAVES: [[f32; WIDTH]; 3] = {
    let mut out = [[0.0; WIDTH]; 3];
    let mut j = 0;
    while j < WIDTH {
        out[0][j] = 1.0 - (j as f32) / 24.0;
        out[1][j] = (j % 8) as f32 / 4.0 - 1.0;
        out[2][j] = (j % 3) as f32 - 1.0;
        j += 1;
    }
    out
};

/// A number about 0 that looks random.
fn noise(state: &mut u32) -> f32 {
    let mut x = state.wrapping_mul(0x9e37_79b9).wrapping_add(0x85eb_ca6b);
    x ^= x >> 15;
    *state = x.wrapping_mul(0x2c1b_3c6d);
    ((x ^ (*state >> 12)) >> 8) as f32 / 16_777_216.0 - 0.5
}

fn config() -> Config {
    let mut config = Config::default();
    (config.level, config.memory, config.threads) = (1, MEMORY, 2);
    config
}

/// The most memory that `work` takes beyond what was in use.
fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = USED.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let out = work();
    (out, PEAK.load(Ordering::Relaxed) - before)
}

/// Reads rows piece by piece, as a writer does.
fn read_through(rows: &dyn Rows) {
    let mut bytes = vec![0; 4096 * rows.schema().row_bytes()];
    for first in (0..rows.len()).step_by(4096) {
        let count = 4096.min(rows.len() - first);
        rows.read(first, &mut bytes[..count * rows.schema().row_bytes()]).unwrap();
    }
}

fn codec() -> Codec {
    let mut some = vec![0; 4000 * 4 * WIDTH];
    Endless::new().read(0, &mut some).unwrap();
    let some = Matrix::new(Schema::new(DType::F32, &[WIDTH]), some).unwrap();
    let mut config = config();
    (config.train.loss, config.train.latents) = (Loss::SquaredError, Some(3));
    (config.train.hidden, config.train.epochs) = (Some(vec![16]), Some(2));
    Codec::fit(&some, &config).unwrap()
}

#[track_caller]
fn within(what: &str, bytes: usize) {
    println!("{what}: {} MB", bytes >> 20);
    assert!((bytes as u64) < MEMORY, "{what} takes {bytes} bytes");
}

#[test]
fn rows_are_compressed_within_the_memory_that_is_allowed() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for fidelity in
        [Fidelity::MaxError("0.1".parse().unwrap()), Fidelity::Nmse("0.01".parse().unwrap())]
    {
        let mut config = config();
        config.fidelity = fidelity.clone();
        let mut file = tempfile::tempfile().unwrap();
        let (report, taken) = peak(|| compress(&Endless::new(), &config, &mut file).unwrap());
        within(&format!("compressing to {fidelity}"), taken);
        assert_eq!(report.rows, ROWS as u64);
        let reader = Reader::from_file(file, Default::default()).unwrap();
        let check = || aezip::check_promise(&Endless::new(), &reader, &fidelity, report.bytes_out);
        let (check, taken) = peak(|| check().unwrap());
        within("checking it", taken);
        assert!(check.held, "{}", check.detail);
    }
}

#[test]
fn uses_of_rows_take_no_more_than_is_allowed() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let (rows, codec) = (Endless::new(), codec());
    let model = Model::new(&codec).unwrap();
    let ((), taken) = peak(|| {
        read_through(&model.embedding(&rows).unwrap());
        assert!(model.lost(&rows).unwrap().is_some());
    });
    within("embedding", taken);
    let ((), taken) = peak(|| read_through(&apps::denoised(&model, &rows).unwrap()));
    within("denoising by a codec", taken);
    let ((), taken) = peak(|| {
        let found = apps::learn_noise(&rows, None, &config()).unwrap();
        assert!(found.noise.is_some());
        read_through(&found);
    });
    within("denoising", taken);
    let ((), taken) = peak(|| {
        let missing = Missing::new(&rows, &[], None).unwrap();
        read_through(&Filling::new(missing, &model, &Config::default()).unwrap());
    });
    within("filling gaps", taken);
    let ((), taken) = peak(|| {
        let how = AnomalyConfig::default();
        let found = apps::judge_rows(&rows, Some(&codec), &config(), &how).unwrap();
        assert_eq!(found.scores.len(), ROWS);
    });
    within("judging", taken);
}

#[test]
fn what_needs_more_than_is_allowed_is_refused() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let rows = Matrix::from_slice(&vec![1.0_f32; 2_000_000], &[10]).unwrap();
    let mut missing = vec![false; 2_000_000];
    missing[17] = true;
    let error = apps::impute(&rows, &missing, None, &config()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    let mut few = config();
    few.memory = 64 << 20;
    assert_eq!(few.validate().unwrap_err().kind(), ErrorKind::Argument);
}
