//! What symbols cost under tables, and the class of each row: the one in which the row, and the
//! change to its class from the row before, take the fewest bits.

use crate::codec::neighbourhood::Neighbourhood;
use crate::codec::program::Program;
use crate::encode::symbols::Symbols;
use crate::entropy::table::Table;

/// Numbers up to this magnitude have their bits looked up. Nearly all residuals at useful bounds are
/// within it; more would only take cache. It changes no file.
const REACH: i64 = 48;
const SPAN: usize = 2 * REACH as usize + 1;

/// Bits of numbers under a program's tables, those of small numbers looked up.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableCosts {
    near: Vec<[f32; SPAN]>,
}

impl TableCosts {
    /// Tabulates what `tables` cost.
    pub(crate) fn new(tables: &[Table]) -> Self {
        let near = |t: &Table| std::array::from_fn(|i| t.cost(i as i64 - REACH));
        Self { near: tables.iter().map(near).collect() }
    }

    /// Returns the bits of `number` under table `t` of `tables`.
    #[inline(always)]
    pub(crate) fn of(&self, tables: &[Table], t: usize, number: i64) -> f32 {
        match self.near[t].get(number.wrapping_add(REACH) as u64 as usize) {
            Some(&bits) => bits,
            None => tables[t].cost(number),
        }
    }

    /// Returns the bits of row `i` in `class`, the class itself not counted; infinite where the class
    /// has no code for the row.
    pub(crate) fn row(&self, p: &Program, symbols: &Symbols, i: usize, class: usize) -> f32 {
        let m = &p.record;
        let (latents, width, sets) = (m.latents(), m.width(), m.table_sets());
        let mut bits = 0.0;
        for k in 0..latents {
            let at = i * latents + k;
            let set = symbols.table_set(at, sets);
            let table = m.classes.latent_tables[(class * latents + k) * sets + set];
            let mean = m.classes.means[class * latents + k];
            bits += self.of(&p.tables, table, i64::from(symbols.latents[at]) - mean);
        }
        if let Some(table) =
            p.neighbours.as_ref().and_then(|n| n.coefficients.by_row.as_ref()?.table())
        {
            bits += self.of(&p.tables, table, i64::from(symbols.predictors[i]));
        }
        if symbols.residuals.is_empty() {
            return bits;
        }
        let row = &symbols.residuals[i * width..(i + 1) * width];
        if m.classes.quantum[class] < 0 {
            let atoms = symbols.atoms.get(i * width..(i + 1) * width).unwrap_or(&[]);
            let silent = row.iter().all(|&r| r == 0) && atoms.iter().all(|&a| a == 0);
            return if silent { bits } else { f32::INFINITY };
        }
        if let Some(n) = &p.neighbours {
            let tables = &m.classes.residual_tables[class * width..(class + 1) * width];
            let cells = (i * width..).zip(tables);
            return bits + cells.map(|(at, &own)| self.cell(p, n, symbols, (at, own))).sum::<f32>();
        }
        let tables = &m.classes.residual_tables[class * width..(class + 1) * width];
        let mut residual = 0.0;
        for (&r, &t) in row.iter().zip(tables) {
            residual += self.of(&p.tables, t, r);
        }
        bits + residual
    }

    /// Returns the bits of residual and atom at `at`, a cell whose column has the table `own`.
    #[inline(always)]
    fn cell(
        &self,
        p: &Program,
        n: &Neighbourhood,
        symbols: &Symbols,
        (at, own): (usize, usize),
    ) -> f32 {
        let mut bits = 0.0;
        if let Some(&atom) = symbols.atoms.get(at) {
            let table = n.atom_table(symbols.atom_leaves[at]);
            bits = self.of(&p.tables, table, i64::from(atom));
            if atom > 0 {
                return bits;
            }
        }
        bits + self.of(&p.tables, n.table(symbols.leaves[at], || own), symbols.residuals[at])
    }

    /// Adds the bits of each residual of row `i`, of `class`, to those of its column.
    pub(crate) fn add_residuals(
        &self,
        p: &Program,
        symbols: &Symbols,
        (i, class): (usize, usize),
        bits: &mut [f64],
    ) {
        let classes = &p.record.classes;
        let width = bits.len();
        if symbols.residuals.is_empty() || classes.quantum[class] < 0 {
            return;
        }
        let tables = &classes.residual_tables[class * width..(class + 1) * width];
        for ((at, &own), bits) in (i * width..).zip(tables).zip(bits) {
            *bits += f64::from(match &p.neighbours {
                Some(n) => self.cell(p, n, symbols, (at, own)),
                None => self.of(&p.tables, own, symbols.residuals[at]),
            });
        }
    }

    /// Returns the bits of `class` after a row of class `last`.
    pub(crate) fn transition(&self, p: &Program, last: usize, class: usize) -> f32 {
        if p.record.classes.count == 1 {
            return 0.0;
        }
        self.of(&p.tables, p.record.classes.next[last], class as i64)
    }

    /// Returns the class of every row of a block: the sequence of fewest bits.
    pub(crate) fn classify(&self, p: &Program, symbols: &Symbols) -> Vec<usize> {
        self.classify_parts(p, symbols, symbols.rows.max(1))
    }

    /// The same where the sequence begins anew after each `part_rows` rows.
    pub(crate) fn classify_parts(
        &self,
        p: &Program,
        symbols: &Symbols,
        part_rows: usize,
    ) -> Vec<usize> {
        let count = p.record.classes.count;
        if count == 1 {
            return vec![0; symbols.rows];
        }
        let quantum = &p.record.classes.quantum;
        let is_allowed = |i: usize, class: usize| {
            symbols.forced.get(i).is_none_or(|&own| quantum[class] == quantum[own])
        };
        let cost = |at: usize| match is_allowed(at / count, at % count) {
            true => self.row(p, symbols, at / count, at % count),
            false => f32::INFINITY,
        };
        let own: Vec<f32> = (0..symbols.rows * count).map(cost).collect();
        let next: Vec<f32> =
            (0..count * count).map(|at| self.transition(p, at / count, at % count)).collect();
        let parts = own.chunks(part_rows.saturating_mul(count));
        parts.flat_map(|own| cheapest_path(own, &next, count)).collect()
    }
}

/// Returns the sequence of classes of least cost, by the Viterbi algorithm. `own` is what each row
/// costs in each class, `rows × count`, and `next` what each class costs after each,
/// `count × count`; the class before the first row is 0.
fn cheapest_path(own: &[f32], next: &[f32], count: usize) -> Vec<usize> {
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
