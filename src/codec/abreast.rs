//! Parts of a stream that are read side by side: each symbol waits for the one before it in its part, so that
//! one part leaves most of a processor idle.

use super::context::LANES;
use super::decode::RowDecoder;
use super::program::Program;
use super::quantisers::{dequantise, second_quantiser};
use super::swift_latents::{GROUPS, MOST_LATENTS, SwiftLatents, Work};
use crate::entropy::rans::RansDecoder;
use crate::kernels::Isa;

/// Parts that are read side by side at most without vectors: with more, coders no longer stay in registers.
const MOST_ABREAST: usize = 4;
/// With vectors, all lanes take as long as a few parts do without: of rows of one class side by side, of others
/// one after another.
const FEWEST_SWIFT: usize = 5;
const FEWEST_OF_CLASSES: usize = 3;

impl<'b> RowDecoder<'_, 'b> {
    /// Whether rows hold nothing but latents, none of which is predicted, so that parts can be read side by side.
    fn holds_latents_only(&self) -> bool {
        let p = self.program;
        !p.latents_recall && self.lines.is_none() && p.record.latents() > 0 && p.lacks_residuals()
    }

    /// Returns how many parts are read side by side with vectors, of as many as there are; 0 if they are too few.
    fn swift_parts(&self, there: usize) -> usize {
        let p = self.program;
        let fewest = if p.record.classes.count == 1 { FEWEST_SWIFT } else { FEWEST_OF_CLASSES };
        let room = MOST_LATENTS / self.latents.len().max(1) / self.parts.rows();
        let parts = there.min(GROUPS * LANES).min(room);
        let is_swift = parts >= fewest && SwiftLatents::is_possible();
        if is_swift && p.swift_latents().is_some() { parts } else { 0 }
    }

    /// Returns how many of `there` rows are read together, where `usual` are of rows one after another: as many
    /// parts as are read side by side.
    pub(super) fn rows_together(&self, there: usize, usual: usize) -> usize {
        let own = self.parts.rows();
        if !self.holds_latents_only() {
            return usual;
        }
        let swift = self.swift_parts(there / own);
        if swift > 0 {
            return swift * own;
        }
        match usual / own {
            0 | 1 => usual,
            few @ 2..MOST_ABREAST => few * own,
            many => many / MOST_ABREAST * MOST_ABREAST * own,
        }
    }

    /// Reads the latents of next rows into `out`, where whole parts of them begin here and have room in it; returns
    /// how many rows these are. They have no residuals.
    pub(super) fn read_abreast(&mut self, out: &mut [i32]) -> usize {
        let latents = self.latents.len();
        let own = self.parts.rows();
        if latents == 0 || !self.next.is_multiple_of(own) || !self.holds_latents_only() {
            return 0;
        }
        let room = (out.len() / latents).min(self.rows - self.next) / own;
        let swift = self.swift_parts(room);
        match room {
            _ if swift > 0 => self.read_swiftly(swift, out),
            2.. if self.program.record.classes.count > 1 => 0,
            0 | 1 => 0,
            2 => self.read_parts::<2>(out),
            3 => self.read_parts::<3>(out),
            _ => self.read_parts::<MOST_ABREAST>(out),
        }
    }

    /// Reads so many whole parts with vectors, which begin with the next row; returns how many rows they have.
    fn read_swiftly(&mut self, count: usize, out: &mut [i32]) -> usize {
        let rows = self.parts.rows();
        let program = self.program;
        let Some(swift) = program.swift_latents() else { return 0 };
        let Some((first, mut coders)) = self.begin_parts::<{ GROUPS * LANES }>(count) else {
            return 0;
        };
        let (record, tables) = (&program.record, &program.tables[..]);
        let (stray, groups) = (&mut self.stray, coders.as_chunks_mut().0);
        let groups = &mut groups[..count.div_ceil(LANES)];
        let work = Work { record, tables, coders: groups, count, rows, out, stray };
        swift.read(work, Isa::chosen());
        self.end_parts(first, &coders[..count])
    }

    /// Reads `N` whole parts, which begin with the next row; returns how many rows they have.
    fn read_parts<const N: usize>(&mut self, out: &mut [i32]) -> usize {
        let (rows, latents) = (self.parts.rows(), self.latents.len());
        let Some((first, mut coders)) = self.begin_parts::<N>(N) else { return 0 };
        let mut lanes = out.chunks_exact_mut(rows * latents);
        let mut lanes: [&mut [i32]; N] = std::array::from_fn(|_| lanes.next().unwrap_or(&mut []));
        for row in 0..rows {
            let own = lanes.each_mut().map(|lane| &mut lane[row * latents..(row + 1) * latents]);
            read_latents(self.program, &mut coders, own);
        }
        self.end_parts(first, &coders)
    }

    /// Begins `count` parts, of which the first has the next row. Returns its number, and the coders of all; if there
    /// are more coders than parts, they are the first once more.
    fn begin_parts<const N: usize>(
        &mut self,
        count: usize,
    ) -> Option<(usize, [RansDecoder<'b>; N])> {
        self.begin_part();
        let first = self.part;
        let mut coders = [self.coder.single()?; N];
        for (part, coder) in (first + 1..).zip(&mut coders[1..count]) {
            // A part that cannot begin is a fault.
            self.begin(part);
            *coder = self.coder.single().unwrap_or(*coder);
        }
        Some((first, coders))
    }

    /// Ends parts that were read to their ends, the first of which is `first`; returns how many rows they have.
    fn end_parts(&mut self, first: usize, coders: &[RansDecoder<'b>]) -> usize {
        let rows = self.parts.rows();
        let Some((last, others)) = coders.split_last() else { return 0 };
        // Where the last of them ends is looked at when another begins.
        for coder in others {
            self.fault = self.fault.take().or(coder.finish().err());
        }
        self.coder.set_single(*last);
        self.next = (first + coders.len()) * rows;
        coders.len() * rows
    }
}

/// Reads the latents of a row from each coder, in a model of one class that predicts none of them.
fn read_latents<const N: usize>(
    p: &Program,
    coders: &mut [RansDecoder<'_>; N],
    mut rows: [&mut [i32]; N],
) {
    let m = &p.record;
    let count = m.latents();
    let (means, clamps) = (&m.classes.means[..count], &m.latent_clamp[..count]);
    let sets = m.table_sets();
    let tables = &m.classes.latent_tables[..count * sets];
    // Copies stay in registers.
    let mut own = *coders;
    let value = |k: usize, v: i64| v.wrapping_add(means[k]).clamp(-clamps[k], clamps[k]) as i32;
    match p.trellis() {
        None => {
            for (k, &table) in tables.iter().enumerate() {
                let table = &p.tables[table];
                for (row, coder) in rows.iter_mut().zip(&mut own) {
                    row[k] = value(k, table.decode(coder));
                }
            }
        }
        Some(next) => {
            let (mut at, states) = ([0_u8; N], m.trellis);
            let (pairs, _) = tables.as_chunks::<2>();
            for (k, &[first, other]) in pairs.iter().enumerate() {
                let (first, other) = (&p.tables[first], &p.tables[other]);
                for ((row, coder), at) in rows.iter_mut().zip(&mut own).zip(&mut at) {
                    let second = second_quantiser(*at, states);
                    let s = first.decode_either(other, second, coder);
                    *at = next[usize::from(*at)][(s & 1) as usize];
                    row[k] = value(k, dequantise(s, second));
                }
            }
        }
    }
    *coders = own;
}
