//! Tables that leaves of trees ask for: of their own, or those of columns in another scale.

use crate::container::model::{ModelRecord, TreeNode};
use crate::entropy::table::{SCALE_COUNT, Table, TableSpec};
use crate::error::Result;
use std::collections::HashMap;

/// Which table a leaf asks for: that at `from` in a list, or so many places behind as is the number of
/// the column's own table.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeafTable {
    pub(super) from: u32,
    /// All bits where the column's own table counts, none where it does not.
    pub(super) own: u32,
}

/// Tables of another scale.
pub(super) struct Shifts<'a> {
    record: &'a ModelRecord,
    found: HashMap<TableSpec, u32>,
    /// Where the tables of each shift are listed.
    listed: HashMap<i64, usize>,
    /// Of each shift, where each of the model's tables is found.
    pub(super) places: Vec<u32>,
}

impl<'a> Shifts<'a> {
    pub(super) fn new(record: &'a ModelRecord) -> Self {
        Self { record, found: HashMap::new(), listed: HashMap::new(), places: Vec::new() }
    }

    /// Lists what the leaves of a tree ask for.
    pub(super) fn leaves(
        &mut self,
        tree: &[TreeNode],
        tables: &mut Vec<Table>,
    ) -> Result<Vec<LeafTable>> {
        let mut out = Vec::new();
        for node in tree {
            match *node {
                TreeNode::Leaf { table: Some(t), .. } => {
                    out.push(LeafTable { from: self.places.len() as u32, own: 0 });
                    self.places.push(t as u32);
                }
                TreeNode::Leaf { table: None, shift } => {
                    out.push(LeafTable { from: self.place(shift, tables)? as u32, own: u32::MAX });
                }
                TreeNode::Decision { .. } => {}
            }
        }
        Ok(out)
    }

    /// Returns from where on the tables moved by `shift` are listed.
    fn place(&mut self, shift: i64, tables: &mut Vec<Table>) -> Result<usize> {
        if let Some(&from) = self.listed.get(&shift) {
            return Ok(from);
        }
        let from = self.places.len();
        self.listed.insert(shift, from);
        for (t, spec) in self.record.tables.iter().enumerate() {
            let moved = match *spec {
                TableSpec::Ladder { shape, scale } if shift != 0 => {
                    let scale = (i64::from(scale) + shift).clamp(0, SCALE_COUNT as i64 - 1) as u8;
                    TableSpec::Ladder { shape, scale }
                }
                _ => {
                    self.places.push(t as u32);
                    continue;
                }
            };
            let at = match self.found.get(&moved) {
                Some(&at) => at,
                None => {
                    tables.push(Table::new(&moved)?);
                    let at = tables.len() as u32 - 1;
                    self.found.insert(moved, at);
                    at
                }
            };
            self.places.push(at);
        }
        Ok(from)
    }
}
