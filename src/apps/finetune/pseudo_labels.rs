//! Pseudo-labels: labels of rows that have none, guessed from rows that have one and learned from
//! as if they were known.

use super::answers::Wanted;
use super::training_set::{TrainingSet, inputs};
use crate::apps::encoding::Encoding;
use crate::apps::label_propagation::propagate;
use crate::error::Result;
use crate::matrix::Rows;

/// The most rows without labels that are looked at, evenly from all: the time for the distances
/// between them grows with the square of their number.
const MOST_ROWS: usize = 12_000;
/// The share of them, the most certain ones, that is learned from: more rows against more wrong
/// labels.
const CERTAIN: f64 = 0.5;

/// Adds rows of `others` to the training set of a classification, with the classes, out of
/// `count`, that they get from it.
pub(super) fn add(
    encoding: &Encoding,
    count: usize,
    others: &dyn Rows,
    set: &mut TrainingSet,
) -> Result<()> {
    let Wanted::Classes(classes) = &mut set.wanted else { return Ok(()) };
    let n = others.len().min(MOST_ROWS);
    let mut some: Vec<usize> = (0..n).map(|i| i * others.len() / n).collect();
    let more = inputs(encoding, others, &mut some)?;
    let n = some.len();
    let all = [&set.inputs[..], &more].concat();
    let width = encoding.width();
    let points = match encoding.network() {
        Some(network) => network.infer(&all, all.len() / width),
        None => all,
    };
    let guesses = propagate(&points, encoding.outputs(), classes, count);
    let mut order: Vec<usize> = (0..n).filter(|&i| guesses[i].certainty > 0.0).collect();
    order.sort_by(|a, b| guesses[*b].certainty.total_cmp(&guesses[*a].certainty));
    order.truncate((n as f64 * CERTAIN).ceil() as usize);
    for i in order {
        set.inputs.extend_from_slice(&more[i * width..(i + 1) * width]);
        classes.push(guesses[i].class);
    }
    Ok(())
}
