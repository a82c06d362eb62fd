//! `aezip verify`: is the file sound, and does it keep its promise?

use crate::cli::args::memory::MemoryArgs;
use crate::cli::args::source::SourceArgs;
use crate::cli::io::archive::Archive;
use crate::cli::io::console::{Console, plain, print};
use crate::cli::io::failure::Failure;
use crate::cli::io::listing::{Listing, fidelity_json, quality_json};
use crate::cli::io::numbers::grouped;
use crate::cli::io::source::{self, label};
use crate::cli::io::text::text_columns;
use aezip::input::{OpenOptions, Rounding};
use aezip::{KeptText, PromiseCheck, Rows, Schema};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Characters of a field that are shown.
const SHOWN: usize = 40;

/// Check a file: every checksum, every row, and its promise.
#[derive(clap::Args)]
#[command(after_help = "\
Exit codes: 0 all is well, 3 promise not held, 4 corrupt file.

Examples:
  aezip verify spectra.npy.aez
  aezip verify spectra.npy.aez --against spectra.npy")]
pub(crate) struct Args {
    /// File to check; - for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Compare with the numbers that were compressed; - for standard input.
    #[arg(long, value_name = "ORIGINAL")]
    against: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    memory: MemoryArgs,
    #[command(flatten)]
    source: SourceArgs,
}

/// Runs the command.
pub(crate) fn run(args: Args, console: &Console) -> Result<(), Failure> {
    let mut options = args.source.options()?;
    options.keep_text = true;
    let pipe = std::path::Path::new(crate::cli::io::destination::PIPE);
    if args.file == pipe && args.against.as_deref() == Some(pipe) {
        return Err(Failure::usage("only one of FILE and ORIGINAL can be standard input"));
    }
    let archive = Archive::open_within(&args.file, args.memory.bytes())?;
    archive.reader.verify().map_err(|error| archive.failure(&error))?;
    let Some(against) = &args.against else {
        return print(&if args.json {
            object(&archive, None).to_string()
        } else {
            plain(&sound(&archive))
        });
    };

    archive.expect_rows()?;
    archive.expect_moderate_rows()?;
    console.detail(&sound(&archive));
    let Some(promise) = archive.reader.info().fidelity else {
        return Err(Failure::error(format!("{} promises nothing", archive.label)));
    };
    options.rounding = Rounding::for_promise(&promise);
    let (original, lost) = original(against, options, &archive, console)?;
    // Every row of the archive has just been decoded: what fails now is the original.
    let mut check = aezip::check_promise(
        &*original,
        &archive.reader,
        &promise,
        archive.reader.info().file_bytes,
    )
    .map_err(|error| Failure::error(format!("{}: {error}", label(against))))?;

    let differs = match archive.reader.kept_text().map_err(|error| archive.failure(&error))? {
        Some(text) => difference(&text, original.schema().kept_text()),
        None => None,
    };
    if let Some(differs) = lost.or(differs) {
        check.held = false;
        check.detail = differs;
    }
    print(&if args.json {
        object(&archive, Some((&label(against), &check))).to_string()
    } else {
        let verdict = if check.held { "promise held" } else { "promise NOT held" };
        let mut table = Listing::default();
        table.quality(&check.quality);
        table.line(verdict, check.detail.as_str());
        table.text()
    })?;
    if check.held { Ok(()) } else { Err(Failure::promise_broken()) }
}

/// Opens what the archive is compared with. Where numbers of a table are not held by the archive's type, they
/// are read as the nearest that are, and the second result says so.
fn original(
    path: &Path,
    options: OpenOptions,
    archive: &Archive,
    console: &Console,
) -> Result<(Box<dyn Rows>, Option<String>), Failure> {
    let open = |options| {
        let original = source::open_like(path, options, &archive.reader, console)?;
        expect_alike(&*original, archive, &label(path)).map(|()| original)
    };
    let failure = match open(options.clone()) {
        Ok(original) => return Ok((original, None)),
        Err(failure) => failure,
    };
    let strict = OpenOptions { keep_text: false, ..options.clone() };
    let Err(lost) = source::open_quietly(path, &strict) else { return Err(failure) };
    let nearest = OpenOptions { rounding: Rounding::Nearest, ..options };
    let original = open(nearest).map_err(|_| failure)?;
    Ok((original, Some(lost.message().to_string())))
}

/// Returns the line for a file that was checked by itself.
fn sound(archive: &Archive) -> String {
    let label = &archive.label;
    if archive.is_codec() {
        return format!("{label}: OK, a codec, every checksum right");
    }
    let rows = grouped(archive.reader.rows() as u64);
    let appended = match archive.reader.info().appends {
        0 => String::new(),
        times => format!(", appended to {} times", grouped(times)),
    };
    format!("{label}: OK, {rows} rows, every checksum right and every row decoded{appended}")
}

/// Says where the columns of text of the archive differ from those of the original.
fn difference(text: &KeptText, original: Option<&KeptText>) -> Option<String> {
    let Some(original) = original else {
        return Some(format!("{} text, which the original has not", text_columns(text)));
    };
    let (row, column) = text.first_difference(original)?;
    let field = |text: &KeptText| {
        let field = text.columns().get(column).map_or(&[][..], |column| column.field(row));
        String::from_utf8_lossy(field).chars().take(SHOWN).collect::<String>()
    };
    let name = text.labels().into_iter().nth(column).unwrap_or_default();
    Some(format!(
        "text differs first in row {row}, column {name:?}: {:?} here, {:?} in the original",
        field(text),
        field(original)
    ))
}

/// Fails unless the two hold the same number of rows of the same kind.
fn expect_alike(original: &dyn Rows, archive: &Archive, label: &str) -> Result<(), Failure> {
    let (theirs, ours) = (original.schema(), archive.reader.schema());
    if (original.len(), theirs.dtype, &theirs.row_shape)
        == (archive.reader.rows(), ours.dtype, &ours.row_shape)
    {
        return Ok(());
    }
    let kind = |rows: usize, schema: &Schema| {
        format!(
            "{} rows of shape {:?} and type {}",
            grouped(rows as u64),
            schema.row_shape,
            schema.dtype
        )
    };
    Err(Failure::error(format!(
        "{} has {}, but {label} has {}",
        archive.label,
        kind(archive.reader.rows(), ours),
        kind(original.len(), theirs),
    )))
}

fn object(archive: &Archive, compared: Option<(&str, &PromiseCheck)>) -> Value {
    let promise = archive.reader.info().fidelity;
    let mut object = json!({
        "file": archive.label,
        "ok": compared.is_none_or(|(_, check)| check.held),
        "codec": archive.is_codec(),
        "rows": archive.reader.rows(),
        "unfinished_bytes": archive.reader.info().unfinished_bytes,
        "promised": promise.as_ref().map(fidelity_json),
    });
    if let Some((against, check)) = compared {
        object["against"] = against.into();
        object["held"] = check.held.into();
        object["detail"] = check.detail.as_str().into();
        object["measured"] = quality_json(&check.quality);
    }
    object
}
