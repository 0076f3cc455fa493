use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// What can be wrong with data. Every message says what is wrong, where, and what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// Nothing lies at the path.
    #[error(
        "there is no data at `{path}`; give `digits`, `instruments`, a folder with one folder of PNG or JPEG images for \
         each class, a folder with images and `targets.csv`, or a folder with IDX files (`train-images-idx3-ubyte`, ...)"
    )]
    NotFound {
        /// What was asked for.
        path: PathBuf,
    },

    /// The operating system refused.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },

    /// A folder without folders of images.
    #[error(
        "no images of classes in `{path}`; put the images of each class into a folder of its own, as in \
         `{path}/cat/1.png` and `{path}/dog/1.png`, or name them with their quantities in `{path}/targets.csv`"
    )]
    NoImages {
        /// The folder.
        path: PathBuf,
    },

    /// The folder of a class without images.
    #[error(
        "the class folder `{path}` holds no PNG or JPEG image; put images into it, or remove it"
    )]
    EmptyClass {
        /// The folder.
        path: PathBuf,
    },

    /// Fewer than two classes.
    #[error(
        "`{path}` has one class only, `{class}`; there must be at least two classes to tell apart"
    )]
    OneClass {
        /// The folder.
        path: PathBuf,
        /// The only class.
        class: String,
    },

    /// The test part has a class that the training part lacks.
    #[error(
        "`{path}` is a class that the training part does not have; use the same class names under `train` and `test`"
    )]
    UnknownTestClass {
        /// The folder of the class.
        path: PathBuf,
    },

    /// A file that should be an image.
    #[error("cannot decode the image `{path}`: {reason}; replace the file, or remove it")]
    UnreadableImage {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        reason: String,
    },

    /// An image that is not as large as the others.
    #[error(
        "the image `{path}` is {width}x{height}, but `{first}` is {expected_width}x{expected_height}; \
         all images must have the same width and height: resize or crop them"
    )]
    SizeDiffers {
        /// The odd file.
        path: PathBuf,
        /// Its width in pixels.
        width: u32,
        /// Its height in pixels.
        height: u32,
        /// The file that gave the expected size.
        first: PathBuf,
        /// The width of the first image.
        expected_width: u32,
        /// The height of the first image.
        expected_height: u32,
    },

    /// A file that is not an IDX file.
    #[error(
        "`{path}` is not an IDX file: it begins with {}, an IDX file of bytes begins with 00 00 08; \
         check that the path names the right file and that it was downloaded whole",
        hexadecimal(.found)
    )]
    NotIdx {
        /// The file.
        path: PathBuf,
        /// Its first bytes.
        found: Vec<u8>,
    },

    /// An IDX file of something else.
    #[error(
        "`{path}` holds an array of rank {found}, but {content} need one of rank {expected}; \
         are the files of images and labels mixed up?"
    )]
    IdxRank {
        /// The file.
        path: PathBuf,
        /// What the file should hold.
        content: &'static str,
        /// The rank it should have.
        expected: usize,
        /// The rank it has.
        found: usize,
    },

    /// An IDX file that is shorter or longer than its header says.
    #[error(
        "`{path}` is damaged: its header promises {expected} bytes of data and {}; download or copy it again",
        if u128::from(*found) < *expected { format!("only {found} follow") } else { "more follow".into() }
    )]
    IdxLength {
        /// The file.
        path: PathBuf,
        /// The bytes that the header promises.
        expected: u128,
        /// The bytes that are there.
        found: u64,
    },

    /// A gzip stream that can't be unpacked.
    #[error("cannot unpack `{path}`: {source}; download or copy it again")]
    Gzip {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        source: io::Error,
    },

    /// A file of a pair is not there.
    #[error(
        "`{path}` (or `{path}.gz`) is missing; {companion} needs it: images and labels are a pair, named as in \
         `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`"
    )]
    MissingIdx {
        /// The file that is missing.
        path: PathBuf,
        /// What needs it.
        companion: String,
    },

    /// A file whose name does not say where the labels are.
    #[error(
        "`{path}` is a file, but not one of images in IDX format, whose name says where the labels are; \
         name the files as in `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, or give a folder"
    )]
    NotImagesFile {
        /// The file.
        path: PathBuf,
    },

    /// Not as many labels as images.
    #[error(
        "`{images_path}` holds {images} images, but `{labels_path}` holds {labels} labels; \
         use two files that belong together"
    )]
    LabelCount {
        /// The file of images.
        images_path: PathBuf,
        /// Its number of images.
        images: usize,
        /// The file of labels.
        labels_path: PathBuf,
        /// Its number of labels.
        labels: usize,
    },

    /// An IDX file without images, or with images without pixels.
    #[error("`{path}` holds {images} images of {width}x{height}: there is nothing to learn from")]
    EmptyIdx {
        /// The file.
        path: PathBuf,
        /// Its number of images.
        images: usize,
        /// The width of an image in pixels.
        width: usize,
        /// The height of an image in pixels.
        height: usize,
    },

    /// Training and test images of different sizes.
    #[error(
        "the test images in `{path}` are {width}x{height}, the training images are \
         {expected_width}x{expected_height}; both parts must have the same size"
    )]
    PartsDiffer {
        /// The file of test images.
        path: PathBuf,
        /// The width of the test images.
        width: usize,
        /// The height of the test images.
        height: usize,
        /// The width of the training images.
        expected_width: usize,
        /// The height of the training images.
        expected_height: usize,
    },

    /// More than fits into memory.
    #[error(
        "`{path}` holds {bytes} bytes of pixels, more than the {limit} that are read into memory; \
         use fewer or smaller images"
    )]
    TooLarge {
        /// The file or folder.
        path: PathBuf,
        /// The bytes it would take.
        bytes: u128,
        /// The most that is read.
        limit: u64,
    },

    /// A line of the table of quantities.
    #[error("line {line} of `{path}`: {reason}")]
    TableLine {
        /// The table.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it, and what to do.
        reason: String,
    },

    /// The tables of the two parts do not have the same columns.
    #[error(
        "`{path}` has the quantities {found:?}, the training part has {expected:?}; give both tables the same columns \
         in the same order"
    )]
    QuantitiesDiffer {
        /// The table of the test part.
        path: PathBuf,
        /// Its quantities.
        found: Vec<String>,
        /// Those of the training part.
        expected: Vec<String>,
    },

    /// The digits in the program are not as they should be.
    #[error("the digits in this program are damaged at line {line}; build the program again")]
    DamagedDigits {
        /// The line, counted from 1.
        line: usize,
    },

    /// Fractions that leave a part without examples.
    #[error(
        "a split with a validation share of {validation} and a test share of {test} is not possible; \
         both must be above 0, and their sum below 1"
    )]
    Fractions {
        /// The share of the validation part.
        validation: f64,
        /// The share of the test part.
        test: f64,
    },

    /// A part of the split would be empty.
    #[error(
        "`{name}` has too few examples, {examples}: the {part} part of the split would be empty; \
         add examples, or give that part a larger share"
    )]
    TooFewExamples {
        /// The name of the data.
        name: String,
        /// Its number of examples.
        examples: usize,
        /// `training`, `validation` or `test`.
        part: &'static str,
    },
}

fn hexadecimal(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "nothing (it is empty)".into();
    }
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}
