//! Uses that need no codec: they learn what they need.

use crate::codec::PyCodec;
use crate::options;
use crate::rows::{Input, Watched, array};
use crate::work::run;
use aezip::Rows;
use aezip::apps::plot::{Colours, PlotFormat, Scatter, to_points};
use aezip::apps::{self, AnomalyConfig, AnomalyScore, ColumnUnits};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

type Listener = Option<Py<PyAny>>;

/// Scores of rows, which are flagged, the threshold, and what each value contributes.
#[pyfunction]
#[pyo3(signature = (rows, codec, like, options, how, progress=None))]
pub(crate) fn anomalies<'py>(
    py: Python<'py>,
    rows: Input<'py>,
    codec: Option<&PyCodec>,
    like: Option<Input<'py>>,
    options: &Bound<'py, PyDict>,
    how: (String, Option<f64>, Option<usize>),
    progress: Listener,
) -> PyResult<Bound<'py, PyDict>> {
    let (rows, mut config) = (rows.rows()?, options::config(options)?);
    let like = like.as_ref().map(|like| like.rows()).transpose()?;
    let (score, contamination, rounds) = how;
    let mut how = AnomalyConfig::default();
    how.score = match score.as_str() {
        "auto" => AnomalyScore::Auto,
        "error" => AnomalyScore::Error,
        "density" => AnomalyScore::Density,
        "bits" => AnomalyScore::Bits,
        _ => {
            let what = format!("score {score:?} is not auto, error, density or bits");
            return Err(PyValueError::new_err(what));
        }
    };
    how.contamination = contamination;
    how.rounds = rounds.unwrap_or(how.rounds);
    let found = run(py, progress, |control| {
        control.watch(&mut config);
        let rows = Watched(&rows, control);
        match &like {
            Some(like) => {
                apps::find_anomalies_against(&rows, &Watched(like, control), &config, &how)
            }
            None => apps::find_anomalies(&rows, codec.map(|c| &c.0), &config, &how),
        }
    })?;
    let out = PyDict::new(py);
    out.set_item("scores", numpy::PyArray1::from_vec(py, found.scores))?;
    out.set_item("flagged", numpy::PyArray1::from_vec(py, found.flagged))?;
    out.set_item("threshold", found.threshold)?;
    out.set_item("columns", numpy::PyArray1::from_vec(py, found.columns))?;
    Ok(out)
}

/// The rows with their missing values filled in, once or as often as said; NaN is missing, and so are `codes`.
#[pyfunction]
#[pyo3(signature = (rows, codec, options, codes, draws=None, progress=None))]
pub(crate) fn impute<'py>(
    py: Python<'py>,
    rows: Input<'py>,
    codec: Option<&PyCodec>,
    options: &Bound<'py, PyDict>,
    codes: Vec<f64>,
    draws: Option<usize>,
    progress: Listener,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let (rows, mut config) = (rows.rows()?, options::config(options)?);
    let filled = run(py, progress, |control| {
        control.watch(&mut config);
        let rows = Watched(&rows, control);
        let missing = apps::missing_values(&rows, &codes)?;
        match draws {
            Some(draws) => apps::impute_draws(&rows, &missing, draws, &config),
            None => {
                apps::impute(&rows, &missing, codec.map(|c| &c.0), &config).map(|own| vec![own])
            }
        }
    })?;
    filled.iter().map(|own| array(py, &own.rows)).collect()
}

/// The rows without their noise, its deviation and the number of components that are more.
#[pyfunction]
#[pyo3(signature = (rows, noise, options, progress=None))]
pub(crate) fn denoise<'py>(
    py: Python<'py>,
    rows: Input<'py>,
    noise: Option<f64>,
    options: &Bound<'py, PyDict>,
    progress: Listener,
) -> PyResult<(Bound<'py, PyAny>, Option<f64>, usize)> {
    let (rows, mut config) = (rows.rows()?, options::config(options)?);
    let found = run(py, progress, |control| {
        control.watch(&mut config);
        apps::remove_noise(&Watched(&rows, control), noise, &config)
    })?;
    Ok((array(py, &found.rows)?, found.noise, found.components))
}

/// A few numbers for each row.
#[pyfunction]
#[pyo3(signature = (rows, options, progress=None))]
pub(crate) fn embed<'py>(
    py: Python<'py>,
    rows: Input<'py>,
    options: &Bound<'py, PyDict>,
    progress: Listener,
) -> PyResult<Bound<'py, PyAny>> {
    let (rows, mut config) = (rows.rows()?, options::config(options)?);
    let found = run(py, progress, |control| {
        control.watch(&mut config);
        apps::embed(&Watched(&rows, control), &config)
    })?;
    array(py, &found.latents)
}

/// Points of a plane or of space as SVG, PNG or a page: the rows themselves, or principal
/// components of wider ones.
#[pyfunction]
pub(crate) fn scatter<'py>(
    py: Python<'py>,
    points: Input<'py>,
    dim: usize,
    labels: Option<Vec<i64>>,
    numbers: Option<Vec<f64>>,
    drawn: (String, String, usize),
) -> PyResult<Bound<'py, PyBytes>> {
    let (title, format, most) = drawn;
    let format = PlotFormat::from_extension(format!("x.{format}").as_ref())
        .ok_or_else(|| PyValueError::new_err(format!("{format:?} is not svg, png or html")))?;
    let colours = labels.map(Colours::Labels).or(numbers.map(Colours::Numbers));
    let rows = points.rows()?;
    let drawn = run(py, None, |_| {
        macro_rules! drawn {
            ($n:literal) => {{
                let own = rows.schema().width() == $n;
                let units = if own { Some(ColumnUnits::Shared) } else { None };
                let mut plot = Scatter::<$n>::new(to_points(&rows, units)?.0);
                (plot.colours, plot.title, plot.most) = (colours, title, most.max(1));
                plot.draw(format)
            }};
        }
        if dim == 3 { drawn!(3) } else { drawn!(2) }
    })?;
    Ok(PyBytes::new(py, &drawn))
}
