//! Random numbers that are the same everywhere for the same seed.
//!
//! xoshiro256++ (Blackman and Vigna 2021, *Scrambled linear pseudorandom number generators*),
//! its state filled by SplitMix64 as its authors advise. Not for secrets.

/// A generator.
#[derive(Debug, Clone)]
pub(crate) struct Rng([u64; 4]);

impl Rng {
    /// Makes the generator of `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        let mut state = seed;
        Self(std::array::from_fn(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }))
    }

    /// Draws 64 random bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        let s = &mut self.0;
        let out = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        out
    }

    /// Draws a multiple of 2⁻²⁴ in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 * (1.0 / (1 << 24) as f32)
    }

    /// Draws a number below `n`, each as likely (Lemire 2019, *Fast random integer generation in an
    /// interval*).
    ///
    /// # Panics
    /// If `n` is 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        // As many low words are refused as make the rest a multiple of `n`.
        let refused = n.wrapping_neg() % n;
        loop {
            let wide = u128::from(self.next_u64()) * u128::from(n);
            if wide as u64 >= refused {
                return (wide >> 64) as usize;
            }
        }
    }

    /// Draws a number of the normal distribution with mean 0 and variance 1, from comparisons
    /// alone, so that no rounding of a logarithm is in it: `|x|` is exponential, taken with
    /// probability `exp(−(|x| − 1)²/2)` (Kahn's method; Karney 2016, *Sampling exactly from the
    /// normal distribution*).
    pub(crate) fn normal(&mut self) -> f32 {
        loop {
            let (x, y) = (self.exponential(), self.exponential());
            if 2.0 * y > (x - 1.0) * (x - 1.0) {
                let negative = self.next_u64() >> 63 == 1;
                return if negative { -x as f32 } else { x as f32 };
            }
        }
    }

    /// Draws a number of the exponential distribution with mean 1: of a run of falling uniform numbers
    /// that starts with `u`, the length is odd with probability `exp(−u)` (von Neumann 1951,
    /// *Various techniques used in connection with random digits*).
    fn exponential(&mut self) -> f64 {
        let mut whole = 0.0;
        loop {
            let first = self.next_u64() >> 11;
            let (mut last, mut odd) = (first, true);
            loop {
                let next = self.next_u64() >> 11;
                if next >= last {
                    break;
                }
                last = next;
                odd = !odd;
            }
            if odd {
                return whole + first as f64 * (1.0 / (1_u64 << 53) as f64);
            }
            whole += 1.0;
        }
    }

    /// Puts `items` into a random order.
    pub(crate) fn shuffle(&mut self, items: &mut [usize]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_pinned() {
        // The authors' C, seeded in the same way with 0.
        let mut rng = Rng::new(0);
        let first: Vec<u64> = (0..3).map(|_| rng.next_u64()).collect();
        assert_eq!(first, [0x53175d61490b23df, 0x61da6f3dc380d507, 0x5c0fdf91ec9a7bfc]);
        let mut rng = Rng::new(7);
        let normal: Vec<u32> = (0..3).map(|_| rng.normal().to_bits()).collect();
        let mut again = Rng::new(7);
        assert_eq!(normal, [(); 3].map(|()| again.normal().to_bits()));
    }

    #[test]
    fn uniform_numbers_fill_their_range() {
        let mut rng = Rng::new(1);
        let mut counts = [0; 7];
        let mut sum = 0.0;
        for _ in 0..70_000 {
            counts[rng.below(7)] += 1;
            let u = rng.unit();
            assert!((0.0..1.0).contains(&u));
            sum += f64::from(u);
        }
        assert!(counts.iter().all(|n| (9_600..10_400).contains(n)), "{counts:?}");
        assert!((sum / 70_000.0 - 0.5).abs() < 0.005);
        assert_eq!(rng.below(1), 0);
    }

    #[test]
    fn normal_numbers_have_the_moments_and_tails_of_theirs() {
        let mut rng = Rng::new(2);
        let n = 400_000;
        let values: Vec<f64> = (0..n).map(|_| f64::from(rng.normal())).collect();
        let moment = |k: i32| values.iter().map(|x| x.powi(k)).sum::<f64>() / f64::from(n);
        assert!(moment(1).abs() < 0.008, "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.012, "{}", moment(2));
        assert!(moment(3).abs() < 0.03, "{}", moment(3));
        assert!((moment(4) - 3.0).abs() < 0.08, "{}", moment(4));
        for (limit, share) in [(0.5, 0.382925), (1.0, 0.682689), (2.0, 0.954500), (3.0, 0.997300)] {
            let inside = values.iter().filter(|x| x.abs() < limit).count() as f64 / f64::from(n);
            assert!((inside - share).abs() < 0.004, "{limit}: {inside}");
        }
    }

    #[test]
    fn shuffling_keeps_all_and_moves_them() {
        let mut rng = Rng::new(3);
        let mut items: Vec<usize> = (0..100).collect();
        rng.shuffle(&mut items);
        let unmoved = items.iter().enumerate().filter(|(i, x)| i == *x).count();
        assert!(unmoved < 10);
        items.sort_unstable();
        assert!(items.iter().enumerate().all(|(i, x)| i == *x));
    }
}
