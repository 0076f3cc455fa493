//! A folder of PNG or JPEG images of which quantities are known: a table `root/targets.csv` with a line for each image,
//! or one each in `root/train` and `root/test`.
//!
//! The first column of the table is the path of the image, seen from the table; every other column is a
//! quantity, with the name that the header gives it:
//!
//! ```text
//! image,x,y,angle
//! 0001.png,12.5,-3.25,41
//! ```
//!
//! All images must have the same size. Images that are all grey have one channel; where any image is in colour, all have
//! three (red, green, blue).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};

use super::task::Targets;
use super::{DataError, ImageSet, Task, images, name_of, separator_of};

/// The name of the table.
pub const TABLE: &str = "targets.csv";

/// Whether a folder, or its part `train`, has a table of quantities.
pub fn is_folder(root: &Path) -> bool {
    root.join(TABLE).is_file() || root.join("train").join(TABLE).is_file()
}

/// Reads a folder of images with their quantities. The table in `root/test`, if there is one beside that in
/// `root/train`, is the official test part.
///
/// # Errors
///
/// When a table can't be read, has no header, no quantity or no line, has something that is not a finite number, or names
/// an image twice, or one that can't be read or has another size than the first one; and when the two parts do not have
/// the same quantities.
pub fn open(root: &Path) -> Result<ImageSet, DataError> {
    let whole = root.join(TABLE);
    let (training, test) = match whole.is_file() {
        true => (Table::read(whole)?, None),
        false => {
            let table = root.join("test").join(TABLE);
            let test = table.is_file().then(|| Table::read(table)).transpose()?;
            (Table::read(root.join("train").join(TABLE))?, test)
        }
    };
    let mut files = training.images;
    let mut values = training.exact;
    let test = match test {
        None => None,
        Some(test) if test.quantities != training.quantities => {
            return Err(DataError::QuantitiesDiffer {
                path: test.path,
                found: test.quantities,
                expected: training.quantities,
            });
        }
        Some(test) => {
            let start = files.len();
            files.extend(test.images);
            values.extend(test.exact);
            Some(start..files.len())
        }
    };
    let (shape, pixels) = images::read(root, &files)?;
    Ok(ImageSet {
        name: name_of(root),
        shape,
        task: Task::Quantities(training.quantities),
        pixels,
        maximum: u8::MAX,
        targets: Targets::Quantities(values.into_iter().map(|it| it as f32).collect()),
        test,
    })
}

/// A table of quantities.
struct Table {
    path: PathBuf,
    quantities: Vec<String>,
    images: Vec<PathBuf>,
    /// The line of each image.
    lines: HashMap<PathBuf, u64>,
    /// Those of each image, in the order of `quantities`.
    exact: Vec<f64>,
}

/// The largest error of a number in single precision, as a share of how far the numbers of its quantity lie apart.
const COARSEST: f64 = 1e-4;

impl Table {
    fn read(path: PathBuf) -> Result<Self, DataError> {
        let bytes = std::fs::read(&path).map_err(|source| DataError::Read {
            path: path.clone(),
            source,
        })?;
        let mut reader = ReaderBuilder::new()
            .flexible(true)
            .from_reader(bytes.as_slice());
        let quantities = quantities(&path, &mut reader)?;
        let mut table = Self {
            path,
            quantities,
            images: Vec::new(),
            lines: HashMap::new(),
            exact: Vec::new(),
        };
        for record in reader.records() {
            let record = record.map_err(|error| table.broken(&error))?;
            table.add(&record)?;
        }
        if table.images.is_empty() {
            let reason = "there is no line of an image; write one for each";
            return Err(table.wrong(2, reason.to_owned()));
        }
        table.check_precision()?;
        Ok(table)
    }

    /// Fails if numbers of a quantity are so far from 0, beside how far they are from one another, that single precision does not
    /// tell them apart.
    fn check_precision(&self) -> Result<(), DataError> {
        for (place, name) in self.quantities.iter().enumerate() {
            let values = self.exact.iter().skip(place).step_by(self.quantities.len());
            let bounds = values
                .clone()
                .fold((f64::MAX, f64::MIN), |(low, high), &value| {
                    (low.min(value), high.max(value))
                });
            let spread = bounds.1 - bounds.0;
            let lost = values.map(|&value| (f64::from(value as f32) - value).abs());
            if lost.fold(0.0, f64::max) > COARSEST * spread {
                let reason = format!(
                    "`{name}` is between {} and {}, so far from 0 that its differences are lost; subtract a constant",
                    bounds.0, bounds.1
                );
                return Err(self.wrong(2, reason));
            }
        }
        Ok(())
    }

    fn add(&mut self, record: &StringRecord) -> Result<(), DataError> {
        let line = record.position().map_or(1, csv::Position::line);
        let columns = self.quantities.len() + 1;
        if record.len() != columns {
            let reason = format!(
                "it has {} fields, but the header has {columns}",
                record.len()
            );
            return Err(self.wrong(line, reason));
        }
        self.add_image(line, record[0].trim())?;
        for (name, text) in self.quantities.iter().zip(record.iter().skip(1)) {
            let number = text.trim().parse().ok();
            let number = number.filter(|it: &f64| (*it as f32).is_finite());
            let number = number.ok_or_else(|| {
                self.wrong(
                    line,
                    format!(
                        "`{name}` is `{text}`, which is not a finite number of single precision; write one like `-3.25`"
                    ),
                )
            })?;
            self.exact.push(number);
        }
        Ok(())
    }

    fn add_image(&mut self, line: u64, name: &str) -> Result<(), DataError> {
        let image = self.path.parent().unwrap_or(Path::new("")).join(name);
        if !image.is_file() {
            let reason = format!(
                "there is no image `{}`; the first column has the path of each image, seen from the table",
                image.display()
            );
            return Err(self.wrong(line, reason));
        }
        if let Some(first) = self.lines.insert(image.clone(), line) {
            let reason =
                format!("line {first} is about `{name}` already; leave one of the two out");
            return Err(self.wrong(line, reason));
        }
        self.images.push(image);
        Ok(())
    }

    fn wrong(&self, line: u64, reason: String) -> DataError {
        DataError::TableLine {
            path: self.path.clone(),
            line,
            reason,
        }
    }

    fn broken(&self, error: &csv::Error) -> DataError {
        broken(&self.path, error)
    }
}

/// The names in the header behind the first.
fn quantities(path: &Path, reader: &mut Reader<&[u8]>) -> Result<Vec<String>, DataError> {
    let header = reader.headers().map_err(|error| broken(path, &error))?;
    let mut fields = header.iter().map(|it| it.trim().to_owned());
    let first = fields.next().unwrap_or_default();
    let names: Vec<String> = fields.collect();
    match what_is_wrong(&first, &names) {
        None => Ok(names),
        Some(reason) => Err(DataError::TableLine {
            path: path.into(),
            line: 1,
            reason,
        }),
    }
}

/// What is wrong with a header: the name of the column of the images and those of the quantities.
fn what_is_wrong(first: &str, names: &[String]) -> Option<String> {
    const EXAMPLE: &str = "the header must name the column of the images and at least one quantity, as in `image,x,y`";
    if let (true, Some(separator)) = (names.is_empty(), separator_of(first)) {
        return Some(format!(
            "its columns are separated by {separator}; separate them by commas"
        ));
    }
    if names.is_empty() || names.iter().any(String::is_empty) {
        return Some(EXAMPLE.to_owned());
    }
    if names.iter().all(|name| name.parse::<f64>().is_ok()) {
        return Some(format!(
            "it has numbers where the names of the columns should be; {EXAMPLE}"
        ));
    }
    let repeated = (0..names.len()).find(|&place| names[..place].contains(&names[place]));
    repeated.map(|place| format!("two columns are called `{}`", names[place]))
}

fn broken(path: &Path, error: &csv::Error) -> DataError {
    let reason = match error.kind() {
        ErrorKind::Utf8 { .. } => {
            "it is not text in UTF-8; save the table in that encoding".to_owned()
        }
        _ => error.to_string(),
    };
    DataError::TableLine {
        path: path.into(),
        line: error.position().map_or(1, csv::Position::line),
        reason,
    }
}
