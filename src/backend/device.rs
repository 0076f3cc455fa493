//! Devices by name.

use candle_core::Device;
use thiserror::Error;

use super::{CompileError, Executor, Network, Precision};
use crate::graph::Graph;
use crate::plan::Passes;

/// Where and how exactly networks compute.
#[derive(Clone, Debug)]
pub struct Computation {
    /// Where.
    pub device: Device,
    /// How exactly. On the CPU, the kernels compute in full precision; mixed precision is imitated there, slowly,
    /// by operations on tensors.
    pub precision: Precision,
}

impl Default for Computation {
    fn default() -> Self {
        Computation {
            device: Device::Cpu,
            precision: Precision::Full,
        }
    }
}

impl Computation {
    /// Compiles a net to compute so, with `f32`, after these passes over its plan. The same seed gives the same
    /// parameters.
    ///
    /// # Errors
    ///
    /// See [`CompileError`].
    pub fn compile(
        &self,
        graph: &Graph,
        passes: Passes,
        seed: u64,
    ) -> Result<Network, CompileError> {
        let network = Network::compile_with_passes(graph, passes, &self.device, seed)?;
        Ok(match self.precision {
            Precision::Full => network,
            precision => network.executed_by(Executor::Tensors { precision }),
        })
    }
}

/// Why there is no such device.
#[derive(Debug, Error)]
pub enum DeviceError {
    /// The name is none of a device.
    #[error("`{0}` is no device: say `cpu`, `cuda`, or `cuda:1` for the second graphics processor")]
    Name(String),
    /// The package was built without the feature that the device needs.
    #[error(
        "this build of snapc has no `{0}`: build it with the feature `cuda` (`scripts/cuda/build.sh` does), or \
         say `cpu`"
    )]
    NotBuilt(String),
    /// The device does not answer.
    #[error("there is no `{name}` here: {reason}")]
    Missing {
        /// The name of the device.
        name: String,
        /// What its driver says.
        reason: String,
    },
}

/// The device of a name: `cpu`, `cuda` (the first graphics processor), or `cuda:N` (the one with the number N,
/// counted from 0).
///
/// # Errors
///
/// See [`DeviceError`].
pub fn device(name: &str) -> Result<Device, DeviceError> {
    let unknown = || DeviceError::Name(name.to_owned());
    let number = match name.split_once(':') {
        _ if name == "cpu" => return Ok(Device::Cpu),
        None if name == "cuda" => 0,
        Some(("cuda", number)) => number.parse().map_err(|_| unknown())?,
        _ => return Err(unknown()),
    };
    if !cfg!(feature = "cuda") {
        return Err(DeviceError::NotBuilt(name.to_owned()));
    }
    Device::new_cuda(number).map_err(|error| DeviceError::Missing {
        name: name.to_owned(),
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_devices() {
        assert!(device("cpu").is_ok_and(|device| device.is_cpu()));
        for name in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0"] {
            assert!(matches!(device(name), Err(DeviceError::Name(_))), "{name}");
        }
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_build_without_the_feature_says_so() {
        let error = device("cuda:1").expect_err("there is none");
        assert!(error.to_string().contains("no `cuda:1`"), "{error}");
    }
}
