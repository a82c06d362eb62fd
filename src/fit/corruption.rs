//! Textbook objectives: what an autoencoder is trained for, other than small files.

use crate::error::{Error, Result};

/// What training makes small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Loss {
    /// The expected size of the file.
    #[default]
    Bits,
    /// The mean squared error of the values, in the data's units. Every other textbook objective
    /// adds to it.
    SquaredError,
}

/// Noise on a row before the encoder sees it, while the decoder shall give the row as it was
/// (Vincent et al. 2008, *Extracting and composing robust features with denoising autoencoders*).
/// Both sorts can be asked for at once.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct Denoise {
    /// Standard deviation of Gaussian noise that is added, above 0 and up to 10⁶, as a share of the
    /// range of all values, which is full scale in PSNR.
    pub gaussian: Option<f64>,
    /// Probability of each value to be replaced by 0, between 0 and 1 and neither of them.
    pub zero: Option<f64>,
}

impl Denoise {
    /// Whether there is any noise.
    pub fn is_any(&self) -> bool {
        self.gaussian.is_some() || self.zero.is_some()
    }
}

/// Patches that are hidden from the encoder, while the decoder shall give what they held (He et
/// al. 2022, *Masked autoencoders are scalable vision learners*).
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Patches {
    /// Lines of a patch, at least 1; 1 for rows of one dimension.
    pub height: usize,
    /// Values of a patch in a line, at least 1.
    pub width: usize,
    /// Share of the patches that is hidden, between 0 and 1 and neither of them.
    pub share: f64,
}

impl Patches {
    /// Patches of `height × width` values, `share` of them hidden.
    pub fn new(height: usize, width: usize, share: f64) -> Self {
        Self { height, width, share }
    }

    pub(crate) fn validate(&self) -> Result<()> {
        let Self { height, width, share } = *self;
        if height == 0 || width == 0 {
            return Err(Error::argument(format!(
                "a patch of {height} × {width} values is empty; write at least 1 × 1"
            )));
        }
        if !(share > 0.0 && share < 1.0) {
            return Err(Error::argument(format!(
                "a share of {share} of the patches cannot be hidden; write a number between 0 \
                 and 1, neither of them"
            )));
        }
        Ok(())
    }

    /// Which patch each value of a row belongs to, and how many patches there are; at the edges
    /// patches may be smaller.
    ///
    /// # Errors
    /// `Argument` where rows have other dimensions, or a patch is all of a row.
    pub fn of(&self, row_shape: &[usize]) -> Result<(Vec<usize>, usize)> {
        let (lines, line) = match *row_shape {
            [n] if self.height == 1 => (1, n),
            [h, w] => (h, w),
            _ => {
                let shape: Vec<String> = row_shape.iter().map(usize::to_string).collect();
                return Err(Error::argument(format!(
                    "rows of shape {} have no patches of {} × {}: hide H × W of rows that are stored \
                     with two dimensions, as an array of N × H × W, and W of rows with one",
                    shape.join(" × "),
                    self.height,
                    self.width
                )));
            }
        };
        let across = line.div_ceil(self.width);
        let count = across * lines.div_ceil(self.height);
        if count < 2 {
            return Err(Error::argument(format!(
                "a patch of {} × {} is all of a row of {lines} × {line}: nothing would be left to \
                 see; choose a smaller one",
                self.height, self.width
            )));
        }
        let patch = |at: usize| at / line / self.height * across + at % line / self.width;
        Ok(((0..lines * line).map(patch).collect(), count))
    }

    /// How many of `count` patches are hidden: at least one, never all.
    pub fn hidden_of(&self, count: usize) -> usize {
        ((count as f64 * self.share).round() as usize).clamp(1, count.saturating_sub(1).max(1))
    }
}

/// A masked transformer (He et al. 2022) in place of dense networks: what is left open is chosen.
///
/// A row's patches are tokens. Blocks of attention bring those that are seen together, and a light decoder restores
/// those that are hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Transformer {
    /// Blocks of the encoder, 1 to 16; 3 if left open.
    pub depth: Option<usize>,
    /// Heads of each attention, which share the numbers of a token: a divisor of `dim`. 4 if left open, or fewer
    /// where they do not divide it.
    pub heads: Option<usize>,
    /// Numbers of a token, 1 to 1024; 64 if left open. An embedding has as many.
    pub dim: Option<usize>,
}

/// Most blocks and numbers of a token that a transformer is trained with.
const MAX_DEPTH: usize = 16;
const MAX_DIM: usize = 1024;

impl Transformer {
    pub(crate) fn validate(&self) -> Result<()> {
        let within = |what: &str, value: Option<usize>, most: usize| match value {
            Some(n) if !(1..=most).contains(&n) => {
                Err(Error::argument(format!("{what} of {n} is not between 1 and {most}")))
            }
            _ => Ok(()),
        };
        within("a transformer's depth", self.depth, MAX_DEPTH)?;
        within("a token's dim", self.dim, MAX_DIM)?;
        within("a number of heads", self.heads, MAX_DIM)?;
        if let Some(heads) = self.heads {
            let dim = self.dim.unwrap_or(Self::USUAL_DIM);
            if !dim.is_multiple_of(heads) {
                return Err(Error::argument(format!(
                    "{heads} heads cannot share tokens of {dim} numbers: choose a divisor of {dim}"
                )));
            }
        }
        Ok(())
    }

    /// Numbers of a token where nothing else is said.
    pub(crate) const USUAL_DIM: usize = 64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_tile_a_row() {
        let (of, count) = Patches::new(2, 3, 0.5).of(&[3, 4]).unwrap();
        assert_eq!(of, [0, 0, 0, 1, 0, 0, 0, 1, 2, 2, 2, 3]);
        assert_eq!(count, 4);
        let (of, count) = Patches::new(1, 2, 0.5).of(&[5]).unwrap();
        assert_eq!((of, count), (vec![0, 0, 1, 1, 2], 3));
    }

    #[test]
    fn rows_without_such_patches_are_refused() {
        for (patch, shape) in [
            (Patches::new(2, 2, 0.5), &[16][..]),
            (Patches::new(2, 2, 0.5), &[2, 2, 4]),
            (Patches::new(8, 8, 0.5), &[8, 8]),
        ] {
            assert!(patch.of(shape).is_err(), "{patch:?} {shape:?}");
        }
    }

    #[test]
    fn some_patches_are_hidden_and_some_are_not() {
        for (share, count, hidden) in [(0.75, 49, 37), (0.01, 10, 1), (0.999, 10, 9), (0.5, 2, 1)] {
            assert_eq!(Patches::new(4, 4, share).hidden_of(count), hidden);
        }
    }
}
