//! What a codec is good for besides small files, on the sample of digits:
//!
//!     cargo run --release --example uses
//!
//! Learns a small autoencoder, embeds the rows, finds odd ones, fills gaps, draws new ones, and writes
//! pictures and an ONNX file beside each other into a folder.

use aezip::apps::plot::{PlotFormat, Scatter, gallery, to_points};
use aezip::apps::{
    AnomalyConfig, Model, OnnxPart, cast, find_anomalies, impute, missing_values, onnx, sample,
    to_doubles,
};
use aezip::{Codec, Config, DType, Loss, Quality, Rows};
use std::error::Error;
use std::fs;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join("aezip-uses");
    fs::create_dir_all(&folder)?;
    let rows = aezip::input::open("examples/data/digits.npy", &Default::default())?;
    let mut config = Config::default();
    config.train.loss = Loss::SquaredError;
    config.train.hidden = Some(vec![96]);
    config.train.latents = Some(8);
    config.train.epochs = Some(100);
    let codec = Codec::fit(&*rows, &config)?;
    let model = Model::new(&codec)?;

    let embedded = model.embed(&*rows)?;
    let given = cast(&model.reconstruct(&*rows)?, DType::U8)?;
    let lost = Quality::measure(&*rows, &given)?.nmse;
    println!("{} rows of {} latents, {:.1} % lost", rows.len(), model.latents(), 100.0 * lost);

    let found = find_anomalies(&*rows, Some(&codec), &config, &AnomalyConfig::default())?;
    println!("{} rows are odd", found.flagged.iter().filter(|f| **f).count());

    // A third of the values of the first rows are lost.
    let gaps: Vec<f64> = to_doubles(&*rows)?
        .iter()
        .enumerate()
        .map(|(at, x)| if at < 6400 && at * 7 % 3 == 0 { f64::NAN } else { *x })
        .collect();
    let gaps = aezip::Matrix::from_slice(&gaps, &[8, 8])?;
    let missing = missing_values(&gaps, None)?;
    let filled = impute(&gaps, &missing, Some(&codec), &config)?;

    let drawn = sample(&model, 24, 0)?;
    println!("24 new rows, latents from {}", drawn.source);

    let mut plot = Scatter::new(to_points::<2>(&embedded, None)?.0);
    plot.title = "digits".to_string();
    fs::write(folder.join("latents.html"), plot.draw(PlotFormat::Html)?)?;
    let sets: [(&str, &dyn Rows); 3] =
        [("rows", &*rows), ("filled", &filled), ("new", &drawn.rows)];
    fs::write(folder.join("images.png"), gallery(&sets, 24, "digits", PlotFormat::Png)?)?;
    fs::write(folder.join("encoder.onnx"), onnx(&codec, OnnxPart::Encoder)?)?;
    println!("pictures and an encoder are in {}", folder.display());
    Ok(())
}
