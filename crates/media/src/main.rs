//! `docket-media`: examines one recording for docketd, restricted. Started by docketd only: standard
//! input is the recording, standard output a socket.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use anyhow::{Context, bail};
use docket_media::sandbox::{Plan, restrict};
use docket_media::{self_test, serve};
use docket_playback::protocol::EXIT_OUT_OF_MEMORY;

/// Ends the process with its own exit code when memory runs out, so that docketd can tell that from a
/// crash.
struct EndOnExhaustion;

#[allow(unsafe_code)]
// SAFETY: passes on to the system's allocator; on exhaustion it doesn't return.
unsafe impl GlobalAlloc for EndOnExhaustion {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promised.
        checked(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promised.
        checked(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller promised.
        checked(unsafe { System.realloc(block, layout, size) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(block, layout) }
    }
}

#[allow(unsafe_code)]
fn checked(block: *mut u8) -> *mut u8 {
    if block.is_null() {
        // SAFETY: ends the process without running anything more.
        unsafe { libc::_exit(EXIT_OUT_OF_MEMORY) }
    }
    block
}

#[global_allocator]
static ALLOCATOR: EndOnExhaustion = EndOnExhaustion;

struct Arguments {
    plan: Plan,
    may_misbehave: bool,
    self_test: bool,
}

fn arguments() -> anyhow::Result<Arguments> {
    let plan = Plan {
        memory_bytes: 512 << 20,
        cpu_seconds: 60,
        nice: 5,
        landlock: true,
        seccomp: true,
    };
    let mut arguments = Arguments {
        plan,
        may_misbehave: false,
        self_test: false,
    };
    for argument in std::env::args().skip(1) {
        match argument.split_once('=').unwrap_or((&argument, "")) {
            ("--memory-bytes", value) => {
                arguments.plan.memory_bytes = value.parse().context("memory")?
            }
            ("--cpu-seconds", value) => {
                arguments.plan.cpu_seconds = value.parse().context("CPU seconds")?
            }
            ("--nice", value) => arguments.plan.nice = value.parse().context("niceness")?,
            ("--without-landlock", _) => arguments.plan.landlock = false,
            ("--without-seccomp", _) => arguments.plan.seccomp = false,
            ("--misbehave", _) => arguments.may_misbehave = true,
            ("--self-test-sandbox", _) => arguments.self_test = true,
            _ => bail!("unknown argument {argument:?}; docketd starts this program, people don't"),
        }
    }
    Ok(arguments)
}

/// Standard input and output as docketd has arranged them.
#[allow(unsafe_code)]
fn open_ends() -> (OwnedFd, Arc<UnixStream>) {
    // SAFETY: both are open in every process docketd starts, and nothing here reads standard input or
    // writes standard output otherwise. Were one closed, using it would only fail.
    unsafe {
        (
            OwnedFd::from_raw_fd(0),
            Arc::new(UnixStream::from_raw_fd(1)),
        )
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = arguments()?;
    if arguments.self_test {
        let parent = rustix::process::getppid();
        let report = self_test::run(restrict(&arguments.plan), parent);
        let text = serde_json::to_string(&report)?;
        return Ok(std::io::stdout().write_all(text.as_bytes())?);
    }
    // A docketd that is killed says no goodbye: without this a worker busy with a long scan would go on
    // for minutes beside the next one. (The signal follows docketd's thread that started us; those live as
    // long as docketd.)
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    ffmpeg_next::util::log::set_level(ffmpeg_next::util::log::Level::Error);
    let (descriptor, socket) = open_ends();
    let restrictions = restrict(&arguments.plan);
    Ok(serve::serve(
        &socket,
        descriptor,
        restrictions,
        arguments.may_misbehave,
    )?)
}
