//! Writes a result so that it is there completely or not at all, whenever the program ends.

use crate::cli::io::destination::{Destination, Writing, folder_of, is_stream, shown_binary};
use crate::cli::io::failure::Failure;
use crate::cli::io::temporary::{Temporary, TemporaryFolder};
use aezip::input::sink::{RowSink, create_packed_sink, create_pictures};
use aezip::input::{Format, Packing};
use aezip::{ErrorKind, Schema};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes gathered before the system is asked to write them.
const BUFFER: usize = 1 << 18;

/// A result being written; forgotten when dropped, there after [`Output::commit`] or [`Output::commit_soon`].
pub(crate) struct Output {
    writer: Writer,
    place: Place,
    label: String,
}

enum Place {
    /// Standard output, a device, a pipe: what is written is written.
    Stream,
    /// A temporary file beside `path`, which it is to become.
    File { temporary: Temporary, path: PathBuf, force: bool },
    /// A temporary folder beside `path`, which it is to become.
    Folder { temporary: TemporaryFolder, path: PathBuf },
}

impl Output {
    /// Opens `destination`, which [`Destination::check`] allowed.
    pub(crate) fn create(destination: &Destination, writing: Writing) -> Result<Self, Failure> {
        let label = destination.to_string();
        let failed = |error| Failure::io(format_args!("cannot create {label}"), &error);
        let (writer, place) = match destination {
            Destination::Path(path) if writing.folder => {
                let temporary = TemporaryFolder::beside(folder_of(path)).map_err(failed)?;
                let place = Place::Folder { temporary, path: path.clone() };
                (Box::new(io::sink()) as Box<dyn Write + Send>, place)
            }
            Destination::Stdout => (stdout().map_err(failed)?, Place::Stream),
            Destination::Path(path) if fs::metadata(path).is_ok_and(|m| is_stream(&m)) => {
                let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
                if writing.is_shown_by(&file) {
                    return Err(shown_binary(&label));
                }
                (Box::new(file) as Box<dyn Write + Send>, Place::Stream)
            }
            Destination::Path(path) => {
                let (file, place) = beside(path, writing.force).map_err(failed)?;
                (Box::new(file) as Box<dyn Write + Send>, place)
            }
        };
        Ok(Self { writer: Writer::new(writer), place, label })
    }

    /// Returns something to write through; all of them write to the same place, in turn.
    pub(crate) fn writer(&self) -> Writer {
        self.writer.clone()
    }

    /// Returns what writes `rows` rows of `schema` here.
    pub(crate) fn rows(
        &self,
        (format, packing): (Format, Option<Packing>),
        schema: &Schema,
        rows: u64,
    ) -> aezip::Result<Box<dyn RowSink>> {
        match &self.place {
            Place::Folder { temporary, .. } => create_pictures(temporary.path(), schema, rows),
            _ => create_packed_sink(packing, format, schema, rows, Box::new(self.writer())),
        }
    }

    /// Makes the result count: all bytes on the disk, then the name.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        self.name(true)
    }

    /// Gives the result its name without waiting for the disk, which may take as long as all else: for
    /// what is made again from a file that is still there. After a power cut within seconds, it may be empty
    /// or cut.
    pub(crate) fn commit_soon(self) -> Result<(), Failure> {
        self.name(false)
    }

    fn name(self, synced: bool) -> Result<(), Failure> {
        let Self { mut writer, place, label } = self;
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::hung_up(),
            io::ErrorKind::AlreadyExists => {
                Failure::error(format!("{label} has come into being meanwhile; -f overwrites it"))
            }
            _ => Failure::io(format_args!("cannot write {label}"), &error),
        };
        writer.flush().map_err(failed)?;
        // Where open files cannot be renamed, this handle would be in the way.
        drop(writer);
        match place {
            Place::Stream => {}
            Place::File { temporary, path, force } => {
                if synced {
                    temporary.file().and_then(File::sync_all).map_err(failed)?;
                }
                temporary.rename(&path, force).map_err(failed)?;
                if synced {
                    sync_folder(folder_of(&path));
                }
            }
            Place::Folder { temporary, path } => {
                temporary.rename(&path).map_err(failed)?;
                if synced {
                    sync_folder(folder_of(&path));
                }
            }
        }
        Ok(())
    }

    /// Says what failure `error`, met while writing here what is made of `input`, amounts to.
    pub(crate) fn failure(&self, error: aezip::Error, input: &str) -> Failure {
        match self.writer.lock().trouble {
            Some(io::ErrorKind::BrokenPipe) => Failure::hung_up(),
            Some(_) => Failure::error(format!("cannot write {}: {error}", self.label)),
            None if matches!(self.place, Place::Folder { .. }) && error.kind() == ErrorKind::Io => {
                Failure::error(format!("cannot write {}: {error}", self.label))
            }
            None => Failure::error(format!("{input}: {error}")),
        }
    }
}

/// Makes a file beside `path` that can become it.
fn beside(path: &Path, force: bool) -> io::Result<(File, Place)> {
    // Through a link to the file meant: replacing the link would be a surprise.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let temporary = Temporary::beside(folder_of(&path))?;
    if let Ok(old) = fs::metadata(&path) {
        // The new contents are for the same eyes as the old.
        temporary.file()?.set_permissions(old.permissions())?;
    }
    let file = temporary.file()?.try_clone()?;
    Ok((file, Place::File { temporary, path, force }))
}

/// Makes a new name outlive a power cut.
fn sync_folder(folder: &Path) {
    // Some systems cannot open or sync a folder; the file itself is safe by now.
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// Returns standard output without the line buffer that `io::stdout` puts before it.
fn stdout() -> io::Result<Box<dyn Write + Send>> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        Ok(Box::new(File::from(io::stdout().as_fd().try_clone_to_owned()?)))
    }
    #[cfg(not(unix))]
    Ok(Box::new(io::stdout()))
}

/// A buffered writer that can be given away and still be flushed here.
#[derive(Clone)]
pub(crate) struct Writer(Arc<Mutex<State>>);

struct State {
    to: BufWriter<Box<dyn Write + Send>>,
    written: u64,
    /// The first error, if any: whose fault a failure was is clear only here.
    trouble: Option<io::ErrorKind>,
}

impl Writer {
    fn new(to: Box<dyn Write + Send>) -> Self {
        let to = BufWriter::with_capacity(BUFFER, to);
        Self(Arc::new(Mutex::new(State { to, written: 0, trouble: None })))
    }

    /// Returns the bytes written so far.
    pub(crate) fn written(&self) -> u64 {
        self.lock().written
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch<T>(
        &self,
        act: impl FnOnce(&mut BufWriter<Box<dyn Write + Send>>) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.lock();
        act(&mut state.to).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                state.trouble.get_or_insert(error.kind());
            }
        })
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.watch(|to| to.write(bytes))?;
        self.lock().written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.watch(BufWriter::flush)
    }
}

/// Writes `bytes` to `destination`, which was checked, but does not yet make them count.
pub(crate) fn written(
    destination: &Destination,
    writing: Writing,
    bytes: &[u8],
) -> Result<Output, Failure> {
    let output = Output::create(destination, writing)?;
    output
        .writer()
        .write_all(bytes)
        .map_err(|e| Failure::io(format_args!("cannot write {destination}"), &e))?;
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with room for some bytes.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let count = bytes.len().min(self.0);
            self.0 -= count;
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn create(path: &Path, force: bool) -> Output {
        Output::create(&Destination::Path(path.to_path_buf()), Writing::binary(force)).unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn the_name_appears_last() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        for commit in [Output::commit, Output::commit_soon] {
            let output = create(&path, false);
            output.writer().write_all(b"bytes").unwrap();
            assert!(!path.exists());
            assert_eq!(output.writer().written(), 5);
            commit(output).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"bytes");
            assert_eq!(names(folder.path()), ["out"]);
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn without_commit_nothing_is_left_and_nothing_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        fs::write(&path, "old").unwrap();
        let output = create(&path, true);
        output.writer().write_all(b"new").unwrap();
        drop(output);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["out"]);
    }

    #[test]
    fn a_full_disk_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let commits = [Output::commit, Output::commit_soon];
        for (room, commit) in
            [0, 1, BUFFER + 1].into_iter().flat_map(|room| commits.map(|c| (room, c)))
        {
            let mut output = create(&path, false);
            output.writer = Writer::new(Box::new(Full(room)));
            // Small enough for the buffer: the trouble comes with the last flush.
            let _ = output.writer().write_all(&vec![7; room + 10]);
            let failure = commit(output).unwrap_err();
            assert!(failure.message().contains("cannot write"), "{failure:?}");
            assert_eq!(failure.code(), 1);
            assert!(names(folder.path()).is_empty());
        }
    }

    #[test]
    fn a_file_that_came_meanwhile_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let output = create(&path, false);
        fs::write(&path, "theirs").unwrap();
        assert!(output.commit().unwrap_err().message().contains("meanwhile"));
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(names(folder.path()), ["out"]);
    }

    #[test]
    fn whose_fault_an_error_was() {
        let folder = tempfile::tempdir().unwrap();
        let mut output = create(&folder.path().join("out"), false);
        let input = || aezip::Error::truncated("the input");
        assert_eq!(output.failure(input(), "a").message(), "a: truncated: the input");
        output.writer = Writer::new(Box::new(Full(0)));
        let _ = output.writer().write_all(&vec![0; BUFFER * 2]);
        assert!(output.failure(input(), "a").message().starts_with("cannot write"));
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_survive() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        let output = create(&link, true);
        output.writer().write_all(b"new").unwrap();
        output.commit().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[cfg(unix)]
    #[test]
    fn devices_are_written_to_directly() {
        let output = create(Path::new("/dev/null"), false);
        output.writer().write_all(b"gone").unwrap();
        output.commit().unwrap();
    }
}
