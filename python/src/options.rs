//! Keyword arguments, which have the names of the program's options.

use crate::error::exception;
use aezip::{
    Access, Activation, Config, Denoise, Error, Fidelity, Loss, Patches, Tile, Transformer,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// The promises, of which a call has one.
const PROMISES: [&str; 13] = [
    "max_error",
    "max_error_rel",
    "max_error_range",
    "max_error_pointwise_rel",
    "nmse",
    "psnr",
    "cosine",
    "row_nmse",
    "row_cosine",
    "row_l2",
    "ratio",
    "bytes_per_row",
    "lossless",
];

/// What `options` ask for. None stands for an option that is not given.
pub(crate) fn config(options: &Bound<'_, PyDict>) -> PyResult<Config> {
    let mut config = Config::default();
    let mut promise: Option<String> = None;
    for (name, value) in options {
        let name: String = name.extract()?;
        let is_off = value.is_none() || name == "lossless" && !value.is_truthy()?;
        if is_off && PROMISES.contains(&&*name) {
            continue;
        }
        if PROMISES.contains(&&*name) {
            if let Some(other) = promise.replace(name.clone()) {
                let what = format!("a file keeps one promise: leave out {other} or {name}");
                return Err(PyValueError::new_err(what));
            }
            config.fidelity = fidelity(&name, &value)?;
        } else {
            set(&mut config, &name, &value).map_err(|error| explained(&value, &name, error))?;
        }
    }
    config.train.validate().map_err(|e| exception(&e))?;
    Ok(config)
}

/// Checks options as far as this can be done without rows.
#[pyfunction]
pub(crate) fn check_options(options: &Bound<'_, PyDict>) -> PyResult<()> {
    config(options)?.validate().map_err(|e| exception(&e))
}

/// The value of the argument `name`.
pub(crate) fn extract<'a, 'py, T: FromPyObject<'a, 'py>>(
    name: &str,
    value: &'a Bound<'py, PyAny>,
) -> PyResult<T> {
    value.extract().map_err(|error: T::Error| explained(value, name, error.into()))
}

/// Says which argument has a value of a wrong kind.
fn explained(value: &Bound<'_, PyAny>, name: &str, error: PyErr) -> PyErr {
    let py = value.py();
    let what = match value.repr() {
        Ok(value) => format!("{name}={value}: {}", error.value(py)),
        Err(_) => format!("{name}: {}", error.value(py)),
    };
    match error.is_instance_of::<PyTypeError>(py) {
        true => PyTypeError::new_err(what),
        false => PyValueError::new_err(what),
    }
}

/// The promise `name` of a number, or for bounds of columns of a dict.
fn fidelity(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Fidelity> {
    let text = |value: &Bound<'_, PyAny>| -> PyResult<String> { Ok(value.str()?.to_string()) };
    // What is relative to the range has two names.
    let kind = if name == "max_error_range" { "max_error_rel" } else { name }.replace('_', "-");
    let parsed = match value.cast::<PyDict>() {
        Ok(bounds) if name == "max_error" => {
            let mut parts = Vec::new();
            for (column, bound) in bounds {
                let column = text(&column)?.replace('\\', "\\\\").replace(',', "\\,");
                parts.push(format!("{column}={}", text(&bound)?));
            }
            Fidelity::parse("max-error-columns", &parts.join(","))
        }
        _ => Fidelity::parse(&kind, &text(value)?),
    };
    parsed.map_err(|e| exception(&e))
}

fn set(config: &mut Config, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    if value.is_none() && is_known(name) {
        return Ok(());
    }
    let train = &mut config.train;
    match name {
        "level" => config.level = value.extract()?,
        "threads" => config.threads = value.extract()?,
        "memory" => config.memory = value.extract()?,
        "seed" => config.seed = value.extract()?,
        "fill_value" => fill_value(config, value)?,
        "tile" => config.tile = tile(value)?,
        "access" => config.access = access(value)?,
        "shape" => config.shape = Some(numbers(value)?),
        "hidden" => train.hidden = Some(layers(value)?),
        "latent" => train.latents = Some(value.extract()?),
        "epochs" => train.epochs = Some(value.extract()?),
        "batch" => train.batch = Some(value.extract()?),
        "lr" => train.rate = Some(value.extract()?),
        "time" => train.seconds = Some(value.extract()?),
        "activation" => train.activation = activation(value)?,
        "loss" => train.loss = loss(value)?,
        "linear" => train.linear = value.is_truthy()?,
        "sparse" => train.sparse = Some(value.extract()?),
        "contractive" => train.contractive = Some(value.extract()?),
        "variational" => train.variational = Some(value.extract()?),
        "denoise" => train.denoise = noise(value)?,
        "mask_patches" => train.mask = Some(patches(value)?),
        "transformer" => train.transformer = transformer(value)?,
        _ => {
            let what = format!("there is no option {name}; help(aezip.compress) lists them");
            return Err(PyTypeError::new_err(what));
        }
    }
    Ok(())
}

/// Says whether there is an option of this name, whatever is asked for.
fn is_known(name: &str) -> bool {
    const NAMES: [&str; 23] = [
        "level",
        "threads",
        "memory",
        "seed",
        "fill_value",
        "tile",
        "access",
        "shape",
        "hidden",
        "latent",
        "epochs",
        "batch",
        "lr",
        "time",
        "activation",
        "loss",
        "linear",
        "sparse",
        "contractive",
        "variational",
        "denoise",
        "mask_patches",
        "transformer",
    ];
    NAMES.contains(&name)
}

fn unknown<T>(what: &str) -> PyResult<T> {
    Err(PyValueError::new_err(what.to_string()))
}

/// One number or several.
fn numbers(value: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    value.extract::<usize>().map(|n| vec![n]).or_else(|_| value.extract())
}

fn fill_value(config: &mut Config, value: &Bound<'_, PyAny>) -> PyResult<()> {
    config.detect_fill_values = false;
    if let Ok(text) = value.cast::<PyString>() {
        return match text.to_str()? {
            "none" => Ok(()),
            _ => unknown("not a number, several, or \"none\""),
        };
    }
    let one = value.extract::<f64>().map(|x| vec![x]);
    config.fill_values = one.or_else(|_| value.extract())?;
    Ok(())
}

fn tile(value: &Bound<'_, PyAny>) -> PyResult<Tile> {
    match value.cast::<PyString>() {
        Ok(text) => match text.to_str()? {
            "auto" => Ok(Tile::Auto),
            "rows" => Ok(Tile::Rows),
            _ => unknown("not \"auto\", \"rows\" or a shape"),
        },
        Err(_) => numbers(value).map(Tile::Shape),
    }
}

fn access(value: &Bound<'_, PyAny>) -> PyResult<Access> {
    let text = match value.cast::<PyString>() {
        Ok(text) => text.to_str()?.to_string(),
        Err(_) => value.extract::<usize>()?.to_string(),
    };
    text.parse().map_err(|e| exception(&e))
}

fn layers(value: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    match value.cast::<PyString>() {
        Ok(text) if text.to_str()? == "none" => Ok(Vec::new()),
        Ok(_) => unknown("not numbers of units, or \"none\""),
        Err(_) => numbers(value),
    }
}

/// Whether there is to be one, or what it is to be like.
fn transformer(value: &Bound<'_, PyAny>) -> PyResult<Option<Transformer>> {
    let mut own = Transformer::default();
    let Ok(parts) = value.cast::<PyDict>() else {
        return Ok(value.extract::<bool>()?.then_some(own));
    };
    for (name, value) in parts {
        let part = match name.extract::<String>()?.as_str() {
            "depth" => &mut own.depth,
            "heads" => &mut own.heads,
            "dim" => &mut own.dim,
            _ => return unknown("a transformer has a \"depth\", \"heads\" and a \"dim\""),
        };
        *part = Some(value.extract()?);
    }
    Ok(Some(own))
}

fn activation(value: &Bound<'_, PyAny>) -> PyResult<Activation> {
    Ok(match value.extract::<String>()?.as_str() {
        "leaky-relu" => Activation::LeakyRelu,
        "relu" => Activation::Relu,
        "tanh" => Activation::Tanh,
        "gelu" => Activation::Gelu,
        "identity" => Activation::Identity,
        _ => return unknown("not leaky-relu, relu, tanh, gelu or identity"),
    })
}

fn loss(value: &Bound<'_, PyAny>) -> PyResult<Loss> {
    match value.extract::<String>()?.as_str() {
        "bits" => Ok(Loss::Bits),
        "mse" => Ok(Loss::SquaredError),
        _ => unknown("not bits or mse"),
    }
}

/// Noise as the program has it, `gaussian:0.1`, or several of these.
fn noise(value: &Bound<'_, PyAny>) -> PyResult<Denoise> {
    let texts = value.extract::<String>().map(|one| vec![one]).or_else(|_| value.extract())?;
    let mut noise = Denoise::default();
    for text in texts {
        let number = |number: &str| number.parse::<f64>().ok();
        match text.split_once(':').map(|(kind, n)| (kind, number(n))) {
            Some(("gaussian", Some(x))) => noise.gaussian = Some(x),
            Some(("zero", Some(p))) => noise.zero = Some(p),
            _ => return unknown("not gaussian:S or zero:P, as in \"gaussian:0.1\""),
        }
    }
    Ok(noise)
}

/// Patches as the program has them, `4x4:0.75`.
fn patches(value: &Bound<'_, PyAny>) -> PyResult<Patches> {
    let text: String = value.extract()?;
    let parse = || {
        let (size, share) = text.split_once(':')?;
        let (height, width) = size.split_once('x').unwrap_or(("1", size));
        Some(Patches::new(height.parse().ok()?, width.parse().ok()?, share.parse().ok()?))
    };
    let wrong = Error::argument("not patches and the share that is hidden, as in \"4x4:0.75\"");
    parse().ok_or_else(|| exception(&wrong))
}
