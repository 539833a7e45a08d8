//! In Chromium: a sealed hour whose index is last, from `docketd`, beside nginx with a copy made for the web.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::Bench;
use crate::film::Films;
use crate::process::Running;
use crate::targets::{Target, say};
use crate::viewer::Viewer;
use crate::wire::Wire;

/// Prints time to the first frame and of seeks, of both.
pub(crate) fn run(bench: &Bench, films: &Films) -> Result<()> {
    say("\n## First frame and seeks in Chromium, an hour of 1080p\n");
    let target = Target::docketd(&bench.dir)?;
    let id = target.upload_film(&films.hour()?)?;
    let list = Viewer::of(&target, &id)?.await_playlist()?;
    target.await_receipt(&id, "verified")?;
    let token = playback_token(&target, &id)?;
    let nginx = Nginx::start(&bench.dir, &films.hour_index_first()?)?;

    let (ours, theirs) = (target.server.address, nginx.address);
    let asked = json!({
        "docketd": {
            "page": format!("http://{ours}/healthz"),
            "source": format!("http://{ours}/v1/recordings/{id}/hls/index.m3u8?token={token}"),
        },
        "web": { "page": format!("http://{theirs}/"), "source": format!("http://{theirs}/film.mp4") },
        "rounds": bench.rounds,
        "seeks": 20,
        "duration_s": list.seconds(),
    });
    let output = Command::new("node")
        .args(["benches/browser.mjs", &asked.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("the browser's part failed");
    }
    let told: Value = serde_json::from_slice(&output.stdout)?;
    say("| | first frame, ms | seek p50, ms | seek p95, ms |");
    say("|---|---|---|---|");
    for (name, key) in [
        ("docketd, `moov` last, HLS", "docketd"),
        ("nginx, `moov` first, Range", "web"),
    ] {
        let figure = |of: &str| told[key][of].as_f64().context("a figure is missing");
        say(&format!(
            "| {name} | {:.0} | {:.0} | {:.0} |",
            figure("first_ms")?,
            figure("seek_p50_ms")?,
            figure("seek_p95_ms")?
        ));
    }
    Ok(())
}

fn playback_token(target: &Target, id: &str) -> Result<String> {
    let mut wire = Wire::connect(target.server.address)?;
    let path = format!("/v1/recordings/{id}/playback-token");
    let reply = wire.ask("POST", &path, &target.headers())?;
    if reply.status / 100 != 2 {
        reply.expect(201)?;
        bail!("no playback token");
    }
    let told: Value = serde_json::from_slice(&reply.body)?;
    Ok(told["token"].as_str().context("no token")?.to_owned())
}

/// nginx as Debian brings it, with one file.
struct Nginx {
    _running: Running,
    address: SocketAddr,
}

impl Nginx {
    fn start(dir: &Path, film: &Path) -> Result<Self> {
        let dir = dir.join("nginx");
        std::fs::create_dir_all(dir.join("root"))?;
        std::fs::write(
            dir.join("root/index.html"),
            "<!doctype html><title>film</title>",
        )?;
        std::os::unix::fs::symlink(film.canonicalize()?, dir.join("root/film.mp4"))?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        std::fs::write(dir.join("nginx.conf"), configuration(&dir, address))?;
        let mut command = Command::new("nginx");
        command
            .arg("-c")
            .arg(dir.join("nginx.conf"))
            .arg("-e")
            .arg(dir.join("error.log"));
        let running = Running::start(&mut command).context("nginx: apt-get install nginx-light")?;
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if began.elapsed() > Duration::from_secs(10) {
                bail!("nginx does not listen");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self {
            _running: running,
            address,
        })
    }
}

fn configuration(dir: &Path, address: SocketAddr) -> String {
    let dir = dir.display();
    // Its workers change to nobody, who can't read here.
    let user = if rustix::process::getuid().is_root() {
        "user root;"
    } else {
        ""
    };
    format!(
        "daemon off; master_process off; {user} worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 256; }}
http {{
  types {{ video/mp4 mp4; text/html html; }}
  access_log off; sendfile on; tcp_nopush on;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
  uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
  server {{ listen {address}; root {dir}/root; }}
}}
"
    )
}
