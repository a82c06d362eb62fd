//! Columns of text beside the numbers, in words.

use aezip::KeptText;

/// Columns that are named before it is only said how many there are.
const NAMED: usize = 6;

/// Returns the beginning of a sentence about them: `columns a, b are`.
pub(crate) fn text_columns(text: &KeptText) -> String {
    let labels = text.labels();
    let more = match labels.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = labels[..labels.len().min(NAMED)].join(", ");
    match &labels[..] {
        [_] => format!("column {named} is"),
        _ => format!("columns {named}{more} are"),
    }
}
