//! What works on images and signals in the operators of ONNX. A signal `[n, c, l]` is taken for the
//! image `[n, c, 1, l]`.

use super::layers::Applied;
use super::model::{Attribute, Model};
use crate::operations::{Filling, Pooling};
use crate::plan::{Convolution, Pool, TransposedConvolution};

fn integers(sizes: &[usize]) -> Attribute {
    Attribute::Integers(sizes.iter().map(|size| *size as i64).collect())
}

/// The attributes that all convolutions have.
fn attributes(convolution: &Convolution) -> Vec<(&'static str, Attribute)> {
    let [rows, columns] = convolution.padding;
    vec![
        ("kernel_shape", integers(&convolution.kernel)),
        ("strides", integers(&convolution.stride)),
        ("pads", integers(&[rows, columns, rows, columns])),
        ("dilations", integers(&convolution.dilation)),
        ("group", Attribute::Integer(convolution.groups as i64)),
    ]
}

impl Applied<'_> {
    fn is_signal(&self) -> bool {
        self.shape().len() == 2
    }

    /// Height and width of its first input.
    fn image_size(&self) -> [usize; 2] {
        match self.is_signal() {
            true => [1, self.size(1)],
            false => [self.size(1), self.size(2)],
        }
    }

    /// Height and width of what it gives.
    fn given_size(&self) -> [usize; 2] {
        match self.given {
            [_, height, width] => [*height, *width],
            [_, length] => [1, *length],
            _ => [1, 1],
        }
    }

    /// Does something with an image, which a signal is taken for.
    fn on_image(
        &self,
        model: &mut Model,
        write: impl FnOnce(&str, &mut Model) -> String,
    ) -> String {
        if !self.is_signal() {
            return write(self.x(), model);
        }
        let image = model.unsqueeze(self.x(), &[2]);
        let given = write(&image, model);
        let axes = model.integers(&[2]);
        model.plain("Squeeze", &[&given, &axes])
    }

    pub(super) fn convolution(&self, convolution: &Convolution, model: &mut Model) -> String {
        self.on_image(model, |x, model| {
            let inputs = [&[x], self.parameters_from(0)].concat();
            model.node("Conv", &inputs, attributes(convolution))
        })
    }

    pub(super) fn transposed_convolution(
        &self,
        transposed: &TransposedConvolution,
        model: &mut Model,
    ) -> String {
        self.on_image(model, |x, model| {
            let inputs = [&[x], self.parameters_from(0)].concat();
            let mut attributes = attributes(&transposed.convolution);
            attributes.push(("output_padding", integers(&transposed.output_padding)));
            model.node("ConvTranspose", &inputs, attributes)
        })
    }

    /// The padding is given on all sides, with what the last windows hang over, rather than by
    /// `ceil_mode`, of which implementations have ideas of their own.
    pub(super) fn pool(&self, pool: &Pool, model: &mut Model) -> String {
        let (size, given) = (self.image_size(), self.given_size());
        let behind = [0, 1].map(|axis| {
            let reach = (given[axis] - 1) * pool.stride[axis] + pool.kernel[axis];
            reach.saturating_sub(size[axis] + pool.padding[axis])
        });
        let counted = pool.kind == Pooling::Average && pool.count_padding;
        self.on_image(model, |x, model| {
            let [top, left] = pool.padding;
            let mut x = x.to_owned();
            let mut pads = [top, left, behind[0], behind[1]];
            if counted {
                // Padding that counts becomes part of the image; what hangs over it does not.
                let margins = [0, 0, top, left, 0, 0, top, left].map(|size| size as i64);
                let margins = model.integers(&margins);
                x = model.plain("Pad", &[&x, &margins]);
                pads = [
                    0,
                    0,
                    behind[0].saturating_sub(top),
                    behind[1].saturating_sub(left),
                ];
            }
            let mut attributes = vec![
                ("kernel_shape", integers(&pool.kernel)),
                ("strides", integers(&pool.stride)),
                ("pads", integers(&pads)),
            ];
            let operator = match pool.kind {
                Pooling::Maximum => "MaxPool",
                Pooling::Average => {
                    attributes.push(("count_include_pad", Attribute::Integer(0)));
                    "AveragePool"
                }
            };
            model.node(operator, &[&x], attributes)
        })
    }

    /// Windows are products of one along each axis, so one axis is pooled after the other.
    pub(super) fn adaptive_pool(
        &self,
        kind: Pooling,
        [height, width]: [usize; 2],
        model: &mut Model,
    ) -> String {
        let rows = pool_axis(self.x(), 2, kind, [self.size(1), height], model);
        pool_axis(&rows, 3, kind, [self.size(2), width], model)
    }

    pub(super) fn pad(
        &self,
        filling: Filling,
        before: [usize; 2],
        after: [usize; 2],
        model: &mut Model,
    ) -> String {
        let mode = match filling {
            Filling::Zero => "constant",
            Filling::Reflect => "reflect",
            Filling::Replicate => "edge",
            Filling::Circular => {
                let rows = repeat(self.x(), 2, self.size(1), before[0], after[0], model);
                return repeat(&rows, 3, self.size(2), before[1], after[1], model);
            }
        };
        let margins = [0, 0, before[0], before[1], 0, 0, after[0], after[1]];
        let margins = model.integers(&margins.map(|size| size as i64));
        model.node(
            "Pad",
            &[self.x(), &margins],
            [("mode", Attribute::Text(mode))],
        )
    }

    pub(super) fn crop(&self, before: [usize; 2], model: &mut Model) -> String {
        let [height, width] = self.given_size();
        let rows = model.slice(self.x(), 2, before[0], before[0] + height);
        model.slice(&rows, 3, before[1], before[1] + width)
    }

    pub(super) fn resize(
        &self,
        factor: usize,
        mode: &'static str,
        coordinates: &'static str,
        model: &mut Model,
    ) -> String {
        let scales = model.floats(&[4], &[1.0, 1.0, factor as f32, factor as f32]);
        let attributes = [
            ("mode", Attribute::Text(mode)),
            (
                "coordinate_transformation_mode",
                Attribute::Text(coordinates),
            ),
            ("nearest_mode", Attribute::Text("floor")),
        ];
        model.node("Resize", &[self.x(), "", &scales], attributes)
    }

    pub(super) fn pixel_unshuffle(&self, factor: usize, model: &mut Model) -> String {
        let [height, width] = self.given_size();
        let split = [self.size(0), height, factor, width, factor];
        let split = model.reshape_examples(self.x(), &split);
        let turned = model.transpose(&split, &[0, 1, 3, 5, 2, 4]);
        model.reshape_examples(&turned, self.given)
    }

    pub(super) fn channel_shuffle(&self, groups: usize, model: &mut Model) -> String {
        let split = [
            groups,
            self.size(0) / groups.max(1),
            self.size(1),
            self.size(2),
        ];
        let split = model.reshape_examples(self.x(), &split);
        let turned = model.transpose(&split, &[0, 2, 1, 3, 4]);
        model.reshape_examples(&turned, self.given)
    }
}

/// Windows along one axis that together cover it, from one size to another.
fn pool_axis(
    x: &str,
    axis: i64,
    kind: Pooling,
    [from, to]: [usize; 2],
    model: &mut Model,
) -> String {
    let operator = match kind {
        Pooling::Maximum => "ReduceMax",
        Pooling::Average => "ReduceMean",
    };
    let windows: Vec<String> = (0..to)
        .map(|place| {
            let (start, end) = (place * from / to, ((place + 1) * from).div_ceil(to));
            let window = model.slice(x, axis, start, end);
            model.reduce(operator, &window, &[axis], true)
        })
        .collect();
    let windows: Vec<&str> = windows.iter().map(String::as_str).collect();
    model.concatenate(&windows, axis)
}

/// An axis of this size with its end before it and its start behind it.
fn repeat(
    x: &str,
    axis: i64,
    size: usize,
    before: usize,
    after: usize,
    model: &mut Model,
) -> String {
    let mut parts = Vec::new();
    if before > 0 {
        parts.push(model.slice(x, axis, size - before, size));
    }
    parts.push(x.to_owned());
    if after > 0 {
        parts.push(model.slice(x, axis, 0, after));
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    model.concatenate(&parts, axis)
}
