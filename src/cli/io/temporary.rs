//! Temporary files that an interrupt takes with it.

use crate::cli::io::signals;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::{NamedTempFile, TempDir};

/// Names of the temporary files there are now.
///
/// Every creation, renaming and removal holds the lock, so that an interrupt, which takes
/// it as well, finds each file either not yet there, or listed, or complete.
static NAMES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Exit code after SIGINT, as shells count.
const INTERRUPTED: i32 = 130;

/// What the name of a temporary file begins and ends with.
const PREFIX: &str = ".aezip-";
const SUFFIX: &str = ".tmp";
/// How often a file is made anew that another run sweeps up before it is locked.
const ATTEMPTS: usize = 8;

/// Makes an interrupt remove all temporary files and end the program.
pub(crate) fn remove_on_interrupt() {
    signals::on_interrupt(|| {
        let names = lock();
        for name in names.iter() {
            let _ = fs::remove_file(name).or_else(|_| fs::remove_dir_all(name));
        }
        // Still holding the lock: nothing can be created or renamed any more.
        std::process::exit(INTERRUPTED);
    });
}

fn lock() -> MutexGuard<'static, Vec<PathBuf>> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that is gone when dropped, unless it was given its name before.
pub(crate) struct Temporary(Option<NamedTempFile>);

impl Temporary {
    /// Makes a new file in `folder`, with the permissions of any new file, and removes those that
    /// runs left there which were killed.
    pub(crate) fn beside(folder: &Path) -> io::Result<Self> {
        sweep(folder);
        Self::register(|| create(folder))
    }

    fn register(create: impl FnOnce() -> io::Result<NamedTempFile>) -> io::Result<Self> {
        let mut names = lock();
        let file = create()?;
        names.push(file.path().to_path_buf());
        Ok(Self(Some(file)))
    }

    /// Returns the open file.
    pub(crate) fn file(&self) -> io::Result<&File> {
        self.0.as_ref().map(NamedTempFile::as_file).ok_or_else(renamed)
    }

    /// Gives the file its name. What is there is replaced if `replace`, else it is an error
    /// of kind `AlreadyExists`, even if it came only just now.
    pub(crate) fn rename(mut self, to: &Path, replace: bool) -> io::Result<()> {
        let mut names = lock();
        let file = self.0.take().ok_or_else(renamed)?;
        let listed = file.path().to_path_buf();
        let done = if replace { file.persist(to) } else { file.persist_noclobber(to) };
        let done = match done {
            // Some file systems can neither link nor rename without replacing.
            Err(e)
                if !replace && e.error.kind() != io::ErrorKind::AlreadyExists && !to.exists() =>
            {
                e.file.persist(to)
            }
            done => done,
        };
        // A file that did not get its name is removed here, with the error that holds it.
        let done = done.map(drop).map_err(|e| e.error);
        names.retain(|name| *name != listed);
        done
    }
}

/// A folder that is gone when dropped, unless it was given its name before.
///
/// It cannot be locked: what a run that was killed left of one stays.
pub(crate) struct TemporaryFolder(TempDir);

impl TemporaryFolder {
    /// Makes a new folder in `folder`.
    pub(crate) fn beside(folder: &Path) -> io::Result<Self> {
        let mut names = lock();
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        #[cfg(unix)]
        let everyone: fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        #[cfg(unix)]
        builder.permissions(everyone); // less the umask
        let made = builder.tempdir_in(folder)?;
        names.push(made.path().to_path_buf());
        Ok(Self(made))
    }

    /// Returns where it is.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Gives the folder its name; only an empty folder is replaced.
    pub(crate) fn rename(self, to: &Path) -> io::Result<()> {
        let _names = lock();
        fs::rename(self.0.path(), to)
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let mut names = lock();
        // What was given its name is not here any more.
        let _ = fs::remove_dir_all(self.0.path());
        names.retain(|name| name != self.0.path());
    }
}

/// Makes a file in `folder` that is locked as long as it is open, where files can be locked: so it
/// is known to have somebody who writes it.
fn create(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    let everyone: fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(everyone); // less the umask
    let mut file = builder.tempfile_in(folder)?;
    for _ in 0..ATTEMPTS {
        let swept = match file.as_file().try_lock() {
            Err(TryLockError::WouldBlock) => true,
            _ => !file.path().exists(),
        };
        if !swept {
            break;
        }
        file = builder.tempfile_in(folder)?;
    }
    Ok(file)
}

/// Removes temporary files from `folder` that nobody writes any more.
fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let ours = name.starts_with(PREFIX) && name.ends_with(SUFFIX);
        if !ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let Ok(file) = File::options().read(true).write(true).open(entry.path()) else { continue };
        if file.try_lock().is_ok() {
            // Still locked: a run that has only just made it notices, and makes another.
            let _ = fs::remove_file(entry.path());
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(file) = self.0.take() {
            let mut names = lock();
            let listed = file.path().to_path_buf();
            drop(file);
            names.retain(|name| *name != listed);
        }
    }
}

/// Returns an error that cannot happen: the file leaves only with the value itself.
fn renamed() -> io::Error {
    io::Error::other("the temporary file is no longer there")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names in `folder`.
    fn names(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn a_dropped_file_is_gone_and_off_the_list() {
        let folder = tempfile::tempdir().unwrap();
        let file = Temporary::beside(folder.path()).unwrap();
        let path = names(folder.path()).remove(0);
        assert!(lock().contains(&path));
        drop(file);
        assert!(!path.exists() && !lock().contains(&path));
    }

    #[test]
    fn only_files_that_nobody_writes_are_swept_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in [".aezip-killed.tmp", ".aezip-other", "aezip-other.tmp"] {
            fs::write(path(name), "").unwrap();
        }
        fs::create_dir(path(".aezip-folder.tmp")).unwrap();
        let mine = Temporary::beside(folder.path()).unwrap();
        assert!(!path(".aezip-killed.tmp").exists());
        assert_eq!(names(folder.path()).len(), 4);
        let other = Temporary::beside(folder.path()).unwrap();
        assert_eq!(names(folder.path()).len(), 5, "one that is being written was swept up");
        drop((mine, other));
        assert_eq!(names(folder.path()).len(), 3);
    }

    #[test]
    fn renaming_replaces_only_on_demand() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("out");
        let new = || Temporary::beside(folder.path()).unwrap();
        new().rename(&to, false).unwrap();
        fs::write(&to, "kept").unwrap();
        let error = new().rename(&to, false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&to).unwrap(), "kept");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        new().rename(&to, true).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(!lock().iter().any(|name| name.starts_with(folder.path())));
    }
}
