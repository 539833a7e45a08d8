//! Configuration: one struct a section, read once, unknown keys refused.
//!
//! Order: built-in defaults, then the TOML file, then `DOCKET_*` environment variables, in which `__`
//! steps into a section (`DOCKET_INGEST__RESERVE_BYTES=2147483648`). Sizes are bytes, times seconds or
//! days as the name says.

mod environment;
mod secret;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

pub use secret::Secret;

/// Everything that can be set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port of the HTTP server.
    pub listen: SocketAddr,
    /// Where everything is kept.
    pub data: PathBuf,
    /// TLS, where both files are given.
    pub tls: Option<Tls>,
    /// Logging.
    pub log: Log,
    /// Receiving.
    pub ingest: Ingest,
    /// Where originals lie.
    pub vault: Vault,
    /// The ledger.
    pub ledger: Ledger,
    /// Playback workers.
    pub playback: Playback,
    /// Browsers and other clients.
    pub http: Http,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8600)),
            data: PathBuf::from("./data"),
            tls: None,
            log: Log::default(),
            ingest: Ingest::default(),
            vault: Vault::default(),
            ledger: Ledger::default(),
            playback: Playback::default(),
            http: Http::default(),
        }
    }
}

/// Certificate and key in PEM files.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificate chain, the server's own first.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// Logging to standard error.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`.
    pub format: LogFormat,
    /// A tracing filter such as `info` or `docket_ingest=debug,info`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            filter: "info".to_owned(),
        }
    }
}

/// Shape of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Receiving.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ingest {
    /// Uploads stop with 507 while less than this is free on the data disk.
    pub reserve_bytes: u64,
    /// An upload that got no byte for this long is sealed as incomplete.
    pub expiry_days: u32,
    /// Also compute SM3 (GB/T 32905) of every original.
    pub sm3: bool,
    /// Received bytes held in memory over all uploads.
    pub memory_bytes: u32,
    /// Largest accepted upload.
    pub max_upload_bytes: u64,
    /// Reading sealed originals back never takes more than this a second; 0 is unbounded.
    pub read_back_bytes_per_s: u64,
}

impl Default for Ingest {
    fn default() -> Self {
        Self {
            reserve_bytes: 1 << 30,
            expiry_days: 40,
            sm3: false,
            memory_bytes: 32 << 20,
            max_upload_bytes: 1 << 40,
            read_back_bytes_per_s: 400_000_000,
        }
    }
}

/// Where originals lie: `kind = "local"` (under `data`) or `kind = "s3"`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Vault {
    /// A directory `vault` under `data`.
    #[default]
    Local,
    /// An S3-compatible store.
    S3(Box<S3>),
}

/// An S3-compatible store.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3 {
    /// e.g. `https://s3.example.org`
    pub endpoint: String,
    /// Signing region.
    #[serde(default = "default_region")]
    pub region: String,
    /// Bucket of the originals.
    pub originals_bucket: String,
    /// Bucket of tails, derivatives and the ledger.
    pub work_bucket: String,
    /// Access key.
    pub access_key: String,
    /// Secret key; better given as `DOCKET_VAULT__SECRET_KEY`.
    pub secret_key: Secret,
    /// Address buckets as a path instead of a host name.
    #[serde(default)]
    pub path_style: bool,
}

fn default_region() -> String {
    "us-east-1".to_owned()
}

/// The ledger.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ledger {
    /// The log's name in checkpoints, a schema-less URL; fixed when the key is made. Empty: made up
    /// from the machine's name at the first start.
    pub origin: String,
}

/// Playback workers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Playback {
    /// The worker; empty means `docket-media` beside `docketd`.
    pub worker: PathBuf,
    /// Workers at once.
    pub max_workers: usize,
    /// Address space a worker may use.
    pub worker_memory_bytes: u64,
    /// A request to a worker ends after this.
    pub request_timeout_s: u64,
    /// Workers that transcode at once, beside those; 0: one a core.
    pub max_transcoders: usize,
    /// Segments made for viewing that are kept in memory.
    pub made_cache_bytes: usize,
}

impl Default for Playback {
    fn default() -> Self {
        Self {
            worker: PathBuf::new(),
            max_workers: 4,
            worker_memory_bytes: 1 << 30,
            request_timeout_s: 30,
            max_transcoders: 0,
            made_cache_bytes: 256 << 20,
        }
    }
}

/// Browsers and other clients.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Host names to answer to; empty: any.
    pub allowed_hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// A session ends after this long without a request.
    pub session_idle_minutes: u32,
    /// A session ends after this long in any case.
    pub session_longest_hours: u32,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            allowed_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            session_idle_minutes: 60,
            session_longest_hours: 12,
        }
    }
}

impl Config {
    /// Reads the file (a missing one named explicitly is an error) and the environment.
    pub fn load(
        file: Option<&Path>,
        variables: impl Iterator<Item = (String, String)>,
    ) -> anyhow::Result<Self> {
        let mut table = match file {
            None => toml::Table::new(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("reading {}", path.display()))?;
                text.parse()
                    .with_context(|| format!("{} is not valid TOML", path.display()))?
            }
        };
        environment::overlay(&mut table, variables)?;
        let config: Self = table.try_into().context("configuration")?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.ingest.expiry_days > 0,
            "ingest.expiry_days must be at least 1"
        );
        anyhow::ensure!(
            self.ingest.memory_bytes >= 1 << 20,
            "ingest.memory_bytes must be at least 1048576"
        );
        anyhow::ensure!(
            self.playback.max_workers > 0,
            "playback.max_workers must be at least 1"
        );
        anyhow::ensure!(
            self.http.session_idle_minutes > 0 && self.http.session_longest_hours > 0,
            "http.session_idle_minutes and http.session_longest_hours must be at least 1"
        );
        Ok(())
    }

    /// The effective configuration as TOML, secrets redacted.
    pub fn to_toml(&self) -> anyhow::Result<String> {
        Ok(toml::to_string_pretty(self)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, variables: &[(&str, &str)]) -> anyhow::Result<Config> {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("docketd.toml");
        std::fs::write(&path, text).expect("write");
        let variables: Vec<_> = variables
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Config::load(Some(&path), variables.into_iter())
    }

    #[test]
    fn the_environment_beats_the_file() {
        let config = load(
            "listen = \"127.0.0.1:1\"\n[ingest]\nexpiry_days = 3\n",
            &[
                ("DOCKET_LISTEN", "127.0.0.1:2"),
                ("DOCKET_INGEST__SM3", "true"),
                ("PATH", "/bin"),
            ],
        )
        .expect("valid");
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.ingest.expiry_days, 3);
        assert!(config.ingest.sm3);
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        let error = load("[ingest]\nreserve = 1\n", &[]).expect_err("unknown key");
        assert!(format!("{error:#}").contains("reserve"), "{error:#}");
        let error = load("", &[("DOCKET_INGEST__RESERV", "1")]).expect_err("unknown variable");
        assert!(format!("{error:#}").contains("reserv"), "{error:#}");
    }

    #[test]
    fn secrets_are_not_printed() {
        let config = load(
            "[vault]\nkind = \"s3\"\nendpoint = \"http://127.0.0.1:1\"\noriginals_bucket = \"a\"\nwork_bucket = \"b\"\naccess_key = \"k\"\n",
            &[("DOCKET_VAULT__SECRET_KEY", "very-secret")],
        )
        .expect("valid");
        let printed = config.to_toml().expect("toml");
        assert!(
            !printed.contains("very-secret") && printed.contains("secret_key"),
            "{printed}"
        );
        assert!(!format!("{config:?}").contains("very-secret"));
    }

    #[test]
    fn the_defaults_round_trip() {
        let printed = Config::default().to_toml().expect("toml");
        load(&printed, &[]).expect("what config prints can be read back");
    }
}
