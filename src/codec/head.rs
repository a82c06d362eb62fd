//! What comes first of a row in a stream: its class, its predictor and its latents.

use super::latents::LatentLines;
use super::program::{Program, dequantise, second_quantiser};
use super::value::carry;
use crate::entropy::rans::Coder;

/// What is kept of the heads of rows from one to the next, but for the latents.
pub(super) struct Head<'a> {
    pub(super) class: &'a mut usize,
    pub(super) stray: &'a mut bool,
    pub(super) lines: &'a mut Option<LatentLines>,
    /// Room for what is predicted of latents.
    pub(super) predicted: &'a mut [i64],
}

impl Head<'_> {
    /// Reads the class and the latents of the next row, and returns which of the model's predictors it has.
    pub(super) fn read<C: Coder>(self, p: &Program, coder: &mut C, latents: &mut [i32]) -> usize {
        let class = read_class(p, *self.class, coder);
        let count = p.record.classes.count;
        *self.stray |= class >= count;
        *self.class = class.min(count - 1);
        let predictor = read_predictor(p, self.stray, coder);
        match self.lines {
            Some(lines) => lines.predict(&p.record, self.predicted),
            None => {
                let rows = self.predicted.iter_mut().zip(&p.record.latent_temporal).zip(&*latents);
                rows.for_each(|((out, &a), &y)| *out = carry(a, i64::from(y)));
            }
        }
        read_latents(p, *self.class, coder, (latents, self.predicted));
        if let Some(lines) = self.lines {
            lines.push(latents);
        }
        predictor
    }
}

/// Reads which of the model's predictors a row has.
fn read_predictor<C: Coder>(p: &Program, stray: &mut bool, coder: &mut C) -> usize {
    let predictors = p.neighbours.as_ref().and_then(|n| n.coefficients.by_row.as_ref());
    let Some((predictors, table)) = predictors.and_then(|all| Some((all, all.table()?))) else {
        return 0;
    };
    let named = usize::try_from(p.tables[table].decode(coder)).unwrap_or(usize::MAX);
    *stray |= named >= predictors.count();
    named.min(predictors.count() - 1)
}

/// Reads the class of the row after one of class `last`; it may be one that is not there.
fn read_class<C: Coder>(p: &Program, last: usize, coder: &mut C) -> usize {
    let classes = &p.record.classes;
    match classes.count > 1 {
        true => {
            let table = &p.tables[classes.next[last]];
            usize::try_from(table.decode(coder)).unwrap_or(usize::MAX)
        }
        false => last,
    }
}

/// Reads the latents of a row, of which this much is `predicted`.
fn read_latents<C: Coder>(
    p: &Program,
    class: usize,
    coder: &mut C,
    (latents, predicted): (&mut [i32], &[i64]),
) {
    let m = &p.record;
    let count = m.latents();
    let means = &m.classes.means[class * count..];
    let sets = m.table_sets();
    let tables = &m.classes.latent_tables[class * count * sets..];
    let trellis = p.trellis();
    let mut state = 0_u8;
    for (k, y) in latents.iter_mut().enumerate() {
        let second = trellis.is_some() && second_quantiser(state, m.trellis);
        let table = &p.tables[tables[k * sets + usize::from(second)]];
        let s = table.decode(coder);
        let v = match trellis {
            None => s,
            Some(next) => {
                state = next[usize::from(state)][(s & 1) as usize];
                dequantise(s, second)
            }
        };
        let clamp = m.latent_clamp[k];
        let v = predicted[k].wrapping_add(v.wrapping_add(means[k]));
        *y = v.clamp(-clamp, clamp) as i32;
    }
}
