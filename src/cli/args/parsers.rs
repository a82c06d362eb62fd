//! Parsers of options whose values the library checks.

use aezip::{Error, TrainConfig};

/// Returns a parser of whole numbers; `set` puts one where it belongs.
pub(crate) fn count(
    set: fn(&mut TrainConfig, Option<usize>),
) -> impl Fn(&str) -> Result<usize, Error> + Clone + Send + Sync {
    move |text| {
        let n = text.parse().map_err(|_| Error::argument("not a whole number of 1 or more"))?;
        checked(|train| set(train, Some(n))).map(|()| n)
    }
}

/// Returns a parser of numbers; `set` puts one where it belongs.
pub(crate) fn number(
    set: fn(&mut TrainConfig, Option<f64>),
) -> impl Fn(&str) -> Result<f64, Error> + Clone + Send + Sync {
    move |text| {
        let x = text.parse().map_err(|_| Error::argument("not a number"))?;
        checked(|train| set(train, Some(x))).map(|()| x)
    }
}

/// Lets the library judge what `set` chooses.
pub(crate) fn checked(set: impl FnOnce(&mut TrainConfig)) -> Result<(), Error> {
    let mut train = TrainConfig::default();
    set(&mut train);
    train.validate()
}
