use std::path::Path;

use candle_core::{Shape, Tensor, Var};
use thiserror::Error;

use super::CheckpointError;
use super::checkpoint::write_tensors;
use crate::backend::Model;
use crate::data::Normalization;

/// The values of a model at some moment: its parameters and its state, by name.
#[derive(Clone, Debug)]
pub struct Weights {
    tensors: Vec<(String, Tensor)>,
}

/// Weights that do not belong to a model.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The model has a tensor that is not there.
    #[error(
        "the tensor `{name}` of the network is missing; these are the weights of another network"
    )]
    Missing {
        /// The name of the tensor.
        name: String,
    },
    /// There is a tensor that the model does not have.
    #[error(
        "the tensor `{name}` is not one of the network; these are the weights of another network"
    )]
    Unexpected {
        /// The name of the tensor.
        name: String,
    },
    /// A tensor has another shape than in the model.
    #[error(
        "the tensor `{name}` has shape {found:?}, but the network needs {expected:?}; \
         these are the weights of another network"
    )]
    Shape {
        /// The name of the tensor.
        name: String,
        /// Its shape in the weights.
        found: Vec<usize>,
        /// Its shape in the model.
        expected: Vec<usize>,
    },
}

impl Weights {
    /// Copies the values of a model.
    ///
    /// # Errors
    ///
    /// When there is no memory.
    pub fn capture(model: &dyn Model) -> candle_core::Result<Self> {
        let copy = |(name, variable): (String, Var)| Ok((name, variable.detach().copy()?));
        Ok(Self {
            tensors: variables(model)
                .into_iter()
                .map(copy)
                .collect::<candle_core::Result<_>>()?,
        })
    }

    /// Writes them in the safetensors format, with a checksum and how inputs and targets are normalised for them in the
    /// file's metadata.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Write`] when the file can't be written.
    pub fn save(&self, path: &Path, normalization: &Normalization) -> Result<(), CheckpointError> {
        let tensors = self.tensors.iter().cloned().collect();
        write_tensors(path, tensors, Some(normalization.clone()))
    }

    /// Weights that were read from somewhere.
    pub fn new(tensors: Vec<(String, Tensor)>) -> Self {
        Self { tensors }
    }

    /// The values by name.
    pub fn tensors(&self) -> &[(String, Tensor)] {
        &self.tensors
    }

    /// Whether these are, by names and shapes, weights of `model`.
    ///
    /// # Errors
    ///
    /// The first tensor of the model that is missing or has another shape, or the first tensor that
    /// the model does not have.
    pub fn check(&self, model: &dyn Model) -> Result<(), WeightsError> {
        let variables = variables(model);
        for (name, variable) in &variables {
            let Some(tensor) = self.find(name) else {
                return Err(WeightsError::Missing { name: name.clone() });
            };
            check_shape(name, tensor, variable.shape())?;
        }
        let is_known = |name: &String| variables.iter().any(|(known, _)| known == name);
        match self.tensors.iter().find(|(name, _)| !is_known(name)) {
            Some((name, _)) => Err(WeightsError::Unexpected { name: name.clone() }),
            None => Ok(()),
        }
    }

    /// Gives the model these values. Call [`check`](Self::check) first: tensors that the model does
    /// not have are passed over, those that are missing keep their values.
    ///
    /// # Errors
    ///
    /// When a shape differs.
    pub fn restore(&self, model: &dyn Model) -> candle_core::Result<()> {
        for (name, variable) in variables(model) {
            if let Some(tensor) = self.find(&name) {
                let tensor = tensor.to_dtype(variable.dtype())?;
                variable.set(&tensor.to_device(variable.device())?)?;
            }
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Option<&Tensor> {
        let (_, tensor) = self.tensors.iter().find(|(known, _)| known == name)?;
        Some(tensor)
    }
}

pub(super) fn check_shape(
    name: &str,
    tensor: &Tensor,
    expected: &Shape,
) -> Result<(), WeightsError> {
    if tensor.shape() == expected {
        return Ok(());
    }
    Err(WeightsError::Shape {
        name: name.into(),
        found: tensor.dims().to_vec(),
        expected: expected.dims().to_vec(),
    })
}

fn variables(model: &dyn Model) -> Vec<(String, Var)> {
    let mut variables = model.trainable();
    variables.extend(model.state());
    variables
}
