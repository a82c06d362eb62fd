use super::record;
use crate::codec::context::{Decoded, neighbour};
use crate::codec::further;
use crate::codec::near::{Near, Wanted};
use crate::codec::neighbourhood::Neighbourhood;
use crate::container::model::{FIRST_FARTHER, NEIGHBOURS};
use crate::matrix::rng::Rng;

/// Rows as a sheet of lines, in which a place is asked for by its line and its column.
struct Sheet<'a> {
    /// The rows before, and the present one as far as it was decoded.
    rows: &'a [Vec<i64>],
    line: usize,
}

impl Sheet<'_> {
    /// The sum `back` rows before, if that is there.
    fn at(&self, back: usize, y: i64, x: i64) -> Option<i64> {
        let row = self.rows.len().checked_sub(1 + back)?;
        let (x, y) = (usize::try_from(x).ok()?, usize::try_from(y).ok()?);
        let column = y * self.line + x;
        if x < self.line { self.rows[row].get(column).copied() } else { None }
    }
}

/// Sums of neighbours where none is missing, or those that stand for them.
fn stand_in(own: [Option<i64>; NEIGHBOURS], lined: bool) -> [i64; NEIGHBOURS] {
    use neighbour::*;
    let mut s = own.map(Option::unwrap_or_default);
    s[UP] = own[UP].or(own[LEFT]).unwrap_or(0);
    s[LEFT] = own[LEFT].unwrap_or(s[UP]);
    s[UP_LEFT] = own[UP_LEFT].unwrap_or(s[LEFT]);
    s[UP_RIGHT] = own[UP_RIGHT].unwrap_or(s[UP]);
    s[LEFT2] = own[LEFT2].unwrap_or(s[LEFT]);
    s[LEFT3] = own[LEFT3].unwrap_or(s[LEFT2]);
    s[UP2] = own[UP2].unwrap_or(s[UP]);
    s[THIRD] = own[THIRD].unwrap_or(if lined { s[UP] } else { 0 });
    s[THIRD2] = own[THIRD2].unwrap_or(s[THIRD]);
    s[THIRD3] = own[THIRD3].unwrap_or(s[THIRD2]);
    for n in THIRD_LEFT..NEIGHBOURS {
        s[n] = own[n].unwrap_or(s[THIRD]);
    }
    s
}

/// Goes over rows of random sums and compares the neighbours of each value with those on the sheet;
/// `third` says how many rows back, and how many lines up, the third direction leads; several rows back if
/// rows lie in lines.
fn compare(width: usize, distances: [usize; 3], (back, up): (usize, i64), rows: usize) {
    let all: Vec<(usize, i64)> = (0..NEIGHBOURS).map(|n| (n, 1)).collect();
    let mut record = record(width, distances, &all);
    let lined = back > 1;
    if let Some(n) = record.neighbours.as_mut().filter(|_| lined) {
        n.line_of_rows = back;
    }
    let n = Neighbourhood::new(&record, &mut Vec::new()).unwrap().unwrap();
    assert_eq!(n.looks_back, distances[1] == 0 || distances[2] == 0);
    let line = if distances[1] == 0 { width } else { distances[1] };
    let mut window = n.window::<i64, 1>();
    let mut rng = Rng::new(width as u64);
    let mut sheet: Vec<Vec<i64>> = Vec::new();
    let a = distances[0] as i64;
    for _ in 0..rows {
        sheet.push(Vec::new());
        for spot in n.surroundings.spots() {
            let seen = Sheet { rows: &sheet, line };
            let (x, y) = ((spot.column % line) as i64, (spot.column / line) as i64);
            let above = |times: i64, dx: i64| match distances[1] {
                0 => seen.at(times as usize, 0, x + dx),
                _ => seen.at(0, y - times, x + dx),
            };
            let third = |times: i64, dy: i64, dx: i64| {
                let back = back as i64 * times;
                if distances[1] > 0 {
                    return seen.at(back as usize, y - up * times + dy, x + dx);
                }
                // A row is but one line: above and below are rows.
                let own = seen.at((back - dy) as usize, 0, x + dx);
                own.filter(|_| dy == 0 || lined)
            };
            // The corners are there only if what lies between is.
            let around = |dy, dx| third(1, 0, 0).and_then(|_| third(1, dy, dx));
            let own = [
                seen.at(0, y, x - a),
                seen.at(0, y, x - 2 * a),
                seen.at(0, y, x - 3 * a),
                above(1, 0),
                above(2, 0),
                above(1, -a),
                above(1, a),
                third(1, 0, 0),
                third(2, 0, 0),
                third(3, 0, 0),
                around(0, -a),
                around(0, a),
                around(-1, 0),
                around(1, 0),
                around(-1, -a),
                around(-1, a),
            ];
            let near = Near::of(&window, &n.surroundings, Wanted::ALL);
            assert_eq!(near.sums.map(|s| s[0]), stand_in(own, lined), "{distances:?} {x}, {y}");
            let terms = further::terms(&window, &near, &n.surroundings, 0);
            let mut nearer = near.sums[neighbour::LEFT3][0];
            for (times, found) in (4..).zip(&terms[FIRST_FARTHER..]) {
                nearer = seen.at(0, y, x - times * a).unwrap_or(nearer);
                assert_eq!(*found, nearer, "{distances:?} {x}, {y}: {times} times to the left");
            }
            let sum = rng.next_u64() as i64;
            window.set_one(Decoded { sum, residual: 0, atom: 0 });
            window.advance();
            sheet.last_mut().unwrap().push(sum);
        }
    }
}

#[test]
fn neighbours_are_where_they_lie_on_a_sheet() {
    // Images, two and more columns to the left; the last line may be shorter.
    for (width, a, line) in [(35, 1, 7), (35, 2, 7), (33, 3, 7), (9, 1, 9), (8, 2, 3), (7, 4, 1)] {
        // The third direction leads to the images before.
        compare(width, [a, line, 0], (1, 0), 6);
        // Or up by so many lines, as in a volume.
        for up in 1..4 {
            if up * line <= width {
                compare(width, [a, line, up * line], (0, up as i64), 3);
            }
        }
    }
    // Above is in the row before, and so is the third direction.
    for (width, a) in [(9, 1), (9, 2), (1, 1), (5, 5)] {
        compare(width, [a, 0, 0], (1, 0), 7);
        // Unless rows lie in lines.
        for line in [2, 5] {
            compare(width, [a, 0, 0], (line, 0), 4 * line);
        }
    }
    compare(35, [1, 7, 0], (3, 0), 12);
}

#[test]
fn nothing_lies_behind_the_end_of_a_short_line() {
    // The column to the right of the last one is in its line, but not in the row.
    compare(5, [1, 3, 0], (1, 0), 4);
    compare(13, [2, 5, 0], (1, 0), 5);
}

#[test]
fn rows_before_are_there_once_they_were_decoded() {
    let record = record(1, [1, 0, 0], &[(0, 1)]);
    let n = Neighbourhood::new(&record, &mut Vec::new()).unwrap().unwrap();
    let mut window = n.window::<i64, 1>();
    use neighbour::{THIRD, THIRD2, THIRD3, UP, UP2};
    let mut seen = Vec::new();
    for row in 1..7 {
        let near = Near::of(&window, &n.surroundings, Wanted::ALL);
        seen.push([UP, UP2, THIRD, THIRD2, THIRD3].map(|n| near.sums[n][0]));
        window.set_one(Decoded { sum: row, residual: 0, atom: 0 });
        window.advance();
    }
    let one = [0, 0, 0, 0, 0];
    assert_eq!(seen[..4], [one, [1, 1, 1, 1, 1], [2, 1, 2, 1, 1], [3, 2, 3, 2, 1]]);
    assert_eq!(seen[4..], [[4, 3, 4, 3, 2], [5, 4, 5, 4, 3]]);
}
