//! Coordinate descent over a few settings, each of which is expensive to try.

/// A setting that can be changed in one of two ways, or more that exclude each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Coordinate<'a, P> {
    /// The changes, in the order in which they are tried: once one helps, those after it, which
    /// would undo it, are left out.
    pub(crate) changes: &'a [fn(&mut P)],
    /// Most times that a change is made.
    pub(crate) most: usize,
}

/// Makes each change as long as it lowers the cost, by more than the share `gain` of it.
///
/// `trial` gives a changed setting, perhaps brought into shape, with its cost; none where it is
/// impossible. The costs are those of the file where files are compared, so a `gain` above 0 saves
/// trials that move within noise.
pub(crate) fn descend<P: Copy>(
    start: (P, f64),
    coordinates: &[Coordinate<'_, P>],
    gain: f64,
    mut trial: impl FnMut(P) -> Option<(P, f64)>,
) -> (P, f64) {
    let mut best = start;
    for coordinate in coordinates {
        for change in coordinate.changes {
            let mut made = 0;
            while made < coordinate.most {
                let mut changed = best.0;
                change(&mut changed);
                match trial(changed).filter(|c| c.1 < best.1 * (1.0 - gain)) {
                    Some(better) => best = better,
                    None => break,
                }
                made += 1;
            }
            if made > 0 {
                break;
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const COORDINATES: [Coordinate<'_, [f64; 2]>; 2] = [
        Coordinate { changes: &[|p| p[0] += 1.0, |p| p[0] -= 1.0], most: 20 },
        Coordinate { changes: &[|p| p[1] += 1.0, |p| p[1] -= 1.0], most: 20 },
    ];

    /// A bowl with its bottom at `at`; the cost there is 1.
    fn bowl(at: [f64; 2]) -> impl Fn(&[f64; 2]) -> f64 {
        move |p| 1.0 + (p[0] - at[0]).powi(2) + (p[1] - at[1]).powi(2)
    }

    #[test]
    fn it_goes_either_way_to_the_bottom() {
        for at in [[3.0, 5.0], [-4.0, 2.0], [-1.0, -7.0], [0.0, 0.0]] {
            let cost = bowl(at);
            let trial = |p: [f64; 2]| Some((p, cost(&p)));
            let start = ([0.0, 0.0], cost(&[0.0, 0.0]));
            assert_eq!(descend(start, &COORDINATES, 0.0, trial), (at, 1.0));
        }
    }

    #[test]
    fn it_stops_where_changes_are_not_worth_it() {
        let cost = bowl([10.0, 0.0]);
        let start = ([0.0, 0.0], 101.0);
        let reached = |coordinates: &[Coordinate<'_, [f64; 2]>], gain: f64| {
            descend(start, coordinates, gain, |p| Some((p, cost(&p)))).0[0]
        };
        // From 7 to 8 the cost halves, from 8 to 9 it does so more than from 9 to 10.
        assert_eq!(reached(&COORDINATES, 0.55), 0.0);
        assert_eq!(reached(&COORDINATES, 0.15), 10.0);
        let few = COORDINATES.map(|c| Coordinate { most: 3, ..c });
        assert_eq!(reached(&few, 0.0), 3.0);
    }

    #[test]
    fn what_helped_is_not_undone_and_what_is_impossible_is_left_out() {
        let cost = bowl([2.0, -9.0]);
        let mut tried = Vec::new();
        let best = descend(([0.0, 0.0], 86.0), &COORDINATES, 0.0, |p| {
            tried.push(p);
            // Settings are brought into shape: below −3 there are none.
            (p[1] >= -3.0).then(|| (p, cost(&p)))
        });
        assert_eq!(best.0, [2.0, -3.0]);
        let forward = [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [2.0, 1.0]];
        assert_eq!(tried[..4], forward, "{tried:?}");
        assert_eq!(tried.len(), 8);
    }
}
