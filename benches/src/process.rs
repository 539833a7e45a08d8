//! A server under measurement: started, asked what it used, ended.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A running program; killed when dropped.
pub(crate) struct Running(Child);

impl Running {
    /// Starts it.
    pub fn start(command: &mut Command) -> Result<Self> {
        let child = command.spawn();
        child
            .map(Self)
            .with_context(|| format!("starting {:?}", command.get_program()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running server.
pub(crate) struct Server {
    running: Running,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts it and waits until it wrote where it listens into `address_file`.
    pub fn start(mut command: Command, address_file: &Path) -> Result<Self> {
        let mut running = Running::start(command.stdin(Stdio::null()).stdout(Stdio::null()))?;
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Ok(text) = std::fs::read_to_string(address_file)
                && let Ok(address) = text.trim().parse()
            {
                return Ok(Self { running, address });
            }
            if let Some(status) = running.0.try_wait()? {
                bail!("{:?} ended: {status}", command.get_program());
            }
            if Instant::now() > deadline {
                bail!("{:?} does not listen", command.get_program());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Processor time used so far, of all its threads, in seconds.
    pub fn cpu_seconds(&self) -> Result<f64> {
        cpu_seconds(self.running.0.id(), 0)
    }

    /// The same with its children, those that have ended included.
    pub fn tree_cpu_seconds(&self) -> Result<f64> {
        let id = self.running.0.id();
        let mut total = cpu_seconds(id, 2)?;
        for task in std::fs::read_dir(format!("/proc/{id}/task"))? {
            let children = std::fs::read_to_string(task?.path().join("children"))?;
            for child in children.split_whitespace() {
                // One that ends meanwhile is counted above next time.
                total += cpu_seconds(child.parse()?, 2).unwrap_or(0.0);
            }
        }
        Ok(total)
    }

    /// The most memory it ever held (VmHWM), in bytes.
    pub fn peak_bytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.running.0.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .context("VmHWM")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
        Ok(kib * 1024)
    }
}

/// Of one process; `waited` more fields of the children it waited for (0 or 2).
fn cpu_seconds(id: u32, waited: usize) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name in parentheses may hold blanks: count from behind it.
    let (_, rest) = stat.rsplit_once(')').context("/proc stat")?;
    let fields = rest.split_whitespace().skip(11).take(2 + waited);
    let mut ticks = 0;
    for field in fields {
        ticks += field.parse::<u64>()?;
    }
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}
