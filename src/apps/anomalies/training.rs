//! Codecs learned from rows that may be anomalies themselves.
//!
//! A network has room to learn some odd rows by heart. So it is trained more than once, each time
//! without the rows that the last one reconstructed worst, as in trimmed least squares (Rousseeuw
//! and Van Driessen 1999, *A fast algorithm for the minimum covariance determinant estimator*,
//! whose C-steps these are). How much a network ought to know depends on what is odd: after few
//! passes it finds rows of another sort, after many it finds columns that do not belong together.
//! So there are two networks.

use super::config::{AnomalyConfig, AnomalyScore};
use super::found::{self, Judged, lowest, quantile, row_score, scores};
use super::scoring::{self, LEAST_EXPECTED, Reconstruction, Reference};
use crate::apps::comparable::Comparable;
use crate::apps::learn::config_for_uses;
use crate::apps::made::{Selected, read_found};
use crate::apps::model::Model;
use crate::apps::principal::Principal;
use crate::apps::values;
use crate::compress::{Activation, Codec, Config};
use crate::error::{ErrorKind, Result};
use crate::matrix::{Rows, Schema};

/// Passes of the network that learns little: just enough that it knows what all rows look like.
const FEW_PASSES: usize = 5;
/// The least error expected of a column for that network, as a share of the mean over columns:
/// less than [`LEAST_EXPECTED`], as rows of another sort stand out in columns that hardly vary.
const FEW_PASSES_LEAST_EXPECTED: f64 = 0.3;

/// Passes of the network that learns much, at the root of this many rows per column and their
/// least and most: the more rows there are for each column, the longer it takes until odd ones
/// are learned by heart.
const PASSES: f64 = 50.0;
const MANY_PASSES: (f64, f64) = (100.0, 300.0);
/// The most passes of networks that are learned only to see which rows are the worst, where rows are
/// judged by their density, too: as many as the last ones make would take half as long again in all, and find
/// little more; with half as many, areas under curves are smaller by a hundredth.
const EARLY_PASSES: usize = 100;
/// Values that the passes of a network may see, to bound the time for many rows: some seconds, and half as many where
/// only the worst rows are looked for. The passes that are made all the same.
const MOST_VALUES: f64 = 8e7;
const LEAST_PASSES: f64 = 10.0;

/// The level that is done soonest of those that fit networks in full.
const QUICK_LEVEL: u8 = 2;

/// Numbers of latents: one for so many columns, within these ends. With room to spare, odd rows
/// would be reconstructed too; with less than the ends, ordinary rows would not be.
const COLUMNS_PER_LATENT: usize = 8;
const LATENTS: (usize, usize) = (4, 16);

/// Rows for each component where components stand for a network: with more of them, odd rows would
/// have components of their own.
const ROWS_PER_COMPONENT: usize = 8;

/// The largest squared score that enters a square again: beyond any that occurs.
const MOST_SQUARE: f64 = 1e100;

/// The number of latents where none is given: fewer than reconstruct rows well.
pub(super) fn default_latents(width: usize) -> usize {
    let (least, most) = LATENTS;
    width.div_ceil(COLUMNS_PER_LATENT).clamp(least, most).min(width.div_ceil(2))
}

/// Scores of rows, and what they are made of.
pub(super) struct Scored<'a> {
    pub(super) scores: Vec<f64>,
    /// None where bits are what rows are judged by.
    pub(super) columns: Option<Box<dyn Rows + 'a>>,
    /// Whether principal components judged.
    pub(super) is_components: bool,
}

impl<'a> Scored<'a> {
    /// Those of what rows contribute to them.
    pub(super) fn new(columns: Box<dyn Rows + 'a>) -> Result<Self> {
        Ok(Self { scores: scores(&*columns)?, columns: Some(columns), is_components: false })
    }

    /// Which of the rows are anomalies.
    pub(super) fn judged(self, how: &AnomalyConfig) -> Judged<'a> {
        let judged = Judged::new(self.scores, self.columns, how);
        Judged { is_components: self.is_components, ..judged }
    }
}

/// Scores rows by two networks, one of few and one of many passes.
pub(super) fn two_networks<'a>(
    rows: &Comparable<'a>,
    mut config: Config,
    how: &AnomalyConfig,
) -> Result<Scored<'a>> {
    if config.train.activation == Activation::default() {
        config.train.activation = Activation::Tanh;
    }
    // Higher levels look for fewer bits, which nobody asks for.
    config.level = QUICK_LEVEL;
    config.train.epochs = Some(FEW_PASSES);
    let few = trimmed(rows, &config, how, FEW_PASSES_LEAST_EXPECTED)?;
    config.train.epochs = Some(many_passes(&*rows.rows));
    let many = trimmed(rows, &config, how, LEAST_EXPECTED)?;
    // The network that knows rows better makes smaller errors. Where most rows have no error at
    // all, there is nothing to compare with.
    let unit = |scores: &[f64]| {
        let square = quantile(scores, 0.5).powi(2);
        if square.is_normal() { square } else { 1.0 }
    };
    let units = (unit(&few.scores), unit(&many.scores));
    match (few.columns, many.columns) {
        (Some(few), Some(many)) => Scored::new(Box::new(Combined { few, many, units })),
        _ => Ok(Scored { scores: many.scores, columns: None, is_components: false }),
    }
}

/// Contributions of columns to the combined score of two networks: the fourth root of the mean of
/// both scores to the fourth power, each over its median. Either network may say that a row is
/// odd, and the fourth power gives the one that says so most of the weight.
struct Combined<'a> {
    few: Box<dyn Rows + 'a>,
    many: Box<dyn Rows + 'a>,
    /// The squares of the medians.
    units: (f64, f64),
}

impl Combined<'_> {
    /// Makes the contributions to the combined score of a row of those to both.
    fn combine(&self, few: &mut [f32], many: &[f32]) {
        let square_score = |row: &[f32]| row_score(row).powi(2).min(MOST_SQUARE);
        let (few_unit, many_unit) = self.units;
        let (a, b) = (square_score(few) / few_unit, square_score(many) / many_unit);
        let square = (0.5 * (a * a + b * b)).sqrt().max(f64::MIN_POSITIVE);
        // Weights such that the mean of the contributions is the square of the score.
        let (of_few, of_many) = (0.5 * a / few_unit / square, 0.5 * b / many_unit / square);
        for (c, d) in few.iter_mut().zip(many) {
            *c = (f64::from(*c) * of_few + f64::from(*d) * of_many) as f32;
        }
    }
}

impl Rows for Combined<'_> {
    fn schema(&self) -> &Schema {
        self.few.schema()
    }

    fn len(&self) -> usize {
        self.few.len()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        let width = self.schema().width();
        read_found(self, first, out, |rows| {
            let mut few = found::read(&*self.few, rows.clone())?;
            let many = found::read(&*self.many, rows)?;
            let pairs = few.chunks_exact_mut(width).zip(many.chunks_exact(width));
            pairs.for_each(|(few, many)| self.combine(few, many));
            Ok(few)
        })
    }
}

/// Passes of the network that learns much.
fn many_passes(rows: &dyn Rows) -> usize {
    let (count, width) = (rows.len() as f64, rows.schema().width() as f64);
    let (least, most) = MANY_PASSES;
    (PASSES * (count / width).sqrt()).clamp(least, most).min(affordable(rows)) as usize
}

/// The passes over rows that take some seconds.
fn affordable(rows: &dyn Rows) -> f64 {
    let values = rows.len() as f64 * rows.schema().width() as f64;
    (MOST_VALUES / values).max(LEAST_PASSES)
}

/// Learns from all ordinary rows, then again from those that are not the worst, and scores all rows
/// by the last codec, or by components where rows are too few for a network. No column is expected to have a smaller error than a share `least_expected` of the
/// mean.
pub(super) fn trimmed<'a>(
    rows: &Comparable<'a>,
    config: &Config,
    how: &AnomalyConfig,
    least_expected: f64,
) -> Result<Scored<'a>> {
    let mut kept = rows.ordinary.clone();
    let by_components = config.train.is_kind() && kept.len() < Codec::LEAST_ROWS;
    let (rows, ordinary) = (&rows.rows, kept.len() as f64);
    let mut last = None;
    for round in 0.. {
        let learned_from = Selected { rows: &**rows, places: &kept };
        let reference = Some(Reference { rows: &kept, least_expected });
        let found = if by_components {
            let own = components(&learned_from, config.train.latents)?;
            let own = Reconstruction::Components(own);
            let found = Scored::new(Box::new(scoring::score(rows, own, config, how, reference)?))?;
            Scored { is_components: true, ..found }
        } else {
            let mut own = config_for_uses(&learned_from, config)?;
            if how.score == AnomalyScore::Auto && round < how.rounds {
                let most = EARLY_PASSES.min((affordable(&**rows) / 2.0) as usize);
                own.train.epochs = own.train.epochs.map(|passes| passes.min(most.max(FEW_PASSES)));
            }
            let codec = match (Codec::fit(&learned_from, &own), last) {
                // Without the worst there may be too few rows, or none that differ.
                (Err(e), Some(last)) if e.kind() == ErrorKind::Argument => return Ok(last),
                (codec, _) => codec?,
            };
            if how.score == AnomalyScore::Bits {
                let scores = scoring::by_bits(&**rows, &codec, config)?;
                Scored { scores, columns: None, is_components: false }
            } else {
                let own = Reconstruction::Model(Box::new(Model::new(&codec)?));
                Scored::new(Box::new(scoring::score(rows, own, config, how, reference)?))?
            }
        };
        if round >= how.rounds {
            return Ok(found);
        }
        let count = (ordinary * (1.0 - how.trim())).ceil() as usize;
        kept = lowest(&found.scores, count);
        last = Some(found);
    }
    unreachable!("the last round returns")
}

/// Principal components of rows: `most`, but fewer than a row in so many.
fn components(rows: &dyn Rows, most: Option<usize>) -> Result<Principal> {
    let width = rows.schema().width();
    let most = most.unwrap_or_else(|| default_latents(width));
    let count = most.min(rows.len() / ROWS_PER_COMPONENT);
    Ok(Principal::fit(&values::to_doubles(rows)?, width, count))
}
