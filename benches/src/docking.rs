//! From a recorder put into its bay to the picture, over a slow link, for a file whose index is last.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::Bench;
use crate::film::{Films, first_picture};
use crate::process::Running;
use crate::relay;
use crate::targets::{Target, say};
use crate::viewer::Viewer;
use crate::wire::Wire;

const MEGABITS_PER_SECOND: f64 = 100.0;

/// Prints when the recording was listed, playable and seen, and when it would have been seen had it had to
/// arrive whole first.
pub(crate) fn run(bench: &Bench, films: &Films) -> Result<()> {
    let film = films.hour()?;
    let size_bytes = std::fs::metadata(&film)?.len();
    say(&format!(
        "\n## From docking to the first frame: {:.1} GB, `moov` last, over {MEGABITS_PER_SECOND} Mbit/s\n",
        size_bytes as f64 / 1e9
    ));
    let target = Target::docketd(&bench.dir)?;
    let link = relay::start(target.server.address, MEGABITS_PER_SECOND)?;
    let station = Station::start(&bench.dir, &target, &format!("http://{link}"))?;
    station.dock(&film)?;
    let docked = Instant::now();

    let id = listed(&target)?;
    let seen_in_list = docked.elapsed();
    let mut viewer = Viewer::of(&target, &id)?;
    let list = viewer.await_playlist()?;
    let playable = docked.elapsed();
    watch_first(&mut viewer, &list.init, &list.segments[0].0)?;
    let first_frame = docked.elapsed();

    await_sealed(&target, &id)?;
    let sealed = docked.elapsed();
    let list = viewer.await_playlist()?;
    watch_first(&mut viewer, &list.init, &list.segments[0].0)?;
    let after_all = docked.elapsed();
    say("| seconds after docking | |");
    say("|---|---|");
    for (what, after) in [
        ("listed", seen_in_list),
        ("playable", playable),
        ("**first frame decoded**", first_frame),
        ("whole and sealed", sealed),
        ("first frame, had it waited for the whole", after_all),
    ] {
        say(&format!("| {what} | {:.2} |", after.as_secs_f64()));
    }
    Ok(())
}

fn watch_first(viewer: &mut Viewer<'_>, init: &str, segment: &str) -> Result<()> {
    let (init, segment) = (viewer.bytes(init)?, viewer.bytes(segment)?);
    first_picture(&init, &segment)
}

/// The first recording that is listed.
fn listed(target: &Target) -> Result<String> {
    until(Duration::from_secs(60), || {
        let page = ask(target, "/v1/recordings?limit=1")?;
        Ok(page["items"][0]["id"].as_str().map(str::to_owned))
    })
}

fn await_sealed(target: &Target, id: &str) -> Result<()> {
    until(Duration::from_secs(3600), || {
        let recording = ask(target, &format!("/v1/recordings/{id}"))?;
        let ready = recording["state"] == "sealed" && recording["playback"]["state"] == "ready";
        Ok(ready.then_some(()))
    })
}

fn ask(target: &Target, path: &str) -> Result<Value> {
    let mut wire = Wire::connect(target.server.address)?;
    let reply = wire.ask("GET", path, &target.headers())?.expect(200)?;
    Ok(serde_json::from_slice(&reply.body)?)
}

fn until<T>(at_most: Duration, mut there: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let began = Instant::now();
    while began.elapsed() < at_most {
        if let Some(found) = there()? {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    bail!("not within {at_most:?}")
}

/// `docket-dock` as it comes, with one bay.
struct Station {
    _running: Running,
    dir: std::path::PathBuf,
}

impl Station {
    fn start(dir: &Path, daemon: &Target, server: &str) -> Result<Self> {
        let dir = dir.join("station");
        std::fs::create_dir_all(dir.join("bay"))?;
        std::fs::create_dir_all(dir.join("recorder/DCIM"))?;
        let config = format!(
            "server = {server:?}\nstate = {:?}\nname = \"bench\"\n[[bay]]\nname = \"1\"\npath = {:?}\nrecorder = \"ZF-0001\"\n",
            dir.join("state"),
            dir.join("bay/*"),
        );
        std::fs::write(dir.join("docket-dock.toml"), config)?;
        std::fs::write(dir.join("token"), daemon.new_token("upload")?)?;
        let command = |name: &str| -> Result<Command> {
            let program = std::env::current_exe()?.with_file_name("docket-dock");
            let mut command = Command::new(program);
            command
                .arg("--config")
                .arg(dir.join("docket-dock.toml"))
                .arg(name);
            command.stdin(Stdio::null()).stdout(Stdio::null());
            Ok(command)
        };
        let enrolled = command("enrol")?
            .arg("--token-file")
            .arg(dir.join("token"))
            .status()?;
        if !enrolled.success() {
            bail!("the station could not be enrolled");
        }
        let log = std::fs::File::create(dir.join("log"))?;
        let running = Running::start(command("run")?.stderr(Stdio::from(log)))?;
        // It has looked once at its empty bay: what follows is a docking.
        until(Duration::from_secs(30), || {
            let stations = ask(daemon, "/v1/stations")?;
            let seen = stations["items"][0]["last_seen_at"].as_str().map(|_| ());
            Ok(seen)
        })
        .context("the station does not report")?;
        Ok(Self {
            _running: running,
            dir,
        })
    }

    /// Puts the recorder into the bay, with this file on it.
    fn dock(&self, film: &Path) -> Result<()> {
        let file = self.dir.join("recorder/DCIM/VID_0001.MP4");
        std::fs::hard_link(film, &file).or_else(|_| std::fs::copy(film, &file).map(|_| ()))?;
        std::fs::rename(self.dir.join("recorder"), self.dir.join("bay/recorder"))?;
        Ok(())
    }
}
