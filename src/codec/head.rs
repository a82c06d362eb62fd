//! What comes first of a row in a stream: its class, its predictor and its latents.

use super::latents::LatentLines;
use super::program::Program;
use super::quantisers::{dequantise, second_quantiser};
use super::value::carry;
use crate::entropy::rans::RansDecoder;

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
    pub(super) fn read(
        self,
        p: &Program,
        coder: &mut RansDecoder<'_>,
        latents: &mut [i32],
    ) -> usize {
        let class = read_class(p, *self.class, coder);
        let count = p.record.classes.count;
        *self.stray |= class >= count;
        *self.class = class.min(count - 1);
        let predictor = read_predictor(p, self.stray, coder);
        match self.lines {
            Some(lines) => lines.predict(&p.record, self.predicted),
            None if !p.latents_recall => {}
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
fn read_predictor(p: &Program, stray: &mut bool, coder: &mut RansDecoder<'_>) -> usize {
    let predictors = p.neighbours.as_ref().and_then(|n| n.coefficients.by_row.as_ref());
    let Some((predictors, table)) = predictors.and_then(|all| Some((all, all.table()?))) else {
        return 0;
    };
    let named = usize::try_from(p.tables[table].decode(coder)).unwrap_or(usize::MAX);
    *stray |= named >= predictors.count();
    named.min(predictors.count() - 1)
}

/// Reads the class of the row after one of class `last`; it may be one that is not there.
fn read_class(p: &Program, last: usize, coder: &mut RansDecoder<'_>) -> usize {
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
fn read_latents(
    p: &Program,
    class: usize,
    coder: &mut RansDecoder<'_>,
    (latents, predicted): (&mut [i32], &[i64]),
) {
    let m = &p.record;
    let count = m.latents();
    let means = &m.classes.means[class * count..(class + 1) * count];
    let sets = m.table_sets();
    let tables = &m.classes.latent_tables[class * count * sets..(class + 1) * count * sets];
    let known = predicted.iter().zip(means).zip(&m.latent_clamp);
    // A copy stays in registers.
    let mut own = *coder;
    let put = |y: &mut i32, ((&predicted, &mean), &clamp): ((&i64, &i64), &i64), v: i64| {
        *y = predicted.wrapping_add(v.wrapping_add(mean)).clamp(-clamp, clamp) as i32;
    };
    match p.trellis() {
        None => {
            for ((y, known), &table) in latents.iter_mut().zip(known).zip(tables) {
                put(y, known, p.tables[table].decode(&mut own));
            }
        }
        Some(next) => {
            let (mut state, states) = (0_u8, m.trellis);
            let (pairs, _) = tables.as_chunks::<2>();
            for ((y, known), &[first, other]) in latents.iter_mut().zip(known).zip(pairs) {
                let second = second_quantiser(state, states);
                let s = p.tables[first].decode_either(&p.tables[other], second, &mut own);
                state = next[usize::from(state)][(s & 1) as usize];
                put(y, known, dequantise(s, second));
            }
        }
    }
    *coder = own;
}
