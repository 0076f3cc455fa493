//! How values change by their gradients, and what is remembered for it.

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, DType, Device, Error, InplaceOp2, Layout, Result, Tensor, Var};
use rayon::prelude::*;

use super::{OptimizerConfiguration, StepSettings};
#[cfg(feature = "cuda")]
use crate::backend::cuda;

/// How values change by their gradients.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    AdamW(AdamW),
    Sgd(Sgd),
}

impl Rule {
    pub(super) fn new(
        configuration: OptimizerConfiguration,
        settings: StepSettings,
        weight_decay: f64,
        step: u64,
    ) -> Self {
        match configuration {
            OptimizerConfiguration::AdamW {
                beta1,
                beta2,
                epsilon,
            } => Rule::AdamW(AdamW::new(
                settings.learning_rate,
                [settings.momentum.unwrap_or(beta1), beta2],
                epsilon,
                weight_decay,
                step,
            )),
            OptimizerConfiguration::Sgd { momentum, nesterov } => Rule::Sgd(Sgd {
                learning_rate: settings.learning_rate as f32,
                momentum: settings.momentum.unwrap_or(momentum) as f32,
                nesterov,
                weight_decay: weight_decay as f32,
            }),
        }
    }
}

impl Rule {
    /// Changes the values of a parameter where they lie, by its gradient times `scale`.
    pub(super) fn step(
        self,
        variable: &Var,
        gradient: &Tensor,
        scale: f32,
        moments: &mut Moments,
    ) -> Result<()> {
        match moments {
            Moments::Slices(slices) => {
                let mut slices = slices.iter_mut().map(Vec::as_mut_slice);
                let moments = [
                    slices.next().unwrap_or_default(),
                    slices.next().unwrap_or_default(),
                ];
                let update = Update {
                    rule: self,
                    scale,
                    moments: Mutex::new(moments),
                };
                variable.inplace_op2(gradient, &update)
            }
            Moments::Tensors(moments) => self.step_on_tensors(variable, gradient, scale, moments),
        }
    }

    fn step_on_tensors(
        self,
        variable: &Var,
        gradient: &Tensor,
        scale: f32,
        moments: &mut [Tensor],
    ) -> Result<()> {
        match (self, moments) {
            (Rule::AdamW(rule), [first, second]) => {
                rule.apply_to_tensors(variable, gradient, scale, [first, second])
            }
            (Rule::Sgd(rule), [velocity]) => {
                rule.apply_to_tensors(variable, gradient, scale, velocity)
            }
            _ => Err(Error::Msg("a parameter lacks a moment".to_owned())),
        }
    }
}

/// What is remembered of a parameter between steps, where its values lie.
pub(super) enum Moments {
    /// In the memory of the processor.
    Slices(Vec<Vec<f32>>),
    /// On another device, one axis each.
    Tensors(Vec<Tensor>),
}

impl Moments {
    /// So many of a variable, all zero.
    pub(super) fn new(variable: &Var, count: usize) -> Result<Self> {
        let size = variable.elem_count();
        if variable.device().is_cpu() {
            return Ok(Moments::Slices(vec![vec![0.0; size]; count]));
        }
        let zeros = || Tensor::zeros(size, DType::F32, variable.device());
        let tensors = (0..count).map(|_| zeros());
        Ok(Moments::Tensors(tensors.collect::<Result<_>>()?))
    }

    pub(super) fn count(&self) -> usize {
        match self {
            Moments::Slices(slices) => slices.len(),
            Moments::Tensors(tensors) => tensors.len(),
        }
    }

    /// Copies as tensors of one axis, in the memory of the processor.
    pub(super) fn tensors(&self) -> Result<Vec<Tensor>> {
        match self {
            Moments::Slices(slices) => {
                let tensors = slices.iter();
                tensors
                    .map(|values| Tensor::from_slice(values, values.len(), &Device::Cpu))
                    .collect()
            }
            Moments::Tensors(tensors) => {
                let tensors = tensors.iter();
                tensors.map(|it| it.to_device(&Device::Cpu)).collect()
            }
        }
    }

    /// Sets one of them to what a tensor of one axis has.
    pub(super) fn set(&mut self, place: usize, values: &Tensor) -> Result<()> {
        match self {
            Moments::Slices(slices) => {
                if let Some(slice) = slices.get_mut(place) {
                    *slice = values.to_vec1()?;
                }
            }
            Moments::Tensors(tensors) => {
                if let Some(tensor) = tensors.get_mut(place) {
                    *tensor = values.to_device(tensor.device())?;
                }
            }
        }
        Ok(())
    }
}

/// Numbers in one piece of parallel work.
const PIECE: usize = 1 << 14;

/// A step of one parameter, in one pass over its values, gradient and moments.
struct Update<'a> {
    rule: Rule,
    /// What the gradient is multiplied with.
    scale: f32,
    /// Candle hands an operation out as shared, though it is run once.
    moments: Mutex<[&'a mut [f32]; 2]>,
}

impl Update<'_> {
    fn run(&self, values: &mut [f32], gradient: &[f32]) {
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let [first, second] = &mut *moments;
        let pieces = values
            .par_chunks_mut(PIECE)
            .zip(gradient.par_chunks(PIECE))
            .zip(first.par_chunks_mut(PIECE));
        match self.rule {
            Rule::AdamW(rule) => pieces.zip(second.par_chunks_mut(PIECE)).for_each(
                |(((values, gradient), first), second)| {
                    let moments = first.iter_mut().zip(second);
                    let pairs = values.iter_mut().zip(gradient);
                    for ((value, gradient), (first, second)) in pairs.zip(moments) {
                        rule.apply(value, *gradient * self.scale, first, second);
                    }
                },
            ),
            Rule::Sgd(rule) => pieces.for_each(|((values, gradient), velocities)| {
                let pairs = values.iter_mut().zip(gradient);
                for ((value, gradient), velocity) in pairs.zip(velocities) {
                    rule.apply(value, *gradient * self.scale, velocity);
                }
            }),
        }
    }
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "optimizer"
    }

    fn cpu_fwd(
        &self,
        values: &mut CpuStorage,
        values_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<()> {
        let apart = || Error::Msg("a parameter does not lie in one piece".to_owned());
        let CpuStorage::F32(values) = values else {
            return Err(Error::Msg("parameters are trained in F32".to_owned()));
        };
        let (start, end) = values_layout.contiguous_offsets().ok_or_else(apart)?;
        let values = &mut values[start..end];
        let (start, end) = gradient_layout.contiguous_offsets().ok_or_else(apart)?;
        self.run(values, &gradient.as_slice::<f32>()?[start..end]);
        Ok(())
    }
}

/// One step of AdamW; what does not depend on the element is computed once.
#[derive(Clone, Copy)]
pub(super) struct AdamW {
    decay: f32,
    betas: [f32; 2],
    step_size: f32,
    second_correction: f32,
    epsilon: f32,
}

impl AdamW {
    fn new(
        learning_rate: f64,
        [beta1, beta2]: [f64; 2],
        epsilon: f64,
        weight_decay: f64,
        step: u64,
    ) -> Self {
        let correction = |beta: f64| 1.0 - beta.powf(step as f64);
        Self {
            decay: (1.0 - learning_rate * weight_decay) as f32,
            betas: [beta1 as f32, beta2 as f32],
            step_size: (learning_rate / correction(beta1)) as f32,
            second_correction: (1.0 / correction(beta2).sqrt()) as f32,
            epsilon: epsilon as f32,
        }
    }

    fn apply(&self, value: &mut f32, gradient: f32, first: &mut f32, second: &mut f32) {
        let [beta1, beta2] = self.betas;
        *first = beta1 * *first + (1.0 - beta1) * gradient;
        *second = beta2 * *second + (1.0 - beta2) * gradient * gradient;
        let denominator = second.sqrt() * self.second_correction + self.epsilon;
        *value = *value * self.decay - self.step_size * *first / denominator;
    }

    fn apply_to_tensors(
        &self,
        variable: &Var,
        gradient: &Tensor,
        scale: f32,
        [first, second]: [&mut Tensor; 2],
    ) -> Result<()> {
        #[cfg(feature = "cuda")]
        if variable.device().is_cuda() {
            let [beta1, beta2] = self.betas;
            let numbers = [
                scale,
                self.decay,
                beta1,
                beta2,
                self.step_size,
                self.second_correction,
                self.epsilon,
            ];
            return cuda::adam_w(variable, gradient, [first, second], numbers);
        }
        let [beta1, beta2] = self.betas.map(f64::from);
        let gradient = (gradient.flatten_all()? * f64::from(scale))?;
        *first = ((&*first * beta1)? + (&gradient * (1.0 - beta1))?)?;
        *second = ((&*second * beta2)? + (gradient.sqr()? * (1.0 - beta2))?)?;
        let correction = f64::from(self.second_correction);
        let denominator = second.sqrt()?.affine(correction, f64::from(self.epsilon))?;
        let step = (first.div(&denominator)? * f64::from(self.step_size))?;
        let values = (variable.flatten_all()?.detach() * f64::from(self.decay))?;
        variable.set(&(values - step)?.reshape(variable.shape())?)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Sgd {
    learning_rate: f32,
    momentum: f32,
    nesterov: bool,
    weight_decay: f32,
}

impl Sgd {
    fn apply(&self, value: &mut f32, gradient: f32, velocity: &mut f32) {
        let gradient = gradient + self.weight_decay * *value;
        *velocity = self.momentum * *velocity + gradient;
        let direction = if self.nesterov {
            gradient + self.momentum * *velocity
        } else {
            *velocity
        };
        *value -= self.learning_rate * direction;
    }

    fn apply_to_tensors(
        &self,
        variable: &Var,
        gradient: &Tensor,
        scale: f32,
        velocity: &mut Tensor,
    ) -> Result<()> {
        #[cfg(feature = "cuda")]
        if variable.device().is_cuda() {
            let numbers = [
                scale,
                self.learning_rate,
                self.momentum,
                f32::from(u8::from(self.nesterov)),
                self.weight_decay,
            ];
            return cuda::sgd(variable, gradient, velocity, numbers);
        }
        let values = variable.flatten_all()?.detach();
        let decay = (&values * f64::from(self.weight_decay))?;
        let gradient = ((gradient.flatten_all()? * f64::from(scale))? + decay)?;
        *velocity = ((&*velocity * f64::from(self.momentum))? + &gradient)?;
        let direction = match self.nesterov {
            true => (gradient + (&*velocity * f64::from(self.momentum))?)?,
            false => velocity.clone(),
        };
        let values = (values - (direction * f64::from(self.learning_rate))?)?;
        variable.set(&values.reshape(variable.shape())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{OptimizerConfiguration, StepSettings};

    /// What a device does by operations on tensors is what the processor does number by number.
    #[test]
    fn both_ways_make_the_same_steps() {
        let configurations = [
            OptimizerConfiguration::adam_w(),
            OptimizerConfiguration::sgd(),
            OptimizerConfiguration::Sgd {
                momentum: 0.5,
                nesterov: false,
            },
        ];
        for (configuration, count) in configurations.into_iter().zip([2, 1, 1]) {
            let start =
                Tensor::new(&[[0.5_f32, -2.0, 3.0], [1.0, 0.0, -0.25]], &Device::Cpu).unwrap();
            let [one, other] = [0, 1].map(|_| Var::from_tensor(&start).unwrap());
            let mut slices = Moments::new(&one, count).unwrap();
            let mut tensors = Moments::Tensors(slices.tensors().unwrap());
            for step in 1..=4 {
                let gradient = (start.affine(0.3 * step as f64, -0.2)).unwrap();
                let settings = StepSettings {
                    learning_rate: 0.1,
                    momentum: None,
                    gradient_clip: None,
                };
                let rule = Rule::new(configuration, settings, 0.01, step);
                rule.step(&one, &gradient, 0.7, &mut slices).unwrap();
                rule.step(&other, &gradient, 0.7, &mut tensors).unwrap();
            }
            let numbers = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let mut pairs = vec![(numbers(&one), numbers(&other))];
            let moments = slices
                .tensors()
                .unwrap()
                .into_iter()
                .zip(tensors.tensors().unwrap());
            pairs.extend(moments.map(|(one, other)| (numbers(&one), numbers(&other))));
            for (left, right) in pairs {
                for (left, right) in left.iter().zip(&right) {
                    assert!(
                        (left - right).abs() < 1e-5,
                        "{left} and {right}, {configuration:?}"
                    );
                }
            }
        }
    }
}
