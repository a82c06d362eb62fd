//! `aezip plot`: pictures of embeddings, images and histories.

use super::console::{Console, print};
use super::failure::Failure;
use super::learn;
use super::learn::{CodecArgs, about};
use super::numbers::{figure, grouped};
use super::place::{not_beside_json, write_bytes};
use super::source::{SourceArgs, label};
use super::target::{PIPE, Target};
use aezip::apps::plot::{Colours, PlotFormat, Points, Scatter, gallery, lines, to_points};
use aezip::apps::{Model, to_doubles};
use aezip::{Codec, Matrix, Rows, Schema};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Draw rows as points of a plane, as images, or as lines: svg, png or html.
///
/// Points are rows of two or three numbers as they are. From wider ones an autoencoder with a
/// bottleneck of two latents, or of --dim 3, is learned, and these are drawn; with --codec, the
/// latents that it gives the rows. Of more latents than two or three, and of rows too few to learn
/// from, the principal components are drawn.
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

/// Whole numbers of so many kinds are labels.
const LABELS: usize = 64;

/// Runs the command.
pub(crate) fn run(mut args: Args, console: &Console) -> Result<(), Failure> {
    let target = Target::new(args.output.clone());
    not_beside_json(&target, args.json)?;
    let format = args.to.or_else(|| PlotFormat::from_extension(&args.output)).ok_or_else(|| {
        Failure::usage(format!(
            "the name {target} stands for no picture: end it in .svg, .png or .html, or say --to"
        ))
    })?;
    let options = std::mem::take(&mut args.source).options()?;
    if args.lines && args.codec.is_given() {
        return Err(Failure::usage("--lines draws columns as they are; leave out --codec"));
    }
    let codec = args.codec.path().map(Path::to_path_buf);
    let mut sources: Vec<&Path> = vec![&args.input];
    sources.extend(codec.as_deref());
    let file = args.color_by.as_deref().filter(|path| path.exists() || *path == Path::new(PIPE));
    sources.extend(file);
    target.check(args.force, true, &sources)?;
    let mut rows = learn::open(&args.input, &options)?;
    let mut colours = None;
    if let Some(wish) = &args.color_by {
        let (numbers, place) = colour(&*rows, wish, file)?;
        colours = Some(numbers);
        if let (Some(place), None) = (place, &codec) {
            rows = Box::new(without(&*rows, place)?);
        }
    }
    let dim = args.dim.map(usize::from);
    let mut model = None;
    let is_wide = rows.schema().width() > dim.unwrap_or(3);
    let points = args.images.is_none() && !args.lines;
    let few = rows.len() < Codec::LEAST_ROWS && dim.is_none() && !args.codec.learns();
    if codec.is_some() || (points && is_wide && !few) {
        let mut config = args.codec.for_embedding(dim, Some(2))?;
        let place = codec.as_deref().unwrap_or(&args.input);
        let input = (&*args.input, &*rows);
        let given = learn::codec(codec.as_deref(), input, &mut config, console)?;
        model = Some(Model::new(&given).map_err(about(place))?);
    } else {
        args.codec.expect_none_because("where nothing is learned")?;
    }
    if points && is_wide && model.is_none() {
        console.note(&format!(
            "{}: {} rows are too few to learn an embedding from; these are principal components",
            label(&args.input),
            rows.len()
        ));
    }
    let given = model.as_ref().map_or(rows.schema().width(), Model::latents);
    let dim = dim.unwrap_or(if given == 3 { 3 } else { 2 });
    let name = args.input.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let title = args.title.clone().unwrap_or(name);
    let picture = if let Some(count) = args.images {
        let given = model
            .as_ref()
            .map(|m| m.reconstruct(&*rows))
            .transpose()
            .map_err(about(&args.input))?;
        let mut sets: Vec<(&str, &dyn Rows)> = vec![("rows", &*rows)];
        sets.extend(given.as_ref().map(|g| ("decoded", g as &dyn Rows)));
        gallery(&sets, count, &title, format)?
    } else if args.lines {
        lines(&*rows, &title, format)?
    } else {
        let embedded =
            model.as_ref().map(|m| m.embed(&*rows)).transpose().map_err(about(&args.input))?;
        let drawn = Drawn { embedded: embedded.as_ref(), rows: &*rows, title, most: args.most };
        match dim {
            3 => drawn.scatter::<3>(colours)?.draw(format),
            _ => drawn.scatter::<2>(colours)?.draw(format),
        }
        .map_err(about(&args.input))?
    };
    write_bytes(&target, (args.force, true), &picture)?;
    let (from, n) = (label(&args.input), rows.len());
    console.note(&format!("{from}: {} rows => {target}", grouped(n as u64)));
    if args.json {
        print(
            &json!({ "input": from, "output": target.to_string(), "rows": n,
                     "bytes": picture.len() })
            .to_string(),
        )?;
    }
    Ok(())
}

/// What is drawn as points.
struct Drawn<'a> {
    embedded: Option<&'a Matrix>,
    rows: &'a dyn Rows,
    title: String,
    most: usize,
}

impl Drawn<'_> {
    fn scatter<const N: usize>(self, colours: Option<Colours>) -> Result<Scatter<N>, Failure> {
        let (points, axes) = self.points()?;
        let mut plot = Scatter::new(points);
        (plot.axes, plot.colours) = (axes, colours);
        (plot.title, plot.most) = (self.title, self.most.max(1));
        Ok(plot)
    }

    /// Points, and the names of their axes.
    fn points<const N: usize>(&self) -> Result<(Vec<[f64; N]>, [String; N]), Failure> {
        let (points, shares): Points<N> = match self.embedded {
            Some(embedded) => to_points(embedded)?,
            None => to_points(self.rows)?,
        };
        let what = if self.embedded.is_some() { "latent" } else { "column" };
        let names = self.rows.schema().columns.as_ref().filter(|_| self.embedded.is_none());
        let axes = std::array::from_fn(|i| match (shares, names) {
            (Some(shares), _) => {
                format!("component {} ({} % of the variance)", i + 1, figure(100.0 * shares[i]))
            }
            (None, Some(names)) => names[i].clone(),
            (None, None) => format!("{what} {i}"),
        });
        Ok((points, axes))
    }
}

/// The numbers of a file, or of a column of the input and where that is.
fn colour(
    rows: &dyn Rows,
    wish: &Path,
    file: Option<&Path>,
) -> Result<(Colours, Option<usize>), Failure> {
    let names = rows.schema().columns.as_deref().unwrap_or_default();
    let place = names.iter().position(|name| Path::new(name) == wish);
    let numbers = match (place, file) {
        (Some(place), _) => {
            let all = to_doubles(rows)?;
            all.into_iter().skip(place).step_by(rows.schema().width()).collect()
        }
        (None, Some(path)) => learn::numbers(&*learn::column(path, rows.len())?, &label(path))?,
        (None, None) => {
            let some: Vec<&str> = names.iter().take(10).map(String::as_str).collect();
            let known = if some.is_empty() {
                "the input's columns have no names".to_string()
            } else {
                format!("the input's columns are {}", some.join(", "))
            };
            return Err(Failure::error(format!(
                "{}: there is neither such a file nor such a column; {known}",
                label(wish)
            )));
        }
    };
    let whole = |x: &f64| x.fract() == 0.0 && x.abs() < 9e15;
    let mut kinds: Vec<i64> = numbers.iter().filter(|x| whole(x)).map(|x| *x as i64).collect();
    let are_whole = kinds.len() == numbers.len();
    kinds.sort_unstable();
    kinds.dedup();
    let colours = if are_whole && kinds.len() <= LABELS {
        Colours::Labels(numbers.iter().map(|x| *x as i64).collect())
    } else {
        Colours::Numbers(numbers)
    };
    Ok((colours, place))
}

/// The rows without a column.
fn without(rows: &dyn Rows, place: usize) -> Result<Matrix, Failure> {
    let schema = rows.schema();
    let (width, size) = (schema.width(), schema.dtype.size());
    if width == 1 {
        return Err(Failure::error("the only column colours the points, so none is left"));
    }
    let mut all = vec![0; rows.len() * schema.row_bytes()];
    rows.read(0, &mut all)?;
    let cells = all.chunks_exact(size).enumerate().filter(|(at, _)| at % width != place);
    let bytes: Vec<u8> = cells.flat_map(|(_, cell)| cell).copied().collect();
    let mut names = schema.columns.clone();
    if let Some(names) = &mut names {
        names.remove(place);
    }
    let row_shape = vec![width - 1];
    Ok(Matrix::new(Schema { columns: names, row_shape, ..schema.clone() }, bytes)?)
}
