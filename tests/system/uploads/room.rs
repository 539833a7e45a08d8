//! A full disk, and memory.

use crate::harness::api::id_of;
use crate::harness::{Content, Daemon};

const MIB: u64 = 1 << 20;

/// The reserve stands for the full disk: no test may fill the machine's.
#[tokio::test]
async fn a_full_disk_takes_nothing_back_and_the_upload_goes_on_when_there_is_room() {
    let mut daemon = Daemon::start().await;
    let content = Content::new(41, 4 * MIB);
    let api = daemon.api().await;
    let path = api.create(content.size_bytes, &[]).await;
    api.patch(&path, 0, content.slice(0, MIB)).await.expect(204);

    daemon.stop().await;
    daemon.set("INGEST__RESERVE_BYTES", &(1u64 << 60).to_string());
    daemon.up().await;
    api.patch(&path, MIB, content.slice(MIB, 2 * MIB))
        .await
        .expect(507);
    assert_eq!(api.head(&path).await.expect(200).offset(), Some(MIB));
    let refused = api
        .send(api.tus("POST", "/files/", &[("upload-length", "9")]))
        .await;
    assert!(matches!(refused.status, 201 | 507), "{}", refused.status);

    daemon.stop().await;
    daemon.set("INGEST__RESERVE_BYTES", "0");
    daemon.up().await;
    api.patch(&path, MIB, content.slice(MIB, 4 * MIB))
        .await
        .expect(204);
    let sealed = api.await_state(&id_of(&path), "sealed").await;
    assert_eq!(sealed["sha256"], content.sha256());
    daemon.assert_sound().await;
}

fn peak_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("VmHWM");
    let kib: u64 = line
        .trim()
        .trim_end_matches(" kB")
        .trim()
        .parse()
        .expect("a number");
    kib * 1024
}

/// Peak of a fresh daemon under eight uploads of this size at once.
async fn peak_under(size_bytes: u64) -> u64 {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let uploads = (0..8).map(|seed| {
        let api = api.clone();
        tokio::spawn(async move {
            let content = Content::new(50 + seed, size_bytes);
            let path = api.create(size_bytes, &[]).await;
            let pieces =
                futures_util::stream::iter(content.pieces(0, MIB).map(Ok::<_, std::io::Error>));
            let body = reqwest::Body::wrap_stream(pieces);
            api.patch(&path, 0, body).await.expect(204);
            api.receipt(&id_of(&path), "verified").await;
        })
    });
    for upload in uploads.collect::<Vec<_>>() {
        upload.await.expect("uploaded");
    }
    peak_bytes(daemon.pid())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_does_not_grow_with_the_size_of_files() {
    let small = peak_under(8 * MIB).await;
    let large = peak_under(128 * MIB).await;
    println!("peak: {} MiB and {} MiB", small / MIB, large / MIB);
    assert!(
        large < small + 48 * MIB,
        "{} and {} MiB",
        small / MIB,
        large / MIB
    );
    assert!(large < 160 * MIB, "{} MiB", large / MIB);
}
