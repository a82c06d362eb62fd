//! The folder of a data set: its manifest, and files that the manifest names.

use super::manifest::{Manifest, Stored};
use crate::cli::io::failure::Failure;
use crate::cli::io::source::label;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Its name.
const MANIFEST: &str = "_manifest.json";
/// More than a million parts take; who claims more is not believed.
const MOST_BYTES: u64 = 256 << 20;

/// Which data set, and how to answer.
#[derive(clap::Args)]
pub(super) struct What {
    /// Folder with a _manifest.json.
    #[arg(value_name = "DIR")]
    pub(super) folder: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

/// A data set on this machine.
pub(super) struct Folder {
    root: PathBuf,
    pub(super) label: String,
    pub(super) manifest: Manifest,
}

impl Folder {
    /// Reads and checks the manifest.
    pub(super) fn open(root: &Path) -> Result<Self, Failure> {
        let path = root.join(MANIFEST);
        let at = label(&path);
        let (file, _) = open(&path).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => Failure::error(format!(
                "{at}: there is no manifest, so this is no data set, or one whose writing did not end"
            )),
            _ => Failure::io(format_args!("cannot open {at}"), &e),
        })?;
        let mut text = Vec::new();
        let read = file.take(MOST_BYTES + 1).read_to_end(&mut text);
        read.map_err(|e| Failure::io(format_args!("cannot read {at}"), &e))?;
        if text.len() as u64 > MOST_BYTES {
            return Err(Failure::error(format!("{at}: more than {MOST_BYTES} bytes")));
        }
        let manifest = Manifest::parse(&text);
        let manifest = manifest.map_err(|what| Failure::error(format!("{at}: {what}")))?;
        Ok(Self { root: root.to_path_buf(), label: label(root), manifest })
    }

    /// Returns where a file is that the manifest names.
    pub(super) fn path(&self, file: &Stored) -> PathBuf {
        self.root.join(&file.path)
    }

    /// Checks that a file is the one that the manifest names.
    pub(super) fn expect(&self, file: &Stored) -> Result<(), Failure> {
        let path = self.path(file);
        let at = label(&path);
        let failed = |e| Failure::io(format_args!("cannot read {at}"), &e);
        let (mut bytes, length) = open(&path).map_err(failed)?;
        if length != file.bytes {
            let what = format!("{length} bytes, the manifest says {}", file.bytes);
            return Err(Failure::error(format!("{at}: {what}")));
        }
        let mut digest = Sha256::new();
        io::copy(&mut bytes, &mut digest).map_err(failed)?;
        let hash: String = digest.finalize().iter().map(|b| format!("{b:02x}")).collect();
        if hash != file.sha256 {
            let what = format!("its hash is {hash}, the manifest says {}", file.sha256);
            return Err(Failure::error(format!("{at}: {what}")));
        }
        Ok(())
    }
}

/// Opens an ordinary file, and says how many bytes it has; a pipe would be waited for.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let there = fs::metadata(path)?;
    if !there.is_file() {
        return Err(io::Error::other("it is no ordinary file"));
    }
    Ok((File::open(path)?, there.len()))
}
