//! A folder of PNG or JPEG images by class: `root/CLASS/*.png`, or the same under `root/train` and
//! `root/test`.
//!
//! All images must have the same size. Data of grey images only has one channel; where any image
//! is in colour, all have three (red, green, blue). Transparency and the orientation that a camera
//! noted are not looked at. Classes and files are in the order of their names.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageDecoder, ImageReader, ImageResult};
use rayon::prelude::*;

use super::image_set::LARGEST;
use super::{DataError, ImageSet, name_of};

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
    let shape = common_shape(root, &files)?;
    Ok(ImageSet {
        name: name_of(root),
        shape,
        classes,
        pixels: decode_all(&files, shape)?,
        maximum: u8::MAX,
        labels: files.iter().map(|file| file.label).collect(),
        test,
    })
}

struct LabelledFile {
    path: PathBuf,
    label: u32,
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

fn list_files(folders: &[PathBuf], classes: &[String]) -> Result<Vec<LabelledFile>, DataError> {
    let mut files = Vec::new();
    for folder in folders {
        let name = name_of(folder);
        let Some(label) = (0..).zip(classes).find(|(_, class)| **class == name) else {
            return Err(DataError::UnknownTestClass {
                path: folder.clone(),
            });
        };
        let before = files.len();
        let images = list(folder)?.into_iter().filter(|path| is_image(path));
        files.extend(images.map(|path| LabelledFile {
            path,
            label: label.0,
        }));
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

/// The shape of all images, read from their headers.
fn common_shape(root: &Path, files: &[LabelledFile]) -> Result<[usize; 3], DataError> {
    let headers: Vec<_> = files.par_iter().map(|file| header(&file.path)).collect();
    let mut colour = false;
    let mut expected = None;
    for (file, header) in files.iter().zip(headers) {
        let (width, height, has_colour) = header?;
        let (first, expected_width, expected_height) =
            *expected.get_or_insert((&file.path, width, height));
        if (width, height) != (expected_width, expected_height) {
            return Err(DataError::SizeDiffers {
                path: file.path.clone(),
                width,
                height,
                first: first.clone(),
                expected_width,
                expected_height,
            });
        }
        colour |= has_colour;
    }
    let Some((_, width, height)) = expected else {
        return Err(DataError::NoImages { path: root.into() });
    };
    let channels = if colour { 3 } else { 1 };
    let image = channels * u64::from(width) * u64::from(height);
    let bytes = image.saturating_mul(files.len() as u64);
    if bytes > LARGEST {
        return Err(DataError::TooLarge {
            path: root.into(),
            bytes: bytes.into(),
            limit: LARGEST,
        });
    }
    Ok([channels as usize, height as usize, width as usize])
}

/// Width, height, and whether there is colour.
fn header(path: &Path) -> Result<(u32, u32, bool), DataError> {
    let read = || -> ImageResult<_> {
        let decoder = ImageReader::open(path)?
            .with_guessed_format()?
            .into_decoder()?;
        let (width, height) = decoder.dimensions();
        Ok((width, height, decoder.color_type().has_color()))
    };
    read().map_err(|error| unreadable(path, error))
}

fn decode_all(files: &[LabelledFile], shape: [usize; 3]) -> Result<Vec<u8>, DataError> {
    let size: usize = shape.iter().product();
    let mut pixels = vec![0; files.len() * size];
    let results: Vec<Result<(), DataError>> = pixels
        .par_chunks_mut(size)
        .zip(files)
        .map(|(pixels, file)| {
            let image = decode(&file.path)?;
            write_planes(&image, shape[0], pixels);
            Ok(())
        })
        .collect();
    results.into_iter().collect::<Result<(), DataError>>()?;
    Ok(pixels)
}

fn decode(path: &Path) -> Result<DynamicImage, DataError> {
    let read = || ImageReader::open(path)?.with_guessed_format()?.decode();
    read().map_err(|error| unreadable(path, error))
}

/// Writes an image channel by channel, as `[c, h, w]`.
fn write_planes(image: &DynamicImage, channels: usize, pixels: &mut [u8]) {
    let interleaved = match channels {
        1 => image.to_luma8().into_raw(),
        _ => image.to_rgb8().into_raw(),
    };
    let plane = (pixels.len() / channels).max(1);
    for (channel, values) in pixels.chunks_mut(plane).enumerate() {
        let source = interleaved.iter().skip(channel).step_by(channels);
        for (value, &source) in values.iter_mut().zip(source) {
            *value = source;
        }
    }
}

fn unreadable(path: &Path, error: image::ImageError) -> DataError {
    match error {
        image::ImageError::IoError(source)
            if source.kind() != std::io::ErrorKind::UnexpectedEof =>
        {
            DataError::Read {
                path: path.into(),
                source,
            }
        }
        error => DataError::UnreadableImage {
            path: path.into(),
            reason: error.to_string().trim_end_matches('.').into(),
        },
    }
}
