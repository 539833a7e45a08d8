//! The S3 vault on a real SeaweedFS, and what only it promises.

use aws_sdk_s3::types::ChecksumAlgorithm;
use bytes::Bytes;
use docket_base::ids::RecordingId;
use docket_vault::{PartPlan, Tier, VaultError};

use crate::conformance::{self, Place};
use crate::seaweed::{self, Seaweed};
use crate::things::{Ids, begin_request, collect, content, seal_request, upload};

const MIB: u64 = 1 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conforms_on_seaweedfs() {
    let Some(store) = Seaweed::start().await else {
        return;
    };
    let config = store.config();
    let missing =
        docket_vault::S3Vault::open(config.clone(), std::sync::Arc::new(docket_base::OsRandom))
            .await;
    assert!(
        matches!(missing, Err(VaultError::NotFound(_))),
        "{missing:?}"
    );
    store.create_buckets().await;
    let mut config = config;
    config.plan.tiers[0].part_bytes = 5 * MIB;
    let place = Place {
        open: Box::new(move || Box::pin(seaweed::open(config.clone()))),
        ids: Ids::default(),
        unit_bytes: 5 * MIB as usize,
        reads_open_uploads: false,
    };
    conformance::all(&place).await;
    metadata_is_shown(&store, &place.ids).await;
    parts_grow(&store, &place.ids).await;
    scaffold_objects_go_when_settled(&store, &place.ids).await;
    a_part_replaced_behind_our_back_is_noticed(&store, &place.ids).await;
}

async fn scaffold_objects(store: &Seaweed, id: RecordingId) -> usize {
    let listed = store
        .client()
        .list_objects_v2()
        .bucket("scaffold")
        .prefix("open/")
        .send()
        .await;
    let listed = listed.expect("list");
    let id = id.to_string();
    listed
        .contents()
        .iter()
        .filter(|object| object.key().unwrap_or_default().contains(&id))
        .count()
}

async fn metadata_is_shown(store: &Seaweed, ids: &Ids) {
    let vault = seaweed::open(store.config()).await;
    for length in [10, 9 * MIB as usize] {
        let (id, bytes) = (ids.next(), content(1, length));
        let durable = upload(&vault, id, &bytes).await.expect("upload");
        let read = vault.read_assembly(&durable.state, 0..1).await.err();
        assert!(matches!(read, Some(VaultError::NotYet)), "{read:?}");
        let seal = seal_request(id, &bytes);
        let key = vault.seal(&durable.state, &seal).await.expect("seal").key;
        let client = store.client();
        let head = client
            .head_object()
            .bucket("originals")
            .key(key.as_str())
            .send()
            .await
            .expect("head");
        let metadata = head.metadata().expect("metadata");
        assert_eq!(
            metadata.get("recorder").map(String::as_str),
            Some("%E8%AE%B0%E5%BD%95%E4%BB%AA 7")
        );
        let tags = client
            .get_object_tagging()
            .bucket("originals")
            .key(key.as_str())
            .send()
            .await
            .expect("tags");
        let sha256 = tags
            .tag_set()
            .iter()
            .find(|tag| tag.key() == "sha256")
            .expect("tag");
        assert_eq!(sha256.value(), seal.digests.sha256.to_string());
        assert_eq!(scaffold_objects(store, id).await, 0, "nothing is left");
    }
}

/// Parts larger than a piece are gathered from scaffold objects, also after a restart in between.
async fn parts_grow(store: &Seaweed, ids: &Ids) {
    let mut config = store.config();
    config.plan = PartPlan {
        tiers: vec![
            Tier {
                parts: 1,
                part_bytes: 5 * MIB,
            },
            Tier {
                parts: 2,
                part_bytes: 12 * MIB,
            },
        ],
        piece_bytes: 6 * MIB,
    };
    let length = (5 + 12 + 6 + 2) * MIB as usize;
    let (id, bytes) = (ids.next(), content(2, length));
    let vault = seaweed::open(config.clone()).await;
    let mut durable = upload(&vault, id, b"").await.expect("begin");
    for stretch in bytes.chunks(3 * MIB as usize + 1) {
        let vault = seaweed::open(config.clone()).await;
        let resumed = vault.resume(&durable.state, durable.offset_bytes).await;
        let mut assembly = resumed.expect("resume");
        assembly
            .append(Bytes::copy_from_slice(stretch))
            .await
            .expect("append");
        durable = assembly.flush().await.expect("flush");
    }
    let sealed = vault.seal(&durable.state, &seal_request(id, &bytes)).await;
    let back = vault
        .read_back(&sealed.expect("seal").key)
        .await
        .expect("open");
    assert!(collect(back).await.expect("read") == bytes);
    // Nothing larger than the plan allows is begun.
    let id = ids.next();
    let mut assembly = vault.begin(&begin_request(id)).await.expect("begin");
    let appended = assembly.append(vec![0; 30 * MIB as usize].into()).await;
    assert!(matches!(appended, Err(VaultError::Full(_))), "{appended:?}");
}

async fn scaffold_objects_go_when_settled(store: &Seaweed, ids: &Ids) {
    let (id, vault) = (ids.next(), seaweed::open(store.config()).await);
    let mut assembly = vault.begin(&begin_request(id)).await.expect("begin");
    for flush in 1..=4usize {
        assembly
            .append(Bytes::from_static(b"some"))
            .await
            .expect("append");
        let durable = assembly.flush().await.expect("flush");
        assert_eq!(
            scaffold_objects(store, id).await,
            flush.min(2),
            "flush {flush}"
        );
        let again = assembly.flush().await.expect("nothing new");
        assert_eq!(again, durable);
        assembly.settled(&durable);
        // Behind the cleaning, in the same queue.
        assembly.flush().await.expect("flush");
        assert_eq!(scaffold_objects(store, id).await, 1, "flush {flush}");
    }
}

async fn a_part_replaced_behind_our_back_is_noticed(store: &Seaweed, ids: &Ids) {
    let (id, vault) = (ids.next(), seaweed::open(store.config()).await);
    let bytes = content(3, 9 * MIB as usize);
    let durable = upload(&vault, id, &bytes).await.expect("upload");
    let client = store.client();
    let uploads = client
        .list_multipart_uploads()
        .bucket("originals")
        .send()
        .await
        .expect("list");
    let id_text = id.to_string();
    let upload = uploads
        .uploads()
        .iter()
        .find(|upload| upload.key().unwrap_or_default().contains(&id_text));
    let upload = upload.expect("under way");
    client
        .upload_part()
        .bucket("originals")
        .set_key(upload.key().map(str::to_owned))
        .set_upload_id(upload.upload_id().map(str::to_owned))
        .part_number(1)
        .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
        .body(content(4, 8 * MIB as usize).into())
        .send()
        .await
        .expect("replace");
    let sealed = vault.seal(&durable.state, &seal_request(id, &bytes)).await;
    assert!(
        matches!(sealed, Err(VaultError::Corrupt { .. })),
        "{sealed:?}"
    );
}
