//! What stands around a page under test: the script in `console/tests/live` gives orders, one line a
//! connection, and the test carries them out, so that both go by what has happened and not by time.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use crate::harness::Daemon;
use crate::harness::programs::{checkout, run, run_within};

const NAME: &str = "督察";
const PASSWORD: &str = "a long enough pass phrase";
/// Longer than the script's own patience: what it says is worth more than that it was ended.
const PATIENCE: Duration = Duration::from_secs(400);

/// Somebody who may watch.
pub async fn supervisor(daemon: &Daemon) {
    let user = [
        "user",
        "add",
        "--name",
        NAME,
        "--role",
        "supervisor",
        "--password-stdin",
    ];
    let said = daemon.docketd(&user, &format!("{PASSWORD}\n")).await;
    said.succeeded();
}

/// Films `seconds` at 25 pictures a second. Below each picture stands its number, as 16 fields of 20
/// pixels, lowest bit first: a script can read which picture is on the screen.
pub async fn film(path: &Path, seconds: u32, options: &[&str]) {
    let picture = format!("size=320x240:rate=25:duration={seconds}");
    let numbered = format!(
        "testsrc2={picture}[above];\
         nullsrc=size=16x1:rate=25:duration={seconds},format=gray,\
         geq=lum='255*mod(floor(N/pow(2,X)),2)',scale=320:20:flags=neighbor,format=yuv420p[below];\
         [above][below]vstack[picture];sine=frequency=440:duration={seconds}[sound]"
    );
    let mut command = Command::new("ffmpeg");
    command
        .args(["-nostdin", "-loglevel", "error", "-y", "-filter_complex"])
        .arg(numbered)
        .args(["-map", "[picture]", "-map", "[sound]"])
        .args(options)
        .arg(path);
    run(command, "").await.succeeded();
}

/// Where a script finds what it needs.
pub struct Stage {
    orders: TcpListener,
    url: String,
    results: std::path::PathBuf,
}

impl Stage {
    /// Around this daemon.
    pub async fn around(daemon: &Daemon) -> Self {
        supervisor(daemon).await;
        Self {
            orders: TcpListener::bind("127.0.0.1:0").await.expect("bound"),
            url: daemon.url(),
            results: daemon.folder().join("browser"),
        }
    }

    /// Lets Chromium play this script, and carries out its orders meanwhile.
    pub async fn play(
        self,
        script: &str,
        about: &[(&str, &str)],
        mut act: impl AsyncFnMut(&[&str]) -> String,
    ) {
        let orders = self.orders.local_addr().expect("bound");
        // Not by npx, which would leave the browser behind when it is killed.
        let mut browser = Command::new("node");
        browser
            .current_dir(checkout("console"))
            .args(["node_modules/@playwright/test/cli.js", "test"])
            .arg(format!("tests/live/{script}.spec.ts"))
            .arg("--output")
            .arg(&self.results)
            .env("DOCKET_URL", &self.url)
            .env("DOCKET_USER", NAME)
            .env("DOCKET_PASSWORD", PASSWORD)
            .env("DOCKET_ORDERS", orders.port().to_string())
            .envs(about.iter().copied());
        let mut playing = std::pin::pin!(run_within(browser, "", PATIENCE));
        loop {
            tokio::select! {
                said = &mut playing => return drop(said.succeeded()),
                order = self.orders.accept() => {
                    let (order, _) = order.expect("accepted");
                    answered(order, &mut act).await;
                }
            }
        }
    }
}

async fn answered(order: TcpStream, act: &mut impl AsyncFnMut(&[&str]) -> String) {
    let mut order = BufReader::new(order);
    let mut line = String::new();
    order.read_line(&mut line).await.expect("an order");
    let words: Vec<&str> = line.split_whitespace().collect();
    let answer = act(&words).await;
    // A script that went away fails by itself.
    let _ = order.get_mut().write_all(answer.as_bytes()).await;
}
