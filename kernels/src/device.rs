//! The engine that `--device` names.
//!
//! Every engine is a cargo feature; several can be in one binary. A device that
//! this binary was not built for is an error that says which build has it,
//! never a silent fallback.

use burn::tensor::Device;

#[cfg(feature = "cubecl")]
pub(crate) use burn_cubecl::CubeBackend as CubeEngine;

/// Why a device could not be had.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum DeviceError {
    /// The name is none that likeness knows.
    #[error(
        "`{name}` is not a device; choose one of auto, cpu, cuda[:N], vulkan, metal, wgpu, tch, tch:cuda[:N]"
    )]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The name is known, but its engine is not in this binary.
    #[error(
        "this binary was built without `{feature}`, which device `{name}` needs; build it with `cargo build --release --features {feature}`, or use one of: {available}"
    )]
    NotBuilt {
        /// What was asked for.
        name: String,
        /// The cargo feature that has it.
        feature: &'static str,
        /// What this binary has.
        available: String,
    },
}

/// The cargo features of this binary that bring an engine, in order of preference.
pub const ENGINES: &[(&str, bool)] = &[
    ("cuda", cfg!(feature = "cuda")),
    ("metal", cfg!(feature = "metal")),
    ("vulkan", cfg!(feature = "vulkan")),
    ("wgpu", cfg!(feature = "wgpu")),
    ("tch", cfg!(feature = "tch")),
    ("flex", cfg!(feature = "flex")),
];

/// The device called `name`: `auto`, `cpu`, `cuda[:N]`, `vulkan`, `metal`, `wgpu`, `tch` or
/// `tch:cuda[:N]`. `auto` is the first engine of [`ENGINES`] that was built in.
pub fn device(name: &str) -> Result<Device, DeviceError> {
    let (engine, index) = split(name)?;
    let feature = match engine {
        "auto" => first_engine(name)?,
        "cpu" => "flex",
        "cuda" => "cuda",
        "vulkan" => "vulkan",
        "metal" => "metal",
        "wgpu" => "wgpu",
        "tch" | "tch:cuda" => "tch",
        _ => return Err(DeviceError::Unknown { name: name.into() }),
    };
    open(name, feature, engine == "tch:cuda", index)
}

/// `cuda:1` is engine `cuda`, index 1; `tch:cuda:1` is engine `tch:cuda`, index 1.
fn split(name: &str) -> Result<(&str, usize), DeviceError> {
    let unknown = || DeviceError::Unknown { name: name.into() };
    match name.rsplit_once(':') {
        Some((engine @ ("cuda" | "tch:cuda"), index)) => {
            Ok((engine, index.parse().map_err(|_| unknown())?))
        }
        _ => Ok((name, 0)),
    }
}

fn first_engine(name: &str) -> Result<&'static str, DeviceError> {
    let built = ENGINES.iter().find(|(_, built)| *built);
    built.map(|(feature, _)| *feature).ok_or_else(|| not_built(name, "flex"))
}

fn not_built(name: &str, feature: &'static str) -> DeviceError {
    let built = ENGINES.iter().filter(|(_, built)| *built).map(|(feature, _)| *feature);
    let names = built.map(|feature| if feature == "flex" { "cpu" } else { feature });
    DeviceError::NotBuilt {
        name: name.into(),
        feature,
        available: names.collect::<Vec<_>>().join(", "),
    }
}

#[allow(unused_variables, deprecated)] // each engine's arm is compiled only with its feature
fn open(
    name: &str,
    feature: &'static str,
    torch_cuda: bool,
    index: usize,
) -> Result<Device, DeviceError> {
    match feature {
        #[cfg(feature = "flex")]
        "flex" => Ok(Device::flex()),
        #[cfg(feature = "cuda")]
        "cuda" => Ok(Device::cuda(index)),
        #[cfg(feature = "vulkan")]
        "vulkan" => Ok(Device::vulkan(Default::default())),
        #[cfg(feature = "metal")]
        "metal" => Ok(Device::metal(Default::default())),
        #[cfg(feature = "wgpu")]
        "wgpu" => Ok(Device::wgpu(Default::default())),
        #[cfg(feature = "tch")]
        "tch" if torch_cuda => Ok(Device::libtorch_cuda(index)),
        #[cfg(feature = "tch")]
        "tch" => {
            // Our own threads do the work; libtorch's would spin beside them between its calls.
            tch::set_num_threads(1);
            Ok(Device::libtorch())
        }
        _ => Err(not_built(name, feature)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = device("gpu").unwrap_err().to_string();
        assert!(error.contains("`gpu`") && error.contains("cuda[:N]"), "{error}");
        assert!(device("cuda:first").is_err() && device("tch:cuda:x").is_err());
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_device_without_its_engine_names_the_build_that_has_it() {
        let error = device("cuda:1").unwrap_err().to_string();
        assert!(error.contains("--features cuda"), "{error}");
    }

    #[cfg(feature = "flex")]
    #[test]
    fn the_default_build_has_a_cpu() {
        assert!(device("cpu").is_ok() && device("auto").is_ok());
    }
}
