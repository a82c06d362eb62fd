//! An encoder that knows rows, trained further on a few of them whose answer is known, to predict
//! labels or numbers.

mod answers;
mod config;
mod pseudo_labels;
mod train;
mod training_set;

pub use config::{FinetuneConfig, FinetuneReport, Task};

use super::encoding::Encoding;
use super::model::Model;
use crate::compress::{Codec, Config};
use crate::error::{Error, Result};
use crate::matrix::Rows;
use answers::Answers;
use training_set::{TrainingSet, inputs};

/// The fewest rows with a label to learn from: two classes of two rows each.
const LEAST_ROWS: usize = 4;

/// The rows to learn from.
#[derive(Clone, Copy)]
pub struct Examples<'a> {
    rows: &'a dyn Rows,
    labels: &'a dyn Rows,
    unlabelled: Option<&'a dyn Rows>,
}

impl<'a> Examples<'a> {
    /// Rows, and a row of `labels` for each of them: one label, or for a regression one number or
    /// more. A row whose label is missing (NaN) is left out, and for a masked transformer one without a patch
    /// that has all its values.
    pub fn new(rows: &'a dyn Rows, labels: &'a dyn Rows) -> Self {
        Self { rows, labels, unlabelled: None }
    }

    /// Adds rows without labels, for a classification with few labels.
    ///
    /// Each of them gets the label that reaches it by steps from row to nearest row in the codec's
    /// embedding (Zhou et al. 2004, *Learning with local and global consistency*), and the half
    /// whose labels are most certain is learned from too. That helps where rows with the same
    /// label lie in groups, and misleads where labels cut through groups.
    pub fn with_unlabelled(self, rows: &'a dyn Rows) -> Self {
        Self { unlabelled: Some(rows), ..self }
    }

    /// Fails unless all rows are for the model, and there are as many labels.
    fn check(&self, model: &Model) -> Result<()> {
        for rows in [Some(self.rows), self.unlabelled].into_iter().flatten() {
            model.expect(rows.schema())?;
        }
        let (rows, labels) = (self.rows.len(), self.labels.len());
        if rows != labels {
            return Err(Error::argument(format!("{rows} rows, but {labels} labels")));
        }
        Ok(())
    }
}

/// Trains the encoder of `codec` further, with a new head on top, to predict the labels of
/// `examples`; a masked transformer stays as it is, and the head alone learns, from its embeddings. The result is the codec with the trained networks beside its own:
/// [`predict`](crate::apps::predict) uses them, and it compresses as before. Of `config`, threads,
/// seed and progress count.
///
/// # Errors
/// `Argument` if there are not as many labels as rows, fewer than 4 of them, labels that are not
/// whole numbers or too many different ones, rows without labels for a regression, a number of
/// `how` out of its range, one for the encoder of a masked transformer, or if the codec is for other rows or has no
/// encoder;
/// otherwise whatever reading the rows fails with.
///
/// ```no_run
/// use aezip::apps::{Examples, FinetuneConfig, finetune, predict};
/// use aezip::{Codec, Config, input};
/// let open = |name| input::open(name, &Default::default());
/// let codec = Codec::fit(&*open("all.npy")?, &Config::default())?;
/// let (rows, labels) = (open("some.npy")?, open("some-labels.npy")?);
/// let examples = Examples::new(&*rows, &*labels);
/// let how = FinetuneConfig::default();
/// let (codec, report) = finetune(&codec, examples, &Config::default(), &how)?;
/// println!("{:.1} % right", 100.0 * report.right);
/// let labels = predict(&codec, &*open("others.npy")?)?.values.to_vec::<i64>()?;
/// # Ok::<(), aezip::Error>(())
/// ```
pub fn finetune(
    codec: &Codec,
    examples: Examples<'_>,
    config: &Config,
    how: &FinetuneConfig,
) -> Result<(Codec, FinetuneReport)> {
    how.validate()?;
    let model = Model::new(codec)?;
    examples.check(&model)?;
    let encoding = &Encoding::of(&model)?;
    if encoding.network().is_none() {
        how.expect_frozen()?;
    }
    let mut answers = Answers::read(examples.labels)?;
    let mut seen = answers.rows.clone();
    let inputs = inputs(encoding, examples.rows, &mut seen)?;
    answers.keep(seen);
    if answers.rows.len() < LEAST_ROWS {
        let what = match encoding.network() {
            Some(_) => "a label",
            None => {
                "a label and a patch with all its values, which is what a masked transformer sees"
            }
        };
        return Err(Error::argument(format!(
            "{} rows have {what}; it takes {LEAST_ROWS} or more to learn from",
            answers.rows.len()
        )));
    }
    let task = how.task_for(examples.labels.schema());
    if task == Task::Regression && examples.unlabelled.is_some() {
        return Err(Error::argument(
            "rows without labels help to learn labels, not numbers: leave them out, or ask for a \
             classification",
        ));
    }
    let targets = answers.targets(task)?;
    let mut set =
        TrainingSet { inputs, labelled: answers.rows.len(), wanted: answers.wanted(&targets) };
    let work = || {
        if let Some(others) = examples.unlabelled {
            pseudo_labels::add(encoding, targets.outputs(), others, &mut set)?;
        }
        train::train(encoding, &set, targets, config, how)
    };
    let (record, report) = config.on_threads(work)??;
    Ok((codec.with_task(record), report))
}
