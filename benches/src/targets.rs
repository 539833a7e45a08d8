//! Who is measured: `docketd`, the bare sink, and `@tus/server` with its file store.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::Server;
use crate::wire::{Body, Reply, Wire};

/// A server with an empty folder of its own.
pub(crate) struct Target {
    /// Its name in the tables.
    pub name: &'static str,
    /// The process.
    pub server: Server,
    protocol: Protocol,
    /// What it keeps.
    pub dir: PathBuf,
}

enum Protocol {
    Put,
    Tus { token: Option<String> },
}

/// One finished upload.
pub(crate) struct Upload {
    /// The last answer.
    pub reply: Reply,
    /// Its id where the server gave one.
    pub id: Option<String>,
}

impl Target {
    /// The bare sink.
    pub fn sink(dir: &Path) -> Result<Self> {
        let dir = fresh(dir, "sink")?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("sink").arg(&dir);
        let server = Server::start(command, &dir.join("sink.addr"))?;
        Ok(Self {
            name: "sink",
            server,
            protocol: Protocol::Put,
            dir,
        })
    }

    /// `@tus/server` 2 with `@tus/file-store`: neither hashes nor fsyncs.
    pub fn tus_node(dir: &Path) -> Result<Self> {
        let dir = fresh(dir, "tus-node")?;
        let mut command = Command::new("node");
        command.arg("tests/clients/server.mjs").arg(&dir);
        let server = Server::start(command, &dir.join("server.addr"))?;
        Ok(Self {
            name: "@tus/server",
            server,
            protocol: Protocol::Tus { token: None },
            dir,
        })
    }

    /// `docketd` on its embedded default.
    pub fn docketd(dir: &Path) -> Result<Self> {
        Self::docketd_with(dir, &[])
    }

    /// `docketd` with settings from its environment.
    pub fn docketd_with(dir: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        let dir = fresh(dir, "docketd")?;
        let log = std::fs::File::create(dir.join("log"))?;
        let data = dir.join("data");
        let mut command = docketd_command(&data)?;
        command.envs(settings.iter().copied());
        command.arg("serve").stderr(Stdio::from(log));
        let server = Server::start(command, &data.join("docketd.addr"))?;
        let mut target = Self {
            name: "docketd",
            server,
            protocol: Protocol::Tus { token: None },
            dir,
        };
        let token = target.new_token("upload,read")?;
        target.protocol = Protocol::Tus {
            token: Some(format!("Bearer {token}")),
        };
        Ok(target)
    }

    /// A new token of `docketd`.
    pub fn new_token(&self, scope: &str) -> Result<String> {
        let output = docketd_command(&self.dir.join("data"))?
            .args(["token", "create", "--name", "bench", "--scope", scope])
            .output()?;
        if !output.status.success() {
            bail!("token create: {}", String::from_utf8_lossy(&output.stderr));
        }
        let text = String::from_utf8(output.stdout)?;
        let token = text.lines().last().context("no token printed")?;
        Ok(token.trim().to_owned())
    }

    /// Sends one file and waits for the answer that acknowledges all of it.
    pub fn upload(&self, body: &Body<'_>) -> Result<Upload> {
        let mut wire = Wire::connect(self.server.address)?;
        match &self.protocol {
            Protocol::Put => {
                let name: String = body.tag.iter().map(|byte| format!("{byte:02x}")).collect();
                let reply = wire.send("PUT", &format!("/{name}"), &[], body)?;
                let reply = reply.expect(200)?;
                Ok(Upload { reply, id: None })
            }
            Protocol::Tus { .. } => {
                self.upload_tus(&mut wire, body.size_bytes, |wire, path, headers| {
                    wire.send("PATCH", path, headers, body)
                })
            }
        }
    }

    /// Sends a file over tus; the recording's id.
    pub fn upload_film(&self, film: &Path) -> Result<String> {
        let mut wire = Wire::connect(self.server.address)?;
        let size_bytes = std::fs::metadata(film)?.len();
        let upload = self.upload_tus(&mut wire, size_bytes, |wire, path, headers| {
            wire.send_file("PATCH", path, headers, film)
        })?;
        upload.id.context("an upload without an id")
    }

    fn upload_tus(
        &self,
        wire: &mut Wire,
        size_bytes: u64,
        send: impl FnOnce(&mut Wire, &str, &[(&str, &str)]) -> Result<Reply>,
    ) -> Result<Upload> {
        let size = size_bytes.to_string();
        let mut headers = self.headers();
        headers.push(("upload-length", size.as_str()));
        let created = wire.ask("POST", "/files/", &headers)?.expect(201)?;
        let location = created.header("location").context("no Location")?;
        let path = match location.split_once("://") {
            Some((_, rest)) => &rest[rest.find('/').context("no path")?..],
            None => location,
        };
        headers.pop();
        headers.push(("upload-offset", "0"));
        headers.push(("content-type", "application/offset+octet-stream"));
        let reply = send(wire, path, &headers)?.expect(204)?;
        if reply.header("upload-offset") != Some(size.as_str()) {
            bail!("the answer does not acknowledge the whole file");
        }
        let id = path.rsplit('/').next().map(str::to_owned);
        Ok(Upload { reply, id })
    }

    /// What every request carries.
    pub fn headers(&self) -> Vec<(&str, &str)> {
        let mut headers = vec![("tus-resumable", "1.0.0")];
        if let Protocol::Tus { token: Some(token) } = &self.protocol {
            headers.push(("authorization", token));
        }
        headers
    }

    /// Asks until a recording's receipt of this level is there; how long that took.
    pub fn await_receipt(&self, id: &str, level: &str) -> Result<Duration> {
        let began = Instant::now();
        let path = format!("/v1/recordings/{id}/receipt?level={level}");
        let mut wire = Wire::connect(self.server.address)?;
        while began.elapsed() < Duration::from_secs(300) {
            let reply = wire.ask("GET", &path, &self.headers())?;
            match reply.status {
                200 => {
                    serde_json::from_slice::<Value>(&reply.body)?;
                    return Ok(began.elapsed());
                }
                409 => std::thread::sleep(Duration::from_millis(2)),
                _ => {
                    reply.expect(200)?;
                }
            }
        }
        bail!("no {level} receipt after five minutes")
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn docketd_command(data: &Path) -> Result<Command> {
    let program = std::env::current_exe()?.with_file_name("docketd");
    let mut command = Command::new(program);
    command
        .env("DOCKET_DATA", data)
        .env("DOCKET_LISTEN", "127.0.0.1:0");
    Ok(command)
}

fn fresh(dir: &Path, name: &str) -> Result<PathBuf> {
    let dir = dir.join(name);
    if dir.exists() {
        std::fs::remove_dir_all(&dir)?;
    }
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}

/// Prints one line and shows it at once.
pub(crate) fn say(line: &str) {
    println!("{line}");
    let _ = std::io::stdout().flush();
}
