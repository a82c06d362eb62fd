//! Latents of parts side by side, read with vectors: what [`super::head`] says, for models whose rows hold
//! nothing else and predict none of them. That is the reference; both give the same numbers.

use super::context::LANES;
use super::quantisers::dequantise;
use crate::container::model::ModelRecord;
use crate::entropy::pool::{LAST_INCOMPLETE, Pool, incomplete};
use crate::entropy::rans::RansDecoder;
use crate::entropy::streams::Streams;
use crate::entropy::table::Table;
use crate::kernels::Isa;
use crate::kernels::run::{has_vectors, run_vectors};
use crate::kernels::vector::{Vector, VectorLoop};

/// Groups of lanes at most.
pub(super) const GROUPS: usize = 2;
/// The most latents that are read together, so that they stay in the cache.
pub(super) const MOST_LATENTS: usize = 1 << 17;
/// Tables at most: they take 3 KiB each.
const MOST_TABLES: usize = 1 << 10;
/// Classes at most: for each, one more number of each kind is chosen from.
const MOST_CLASSES: usize = 8;
/// Symbols are held to this: twice as much, and a mean, is still a number of 32 bits.
const LARGEST: i64 = 1 << 29;
/// The largest mean.
const LARGEST_MEAN: i64 = 1 << 28;
/// The largest clamp: a symbol that was held is beyond it whatever its mean.
const LARGEST_CLAMP: i64 = LARGEST - LARGEST_MEAN;

/// What the loop needs of a model: some 5 MiB at most for tables, and 12 bytes for each latent in each class.
#[derive(Debug, Clone)]
pub(super) struct SwiftLatents {
    pool: Pool,
    /// What is known of each latent in each class, class by class.
    known: Vec<Known>,
    clamps: Vec<i32>,
    /// The next state by state and parity, two places a state.
    next: [i32; LANES],
    /// The last state that uses the first quantiser.
    first_until: i32,
}

#[derive(Debug, Clone)]
struct Known {
    /// The table, or those of the first quantiser and of the second.
    tables: [i32; 2],
    mean: i32,
}

/// Parts to read.
pub(super) struct Work<'w, 'b> {
    pub(super) record: &'w ModelRecord,
    pub(super) tables: &'w [Table],
    /// Of each lane of one or more groups the decoder of a part; lanes that have none read that of the first
    /// once more.
    pub(super) coders: &'w mut [[RansDecoder<'b>; LANES]],
    /// Lanes that have a part of their own.
    pub(super) count: usize,
    /// Rows of each.
    pub(super) rows: usize,
    /// Room for the latents of all, part by part.
    pub(super) out: &'w mut [i32],
    /// Whether a row named a class that is not there.
    pub(super) stray: &'w mut bool,
}

impl SwiftLatents {
    /// Prepares a model with these tables, and with these states if latents are quantised dependently. Its
    /// numbers have to be small enough, and tables and classes few.
    pub(super) fn new(
        m: &ModelRecord,
        all: &[Table],
        states: Option<&[[u8; 2]; LANES / 2]>,
    ) -> Option<Self> {
        let (classes, count, sets) = (&m.classes, m.latents(), m.table_sets());
        if all.len() > MOST_TABLES || classes.count > MOST_CLASSES {
            return None;
        }
        let known = classes.means.iter().zip(classes.latent_tables.chunks_exact(sets));
        let known = known.map(|(&mean, tables)| {
            let mean = i32::try_from(mean).ok().filter(|m| i64::from(*m).abs() <= LARGEST_MEAN)?;
            let ends = [tables[0], tables[sets - 1]];
            Some(Known { tables: ends.map(|table| table as i32), mean })
        });
        let known: Vec<Known> = known.collect::<Option<_>>()?;
        let clamp = |&c: &i64| i32::try_from(c).ok().filter(|c| i64::from(*c) <= LARGEST_CLAMP);
        let clamps: Vec<i32> = m.latent_clamp.iter().map(clamp).collect::<Option<_>>()?;
        let mut next = [0; LANES];
        if let Some(states) = states {
            let places = states.as_flattened();
            next.iter_mut().zip(places).for_each(|(to, &from)| *to = i32::from(from));
        }
        debug_assert!(known.len() == classes.count * count && clamps.len() == count);
        let first_until = (m.trellis / 2) as i32 - 1;
        Some(Self { pool: Pool::new(all), known, clamps, next, first_until })
    }

    /// Says whether there are vectors for it.
    pub(super) fn is_possible() -> bool {
        has_vectors(Isa::chosen())
    }

    /// Reads the latents of parts.
    pub(super) fn read(&self, work: Work<'_, '_>, isa: Isa) {
        run_vectors(isa, Run { own: self, work });
    }
}

struct Run<'a, 'w, 'b> {
    own: &'a SwiftLatents,
    work: Work<'w, 'b>,
}

impl VectorLoop for Run<'_, '_, '_> {
    #[inline(always)]
    fn run<V: Vector>(self, isa: V::Isa) {
        let Self { own, work } = self;
        const { assert!(GROUPS == 2, "one group or all of them are read") };
        match work.coders.len() {
            1 => read_groups::<V, 1>(isa, own, work),
            _ => read_groups::<V, GROUPS>(isa, own, work),
        }
    }
}

/// Reads `G` lanes' parts in turn, so that one does not wait for the other.
#[inline(always)]
fn read_groups<V: Vector, const G: usize>(isa: V::Isa, own: &SwiftLatents, work: Work<'_, '_>) {
    let Work { record, tables, coders, count, rows, out, stray } = work;
    let Some(coders) = coders.first_chunk_mut::<G>() else { return };
    let latents = own.clamps.len();
    let classes = record.classes.count;
    let (zero, none) = (V::all(isa, 0), V::mask(isa, 0));
    let mut groups =
        [Group { streams: Streams::<V>::new(isa, &coders[0]), state: zero, first: zero }; G];
    for g in 0..G {
        let first = std::array::from_fn(|i| {
            let part = g * LANES + i;
            if part < count { (part * rows * latents) as i32 } else { 0 }
        });
        groups[g].streams = Streams::new(isa, &coders[g]);
        groups[g].first = V::load(isa, &first);
    }
    let mut class = [[0; LANES]; G];
    let mut masks = [[none; G]; MOST_CLASSES];
    for row in 0..rows {
        if classes > 1 {
            for g in 0..G {
                coders[g] = groups[g].streams.decoders();
                *stray |= read_classes(record, tables, (&mut coders[g], &mut class[g]));
                groups[g].streams = Streams::new(isa, &coders[g]);
                for (c, masks) in masks.iter_mut().enumerate().take(classes) {
                    masks[g] = V::mask(isa, lanes_of(&class[g], c));
                }
            }
        }
        for group in &mut groups {
            group.state = zero;
        }
        for k in 0..latents {
            let at = V::all(isa, (row * latents + k) as i32);
            for (g, group) in groups.iter_mut().enumerate() {
                let known = own.known::<V, G>(isa, k, &masks[..classes], g);
                let value = group.read(isa, own, tables, known);
                let clamp = V::all(isa, own.clamps[k]);
                let value = value.least(clamp).most(zero.minus(clamp));
                value.put(group.first.plus(at), out);
            }
        }
    }
    for g in 0..G {
        coders[g] = groups[g].streams.decoders();
    }
}

impl SwiftLatents {
    /// Returns what lanes know of latent `k`, by their classes: tables, and the mean.
    #[inline(always)]
    fn known<V: Vector, const G: usize>(
        &self,
        isa: V::Isa,
        k: usize,
        classes: &[[V::Mask; G]],
        g: usize,
    ) -> ([V; 2], V) {
        let Known { tables: [first, other], mean } = self.known[k];
        let (mut first, mut other) = (V::all(isa, first), V::all(isa, other));
        let mut mean = V::all(isa, mean);
        for (c, masks) in classes.iter().enumerate().skip(1) {
            let known = &self.known[c * self.clamps.len() + k];
            first = V::all(isa, known.tables[0]).or(masks[g], first);
            other = V::all(isa, known.tables[1]).or(masks[g], other);
            mean = V::all(isa, known.mean).or(masks[g], mean);
        }
        ([first, other], mean)
    }
}

/// A part in each lane.
#[derive(Clone, Copy)]
struct Group<'b, V> {
    streams: Streams<'b, V>,
    /// Where dependent quantisation is.
    state: V,
    /// Where the latents of each lane's first row go.
    first: V,
}

impl<V: Vector> Group<'_, V> {
    /// Reads the next latent in each lane, not yet clamped.
    #[inline(always)]
    fn read(
        &mut self,
        isa: V::Isa,
        own: &SwiftLatents,
        all: &[Table],
        ([first, other], mean): ([V; 2], V),
    ) -> V {
        let (zero, one) = (V::all(isa, 0), V::all(isa, 1));
        let is_dependent = own.first_until > 0;
        let is_second = self.state.is_above(V::all(isa, own.first_until));
        let tables = if is_dependent { other.or(is_second, first) } else { first };
        let mut symbols = self.streams.symbols(isa, &own.pool, tables);
        let mut completed = (V::mask(isa, 0), zero);
        let is_whole = V::bits(symbols.is_above(V::all(isa, LAST_INCOMPLETE)));
        if is_whole != (1 << LANES) - 1 {
            let mut coders = self.streams.decoders();
            let second = V::bits(is_second);
            let known = Lanes { tables: tables.array(), means: mean.array(), second, is_dependent };
            let mut numbers = symbols.array();
            let exact = complete(all, &known, &mut numbers, &mut coders);
            self.streams = Streams::new(isa, &coders);
            symbols = V::load(isa, &numbers);
            completed = (V::mask(isa, !is_whole), V::load(isa, &exact));
        }
        let largest = V::all(isa, LARGEST as i32);
        let mut value = symbols.least(largest).most(zero.minus(largest));
        if is_dependent {
            let odd = symbols.bit_and(one);
            self.state = self.state.plus(self.state).plus(odd).of(V::load(isa, &own.next));
            let sign = value.least(one).most(zero.minus(one));
            value = value.plus(value).minus(sign.or(is_second, zero));
        }
        completed.1.or(completed.0, value.plus(mean))
    }
}

/// What is known of a latent in each lane.
struct Lanes {
    tables: [i32; LANES],
    means: [i32; LANES],
    /// Lanes that use the second quantiser, a bit each.
    second: u32,
    is_dependent: bool,
}

/// Completes the numbers of entries that leave something open. Returns the latents of these, held to what any
/// clamp is below; of the numbers, only whether they are odd is left.
#[inline(never)]
fn complete(
    all: &[Table],
    known: &Lanes,
    numbers: &mut [i32; LANES],
    coders: &mut [RansDecoder<'_>; LANES],
) -> [i32; LANES] {
    let mut out = [0; LANES];
    for i in 0..LANES {
        let Some(entry) = incomplete(numbers[i]) else { continue };
        let table = &all[known.tables[i] as usize];
        let (number, after) = table.complete(entry, coders[i]);
        coders[i] = after;
        numbers[i] = (number & 1) as i32;
        let is_second = known.second >> i & 1 != 0;
        let value = if known.is_dependent { dequantise(number, is_second) } else { number };
        let value = value.wrapping_add(i64::from(known.means[i]));
        out[i] = value.clamp(-LARGEST, LARGEST) as i32;
    }
    out
}

/// Reads the class of the next row in each lane; says whether one of them is not there.
#[inline(never)]
fn read_classes(
    record: &ModelRecord,
    tables: &[Table],
    (coders, classes): (&mut [RansDecoder<'_>; LANES], &mut [usize; LANES]),
) -> bool {
    let m = &record.classes;
    let mut stray = false;
    for (class, coder) in classes.iter_mut().zip(coders) {
        let named = tables[m.next[*class]].decode(coder);
        let named = usize::try_from(named).unwrap_or(usize::MAX);
        stray |= named >= m.count;
        *class = named.min(m.count - 1);
    }
    stray
}

/// Returns a bit for each lane that is of a class.
fn lanes_of(classes: &[usize; LANES], class: usize) -> u32 {
    (0..LANES).filter(|&i| classes[i] == class).map(|i| 1 << i).sum()
}
