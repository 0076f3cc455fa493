//! Attention of every sort in the operators of ONNX.

use super::layers::{Applied, project};
use super::messages::DataType;
use super::model::{Attribute, Model};
use crate::plan::WindowAttention;

/// What is added to a score that is not to count.
const HIDDEN: f32 = -1e30;

/// What is added to the score of a pair that was not adjacent before the image was rolled; as in
/// `src/backend/kernels/window.rs`.
const APART: f32 = -100.0;

/// What is added to scores, and what the shares are multiplied by; each if there is one.
#[derive(Default)]
struct Sight {
    added: Vec<String>,
    kept: Option<String>,
}

impl Applied<'_> {
    pub(super) fn attention(&self, heads: usize, causal: bool, model: &mut Model) -> String {
        let mut sight = Sight::default();
        if causal {
            let tokens = self.size(0);
            let pairs = (0..tokens).flat_map(|of| (0..tokens).map(move |to| (of, to)));
            let hidden: Vec<f32> = pairs
                .map(|(of, to)| if to > of { HIDDEN } else { 0.0 })
                .collect();
            sight.added.push(model.floats(&[tokens, tokens], &hidden));
        }
        self.self_attention(heads, &sight, model)
    }

    pub(super) fn masked_attention(&self, heads: usize, model: &mut Model) -> String {
        let zero = model.float(0.0);
        let to = |kind: DataType| [("to", Attribute::Integer(kind as i64))];
        let hidden = model.plain("Equal", &[self.y(), &zero]);
        let seen = model.plain("Not", &[&hidden]);
        let [hidden, seen] = [hidden, seen].map(|mask| {
            let mask = model.node("Cast", &[&mask], to(DataType::Float));
            model.unsqueeze(&mask, &[1, 2])
        });
        let low = model.float(HIDDEN.into());
        let sight = Sight {
            added: vec![model.plain("Mul", &[&hidden, &low])],
            // Where everything is hidden, the shares would be equal.
            kept: Some(seen),
        };
        self.self_attention(heads, &sight, model)
    }

    /// Queries, keys and values of one projection, and the projection of what is found.
    fn self_attention(&self, heads: usize, sight: &Sight, model: &mut Model) -> String {
        let (inward, outward) = match self.parameters.as_slice() {
            [weight, bias, rest @ ..] if self.parameters.len() == 4 => {
                ((*weight, vec![*bias]), rest)
            }
            [weight, rest @ ..] => ((*weight, Vec::new()), rest),
            [] => (("", Vec::new()), &[][..]),
        };
        let projected = project(self.x(), inward.0, &inward.1, model);
        let parts = split_three(&projected, self.shape(), heads, model);
        let found = attend(parts, self.shape(), heads, sight, model);
        let weight = outward.first().copied().unwrap_or_default();
        project(&found, weight, outward.get(1..).unwrap_or_default(), model)
    }

    pub(super) fn cross_attention(&self, heads: usize, model: &mut Model) -> String {
        let width = self.size(1);
        let bias = (self.parameters.len() == 6).then(|| self.parameter(3));
        let sources = [self.x(), self.y(), self.y()];
        let parts = [0, 1, 2].map(|part| {
            let bias = bias.map(|bias| model.slice(bias, 0, part * width, (part + 1) * width));
            let bias: Vec<&str> = bias.iter().map(String::as_str).collect();
            let projected = project(sources[part], self.parameter(part), &bias, model);
            let heads = heads as i64;
            let split = model.reshape(&projected, &[0, -1, heads, width as i64 / heads]);
            model.transpose(&split, &[0, 2, 1, 3])
        });
        let found = attend(parts, self.shape(), heads, &Sight::default(), model);
        let outward = self.parameters_from(if bias.is_some() { 4 } else { 3 });
        let weight = outward.first().copied().unwrap_or_default();
        project(&found, weight, outward.get(1..).unwrap_or_default(), model)
    }

    pub(super) fn window_attention(&self, layer: &WindowAttention, model: &mut Model) -> String {
        let (height, width) = (self.size(1), self.size(2));
        let shifts = layer.shifts([height, width]);
        let tokens = layer.window * layer.window;
        let windows = height * width / tokens.max(1);
        let cut = [windows, tokens, layer.channels];
        // [n, rows, h, columns, w, c] and [n, rows, columns, h, w, c] are each other's transpose.
        let [rows, columns] = [height, width].map(|size| size / layer.window.max(1));
        let swap = &[0, 1, 3, 2, 4, 5];

        let mut x = model.transpose(self.x(), &[0, 2, 3, 1]);
        x = roll(&x, 1, height, shifts[0], model);
        x = roll(&x, 2, width, shifts[1], model);
        let size = layer.window;
        x = model.reshape_examples(&x, &[rows, size, columns, size, layer.channels]);
        x = model.transpose(&x, swap);
        x = model.reshape_examples(&x, &cut);
        x = project(&x, self.parameter(0), &[self.parameter(1)], model);
        let parts = split_three(&x, &cut, layer.heads, model);
        let mut sight = Sight::default();
        sight.added.push(self.biases(layer, model));
        if shifts != [0, 0] {
            let apart = apart(layer.window, [height, width], shifts);
            sight
                .added
                .push(model.floats(&[windows, 1, tokens, tokens], &apart));
        }
        x = attend(parts, &cut, layer.heads, &sight, model);
        x = project(&x, self.parameter(2), &[self.parameter(3)], model);
        x = model.reshape_examples(&x, &[rows, columns, size, size, layer.channels]);
        x = model.transpose(&x, swap);
        x = model.reshape_examples(&x, &[height, width, layer.channels]);
        x = roll(&x, 1, height, (height - shifts[0]) % height.max(1), model);
        x = roll(&x, 2, width, (width - shifts[1]) % width.max(1), model);
        model.transpose(&x, &[0, 3, 1, 2])
    }

    /// The rows of the table of relative positions for each pair of positions, by head.
    fn biases(&self, layer: &WindowAttention, model: &mut Model) -> String {
        let window = layer.window;
        let distance = |from: usize, to: usize| (from + window - 1 - to) as i64;
        let row = |from: usize, to: usize| {
            distance(from / window, to / window) * (2 * window as i64 - 1)
                + distance(from % window, to % window)
        };
        let tokens = window * window;
        let rows: Vec<i64> = (0..tokens)
            .flat_map(|from| (0..tokens).map(move |to| row(from, to)))
            .collect();
        let rows = model.integers(&rows);
        let biases = model.plain("Gather", &[self.parameter(4), &rows]);
        let biases = model.reshape(&biases, &[tokens as i64, tokens as i64, -1]);
        model.transpose(&biases, &[2, 0, 1])
    }
}

/// Queries, keys and values `[n, .., heads, t, d / heads]` of one projection `[n, .., t, 3 * d]`. The
/// shape is that of the input of the projection.
fn split_three(x: &str, shape: &[usize], heads: usize, model: &mut Model) -> [String; 3] {
    let (around, width) = match shape {
        [around @ .., width] => (around, *width),
        [] => (&[][..], 0),
    };
    let split = [around, &[3, heads, width / heads.max(1)]].concat();
    let split = model.reshape_examples(x, &split);
    let axes: &[i64] = match around.len() {
        1 => &[2, 0, 3, 1, 4],
        _ => &[3, 0, 1, 4, 2, 5],
    };
    let parts = model.transpose(&split, axes);
    [0, 1, 2].map(|part| {
        let part = model.integer(part);
        model.plain("Gather", &[&parts, &part])
    })
}

/// What is found at each position, `[n, .., t, d]`, which is the shape that is given.
fn attend(
    [query, key, value]: [String; 3],
    shape: &[usize],
    heads: usize,
    sight: &Sight,
    model: &mut Model,
) -> String {
    let width = shape.last().copied().unwrap_or(1) / heads.max(1);
    let (turn, back): (&[i64], &[i64]) = match shape.len() {
        2 => (&[0, 1, 3, 2], &[0, 2, 1, 3]),
        _ => (&[0, 1, 2, 4, 3], &[0, 1, 3, 2, 4]),
    };
    let turned = model.transpose(&key, turn);
    let scores = model.plain("MatMul", &[&query, &turned]);
    let factor = model.float((width as f64).sqrt().recip());
    let mut scores = model.plain("Mul", &[&scores, &factor]);
    for added in &sight.added {
        scores = model.plain("Add", &[&scores, added]);
    }
    let mut shares = model.node("Softmax", &[&scores], [("axis", Attribute::Integer(-1))]);
    if let Some(kept) = &sight.kept {
        shares = model.plain("Mul", &[&shares, kept]);
    }
    let found = model.plain("MatMul", &[&shares, &value]);
    let found = model.transpose(&found, back);
    model.reshape_examples(&found, shape)
}

/// Brings the first `shift` of an axis of this size behind the last.
fn roll(x: &str, axis: i64, size: usize, shift: usize, model: &mut Model) -> String {
    if shift == 0 {
        return x.to_owned();
    }
    let rest = model.slice(x, axis, shift, size);
    let first = model.slice(x, axis, 0, shift);
    model.concatenate(&[&rest, &first], axis)
}

/// What is added to the scores of each window, `[windows, tokens, tokens]`: rolling brings the first
/// rows and columns behind the last, from which they were apart.
fn apart(window: usize, [height, width]: [usize; 2], [down, right]: [usize; 2]) -> Vec<f32> {
    let region = |y: usize, x: usize| (y >= height - down, x >= width - right);
    let mut apart = Vec::new();
    for top in (0..height).step_by(window) {
        for left in (0..width).step_by(window) {
            let places = (0..window * window)
                .map(|place| region(top + place / window, left + place % window));
            let regions: Vec<(bool, bool)> = places.collect();
            for one in &regions {
                apart.extend(regions.iter().map(|it| if it == one { 0.0 } else { APART }));
            }
        }
    }
    apart
}
