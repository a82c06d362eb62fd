//! The coefficients of the prediction that was taken, once more: by more values, and from other beginnings.

use crate::error::Result;
use crate::fit::neighbours::geometry::Directions;
use crate::fit::neighbours::predict::{Comparison, Tried};
use crate::fit::neighbours::prediction::{FEW_KINDS, Prediction};

/// How many times as many values coefficients are found by, and compared.
const MORE_VALUES: usize = 8;
/// Of the values by which the prediction was chosen, every so manieth are looked at for another: which coefficients
/// of residuals are found depends on what the search begins with, and those found by fewer values are at times the
/// better ones. (A photograph without loss is 2.7 % smaller, an ECG 2 %.)
const FEWER_VALUES: [usize; 2] = [2, 4];
/// Of what is found so, how many are compared by all values.
const FOUND: usize = 2;

impl Comparison<'_> {
    /// Returns a prediction in the directions of `best` whose coefficients are found by more values, or, where
    /// `kinds` of predictions were compared and these are not few, any that fewer values make the best, if it is
    /// better.
    pub(super) fn refitted(&self, best: Prediction, kinds: usize) -> Result<Prediction> {
        if best.median || best.by_row.is_some() || best.is_nothing() {
            return Ok(best);
        }
        let sample = self.context.sample;
        let rows = MORE_VALUES * self.effort.compared / sample.schema.width().max(1);
        let some = match best.directions.line_of_rows {
            0 => sample.thinning(rows),
            _ => sample.thinning_of_lines(rows),
        };
        let many = Self { some, ..*self };
        let mut tried = vec![many.tried(best.clone())?];
        many.weighed_by_scale(&mut tried, true)?;
        if kinds > FEW_KINDS && best.directions.line_of_rows == 0 {
            for share in FEWER_VALUES {
                for found in self.found_by_fewer(best.directions, share)? {
                    tried.push(many.tried(found.prediction)?);
                }
            }
        }
        let weight = many.weight();
        let least = tried.into_iter().min_by(|a, b| a.total(weight).total_cmp(&b.total(weight)));
        Ok(least.map_or(best, |t| t.prediction))
    }

    /// Returns the best of what is found by one in `share` of the values.
    fn found_by_fewer(&self, directions: Directions, share: usize) -> Result<Vec<Tried>> {
        let sample = self.context.sample;
        let rows = self.effort.compared / share / sample.schema.width().max(1);
        let few = Self { some: sample.thinning(rows), ..*self };
        let mut found = few.in_directions(directions)?;
        few.weighed_by_scale(&mut found, false)?;
        found.extend(few.mixed(directions, &found)?);
        let weight = few.weight();
        found.sort_by(|a, b| a.total(weight).total_cmp(&b.total(weight)));
        found.truncate(FOUND);
        Ok(found)
    }
}
