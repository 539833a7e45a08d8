//! `docketd serve`: from the parts to a listening server, and back down.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use docket_base::files::{OsFiles, replace};
use docket_http::signin::password::Passwords;
use docket_http::{AppState, Settings};
use tokio::signal::unix::{SignalKind, signal};

use crate::commands::control;
use crate::config::Config;
use crate::parts::Parts;

/// Requests under way get this long to end after the daemon was asked to stop.
const GRACE: Duration = Duration::from_secs(20);

/// Runs until SIGTERM or SIGINT.
pub async fn run(parts: Parts) -> anyhow::Result<()> {
    let parts = Arc::new(parts);
    let metrics = docket_http::metrics::install().context("metrics")?;
    // Bound first: a port in use must stop the start before anything is recovered or published.
    let listener = TcpListener::bind(parts.config.listen)
        .with_context(|| format!("listening on {} (DOCKET_LISTEN)", parts.config.listen))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let control = control::bind(&parts.data.socket())?;

    let recovered = parts.ingest.recover().await?;
    if recovered != docket_ingest::recover::Recovered::default() {
        tracing::info!(?recovered, "made good what the last stop left");
    }
    parts.ingest.start();
    say_restrictions(&parts).await;

    let app = AppState::new(docket_http::Parts {
        ingest: Arc::clone(&parts.ingest),
        passwords: Passwords::start(Arc::clone(&parts.ingest.random))?,
        settings: settings(&parts.config),
        metrics: Some(metrics),
    });
    app.start();
    let handle = Handle::new();
    let stop = tokio::spawn(wait_for_signal(Arc::clone(&parts), handle.clone()));
    tokio::spawn(control::serve(
        control,
        Arc::clone(&parts),
        parts.ingest.shutdown.clone(),
    ));

    let scheme = if parts.config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    write_address(&parts, &format!("{address}\n"))?;
    tracing::info!(
        "listening on {scheme}://{address}, data in {}",
        parts.data.root().display()
    );
    listen(&parts.config, listener, handle, app).await?;

    stop.await?;
    parts.ingest.stop().await;
    if let Some(playback) = &parts.ingest.playback {
        playback.shutdown().await;
    }
    parts.ingest.catalog.close().await;
    let _ = std::fs::remove_file(parts.data.address());
    tracing::info!("stopped");
    Ok(())
}

async fn listen(
    config: &Config,
    listener: TcpListener,
    handle: Handle<SocketAddr>,
    app: AppState,
) -> anyhow::Result<()> {
    let service = docket_http::router(app).into_make_service_with_connect_info::<SocketAddr>();
    match &config.tls {
        None => {
            axum_server::from_tcp(listener)?
                .handle(handle)
                .serve(service)
                .await?
        }
        Some(tls) => {
            let rustls = RustlsConfig::from_pem_file(&tls.certificate, &tls.key)
                .await
                .with_context(|| {
                    format!(
                        "reading tls.certificate {} and tls.key {}",
                        tls.certificate.display(),
                        tls.key.display()
                    )
                })?;
            axum_server::from_tcp_rustls(listener, rustls)?
                .handle(handle)
                .serve(service)
                .await?;
        }
    }
    Ok(())
}

/// Kernels differ in what they can keep a worker from; whoever runs this must be able to read it.
async fn say_restrictions(parts: &Parts) {
    let Some(playback) = &parts.ingest.playback else {
        return;
    };
    match playback.check().await {
        Ok(hello) => tracing::info!(restrictions = ?hello.restrictions, "media worker"),
        Err(error) => {
            tracing::warn!(%error, "the media worker does not start; recordings are kept, but can't be shown")
        }
    }
}

/// First the uploads save what they have (each stops at its next chunk), then the listener closes.
async fn wait_for_signal(parts: Arc<Parts>, handle: Handle<SocketAddr>) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        tracing::error!(
            "signals can't be waited for: stop this process with SIGKILL, nothing told is lost"
        );
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    parts.ingest.shutdown.cancel();
    handle.graceful_shutdown(Some(GRACE));
}

fn settings(config: &Config) -> Settings {
    Settings {
        tls: config.tls.is_some(),
        allowed_hosts: config.http.allowed_hosts.clone(),
        trusted_proxies: config.http.trusted_proxies.clone(),
        made_cache_bytes: config.playback.made_cache_bytes,
        session_idle_s: i64::from(config.http.session_idle_minutes) * 60,
        session_longest_s: i64::from(config.http.session_longest_hours) * 3_600,
    }
}

/// Where this process listens, for scripts: port 0 is only known now.
fn write_address(parts: &Parts, text: &str) -> anyhow::Result<()> {
    let path = parts.data.address();
    replace(
        &OsFiles,
        &path,
        &path.with_extension("new"),
        text.as_bytes(),
    )
    .with_context(|| format!("writing {}", path.display()))
}
