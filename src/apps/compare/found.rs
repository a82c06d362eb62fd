//! What is found where ways to store rows are compared.

use crate::fidelity::Fidelity;

/// A way to store rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Method {
    /// The numbers as they lie in memory.
    AsTheyAre,
    /// Every value bit for bit, with the effort of the lowest level compared.
    Lossless,
    /// The linear codec, with the effort of the highest level compared: what networks are to beat.
    Linear,
    /// A level, which trains networks from 2 on and takes them where they make the file smaller.
    Level(u8),
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AsTheyAre => f.write_str("as they are"),
            Self::Lossless => f.write_str("lossless"),
            Self::Linear => f.write_str("linear"),
            Self::Level(level) => write!(f, "level {level}"),
        }
    }
}

/// What came of one way to store rows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Trial {
    /// The way.
    pub method: Method,
    /// What was promised.
    pub promise: Fidelity,
    /// Bytes of the file for each row. Where only some rows were measured, the model is shared by all.
    pub bytes_per_row: f64,
    /// The figure that [`Comparison::error_name`] names; 0 where nothing is lost.
    pub error: f64,
    /// The largest error of any value, in the data's units.
    pub max_error: f64,
    /// Squared error as a share of the variance.
    pub nmse: f64,
    /// Seconds that compressing took, on this machine; 0 for the numbers as they are.
    pub seconds: f64,
}

/// What came of all ways to store rows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// How many rows there are.
    pub rows: usize,
    /// How many of them were measured.
    pub measured: usize,
    /// What [`Trial::error`] is.
    pub error_name: String,
    /// One way after another, each with one promise after another.
    pub trials: Vec<Trial>,
}
