//! Parts of a stream that are read side by side: each symbol waits for the one before it in its part, so that
//! one part leaves most of a processor idle.

use super::decode::RowDecoder;
use super::program::{Program, dequantise, second_quantiser};
use crate::entropy::rans::RansDecoder;

/// Parts that are read side by side at most: with more, coders no longer stay in registers.
const MOST_ABREAST: usize = 4;

impl RowDecoder<'_, '_> {
    /// Whether rows hold nothing but latents, none of which is predicted, so that parts can be read side by side.
    fn holds_latents_only(&self) -> bool {
        let p = self.program;
        let is_alone = p.record.classes.count == 1 && !p.latents_recall && self.lines.is_none();
        is_alone && p.neighbours.is_none() && p.mute[0] && !p.temporal && !p.replaces()
    }

    /// The most rows, no more than `rows`, of as many parts as are read side by side; `rows` itself where none are.
    pub(super) fn whole_parts(&self, rows: usize) -> usize {
        let own = self.parts.rows();
        match rows / own {
            0 | 1 => rows,
            _ if !self.holds_latents_only() => rows,
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
        match room {
            0 | 1 => 0,
            2 => self.read_parts::<2>(out),
            3 => self.read_parts::<3>(out),
            _ => self.read_parts::<MOST_ABREAST>(out),
        }
    }

    /// Reads `N` whole parts, which begin with the next row; returns how many rows they have.
    fn read_parts<const N: usize>(&mut self, out: &mut [i32]) -> usize {
        let (rows, latents) = (self.parts.rows(), self.latents.len());
        self.begin_part();
        let first = self.part;
        let Some(coder) = self.coder.single() else { return 0 };
        let mut coders = [coder; N];
        for (part, coder) in (first + 1..).zip(&mut coders[1..]) {
            // A part that cannot begin is a fault.
            self.begin(part);
            *coder = self.coder.single().unwrap_or(*coder);
        }
        let mut lanes = out.chunks_exact_mut(rows * latents);
        let mut lanes: [&mut [i32]; N] = std::array::from_fn(|_| lanes.next().unwrap_or(&mut []));
        for row in 0..rows {
            let own = lanes.each_mut().map(|lane| &mut lane[row * latents..(row + 1) * latents]);
            read_latents(self.program, &mut coders, own);
        }
        // Where the last of them ends is looked at when another begins.
        for coder in &coders[..N - 1] {
            self.fault = self.fault.take().or(coder.finish().err());
        }
        self.coder.set_single(coders[N - 1]);
        self.next = (first + N) * rows;
        N * rows
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
