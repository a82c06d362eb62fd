use super::{random_tree, record};
use crate::codec::context::{Decoded, LANES, Window};
use crate::codec::decode::RowDecoder;
use crate::codec::neighbourhood::atom_sum;
use crate::codec::program::Program;
use crate::container::model::{ModelRecord, OWN_TABLE, TreeNode};
use crate::entropy::rans::RansDecoder;
use crate::entropy::table::TableSpec;
use crate::matrix::DType;
use crate::matrix::rng::Rng;

/// Streams of random bits: any is the stream of some rows.
fn random_stream(rng: &mut Rng, words: usize) -> Vec<u8> {
    let mut stream = Vec::new();
    (0..2).for_each(|_| stream.extend((rng.next_u64() >> 1 | 1 << 62).to_le_bytes()));
    (0..words).for_each(|_| stream.extend((rng.next_u64() as u32).to_le_bytes()));
    stream
}

/// Classes with and without residuals, atoms, and trees that decide by everything.
fn rich(rng: &mut Rng, width: usize, distances: [usize; 3]) -> ModelRecord {
    let mut m = record(width, distances, &[(0, 120), (3, 130), (5, -60), (1, 9)]);
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

/// Sums and atoms of `count` rows, each with a window of its own where rows are decoded together.
fn row_by_row(p: &Program, stream: &[u8], count: usize) -> Vec<(Vec<i64>, Vec<u8>)> {
    let n = p.neighbours.as_ref().unwrap();
    let (m, width) = (&p.record, p.record.width());
    let mut coder = RansDecoder::new(stream).unwrap();
    let mut class = 0;
    let mut before: Window<1> = n.window(width);
    let mut out = Vec::new();
    let mut left = count;
    while left > 0 {
        let rows = left.min(if n.looks_back { 1 } else { LANES });
        left -= rows;
        let mut classes = Vec::new();
        for _ in 0..rows {
            class = p.tables[m.classes.next[class]].decode(&mut coder) as usize;
            classes.push(class);
        }
        let mut windows = vec![before.clone(); rows];
        windows.iter_mut().for_each(Window::begin_row);
        let mut atoms = vec![vec![0; width]; rows];
        for spot in n.spots(width) {
            let j = spot.column;
            let fraction = p.steps[j].trailing_zeros();
            let coded = |i: usize| m.classes.quantum[classes[i]] >= 0;
            let known: Vec<_> = windows
                .iter()
                .map(|window| {
                    let near = n.directions.near(window, spot);
                    let predicted = n.predict(&near, j, fraction);
                    let place = n.directions.place(spot);
                    (predicted[0], near.features(place, &predicted, fraction))
                })
                .collect();
            for i in (0..rows).filter(|&i| coded(i)) {
                let table = n.atom_table(n.atom_tree.leaves(&known[i].1)[0]);
                atoms[i][j] = p.tables[table].decode(&mut coder) as u8;
            }
            for i in 0..rows {
                let mut cell = Decoded { sum: known[i].0, residual: 0, atom: atoms[i][j] };
                if atoms[i][j] > 0 {
                    let k = n.atoms[usize::from(atoms[i][j]) - 1];
                    cell.sum = atom_sum(k, m.base[j], &m.grids[0]);
                } else if coded(i) {
                    let own = m.classes.residual_tables[classes[i] * width + j];
                    let table = n.table(n.tree.leaves(&known[i].1)[0], own);
                    cell.residual = p.tables[table].decode(&mut coder);
                    let quantum = m.classes.quantum[classes[i]];
                    let step = if quantum == 0 { p.steps[j] } else { quantum };
                    cell.sum = cell.sum.wrapping_add(cell.residual.wrapping_mul(step));
                }
                windows[i].set(0, j, cell);
            }
        }
        for (window, atoms) in windows.iter().zip(atoms) {
            let mut sums = vec![0; width];
            window.copy_sums(0, &mut sums);
            out.push((sums, atoms));
        }
        before = windows.swap_remove(0);
    }
    assert!(!coder.overrun());
    out
}

#[test]
fn rows_side_by_side_are_those_decoded_by_themselves() {
    let mut rng = Rng::new(10);
    for distances in [[1, 4, 0], [2, 3, 6], [1, 0, 0], [3, 12, 1]] {
        let width = 12;
        let m = rich(&mut rng, width, distances);
        let p = Program::new(m, DType::I64).unwrap();
        for count in [1, 2, 7, 8, 9, 16, 17, 30] {
            let stream = random_stream(&mut rng, 60 * count);
            let expected = row_by_row(&p, &stream, count);
            let mut rows = RowDecoder::new(&p, &stream, count).unwrap();
            for (i, (sums, _)) in expected.iter().enumerate() {
                rows.advance();
                assert_eq!(rows.residuals, *sums, "row {i} of {count}, {distances:?}");
                // Whoever stops goes on where it was.
                rows = RowDecoder::resume(&p, &stream, rows.pause());
            }
            assert!(count < 8 || expected.iter().any(|(_, atoms)| atoms.iter().any(|&a| a > 0)));
        }
    }
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
            let found = &p.tables[n.table(leaf as u16, own)];
            let same = crate::entropy::table::Table::new(&spec).unwrap();
            assert_eq!(costs(found), costs(&same), "leaf {leaf}, table {own}");
        }
    }
    // None is made twice.
    assert_eq!(p.tables.len(), 3 + 5);
}
