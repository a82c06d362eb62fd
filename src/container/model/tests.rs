use super::row_predictors::{MAX_ORDER, MAX_PREDICTORS};
use super::*;
use crate::limits::Limits;
use crate::matrix::{DType, Schema};
use proptest::prelude::*;

fn leaf(tables: usize) -> impl Strategy<Value = TreeNode> {
    let own = (0..tables).prop_map(|t| TreeNode::Leaf { table: Some(t), shift: 0 });
    let moved = (-239_i64..240).prop_map(|shift| TreeNode::Leaf { table: None, shift });
    prop_oneof![own, moved]
}

fn decision() -> impl Strategy<Value = TreeNode> {
    let feature = 0..FEATURES as u8;
    (feature, any::<i64>())
        .prop_map(|(feature, threshold)| TreeNode::Decision { feature, threshold })
}

/// Whole trees whose leaves are of `leaves`.
fn tree(leaves: impl Strategy<Value = TreeNode> + Clone + 'static) -> BoxedStrategy<Vec<TreeNode>> {
    let single = leaves.prop_map(|leaf| vec![leaf]);
    let joined = |below: BoxedStrategy<Vec<TreeNode>>| {
        (decision(), below.clone(), below).prop_map(|(d, a, b)| [&[d][..], &a, &b].concat())
    };
    single.prop_recursive(8, 60, 2, joined).boxed()
}

/// What a model of `width` columns and `tables` tables may say of neighbours.
fn neighbours(width: usize, tables: usize) -> impl Strategy<Value = Neighbours> {
    let distances = (1..=width, 0..=width, 0..=width);
    let used = 0_u32..1 << TERMS;
    let groups = prop_oneof![Just(1), Just(width), 1..=width];
    // All of them together may not weigh more.
    let most = MOST_WEIGHT as i64 / TERMS as i64;
    let weighed = (used, groups).prop_flat_map(move |(used, groups)| {
        let own = proptest::collection::vec(-most..=most, groups);
        let all = proptest::collection::vec(own, TERMS);
        let by_group = used > 0 && groups > 1 && groups < width;
        let group_of = proptest::collection::vec(0..groups, if by_group { width } else { 0 });
        (all, group_of).prop_map(move |(mut all, group_of)| {
            let unused = all.iter_mut().enumerate().filter(|(n, _)| used >> n & 1 == 0);
            unused.for_each(|(_, own)| own.clear());
            (all, group_of)
        })
    });
    let atoms = proptest::collection::vec(any::<i64>(), 0..=MAX_ATOMS);
    let named = (0..tables).prop_map(|t| TreeNode::Leaf { table: Some(t), shift: 0 });
    let trees = (tree(named), tree(leaf(tables).boxed()));
    let names = (distances, any::<[bool; 2]>(), proptest::option::of(predictors(tables)));
    (names, weighed, atoms, trees).prop_map(
        |(
            ((a, b, c), [median, aligned], by_row),
            (coefficients, group_of),
            atoms,
            (atom_tree, tree),
        )| {
            let by_row = by_row.filter(|_| !median);
            let weighed = |c: Vec<Vec<i64>>| match by_row {
                Some(_) => vec![Vec::new(); TERMS],
                None => c,
            };
            let group_of = if by_row.is_some() { Vec::new() } else { group_of };
            let coefficients = weighed(coefficients);
            let atom_tree = if atoms.is_empty() { vec![OWN_TABLE] } else { atom_tree };
            let distances = [a, b, c];
            Neighbours {
                distances,
                line_of_rows: 0,
                latents_above: Default::default(),
                median,
                aligned,
                group_of,
                coefficients,
                by_row,
                atoms,
                atom_tree,
                tree,
            }
        },
    )
}

/// Predictors that rows name by one of so many tables.
fn predictors(tables: usize) -> impl Strategy<Value = RowPredictors> {
    (1..=MAX_ORDER, 1..=MAX_PREDICTORS.min(9), 0..tables).prop_flat_map(|(order, count, table)| {
        let end = COEFFICIENT_END - 1;
        let own = proptest::collection::vec(-end..=end, order);
        let coefficients = proptest::collection::vec(own, count);
        let table = if count > 1 { table } else { 0 };
        coefficients.prop_map(move |coefficients| RowPredictors { table, coefficients })
    })
}

fn record(width: usize, neighbours: Neighbours) -> ModelRecord {
    let ladder = |scale| TableSpec::Ladder { shape: 1, scale };
    ModelRecord {
        grids: vec![Grid { value: Value::Integer { unit: 1 }, fraction: 2, step: 5 }],
        grid_of: vec![0; width],
        base: vec![7; width],
        temporal: vec![0; width],
        tables: vec![ladder(9), ladder(30), TableSpec::Zero],
        classes: Classes {
            count: 1,
            quantum: vec![0],
            residual_tables: vec![1; width],
            ..Classes::default()
        },
        neighbours: Some(neighbours),
        ..ModelRecord::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_said_of_neighbours_is_read_as_written(
        (width, neighbours) in (1_usize..20).prop_flat_map(|w| (Just(w), neighbours(w, 3)))
    ) {
        let record = record(width, neighbours);
        for line in [1, width] {
            let schema = Schema::new(DType::I32, &[width / line, line]);
            let schema = if width % line == 0 { schema } else { Schema::new(DType::I32, &[width]) };
            let bytes = record.encode(schema.line_width());
            let read = ModelRecord::decode(&bytes, 0, &schema, &Limits::default()).unwrap();
            prop_assert_eq!(&read, &record);
        }
    }
}

#[test]
fn many_tables_of_other_scales_are_not_made_before_they_are_allowed() {
    let mut neighbours = Neighbours {
        distances: [1, 0, 0],
        coefficients: vec![Vec::new(); TERMS],
        atom_tree: vec![OWN_TABLE],
        ..Neighbours::default()
    };
    for shift in 0..200 {
        neighbours.tree.push(TreeNode::Decision { feature: 0, threshold: 0 });
        neighbours.tree.push(TreeNode::Leaf { table: None, shift });
    }
    neighbours.tree.push(OWN_TABLE);
    // As deep as a tree may be, so many times.
    let shallow = |n: &Neighbours| {
        let mut tree = n.tree[..2 * MAX_DEPTH].to_vec();
        tree.push(OWN_TABLE);
        Neighbours { tree, ..n.clone() }
    };
    let schema = Schema::new(DType::I32, &[4]);
    let mut record = record(4, shallow(&neighbours));
    let taken = |record: &ModelRecord| {
        let bytes = record.encode(4);
        ModelRecord::decode_counted(&bytes, 0, &schema, &Limits::default()).map(|(_, bytes)| bytes)
    };
    let with = taken(&record).unwrap();
    record.neighbours.as_mut().unwrap().tree = vec![OWN_TABLE];
    let without = taken(&record).unwrap();
    // 32 shifts of three tables, 8 KiB each.
    assert!(with - without > 31 * 3 * 8192, "{with} {without}");
    record.neighbours = Some(neighbours);
    assert!(taken(&record).unwrap_err().to_string().contains("deeper"));
}
