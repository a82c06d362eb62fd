//! Arrays of integers in the model: a common shift, a predictor, and adaptive residuals.
//!
//! Neighbouring columns are often alike (bands of a spectrum, pixels, samples of a signal), so
//! what is stored is the difference from a prediction by the array's earlier values.

use super::intcoder::{self, IntDecoder, IntEncoder, IntModel};
use crate::error::{Error, Result};
use crate::kernels::wide::widest;

/// Predictors: none, left, twice left minus the one before, above, left + above − above-left.
pub(crate) const PREDICTORS: u8 = 5;

/// Predicts `values[i]` from those before it; `line` is the distance to the value above.
fn predict(kind: u8, values: &[i64], i: usize, line: usize) -> i64 {
    let back = |n: usize| if i >= n { values[i - n] } else { 0 };
    match kind {
        0 => 0,
        1 => back(1),
        2 if i >= 2 => back(1).wrapping_mul(2).wrapping_sub(back(2)),
        2 => back(1),
        3 if i >= line => back(line),
        3 => back(1),
        _ if i.is_multiple_of(line) => back(line),
        _ if i < line => back(1),
        _ => back(1).wrapping_add(back(line)).wrapping_sub(back(line + 1)),
    }
}

/// What codes an array: shared by arrays of one kind, so that they learn from each other.
#[derive(Debug, Clone)]
pub(crate) struct ArrayModel {
    head: IntModel,
    body: IntModel,
}

impl ArrayModel {
    pub(crate) fn new() -> Self {
        Self { head: IntModel::of_kinds(), body: IntModel::of_sizes() }
    }

    /// Writes `values`; `line` is the width of a line where they form an image, at least 1.
    pub(crate) fn encode(&mut self, coder: &mut IntEncoder, values: &[i64], line: usize) {
        let line = line.clamp(1, values.len().max(1));
        let shift = values.iter().fold(64, |s, v| v.trailing_zeros().min(s)).min(63);
        let shift = if values.iter().all(|&v| v == 0) { 0 } else { shift };
        let scaled: Vec<i64> = values.iter().map(|v| v >> shift).collect();
        let cost = |kind: u8| -> f64 {
            let mut bits = 0.0;
            for i in 0..scaled.len() {
                let r = scaled[i].wrapping_sub(predict(kind, &scaled, i, line));
                bits += (1.0 + r.unsigned_abs() as f64).log2();
            }
            bits
        };
        let costs: Vec<f64> = (0..PREDICTORS).map(cost).collect();
        let kind = (0..PREDICTORS)
            .min_by(|&a, &b| costs[usize::from(a)].total_cmp(&costs[usize::from(b)]))
            .unwrap_or(0);
        coder.int(&mut self.head, 0, i64::from(shift));
        let residual = |i: usize| scaled[i].wrapping_sub(predict(kind, &scaled, i, line));
        let (mut positive, mut negative) = (false, false);
        for r in (0..scaled.len()).map(residual) {
            (positive, negative) = (positive | (r > 0), negative | (r < 0));
        }
        let signed = negative || !positive;
        coder.int(&mut self.head, 1, i64::from(kind + if signed { 0 } else { PREDICTORS }));
        let (mut a, mut b) = (0, 0);
        for i in 0..scaled.len() {
            let context = intcoder::context(a, b);
            (a, b) = (coder.number(&mut self.body, context, residual(i), signed), a);
        }
    }

    /// Reads `count` values; the caller has checked that so many may be held.
    pub(crate) fn decode(
        &mut self,
        coder: &mut IntDecoder<'_>,
        count: usize,
        line: usize,
    ) -> Result<Vec<i64>> {
        let line = line.clamp(1, count.max(1));
        let shift = coder.int(&mut self.head, 0)?;
        let kind = coder.int(&mut self.head, 1)?;
        if !(0..64).contains(&shift) || !(0..2 * i64::from(PREDICTORS)).contains(&kind) {
            return Err(Error::corrupt(
                "an array of the model has an undefined shift or predictor",
            ));
        }
        let (signed, kind) = (kind < i64::from(PREDICTORS), kind as u8 % PREDICTORS);
        let mut values = vec![0; count];
        widest(|| self.residuals(coder, &mut values, signed))?;
        for i in 0..count {
            values[i] = predict(kind, &values, i, line).wrapping_add(values[i]);
        }
        values.iter_mut().for_each(|v| *v = v.wrapping_shl(shift as u32));
        Ok(values)
    }

    /// Reads as many residuals as `values` has room for.
    #[inline(always)]
    fn residuals(
        &mut self,
        coder: &mut IntDecoder<'_>,
        values: &mut [i64],
        signed: bool,
    ) -> Result<()> {
        // A copy stays in registers.
        let mut own = *coder;
        let (mut a, mut b) = (0, 0);
        for value in values {
            let symbol;
            (*value, symbol) = own.number(&mut self.body, intcoder::context(a, b), signed)?;
            (a, b) = (symbol, a);
        }
        *coder = own;
        Ok(())
    }
}
