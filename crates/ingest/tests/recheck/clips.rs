//! Clips over an index that stands in the vault, without a media worker.

use docket_base::ids::RecordingId;
use docket_catalog::RecordingState;
use docket_ingest::probe::{INDEX, derivative};
use docket_ingest::upload::ClipWanted;
use docket_ledger::Actor;
use docket_playback::index::{NewSegment, Track};
use docket_playback::rows::{Sample, TrackRun};
use docket_playback::{Facts, Mode, PlaybackIndex, StreamKind, Verdict};

use crate::instance::{Instance, open};

/// A second a byte.
fn index(size_bytes: u64) -> PlaybackIndex {
    let facts = Facts {
        container: "mp4".into(),
        size_bytes,
        claimed_duration_ms: None,
        duration_ms: None,
        creation_claimed_at: None,
        streams: Vec::new(),
        verdict: Verdict::playable(),
    };
    let track = Track {
        kind: StreamKind::Video,
        stream: 0,
        timescale: 1,
        codec: "avc1".into(),
        mode: Mode::Raw,
    };
    let segment = |number: u64| NewSegment {
        start_us: number * 1_000_000,
        duration_us: 1_000_000,
        independent: true,
        runs: vec![TrackRun {
            track: 0,
            decode_time: number,
            samples: vec![Sample {
                offset: number,
                size_bytes: 1,
                duration: 1,
                composition: 0,
                key: true,
            }],
        }],
    };
    let segments: Vec<_> = (0..size_bytes).map(segment).collect();
    PlaybackIndex::build(facts, vec![track], 0, b"init", &segments).unwrap()
}

impl Instance {
    /// A clip that is asked for and not made yet.
    pub async fn clip_asked(&self, source: RecordingId) -> RecordingId {
        let row = self.row(source).await;
        let index = index(row.size_bytes.unwrap());
        let name = derivative(INDEX).unwrap();
        self.vault
            .put_derivative(source, row.created_at, &name, &index.to_bytes())
            .await
            .unwrap();
        self.tick();
        let wanted = ClipWanted {
            from_ms: 2_000,
            until_ms: 4_000,
            reason: "听证".to_owned(),
        };
        let clip = self
            .ingest
            .create_clip(Actor::System, &row, &index, &wanted);
        clip.await.unwrap()
    }

    pub async fn clip(&self, source: RecordingId) -> RecordingId {
        let clip = self.clip_asked(source).await;
        self.tick();
        assert!(self.ingest.clip_round().await.unwrap());
        assert_eq!(self.row(clip).await.state, RecordingState::Sealed);
        clip
    }

    async fn restarted(&mut self) {
        let ingest = &self.ingest;
        self.ingest = open(
            ingest.catalog.clone(),
            &self.vault,
            &self.key,
            &self.clock,
            &self.random,
        )
        .await;
        self.ingest.recover().await.unwrap();
    }
}

#[tokio::test]
async fn a_clip_goes_on_after_a_crash_at_each_step() {
    let mut instance = Instance::new().await;
    let source = instance.upload("a.mp4", b"what happened that night").await;
    // Before any byte of it was made.
    let first = instance.clip_asked(source).await;
    instance.restarted().await;
    assert!(instance.ingest.clip_round().await.unwrap());
    assert_eq!(instance.row(first).await.state, RecordingState::Sealed);

    // When all bytes are durable, and nothing else is.
    let second = instance.clip_asked(source).await;
    assert!(instance.ingest.clip_round().await.unwrap());
    let (one, other) = (instance.row(first).await, instance.row(second).await);
    assert_eq!(one.sha256, other.sha256);
    instance.restarted().await;
    assert!(instance.ingest.clip_round().await.unwrap());

    // Nobody but the daemon writes or ends it.
    let third = instance.clip_asked(source).await;
    let body = futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"forged"))]);
    let forged = instance.ingest.append(third, 0, None, None, Box::pin(body));
    assert!(forged.await.is_err());
    assert!(
        instance
            .ingest
            .terminate_upload(third, Actor::System)
            .await
            .is_err()
    );
    assert!(instance.ingest.clip_round().await.unwrap());
    for id in [source, first, second, third] {
        instance.verify(id).await;
    }
    instance.publish().await;
    assert_eq!(instance.check().await.what(), []);
    instance
        .damage_catalog("UPDATE clips SET until_us = until_us + 1")
        .await;
    assert_eq!(instance.check().await.what().len(), 3);
}

#[tokio::test]
async fn a_clip_whose_source_is_gone_is_withdrawn() {
    let instance = Instance::new().await;
    let source = instance.upload("a.mp4", b"what happened that night").await;
    let clip = instance.clip_asked(source).await;
    instance
        .damage_catalog("UPDATE recordings SET deleted_at_us = 1 WHERE kind = 'video'")
        .await;
    assert!(instance.ingest.clip_round().await.unwrap());
    assert_eq!(instance.row(clip).await.state, RecordingState::Deleted);
}
