//! Models whose neighbours no reader takes.

use super::case::{Case, base_model, case, head_only};
use super::file::{Parts, Row, schema, stream};
use super::neighbours::{BOUND, moved, neighbours, own, tables, weighing};
use super::records::{Random, integer, plain, with_latents};
use crate::container::forever::MODEL;
use crate::container::model::{FEATURES, MAX_NODES, ModelRecord, Neighbours, OWN_TABLE, TreeNode};
use crate::entropy::array::ArrayModel;
use crate::entropy::intcoder::{IntEncoder, IntModel};
use crate::matrix::DType;

/// A file with [`model_of`].
fn said(tables: i64, rest: &[i64]) -> Vec<u8> {
    head_only().section(MODEL, model_of(tables, rest).finish()).join()
}

/// A model for two columns of such a number of tables, of which one is there, and behind it `rest`.
pub(super) fn model_of(tables: i64, rest: &[i64]) -> IntEncoder {
    let (mut coder, mut head) = (IntEncoder::new(), IntModel::of_kinds());
    let columns = |coder: &mut IntEncoder| ArrayModel::new().encode(coder, &[0; 2], 2);
    let grid = [(0, 1), (0, 0), (0, 0), (1, 0), (4, 1), (2, 0), (5, 0), (3, 0), (6, 1)];
    grid.into_iter().for_each(|(context, n)| coder.int(&mut head, context, n));
    columns(&mut coder);
    columns(&mut coder);
    // No latents; a table of kind Zero; one class.
    [0, tables, 0, 1].into_iter().for_each(|n| coder.int(&mut head, 0, n));
    ArrayModel::new().encode(&mut coder, &[0], 1);
    columns(&mut coder);
    rest.iter().for_each(|&n| coder.int(&mut head, 0, n));
    coder
}

pub(super) fn invalid() -> Vec<Case> {
    let file = |m: &ModelRecord| head_only().model(m, 2).join();
    let base = || {
        let mut m = base_model();
        m.tables.extend(tables());
        let mut n = weighing([1, 2, 0], &[(0, 100), (3, 50)]);
        n.atoms = vec![1, 2];
        n.atom_tree = vec![own(3)];
        (m, n)
    };
    let with = |change: &dyn Fn(&mut ModelRecord, &mut Neighbours)| {
        let (mut m, mut n) = base();
        change(&mut m, &mut n);
        m.neighbours = Some(n);
        file(&m)
    };
    let above = |line: usize, coefficients: [i64; 3]| {
        with(&|m, n| {
            *m = with_latents(m.clone(), &[5], 0, 0, vec![1, 2]);
            (n.line_of_rows, n.latents_above) = (line, coefficients.map(|a| vec![a]));
        })
    };
    let by_tree = |tree: &[TreeNode]| with(&|_, n| n.tree = tree.to_vec());
    let decision = TreeNode::Decision { feature: 3, threshold: 0 };
    let chain = |depth: usize| {
        let mut tree = [decision, OWN_TABLE].repeat(depth);
        tree.push(OWN_TABLE);
        tree
    };
    let bushy = [decision, OWN_TABLE].repeat(MAX_NODES / 2 + 1);
    let undefined = TreeNode::Decision { feature: FEATURES as u8, threshold: 0 };
    let (mut m, n) = base();
    // Far from their end, among thresholds that nothing foretells.
    let mut long = chain(20);
    let mut random = Random(1);
    for node in &mut long {
        if let TreeNode::Decision { threshold, .. } = node {
            *threshold = random.around(i64::MAX / 4);
        }
    }
    m.neighbours = Some(Neighbours { tree: long, ..n.clone() });
    let mut cut = m.encode(2);
    cut.truncate(cut.len() - 80);
    let cut = head_only().section(MODEL, cut).join();
    let stray = {
        m.neighbours = Some(Neighbours { atoms: vec![1], ..n });
        let row = Row { residuals: vec![0; 2], atoms: vec![2, 0], ..Row::default() };
        let s = stream(&m, DType::I16, &[row]);
        head_only().model(&m, 2).coded(1, &s, &[]).join()
    };
    let list = vec![
        ("distance-left-0", with(&|_, n| n.distances[0] = 0)),
        ("distance-left-beyond-row", with(&|_, n| n.distances[0] = 3)),
        ("distance-above-beyond-row", with(&|_, n| n.distances[1] = 3)),
        ("distance-third-beyond-row", with(&|_, n| n.distances[2] = 3)),
        ("groups-too-many", with(&|_, n| n.coefficients[..16].fill(vec![1; 3]))),
        ("neighbour-undefined", with(&|_, n| n.coefficients.push(vec![1]))),
        ("coefficient-too-large", with(&|_, n| n.coefficients[5] = vec![4096])),
        ("coefficient-lowest", with(&|_, n| n.coefficients[5] = vec![i64::MIN])),
        ("coefficients-add-up", { with(&|_, n| n.coefficients[..17].fill(vec![3855])) }),
        ("atoms-8", with(&|_, n| n.atoms = vec![0; 8])),
        ("atoms-without-table", with(&|_, n| n.atom_tree = vec![OWN_TABLE])),
        ("tree-empty", by_tree(&[])),
        ("tree-too-large", by_tree(&[&bushy[..], &[OWN_TABLE]].concat())),
        ("tree-lacks-a-branch", by_tree(&[decision, OWN_TABLE])),
        ("tree-goes-on", by_tree(&[OWN_TABLE, OWN_TABLE])),
        ("tree-too-deep", by_tree(&chain(33))),
        ("tree-property-undefined", by_tree(&[undefined, OWN_TABLE, OWN_TABLE])),
        ("tree-table-undefined", by_tree(&[own(5)])),
        ("tree-shift-too-large", by_tree(&[moved(240)])),
        ("tree-shift-lowest", by_tree(&[moved(i64::MIN)])),
        ("atom-tree-table-undefined", with(&|_, n| n.atom_tree = vec![own(5)])),
        ("beside-temporal", with(&|m, _| m.temporal[1] = 1)),
        ("aligned-with-latents", {
            with(&|m, n| {
                *m = with_latents(m.clone(), &[5], 0, 0, vec![1, 2]);
                n.aligned = true;
            })
        }),
        ("line-of-one-row", with(&|_, n| n.line_of_rows = 1)),
        ("line-too-long", with(&|_, n| n.line_of_rows = 4097)),
        ("latents-above-without-latents", {
            with(&|_, n| (n.line_of_rows, n.latents_above) = (2, [1, 2, 3].map(|a| vec![a])))
        }),
        ("latents-above-without-lines", above(0, [1, 2, 3])),
        ("latents-above-too-strong", above(2, [1, 1025, 3])),
        ("atom-undefined", stray),
    ];
    let groups_undefined = {
        let mut m = plain(3, vec![integer(1, 0, 1)], tables());
        let mut n = neighbours([1, 3, 0]);
        n.coefficients[0] = vec![1, 2];
        n.group_of = vec![0, 2, 1];
        m.neighbours = Some(n);
        Parts::new(&schema(DType::I16, &[3]), BOUND).model(&m, 3).join()
    };
    // What no record says: of a model of one silent table, what lies behind.
    let said = [
        ("tables-0", said(0, &[])),
        ("tables-lowest", said(i64::MIN, &[])),
        ("distance-negative", said(-1, &[1, -1, 0, 0])),
        ("flags-undefined", said(-1, &[1, 2, 0, 32])),
        ("terms-undefined", said(-1, &[1, 2, 0, 0, 1 << 27, 1])),
        ("groups-0", said(-1, &[1, 2, 0, 0, 1, 0])),
    ];
    let mut out: Vec<Case> = list
        .into_iter()
        .chain([("group-undefined", groups_undefined)])
        .chain(said)
        .map(|(name, bytes)| case(&format!("neighbours-{name}"), "corrupt", bytes))
        .collect();
    out.push(case("neighbours-cut", "truncated", cut));
    out
}
