//! An ONNX graph, node after node.

use super::protobuf::Message;
use crate::apps::model::Model;
use crate::kernels::activation::Activation;
use crate::matrix::{DType, to_little_endian};
use crate::nn::network::Network;

/// Element types of ONNX (`TensorProto.DataType`).
pub(super) const FLOAT: i64 = 1;
pub(super) const INT64: i64 = 7;
pub(super) const DOUBLE: i64 = 11;

fn element(dtype: DType) -> i64 {
    match dtype {
        DType::F32 => FLOAT,
        DType::U8 => 2,
        DType::I8 => 3,
        DType::U16 => 4,
        DType::I16 => 5,
        DType::I32 => 6,
        DType::I64 => INT64,
        DType::F16 => 10,
        DType::F64 => DOUBLE,
        DType::U32 => 12,
        DType::U64 => 13,
    }
}

/// An attribute of a node.
pub(super) enum Attribute {
    Int(&'static str, i64),
    Float(&'static str, f32),
    Ints(&'static str, Vec<i64>),
}

/// An input or output of a graph, a tensor of rows.
pub(super) struct Port {
    pub(super) name: &'static str,
    pub(super) element: i64,
    /// The numbers of a row; none for a tensor of one axis, with one number a row.
    pub(super) width: Option<usize>,
}

impl Port {
    /// The input of networks that take rows.
    pub(super) fn rows(model: &Model) -> Self {
        let dtype = model.schema.dtype;
        Self { name: "rows", element: element(dtype), width: Some(model.schema.width()) }
    }
}

/// Nodes, and the constants that they use.
#[derive(Default)]
pub(super) struct Graph {
    graph: Message,
    constants: Message,
    count: usize,
}

impl Graph {
    /// Makes a name that no other node or constant has.
    fn fresh(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what}_{}", self.count)
    }

    /// Adds a constant and returns its name.
    fn constant(&mut self, element: i64, shape: &[usize], bytes: &[u8]) -> String {
        let name = self.fresh("constant");
        let dims = shape.iter().fold(Message::default(), |m, d| m.int(1, *d as i64));
        let tensor = dims.int(2, element).text(8, &name).bytes(9, bytes);
        self.constants = std::mem::take(&mut self.constants).message(5, &tensor);
        name
    }

    pub(super) fn floats(&mut self, shape: &[usize], values: &[f32]) -> String {
        self.constant(FLOAT, shape, &to_little_endian(values))
    }

    pub(super) fn doubles(&mut self, values: &[f64]) -> String {
        self.constant(DOUBLE, &[values.len()], &to_little_endian(values))
    }

    pub(super) fn integers(&mut self, values: &[i64]) -> String {
        self.indices(&[values.len()], values)
    }

    pub(super) fn indices(&mut self, shape: &[usize], values: &[i64]) -> String {
        self.constant(INT64, shape, &to_little_endian(values))
    }

    /// Adds a node with one output and returns the output's name.
    pub(super) fn node(&mut self, op: &str, inputs: &[&str], attributes: &[Attribute]) -> String {
        let output = self.fresh(&op.to_lowercase());
        self.node_to(op, inputs, attributes, &output);
        output
    }

    /// Adds a node whose output is called `output`.
    pub(super) fn node_to(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: &[Attribute],
        output: &str,
    ) {
        let mut node = inputs.iter().fold(Message::default(), |m, i| m.text(1, i));
        node = node.text(2, output).text(3, output).text(4, op);
        for attribute in attributes {
            let a = Message::default();
            let a = match attribute {
                Attribute::Int(name, x) => a.text(1, name).int(3, *x).int(20, 2),
                Attribute::Float(name, x) => a.text(1, name).float(2, *x).int(20, 1),
                Attribute::Ints(name, all) => {
                    all.iter().fold(a.text(1, name), |a, x| a.int(8, *x)).int(20, 7)
                }
            };
            node = node.message(5, &a);
        }
        self.graph = std::mem::take(&mut self.graph).message(1, &node);
    }

    pub(super) fn cast(&mut self, input: &str, element: i64) -> String {
        self.node("Cast", &[input], &[Attribute::Int("to", element)])
    }

    /// Says which numbers are NaN or infinite.
    pub(super) fn not_finite(&mut self, x: &str) -> String {
        let missing = self.node("IsNaN", &[x], &[]);
        let infinite = self.node("IsInf", &[x], &[]);
        self.node("Or", &[&missing, &infinite], &[])
    }

    /// Adds the layers of `net` and its linear path, and returns the output's name.
    pub(super) fn network(&mut self, net: &Network, input: &str) -> String {
        let mut h = input.to_string();
        for (i, &(width, f)) in net.shape.layers.iter().enumerate() {
            let shape = [net.shape.inputs_of(i), width];
            let weights = self.floats(&shape, &net.params[net.weights(i)]);
            let bias = self.floats(&[width], &net.params[net.bias(i)]);
            let product = self.node("MatMul", &[&h, &weights], &[]);
            let sum = self.node("Add", &[&product, &bias], &[]);
            h = self.activation(f, sum);
        }
        if net.shape.skip {
            let shape = [net.shape.inputs, net.outputs()];
            let weights = self.floats(&shape, &net.params[net.skip()]);
            let past = self.node("MatMul", &[input, &weights], &[]);
            h = if net.shape.layers.is_empty() {
                past
            } else {
                self.node("Add", &[&h, &past], &[])
            };
        }
        h
    }

    pub(super) fn activation(&mut self, f: Activation, x: String) -> String {
        match f {
            Activation::Identity => x,
            Activation::Relu => self.node("Relu", &[&x], &[]),
            Activation::Tanh => self.node("Tanh", &[&x], &[]),
            Activation::LeakyRelu(slope) => {
                self.node("LeakyRelu", &[&x], &[Attribute::Float("alpha", slope)])
            }
            // `x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`; ONNX's own operator came with
            // opset 20.
            Activation::Gelu => {
                let (half, one) = (self.floats(&[1], &[0.5]), self.floats(&[1], &[1.0]));
                let (a, b) = (self.floats(&[1], &[0.797_884_6]), self.floats(&[1], &[0.044_715]));
                let square = self.node("Mul", &[&x, &x], &[]);
                let scaled = self.node("Mul", &[&square, &b], &[]);
                let more = self.node("Add", &[&scaled, &one], &[]);
                let inner = self.node("Mul", &[&more, &x], &[]);
                let inner = self.node("Mul", &[&inner, &a], &[]);
                let tanh = self.node("Tanh", &[&inner], &[]);
                let sum = self.node("Add", &[&tanh, &one], &[]);
                let product = self.node("Mul", &[&x, &sum], &[]);
                self.node("Mul", &[&product, &half], &[])
            }
        }
    }

    /// The message of the whole graph.
    pub(super) fn finish(self, name: &str, inputs: &[Port], outputs: &[Port]) -> Message {
        let value = |port: &Port| {
            let rows = Message::default().text(2, "rows");
            let mut shape = Message::default().message(1, &rows);
            if let Some(width) = port.width {
                shape = shape.message(1, &Message::default().int(1, width as i64));
            }
            let tensor = Message::default().int(1, port.element).message(2, &shape);
            Message::default()
                .text(1, port.name)
                .message(2, &Message::default().message(1, &tensor))
        };
        let mut out = self.graph.text(2, name);
        out.0.extend(&self.constants.0);
        out = inputs.iter().fold(out, |m, i| m.message(11, &value(i)));
        outputs.iter().fold(out, |m, o| m.message(12, &value(o)))
    }
}
