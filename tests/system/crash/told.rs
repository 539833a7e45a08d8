//! What clients were told, to be held against the daemon after each of its deaths.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::harness::{Api, Content};

/// What clients were told by the daemon.
#[derive(Debug, Clone, Default)]
pub struct Told(Arc<Mutex<Everything>>);

#[derive(Debug, Default)]
struct Everything {
    uploads: HashMap<String, Upload>,
    receipts: HashMap<String, Vec<u8>>,
    links: Vec<(String, String)>,
    tree_size: u64,
}

/// One upload as its client knows it.
#[derive(Debug, Clone)]
pub struct Upload {
    /// What is being sent.
    pub content: Content,
    /// The largest offset the client was told.
    pub offset: u64,
}

impl Told {
    fn with<T>(&self, change: impl FnOnce(&mut Everything) -> T) -> T {
        change(&mut self.0.lock().expect("no panic while it was held"))
    }

    /// A creation was answered, or an offset was told.
    pub fn offset(&self, path: &str, content: Content, offset: u64) {
        self.with(|all| {
            let upload = all
                .uploads
                .entry(path.to_owned())
                .or_insert(Upload { content, offset });
            upload.offset = upload.offset.max(offset);
        });
    }

    /// A receipt was handed out.
    pub fn receipt(&self, path: &str, bytes: &[u8]) {
        self.with(|all| {
            let kept = all
                .receipts
                .entry(path.to_owned())
                .or_insert_with(|| bytes.to_vec());
            assert_eq!(
                kept, bytes,
                "the receipt {path} was issued anew, differently"
            );
        });
    }

    /// A link was acknowledged.
    pub fn link(&self, case: &str, recording: &str) {
        self.with(|all| all.links.push((case.to_owned(), recording.to_owned())));
    }

    /// A checkpoint was published.
    pub fn checkpoint(&self, text: &str) {
        let size: u64 = text
            .lines()
            .nth(1)
            .and_then(|line| line.parse().ok())
            .expect("a size");
        self.with(|all| {
            assert!(
                size >= all.tree_size,
                "the tree shrank from {} to {size}",
                all.tree_size
            );
            all.tree_size = size;
        });
    }

    /// Uploads that are not whole yet.
    pub fn open(&self) -> Vec<(String, Upload)> {
        self.with(|all| {
            let open = all
                .uploads
                .iter()
                .filter(|(_, one)| one.offset < one.content.size_bytes);
            open.map(|(path, one)| (path.clone(), one.clone()))
                .collect()
        })
    }

    /// How many were told in all: uploads begun, uploads whole, receipts, links.
    pub fn counts(&self) -> (usize, usize, usize, usize) {
        let open = self.open().len();
        self.with(|all| {
            (
                all.uploads.len(),
                all.uploads.len() - open,
                all.receipts.len(),
                all.links.len(),
            )
        })
    }

    /// Holds everything told against what the daemon says now.
    pub async fn assert_kept(&self, api: &Api) {
        let (uploads, receipts, links) =
            self.with(|all| (all.uploads.clone(), all.receipts.clone(), all.links.clone()));
        for (path, upload) in uploads {
            assert_upload(api, &path, &upload).await;
        }
        for (path, bytes) in receipts {
            let now = api.get(&path).await.expect(200);
            assert_eq!(now.body, bytes, "{path}");
        }
        for (case, recording) in links {
            let case = api.json(&format!("/v1/cases/{case}")).await;
            let evidence = case["evidence"].as_array().expect("evidence").iter();
            let found = evidence.filter(|one| one["recording"]["id"] == recording.as_str());
            assert_eq!(
                found.count(),
                1,
                "{recording} is not linked to {}",
                case["number"]
            );
        }
        let checkpoint = api.get("/v1/ledger/checkpoint").await.expect(200);
        self.checkpoint(&checkpoint.text());
    }
}

async fn assert_upload(api: &Api, path: &str, upload: &Upload) {
    let head = api.head(path).await.expect(200);
    let offset = head.offset().expect("an offset");
    assert!(
        offset >= upload.offset,
        "{path}: {} was told, {offset} is left",
        upload.offset
    );
    // The stretch around what was told: the end of what is kept is where a crash would tear it.
    let start = upload.offset.saturating_sub(100_000);
    if offset > start {
        let range = api
            .request("GET", path)
            .header("range", format!("bytes={start}-{}", offset - 1));
        let bytes = api.send(range).await.expect(206).body;
        assert_eq!(
            bytes,
            upload.content.slice(start, offset),
            "{path} at {start}"
        );
    }
    if upload.offset == upload.content.size_bytes {
        let id = crate::harness::api::id_of(path);
        let sealed: Value = api.await_state(&id, "sealed").await;
        assert_eq!(sealed["sha256"], upload.content.sha256(), "{path}");
        let kinds = api.custody(&id).await;
        assert!(
            kinds.iter().any(|kind| kind == "recording.sealed"),
            "{path}: {kinds:?}"
        );
    }
}
