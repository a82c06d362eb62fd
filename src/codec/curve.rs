//! A scale on which equal steps are equal shares of a number, in integers.
//!
//! Magnitudes are integers: of floats their bits without the sign. An octave of them, from a power of two
//! to the next, is cut into 64 segments of equal length, and the places of the scale lie evenly in each:
//! as many as its least number needs. Small integers are that far apart that none is taken for another.

use crate::container::compander::SHARE_BITS;
use crate::error::{Error, Result};

/// Segments of an octave, as a power of two: within one the places of its largest numbers lie closer than
/// they must, which takes 0.011 bits a number; with half as many 0.022.
const SEGMENT_BITS: u32 = 6;
/// Places of a scale are fewer than this: `f64` then has room for any of them, and for half a place.
const MOST_PLACES: u128 = 1 << 50;

/// What magnitudes count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Magnitudes {
    /// Integers below two to the power of this.
    Integers(u32),
    /// Floats with so many bits of significand.
    Floats(u32),
}

/// Magnitudes of which the places lie evenly.
#[derive(Debug, Clone, Copy)]
struct Segment {
    /// The first of them, and its place.
    start: u64,
    base: u64,
    /// How many there are, as a power of two, and how many places.
    length: u32,
    places: u64,
}

/// A scale.
#[derive(Debug, Clone)]
pub(crate) struct Curve {
    segments: Vec<Segment>,
    magnitudes: Magnitudes,
    /// The first segment of the last octave, which floats repeat with every exponent, and its places.
    last_octave: usize,
    octave_places: u64,
    /// The largest magnitude, and its place.
    most: u64,
    end: u64,
}

impl Curve {
    /// The scale of `cells` places between integers that must stay apart and a `share`, in
    /// `2^-SHARE_BITS`, for magnitudes up to `most`.
    ///
    /// # Errors
    /// `Corrupt` where there are more places than can be counted.
    pub(crate) fn new(magnitudes: Magnitudes, most: u64, cells: u64, share: u64) -> Result<Self> {
        let (octaves, halves) = match magnitudes {
            Magnitudes::Integers(bits) => (bits, 1),
            // A float may be rounded to one of the octave above, in steps of 2.
            Magnitudes::Floats(bits) => (bits + 1, 2),
        };
        let mut segments = vec![Segment { start: 0, base: 0, length: 0, places: cells }];
        let mut base = u128::from(cells);
        let mut last_octave = 0;
        for octave in 0..octaves {
            last_octave = segments.len();
            let length = octave.saturating_sub(SEGMENT_BITS);
            for i in 0..1_u64 << octave.min(SEGMENT_BITS) {
                let start = (1_u64 << octave) + (i << length);
                let one = 1_u128 << SHARE_BITS;
                let room = (2 * u128::from(share) * u128::from(start)).saturating_sub(halves * one);
                let needed = u128::from(cells) << (length + SHARE_BITS);
                let places = needed.div_ceil(room.max(one));
                if base + places > MOST_PLACES {
                    return Err(too_long());
                }
                segments.push(Segment { start, base: base as u64, length, places: places as u64 });
                base += places;
            }
        }
        let octave_places = base as u64 - segments[last_octave].base;
        let mut curve = Self { segments, magnitudes, last_octave, octave_places, most, end: 0 };
        let end = match magnitudes {
            Magnitudes::Integers(_) => base,
            Magnitudes::Floats(bits) => base + u128::from(most >> bits) * u128::from(octave_places),
        };
        if end > MOST_PLACES {
            return Err(too_long());
        }
        curve.end = curve.place(most);
        Ok(curve)
    }

    /// Returns the place of a magnitude, at most the largest.
    pub(crate) fn place(&self, magnitude: u64) -> u64 {
        let (within, octaves) = match self.magnitudes {
            Magnitudes::Floats(bits) if magnitude >> bits > 1 => {
                let octaves = (magnitude >> bits) - 1;
                (magnitude - (octaves << bits), octaves)
            }
            _ => (magnitude, 0),
        };
        let octave = within.max(1).ilog2();
        let length = octave.saturating_sub(SEGMENT_BITS);
        let at = (u64::from(length) << SEGMENT_BITS) + (within >> length);
        let Some(segment) = self.segments.get(at as usize) else { return self.end };
        let offset = u128::from(within - segment.start) * u128::from(segment.places);
        let half = (1_u128 << segment.length) >> 1;
        segment.base + ((offset + half) >> segment.length) as u64 + octaves * self.octave_places
    }

    /// Returns the magnitude nearest to a place.
    pub(crate) fn magnitude(&self, place: u64) -> u64 {
        let place = place.min(self.end);
        let last = &self.segments[self.last_octave];
        let (mut place, mut octaves, mut from) = (place, 0, 0);
        if place >= last.base {
            from = self.last_octave;
            if let Magnitudes::Floats(bits) = self.magnitudes {
                let (whole, rest) = (
                    (place - last.base) / self.octave_places,
                    (place - last.base) % self.octave_places,
                );
                (place, octaves) = (last.base + rest, whole << bits);
            }
        }
        let some = &self.segments[from..];
        let segment = &some[some.partition_point(|s| s.base <= place).saturating_sub(1)];
        // Rounded up, the last place of all would be beyond 64 bits.
        let within = segment.start.saturating_add(scaled(place - segment.base, segment));
        within.saturating_add(octaves).min(self.most)
    }
}

/// Returns `places` of a segment in magnitudes, to the nearest.
#[inline(always)]
fn scaled(places: u64, segment: &Segment) -> u64 {
    let Segment { length, places: all, .. } = *segment;
    if places.leading_zeros() > length {
        return ((places << length) + all / 2) / all;
    }
    ((((u128::from(places)) << length) + u128::from(all / 2)) / u128::from(all)) as u64
}

fn too_long() -> Error {
    Error::corrupt(format!("a scale of more than {MOST_PLACES} places"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELLS: u64 = 513;

    fn share(r: f64) -> u64 {
        (2.0 * r / (2.0 + r) * (1_u64 << SHARE_BITS) as f64) as u64 - 2
    }

    /// Checks that `x` comes back within `r` of it from all places that a model may give.
    fn check(curve: &Curve, x: u64, r: f64, value: impl Fn(u64) -> f64) {
        let half = CELLS / 2;
        let place = curve.place(x);
        for off in [0, 1, half / 3, half - 1, half] {
            for place in [place - off.min(place), place + off] {
                let y = curve.magnitude(place);
                let (x, y) = (value(x), value(y));
                assert!((x - y).abs() <= r * x, "{x} {y} at {r}");
            }
        }
    }

    #[test]
    fn every_half_stays_within_its_share() {
        let value = |u: u64| crate::matrix::F16(u as u16).to_f64();
        for r in [1e-6, 4e-4, 0.001, 0.003, 0.01, 0.07, 0.3, 0.9, 0.999] {
            let curve = Curve::new(Magnitudes::Floats(10), 0x7bff, CELLS, share(r)).unwrap();
            (0..=0x7bff).for_each(|u| check(&curve, u, r, value));
            assert!((1..=0x7bff).all(|u| curve.place(u) >= curve.place(u - 1)));
        }
    }

    #[test]
    fn every_small_integer_stays_within_its_share() {
        for bits in [8, 16] {
            for r in [1e-6, 4e-4, 0.001, 0.003, 0.01, 0.07, 0.3, 0.9, 0.999] {
                let most = (1 << bits) - 1;
                let curve = Curve::new(Magnitudes::Integers(bits), most, CELLS, share(r)).unwrap();
                (0..=most).for_each(|u| check(&curve, u, r, |u| u as f64));
            }
        }
    }

    #[test]
    fn large_magnitudes_stay_within_their_share() {
        // SplitMix64 (Steele, Lea and Flood 2014).
        let mut state = 7_u64;
        let mut random = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ mixed >> 31
        };
        for r in [1e-6, 1e-4, 0.003, 0.1, 0.6] {
            let floats = Curve::new(Magnitudes::Floats(23), 0x7f7f_ffff, CELLS, share(r)).unwrap();
            let doubles =
                Curve::new(Magnitudes::Floats(52), f64::MAX.to_bits(), CELLS, share(r)).unwrap();
            let wide = Curve::new(Magnitudes::Integers(64), u64::MAX, CELLS, share(r)).unwrap();
            for i in 0..20_000_u32 {
                let u = random() >> (i % 32);
                check(&floats, u % 0x7f80_0000, r, |u| f64::from(f32::from_bits(u as u32)));
                check(&doubles, u.min(f64::MAX.to_bits()), r, f64::from_bits);
                // Whose own rounding to `f64` is no part of the promise.
                check(&wide, u, r + 1e-15, |u| u as f64);
            }
        }
    }

    #[test]
    fn a_scale_of_too_many_places_is_refused() {
        assert!(Curve::new(Magnitudes::Integers(64), u64::MAX, 1023, 1).is_err());
        assert!(Curve::new(Magnitudes::Floats(52), f64::MAX.to_bits(), CELLS, 1).is_err());
        assert!(Curve::new(Magnitudes::Floats(23), 0x7f7f_ffff, 1, 1).is_ok());
    }

    #[test]
    fn a_number_takes_little_more_than_it_must() {
        for r in [1e-5, 1e-3, 0.01, 0.1] {
            let curve =
                Curve::new(Magnitudes::Floats(52), f64::MAX.to_bits(), CELLS, share(r)).unwrap();
            let octave = curve.place(2_f64.to_bits()) - curve.place(1_f64.to_bits());
            // The widest cells that keep the share, each as wide as 1 + r is to 1 - r.
            let least = 2_f64.ln() / ((1.0 + r) / (1.0 - r)).ln();
            let more = (octave as f64 / CELLS as f64 / least).log2();
            assert!((0.0..0.02 + r).contains(&more), "{more} bits at {r}");
        }
    }
}
