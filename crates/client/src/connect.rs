//! The connection to one daemon.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use docket_base::{OsRandom, Random};
use reqwest::header::HeaderValue;

use crate::address::ServerAddress;
use crate::error::Error;
use crate::{Backoff, Patience, Trust, trust};

/// What a client is made from.
#[derive(Clone)]
pub struct ClientOptions {
    /// Whom TLS trusts.
    pub trust: Trust,
    /// Bearer token; `None` for what needs none (`/v1/ledger/key`, `/healthz`).
    pub token: Option<String>,
    /// Jitter and request ids.
    pub random: Arc<dyn Random>,
    /// Name and version, e.g. `docket-dock/0.1.0`.
    pub user_agent: String,
    /// How long establishing a connection may take.
    pub connect_timeout: Duration,
    /// How long the server may stay silent: after a request was sent, or while it takes no bytes.
    pub silence_timeout: Duration,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            trust: Trust::System,
            token: None,
            random: Arc::new(OsRandom),
            user_agent: concat!("docket-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(10),
            // A last byte's answer waits for fsync on a busy disk.
            silence_timeout: Duration::from_secs(120),
        }
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("trust", &self.trust)
            .field("token", &self.token.as_ref().map(|_| "redacted"))
            .field("user_agent", &self.user_agent)
            .finish_non_exhaustive()
    }
}

/// A client that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Certificates or TLS settings are unusable.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// The token cannot stand in a header.
    #[error("the token holds characters that no token has")]
    Token,
}

/// The connection to one daemon; cloning shares it.
#[derive(Clone)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) server: ServerAddress,
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) silence_timeout: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Makes a client; nothing is sent yet.
    ///
    /// # Errors
    /// [`SetupError`] on unusable certificates or tokens.
    pub fn connect(server: ServerAddress, options: ClientOptions) -> Result<Self, SetupError> {
        let tls = trust::client_config(&options.trust)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            // One connection an upload: bays must not share one TCP stream's losses and window.
            .http1_only()
            // A token is meant for the configured server alone.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(options.user_agent)
            .connect_timeout(options.connect_timeout)
            .tcp_keepalive(Duration::from_secs(30))
            .tcp_nodelay(true)
            .build()
            .map_err(|error| SetupError::Tls(chain(&error)))?;
        let authorization = options.token.map(|token| bearer(&token)).transpose()?;
        Ok(Self {
            http,
            server,
            authorization,
            random: options.random,
            silence_timeout: options.silence_timeout,
        })
    }

    /// The daemon this client speaks to.
    pub fn server(&self) -> &ServerAddress {
        &self.server
    }

    /// The same connection without the token: for a daemon that is not known to be the right one yet.
    #[must_use]
    pub fn without_token(&self) -> Self {
        Self {
            authorization: None,
            ..self.clone()
        }
    }

    /// Repeats `call` while its errors are passing ones ([`Error::is_passing`]); `notice` hears of
    /// each failure and the wait that follows.
    ///
    /// # Errors
    /// The last error: one that does not pass, or any once patience is at its end.
    pub async fn patiently<T, F>(
        &self,
        patience: Patience,
        mut notice: impl FnMut(&Error, Duration),
        mut call: impl FnMut() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut backoff = Backoff::new(patience);
        loop {
            let error = match call().await {
                Ok(done) => return Ok(done),
                Err(error) if error.is_passing() => error,
                Err(error) => return Err(error),
            };
            let Some(wait) = backoff.next(&*self.random, error.retry_after()) else {
                return Err(error);
            };
            notice(&error, wait);
            tokio::time::sleep(wait).await;
        }
    }
}

fn bearer(token: &str) -> Result<HeaderValue, SetupError> {
    let token = token.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SetupError::Token);
    }
    let mut value =
        HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| SetupError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

/// An error with all its causes: reqwest alone says "error sending request".
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let next = inner.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = inner.source();
    }
    text
}
