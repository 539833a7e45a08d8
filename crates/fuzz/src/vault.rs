//! Names in the vault: nothing leads out of it.

use docket_vault::{DerivativeName, VaultKey};

use crate::text;

/// A key has one text and tells its recording; no name holds what a path could climb by.
pub fn names(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(key) = text.parse::<VaultKey>() {
        assert_eq!(key.as_str(), text);
        assert!(text.split('/').all(|part| !matches!(part, "" | "." | "..")));
        assert!(text.starts_with(key.area().folder()));
        assert_eq!(format!("{}/original", key.folder()), text);
        assert!(key.folder().ends_with(&key.id().to_string()));
    }
    if let Ok(name) = text.parse::<DerivativeName>() {
        assert_eq!(name.as_str(), text);
        assert!(!text.contains(['/', '\\', '\0']) && !text.starts_with('.') && text.len() <= 64);
    }
}

/// To begin with.
pub mod seeds {
    /// A name of each kind.
    pub fn names() -> Vec<Vec<u8>> {
        crate::texts(&[
            "originals/2026/11/23/0190163d-8694-739a-aea6-966b6d7bd9a9/original",
            "quarantine/2026/11/23/0190163d-8694-739a-aea6-966b6d7bd9a9/original",
            "storyboard-0.jpg",
            "..",
        ])
    }
}
