//! Rows whose residuals depend on their neighbours, decoded side by side.

use super::context::LANES;
use super::neighbourhood::Neighbourhood;
use super::program::Program;
use super::steps::{self, Lanes, Work};
use super::sum::{Sum, Sums};
use super::swift;
use super::window::Window;
use crate::entropy::lanes::LaneDecoder;
use crate::kernels::Isa;
use crate::kernels::run::has_vectors;
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
    fn read(&mut self, program: &Program, coder: &mut LaneDecoder<'_>) -> bool;

    /// Hands out the next row, which must be whole.
    fn give(&mut self);

    /// Returns the sums of the row handed out last.
    fn sums(&self) -> Sums<'_>;

    /// Copies of the row handed out last its latents, its sums, and where `atoms` has room, which atoms
    /// its values are.
    fn copy(&self, latents: &mut [i32], sums: &mut [i64], atoms: &mut [u8]);

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
    /// in the next way.
    fn unfit(&self) -> Option<usize>;

    /// Returns the way in which they are decoded.
    fn way(&self) -> Way;
}

/// A way to decode rows; all give the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// With vectors of these instructions.
    Swift(Isa),
    /// With sums of 32 bits.
    Narrow,
    /// With sums of 64 bits, which all fit.
    Wide,
}

impl Way {
    /// Returns the fastest.
    pub(super) fn fastest() -> Self {
        Self::Swift(Isa::chosen())
    }

    /// Returns one for larger sums.
    pub(super) fn next(self) -> Self {
        match self {
            Self::Swift(_) => Self::Narrow,
            _ => Self::Wide,
        }
    }

    /// Returns this way, or the next that is possible for `rows` rows.
    fn possible(self, n: &Neighbourhood, rows: usize) -> Self {
        match self {
            Self::Swift(isa) if n.swift > 0 && lanes(rows) == LANES && has_vectors(isa) => self,
            Self::Swift(_) | Self::Narrow if n.narrow > 0 => Self::Narrow,
            _ => Self::Wide,
        }
    }
}

/// Begins a block of `rows` rows, to be decoded in such a way if it is possible.
pub(super) fn group(program: &Program, rows: usize, way: Way) -> Option<Box<dyn Group>> {
    let n = program.neighbours.as_ref()?;
    let one = lanes(rows) == 1;
    let way = way.possible(n, rows);
    macro_rules! in_lanes {
        ($sum:ty, $lanes:expr, $run:expr) => {
            Box::new(InLanes::<$sum, $lanes>::new(program, n, (rows, way), $run))
        };
    }
    Some(match way {
        Way::Swift(_) => in_lanes!(i32, LANES, swift::run),
        Way::Narrow if one => in_lanes!(i32, 1, steps::run),
        Way::Narrow => in_lanes!(i32, LANES, steps::run),
        Way::Wide if one => in_lanes!(i64, 1, steps::run),
        Way::Wide => in_lanes!(i64, LANES, steps::run),
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
    let row = cell * (n.surroundings.width() + 1) + 2 * size_of::<i32>() * latents;
    window + (lanes * row) as u64
}

/// Rows in lanes, which are read when they are asked for.
#[derive(Debug)]
struct InLanes<S, const N: usize> {
    lanes: Lanes<S, N>,
    /// Rows whose heads were read, and those handed out.
    heads: usize,
    given: usize,
    /// Steps that were done.
    step: usize,
    /// Steps between the beginnings of one lane and the next.
    delay: usize,
    /// Latents of twice as many rows as lanes, one after another.
    latents: Vec<i32>,
    way: Way,
    run: RunSteps<S, N>,
}

/// What decodes steps.
type RunSteps<S, const N: usize> = fn(&mut Lanes<S, N>, &Work<'_>, &mut LaneDecoder<'_>, Isa);

impl<S: Sum, const N: usize> InLanes<S, N> {
    fn new(
        program: &Program,
        n: &Neighbourhood,
        (rows, way): (usize, Way),
        run: RunSteps<S, N>,
    ) -> Self {
        Self {
            way,
            run,
            lanes: Lanes::new(program, n, rows),
            heads: 0,
            given: 0,
            step: 0,
            delay: n.delay(N),
            latents: vec![0; 2 * N * program.record.latents()],
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
        match self.heads < self.lanes.rows {
            true => self.heads / N * self.lanes.window.period(),
            false => usize::MAX,
        }
    }
}

impl<S: Sum, const N: usize> Group for InLanes<S, N> {
    fn heads(&self) -> Range<usize> {
        match self.step == self.heads_at() {
            true => self.heads..self.lanes.rows.min((self.heads / N + 1) * N),
            false => 0..0,
        }
    }

    fn last_latents(&self, out: &mut [i32]) {
        if let Some(last) = self.heads.checked_sub(1) {
            out.copy_from_slice(&self.latents[self.latents_of(last)]);
        }
    }

    fn take_head(&mut self, class: usize, predictor: usize, latents: &[i32]) {
        self.lanes.weights.name(self.heads % N, predictor);
        self.lanes.next_classes[self.heads % N] = class;
        let slot = self.latents_of(self.heads);
        self.latents[slot].copy_from_slice(latents);
        self.heads += 1;
    }

    fn read(&mut self, program: &Program, coder: &mut LaneDecoder<'_>) -> bool {
        let Some(n) = &program.neighbours else { return true };
        let (round, lane) = (self.given / N, self.given % N);
        let whole = round * self.lanes.window.period() + lane * self.delay + self.lanes.width;
        let until = whole.min(self.heads_at());
        if until > self.step {
            let steps = until - self.step;
            let isa = if let Way::Swift(isa) = self.way { isa } else { Isa::Scalar };
            (self.run)(&mut self.lanes, &Work { program, n, steps }, coder, isa);
            self.step = until;
        }
        until == whole
    }

    fn give(&mut self) {
        self.given += 1;
    }

    fn sums(&self) -> Sums<'_> {
        self.lanes.row(self.given.saturating_sub(1) % N)
    }

    fn copy(&self, latents: &mut [i32], sums: &mut [i64], atoms: &mut [u8]) {
        let row = self.given.saturating_sub(1);
        latents.copy_from_slice(&self.latents[self.latents_of(row)]);
        self.lanes.copy_row(row % N, sums, atoms);
    }

    fn is_stray(&self) -> bool {
        self.lanes.stray
    }

    #[cfg(feature = "apps")]
    fn count_bits(&mut self) {
        self.lanes.bits = Some([0.0; N]);
    }

    #[cfg(feature = "apps")]
    fn count_head(&mut self, bits: f64) {
        self.lanes.head_bits[self.heads.saturating_sub(1) % N] = bits;
    }

    #[cfg(feature = "apps")]
    fn bits(&self) -> f64 {
        let lane = self.given.saturating_sub(1) % N;
        self.lanes.bits.map_or(0.0, |bits| bits[lane])
    }

    fn way(&self) -> Way {
        self.way
    }

    fn unfit(&self) -> Option<usize> {
        self.lanes.unfit.then_some(self.given)
    }
}
