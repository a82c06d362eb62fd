//! Which prediction from neighbours leaves the least: the median, simple sums, or coefficients by least
//! squares for all columns, for groups of them, or for each.

use crate::codec::context::neighbour::THIRD;
use crate::container::model::{NEIGHBOURS, TERMS};
use crate::encode::encoder::BlockEncoder;
use crate::error::Result;
use crate::fit::context::FitContext;
use crate::fit::data::sample::Thinning;
use crate::fit::neighbours::effort::NeighbourEffort;
use crate::fit::neighbours::entropy::{Blocks, block_bits};
use crate::fit::neighbours::geometry::{self, Directions};
use crate::fit::neighbours::prediction::{FEW_KINDS, Prediction, of_different_kinds, simple_sums};
use crate::fit::neighbours::row_predictors::{self, StepsOfRow};
use crate::fit::neighbours::stencil::Stencil;
use std::collections::HashMap;

/// Simple sums that are compared on all values, for all columns and with those for some, at most; and the part
/// of the values by which they are found.
const LIKELIEST: [usize; 2] = [2, 5];
const QUICK_LOOK: usize = 4;
/// Share of the bits without the line of rows before that may be left with it, where many kinds are compared and
/// where few are: blocks have more rows then, so that reading one takes longer.
const LINE_WORTH: [f64; 2] = [0.995, 0.99];
/// Share of all bits that prediction must save to be used.
const WORTH: f64 = 0.998;

/// A prediction with what it leaves in the sample.
pub(super) struct Tried {
    pub(super) prediction: Prediction,
    /// Bits of each block of columns.
    bits: Vec<f64>,
    /// Bits of the model.
    own: f64,
}

impl Tried {
    pub(super) fn total(&self, weight: f64) -> f64 {
        self.bits.iter().sum::<f64>() * weight + self.own
    }
}

/// Returns the bits of the best.
pub(super) fn least(tried: &[Tried], weight: f64) -> f64 {
    tried.iter().map(|t| t.total(weight)).fold(f64::INFINITY, f64::min)
}

/// How much larger than the least bits at first sight those of other directions, or of another way to count, may
/// be for a closer look.
pub(super) const FAR: f64 = 1.1;

/// Returns the least bits that were found.
pub(super) fn bits_at_first(all: &[FirstLook], weight: f64) -> f64 {
    all.iter().map(|f| least(&f.tried, weight)).fold(f64::INFINITY, f64::min)
}

/// What was found of one choice of directions at first sight.
pub(super) struct FirstLook {
    directions: Directions,
    tried: Vec<Tried>,
}

/// What predictions are compared for.
pub(super) struct Comparison<'a> {
    pub(super) context: &'a FitContext<'a>,
    /// The same with more rows, to which predictors that rows name are fitted, if these are tried.
    pub(super) by_row: Option<&'a FitContext<'a>>,
    /// Makes an encoder for a prediction.
    pub(super) encoder: &'a (dyn Fn(&Prediction) -> Result<BlockEncoder> + Sync),
    /// Predictions of the network, none where there is none.
    pub(super) predicted: &'a [i32],
    /// Whether sums of whole values are predicted, for which medians and simple sums are.
    pub(super) whole_values: bool,
    pub(super) effort: NeighbourEffort,
    /// Which rows of the sample are looked at.
    pub(super) some: Thinning,
}

impl Comparison<'_> {
    /// Returns the best prediction, where looking at the line of rows before saves so many bits besides.
    pub(super) fn best(&self, saved_by_line: f64) -> Result<Prediction> {
        let first = self.first_look()?;
        let bar = FAR * bits_at_first(&first, self.weight());
        let (_, best) = self.likely(1, first, bar)?.swap_remove(0);
        let best = self.with_line_before(&best, saved_by_line)?.map_or(best, |lined| lined.0);
        match self.effort.contexts.filter(|c| c.refits) {
            Some(contexts) => self.refitted(best, contexts.predictions),
            None => Ok(best),
        }
    }

    /// Returns a prediction of the kind of `best` that looks at the line of rows before, if rows lie in lines
    /// and it leaves clearly less than that and `saved` bits, and how many it leaves of the whole file.
    pub(super) fn with_line_before(
        &self,
        best: &Prediction,
        saved: f64,
    ) -> Result<Option<(Prediction, f64)>> {
        let sample = self.context.sample;
        let line_of_rows = sample.line_of_rows;
        if line_of_rows == 0 || best.directions.distances[2] > 0 || best.is_nothing() {
            return Ok(None);
        }
        let rows = self.effort.compared / sample.schema.width().max(1);
        let of_lines = Self { some: sample.thinning_of_lines(rows), ..*self };
        let directions = Directions { line_of_rows, ..best.directions };
        let before = of_lines.tried(best.clone())?;
        let lined = Prediction { directions, ..best.without_third() };
        let weight = of_lines.weight();
        let mut tried = match self.effort.thorough {
            true => vec![of_lines.tried(lined)?],
            false => of_lines.by_squares(&lined, &of_lines.alike())?,
        };
        if self.effort.thorough {
            of_lines.weighed_by_scale(&mut tried, true)?;
            tried.extend(of_lines.mixed(directions, &tried)?);
        }
        let found = tried.into_iter().min_by(|a, b| a.total(weight).total_cmp(&b.total(weight)));
        let kinds = self.effort.contexts.map_or(0, |c| c.predictions);
        let worth = LINE_WORTH[usize::from(kinds <= FEW_KINDS)];
        let pays = |t: &Tried| t.total(weight) < worth * before.total(weight) + saved;
        Ok(found.filter(pays).map(|t| {
            let bits = t.total(weight);
            (t.prediction, bits)
        }))
    }

    /// Looks at simple predictions and at coefficients by least squares, along each choice of directions.
    pub(super) fn first_look(&self) -> Result<Vec<FirstLook>> {
        let all = geometry::directions(self.context.sample, self.context.normalised);
        all.into_iter()
            .map(|directions| {
                let tried = self.in_directions(directions)?;
                Ok(FirstLook { directions, tried })
            })
            .collect()
    }

    /// Returns up to `most` predictions of different kinds that may turn out to be the best, the likeliest
    /// first, with their bits, along those directions that leave up to `bar` bits at `first` sight; none where
    /// none does.
    pub(super) fn likely(
        &self,
        most: usize,
        first: Vec<FirstLook>,
        bar: f64,
    ) -> Result<Vec<(f64, Prediction)>> {
        let weight = self.weight();
        let mut all: Vec<(f64, Prediction)> = Vec::new();
        let mut nothing = f64::INFINITY;
        for FirstLook { directions, mut tried } in first {
            if least(&tried, weight) > bar {
                continue;
            }
            if self.effort.thorough {
                self.weighed_by_scale(&mut tried, false)?;
                if let Some(whole) = self.by_row {
                    tried.extend(self.by_row(whole, directions, &tried)?);
                }
            }
            nothing = nothing.min(tried[0].total(weight));
            let mixed = self.mixed(directions, &tried)?;
            all.extend(tried.into_iter().chain(mixed).map(|t| (t.total(weight), t.prediction)));
        }
        if all.is_empty() {
            return Ok(Vec::new());
        }
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let least = all[0].0;
        if least > WORTH * nothing && !self.whole_values {
            let prediction = Prediction::all(all[0].1.directions, [0; TERMS]);
            return Ok(vec![(nothing, prediction)]);
        }
        // Contexts say less to those by row than to these.
        if most > 1 && most <= FEW_KINDS && !all[0].1.weighs_residuals() {
            all.retain(|(_, p)| !p.weighs_residuals());
        }
        Ok(of_different_kinds(all, most))
    }

    /// How many they are.
    pub(super) fn rows(&self) -> usize {
        self.context.sample.judged(self.some)
    }

    /// Rows of the file for each that is looked at.
    pub(super) fn weight(&self) -> f64 {
        self.context.sample.total as f64 / self.rows().max(1) as f64
    }

    fn blocks(&self) -> Blocks {
        Blocks::of(self.context.sample.schema.width(), self.rows())
    }

    pub(super) fn tried(&self, prediction: Prediction) -> Result<Tried> {
        let encoder = (self.encoder)(&prediction)?;
        let own = prediction.bits(self.context.sample.schema.width());
        let bits = block_bits(self.context, &encoder, self.predicted, (self.blocks(), self.some));
        Ok(Tried { prediction, bits, own })
    }

    /// Tries predictions along some directions; the first is none.
    pub(super) fn in_directions(&self, directions: Directions) -> Result<Vec<Tried>> {
        let mut simple = simple_sums();
        let [_, up, third] = directions.distances;
        if up == third {
            // Both are the row before.
            simple.retain(|sum| sum[THIRD..NEIGHBOURS].iter().all(|a| *a == 0));
        }
        let mut tried = vec![self.tried(Prediction::all(directions, simple[0]))?];
        if self.whole_values {
            let median = Prediction::all(directions, simple[0]);
            tried.push(self.tried(Prediction { median: true, ..median })?);
        }
        let likely = match self.effort.thorough {
            true => self.likeliest(directions, &simple[1..])?,
            false => vec![simple[1]],
        };
        for stencil in likely {
            tried.push(self.tried(Prediction::all(directions, stencil))?);
        }
        let nothing = Prediction::all(directions, simple[0]);
        tried.extend(self.by_squares(&nothing, &self.alike())?);
        Ok(tried)
    }

    /// Tries predictors that rows name, where they may be worth it beside what was `tried`.
    fn by_row(
        &self,
        whole: &FitContext<'_>,
        directions: Directions,
        tried: &[Tried],
    ) -> Result<Option<Tried>> {
        let sample = whole.sample;
        let width = sample.schema.width();
        let [distance, line, _] = directions.distances;
        let line = if line == 0 { width } else { line };
        let weight = self.weight();
        let least = least(tried, weight);
        let total = sample.total as f64;
        let steps = |context: &FitContext<'_>, predicted: &[i32]| {
            let encoder = (self.encoder)(&Prediction::all(directions, [0; TERMS]))?;
            Ok(encoder.steps_of_rows(&context.sample.bytes, predicted))
        };
        let of_row = StepsOfRow { width, distance, line, total };
        let others = least / (total * width as f64);
        let few = || steps(self.context, self.predicted);
        let all = || steps(whole, self.predicted);
        let Some(fitted) = row_predictors::fit(&of_row, others, &few, &all)? else {
            return Ok(None);
        };
        let by_row = Some(fitted.predictors);
        let prediction = Prediction { by_row, ..Prediction::all(directions, [0; TERMS]) };
        let encoder = (self.encoder)(&prediction)?;
        let bits = block_bits(self.context, &encoder, self.predicted, (self.blocks(), self.some));
        Ok(Some(Tried { prediction, bits, own: fitted.bits }))
    }

    /// Returns the simple sums that suit all columns best, and those that suit some, by a quick look.
    fn likeliest(&self, directions: Directions, sums: &[Stencil]) -> Result<Vec<Stencil>> {
        let compared = self.effort.compared / QUICK_LOOK;
        let effort = NeighbourEffort { compared, ..self.effort };
        let quick = Self { effort, some: effort.some_of(self.context.sample), ..*self };
        let tried = sums.iter().map(|&sum| quick.tried(Prediction::all(directions, sum)));
        let tried: Vec<Tried> = tried.collect::<Result<_>>()?;
        let by = |bits: &dyn Fn(&Tried) -> f64| {
            let mut order: Vec<usize> = (0..tried.len()).collect();
            order.sort_by(|&a, &b| bits(&tried[a]).total_cmp(&bits(&tried[b])));
            order
        };
        let mut found = by(&|t| t.total(1.0));
        found.truncate(LIKELIEST[0]);
        for block in 0..tried[0].bits.len() {
            let best = by(&|t| t.bits[block])[0];
            if !found.contains(&best) && found.len() < LIKELIEST[1] {
                found.push(best);
            }
        }
        Ok(found.into_iter().map(|i| sums[i]).collect())
    }

    /// Takes for each block of columns what suits it best; nothing where that is the same for all.
    pub(super) fn mixed(&self, directions: Directions, tried: &[Tried]) -> Result<Option<Tried>> {
        let width = self.context.sample.schema.width();
        let (blocks, weight) = (self.blocks(), self.weight());
        if blocks.count < 2 {
            return Ok(None);
        }
        let usable: Vec<&Tried> = tried
            .iter()
            .filter(|t| !t.prediction.median && t.prediction.by_row.is_none())
            .collect();
        let base = usable.iter().map(|t| t.total(weight)).enumerate();
        let Some((base, _)) = base.min_by(|a, b| a.1.total_cmp(&b.1)) else { return Ok(None) };
        let per_block = width as f64 / blocks.count as f64;
        let cost = |at: usize, block: usize| {
            let t = usable[at];
            let own = if t.prediction.stencils.len() == width && width > 1 {
                t.own / blocks.count as f64
            } else {
                0.0
            };
            let change = if at == base { 0.0 } else { (usable.len() as f64).log2() * per_block };
            t.bits[block] * weight + own + change
        };
        let choice: Vec<usize> = (0..blocks.count)
            .map(|block| {
                let all = 0..usable.len();
                all.min_by(|&a, &b| cost(a, block).total_cmp(&cost(b, block))).unwrap_or(base)
            })
            .collect();
        if choice.iter().all(|&c| c == choice[0]) {
            return Ok(None);
        }
        let mut places: HashMap<Stencil, usize> = HashMap::new();
        let (mut stencils, mut of) = (Vec::new(), Vec::with_capacity(width));
        for j in 0..width {
            let p = &usable[choice[blocks.of_column(j)]].prediction;
            let own = p.stencils[p.of.get(j).copied().unwrap_or(0)];
            let next = stencils.len();
            let at = *places.entry(own).or_insert(next);
            if at == next {
                stencils.push(own);
            }
            of.push(at);
        }
        if stencils.len() * 2 > width {
            stencils = of.iter().map(|&g| stencils[g]).collect();
            of = (0..width).collect();
        }
        let nothing = Prediction::all(directions, [0; TERMS]);
        self.tried(Prediction { stencils, of, ..nothing }).map(Some)
    }
}
