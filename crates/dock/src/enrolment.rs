//! Who the station is: its token, and the ledger key it trusts.
//!
//! The key is pinned once. Whoever could change it here could make receipts that let evidence be
//! erased, so another key is only taken when a person names its fingerprint.

use std::io;
use std::sync::Arc;

use docket_base::Micros;
use docket_base::files::{read_small, replace};
use docket_client::{BadAddress, Client, ClientOptions, ServerAddress, SetupError, Trust};
use docket_ledger::VerifierKey;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::state::{StateDirectory, StateError};

/// What enrolment leaves behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// The daemon.
    pub server: String,
    /// The ledger's key, pinned.
    pub ledger_key: VerifierKey,
    /// When.
    pub enrolled_at: Micros,
}

/// Why the station is not, or not any more, who it should be.
#[derive(Debug, thiserror::Error)]
pub enum EnrolmentError {
    /// Never enrolled.
    #[error("this station is not enrolled: run `docket-dock enrol --server URL --token-file FILE`")]
    Missing,
    /// Configured for one daemon, enrolled with another.
    #[error(
        "enrolled with {enrolled}, but configured for {configured}: enrol again or correct `server`"
    )]
    OtherServer {
        /// By enrolment.
        enrolled: String,
        /// By configuration.
        configured: String,
    },
    /// The daemon's ledger has another key than was pinned.
    #[error(
        "the ledger's key is not the one pinned at enrolment.\n  pinned:  {pinned}\n  offered: {offered}\n\
         Nothing is uploaded or erased. Either this is not your daemon, or its key was replaced. Ask its \
         administrator for the fingerprint that `docketd key show` gives; only if it is the offered one, run\n  \
         docket-dock enrol --server URL --token-file FILE --fingerprint '{offered}'"
    )]
    OtherKey {
        /// Fingerprint of the pinned key.
        pinned: String,
        /// Fingerprint of the daemon's.
        offered: String,
    },
    /// The fingerprint a person gave is not the daemon's.
    #[error("the daemon's ledger key has fingerprint {offered}, not the one given")]
    OtherFingerprint {
        /// Of the daemon's key.
        offered: String,
    },
    /// What the daemon sent is no key.
    #[error("what {0} offers as its ledger key is none")]
    NoKey(String),
    /// No server known.
    #[error("no server given: use --server, `server` in the configuration, or DOCKET_DOCK_SERVER")]
    NoServer,
    /// The address.
    #[error(transparent)]
    Address(#[from] BadAddress),
    /// The client.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The daemon.
    #[error(transparent)]
    Server(#[from] docket_client::Error),
    /// The directory.
    #[error(transparent)]
    State(#[from] StateError),
    /// A file.
    #[error("{0}: {1}")]
    Io(&'static str, io::Error),
}

const ENROLMENT: &str = "enrolment.json";
const TOKEN: &str = "token";

/// Loads the enrolment.
///
/// # Errors
/// [`EnrolmentError::Missing`] or what is wrong with the files.
pub fn load(state: &StateDirectory) -> Result<Enrolment, EnrolmentError> {
    state
        .load(&state.place(ENROLMENT))?
        .ok_or(EnrolmentError::Missing)
}

/// The client for an address, as configured.
///
/// # Errors
/// [`EnrolmentError`].
pub fn client(
    config: &Config,
    server: &str,
    token: Option<String>,
) -> Result<Client, EnrolmentError> {
    let address = ServerAddress::parse(server, config.allow_plain_http)?;
    let trust = match (&config.tls.ca_file, config.tls.pinned_sha256) {
        (_, Some(pin)) => Trust::Pinned(pin),
        (Some(path), None) => {
            let pem = std::fs::read(path).map_err(|error| EnrolmentError::Io("ca_file", error))?;
            Trust::Authorities(pem)
        }
        (None, None) => Trust::System,
    };
    let options = ClientOptions {
        trust,
        token,
        user_agent: concat!("docket-dock/", env!("CARGO_PKG_VERSION")).into(),
        ..ClientOptions::default()
    };
    Ok(Client::connect(address, options)?)
}

/// The client of an enrolled station.
///
/// # Errors
/// [`EnrolmentError`].
pub fn enrolled_client(
    config: &Config,
    state: &StateDirectory,
) -> Result<(Client, Enrolment), EnrolmentError> {
    let enrolment = load(state)?;
    if let Some(configured) = &config.server {
        let same = |text: &str| ServerAddress::parse(text, true).map(|address| address.to_string());
        if same(configured)? != same(&enrolment.server)? {
            return Err(EnrolmentError::OtherServer {
                enrolled: enrolment.server,
                configured: configured.clone(),
            });
        }
    }
    let token = read_small(&**state.files(), &state.place(TOKEN), 4096)
        .map_err(|error| EnrolmentError::Io("token", error))?
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or(EnrolmentError::Missing)?;
    let client = client(config, &enrolment.server, Some(token))?;
    Ok((client, enrolment))
}

/// Fetches the daemon's ledger key.
///
/// # Errors
/// [`EnrolmentError`].
pub async fn offered_key(client: &Client) -> Result<VerifierKey, EnrolmentError> {
    let text = client.without_token().ledger_key().await?;
    text.trim()
        .parse()
        .map_err(|_| EnrolmentError::NoKey(client.server().to_string()))
}

/// Refuses a daemon whose ledger key is not the pinned one.
///
/// # Errors
/// [`EnrolmentError::OtherKey`].
pub fn check_key(enrolment: &Enrolment, offered: &VerifierKey) -> Result<(), EnrolmentError> {
    if enrolment.ledger_key == *offered {
        return Ok(());
    }
    Err(EnrolmentError::OtherKey {
        pinned: enrolment.ledger_key.fingerprint(),
        offered: offered.fingerprint(),
    })
}

/// Enrols: checks key and fingerprint, then keeps token and key.
///
/// # Errors
/// [`EnrolmentError`]; an earlier enrolment then still stands.
pub async fn enrol(
    config: &Config,
    state: &StateDirectory,
    server: &str,
    token: &str,
    fingerprint: Option<&str>,
    now: Micros,
) -> Result<(Client, Enrolment), EnrolmentError> {
    let client = client(config, server, Some(token.to_owned()))?;
    let offered = offered_key(&client).await?;
    match fingerprint {
        Some(given) if squeezed(given) != squeezed(&offered.fingerprint()) => {
            return Err(EnrolmentError::OtherFingerprint {
                offered: offered.fingerprint(),
            });
        }
        Some(_) => {}
        // Without a person's word an earlier pin stands.
        None => match load(state) {
            Ok(earlier) => check_key(&earlier, &offered)?,
            Err(EnrolmentError::Missing) => {}
            Err(error) => return Err(error),
        },
    }
    let enrolment = Enrolment {
        server: client.server().to_string(),
        ledger_key: offered,
        enrolled_at: now,
    };
    // Token first: a crash in between leaves no enrolment, or the old one with a token that its
    // daemon refuses, which says what to do.
    let path = state.place(TOKEN);
    let files = Arc::clone(state.files());
    replace(
        &*files,
        &path,
        &path.with_extension("tmp"),
        token.trim().as_bytes(),
    )
    .map_err(|error| EnrolmentError::Io("token", error))?;
    state.store(&state.place(ENROLMENT), &enrolment)?;
    Ok((client, enrolment))
}

fn squeezed(fingerprint: &str) -> String {
    let digits = fingerprint.chars().filter(char::is_ascii_hexdigit);
    digits.collect::<String>().to_ascii_lowercase()
}
