//! The loop over the values of rows that are decoded side by side.

use super::context::narrow;
use super::near::Near;
use super::neighbourhood::{Decided, Neighbourhood};
use super::program::Program;
use super::sum::{Sum, Sums};
use super::weights::Weights;
use super::window::{Front, Window};
use crate::entropy::lanes::LaneDecoder;
use crate::entropy::pool::{LAST_INCOMPLETE, Pool, incomplete};
use crate::kernels::Isa;
use crate::kernels::wide::{WideLoop, run_wide};

/// Rows in `N` lanes: each lane has one row in `N`, and they begin one after another.
#[derive(Debug)]
pub(super) struct Lanes<S, const N: usize> {
    pub(super) window: Window<S, N>,
    pub(super) weights: Weights<N>,
    pub(super) width: usize,
    /// Rows of the block.
    pub(super) rows: usize,
    /// Classes of the rows whose heads were read last, and of those that are being decoded.
    pub(super) next_classes: [usize; N],
    pub(super) classes: [usize; N],
    /// Whether these have residuals, and of how many fine units.
    pub(super) speaks: [bool; N],
    /// The same, a bit for each lane.
    pub(super) speaking: u32,
    pub(super) steps: Steps<N>,
    /// Which neighbours are there as far as the rows before say, lane by lane, in all lanes and in any.
    pub(super) in_rows: ([i16; N], u16, u16),
    /// What was decoded of the row in each lane, and room for what is none of it.
    pub(super) sums: Vec<S>,
    pub(super) atoms: Vec<u8>,
    /// Where the row of each lane begins in them.
    pub(super) row_starts: [i32; N],
    /// Whether an atom was named that is not there.
    pub(super) stray: bool,
    /// Whether a sum did not fit.
    pub(super) unfit: bool,
    /// Bits of the row in each lane so far, if they are counted, and those of the heads that were read last.
    pub(super) bits: Option<[f64; N]>,
    pub(super) head_bits: [f64; N],
}

/// Steps of residuals, lane by lane.
#[derive(Debug)]
pub(super) struct Steps<const N: usize> {
    pub(super) whole: [i64; N],
    /// The same in 32 bits, and the largest residual for which that is the same.
    pub(super) short: [i32; N],
    pub(super) most: [i32; N],
}

/// Residuals that fit, times their steps, are within ± this.
const MOST_SHORT: i64 = 1 << 30;

impl<const N: usize> Steps<N> {
    #[inline(always)]
    fn set(&mut self, lane: usize, step: i64) {
        let short = step.clamp(1, MOST_SHORT);
        self.whole[lane] = step;
        self.short[lane] = short as i32;
        self.most[lane] = if step == short { (MOST_SHORT / short) as i32 } else { 0 };
    }
}

/// As many steps of the loop as are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) program: &'a Program,
    pub(super) n: &'a Neighbourhood,
    pub(super) steps: usize,
}

/// Decodes as many steps as `work` says.
pub(super) fn run<S: Sum, const N: usize>(
    lanes: &mut Lanes<S, N>,
    work: &Work<'_>,
    coder: &mut LaneDecoder<'_>,
    _: Isa,
) {
    run_wide(Run { lanes, work, coder });
}

struct Run<'a, 'c, 'b, S, const N: usize> {
    lanes: &'a mut Lanes<S, N>,
    work: &'a Work<'a>,
    coder: &'c mut LaneDecoder<'b>,
}

impl<S: Sum, const N: usize> WideLoop for Run<'_, '_, '_, S, N> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { lanes, work: Work { program, n, steps }, coder } = self;
        for _ in 0..*steps {
            lanes.step(program, n, coder);
        }
    }
}

/// Numbers that were read: of 32 bits, and all of them once more if any has more.
pub(super) struct Numbers<const N: usize> {
    pub(super) short: [i32; N],
    pub(super) long: Option<[i64; N]>,
}

impl<const N: usize> Numbers<N> {
    #[inline(always)]
    pub(super) fn at(&self, lane: usize) -> i64 {
        self.long.map_or_else(|| i64::from(self.short[lane]), |long| long[lane])
    }
}

/// The values of a step.
struct Values<S, const N: usize> {
    column: [i32; N],
    /// Whether there is a value in each lane, and whether it has symbols.
    there: [bool; N],
    coded: [bool; N],
    predicted: [S; N],
    atoms: [u8; N],
    residuals: Numbers<N>,
}

impl<S: Sum, const N: usize> Lanes<S, N> {
    pub(super) fn new(program: &Program, n: &Neighbourhood, rows: usize) -> Self {
        let width = program.record.width();
        Self {
            window: n.window_of(rows),
            weights: Weights::new(&n.coefficients),
            width,
            rows,
            next_classes: [0; N],
            classes: [0; N],
            speaks: [false; N],
            speaking: 0,
            steps: Steps { whole: [1; N], short: [1; N], most: [0; N] },
            in_rows: ([0; N], 0, 0),
            sums: vec![S::default(); N * (width + 1)],
            atoms: vec![0; if program.replaces() { N * (width + 1) } else { 0 }],
            row_starts: std::array::from_fn(|i| (i * (width + 1)) as i32),
            stray: false,
            unfit: false,
            bits: None,
            head_bits: [0.0; N],
        }
    }

    /// Returns the sums that were decoded of the row in a lane.
    pub(super) fn row(&self, lane: usize) -> Sums<'_> {
        let from = lane * (self.width + 1);
        S::all(&self.sums[from..from + self.width])
    }

    /// Copies what was decoded of the row in a lane: sums, and where `atoms` has room, which atoms its
    /// values are.
    pub(super) fn copy_row(&self, lane: usize, sums: &mut [i64], atoms: &mut [u8]) {
        let from = lane * (self.width + 1);
        let row = from..from + self.width;
        sums.iter_mut().zip(&self.sums[row.clone()]).for_each(|(out, sum)| *out = sum.wide());
        if !atoms.is_empty() {
            atoms.copy_from_slice(&self.atoms[row]);
        }
    }

    /// Decodes a value in each lane.
    #[inline(always)]
    fn step(&mut self, p: &Program, n: &Neighbourhood, coder: &mut LaneDecoder<'_>) {
        let column = self.window.front().column;
        self.weights.follow(&n.coefficients, self.window.front());
        let fraction = n.fractions(&column, &p.steps);
        let near = Near::of(&self.window, &n.surroundings, n.wanted);
        let predicted = n.predict(&self.window, &near, &self.weights, fraction);
        let features = n.features(&near, &self.window, (&predicted, fraction));
        let decided = n.decide(&features);
        let (there, coded) = self.present(p, n);
        let residuals = Numbers { short: [0; N], long: None };
        let mut values = Values { column, there, coded, predicted, atoms: [0; N], residuals };
        if !n.atoms.is_empty() {
            self.read_atoms(p, n, &decided, &mut values, coder);
        }
        self.read_residuals(p, n, &decided, &mut values, coder);
        self.note(p, n, &values);
        self.window.advance();
    }

    /// Says in which lanes there is a value, and in which it has symbols.
    #[inline(always)]
    fn present(&mut self, p: &Program, n: &Neighbourhood) -> ([bool; N], [bool; N]) {
        let front = self.window.front();
        let (width, rows) = (self.width as u32, self.rows as u32);
        let (mut there, mut coded) = ([false; N], [false; N]);
        let mut begins = false;
        for (i, there) in there.iter_mut().enumerate() {
            begins |= front.column[i] == 0;
            *there = (front.column[i] as u32) < width && front.row[i] < rows;
        }
        if begins || !n.steps_alike() {
            self.begin(p, n);
        }
        for i in 0..N {
            coded[i] = there[i] & self.speaks[i];
        }
        (there, coded)
    }

    /// Finds classes and steps, where rows begin or steps change with the column.
    #[inline(never)]
    pub(super) fn begin(&mut self, p: &Program, n: &Neighbourhood) {
        let Front { column: columns, row: rows, .. } = self.window.front();
        for (i, &column) in columns.iter().enumerate() {
            if column == 0 {
                self.in_rows.0[i] = n.surroundings.in_rows(rows[i] as usize) as i16;
                self.classes[i] = self.next_classes[i];
                if let Some(bits) = &mut self.bits {
                    bits[i] = self.head_bits[i];
                }
            }
            if (0..self.width as i32).contains(&column) {
                let quantum = p.record.classes.quantum[self.classes[i]];
                self.speaks[i] = quantum >= 0;
                self.speaking = self.speaking & !(1 << i) | u32::from(quantum >= 0) << i;
                let own = || n.step(column as usize, &p.steps);
                self.steps.set(i, if quantum == 0 { own() } else { quantum });
            }
        }
        let (each, all, any) = &mut self.in_rows;
        *all = each.iter().fold(u16::MAX, |all, own| all & *own as u16);
        *any = each.iter().fold(0, |any, own| any | *own as u16);
    }

    /// Reads which atoms values are.
    #[inline(always)]
    fn read_atoms(
        &mut self,
        p: &Program,
        n: &Neighbourhood,
        decided: &Decided<N>,
        values: &mut Values<S, N>,
        coder: &mut LaneDecoder<'_>,
    ) {
        let mut tables = [n.pool.silent(); N];
        for (i, table) in tables.iter_mut().enumerate() {
            let own = n.atom_table(decided.atom_leaf(i)) as u32;
            *table = if values.coded[i] { own } else { *table };
        }
        let numbers = numbers(p, &n.pool, &tables, coder);
        let most = n.atoms.len() as i64;
        let mut stray = false;
        for i in 0..N {
            let atom = numbers.at(i);
            stray |= atom < 0 || atom > most;
            values.atoms[i] = atom.clamp(0, most) as u8;
        }
        self.stray |= stray;
        self.count(p, &tables, &values.coded, &numbers);
    }

    /// Reads the residuals of values that are no atoms. Tables are found before any is read from.
    #[inline(always)]
    fn read_residuals(
        &mut self,
        p: &Program,
        n: &Neighbourhood,
        decided: &Decided<N>,
        values: &mut Values<S, N>,
        coder: &mut LaneDecoder<'_>,
    ) {
        let mut tables = [n.pool.silent(); N];
        let (m, width) = (&p.record, self.width);
        for (i, table) in tables.iter_mut().enumerate() {
            let own = || {
                let j = (values.column[i] as usize).min(width - 1);
                m.classes.residual_tables[self.classes[i] * width + j]
            };
            let asked = n.table(decided.leaf(i), own) as u32;
            values.coded[i] &= values.atoms[i] == 0;
            *table = if values.coded[i] { asked } else { *table };
        }
        values.residuals = numbers(p, &n.pool, &tables, coder);
        self.count(p, &tables, &values.coded, &values.residuals);
    }

    /// Counts the bits of symbols, if they are counted.
    #[inline(always)]
    fn count(&mut self, p: &Program, tables: &[u32; N], read: &[bool; N], numbers: &Numbers<N>) {
        let Some(bits) = &mut self.bits else { return };
        for i in (0..N).filter(|&i| read[i]) {
            bits[i] += f64::from(p.tables[tables[i] as usize].cost(numbers.at(i)));
        }
    }

    /// Notes the values of a step.
    #[inline(always)]
    fn note(&mut self, p: &Program, n: &Neighbourhood, values: &Values<S, N>) {
        let Steps { whole, short, most } = &self.steps;
        let mut sums = values.predicted;
        let mut residuals = values.residuals.short;
        let mut unfit = false;
        if let Some(long) = &values.residuals.long {
            for i in 0..N {
                let sum = sums[i].wide().wrapping_add(long[i].wrapping_mul(whole[i]));
                unfit |= values.there[i] && S::NARROW && sum.unsigned_abs() > n.narrow as u64;
                sums[i] = S::of(sum);
                residuals[i] = narrow(long[i]);
            }
        } else {
            for i in 0..N {
                let (sum, fits) = sums[i].plus(residuals[i], (whole[i], short[i], most[i]));
                sums[i] = sum;
                unfit |= values.there[i] & !(fits & sum.is_within(n.narrow));
                residuals[i] = narrow(i64::from(residuals[i]));
            }
        }
        if S::NARROW && n.weighs_residuals() {
            for (residual, there) in residuals.iter().zip(values.there) {
                unfit |= there && i64::from(*residual).abs() > n.most_residual;
            }
        }
        if !n.atoms.is_empty() {
            unfit |= put_atoms(p, n, values, &mut sums);
        }
        self.unfit |= unfit;
        self.keep(&values.column, &sums, &values.atoms);
        self.window.set(sums, residuals, values.atoms);
    }
}

impl<S: Sum, const N: usize> Lanes<S, N> {
    /// Keeps values until their rows are handed out.
    #[inline(always)]
    pub(super) fn keep(&mut self, column: &[i32; N], sums: &[S; N], atoms: &[u8; N]) {
        let width = self.width;
        // What is not in a column of the row goes where nobody looks.
        let at = |i: usize| (column[i] as u32 as usize).min(width);
        for (i, row) in self.sums.chunks_exact_mut(width + 1).enumerate().take(N) {
            row[at(i)] = sums[i];
        }
        if !self.atoms.is_empty() {
            for (i, row) in self.atoms.chunks_exact_mut(width + 1).enumerate().take(N) {
                row[at(i)] = atoms[i];
            }
        }
    }
}

/// Reads a number in each lane.
#[inline(always)]
pub(super) fn numbers<const N: usize>(
    p: &Program,
    pool: &Pool,
    tables: &[u32; N],
    coder: &mut LaneDecoder<'_>,
) -> Numbers<N> {
    let short = coder.symbols(pool, tables);
    let mut incomplete = false;
    for number in &short {
        incomplete |= *number <= LAST_INCOMPLETE;
    }
    let long = incomplete.then(|| {
        let (long, after) = complete(p, tables, &short, *coder);
        *coder = after;
        long
    });
    Numbers { short, long }
}

/// Reads what entries leave open, one lane after another. The coder comes and goes by value, so that in
/// a loop over steps it need not be in memory.
#[inline(never)]
pub(super) fn complete<'a, const N: usize>(
    p: &Program,
    tables: &[u32; N],
    numbers: &[i32; N],
    mut coder: LaneDecoder<'a>,
) -> ([i64; N], LaneDecoder<'a>) {
    let mut out = numbers.map(i64::from);
    for (i, &number) in numbers.iter().enumerate() {
        if let Some(entry) = incomplete(number) {
            out[i] = coder.alone(i, |coder| {
                let (number, after) = p.tables[tables[i] as usize].complete(entry, *coder);
                *coder = after;
                number
            });
        }
    }
    (out, coder)
}

/// Puts the sums of atoms where values are such. Says whether one does not fit.
#[inline(always)]
fn put_atoms<S: Sum, const N: usize>(
    p: &Program,
    n: &Neighbourhood,
    values: &Values<S, N>,
    sums: &mut [S; N],
) -> bool {
    let mut unfit = false;
    for (i, kept) in sums.iter_mut().enumerate() {
        if values.atoms[i] > 0 {
            let j = values.column[i] as usize;
            if let Some(sum) = n.sum_of_atom(&p.record, values.atoms[i], j) {
                unfit |= S::NARROW && sum.unsigned_abs() > n.narrow as u64;
                *kept = S::of(sum);
            }
        }
    }
    unfit
}
