//! Rows as points, and how far they are from each other.

use crate::apps::column_scale::ColumnScale;
use crate::apps::column_units::ColumnUnits;

/// Points whose distances are summed side by side, so that a compiler makes vectors of them.
const LANES: usize = 16;
/// The quartiles of a column, and their distance in standard deviations of a normal distribution.
const QUARTILES: (f64, f64) = (0.25, 0.75);
const QUARTILES_APART: f64 = 1.349;
/// Rows, and values of pairs of them, at most, that tell whether roots are to be compared.
const MOST_ROWS_COMPARED: usize = 200;
const MOST_COMPARED: usize = 100_000_000;
/// The largest coordinate: beyond any that occurs, and small enough that sums of squares of so
/// many columns as rows may have stay finite in `f32`.
const MOST: f64 = 1e12;

/// What makes coordinates of the values of each column.
pub(super) struct PointScales {
    columns: Vec<ColumnScale>,
    /// Whether values are amounts, none below 0, in one unit, of which large ones vary more than small ones: their roots
    /// are compared (Bartlett 1936, *The square root transformation in analysis of variance*).
    are_amounts: bool,
}

impl PointScales {
    /// Measures the columns of `values`, `width` in each row.
    ///
    /// A column's scale is the geometric mean of its usual spread, between quartiles, and its
    /// standard deviation. By the first alone, columns that are nearly always the same would
    /// drown all others; by the second alone, those in which few rows lie far out would hardly
    /// count. Columns that share a unit keep half of what they differ by: their scale is the
    /// geometric mean of that and one for all.
    pub(super) fn of(values: &[f64], width: usize, units: ColumnUnits) -> Self {
        let are_amounts = units == ColumnUnits::Shared
            && !values.iter().any(|x| *x < 0.0)
            && vary_with_size(values, width);
        let column = |j: usize| {
            values.iter().skip(j).step_by(width.max(1)).map(move |x| compared(*x, are_amounts))
        };
        let mut scales: Vec<ColumnScale> = (0..width).map(|j| scale(column(j))).collect();
        let varying = || scales.iter().filter(|s| s.scale > 0.0);
        // In units of the largest, so that squares neither overflow nor vanish.
        let largest = varying().fold(0.0_f64, |m, s| m.max(s.scale));
        let squares: f64 = varying().map(|s| (s.scale / largest).powi(2)).sum();
        let common = largest * (squares / varying().count().max(1) as f64).sqrt();
        let common = if common > 0.0 { common } else { 1.0 };
        for own in &mut scales {
            own.scale = match units {
                // A column that does not vary among the rows measured may do so in others.
                _ if own.scale <= 0.0 => common,
                ColumnUnits::Own => own.scale,
                ColumnUnits::Shared => own.scale.sqrt() * common.sqrt(),
            };
        }
        Self { columns: scales, are_amounts }
    }

    /// The coordinates of rows, row-major; NaN for missing values.
    pub(super) fn coordinates(&self, values: &[f64]) -> Vec<f32> {
        let mut out = Vec::with_capacity(values.len());
        for row in values.chunks_exact(self.columns.len().max(1)) {
            let own = |(x, s): (&f64, &ColumnScale)| {
                ((compared(*x, self.are_amounts) - s.centre) / s.scale).clamp(-MOST, MOST)
            };
            out.extend(row.iter().zip(&self.columns).map(|pair| own(pair) as f32));
        }
        out
    }
}

/// Whether rows near each other differ more where their values are above the mean, so much that their roots differ more
/// evenly.
fn vary_with_size(values: &[f64], width: usize) -> bool {
    let all: Vec<&[f64]> = values.chunks_exact(width.max(1)).collect();
    let count = (MOST_COMPARED / width.max(1)).isqrt().clamp(2, MOST_ROWS_COMPARED);
    let rows: Vec<&[f64]> = all.iter().step_by(all.len().div_ceil(count).max(1)).copied().collect();
    let known = || values.iter().filter(|x| x.is_finite());
    // In units of the largest, so that squares stay finite.
    let largest = known().fold(f64::MIN_POSITIVE, |m, x| m.max(*x));
    let mean = known().map(|x| x / largest).sum::<f64>() / known().count().max(1) as f64;
    let pairs = |a: &[f64], b: &[f64], visit: &mut dyn FnMut(f64, f64)| {
        for (x, y) in a.iter().zip(b).filter(|(x, y)| x.is_finite() && y.is_finite()) {
            visit(x / largest, y / largest);
        }
    };
    let distance = |a: &[f64], b: &[f64]| {
        let (mut sum, mut n) = (0.0, 0.0_f64);
        pairs(a, b, &mut |x, y| (sum, n) = (sum + (x - y).powi(2), n + 1.0));
        sum / n
    };
    // Of values below the mean and above it: squares of differences, of those of roots, and their number.
    let mut parts = [(0.0, 0.0, f64::MIN_POSITIVE); 2];
    for (i, row) in rows.iter().enumerate() {
        let others = rows.iter().enumerate().filter(|(k, _)| *k != i);
        let distances = others.map(|(_, other)| (distance(row, other), other));
        let nearest = distances.filter(|(d, _)| !d.is_nan()).min_by(|a, b| a.0.total_cmp(&b.0));
        let Some((_, other)) = nearest else { continue };
        pairs(row, other, &mut |x, y| {
            let (sum, of_roots, n) = &mut parts[usize::from(x + y >= 2.0 * mean)];
            *sum += (x - y).powi(2);
            *of_roots += (x.sqrt() - y.sqrt()).powi(2);
            *n += 1.0;
        });
    }
    let [small, large] = parts.map(|(sum, of_roots, n)| [sum / n, of_roots / n]);
    let uneven = |k: usize| (large[k] / small[k]).ln();
    uneven(0) > uneven(1).abs()
}

/// What of a value is compared.
fn compared(x: f64, is_amount: bool) -> f64 {
    if is_amount { x.abs().sqrt().copysign(x) } else { x }
}

/// The median of a column and its spread, 0 if it does not vary.
fn scale(column: impl Iterator<Item = f64>) -> ColumnScale {
    let mut x: Vec<f64> = column.filter(|x| x.is_finite()).collect();
    x.sort_unstable_by(f64::total_cmp);
    let at = |q: f64| x[(q * (x.len() - 1) as f64).round() as usize];
    let (centre, usual) = match x[..] {
        [] => return ColumnScale { centre: 0.0, scale: 0.0 },
        _ => (at(0.5), at(QUARTILES.1) / QUARTILES_APART - at(QUARTILES.0) / QUARTILES_APART),
    };
    let farthest = x.iter().fold(0.0_f64, |m, x| m.max((x - centre).abs()));
    if farthest == 0.0 || !farthest.is_finite() {
        return ColumnScale { centre, scale: 0.0 };
    }
    let squares: f64 = x.iter().map(|x| ((x - centre) / farthest).powi(2)).sum();
    let deviation = farthest * (squares / x.len() as f64).sqrt();
    let scale = if usual > 0.0 { usual.sqrt() * deviation.sqrt() } else { deviation };
    ColumnScale { centre, scale }
}

/// Points among which those near others are looked for.
pub(super) struct Points {
    width: usize,
    count: usize,
    /// Blocks of [`LANES`] points, column by column in each; 0 for missing coordinates.
    blocks: Vec<f32>,
    /// 1 for each coordinate that is known and 0 for others, in the same order; empty if all are.
    known: Vec<f32>,
}

impl Points {
    /// Takes coordinates, points × `width`, row-major; NaN where they are missing.
    pub(super) fn new(coordinates: &[f32], width: usize) -> Self {
        let count = coordinates.len() / width.max(1);
        let mut blocks = vec![0.0; count.div_ceil(LANES) * LANES * width];
        let has_gaps = coordinates.iter().any(|x| x.is_nan());
        let mut known = vec![0.0; if has_gaps { blocks.len() } else { 0 }];
        for (at, x) in coordinates.iter().enumerate().filter(|(_, x)| !x.is_nan()) {
            let (point, column) = (at / width, at % width);
            let to = (point / LANES * width + column) * LANES + point % LANES;
            blocks[to] = *x;
            if has_gaps {
                known[to] = 1.0;
            }
        }
        Self { width, count, blocks, known }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The squared distances of `point` to all others, in their order. Of missing coordinates
    /// those that both have stand for all (Dixon 1979, *Pattern recognition with partly missing
    /// data*); where they have none in common, the distance is infinite.
    pub(super) fn squares(&self, point: &[f32], out: &mut Vec<f32>) {
        out.clear();
        let block = self.width * LANES;
        let has_gaps = !self.known.is_empty() || point.iter().any(|x| x.is_nan());
        for (b, own) in self.blocks.chunks_exact(block.max(1)).enumerate() {
            let mut sums = [0.0_f32; LANES];
            if has_gaps {
                let known = self.known.get(b * block..(b + 1) * block);
                self.add_known(&mut sums, point, own, known);
            } else {
                for (x, others) in point.iter().zip(own.as_chunks::<LANES>().0) {
                    for (sum, y) in sums.iter_mut().zip(others) {
                        *sum += (x - y) * (x - y);
                    }
                }
            }
            out.extend(sums);
        }
        out.truncate(self.count);
    }

    /// The sums of a block where coordinates are missing.
    fn add_known(
        &self,
        sums: &mut [f32; LANES],
        point: &[f32],
        own: &[f32],
        known: Option<&[f32]>,
    ) {
        let mut counts = [0.0_f32; LANES];
        for (j, x) in point.iter().enumerate().filter(|(_, x)| !x.is_nan()) {
            let column = j * LANES..(j + 1) * LANES;
            for (lane, y) in own[column.clone()].iter().enumerate() {
                let weight = known.map_or(1.0, |known| known[column.start + lane]);
                sums[lane] += weight * (x - y) * (x - y);
                counts[lane] += weight;
            }
        }
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum = if count > 0.0 { *sum * self.width as f32 / count } else { f32::INFINITY };
        }
    }
}

/// The `count` smallest of squared distances, smallest first, each with its place; `left_out` is
/// no neighbour of itself.
pub(super) fn nearest(squares: &[f32], left_out: Option<usize>, count: usize) -> Vec<(f32, usize)> {
    // Bits of numbers that are not negative are in the order of the numbers: places behind them
    // settle which of two as near comes first.
    let key = |(place, square): (usize, &f32)| u64::from(square.to_bits()) << 32 | place as u64;
    let others = squares.iter().enumerate().filter(|(place, _)| Some(*place) != left_out);
    let mut keys: Vec<u64> = others.map(key).collect();
    let count = count.min(keys.len());
    if count < keys.len() && count > 0 {
        keys.select_nth_unstable(count - 1);
    }
    keys.truncate(count);
    keys.sort_unstable();
    let back = |key: &u64| (f32::from_bits((key >> 32) as u32), (key & 0xffff_ffff) as usize);
    keys.iter().map(back).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;

    #[test]
    fn distances_are_those_of_the_formula_with_and_without_gaps() {
        let mut rng = Rng::new(1);
        for (width, gaps) in [(1, false), (5, false), (5, true), (23, true)] {
            let mut some = |count: usize| -> Vec<f32> {
                let gap = |x: f32| if gaps && x > 1.0 { f32::NAN } else { x };
                (0..count).map(|_| gap(rng.normal())).collect()
            };
            let (all, point) = (some(37 * width), some(width));
            let points = Points::new(&all, width);
            let mut squares = Vec::new();
            points.squares(&point, &mut squares);
            assert_eq!(squares.len(), 37);
            for (row, square) in all.chunks_exact(width).zip(&squares) {
                let both = row.iter().zip(&point).filter(|(a, b)| !(a.is_nan() || b.is_nan()));
                let own: Vec<f64> = both.map(|(a, b)| f64::from(a - b).powi(2)).collect();
                let wanted = own.iter().sum::<f64>() * width as f64 / own.len() as f64;
                let (found, none) = (f64::from(*square), own.is_empty());
                assert!(if none { found.is_infinite() } else { (found - wanted).abs() < 1e-4 });
            }
            let near = nearest(&squares, Some(3), 5);
            let farther = squares.iter().filter(|s| **s > near[4].0).count();
            assert!(near.is_sorted() && near.iter().all(|(_, place)| *place != 3));
            assert!(farther == 32 || farther == 31, "{farther}");
        }
    }

    #[test]
    fn roots_are_compared_of_amounts_that_vary_with_their_size() {
        let mut rng = Rng::new(3);
        // Those vary by a share of them; the others by as much whatever their size.
        let mut amounts = Vec::new();
        let mut others = Vec::new();
        for i in 0..300 {
            for j in 0..6 {
                let size = f64::from(10 * (i % 5) + 20 * (j % 3) + 1);
                let noise = f64::from(rng.normal());
                amounts.push((size + 0.3 * size * noise).max(0.0));
                others.push((size + noise).max(0.0));
            }
        }
        let are_amounts = |values: &[f64], units| PointScales::of(values, 6, units).are_amounts;
        assert!(are_amounts(&amounts, ColumnUnits::Shared));
        assert!(!are_amounts(&others, ColumnUnits::Shared));
        assert!(!are_amounts(&amounts, ColumnUnits::Own));
        assert!(!are_amounts(
            &amounts.iter().map(|x| x - 1.0).collect::<Vec<_>>(),
            ColumnUnits::Shared
        ));
        assert!(
            !are_amounts(&[], ColumnUnits::Shared) && !are_amounts(&[0.0; 12], ColumnUnits::Shared)
        );
        let scales = PointScales::of(&amounts, 6, ColumnUnits::Shared);
        let own = scales.coordinates(&[4.0, -4.0, f64::NAN, 1e300, 0.0, 9.0]);
        assert!(own[2].is_nan() && own.iter().filter(|x| x.is_finite()).count() == 5);
    }

    #[test]
    fn scales_follow_units_and_survive_any_size_of_numbers() {
        let mut rng = Rng::new(2);
        let values: Vec<f64> = (0..900)
            .map(|at| f64::from(rng.normal()) * if at % 3 == 2 { 0.0 } else { 1.0 })
            .collect();
        for unit in [1e-200, 1.0, 1e200] {
            let values: Vec<f64> = values.iter().map(|x| x * unit).collect();
            let scales = PointScales::of(&values, 3, ColumnUnits::Own);
            let own = scales.coordinates(&values);
            let squares: f64 = own.iter().step_by(3).map(|x| f64::from(*x).powi(2)).sum();
            assert!((squares / 300.0).sqrt() > 0.8 && (squares / 300.0).sqrt() < 1.25, "{unit}");
            let odd = scales.coordinates(&[f64::INFINITY, f64::NAN, unit]);
            assert!(odd[0] == 1e12 && odd[1].is_nan() && odd[2] > 0.5, "{odd:?}");
        }
        let two: Vec<f64> =
            values.iter().zip([1.0, 100.0, 1.0].iter().cycle()).map(|(x, s)| x * s).collect();
        let extent = |units| {
            let own = PointScales::of(&two, 3, units).coordinates(&two);
            let of = |j: usize| own.iter().skip(j).step_by(3).fold(0.0_f32, |m, x| m.max(x.abs()));
            of(1) / of(0)
        };
        assert!((0.5..2.0).contains(&extent(ColumnUnits::Own)));
        assert!((5.0..20.0).contains(&extent(ColumnUnits::Shared)));
    }
}
