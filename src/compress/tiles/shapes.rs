//! Shapes of tiles that are worth a try.

/// Lengths of windows of series, and those alone where time is short. Latents want short ones, of which
/// there are many to learn from; values foretold by those before them want long ones, in which few
/// have none before.
const WINDOWS: &[usize] = &[32, 128, 512, 2048];
const SHORT_OF_WINDOWS: &[usize] = &[128, 1024];
/// Sides of square tiles of fields, likewise.
const SIDES: &[usize] = &[8, 16];
const SHORT_OF_SIDES: &[usize] = &[16];
/// Least number of tiles to learn from, and least values of a tile.
const LEAST_TILES: usize = 64;
const LEAST_VALUES: usize = 8;
/// Share of the values of all tiles that may lie beyond the array's ends: they cost next to nothing, but
/// tiles that have more of them than values by as much seldom are the best.
const MOST_BEYOND: f64 = 0.2;

/// Returns the shapes of tiles to try for an array seen in the shape `view`, but for whole rows:
/// windows along its last axis, squares of its last two axes, and where it has more than two axes all
/// of the last one, all of the last two and all of the first. Along other axes, tiles are one value long. Where time is
/// `short`, there are fewer of them.
pub(super) fn candidates(view: &[usize], short: bool) -> Vec<Vec<usize>> {
    let (windows, sides) =
        if short { (SHORT_OF_WINDOWS, SHORT_OF_SIDES) } else { (WINDOWS, SIDES) };
    let rank = view.len();
    let along = |k: usize| view.get(rank.wrapping_sub(k + 1)).copied().unwrap_or(1);
    // The last axes of each shape, from the last one on.
    let mut ends: Vec<Vec<usize>> = Vec::new();
    for &window in windows {
        ends.push(vec![even(along(0), window)]);
    }
    if rank >= 2 {
        for &side in sides {
            ends.push(vec![even(along(0), side), even(along(1), side)]);
        }
    }
    if rank >= 3 {
        ends.push(vec![along(0)]);
        ends.push(vec![along(0), along(1)]);
    }
    let mut out: Vec<Vec<usize>> = Vec::new();
    let of_end = |end: Vec<usize>| {
        let mut tile = vec![1; rank];
        tile.iter_mut().rev().zip(end).for_each(|(t, n)| *t = n);
        tile
    };
    let mut tiles: Vec<Vec<usize>> = ends.into_iter().map(of_end).collect();
    if rank >= 3 && !short {
        let mut tile = vec![1; rank];
        tile[0] = view[0];
        tiles.push(tile);
    }
    for tile in tiles {
        let values: usize = tile.iter().product();
        let tiles: usize = view.iter().zip(&tile).map(|(v, t)| v.div_ceil(*t)).product();
        let are_rows = view.iter().skip(1).eq(tile.iter().skip(1)) && rank > 1;
        let own = view.iter().zip(&tile).map(|(v, t)| *v as f64 / (v.div_ceil(*t) * t) as f64);
        let fills = own.product::<f64>() >= 1.0 - MOST_BEYOND;
        let is_worth_it = values >= LEAST_VALUES && tiles >= LEAST_TILES && fills && !are_rows;
        if is_worth_it && !out.contains(&tile) {
            out.push(tile);
        }
    }
    out
}

/// Returns the length of about `wanted`, or up to half as long again, that reaches least beyond the
/// end of an axis of `axis` values: what can be learned depends little on it.
fn even(axis: usize, wanted: usize) -> usize {
    if axis <= wanted {
        return axis.max(1);
    }
    let lengths = wanted..=axis.min(wanted + wanted / 2);
    lengths.min_by_key(|&n| (axis.div_ceil(n) * n, n)).unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_fields_and_cubes_have_tiles() {
        assert_eq!(candidates(&[100_000], false), [vec![32], vec![160], vec![625]]);
        let fields = candidates(&[18, 241, 480], false);
        assert!(fields.contains(&vec![1, 11, 8]) && fields.contains(&vec![1, 22, 16]));
        let cube = candidates(&[145, 145, 200], false);
        assert!(cube.contains(&vec![1, 1, 200]) && !cube.contains(&vec![1, 145, 200]));
        assert!(cube.contains(&vec![145, 1, 1]));
        assert!(!candidates(&[145, 145, 200], true).contains(&vec![145, 1, 1]));
        assert!(candidates(&[3, 2], true).is_empty() && candidates(&[], true).is_empty());
    }
}
