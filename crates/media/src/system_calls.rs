//! The system calls a worker needs once it runs. Everything else answers "operation not permitted":
//! no file is opened, no socket made, nothing executed, no thread or process started.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Op,
    SeccompCondition, SeccompFilter, SeccompRule,
};

/// Allowed whatever their arguments: they work on memory, time, and what is already open.
const PLAIN: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_recvfrom,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_lseek,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_sigaltstack,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_restart_syscall,
    libc::SYS_ppoll,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Installs the filter for good.
///
/// # Errors
/// When the kernel has no seccomp filters, or the architecture isn't known.
pub fn install() -> Result<(), Error> {
    let architecture = std::env::consts::ARCH.try_into().map_err(Error::Backend)?;
    let filter = SeccompFilter::new(
        rules().map_err(Error::Backend)?,
        SeccompAction::Errno(libc::EPERM as u32),
        SeccompAction::Allow,
        architecture,
    )
    .map_err(Error::Backend)?;
    let program: BpfProgram = filter.try_into().map_err(Error::Backend)?;
    seccompiler::apply_filter(&program)
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn rules() -> Result<Rules, seccompiler::BackendError> {
    let mut rules: Rules = PLAIN.iter().map(|call| (*call, Vec::new())).collect();
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_poll, Vec::new());
    // Only to the socket and standard error.
    let to_open_ends = || -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
        Ok(vec![argument(0, Op::Eq, 1)?, argument(0, Op::Eq, 2)?])
    };
    rules.insert(libc::SYS_write, to_open_ends()?);
    rules.insert(libc::SYS_writev, to_open_ends()?);
    rules.insert(libc::SYS_sendto, to_open_ends()?);
    // Memory, but none that could be executed.
    let no_exec = |at| argument(at, Op::MaskedEq(libc::PROT_EXEC as u64), 0);
    rules.insert(libc::SYS_mmap, vec![no_exec(2)?]);
    rules.insert(libc::SYS_mprotect, vec![no_exec(2)?]);
    // Descriptors may be looked at, not duplicated or changed.
    rules.insert(
        libc::SYS_fcntl,
        vec![argument(1, Op::Eq, libc::F_GETFL as u64)?],
    );
    // abort() signals itself; nobody else.
    rules.insert(
        libc::SYS_tgkill,
        vec![argument(0, Op::Eq, u64::from(std::process::id()))?],
    );
    Ok(rules)
}

fn argument(at: u8, op: Op, value: u64) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(at, Length::Dword, op, value)?])
}
