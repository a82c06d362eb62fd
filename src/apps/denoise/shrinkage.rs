//! Components of rows, each shrunk by the share of noise in it.

use super::gaps::Gaps;
use super::source::Block;
use super::spectrum::{Along, Spectrum, Tail};
use crate::apps::mixture::{self, Mixture};
use crate::error::Result;
use crate::linalg::{EigenPair, add_gram, multiply_rows, symmetric_eigen, transposed};
use std::ops::Range;

/// How often missing values are replaced by what the others say of them, at most, and the mean
/// square of their change, in that of all values, from which on they stay.
const PASSES: usize = 10;
const SETTLED: f64 = 1e-6;
/// Deviations by which correlations must exceed those of independent columns to mean something.
const SIGNIFICANT: f64 = 4.0;

/// What takes the noise out of the rows of a block.
pub(super) struct Shrunk {
    /// What stands for missing values.
    gaps: Gaps,
    frame: Frame,
    how: How,
    /// The rows of the block.
    pub(super) rows: usize,
    /// The variance of noise in each value.
    pub(super) noise: f64,
    /// Components that look like noise.
    pub(super) tail: usize,
    /// Components that are more than noise.
    pub(super) components: usize,
}

/// What rows without noise are.
enum How {
    /// Their components, each shrunk: the matrix that does it.
    Filtered(Vec<f64>),
    /// What the groups that they lie in say, by their coordinates along these directions.
    Grouped(Vec<f64>, Mixture),
}

impl Shrunk {
    /// Whether rows lie in groups, which have components of their own.
    pub(super) fn is_grouped(&self) -> bool {
        matches!(self.how, How::Grouped(..))
    }

    /// Fills the gaps of a piece; `rows` are those of the block.
    pub(super) fn fill(&self, rows: &Range<usize>, values: &mut [f64]) {
        self.gaps.fill(rows, values);
    }

    /// The values of a piece, which lack nothing, without noise.
    pub(super) fn apply(&self, values: &[f64]) -> Vec<f64> {
        let long = self.frame.long(values);
        match &self.how {
            How::Filtered(filter) => self.frame.filtered(&long, filter),
            How::Grouped(vectors, mixture) => {
                let along = along(&long, vectors, self.frame.short);
                let expected = mixture.expected(&along);
                self.frame.about_mean(multiply_rows(&expected, vectors, self.components))
            }
        }
    }
}

/// Finds what takes noise of one strength out of the rows of a block; missing ones are filled in meanwhile.
/// `None` where no noise can be told from what rows have in common.
///
/// `shares_unit` says that the columns' means can be compared: then rows that have nothing in common
/// but them may be noise about their mean. `given` is the variance of the noise, if it is known.
pub(super) fn shrink(
    block: &Block<'_>,
    shares_unit: bool,
    given: Option<f64>,
) -> Result<Option<Shrunk>> {
    let mut gaps = Gaps::new(block)?;
    let mut noise = given.unwrap_or(0.0);
    let passes = if gaps.is_empty() { 0 } else { PASSES };
    for _ in 0..passes {
        let Some(found) = Components::of(block, &gaps, noise)? else { return Ok(None) };
        let tail = found.tail(block, &gaps, given)?;
        noise = tail.map_or(found.spectrum.usual(), |tail| tail.variance);
        if found.refill(block, &mut gaps, noise)? {
            break;
        }
    }
    let Some(found) = Components::of(block, &gaps, noise)? else { return Ok(None) };
    let Some(tail) = found.tail(block, &gaps, given)? else { return Ok(None) };
    let factors = found.spectrum.factors(tail.variance);
    let components = factors.iter().filter(|f| **f > 0.0).count();
    let is_about_means = given.is_some() || shares_unit && is_about_means(&found.frame.mean, tail);
    if components == 0 && !is_about_means {
        return Ok(None);
    }
    if !shares_unit && !found.has_correlations() {
        // Spreads that are measured differently, as those of few whole numbers are, look like
        // components of their own.
        return Ok(None);
    }
    let how = match found.in_groups(block, &gaps, components, tail.variance)? {
        Some((vectors, mixture)) => How::Grouped(vectors, mixture),
        None => How::Filtered(filter(&found.pairs, &factors, found.frame.short)),
    };
    let looks_like_noise = found.spectrum.len() - tail.first;
    let Components { frame, .. } = found;
    let rows = block.rows.len();
    Ok(Some(Shrunk {
        gaps,
        frame,
        how,
        rows,
        noise: tail.variance,
        tail: looks_like_noise,
        components,
    }))
}

/// How rows become those of a matrix with no more columns than rows.
struct Frame {
    mean: Vec<f64>,
    /// The number of its columns: those of the rows are its rows where there are more of them.
    short: usize,
    is_wide: bool,
}

impl Frame {
    /// Rows of values that lack nothing, without the mean; columns as rows where there are more columns.
    fn long(&self, values: &[f64]) -> Vec<f64> {
        let mut centred = values.to_vec();
        for row in centred.chunks_exact_mut(self.mean.len()) {
            row.iter_mut().zip(&self.mean).for_each(|(x, m)| *x -= m);
        }
        if self.is_wide { transposed(&centred, self.mean.len()) } else { centred }
    }

    /// The rows of such a matrix, rows × columns, after it is multiplied by another.
    fn filtered(&self, long: &[f64], filter: &[f64]) -> Vec<f64> {
        let shrunk = multiply_rows(long, filter, self.short);
        self.about_mean(if self.is_wide { transposed(&shrunk, self.short) } else { shrunk })
    }

    /// Adds the mean to each row.
    fn about_mean(&self, mut values: Vec<f64>) -> Vec<f64> {
        for row in values.chunks_exact_mut(self.mean.len()) {
            row.iter_mut().zip(&self.mean).for_each(|(x, m)| *x += m);
        }
        values
    }
}

/// Rows as sums of components.
struct Components {
    frame: Frame,
    /// Products of the columns of the matrix that rows were made.
    products: Vec<f64>,
    /// The number of its rows.
    long: usize,
    pairs: Vec<EigenPair>,
    spectrum: Spectrum,
}

impl Components {
    /// Finds the components of rows whose `gaps` are filled in; what stands there has no noise, whose
    /// variance is `noise`.
    fn of(block: &Block<'_>, gaps: &Gaps, noise: f64) -> Result<Option<Self>> {
        let (count, width) = (block.rows.len(), block.source.width());
        let mut mean = vec![0.0; width];
        each_filled(block, gaps, |_, values| {
            for row in values.chunks_exact(width) {
                mean.iter_mut().zip(row).for_each(|(m, x)| *m += x);
            }
        })?;
        mean.iter_mut().for_each(|m| *m /= count.max(1) as f64);
        let is_wide = block.is_wide();
        let (long, short) = if is_wide { (width, count) } else { (count, width) };
        let frame = Frame { mean, short, is_wide };
        let mut products = vec![0.0; short * short];
        each_filled(block, gaps, |_, values| add_gram(&mut products, &frame.long(values), short))?;
        let mut with_noise = products.clone();
        for (k, n) in gaps.counts.iter().enumerate() {
            (0..*n).for_each(|_| with_noise[k * short + k] += noise);
        }
        let Some(pairs) = symmetric_eigen(&with_noise, short) else { return Ok(None) };
        let squares = pairs.iter().map(|p| p.value).collect();
        let spectrum = Spectrum::new(squares, count, width);
        Ok(Some(Self { frame, products, long, pairs, spectrum }))
    }

    /// Whether columns have anything in common: the sum of their squared correlations is more than
    /// that of independent columns. Taken for granted where there are more columns than rows.
    fn has_correlations(&self) -> bool {
        let (width, products) = (self.frame.short, &self.products);
        if self.frame.is_wide {
            return true;
        }
        let mut sum = 0.0;
        for i in 0..width {
            for j in 0..i {
                let squares = products[i * width + i] * products[j * width + j];
                sum += products[i * width + j].powi(2) / squares.max(f64::MIN_POSITIVE);
            }
        }
        let pairs = (width * width.saturating_sub(1)) as f64 / 2.0;
        sum * self.long as f64 > pairs + SIGNIFICANT * (2.0 * pairs).sqrt()
    }

    /// The components that look like noise, if its variance is not `given`.
    fn tail(&self, block: &Block<'_>, gaps: &Gaps, given: Option<f64>) -> Result<Option<Tail>> {
        if let Some(variance) = given {
            return Ok(Some(Tail { first: self.spectrum.len(), variance }));
        }
        let Some(tail) = self.spectrum.tail() else { return Ok(None) };
        let vectors = flat(&self.pairs[tail.first..self.spectrum.len()]);
        let mut seen = Along::new(self.spectrum.len() - tail.first);
        each_filled(block, gaps, |_, values| {
            seen.add(&along(&self.frame.long(values), &vectors, self.frame.short));
        })?;
        Ok(self.spectrum.corrected(tail, seen))
    }

    /// Fills gaps with what shrunk components say of them; whether that changed next to nothing.
    fn refill(&self, block: &Block<'_>, gaps: &mut Gaps, noise: f64) -> Result<bool> {
        let filter = filter(&self.pairs, &self.spectrum.factors(noise), self.frame.short);
        let (mut size, mut change) = (0.0, 0.0);
        block.each(|rows, values| {
            let mut filled = values.clone();
            gaps.fill(&rows, &mut filled);
            filled.iter().for_each(|x| size += x * x);
            let given = self.frame.filtered(&self.frame.long(&filled), &filter);
            change += gaps.take(&rows, &values, &given);
            Ok(())
        })?;
        Ok(change <= SETTLED * size)
    }

    /// What rows are expected to be from the groups that they lie in, by their coordinates along the first
    /// components, if that is nearer than shrunk components.
    fn in_groups(
        &self,
        block: &Block<'_>,
        gaps: &Gaps,
        components: usize,
        noise: f64,
    ) -> Result<Option<(Vec<f64>, Mixture)>> {
        if self.frame.is_wide || components == 0 {
            return Ok(None);
        }
        let vectors = flat(&self.pairs[..components]);
        let every = mixture::every(block.rows.len());
        let mut used = Vec::new();
        each_filled(block, gaps, |rows, values| {
            let along = along(&self.frame.long(values), &vectors, self.frame.short);
            let own = rows.clone().zip(along.chunks_exact(components));
            own.filter(|(i, _)| i % every == 0).for_each(|(_, row)| used.extend_from_slice(row));
        })?;
        Ok(mixture::found(&used, components, noise).map(|mixture| (vectors, mixture)))
    }
}

/// Reads the pieces of a block, their gaps filled.
fn each_filled(
    block: &Block<'_>,
    gaps: &Gaps,
    mut visit: impl FnMut(&Range<usize>, &[f64]),
) -> Result<()> {
    block.each(|rows, mut values| {
        gaps.fill(&rows, &mut values);
        visit(&rows, &values);
        Ok(())
    })
}

/// The vectors of components one after another.
fn flat(pairs: &[EigenPair]) -> Vec<f64> {
    pairs.iter().flat_map(|p| p.vector.iter().copied()).collect()
}

/// Coordinates of rows along vectors.
fn along(long: &[f64], vectors: &[f64], width: usize) -> Vec<f64> {
    multiply_rows(long, &transposed(vectors, width), width)
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
