//! Rows whose residuals depend on their neighbours, decoded side by side.

use super::context::{LANES, narrow};
use super::near::Near;
use super::neighbourhood::{Decided, Neighbourhood, Weights};
use super::program::Program;
use super::sum::Sum;
use super::window::Window;
use crate::entropy::rans::RansDecoder;
use crate::entropy::table::Table;
use crate::kernels::wide::{WideLoop, run_wide};
use std::fmt::Debug;
use std::ops::Range;

/// Rows of a block that are decoded side by side and handed out one by one.
pub(super) trait Group: Debug + Send + Sync {
    /// Returns the rows whose classes and latents come next; none where residuals do.
    fn heads(&self) -> Range<usize>;

    /// Copies the latents of the last row whose head was read.
    fn last_latents(&self, out: &mut [i32]);

    /// Takes the class of the next row, which of the model's predictors it has, and its latents.
    fn take_head(&mut self, class: usize, predictor: usize, latents: &[i32]);

    /// Reads residuals until the next row is whole, or heads come next. Says whether it is whole.
    fn read(&mut self, program: &Program, coder: &mut RansDecoder<'_>) -> bool;

    /// Hands out the next row, which must be whole: its latents, its residuals' sums, and where `atoms`
    /// has room, which atoms its values are.
    fn give(&mut self, latents: &mut [i32], sums: &mut [i64], atoms: &mut [u8]);

    /// Says whether an atom was named that is not there.
    fn is_stray(&self) -> bool;

    /// Counts the bits of rows from here on.
    #[cfg(feature = "apps")]
    fn count_bits(&mut self);

    /// Adds the bits of the head that was taken last.
    #[cfg(feature = "apps")]
    fn count_head(&mut self, bits: f64);

    /// Returns the bits that the row handed out last takes, if they were counted.
    #[cfg(feature = "apps")]
    fn bits(&self) -> f64;

    /// Returns how many rows were handed out, if a sum did not fit, so that all have to be decoded anew
    /// with wide ones.
    fn unfit(&self) -> Option<usize>;
}

/// Begins a block of `rows` rows, with sums of 32 bits if `narrow` is set and they may be so.
pub(super) fn group(program: &Program, rows: usize, narrow: bool) -> Option<Box<dyn Group>> {
    let n = program.neighbours.as_ref()?;
    let lanes = lanes(rows);
    Some(match narrow && n.narrow > 0 {
        true if lanes == 1 => Box::new(Lanes::<i32, 1>::new(program, n, rows)),
        true => Box::new(Lanes::<i32, LANES>::new(program, n, rows)),
        false if lanes == 1 => Box::new(Lanes::<i64, 1>::new(program, n, rows)),
        false => Box::new(Lanes::<i64, LANES>::new(program, n, rows)),
    })
}

/// Returns how many rows are decoded side by side.
fn lanes(rows: usize) -> usize {
    if rows <= 1 { 1 } else { LANES }
}

/// Returns the bytes that decoding a block of `rows` rows takes because of neighbours.
pub(super) fn bytes(n: &Neighbourhood, rows: usize, latents: usize) -> u64 {
    let lanes = lanes(rows);
    let window = match lanes {
        1 => Window::<i64, 1>::bytes(&n.surroundings, n.delay(1)),
        _ => Window::<i64, LANES>::bytes(&n.surroundings, n.delay(LANES)),
    };
    let cell = size_of::<i64>() + size_of::<u8>();
    let row = cell * n.surroundings.width() + 2 * size_of::<i32>() * latents;
    window + (lanes * row) as u64
}

/// Rows in `N` lanes: each lane has one row in `N`, and they begin one after another.
#[derive(Debug)]
struct Lanes<S, const N: usize> {
    window: Window<S, N>,
    weights: Weights<N>,
    width: usize,
    /// Rows of the block, those whose heads were read, and those handed out.
    rows: usize,
    heads: usize,
    given: usize,
    /// Steps that were done.
    step: usize,
    /// Steps between the beginnings of one lane and the next.
    delay: usize,
    /// Classes of the rows whose heads were read last, and of those that are being decoded.
    next_classes: [usize; N],
    classes: [usize; N],
    /// Latents of twice as many rows as lanes, one after another.
    latents: Vec<i32>,
    /// What was decoded of the row in each lane.
    sums: Vec<S>,
    atoms: Vec<u8>,
    stray: bool,
    unfit: bool,
    /// Bits of the row in each lane so far, if they are counted, and those of the heads that were read last.
    bits: Option<[f64; N]>,
    head_bits: [f64; N],
}

impl<S: Sum, const N: usize> Lanes<S, N> {
    fn new(program: &Program, n: &Neighbourhood, rows: usize) -> Self {
        let width = program.record.width();
        let delay = n.delay(N);
        Self {
            window: n.window(),
            weights: Weights::new(n),
            width,
            rows,
            heads: 0,
            given: 0,
            step: 0,
            delay,
            next_classes: [0; N],
            classes: [0; N],
            latents: vec![0; 2 * N * program.record.latents()],
            sums: vec![S::default(); N * width],
            atoms: vec![0; if program.replaces() { N * width } else { 0 }],
            stray: false,
            unfit: false,
            bits: None,
            head_bits: [0.0; N],
        }
    }

    /// Returns where the latents of a row are.
    fn latents_of(&self, row: usize) -> Range<usize> {
        let count = self.latents.len() / (2 * N);
        let slot = row % (2 * N);
        slot * count..(slot + 1) * count
    }

    /// Returns at which step the next heads are to be read.
    fn heads_at(&self) -> usize {
        match self.heads < self.rows {
            true => self.heads / N * self.window.period(),
            false => usize::MAX,
        }
    }
}

impl<S: Sum, const N: usize> Group for Lanes<S, N> {
    fn heads(&self) -> Range<usize> {
        match self.step == self.heads_at() {
            true => self.heads..self.rows.min((self.heads / N + 1) * N),
            false => 0..0,
        }
    }

    fn last_latents(&self, out: &mut [i32]) {
        if let Some(last) = self.heads.checked_sub(1) {
            out.copy_from_slice(&self.latents[self.latents_of(last)]);
        }
    }

    fn take_head(&mut self, class: usize, predictor: usize, latents: &[i32]) {
        self.weights.name(self.heads % N, predictor);
        self.next_classes[self.heads % N] = class;
        let slot = self.latents_of(self.heads);
        self.latents[slot].copy_from_slice(latents);
        self.heads += 1;
    }

    fn read(&mut self, program: &Program, coder: &mut RansDecoder<'_>) -> bool {
        let Some(n) = &program.neighbours else { return true };
        let (round, lane) = (self.given / N, self.given % N);
        let whole = round * self.window.period() + lane * self.delay + self.width;
        let until = whole.min(self.heads_at());
        if until > self.step {
            let steps = until - self.step;
            run_wide(Steps { program, n, lanes: self, steps, coder });
            self.step = until;
        }
        until == whole
    }

    fn give(&mut self, latents: &mut [i32], sums: &mut [i64], atoms: &mut [u8]) {
        latents.copy_from_slice(&self.latents[self.latents_of(self.given)]);
        let (lane, width) = (self.given % N, self.width);
        let row = lane * width..(lane + 1) * width;
        sums.iter_mut().zip(&self.sums[row.clone()]).for_each(|(out, sum)| *out = sum.wide());
        if !atoms.is_empty() {
            atoms.copy_from_slice(&self.atoms[row]);
        }
        self.given += 1;
    }

    fn is_stray(&self) -> bool {
        self.stray
    }

    #[cfg(feature = "apps")]
    fn count_bits(&mut self) {
        self.bits = Some([0.0; N]);
    }

    #[cfg(feature = "apps")]
    fn count_head(&mut self, bits: f64) {
        self.head_bits[self.heads.saturating_sub(1) % N] = bits;
    }

    #[cfg(feature = "apps")]
    fn bits(&self) -> f64 {
        let lane = self.given.saturating_sub(1) % N;
        self.bits.map_or(0.0, |bits| bits[lane])
    }

    fn unfit(&self) -> Option<usize> {
        self.unfit.then_some(self.given)
    }
}

/// The loop over the values of `N` rows, step by step.
struct Steps<'a, 'c, 'b, S, const N: usize> {
    program: &'a Program,
    n: &'a Neighbourhood,
    lanes: &'a mut Lanes<S, N>,
    steps: usize,
    coder: &'c mut RansDecoder<'b>,
}

impl<S: Sum, const N: usize> WideLoop for Steps<'_, '_, '_, S, N> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { program, n, lanes, steps, coder } = self;
        // Copies, which need not be in memory while the loop runs.
        let mut own = *coder;
        for _ in 0..steps {
            lanes.step(program, n, &mut own);
        }
        *coder = own;
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
    residuals: [i64; N],
}

impl<S: Sum, const N: usize> Lanes<S, N> {
    /// Decodes a value in each lane.
    #[inline(always)]
    fn step(&mut self, p: &Program, n: &Neighbourhood, coder: &mut RansDecoder<'_>) {
        let column = self.window.front().column;
        self.weights.follow(n, self.window.front());
        let fraction = n.fractions(&column, &p.steps);
        let near = Near::of(&self.window, &n.surroundings, n.wanted);
        let predicted = n.predict(&self.window, &near, &self.weights, fraction);
        let features = n.features(&near, &self.window, (&predicted, fraction));
        let decided = n.decide(&features);
        let (there, coded) = self.present(p);
        let (atoms, residuals) = ([0; N], [0; N]);
        let mut values = Values { column, there, coded, predicted, atoms, residuals };
        self.read_symbols(p, n, &decided, &mut values, coder);
        self.note(p, n, &values);
        self.window.advance();
    }

    /// Says in which lanes there is a value, and in which it has symbols.
    #[inline(always)]
    fn present(&mut self, p: &Program) -> ([bool; N], [bool; N]) {
        let front = self.window.front();
        let width = self.width;
        let (mut there, mut coded) = ([false; N], [false; N]);
        for i in 0..N {
            if front.column[i] == 0 {
                self.classes[i] = self.next_classes[i];
                if let Some(bits) = &mut self.bits {
                    bits[i] = self.head_bits[i];
                }
            }
            there[i] = (front.column[i] as usize) < width && (front.row[i] as usize) < self.rows;
            coded[i] = there[i] && p.record.classes.quantum[self.classes[i]] >= 0;
        }
        (there, coded)
    }

    /// Reads the symbols of a step. Tables are found before any is read from: the coder waits for
    /// nothing but itself.
    #[inline(always)]
    fn read_symbols(
        &mut self,
        p: &Program,
        n: &Neighbourhood,
        decided: &Decided<N>,
        values: &mut Values<S, N>,
        coder: &mut RansDecoder<'_>,
    ) {
        let Some(first) = p.tables.first() else { return };
        let mut tables = [first; N];
        if !n.atoms.is_empty() {
            let most = n.atoms.len() as i64;
            let mut stray = false;
            for (i, table) in tables.iter_mut().enumerate() {
                *table = &p.tables[n.atom_table(n.atom_leaf(decided, i))];
            }
            for (i, table) in tables.iter().enumerate() {
                if values.coded[i] {
                    let atom = table.decode(coder);
                    stray |= !(0..=most).contains(&atom);
                    values.atoms[i] = atom.clamp(0, most) as u8;
                }
            }
            self.stray |= stray;
            self.count(&tables, &values.coded, |i| i64::from(values.atoms[i]));
        }
        for (i, table) in tables.iter_mut().enumerate() {
            values.coded[i] &= values.atoms[i] == 0;
            if values.coded[i] {
                let j = values.column[i] as usize;
                let (class, width) = (self.classes[i], self.width);
                let own = || p.record.classes.residual_tables[class * width + j];
                *table = &p.tables[n.table(n.leaf(decided, i), own)];
            }
        }
        for (i, table) in tables.iter().enumerate() {
            if values.coded[i] {
                values.residuals[i] = table.decode(coder);
            }
        }
        self.count(&tables, &values.coded, |i| values.residuals[i]);
    }

    /// Counts the bits of symbols, if they are counted.
    #[inline(always)]
    fn count(&mut self, tables: &[&Table; N], read: &[bool; N], symbol: impl Fn(usize) -> i64) {
        let Some(bits) = &mut self.bits else { return };
        for i in (0..N).filter(|&i| read[i]) {
            bits[i] += f64::from(tables[i].cost(symbol(i)));
        }
    }

    /// Notes the values of a step.
    #[inline(always)]
    fn note(&mut self, p: &Program, n: &Neighbourhood, values: &Values<S, N>) {
        let m = &p.record;
        let width = self.width;
        let mut sums = values.predicted;
        let mut residuals = [0; N];
        let mut unfit = false;
        for i in 0..N {
            if !values.there[i] {
                continue;
            }
            let j = values.column[i] as usize;
            let mut sum = sums[i].wide();
            if values.atoms[i] > 0 {
                sum = n.sum_of_atom(m, values.atoms[i], j).unwrap_or(sum);
            } else if values.coded[i] {
                let quantum = m.classes.quantum[self.classes[i]];
                let step = if quantum == 0 { n.step(j, &p.steps) } else { quantum };
                sum = sum.wrapping_add(values.residuals[i].wrapping_mul(step));
            }
            unfit |= S::NARROW && sum.unsigned_abs() > n.narrow as u64;
            sums[i] = S::of(sum);
            residuals[i] = narrow(values.residuals[i]);
            self.sums[i * width + j] = sums[i];
            if !self.atoms.is_empty() {
                self.atoms[i * width + j] = values.atoms[i];
            }
        }
        self.unfit |= unfit;
        self.window.set(sums, residuals, values.atoms);
    }
}
