//! A `docketd` of one test's own.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::api::Api;
use super::programs::{Said, built, run};
use super::until;

/// A daemon, its folder, and the settings it is started with. Killed when dropped.
pub struct Daemon {
    folder: TempDir,
    settings: Vec<(String, String)>,
    child: Option<Child>,
    address: Option<String>,
}

impl Daemon {
    /// Started on the embedded default.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Started with settings, e.g. `("INGEST__SM3", "true")`.
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        let mut daemon = Self {
            folder: tempfile::Builder::new()
                .prefix("docket-")
                .tempdir()
                .expect("a folder"),
            settings: Vec::new(),
            child: None,
            address: None,
        };
        for (name, value) in settings {
            daemon.set(name, value);
        }
        daemon.up().await;
        daemon
    }

    /// Changes a setting for the next start.
    pub fn set(&mut self, name: &str, value: &str) {
        let name = format!("DOCKET_{name}");
        self.settings.retain(|(other, _)| *other != name);
        self.settings.push((name, value.to_owned()));
    }

    /// Starts it, at the address it had before, and waits until it listens.
    pub async fn up(&mut self) {
        assert!(self.child.is_none(), "it runs");
        let address_file = self.data().join("docketd.addr");
        let _ = std::fs::remove_file(&address_file);
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .expect("a log");
        let listen = self.address.as_deref().unwrap_or("127.0.0.1:0");
        let child = self
            .command("serve")
            .env("DOCKET_LISTEN", listen)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("docketd starts");
        self.child = Some(child);
        let address = until("the daemon listens", || {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok()?);
            if let Some(status) = ended {
                panic!("docketd ended, {status}:\n{}", self.log_text());
            }
            let text = std::fs::read_to_string(&address_file).unwrap_or_default();
            let text = text.trim().to_owned();
            async move { text.contains(':').then_some(text) }
        })
        .await;
        self.address = Some(address);
    }

    /// `kill -9`: nothing is flushed, nothing is said.
    pub async fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().await.expect("killed");
    }

    /// Asks it to end, and expects it to do so in order.
    pub async fn stop(&mut self) {
        let mut child = self.child.take().expect("it runs");
        let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        kill_process(pid.expect("it runs"), Signal::TERM).expect("signalled");
        let status = tokio::time::timeout(super::PATIENCE, child.wait())
            .await
            .expect("it ends in time")
            .expect("waited");
        assert!(status.success(), "{status}:\n{}", self.log_text());
    }

    /// The process's id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).expect("it runs")
    }

    /// Where it listens, e.g. `http://127.0.0.1:8600`.
    pub fn url(&self) -> String {
        format!(
            "http://{}",
            self.address.as_deref().expect("it was started")
        )
    }

    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder for the test's own files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it logged so far.
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("docketd.log")
    }

    /// `docketd` with a sub-command and this daemon's settings.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(built("docketd"));
        command
            .arg(name)
            .current_dir(self.folder.path())
            .env("DOCKET_DATA", self.data())
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .kill_on_drop(true);
        command
    }

    /// Runs `docketd` with these arguments.
    pub async fn docketd(&self, arguments: &[&str], input: &str) -> Said {
        let mut command = self.command(arguments[0]);
        command.args(&arguments[1..]);
        run(command, input).await
    }

    /// `docketd check` finds nothing wrong.
    pub async fn assert_sound(&self) -> Said {
        self.docketd(&["check"], "").await.succeeded()
    }

    /// A client with a fresh token of these scopes for a unit, or for the root.
    pub async fn token(&self, scopes: &str, unit: Option<&str>) -> Api {
        let mut arguments = vec!["token", "create", "--name", "test", "--scope", scopes];
        if let Some(unit) = unit {
            arguments.extend(["--unit", unit]);
        }
        let said = self.docketd(&arguments, "").await.succeeded();
        Api::with_token(&self.url(), said.last_line())
    }

    /// A client of a station that may also read and link, for the root.
    pub async fn api(&self) -> Api {
        self.token("upload,read,link,audit", None).await
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // The folder goes next: nothing may write into it any more.
        if let Some(child) = &mut self.child {
            let _ = child.start_kill();
            for _ in 0..100 {
                if !matches!(child.try_wait(), Ok(None)) {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        if std::thread::panicking() {
            let text = self.log_text();
            let tail: Vec<&str> = text.lines().rev().take(40).collect();
            eprintln!("--- the daemon's last lines");
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}
