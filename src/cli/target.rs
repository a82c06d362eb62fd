//! Where the result shall go, and whether it may.

use super::console::plain;
use super::failure::Failure;
use std::fs::{self, Metadata};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

/// The name that stands for standard input and output.
pub(crate) const PIPE: &str = "-";

/// A place for the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Standard output.
    Stdout,
    /// A file, a device or a named pipe.
    Path(PathBuf),
}

impl Target {
    /// What `-o PATH` means.
    pub(crate) fn new(path: PathBuf) -> Self {
        if path == Path::new(PIPE) { Target::Stdout } else { Target::Path(path) }
    }

    /// Where `compress` writes when not told: beside the input, a pipe into a pipe.
    pub(crate) fn for_archive_of(input: &Path) -> Self {
        if input == Path::new(PIPE) {
            return Target::Stdout;
        }
        let mut path = input.as_os_str().to_os_string();
        path.push(".aez");
        Target::Path(path.into())
    }

    /// Where `decompress` writes when not told: beside the archive, under the stored name.
    pub(crate) fn for_contents_of(archive: &Path, stored: &str) -> Result<Self, Failure> {
        if archive == Path::new(PIPE) {
            return Ok(Target::Stdout);
        }
        let name = safe_name(stored).ok_or_else(|| {
            Failure::error(match stored {
                "" => "the file does not know its old name; give one with -o".to_string(),
                _ => format!("the stored name {stored:?} is no file name; give one with -o"),
            })
        })?;
        Ok(Target::Path(archive.with_file_name(name)))
    }

    /// Fails if the target is one of `sources`, exists and may not be replaced, or is a
    /// terminal that would be shown binary.
    pub(crate) fn check(
        &self,
        force: bool,
        binary: bool,
        sources: &[&Path],
    ) -> Result<(), Failure> {
        let path = match self {
            Target::Stdout if binary && !force && io::stdout().is_terminal() => {
                return Err(shown_binary("standard output"));
            }
            Target::Stdout => return Ok(()),
            Target::Path(path) => path,
        };
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
        if !force {
            return Err(Failure::error(format!("{shown} already exists; -f overwrites it")));
        }
        Ok(())
    }
}

impl Target {
    /// Fails if both are one place, where the second result would replace the first.
    pub(crate) fn expect_apart(&self, other: &Target) -> Result<(), Failure> {
        let are_one = match (self, other) {
            (Target::Stdout, Target::Stdout) => true,
            (Target::Path(a), Target::Path(b)) => {
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

/// The folder that `path` is a file of.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Stdout => f.write_str("standard output"),
            Target::Path(path) => path.display().fmt(f),
        }
    }
}

/// Refuses to fill a terminal with bytes that mean something else to it.
pub(crate) fn shown_binary(what: &str) -> Failure {
    Failure::error(format!("{what} is a terminal and the data is binary; -f writes it anyway"))
}

/// Whether this is a device or a pipe, written to as it is: nothing can be renamed over
/// `/dev/null`.
pub(crate) fn is_stream(metadata: &Metadata) -> bool {
    !metadata.is_file() && !metadata.is_dir() && !metadata.is_symlink()
}

/// The last component of `stored`, if it names a file that is visible as it is.
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
        match Target::for_contents_of(Path::new(archive), stored).ok()? {
            Target::Path(path) => Some(path),
            Target::Stdout => None,
        }
    }

    #[test]
    fn an_archive_lies_beside_its_input() {
        let target = Target::for_archive_of(Path::new("a/b.npy"));
        assert_eq!(target, Target::Path("a/b.npy.aez".into()));
        assert_eq!(Target::for_archive_of(Path::new("-")), Target::Stdout);
        assert_eq!(Target::new("-".into()), Target::Stdout);
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
        let at = |name: &str| Target::Path(folder.path().join(name));
        assert_eq!(at("a").expect_apart(&at("b")), Ok(()));
        assert_eq!(Target::Stdout.expect_apart(&at("a")), Ok(()));
        for (a, b) in [(at("a"), at("./a")), (Target::Stdout, Target::Stdout)] {
            assert_eq!(a.expect_apart(&b).unwrap_err().code(), 2);
        }
        assert_eq!(
            Target::Path("/dev/null".into()).expect_apart(&Target::Path("/dev/null".into())),
            Ok(())
        );
        assert!(at("none/a").check(true, true, &[]).unwrap_err().message().contains("none"));
    }

    #[test]
    fn what_exists_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::write(&old, "").unwrap();
        let check = |path: &Path, force, sources: &[&Path]| {
            Target::Path(path.to_path_buf()).check(force, true, sources)
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
            assert!(Target::Path(path(name)).check(true, true, &[&path("a")]).is_err(), "{name}");
        }
        assert!(Target::Path(path("broken")).check(false, true, &[]).is_err());
        assert_eq!(Target::Path(path("broken")).check(true, true, &[]), Ok(()));
        assert_eq!(Target::Path("/dev/null".into()).check(false, true, &[]), Ok(()));
    }
}
