//! Predictors from many values to the left, of which each row names one: fitted as Linde, Buzo and Gray's
//! algorithm fits codebooks, with what a row leaves for its distance.

use crate::container::model::{MAX_PREDICTORS, RowPredictors};
use crate::encode::predictor_choice::{Lags, Leavings, least};
use crate::error::Result;
use crate::fit::neighbours::predictor_rounding::rounded;
use crate::fit::neighbours::row_weighing::RowWeighing;
use crate::linalg;
use rayon::prelude::*;

/// Numbers of values to the left that are tried; of those that fit into a line, the largest two.
const ORDERS: [usize; 3] = [8, 16, 32];
/// How many times as many values as a predictor weighs a line has, at least.
const LINE_PER_ORDER: usize = 3;
/// Rows that predictors are fitted to, at most, and those for each predictor while there are fewer.
const MOST_ROWS: usize = 4096;
const ROWS_PER_PREDICTOR: usize = 32;
const LEAST_ROWS: usize = 256;
/// Predictors that orders are compared with.
const FIRST_PREDICTORS: usize = 16;
/// Values of the sample for each coefficient, at least.
const VALUES_PER_COEFFICIENT: f64 = 20.0;
/// Alternations at each number of predictors.
const ROUNDS: usize = 3;
/// Bits of a value that twice as many predictors must save for still more to be tried, and a higher order,
/// which decoding takes longer with.
const WORTH_DOUBLING: f64 = 0.003;
const WORTH_ORDER: f64 = 0.01;
/// Bits of a coefficient in the model, about.
const COEFFICIENT_BITS: f64 = 10.0;
/// Variance of rounding, in squared steps.
const ROUNDING: f64 = 1.0 / 12.0;
/// Share of the squares of a row's values that is added for stability.
const RIDGE: f64 = 1e-7;
/// Share of the squares left that coarser coefficients may add.
const COARSER: f64 = 0.004;
/// Bits of a value that a Gaussian takes whose variance is 1: ½ log2 2πe.
const GAUSSIAN: f64 = 2.047;
/// Bits by which contexts may make a value smaller than a Gaussian says.
const BY_CONTEXTS: f64 = 0.7;
/// Bits of a value that must be saved, beside three values to the left, for a closer look.
const PROMISING: f64 = 0.03;
/// The order that is compared with: what neighbours weigh without predictors of rows.
const USUAL_ORDER: usize = 3;

/// How rows lie.
pub(super) struct StepsOfRow {
    pub(super) width: usize,
    /// Columns from a value to the one before it, and those of a line.
    pub(super) distance: usize,
    pub(super) line: usize,
    /// Rows of the file.
    pub(super) total: f64,
}

/// Predictors with what it takes to say which one a row has.
pub(super) struct FittedPredictors {
    pub(super) predictors: RowPredictors,
    /// Bits of that in all rows of the file, and of the model.
    pub(super) bits: f64,
}

/// Products of rows.
struct Rows {
    lags: Lags,
    /// Row after row; those of fewer values to the left come first.
    products: Vec<f64>,
    /// Values of a row that they are sums over, and all.
    values: f64,
    width: f64,
    /// Rows of the file.
    total: f64,
    /// Whether values count for more where less is left of them.
    is_weighted: bool,
}

/// Predictors as they are fitted.
#[derive(Clone)]
struct Codebook {
    order: usize,
    predictors: Vec<Vec<f64>>,
    /// Rows that they are fitted to, the predictor of each, and the mean square that it leaves.
    rows: Vec<usize>,
    of: Vec<usize>,
    left: Vec<f64>,
    /// Bits of the file, but for what does not depend on predictors.
    bits: f64,
}

/// Returns predictors for rows of which others take `others` bits a value, if they may be worth it: `few`
/// of the rows, in steps, decide that, and `all` makes those that predictors are fitted to.
pub(super) fn fit(
    shape: &StepsOfRow,
    others: f64,
    few: &dyn Fn() -> Result<Vec<f64>>,
    all: &dyn Fn() -> Result<Vec<f64>>,
) -> Result<Option<FittedPredictors>> {
    let fits = |order: &usize| LINE_PER_ORDER * order * shape.distance <= shape.line;
    let orders: Vec<usize> = ORDERS.into_iter().filter(fits).collect();
    let orders = &orders[orders.len().saturating_sub(2)..];
    let (Some(&first), Some(&last)) = (orders.first(), orders.last()) else { return Ok(None) };
    let some = few()?;
    let few = Rows::new(shape, &some, (first, LEAST_ROWS), None);
    let look = few.grown(few.single(first), FIRST_PREDICTORS);
    let usual = few.single(USUAL_ORDER);
    let cells = few.cells();
    let gaussian = GAUSSIAN + look.bits / cells;
    if gaussian - BY_CONTEXTS > others || look.bits > usual.bits - PROMISING * cells {
        return Ok(None);
    }
    let weighing = RowWeighing::new(Lags { order: first, ..few.lags }, look.predictors.clone());
    let weighing = weighing.differs(&some, shape.width).then_some(&weighing);
    // Where loud places alternate with quiet ones, neither what lies farther nor more predictors say more.
    let (last, most) = match weighing {
        Some(_) => (first, FIRST_PREDICTORS),
        None => (last, MAX_PREDICTORS),
    };
    let all = Rows::new(shape, &all()?, (last, MOST_ROWS), weighing);
    let mut best = all.grown(all.single(first), FIRST_PREDICTORS);
    if last > first {
        let longer = all.grown(all.single(last), FIRST_PREDICTORS);
        if longer.bits < best.bits - WORTH_ORDER * cells {
            best = longer;
        }
    }
    let best = all.grown(best, most);
    Ok(Some(all.stored(&all.on_all(best))))
}

impl Rows {
    /// Sums the products of some rows, evenly taken: at most `most`, up to `order` values to the left.
    fn new(
        shape: &StepsOfRow,
        rows: &[f64],
        (order, most): (usize, usize),
        weighing: Option<&RowWeighing>,
    ) -> Self {
        let StepsOfRow { width, distance, line, total } = *shape;
        let lags = Lags { distance, line, order };
        let all: Vec<&[f64]> = rows.chunks_exact(width).collect();
        let some: Vec<&[f64]> = evenly(all.len(), most).into_iter().map(|i| all[i]).collect();
        let count = lags.products();
        let mut products = vec![0.0; some.len() * count];
        let out = products.par_chunks_exact_mut(count).zip(&some);
        out.for_each(|(out, row)| match weighing {
            Some(weighing) => lags.weighted_sums(row, &weighing.weights(row), out),
            None => lags.sums(row, out),
        });
        let (values, width) = (lags.values(width) as f64, width as f64);
        let is_weighted = weighing.is_some();
        Self { lags, products, values, width, total, is_weighted }
    }

    fn count(&self) -> usize {
        self.products.len() / self.lags.products()
    }

    /// Values of the file.
    fn cells(&self) -> f64 {
        self.total * self.width
    }

    /// Products of a row up to `order` values to the left.
    fn row(&self, i: usize, order: usize) -> &[f64] {
        let at = i * self.lags.products();
        &self.products[at..at + Lags { order, ..self.lags }.products()]
    }

    /// Some rows, evenly taken: as many as so many predictors are fitted to.
    fn some(&self, predictors: usize) -> Vec<usize> {
        let most = (ROWS_PER_PREDICTOR * predictors).max(LEAST_ROWS);
        evenly(self.count(), most)
    }

    /// Fits one predictor.
    fn single(&self, order: usize) -> Codebook {
        let rows = self.some(1);
        let weight = |i: &usize| 1.0 / (self.row(*i, 0)[0] / self.values + ROUNDING);
        let weights: Vec<f64> = rows.iter().map(weight).collect();
        let all: Vec<usize> = (0..rows.len()).collect();
        let own = self.solved((&all, &rows), &weights, order);
        self.refined(&self.assigned(vec![own], order, rows))
    }

    /// Doubles the number of predictors for as long as the file gets smaller, up to `most`.
    fn grown(&self, mut best: Codebook, most: usize) -> Codebook {
        let order = best.order;
        let least_rows = (VALUES_PER_COEFFICIENT * order as f64 / self.values).max(2.0);
        loop {
            let more = 2 * best.predictors.len();
            if more > most || more as f64 * least_rows > self.count() as f64 {
                return best;
            }
            let before = self.assigned(best.predictors.clone(), order, self.some(more));
            let mut present = self.assigned(self.split(&before), order, before.rows.clone());
            for _ in 0..ROUNDS {
                present = self.refined(&present);
            }
            let saved = before.bits - present.bits;
            if saved > 0.0 {
                best = present;
            }
            if saved < WORTH_DOUBLING * self.cells() {
                return best;
            }
        }
    }

    /// Fits predictors to all rows once more.
    fn on_all(&self, book: Codebook) -> Codebook {
        let all = (0..self.count()).collect();
        self.refined(&self.assigned(book.predictors, book.order, all))
    }

    /// Gives each of `rows` the predictor that leaves the least of it.
    fn assigned(&self, predictors: Vec<Vec<f64>>, order: usize, rows: Vec<usize>) -> Codebook {
        let leavings = Leavings::new(Lags { order, ..self.lags }, &predictors);
        let own = |i: &usize| {
            let mut left = Vec::new();
            leavings.of(self.row(*i, order), &mut left);
            let named = least(&left);
            (named, (left[named] / self.values).max(0.0) + ROUNDING)
        };
        let (of, left): (Vec<usize>, Vec<f64>) = rows.par_iter().map(own).unzip();
        let each = |left: &f64| match self.is_weighted {
            // What a value counts for is one over its square as it was: the bits of that follow a tangent.
            true => left * std::f64::consts::LOG2_E,
            false => left.log2(),
        };
        let coding = 0.5 * self.width * left.iter().map(each).sum::<f64>();
        let mut book = Codebook { order, predictors, rows, of, left, bits: 0.0 };
        book.bits = coding * self.total / book.rows.len().max(1) as f64 + self.own_bits(&book);
        book
    }

    /// Bits by which all rows name their predictors, and of the model.
    fn own_bits(&self, book: &Codebook) -> f64 {
        let log = |n: f64| if n > 0.0 { n * n.log2() } else { 0.0 };
        let rows = book.rows.len() as f64;
        let each = book.members().into_iter().map(|own| log(own.len() as f64));
        let naming = log(rows) - each.sum::<f64>();
        let model = (book.predictors.len() * book.order) as f64 * COEFFICIENT_BITS;
        naming * self.total / rows.max(1.0) + model
    }

    /// Fits each predictor to its rows once more; those without rows are left out.
    fn refined(&self, book: &Codebook) -> Codebook {
        let weights = book.weights();
        let mut members = book.members();
        members.retain(|own| !own.is_empty());
        let solved =
            members.par_iter().map(|own| self.solved((own, &book.rows), &weights, book.order));
        self.assigned(solved.collect(), book.order, book.rows.clone())
    }

    /// Puts beside each predictor one for the half of its rows of which it leaves more.
    fn split(&self, book: &Codebook) -> Vec<Vec<f64>> {
        let weights = book.weights();
        let halves = book.members().into_par_iter().map(|mut own| {
            own.sort_by(|&a, &b| book.left[a].total_cmp(&book.left[b]).then(a.cmp(&b)));
            self.solved((&own[own.len() / 2..], &book.rows), &weights, book.order)
        });
        let halves: Vec<Vec<f64>> = halves.collect();
        book.predictors.iter().cloned().chain(halves).collect()
    }

    /// Sums the products of the rows at `members` of a list, each by its weight.
    fn summed(
        &self,
        (members, rows): (&[usize], &[usize]),
        weights: &[f64],
        order: usize,
    ) -> Vec<f64> {
        let mut sums = vec![0.0; Lags { order, ..self.lags }.products()];
        for &at in members {
            let own = sums.iter_mut().zip(self.row(rows[at], order));
            own.for_each(|(sum, p)| *sum += weights[at] * p);
        }
        sums
    }

    /// Solves for the coefficients that leave the least of rows.
    fn solved(&self, members: (&[usize], &[usize]), weights: &[f64], order: usize) -> Vec<f64> {
        let (matrix, right) = self.normal(&self.summed(members, weights, order), order);
        linalg::solve(&matrix, &right).unwrap_or_else(|| vec![0.0; order])
    }

    /// The normal equations of summed products.
    fn normal(&self, sums: &[f64], order: usize) -> (Vec<f64>, Vec<f64>) {
        let at = |i: usize, k: usize| sums[self.lags.at(i, k)];
        let ridge = RIDGE * at(0, 0) + 1e-9;
        let cell = |i: usize, k: usize| at(i, k) + if i == k { ridge } else { 0.0 };
        let matrix = (0..order * order).map(|n| cell(n / order + 1, n % order + 1)).collect();
        (matrix, (1..=order).map(|i| at(i, 0)).collect())
    }

    /// Rounds coefficients to integers.
    fn stored(&self, book: &Codebook) -> FittedPredictors {
        let weights = book.weights();
        let rounded = book.predictors.iter().zip(book.members()).map(|(predictor, own)| {
            let sums = self.summed((&own, &book.rows), &weights, book.order);
            let (matrix, _) = self.normal(&sums, book.order);
            // Each row's squares were divided by what is left of them.
            rounded(predictor, &matrix, COARSER * self.values * own.len() as f64)
        });
        let predictors = RowPredictors { table: 0, coefficients: rounded.collect() };
        FittedPredictors { predictors, bits: self.own_bits(book) }
    }
}

/// Returns the places of up to `most` of `count` rows, one in each of as many parts, but not at the same
/// distance: rows may be of several kinds in turn.
fn evenly(count: usize, most: usize) -> Vec<usize> {
    let part = count as f64 / most as f64;
    let place =
        |i: usize| (((i as f64 + (i as f64 * GOLDEN).fract()) * part) as usize).min(count - 1);
    if part > 1.0 { (0..most).map(place).collect() } else { (0..count).collect() }
}

/// Multiples of this lie evenly in every interval, whatever its length: the golden ratio less 1.
const GOLDEN: f64 = 0.618_033_988_749_895;

impl Codebook {
    /// The places in the list of rows of those that each predictor has.
    fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.predictors.len()];
        self.of.iter().enumerate().for_each(|(at, &m)| members[m].push(at));
        members
    }

    /// What each row counts for: bits are saved where little is left, and squares look at where much is.
    fn weights(&self) -> Vec<f64> {
        self.left.iter().map(|left| 1.0 / left).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::row_predictors::ONE;
    use crate::matrix::rng::Rng;

    const WIDTH: usize = 200;

    /// Rows that follow two recursions in turn, each with noise of about a step.
    fn rows(count: usize) -> Vec<f64> {
        let mut rng = Rng::new(8);
        let kinds = [[1.8, -0.97], [-1.2, -0.9]];
        let mut out = Vec::new();
        for i in 0..count {
            let [a, b] = kinds[i % 2];
            let (mut x, mut y) = (0.0, 0.0);
            for j in 0..WIDTH + 100 {
                let noise = f64::from(rng.unit() + rng.unit() + rng.unit()) - 1.5;
                (x, y) = (a * x + b * y + 2.0 * noise, x);
                if j >= 100 {
                    out.push(x.round());
                }
            }
        }
        out
    }

    fn shape(rows: usize) -> StepsOfRow {
        StepsOfRow { width: WIDTH, distance: 1, line: WIDTH, total: rows as f64 }
    }

    #[test]
    fn rows_of_two_kinds_get_two_predictors_or_more() {
        let all = rows(400);
        let make = || Ok(all.clone());
        let fitted = fit(&shape(400), 6.0, &make, &make).unwrap().unwrap();
        let own = &fitted.predictors.coefficients;
        assert!((2..=8).contains(&own.len()), "{}", own.len());
        let square = |row: &[f64], c: &[i64]| {
            let predicted = |j: usize| {
                let terms = c.iter().enumerate().map(|(i, a)| *a as f64 * row[j - 1 - i]);
                terms.sum::<f64>() / ONE as f64
            };
            let first = c.len();
            (first..WIDTH).map(|j| (row[j] - predicted(j)).powi(2)).sum::<f64>()
                / (WIDTH - first) as f64
        };
        for row in all.chunks(WIDTH) {
            let left = own.iter().map(|c| square(row, c)).fold(f64::INFINITY, f64::min);
            assert!(left < 2.5, "{left}");
        }
    }

    #[test]
    fn what_others_say_better_or_nothing_foretells_gets_none() {
        let all = rows(300);
        let make = || Ok(all.clone());
        assert!(fit(&shape(300), 0.5, &make, &make).unwrap().is_none());
        let mut rng = Rng::new(9);
        let noise: Vec<f64> =
            (0..300 * WIDTH).map(|_| 50.0 * f64::from(rng.unit() - 0.5)).collect();
        let make = || Ok(noise.clone());
        assert!(fit(&shape(300), 6.0, &make, &make).unwrap().is_none());
        let short = StepsOfRow { width: 20, distance: 1, line: 20, total: 3000.0 };
        assert!(fit(&short, 6.0, &make, &make).unwrap().is_none());
    }
}
