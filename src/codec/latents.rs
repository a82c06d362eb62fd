//! Latents predicted from those of the line of rows before, where rows lie in lines as pixels do.

use crate::container::model::ModelRecord;

/// The latents of the last line of rows, and one row more.
#[derive(Debug, Clone)]
pub(crate) struct LatentLines {
    /// Row after row; a row's place is its number modulo [`Self::held`].
    latents: Vec<i32>,
    /// Rows that there is room for.
    held: usize,
    /// Rows that were added.
    rows: usize,
    line: usize,
}

impl LatentLines {
    /// Begins a block, if the model predicts latents from the line before.
    pub(crate) fn new(record: &ModelRecord) -> Option<Self> {
        let n = record.neighbours.as_ref().filter(|n| n.predicts_latents())?;
        let (line, held) = (n.line_of_rows, n.line_of_rows + 1);
        Some(Self { latents: vec![0; held * record.latents()], held, rows: 0, line })
    }

    /// Returns the bytes that this takes with a model.
    pub(crate) fn bytes(record: &ModelRecord) -> u64 {
        let line = record.neighbours.as_ref().filter(|n| n.predicts_latents());
        line.map_or(0, |n| (n.line_of_rows + 1) as u64 * record.latents() as u64 * 4)
    }

    /// Returns the latents `back` rows before the next one, or none where the block has no such row.
    fn back(&self, back: usize) -> Option<&[i32]> {
        let row = self.rows.checked_sub(back)? % self.held;
        let count = self.latents.len() / self.held;
        Some(&self.latents[row * count..(row + 1) * count])
    }

    /// Predicts the latents of the next row, each from its own in the row before and in three of the line
    /// before. For rows that are not there, the one before stands.
    pub(crate) fn predict(&self, record: &ModelRecord, out: &mut [i64]) {
        let (Some(left), Some(n)) = (self.back(1), &record.neighbours) else { return out.fill(0) };
        let above = self.back(self.line).unwrap_or(left);
        let above_left = self.back(self.line + 1).unwrap_or(above);
        let above_right = self.back(self.line - 1).unwrap_or(above);
        let [a, b, c] = &n.latents_above;
        for (k, out) in out.iter_mut().enumerate() {
            let term = |coefficient: i64, row: &[i32]| coefficient * i64::from(row[k]);
            let sum = term(record.latent_temporal[k], left)
                + term(a[k], above)
                + term(b[k], above_left)
                + term(c[k], above_right);
            *out = (sum + 128) >> 8;
        }
    }

    /// Adds the latents of the next row.
    pub(crate) fn push(&mut self, latents: &[i32]) {
        let row = self.rows % self.held;
        let place = row * latents.len()..(row + 1) * latents.len();
        self.latents[place].copy_from_slice(latents);
        self.rows += 1;
    }
}
