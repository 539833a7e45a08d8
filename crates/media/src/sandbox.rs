//! A worker's restrictions, taken on before it touches media and never given back. What the kernel
//! lacks is left out and reported: docketd says so at its start.

use docket_playback::protocol::Restrictions;
use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetError, RulesetStatus, Scope,
};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::system_calls;

/// What to restrict; the self test leaves out one to try the other.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Bytes that may be allocated beyond what is mapped at the start.
    pub memory_bytes: u64,
    /// CPU seconds.
    pub cpu_seconds: u64,
    /// How far everyone else goes first: 5 beside ingest, 19 for what takes all of a core.
    pub nice: i32,
    /// Ask for Landlock.
    pub landlock: bool,
    /// Ask for a system-call filter.
    pub seccomp: bool,
}

/// Restricts this process for good.
pub fn restrict(plan: &Plan) -> Restrictions {
    close_everything_else();
    let memory = mapped_bytes().map(|mapped| mapped + plan.memory_bytes);
    let limited = |resource, most| limit(resource, most, most);
    let memory_bytes = memory
        .filter(|most| limited(Resource::As, *most))
        .map(|_| plan.memory_bytes);
    // Two more seconds after the signal, then the kernel kills.
    let cpu = limit(Resource::Cpu, plan.cpu_seconds, plan.cpu_seconds + 2);
    let mut restrictions = Restrictions {
        memory_bytes,
        cpu_seconds: cpu.then_some(plan.cpu_seconds),
        no_new_privs: no_new_privileges(),
        landlock: "none".to_owned(),
        seccomp: false,
    };
    // Each of these only narrows what is narrow already, so a refusal is no reason to stop.
    limited(Resource::Core, 0);
    limited(Resource::Fsize, 0);
    limited(Resource::Nproc, 0);
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let _ = rustix::process::nice(plan.nice); // ingest goes first
    if plan.landlock {
        restrictions.landlock = match landlock() {
            Ok(RulesetStatus::FullyEnforced) => "full",
            Ok(RulesetStatus::PartiallyEnforced) => "partial",
            _ => "none",
        }
        .to_owned();
    }
    limited(Resource::Nofile, 3);
    if plan.seccomp {
        restrictions.seccomp = system_calls::install().is_ok();
    }
    restrictions
}

/// Nothing of the file system, no TCP, no signals or abstract sockets to the outside.
fn landlock() -> Result<RulesetStatus, RulesetError> {
    // What of this an older kernel lacks is left out; it then answers "partially enforced".
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V5))?
        .handle_access(AccessNet::from_all(ABI::V5))?
        .scope(Scope::from_all(ABI::V6))?
        .create()?
        .restrict_self()?;
    Ok(status.ruleset)
}

fn limit(resource: Resource, soft: u64, hard: u64) -> bool {
    setrlimit(
        resource,
        Rlimit {
            current: Some(soft),
            maximum: Some(hard),
        },
    )
    .is_ok()
}

#[allow(unsafe_code)]
fn no_new_privileges() -> bool {
    // SAFETY: takes plain numbers.
    unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 }
}

/// Address space in use: the code of FFmpeg's libraries is most of it.
fn mapped_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').next()?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// Closes what a careless parent left open. Standard input, output and error stay.
#[allow(unsafe_code)]
fn close_everything_else() {
    // SAFETY: runs first of all in a process with one thread that has opened nothing itself. An old
    // kernel's refusal leaves what close-on-exec has dealt with already.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32);
    }
}
