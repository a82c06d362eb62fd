//! Neighbours to bytes.

use super::neighbours::{Neighbours, TERMS, TreeNode};
use super::record_writer::RecordWriter;
use super::row_predictors::RowPredictors;
use crate::entropy::array::ArrayModel;

impl Neighbours {
    pub(super) fn write(&self, w: &mut RecordWriter) {
        self.distances.iter().for_each(|&d| w.number(d as i64));
        let (lined, above) = (self.line_of_rows > 0, self.predicts_latents());
        let flags = [self.median, self.aligned, lined, above, self.by_row.is_some()];
        w.number(flags.iter().zip(0..).map(|(&flag, bit)| i64::from(flag) << bit).sum());
        if lined {
            w.number(self.line_of_rows as i64);
        }
        if above {
            self.latents_above.iter().for_each(|own| w.flat(own));
        }
        match &self.by_row {
            Some(predictors) => write_predictors(predictors, w),
            None => self.write_coefficients(w),
        }
        w.number(self.atoms.len() as i64);
        if !self.atoms.is_empty() {
            w.flat(&self.atoms);
            write_tree(&self.atom_tree, w);
        }
        write_tree(&self.tree, w);
    }

    fn write_coefficients(&self, w: &mut RecordWriter) {
        let used = |n: usize| !self.coefficients[n].is_empty();
        w.number((0..TERMS).filter(|&n| used(n)).map(|n| 1 << n).sum());
        if let Some(groups) = self.coefficients.iter().map(Vec::len).max().filter(|&g| g > 0) {
            w.number(groups as i64);
            if !self.group_of.is_empty() {
                w.indices(&mut ArrayModel::new(), &self.group_of);
            }
        }
        let mut model = ArrayModel::new();
        for own in self.coefficients.iter().filter(|c| !c.is_empty()) {
            w.array(&mut model, own);
        }
    }
}

fn write_predictors(predictors: &RowPredictors, w: &mut RecordWriter) {
    w.number(predictors.order() as i64);
    w.number(predictors.coefficients.len() as i64);
    if predictors.coefficients.len() > 1 {
        w.number(predictors.table as i64);
    }
    let mut model = ArrayModel::new();
    predictors.coefficients.iter().for_each(|own| model.encode(&mut w.coder, own, 1));
}

fn write_tree(tree: &[TreeNode], w: &mut RecordWriter) {
    let (mut kinds, mut thresholds) = (Vec::new(), Vec::new());
    let (mut tables, mut shifts) = (Vec::new(), Vec::new());
    for node in tree {
        match *node {
            TreeNode::Decision { feature, threshold } => {
                kinds.push(i64::from(feature) + 1);
                thresholds.push(threshold);
            }
            TreeNode::Leaf { table, shift } => {
                kinds.push(0);
                tables.push(table.map_or(0, |t| t as i64 + 1));
                if table.is_none() {
                    shifts.push(shift);
                }
            }
        }
    }
    w.number(tree.len() as i64);
    for list in [kinds, thresholds, tables, shifts] {
        w.flat(&list);
    }
}
