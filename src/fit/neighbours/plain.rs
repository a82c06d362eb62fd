//! Codecs without latents that look at neighbours: the floor that no other may end above, unless it was
//! asked for.

use crate::codec::program::Program;
use crate::container::model::ModelRecord;
use crate::encode::costs::TableCosts;
use crate::encode::encoder::BlockEncoder;
use crate::encode::symbols::Symbols;
use crate::error::Result;
use crate::fit::assemble::{PLACEHOLDER, placeholder_classes};
use crate::fit::candidate::Candidate;
use crate::fit::context::FitContext;
use crate::fit::data::columns::plan_alike;
use crate::fit::entropy::class_tables::{ClassFitInput, FittedClasses};
use crate::fit::entropy::classes::{ClassEffort, fit_classes};
use crate::fit::neighbours::atoms;
use crate::fit::neighbours::contexts::Uncontexted;
use crate::fit::neighbours::effort::{ContextEffort, NeighbourEffort};
use crate::fit::neighbours::predict::{Comparison, FAR, bits_at_first};
use crate::fit::neighbours::prediction::Prediction;
use crate::fit::quantise::linear;
use crate::limits::Limits;
use crate::quality::Tally;
use rayon::prelude::*;

/// How much larger than what is to be beaten the quick comparison may come out: with all effort it would
/// be smaller.
const PROMISING: f64 = 1.1;
/// The same where rows lie in lines, which the quick comparison does not look at.
const PROMISING_IN_LINES: f64 = 1.25;
/// Values of a row, at most, for the line of rows before to be looked at: what wider rows say of each value
/// themselves leaves it too little. (Spectra of 200 values were no smaller with it.)
const WIDEST_IN_LINES: usize = 32;
/// How much larger than the smallest a way may be for the line of rows before to be looked at in it.
const NEARLY: f64 = 1.1;
/// Columns of a row, at most: wider rows take much memory as it is.
const WIDEST: usize = 1 << 22;

/// A way to count and to predict.
struct Way {
    record: ModelRecord,
    aligned: bool,
    atoms: Vec<i64>,
}

/// A way to count with the prediction that suits it best, and the bytes of a file.
struct Found<'a> {
    way: &'a Way,
    prediction: Prediction,
    bytes: f64,
}

impl<'a> Found<'a> {
    /// The same way with a prediction that looks at the line of rows before, if that pays.
    fn with_line_before(
        &self,
        context: &FitContext<'_>,
        effort: NeighbourEffort,
    ) -> Result<Option<Found<'a>>> {
        let way = self.way;
        let encoder = |p: &Prediction| way.encoder(context, p);
        let comparison = comparison(context, &encoder, effort);
        let found = comparison.with_line_before(&self.prediction, 0.0)?;
        Ok(found.map(|(prediction, bits)| Found { way, prediction, bytes: bits / 8.0 }))
    }

    /// The same way with coefficients that are found once more. They are compared without contexts, while a
    /// simple prediction was taken for what contexts say of what it leaves: it stays where a quick look at the
    /// rows of `thin` says that it is still the best with them.
    fn refitted(
        self,
        (context, thin): (&FitContext<'_>, &FitContext<'_>),
        compared: NeighbourEffort,
        effort: ContextEffort,
    ) -> Result<Self> {
        let way = self.way;
        let encoder = |p: &Prediction| way.encoder(context, p);
        let prediction = comparison(context, &encoder, compared)
            .refitted(self.prediction.clone(), effort.predictions)?;
        // Few rows of a quick look have a line of rows before them.
        let has_line = self.prediction.directions.line_of_rows > 0;
        if self.prediction.is_simple() && !prediction.is_simple() && !has_line {
            let bytes = |p: &Prediction| {
                way.fitted(thin, p, ContextEffort::QUICK).map(|fitted| fitted.fitted_bytes)
            };
            if bytes(&self.prediction)? <= bytes(&prediction)? {
                return Ok(self);
            }
        }
        Ok(Self { prediction, ..self })
    }
}

fn least<'a>(found: impl IntoIterator<Item = Found<'a>>) -> Option<Found<'a>> {
    found.into_iter().min_by(|a, b| a.bytes.total_cmp(&b.bytes))
}

/// Fits the smaller of two codecs without latents: one whose columns all count from the same integer in
/// the same steps, so that values can be compared with their neighbours, and one whose columns each
/// count in their own way.
///
/// None where a quick look says that it will not be below `limit` bytes.
///
/// # Errors
/// `Corrupt` or `Limit` where readers would refuse the model.
pub(crate) fn build(
    context: &FitContext<'_>,
    effort: ContextEffort,
    limit: f64,
) -> Result<Option<Candidate>> {
    if context.columns.len() > WIDEST {
        return Ok(None);
    }
    let rows = (effort.cells / context.columns.len().max(1)).max(1);
    let thinned = context.sample.thinned(rows);
    let thin = FitContext { sample: thinned.as_ref().unwrap_or(context.sample), ..*context };
    let compared = NeighbourEffort { compared: effort.cells, thorough: true, contexts: None };
    let own = Way { record: linear::frame(context.columns), aligned: false, atoms: Vec::new() };
    let ways: Vec<Way> = alike(context).into_iter().chain([own]).collect();
    let mut found = likeliest(&ways, (context, &thin), (compared, effort.predictions))?;
    let lined = context.sample.line_of_rows > 0 && context.columns.len() <= WIDEST_IN_LINES;
    let promising = if lined { PROMISING_IN_LINES } else { PROMISING } * limit;
    found.retain(|f| f.bytes < promising);
    let least_bytes = found.iter().map(|f| f.bytes).fold(f64::INFINITY, f64::min);
    let near = found.iter().filter(|f| lined && f.bytes < NEARLY * least_bytes);
    let with_line = near.map(|f| f.with_line_before(context, compared));
    let with_line = with_line.collect::<Result<Vec<_>>>()?.into_iter().flatten();
    let Some(best) = least(with_line).or_else(|| least(found)) else { return Ok(None) };
    let Found { way, prediction, .. } =
        if effort.refits { best.refitted((context, &thin), compared, effort)? } else { best };
    way.fitted(context, &prediction, effort).map(Some)
}

/// Returns of each way to count that may be the best its best prediction, by a quick look at the rows of `thin`.
fn likeliest<'a>(
    ways: &'a [Way],
    (context, thin): (&FitContext<'_>, &FitContext<'_>),
    (effort, predictions): (NeighbourEffort, usize),
) -> Result<Vec<Found<'a>>> {
    let encoders: Vec<_> = ways.iter().map(|way| |p: &Prediction| way.encoder(thin, p)).collect();
    let compared = encoders.iter().enumerate().map(|(at, encoder)| {
        // The other way is not far from the first by row.
        let by_row = (at == 0).then_some(context);
        Comparison { by_row, ..comparison(thin, encoder, effort) }
    });
    let compared: Vec<Comparison<'_>> = compared.collect();
    let first = compared.iter().map(|c| c.first_look()).collect::<Result<Vec<_>>>()?;
    let bits = |at: usize| bits_at_first(&first[at], compared[at].weight());
    // What atoms cost is not known yet.
    let honest = (0..ways.len()).filter(|&at| ways[at].atoms.is_empty());
    let bar = FAR * honest.map(bits).fold(f64::INFINITY, f64::min);
    let likely = compared.iter().zip(first).map(|(c, first)| c.likely(predictions, first, bar));
    let likely = likely.collect::<Result<Vec<_>>>()?;
    let mut all = ways.iter().zip(&likely).flat_map(|(way, own)| own.iter().map(move |l| (way, l)));
    if let (Some((way, (bits, prediction))), None) = (all.next(), all.next()) {
        // Nothing to compare it with.
        let (prediction, bytes) = (prediction.clone(), bits / 8.0);
        return Ok(vec![Found { way, prediction, bytes }]);
    }
    let mut found = Vec::new();
    for (way, likely) in ways.iter().zip(likely) {
        let fitted = likely.into_iter().map(|(_, prediction)| {
            let bytes = way.fitted(thin, &prediction, ContextEffort::QUICK)?.fitted_bytes;
            Ok(Found { way, prediction, bytes })
        });
        found.extend(least(fitted.collect::<Result<Vec<_>>>()?));
    }
    Ok(found)
}

/// All columns counted alike, where they have the same bound.
fn alike(context: &FitContext<'_>) -> Option<Way> {
    let plan = plan_alike(context.sample, context.columns)?;
    let base = atoms::whole_base(&plan);
    let width = context.columns.len();
    let record = ModelRecord {
        grids: vec![plan.grid],
        grid_of: vec![0; width],
        base: vec![base; width],
        temporal: vec![0; width],
        ..ModelRecord::default()
    };
    let atoms = atoms::find(context.sample, &plan.grid, base);
    Some(Way { record, aligned: true, atoms })
}

/// What is compared of a sample's rows.
fn comparison<'a>(
    context: &'a FitContext<'a>,
    encoder: &'a (dyn Fn(&Prediction) -> Result<BlockEncoder> + Sync),
    effort: NeighbourEffort,
) -> Comparison<'a> {
    let some = effort.some_of(context.sample);
    Comparison { context, by_row: None, encoder, predicted: &[], whole_values: true, effort, some }
}

impl Way {
    /// An encoder whose program predicts but cannot code.
    fn encoder(&self, context: &FitContext<'_>, prediction: &Prediction) -> Result<BlockEncoder> {
        let record = ModelRecord {
            tables: vec![PLACEHOLDER],
            classes: placeholder_classes(&self.record, true),
            neighbours: Some(prediction.neighbours(self.aligned, &self.atoms)),
            ..self.record.clone()
        };
        let program = Program::new(record, context.sample.schema.dtype)?;
        let bounds = context.columns.iter().map(|c| c.bound).collect();
        let fills = context.sample.schema.fill_values.clone();
        let mut encoder = BlockEncoder::without_latents(program, bounds, fills);
        encoder.keeps_zero_rows = context.keeps_zero_rows;
        Ok(encoder)
    }

    fn fitted(
        &self,
        context: &FitContext<'_>,
        prediction: &Prediction,
        effort: ContextEffort,
    ) -> Result<Candidate> {
        let sample = context.sample;
        let mut encoder = self.encoder(context, prediction)?;
        let runs: Vec<&[u8]> = sample.split().collect();
        let symbols: Vec<Symbols> =
            runs.par_iter().map(|bytes| encoder.symbols(bytes, &[], context.measures)).collect();
        let input = ClassFitInput::of(sample, &encoder.program.record, &symbols);
        let fitted = |classes: ClassEffort| -> Result<FittedClasses> {
            let mut fitted = fit_classes(&input, classes)?;
            if !self.atoms.is_empty() {
                // Atoms have no table yet, so that nothing can be smaller than with contexts.
                fitted.bytes = f64::INFINITY;
            }
            let (encoder, symbols) = (&encoder, &symbols[..]);
            let refined =
                Uncontexted { context, encoder, symbols, fitted: &fitted }.refined(effort)?;
            Ok(refined.unwrap_or(fitted))
        };
        let mut best = fitted(ClassEffort { classes: 1, rounds: 0 })?;
        if !self.aligned && context.effort.classes > 1 {
            // Contexts tell much of what classes do, and no row has to name them.
            let several = fitted(context.effort)?;
            best = if several.bytes < best.bytes { several } else { best };
        }
        let FittedClasses { model, bytes, .. } = best;
        let mut tally = Tally::default();
        symbols.iter().for_each(|s| tally.add(&s.tally));
        drop(symbols);
        encoder.program = Program::decode(&model.payload, 0, &sample.schema, &Limits::default())?;
        encoder.costs = TableCosts::new(&encoder.program.tables);
        Ok(Candidate { encoder, fitted_bytes: bytes, model, tally, linear: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::cursor::BlockCursor;
    use crate::codec::encoded::EncodedBlock;
    use crate::codec::value::Cell;
    use crate::container::index::Place;
    use crate::fit::candidate::LinearChoice;
    use crate::fit::data::columns::{Tolerance, normaliser, plan};
    use crate::fit::data::components::Components;
    use crate::fit::data::sample::Sample;
    use crate::fit::linear;
    use crate::matrix::Matrix;
    use crate::matrix::rng::Rng;
    use std::borrow::Cow;

    const EFFORT: ContextEffort =
        ContextEffort { cells: 40_000, leaves: 32, predictions: 2, refits: false };

    fn sizes<T: Cell + Into<f64>>(rows: &[T], shape: &[usize], bound: f64) -> [f64; 2] {
        sizes_by(EFFORT, rows, shape, bound)
    }

    /// Bytes without and with neighbours of rows of `shape`; every block is decoded and compared with
    /// the rows, of which none may be off by more than `bound`.
    fn sizes_by<T: Cell + Into<f64>>(
        effort: ContextEffort,
        rows: &[T],
        shape: &[usize],
        bound: f64,
    ) -> [f64; 2] {
        let matrix = Matrix::from_slice(rows, shape).unwrap();
        let sample = Sample::draw(&matrix, 1 << 24).unwrap();
        let columns = plan(&sample, &Tolerance::Bounds(vec![bound; sample.schema.width()]));
        let normalised = normaliser(&columns).normalise(
            sample.schema.dtype,
            &sample.schema.fill_values,
            &sample.bytes,
        );
        let context = FitContext {
            sample: &sample,
            columns: &columns,
            components: &Components::fit(&normalised[..columns.len()], columns.len()),
            normalised: &normalised,
            effort: ClassEffort { classes: 1, rounds: 0 },
            keeps_zero_rows: false,
            measures: false,
            neighbours: None,
            atoms: &[],
        };
        let alone = linear::build(&context, &LinearChoice::NO_LATENTS).unwrap();
        let found = build(&context, effort, f64::INFINITY).unwrap().unwrap();
        let encoder = &found.encoder;
        for run in sample.split() {
            let symbols = encoder.symbols(run, &[], false);
            let bytes = encoder.block(0, run, &symbols);
            let place = Place { row: 0, rows: symbols.rows, offset: 0, length: bytes.len() };
            let block = EncodedBlock {
                program: Some(&encoder.program),
                dtype: sample.schema.dtype,
                width: columns.len(),
                place,
                bytes: Cow::Borrowed(&bytes),
                room: 1 << 30,
            };
            let mut out = vec![0; run.len()];
            let mut cursor = BlockCursor::new(block).unwrap();
            cursor.rows(Some(&encoder.program), 0..symbols.rows, &mut out).unwrap();
            let pairs = crate::encode::project::cells::<T>(run).into_iter();
            for (x, y) in pairs.zip(crate::encode::project::cells::<T>(&out)) {
                let (x, y): (f64, f64) = (x.into(), y.into());
                assert!((x - y).abs() <= bound, "{x} {y}");
            }
        }
        [alone.fitted_bytes, found.fitted_bytes]
    }

    /// Pictures of 16 × 16 with a bright disc on nothing.
    fn discs() -> Vec<u8> {
        let mut rng = Rng::new(2);
        let mut out = Vec::new();
        for _ in 0..300 {
            let (x, y, r) = (16.0 * rng.unit(), 16.0 * rng.unit(), 3.0 + 3.0 * rng.unit());
            let light = 60.0 + 150.0 * rng.unit();
            for i in 0..256 {
                let (dx, dy) = ((i % 16) as f32 - x, (i / 16) as f32 - y);
                let inside = dx * dx + dy * dy < r * r;
                let shade = light + 3.0 * dx + 6.0 * (rng.unit() - 0.5);
                out.push(if inside { shade.clamp(1.0, 255.0) as u8 } else { 0 });
            }
        }
        out
    }

    #[test]
    fn pictures_on_nothing_are_far_smaller_with_their_neighbours() {
        for bound in [0.0, 2.0, 9.0] {
            let [alone, found] = sizes(&discs(), &[16, 16], bound);
            assert!(found < 0.6 * alone, "±{bound}: {alone} {found}");
        }
        // Where no shape tells the lines, values do.
        let [alone, found] = sizes(&discs(), &[256], 2.0);
        assert!(found < 0.62 * alone, "{alone} {found}");
    }

    #[test]
    fn smooth_tracks_are_predicted_along_their_rows_and_from_those_before() {
        let mut rng = Rng::new(4);
        let mut track = [[0.0_f64; 2]; 3];
        let mut rows: Vec<f64> = Vec::new();
        for _ in 0..3000 {
            for [speed, place] in &mut track {
                *speed += 0.02 * f64::from(rng.unit() - 0.5);
                *place += *speed;
                rows.push(*place);
            }
        }
        let [alone, found] = sizes(&rows, &[3], 1e-3);
        assert!(found < 0.8 * alone, "{alone} {found}");
    }

    #[test]
    fn coefficients_found_once_more_do_not_replace_simple_ones_that_contexts_say_more_to() {
        // Whole multiples of 1, which steps of 2.6 go across.
        let mut rng = Rng::new(3);
        let (mut speed, mut place) = (0.0_f32, 0.0_f32);
        let mut track = || {
            speed = 0.9 * speed + 6.0 * (rng.unit() - 0.5);
            place = 0.98 * place + speed;
            place.round()
        };
        let rows: Vec<f32> = (0..60_000).map(|_| track()).collect();
        let with = |refits| {
            let effort = ContextEffort { predictions: 4, refits, ..EFFORT };
            sizes_by(effort, &rows, &[60], 1.3)[1]
        };
        let (once, more) = (with(false), with(true));
        assert!(more < 1.005 * once, "{once} {more}");
    }

    #[test]
    fn noise_is_left_alone() {
        let mut rng = Rng::new(6);
        let rows: Vec<f32> = (0..20_000).map(|_| 100.0 * rng.unit()).collect();
        let [alone, found] = sizes(&rows, &[20], 0.5);
        assert!(found < 1.02 * alone, "{alone} {found}");
    }
}
