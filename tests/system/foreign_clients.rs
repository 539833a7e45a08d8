//! tus clients that no one here wrote: tuspy from PyPI and tus-js-client from npm. Each is killed in
//! the middle of an upload, started again, and goes on where it was.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::harness::programs::{checkout, run};
use crate::harness::{Api, Content, Daemon, until};

const MIB: u64 = 1 << 20;

/// A client's program and what comes before its arguments.
struct Client {
    program: PathBuf,
    script: PathBuf,
}

impl Client {
    fn tuspy() -> Self {
        Self {
            program: checkout(".tools/venv/bin/python"),
            script: checkout("tests/clients/tuspy_upload.py"),
        }
    }

    fn tus_js() -> Self {
        Self {
            program: "node".into(),
            script: checkout("tests/clients/tus_js_upload.mjs"),
        }
    }

    /// `SCRIPT ENDPOINT TOKEN FILE STATE NAME`: uploads FILE under NAME, keeps what it needs to
    /// resume in STATE, prints the offset it began at and the upload's address.
    fn command(&self, daemon: &Daemon, api: &Api, file: &Path, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg(&self.script)
            .arg(format!("{}/files/", daemon.url()))
            .arg(api.bearer.as_deref().expect("a token"))
            .arg(file)
            .arg(daemon.folder().join("client-state"))
            .arg(name);
        command
    }
}

async fn killed_and_resumed(client: Client) {
    assert!(
        client.program.exists() || client.program == Path::new("node"),
        "run `make test-deps`"
    );
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let content = Content::new(71, 96 * MIB);
    let file = daemon.folder().join("footage.mp4");
    std::fs::write(&file, content.whole()).expect("written");
    let name = "后厨检查（第2段）.mp4";

    let mut first = client
        .command(&daemon, &api, &file, name)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the client starts");
    let id = until("some of it arrived", || async {
        let page = api.json("/v1/recordings").await;
        let one = &page["items"][0];
        let arrived = one["received_bytes"].as_u64().unwrap_or(0);
        (arrived >= 8 * MIB).then(|| one["id"].as_str().expect("an id").to_owned())
    })
    .await;
    first.kill().await.expect("killed");
    let half = api.recording(&id).await;
    assert_eq!(
        half["state"], "receiving",
        "the client was too fast to be interrupted"
    );

    let said = run(client.command(&daemon, &api, &file, name), "")
        .await
        .succeeded();
    let began: u64 = said
        .out
        .lines()
        .next()
        .and_then(|line| line.parse().ok())
        .expect("an offset");
    assert!(began > 0, "it began anew:\n{}", said.out);
    assert!(said.last_line().ends_with(&id), "{}", said.out);
    let sealed = api.await_state(&id, "sealed").await;
    assert_eq!(sealed["sha256"], content.sha256());
    assert_eq!(sealed["file_name"], name);
    let page = api.json("/v1/recordings").await;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn tuspy_goes_on_where_it_was_killed() {
    killed_and_resumed(Client::tuspy()).await;
}

#[tokio::test]
async fn tus_js_client_goes_on_where_it_was_killed() {
    killed_and_resumed(Client::tus_js()).await;
}
