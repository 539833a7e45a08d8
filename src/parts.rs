//! The daemon's parts, built from the configuration and wired.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use docket_base::files::{Files, OsFiles};
use docket_base::ids::UnitId;
use docket_base::{Clock, OsRandom, Random, SystemClock};
use docket_catalog::{Catalog, Unit};
use docket_ingest::reserve::DiskRoom;
use docket_ingest::{Ingest, Options};
use docket_ledger::key::{create_key_file, load_key_file};
use docket_ledger::{Actor, CHECKPOINT_PATH, LedgerKey};
use docket_playback::Playback;
use docket_vault::{LocalConfig, LocalVault, PartPlan, S3Config, S3Vault, Vault};

use crate::config::{self, Config};
use crate::instance::{DataDir, DataLock};

/// The code of the unit that stands above all others.
pub const ROOT_CODE: &str = "root";

/// Everything a command or the server needs. Holds the data directory's lock.
#[derive(Debug)]
pub struct Parts {
    /// The configuration in force.
    pub config: Config,
    /// The data directory.
    pub data: DataDir,
    /// The workflow, with catalog, vault and ledger.
    pub ingest: Arc<Ingest>,
    _lock: DataLock,
}

/// Catalog, vault and key without the workflow: what `check` and `rebuild` need when the log can't be
/// continued.
#[derive(Debug)]
pub struct Bare {
    /// Facts.
    pub catalog: Catalog,
    /// Bytes.
    pub vault: Arc<dyn Vault>,
    /// The ledger's key.
    pub key: LedgerKey,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    files: Arc<dyn Files>,
}

impl Bare {
    /// Opens the three. The data lock must be held.
    pub async fn open(config: &Config, data: &DataDir) -> anyhow::Result<Self> {
        Self::open_with(config, data, &data.catalog()).await
    }

    /// The same, with another file as the catalog.
    pub async fn open_with(
        config: &Config,
        data: &DataDir,
        catalog: &Path,
    ) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(OsRandom);
        let files: Arc<dyn Files> = Arc::new(OsFiles);
        let catalog = Catalog::open_sqlite(catalog, &*clock)
            .await
            .with_context(|| format!("opening the catalog {}", catalog.display()))?;
        let vault = open_vault(config, data, Arc::clone(&files), Arc::clone(&random)).await?;
        let key = ledger_key(config, data, &*vault, &*files, &*random).await?;
        Ok(Self {
            catalog,
            vault,
            key,
            clock,
            random,
            files,
        })
    }
}

impl Parts {
    /// Builds everything; nothing runs yet.
    pub async fn build(config: Config, data: DataDir, lock: DataLock) -> anyhow::Result<Self> {
        let bare = Bare::open(&config, &data).await?;
        let room = DiskRoom::new(
            bare.files,
            data.root().to_owned(),
            config.ingest.reserve_bytes,
        );
        let ingest = Ingest::open(docket_ingest::Parts {
            catalog: bare.catalog,
            vault: bare.vault,
            key: bare.key,
            clock: bare.clock,
            random: bare.random,
            room: Arc::new(room),
            playback: open_playback(&config.playback),
            options: Options {
                sm3: config.ingest.sm3,
                expiry_days: config.ingest.expiry_days,
                memory_bytes: config.ingest.memory_bytes,
                max_upload_bytes: config.ingest.max_upload_bytes,
                read_back_bytes_per_s: config.ingest.read_back_bytes_per_s,
                ..Options::default()
            },
        })
        .await?;
        let parts = Self {
            config,
            data,
            ingest,
            _lock: lock,
        };
        parts.root_unit().await?;
        Ok(parts)
    }

    /// The unit above all others, made at the first start.
    pub async fn root_unit(&self) -> anyhow::Result<Unit> {
        if let Some(unit) = self.ingest.catalog.unit_by_code(ROOT_CODE).await? {
            return Ok(unit);
        }
        let unit = Unit {
            id: UnitId::fresh(&*self.ingest.clock, &*self.ingest.random),
            parent_id: None,
            code: ROOT_CODE.to_owned(),
            name: "本机构".to_owned(),
            version: 1,
            created_at: self.ingest.clock.now(),
        };
        Ok(self.ingest.add_unit(Actor::System, unit).await?)
    }

    /// The unit that a command line names by id, code or (unique) name.
    pub async fn unit_named(&self, name: Option<&str>) -> anyhow::Result<Unit> {
        let Some(name) = name else {
            return self.root_unit().await;
        };
        if let Ok(id) = name.parse::<UnitId>()
            && let Some(unit) = self.ingest.catalog.unit(id).await?
        {
            return Ok(unit);
        }
        if let Some(unit) = self.ingest.catalog.unit_by_code(name).await? {
            return Ok(unit);
        }
        let all = self
            .ingest
            .catalog
            .units(&docket_catalog::Scope::Everything)
            .await?;
        let mut found = all.into_iter().filter(|unit| unit.name == name);
        match (found.next(), found.next()) {
            (Some(unit), None) => Ok(unit),
            (Some(_), Some(_)) => {
                anyhow::bail!("several units are called {name:?}: give the code or id")
            }
            (None, _) => anyhow::bail!("no unit has the id, code or name {name:?}"),
        }
    }
}

async fn open_vault(
    config: &Config,
    data: &DataDir,
    files: Arc<dyn Files>,
    random: Arc<dyn Random>,
) -> anyhow::Result<Arc<dyn Vault>> {
    Ok(match &config.vault {
        config::Vault::Local => {
            let root = data.vault();
            let vault = LocalVault::open(files, &root, LocalConfig::default());
            Arc::new(vault.with_context(|| format!("opening the vault {}", root.display()))?)
        }
        config::Vault::S3(s3) => {
            let settings = S3Config {
                endpoint: Some(s3.endpoint.clone()),
                region: s3.region.clone(),
                access_key: s3.access_key.clone(),
                secret_key: docket_vault::Secret(s3.secret_key.expose().to_owned()),
                path_style: s3.path_style,
                originals_bucket: s3.originals_bucket.clone(),
                scaffold_bucket: s3.work_bucket.clone(),
                plan: PartPlan::default(),
            };
            let vault = S3Vault::open(settings, random).await;
            Arc::new(vault.with_context(|| format!("opening the store {}", s3.endpoint))?)
        }
    })
}

fn open_playback(config: &config::Playback) -> Option<Playback> {
    let worker = (!config.worker.as_os_str().is_empty()).then(|| config.worker.clone());
    let usual = docket_playback::Config::default();
    let opened = Playback::new(docket_playback::Config {
        worker,
        max_workers: config.max_workers,
        max_transcoders: match config.max_transcoders {
            0 => usual.max_transcoders,
            most => most,
        },
        memory_limit_bytes: config.worker_memory_bytes,
        request_timeout: Duration::from_secs(config.request_timeout_s),
        ..usual
    });
    opened
        .inspect_err(|error| tracing::warn!(%error, "recordings are kept, but can't be shown"))
        .ok()
}

/// The ledger's key, made at the first start and never while a log is published: a new key could only
/// begin another log.
async fn ledger_key(
    config: &Config,
    data: &DataDir,
    vault: &dyn Vault,
    files: &dyn Files,
    random: &dyn Random,
) -> anyhow::Result<LedgerKey> {
    let path = data.ledger_key();
    if let Some(key) = load_key_file(files, &path)? {
        return Ok(key);
    }
    anyhow::ensure!(
        vault.log_read(CHECKPOINT_PATH).await?.is_none(),
        "a ledger is published, but its key {} is gone: restore it from your backup",
        path.display()
    );
    let origin = match config.ledger.origin.as_str() {
        "" => made_up_origin(random),
        origin => origin.to_owned(),
    };
    let key = LedgerKey::generate(&origin, random)
        .with_context(|| format!("ledger.origin {origin:?}"))?;
    create_key_file(files, &path, &key).with_context(|| format!("writing {}", path.display()))?;
    Ok(key)
}

/// The machine's name and a few random digits: two boxes fresh from one image must not be one log.
fn made_up_origin(random: &dyn Random) -> String {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let host: String = host
        .trim()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '.')
        .take(64)
        .collect();
    let host = if host.is_empty() {
        "docket".to_owned()
    } else {
        host
    };
    let digits: [u8; 4] = docket_base::random::bytes(random);
    format!("{host}/docket/{:08x}", u32::from_be_bytes(digits))
}

/// Reads the ledger's key without the data lock: for `key show` beside a running daemon.
pub fn existing_key(data: &Path) -> anyhow::Result<Option<LedgerKey>> {
    Ok(load_key_file(&OsFiles, &data.join("ledger.key"))?)
}
