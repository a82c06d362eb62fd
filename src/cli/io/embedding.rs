//! What is to be said of how rows were embedded.

use crate::cli::io::numbers::grouped;
use aezip::apps::{ColumnUnits, Embedding};

/// Says in a few words what was done to rows that is not done to all; nothing where nothing was.
pub(crate) fn described(found: &Embedding<'_>) -> String {
    let mut text = String::new();
    if found.is_components() {
        text.push_str(", principal components as the rows are too few to learn from");
    }
    if found.units == ColumnUnits::Own {
        text.push_str(&format!(", {}, divided by their spread", found.units));
    }
    if found.wild_rows > 0 {
        let wild = grouped(found.wild_rows as u64);
        text.push_str(&format!(", not learned from {wild} far from all others"));
    }
    text + &without_values(found.empty_rows)
}

/// Says how many rows have no value.
pub(crate) fn without_values(empty: usize) -> String {
    match empty {
        0 => String::new(),
        n => format!(", {} without any value are NaN", grouped(n as u64)),
    }
}
