//! Where a result is to go, and whether it may.

use crate::cli::io::closed;
use crate::cli::io::console::plain;
use crate::cli::io::failure::Failure;
use std::fs::{self, Metadata};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

/// The name that stands for standard input and output.
pub(crate) const PIPE: &str = "-";

/// What is written, and what may be replaced by it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writing {
    /// Existing files are replaced, and terminals are shown binary data.
    pub(crate) force: bool,
    /// The data is not for terminals.
    binary: bool,
    /// It is a folder of files.
    pub(crate) folder: bool,
}

impl Writing {
    /// Describes data that is not for terminals.
    pub(crate) fn binary(force: bool) -> Self {
        Self { force, binary: true, folder: false }
    }

    /// Describes data that people read.
    pub(crate) fn text(force: bool) -> Self {
        Self { force, binary: false, folder: false }
    }

    /// Describes a folder of files.
    pub(crate) fn folder(force: bool) -> Self {
        Self { force, binary: true, folder: true }
    }

    /// Says whether `to` is a terminal that is not to be shown this.
    pub(crate) fn is_shown_by(self, to: &impl IsTerminal) -> bool {
        self.binary && !self.force && to.is_terminal()
    }
}

/// A place for a command's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Standard output.
    Stdout,
    /// A file, a device or a named pipe.
    Path(PathBuf),
}

impl Destination {
    /// Returns what `-o PATH` means.
    pub(crate) fn new(path: PathBuf) -> Self {
        if path == Path::new(PIPE) { Destination::Stdout } else { Destination::Path(path) }
    }

    /// Returns where `compress` writes when not told: beside the input, a pipe into a pipe.
    pub(crate) fn for_archive_of(input: &Path) -> Self {
        if input == Path::new(PIPE) {
            return Destination::Stdout;
        }
        // Without the slash that the name of a folder may end with; and `.` has a name, too.
        let named = input.file_name().is_none().then(|| fs::canonicalize(input).ok()).flatten();
        let input = named.as_deref().unwrap_or(input).components().as_path();
        let mut path = input.as_os_str().to_os_string();
        path.push(".aez");
        Destination::Path(path.into())
    }

    /// Returns where `decompress` writes when not told: beside the archive, under the stored name.
    pub(crate) fn for_contents_of(archive: &Path, stored: &str) -> Result<Self, Failure> {
        if archive == Path::new(PIPE) {
            return Ok(Destination::Stdout);
        }
        let name = safe_name(stored).ok_or_else(|| {
            Failure::error(match stored {
                "" => "the file does not know its old name; give one with -o".to_string(),
                _ => format!("the stored name {stored:?} is no file name; give one with -o"),
            })
        })?;
        Ok(Destination::Path(archive.with_file_name(name)))
    }

    /// Returns the name of the file.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Destination::Path(path) => Some(path),
            Destination::Stdout => None,
        }
    }

    /// Fails if this is one of `sources`, exists and may not be replaced, is a terminal that would be
    /// shown binary, or standard output that is closed.
    pub(crate) fn check(&self, writing: Writing, sources: &[&Path]) -> Result<(), Failure> {
        if writing.folder {
            return self.check_folder();
        }
        let path = match self {
            Destination::Stdout if writing.is_shown_by(&io::stdout()) => {
                return Err(shown_binary("standard output"));
            }
            Destination::Stdout => return expect_open(),
            Destination::Path(path) => path,
        };
        if closed::is_stdout(path) {
            expect_open()?;
        }
        let shown = path.display();
        let text = path.to_string_lossy();
        if text.is_empty() || text.ends_with(std::path::is_separator) {
            return Err(Failure::error(format!("{text:?} names no file to write")));
        }
        // Not following a link that leads nowhere: it is there all the same.
        let Ok(there) = fs::metadata(path).or_else(|_| fs::symlink_metadata(path)) else {
            let folder = folder_of(path);
            if !folder.is_dir() {
                let folder = folder.display();
                return Err(Failure::error(format!("{folder} is no folder to write {shown} in")));
            }
            return Ok(());
        };
        if there.is_dir() {
            return Err(Failure::error(format!("{shown} is a folder")));
        }
        if is_stream(&there) {
            return Ok(());
        }
        if let Some(source) = sources.iter().find(|source| is_same_file(source, path)) {
            return Err(Failure::error(format!("{} is both input and output", source.display())));
        }
        if !writing.force {
            return Err(Failure::error(format!("{shown} already exists; -f overwrites it")));
        }
        Ok(())
    }

    /// Fails if no new folder can be made here. Nothing is replaced: what lies in a folder may be of
    /// any kind.
    fn check_folder(&self) -> Result<(), Failure> {
        let Destination::Path(path) = self else {
            return Err(Failure::usage("pictures are written into a folder: name one with -o"));
        };
        let shown = path.display();
        if fs::symlink_metadata(path).is_ok() {
            let is_empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
            return match is_empty {
                true => Ok(()),
                false => Err(Failure::error(format!("{shown} already exists; name a new folder"))),
            };
        }
        let folder = folder_of(path);
        if !folder.is_dir() {
            let folder = folder.display();
            return Err(Failure::error(format!("{folder} is no folder to make {shown} in")));
        }
        Ok(())
    }

    /// Fails if `--json`, which goes to standard output, would find the result there.
    pub(crate) fn expect_not_beside_json(&self, json: bool) -> Result<(), Failure> {
        if json && *self == Destination::Stdout {
            return Err(Failure::usage(
                "--json and the result cannot both go to standard output: name a file with -o",
            ));
        }
        Ok(())
    }

    /// Fails if both are one place, where the second result would replace the first.
    pub(crate) fn expect_apart(&self, other: &Destination) -> Result<(), Failure> {
        let are_one = match (self, other) {
            (Destination::Stdout, Destination::Stdout) => true,
            (Destination::Path(a), Destination::Path(b)) => {
                let folders = [a, b].map(|p| fs::canonicalize(folder_of(p)).ok());
                let same = folders[0] == folders[1] && a.file_name() == b.file_name();
                (same || is_same_file(a, b)) && !fs::metadata(a).is_ok_and(|m| is_stream(&m))
            }
            _ => false,
        };
        if are_one {
            return Err(Failure::usage(format!("two results cannot both go to {self}")));
        }
        Ok(())
    }
}

/// Returns the folder that `path` is a file of.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Destination::Stdout => f.write_str("standard output"),
            Destination::Path(path) => path.display().fmt(f),
        }
    }
}

/// Fails where standard output is closed.
fn expect_open() -> Result<(), Failure> {
    closed::expect_open().map_err(|e| Failure::io("cannot write to standard output", &e))
}

/// Makes the failure that refuses to fill a terminal with bytes that mean something else to it.
pub(crate) fn shown_binary(what: &str) -> Failure {
    Failure::error(format!("{what} is a terminal and the data is binary; -f writes it anyway"))
}

/// Says whether this is a device or a pipe, written to as it is: nothing can be renamed over
/// `/dev/null`.
pub(crate) fn is_stream(metadata: &Metadata) -> bool {
    !metadata.is_file() && !metadata.is_dir() && !metadata.is_symlink()
}

/// Returns the last component of `stored`, if it names a file that is visible as it is.
///
/// The name comes from the archive, perhaps a stranger's: it must not lead elsewhere, on
/// this system or another.
fn safe_name(stored: &str) -> Option<&str> {
    let name = stored.rsplit(['/', '\\']).next()?;
    let safe = !matches!(name, "" | "." | "..") && plain(name) == name && !name.contains(':');
    safe.then_some(name)
}

#[cfg(unix)]
fn is_same_file(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (fs::metadata(a), fs::metadata(b)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same_file(a: &Path, b: &Path) -> bool {
    matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(archive: &str, stored: &str) -> Option<PathBuf> {
        match Destination::for_contents_of(Path::new(archive), stored).ok()? {
            Destination::Path(path) => Some(path),
            Destination::Stdout => None,
        }
    }

    #[test]
    fn an_archive_lies_beside_its_input() {
        let destination = Destination::for_archive_of(Path::new("a/b.npy"));
        assert_eq!(destination, Destination::Path("a/b.npy.aez".into()));
        assert_eq!(Destination::for_archive_of(Path::new("-")), Destination::Stdout);
        assert_eq!(Destination::new("-".into()), Destination::Stdout);
    }

    #[test]
    fn a_stored_name_never_leaves_the_folder() {
        let beside = Some(PathBuf::from("a/b.npy"));
        for name in ["b.npy", "/etc/b.npy", "../../b.npy", "c\\..\\b.npy", "x/b.npy"] {
            assert_eq!(contents("a/z.aez", name), beside, "{name}");
        }
        for name in ["", "..", ".", "a/..", "a/", "/", "a\0b", "C:b", "a\nb"] {
            assert_eq!(contents("a/z.aez", name), None, "{name:?}");
        }
        assert_eq!(contents("z.aez", "b.npy"), Some("b.npy".into()));
    }

    #[test]
    fn results_have_places_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| Destination::Path(folder.path().join(name));
        assert_eq!(at("a").expect_apart(&at("b")), Ok(()));
        assert_eq!(Destination::Stdout.expect_apart(&at("a")), Ok(()));
        for (a, b) in [(at("a"), at("./a")), (Destination::Stdout, Destination::Stdout)] {
            assert_eq!(a.expect_apart(&b).unwrap_err().code(), 2);
        }
        assert_eq!(
            Destination::Path("/dev/null".into())
                .expect_apart(&Destination::Path("/dev/null".into())),
            Ok(())
        );
        assert!(
            at("none/a").check(Writing::binary(true), &[]).unwrap_err().message().contains("none")
        );
    }

    #[test]
    fn what_exists_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::write(&old, "").unwrap();
        let check = |path: &Path, force, sources: &[&Path]| {
            Destination::Path(path.to_path_buf()).check(Writing::binary(force), sources)
        };
        assert_eq!(check(&new, false, &[&old]), Ok(()));
        assert!(check(&old, false, &[]).unwrap_err().message().contains("-f"));
        assert_eq!(check(&old, true, &[&new]), Ok(()));
        assert!(check(&old, true, &[&new, &old]).unwrap_err().message().contains("both"));
        assert!(check(Path::new(""), true, &[]).is_err());
        assert!(check(Path::new("new/"), true, &[]).is_err());
        assert!(check(folder.path(), true, &[]).unwrap_err().message().contains("folder"));
        let roundabout = folder.path().join(".").join("old");
        assert!(check(&roundabout, true, &[&old]).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_and_devices() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        fs::write(path("a"), "").unwrap();
        fs::hard_link(path("a"), path("hard")).unwrap();
        std::os::unix::fs::symlink("a", path("soft")).unwrap();
        std::os::unix::fs::symlink("nothing", path("broken")).unwrap();
        for name in ["hard", "soft"] {
            assert!(
                Destination::Path(path(name)).check(Writing::binary(true), &[&path("a")]).is_err(),
                "{name}"
            );
        }
        assert!(Destination::Path(path("broken")).check(Writing::binary(false), &[]).is_err());
        assert_eq!(Destination::Path(path("broken")).check(Writing::binary(true), &[]), Ok(()));
        assert_eq!(
            Destination::Path("/dev/null".into()).check(Writing::binary(false), &[]),
            Ok(())
        );
    }
}
