//! Decoding of rows: entropy coder, recursions over rows, network, values.

use super::coder::{AnyCoder, AnyPlace};
use super::group::{self, Group, Way, group};
use super::head::Head;
use super::latents::LatentLines;
use super::network::Scratch;
use super::program::Program;
use super::sum::Sums;
use super::swift_latents::MOST_LATENTS;
use super::value::{carry, with_cell};
use super::write::{put_atoms, write, write_short};
use crate::container::parts::Parts;
use crate::entropy::rans::LANES;
use crate::error::{Error, Result};
use crate::matrix::DType;
use std::cell::Cell;

/// How many rows have their predictions made together: enough that reading the weights is cheap,
/// and few enough that a single row from the middle of a block does not wait for many others.
const BATCH: usize = 32;
/// The most numbers of them, so that wide rows take little memory.
const BATCH_CELLS: usize = 1 << 19;
/// Of more than `FEW` rows, so that what they hold stays in the cache until it is written.
const CACHED_CELLS: usize = 1 << 15;
const FEW: usize = 8;

/// More room than this is let go of: it is asked for in less time than it takes to fill it.
const KEPT_BYTES: usize = 1 << 21;

thread_local! {
    /// Memory that is asked for anew costs about as much as decoding a row. Threads do not wait for each other.
    static ROOM: Cell<Batch> = Cell::default();
}

/// Reads a block's stream row by row.
pub(crate) struct RowDecoder<'p, 'b> {
    pub(super) program: &'p Program,
    pub(super) parts: Parts<'b>,
    /// Rows of the block, and those that were read or passed over.
    pub(super) rows: usize,
    pub(super) next: usize,
    /// The part that is being read, and where it ends.
    pub(super) part: usize,
    end: usize,
    pub(super) coder: AnyCoder<'b>,
    /// What was wrong where a part began or ended.
    pub(super) fault: Option<Error>,
    /// Class of the row read last.
    class: usize,
    /// Whether a row named a class that is not there.
    pub(super) stray: bool,
    /// Latents of the row read last.
    pub(crate) latents: Vec<i32>,
    /// Rows that latents are predicted from besides the last one, and what these foretell.
    pub(super) lines: Option<LatentLines>,
    predicted: Vec<i64>,
    /// Residuals of the row read last, in fine units.
    pub(crate) residuals: Vec<i64>,
    /// Which atoms the values of the row read last are, where predictions have to be replaced.
    atoms: Vec<u8>,
    /// Rows read together, where residuals depend on their neighbours.
    group: Option<Box<dyn Group>>,
}

impl<'p, 'b> RowDecoder<'p, 'b> {
    /// Begins a block of `rows` rows.
    pub(crate) fn new(program: &'p Program, stream: &'b [u8], rows: usize) -> Result<Self> {
        Self::with_room(program, stream, rows, PausedRows::default())
    }

    /// The same with the room that another block's rows had.
    pub(super) fn with_room(
        program: &'p Program,
        stream: &'b [u8],
        rows: usize,
        room: PausedRows,
    ) -> Result<Self> {
        let (width, count) = (program.record.width(), program.record.latents());
        let parts = parts_of(program, stream, rows)?;
        let first = parts.place(0, 0, 0);
        let PausedRows { mut latents, mut predicted, mut residuals, mut atoms, .. } = room;
        latents.clear();
        latents.resize(count, 0);
        predicted.clear();
        predicted.resize(count, 0);
        residuals.clear();
        residuals.resize(width, 0);
        atoms.clear();
        atoms.resize(if program.replaces() { width } else { 0 }, 0);
        Ok(Self {
            program,
            rows,
            next: 0,
            part: 0,
            end: first.end,
            group: group(program, rows, Way::fastest()),
            coder: AnyCoder::new(program, parts.bytes(first), rows)?,
            parts,
            fault: None,
            class: 0,
            stray: false,
            latents,
            lines: LatentLines::new(&program.record),
            predicted,
            residuals,
            atoms,
        })
    }

    /// Returns how many values and how many latents a row has.
    pub(super) fn width_and_latents(&self) -> (usize, usize) {
        (self.program.record.width(), self.program.record.latents())
    }

    /// Reads the next row.
    pub(crate) fn advance(&mut self) {
        if self.group.is_some() {
            self.advance_in_group();
            if let Some(group) = &self.group {
                group.copy(&mut self.latents, &mut self.residuals, &mut self.atoms);
            }
            return;
        }
        self.begin_part();
        self.next += 1;
        self.read_head(0);
        self.read_residuals();
    }

    /// Passes over the rows before `row`, without reading those of parts before its own.
    pub(crate) fn pass_to(&mut self, row: usize) {
        let part = row / self.parts.rows();
        if part > self.part {
            self.begin(part);
        }
        for _ in self.next..row {
            match self.group {
                Some(_) => self.advance_in_group(),
                None => self.advance(),
            }
        }
    }

    /// Begins the part of the next row, where that is the first of one.
    pub(super) fn begin_part(&mut self) {
        let part = self.next / self.parts.rows();
        if part > self.part {
            self.fault = self.fault.take().or(self.coder.finish().err());
            self.begin(part);
        }
    }

    /// Begins a part behind the one that is being read.
    pub(super) fn begin(&mut self, part: usize) {
        let place = self.parts.place(part, part - self.part - 1, self.end);
        (self.part, self.end) = (part, place.end);
        match AnyCoder::new(self.program, self.parts.bytes(place), self.rows) {
            Ok(coder) => self.coder = coder,
            Err(fault) => self.fault = self.fault.take().or(Some(fault)),
        }
        self.next = part * self.parts.rows();
        self.class = 0;
        self.latents.fill(0);
        self.residuals.fill(0);
    }

    /// Reads the next row where rows are read in groups; what it holds is left there.
    fn advance_in_group(&mut self) {
        if let Some(mut group) = self.group.take() {
            self.next += 1;
            self.advance_in(&mut *group);
            while let Some(given) = group.unfit() {
                let Some(again) = self.again(given, group.way().next()) else { break };
                group = again;
            }
            self.group = Some(group);
        }
    }

    /// Reads class and latents of the next row, which has one of the lanes. Returns its predictor.
    fn read_head(&mut self, lane: usize) -> usize {
        let p = self.program;
        let head = Head {
            class: &mut self.class,
            stray: &mut self.stray,
            lines: &mut self.lines,
            predicted: &mut self.predicted,
        };
        let latents = &mut self.latents;
        match &mut self.coder {
            AnyCoder::Single(coder) => head.read(p, coder, latents),
            AnyCoder::Lanes(coder) => coder.alone(lane, |coder| head.read(p, coder, latents)),
        }
    }

    /// Reads the next row where rows are read in groups.
    fn advance_in(&mut self, group: &mut dyn Group) {
        loop {
            let heads = group.heads();
            if !heads.is_empty() {
                // A row's latents go on from those of the row before, not of the one handed out last.
                group.last_latents(&mut self.latents);
            }
            for row in heads {
                #[cfg(feature = "apps")]
                let before = self.coder.left();
                let predictor = self.read_head(row % LANES);
                group.take_head(self.class, predictor, &self.latents);
                #[cfg(feature = "apps")]
                group.count_head(before - self.coder.left());
            }
            let AnyCoder::Lanes(coder) = &mut self.coder else { break };
            if group.read(self.program, coder) {
                break;
            }
        }
        self.stray |= group.is_stray();
        group.give();
    }

    /// Reads the first `count` rows of the block once more, in another way.
    fn again(&mut self, count: usize, way: Way) -> Option<Box<dyn Group>> {
        let mut group = group(self.program, self.rows, way)?;
        let stream = self.parts.bytes(self.parts.place(0, 0, 0));
        self.coder = AnyCoder::new(self.program, stream, self.rows).ok()?;
        (self.class, self.stray) = (0, false);
        self.latents.fill(0);
        self.lines = LatentLines::new(&self.program.record);
        (0..count).for_each(|_| self.advance_in(&mut *group));
        Some(group)
    }

    fn read_residuals(&mut self) {
        let p = self.program;
        let AnyCoder::Single(coder) = &mut self.coder else { return };
        let classes = &p.record.classes;
        let width = p.record.width();
        let quantum = classes.quantum[self.class];
        if p.mute[self.class] && !p.temporal {
            self.residuals.fill(0);
            return;
        }
        if p.mute[self.class] {
            for (e, &a) in self.residuals.iter_mut().zip(&p.record.temporal) {
                *e = carry(a, *e);
            }
            return;
        }
        let row = self.class * width..(self.class + 1) * width;
        let tables = &classes.residual_tables[row];
        let silent = &p.silent[self.class];
        for (j, e) in self.residuals.iter_mut().enumerate() {
            let step = if quantum == 0 { p.steps[j] } else { quantum };
            let carried = if p.temporal { carry(p.record.temporal[j], *e) } else { 0 };
            let r = if silent[j] { 0 } else { p.tables[tables[j]].decode(coder) };
            *e = carried.wrapping_add(r.wrapping_mul(step));
        }
    }

    /// Counts the bits of all `rows` rows of the block, none of which has been read.
    #[cfg(feature = "apps")]
    pub(super) fn count_bits(&mut self, rows: usize) {
        // With wide sums, nothing is read twice.
        self.group = group(self.program, rows, Way::Wide);
        self.group.iter_mut().for_each(|group| group.count_bits());
    }

    /// Reads the next row and returns its bits.
    #[cfg(feature = "apps")]
    pub(super) fn bits_of_next(&mut self) -> f64 {
        if self.group.is_none() {
            self.begin_part();
        }
        let before = self.coder.left();
        self.advance();
        let read = (before - self.coder.left()).max(0.0);
        // Rows that are decoded side by side are read together.
        self.group.as_ref().map_or(read, |group| group.bits())
    }

    /// Checks that nothing was read that is not there.
    pub(super) fn check(&mut self) -> Result<()> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if self.coder.overrun() {
            return self.finish();
        }
        if self.stray {
            return Err(Error::corrupt(
                "a row of a class or a predictor, or an atom, that is not there",
            ));
        }
        Ok(())
    }

    /// Reads `count` rows that are all alike: their classes, that is.
    fn read_classes(&mut self, count: usize) -> Result<()> {
        // They have no latents, nor do they look at neighbours.
        (0..count).for_each(|_| {
            self.begin_part();
            self.next += 1;
            self.read_head(0);
        });
        self.check()
    }

    /// Passes over the `count` rows of a block that are still to come and all alike, and checks that
    /// the stream ends behind them.
    pub(crate) fn pass(&mut self, count: usize) -> Result<()> {
        self.read_classes(count)?;
        self.finish()
    }

    /// Checks that the stream ends here.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.fault.take().map_or_else(|| self.coder.finish(), Err)
    }

    /// Lets go of program and stream, to go on later.
    pub(crate) fn pause(self) -> PausedRows {
        PausedRows {
            next: self.next,
            part: self.part,
            end: self.end,
            coder: self.coder.place(),
            class: self.class,
            stray: self.stray,
            latents: self.latents,
            lines: self.lines,
            predicted: self.predicted,
            residuals: self.residuals,
            atoms: self.atoms,
            group: self.group,
        }
    }

    /// Goes on with the program and the stream, of `rows` rows, that it had when it was paused.
    pub(crate) fn resume(
        program: &'p Program,
        (stream, rows): (&'b [u8], usize),
        paused: PausedRows,
    ) -> Result<Self> {
        let parts = parts_of(program, stream, rows)?;
        Ok(Self {
            program,
            rows,
            next: paused.next,
            part: paused.part,
            end: paused.end,
            coder: AnyCoder::resume(parts.bytes(0..paused.end), &paused.coder),
            parts,
            fault: None,
            class: paused.class,
            stray: paused.stray,
            latents: paused.latents,
            lines: paused.lines,
            predicted: paused.predicted,
            residuals: paused.residuals,
            atoms: paused.atoms,
            group: paused.group,
        })
    }
}

/// Finds the parts of a stream of `rows` rows; those that look at their neighbours are a single one.
fn parts_of<'b>(program: &Program, stream: &'b [u8], rows: usize) -> Result<Parts<'b>> {
    match program.neighbours {
        Some(_) => Ok(Parts::whole(stream, rows)),
        None => Parts::decode(stream, rows),
    }
}

/// What a [`RowDecoder`] goes on from later.
#[derive(Debug, Default)]
pub(crate) struct PausedRows {
    next: usize,
    part: usize,
    end: usize,
    coder: AnyPlace,
    class: usize,
    stray: bool,
    latents: Vec<i32>,
    lines: Option<LatentLines>,
    predicted: Vec<i64>,
    residuals: Vec<i64>,
    atoms: Vec<u8>,
    group: Option<Box<dyn Group>>,
}

/// Room for the rows whose predictions are made together, used again for the next ones.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    latents: Vec<i32>,
    residuals: Vec<i64>,
    predictions: Vec<i32>,
    /// Which atoms values are, where these replace predictions.
    atoms: Vec<u8>,
    network: Scratch,
    /// The values of a row.
    row: Vec<u64>,
}

impl Batch {
    /// Lends the room that this thread's last rows had.
    pub(crate) fn lent<R>(with: impl FnOnce(&mut Self) -> R) -> R {
        let mut own = ROOM.take();
        let made = with(&mut own);
        if own.room() <= KEPT_BYTES {
            ROOM.set(own);
        }
        made
    }

    /// Returns how many of `rows` rows have their predictions made together.
    pub(crate) fn rows(rows: usize, width: usize, latents: usize) -> usize {
        let row = width.max(latents).max(1);
        let cached = (CACHED_CELLS / row).max(FEW);
        (BATCH_CELLS / row).min(cached).clamp(1, BATCH).min(rows)
    }

    /// Returns the bytes that decoding a block of `rows` rows of `width` columns takes besides them:
    /// residuals of 8 bytes, predictions and latents of 4, these also of parts that are read side by side, and
    /// what is known of neighbours.
    pub(crate) fn bytes(program: Option<&Program>, rows: usize, width: usize) -> u64 {
        let latents = program.map_or(0, |p| p.record.latents());
        let batch = Self::rows(rows, width, latents) as u64;
        let group = program.and_then(|p| p.neighbours.as_ref());
        let expanded = program.is_some_and(|p| p.compander.is_some());
        // Of these, once as the model has them and once as the file does.
        let scaled = if expanded { 16 * width as u64 } else { 0 };
        // Latents of parts that are read side by side.
        let abreast = program.filter(|p| p.lacks_residuals());
        let most = (rows.saturating_mul(latents)).min(MOST_LATENTS) as u64;
        // One more row of each is held by the entropy decoder, and a group's with neighbours.
        (batch + 1).saturating_mul(12 * width as u64 + 4 * latents as u64 + scaled)
            + abreast.map_or(0, |_| 4 * most)
            + group.map_or(0, |n| group::bytes(n, rows, latents))
            + program.map_or(0, |p| LatentLines::bytes(&p.record))
    }

    /// Returns the bytes that are held, whether they are used or not.
    fn room(&self) -> usize {
        8 * (self.residuals.capacity() + self.row.capacity())
            + 4 * (self.latents.capacity() + self.predictions.capacity())
            + self.atoms.capacity()
            + self.network.room()
    }

    /// Makes room for `step` rows of a program.
    pub(super) fn make_room(&mut self, program: &Program, step: usize) {
        let (width, latents) = (program.record.width(), program.record.latents());
        self.latents.resize(step * latents, 0);
        if program.lacks_residuals() {
            // Those of one row stand for all.
            self.residuals.clear();
            self.residuals.resize(width, 0);
        } else {
            self.residuals.resize(step * width, 0);
        }
        self.predictions.resize(step * width, 0);
        self.atoms.resize(if program.replaces() { step * width } else { 0 }, 0);
        self.row.resize(width, 0);
    }

    /// Takes the row read last as the one with number `i`.
    pub(super) fn take(&mut self, i: usize, rows: &RowDecoder<'_, '_>) {
        let (width, latents) = rows.width_and_latents();
        self.latents[i * latents..(i + 1) * latents].copy_from_slice(&rows.latents);
        if !rows.program.lacks_residuals() {
            self.residuals[i * width..(i + 1) * width].copy_from_slice(&rows.residuals);
        }
        if !self.atoms.is_empty() {
            self.atoms[i * width..(i + 1) * width].copy_from_slice(&rows.atoms);
        }
    }

    /// Predicts `count` rows from the one with number `first` on.
    pub(super) fn predict(&mut self, program: &Program, first: usize, count: usize) {
        let (width, latents) = (program.record.width(), program.record.latents());
        let predictions = &mut self.predictions[..count * width];
        let latents = &self.latents[first * latents..(first + count) * latents];
        program.network.predict_in(&mut self.network, latents, predictions);
    }

    /// Puts the values of row `i`, which was predicted, as little-endian bytes.
    pub(super) fn put(&mut self, program: &Program, dtype: DType, i: usize, out: &mut [u8]) {
        let width = program.record.width();
        let own = i * width..(i + 1) * width;
        let residuals = if program.lacks_residuals() { 0..width } else { own.clone() };
        let (m, e) = (&self.predictions[own.clone()], &self.residuals[residuals]);
        let atoms = self.atoms.get(own).unwrap_or(&[]);
        with_cell!(dtype, T => {
            write::<T>(program, (m, e), &mut self.row, out);
            put_atoms::<T>(program, atoms, out);
        });
    }

    /// Fills `out` with the next rows, as little-endian bytes.
    pub(crate) fn decode(
        &mut self,
        rows: &mut RowDecoder<'_, '_>,
        dtype: DType,
        out: &mut [u8],
    ) -> Result<()> {
        let program = rows.program;
        let (width, latents) = rows.width_and_latents();
        let row_bytes = width * dtype.size();
        let usual = Self::rows(out.len() / row_bytes, width, latents).max(1);
        let step = rows.rows_together(out.len() / row_bytes, usual);
        self.make_room(program, usual);
        self.latents.resize(step * latents, 0);
        if program.constant {
            return self.repeat(rows, dtype, out);
        }
        if latents == 0 && rows.group.is_some() {
            return self.decode_in_group(rows, dtype, out);
        }
        for out in out.chunks_mut((step * row_bytes).max(1)) {
            let count = out.len() / row_bytes;
            let mut i = 0;
            while i < count {
                let many = rows.read_abreast(&mut self.latents[i * latents..count * latents]);
                if many > 0 {
                    i += many;
                    continue;
                }
                rows.advance();
                self.take(i, rows);
                i += 1;
            }
            rows.check()?;
            // More than the usual have no residuals: those of one row stand for all.
            for (first, out) in (0..).step_by(usual).zip(out.chunks_mut(usual * row_bytes)) {
                self.predict(program, first, out.len() / row_bytes);
                for (i, out) in out.chunks_exact_mut(row_bytes).enumerate() {
                    self.put(program, dtype, i, out);
                }
            }
        }
        Ok(())
    }

    /// The same where rows are read in groups and nothing is predicted from latents.
    fn decode_in_group(
        &mut self,
        rows: &mut RowDecoder<'_, '_>,
        dtype: DType,
        out: &mut [u8],
    ) -> Result<()> {
        let width = rows.program.record.width();
        self.predictions.clear();
        self.predictions.resize(width, 0);
        let row_bytes = width * dtype.size();
        for out in out.chunks_exact_mut(row_bytes) {
            rows.advance_in_group();
            rows.check()?;
            let sums = rows.group.as_ref().map(|group| group.sums());
            with_cell!(dtype, T => match sums {
                Some(Sums::Short(sums)) => write_short::<T>(rows.program, sums, &mut self.row, out),
                Some(Sums::Long(sums)) => {
                    write::<T>(rows.program, (&self.predictions, sums), &mut self.row, out);
                }
                None => {}
            });
        }
        Ok(())
    }

    /// The same where all rows are alike.
    fn repeat(
        &mut self,
        rows: &mut RowDecoder<'_, '_>,
        dtype: DType,
        out: &mut [u8],
    ) -> Result<()> {
        let program = rows.program;
        let width = program.record.width();
        let row_bytes = width * dtype.size();
        self.atoms.clear();
        rows.read_classes(out.len() / row_bytes)?;
        let Some((first, others)) = out.split_at_mut_checked(row_bytes) else { return Ok(()) };
        self.predictions[..width].fill(0);
        self.residuals[..width].fill(0);
        self.put(program, dtype, 0, first);
        others.chunks_exact_mut(row_bytes).for_each(|row| row.copy_from_slice(first));
        Ok(())
    }
}
