//! A folder of PNG or JPEG images by class: `root/CLASS/*.png`, or the same under `root/train` and
//! `root/test`.
//!
//! All images must have the same size, and are read as [`quantities`](super::quantities) are. Classes and files are in the
//! order of their names.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::task::Targets;
use super::{DataError, ImageSet, Task, images, name_of};

/// Reads a folder of images by class. `root/train` and `root/test` are taken as the two parts when
/// they hold folders; a folder `train` that holds images is a class.
///
/// # Errors
///
/// When there are no images or fewer than two classes, an image can't be read or has another size
/// than the first one, or the test part has a class of its own.
pub fn open(root: &Path) -> Result<ImageSet, DataError> {
    let (training_root, test_root) = find_parts(root)?;
    let training = list_classes(&training_root)?;
    let classes: Vec<String> = training.iter().map(|folder| name_of(folder)).collect();
    match classes.as_slice() {
        [] => return Err(DataError::NoImages { path: root.into() }),
        [class] => {
            return Err(DataError::OneClass {
                path: training_root,
                class: class.clone(),
            });
        }
        _ => {}
    }
    let mut files = list_files(&training, &classes)?;
    let training_files = files.len();
    let test = match test_root {
        Some(test_root) => {
            files.extend(list_files(&list_classes(&test_root)?, &classes)?);
            Some(training_files..files.len())
        }
        None => None,
    };
    let (paths, labels): (Vec<PathBuf>, Vec<u32>) = files.into_iter().unzip();
    let (shape, pixels) = images::read(root, &paths)?;
    Ok(ImageSet {
        name: name_of(root),
        shape,
        task: Task::Classes(classes),
        pixels,
        maximum: u8::MAX,
        targets: Targets::Classes(labels),
        test,
    })
}

fn find_parts(root: &Path) -> Result<(PathBuf, Option<PathBuf>), DataError> {
    let part_of = |name: &str| -> Result<Option<PathBuf>, DataError> {
        let part = root.join(name);
        let is_part = part.is_dir() && !list_classes(&part)?.is_empty();
        Ok(is_part.then_some(part))
    };
    Ok(match part_of("train")? {
        Some(training) => (training, part_of("test")?),
        None => (root.to_path_buf(), None),
    })
}

/// What lies in a folder, hidden entries left out, in the order of the names.
fn list(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let read_error = |source| DataError::Read {
        path: folder.into(),
        source,
    };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(read_error)? {
        let entry = entry.map_err(read_error)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            entries.push(entry.path());
        }
    }
    entries.sort_unstable();
    Ok(entries)
}

fn list_classes(root: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut folders = list(root)?;
    folders.retain(|path| path.is_dir());
    Ok(folders)
}

/// The images in the folders of classes, each with its class.
fn list_files(folders: &[PathBuf], classes: &[String]) -> Result<Vec<(PathBuf, u32)>, DataError> {
    let mut files = Vec::new();
    for folder in folders {
        let name = name_of(folder);
        let Some((label, _)) = (0..).zip(classes).find(|(_, class)| **class == name) else {
            return Err(DataError::UnknownTestClass {
                path: folder.clone(),
            });
        };
        let before = files.len();
        let images = list(folder)?.into_iter().filter(|path| is_image(path));
        files.extend(images.map(|path| (path, label)));
        if files.len() == before {
            return Err(DataError::EmptyClass {
                path: folder.clone(),
            });
        }
    }
    Ok(files)
}

fn is_image(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or("");
    ["png", "jpg", "jpeg"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}
