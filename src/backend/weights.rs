//! Weights out to and in from safetensors files.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use candle_core::safetensors::Load;
use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use thiserror::Error;

use super::Network;
use crate::files;

/// Why weights could not be written or read.
#[derive(Debug, Error)]
pub enum WeightsError {
    /// The file can't be read.
    #[error("can't read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file can't be written.
    #[error("can't write `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not in the format safetensors.
    #[error("`{}` is damaged or no safetensors file: {problem}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The tensors are not those of the network.
    #[error("{}", describe(origin, net, misfits))]
    Misfit {
        /// Where the tensors come from.
        origin: String,
        /// The name of the network.
        net: String,
        /// Everything that does not fit: first in the order of the network's parameters, then what
        /// it does not have, by name.
        misfits: Vec<Misfit>,
    },
    /// A tensor can't be read or written.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

/// One way in which tensors do not fit a network.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Misfit {
    /// The network has a tensor that is not there.
    #[error("`{name}` {shape:?} is missing")]
    Missing {
        /// Its name.
        name: String,
        /// Its shape in the network.
        shape: Vec<usize>,
    },
    /// The network does not have this tensor.
    #[error("`{name}` {shape:?} is not expected")]
    Unexpected {
        /// Its name.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A tensor has another shape in the network.
    #[error("`{name}` has the shape {found:?}, not {expected:?}")]
    Shape {
        /// Its name.
        name: String,
        /// Its shape in the network.
        expected: Vec<usize>,
        /// Its shape.
        found: Vec<usize>,
    },
}

fn describe(origin: &str, net: &str, misfits: &[Misfit]) -> String {
    let mut text = format!("{origin} does not fit the net `{net}`:");
    for misfit in misfits {
        text += &format!("\n  {misfit}");
    }
    text += "\nweights fit only the net that they were saved from";
    text
}

impl Network {
    /// A copy of all parameters and state as they are now, under the names of
    /// [`Plan::parameters`](crate::plan::Plan::parameters) and in their order.
    ///
    /// # Errors
    ///
    /// If a tensor can't be copied.
    pub fn tensors(&self) -> candle_core::Result<Vec<(String, Tensor)>> {
        let declarations = self.plan().parameters.iter().zip(self.variables());
        declarations
            .map(|(declaration, variable)| {
                let tensor = variable.as_detached_tensor().copy()?;
                Ok((declaration.name.clone(), tensor))
            })
            .collect()
    }

    /// Writes all parameters and state. The file is written beside its place and then renamed, so
    /// whatever happens, either the old or the new file is there.
    ///
    /// # Errors
    ///
    /// [`WeightsError::Write`] where the system refuses.
    pub fn save_weights(&self, path: &Path) -> Result<(), WeightsError> {
        let write_error = |source: io::Error| WeightsError::Write {
            path: path.to_owned(),
            source,
        };
        let bytes = safetensors::serialize(self.tensors()?, None)
            .map_err(|error| write_error(io::Error::other(error)))?;
        files::write(path, &bytes).map_err(write_error)
    }

    /// Reads all parameters and state. The network stays as it was where there is an error.
    ///
    /// # Errors
    ///
    /// [`WeightsError::Misfit`] lists everything that does not fit.
    pub fn load_weights(&self, path: &Path) -> Result<(), WeightsError> {
        let bytes = fs::read(path).map_err(|source| WeightsError::Read {
            path: path.to_owned(),
            source,
        })?;
        let corrupt = |problem: String| WeightsError::Corrupt {
            path: path.to_owned(),
            problem,
        };
        let file = SafeTensors::deserialize(&bytes).map_err(|error| corrupt(error.to_string()))?;
        let mut tensors = HashMap::new();
        for (name, view) in file.tensors() {
            let tensor = view
                .load(&Device::Cpu)
                .map_err(|error| corrupt(format!("`{name}`: {error}")))?;
            tensors.insert(name, tensor);
        }
        self.set(&tensors, format!("`{}`", path.display()))
    }

    /// Sets all parameters and state. The network stays as it was where there is an error.
    ///
    /// # Errors
    ///
    /// [`WeightsError::Misfit`] lists everything that does not fit.
    pub fn load_tensors(&self, tensors: &HashMap<String, Tensor>) -> Result<(), WeightsError> {
        self.set(tensors, "what was given".to_owned())
    }

    fn set(&self, tensors: &HashMap<String, Tensor>, origin: String) -> Result<(), WeightsError> {
        let misfits = self.misfits(tensors);
        if !misfits.is_empty() {
            let net = self.plan().name.clone();
            return Err(WeightsError::Misfit {
                origin,
                net,
                misfits,
            });
        }
        let converted = self
            .plan()
            .parameters
            .iter()
            .filter_map(|declaration| tensors.get(&declaration.name))
            // A copy, since what is given may be the variable itself.
            .map(|tensor| {
                let tensor = tensor.to_device(self.device())?;
                tensor.to_dtype(self.dtype())?.copy()
            })
            .collect::<candle_core::Result<Vec<_>>>()?;
        for (variable, tensor) in self.variables().iter().zip(&converted) {
            variable.set(tensor)?;
        }
        Ok(())
    }

    fn misfits(&self, tensors: &HashMap<String, Tensor>) -> Vec<Misfit> {
        let mut misfits = Vec::new();
        for declaration in &self.plan().parameters {
            let name = declaration.name.clone();
            match tensors.get(&name).map(Tensor::dims) {
                None => misfits.push(Misfit::Missing {
                    name,
                    shape: declaration.shape.clone(),
                }),
                Some(found) if found != declaration.shape => misfits.push(Misfit::Shape {
                    name,
                    expected: declaration.shape.clone(),
                    found: found.to_vec(),
                }),
                Some(_) => {}
            }
        }
        let declared: std::collections::HashSet<&str> = self
            .plan()
            .parameters
            .iter()
            .map(|declaration| declaration.name.as_str())
            .collect();
        let mut unexpected: Vec<_> = tensors
            .iter()
            .filter(|(name, _)| !declared.contains(name.as_str()))
            .collect();
        unexpected.sort_unstable_by_key(|(name, _)| name.as_str());
        misfits.extend(
            unexpected
                .into_iter()
                .map(|(name, tensor)| Misfit::Unexpected {
                    name: name.clone(),
                    shape: tensor.dims().to_vec(),
                }),
        );
        misfits
    }
}
