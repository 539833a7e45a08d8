//! A full disk, and memory.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::api::id_of;
use crate::harness::{Api, Content, Daemon};

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
    let answer = patch_sent_whole(&daemon, &api, &path, MIB, &content.slice(MIB, 4 * MIB)).await;
    assert!(answer.starts_with("HTTP/1.1 507 "), "{answer}");
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

/// As many clients send: the whole body first, and only then a look at what came back.
async fn patch_sent_whole(
    daemon: &Daemon,
    api: &Api,
    path: &str,
    offset: u64,
    body: &[u8],
) -> String {
    let url = daemon.url();
    let address = url.strip_prefix("http://").expect("plain HTTP");
    let mut connection = TcpStream::connect(address).await.expect("it listens");
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\ntus-resumable: 1.0.0\r\n\
         upload-offset: {offset}\r\ncontent-type: application/offset+octet-stream\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        api.bearer.as_deref().expect("a token"),
        body.len(),
    );
    connection.write_all(head.as_bytes()).await.expect("sent");
    connection.write_all(body).await.expect("sent to the end");
    let mut answer = String::new();
    connection
        .read_to_string(&mut answer)
        .await
        .expect("an answer, not a reset");
    answer
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
