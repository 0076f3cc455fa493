//! What the machine has.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// The bytes of memory that this process can have: those of the machine, or fewer where its control group or its limits say
/// so. None if nothing of this is known.
pub(super) fn memory() -> Option<u64> {
    let ram = MemoryRefreshKind::nothing().with_ram();
    let system = System::new_with_specifics(RefreshKind::nothing().with_memory(ram));
    let of_group = system.cgroup_limits().map(|limits| limits.total_memory);
    let known = [Some(system.total_memory()), of_group, address_space()];
    known.into_iter().flatten().filter(|bytes| *bytes > 0).min()
}

/// The bytes that the process may address.
#[cfg(unix)]
fn address_space() -> Option<u64> {
    let soft = rlimit::Resource::AS.get_soft().ok()?;
    Some(soft).filter(|bytes| *bytes != rlimit::INFINITY)
}

#[cfg(not(unix))]
fn address_space() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_machine_has_memory() {
        assert!(super::memory().is_some_and(|bytes| bytes > 1 << 20));
    }
}
