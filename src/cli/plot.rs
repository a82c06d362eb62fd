//! `aezip plot`: pictures of embeddings, images and histories.

use super::archive::read_codec;
use super::console::{Console, print};
use super::failure::Failure;
use super::learn;
use super::numbers::{figure, grouped};
use super::place::{not_beside_json, write_bytes};
use super::source::{SourceArgs, label};
use super::target::Target;
use aezip::plot::{Colours, PlotFormat, Scatter, gallery, lines, to_plane};
use aezip::{Model, Rows};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Draw rows as points of a plane, as images, or as lines: svg, png or html.
///
/// Points are rows of two numbers as they are; of more, their two principal components. With
/// --codec, the rows' latents are drawn instead of the rows.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip plot images.npy --codec vae.codec --labels labels.npy -o latents.html
  aezip plot z.npy --color-by temperature.npy -o z.svg
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
    /// Draw latents of the rows; with --images, what it makes of the rows.
    #[arg(long, value_name = "CODEC")]
    codec: Option<PathBuf>,
    /// Colour points by labels: a whole number for each row.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["color_by", "images", "lines"])]
    labels: Option<PathBuf>,
    /// Colour points by a number for each row.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["images", "lines"])]
    color_by: Option<PathBuf>,
    /// Draw the first N rows as images.
    #[arg(long, value_name = "N", conflicts_with = "lines")]
    images: Option<usize>,
    /// Draw a line for each column over the first.
    #[arg(long, conflicts_with = "codec")]
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
    source: SourceArgs,
}

/// Runs the command.
pub(crate) fn run(mut args: Args, console: &Console) -> Result<(), Failure> {
    let target = Target::new(args.output.clone());
    not_beside_json(&target, args.json)?;
    let format = args.to.or_else(|| PlotFormat::from_extension(&args.output)).ok_or_else(|| {
        Failure::usage(format!(
            "the name {target} stands for no picture: end it in .svg, .png or .html, or say --to"
        ))
    })?;
    let mut sources: Vec<&Path> = vec![&args.input];
    let others = [&args.codec, &args.labels, &args.color_by];
    sources.extend(others.into_iter().filter_map(|p| p.as_deref()));
    target.check(args.force, true, &sources)?;
    let options = std::mem::take(&mut args.source).options()?;
    let rows = learn::open(&args.input, &options)?;
    let model = match &args.codec {
        Some(path) => Some(Model::new(&read_codec(path)?)?),
        None => None,
    };
    let name = args.input.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let title = args.title.clone().unwrap_or(name);
    let picture = if let Some(count) = args.images {
        let given = model.as_ref().map(|m| m.reconstruct(&*rows)).transpose()?;
        let mut sets: Vec<(&str, &dyn Rows)> = vec![("rows", &*rows)];
        sets.extend(given.as_ref().map(|g| ("decoded", g as &dyn Rows)));
        gallery(&sets, count, &title, format)?
    } else if args.lines {
        lines(&*rows, &title, format)?
    } else {
        scatter(&*rows, model.as_ref(), &args, title)?.draw(format)?
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

fn scatter(
    rows: &dyn Rows,
    model: Option<&Model>,
    args: &Args,
    title: String,
) -> Result<Scatter, Failure> {
    let (points, shares) = match model {
        Some(model) => to_plane(&model.embed(rows)?)?,
        None => to_plane(rows)?,
    };
    let mut plot = Scatter::new(points);
    (plot.title, plot.most) = (title, args.most.max(1));
    let what = if model.is_some() { "latent" } else { "column" };
    plot.axes = match shares {
        Some(shares) => [0, 1].map(|i| {
            format!("component {} ({} % of the variance)", i + 1, figure(100.0 * shares[i]))
        }),
        None => match (&rows.schema().columns, model) {
            (Some(names), None) => [names[0].clone(), names[1].clone()],
            _ => [0, 1].map(|i| format!("{what} {i}")),
        },
    };
    let column = |path: &Path| -> Result<Vec<f64>, Failure> {
        learn::numbers(&*learn::column(path, rows.len())?, &label(path))
    };
    if let Some(path) = &args.labels {
        let labels = column(path)?;
        if let Some(x) = labels.iter().find(|x| x.fract() != 0.0) {
            return Err(Failure::error(format!(
                "{} has {x}, which is no label; --color-by colours by numbers",
                label(path)
            )));
        }
        plot.colours = Some(Colours::Labels(labels.iter().map(|x| *x as i64).collect()));
    } else if let Some(path) = &args.color_by {
        plot.colours = Some(Colours::Numbers(column(path)?));
    }
    Ok(plot)
}
