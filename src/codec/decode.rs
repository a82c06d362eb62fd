//! Decoding of a block: entropy coder, recursions over rows, network, values.

use crate::codec::program::{Program, dequantise, second_quantiser};
use crate::codec::value::{Cell, carry, values, with_cell};
use crate::container::block::{self, Block};
use crate::container::index::Place;
use crate::entropy::rans::Decoder;
use crate::error::{Error, Result};
use crate::matrix::{DType, to_little_endian};
use std::ops::Range;

/// Rows whose predictions are made together,
const BATCH: usize = 32;
/// unless that is more numbers than this.
const BATCH_CELLS: usize = 1 << 20;

/// What a block's stream says of its rows.
pub(crate) struct Rows<'p, 'b> {
    program: &'p Program,
    coder: Decoder<'b>,
    class: usize,
    /// Whether a row named a class that is not there.
    stray: bool,
    /// Latents of the last row.
    pub(crate) latents: Vec<i32>,
    /// Residuals of the last row, in fine units.
    pub(crate) residuals: Vec<i64>,
}

impl<'p, 'b> Rows<'p, 'b> {
    pub(crate) fn new(program: &'p Program, stream: &'b [u8]) -> Result<Self> {
        Ok(Self {
            program,
            coder: Decoder::new(stream)?,
            class: 0,
            stray: false,
            latents: vec![0; program.record.latents()],
            residuals: vec![0; program.record.width()],
        })
    }

    /// Reads the next row.
    pub(crate) fn advance(&mut self) {
        self.read_class();
        self.read_latents();
        self.read_residuals();
    }

    fn read_class(&mut self) {
        let p = self.program;
        let classes = &p.record.classes;
        if classes.count > 1 {
            let table = &p.tables[classes.next[self.class]];
            let class = usize::try_from(table.decode(&mut self.coder)).unwrap_or(usize::MAX);
            self.stray |= class >= classes.count;
            self.class = class.min(classes.count - 1);
        }
    }

    fn read_latents(&mut self) {
        let p = self.program;
        let m = &p.record;
        let count = m.latents();
        let means = &m.classes.means[self.class * count..];
        let sets = m.table_sets();
        let tables = &m.classes.latent_tables[self.class * count * sets..];
        let trellis = p.trellis();
        let mut state = 0_u8;
        for (k, y) in self.latents.iter_mut().enumerate() {
            let second = trellis.is_some() && second_quantiser(state, m.trellis);
            let table = &p.tables[tables[k * sets + usize::from(second)]];
            let s = table.decode(&mut self.coder);
            let v = match trellis {
                None => s,
                Some(next) => {
                    state = next[usize::from(state)][(s & 1) as usize];
                    dequantise(s, second)
                }
            };
            let predicted = carry(m.latent_temporal[k], i64::from(*y));
            let clamp = m.latent_clamp[k];
            let v = predicted.wrapping_add(v.wrapping_add(means[k]));
            *y = v.clamp(-clamp, clamp) as i32;
        }
    }

    fn read_residuals(&mut self) {
        let p = self.program;
        let classes = &p.record.classes;
        let width = p.record.width();
        let quantum = classes.quantum[self.class];
        if quantum < 0 {
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
            let r = if silent[j] { 0 } else { p.tables[tables[j]].decode(&mut self.coder) };
            *e = carried.wrapping_add(r.wrapping_mul(step));
        }
    }

    /// Checks that nothing was read that is not there.
    fn check(&self, at: u64) -> Result<()> {
        if self.coder.overrun() {
            return self.coder.finish().map_err(|e| e.at(at));
        }
        if self.stray {
            return Err(Error::corrupt("a row of a class that is not there").at(at));
        }
        Ok(())
    }
}

/// Rows of `rows` whose predictions are made together.
fn batch(rows: usize, width: usize, latents: usize) -> usize {
    (BATCH_CELLS / width.max(latents).max(1)).clamp(1, BATCH).min(rows)
}

/// Bytes of temporaries that [`rows`] takes for `rows` rows: residuals, predictions, latents.
pub(crate) fn temporaries(rows: usize, width: usize, latents: usize) -> u64 {
    let batch = batch(rows, width, latents) as u64;
    // One more row of each is held by the entropy decoder.
    (batch + 1).saturating_mul(12 * width as u64 + 4 * latents as u64)
}

/// Fills `out` with the rows `want` of the block at `place`, whose bytes are `bytes`.
///
/// Reading all rows checks that the stream ends where they do. Exact values may take `room`
/// bytes while they are unpacked.
pub(crate) fn rows(
    program: Option<&Program>,
    (dtype, width): (DType, usize),
    bytes: &[u8],
    place: Place,
    room: u64,
    want: Range<usize>,
    out: &mut [u8],
) -> Result<()> {
    let (size, at) = (dtype.size(), place.offset);
    let row_bytes = width * size;
    let first_cell = want.start * width;
    let (stream, escapes) = match block::decode(bytes, place.row, at)? {
        Block::Exact { packed } => {
            let length = place.rows * row_bytes;
            return block::decode_exact(packed, (length, size), at, first_cell, out);
        }
        Block::Coded { stream, escapes } => (stream, escapes),
    };
    let program =
        program.ok_or_else(|| Error::corrupt("a coded block in a file without a model").at(at))?;
    let mut rows = Rows::new(program, stream).map_err(|e| e.at(at))?;
    for _ in 0..want.start {
        rows.advance();
    }
    let latents = program.record.latents();
    let batch = batch(want.len(), width, latents);
    let mut y = vec![0; batch * latents];
    let mut e = vec![0; batch * width];
    let mut m = vec![0; batch * width];
    let mut first = want.start;
    for out in out.chunks_mut((batch * row_bytes).max(1)) {
        let count = out.len() / row_bytes;
        for i in 0..count {
            rows.advance();
            y[i * latents..(i + 1) * latents].copy_from_slice(&rows.latents);
            e[i * width..(i + 1) * width].copy_from_slice(&rows.residuals);
        }
        rows.check(at)?;
        program.network.predict(&y[..count * latents], &mut m[..count * width]);
        with_cell!(dtype, T => write::<T>(program, &m[..count * width], &e, out));
        first += count;
    }
    if first == place.rows {
        rows.coder.finish().map_err(|e| e.at(at))?;
    }
    block::restore(escapes, (place.rows * width, size), (room, at), first_cell, out)
}

/// Values of whole rows from predictions and residuals, as little-endian bytes.
fn write<T: Cell>(program: &Program, m: &[i32], e: &[i64], out: &mut [u8]) {
    let width = program.record.width();
    let mut row = vec![T::zeroed(); width];
    let rows = m.chunks_exact(width).zip(e.chunks_exact(width));
    for ((m, e), out) in rows.zip(out.chunks_exact_mut(width * T::DTYPE.size())) {
        for (range, grid) in &program.runs {
            let r = range.clone();
            let base = &program.record.base[r.clone()];
            values::<T>(grid, base, &m[r.clone()], &e[r.clone()], &mut row[r]);
        }
        if cfg!(target_endian = "little") {
            out.copy_from_slice(bytemuck::cast_slice(&row));
        } else {
            out.copy_from_slice(&to_little_endian(&row));
        }
    }
}

/// Latents of the rows `want` of a coded block; an exact block has none and gives zeros.
pub(crate) fn latents(
    program: &Program,
    bytes: &[u8],
    place: Place,
    want: Range<usize>,
    out: &mut Vec<i32>,
) -> Result<()> {
    let at = place.offset;
    match block::decode(bytes, place.row, at)? {
        Block::Exact { .. } => out.resize(out.len() + want.len() * program.record.latents(), 0),
        Block::Coded { stream, .. } => {
            let mut rows = Rows::new(program, stream).map_err(|e| e.at(at))?;
            for i in 0..want.end {
                rows.advance();
                if i >= want.start {
                    out.extend_from_slice(&rows.latents);
                }
            }
            rows.check(at)?;
        }
    }
    Ok(())
}

/// Bits that each row of a block takes. Rows of an exact block share its bytes evenly, values
/// stored exactly those of their list.
#[cfg(feature = "apps")]
pub(crate) fn bits(
    program: Option<&Program>,
    (cells, size): (usize, usize),
    bytes: &[u8],
    place: Place,
    room: u64,
) -> Result<Vec<f64>> {
    let at = place.offset;
    let (stream, escapes) = match block::decode(bytes, place.row, at)? {
        Block::Exact { packed } => {
            return Ok(vec![8.0 * packed.len() as f64 / place.rows as f64; place.rows]);
        }
        Block::Coded { stream, escapes } => (stream, escapes),
    };
    let program =
        program.ok_or_else(|| Error::corrupt("a coded block in a file without a model").at(at))?;
    let mut rows = Rows::new(program, stream).map_err(|e| e.at(at))?;
    let mut out = Vec::with_capacity(place.rows);
    for _ in 0..place.rows {
        let before = rows.coder.left();
        rows.advance();
        out.push((before - rows.coder.left()).max(0.0));
    }
    rows.check(at)?;
    let positions = block::positions(escapes, (cells, size), (room, at))?;
    let each = 8.0 * escapes.len() as f64 / positions.len().max(1) as f64;
    let width = (cells / place.rows).max(1);
    positions.iter().for_each(|p| out[*p / width] += each);
    Ok(out)
}

/// Latents of `count` rows that a stream of random bits decodes to: as likely as the model's
/// tables say. `random` gives 64 bits at a time.
#[cfg(feature = "apps")]
pub(crate) fn draw_latents(
    program: &Program,
    count: usize,
    random: &mut dyn FnMut() -> u64,
) -> Result<Vec<i32>> {
    let latents = program.record.latents();
    let mut out = Vec::with_capacity(count * latents);
    // Class and latents of a row take 64 bits each at the very most, and a few on average.
    let words = (count * (latents + 1)).div_ceil(2).max(64);
    while out.len() < count * latents {
        let mut stream = Vec::with_capacity(16 + 4 * words);
        for _ in 0..2 {
            stream.extend((random() >> 1 | 1 << 62).to_le_bytes());
        }
        (0..words).for_each(|_| stream.extend((random() as u32).to_le_bytes()));
        let mut rows = Rows::new(program, &stream)?;
        loop {
            rows.read_class();
            rows.read_latents();
            if rows.coder.overrun() || out.len() == count * latents {
                break;
            }
            out.extend_from_slice(&rows.latents);
        }
    }
    Ok(out)
}
