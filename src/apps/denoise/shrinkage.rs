//! Components of rows, each shrunk by the share of noise in it.

use super::mixture;
use super::spectrum::{Spectrum, Tail};
use crate::linalg::{EigenPair, gram, multiply_rows, symmetric_eigen, transposed};

/// How often missing values are replaced by what the others say of them, at most, and the mean
/// square of their change, in that of all values, from which on they stay.
const PASSES: usize = 10;
const SETTLED: f64 = 1e-6;
/// Deviations by which correlations must exceed those of independent columns to mean something.
const SIGNIFICANT: f64 = 4.0;

/// Rows without their noise.
pub(super) struct Shrunk {
    /// Rows × columns.
    pub(super) values: Vec<f64>,
    /// Whether rows lie in groups, which have components of their own.
    pub(super) is_grouped: bool,
    /// The variance of noise in each value.
    pub(super) noise: f64,
    /// Components that look like noise.
    pub(super) tail: usize,
    /// Components that are more than noise.
    pub(super) components: usize,
}

/// Takes noise of one strength out of rows; those `missing` are filled in meanwhile. `None` where no
/// noise can be told from what rows have in common.
///
/// `shares_unit` says that the columns' means can be compared: then rows that have nothing in common
/// but them may be noise about their mean.
pub(super) fn shrink(
    rows: &[f64],
    missing: &[bool],
    width: usize,
    shares_unit: bool,
) -> Option<Shrunk> {
    let gaps: Vec<usize> = (0..rows.len()).filter(|&at| missing[at]).collect();
    let mut filled = rows.to_vec();
    let known = means(rows, missing, width);
    gaps.iter().for_each(|&at| filled[at] = known[at % width]);
    let mut noise = 0.0;
    let passes = if gaps.is_empty() { 0 } else { PASSES };
    for _ in 0..passes {
        let found = Components::of(&filled, &gaps, noise, width)?;
        noise = found.tail().map_or(found.spectrum.usual(), |tail| tail.variance);
        let given = found.shrunk(&found.spectrum.factors(noise));
        let size: f64 = filled.iter().map(|x| x * x).sum();
        let mut change = 0.0;
        for &at in &gaps {
            change += (filled[at] - given[at]).powi(2);
            filled[at] = given[at];
        }
        if change <= SETTLED * size {
            break;
        }
    }
    let found = Components::of(&filled, &gaps, noise, width)?;
    let tail = found.tail()?;
    let factors = found.spectrum.factors(tail.variance);
    let components = factors.iter().filter(|f| **f > 0.0).count();
    if components == 0 && !(shares_unit && is_about_means(&found.mean, tail)) {
        return None;
    }
    if !shares_unit && !found.has_correlations() {
        // Spreads that are measured differently, as those of few whole numbers are, look like
        // components of their own.
        return None;
    }
    let in_groups = found.in_groups(components, tail.variance);
    Some(Shrunk {
        is_grouped: in_groups.is_some(),
        values: in_groups.unwrap_or_else(|| found.shrunk(&factors)),
        noise: tail.variance,
        tail: found.spectrum.len() - tail.first,
        components,
    })
}

/// The mean of each column's values that are there, 0 where there are none.
fn means(rows: &[f64], missing: &[bool], width: usize) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); width];
    for (row, missing) in rows.chunks_exact(width).zip(missing.chunks_exact(width)) {
        for ((sum, x), _) in sums.iter_mut().zip(row).zip(missing).filter(|(_, m)| !**m) {
            *sum = (sum.0 + x, sum.1 + 1.0);
        }
    }
    sums.iter().map(|(sum, n)| if *n > 0.0 { sum / n } else { 0.0 }).collect()
}

/// Rows as sums of components.
struct Components {
    mean: Vec<f64>,
    /// Rows without the mean, `rows × short`; columns as rows where there are more columns.
    long: Vec<f64>,
    short: usize,
    is_wide: bool,
    pairs: Vec<EigenPair>,
    spectrum: Spectrum,
}

impl Components {
    /// Finds the components of rows that lack nothing; those values at the places `gaps` were filled
    /// in, and have no noise, whose variance is `noise`.
    fn of(rows: &[f64], gaps: &[usize], noise: f64, width: usize) -> Option<Self> {
        let count = rows.len() / width;
        let mean = means(rows, &vec![false; rows.len()], width);
        let mut centred = rows.to_vec();
        for row in centred.chunks_exact_mut(width) {
            row.iter_mut().zip(&mean).for_each(|(x, m)| *x -= m);
        }
        let is_wide = width > count;
        let (long, short) =
            if is_wide { (transposed(&centred, width), count) } else { (centred, width) };
        let mut products = gram(&long, short);
        for at in gaps {
            let k = if is_wide { at / width } else { at % width };
            products[k * short + k] += noise;
        }
        let pairs = symmetric_eigen(&products, short)?;
        let squares = pairs.iter().map(|p| p.value).collect();
        let spectrum = Spectrum::new(squares, count, width);
        Some(Self { mean, long, short, is_wide, pairs, spectrum })
    }

    /// Whether columns have anything in common: the sum of their squared correlations is more than
    /// that of independent columns. Taken for granted where there are more columns than rows.
    fn has_correlations(&self) -> bool {
        let (width, rows) = (self.short, self.long.len() / self.short.max(1));
        if self.is_wide {
            return true;
        }
        let products = gram(&self.long, width);
        let mut sum = 0.0;
        for i in 0..width {
            for j in 0..i {
                let squares = products[i * width + i] * products[j * width + j];
                sum += products[i * width + j].powi(2) / squares.max(f64::MIN_POSITIVE);
            }
        }
        let pairs = (width * width.saturating_sub(1)) as f64 / 2.0;
        sum * rows as f64 > pairs + SIGNIFICANT * (2.0 * pairs).sqrt()
    }

    /// The components that look like noise.
    fn tail(&self) -> Option<Tail> {
        let tail = self.spectrum.tail()?;
        let noise = self.pairs[tail.first..self.spectrum.len()].iter();
        let vectors: Vec<f64> = noise.flat_map(|p| p.vector.iter().copied()).collect();
        let along = multiply_rows(&self.long, &transposed(&vectors, self.short), self.short);
        self.spectrum.corrected(tail, &along)
    }

    /// The rows, rows × columns, with each component multiplied by its factor.
    fn shrunk(&self, factors: &[f64]) -> Vec<f64> {
        let filter = filter(&self.pairs, factors, self.short);
        let shrunk = multiply_rows(&self.long, &filter, self.short);
        self.about_mean(if self.is_wide { transposed(&shrunk, self.short) } else { shrunk })
    }

    /// The rows as they are expected to be from the groups that they lie in, by their coordinates
    /// along the first components, if that is nearer than [`Self::shrunk`].
    fn in_groups(&self, components: usize, noise: f64) -> Option<Vec<f64>> {
        if self.is_wide || components == 0 {
            return None;
        }
        let first = self.pairs.iter().take(components);
        let vectors: Vec<f64> = first.flat_map(|p| p.vector.iter().copied()).collect();
        let along = multiply_rows(&self.long, &transposed(&vectors, self.short), self.short);
        let expected = mixture::expected(&along, components, noise)?;
        Some(self.about_mean(multiply_rows(&expected, &vectors, components)))
    }

    /// Adds the mean to each row.
    fn about_mean(&self, mut values: Vec<f64>) -> Vec<f64> {
        for row in values.chunks_exact_mut(self.mean.len()) {
            row.iter_mut().zip(&self.mean).for_each(|(x, m)| *x += m);
        }
        values
    }
}

/// The matrix that multiplies each component by its factor: `size × size`.
fn filter(pairs: &[EigenPair], factors: &[f64], size: usize) -> Vec<f64> {
    let kept = || pairs.iter().zip(factors).filter(|(_, f)| **f > 0.0);
    let vectors: Vec<f64> = kept().flat_map(|(p, _)| p.vector.iter().copied()).collect();
    let scaled: Vec<f64> = kept().flat_map(|(p, f)| p.vector.iter().map(move |x| x * f)).collect();
    let count = kept().count();
    if count == 0 {
        return vec![0.0; size * size];
    }
    multiply_rows(&transposed(&vectors, size), &scaled, count)
}

/// Whether the columns' means differ by more than the noise.
fn is_about_means(mean: &[f64], tail: Tail) -> bool {
    let n = mean.len() as f64;
    let centre = mean.iter().sum::<f64>() / n;
    mean.iter().map(|m| (m - centre).powi(2)).sum::<f64>() / n > tail.variance
}
