//! Writing files so that nothing is ever half written.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Writes a file so that at every moment, also after a crash, there is the old content or the new
/// one under its name. What another file stood there for (its permissions, a link to it) stays.
///
/// # Errors
///
/// What the system says. The old file is as it was then.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    write_by(path, |beside| fs::write(beside, content))
}

/// As [`write()`], of content that need not be in memory as a whole: `fill` writes it to the path that it is given.
///
/// # Errors
///
/// As [`write()`], and what `fill` gives.
pub(crate) fn write_by(path: &Path, fill: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let beside = beside(&path);
    let result = fill(&beside).and_then(|()| put_in_place(&beside, &path));
    if result.is_err() {
        // The error that matters is the first one.
        let _ = fs::remove_file(&beside);
    }
    result
}

fn put_in_place(beside: &Path, path: &Path) -> io::Result<()> {
    let file = File::options().write(true).open(beside)?;
    if let Ok(old) = fs::metadata(path) {
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()?;
    fs::rename(beside, path)?;
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    sync_folder(folder.unwrap_or(Path::new(".")))
}

/// Where a file is written before it takes its place.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path.file_name().unwrap_or_default());
    name.push(".tmp");
    path.with_file_name(name)
}

/// Makes a renamed file's new name last. Only Unix lets a folder be opened for that.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_content_takes_the_place_of_the_old() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.snap");
        write(&path, b"old").expect("it can be written");
        write(&path, b"new").expect("it can be written");
        assert_eq!(fs::read(&path).expect("it is there"), b"new");
        let entries = fs::read_dir(folder.path()).expect("it is a folder");
        assert_eq!(entries.count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_can_not_be_written_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.snap");
        fs::create_dir(&path).expect("it is new");
        write(&path, b"new").expect_err("a folder stands there");
        let entries = fs::read_dir(folder.path()).expect("it is a folder");
        assert_eq!(entries.count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (path, link) = (folder.path().join("a"), folder.path().join("b"));
        write(&path, b"old").expect("it can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("it is ours");
        symlink(&path, &link).expect("links are supported");
        write(&link, b"new").expect("it can be written");
        assert!(
            fs::symlink_metadata(&link)
                .expect("it is there")
                .is_symlink()
        );
        let mode = fs::metadata(&path)
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(
            (fs::read(&path).expect("it is there"), mode & 0o777),
            (b"new".to_vec(), 0o640)
        );
    }
}
