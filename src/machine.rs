//! What this machine has: memory, cores, disk.

use std::path::Path;
use std::process::{Command, Stdio};

/// Bytes of a memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// In all.
    pub total: u64,
    /// Free for a new program.
    pub available: u64,
}

/// The main memory, within the limit of this process's control group; `None` where the system
/// does not tell (it does on Linux).
pub fn main_memory() -> Option<Memory> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let of = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
    };
    let whole = Memory { total: of("MemTotal:")?, available: of("MemAvailable:")? };
    Some(match group_memory() {
        Some(group) if group.total < whole.total => {
            Memory { total: group.total, available: group.available.min(whole.available) }
        }
        _ => whole,
    })
}

/// The limit of this process's control group (version 2), if there is one.
fn group_memory() -> Option<Memory> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let folder = Path::new("/sys/fs/cgroup").join(path.trim_start_matches('/'));
    let number = |file: &str| -> Option<u64> {
        std::fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok()
    };
    let (total, used) = (number("memory.max")?, number("memory.current")?);
    Some(Memory { total, available: total.saturating_sub(used) })
}

/// Memory of the NVIDIA GPUs, by name, as their driver's own tool tells it.
pub fn nvidia() -> Vec<(String, Memory)> {
    let query = ["--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits"];
    let text = output("nvidia-smi", &query).unwrap_or_default();
    let one = |line: &str| {
        let mut fields = line.split(", ");
        let name = fields.next()?.to_owned();
        let mut mib = || Some(fields.next()?.trim().parse::<u64>().ok()? << 20);
        Some((name, Memory { total: mib()?, available: mib()? }))
    };
    text.lines().filter_map(one).collect()
}

/// The memory that the device called `engine` computes in, as far as it can be told.
pub fn memory_of(engine: &str) -> Option<Memory> {
    if in_main_memory(engine) {
        return main_memory();
    }
    let (kind, index) = match engine.rsplit_once(':') {
        Some((kind, index)) if index.parse::<usize>().is_ok() => (kind, index.parse().ok()?),
        _ => (engine, 0),
    };
    let gpus = if matches!(kind, "cuda" | "tch:cuda") { nvidia() } else { Vec::new() };
    gpus.get(index).map(|(_, memory)| *memory)
}

/// Whether the device called `engine` computes in the main memory.
pub fn in_main_memory(engine: &str) -> bool {
    matches!(engine, "cpu" | "tch")
}

/// Bytes free on the disk of `path`, or of the nearest folder above it that is there.
pub fn free_disk(path: &Path) -> Option<u64> {
    let path = std::path::absolute(path).ok()?;
    let there = path.ancestors().find(|path| path.exists())?;
    let text = output("df", &["-Pk", there.to_str()?])?;
    text.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok().map(|kib| kib << 10)
}

/// The widest vector instructions that the CPU engine can use here.
pub fn simd() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            return "AVX-512";
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            return "AVX2";
        }
        "SSE2"
    }
    #[cfg(target_arch = "aarch64")]
    {
        "NEON"
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        "none known"
    }
}

/// What a program of the system says, if it is there.
fn output(program: &str, args: &[&str]) -> Option<String> {
    let ran = Command::new(program).args(args).stdin(Stdio::null()).output().ok()?;
    ran.status.success().then(|| String::from_utf8_lossy(&ran.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_is_never_more_than_all() {
        if let Some(memory) = main_memory() {
            assert!(0 < memory.available && memory.available <= memory.total, "{memory:?}");
        }
    }

    #[test]
    fn a_path_that_is_not_there_yet_lies_on_a_disk_all_the_same() {
        let here = free_disk(Path::new("."));
        assert_eq!(free_disk(Path::new("not/there/yet")).is_some(), here.is_some());
    }
}
