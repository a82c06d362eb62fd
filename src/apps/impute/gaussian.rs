//! What a normal distribution says of missing values, given the others of the row.

use super::table::View;
use crate::linalg::{cross_products, inverse, multiply};
use rayon::prelude::*;

/// Rounds of expectation and maximisation, at most. Each takes away the share of what is wrong that
/// is not missing from the data, and fewer where a distribution is there to start from.
const ROUNDS: usize = 15;
const MORE_ROUNDS: usize = 6;
/// Missing values stay where they are once they move by this share of a deviation.
const SETTLED: f64 = 1e-5;
/// Rows that are worked on at once: enough for products of matrices to run at full speed, and few
/// enough for all threads to have some.
pub(super) const ROWS_AT_ONCE: usize = 256;
/// Parts whose sums, of width × width, are held at once.
const PARTS_AT_ONCE: usize = 8;
/// Rows to fit to, at most: a correlation is then known to half a hundredth.
const MOST_ROWS: usize = 1 << 15;
/// Multiplications that a fit may take: a few seconds on one core. With fewer rows it takes fewer,
/// but no fewer than so many for each column, where there are.
const MOST_WORK: f64 = 6e9;
const ROWS_PER_COLUMN: usize = 4;
/// A row whose squared distance from the mean, in deviations and for each known value, is so many
/// times what it is on average counts less: it belongs to another distribution. But then only few
/// may: the distance is at least so many times that which one row in so many exceeds.
const FAR: f64 = 30.0;
const FARTHER: f64 = 4.0;
const ONE_IN: usize = 50;

/// A normal distribution of rows.
#[derive(Debug, Clone)]
pub(super) struct Gaussian {
    pub(super) mean: Vec<f64>,
    /// The inverse of the covariance, width × width.
    pub(super) precision: Vec<f64>,
}

/// What a part of the rows adds to the sums from which the next distribution is made.
struct Sums {
    /// Squared distance of each row that has values, for each of them.
    distances: Vec<f64>,
    weight: f64,
    values: Vec<f64>,
    products: Vec<f64>,
    change: f64,
}

impl Gaussian {
    pub(super) fn width(&self) -> usize {
        self.mean.len()
    }

    /// The most likely distribution of rows of which parts are missing, by expectation
    /// maximisation (Dempster, Laird and Rubin 1977, *Maximum likelihood from incomplete data via
    /// the EM algorithm*), from `start` on, if there. `ridge` is added to all variances, which are
    /// 1 before. `None` if more is missing than there is time for, or there is too little to learn
    /// from.
    pub(super) fn fit(rows: View<'_>, ridge: f64, start: Option<&Self>) -> Option<Self> {
        let width = rows.width();
        let mut values = sampled(rows)?;
        let gaps: Vec<bool> = values.iter().map(|x| x.is_nan()).collect();
        let rounds = if start.is_some() { MORE_ROUNDS } else { ROUNDS };
        let mut own = match start {
            Some(start) => start.clone(),
            None => {
                let precision = first_precision(&values, width, ridge)?;
                Self { mean: vec![0.0; width], precision }
            }
        };
        let mut far = f64::INFINITY;
        values.iter_mut().filter(|x| x.is_nan()).for_each(|x| *x = 0.0);
        let missing = gaps.iter().filter(|m| **m).count().max(1) as f64;
        let size = ROWS_AT_ONCE * width;
        for _ in 0..rounds {
            let mut all = Sums::new(width);
            for (values, gaps) in
                values.chunks_mut(PARTS_AT_ONCE * size).zip(gaps.chunks(PARTS_AT_ONCE * size))
            {
                let parts = values.par_chunks_mut(size).zip(gaps.par_chunks(size));
                let parts: Vec<Sums> = parts.map(|(v, g)| own.expect(v, g, far)).collect();
                parts.iter().for_each(|part| all.add(part));
            }
            own.maximise(&all, ridge)?;
            far = all.far();
            if all.change <= SETTLED * SETTLED * missing {
                break;
            }
        }
        Some(own)
    }

    /// Fills the gaps of rows, and sums what the next distribution is made from.
    fn expect(&self, values: &mut [f64], gaps: &[bool], far: f64) -> Sums {
        let width = self.width();
        let mut sums = Sums::new(width);
        let mut deviations = self.deviations(values, gaps);
        let products = multiply(&deviations, &self.precision, width);
        let mut system = System::default();
        for (i, row) in deviations.chunks_exact_mut(width).enumerate() {
            let range = i * width..(i + 1) * width;
            let products = &products[range.clone()];
            let missing = places(&gaps[range.clone()]);
            if missing.len() == width {
                row.fill(0.0);
                continue;
            }
            let solved = system.solve(&self.precision, products, &missing, row);
            let distance: f64 = row.iter().zip(products).map(|(x, y)| x * y).sum();
            let distance = distance / (width - missing.len()) as f64;
            sums.distances.push(distance);
            let weight = if distance > far { (far / distance).powi(2) } else { 1.0 };
            for &j in &missing {
                let now = row[j] + self.mean[j];
                sums.change += (now - values[range.start + j]).powi(2);
                values[range.start + j] = now;
            }
            if solved {
                system.add_inverse(&missing, weight, width, &mut sums.products);
            }
            sums.weight += weight;
            sums.values.iter_mut().zip(&*row).for_each(|(s, x)| *s += weight * x);
            row.iter_mut().for_each(|x| *x *= weight.sqrt());
        }
        let products = cross_products(&deviations, width);
        sums.products.iter_mut().zip(products).for_each(|(s, p)| *s += p);
        sums
    }

    /// Rows as deviations from the mean, with 0 for what is missing.
    fn deviations(&self, values: &[f64], gaps: &[bool]) -> Vec<f64> {
        let means = self.mean.iter().cycle();
        let all = values.iter().zip(gaps).zip(means);
        all.map(|((x, gap), mean)| if *gap { 0.0 } else { x - mean }).collect()
    }

    /// Makes the distribution that the sums belong to.
    fn maximise(&mut self, sums: &Sums, ridge: f64) -> Option<()> {
        let width = self.width();
        if sums.weight <= 0.0 {
            return None;
        }
        let shift: Vec<f64> = sums.values.iter().map(|s| s / sums.weight).collect();
        let mut covariance = vec![0.0; width * width];
        for (at, c) in covariance.iter_mut().enumerate() {
            let (i, j) = (at / width, at % width);
            // Both halves, so that rounding leaves it symmetric.
            let product = (sums.products[at] + sums.products[j * width + i]) / 2.0;
            *c = product / sums.weight - shift[i] * shift[j];
            if i == j {
                *c += ridge;
            }
        }
        self.precision = inverse(&covariance, width)?;
        self.mean.iter_mut().zip(shift).for_each(|(m, s)| *m += s);
        Some(())
    }

    /// Rows with their missing values, which are NaN, filled in.
    pub(super) fn complete(&self, rows: &[f64]) -> Vec<f64> {
        let width = self.width();
        let gaps: Vec<bool> = rows.iter().map(|x| x.is_nan()).collect();
        let mut out = self.deviations(rows, &gaps);
        let products = multiply(&out, &self.precision, width);
        let mut system = System::default();
        for (i, row) in out.chunks_exact_mut(width).enumerate() {
            let range = i * width..(i + 1) * width;
            let missing = places(&gaps[range.clone()]);
            system.solve(&self.precision, &products[range], &missing, row);
        }
        out.iter_mut().zip(self.mean.iter().cycle()).for_each(|(x, mean)| *x += mean);
        out.iter_mut().zip(rows).filter(|(_, x)| !x.is_nan()).for_each(|(y, x)| *y = *x);
        out
    }

    /// How far value `j` of a complete row is from what the others make of it.
    pub(super) fn surprise(&self, row: &[f64], j: usize) -> f64 {
        let width = self.width();
        let precision = &self.precision[j * width..(j + 1) * width];
        let sum: f64 =
            precision.iter().zip(row).zip(&self.mean).map(|((k, x), mean)| k * (x - mean)).sum();
        sum / precision[j]
    }

    /// How much each other value says of value `j`: the sizes of their partial correlations.
    pub(super) fn relevance(&self, j: usize) -> Vec<f64> {
        let width = self.width();
        let own = self.precision[j * width + j];
        let partial = |k: usize| {
            let scale = (own * self.precision[k * width + k]).sqrt();
            (self.precision[j * width + k] / scale).abs().min(1.0)
        };
        (0..width).map(|k| if k == j { 0.0 } else { partial(k) }).collect()
    }
}

impl Sums {
    fn new(width: usize) -> Self {
        Self {
            distances: Vec::new(),
            weight: 0.0,
            values: vec![0.0; width],
            products: vec![0.0; width * width],
            change: 0.0,
        }
    }

    fn add(&mut self, other: &Self) {
        self.distances.extend(&other.distances);
        self.weight += other.weight;
        self.change += other.change;
        self.values.iter_mut().zip(&other.values).for_each(|(a, b)| *a += b);
        self.products.iter_mut().zip(&other.products).for_each(|(a, b)| *a += b);
    }

    /// From which distance on rows count less.
    fn far(&self) -> f64 {
        let mut distances = self.distances.clone();
        distances.sort_unstable_by(f64::total_cmp);
        let usual = distances.len().saturating_sub(1 + distances.len() / ONE_IN);
        distances.get(usual).map_or(FAR, |d| FAR.max(FARTHER * d))
    }
}

/// The places of what is missing.
pub(super) fn places(gaps: &[bool]) -> Vec<usize> {
    (0..gaps.len()).filter(|&j| gaps[j]).collect()
}

/// Rows to fit to, evenly spread: as many as there is time for.
fn sampled(rows: View<'_>) -> Option<Vec<f64>> {
    let (count, width) = (rows.table.rows(), rows.width());
    // The factor of 3 is for the inverse of what belongs to the gaps of a row.
    let of_row = |row: &[f64]| {
        let gaps = row.iter().filter(|x| x.is_nan()).count() as f64;
        3.0 * gaps.powi(3) + 2.0 * (width * width) as f64
    };
    let probe = count.min(MOST_ROWS);
    let work: f64 = (0..probe).map(|k| of_row(&rows.row(k * count / probe))).sum();
    let each = ROUNDS as f64 * work / probe.max(1) as f64;
    let most = ((MOST_WORK / each) as usize).min(MOST_ROWS).min(count);
    let enough = count.min(ROWS_PER_COLUMN * width);
    if most < enough || most == 0 {
        return None;
    }
    let mut values = Vec::with_capacity(most * width);
    (0..most).for_each(|k| values.extend_from_slice(&rows.row(k * count / most)));
    Some(values)
}

/// The precision that the first round starts from: gaps are 0, the mean, and vary by 1.
fn first_precision(values: &[f64], width: usize, ridge: f64) -> Option<Vec<f64>> {
    let count = values.len() / width;
    let known: Vec<f64> = values.iter().map(|x| if x.is_nan() { 0.0 } else { *x }).collect();
    let mut covariance = vec![0.0; width * width];
    for part in known.chunks(MOST_ROWS / PARTS_AT_ONCE * width) {
        let products = cross_products(part, width);
        covariance.iter_mut().zip(products).for_each(|(c, p)| *c += p / count as f64);
    }
    for j in 0..width {
        let gaps = values.iter().skip(j).step_by(width).filter(|x| x.is_nan()).count();
        covariance[j * width + j] += ridge + gaps as f64 / count as f64;
    }
    inverse(&covariance, width)
}

/// The part of the precision that belongs to the gaps of a row, as its triangle.
#[derive(Default)]
pub(super) struct System {
    lower: Vec<f64>,
}

impl System {
    /// Sets the missing values of `row`, deviations, to what the known ones make likely; they stay
    /// 0 where rounding leaves nothing to solve. `products` are the known ones times the precision.
    pub(super) fn solve(
        &mut self,
        precision: &[f64],
        products: &[f64],
        missing: &[usize],
        row: &mut [f64],
    ) -> bool {
        if !self.prepare(precision, missing, row.len()) {
            return false;
        }
        let mut x: Vec<f64> = missing.iter().map(|&j| -products[j]).collect();
        self.substitute(&mut x, 0);
        missing.iter().zip(x).for_each(|(&j, x)| row[j] = x);
        true
    }

    /// Takes the part of a precision, `width` × `width`, that belongs to what is missing; false where rounding leaves
    /// nothing to solve.
    pub(super) fn prepare(&mut self, precision: &[f64], missing: &[usize], width: usize) -> bool {
        self.lower.clear();
        for &i in missing {
            self.lower.extend(missing.iter().map(|&j| precision[i * width + j]));
        }
        self.factorise(missing.len())
    }

    /// Cholesky's triangle, in place.
    fn factorise(&mut self, n: usize) -> bool {
        for i in 0..n {
            for j in 0..=i {
                let (a, b) = (&self.lower[i * n..i * n + j], &self.lower[j * n..j * n + j]);
                let rest = self.lower[i * n + j] - dot(a, b);
                if i != j {
                    self.lower[i * n + j] = rest / self.lower[j * n + j];
                } else if rest > 0.0 && rest.is_finite() {
                    self.lower[i * n + i] = rest.sqrt();
                } else {
                    return false;
                }
            }
        }
        true
    }

    /// Solves for `x`, whose first `zeros` entries are 0.
    fn substitute(&self, x: &mut [f64], zeros: usize) {
        let n = x.len();
        for i in zeros..n {
            let row = &self.lower[i * n..(i + 1) * n];
            x[i] = (x[i] - dot(&row[zeros..i], &x[zeros..i])) / row[i];
        }
        self.substitute_back(x);
    }

    /// Makes of independent numbers of variance 1 such as vary together like what is missing.
    pub(super) fn substitute_back(&self, x: &mut [f64]) {
        let n = x.len();
        for i in (0..n).rev() {
            let (row, (above, own)) = (&self.lower[i * n..(i + 1) * n], x[..=i].split_at_mut(i));
            own[0] /= row[i];
            above.iter_mut().zip(row).for_each(|(x, l)| *x -= l * own[0]);
        }
    }

    /// Returns the variance of each missing value.
    pub(super) fn variances(&self, count: usize) -> Vec<f64> {
        let mut x = vec![0.0; count];
        let of = |k: usize| {
            x.fill(0.0);
            x[k] = 1.0;
            self.substitute(&mut x, k);
            x[k]
        };
        (0..count).map(of).collect()
    }

    /// Adds the inverse, which is how much the missing values may vary, to `sum`, width × width.
    fn add_inverse(&self, missing: &[usize], weight: f64, width: usize, sum: &mut [f64]) {
        let mut x = vec![0.0; missing.len()];
        for (k, &j) in missing.iter().enumerate() {
            x.fill(0.0);
            x[k] = 1.0;
            self.substitute(&mut x, k);
            missing.iter().zip(&x).for_each(|(&i, x)| sum[j * width + i] += weight * x);
        }
    }
}

/// The inner product, summed in four strands that are worked on at once.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let mut sums = [0.0; 4];
    for (a, b) in a.0.iter().zip(b.0) {
        (0..4).for_each(|k| sums[k] += a[k] * b[k]);
    }
    let last: f64 = a.1.iter().zip(b.1).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::impute::table::Table;
    use crate::matrix::rng::Rng;

    /// Rows of three latents in eight columns, with noise; a tenth is missing.
    fn low_rank(rows: usize, noise: f64) -> (Vec<f64>, Vec<f64>) {
        let mut rng = Rng::new(5);
        let mut normal = || f64::from(rng.normal());
        let directions: Vec<f64> = (0..24).map(|_| normal()).collect();
        let mut whole = Vec::new();
        for _ in 0..rows {
            let latents = [normal(), normal(), normal()];
            for j in 0..8 {
                let sum: f64 = (0..3).map(|k| latents[k] * directions[8 * k + j]).sum();
                whole.push(sum + noise * normal());
            }
        }
        let gaps = whole.iter().map(|x| if rng.unit() < 0.1 { f64::NAN } else { *x }).collect();
        (whole, gaps)
    }

    fn error(table: &Table, whole: &[f64], filled: &[f64]) -> f64 {
        let gaps = (0..whole.len()).filter(|at| table.values[*at].is_nan());
        let squares: Vec<f64> =
            gaps.map(|at| (table.in_deviations(at % 8, whole[at]) - filled[at]).powi(2)).collect();
        (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
    }

    #[test]
    fn what_follows_from_the_others_is_found_to_the_last_digits() {
        let (whole, gaps) = low_rank(300, 0.0);
        let table = Table::new(gaps, 8);
        let view = View { table: &table, beside: false };
        let found = Gaussian::fit(view, 1e-9, None).unwrap();
        let error = error(&table, &whole, &found.complete(&table.values));
        assert!(error < 1e-4, "{error}");
        // Of a complete row nothing is surprising.
        let row = &found.complete(&table.values)[..8];
        assert!((0..8).all(|j| found.surprise(row, j).abs() < 1e-4));
        assert!(found.relevance(2)[2] == 0.0 && found.relevance(2)[3] <= 1.0);
    }

    #[test]
    fn one_row_of_another_kind_does_not_change_the_others() {
        let (whole, mut gaps) = low_rank(300, 0.1);
        let alone = Table::new(gaps.clone(), 8);
        let plain = Gaussian::fit(View { table: &alone, beside: false }, 1e-9, None).unwrap();
        let plain = error(&alone, &whole, &plain.complete(&alone.values));
        gaps[8..16]
            .iter_mut()
            .enumerate()
            .for_each(|(j, x)| *x = if j % 2 == 0 { 40.0 } else { -40.0 });
        let table = Table::new(gaps, 8);
        let found = Gaussian::fit(View { table: &table, beside: false }, 1e-9, None).unwrap();
        let error = error(&table, &whole, &found.complete(&table.values));
        assert!(error < 1.3 * plain, "{error} {plain}");
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        let table = |values: &[f64], width| Table::new(values.to_vec(), width);
        let fit = |table: &Table| Gaussian::fit(View { table, beside: false }, 1e-9, None);
        assert!(fit(&table(&[], 3)).is_none());
        assert!(fit(&table(&[f64::NAN; 6], 3)).is_none());
        // Constant columns, and values at the ends of what floats can say.
        let found = fit(&table(&[1.0, 1e308, 1.0, -1e308, 1.0, f64::NAN], 2)).unwrap();
        assert!(found.complete(&[0.5, f64::NAN])[1].is_finite());
    }
}
