//! Outputs that fill up and inputs that break: an error of kind `Io`, never a panic.

use aezip::{Config, Error, ErrorKind, Fidelity, Matrix, Result, Rows, Schema, Writer, compress};
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Takes some calls and some bytes, then fails.
#[derive(Debug)]
struct Failing {
    calls: usize,
    bytes: usize,
}

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.calls == 0 || self.bytes == 0 {
            return Err(io::Error::other("full"));
        }
        self.calls -= 1;
        let n = bytes.len().min(self.bytes);
        self.bytes -= n;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.calls == 0 { Err(io::Error::other("full")) } else { Ok(()) }
    }
}

/// Rows of which the n-th read fails.
struct Breaking<'a> {
    rows: &'a Matrix,
    left: AtomicUsize,
}

impl Rows for Breaking<'_> {
    fn schema(&self) -> &Schema {
        self.rows.schema()
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if left.is_err() {
            return Err(Error::io("cannot read rows", io::Error::other("unplugged")));
        }
        self.rows.read(first, out)
    }
}

fn values() -> Vec<f32> {
    (0..6000).map(|i| ((i / 6) as f32 * 0.1).sin() * (i % 6) as f32).collect()
}

fn config(kind: &str, text: &str) -> Config {
    let mut config = Config::default();
    config.fidelity = Fidelity::parse(kind, text).unwrap();
    (config.level, config.threads) = (1, 1);
    config
}

const PROMISES: [(&str, &str); 5] = [
    ("max-error", "0.01"),
    ("max-error-rel", "0.01"),
    ("lossless", ""),
    ("nmse", "0.01"),
    ("row-cosine", "0.99"),
];

#[test]
fn an_output_that_fails_anywhere_is_an_error() {
    let rows = Matrix::from_slice(&values(), &[6]).unwrap();
    for (kind, text) in PROMISES {
        let config = config(kind, text);
        let mut whole = Vec::new();
        compress(&rows, &config, &mut whole).unwrap();
        let step = (whole.len() / 60).max(1);
        for bytes in (0..whole.len()).step_by(step).chain([whole.len() - 1]) {
            let mut out = Failing { calls: usize::MAX, bytes };
            let error = compress(&rows, &config, &mut out).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Io, "{kind} after {bytes} bytes: {error}");
        }
        let fails = |calls| {
            let mut out = Failing { calls, bytes: usize::MAX };
            compress(&rows, &config, &mut out).map_err(|e| assert_eq!(e.kind(), ErrorKind::Io))
        };
        let enough = (0..1000).find(|&calls| fails(calls).is_ok());
        assert!(enough.is_some_and(|calls| calls > 0), "{kind}");
    }
}

#[test]
fn a_writer_whose_output_fails_is_an_error() {
    let values = values();
    let rows = Matrix::from_slice(&values, &[6]).unwrap();
    let config = config("max-error", "0.01");
    let run = |out: Failing| -> Result<()> {
        let mut writer = Writer::new(out, &rows, &config)?;
        for part in values.chunks(600) {
            writer.push(part)?;
        }
        writer.finish().map(drop)
    };
    for bytes in (0..4000).step_by(100) {
        if let Err(error) = run(Failing { calls: usize::MAX, bytes }) {
            assert_eq!(error.kind(), ErrorKind::Io, "after {bytes} bytes: {error}");
        } else {
            assert!(bytes > 500);
        }
    }
    for calls in 0..4 {
        assert_eq!(run(Failing { calls, bytes: usize::MAX }).unwrap_err().kind(), ErrorKind::Io);
    }
}

#[test]
fn an_input_that_fails_anywhere_is_an_error() {
    let rows = Matrix::from_slice(&values(), &[6]).unwrap();
    for (kind, text) in PROMISES {
        let config = config(kind, text);
        let mut reads = 0;
        loop {
            let broken = Breaking { rows: &rows, left: AtomicUsize::new(reads) };
            match compress(&broken, &config, io::sink()) {
                Ok(_) => break,
                Err(e) => assert_eq!(e.kind(), ErrorKind::Io, "{kind}, read {reads}: {e}"),
            }
            reads += 1;
        }
        assert!(reads > 1, "{kind}");
    }
}
