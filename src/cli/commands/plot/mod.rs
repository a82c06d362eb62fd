//! `aezip plot`: pictures of embeddings, images and histories.

mod colours;
mod points;

use crate::cli::args::codec::CodecArgs;
use crate::cli::args::source::SourceArgs;
use crate::cli::io::console::{Console, print};
use crate::cli::io::destination::{Destination, PIPE, Writing};
use crate::cli::io::embedding::described;
use crate::cli::io::failure::Failure;
use crate::cli::io::numbers::grouped;
use crate::cli::io::source::{about, label};
use crate::cli::io::{output, rows};
use aezip::apps::plot::{Colours, PlotFormat, gallery, lines};
use aezip::apps::{ColumnUnits, HiddenPatches, Model, hide_patches};
use aezip::{Codec, Matrix, Rows};
use colours::ColumnOrFile;
use points::Drawn;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Draw rows as points of a plane, as images, or as lines: svg, png or html.
///
/// Points are rows of two or three numbers as they are. From wider ones an autoencoder with a
/// bottleneck of two latents, or of --dim 3, is learned, and these are drawn; with --codec, the
/// latents that it gives the rows. Of more latents than two or three, and of rows too few to learn
/// from, the principal components are drawn. Columns with units of their own are divided by their
/// spread first. Rows far from all others are not drawn, as all others would be one dot beside them.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip plot images.npy --color-by labels.npy -o map.html
  aezip plot flights.csv --dim 3 --color-by delay -o flights.html
  aezip plot images.npy --codec vae.codec --color-by labels.npy -o latents.svg
  aezip plot images.npy --images 24 --codec c.codec -o images.png   with what the codec makes of them
  aezip plot history.csv --lines --columns epoch,loss,held_out -o history.svg")]
pub(crate) struct Args {
    /// Rows; - for standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// Write the picture to OUT, whose name ends in .svg, .png or .html.
    #[arg(short, value_name = "OUT")]
    output: PathBuf,
    /// Overwrite an existing file, write binary to a terminal.
    #[arg(short)]
    force: bool,
    /// Format to write, instead of the one that the output's name stands for: svg, png or html.
    #[arg(long, value_name = "FORMAT")]
    to: Option<PlotFormat>,
    /// Points of a plane (2) or of space (3), which html turns [default: 2, or 3 for rows or
    /// latents of three numbers].
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(u8).range(2..=3),
          conflicts_with_all = ["images", "lines", "latent"])]
    dim: Option<u8>,
    /// Colour points by a file with a number for each row, or by a column of the input, which is
    /// then left out of the points; whole numbers are labels.
    #[arg(long, value_name = "FILE|COLUMN", visible_alias = "labels",
          conflicts_with_all = ["images", "lines"])]
    color_by: Option<PathBuf>,
    /// Draw the first N rows as images.
    #[arg(long, value_name = "N", conflicts_with = "lines")]
    images: Option<usize>,
    /// Draw a line for each column over the first.
    #[arg(long)]
    lines: bool,
    /// Points to draw, at most.
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    most: usize,
    /// Text above the picture [default: the input's name].
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Print what was done as one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    codec: CodecArgs,
    #[command(flatten)]
    source: SourceArgs,
}

/// The font that pixels are drawn with has letters and signs up to here, and hardly any beyond.
const LAST_LETTER: char = '\u{2e7f}';

/// What the picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Each row is a point.
    Points,
    /// The first rows are images, so many of them.
    Images(usize),
    /// Each column is a line over the first.
    Lines,
}

/// Rows and where they come from.
struct Input {
    path: PathBuf,
    rows: Box<dyn Rows>,
}

/// A picture to draw.
struct Picture {
    kind: Kind,
    format: PlotFormat,
    title: String,
    /// Dimensions of the points, where that is said.
    dim: Option<usize>,
    colours: Option<Colours>,
    /// Points to draw, at most.
    most: usize,
}

/// Runs the command.
pub(crate) fn run(args: Args, console: &Console) -> Result<(), Failure> {
    let destination = Destination::new(args.output.clone());
    destination.expect_not_beside_json(args.json)?;
    let format = args.to.or_else(|| PlotFormat::from_extension(&args.output)).ok_or_else(|| {
        Failure::usage(format!(
            "the name {destination} stands for no picture: end it in .svg, .png or .html, or say \
             --to"
        ))
    })?;
    let options = args.source.options()?;
    if args.lines && args.codec.path().is_some() {
        return Err(Failure::usage("--lines draws columns as they are; leave out --codec"));
    }
    let colour_file =
        args.color_by.as_deref().filter(|path| path.exists() || *path == Path::new(PIPE));
    let mut sources: Vec<&Path> = vec![&args.input];
    sources.extend(args.codec.path());
    sources.extend(colour_file);
    let writing = Writing::binary(args.force);
    destination.check(writing, &sources)?;
    let mut input = Input { rows: rows::open(&args.input, &options, console)?, path: args.input };
    let mut colours = None;
    if let Some(name) = &args.color_by {
        let found = ColumnOrFile::find(&*input.rows, name, colour_file)?;
        colours = Some(found.colours(&*input.rows)?);
        if let (ColumnOrFile::Column(column), None) = (found, args.codec.path()) {
            input.rows = Box::new(colours::without(&*input.rows, column)?);
        }
    }
    let name = input.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let picture = Picture {
        kind: match (args.images, args.lines) {
            (Some(count), _) => Kind::Images(count),
            (None, true) => Kind::Lines,
            (None, false) => Kind::Points,
        },
        format,
        title: args.title.unwrap_or(name),
        dim: args.dim.map(usize::from),
        colours,
        most: args.most,
    };
    if format == PlotFormat::Png && picture.title.chars().any(|c| c > LAST_LETTER) {
        console.note("pictures in pixels have no letters for this title; svg and html have");
    }
    let view = picture.view(args.codec, &input, console)?;
    let (picture, hidden) = picture.draw(&input, &view)?;
    output::written(&destination, writing, &picture)?.commit()?;
    let (from, n) = (label(&input.path), input.rows.len());
    let not_drawn = match hidden {
        0 => String::new(),
        n => format!(
            ", of which {} are not drawn: they lack values or lie far from all others",
            grouped(n as u64)
        ),
    };
    console.note(&format!("{from}: {} rows => {destination}{not_drawn}", grouped(n as u64)));
    if args.json {
        print(
            &json!({ "input": from, "output": destination.to_string(), "rows": n,
                     "not_drawn": hidden, "bytes": picture.len() })
            .to_string(),
        )?;
    }
    Ok(())
}

/// What stands between rows and a picture of them.
enum View {
    /// Rows are drawn as they are, or their principal components.
    Rows,
    /// A model that is there.
    Model(Box<Model>),
    /// Latents that were learned from the rows.
    Latents(Box<Matrix>),
}

impl Picture {
    /// Reads the model or learns the latents that the picture needs, if it needs them.
    fn view(&self, codec: CodecArgs, input: &Input, console: &Console) -> Result<View, Failure> {
        let rows = &*input.rows;
        let embeds = self.kind == Kind::Points && rows.schema().width() > self.dim.unwrap_or(3);
        let few = rows.len() < Codec::LEAST_ROWS;
        if codec.path().is_none() && (!embeds || few) {
            codec.expect_none_because("where nothing is learned")?;
            if embeds {
                let units = match ColumnUnits::of(rows).map_err(about(&input.path))? {
                    ColumnUnits::Shared => String::new(),
                    ColumnUnits::Own => format!("; {}, divided by their spread", ColumnUnits::Own),
                };
                console.note(&format!(
                    "{}: {} rows are too few to learn an embedding from; these are principal \
                     components{units}",
                    label(&input.path),
                    rows.len()
                ));
            }
            return Ok(View::Rows);
        }
        let mut choice = codec.for_embedding(self.dim, Some(2))?;
        if let Some(codec) = choice.read()? {
            let path = choice.path().unwrap_or(&input.path);
            return Model::new(&codec).map(|m| View::Model(Box::new(m))).map_err(about(path));
        }
        let found = choice.embed(&input.path, rows, console)?;
        let how = described(&found);
        if !how.is_empty() {
            console.note(&format!("{}: latents{how}", label(&input.path)));
        }
        let latents = found.latents().and_then(|latents| Matrix::of(&*latents));
        Ok(View::Latents(Box::new(latents.map_err(about(&input.path))?)))
    }

    /// Returns the picture, and how many rows are not in it although they could be.
    fn draw(self, input: &Input, view: &View) -> Result<(Vec<u8>, usize), Failure> {
        let rows = &*input.rows;
        let Self { kind, format, title, dim, colours, most } = self;
        match kind {
            Kind::Images(count) => {
                let mut sets = vec![("rows", rows)];
                let hidden = match view {
                    View::Model(model) if model.is_transformer() => {
                        Some(hide_patches(model, rows, count, 0).map_err(about(&input.path))?)
                    }
                    _ => None,
                };
                if let Some(HiddenPatches { seen, restored, .. }) = &hidden {
                    sets.extend([("seen", seen as &dyn Rows), ("restored", restored)]);
                }
                let decoded = match view {
                    View::Model(model) if !model.is_transformer() => {
                        Some(model.reconstruct(rows).map_err(about(&input.path))?)
                    }
                    _ => None,
                };
                sets.extend(decoded.as_ref().map(|d| ("decoded", d as &dyn Rows)));
                Ok((gallery(&sets, count, &title, format)?, 0))
            }
            Kind::Lines => Ok((lines(rows, &title, format)?, 0)),
            Kind::Points => {
                let embedded = match view {
                    View::Rows => None,
                    View::Model(model) => Some(model.embed(rows).map_err(about(&input.path))?),
                    View::Latents(latents) => Some((**latents).clone()),
                };
                let width = embedded.as_ref().map_or(rows.schema().width(), |e| e.schema().width());
                let drawn = Drawn { embedded: embedded.as_ref(), rows, title, colours, most };
                let is_hidden = |point: &[f64]| point.iter().any(|x| !x.is_finite());
                if dim.unwrap_or(if width == 3 { 3 } else { 2 }) == 3 {
                    let plot = drawn.scatter::<3>()?;
                    let hidden = plot.points.iter().filter(|p| is_hidden(*p)).count();
                    Ok((plot.draw(format).map_err(about(&input.path))?, hidden))
                } else {
                    let plot = drawn.scatter::<2>()?;
                    let hidden = plot.points.iter().filter(|p| is_hidden(*p)).count();
                    Ok((plot.draw(format).map_err(about(&input.path))?, hidden))
                }
            }
        }
    }
}
