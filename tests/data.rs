//! Data as a user gives it: what is read, how it is split, what becomes a batch, and what is said
//! when something is wrong with it.
#![cfg(feature = "backend")]

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use image::{GrayImage, Luma, Rgb, RgbImage};
use proptest::prelude::*;
use snapc::data::{
    self, BatchTargets, Batches, DataError, Dataset, Normalization, Scaling, Shuffle, Split,
    SplitFractions, Target, Task,
};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn write(path: impl AsRef<Path>, bytes: &[u8]) {
    let path = path.as_ref();
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(path, bytes).expect("a written file");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("compressed bytes");
    encoder.finish().expect("compressed bytes")
}

/// An IDX file of bytes.
fn idx(sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, sizes.len() as u8];
    file.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    file.extend(values);
    file
}

fn open(path: impl AsRef<Path>) -> Result<Box<dyn Dataset>, DataError> {
    data::open(path.as_ref().to_str().expect("a path in UTF-8"))
}

/// What is said about data at a path, with the folder of the test left out.
fn error(root: &TempDir, path: impl AsRef<Path>) -> String {
    match open(root.path().join(path)) {
        Ok(_) => panic!("this data should not be accepted"),
        Err(error) => error
            .to_string()
            .replace(&format!("{}/", root.path().display()), ""),
    }
}

fn class(dataset: &dyn Dataset, index: usize) -> u32 {
    match dataset.target(index) {
        Target::Class(class) => class,
        Target::Quantities(values) => panic!("{values:?} instead of a class"),
    }
}

fn pixels(dataset: &dyn Dataset, index: usize) -> Vec<f32> {
    let mut pixels = vec![0.0; dataset.input_shape().iter().product()];
    dataset.read_pixels(index, &mut pixels);
    pixels
}

#[test]
fn the_digits_come_with_the_program() {
    let digits = data::open("digits").expect("the digits");
    assert_eq!(digits.len(), 1797);
    assert_eq!(digits.input_shape(), [1, 8, 8]);
    assert!(!digits.task().is_regression());
    assert_eq!(digits.task().names().join(""), "0123456789");
    assert!(digits.official_test().is_none());
    let first: Vec<f32> = pixels(&*digits, 0)[..8]
        .iter()
        .map(|it| it * 16.0)
        .collect();
    assert_eq!(first, [0.0, 0.0, 5.0, 13.0, 9.0, 1.0, 0.0, 0.0]);
    let mut counts = [0; 10];
    for index in 0..digits.len() {
        counts[class(&*digits, index) as usize] += 1;
    }
    assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
}

#[test]
fn what_the_system_or_the_program_itself_has_wrong_is_told() {
    let unreadable = data::open("a\0b").err().expect("an error");
    let damaged = DataError::DamagedDigits { line: 7 };
    insta::assert_snapshot!(format!("{unreadable}\n{damaged}").replace('\0', "(NUL)"));
}

mod idx_files {
    use super::*;

    const IMAGES: &str = "train-images-idx3-ubyte";
    const LABELS: &str = "train-labels-idx1-ubyte";

    #[test]
    fn a_folder_is_read_with_its_official_test_part() {
        let root = folder();
        write(
            root.path().join(IMAGES),
            &idx(&[2, 1, 3], &[0, 51, 255, 1, 2, 3]),
        );
        write(
            root.path().join("train-labels-idx1-ubyte.gz"),
            &gzip(&idx(&[2], &[0, 2])),
        );
        write(
            root.path().join("t10k-images.idx3-ubyte"),
            &idx(&[1, 1, 3], &[7, 8, 9]),
        );
        write(root.path().join("t10k-labels-idx1-ubyte"), &idx(&[1], &[3]));
        let data = open(root.path()).expect("data");
        assert_eq!((data.len(), data.input_shape()), (3, vec![1, 1, 3]));
        assert_eq!(data.task().names(), ["0", "1", "2", "3"]);
        assert_eq!(data.official_test(), Some(2..3));
        assert_eq!(pixels(&*data, 0), [0.0, 0.2, 1.0]);
        assert_eq!((class(&*data, 1), class(&*data, 2)), (2, 3));
    }

    #[test]
    fn gzip_is_told_by_the_content_and_not_by_the_name() {
        let root = folder();
        write(root.path().join(IMAGES), &gzip(&idx(&[2, 1, 1], &[1, 2])));
        write(
            root.path().join("train-labels-idx1-ubyte.gz"),
            &idx(&[2], &[0, 1]),
        );
        assert_eq!(open(root.path()).expect("data").len(), 2);
    }

    #[test]
    fn a_file_of_images_finds_its_labels() {
        let root = folder();
        write(
            root.path().join("my-images.idx3.gz"),
            &gzip(&idx(&[2, 2, 1], &[1, 2, 3, 4])),
        );
        write(root.path().join("my-labels.idx1"), &idx(&[2], &[1, 0]));
        let data = open(root.path().join("my-images.idx3.gz")).expect("data");
        assert_eq!((data.len(), data.input_shape()), (2, vec![1, 2, 1]));
        assert!(data.official_test().is_none());
    }

    #[test]
    fn damaged_files_are_told_with_what_to_do() {
        let cases: [(&str, Vec<u8>, Vec<u8>); 12] = [
            (
                "images cut off",
                idx(&[2, 1, 3], &[1, 2, 3, 4]),
                idx(&[2], &[0, 1]),
            ),
            (
                "images cut off in gzip",
                gzip(&idx(&[2, 1, 3], &[1, 2, 3, 4])),
                idx(&[2], &[0, 1]),
            ),
            (
                "more than promised",
                idx(&[2, 1, 1], &[1, 2, 3]),
                idx(&[2], &[0, 1]),
            ),
            (
                "more than promised in gzip",
                gzip(&idx(&[2, 1, 1], &[1, 2, 3])),
                idx(&[2], &[0, 1]),
            ),
            ("header cut off", vec![0, 0, 8, 3, 0, 0], idx(&[2], &[0, 1])),
            ("not IDX", b"<!DOCTYPE html>".to_vec(), idx(&[2], &[0, 1])),
            ("empty", vec![], idx(&[2], &[0, 1])),
            ("mixed up", idx(&[2], &[0, 1]), idx(&[2, 1, 1], &[1, 2])),
            (
                "label count",
                idx(&[2, 1, 1], &[1, 2]),
                idx(&[3], &[0, 1, 2]),
            ),
            ("no images", idx(&[0, 28, 28], &[]), idx(&[0], &[])),
            (
                "sizes overflow",
                gzip(&idx(&[u32::MAX; 3], &[])),
                idx(&[2], &[0, 1]),
            ),
            (
                "gzip cut off",
                gzip(&idx(&[2, 1, 1], &[1, 2]))[..20].to_vec(),
                idx(&[2], &[0, 1]),
            ),
        ];
        let mut messages = String::new();
        for (name, images, labels) in cases {
            let root = folder();
            write(root.path().join("mnist").join(IMAGES), &images);
            write(root.path().join("mnist").join(LABELS), &labels);
            messages += &format!("{name}:\n    {}\n", error(&root, "mnist"));
        }
        insta::assert_snapshot!(messages);
    }

    #[test]
    fn missing_and_unfitting_files_are_told_with_what_to_do() {
        let root = folder();
        let pair = |folder: &str, part: &str, side: u32| {
            let folder = root.path().join(folder);
            let values = vec![1; (side * side) as usize];
            write(
                folder.join(format!("{part}-images-idx3-ubyte")),
                &idx(&[1, side, side], &values),
            );
            write(
                folder.join(format!("{part}-labels-idx1-ubyte")),
                &idx(&[1], &[1]),
            );
        };
        pair("test only", "t10k", 2);
        pair("parts differ", "train", 2);
        pair("parts differ", "t10k", 3);
        pair("no labels", "train", 2);
        fs::remove_file(root.path().join("no labels").join(LABELS)).expect("removed");
        write(root.path().join("words.txt"), b"no images");
        let mut messages = String::new();
        for path in [
            "test only",
            "parts differ",
            "no labels",
            "no labels/train-images-idx3-ubyte",
            "words.txt",
        ] {
            messages += &format!("{path}:\n    {}\n", error(&root, path));
        }
        insta::assert_snapshot!(messages);
    }
}

mod image_folders {
    use super::*;

    fn grey(path: impl AsRef<Path>, width: u32, height: u32, value: u8) {
        let path = path.as_ref();
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        GrayImage::from_pixel(width, height, Luma([value]))
            .save(path)
            .expect("a saved image");
    }

    #[test]
    fn grey_images_have_one_channel_and_classes_are_in_order() {
        let root = folder();
        let mut ramp = GrayImage::new(3, 2);
        for (place, pixel) in ramp.pixels_mut().enumerate() {
            *pixel = Luma([51 * place as u8]);
        }
        fs::create_dir_all(root.path().join("cat")).expect("a folder");
        ramp.save(root.path().join("cat/2.png")).expect("saved");
        grey(root.path().join("cat/1.png"), 3, 2, 0);
        grey(root.path().join("dog/1.PNG"), 3, 2, 255);
        write(root.path().join("dog/notes.txt"), b"not an image");
        write(root.path().join(".hidden/1.png"), b"not looked at");
        let data = open(root.path()).expect("data");
        assert_eq!((data.len(), data.input_shape()), (3, vec![1, 2, 3]));
        assert_eq!(data.task().names(), ["cat", "dog"]);
        assert_eq!(
            (0..3).map(|it| class(&*data, it)).collect::<Vec<_>>(),
            [0, 0, 1]
        );
        assert_eq!(pixels(&*data, 1), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        assert!(data.official_test().is_none());
    }

    #[test]
    fn colour_images_have_three_channels_one_after_the_other() {
        let root = folder();
        fs::create_dir_all(root.path().join("a")).expect("a folder");
        let mut colours = RgbImage::new(2, 1);
        colours.put_pixel(0, 0, Rgb([255, 0, 51]));
        colours.put_pixel(1, 0, Rgb([0, 102, 0]));
        colours.save(root.path().join("a/1.png")).expect("saved");
        grey(root.path().join("b/1.png"), 2, 1, 51);
        let data = open(root.path()).expect("data");
        assert_eq!(data.input_shape(), [3, 1, 2]);
        assert_eq!(pixels(&*data, 0), [1.0, 0.0, 0.0, 0.4, 0.2, 0.0]);
        assert_eq!(pixels(&*data, 1), [0.2; 6]);
    }

    #[test]
    fn jpeg_images_are_read() {
        let root = folder();
        for class in ["a", "b"] {
            grey(root.path().join(class).join("1.jpeg"), 8, 8, 128);
            grey(root.path().join(class).join("2.jpg"), 8, 8, 128);
        }
        let data = open(root.path()).expect("data");
        assert_eq!((data.len(), data.input_shape()), (4, vec![1, 8, 8]));
    }

    #[test]
    fn train_and_test_folders_are_the_official_parts() {
        let root = folder();
        for (path, value) in [
            ("train/a/1.png", 0),
            ("train/b/1.png", 51),
            ("train/b/2.png", 102),
            ("test/b/1.png", 255),
        ] {
            grey(root.path().join(path), 1, 1, value);
        }
        let data = open(root.path()).expect("data");
        assert_eq!(data.official_test(), Some(3..4));
        assert_eq!((class(&*data, 3), pixels(&*data, 3)), (1, vec![1.0]));
    }

    #[test]
    fn a_class_may_be_called_train() {
        let root = folder();
        grey(root.path().join("train/1.png"), 1, 1, 0);
        grey(root.path().join("plane/1.png"), 1, 1, 0);
        let data = open(root.path()).expect("data");
        assert_eq!(data.task().names(), ["plane", "train"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_what_to_do() {
        let root = folder();
        let at = |path: &str| root.path().join(path);
        fs::create_dir_all(at("empty")).expect("a folder");
        grey(at("flat/1.png"), 2, 2, 0);
        grey(at("one class/cat/1.png"), 2, 2, 0);
        for class in ["cat", "dog"] {
            for data in [
                "empty class",
                "odd size",
                "no image",
                "cut off",
                "test class/train",
            ] {
                grey(at(data).join(class).join("1.png"), 2, 2, 0);
            }
        }
        fs::create_dir_all(at("empty class/eel")).expect("a folder");
        grey(at("odd size/dog/2.png"), 3, 2, 0);
        write(at("no image/cat/2.png"), b"this is text");
        let whole = fs::read(at("cut off/cat/1.png")).expect("an image");
        write(at("cut off/cat/1.png"), &whole[..whole.len() / 2]);
        grey(at("test class/test/eel/1.png"), 2, 2, 0);
        let mut messages = String::new();
        for path in [
            "nowhere",
            "empty",
            "flat",
            "one class",
            "empty class",
            "odd size",
            "no image",
            "cut off",
            "test class",
        ] {
            messages += &format!("{path}:\n    {}\n", error(&root, path));
        }
        insta::assert_snapshot!(messages);
    }
}

mod splits {
    use super::*;

    /// Labels without pixels.
    struct Labels {
        labels: Vec<u32>,
        task: Task,
        test: usize,
    }

    impl Labels {
        fn new(sizes: &[usize], test: usize) -> Self {
            let labels = (0..).zip(sizes);
            Self {
                labels: labels
                    .flat_map(|(label, &size)| vec![label; size])
                    .collect(),
                task: Task::Classes((0..sizes.len()).map(|it| it.to_string()).collect()),
                test,
            }
        }
    }

    impl Dataset for Labels {
        fn name(&self) -> &str {
            "labels"
        }
        fn len(&self) -> usize {
            self.labels.len()
        }
        fn input_shape(&self) -> Vec<usize> {
            vec![1, 1, 1]
        }
        fn task(&self) -> &Task {
            &self.task
        }
        fn read_pixels(&self, index: usize, pixels: &mut [f32]) {
            pixels.fill(index as f32);
        }
        fn target(&self, index: usize) -> Target<'_> {
            Target::Class(self.labels[index])
        }
        fn official_test(&self) -> Option<std::ops::Range<usize>> {
            (self.test > 0).then(|| self.len() - self.test..self.len())
        }
    }

    proptest! {
        #[test]
        fn parts_are_disjoint_complete_and_keep_the_class_shares(
            sizes in prop::collection::vec(0usize..60, 1..12),
            validation in 0.05..0.4f64,
            test in 0.05..0.4f64,
            seed: u64,
        ) {
            let labels = Labels::new(&sizes, 0);
            let fractions = SplitFractions { validation, test };
            let Ok(split) = Split::new(&labels, fractions, seed) else {
                // Nothing but too few examples is a reason.
                prop_assert!(labels.len() < 40);
                return Ok(());
            };
            let parts = [&split.training, &split.validation, &split.test];
            let mut all: Vec<usize> = parts.into_iter().flatten().copied().collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
            let shares = [1.0 - validation - test, validation, test];
            for (part, share) in parts.into_iter().zip(shares) {
                for (label, &size) in sizes.iter().enumerate() {
                    let count = part.iter().filter(|&&it| labels.labels[it] as usize == label);
                    let exact = share * size as f64;
                    prop_assert!((count.count() as f64 - exact).abs() < 1.0 + 1e-9);
                }
            }
            for label in labels.labels.iter().copied() {
                prop_assert!(split.training.iter().any(|&it| labels.labels[it] == label));
            }
            prop_assert_eq!(&split, &Split::new(&labels, fractions, seed).expect("the same split"));
        }

        #[test]
        fn the_official_test_part_is_the_test_part(seed: u64) {
            let labels = Labels::new(&[50, 50, 25], 25);
            let split = Split::new(&labels, SplitFractions::default(), seed).expect("a split");
            prop_assert_eq!(split.test, (100..125).collect::<Vec<_>>());
            prop_assert_eq!(split.validation.len(), 15);
            prop_assert_eq!(split.training.len(), 85);
        }
    }

    #[test]
    fn small_classes_share_the_parts() {
        let labels = Labels::new(&[3; 20], 0);
        let split = Split::new(&labels, SplitFractions::default(), 0).expect("a split");
        let sizes = [&split.training, &split.validation, &split.test].map(Vec::len);
        assert_eq!(sizes, [42, 9, 9]);
    }

    #[test]
    fn another_seed_gives_another_split() {
        let digits = data::open("digits").expect("the digits");
        let split = |seed| Split::new(&*digits, SplitFractions::default(), seed).expect("a split");
        assert_ne!(split(0), split(1));
        let sizes = [split(0).training, split(0).validation, split(0).test].map(|it| it.len());
        assert_eq!(sizes, [1258, 270, 269]);
    }

    #[test]
    fn impossible_splits_are_told_with_what_to_do() {
        let message = |sizes: &[usize], validation, test| {
            let fractions = SplitFractions { validation, test };
            let split = Split::new(&Labels::new(sizes, 0), fractions, 0);
            split.expect_err("an impossible split").to_string()
        };
        insta::assert_snapshot!(
            [
                message(&[10, 10], 0.5, 0.5),
                message(&[10, 10], 0.0, 0.5),
                message(&[10, 10], f64::NAN, 0.5),
                message(&[1, 1], 0.1, 0.1),
            ]
            .join("\n")
        );
    }
}

mod batches {
    use super::*;

    const SHUFFLE: Shuffle = Shuffle {
        seed: 3,
        epoch: 2,
        shift: 1,
    };

    fn digits() -> (Box<dyn Dataset>, Normalization, Vec<usize>) {
        let digits = data::open("digits").expect("the digits");
        let examples: Vec<usize> = (0..500).collect();
        let normalization = Normalization::measure(&*digits, &examples);
        (digits, normalization, examples)
    }

    fn values(batches: &Batches<'_>, number: usize) -> Vec<f32> {
        let batch = batches.read(number).expect("a batch");
        let inputs = batch.inputs.flatten_all().expect("values");
        inputs.to_vec1().expect("values")
    }

    #[test]
    fn an_epoch_has_every_example_once_in_batches_of_nearly_one_size() {
        let (digits, normalization, examples) = digits();
        let batches = Batches::shuffled(&*digits, &normalization, &examples, 64, SHUFFLE);
        let sizes: Vec<usize> = (0..batches.count())
            .map(|it| batches.examples(it).len())
            .collect();
        assert_eq!(sizes, [62, 63, 62, 63, 62, 63, 62, 63]);
        let mut seen: Vec<usize> = (0..batches.count())
            .flat_map(|it| batches.examples(it).to_vec())
            .collect();
        assert_ne!(seen, examples);
        seen.sort_unstable();
        assert_eq!(seen, examples);
        let batch = batches.read(0).expect("a batch");
        assert_eq!(batch.inputs.dims(), [62, 1, 8, 8]);
        let BatchTargets::Classes { tensor, classes } = batch.targets else {
            panic!("digits have classes");
        };
        assert_eq!(tensor.to_vec1::<u32>().expect("labels"), classes);
        assert_eq!(classes[5], class(&*digits, batches.examples(0)[5]));
    }

    #[test]
    fn the_same_epoch_is_the_same_and_the_next_one_is_not() {
        let (digits, normalization, examples) = digits();
        let batch = |shuffle, number| {
            let batches = Batches::shuffled(&*digits, &normalization, &examples, 64, shuffle);
            values(&batches, number)
        };
        assert_eq!(batch(SHUFFLE, 4), batch(SHUFFLE, 4));
        assert_ne!(
            batch(SHUFFLE, 4),
            batch(
                Shuffle {
                    epoch: 3,
                    ..SHUFFLE
                },
                4
            )
        );
        assert_ne!(batch(SHUFFLE, 4), batch(Shuffle { seed: 4, ..SHUFFLE }, 4));
    }

    #[test]
    fn how_an_image_is_moved_does_not_depend_on_the_batch_it_is_in() {
        let (digits, normalization, examples) = digits();
        let find = |batch_size, examples: &[usize]| {
            let batches =
                Batches::shuffled(&*digits, &normalization, examples, batch_size, SHUFFLE);
            (0..batches.count())
                .find_map(|number| {
                    let place = batches.examples(number).iter().position(|&it| it == 7)?;
                    Some(values(&batches, number)[64 * place..][..64].to_vec())
                })
                .expect("example 7")
        };
        assert_eq!(find(64, &examples), find(9, &examples[..50]));
    }

    #[test]
    fn training_values_have_mean_0_and_deviation_1() {
        let (digits, normalization, examples) = digits();
        let batches = Batches::in_order(&*digits, &normalization, &examples, 500);
        let values = values(&batches, 0);
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let squares = values.iter().map(|it| it * it).sum::<f32>() / values.len() as f32;
        assert!(
            mean.abs() < 1e-4 && (squares - 1.0).abs() < 1e-4,
            "{mean} {squares}"
        );
    }

    #[test]
    fn a_constant_channel_stays_finite() {
        let root = folder();
        write(
            root.path().join("train-images-idx3-ubyte"),
            &idx(&[2, 1, 1], &[9, 9]),
        );
        write(
            root.path().join("train-labels-idx1-ubyte"),
            &idx(&[2], &[0, 1]),
        );
        let data = open(root.path()).expect("data");
        let normalization = Normalization::measure(&*data, &[0, 1]);
        let batches = Batches::in_order(&*data, &normalization, &[0, 1], 2);
        assert_eq!(values(&batches, 0), [0.0, 0.0]);
    }

    #[test]
    fn images_are_moved_by_whole_pixels_and_zeros_come_in() {
        let root = folder();
        let image: Vec<u8> = (1..=9).map(|it| it * 20).collect();
        let images: Vec<u8> = image.repeat(60);
        write(
            root.path().join("train-images-idx3-ubyte"),
            &idx(&[60, 3, 3], &images),
        );
        write(
            root.path().join("train-labels-idx1-ubyte"),
            &idx(&[60], &[1; 60]),
        );
        let data = open(root.path()).expect("data");
        let identity = Normalization {
            inputs: Scaling {
                mean: vec![0.0],
                deviation: vec![1.0 / 255.0],
            },
            targets: None,
        };
        let examples: Vec<usize> = (0..60).collect();
        let batches = Batches::shuffled(&*data, &identity, &examples, 60, SHUFFLE);
        let at = |row: i32, column: i32| {
            let inside = (0..3).contains(&row) && (0..3).contains(&column);
            if inside {
                (row * 3 + column + 1) * 20
            } else {
                0
            }
        };
        let mut expected = Vec::new();
        for down in -1..=1 {
            for right in -1..=1 {
                let moved = (0..9).map(|place| at(place / 3 - down, place % 3 - right));
                expected.push(moved.collect::<Vec<i32>>());
            }
        }
        let values = values(&batches, 0);
        let mut seen: Vec<Vec<i32>> = values
            .chunks(9)
            .map(|image| image.iter().map(|it| it.round() as i32).collect())
            .collect();
        seen.sort();
        seen.dedup();
        expected.sort();
        assert_eq!(seen, expected, "60 draws have all nine ways to move");
    }
}

mod quantities {
    use super::*;

    fn grey(path: impl AsRef<Path>, width: u32, value: u8) {
        let path = path.as_ref();
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        GrayImage::from_pixel(width, 1, Luma([value]))
            .save(path)
            .expect("a saved image");
    }

    fn known(data: &dyn Dataset, index: usize) -> &[f32] {
        match data.target(index) {
            Target::Quantities(values) => values,
            Target::Class(class) => panic!("class {class} instead of quantities"),
        }
    }

    #[test]
    fn a_table_names_images_and_what_is_known_of_them() {
        let root = folder();
        grey(root.path().join("b.png"), 2, 51);
        grey(root.path().join("c.png"), 2, 51);
        grey(root.path().join("deep/a.png"), 2, 255);
        grey(root.path().join("not named.png"), 9, 0);
        let table = "image, x ,angle\ndeep/a.png,1.5, -20\nb.png,0,1e2\nc.png,2,3\n";
        write(root.path().join("targets.csv"), table.as_bytes());
        let data = open(root.path()).expect("data");
        assert!(data.task().is_regression());
        assert_eq!(data.task().names(), ["x", "angle"]);
        assert_eq!((data.len(), data.input_shape()), (3, vec![1, 1, 2]));
        assert_eq!(pixels(&*data, 0), [1.0, 1.0]);
        assert_eq!(pixels(&*data, 2), [0.2, 0.2]);
        assert_eq!(known(&*data, 0), [1.5, -20.0]);
        assert_eq!(known(&*data, 1), [0.0, 100.0]);
        assert!(data.official_test().is_none());
    }

    #[test]
    fn train_and_test_are_the_official_parts() {
        let root = folder();
        grey(root.path().join("train/1.png"), 1, 0);
        grey(root.path().join("train/2.png"), 1, 0);
        grey(root.path().join("test/1.png"), 1, 255);
        write(
            root.path().join("train/targets.csv"),
            b"image,x\n1.png,1\n2.png,2\n",
        );
        write(root.path().join("test/targets.csv"), b"image,x\n1.png,3\n");
        let data = open(root.path()).expect("data");
        assert_eq!(data.official_test(), Some(2..3));
        assert_eq!(
            (known(&*data, 2), pixels(&*data, 2)),
            (&[3.0][..], vec![1.0])
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let root = folder();
        let mut messages = String::new();
        for (name, table) in [
            ("no quantity", "image\n1.png\n"),
            ("no name", "image,x,\n1.png,1,2\n"),
            ("empty", ""),
            ("no line", "image,x\n"),
            ("twice", "image,x,x\n1.png,1,2\n"),
            ("no header", "1.png,1,2\n2.png,3,4\n"),
            ("semicolons", "image;x;y\n1.png;1;2\n"),
            ("same image", "image,x\n1.png,1\n3.png,2\n1.png,3\n"),
            ("far away", "image,x\n1.png,1700000000\n3.png,1700000007\n"),
            ("too large", "image,x\n1.png,1e300\n"),
            ("no number", "image,x\n1.png,1\n3.png,far\n"),
            ("not finite", "image,x\n1.png,inf\n"),
            ("short line", "image,x,y\n1.png,1,2\n3.png,1\n"),
            ("no image", "image,x\nnowhere.png,1\n"),
            ("sizes", "image,x\n1.png,1\n2.png,1\n"),
        ] {
            grey(root.path().join(name).join("1.png"), 1, 0);
            grey(root.path().join(name).join("2.png"), 2, 0);
            grey(root.path().join(name).join("3.png"), 1, 0);
            write(root.path().join(name).join("targets.csv"), table.as_bytes());
            messages += &format!("{name}:\n    {}\n", error(&root, name));
        }
        let latin = [b"image,x\n1.png,", &[0xe9][..], b"\n"].concat();
        grey(root.path().join("latin/1.png"), 1, 0);
        write(root.path().join("latin/targets.csv"), &latin);
        messages += &format!("latin:\n    {}\n", error(&root, "latin"));
        grey(root.path().join("parts/train/1.png"), 1, 0);
        grey(root.path().join("parts/test/1.png"), 1, 0);
        write(
            root.path().join("parts/train/targets.csv"),
            b"image,x,y\n1.png,1,2\n",
        );
        write(
            root.path().join("parts/test/targets.csv"),
            b"image,y,x\n1.png,1,2\n",
        );
        messages += &format!("parts:\n    {}\n", error(&root, "parts"));
        insta::assert_snapshot!(messages);
    }

    #[test]
    fn quantities_are_normalised_by_the_training_part() {
        let root = folder();
        for name in ["1.png", "2.png", "3.png"] {
            grey(root.path().join(name), 1, 0);
        }
        let table = "image,x,same\n1.png,1,7\n2.png,5,7\n3.png,11,7\n";
        write(root.path().join("targets.csv"), table.as_bytes());
        let data = open(root.path()).expect("data");
        let normalization = Normalization::measure(&*data, &[0, 1]);
        let scaling = normalization.targets.clone().expect("of quantities");
        assert_eq!(scaling.mean, [3.0, 7.0]);
        assert_eq!(scaling.deviation, [2.0, 1.0]);
        assert_eq!(
            (scaling.restore(0, 4.0), scaling.restore(1, 0.0)),
            (11.0, 7.0)
        );
        let batches = Batches::in_order(&*data, &normalization, &[0, 1, 2], 3);
        let batch = batches.read(0).expect("a batch");
        let BatchTargets::Quantities { tensor, values } = batch.targets else {
            panic!("there are no classes");
        };
        let normalised = tensor.to_vec2::<f32>().expect("numbers");
        assert_eq!(normalised, [[-1.0, 0.0], [1.0, 0.0], [4.0, 0.0]]);
        assert_eq!(values, [1.0, 7.0, 5.0, 7.0, 11.0, 7.0]);
    }

    #[test]
    fn the_instruments_are_the_same_everywhere() {
        let data = data::open("instruments").expect("the instruments");
        assert_eq!((data.len(), data.input_shape()), (2000, vec![1, 32, 32]));
        assert_eq!(data.task().names(), ["x", "y", "angle"]);
        let mut pixel_bytes = Vec::new();
        let (mut lowest, mut highest) = ([f32::MAX; 3], [f32::MIN; 3]);
        for index in 0..data.len() {
            let bytes = pixels(&*data, index)
                .into_iter()
                .map(|it| (it * 255.0).round() as u8);
            pixel_bytes.extend(bytes);
            for (place, value) in known(&*data, index).iter().enumerate() {
                lowest[place] = lowest[place].min(*value);
                highest[place] = highest[place].max(*value);
            }
        }
        insta::assert_snapshot!(format!(
            "{:032x}",
            xxhash_rust::xxh3::xxh3_128(&pixel_bytes)
        ));
        for (place, most) in [7.0, 7.0, 80.0].into_iter().enumerate() {
            assert!(-most <= lowest[place] && lowest[place] < -0.98 * most);
            assert!(highest[place] <= most && 0.98 * most < highest[place]);
        }
    }

    /// Who looks at the darkest pixels finds the instrument: what is known of the images is what they show.
    #[test]
    fn an_instrument_lies_where_it_is_said_to_lie() {
        let data = data::open("instruments").expect("the instruments");
        let mut covered = 0.0;
        for index in 0..50 {
            let image = pixels(&*data, index);
            let &[x, y, angle] = known(&*data, index) else {
                panic!("three quantities");
            };
            let (sine, cosine) = angle.to_radians().sin_cos();
            let at = |along: f32, across: f32| {
                let column = 15.5 + x + along * cosine - across * sine;
                let row = 15.5 + y + along * sine + across * cosine;
                let inside = (0.0..31.0).contains(&column) && (0.0..31.0).contains(&row);
                inside.then(|| image[row.round() as usize * 32 + column.round() as usize])
            };
            let mean = |across: f32| {
                let seen: Vec<f32> = (-7..=7).filter_map(|it| at(it as f32, across)).collect();
                seen.iter().sum::<f32>() / seen.len() as f32
            };
            let beside = (mean(-4.0) + mean(4.0)) / 2.0;
            covered += mean(0.0) / beside;
        }
        assert!(covered / 50.0 < 0.45, "the rod lets a quarter through");
    }
}
