//! Which values are missing, and rows in which a codec has filled them in.

use super::network;
use crate::apps::model::Model;
use crate::apps::values;
use crate::compress::Config;
use crate::error::{Error, Result};
use crate::matrix::{DType, Rows, Schema, check_range};
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Says which values of rows are missing: NaN, what equals a code, and what a mask names.
pub struct Missing<'a> {
    rows: &'a dyn Rows,
    codes: Codes,
    mask: Option<&'a dyn Rows>,
}

/// Numbers that stand for missing ones.
enum Codes {
    Floats(Vec<f64>),
    /// Whole numbers as they are stored, of so many bytes each: beyond 2^53 several are the same `f64`.
    Cells(Vec<u8>, usize),
}

impl Codes {
    /// Codes in the type of the rows. One that is the `f64` next to a type's largest number, as that of
    /// `u64` is, stands for that number.
    fn new(dtype: DType, codes: &[f64]) -> Self {
        let nearest = values::bytes(dtype, codes);
        let back = values::doubles(dtype, &nearest);
        if dtype.is_float() {
            return Self::Floats(back);
        }
        let size = dtype.size();
        let cells = nearest.chunks_exact(size).zip(codes.iter().zip(&back));
        let own = cells.filter(|(_, (code, x))| code == x).flat_map(|(cell, _)| cell);
        Self::Cells(own.copied().collect(), size)
    }

    fn missing(&self, dtype: DType, bytes: &[u8]) -> Vec<bool> {
        match self {
            Self::Floats(codes) => {
                let values = values::doubles(dtype, bytes);
                values.iter().map(|x| x.is_nan() || codes.contains(x)).collect()
            }
            Self::Cells(codes, size) => {
                let is_code = |cell| codes.chunks_exact(*size).any(|code| code == cell);
                bytes.chunks_exact(*size).map(is_code).collect()
            }
        }
    }
}

impl<'a> Missing<'a> {
    /// Takes NaN for missing, and what equals one of `codes`, such as -999, rounded to the type of the rows;
    /// and where there is a `mask`, what is not 0 in it. Infinities are values like others, unless a code
    /// names them.
    ///
    /// # Errors
    /// `Argument` if the mask has another shape than the rows.
    pub fn new(rows: &'a dyn Rows, codes: &[f64], mask: Option<&'a dyn Rows>) -> Result<Self> {
        let schema = rows.schema();
        if let Some(mask) = mask {
            let (own, given) = (schema.width(), mask.schema().width());
            if (rows.len(), own) != (mask.len(), given) {
                return Err(Error::argument(format!(
                    "the mask has {} rows of {given}, the input has {} of {own}",
                    mask.len(),
                    rows.len()
                )));
            }
        }
        Ok(Self { rows, codes: Codes::new(schema.dtype, codes), mask })
    }

    /// Says of each value of all rows whether it is missing: rows × columns, row-major.
    ///
    /// # Errors
    /// Whatever reading the rows fails with, `Io` for files.
    pub fn all(&self) -> Result<Vec<bool>> {
        let mut out = Vec::with_capacity(self.rows.len() * self.rows.schema().width());
        for part in self.parts() {
            out.extend(self.of(part.clone(), &self.bytes(part)?)?);
        }
        Ok(out)
    }

    fn parts(&self) -> impl Iterator<Item = Range<usize>> {
        values::parts(self.rows.len(), self.rows.schema().width())
    }

    fn bytes(&self, rows: Range<usize>) -> Result<Vec<u8>> {
        let mut bytes = vec![0; rows.len() * self.rows.schema().row_bytes()];
        self.rows.read(rows.start, &mut bytes)?;
        Ok(bytes)
    }

    /// Says the same of some rows, which are these bytes.
    fn of(&self, rows: Range<usize>, bytes: &[u8]) -> Result<Vec<bool>> {
        let mut missing = self.codes.missing(self.rows.schema().dtype, bytes);
        if let Some(mask) = self.mask {
            let mask = values::read(mask, rows)?;
            missing.iter_mut().zip(mask).for_each(|(m, x)| *m |= x != 0.0);
        }
        Ok(missing)
    }
}

/// Rows whose missing values a codec fills in when they are read, so that they are never all in memory.
pub struct Filling<'a> {
    missing: Missing<'a>,
    model: &'a Model,
    config: Config,
    /// The part of the rows that was filled last, and its number.
    last: Mutex<Option<(usize, Vec<u8>)>>,
    /// How many values are filled in.
    pub filled: usize,
    /// As in [`Imputed`](super::Imputed).
    pub empty_columns: Vec<usize>,
    /// As in [`Imputed`](super::Imputed).
    pub empty_rows: Vec<usize>,
}

impl<'a> Filling<'a> {
    /// Fills what is missing as [`impute`](super::impute) does with a codec. Of `config`, only threads and interrupt
    /// count.
    ///
    /// # Errors
    /// `Argument` if every value is missing, the codec is for other rows or has no encoder, or `config` is not valid;
    /// otherwise whatever reading the rows fails with. Reading fails with `Interrupted` once that is asked for.
    pub fn new(missing: Missing<'a>, model: &'a Model, config: &Config) -> Result<Self> {
        let schema = missing.rows.schema();
        config.validate()?;
        model.expect(schema)?;
        let width = schema.width();
        // Of each column, how many values are missing and whether any is known.
        let mut columns = vec![(0, false); width];
        let mut empty_rows = Vec::new();
        let mut is_any_there = missing.rows.is_empty();
        for part in missing.parts() {
            let bytes = missing.bytes(part.clone())?;
            let gaps = missing.of(part.clone(), &bytes)?;
            is_any_there |= gaps.contains(&false);
            let values = values::doubles(schema.dtype, &bytes);
            let rows = values.chunks_exact(width).zip(gaps.chunks_exact(width));
            for (i, (values, gaps)) in part.zip(rows) {
                let mut is_known = false;
                for ((x, gap), column) in values.iter().zip(gaps).zip(&mut columns) {
                    let known = !gap && x.is_finite();
                    *column = (column.0 + usize::from(*gap), column.1 | known);
                    is_known |= known;
                }
                if !is_known && gaps.contains(&true) {
                    empty_rows.push(i);
                }
            }
        }
        if !is_any_there {
            let what = "every value is missing, so there is nothing to learn from";
            return Err(Error::argument(what));
        }
        let filled = columns.iter().filter(|column| column.1).map(|column| column.0).sum();
        let is_empty = |j: &usize| columns[*j].0 > 0 && !columns[*j].1;
        let empty_columns = (0..width).filter(is_empty).collect();
        let (config, last) = (config.clone(), Mutex::new(None));
        Ok(Self { missing, model, config, last, filled, empty_columns, empty_rows })
    }

    /// The bytes of a part of the rows, filled.
    fn part(&self, rows: Range<usize>) -> Result<Vec<u8>> {
        let Schema { dtype, .. } = *self.schema();
        let width = self.schema().width();
        let mut bytes = self.missing.bytes(rows.clone())?;
        let missing = self.missing.of(rows, &bytes)?;
        let mut values = values::doubles(dtype, &bytes);
        let is_known = |(x, gap): (&f64, &bool)| !gap && x.is_finite();
        let gaps: Vec<bool> = values.iter().zip(&missing).map(|at| !is_known(at)).collect();
        self.config.on_threads(|| network::fill(self.model, &mut values, &gaps))??;
        let new = values::bytes(dtype, &values);
        let size = dtype.size();
        let cells = bytes.chunks_exact_mut(size).zip(new.chunks_exact(size)).enumerate();
        for (at, (cell, new)) in cells.filter(|(at, _)| missing[*at]) {
            // Only what is missing is new: another value may have lost bits on its way through `f64`.
            if self.empty_columns.binary_search(&(at % width)).is_err() {
                cell.copy_from_slice(new);
            }
        }
        Ok(bytes)
    }
}

impl Rows for Filling<'_> {
    fn schema(&self) -> &Schema {
        self.missing.rows.schema()
    }

    fn len(&self) -> usize {
        self.missing.rows.len()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        check_range(self, first, out.len())?;
        let row = self.schema().row_bytes();
        let wanted = first..first + out.len() / row;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // What is filled together settles together: parts are the same however rows are read.
        for (number, part) in self.missing.parts().enumerate() {
            let own = part.start.max(wanted.start)..part.end.min(wanted.end);
            if own.is_empty() {
                continue;
            }
            if last.as_ref().is_none_or(|(at, _)| *at != number) {
                // On a thread that has no other work: one of the caller's pool would take up another read while it
                // waits for the pool that fills, and never get the lock that it holds itself.
                let filled = thread::scope(|s| s.spawn(|| self.part(part.clone())).join());
                *last = Some((number, filled.unwrap_or_else(|panic| resume_unwind(panic))?));
            }
            if let Some((_, bytes)) = &*last {
                let from = &bytes[(own.start - part.start) * row..(own.end - part.start) * row];
                out[(own.start - first) * row..(own.end - first) * row].copy_from_slice(from);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::impute::{impute, missing_values};
    use crate::compress::{Codec, Patches};
    use crate::error::ErrorKind;
    use crate::matrix::Matrix;
    use rayon::prelude::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn rows_are_filled_piece_by_piece_as_at_once() {
        let wave = |at: i32| (0.3 * f64::from(at / 6)).sin() * f64::from(at % 6 + 1);
        let mut values: Vec<f64> = (0..3000).map(wave).collect();
        let whole = Matrix::from_slice(&values, &[6]).unwrap();
        let codec = Codec::fit(&whole, &Config::default()).unwrap();
        (0..3000).step_by(17).for_each(|at| values[at] = f64::NAN);
        values[100] = -999.0;
        values[600..606].fill(f64::NAN);
        let rows = Matrix::from_slice(&values, &[6]).unwrap();
        let missing = missing_values(&rows, &[-999.0]).unwrap();
        let all = impute(&rows, &missing, Some(&codec), &Config::default()).unwrap();
        let model = Model::new(&codec).unwrap();
        let own = Missing::new(&rows, &[-999.0], None).unwrap();
        let filling = Filling::new(own, &model, &Config::default()).unwrap();
        assert_eq!((filling.filled, &filling.empty_rows), (all.filled, &all.empty_rows));
        assert_eq!(Matrix::of(&filling).unwrap(), all.rows);
        let mut some = [0; 6 * 8 * 3];
        filling.read(99, &mut some).unwrap();
        assert_eq!(some, all.rows.bytes()[99 * 48..102 * 48]);
    }

    #[test]
    fn pools_of_any_size_may_read_and_be_interrupted() {
        let wave = |at: i32| (0.3 * f64::from(at / 6)).sin() * f64::from(at % 6 + 1);
        let mut values: Vec<f64> = (0..12_000).map(wave).collect();
        let whole = Matrix::from_slice(&values, &[6]).unwrap();
        let mut masked = Config::default();
        masked.train.hidden = Some(vec![8]);
        masked.train.epochs = Some(2);
        masked.train.mask = Some(Patches::new(1, 1, 0.3));
        (0..12_000).step_by(17).for_each(|at| values[at] = f64::NAN);
        let rows = Matrix::from_slice(&values, &[6]).unwrap();
        for config in [Config::default(), masked] {
            let codec = Codec::fit(&whole, &config).unwrap();
            let model = Model::new(&codec).unwrap();
            let missing = || Missing::new(&rows, &[], None).unwrap();
            let of = |threads| {
                let config = Config { threads, ..Config::default() };
                let filling = Filling::new(missing(), &model, &config).unwrap();
                let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
                let read = |row: usize| {
                    let mut bytes = [0; 48];
                    filling.read(row, &mut bytes).unwrap();
                    bytes
                };
                pool.install(|| (0..2000).into_par_iter().map(read).collect::<Vec<_>>())
            };
            assert_eq!(of(1), of(3));
            let interrupt = Some(Arc::new(AtomicBool::new(true)));
            let config = Config { interrupt, ..Config::default() };
            let filling = Filling::new(missing(), &model, &config).unwrap();
            let ended = [
                filling.read(0, &mut [0; 48]).unwrap_err(),
                impute(&rows, &missing().all().unwrap(), Some(&codec), &config).unwrap_err(),
            ];
            assert!(ended.iter().all(|e| e.kind() == ErrorKind::Interrupted), "{ended:?}");
        }
        let config = Config { threads: usize::MAX, ..Config::default() };
        let codec = Codec::fit(&whole, &Config::default()).unwrap();
        let model = Model::new(&codec).unwrap();
        let missing = Missing::new(&rows, &[], None).unwrap();
        assert!(Filling::new(missing, &model, &config).is_err());
    }

    #[test]
    fn a_mask_says_what_is_missing_too() {
        let rows = Matrix::from_slice(&[1_u8, 2, 3, 255], &[2]).unwrap();
        let mask = Matrix::from_slice(&[0_u8, 1, 0, 0], &[2]).unwrap();
        let missing = Missing::new(&rows, &[255.0], Some(&mask)).unwrap();
        assert_eq!(missing.all().unwrap(), [false, true, false, true]);
        let other = Matrix::from_slice(&[0_u8; 4], &[4]).unwrap();
        assert!(Missing::new(&rows, &[], Some(&other)).is_err());
    }
}
