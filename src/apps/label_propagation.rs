//! Labels of rows that have none, from rows like them that have one.
//!
//! Each row is joined to its nearest neighbours among the embedded rows, and labels flow along
//! the edges of this graph until nothing changes (Zhou et al. 2004, *Learning with local and
//! global consistency*): `F ← α S F + (1 − α) Y` with `S = D^-½ W D^-½`, where `W` are the edges'
//! weights, `D` their sums for each row, and `Y` the known labels. Rows without labels tell where
//! the gaps between groups lie.

use super::column_scale::{ColumnScale, moments};
use crate::kernels::gemm::{Finish, View, gemm};
use crate::kernels::math::exp;
use crate::nn::objectives::supervised::largest;
use rayon::prelude::*;

/// Nearest neighbours that each row is joined to: fewer keep groups apart better, more keep a
/// group from falling into pieces.
const NEIGHBOURS: usize = 10;
/// `α`, the share of a row's labels that comes from its neighbours: the value of the paper.
const ALPHA: f32 = 0.99;
/// Iterations, each of which carries labels one edge further. They trade time for reach; groups
/// of rows are far fewer edges across.
const ITERATIONS: usize = 100;
/// Rows whose distances to all others are computed at a time, which bounds the memory.
const BLOCK: usize = 256;

/// What the propagated labels say of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guess {
    pub(super) class: usize,
    /// The class's share of all labels that reached the row, from 0 to 1; 0 if none did.
    pub(super) certainty: f32,
}

/// Another row and the squared distance to it.
#[derive(Debug, Clone, Copy)]
struct Neighbour {
    row: u32,
    distance: f32,
}

/// An edge to another row.
#[derive(Debug, Clone, Copy)]
struct Edge {
    to: u32,
    weight: f32,
}

/// Guesses the class of each of the `points` behind the first ones, whose classes, out of `count`,
/// are `known`. A point is `width` coordinates.
pub(super) fn propagate(points: &[f32], width: usize, known: &[usize], count: usize) -> Vec<Guess> {
    let edges = graph(&nearest(&standardised(points, width), width));
    let mut start = vec![0.0_f32; edges.len() * count];
    let mut members = vec![0.0_f32; count];
    known.iter().for_each(|&class| members[class] += 1.0);
    for (i, &class) in known.iter().enumerate() {
        // Each class starts with the same weight in all, however many rows have it.
        start[i * count + class] = 1.0 / members[class];
    }
    let guess = |row: &[f32]| {
        let class = largest(row);
        let sum: f32 = row.iter().sum();
        Guess { class, certainty: if sum > 0.0 { row[class] / sum } else { 0.0 } }
    };
    flow(&edges, &start, count).chunks_exact(count).skip(known.len()).map(guess).collect()
}

/// Iterates from the labels in `start`, rows × classes, of which there are `count`.
fn flow(edges: &[Vec<Edge>], start: &[f32], count: usize) -> Vec<f32> {
    let mut now = start.to_vec();
    let mut next = vec![0.0_f32; now.len()];
    for _ in 0..ITERATIONS {
        next.par_chunks_mut(count).zip(edges).zip(start.par_chunks(count)).for_each(
            |((next, edges), start)| {
                next.iter_mut().zip(start).for_each(|(n, s)| *n = (1.0 - ALPHA) * s);
                for edge in edges {
                    let from = &now[edge.to as usize * count..][..count];
                    next.iter_mut().zip(from).for_each(|(n, f)| *n += ALPHA * edge.weight * f);
                }
            },
        );
        std::mem::swap(&mut now, &mut next);
    }
    now
}

/// Brings each coordinate to mean 0 and variance 1.
fn standardised(points: &[f32], width: usize) -> Vec<f32> {
    let mut out = points.to_vec();
    for k in 0..width {
        let own = points.iter().skip(k).step_by(width).map(|x| f64::from(*x));
        let ColumnScale { centre, scale } = moments(own);
        let inverse = if scale > 0.0 && scale.is_finite() { 1.0 / scale } else { 0.0 };
        let column = out.iter_mut().skip(k).step_by(width);
        column.for_each(|x| *x = ((f64::from(*x) - centre) * inverse) as f32);
    }
    out
}

/// Finds each point's nearest other points, nearest first.
fn nearest(points: &[f32], width: usize) -> Vec<Vec<Neighbour>> {
    let n = points.len() / width;
    let square = |p: &[f32]| p.iter().map(|x| x * x).sum::<f32>();
    let squares: Vec<f32> = points.chunks_exact(width).map(square).collect();
    let of_block = |(block, some): (usize, &[f32])| -> Vec<Vec<Neighbour>> {
        let rows = some.len() / width;
        let mut products = vec![0.0; rows * n];
        let all = View::new(points, n, width).t();
        gemm(View::new(some, rows, width), all, &mut products, Finish::Store);
        let of_row = |(i, products): (usize, &[f32])| {
            let i = block * BLOCK + i;
            let distance = |(j, dot): (usize, &f32)| Neighbour {
                row: j as u32,
                distance: (squares[i] + squares[j] - 2.0 * dot).max(0.0),
            };
            let others = products.iter().enumerate().filter(|(j, _)| *j != i);
            nearest_of(others.map(distance))
        };
        products.chunks_exact(n).enumerate().map(of_row).collect()
    };
    points.par_chunks(BLOCK * width).enumerate().flat_map_iter(of_block).collect()
}

/// The nearest of some points, the first ones where distances are equal.
fn nearest_of(others: impl Iterator<Item = Neighbour>) -> Vec<Neighbour> {
    let mut best: Vec<Neighbour> = Vec::with_capacity(NEIGHBOURS + 1);
    for other in others {
        if best.len() < NEIGHBOURS || other.distance < best[NEIGHBOURS - 1].distance {
            let at = best.partition_point(|b| b.distance <= other.distance);
            best.insert(at, other);
            best.truncate(NEIGHBOURS);
        }
    }
    best
}

/// Joins each point with its neighbours, in both directions, with weights `S`.
fn graph(nearest: &[Vec<Neighbour>]) -> Vec<Vec<Edge>> {
    let distances = || nearest.iter().flatten().map(|other| f64::from(other.distance.sqrt()));
    let mean = distances().sum::<f64>() / distances().count().max(1) as f64;
    let unit = if mean > 0.0 { (mean * mean) as f32 } else { 1.0 };
    let mut out: Vec<Vec<Edge>> = vec![Vec::new(); nearest.len()];
    for (i, own) in nearest.iter().enumerate() {
        for other in own {
            let weight = exp(-other.distance / unit);
            out[i].push(Edge { to: other.row, weight });
            out[other.row as usize].push(Edge { to: i as u32, weight });
        }
    }
    for own in &mut out {
        own.sort_unstable_by_key(|edge| edge.to);
        own.dedup_by_key(|edge| edge.to);
    }
    // The floor keeps a row that is far from all others from a division by 0.
    let degree = |own: &Vec<Edge>| own.iter().map(|e| e.weight).sum::<f32>().max(1e-30).sqrt();
    let degrees: Vec<f32> = out.iter().map(degree).collect();
    for (own, degree) in out.iter_mut().zip(&degrees) {
        own.iter_mut().for_each(|edge| edge.weight /= degree * degrees[edge.to as usize]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;

    #[test]
    fn two_moons_need_one_label_each() {
        let mut rng = Rng::new(3);
        let moon = |i: usize| {
            let (t, upper) =
                (std::f32::consts::PI * (i / 2 % 300) as f32 / 300.0, i.is_multiple_of(2));
            let (x, y) = if upper { (t.cos(), t.sin()) } else { (1.0 - t.cos(), 0.5 - t.sin()) };
            [x + 0.03 * rng.normal(), y + 0.03 * rng.normal()]
        };
        let points: Vec<f32> = (0..600).flat_map(moon).collect();
        let found = propagate(&points, 2, &[0, 1], 2);
        assert_eq!(found.len(), 598);
        let right = found.iter().enumerate().filter(|(i, f)| f.class == i % 2).count();
        assert!(right > 580, "{right}");
        assert!(found.iter().all(|f| (0.5..=1.0).contains(&f.certainty)));
    }

    #[test]
    fn the_nearest_are_those_of_all_pairs() {
        let mut rng = Rng::new(5);
        let points: Vec<f32> = (0..3 * 700).map(|_| rng.normal()).collect();
        let found = nearest(&points, 3);
        let at = |i: usize| &points[3 * i..3 * i + 3];
        for i in [0, 255, 256, 699] {
            let distance =
                |j: usize| at(i).iter().zip(at(j)).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
            let mut others: Vec<usize> = (0..700).filter(|&j| j != i).collect();
            others.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)));
            let own: Vec<usize> = found[i].iter().map(|f| f.row as usize).collect();
            assert_eq!(own, others[..NEIGHBOURS]);
        }
    }

    #[test]
    fn points_alike_or_alone_are_no_trouble() {
        for points in [vec![1.0; 40], vec![f32::MAX; 40], vec![0.5, 2.0]] {
            let found = propagate(&points, 1, &[0], 2);
            assert_eq!(found.len(), points.len() - 1);
            assert!(found.iter().all(|f| f.certainty.is_finite()));
        }
    }
}
