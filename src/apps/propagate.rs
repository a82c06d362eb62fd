//! Labels of rows that have none, from rows like them that have one.
//!
//! Each row is joined to its nearest neighbours among the embedded rows, and labels flow along
//! these joints until nothing changes (Zhou et al. 2004, *Learning with local and global
//! consistency*): `F ← α S F + (1 − α) Y` with `S = D^-½ W D^-½`, `W` the joints' weights, `D` their
//! sums, and `Y` the labels that are known. What rows without labels tell is where the gaps
//! between groups lie.

use crate::kernels::gemm::{Finish, View, gemm};
use rayon::prelude::*;

/// Neighbours of a row.
const NEIGHBOURS: usize = 10;
/// `α`.
const FLOW: f32 = 0.99;
const ROUNDS: usize = 100;
/// Rows whose distances to all others are known at a time.
const BLOCK: usize = 256;

/// For each of the `points` behind those that have one of the `labels`: the place of its label
/// among `classes`, and how certain that is, from 0 to 1. Points are `width` coordinates each.
pub(super) fn propagate(
    points: &[f32],
    width: usize,
    labels: &[usize],
    classes: usize,
) -> Vec<(usize, f32)> {
    let joints = joints(&nearest(&standard(points, width), width));
    let mut known = vec![0.0_f32; joints.len() * classes];
    let mut counts = vec![0.0_f32; classes];
    labels.iter().for_each(|&l| counts[l] += 1.0);
    for (i, &l) in labels.iter().enumerate() {
        // Each label starts with the same weight in all, however many rows have it.
        known[i * classes + l] = 1.0 / counts[l];
    }
    let mut now = known.clone();
    let mut next = vec![0.0_f32; now.len()];
    for _ in 0..ROUNDS {
        next.par_chunks_mut(classes).zip(&joints).zip(known.par_chunks(classes)).for_each(
            |((next, joints), known)| {
                next.iter_mut().zip(known).for_each(|(n, k)| *n = (1.0 - FLOW) * k);
                for &(j, weight) in joints {
                    let from = &now[j as usize * classes..][..classes];
                    next.iter_mut().zip(from).for_each(|(n, f)| *n += FLOW * weight * f);
                }
            },
        );
        std::mem::swap(&mut now, &mut next);
    }
    now.chunks_exact(classes)
        .skip(labels.len())
        .map(|row| {
            let best = crate::nn::objectives::supervised::largest(row);
            let sum: f32 = row.iter().sum();
            (best, if sum > 0.0 { row[best] / sum } else { 0.0 })
        })
        .collect()
}

/// Coordinates of the same spread.
fn standard(points: &[f32], width: usize) -> Vec<f32> {
    let n = (points.len() / width) as f64;
    let mut out = points.to_vec();
    for k in 0..width {
        let own = || points.iter().skip(k).step_by(width).map(|x| f64::from(*x));
        let mean = own().sum::<f64>() / n;
        let deviation = (own().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        let scale = if deviation > 0.0 && deviation.is_finite() { 1.0 / deviation } else { 0.0 };
        let column = out.iter_mut().skip(k).step_by(width);
        column.for_each(|x| *x = ((f64::from(*x) - mean) * scale) as f32);
    }
    out
}

/// Of each point its nearest others, with their squared distances.
fn nearest(points: &[f32], width: usize) -> Vec<Vec<(u32, f32)>> {
    let n = points.len() / width;
    let square = |p: &[f32]| p.iter().map(|x| x * x).sum::<f32>();
    let squares: Vec<f32> = points.chunks_exact(width).map(square).collect();
    let of_block = |(block, some): (usize, &[f32])| -> Vec<Vec<(u32, f32)>> {
        let rows = some.len() / width;
        let mut products = vec![0.0; rows * n];
        let all = View::new(points, n, width).t();
        gemm(View::new(some, rows, width), all, &mut products, Finish::Store);
        let of_row = |(i, products): (usize, &[f32])| {
            let i = block * BLOCK + i;
            let mut best: Vec<(u32, f32)> = Vec::with_capacity(NEIGHBOURS + 1);
            for (j, dot) in products.iter().enumerate().filter(|(j, _)| *j != i) {
                let distance = (squares[i] + squares[j] - 2.0 * dot).max(0.0);
                if best.len() < NEIGHBOURS || distance < best[NEIGHBOURS - 1].1 {
                    let at = best.partition_point(|b| b.1 <= distance);
                    best.insert(at, (j as u32, distance));
                    best.truncate(NEIGHBOURS);
                }
            }
            best
        };
        products.chunks_exact(n).enumerate().map(of_row).collect()
    };
    points.par_chunks(BLOCK * width).enumerate().flat_map_iter(of_block).collect()
}

/// Each point's joints in both directions, with their share of the flow.
fn joints(nearest: &[Vec<(u32, f32)>]) -> Vec<Vec<(u32, f32)>> {
    let distances = || nearest.iter().flatten().map(|(_, d)| f64::from(d.sqrt()));
    let mean = distances().sum::<f64>() / distances().count().max(1) as f64;
    let unit = if mean > 0.0 { (mean * mean) as f32 } else { 1.0 };
    let mut out: Vec<Vec<(u32, f32)>> = vec![Vec::new(); nearest.len()];
    for (i, own) in nearest.iter().enumerate() {
        for &(j, distance) in own {
            let weight = crate::kernels::math::exp(-distance / unit);
            out[i].push((j, weight));
            out[j as usize].push((i as u32, weight));
        }
    }
    for own in &mut out {
        own.sort_unstable_by_key(|joint| joint.0);
        own.dedup_by_key(|joint| joint.0);
    }
    let sums: Vec<f32> =
        out.iter().map(|own| own.iter().map(|j| j.1).sum::<f32>().max(1e-30).sqrt()).collect();
    for (own, sum) in out.iter_mut().zip(&sums) {
        own.iter_mut().for_each(|(j, weight)| *weight /= sum * sums[*j as usize]);
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
        let right = found.iter().enumerate().filter(|(i, f)| f.0 == i % 2).count();
        assert!(right > 580, "{right}");
        assert!(found.iter().all(|f| (0.5..=1.0).contains(&f.1)));
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
            let own: Vec<usize> = found[i].iter().map(|f| f.0 as usize).collect();
            assert_eq!(own, others[..NEIGHBOURS]);
        }
    }

    #[test]
    fn points_alike_or_alone_are_no_trouble() {
        for points in [vec![1.0; 40], vec![f32::MAX; 40], vec![0.5, 2.0]] {
            let found = propagate(&points, 1, &[0], 2);
            assert_eq!(found.len(), points.len() - 1);
            assert!(found.iter().all(|f| f.1.is_finite()));
        }
    }
}
