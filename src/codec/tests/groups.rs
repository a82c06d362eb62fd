use super::{random_tree, record};
use crate::codec::atom_sums::atom_sum;
use crate::codec::context::{Decoded, LANES, neighbour};
use crate::codec::decode::RowDecoder;
use crate::codec::near::{Near, Wanted};
use crate::codec::neighbourhood::{Decided, Neighbourhood};
use crate::codec::order::Order;
use crate::codec::program::Program;
use crate::codec::weights::Weights;
use crate::codec::window::Window;
use crate::container::model::{ModelRecord, OWN_TABLE, RowPredictors, TERMS, TreeNode};
use crate::entropy::lanes::LaneDecoder;
use crate::entropy::table::TableSpec;
use crate::matrix::DType;
use crate::matrix::rng::Rng;

/// Streams of random bits: any is the stream of some rows.
fn random_stream(rng: &mut Rng, rows: usize, words: usize) -> Vec<u8> {
    let mut stream = Vec::new();
    (0..rows.min(LANES))
        .for_each(|_| stream.extend((rng.next_u64() as u32 | 1 << 31).to_le_bytes()));
    (0..words).for_each(|_| stream.extend((rng.next_u64() as u16).to_le_bytes()));
    stream
}

/// Classes with and without residuals, atoms, and trees that decide by everything.
fn rich(rng: &mut Rng, width: usize, distances: [usize; 3]) -> ModelRecord {
    let neighbours = [(0, 120), (3, 130), (5, -60), (1, 9)];
    let further = [(16, 40), (17, -30), (20, 25), (21, 30), (22, 14), (24, -9), (26, 6)];
    let mut m = record(width, distances, &[&neighbours[..], &further].concat());
    let uniform = |n: i64| TableSpec::Histogram {
        raw: 0,
        entries: (0..n)
            .map(|i| (i, 32_768 / n as u32 + u32::from(i == 0) * (32_768 % n as u32)))
            .collect(),
        escape: 0,
    };
    m.tables.extend([TableSpec::Ladder { shape: 2, scale: 18 }, TableSpec::Zero]);
    m.tables.extend([uniform(3), uniform(4)]);
    m.grids[0].step = 13;
    m.classes.count = 4;
    m.classes.next = vec![4; 4];
    m.classes.quantum = vec![0, -1, 3, 1 << 20];
    m.classes.residual_tables = (0..4 * width).map(|i| i % 3).collect();
    let n = m.neighbours.as_mut().unwrap();
    n.atoms = vec![-90, 77];
    (n.tree, n.atom_tree) = (Vec::new(), Vec::new());
    random_tree(rng, 6, &mut n.tree, OWN_TABLE);
    for (i, node) in n.tree.iter_mut().enumerate() {
        if let TreeNode::Leaf { shift, .. } = node {
            *shift = i as i64 % 7 - 3;
        }
    }
    let table = TreeNode::Leaf { table: Some(3), shift: 0 };
    random_tree(rng, 4, &mut n.atom_tree, table);
    m
}

/// Lets rows name predictors of such an order in place of weighing neighbours.
fn name_predictors(rng: &mut Rng, m: &mut ModelRecord, order: usize) {
    let n = m.neighbours.as_mut().unwrap();
    n.coefficients = vec![Vec::new(); TERMS];
    let mut own = || (0..order).map(|_| rng.below(4000) as i64 - 2000).collect();
    let coefficients = (0..4).map(|_| own()).collect();
    n.by_row = Some(RowPredictors { table: 4, coefficients });
}

/// A window with one lane, whose next value is behind `own` in the row behind `before`.
fn window_at(n: &Neighbourhood, before: &[Vec<Decoded>], own: &[Decoded]) -> Window<i64, 1> {
    let mut window = n.window();
    for cell in before.iter().flatten().chain(own) {
        window.set_one(*cell);
        window.advance();
    }
    window
}

/// Reads a number in each of some lanes, from a table each.
fn read(p: &Program, tables: &[(usize, usize)], coder: &mut LaneDecoder<'_>) -> Vec<i64> {
    let mut symbol = |&(lane, t): &(usize, usize)| coder.alone(lane, |c| p.tables[t].symbol(c));
    let entries: Vec<i32> = tables.iter().map(&mut symbol).collect();
    let mut number = |(&(lane, t), entry): (&(usize, usize), i32)| {
        coder.alone(lane, |c| p.tables[t].number(entry, c))
    };
    tables.iter().zip(entries).map(&mut number).collect()
}

/// Returns what is predicted of the next value of a window, in column `j` of a row with such a predictor,
/// and what the trees decide of it.
fn known(
    p: &Program,
    window: &Window<i64, 1>,
    (j, predictor): (usize, usize),
) -> (i64, Decided<1>) {
    let n = p.neighbours.as_ref().unwrap();
    let fraction = [p.steps[j].trailing_zeros()];
    let near = Near::of(window, &n.surroundings, Wanted::ALL);
    let predicted = n.predict(
        window,
        &near,
        &Weights::naming(&n.coefficients, predictor, window.front()),
        fraction,
    );
    let features = near.features(window.front(), &n.surroundings, &predicted, fraction);
    (predicted[0], n.decide(&features))
}

/// Sums and atoms of `count` rows, value by value.
fn one_by_one(p: &Program, stream: &[u8], count: usize) -> Vec<Vec<Decoded>> {
    let n = p.neighbours.as_ref().unwrap();
    let (m, width) = (&p.record, p.record.width());
    let mut coder = LaneDecoder::new(stream, count).unwrap();
    let (mut classes, mut predictors) = (Vec::new(), Vec::new());
    let mut out: Vec<Vec<Decoded>> = vec![Vec::new(); count];
    let order = Order { rows: count, width, delay: n.delay(LANES) };
    for step in order.steps() {
        for row in order.heads(step) {
            let table = m.classes.next[classes.last().copied().unwrap_or(0)];
            classes.push(read(p, &[(row % LANES, table)], &mut coder)[0] as usize);
            let table = n.coefficients.by_row.as_ref().and_then(|own| own.table());
            let named = table.map_or(0, |t| read(p, &[(row % LANES, t)], &mut coder)[0] as usize);
            predictors.push(named);
        }
        let window = |out: &[Vec<Decoded>], row: usize| {
            // Rows before may be incomplete: what is missing lies too far ahead to be looked at.
            let whole = |row: &Vec<Decoded>| {
                let mut row = row.clone();
                row.resize(width, Decoded { sum: -777, residual: 77, atom: 2 });
                row
            };
            let before = if n.looks_back { out[..row].iter().map(whole).collect() } else { vec![] };
            window_at(n, &before, &out[row])
        };
        let cells: Vec<(usize, usize)> = order.cells(step).collect();
        let known: Vec<(i64, Decided<1>)> = cells
            .iter()
            .map(|&(row, j)| known(p, &window(&out, row), (j, predictors[row])))
            .collect();
        let coded: Vec<usize> =
            (0..cells.len()).filter(|&i| m.classes.quantum[classes[cells[i].0]] >= 0).collect();
        let lane = |i: usize| cells[i].0 % LANES;
        let tables = coded.iter().map(|&i| (lane(i), n.atom_table(known[i].1.atom_leaf(0))));
        let mut atoms = vec![0; cells.len()];
        let named = read(p, &tables.collect::<Vec<_>>(), &mut coder);
        coded.iter().zip(named).for_each(|(&i, atom)| atoms[i] = atom as u8);
        let rest: Vec<usize> = coded.into_iter().filter(|&i| atoms[i] == 0).collect();
        let tables = rest.iter().map(|&i| {
            let own = || m.classes.residual_tables[classes[cells[i].0] * width + cells[i].1];
            (lane(i), n.table(known[i].1.leaf(0), own))
        });
        let mut residuals = vec![0; cells.len()];
        let said = read(p, &tables.collect::<Vec<_>>(), &mut coder);
        rest.into_iter().zip(said).for_each(|(i, r)| residuals[i] = r);
        for (i, &(row, j)) in cells.iter().enumerate() {
            let mut cell = Decoded { sum: known[i].0, residual: residuals[i], atom: atoms[i] };
            if cell.atom > 0 {
                cell.sum = atom_sum(n.atoms[usize::from(cell.atom) - 1], m.base[j], &m.grids[0]);
            } else {
                let quantum = m.classes.quantum[classes[row]];
                let step = if quantum == 0 { p.steps[j] } else { quantum };
                cell.sum = cell.sum.wrapping_add(cell.residual.wrapping_mul(step));
            }
            out[row].push(cell);
        }
    }
    assert!(!coder.overrun());
    out
}

#[test]
fn rows_side_by_side_are_those_decoded_one_by_one() {
    let mut rng = Rng::new(10);
    let mut unfit = 0;
    for distances in [[1, 4, 0], [2, 3, 6], [1, 0, 0], [3, 12, 1], [5, 2, 3], [1, 6, 0]] {
        let sizes = [(12, 1 << 20, 0), (12, 1 << 45, 0), (70, 1 << 20, 0)];
        let by_row = [(12, 1 << 20, 5), (70, 1 << 20, 32), (70, 1 << 45, 7)];
        for (width, coarse, order) in sizes.into_iter().chain(by_row) {
            let mut m = rich(&mut rng, width, distances);
            if order > 0 {
                name_predictors(&mut rng, &mut m, order);
            }
            m.classes.quantum[3] = coarse;
            if distances[1] == 6 && order == 0 {
                // What lies a line below in the row before.
                m.neighbours.as_mut().unwrap().coefficients[neighbour::THIRD_DOWN] = vec![31];
            }
            let p = Program::new(m, DType::I64).unwrap();
            for count in [1, 2, 15, 16, 17, 32, 33, 50] {
                let stream = random_stream(&mut rng, count, 16 * width * count + 120);
                let expected = one_by_one(&p, &stream, count);
                let mut rows = RowDecoder::new(&p, &stream, count).unwrap();
                for (i, expected) in expected.iter().enumerate() {
                    rows.advance();
                    let sums: Vec<i64> = expected.iter().map(|cell| cell.sum).collect();
                    assert_eq!(rows.residuals, sums, "row {i} of {count}, {distances:?}");
                    // Whoever stops goes on where it was.
                    rows = RowDecoder::resume(&p, (&stream, count), rows.pause()).unwrap();
                }
                let all = || expected.iter().flatten();
                assert!(count < 15 || all().any(|cell| cell.atom > 0));
                unfit += usize::from(all().any(|cell| cell.sum.unsigned_abs() > 1 << 31));
            }
        }
    }
    assert!(unfit > 10, "{unfit}");
}

#[test]
fn a_table_of_another_scale_is_a_ladder_of_the_same_shape() {
    let mut m = record(1, [1, 0, 0], &[]);
    let ladder = |shape, scale| TableSpec::Ladder { shape, scale };
    m.tables = vec![ladder(1, 7), TableSpec::Zero, ladder(3, 235)];
    let n = m.neighbours.as_mut().unwrap();
    n.tree.clear();
    for shift in [-8, 0, 5, 5, 239] {
        n.tree.push(TreeNode::Decision { feature: 0, threshold: 0 });
        n.tree.push(TreeNode::Leaf { table: None, shift });
    }
    n.tree.push(TreeNode::Leaf { table: Some(1), shift: 0 });
    let p = Program::new(m, DType::I64).unwrap();
    let n = p.neighbours.as_ref().unwrap();
    let expected = [
        [ladder(1, 0), TableSpec::Zero, ladder(3, 227)],
        [ladder(1, 7), TableSpec::Zero, ladder(3, 235)],
        [ladder(1, 12), TableSpec::Zero, ladder(3, 239)],
        [ladder(1, 12), TableSpec::Zero, ladder(3, 239)],
        [ladder(1, 239), TableSpec::Zero, ladder(3, 239)],
        [TableSpec::Zero, TableSpec::Zero, TableSpec::Zero],
    ];
    let costs = |table: &crate::entropy::table::Table| [-40, -3, 0, 1, 500].map(|n| table.cost(n));
    for (leaf, tables) in expected.into_iter().enumerate() {
        for (own, spec) in tables.into_iter().enumerate() {
            let found = &p.tables[n.table(leaf as u16, || own)];
            let same = crate::entropy::table::Table::new(&spec).unwrap();
            assert_eq!(costs(found), costs(&same), "leaf {leaf}, table {own}");
        }
    }
    // None is made twice.
    assert_eq!(p.tables.len(), 3 + 5);
}
