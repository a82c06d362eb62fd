//! Predictors that rows name, against their recursion in long integers.

use super::record;
use crate::codec::context::Decoded;
use crate::codec::near::{Near, Wanted};
use crate::codec::program::Program;
use crate::codec::weights::Weights;
use crate::container::model::{ModelRecord, RowPredictors};
use crate::matrix::DType;
use crate::matrix::rng::Rng;

/// A model whose rows name one of four predictors.
fn model(rng: &mut Rng, width: usize, distances: [usize; 3], order: usize) -> ModelRecord {
    let mut m = record(width, distances, &[]);
    let size = [100, 2000, 4200, 65_536][rng.below(4)];
    let mut own = || (0..order).map(|_| rng.below(2 * size - 1) as i64 - size as i64 + 1).collect();
    let coefficients = (0..4).map(|_| own()).collect();
    m.neighbours.as_mut().unwrap().by_row = Some(RowPredictors { table: 0, coefficients });
    m
}

/// Coefficients for `n` values, of those for more.
fn lower(c: &[i64], n: usize) -> Vec<i128> {
    let mut c: Vec<i128> = c.iter().map(|&a| i128::from(a)).collect();
    while c.len() > n {
        let k = c.pop().unwrap();
        let before = c.clone();
        let d = 4096 * 4096 - k * k;
        for i in 0..c.len() {
            let exact = 4096 * (4096 * before[i] + k * before[before.len() - 1 - i]);
            c[i] = match k.abs() < 4096 {
                true => (2 * exact + d).div_euclid(2 * d),
                false if i + 1 == before.len() => before[i] + k,
                false => before[i],
            };
            c[i] = c[i].clamp(-65_535, 65_535);
        }
    }
    c
}

#[test]
fn predictions_by_row_are_those_of_longer_integers() {
    let mut rng = Rng::new(17);
    for distances in [[1, 0, 0], [1, 9, 0], [3, 0, 1], [2, 7, 0], [11, 0, 0]] {
        for order in [1, 2, 5, 31, 32] {
            let m = model(&mut rng, 40, distances, order);
            let p = Program::new(m.clone(), DType::I64).unwrap();
            let n = p.neighbours.as_ref().unwrap();
            let (a, line) = (distances[0], if distances[1] > 0 { distances[1] } else { 40 });
            let named = rng.below(4);
            let stored = &m.neighbours.as_ref().unwrap().by_row.as_ref().unwrap().coefficients;
            let (mut window, mut sums) = (n.window::<i64, 1>(), Vec::<i64>::new());
            let mut weights = Weights::new(&n.coefficients);
            weights.name(0, named);
            for j in 0..40 {
                let near = Near::of(&window, &n.surroundings, Wanted::ALL);
                weights.follow(&n.coefficients, window.front());
                let found = n.predict(&window, &near, &weights, [3])[0];
                let count = (j % line / a).min(order);
                let mut c = lower(&stored[named], count);
                if count == 0 {
                    c.push(4096);
                }
                let left = |i: usize| if i == 0 { near.sums[0][0] } else { sums[j - (i + 1) * a] };
                let held = |i: usize| i128::from(left(i).clamp(-(1 << 41), 1 << 41));
                let total: i128 = c.iter().enumerate().map(|(i, c)| c * held(i)).sum();
                assert!(total.abs() < 1 << 62);
                assert_eq!(i128::from(found), (total + 2048) >> 12, "{distances:?} {order} {j}");
                let sum = (rng.next_u64() as i64) >> rng.below(64);
                sums.push(sum);
                window.set_one(Decoded { sum, ..Decoded::default() });
                window.advance();
            }
        }
    }
}
