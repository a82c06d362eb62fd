//! Rows of all types and awkward shapes, there and back.

use super::*;
use crate::codec::bound;
use crate::codec::cursor::BlockCursor;
use crate::codec::encoded::EncodedBlock;
use crate::codec::value::with_cell;
use crate::container::block::{self, Block};
use crate::container::index::Place;
use crate::container::model::{
    Classes, ModelRecord, Neighbours, RowPredictors, TERMS, TreeNode, Value,
};
use crate::encode::encoder::BlockEncoder;
use crate::encode::project::cells;
use crate::entropy::table::TableSpec;
use crate::matrix::rng::Rng;
use crate::matrix::{DType, Element, to_little_endian};

/// First row of the block.
const FIRST: u64 = 5;

/// What rows look at and how: the third direction is weighed where it is in the rows before.
struct Look {
    width: usize,
    distances: [usize; 3],
    median: bool,
    aligned: bool,
    line_of_rows: usize,
    /// Values that predictors which rows name weigh, if they do.
    order: usize,
}

const LOOKS: [Look; 12] = [
    Look {
        width: 1,
        distances: [1, 0, 0],
        median: false,
        aligned: false,
        line_of_rows: 0,
        order: 0,
    },
    Look {
        width: 28,
        distances: [1, 28, 0],
        median: true,
        aligned: true,
        line_of_rows: 0,
        order: 0,
    },
    Look {
        width: 35,
        distances: [1, 7, 0],
        median: true,
        aligned: true,
        line_of_rows: 0,
        order: 0,
    },
    Look {
        width: 36,
        distances: [3, 9, 1],
        median: false,
        aligned: true,
        line_of_rows: 0,
        order: 0,
    },
    Look {
        width: 13,
        distances: [1, 5, 0],
        median: false,
        aligned: false,
        line_of_rows: 0,
        order: 0,
    },
    Look {
        width: 9,
        distances: [4, 2, 9],
        median: false,
        aligned: false,
        line_of_rows: 0,
        order: 0,
    },
    Look {
        width: 6,
        distances: [2, 0, 1],
        median: true,
        aligned: false,
        line_of_rows: 0,
        order: 0,
    },
    Look {
        width: 3,
        distances: [1, 0, 0],
        median: false,
        aligned: true,
        line_of_rows: 2,
        order: 0,
    },
    Look {
        width: 5,
        distances: [1, 0, 0],
        median: false,
        aligned: false,
        line_of_rows: 9,
        order: 0,
    },
    Look {
        width: 6,
        distances: [1, 3, 0],
        median: false,
        aligned: true,
        line_of_rows: 4,
        order: 0,
    },
    Look {
        width: 30,
        distances: [1, 0, 0],
        median: false,
        aligned: true,
        line_of_rows: 3,
        order: 4,
    },
    Look {
        width: 14,
        distances: [2, 7, 0],
        median: false,
        aligned: false,
        line_of_rows: 0,
        order: 9,
    },
];

/// A decision by a property that the data decide both ways, and leaves of all kinds.
fn tree(leaves: [TreeNode; 4]) -> Vec<TreeNode> {
    let decision = |feature| TreeNode::Decision { feature, threshold: 2 };
    let [a, b, c, d] = leaves;
    vec![decision(20), decision(28), a, b, decision(23), c, d]
}

/// Predictors of values like the one before, or on a line with those before.
fn by_row(order: usize) -> Option<RowPredictors> {
    let own = |first: [i64; 2]| [&first[..], &vec![0; order - 2]].concat();
    (order > 0).then(|| RowPredictors {
        table: 3,
        coefficients: vec![own([3900, 100]), own([8100, -4050])],
    })
}

fn model(look: &Look, grid: Grid, atoms: &[i64]) -> ModelRecord {
    let width = look.width;
    let own = |t| TreeNode::Leaf { table: Some(t), shift: 0 };
    let moved = |shift| TreeNode::Leaf { table: None, shift };
    let coefficients = (0..TERMS).map(|n| match n {
        0 | 3 => vec![180; width],
        5 => (0..width as i64).map(|j| -90 - j % 5).collect(),
        13 => vec![-14; width],
        7 | 9 | 12 | 15 if look.line_of_rows > 0 => vec![21; width],
        _ => Vec::new(),
    });
    let share = 32_768 / (atoms.len() as u32 + 1);
    let none = 32_768 - share * atoms.len() as u32;
    let entry = |i: usize| (i as i64, if i == 0 { none } else { share });
    let entries = (0..=atoms.len()).map(entry).collect();
    ModelRecord {
        grids: vec![grid],
        grid_of: vec![0; width],
        base: (0..width as i64).map(|j| j % 3).collect(),
        temporal: vec![0; width],
        tables: vec![
            TableSpec::Ladder { shape: 2, scale: 26 },
            TableSpec::Ladder { shape: 0, scale: 20 },
            TableSpec::Histogram { raw: 0, entries, escape: 0 },
            TableSpec::Histogram { raw: 0, entries: vec![(0, 30_000), (1, 2_768)], escape: 0 },
        ],
        classes: Classes {
            count: 2,
            next: vec![3; 2],
            quantum: vec![0, -1],
            residual_tables: vec![0; 2 * width],
            ..Classes::default()
        },
        neighbours: Some(Neighbours {
            distances: look.distances,
            line_of_rows: look.line_of_rows,
            latents_above: Default::default(),
            median: look.median,
            aligned: look.aligned,
            group_of: Vec::new(),
            coefficients: match look.order {
                0 => coefficients.collect(),
                _ => vec![Vec::new(); TERMS],
            },
            by_row: by_row(look.order),
            atoms: atoms.to_vec(),
            atom_tree: if atoms.is_empty() { vec![own(2)] } else { tree([own(2); 4]) },
            tree: tree([own(0), moved(3), own(1), moved(-2)]),
        }),
        ..ModelRecord::default()
    }
}

/// Rows that wander, rest at their ends, and have a row of zeros and one that repeats the other.
fn rows<T: Cell>(look: &Look, count: usize, largest: f64, special: &[T]) -> Vec<T> {
    let mut rng = Rng::new((count + look.width) as u64);
    let mut x = 0.3 * largest;
    let mut out = Vec::new();
    for i in 0..count * look.width {
        x += 0.05 * largest * (f64::from(rng.unit()) - 0.48);
        x = x.clamp(-0.1 * largest, 1.1 * largest);
        let row = i / look.width;
        out.push(match rng.below(25) {
            _ if row == 3 || row == 4 => T::from_float(0.0),
            0 if !special.is_empty() => special[rng.below(special.len())],
            _ => T::from_float(x.clamp(0.0, largest)),
        });
    }
    out
}

/// Codes rows, decodes them, and judges each value. Returns which share is stored exactly, and which
/// are atoms.
fn there_and_back<T: Cell>(encoder: &BlockEncoder, rows: &[T]) -> [f64; 2] {
    let p = &encoder.program;
    let (width, dtype) = (p.record.width(), T::DTYPE);
    let bytes = to_little_endian(rows);
    let symbols = encoder.symbols(&bytes, &[], true);
    let coded = encoder.block(FIRST, &bytes, &symbols);
    assert!(matches!(block::decode(&coded, FIRST, 0).unwrap(), Block::Coded { .. }));
    let count = rows.len() / width;
    let place = Place { row: FIRST, rows: count, offset: 0, length: coded.len() };
    let whole =
        EncodedBlock { program: Some(p), dtype, width, place, bytes: coded.into(), room: 1 << 30 };
    let mut out = vec![0; bytes.len()];
    let mut cursor = BlockCursor::new(whole).unwrap();
    // In two steps, so that a group of rows is interrupted.
    let middle = count / 3;
    let (first, others) = out.split_at_mut(middle * width * dtype.size());
    cursor.rows(Some(p), 0..middle, first).unwrap();
    cursor.rows(Some(p), middle..count, others).unwrap();
    let decoded = cells::<T>(&out);
    for (at, (&x, &y)) in rows.iter().zip(&decoded).enumerate() {
        let bound = encoder.bounds[at % width];
        let context = || format!("{dtype} {at}: {} {}", x.to_f64(), y.to_f64());
        assert!(bound::holds(x, y, bound), "{}", context());
        assert!(!encoder.fills.contains(x) || x.same(y), "{}", context());
    }
    if encoder.keeps_zero_rows {
        for (x, y) in rows.chunks(width).zip(decoded.chunks(width)) {
            let is_zero = |row: &[T]| row.iter().all(|v| v.to_f64() == 0.0);
            assert!(!is_zero(x) || is_zero(y));
        }
    }
    let atoms = symbols.atoms.iter().filter(|&&a| a > 0).count();
    [symbols.escapes.len(), atoms].map(|n| n as f64 / rows.len() as f64)
}

/// Grids of a type, with bounds that they keep and the largest value.
fn grids(dtype: DType) -> Vec<(Grid, f64, f64)> {
    let grid = |value, fraction, step| Grid { value, fraction, step };
    if !dtype.is_float() {
        let value = Value::Integer { unit: 1 };
        return vec![(grid(value, 0, 1), 0.0, 120.0), (grid(value, 4, 7), 3.0, 120.0)];
    }
    let linear = Value::Linear { offset: 0.25, unit: 0.01 };
    let ratio = Value::Ratio { numerator: 1, denominator: 4 };
    let mut out = vec![(grid(linear, 4, 16), 0.15, 90.0), (grid(ratio, 2, 3), 0.6, 200.0)];
    if dtype != DType::F64 {
        out.push((grid(Value::Ordered { offset: 0.0, unit: 0.0 }, 0, 1), 0.0, 1e-3));
    }
    out
}

fn special(dtype: DType) -> Vec<f64> {
    match dtype.is_float() {
        true => vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -77.0, -0.0],
        false => vec![77.0, 1.0],
    }
}

fn check<T: Cell>(look: &Look, count: usize) {
    let special: Vec<T> = special(T::DTYPE)
        .into_iter()
        .map(|x| if x.is_finite() { T::from_float(x) } else { not_finite(x) })
        .collect();
    let fill = special[special.len() - 2];
    let fills = FillValues::from_bits(vec![bits(fill)]);
    for (grid, bound, largest) in grids(T::DTYPE) {
        let ordered = grid.value_is_ordered();
        // The integers of both ends.
        let zero = match grid.value {
            Value::Linear { offset, unit } => (-offset / unit).round() as i64,
            _ => 0,
        };
        let end = match grid.value {
            Value::Integer { .. } => largest as i64,
            Value::Linear { offset, unit } => ((largest - offset) / unit).round() as i64,
            Value::Ratio { .. } => 4 * largest as i64,
            Value::Ordered { .. } => T::from_float(largest).to_order(),
        };
        for atoms in [vec![], vec![zero, end]] {
            let record = model(look, grid, &atoms);
            let program = Program::new(record, T::DTYPE).unwrap();
            let bounds = vec![bound; look.width];
            let mut encoder = BlockEncoder::without_latents(program, bounds, fills.clone());
            for keeps in [false, true] {
                encoder.keeps_zero_rows = keeps;
                let [escapes, named] =
                    there_and_back(&encoder, &rows::<T>(look, count, largest, &special));
                if count * look.width > 200 && !keeps && !ordered {
                    assert!(escapes < 0.2, "{}: {escapes} are exact", T::DTYPE);
                    assert_eq!(named > 0.02, !atoms.is_empty(), "{}: {named}", T::DTYPE);
                }
            }
        }
    }
}

/// A float that is none of the finite ones.
fn not_finite<T: Cell>(x: f64) -> T {
    // The infinities and NaNs follow the largest number in the order of bit patterns.
    let largest = T::from_float(f64::MAX).to_order();
    T::from_order(match x {
        f64::INFINITY => largest + 1,
        f64::NEG_INFINITY => -2 - largest,
        _ => largest + 9,
    })
}

fn bits<T: Element>(x: T) -> u64 {
    let mut bytes = to_little_endian(&[x]);
    bytes.resize(8, 0);
    u64::from_le_bytes(bytes.try_into().unwrap())
}

#[test]
fn rows_of_every_type_keep_their_bounds_there_and_back() {
    for dtype in DType::ALL {
        for look in &LOOKS {
            for count in [1, 7, 8, 9, 20] {
                with_cell!(dtype, T => check::<T>(look, count));
            }
        }
    }
}

#[test]
fn what_rows_look_like_is_what_the_looks_say() {
    let grid = Grid { value: Value::Integer { unit: 1 }, fraction: 0, step: 1 };
    let back = LOOKS.map(|look| {
        let p = Program::new(model(&look, grid, &[]), DType::I16).unwrap();
        p.neighbours.unwrap().looks_back
    });
    let expected = [true, true, true, false, true, false, true, true, true, true, true, false];
    assert_eq!(back, expected);
}
