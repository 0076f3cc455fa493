//! Images of which something is known, a class or some quantities: where they come from, how they are split, and how
//! they become batches.

mod batches;
pub mod digits;
mod error;
pub mod folder;
pub mod idx;
mod image_set;
mod images;
pub mod instruments;
mod normalization;
pub mod quantities;
mod random;
mod split;
mod task;

use std::fs;
use std::ops::Range;
use std::path::Path;

use xxhash_rust::xxh3::Xxh3Default;

pub use batches::{Batch, BatchTargets, Batches, Shuffle};
pub use error::DataError;
pub use image_set::ImageSet;
pub use normalization::{Normalization, Scaling};
pub use split::{Split, SplitFractions};
pub use task::{Target, Task};

/// Examples of which something is known, all of one shape, addressed by their number.
pub trait Dataset: Send + Sync {
    /// What people call it.
    fn name(&self) -> &str;

    /// The number of examples.
    fn len(&self) -> usize;

    /// Whether there is no example.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shape of one example: channels, height, width.
    fn input_shape(&self) -> Vec<usize>;

    /// What is to be learnt about the examples.
    fn task(&self) -> &Task;

    /// Writes the values of an example, between 0 and 1, in the order of
    /// [`input_shape`](Self::input_shape) with the last axis fastest.
    ///
    /// # Panics
    ///
    /// When `index` is not below [`len`](Self::len) or `pixels` has another number of elements than
    /// the shape.
    fn read_pixels(&self, index: usize, pixels: &mut [f32]);

    /// What is known of an example: what the [`task`](Self::task) asks for.
    ///
    /// # Panics
    ///
    /// When `index` is not below [`len`](Self::len).
    fn target(&self, index: usize) -> Target<'_>;

    /// The examples that the makers of the data set apart for testing, when they did.
    fn official_test(&self) -> Option<Range<usize>>;
}

/// The names of the sets that come with the program.
pub const INCLUDED: [&str; 2] = ["digits", "instruments"];

/// Opens the data that `specification` names.
///
/// `digits` and `instruments` are the sets that come with the program ([`digits`], [`instruments`]). Everything else is
/// a path: a folder with IDX files or one of its images files ([`idx`]), a folder of images with a table of their
/// quantities ([`quantities`]), or a folder of images by class ([`folder`]). A folder that is called `digits` is reached
/// as `./digits`.
///
/// # Errors
///
/// A [`DataError`] that says what is wrong with the data and what to do about it.
pub fn open(specification: &str) -> Result<Box<dyn Dataset>, DataError> {
    if specification == "digits" {
        return Ok(Box::new(digits::load()?));
    }
    if specification == "instruments" {
        return Ok(Box::new(instruments::draw()));
    }
    let path = Path::new(specification);
    let metadata = fs::metadata(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => DataError::NotFound { path: path.into() },
        _ => DataError::Read {
            path: path.into(),
            source,
        },
    })?;
    let images = if metadata.is_file() {
        idx::open_images(path)?
    } else if idx::is_idx_folder(path) {
        idx::open_folder(path)?
    } else if quantities::is_folder(path) {
        quantities::open(path)?
    } else {
        folder::open(path)?
    };
    Ok(Box::new(images))
}

/// What separates the columns of a table whose header was read as one column, if it seems to be something else than commas.
pub(crate) fn separator_of(header: &str) -> Option<&'static str> {
    let separators = [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")];
    let found = separators.iter().find(|(it, _)| header.contains(*it));
    found.map(|(_, name)| *name)
}

/// The last part of a path, as the name of the data that lies there.
fn name_of(path: &Path) -> String {
    let name_of = |path: &Path| Some(path.file_name()?.to_string_lossy().into_owned());
    name_of(path)
        .or_else(|| name_of(&path.canonicalize().ok()?))
        .unwrap_or_else(|| path.display().to_string())
}

/// A checksum of all pixels and targets, by which data are known again: 32 hexadecimal digits of XXH3.
pub fn checksum(dataset: &dyn Dataset) -> String {
    let mut hasher = Xxh3Default::new();
    let mut pixels = vec![0.0; dataset.input_shape().iter().product()];
    for index in 0..dataset.len() {
        dataset.read_pixels(index, &mut pixels);
        for value in &pixels {
            hasher.update(&value.to_le_bytes());
        }
        match dataset.target(index) {
            Target::Class(class) => hasher.update(&class.to_le_bytes()),
            Target::Quantities(values) => {
                let bytes = values.iter().flat_map(|it| it.to_le_bytes());
                hasher.update(&bytes.collect::<Vec<u8>>());
            }
        }
    }
    format!("{:032x}", hasher.digest128())
}
