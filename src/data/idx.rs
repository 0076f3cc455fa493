//! IDX files, the format of MNIST: arrays of bytes with a header of their sizes, plain or gzipped.
//!
//! A folder holds `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, and may hold
//! `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, the official test part. Every name may
//! end in `.gz`, and `train-images.idx3-ubyte` is read as well; whether a file is gzipped follows
//! from its content. The format is described at the end of <http://yann.lecun.com/exdb/mnist/>.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::image_set::LARGEST;
use super::task::Targets;
use super::{DataError, ImageSet, Task, name_of};

const TRAINING: &str = "train";
const TEST: &str = "t10k";

/// Whether a folder holds IDX files under the usual names.
pub fn is_idx_folder(folder: &Path) -> bool {
    [TRAINING, TEST].iter().any(|part| {
        find(folder, &names(part, "images", 3)).is_some()
            || find(folder, &names(part, "labels", 1)).is_some()
    })
}

/// Reads a folder of IDX files: shape `[1, h, w]`, the classes `0` up to the largest label, the
/// `t10k` files as the official test part.
///
/// # Errors
///
/// When a file is missing or damaged, or files do not belong together.
pub fn open_folder(folder: &Path) -> Result<ImageSet, DataError> {
    let training = require_part(folder, TRAINING)?;
    let mut images = Labelled::read(&training.0, &training.1)?;
    let mut test = None;
    let has_test = find(folder, &names(TEST, "images", 3)).is_some()
        || find(folder, &names(TEST, "labels", 1)).is_some();
    if has_test {
        let (images_path, labels_path) = require_part(folder, TEST)?;
        let start = images.labels.len();
        images.append(Labelled::read(&images_path, &labels_path)?, &images_path)?;
        test = Some(start..images.labels.len());
    }
    Ok(images.into_set(name_of(folder), test))
}

/// Reads a file of images whose name has `images` in it, and beside it the file of labels, whose
/// name has `labels` (and `idx1` for `idx3`) in that place. There is no official test part.
///
/// # Errors
///
/// As for [`open_pair`], and when there is no file of labels.
pub fn open_images(images: &Path) -> Result<ImageSet, DataError> {
    let file_name = images.file_name().and_then(|name| name.to_str());
    let Some(name) = file_name.filter(|name| name.contains("images")) else {
        return Err(DataError::NotImagesFile {
            path: images.into(),
        });
    };
    let stem = name.strip_suffix(".gz").unwrap_or(name);
    let labels = stem.replace("images", "labels").replace("idx3", "idx1");
    let folder = images.parent().unwrap_or(Path::new(""));
    let Some(labels) = find(folder, std::slice::from_ref(&labels)) else {
        return Err(DataError::MissingIdx {
            path: folder.join(labels),
            companion: format!("`{name}`"),
        });
    };
    open_pair(images, &labels)
}

/// Reads a file of images and the file of their labels, whatever their names are.
///
/// # Errors
///
/// When a file can't be read, is no IDX file, is damaged, or the two do not belong together.
pub fn open_pair(images_path: &Path, labels_path: &Path) -> Result<ImageSet, DataError> {
    Ok(Labelled::read(images_path, labels_path)?.into_set(name_of(images_path), None))
}

/// The content of a pair of files.
struct Labelled {
    height: usize,
    width: usize,
    pixels: Vec<u8>,
    labels: Vec<u32>,
}

impl Labelled {
    fn read(images_path: &Path, labels_path: &Path) -> Result<Self, DataError> {
        let ([images, height, width], pixels) = read::<3>(images_path, "images")?;
        let ([labels], classes) = read::<1>(labels_path, "labels")?;
        if images != labels {
            return Err(DataError::LabelCount {
                images_path: images_path.into(),
                images,
                labels_path: labels_path.into(),
                labels,
            });
        }
        if pixels.is_empty() {
            return Err(DataError::EmptyIdx {
                path: images_path.into(),
                images,
                width,
                height,
            });
        }
        Ok(Self {
            height,
            width,
            pixels,
            labels: classes.into_iter().map(u32::from).collect(),
        })
    }

    /// Puts other images behind these, those in the file `path`.
    fn append(&mut self, others: Self, path: &Path) -> Result<(), DataError> {
        if (others.height, others.width) != (self.height, self.width) {
            return Err(DataError::PartsDiffer {
                path: path.into(),
                width: others.width,
                height: others.height,
                expected_width: self.width,
                expected_height: self.height,
            });
        }
        self.pixels.extend(others.pixels);
        self.labels.extend(others.labels);
        Ok(())
    }

    fn into_set(self, name: String, test: Option<Range<usize>>) -> ImageSet {
        ImageSet {
            name,
            shape: [1, self.height, self.width],
            task: Task::Classes(number_classes(&self.labels)),
            pixels: self.pixels,
            maximum: u8::MAX,
            targets: Targets::Classes(self.labels),
            test,
        }
    }
}

fn number_classes(labels: &[u32]) -> Vec<String> {
    let largest = labels.iter().copied().max().unwrap_or(0);
    (0..=largest).map(|class| class.to_string()).collect()
}

/// The names that the file of a part may have, without `.gz`.
fn names(part: &str, content: &str, axes: usize) -> [String; 2] {
    [
        format!("{part}-{content}-idx{axes}-ubyte"),
        format!("{part}-{content}.idx{axes}-ubyte"),
    ]
}

fn find(folder: &Path, names: &[String]) -> Option<PathBuf> {
    names
        .iter()
        .flat_map(|name| [folder.join(name), folder.join(format!("{name}.gz"))])
        .find(|path| path.is_file())
}

fn require_part(folder: &Path, part: &str) -> Result<(PathBuf, PathBuf), DataError> {
    let require = |content, axes, companion: &str| {
        let names = names(part, content, axes);
        find(folder, &names).ok_or_else(|| DataError::MissingIdx {
            path: folder.join(&names[0]),
            companion: companion.into(),
        })
    };
    let images = require("images", 3, "this data")?;
    let labels = require("labels", 1, &format!("`{}`", name_of(&images)))?;
    Ok((images, labels))
}

/// Reads an array of bytes with `AXES` axes: their sizes and the values.
fn read<const AXES: usize>(
    path: &Path,
    content: &'static str,
) -> Result<([usize; AXES], Vec<u8>), DataError> {
    let read_error = |source| DataError::Read {
        path: path.into(),
        source,
    };
    let mut file = BufReader::new(File::open(path).map_err(read_error)?);
    let gzipped = file
        .fill_buf()
        .map_err(read_error)?
        .starts_with(&[0x1f, 0x8b]);
    if gzipped {
        let gzip_error = |source| DataError::Gzip {
            path: path.into(),
            source,
        };
        read_array(MultiGzDecoder::new(file), path, content, None, gzip_error)
    } else {
        let length = fs::metadata(path).map_err(read_error)?.len();
        read_array(file, path, content, Some(length), read_error)
    }
}

/// Reads the array from a stream of `length` bytes, when that is known: nothing is read if the
/// header promises something else.
fn read_array<const AXES: usize>(
    mut stream: impl Read,
    path: &Path,
    content: &'static str,
    length: Option<u64>,
    stream_error: impl Fn(io::Error) -> DataError,
) -> Result<([usize; AXES], Vec<u8>), DataError> {
    const BYTES: u8 = 0x08;
    let magic = read_up_to(&mut stream, 4).map_err(&stream_error)?;
    let &[0, 0, BYTES, axes] = magic.as_slice() else {
        return Err(DataError::NotIdx {
            path: path.into(),
            found: magic,
        });
    };
    if usize::from(axes) != AXES {
        return Err(DataError::IdxRank {
            path: path.into(),
            content,
            expected: AXES,
            found: axes.into(),
        });
    }
    let damaged = |expected, found| DataError::IdxLength {
        path: path.into(),
        expected,
        found,
    };
    let header = read_up_to(&mut stream, 4 * AXES as u64).map_err(&stream_error)?;
    if header.len() < 4 * AXES {
        return Err(damaged(4 * AXES as u128, header.len() as u64));
    }
    let mut sizes = [0u32; AXES];
    for (size, bytes) in sizes.iter_mut().zip(header.chunks_exact(4)) {
        *size = bytes
            .iter()
            .fold(0, |size, &byte| size << 8 | u32::from(byte));
    }
    let total: u128 = sizes.iter().map(|&size| u128::from(size)).product();
    let rest = length.map(|length| length.saturating_sub(4 + 4 * AXES as u64));
    if let Some(rest) = rest.filter(|&rest| u128::from(rest) != total) {
        return Err(damaged(total, rest));
    }
    if total > u128::from(LARGEST) {
        return Err(DataError::TooLarge {
            path: path.into(),
            bytes: total,
            limit: LARGEST,
        });
    }
    let values = read_up_to(&mut stream, total as u64 + 1).map_err(&stream_error)?;
    if values.len() as u128 != total {
        return Err(damaged(total, values.len() as u64));
    }
    Ok((sizes.map(|size| size as usize), values))
}

fn read_up_to(stream: &mut impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
