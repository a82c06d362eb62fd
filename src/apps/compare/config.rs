//! Which ways to store rows are compared.

use super::found::Method;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;

/// Which levels and promises are compared, and on how much.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CompareConfig {
    /// Promises of one kind, the coarsest first. Default: bounds of 0.1, 0.01 and 0.001 of each
    /// column's range.
    pub promises: Vec<Fidelity>,
    /// Levels, 1 to 9. Default 1 and 3; higher ones take several times as long.
    pub levels: Vec<u8>,
    /// Values that are measured, about; of more, rows from all parts of the file. Default 2¹⁸.
    pub most_values: usize,
}

/// Values that are measured by default: with three bounds, training networks on them takes less than
/// a minute of one core.
const MOST_VALUES: usize = 1 << 18;
/// The levels that are compared by default: one without networks, and one with small ones.
const LEVELS: [u8; 2] = [LINEAR, 3];
/// The level that trains no networks.
const LINEAR: u8 = 1;
/// The promise that is compared by default.
const KIND: &str = "max-error-rel";
/// The numbers that are compared by default, from such as a picture shows to such as no plot shows.
const NUMBERS: [(&str, &[&str]); 8] = [
    (KIND, &["0.1", "0.01", "0.001"]),
    ("nmse", &["0.3", "0.1", "0.01"]),
    ("row-nmse", &["0.3", "0.1", "0.01"]),
    ("cosine", &["0.9", "0.97", "0.99"]),
    ("row-cosine", &["0.9", "0.97", "0.99"]),
    ("psnr", &["20", "30", "40"]),
    ("ratio", &["40", "20", "10"]),
    ("max-error-pointwise-rel", &["0.1", "0.01", "0.001"]),
];

impl Default for CompareConfig {
    fn default() -> Self {
        let numbers = NUMBERS[0].1;
        let promise = |n: &&str| Fidelity::MaxErrorRel(n.parse().expect("a number"));
        Self {
            promises: numbers.iter().map(promise).collect(),
            levels: LEVELS.to_vec(),
            most_values: MOST_VALUES,
        }
    }
}

impl CompareConfig {
    /// Promises of the kind `name`, as [`Fidelity::name`] has it, with these numbers; without any,
    /// with some that are usual for the kind.
    ///
    /// # Errors
    /// `Argument` if there is no such kind, a number makes no sense for it, or none is given where it
    /// would be in the data's units.
    pub fn of_kind(name: &str, numbers: &[String]) -> Result<Self> {
        let usual = NUMBERS.iter().find(|(kind, _)| *kind == name);
        let numbers: Vec<&str> = match (numbers, usual) {
            ([], Some((_, usual))) => usual.to_vec(),
            ([], None) if name == Fidelity::Lossless.name() => {
                return Err(Error::argument(
                    "lossless is compared with every promise: name one that allows errors",
                ));
            }
            ([], None) => {
                // A kind that is not known is the first thing to say.
                Fidelity::parse(name, "1")?;
                return Err(Error::argument(format!("say which bounds of {name} to compare")));
            }
            (given, _) => given.iter().map(String::as_str).collect(),
        };
        let promises = numbers.iter().map(|n| Fidelity::parse(name, n)).collect::<Result<_>>()?;
        Ok(Self { promises, ..Self::default() })
    }

    /// Checks all but the levels' numbers, which writing checks.
    pub(super) fn validate(&self) -> Result<()> {
        let Some(first) = self.promises.first() else {
            return Err(Error::argument("there are no promises to compare"));
        };
        if let Some(other) = self.promises.iter().find(|p| p.name() != first.name()) {
            let (a, b) = (first.name(), other.name());
            return Err(Error::argument(format!(
                "{a} and {b} have no axis in common: leave out one"
            )));
        }
        if *first == Fidelity::Lossless {
            return Err(Error::argument(
                "lossless is compared with every promise: name one that allows errors",
            ));
        }
        if self.levels.is_empty() {
            return Err(Error::argument("there are no levels to compare"));
        }
        match self.levels.iter().find(|level| !(1..=9).contains(*level)) {
            Some(level) => Err(Error::argument(format!("level {level} is not between 1 and 9"))),
            None => Ok(()),
        }
    }

    pub(super) fn highest(&self) -> u8 {
        self.levels.iter().copied().max().unwrap_or_default()
    }

    pub(super) fn lowest(&self) -> u8 {
        self.levels.iter().copied().min().unwrap_or_default()
    }

    /// All ways to store rows with what each promises, in the order in which they are measured.
    pub(super) fn ways(&self) -> Vec<(Method, Fidelity)> {
        let mut levels = self.levels.clone();
        levels.sort_unstable();
        levels.dedup();
        let mut methods: Vec<Method> = levels.into_iter().map(Method::Level).collect();
        // That level is linear by itself.
        if self.highest() > LINEAR {
            methods.insert(0, Method::Linear);
        }
        let mut ways = vec![(Method::Lossless, Fidelity::Lossless)];
        for method in methods {
            ways.extend(self.promises.iter().map(|promise| (method, promise.clone())));
        }
        ways
    }
}
