//! Which prediction from neighbours leaves the least: the median, simple sums, or coefficients by least
//! squares for all columns, for groups of them, or for each.

use crate::container::model::TERMS;
use crate::encode::encoder::BlockEncoder;
use crate::error::Result;
use crate::fit::context::FitContext;
use crate::fit::data::sample::Thinning;
use crate::fit::neighbours::effort::NeighbourEffort;
use crate::fit::neighbours::entropy::{Blocks, block_bits};
use crate::fit::neighbours::geometry::{self, Directions};
use crate::fit::neighbours::prediction::{Kind, Prediction, simple_sums};
use crate::fit::neighbours::row_predictors::{self, StepsOfRow};
use crate::fit::neighbours::stencil::{Regression, Stencil, Weighing};
use std::collections::HashMap;

/// Columns of a row, at most, for coefficients of their own or of groups.
const MOST_COLUMNS: usize = 1 << 12;
/// Rows that coefficients of groups are found by, at least.
const LEAST_ROWS: usize = 48;
/// Numbers of groups that are tried.
const GROUPS: [usize; 2] = [6, 24];
/// Simple sums that are compared on all values, for all columns and with those for some, at most; and the part
/// of the values by which they are found.
const LIKELIEST: [usize; 2] = [2, 5];
const QUICK_LOOK: usize = 4;
/// How much larger than the least bits, as they are estimated without contexts, those of a prediction may be
/// that is the best with them.
const NEARLY: f64 = 1.2;
/// Share of the bits without the line of rows before that may be left with it: blocks have more rows then.
const LINE_WORTH: f64 = 0.99;
/// The same of one by row, which contexts say less to, where many kinds are compared, and where few are:
/// comparing takes time.
const NEARLY_BY_ROW: [f64; 2] = [1.01, 0.97];
/// How many times as many values coefficients are found by in the end, where there is time.
const MORE_VALUES: usize = 8;
/// Share of all bits that prediction must save to be used.
const WORTH: f64 = 0.998;
/// Neighbours that are weighed: the nearest, those of the row, and all.
const USED: [&[usize]; 3] = [
    &[0, 3, 5, 6],
    &[0, 1, 2, 3, 4, 5, 6],
    &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
];
/// All that predictions may weigh.
const ALL: &[usize] = &[
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    26,
];

/// Rounds of least squares weighed by what the round before left, at most, and the share of its bits below
/// which there is another.
const ROUNDS: usize = 4;
const BETTER: f64 = 0.995;
/// Up to so many kinds of predictions, the simple ones are not told from others.
pub(super) const FEW_KINDS: usize = 2;

/// A prediction with what it leaves in the sample.
struct Tried {
    prediction: Prediction,
    /// Bits of each block of columns.
    bits: Vec<f64>,
    /// Bits of the model.
    own: f64,
}

impl Tried {
    fn total(&self, weight: f64) -> f64 {
        self.bits.iter().sum::<f64>() * weight + self.own
    }
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
        let best = self.likely(1)?.swap_remove(0);
        let best = self.with_line_before(&best, saved_by_line)?.map_or(best, |lined| lined.0);
        let contexts = self.effort.contexts.map_or(0, |c| c.predictions);
        if contexts > FEW_KINDS { self.refitted(best) } else { Ok(best) }
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
        let least = |all: Vec<Tried>| {
            all.into_iter().min_by(|a, b| a.total(weight).total_cmp(&b.total(weight)))
        };
        let mut tried = match self.effort.thorough {
            true => vec![of_lines.tried(lined)?],
            false => of_lines.by_squares(&lined, Weighing::Alike, false)?,
        };
        if self.effort.thorough {
            of_lines.weighed_by_scale(&mut tried, true)?;
            tried.extend(of_lines.mixed(directions, &tried)?);
        }
        let found = least(tried);
        let pays = |t: &Tried| t.total(weight) < LINE_WORTH * before.total(weight) + saved;
        Ok(found.filter(pays).map(|t| {
            let bits = t.total(weight);
            (t.prediction, bits)
        }))
    }

    /// Returns up to `most` predictions of different kinds that may turn out to be the best, the likeliest
    /// first; at least one.
    pub(super) fn likely(&self, most: usize) -> Result<Vec<Prediction>> {
        let sample = self.context.sample;
        let weight = self.weight();
        let mut all: Vec<(f64, Prediction)> = Vec::new();
        let mut nothing = f64::INFINITY;
        for directions in geometry::directions(sample, self.context.normalised) {
            let tried = self.in_directions(directions)?;
            nothing = nothing.min(tried[0].total(weight));
            let mixed = self.mixed(directions, &tried)?;
            all.extend(tried.into_iter().chain(mixed).map(|t| (t.total(weight), t.prediction)));
        }
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let least = all[0].0;
        if least > WORTH * nothing && !self.whole_values {
            return Ok(vec![Prediction::all(all[0].1.directions, [0; TERMS])]);
        }
        // Contexts say less to those by row than to these.
        if most > 1 && most <= FEW_KINDS && !all[0].1.weighs_residuals() {
            all.retain(|(_, p)| !p.weighs_residuals());
        }
        let not_by_row = all.iter().find(|(_, p)| p.by_row.is_none() && !p.weighs_residuals());
        let least_of_others = not_by_row.map_or(f64::INFINITY, |(total, _)| *total);
        let mut kinds: Vec<Kind> = Vec::new();
        all.retain(|(total, p)| {
            let mut kind = p.kind();
            kind.simple &= most > FEW_KINDS;
            let is_new = *total <= NEARLY * least && !kinds.contains(&kind);
            kinds.push(kind);
            is_new
        });
        // Those by row take no place from others, nor does what weighs residuals: contexts say less to them.
        let nearly = NEARLY_BY_ROW[usize::from(most <= FEW_KINDS)];
        let (mut others, mut weighing) = (0, 0);
        all.retain(|(total, p)| match p.by_row {
            Some(_) => *total <= nearly * least_of_others,
            None if p.weighs_residuals() && most > FEW_KINDS => {
                weighing += 1;
                weighing == 1
            }
            None => {
                others += 1;
                others <= most
            }
        });
        Ok(all.into_iter().map(|p| p.1).collect())
    }

    /// Returns a prediction of the same kind whose coefficients are found by more values, if that is better.
    pub(super) fn refitted(&self, best: Prediction) -> Result<Prediction> {
        if best.median || best.by_row.is_some() || best.is_nothing() {
            return Ok(best);
        }
        let sample = self.context.sample;
        let rows = MORE_VALUES * self.effort.compared / sample.schema.width().max(1);
        let some = match best.directions.line_of_rows {
            0 => sample.thinning(rows),
            _ => sample.thinning_of_lines(rows),
        };
        let many = Self { some, ..*self };
        let mut tried = vec![many.tried(best.clone())?];
        many.weighed_by_scale(&mut tried, true)?;
        let weight = many.weight();
        let least = tried.into_iter().min_by(|a, b| a.total(weight).total_cmp(&b.total(weight)));
        Ok(least.map_or(best, |t| t.prediction))
    }

    /// How many they are.
    fn rows(&self) -> usize {
        self.context.sample.judged(self.some)
    }

    /// Rows of the file for each that is looked at.
    fn weight(&self) -> f64 {
        self.context.sample.total as f64 / self.rows().max(1) as f64
    }

    fn blocks(&self) -> Blocks {
        Blocks::of(self.context.sample.schema.width(), self.rows())
    }

    fn tried(&self, prediction: Prediction) -> Result<Tried> {
        let encoder = (self.encoder)(&prediction)?;
        let own = prediction.bits(self.context.sample.schema.width());
        let bits = block_bits(self.context, &encoder, self.predicted, (self.blocks(), self.some));
        Ok(Tried { prediction, bits, own })
    }

    /// Tries predictions along some directions; the first is none.
    fn in_directions(&self, directions: Directions) -> Result<Vec<Tried>> {
        let simple = simple_sums();
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
        tried.extend(self.by_squares(&nothing, Weighing::Alike, false)?);
        if self.effort.thorough {
            self.weighed_by_scale(&mut tried, false)?;
            if let Some(whole) = self.by_row {
                tried.extend(self.by_row(whole, directions, &tried)?);
            }
        }
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
        let least = tried.iter().map(|t| t.total(weight)).fold(f64::INFINITY, f64::min);
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

    /// Tries coefficients by least squares, weighed by what the best of those `tried` leaves, for as long as
    /// that gets better: what values count for is known the better, the less is left of them. Coefficients are
    /// only such as the best has, from the beginning if `alike` is set.
    fn weighed_by_scale(&self, tried: &mut Vec<Tried>, alike: bool) -> Result<()> {
        let weight = self.weight();
        for round in 0..ROUNDS {
            let best = tried.iter().min_by(|a, b| a.total(weight).total_cmp(&b.total(weight)));
            let Some(best) = best else { return Ok(()) };
            let before = best.total(weight);
            let found = self.by_squares(&best.prediction, Weighing::ByScale, alike || round > 0)?;
            let least = found.iter().map(|t| t.total(weight)).fold(f64::INFINITY, f64::min);
            tried.extend(found);
            if least > BETTER * before {
                break;
            }
        }
        Ok(())
    }

    /// Tries coefficients by least squares, weighed by what `before` leaves; only such as it has itself, if
    /// `alike` is set.
    fn by_squares(
        &self,
        before: &Prediction,
        weighing: Weighing,
        alike: bool,
    ) -> Result<Vec<Tried>> {
        let width = self.context.sample.schema.width();
        let directions = before.directions;
        let by_column = width > 1 && width <= MOST_COLUMNS && self.rows() >= LEAST_ROWS;
        let probe = (self.encoder)(&before.looking_back())?;
        let how = (by_column, self.some, weighing);
        let products = Regression::gather(self.context, &probe, self.predicted, how);
        let further = weighing == Weighing::ByScale && (!alike || before.weighs_residuals());
        let most = if further { ALL } else { USED[2] };
        let mut tried = Vec::new();
        let is_shared = before.stencils.len() == 1;
        let of_columns = before.stencils.len() == width;
        let shared = match (self.effort.thorough, weighing) {
            _ if alike => &[most][..usize::from(is_shared)],
            (true, Weighing::Alike) => &USED[..],
            (true, Weighing::ByScale) => &[USED[0], USED[2], ALL],
            (false, _) => &[USED[0], most],
        };
        for used in shared {
            tried.push(self.tried(Prediction::all(directions, products.shared(used)))?);
        }
        let nothing = || Prediction::all(directions, [0; TERMS]);
        if by_column && (!alike || of_columns) {
            let (stencils, of) = (products.of_columns(most), (0..width).collect());
            tried.push(self.tried(Prediction { stencils, of, ..nothing() })?);
        }
        if by_column && (!alike || !is_shared && !of_columns) {
            let counts = match (self.effort.thorough, alike) {
                (true, false) => &GROUPS[..],
                (false, _) => &GROUPS[..1],
                (true, true) => &GROUPS[1..],
            };
            for &count in counts.iter().filter(|&&c| 4 * c <= width) {
                let (stencils, of) = products.of_groups(most, count);
                tried.push(self.tried(Prediction { stencils, of, ..nothing() })?);
            }
        }
        Ok(tried)
    }

    /// Takes for each block of columns what suits it best; nothing where that is the same for all.
    fn mixed(&self, directions: Directions, tried: &[Tried]) -> Result<Option<Tried>> {
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
