//! A file that is written block by block with one codec.

use crate::compress::config::Config;
use crate::compress::report::{Report, UsedCodec};
use crate::container::file::FileWriter;
use crate::container::forever::COMPANDER;
use crate::container::model::EncodedModel;
use crate::encode::access::ONE_PART;
use crate::encode::beside::Beside;
use crate::encode::blocks::{BlockRows, Encoding, Totals, block_rows_beside, encode_rows};
use crate::encode::encoder::BlockEncoder;
use crate::error::Result;
use crate::fit::candidate::Candidate;
use crate::matrix::{Rows, Schema};
use std::io::Write;

/// A file of which everything before the blocks has been written.
#[derive(Debug)]
pub(super) struct Stream<W: Write> {
    file: FileWriter<W>,
    codec: UsedCodec,
    beside: Option<Beside>,
    totals: Totals,
    /// Bytes that encoding may take.
    memory: u64,
}

/// A file that is complete.
pub(super) struct Finished<W> {
    pub(super) out: W,
    pub(super) codec: UsedCodec,
    pub(super) totals: Totals,
    pub(super) report: Report,
}

impl<W: Write> Stream<W> {
    /// Writes what comes before the blocks; `fitted` was measured for a file of `rows` rows.
    pub(super) fn begin(
        out: W,
        schema: &Schema,
        config: &Config,
        fitted: Candidate,
        rows: usize,
    ) -> Result<Self> {
        let row = (fitted.fitted_bytes - fitted.model_bytes() as f64) / rows as f64;
        let Candidate { mut encoder, model, .. } = fitted;
        BlockRows::new(&encoder.program, row, schema.row_bytes(), config.access)
            .apply(&mut encoder);
        encoder.exact_level = Some(config.effort().zstd);
        let EncodedModel { payload, decoder_bytes } = model;
        let scales = encoder.program.compander.as_ref().map(|scales| scales.record.encode());
        let sections: Vec<_> = scales.iter().map(|scales| (COMPANDER, &scales[..])).collect();
        let promise = Some(&config.fidelity);
        let file = FileWriter::begin_with(out, schema, promise, Some(&payload), &sections)?
            .with_row_work(encoder.program.row_work());
        let codec = UsedCodec { encoder, model_bytes: payload.len(), decoder_bytes };
        Ok(Self { file, codec, beside: None, totals: Totals::default(), memory: config.memory })
    }

    /// Keeps columns beside the stream; nothing must have been encoded yet.
    pub(super) fn keep_beside(&mut self, beside: Beside, row_bytes: usize) {
        let rows = block_rows_beside(row_bytes);
        // Whoever wants a row unpacks such columns of the whole block, so that parts would not help.
        BlockRows { rows, part_rows: ONE_PART }.apply(&mut self.codec.encoder);
        self.beside = Some(beside);
    }

    /// Returns the bytes written so far.
    pub(super) fn bytes(&self) -> u64 {
        self.file.bytes()
    }

    /// What encodes rows.
    pub(super) fn encoder(&self) -> &BlockEncoder {
        &self.codec.encoder
    }

    /// Encodes rows that follow those before; all but the last time whole blocks. `progress` is
    /// told how many of them are done.
    pub(super) fn encode(&mut self, rows: &dyn Rows, progress: &dyn Fn(u64)) -> Result<()> {
        let (encoder, beside) = (&self.codec.encoder, self.beside.as_ref());
        let encoding = Encoding { encoder, beside, memory: self.memory };
        let totals = encode_rows(encoding, rows, &mut self.file, progress)?;
        self.totals.tally.absorb(totals.tally);
        self.totals.escapes += totals.escapes;
        Ok(())
    }

    /// Writes the end of the file.
    pub(super) fn finish(self, schema: &Schema, config: &Config) -> Result<Finished<W>> {
        let Self { file, codec, totals, .. } = self;
        let (bytes, out) = file.finish_into()?;
        let report = Report::new(schema, &config.fidelity, bytes, &totals, Some(&codec));
        Ok(Finished { out, codec, totals, report })
    }
}
