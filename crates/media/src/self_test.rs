//! `docket-media --self-test-sandbox`: restricts itself, then tries what a taken-over worker would try.

use std::fs::{File, OpenOptions};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::Command;

use docket_playback::protocol::Restrictions;
use rustix::process::Pid;
use serde::{Deserialize, Serialize};

/// What was tried, and whether it was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// What.
    pub what: String,
    /// The kernel said no.
    pub refused: bool,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// In force.
    pub restrictions: Restrictions,
    /// Tried.
    pub attempts: Vec<Attempt>,
}

/// Tries. Only in a process that has restricted itself; `parent` was asked for before.
pub fn run(restrictions: Restrictions, parent: Option<Pid>) -> Report {
    let mut attempts = Vec::new();
    let mut attempt = |what: &str, succeeded: bool| {
        attempts.push(Attempt {
            what: what.to_owned(),
            refused: !succeeded,
        });
    };
    attempt("read /etc/passwd", File::open("/etc/passwd").is_ok());
    attempt("list /", std::fs::read_dir("/").is_ok());
    let scratch = format!("/tmp/docket-media-self-test-{}", std::process::id());
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&scratch)
        .is_ok();
    attempt("create a file", written);
    attempt(
        "execute /bin/true",
        Command::new("/bin/true").status().is_ok(),
    );
    // Port 9 is closed on any sane machine: refused by the far end is not refused by the kernel.
    let connected = TcpStream::connect(("127.0.0.1", 9));
    let reached = |error: &std::io::Error| error.kind() == std::io::ErrorKind::ConnectionRefused;
    attempt(
        "connect by TCP",
        connected.is_ok() || connected.is_err_and(|error| reached(&error)),
    );
    attempt("make a socket pair", UnixStream::pair().is_ok());
    attempt(
        "start a thread",
        std::thread::Builder::new().spawn(|| ()).is_ok(),
    );
    attempt("signal the parent", signal(parent));
    attempt("trace the parent", trace(parent));
    attempt("map executable memory", map_executable());
    attempt(
        "allocate beyond the limit",
        allocates(restrictions.memory_bytes),
    );
    Report {
        restrictions,
        attempts,
    }
}

fn signal(parent: Option<Pid>) -> bool {
    parent.is_some_and(|parent| rustix::process::test_kill_process(parent).is_ok())
}

#[allow(unsafe_code)]
fn trace(parent: Option<Pid>) -> bool {
    let parent = parent.map_or(0, |parent| parent.as_raw_nonzero().get());
    // SAFETY: PTRACE_SEIZE takes no pointer here; it doesn't stop the process it is allowed on.
    unsafe { libc::syscall(libc::SYS_ptrace, 0x4206, parent, 0, 0) == 0 }
}

#[allow(unsafe_code)]
fn map_executable() -> bool {
    use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
    // SAFETY: a fresh anonymous mapping of one page, never used.
    unsafe {
        mmap_anonymous(
            std::ptr::null_mut(),
            4096,
            ProtFlags::READ | ProtFlags::EXEC,
            MapFlags::PRIVATE,
        )
        .is_ok()
    }
}

fn allocates(limit: Option<u64>) -> bool {
    let beyond = usize::try_from(limit.unwrap_or(0)).unwrap_or(0) + (64 << 20);
    // mmap, not Vec: this binary's allocator ends the process instead of failing.
    #[allow(unsafe_code)]
    // SAFETY: a fresh anonymous mapping, never used.
    unsafe {
        use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        mmap_anonymous(std::ptr::null_mut(), beyond, protection, MapFlags::PRIVATE).is_ok()
    }
}
