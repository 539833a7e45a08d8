use bytes::Bytes;
use docket_vault::{Area, AssemblyState, BesideName, Sealed, ShareRequest, VaultError, VaultKey};

use super::Place;
use crate::things::{begin_request, collect, content, day, seal_request, upload};

pub async fn an_upload_survives_restarts_and_is_sealed_byte_for_byte(place: &Place) {
    let unit = place.unit_bytes;
    for length in [1, unit - 1, unit, unit + 1, 3 * unit + 12_345] {
        let (id, bytes) = (place.ids.next(), content(length as u64, length));
        let mut vault = place.vault().await;
        let mut assembly = vault.begin(&begin_request(id)).await.expect("begin");
        let mut durable = assembly.flush().await.expect("nothing yet");
        assert_eq!(durable.offset_bytes, 0);
        // Five stretches, each by another process.
        for stretch in bytes.chunks(length / 5 + 1) {
            drop(assembly);
            vault = place.vault().await;
            assembly = vault
                .resume(&durable.state, durable.offset_bytes)
                .await
                .expect("resume");
            assert_eq!(assembly.appended_bytes(), durable.offset_bytes);
            for piece in stretch.chunks(100_003) {
                let piece = Bytes::copy_from_slice(piece);
                assembly.append(piece).await.expect("append");
            }
            durable = assembly.flush().await.expect("flush");
            assembly.settled(&durable);
            assert_eq!(durable.offset_bytes, assembly.appended_bytes());
            if place.reads_open_uploads {
                let so_far = durable.offset_bytes;
                let read = vault.read_assembly(&durable.state, 0..so_far).await;
                let read = collect(read.expect("open")).await.expect("read");
                assert!(read == bytes[..so_far as usize], "open upload");
            }
        }
        drop(assembly);
        let seal = seal_request(id, &bytes);
        let sealed = place.vault().await.seal(&durable.state, &seal).await;
        let key = sealed.expect("seal").key;
        assert_eq!(key, VaultKey::new(Area::Originals, day(), id));
        let vault = place.vault().await;
        assert_eq!(vault.size(&key).await.expect("size"), Some(length as u64));
        let back = vault.read_back(&key).await.expect("read back");
        assert!(collect(back).await.expect("read back") == bytes, "{length}");
        let side_file = vault.get_beside(&key, BesideName::SideFile).await;
        assert_eq!(side_file.expect("side file"), Some(seal.side_file));
        let open = vault.leftovers(1000).await.expect("leftovers");
        assert!(open.iter().all(|left| left.id != id), "nothing stays open");
    }
}

pub async fn unacknowledged_bytes_are_discarded(place: &Place) {
    let (id, vault) = (place.ids.next(), place.vault().await);
    let first = content(1, place.unit_bytes + 1000);
    let durable = upload(&vault, id, &first).await.expect("upload");
    // Flushed, but nobody stored the offset: a process that dies here has acknowledged nothing of it.
    let resumed = vault.resume(&durable.state, durable.offset_bytes).await;
    let mut assembly = resumed.expect("resume");
    let lost = content(2, 2 * place.unit_bytes);
    assembly.append(lost.into()).await.expect("append");
    assembly.flush().await.expect("flush");
    drop(assembly);
    let vault = place.vault().await;
    let resumed = vault.resume(&durable.state, durable.offset_bytes).await;
    let mut assembly = resumed.expect("resume again");
    let second = content(3, place.unit_bytes);
    assembly
        .append(second.clone().into())
        .await
        .expect("append");
    let durable = assembly.flush().await.expect("flush");
    let bytes = [first, second].concat();
    assert_eq!(durable.offset_bytes, bytes.len() as u64);
    let sealed = vault.seal(&durable.state, &seal_request(id, &bytes)).await;
    let back = vault.read_back(&sealed.expect("seal").key).await;
    assert!(collect(back.expect("open")).await.expect("read") == bytes);
}

pub async fn a_newer_handle_stops_the_older(place: &Place) {
    let (id, vault) = (place.ids.next(), place.vault().await);
    let begun = vault.begin(&begin_request(id)).await;
    let mut older = begun.expect("begin");
    older
        .append(Bytes::from_static(b"same "))
        .await
        .expect("append");
    let durable = older.flush().await.expect("flush");
    // Waiting in the older handle's queue when the newer one starts.
    older
        .append(Bytes::from_static(b"older"))
        .await
        .expect("append");
    let resumed = vault.resume(&durable.state, durable.offset_bytes).await;
    let mut newer = resumed.expect("resume");
    newer
        .append(Bytes::from_static(b"newer"))
        .await
        .expect("append");
    assert!(matches!(older.flush().await, Err(VaultError::Conflict(_))));
    let late = older.append(Bytes::from_static(b"late")).await;
    assert!(matches!(late, Err(VaultError::Conflict(_))));
    let durable = newer.flush().await.expect("flush");
    let sealed = vault
        .seal(&durable.state, &seal_request(id, b"same newer"))
        .await
        .expect("seal");
    assert!(
        newer.append(Bytes::from_static(b"!")).await.is_err(),
        "sealed"
    );
    let read = vault.read(&sealed.key, 0..10).await.expect("open");
    assert_eq!(collect(read).await.expect("read"), b"same newer");
}

pub async fn begin_starts_from_nothing_and_refuses_what_is_sealed(place: &Place) {
    let (id, vault) = (place.ids.next(), place.vault().await);
    upload(&vault, id, b"never acknowledged")
        .await
        .expect("first");
    let durable = upload(&vault, id, b"second").await.expect("second");
    assert_eq!(durable.offset_bytes, 6);
    let seal = seal_request(id, b"second");
    vault.seal(&durable.state, &seal).await.expect("seal");
    let vault = place.vault().await;
    let again = vault.begin(&begin_request(id)).await.err();
    assert!(matches!(again, Some(VaultError::Conflict(_))), "{again:?}");
    let again = vault.resume(&durable.state, 6).await.err();
    assert!(matches!(again, Some(VaultError::Conflict(_))), "{again:?}");
}

pub async fn seal_can_be_repeated(place: &Place) {
    let (id, vault) = (place.ids.next(), place.vault().await);
    let bytes = content(9, 2 * place.unit_bytes + 5);
    let durable = upload(&vault, id, &bytes).await.expect("upload");
    let mut seal = seal_request(id, &bytes);
    let first = vault.seal(&durable.state, &seal).await.expect("seal");
    assert_eq!(first.earlier_side_file, None);
    let again = place.vault().await.seal(&durable.state, &seal).await;
    assert_eq!(again.expect("again"), first);
    let earlier = std::mem::replace(&mut seal.side_file, b"{\"later\":1}".to_vec());
    let again = vault.seal(&durable.state, &seal).await.expect("again");
    let expected = Sealed {
        key: first.key,
        earlier_side_file: Some(earlier),
    };
    assert_eq!(again, expected);
    let back = vault.read_back(&again.key).await.expect("open");
    assert!(collect(back).await.expect("read") == bytes);
}

pub async fn seal_refuses_missing_bytes(place: &Place) {
    let (id, vault) = (place.ids.next(), place.vault().await);
    let durable = upload(&vault, id, b"five!").await.expect("upload");
    let sealed = vault
        .seal(&durable.state, &seal_request(id, b"six..."))
        .await;
    assert!(
        matches!(sealed, Err(VaultError::Corrupt { .. })),
        "{sealed:?}"
    );
    let other = vault
        .seal(&durable.state, &seal_request(place.ids.next(), b"five!"))
        .await;
    assert!(matches!(other, Err(VaultError::Conflict(_))), "{other:?}");
}

pub async fn an_empty_upload_can_be_sealed(place: &Place) {
    let (id, vault) = (place.ids.next(), place.vault().await);
    let durable = upload(&vault, id, b"").await.expect("upload");
    let sealed = vault.seal(&durable.state, &seal_request(id, b"")).await;
    let key = sealed.expect("seal").key;
    assert_eq!(vault.size(&key).await.expect("size"), Some(0));
    let back = vault.read_back(&key).await.expect("open");
    assert_eq!(collect(back).await.expect("read"), b"");
}

pub async fn quarantined_originals_can_be_read(place: &Place) {
    let (id, vault) = (place.ids.next(), place.vault().await);
    let bytes = content(4, place.unit_bytes + 1);
    let durable = upload(&vault, id, &bytes).await.expect("upload");
    let mut seal = seal_request(id, &bytes);
    seal.area = Area::Quarantine;
    let key = vault.seal(&durable.state, &seal).await.expect("seal").key;
    assert_eq!(key.id(), id);
    let read = vault.read_back(&key).await.expect("open");
    assert!(collect(read).await.expect("read") == bytes);
    let again = place.vault().await.seal(&durable.state, &seal).await;
    assert_eq!(again.expect("again").key, key);
}

pub async fn a_damaged_state_is_refused(place: &Place) {
    let (id, vault) = (place.ids.next(), place.vault().await);
    for text in ["", "{}", "{\"local\":\"../../etc\"}", "[1]"] {
        let resumed = vault.resume(&AssemblyState(text.to_owned()), 0).await.err();
        assert!(
            matches!(resumed, Some(VaultError::Corrupt { .. })),
            "{text}"
        );
    }
    let durable = upload(&vault, id, b"12345").await.expect("upload");
    let resumed = vault.resume(&durable.state, 6).await.err();
    assert!(
        matches!(resumed, Some(VaultError::Corrupt { .. })),
        "{resumed:?}"
    );
}

pub async fn discard_leaves_nothing(place: &Place) {
    let (id, vault) = (place.ids.next(), place.vault().await);
    let bytes = content(5, 2 * place.unit_bytes + 7);
    let durable = upload(&vault, id, &bytes).await.expect("upload");
    let is_open = async || {
        let open = place.vault().await.leftovers(1000).await;
        open.expect("leftovers").iter().any(|left| left.id == id)
    };
    assert!(is_open().await);
    vault.discard(&durable.state).await.expect("discard");
    vault.discard(&durable.state).await.expect("nothing to do");
    assert!(!is_open().await);
    let resumed = vault.resume(&durable.state, durable.offset_bytes).await;
    assert!(resumed.is_err());
    // What a crash before the first stored state left is found and discarded without it.
    upload(&vault, id, &bytes).await.expect("upload");
    let open = place
        .vault()
        .await
        .leftovers(1000)
        .await
        .expect("leftovers");
    for left in open.iter().filter(|left| left.id == id) {
        vault.discard(&left.state).await.expect("discard");
    }
    assert!(!is_open().await);
}

pub async fn ranges_are_exact(place: &Place) {
    let (id, vault) = (place.ids.next(), place.vault().await);
    let bytes = content(6, place.unit_bytes + 300_000);
    let size = bytes.len() as u64;
    let durable = upload(&vault, id, &bytes).await.expect("upload");
    let sealed = vault.seal(&durable.state, &seal_request(id, &bytes)).await;
    let key = sealed.expect("seal").key;
    for range in [0..0, 0..1, 7..300_000, size - 1..size, size..size, 0..size] {
        let read = vault.read(&key, range.clone()).await.expect("open");
        let expected = &bytes[range.start as usize..range.end as usize];
        assert!(collect(read).await.expect("read") == expected, "{range:?}");
    }
    for range in [0..size + 1, size..size + 1, size + 5..size + 9] {
        let read = match vault.read(&key, range.clone()).await {
            Ok(stream) => collect(stream).await,
            Err(error) => Err(error),
        };
        assert!(matches!(read, Err(VaultError::Corrupt { .. })), "{range:?}");
    }
    let nowhere = VaultKey::new(Area::Originals, day(), place.ids.next());
    let read = vault.read(&nowhere, 0..1).await.err();
    assert!(matches!(read, Some(VaultError::NotFound(_))), "{read:?}");
    assert_eq!(vault.size(&nowhere).await.expect("size"), None);
    assert!(vault.descriptor(&nowhere).await.expect("none").is_none());
}

pub async fn duplicates_share_one_object(place: &Place) {
    let (id, vault) = (place.ids.next(), place.vault().await);
    let durable = upload(&vault, id, b"shared").await.expect("upload");
    let sealed = vault
        .seal(&durable.state, &seal_request(id, b"shared"))
        .await;
    let original = sealed.expect("seal").key;
    let share_of = |of: &VaultKey| ShareRequest {
        id: place.ids.next(),
        created_at: day(),
        of: of.clone(),
        side_file: b"{\"duplicate\":true}".to_vec(),
    };
    let share = share_of(&original);
    let second = vault.share(&share).await.expect("share");
    assert_eq!(second.key.id(), share.id);
    assert_eq!(
        place.vault().await.share(&share).await.expect("again"),
        second
    );
    let third = vault
        .share(&share_of(&second.key))
        .await
        .expect("of a duplicate");
    for key in [&second.key, &third.key] {
        assert_eq!(vault.size(key).await.expect("size"), Some(6));
        let read = vault.read(key, 2..6).await.expect("open");
        assert_eq!(collect(read).await.expect("read"), b"ared");
        let back = vault.read_back(key).await.expect("open");
        assert_eq!(collect(back).await.expect("read"), b"shared");
        let side_file = vault.get_beside(key, BesideName::SideFile).await;
        assert_eq!(side_file.expect("there"), Some(share.side_file.clone()));
    }
    let nowhere = VaultKey::new(Area::Originals, day(), place.ids.next());
    let shared = vault.share(&share_of(&nowhere)).await;
    assert!(matches!(shared, Err(VaultError::NotFound(_))), "{shared:?}");
    vault.delete_original(&second.key).await.expect("delete");
    vault
        .delete_original(&second.key)
        .await
        .expect("nothing to do");
    assert_eq!(vault.size(&second.key).await.expect("size"), None);
    assert_eq!(vault.size(&original).await.expect("size"), Some(6));
    vault.delete_original(&third.key).await.expect("delete");
    vault.delete_original(&original).await.expect("delete");
    assert_eq!(vault.size(&original).await.expect("size"), None);
}
