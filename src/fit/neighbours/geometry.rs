//! Where the neighbours of a value lie, from the shape of a row, or from how alike values some columns
//! apart are.

use crate::fit::data::sample::Sample;

/// Numbers of a last dimension that are taken for colours of a pixel or parts of a vector, at most.
const COLOURS: usize = 4;
/// Longest line that is looked for in rows of one dimension.
const LONGEST_LINE: usize = 512;
/// Values that are looked at for lines.
const LOOKED_AT: usize = 60_000;
/// How much more alike than those one column less or more apart values of two lines are.
const ALIKE: f64 = 0.93;
/// Lines of different lengths that are tried, at most.
const MOST_LINES: usize = 2;

/// Where neighbours lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Directions {
    /// As in [`Neighbours`](crate::container::model::Neighbours).
    pub(super) distances: [usize; 3],
    pub(super) line_of_rows: usize,
}

/// Returns the directions that may suit a sample, of which `rows` are some, as differences from each column's
/// centre.
pub(super) fn directions(sample: &Sample, rows: &[f32]) -> Vec<Directions> {
    let found = distances(&sample.schema.row_shape, rows).into_iter();
    found.map(|distances| Directions { distances, line_of_rows: 0 }).collect()
}

/// Returns the distances to the left, above and in the third direction that may suit rows of a shape;
/// 0 stands for the row before. `rows` are some of them, as differences from each column's centre.
fn distances(row_shape: &[usize], rows: &[f32]) -> Vec<[usize; 3]> {
    let shape: Vec<usize> = row_shape.iter().copied().filter(|&n| n > 1).collect();
    let width: usize = shape.iter().product();
    match shape[..] {
        [] => vec![[1, 0, 0]],
        [n] => {
            let mut out = vec![[1, 0, 0]];
            let apart = differences(rows, n);
            // Colours side by side, which no shape tells.
            let colours = (2..=COLOURS).filter(|&c| n > 8 * c && is_alike(&apart, c));
            out.extend(colours.map(|c| [c, 0, 1]));
            out.extend(lines(&apart).into_iter().map(|line| [1, line, 0]));
            out
        }
        [.., n, colours] if colours <= COLOURS && shape.len() > 2 => {
            vec![[colours, n * colours, 1]]
        }
        [n, colours] if colours <= COLOURS && n > COLOURS => vec![[colours, 0, 1]],
        [.., h, w] if shape.len() > 2 && width > h * w => vec![[1, w, h * w]],
        [.., w] => vec![[1, w, 0]],
    }
}

/// Returns of each column those before it in the row whose residuals may foretell its own: one to three to
/// the left, two above, and those beside the one above, as far as they lie within the row's lines.
pub(crate) fn columns_before(row_shape: &[usize], rows: &[f32]) -> Vec<Vec<usize>> {
    let width: usize = row_shape.iter().product();
    let candidates = distances(row_shape, rows);
    let [left, up, _] = *candidates.iter().find(|d| d[1] > 0).unwrap_or(&candidates[0]);
    let line = if up > 0 { up } else { width };
    let of = |j: usize| {
        let x = j % line;
        let mut near: Vec<usize> =
            (1..=3).filter(|n| x >= n * left).map(|n| j - n * left).collect();
        if up > 0 && j >= up {
            near.push(j - up);
            near.extend((x >= left).then(|| j - up - left));
            near.extend((x + left < line).then(|| j - up + left));
            near.extend((j >= 2 * up).then(|| j - 2 * up));
        }
        near
    };
    (0..width).map(of).collect()
}

/// Returns the mean absolute difference of values so many columns apart, for 0 columns and more; rows
/// have `width` columns.
fn differences(rows: &[f32], width: usize) -> Vec<f64> {
    let longest = LONGEST_LINE.min(width / 2);
    let every = (rows.len() / LOOKED_AT).max(1);
    let some = rows.chunks_exact(width).step_by(every);
    let mut sums = vec![(0.0_f64, 0_usize); longest + 1];
    for row in some {
        let row = &row[..row.len().min(LOOKED_AT)];
        for (lag, (sum, count)) in sums.iter_mut().enumerate().skip(1) {
            let pairs = row[lag.min(row.len())..].iter().zip(row);
            let own: f32 = pairs.map(|(a, b)| (a - b).abs().min(1e6)).sum();
            *sum += f64::from(own);
            *count += row.len().saturating_sub(lag);
        }
    }
    sums.into_iter().map(|(sum, count)| sum / count.max(1) as f64).collect()
}

/// Says whether values `lag` columns apart are more alike than those nearer and farther ones.
fn is_alike(apart: &[f64], lag: usize) -> bool {
    match apart.get(lag - 1..=lag + 1) {
        Some(&[nearer, own, farther]) => {
            own < ALIKE * farther && (lag == 2 || own < ALIKE * nearer) && own < ALIKE * apart[1]
        }
        _ => false,
    }
}

/// Returns the lengths of lines that values tell, the likeliest first.
fn lines(apart: &[f64]) -> Vec<usize> {
    let dip = |lag: usize| match apart.get(lag - 1..=lag + 1) {
        Some(&[nearer, own, farther]) if nearer.min(farther) > 0.0 => own / nearer.min(farther),
        _ => 1.0,
    };
    let mut found: Vec<usize> =
        (COLOURS + 1..apart.len().saturating_sub(1)).filter(|&lag| dip(lag) < ALIKE).collect();
    found.sort_by(|&a, &b| apart[a].total_cmp(&apart[b]));
    found.truncate(MOST_LINES);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;

    #[test]
    fn shapes_say_where_neighbours_are() {
        assert_eq!(distances(&[28, 28], &[]), [[1, 28, 0]]);
        assert_eq!(distances(&[32, 32, 3], &[]), [[3, 96, 1]]);
        assert_eq!(distances(&[5, 16, 20], &[]), [[1, 20, 320]]);
        assert_eq!(distances(&[200, 1], &[]), [[1, 0, 0]]);
        assert_eq!(distances(&[1], &[]), [[1, 0, 0]]);
        assert_eq!(distances(&[640, 3], &[]), [[3, 0, 1]]);
    }

    #[test]
    fn columns_before_lie_in_the_rows_lines() {
        let near = columns_before(&[3, 4], &[]);
        assert_eq!(near[0], [0; 0]);
        assert_eq!(near[3], [2, 1, 0]);
        assert_eq!(near[4], [0, 1]);
        assert_eq!(near[10], [9, 8, 6, 5, 7, 2]);
        assert_eq!(near[11], [10, 9, 8, 7, 6, 3]);
        assert_eq!(columns_before(&[5], &[])[4], [3, 2, 1]);
    }

    #[test]
    fn values_tell_lines_and_colours_that_no_shape_does() {
        let mut rng = Rng::new(3);
        // Pictures of 12 lines of 20, each a bright spot somewhere.
        let mut spots = Vec::new();
        for _ in 0..60 {
            let (x, y) = (20.0 * rng.unit(), 12.0 * rng.unit());
            for i in 0..240 {
                let (dx, dy) = ((i % 20) as f32 - x, (i / 20) as f32 - y);
                spots.push(20.0 * (-0.1 * (dx * dx + dy * dy)).exp());
            }
        }
        assert!(distances(&[240], &spots).contains(&[1, 20, 0]));
        let colours: Vec<f32> =
            (0..6000).map(|i| 50.0 * (i % 3) as f32 + 3.0 * rng.unit() + 0.01 * i as f32).collect();
        assert!(distances(&[300], &colours).contains(&[3, 0, 1]));
        let noise: Vec<f32> = (0..60_000).map(|_| rng.unit()).collect();
        assert_eq!(distances(&[200], &noise), [[1, 0, 0]]);
    }
}
