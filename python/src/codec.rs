//! Codecs: learned once, used for many files and in other ways.

use crate::error::exception;
use crate::options;
use crate::rows::{Input, Watched, array};
use crate::work::run;
use crate::write;
use aezip::Codec;
use aezip::apps::{self, Examples, FinetuneConfig, Model, OnnxPart, SharedModel, Task};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::path::PathBuf;

/// What was learned from rows.
#[pyclass(frozen, module = "aezip._aezip", name = "Codec")]
pub(crate) struct PyCodec(pub(crate) Codec);

impl PyCodec {
    fn model(&self) -> PyResult<Model> {
        Model::new(&self.0).map_err(|e| exception(&e))
    }
}

#[pymethods]
impl PyCodec {
    /// Learns from rows; `for_uses` to embed and the like, instead of to make files.
    #[staticmethod]
    #[pyo3(signature = (rows, options, for_uses=false, progress=None))]
    fn train(
        py: Python<'_>,
        rows: Input<'_>,
        options: &Bound<'_, PyDict>,
        for_uses: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        write::train(py, &rows, for_uses, (options, progress)).map(Self)
    }

    /// Reads what `to_bytes` gave, or the model in a compressed file.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        py.detach(|| Codec::read(bytes)).map(Self).map_err(|e| exception(&e))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let mut bytes = Vec::new();
        py.detach(|| self.0.write(&mut bytes)).map_err(|e| exception(&e))?;
        Ok(PyBytes::new(py, &bytes))
    }

    #[getter]
    fn latents(&self) -> usize {
        self.0.latents()
    }

    #[getter]
    fn has_network(&self) -> bool {
        self.0.has_network()
    }

    #[getter]
    fn dtype(&self) -> &'static str {
        self.0.schema().dtype.name()
    }

    #[getter]
    fn row_shape(&self) -> Vec<usize> {
        self.0.schema().row_shape.clone()
    }

    #[pyo3(signature = (rows, path, options, progress=None))]
    fn compress<'py>(
        &self,
        py: Python<'py>,
        rows: Input<'py>,
        path: Option<PathBuf>,
        options: &Bound<'py, PyDict>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyDict>)> {
        write::compress(py, &rows, Some(&self.0), (path, options, progress), None)
    }

    /// Latents of rows, rows × latents.
    fn embed<'py>(&self, py: Python<'py>, rows: Input<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (model, rows) = (self.model()?, rows.rows()?);
        array(py, &run(py, None, |control| model.embed(&Watched(&rows, control)))?)
    }

    /// Rows of latents.
    fn decode<'py>(&self, py: Python<'py>, latents: Input<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (model, rows) = (self.model()?, latents.rows()?);
        array(py, &run(py, None, |control| model.decode(&Watched(&rows, control)))?)
    }

    /// What the codec makes of rows, in floats.
    fn reconstruct<'py>(&self, py: Python<'py>, rows: Input<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (model, rows) = (self.model()?, rows.rows()?);
        array(py, &run(py, None, |control| model.reconstruct(&Watched(&rows, control)))?)
    }

    /// The same in the rows' own type.
    fn denoise<'py>(&self, py: Python<'py>, rows: Input<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (model, rows) = (self.model()?, rows.rows()?);
        array(py, &run(py, None, |control| apps::denoise(&model, &Watched(&rows, control)))?)
    }

    /// New rows.
    fn sample<'py>(&self, py: Python<'py>, count: usize, seed: u64) -> PyResult<Bound<'py, PyAny>> {
        let model = self.model()?;
        array(py, &run(py, None, |_| apps::sample(&model, count, seed))?.rows)
    }

    /// Learns to predict `labels`, a row of them for each row; gives the codec and what came of it.
    #[pyo3(signature = (examples, options, how, progress=None))]
    fn finetune<'py>(
        &self,
        py: Python<'py>,
        examples: (Input<'py>, Input<'py>, Option<Input<'py>>),
        options: &Bound<'py, PyDict>,
        how: &Bound<'py, PyDict>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<(Self, Bound<'py, PyDict>)> {
        let (rows, labels, unlabelled) = &examples;
        let (rows, labels) = (rows.rows()?, labels.rows()?);
        let unlabelled = unlabelled.as_ref().map(Input::rows).transpose()?;
        let (mut config, how) = (options::config(options)?, finetuning(how)?);
        let (codec, report) = run(py, progress, |control| {
            control.watch(&mut config);
            let mut examples = Examples::new(&rows, &labels);
            if let Some(more) = &unlabelled {
                examples = examples.with_unlabelled(more);
            }
            apps::finetune(&self.0, examples, &config, &how)
        })?;
        let out = PyDict::new(py);
        out.set_item("rows", report.rows)?;
        out.set_item("epochs", report.epochs)?;
        out.set_item("held_out", report.held_out)?;
        out.set_item("loss", report.loss)?;
        out.set_item("right", report.right)?;
        Ok((Self(codec), out))
    }

    /// Labels or numbers of rows, and for labels how likely each is, with the labels' names.
    fn predict<'py>(&self, py: Python<'py>, rows: Input<'py>) -> PyResult<Predicted<'py>> {
        let rows = rows.rows()?;
        let found = run(py, None, |control| apps::predict(&self.0, &Watched(&rows, control)))?;
        let likely = found.probabilities.as_ref();
        let names = likely.and_then(|p| aezip::Rows::schema(p).columns.clone());
        let likely = likely.map(|p| array(py, p)).transpose()?;
        Ok((array(py, &found.values)?, likely, names))
    }

    /// A network as the bytes of an ONNX file.
    fn onnx<'py>(&self, py: Python<'py>, part: &str) -> PyResult<Bound<'py, PyBytes>> {
        let part = match part {
            "encoder" => OnnxPart::Encoder,
            "decoder" => OnnxPart::Decoder,
            "predictor" => OnnxPart::Predictor,
            "restorer" => OnnxPart::Restorer,
            _ => {
                let what = format!("{part:?} is not encoder, decoder, predictor or restorer");
                return Err(pyo3::exceptions::PyValueError::new_err(what));
            }
        };
        let bytes = py.detach(|| apps::onnx(&self.0, part)).map_err(|e| exception(&e))?;
        Ok(PyBytes::new(py, &bytes))
    }
}

/// Values, probabilities and the names of the labels.
type Predicted<'py> = (Bound<'py, PyAny>, Option<Bound<'py, PyAny>>, Option<Vec<String>>);

/// How to learn labels, from keyword arguments.
fn finetuning(options: &Bound<'_, PyDict>) -> PyResult<FinetuneConfig> {
    let mut how = FinetuneConfig::default();
    for (name, value) in options {
        let name: String = name.extract()?;
        match name.as_str() {
            "task" => {
                how.task = match options::extract::<String>(&name, &value)?.as_str() {
                    "classify" => Some(Task::Classification),
                    "regress" => Some(Task::Regression),
                    other => {
                        let what = format!("task {other:?} is not classify or regress");
                        return Err(pyo3::exceptions::PyValueError::new_err(what));
                    }
                }
            }
            "epochs" => how.epochs = options::extract(&name, &value)?,
            "batch" => how.batch = options::extract(&name, &value)?,
            "lr" => how.rate = options::extract(&name, &value)?,
            "encoder_rate" => how.encoder_rate = Some(options::extract(&name, &value)?),
            "frozen" => how.frozen = options::extract(&name, &value)?,
            "head" => how.head = options::extract(&name, &value)?,
            "held_out" => how.held_out = Some(options::extract(&name, &value)?),
            "from_scratch" => how.from_scratch = options::extract(&name, &value)?,
            other => {
                let what = format!("there is no option {other}; help(Codec.finetune) lists them");
                return Err(pyo3::exceptions::PyTypeError::new_err(what));
            }
        }
    }
    how.validate().map_err(|e| exception(&e))?;
    Ok(how)
}

/// A codec whose model goes into every file as it is.
#[pyclass(frozen, module = "aezip._aezip", name = "SharedModel")]
pub(crate) struct PySharedModel(SharedModel);

#[pymethods]
impl PySharedModel {
    #[new]
    fn new(py: Python<'_>, codec: &PyCodec) -> PyResult<Self> {
        py.detach(|| SharedModel::new(&codec.0)).map(Self).map_err(|e| exception(&e))
    }

    /// A file of rows.
    fn compress<'py>(
        &self,
        py: Python<'py>,
        rows: Input<'py>,
        options: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (rows, mut config) = (rows.rows()?, options::config(options)?);
        let mut file = Vec::new();
        run(py, None, |control| {
            control.watch(&mut config);
            self.0.compress(&Watched(&rows, control), &config, &mut file)
        })?;
        Ok(PyBytes::new(py, &file))
    }
}
