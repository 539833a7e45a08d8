//! What a client believes: the address it is given, the addresses a daemon answers with; and what it sends.

use std::sync::LazyLock;

use docket_client::{Client, ClientOptions, Metadata, ServerAddress, Trust};

use crate::text;

const SERVER: &str = "https://docket.example/base";

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let options = ClientOptions {
        trust: Trust::Pinned(docket_base::Sha256Digest([7; 32])),
        ..ClientOptions::default()
    };
    let server = SERVER.parse().expect("an address");
    Client::connect(server, options).expect("a client")
});

/// An address is the same when it is read again, and plain HTTP stays on this machine; a token goes to no other host.
pub fn address(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(address) = ServerAddress::parse(text, true) {
        let again = ServerAddress::parse(&address.to_string(), true);
        assert_eq!(again.as_ref(), Ok(&address));
        if let Ok(strict) = text.parse::<ServerAddress>() {
            let shown = strict.to_string();
            let near = ["http://localhost", "http://127.", "http://[::1]"];
            assert!(
                strict.is_encrypted() || near.iter().any(|near| shown.starts_with(near)),
                "{shown}"
            );
        }
    }
    if let Some(upload) = CLIENT.known_upload(text) {
        let shown = upload.to_string();
        assert!(shown.starts_with("https://docket.example/"), "{shown}");
        assert_eq!(CLIENT.known_upload(&shown).as_ref(), Some(&upload));
        let _ = upload.recording();
    }
}

/// What a client sends is what a daemon reads.
pub fn metadata(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let mut sent = Metadata::new();
    for line in text.lines().take(60) {
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        sent.set(key, value);
    }
    let Ok(header) = sent.encode() else { return };
    if text.lines().any(|line| {
        line.split('=')
            .next()
            .is_some_and(|key| key.len() > docket_tus::limits::KEY_BYTES)
    }) {
        return;
    }
    let read = docket_tus::Metadata::parse(&header).expect("what a client sends");
    for (key, value) in read.pairs() {
        assert_eq!(
            sent.get(key).map(str::as_bytes),
            Some(value.as_slice()),
            "{key}"
        );
    }
}

/// To begin with.
pub mod seeds {
    /// Addresses of daemons and of uploads.
    pub fn address() -> Vec<Vec<u8>> {
        crate::texts(&[
            "https://docket.example",
            "http://127.0.0.1:8600/docket/",
            "http://[::1]:8600//",
            "http://localhost",
            "https://docket.example/base/files/0190163d-8694-739a-aea6-966b6d7bd9a9",
            "/files/0190163d-8694-739a-aea6-966b6d7bd9a9",
            "//evil.example/files/1",
            "https://evil.example\\@docket.example/",
        ])
    }

    /// Pairs, a line each.
    pub fn metadata() -> Vec<Vec<u8>> {
        crate::texts(&[
            "filename=现场, \"1\".mp4\nnote=\nmark=key\nfilename=again",
            "a=b=c\nd",
        ])
    }
}
