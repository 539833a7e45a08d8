//! A station with its directories, and the binary.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use crate::daemon::Daemon;

pub struct Scene {
    pub daemon: Daemon,
    root: tempfile::TempDir,
    settings: String,
    bays: Vec<String>,
}

impl Scene {
    /// An enrolled station with bays `1`, `2`, ... over folders of these names.
    pub async fn new(bays: &[&str], settings: &str) -> Self {
        let scene = Self {
            daemon: Daemon::start(),
            root: tempfile::tempdir().expect("tempdir"),
            settings: settings.to_owned(),
            bays: bays.iter().map(|bay| (*bay).to_owned()).collect(),
        };
        for bay in bays {
            std::fs::create_dir_all(scene.card(bay)).expect("bay");
        }
        scene.configure(&scene.settings.clone());
        let enrolled = scene.enrol(&[]).await;
        assert!(enrolled.status.success(), "{enrolled:?}");
        scene
    }

    /// Writes the configuration with other settings.
    pub fn configure(&self, settings: &str) {
        let mut text = format!(
            "state = {:?}\nname = \"测试站\"\n{settings}\n",
            self.path("state")
        );
        if !settings.contains("[watch]") {
            text.push_str("[watch]\npoll_ms = 20\nsettle_ms = 40\n");
        }
        for bay in &self.bays {
            let path = self.card(bay);
            text.push_str(&format!("[[bay]]\nname = {bay:?}\npath = {path:?}\n"));
        }
        std::fs::write(self.path("dock.toml"), text).expect("configuration");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn card(&self, bay: &str) -> PathBuf {
        self.path("cards").join(bay)
    }

    /// Puts a file on a card; the name is bytes.
    pub fn put(&self, bay: &str, name: &[u8], content: &[u8]) -> PathBuf {
        let path = self.card(bay).join(OsStr::from_bytes(name));
        std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
        std::fs::write(&path, content).expect("file");
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_docket-dock"));
        command
            .arg("--config")
            .arg(self.path("dock.toml"))
            .args(arguments)
            .env("DOCKET_DOCK_LOG", "info")
            .current_dir(self.root.path())
            .kill_on_drop(true);
        command
    }

    pub async fn enrol(&self, more: &[&str]) -> Output {
        let url = self.daemon.url();
        let mut arguments = vec!["enrol", "--server", &url, "--token-stdin"];
        arguments.extend(more);
        let mut child = self
            .command(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("start");
        let mut stdin = child.stdin.take().expect("stdin");
        stdin
            .write_all(b"token-of-this-station\n")
            .await
            .expect("token");
        drop(stdin);
        child.wait_with_output().await.expect("end")
    }

    /// Runs to its end.
    pub async fn finish(&self, arguments: &[&str]) -> Output {
        let ended = self.command(arguments).stdin(Stdio::null()).output();
        tokio::time::timeout(std::time::Duration::from_secs(90), ended)
            .await
            .expect("ends in time")
            .expect("start")
    }

    /// Starts, and leaves running.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let log = std::fs::File::create(self.path("dock.log")).expect("log");
        self.command(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("start")
    }

    /// `kill -9`.
    pub async fn kill(&self, child: &mut Child) {
        child.start_kill().expect("kill");
        child.wait().await.expect("gone");
    }
}

/// Bytes that repeat nowhere soon.
pub fn footage(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// All regular files below a folder, for "nothing was erased".
pub fn count_files(folder: &Path) -> usize {
    std::fs::read_dir(folder)
        .expect("folder")
        .map(|entry| entry.expect("entry").path())
        .map(|path| if path.is_dir() { count_files(&path) } else { 1 })
        .sum()
}
