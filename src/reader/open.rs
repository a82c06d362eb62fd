//! Opening: header, sections, footer, index. Blocks are not touched.

use super::ends::Ends;
use super::index::{self, Found};
use super::section::{Payload, Section};
use super::source::Source;
use crate::codec::compander::Compander;
use crate::codec::program::Program;
use crate::container::compander::CompanderRecord;
use crate::container::encoder::EncoderRecord;
use crate::container::fills;
use crate::container::forever::{
    COLUMNS, COMPANDER, DATA, ENCODER, FILLS, FOOTER_LEN, HEAD, HEADER_LEN, INDEX, MODEL, MORE,
    ORIGIN, TASK, TEXT, TILE, TRANSFORMER, VERSION,
};
use crate::container::head;
use crate::container::index::Index;
use crate::container::more::Link;
use crate::container::origin;
use crate::container::section::Header;
use crate::container::task::{Encoded, TaskRecord};
use crate::container::text;
use crate::container::tile;
use crate::container::transformer::TransformerRecord;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::limits::{self, Limits};
use crate::matrix::{KeptText, Schema, Tiling};
use std::sync::Arc;

/// Most bytes of the HEAD section: dimensions and three short texts need far less.
const MAX_HEAD_BYTES: u64 = 1 << 20;
/// Where the header's flags lie.
const FLAGS_AT: u64 = 12;

/// What lies before and behind the blocks.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) header: Header,
    /// What the rows of the blocks are: tiles, where an array was cut into them.
    pub(super) schema: Schema,
    /// What the rows of the array are, of which the others are tiles.
    array: Option<Schema>,
    pub(super) promise: Option<Fidelity>,
    pub(super) program: Option<Program>,
    pub(super) model_bytes: u64,
    pub(super) index: Index,
    pub(super) index_bytes: u64,
    /// The footers by which blocks are found, in the order in which they were written.
    pub(super) links: Vec<Link>,
    /// How many times rows were appended, and the bytes that no reader needs since.
    pub(super) appends: u64,
    pub(super) dead_bytes: u64,
    /// Where the first block can begin.
    start: u64,
    /// Bytes of the file, without those of rows that were not appended completely.
    pub(super) length: u64,
    /// The encoder's section, not read before it is asked for.
    encoder: Option<Section>,
    /// The task's section, likewise.
    task: Option<Section>,
    /// The transformer's section, likewise.
    transformer: Option<Section>,
    /// The section of the columns of text, likewise.
    text: Option<Section>,
}

/// Checks header, footer, sections and index.
pub(super) fn open<S: Source>(source: &S, ends: Ends, limits: &Limits) -> Result<Frame> {
    let Ends { header, footer } = ends;
    let sections = Sections::scan(source, header.written, limits)?;
    sections.expect_no_columns()?;
    let (mut schema, promise) = sections.heading.expect("the scan ends behind a heading");
    if let Some(Payload { bytes, at }) = sections.tile {
        schema.tiling = Some(tile::decode(&bytes, &schema, at)?);
    }
    if let Some(Payload { bytes, at }) = sections.columns {
        let names = head::decode_columns(&bytes, schema.width(), limits.model_bytes, at)?;
        schema.columns = Some(names);
    }
    if let Some(Payload { bytes, at }) = sections.origin {
        let width = schema.tiling.as_ref().map_or(schema.width(), Tiling::row_values);
        schema.origin = Some(origin::decode(&bytes, width, limits.model_bytes, at)?);
    }
    if let Some(Payload { bytes, at }) = sections.fills {
        schema.fill_values = fills::decode(&bytes, schema.dtype, at)?;
    }
    if let (Some(own), None) = (&sections.compander, &sections.model) {
        return Err(Error::corrupt("scales of a model that is not there").at(own.at));
    }
    let compander = sections.compander.map(|own| scales(&own, &schema)).transpose()?;
    let (mut model_bytes, mut program) = (0, None);
    if let Some(Payload { bytes, at }) = sections.model {
        model_bytes = bytes.len() as u64;
        let inner = compander.as_ref().map(|_| Compander::inner(&schema));
        let mut own = Program::decode(&bytes, at, inner.as_ref().unwrap_or(&schema), limits)?;
        own.compander = compander;
        program = Some(own);
    }
    let found = index::read(source, sections.end, &footer, limits)?;
    let Found { index, index_bytes, links, first_axis, appends, dead_bytes } = found;
    if first_axis > 0 {
        schema.tiling = Some(grown(&schema, first_axis).ok_or_else(|| {
            let what = "rows were appended to an array that cannot have grown so";
            Error::corrupt(what).at(footer.index)
        })?);
    }
    let array = schema.tiling.is_some().then(|| schema.of_array());
    let frame = Frame {
        header,
        schema,
        array,
        promise,
        program,
        model_bytes,
        index,
        index_bytes,
        links,
        appends,
        dead_bytes,
        start: sections.end,
        length: footer.length,
        encoder: sections.encoder,
        task: sections.task,
        transformer: sections.transformer,
        text: sections.text,
    };
    frame.check()?;
    Ok(frame)
}

/// Returns how an array is cut whose first axis has become longer.
fn grown(schema: &Schema, first_axis: u64) -> Option<Tiling> {
    schema.tiling.as_ref()?.with_first_axis(usize::try_from(first_axis).ok()?)
}

/// Prepares the scales that numbers of the model are on.
fn scales(payload: &Payload, schema: &Schema) -> Result<Arc<Compander>> {
    let record = CompanderRecord::decode(&payload.bytes, schema.width(), payload.at)?;
    Compander::new(record, schema.dtype).map(Arc::new).map_err(|e| e.at(payload.at))
}

/// The sections before the blocks.
#[derive(Debug, Default)]
struct Sections {
    heading: Option<(Schema, Option<Fidelity>)>,
    tile: Option<Payload>,
    columns: Option<Payload>,
    origin: Option<Payload>,
    fills: Option<Payload>,
    compander: Option<Payload>,
    model: Option<Payload>,
    encoder: Option<Section>,
    task: Option<Section>,
    transformer: Option<Section>,
    text: Option<Section>,
    /// The byte behind the last of them.
    end: u64,
}

impl Sections {
    /// Reads sections up to DATA; `written` is the version that wrote the file.
    fn scan<S: Source>(source: &S, written: u16, limits: &Limits) -> Result<Self> {
        let mut out = Self { end: HEADER_LEN as u64, ..Self::default() };
        loop {
            let section = Section::claimed_at(source, out.end)?;
            let wrong = |what: &str| Err(Error::corrupt(what).at(section.offset));
            if out.heading.is_none() && section.tag != HEAD {
                return wrong("the first section is not HEAD");
            }
            match section.tag {
                INDEX | MORE => return wrong("there is no section DATA"),
                HEAD | TILE | COLUMNS | ORIGIN | FILLS | COMPANDER | MODEL => {
                    out.read(source, section, limits)?
                }
                DATA => {
                    if !section.payload(source, limits.model_bytes)?.bytes.is_empty() {
                        return wrong("section DATA is not empty");
                    }
                    out.end = section.end(source)?;
                    return Ok(out);
                }
                _ => {
                    // Before its tag is judged: damage must pass neither for something that may be
                    // skipped nor for a newer format.
                    section.verify(source)?;
                    out.note(section, written)?;
                }
            }
            out.end = section.end(source)?;
        }
    }

    /// Reads a section that every reader must understand, or one that belongs to the schema.
    fn read<S: Source>(&mut self, source: &S, section: Section, limits: &Limits) -> Result<()> {
        let most = if section.tag == HEAD { MAX_HEAD_BYTES } else { limits.model_bytes };
        let payload = section.payload(source, most)?;
        match section.tag {
            HEAD => {
                expect_first(&self.heading, section)?;
                self.heading = Some(head::decode(&payload.bytes, payload.at)?);
            }
            TILE => {
                expect_first(&self.tile, section)?;
                self.tile = Some(payload);
            }
            COLUMNS => {
                expect_first(&self.columns, section)?;
                self.columns = Some(payload);
            }
            ORIGIN => {
                expect_first(&self.origin, section)?;
                self.origin = Some(payload);
            }
            FILLS => {
                expect_first(&self.fills, section)?;
                self.fills = Some(payload);
            }
            COMPANDER => {
                expect_first(&self.compander, section)?;
                self.compander = Some(payload);
            }
            _ => {
                expect_first(&self.model, section)?;
                self.model = Some(payload);
            }
        }
        Ok(())
    }

    /// Checks that what belongs to the columns of rows is not there where rows are tiles.
    fn expect_no_columns(&self) -> Result<()> {
        let Some(tile) = &self.tile else { return Ok(()) };
        if self.columns.is_none() && self.text.is_none() {
            return Ok(());
        }
        let what = "an array that is cut into tiles has neither names of columns nor text";
        Err(Error::corrupt(what).at(tile.at))
    }

    /// Remembers a section that reading rows does not need.
    fn note(&mut self, section: Section, written: u16) -> Result<()> {
        let Section { tag, offset, .. } = section;
        if !tag[0].is_ascii_alphabetic() {
            let what = "a section's tag does not begin with a letter";
            return Err(Error::corrupt(what).at(offset));
        }
        if !tag[0].is_ascii_lowercase() {
            return Err(Error::unsupported(format!(
                "section {:?} of format version {written} is required but unknown to version \
                 {VERSION}",
                String::from_utf8_lossy(&tag),
            ))
            .at(offset));
        }
        let place = match tag {
            ENCODER => &mut self.encoder,
            TASK => &mut self.task,
            TRANSFORMER => &mut self.transformer,
            TEXT => &mut self.text,
            // Unknown, and may be skipped.
            _ => return Ok(()),
        };
        expect_first(place, section)?;
        *place = Some(section);
        Ok(())
    }
}

fn expect_first<T>(place: &Option<T>, section: Section) -> Result<()> {
    match place {
        None => Ok(()),
        Some(_) => Err(Error::corrupt("a section occurs twice").at(section.offset)),
    }
}

impl Frame {
    /// Returns what the rows are that are read: those of the array where it was cut into tiles.
    pub(super) fn rows_schema(&self) -> &Schema {
        self.array.as_ref().unwrap_or(&self.schema)
    }

    /// Returns how many rows can be read; of a number without an axis, one.
    pub(super) fn rows(&self) -> usize {
        match &self.schema.tiling {
            Some(tiling) => tiling.array().first().copied().unwrap_or(1),
            None => self.index.total_rows() as usize,
        }
    }

    /// Returns the number of latents; 0 without a model.
    pub(super) fn latents(&self) -> usize {
        self.program.as_ref().map_or(0, |p| p.record.latents())
    }

    /// Checks that the parts agree with each other.
    fn check(&self) -> Result<()> {
        let wrong = |what: &str, at: u64| Err(Error::corrupt(what).at(at));
        let codec = self.header.codec;
        if codec && (self.index.blocks() > 0 || self.links.len() > 1) {
            return wrong("a codec must not have rows", FLAGS_AT);
        }
        if codec && self.program.is_none() {
            return wrong("a codec without a model", FLAGS_AT);
        }
        match (codec, &self.promise) {
            (true, Some(_)) => return wrong("a codec with a promise", HEADER_LEN as u64),
            (false, None) => return wrong("rows without a promise", HEADER_LEN as u64),
            _ => {}
        }
        let rows = self.index.total_rows();
        if let Some(tiling) = &self.schema.tiling {
            if codec {
                return wrong("a codec with an array's tiles", HEADER_LEN as u64);
            }
            if tiling.tiles() as u64 != rows {
                let what = format!("{rows} tiles, but the array has {}", tiling.tiles());
                return wrong(&what, self.length - FOOTER_LEN as u64);
            }
        }
        if usize::try_from(rows).is_err() {
            return Err(Error::limit(format!("{rows} rows are more than this machine can count")));
        }
        let work = self.program.as_ref().map_or(0, Program::row_work).saturating_mul(rows);
        limits::check_work(work, self.length)
    }

    /// Reads the encoder, if the file has one.
    pub(super) fn encoder<S: Source>(
        &self,
        source: &S,
        limits: &Limits,
    ) -> Result<Option<EncoderRecord>> {
        let Some(section) = self.encoder else { return Ok(None) };
        let Payload { bytes, at } = section.payload(source, limits.model_bytes)?;
        EncoderRecord::decode(&bytes, at, self.schema.width(), self.latents(), limits).map(Some)
    }

    /// Reads the task, if the file has one.
    pub(super) fn task<S: Source>(
        &self,
        source: &S,
        limits: &Limits,
    ) -> Result<Option<TaskRecord>> {
        let Some(section) = self.task else { return Ok(None) };
        let Payload { bytes, at } = section.payload(source, limits.model_bytes)?;
        let embedding = self.transformer(source, limits)?.map(|own| own.encoder.dim);
        let encoded = Encoded { latents: self.latents(), embedding };
        TaskRecord::decode(&bytes, at, self.schema.width(), encoded, limits).map(Some)
    }

    /// Reads the transformer, if the file has one.
    pub(super) fn transformer<S: Source>(
        &self,
        source: &S,
        limits: &Limits,
    ) -> Result<Option<TransformerRecord>> {
        let Some(section) = self.transformer else { return Ok(None) };
        let Payload { bytes, at } = section.payload(source, limits.model_bytes)?;
        TransformerRecord::decode(&bytes, at, self.schema.width(), limits).map(Some)
    }

    /// Reads the columns of text, if the file has any.
    pub(super) fn kept_text<S: Source>(
        &self,
        source: &S,
        limits: &Limits,
    ) -> Result<Option<KeptText>> {
        let Some(section) = self.text else { return Ok(None) };
        let Payload { bytes, at } = section.payload(source, limits.model_bytes)?;
        let rows = self.index.total_rows() as usize;
        text::decode(&bytes, rows, self.schema.width(), limits.model_bytes, at).map(Some)
    }

    /// Checks what the sections say whose checksums alone are checked when a file is opened.
    pub(super) fn verify_unread<S: Source>(&self, source: &S, limits: &Limits) -> Result<()> {
        index::verify(source, &self.index, self.start..self.length)?;
        self.kept_text(source, limits)?;
        self.encoder(source, limits)?;
        self.transformer(source, limits)?;
        self.task(source, limits).map(drop)
    }
}
