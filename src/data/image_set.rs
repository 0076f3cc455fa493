use std::ops::Range;

use super::task::Targets;
use super::{Dataset, Target, Task};

/// The most bytes of pixels that are read into memory.
pub(super) const LARGEST: u64 = 4 << 30;

/// Images in memory, a byte a value. Every source of this module gives one.
#[derive(Clone, Debug)]
pub struct ImageSet {
    pub(super) name: String,
    /// Channels, height, width.
    pub(super) shape: [usize; 3],
    pub(super) task: Task,
    /// One image after the other, each in the order of `shape`.
    pub(super) pixels: Vec<u8>,
    /// The value that becomes 1.
    pub(super) maximum: u8,
    pub(super) targets: Targets,
    /// The examples of the official test part.
    pub(super) test: Option<Range<usize>>,
}

impl Dataset for ImageSet {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> usize {
        self.pixels.len() / self.shape.iter().product::<usize>().max(1)
    }

    fn input_shape(&self) -> Vec<usize> {
        self.shape.to_vec()
    }

    fn task(&self) -> &Task {
        &self.task
    }

    fn read_pixels(&self, index: usize, pixels: &mut [f32]) {
        let size: usize = self.shape.iter().product();
        assert_eq!(pixels.len(), size, "room for one image of {:?}", self.shape);
        let maximum = f32::from(self.maximum);
        for (value, &byte) in pixels.iter_mut().zip(&self.pixels[index * size..][..size]) {
            *value = f32::from(byte) / maximum;
        }
    }

    fn target(&self, index: usize) -> Target<'_> {
        match &self.targets {
            Targets::Classes(classes) => Target::Class(classes[index]),
            Targets::Quantities(values) => {
                let quantities = self.task.names().len();
                Target::Quantities(&values[index * quantities..][..quantities])
            }
        }
    }

    fn official_test(&self) -> Option<Range<usize>> {
        self.test.clone()
    }
}
