//! The class of each row: the one under which its symbols cost fewest bits.

use crate::codec::program::Program;
use crate::encode::Symbols;
use crate::entropy::table::Table;

/// How far costs are tabulated.
const REACH: i64 = 48;
const SPAN: usize = 2 * REACH as usize + 1;

/// Bits of numbers under tables, the frequent ones looked up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Costs {
    near: Vec<[f32; SPAN]>,
}

impl Costs {
    /// Costs under `tables`.
    pub(crate) fn new(tables: &[Table]) -> Self {
        let near = |t: &Table| std::array::from_fn(|i| t.cost(i as i64 - REACH));
        Self { near: tables.iter().map(near).collect() }
    }

    /// Bits of `number` under table `t` of `tables`.
    #[inline(always)]
    pub(crate) fn of(&self, tables: &[Table], t: usize, number: i64) -> f32 {
        match self.near[t].get(number.wrapping_add(REACH) as u64 as usize) {
            Some(&bits) => bits,
            None => tables[t].cost(number),
        }
    }

    /// Bits of row `i` in `class`, the class itself not counted.
    pub(crate) fn row(&self, p: &Program, symbols: &Symbols, i: usize, class: usize) -> f32 {
        let m = &p.record;
        let (latents, width, sets) = (m.latents(), m.width(), m.table_sets());
        let mut bits = 0.0;
        for k in 0..latents {
            let at = i * latents + k;
            let set = usize::from(sets == 2 && symbols.second[at]);
            let table = m.classes.latent_tables[(class * latents + k) * sets + set];
            let mean = m.classes.means[class * latents + k];
            bits += self.of(&p.tables, table, i64::from(symbols.latents[at]) - mean);
        }
        if symbols.residuals.is_empty() {
            return bits;
        }
        let row = &symbols.residuals[i * width..(i + 1) * width];
        if m.classes.quantum[class] < 0 {
            return if row.iter().all(|&r| r == 0) { bits } else { f32::INFINITY };
        }
        let tables = &m.classes.residual_tables[class * width..(class + 1) * width];
        let mut residual = 0.0;
        for (&r, &t) in row.iter().zip(tables) {
            residual += self.of(&p.tables, t, r);
        }
        bits + residual
    }

    /// Bits of `class` after `last`.
    pub(crate) fn transition(&self, p: &Program, last: usize, class: usize) -> f32 {
        if p.record.classes.count == 1 {
            return 0.0;
        }
        self.of(&p.tables, p.record.classes.next[last], class as i64)
    }

    /// The class of every row of a block, by the cheapest path.
    pub(crate) fn classify(&self, p: &Program, symbols: &Symbols) -> Vec<usize> {
        let count = p.record.classes.count;
        if !symbols.forced.is_empty() {
            return symbols.forced.clone();
        }
        if count == 1 {
            return vec![0; symbols.rows];
        }
        let own: Vec<f32> = (0..symbols.rows * count)
            .map(|at| self.row(p, symbols, at / count, at % count))
            .collect();
        let next: Vec<f32> =
            (0..count * count).map(|at| self.transition(p, at / count, at % count)).collect();
        path(&own, &next, count)
    }
}

/// The cheapest sequence (Viterbi): `own` is `rows × count`, `next` is `count × count`, and the
/// class before the first row is 0.
pub(crate) fn path(own: &[f32], next: &[f32], count: usize) -> Vec<usize> {
    let mut total = vec![f32::INFINITY; count];
    total[0] = 0.0;
    let mut back = Vec::with_capacity(own.len());
    for row in own.chunks_exact(count) {
        let least = total.iter().copied().fold(f32::INFINITY, f32::min);
        let mut new = vec![f32::INFINITY; count];
        for (class, new) in new.iter_mut().enumerate() {
            let from = |last: usize| total[last] - least + next[last * count + class];
            let best = (0..count).min_by(|&a, &b| from(a).total_cmp(&from(b))).unwrap_or(0);
            back.push(best);
            *new = from(best) + row[class];
        }
        total = new;
    }
    let mut class = (0..count).min_by(|&a, &b| total[a].total_cmp(&total[b])).unwrap_or(0);
    let mut classes = Vec::with_capacity(own.len() / count);
    for row in back.chunks_exact(count).rev() {
        classes.push(class);
        class = row[class];
    }
    classes.reverse();
    classes
}
