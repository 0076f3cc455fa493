//! Optical recognition of handwritten digits, as it comes with the program.
//!
//! 1,797 images of 8x8 with 17 levels of grey, ten classes: the test set of E. Alpaydin and
//! C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository, 1998,
//! CC BY 4.0.

use std::io::Read;

use flate2::read::GzDecoder;

use super::task::Targets;
use super::{DataError, ImageSet, Task};

const COMPRESSED: &[u8] = include_bytes!("digits.csv.gz");
const SIDE: usize = 8;
const BRIGHTEST: u8 = 16;
const CLASSES: u32 = 10;

/// The digits: shape `[1, 8, 8]`, classes `0` to `9`, no official test part.
///
/// # Errors
///
/// [`DataError::DamagedDigits`] when the program was built with a damaged file.
pub fn load() -> Result<ImageSet, DataError> {
    let mut table = String::new();
    GzDecoder::new(COMPRESSED)
        .read_to_string(&mut table)
        .map_err(|_| DataError::DamagedDigits { line: 1 })?;
    let mut pixels = Vec::new();
    let mut labels = Vec::new();
    for (number, line) in table.lines().enumerate() {
        let damaged = DataError::DamagedDigits { line: number + 1 };
        let Some((values, label)) = parse_line(line) else {
            return Err(damaged);
        };
        pixels.extend(values);
        labels.push(label);
    }
    Ok(ImageSet {
        name: "digits".into(),
        shape: [1, SIDE, SIDE],
        task: Task::Classes((0..CLASSES).map(|digit| digit.to_string()).collect()),
        pixels,
        maximum: BRIGHTEST,
        targets: Targets::Classes(labels),
        test: None,
    })
}

fn parse_line(line: &str) -> Option<([u8; SIDE * SIDE], u32)> {
    let mut fields = line.split(',');
    let mut pixels = [0; SIDE * SIDE];
    for pixel in &mut pixels {
        *pixel = fields.next()?.parse().ok().filter(|&it| it <= BRIGHTEST)?;
    }
    let label = fields.next()?.parse().ok().filter(|&it| it < CLASSES)?;
    fields.next().is_none().then_some((pixels, label))
}
