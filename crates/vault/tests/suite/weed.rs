//! A SeaweedFS of the test's own, on free ports, in a folder that goes with it. The whole-system tests
//! include this file too.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The access key it takes.
pub const ACCESS_KEY: &str = "K";
/// The secret key it takes.
pub const SECRET_KEY: &str = "S";

/// A running store; ended when dropped.
pub struct Weed {
    process: Child,
    s3_port: u16,
    data: tempfile::TempDir,
}

/// The `weed` binary: `DOCKET_WEED`, or where `make test` installs it in this checkout. `None` (said aloud)
/// only where nobody relies on the test.
fn binary(checkout: &Path) -> Option<PathBuf> {
    let installed = checkout.join(".tools/venv/bin/weed");
    let path = std::env::var_os("DOCKET_WEED").map_or(installed, PathBuf::from);
    if path.exists() {
        return Some(path);
    }
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "no SeaweedFS at {}",
        path.display()
    );
    println!(
        "SKIPPED: no SeaweedFS at {} (make test-deps installs it)",
        path.display()
    );
    None
}

/// Ports nobody uses now, each with its gRPC sibling 10,000 above.
fn free_ports(count: usize) -> Vec<u16> {
    let mut held = Vec::new();
    while held.len() < count {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let sibling = port
            .checked_sub(10_000)
            .filter(|port| *port > 1024)
            .and_then(|port| Some((port, TcpListener::bind(("127.0.0.1", port)).ok()?)));
        if let Some((port, sibling)) = sibling {
            held.push((port, listener, sibling));
        }
    }
    held.into_iter().map(|(port, ..)| port).collect()
}

impl Weed {
    /// `None` where there is no binary.
    pub async fn start(checkout: &Path) -> Option<Self> {
        let binary = binary(checkout)?;
        // Another process may take a port in between: then the store ends at once, and we choose anew.
        for _ in 0..5 {
            if let Some(started) = Self::try_start(&binary).await {
                return Some(started);
            }
        }
        panic!("SeaweedFS does not start");
    }

    async fn try_start(binary: &Path) -> Option<Self> {
        let data = tempfile::tempdir().expect("tempdir");
        let flags = ["master", "volume", "filer", "s3"];
        let ports = free_ports(flags.len());
        let port_flags = flags.iter().zip(&ports);
        let process = Command::new(binary)
            .arg("mini")
            .arg(format!("-dir={}", data.path().display()))
            .args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1"])
            .args(port_flags.map(|(flag, port)| format!("-{flag}.port={port}")))
            .args([
                "-webdav=false",
                "-admin.ui=false",
                "-master.telemetry=false",
            ])
            .args(["-s3.port.iceberg=0", "-s3.port.lance=0"])
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .current_dir(data.path())
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(data.path().join("stdout")).expect("log"))
            .stderr(std::fs::File::create(data.path().join("stderr")).expect("log"))
            .spawn()
            .expect("spawn");
        let mut started = Self {
            process,
            s3_port: ports[3],
            data,
        };
        started.wait_until_healthy().await.then_some(started)
    }

    async fn wait_until_healthy(&mut self) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(60) {
            if self.process.try_wait().expect("own child").is_some() {
                let log = std::fs::read_to_string(self.data.path().join("stderr"));
                println!("SeaweedFS ended: {}", log.unwrap_or_default());
                return false;
            }
            if healthy(self.s3_port).await {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }

    /// Where S3 is spoken.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.s3_port)
    }
}

/// Whether `/healthz` answers 200.
async fn healthy(port: u16) -> bool {
    let Ok(mut stream) = tokio::net::TcpStream::connect(("127.0.0.1", port)).await else {
        return false;
    };
    let request = b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n";
    let mut answer = Vec::new();
    stream.write_all(request).await.is_ok()
        && stream.read_to_end(&mut answer).await.is_ok()
        && answer.starts_with(b"HTTP/1.")
        && answer.get(9..12) == Some(b"200")
}

impl Drop for Weed {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
