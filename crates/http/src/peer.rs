//! The address a request came from.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;

use crate::state::AppState;

/// The client's address; `None` where the server doesn't tell (tests without a socket).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Whom to count tries for.
    pub address: Option<IpAddr>,
    /// It is this very machine, and no proxy handed the request on.
    pub is_this_machine: bool,
}

impl FromRequestParts<AppState> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let socket = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let near = socket.map(|ConnectInfo(address)| address.ip().to_canonical());
        let forwarded = parts.headers.get("x-forwarded-for");
        let Some(near) = near else {
            return Ok(Self {
                address: None,
                is_this_machine: false,
            });
        };
        // Anyone can write this header: it counts only from a proxy the operator named, and of its list only
        // the last entry, which that proxy wrote itself.
        let far = forwarded
            .filter(|_| state.settings().trusted_proxies.contains(&near))
            .and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        Ok(Self {
            address: Some(far.unwrap_or(near)),
            is_this_machine: near.is_loopback() && forwarded.is_none(),
        })
    }
}
