//! A PostgreSQL server of this test's own: its own folder, a Unix socket there, no network.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sqlx::Connection;

pub struct Server {
    dir: tempfile::TempDir,
    bin: PathBuf,
}

/// Where Debian keeps the server's programs, which it leaves out of PATH.
const DEBIAN: &str = "/usr/lib/postgresql/15/bin";

impl Server {
    /// Starts one; `None` where that isn't possible.
    pub fn start() -> Option<Self> {
        let on_path = std::env::var_os("PATH")?;
        let mut folders: Vec<PathBuf> = vec![DEBIAN.into()];
        folders.extend(std::env::split_paths(&on_path));
        let bin = folders
            .into_iter()
            .find(|dir| dir.join("initdb").exists() && dir.join("pg_ctl").exists())?;
        let server = Self {
            dir: tempfile::tempdir().ok()?,
            bin,
        };
        server.give_to_server_user()?;
        let data = server.data();
        let made = server.run(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ],
        );
        let socket = server.dir.path().display();
        let options =
            format!("-c listen_addresses='' -c unix_socket_directories='{socket}' -c fsync=off");
        let log = format!("{socket}/log");
        (made
            && server.run(
                "pg_ctl",
                &["-D", &data, "-w", "-l", &log, "-o", &options, "start"],
            ))
        .then_some(server)
    }

    fn data(&self) -> String {
        format!("{}/data", self.dir.path().display())
    }

    /// The server refuses to run as root.
    fn give_to_server_user(&self) -> Option<()> {
        if is_root() {
            std::os::unix::fs::chown(self.dir.path(), Some(NOBODY), Some(NOBODY)).ok()?;
        }
        Some(())
    }

    fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let path = self.bin.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args([
                format!("--reuid={NOBODY}"),
                format!("--regid={NOBODY}"),
                "--clear-groups".to_owned(),
            ]);
            command.arg(path);
            command
        } else {
            Command::new(path)
        };
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// Makes a schema of its own for one case, which is much cheaper than a database; its URL.
    pub async fn schema(&self, name: &str) -> String {
        let plain = format!(
            "postgres:///postgres?host={}&user=postgres",
            self.dir.path().display()
        );
        let mut raw = sqlx::PgConnection::connect(&plain).await.expect("connect");
        let sql = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {name}"));
        sqlx::raw_sql(sql).execute(&mut raw).await.expect("schema");
        raw.close().await.expect("close");
        format!("{plain}&options=-csearch_path%3D{name}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.data();
        self.run("pg_ctl", &["-D", &data, "-m", "immediate", "-w", "stop"]);
    }
}

const NOBODY: u32 = 65534;

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(Path::new("/proc/self")).is_ok_and(|meta| meta.uid() == 0)
}
