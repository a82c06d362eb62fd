use super::record;
use crate::codec::atom_sums::atom_sum;
use crate::codec::context::{Decoded, neighbour};
use crate::codec::near::{Near, Wanted};
use crate::codec::neighbourhood::Neighbourhood;
use crate::codec::weights::Weights;
use crate::container::model::{FEATURES, Grid, NEIGHBOURS, TERMS, Value};
use crate::matrix::rng::Rng;

/// Any number, those at the ends of ranges often.
fn any(rng: &mut Rng) -> i64 {
    match rng.below(4) {
        0 => [i64::MIN, i64::MAX, 0, -1, 1 << 47, -1 << 47, 1 << 28, (1 << 47) + 1][rng.below(8)],
        1 => rng.below(200) as i64 - 100,
        _ => rng.next_u64() as i64 >> rng.below(64),
    }
}

/// A value with neighbours on all sides, and what was noted of them.
struct Scene {
    n: Neighbourhood,
    /// Of 4 × 4 columns: sum, residual, atom.
    cells: [Decoded; 16],
}

impl Scene {
    fn new(rng: &mut Rng, coefficients: &[(usize, i64)], median: bool, aligned: bool) -> Self {
        let mut record = record(16, [1, 4, 8], coefficients);
        let own = record.neighbours.as_mut().unwrap();
        (own.median, own.aligned) = (median, aligned);
        let n = Neighbourhood::new(&record, &mut Vec::new()).unwrap().unwrap();
        let cells = std::array::from_fn(|_| Decoded {
            sum: any(rng),
            residual: any(rng),
            atom: rng.below(3) as u8,
        });
        Self { n, cells }
    }

    /// Asks for prediction and properties of column 10: line 2, third place.
    fn ask(&self, fraction: u32) -> ([i64; NEIGHBOURS], i64, [i32; FEATURES]) {
        let n = &self.n;
        let mut window = n.window::<i64, 1>();
        for cell in &self.cells[..10] {
            window.set_one(*cell);
            window.advance();
        }
        let near = Near::of(&window, &n.surroundings, Wanted::ALL);
        let predicted = n.predict(&window, &near, &Weights::new(&n.coefficients), [fraction]);
        let front = window.front();
        let properties = near.features(front, &n.surroundings, &predicted, [fraction]);
        (near.sums.map(|s| s[0]), predicted[0], properties.map(|f| f[0]))
    }
}

fn wrapped(v: i128) -> i64 {
    v as i64
}

#[test]
fn predictions_are_those_of_longer_integers() {
    let mut rng = Rng::new(7);
    for round in 0..3000 {
        let median = round % 2 == 0;
        let aligned = round % 3 == 0;
        // Neighbours alone, or all terms, as much as may be weighed of each.
        let (terms, most) = [(NEIGHBOURS, 4095), (TERMS, 2426)][round / 2 % 2];
        let coefficients: Vec<(usize, i64)> = (0..terms)
            .map(|n| {
                (n, [most, -most, rng.below(2 * most as usize + 1) as i64 - most][rng.below(3)])
            })
            .collect();
        let scene = Scene::new(&mut rng, &coefficients, median, aligned);
        let fraction = [0, 1, 2, 3, 20, 32][rng.below(6)];
        let (sums, predicted, _) = scene.ask(fraction);
        // Lines of four: nothing lies farther to the left than what lies farthest of neighbours.
        let s = |n: usize| match n.checked_sub(NEIGHBOURS) {
            None => i128::from(sums[n]),
            Some(at @ 0..6) => {
                let column = [9, 6, 5, 7, 8, 2][at];
                let most = (1 << 26) - 1;
                i128::from(scene.cells[column].residual.clamp(-most, most)) << fraction
            }
            Some(_) => i128::from(sums[neighbour::LEFT3]),
        };
        let (l, u, ul) = (s(neighbour::LEFT), s(neighbour::UP), s(neighbour::UP_LEFT));
        let mut expected = match median {
            true => wrapped(l + u - ul).clamp(wrapped(l.min(u)), wrapped(l.max(u))),
            false => {
                let sum = |(n, a): &(usize, i64)| s(*n).clamp(-1 << 47, 1 << 47) * i128::from(*a);
                let total: i128 = coefficients.iter().map(sum).sum();
                i64::try_from((total + 128) >> 8).unwrap()
            }
        };
        if aligned {
            let half = (1_i128 << fraction) / 2;
            expected = wrapped(i128::from(expected) + half) >> fraction << fraction;
        }
        assert_eq!(predicted, expected);
    }
}

#[test]
fn properties_are_those_of_longer_integers() {
    let mut rng = Rng::new(8);
    for _ in 0..3000 {
        let scene = Scene::new(&mut rng, &[(0, 256)], false, false);
        let fraction = [0, 1, 2, 3, 20, 32][rng.below(6)];
        let (_, predicted, properties) = scene.ask(fraction);
        let most = (1_i64 << 26) - 1;
        let narrow = |v: i64| v.clamp(-most, most);
        let quarters = |v: i64| narrow(v >> (i64::from(fraction) - 2).max(0));
        let sum = |j: usize| quarters(scene.cells[j].sum);
        let r = |j: usize| narrow(scene.cells[j].residual);
        let atom = |j: usize| i64::from(scene.cells[j].atom);
        // Left 9, above 6, above-left 5, above-right 7, third 2; twice that far 8, 2 and none.
        let (l, u, ul, ur, ll, uu, t) = (sum(9), sum(6), sum(5), sum(7), sum(8), sum(2), sum(2));
        let activity = (l - ul).abs() + (u - ul).abs() + (ur - u).abs() + (l - ll).abs();
        let both = r(9).abs() + r(6).abs();
        let joined = (activity + 4 * (both << fraction.min(2))).min(i64::from(i32::MAX));
        let others = r(5).abs() + r(7).abs() + r(8).abs() + 2 * r(2).abs();
        let atoms = [9, 6, 5, 7, 2].map(|j| i64::from(atom(j) > 0)).iter().sum();
        let expected = [
            [2, 2, 0, l, u, ul, ur, ll],
            [uu, t, l - ul, u - ul, ur - u, l - ll, u - uu, l - u],
            [0, quarters(predicted), l.min(u).min(ul).min(ur), 0, activity, r(9), r(6), both],
            [joined, r(2), 2 * both + others, atoms, atom(9), atom(6), atom(2), 0],
        ];
        let mut expected = expected.concat();
        expected[19] = l.max(u).max(ul).max(ur);
        expected[31] = r(9).abs() + r(8).abs();
        let found: Vec<i64> = properties.iter().map(|&p| i64::from(p)).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn the_sum_of_an_atom_is_the_nearest() {
    let mut rng = Rng::new(9);
    let mut grid = Grid { value: Value::Integer { unit: 1 }, fraction: 0, step: 0 };
    for _ in 0..20_000 {
        grid.fraction = rng.below(33) as u32;
        grid.step = match rng.below(4) {
            0 => 1 << grid.fraction,
            1 => [0, 1, u64::MAX, 1 << 63, (1 << 62) + 1, (1 << 62) - 1][rng.below(6)],
            _ => rng.next_u64() >> rng.below(64),
        };
        let (k, base) = (any(&mut rng), any(&mut rng));
        let difference = i128::from(k.wrapping_sub(base));
        let step = i128::from(grid.step.max(1));
        let exact = ((difference << (grid.fraction + 1)) + step).div_euclid(2 * step);
        let exact = exact.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        assert_eq!(i128::from(atom_sum(k, base, &grid)), exact, "{k} {base} {grid:?}");
        let value = Value::Ordered { offset: 0.0, unit: 0.0 };
        assert_eq!(i128::from(atom_sum(k, base, &Grid { value, ..grid })), difference);
    }
}
