//! The two bounds of what may be received: bytes in memory over all uploads, and bytes of one upload
//! that are not durable.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use docket_ingest::upload::pump::UNDURABLE_BYTES;
use docket_ingest::upload::{AppendOutcome, Body};
use docket_ingest::{Ingest, Options};
use futures_util::{StreamExt, stream};

use super::faulty::{Control, FaultyVault};
use super::site::Site;
use super::things::*;

/// What was received and, at the worst moment, how much of it was not yet passed on.
#[derive(Debug, Default)]
struct Meter {
    received_bytes: AtomicU64,
    worst_bytes: AtomicU64,
}

impl Meter {
    /// A body that counts as it is read.
    fn body(
        self: &Arc<Self>,
        bytes: &Arc<Vec<u8>>,
        piece: usize,
        passed_on: impl Fn() -> u64 + Send + 'static,
    ) -> Body<'static> {
        let (meter, bytes) = (
            Arc::clone(self),
            Bytes::from_owner(Shared(Arc::clone(bytes))),
        );
        let count = bytes.len().div_ceil(piece);
        let pieces = stream::iter(0..count).map(move |n| {
            let until = bytes.len().min((n + 1) * piece);
            let frame = bytes.slice(n * piece..until);
            let length = frame.len() as u64;
            let received = meter.received_bytes.fetch_add(length, Ordering::SeqCst) + length;
            let held = received.saturating_sub(passed_on());
            meter.worst_bytes.fetch_max(held, Ordering::SeqCst);
            Ok(frame)
        });
        Box::pin(pieces)
    }
}

struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

async fn open(site: &Site, memory_bytes: u32) -> (Arc<Ingest>, Arc<Control>) {
    let vault = FaultyVault::over(site.vault());
    let control = Arc::clone(&vault.control);
    let mut parts = site.parts(site.open_catalog().await, vault);
    parts.options = Options {
        memory_bytes,
        hash_threads: 1,
        ..Options::default()
    };
    (Ingest::open(parts).await.expect("opens"), control)
}

/// Three uploads over a vault that keeps every chunk to itself until a flush. Together they would hold
/// six times the budget; each holds too little for a mark by size, so only marks by time get them out
/// of waiting for each other.
#[tokio::test]
async fn uploads_share_the_memory_and_never_wait_in_a_circle() {
    let site = Site::new().await;
    let (ingest, control) = open(&site, 1 << 20).await;
    let bytes = Arc::new(content(1, 2 * MIB));
    let meter = Arc::new(Meter::default());
    let mut uploads = Vec::new();
    for _ in 0..3 {
        uploads.push(site.create(&ingest, bytes.len()).await);
    }
    control.hoards.store(true, Ordering::SeqCst);
    let appends = uploads.iter().map(|upload| {
        let control = Arc::clone(&control);
        let passed_on = move || {
            control.appended_bytes.load(Ordering::SeqCst)
                - control.hoarded_bytes.load(Ordering::SeqCst)
        };
        let body = meter.body(&bytes, 64 * KIB, passed_on);
        ingest.append(upload.id, 0, None, None, body)
    });
    for done in futures_util::future::join_all(appends).await {
        let done = done.expect("taken");
        assert!(
            matches!(done.outcome, AppendOutcome::Finished(_)),
            "{done:?}"
        );
    }
    let worst = meter.worst_bytes.load(Ordering::SeqCst) as usize;
    // The budget, and the chunk each of them has in its hand.
    assert!(worst <= MIB + 3 * 64 * KIB, "{worst}");
    assert!(worst > MIB / 2, "the budget was used: {worst}");
    for upload in uploads {
        assert!(stored(&ingest, &recording(&ingest, upload.id).await).await == *bytes);
    }
}

#[tokio::test]
async fn reading_stops_when_too_much_is_not_durable() {
    let site = Site::new().await;
    let (ingest, control) = open(&site, 1 << 30).await;
    let bytes = Arc::new(content(2, 40 * MIB));
    let upload = site.create(&ingest, bytes.len()).await;
    control.hold_flushes(true);
    let meter = Arc::new(Meter::default());
    let body = {
        let control = Arc::clone(&control);
        meter.body(&bytes, MIB, move || {
            control.durable_bytes.load(Ordering::SeqCst)
        })
    };
    let running = {
        let ingest = Arc::clone(&ingest);
        tokio::spawn(async move { ingest.append(upload.id, 0, None, None, body).await })
    };
    while meter.received_bytes.load(Ordering::SeqCst) <= UNDURABLE_BYTES {
        tokio::task::yield_now().await;
    }
    // One chunk in its hand, and not one more, however long the disk takes.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    let bound = UNDURABLE_BYTES + MIB as u64;
    assert_eq!(meter.received_bytes.load(Ordering::SeqCst), bound);
    control.hold_flushes(false);
    let done = running.await.expect("task").expect("taken");
    assert!(
        matches!(done.outcome, AppendOutcome::Finished(_)),
        "{done:?}"
    );
    assert!(meter.worst_bytes.load(Ordering::SeqCst) <= bound);
    assert!(stored(&ingest, &recording(&ingest, upload.id).await).await == *bytes);
}

/// A frame much larger than a chunk is taken in pieces, within the same bounds.
#[tokio::test]
async fn a_huge_frame_fits_through_a_small_budget() {
    let site = Site::new().await;
    let (ingest, _) = open(&site, 1 << 20).await;
    let bytes = content(3, 5 * MIB + 1);
    let upload = site.create(&ingest, bytes.len()).await;
    let done = ingest
        .append(upload.id, 0, None, None, body(&bytes, bytes.len()))
        .await;
    let done = done.expect("taken");
    assert!(
        matches!(done.outcome, AppendOutcome::Finished(_)),
        "{done:?}"
    );
    assert!(stored(&ingest, &recording(&ingest, upload.id).await).await == bytes);
}
