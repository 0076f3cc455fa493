//! PNG and JPEG images of one size.
//!
//! Images that are all grey have one channel; where any image is in colour, all have three (red, green,
//! blue). Transparency and the orientation that a camera noted are not looked at.

use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageDecoder, ImageReader, ImageResult};
use rayon::prelude::*;

use super::DataError;
use super::image_set::LARGEST;

/// Reads images of one size: their shape `[c, h, w]`, and the bytes of one after the other in that order. `root` is
/// what the errors name.
pub(super) fn read(root: &Path, files: &[PathBuf]) -> Result<([usize; 3], Vec<u8>), DataError> {
    let shape = common_shape(root, files)?;
    Ok((shape, decode_all(files, shape)?))
}

/// The shape of all images, read from their headers.
fn common_shape(root: &Path, files: &[PathBuf]) -> Result<[usize; 3], DataError> {
    let headers: Vec<_> = files.par_iter().map(|file| header(file)).collect();
    let mut colour = false;
    let mut expected = None;
    for (file, header) in files.iter().zip(headers) {
        let (width, height, has_colour) = header?;
        let (first, expected_width, expected_height) =
            *expected.get_or_insert((file, width, height));
        if (width, height) != (expected_width, expected_height) {
            return Err(DataError::SizeDiffers {
                path: file.clone(),
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

fn decode_all(files: &[PathBuf], shape: [usize; 3]) -> Result<Vec<u8>, DataError> {
    let size: usize = shape.iter().product();
    let mut pixels = vec![0; files.len() * size];
    let results: Vec<Result<(), DataError>> = pixels
        .par_chunks_mut(size)
        .zip(files)
        .map(|(pixels, file)| {
            let image = decode(file)?;
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
