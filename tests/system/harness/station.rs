//! A station with one bay that is a folder.

use std::path::PathBuf;

use tokio::process::Command;

use super::programs::{Said, built, run};
use super::{Content, Daemon};

/// Below it in the configuration stands what a test added.
const MORE: &str = "# --- more\n";

/// A station beside a daemon, enrolled with it.
pub struct Station {
    folder: PathBuf,
}

impl Station {
    /// Enrolled; `policy` is `keep` or `verified`.
    pub async fn enrolled(daemon: &Daemon, policy: &str) -> Self {
        let folder = daemon.folder().join("station");
        std::fs::create_dir_all(folder.join("card/DCIM")).expect("a folder");
        let config = format!(
            "server = {:?}\nstate = {:?}\nname = \"采集站一\"\n\
             [erase]\npolicy = {policy:?}\n\
             [watch]\npoll_ms = 100\nsettle_ms = 100\n\
             [[bay]]\nname = \"1\"\npath = {:?}\nrecorder = \"ZF-0042\"\n",
            daemon.url(),
            folder.join("state"),
            folder.join("card"),
        );
        std::fs::write(folder.join("docket-dock.toml"), config).expect("written");
        let station = Self { folder };
        let token = daemon.token("upload", None).await.bearer.expect("a token");
        let mut enrol = station.command("enrol");
        enrol.arg("--token-stdin");
        run(enrol, &token).await.succeeded();
        station
    }

    /// Adds this to the configuration it was enrolled with, and nothing else, for the next start.
    pub fn configure(&self, more: &str) {
        let path = self.folder.join("docket-dock.toml");
        let text = std::fs::read_to_string(&path).expect("configured");
        let (enrolled, _) = text.split_once(MORE).unwrap_or((&text, ""));
        std::fs::write(&path, format!("{enrolled}{MORE}{more}")).expect("written");
    }

    /// Where a file of the recorder lies.
    pub fn card(&self, name: &str) -> PathBuf {
        self.folder.join("card/DCIM").join(name)
    }

    /// Records a file: it appears on the card as a whole.
    pub fn record(&self, name: &str, content: Content) {
        let temporary = self.folder.join("being-recorded");
        std::fs::write(&temporary, content.whole()).expect("written");
        std::fs::rename(&temporary, self.card(name)).expect("renamed");
    }

    /// `docket-dock` with a sub-command.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(built("docket-dock"));
        command
            .arg("--config")
            .arg(self.folder.join("docket-dock.toml"))
            .arg(name)
            .kill_on_drop(true);
        command
    }

    /// Takes in what is there, and ends.
    pub async fn once(&self) -> Said {
        run(self.command("once"), "").await
    }
}
