//! CUDA source that the compiler writes for NVRTC.
//!
//! A source is written for one thing: an activation, a batch norm with the activation behind it, a window. What
//! is known then (functions, windows) stands in it as text; sizes are parameters. Sums are added in an order that
//! depends on sizes alone. The functions are plain C++ but for CUDA's words, so that they can be tried on a
//! machine without a graphics processor, one thread after the other.

use std::fmt::Write;

use crate::operations::{Activation, Pooling};
use crate::plan::Pool;

/// The type of the numbers of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    F32,
    F64,
}

/// What every source begins with.
fn prelude(number: Number) -> String {
    let (name, suffix) = match number {
        Number::F32 => ("float", "f"),
        Number::F64 => ("double", ""),
    };
    let mut source = format!(
        "typedef {name} number;\ntypedef unsigned long long size;\ntypedef long long place;\n"
    );
    for function in ["exp", "tanh", "erf", "log1p", "sqrt"] {
        let _ = writeln!(
            source,
            "static __device__ number {function}_of(number x) {{ return {function}{suffix}(x); }}"
        );
    }
    source + THREAD
}

/// The number of a thread among all of them.
const THREAD: &str = "
static __device__ size thread() { return (size)blockIdx.x * blockDim.x + threadIdx.x; }
";

/// The functions `value(x)` and `gradient(x, g)` of an activation: those of `kernels/activation.rs`, also at kinks
/// and for what is not a number.
fn activation_functions(activation: Option<Activation>) -> String {
    let sigmoid = "number s = 1 / (1 + exp_of(-x));";
    let gelu = "number d = (number)0.5 * (1 + erf_of(x * (number)0.70710678118654752440));";
    let gelu_tanh =
        "number t = tanh_of((number)0.79788456080286535588 * (x + (number)0.044715 * x * x * x));";
    let mish = "number p = exp_of(x > 20 ? (number)20 : x); number n = p * (p + 2); number t = n / (n + 2);";
    let hard = "number h = x + 3; h = h < 0 ? (number)0 : (h > 6 ? (number)6 : h); h = h * (number)(1.0 / 6.0);";
    let (common, value, gradient): (&str, String, String) = match activation {
        None => ("", "x".into(), "g".into()),
        Some(Activation::Relu) => (
            "",
            "x <= 0 ? (number)0 : x".into(),
            "x > 0 ? g : (number)0".into(),
        ),
        Some(Activation::Relu6) => (
            "",
            "(x <= 0 ? (number)0 : (x >= 6 ? (number)6 : x))".into(),
            "x > 0 && x < 6 ? g : (number)0".into(),
        ),
        Some(Activation::LeakyRelu { slope }) => {
            let slope = slope.value();
            (
                "",
                format!("x > 0 ? x : (number){slope:?} * x"),
                format!("x > 0 ? g : (number){slope:?} * g"),
            )
        }
        Some(Activation::Elu { alpha }) => {
            let alpha = alpha.value();
            (
                "",
                format!("x > 0 ? x : (number){alpha:?} * (exp_of(x) - 1)"),
                format!("x > 0 ? g : g * (number){alpha:?} * exp_of(x)"),
            )
        }
        Some(Activation::Gelu) => (
            gelu,
            "x * d".into(),
            "g * (d + x * (number)0.39894228040143267794 * exp_of(-x * x * (number)0.5))".into(),
        ),
        Some(Activation::GeluTanh) => (
            gelu_tanh,
            "(number)0.5 * x * (1 + t)".into(),
            "g * (number)0.5 * (1 + t + x * (1 - t * t) * (number)0.79788456080286535588 \
             * (1 + (number)0.134145 * x * x))"
                .into(),
        ),
        Some(Activation::Silu) => (sigmoid, "x * s".into(), "g * s * (1 + x * (1 - s))".into()),
        Some(Activation::Sigmoid) => (sigmoid, "s".into(), "g * s * (1 - s)".into()),
        Some(Activation::Tanh) => (
            "number t = tanh_of(x);",
            "t".into(),
            "g * (1 - t * t)".into(),
        ),
        Some(Activation::HardSwish) => (
            hard,
            "x * h".into(),
            "x < -3 ? (number)0 : (x <= 3 ? g * (x * (number)(1.0 / 3.0) + (number)0.5) : g)"
                .into(),
        ),
        Some(Activation::HardSigmoid) => (
            hard,
            "h".into(),
            "x > -3 && x < 3 ? g * (number)(1.0 / 6.0) : (number)0".into(),
        ),
        Some(Activation::Mish) => (
            mish,
            "x * t".into(),
            "g * (t + x / (1 + exp_of(-x)) * (1 - t * t))".into(),
        ),
        Some(Activation::Softplus) => (
            sigmoid,
            "(x > 0 ? x : (number)0) + log1p_of(exp_of(x > 0 ? -x : x))".into(),
            "g * s".into(),
        ),
        Some(Activation::Zero) => ("", "0".into(), "0".into()),
    };
    format!(
        "static __device__ number value(number x) {{ {common} return {value}; }}\n\
         static __device__ number gradient(number x, number g) {{ {common} return {gradient}; }}\n"
    )
}

/// An activation: `forward(y, x, count)` and `backward(dx, x, dy, count)`.
pub(super) fn activation(number: Number, activation: Activation) -> String {
    prelude(number) + &activation_functions(Some(activation)) + ACTIVATION
}

const ACTIVATION: &str = r#"
extern "C" __global__ void forward(number* y, const number* x, size count) {
    size at = thread();
    if (at < count) y[at] = value(x[at]);
}

extern "C" __global__ void backward(number* dx, const number* x, const number* dy, size count) {
    size at = thread();
    if (at < count) dx[at] = gradient(x[at], dy[at]);
}
"#;

/// A batch norm with an activation behind it. Statistics are `[mean.., variance..]` of the channels, sums are
/// those of the gradients of bias and weight, likewise.
///
/// - `statistics(statistics, x, batch, channels, positions)`, a block for each channel;
/// - `forward(y, x, statistics, weight, bias, channels, positions, count, epsilon)`;
/// - `sums(sums, x, dy, statistics, weight, bias, batch, channels, positions, epsilon)`, a block for each channel;
/// - `backward(dx, x, dy, statistics, weight, bias, sums, channels, positions, count, of_batch, epsilon)`, where
///   `of_batch` is how many values of a channel the statistics are of, or 0 if they are running ones.
pub(super) fn batch_norm(number: Number, activation: Option<Activation>) -> String {
    prelude(number) + &activation_functions(activation) + BATCH_NORM
}

const BATCH_NORM: &str = r#"
// The sum over the threads of a block, in a fixed order.
static __device__ number block_sum(number part, number* parts) {
    parts[threadIdx.x] = part;
    __syncthreads();
    for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) parts[threadIdx.x] += parts[threadIdx.x + half];
        __syncthreads();
    }
    number sum = parts[0];
    __syncthreads();
    return sum;
}

// Where a value of a channel lies.
static __device__ size lies(unsigned at, size channel, size channels, unsigned positions) {
    return ((at / positions) * channels + channel) * positions + at % positions;
}

extern "C" __global__ void statistics(
    number* out, const number* x, size batch, size channels, size positions
) {
    __shared__ number parts[256];
    size channel = blockIdx.x;
    unsigned count = (unsigned)(batch * positions), row = (unsigned)positions;
    number sum = 0;
    for (unsigned at = threadIdx.x; at < count; at += blockDim.x) sum += x[lies(at, channel, channels, row)];
    number mean = block_sum(sum, parts) / count;
    number squares = 0;
    for (unsigned at = threadIdx.x; at < count; at += blockDim.x) {
        number apart = x[lies(at, channel, channels, row)] - mean;
        squares += apart * apart;
    }
    number variance = block_sum(squares, parts) / count;
    if (threadIdx.x == 0) {
        out[channel] = mean;
        out[channels + channel] = variance;
    }
}

extern "C" __global__ void forward(
    number* y, const number* x, const number* statistics, const number* weight, const number* bias,
    size channels, size positions, size count, number epsilon
) {
    size at = thread();
    if (at >= count) return;
    size channel = at / positions % channels;
    number scale = weight[channel] / sqrt_of(statistics[channels + channel] + epsilon);
    y[at] = value((x[at] - statistics[channel]) * scale + bias[channel]);
}

extern "C" __global__ void sums(
    number* out, const number* x, const number* dy, const number* statistics, const number* weight,
    const number* bias, size batch, size channels, size positions, number epsilon
) {
    __shared__ number parts[256];
    size channel = blockIdx.x;
    unsigned count = (unsigned)(batch * positions), row = (unsigned)positions;
    number mean = statistics[channel];
    number inverse = 1 / sqrt_of(statistics[channels + channel] + epsilon);
    number of_bias = 0, of_weight = 0;
    for (unsigned at = threadIdx.x; at < count; at += blockDim.x) {
        size where = lies(at, channel, channels, row);
        number normal = (x[where] - mean) * inverse;
        number g = gradient(normal * weight[channel] + bias[channel], dy[where]);
        of_bias += g;
        of_weight += g * normal;
    }
    of_bias = block_sum(of_bias, parts);
    of_weight = block_sum(of_weight, parts);
    if (threadIdx.x == 0) {
        out[channel] = of_bias;
        out[channels + channel] = of_weight;
    }
}

extern "C" __global__ void backward(
    number* dx, const number* x, const number* dy, const number* statistics, const number* weight,
    const number* bias, const number* sums, size channels, size positions, size count, size of_batch,
    number epsilon
) {
    size at = thread();
    if (at >= count) return;
    size channel = at / positions % channels;
    number inverse = 1 / sqrt_of(statistics[channels + channel] + epsilon);
    number normal = (x[at] - statistics[channel]) * inverse;
    number g = gradient(normal * weight[channel] + bias[channel], dy[at]);
    if (of_batch > 0) g -= (sums[channel] + normal * sums[channels + channel]) / (number)of_batch;
    dx[at] = g * weight[channel] * inverse;
}
"#;

/// Pooling by a sliding window: `forward(y, x, planes, height, width, rows, columns)` and
/// `backward(dx, x, dy, planes, height, width, rows, columns)`. Of equal numbers, the first is the maximum.
pub(super) fn pool(number: Number, pool: &Pool) -> String {
    let counted = match pool.count_padding {
        true => pool.padding,
        false => [0, 0],
    };
    let mut source = prelude(number);
    for (name, sizes) in [
        ("KERNEL", pool.kernel),
        ("STRIDE", pool.stride),
        ("PADDING", pool.padding),
        ("COUNTED", counted),
    ] {
        let _ = writeln!(
            source,
            "#define {name}_ROWS ((place){})\n#define {name}_COLUMNS ((place){})",
            sizes[0], sizes[1]
        );
    }
    let kind = match pool.kind {
        Pooling::Maximum => MAXIMUM,
        Pooling::Average => AVERAGE,
    };
    source + WINDOW + kind + POOL
}

const WINDOW: &str = r#"
static __device__ place least(place a, place b) { return a < b ? a : b; }
static __device__ place most(place a, place b) { return a > b ? a : b; }
"#;

/// `pooled` is what a window gives, and `share` what a pixel has of the gradient of a window.
const MAXIMUM: &str = r#"
// Where the maximum of a window lies; what is not a number is larger than all else.
static __device__ place found(const number* x, place height, place width, place row, place column) {
    place top = row * STRIDE_ROWS - PADDING_ROWS, left = column * STRIDE_COLUMNS - PADDING_COLUMNS;
    place best = -1;
    for (place i = most(top, 0); i < least(top + KERNEL_ROWS, height); ++i)
        for (place j = most(left, 0); j < least(left + KERNEL_COLUMNS, width); ++j) {
            number v = x[i * width + j];
            if (best < 0 || v > x[best] || (v != v && x[best] == x[best])) best = i * width + j;
        }
    return best;
}

static __device__ number pooled(const number* x, place height, place width, place row, place column) {
    return x[found(x, height, width, row, column)];
}

static __device__ number share(
    const number* x, place height, place width, place row, place column, place pixel
) {
    return found(x, height, width, row, column) == pixel ? 1 : 0;
}
"#;

const AVERAGE: &str = r#"
static __device__ number counted(place height, place width, place row, place column) {
    place top = row * STRIDE_ROWS - PADDING_ROWS, left = column * STRIDE_COLUMNS - PADDING_COLUMNS;
    place rows = least(top + KERNEL_ROWS, height + COUNTED_ROWS) - most(top, -COUNTED_ROWS);
    place columns = least(left + KERNEL_COLUMNS, width + COUNTED_COLUMNS) - most(left, -COUNTED_COLUMNS);
    return (number)(rows * columns);
}

static __device__ number pooled(const number* x, place height, place width, place row, place column) {
    place top = row * STRIDE_ROWS - PADDING_ROWS, left = column * STRIDE_COLUMNS - PADDING_COLUMNS;
    number sum = 0;
    for (place i = most(top, 0); i < least(top + KERNEL_ROWS, height); ++i)
        for (place j = most(left, 0); j < least(left + KERNEL_COLUMNS, width); ++j) sum += x[i * width + j];
    return sum / counted(height, width, row, column);
}

static __device__ number share(
    const number*, place height, place width, place row, place column, place
) {
    return 1 / counted(height, width, row, column);
}
"#;

const POOL: &str = r#"
extern "C" __global__ void forward(
    number* y, const number* x, size planes, size height, size width, size rows, size columns
) {
    size at = thread();
    if (at >= planes * rows * columns) return;
    const number* plane = x + at / (rows * columns) * height * width;
    y[at] = pooled(plane, height, width, at / columns % rows, at % columns);
}

// Each pixel adds up its shares of the windows that it lies in.
extern "C" __global__ void backward(
    number* dx, const number* x, const number* dy, size planes, size height, size width, size rows, size columns
) {
    size at = thread();
    if (at >= planes * height * width) return;
    size plane = at / (height * width);
    place i = at / width % height, j = at % width;
    const number* image = x + plane * height * width;
    const number* gradients = dy + plane * rows * columns;
    place above = i + PADDING_ROWS - KERNEL_ROWS, before = j + PADDING_COLUMNS - KERNEL_COLUMNS;
    place top = above < 0 ? 0 : above / STRIDE_ROWS + 1;
    place left = before < 0 ? 0 : before / STRIDE_COLUMNS + 1;
    number sum = 0;
    for (place row = top; row <= least((i + PADDING_ROWS) / STRIDE_ROWS, rows - 1); ++row)
        for (place column = left; column <= least((j + PADDING_COLUMNS) / STRIDE_COLUMNS, columns - 1); ++column) {
            number part = share(image, height, width, row, column, i * width + j);
            if (part != 0) sum += part * gradients[row * columns + column];
        }
    dx[at] = sum;
}
"#;

/// Steps of the optimizers, each in one pass over values, gradients and moments:
/// `adam_w(value, gradient, first, second, count, scale, decay, beta1, beta2, step_size, correction, epsilon)` and
/// `sgd(value, gradient, velocity, count, scale, learning_rate, momentum, nesterov, weight_decay)`.
pub(super) fn optimizer() -> String {
    prelude(Number::F32) + OPTIMIZER
}

const OPTIMIZER: &str = r#"
extern "C" __global__ void adam_w(
    number* value, const number* gradient, number* first, number* second, size count, number scale,
    number decay, number beta1, number beta2, number step_size, number correction, number epsilon
) {
    size at = thread();
    if (at >= count) return;
    number g = gradient[at] * scale;
    first[at] = beta1 * first[at] + (1 - beta1) * g;
    second[at] = beta2 * second[at] + (1 - beta2) * g * g;
    number denominator = sqrt_of(second[at]) * correction + epsilon;
    value[at] = value[at] * decay - step_size * first[at] / denominator;
}

extern "C" __global__ void sgd(
    number* value, const number* gradient, number* velocity, size count, number scale,
    number learning_rate, number momentum, number nesterov, number weight_decay
) {
    size at = thread();
    if (at >= count) return;
    number g = gradient[at] * scale + weight_decay * value[at];
    velocity[at] = momentum * velocity[at] + g;
    value[at] -= learning_rate * (nesterov != 0 ? g + momentum * velocity[at] : velocity[at]);
}
"#;

#[cfg(test)]
mod tests;
