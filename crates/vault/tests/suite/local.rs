//! The local vault on a real disk and on the double, and what only it promises.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use docket_base::files::{Files, OsFiles, PowerLossFiles};
use docket_vault::{LocalConfig, LocalVault, Vault, VaultError, VaultKey};
use futures_util::StreamExt;

use crate::conformance::{self, Place};
use crate::things::{Ids, begin_request, collect, content, seal_request, upload};

pub fn open(files: Arc<dyn Files>, root: &Path) -> Arc<dyn Vault> {
    Arc::new(LocalVault::open(files, root, LocalConfig::default()).expect("open"))
}

fn place(files: Arc<dyn Files>, root: &Path) -> Place {
    let root = root.to_owned();
    Place {
        open: Box::new(move || {
            let vault = open(Arc::clone(&files), &root);
            Box::pin(async move { vault })
        }),
        ids: Ids::default(),
        unit_bytes: 1 << 20,
        reads_open_uploads: true,
    }
}

#[tokio::test]
async fn conforms_on_a_disk() {
    let dir = tempfile::tempdir().expect("tempdir");
    conformance::all(&place(Arc::new(OsFiles), dir.path())).await;
}

#[tokio::test]
async fn conforms_on_the_double() {
    conformance::all(&place(
        Arc::new(PowerLossFiles::new()),
        Path::new("data/vault"),
    ))
    .await;
}

#[tokio::test]
async fn a_person_can_read_the_layout() {
    let dir = tempfile::tempdir().expect("tempdir");
    let (vault, id) = (open(Arc::new(OsFiles), dir.path()), Ids::default().next());
    let durable = upload(&vault, id, b"bytes").await.expect("upload");
    assert!(dir.path().join(format!("open/{id}")).exists());
    vault
        .seal(&durable.state, &seal_request(id, b"bytes"))
        .await
        .expect("seal");
    let folder = dir.path().join(format!("originals/2026/11/23/{id}"));
    assert_eq!(
        std::fs::read(folder.join("original")).expect("read"),
        b"bytes"
    );
    let mode = std::fs::metadata(folder.join("original"))
        .expect("stat")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o400);
    assert!(folder.join("meta.json").exists());
    assert_eq!(
        std::fs::read_dir(&folder).expect("list").count(),
        2,
        "nothing else"
    );
    assert_eq!(
        std::fs::read_dir(dir.path().join("open"))
            .expect("list")
            .count(),
        0
    );
}

#[tokio::test]
async fn a_descriptor_can_only_read() {
    use std::io::{Read, Write};
    let dir = tempfile::tempdir().expect("tempdir");
    let (vault, id) = (open(Arc::new(OsFiles), dir.path()), Ids::default().next());
    let durable = upload(&vault, id, b"bytes").await.expect("upload");
    let open = vault
        .assembly_descriptor(&durable.state)
        .await
        .expect("open");
    let sealed = vault
        .seal(&durable.state, &seal_request(id, b"bytes"))
        .await
        .expect("seal");
    let closed = vault.descriptor(&sealed.key).await.expect("open");
    for descriptor in [open, closed] {
        let mut file = std::fs::File::from(descriptor.expect("a real file"));
        let mut text = String::new();
        file.read_to_string(&mut text).expect("read");
        assert_eq!(text, "bytes");
        assert!(file.write_all(b"x").is_err());
    }
}

#[tokio::test]
async fn a_pointer_can_only_name_an_original() {
    let dir = tempfile::tempdir().expect("tempdir");
    let (vault, ids) = (open(Arc::new(OsFiles), dir.path()), Ids::default());
    let id = ids.next();
    let folder = dir.path().join(format!("originals/2026/11/23/{id}"));
    std::fs::create_dir_all(&folder).expect("dirs");
    let key: VaultKey = format!("originals/2026/11/23/{id}/original")
        .parse()
        .expect("key");
    for hostile in ["../../../../../etc/passwd\n", "", "\u{0}", key.as_str()] {
        std::fs::write(folder.join("same-as"), hostile).expect("write");
        let read = vault.read(&key, 0..1).await.err().expect("refused");
        assert!(
            matches!(read, VaultError::Corrupt { .. } | VaultError::NotFound(_)),
            "{hostile:?}: {read}"
        );
    }
}

#[tokio::test]
async fn append_waits_when_the_disk_is_slower() {
    let files = PowerLossFiles::new();
    let config = LocalConfig {
        queue_bytes: 1000,
        ..LocalConfig::default()
    };
    let vault = LocalVault::open(Arc::new(files), Path::new("v"), config).expect("open");
    let mut assembly = vault
        .begin(&begin_request(Ids::default().next()))
        .await
        .expect("begin");
    // Far more than the queue: it only ends because waiting chunks are handed over when it is full.
    for _ in 0..100 {
        assembly
            .append(Bytes::from(vec![7; 700]))
            .await
            .expect("append");
    }
    assembly
        .append(Bytes::from(vec![7; 30_000]))
        .await
        .expect("larger than the queue");
    assert_eq!(assembly.flush().await.expect("flush").offset_bytes, 100_000);
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_goes_on() {
    let files = PowerLossFiles::new();
    let vault = open(Arc::new(files.clone()), Path::new("v"));
    let (id, bytes) = (Ids::default().next(), content(8, 50_000));
    let durable = upload(&vault, id, &bytes[..20_000]).await.expect("fits");
    files.set_capacity(Some(30_000));
    let mut assembly = vault.resume(&durable.state, 20_000).await.expect("resume");
    assembly
        .append(Bytes::copy_from_slice(&bytes[20_000..]))
        .await
        .expect("queued");
    assert!(matches!(assembly.flush().await, Err(VaultError::Full(_))));
    assert!(matches!(
        assembly.append(Bytes::from_static(b"x")).await,
        Err(VaultError::Full(_))
    ));
    files.set_capacity(None);
    let mut assembly = vault.resume(&durable.state, 20_000).await.expect("resume");
    assembly
        .append(Bytes::copy_from_slice(&bytes[20_000..]))
        .await
        .expect("append");
    let durable = assembly.flush().await.expect("room again");
    let sealed = vault
        .seal(&durable.state, &seal_request(id, &bytes))
        .await
        .expect("seal");
    let back = vault.read_back(&sealed.key).await.expect("open");
    assert!(collect(back).await.expect("read") == bytes);
}

#[tokio::test]
async fn a_dropped_reader_stops_reading() {
    let dir = tempfile::tempdir().expect("tempdir");
    let (vault, id) = (open(Arc::new(OsFiles), dir.path()), Ids::default().next());
    let bytes = content(3, 4 << 20);
    let durable = upload(&vault, id, &bytes).await.expect("upload");
    let mut stream = vault
        .read_assembly(&durable.state, 0..4 << 20)
        .await
        .expect("open");
    let first = stream.next().await.expect("a block").expect("read");
    // Cut behind the two blocks that may have been read ahead: a reader further ahead would not notice.
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(dir.path().join(format!("open/{id}")));
    file.expect("open")
        .set_len(4 * first.len() as u64)
        .expect("cut");
    let rest: Vec<_> = stream.collect().await;
    assert!(
        rest.len() <= 4,
        "{} blocks came out of a file cut at 4",
        rest.len()
    );
    let last = rest.last().expect("an error");
    assert!(
        matches!(last, Err(VaultError::Corrupt { .. })),
        "the end is never quiet"
    );
}
